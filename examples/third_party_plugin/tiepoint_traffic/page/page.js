// The page Traffic: vehicles by a description, and the log of which kind was where.

import { Dialog, Empty, Loaded, Picture, address, html, number, pictureAddress, t, useAddress, useLoaded, useState } from "../../../assets/tiepoint.js";

export default function Traffic({ api }) {
  const [query, go] = useAddress();
  const [text, setText] = useState(query.text ?? "");
  const source = useLoaded((signal) => api.get("/v1/traffic/footage", { signal }));
  const found = useLoaded(
    (signal) => (query.text ? api.get("/v1/traffic/sightings", { query: { text: query.text }, signal }) : api.get("/v1/traffic/log", { signal })),
    [query.text],
  );
  const submit = (event) => {
    event.preventDefault();
    go({ text: text.trim(), kind: "" });
  };
  return html`<form class="row" role="search" onSubmit=${submit}>
      <div class="grow"><label for="text" class="only-read">${t("Which vehicle")}</label>
        <input id="text" type="search" value=${text} maxlength="1000" placeholder=${t("Describe a vehicle, such as “a taxi” or “a person on a bicycle”")}
          onInput=${(event) => setText(event.target.value)} /></div>
      <button class="main">${t("Find")}</button></form>
    <${Loaded} of=${source}>${(footage) => html`<${Loaded} of=${found}>${(sightings) => html`
      ${!query.text && sightings.length > 0 && html`<${Kinds} ...${{ sightings, chosen: query.kind, go }} />`}
      <${Sightings} footage=${footage} sightings=${sightings.filter((one) => query.text || !query.kind || one.kind === query.kind)} />`}<//>`}<//>`;
}

function Kinds({ sightings, chosen, go }) {
  const kinds = [...new Set(sightings.map((one) => one.kind))].sort();
  return html`<p class="row kinds">${["", ...kinds].map((kind) => html`<button type="button" key=${kind} aria-pressed=${(chosen ?? "") === kind}
    onClick=${() => go({ kind })}>${kind ? t(kind) : t("all")} ${number(sightings.filter((one) => !kind || one.kind === kind).length)}</button>`)}</p>`;
}

function Sightings({ sightings, footage: { collection, field } }) {
  const [opened, open] = useState(null);
  if (!sightings.length) return html`<${Empty} title=${t("No vehicle was seen")}><p>${t("Use other words, or index more footage:")} <code>tiepoint index CONFIG</code></p><//>`;
  const named = (one) => t("{file}, second {from} to {to}", { file: one.file, from: number(one.start_s, 1), to: number(one.end_s, 1) });
  return html`<ul class="cards">${sightings.map((one) => html`<li key=${one.id} class="card">
      <button type="button" class="look" onClick=${() => open(one)}>
        <${Picture} source=${pictureAddress(collection, one.id, field, 360)} words=${named(one)} />
        <strong>${one.kind ? t(one.kind) : ""}</strong> <span class="soft small">${named(one)}</span></button></li>`)}</ul>
    ${opened && html`<${Dialog} title=${named(opened)} close=${() => open(null)} wide>
      <video controls autoplay muted playsinline src=${`${address(`/v1/collections/${collection}/media`, { id: opened.id, field })}#t=${opened.start_s},${opened.end_s}`}></video><//>`}`;
}
