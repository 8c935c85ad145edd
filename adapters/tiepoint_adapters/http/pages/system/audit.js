// Who saw and changed what, in the chained audit of the service.

import { Loaded, html, t, time, useLoaded } from "../../../assets/tiepoint.js";

export function Audit({ api }) {
  const audit = useLoaded((signal) => api.get("/v1/audit", { signal, query: { limit: 1000 } }));
  return html`<section class="card"><details><summary>${t("Audit")}</summary><${Loaded} of=${audit}>${(found) => html`
    ${found.broken !== null && html`<p class="notice bad" role="alert">${t("Entry {number} was tampered with.", { number: found.broken })}</p>`}
    ${found.entries.length === 0
      ? html`<p class="soft">${t("Nothing that is audited has happened yet.")}</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Audit")}><table>
        <thead><tr><th>${t("When")}</th><th>${t("Who")}</th><th>${t("What")}</th><th>${t("Of")}</th><th>${t("From")}</th></tr></thead>
        <tbody>${[...found.entries].reverse().slice(0, 200).map((one) => html`<tr key=${one.number}>
          <td>${time(one.time)}</td><td>${one.caller}</td><td>${one.action}</td><td class="code">${one.subject}</td><td>${one.address}</td></tr>`)}</tbody></table></div>`}`}<//>
  </details></section>`;
}
