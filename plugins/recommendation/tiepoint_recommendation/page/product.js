// A recommended product: its picture, why it is there, and what can be done with it.

import { Picture, address, html, language, number, t } from "../../../assets/tiepoint.js";

export const productPicture = (one, size = 320) => (one.product?.picture ? address("/v1/recommendation/picture", { id: one.id, size }) : null);

/** Why it is there in the visitor's language: the service's words, or the same put together here. */
function reason({ pinned, reasons: { words, because, why } }) {
  if (language === "en") return words;
  const deeds = (pinned ? [] : because).map((one) => t(one.did) + one.title).join(t(" and "));
  const said = [deeds && t("because you {deeds}", { deeds }), why.map((one) => t(one)).join(t(", "))];
  return said.filter(Boolean).join(t("; ")) || t("nothing speaks against it");
}

export function Product({ one, at, was, look, showSimilar, rule }) {
  const parts = Object.entries(one.parts).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const longest = Math.max(...parts.map(([, value]) => Math.abs(value)), 1e-9);
  const name = one.title || one.id;
  return html`<li class="card product">
    <${Picture} source=${productPicture(one)} words=${name} />
    <div class="told">
      <span class="line"><strong>${name}</strong>${one.pinned ? html`<span class="status middling">${t("pinned")}</span>` : html`<${Move} at=${at} was=${was} />`}</span>
      <span class="soft small">${[one.product?.brand, one.product?.price !== null && one.product?.price !== undefined ? number(one.product.price, 2) : "", one.product?.stock === 0 ? t("sold out") : ""].filter(Boolean).join(" · ")}</span>
      ${one.reasons && html`<span class="why">${reason(one)}</span>`}
      <details><summary>${t("Why")}</summary><ul class="bars">${parts.map(([part, value]) => html`<li key=${part}><span>${t(part)}</span><span>${number(value, 2)}</span>
        <meter min="0" max=${longest} value=${Math.abs(value)} class=${value < 0 ? "minus" : ""} aria-label=${`${t(part)}: ${number(value, 2)}`}></meter></li>`)}</ul></details>
    </div>
    <div class="acts">
      <button type="button" class="small" onClick=${() => look(one.id)} aria-label=${t("What if {item} were clicked?", { item: name })}>${t("What if: click")}</button>
      <button type="button" class="small" onClick=${() => showSimilar(one)} aria-label=${t("Similar to {item}", { item: name })}>${t("Similar")}</button>
      ${rule && html`<button type="button" class="small" onClick=${() => rule(one)} aria-label=${t("Rule for {item}", { item: name })}>${t("Rule")}</button>`}
    </div></li>`;
}

function Move({ at, was }) {
  if (was === undefined) return null;
  if (was === at) return null;
  const up = was - at;
  return html`<span class=${`status ${up > 0 ? "good" : "bad"}`}>${up > 0 ? `↑${up}` : `↓${-up}`}</span>`;
}
