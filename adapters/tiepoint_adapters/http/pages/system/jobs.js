// Long work: how far it is, and a button to end it.

import { Loaded, Status, html, number, say, t, time, useLoaded } from "../../../assets/tiepoint.js";

export function Jobs({ api, may }) {
  const jobs = useLoaded((signal) => api.get("/v1/jobs", { signal }), [], { every: 3 });
  const cancel = (job) => api.post(`/v1/jobs/${job.id}/cancel`)
    .then(() => say(t("The job is being cancelled")), (problem) => say(problem.message, "bad"))
    .then(jobs.again);
  return html`<section class="card"><h2>${t("Jobs")}</h2><${Loaded} of=${jobs}>${({ jobs: found }) => found.length === 0
    ? html`<p class="soft">${t("No long work is under way, and none was lately.")}</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Jobs")}><table>
      <thead><tr><th>${t("Job")}</th><th>${t("State")}</th><th>${t("Progress")}</th><th>${t("Begun")}</th><th></th></tr></thead>
      <tbody>${found.map((job) => html`<tr key=${job.id}>
        <th scope="row">${job.kind}<div class="soft small code">${job.id}</div></th>
        <td><${Status} status=${job.status} />${job.error && html`<div class="small">${job.error}</div>`}</td>
        <td>${job.total ? html`<progress max=${job.total} value=${job.done} aria-label=${t("Progress")}></progress> ${number(job.done)} / ${number(job.total)}` : number(job.done ?? 0)}</td>
        <td>${time(job.created)}</td>
        <td>${may("jobs:write") && ["queued", "running"].includes(job.status) && html`<button type="button" class="small" onClick=${() => cancel(job)}>${t("Cancel")}</button>`}</td>
      </tr>`)}</tbody></table></div>`}<//></section>`;
}
