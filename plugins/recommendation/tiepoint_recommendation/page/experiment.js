// The experiment that runs: each arm's click-through with its 95 % interval.

import { Loaded, Told, html, number, percent, t, useLoaded } from "../../../assets/tiepoint.js";

export function Experiment({ api }) {
  const loaded = useLoaded((signal) => api.get("/v1/recommendation/experiment", { signal }), [], { every: 20 });
  return html`<section class="card"><h2>${t("Experiment")}</h2><${Loaded} of=${loaded}>${({ name, arms }) => arms.length === 0
    ? html`<p class="soft"><${Told} text=${t("None runs. Describe one under `plugins.recommendation.live.experiment`.")} /></p>`
    : html`<p class="soft">${name}</p><table><thead><tr><th>${t("Arm")}</th><th class="number">${t("Shown")}</th><th>${t("Clicked")}</th></tr></thead>
      <tbody>${arms.map((arm) => html`<tr key=${arm.arm}><th scope="row">${arm.arm}</th><td class="number">${number(arm.shown)}</td>
        <td>${arm.rate === null ? t("not yet") : html`${percent(arm.rate, 1)} <span class="soft small">${arm.low === null ? "" : `${percent(Math.max(0, arm.low), 1)} – ${percent(arm.high, 1)}`}</span>`}
          ${arm.difference !== null && arm.difference_low !== null && html`<div class="small">${arm.difference_low > 0 ? t("better than {arm}", { arm: arms[0].arm }) : arm.difference_high < 0 ? t("worse than {arm}", { arm: arms[0].arm }) : t("no difference shown yet")}</div>`}</td></tr>`)}</tbody></table>`}<//></section>`;
}
