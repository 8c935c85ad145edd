// Dials of the blend: how much each ranker counts, tried on the best items without changing anything.

import { html, number, t } from "../../../assets/tiepoint.js";

/** The items in the order that they have when each part counts `dials[part]` times. */
export function reweighted(items, dials) {
  if (Object.values(dials).every((one) => one === 1)) return items;
  const score = (one) => Object.entries(one.parts).reduce((sum, [part, value]) => sum + value * (dials[part] ?? 1), 0);
  const free = items.filter((one) => !one.pinned).map((one) => ({ ...one, score: score(one) })).sort((a, b) => b.score - a.score);
  items.forEach((one, at) => one.pinned && free.splice(at, 0, one));
  return free;
}

export function Dials({ rankers, dials, setDials, diversity, setDiversity }) {
  const turned = diversity !== null || Object.values(dials).some((one) => one !== 1);
  return html`<section class="card dials"><h2>${t("Blend")}</h2>
    <${Dial} name=${t("diversity")} value=${diversity ?? 0.1} most=${0.9} set=${setDiversity} />
    ${rankers.map((ranker) => html`<${Dial} key=${ranker} name=${t(ranker)} value=${dials[ranker] ?? 1} most=${2} set=${(value) => setDials({ ...dials, [ranker]: value })} />`)}
    <p class="soft small">${t("Tried on the best 60 of this shopper; nothing is changed. The deployment file keeps a blend.")}</p>
    ${turned && html`<button type="button" class="small" onClick=${() => { setDials({}); setDiversity(null); }}>${t("As it is")}</button>`}
  </section>`;
}

function Dial({ name, value, most, set }) {
  const id = `dial-${name}`;
  return html`<div class="dial"><label for=${id}>${name}</label><input id=${id} type="range" min="0" max=${most} step="0.05" value=${value}
    onInput=${(event) => set(Number(event.target.value))} /><output for=${id} class="number">${number(value, 2)}</output></div>`;
}
