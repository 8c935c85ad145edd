// One hit as a card, and all there is to say about it.

import {
  Contributions, Dialog, Picture, address, html, language, number, percent, pictureAddress, routed, t,
} from "../../../assets/tiepoint.js";

const of = (collection, ...kinds) => collection.fields.filter((field) => kinds.includes(field.modality));

/** The field of a hit that can be looked at: a picture, or a frame of a video. */
export const pictured = (collection, hit) => of(collection, "image", "video").find((field) => hit.parts[field.name]);

// The text of a hit in the visitor's language, where it has one.
const readable = (text) => /\p{Script=Han}/u.test(text) === (language === "zh");
const caption = (collection, hit) => {
  const texts = of(collection, "text").map((field) => hit.parts[field.name]).filter(Boolean);
  return texts.find(readable) ?? texts[0] ?? hit.metadata.title ?? "";
};

export function Hit({ hit, collection, longest, more, open }) {
  const field = pictured(collection, hit);
  const words = caption(collection, hit);
  return html`<li class="card hit">
    <button type="button" class="look" onClick=${() => open(hit)} aria-label=${t("Why was {what} found?", { what: hit.id })}>
      ${field && html`<${Picture} source=${pictureAddress(collection.name, hit.id, field.name, 360)} words=${words || hit.id} />`}
      ${field || !words
        ? html`<strong>${hit.id}</strong>${words && html`<span class="caption">${words}</span>`}`
        : html`<span class="caption whole">${words}</span><span class="soft small code">${hit.id}</span>`}
    </button>
    <div class="strip" title=${t("What each route adds")}>${hit.contributions.map((one) => html`<meter key=${one.route} min="0" max=${longest}
      value=${Math.abs(one.value)} class=${one.value < 0 ? "minus" : ""} aria-label=${`${routed(one.route)}: ${number(one.value, 2)}`}></meter>`)}</div>
    <div class="acts">
      <button type="button" class="small" onClick=${() => more("like", hit.id)} aria-label=${t("More like {what}", { what: hit.id })}>+ ${t("More like this")}</button>
      <button type="button" class="small" onClick=${() => more("unlike", hit.id)} aria-label=${t("Less like {what}", { what: hit.id })}>− ${t("Less")}</button>
    </div>
  </li>`;
}

export function Details({ hit, collection, close }) {
  const field = pictured(collection, hit);
  const metadata = Object.entries(hit.metadata);
  const film = field?.modality === "video";
  return html`<${Dialog} title=${hit.id} close=${close} wide>
    <div class="details">
      <div class="seen">
        ${film
          ? html`<video controls preload="metadata" poster=${pictureAddress(collection.name, hit.id, field.name, 800)}
              src=${address(`/v1/collections/${collection.name}/media`, { id: hit.id, field: field.name }) + range(hit.parts[field.name])}></video>`
          : field && html`<${Picture} source=${pictureAddress(collection.name, hit.id, field.name, 1000)} words=${hit.id} />`}
        ${of(collection, "text").filter((one) => hit.parts[one.name]).map((one) => html`<p key=${one.name}>${hit.parts[one.name]}</p>`)}
      </div>
      <div>
        <h3>${t("Why this hit?")}</h3>
        <${Contributions} of=${hit.contributions} />
        <p class="soft small total">${t("Score {score}, the sum of these.", { score: number(hit.score, 3) })}
          ${hit.probability !== null && html` ${t("Likely right: {share}.", { share: percent(hit.probability) })}`}</p>
        ${hit.explanation && html`<details><summary>${t("In words")}</summary><p class="explained">${hit.explanation}</p></details>`}
        ${metadata.length > 0 && html`<h3>${t("Metadata")}</h3>
          <dl class="pairs">${metadata.map(([name, value]) => html`<dt>${name}</dt><dd>${[value].flat().join(", ")}</dd>`)}</dl>`}
      </div>
    </div>
  <//>`;
}

const range = (part) => (part.includes("#t=") ? part.slice(part.lastIndexOf("#t=")) : "");
