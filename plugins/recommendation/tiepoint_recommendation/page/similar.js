// What is like a product, and what goes with it.

import { Dialog, Empty, Loaded, Picture, html, t, useLoaded, useState } from "../../../assets/tiepoint.js";
import { productPicture } from "./product.js";

export function Similar({ api, item, close, look }) {
  const [relation, setRelation] = useState("similar");
  const found = useLoaded(
    (signal) => api.get(`/v1/recommendation/similar/${encodeURIComponent(item.id)}`, { query: { relation, k: 8 }, signal }),
    [item.id, relation],
  );
  return html`<${Dialog} title=${item.title || item.id} close=${close} wide>
    <div class="row" role="group" aria-label=${t("How they belong together")}>
      ${[["similar", "Similar"], ["complementary", "Goes with it"]].map(([one, name]) => html`<button key=${one} type="button" class="small" aria-pressed=${relation === one} onClick=${() => setRelation(one)}>${t(name)}</button>`)}</div>
    <${Loaded} of=${found}>${({ items }) => items.length === 0
      ? html`<${Empty} title=${t("Nothing yet")}><p>${t("More events, and another fit, may tell.")}</p><//>`
      : html`<ul class="cards small-cards">${items.map((one) => html`<li key=${one.id} class="card product"><${Picture} source=${productPicture(one, 240)} words=${one.title || one.id} />
        <div class="told"><strong>${one.title || one.id}</strong></div><div class="acts"><button type="button" class="small" onClick=${() => look(one.id)}>${t("What if: click")}</button></div></li>`)}</ul>`}<//>
  <//>`;
}
