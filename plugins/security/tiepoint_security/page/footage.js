// What cameras saw, found by words.

import { Dialog, Empty, Failed, Busy, Picture, address, brief, html, pictureAddress, t, time, useAddress, useLoaded, useState } from "../../../assets/tiepoint.js";

export function Footage({ api, collection }) {
  const [query, go] = useAddress();
  const [text, setText] = useState(query.footage ?? "");
  const [opened, open] = useState(null);
  const answer = useLoaded(
    (signal) => (query.footage ? api.post("/v1/search", { body: { text: query.footage, collection, k: 12 }, signal }) : { hits: null }),
    [query.footage],
  );
  const submit = (event) => {
    event.preventDefault();
    go({ footage: text.trim() });
  };
  const { value, problem, loading, again } = answer;
  return html`<section aria-label=${t("Footage")}><h2>${t("Find a moment")}</h2>
    <form class="row" role="search" onSubmit=${submit}>
      <div class="grow"><label for="footage" class="only-read">${t("What was seen")}</label>
        <input id="footage" type="search" value=${text} placeholder=${t("Describe what was seen, such as “a person on a bicycle”")} onInput=${(event) => setText(event.target.value)} /></div>
      <button class="main">${t("Find")}</button></form>
    ${problem && html`<${Failed} problem=${problem} again=${again} />`}
    ${loading && query.footage && !value?.hits && html`<${Busy} />`}
    ${value?.hits && !value.hits.length && html`<${Empty} title=${t("Nothing of this was seen")}><p>${t("Use other words.")}</p><//>`}
    <ul class="cards moments">${(value?.hits ?? []).map((hit) => html`<li key=${hit.id} class="card camera">
      <button type="button" class="look" onClick=${() => open(hit)}>
        <${Picture} source=${pictureAddress(collection, hit.id, "video", 360)} words=${hit.id} />
        <strong>${hit.metadata.camera ?? hit.id}</strong><span class="soft small">${hit.metadata.start_s ? brief(hit.metadata.start_s) : ""}</span></button></li>`)}</ul>
    ${opened && html`<${Dialog} title=${`${opened.metadata.camera ?? opened.id}, ${opened.metadata.start_s ? time(opened.metadata.start_s) : ""}`} close=${() => open(null)} wide>
      <video controls autoplay muted playsinline src=${address(`/v1/collections/${collection}/media`, { id: opened.id, field: "video" })}></video><//>`}
  </section>`;
}
