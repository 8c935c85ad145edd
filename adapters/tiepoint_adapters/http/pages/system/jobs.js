// Long work: what is under way and was lately, how far it is, and a way to end it.

import { Loaded, Problem, Status, Told, html, inWords, number, say, t, time, useEffect, useLoaded, useState } from "../../../assets/tiepoint.js";

const SHOWN = 20;

export function Jobs({ api, may, sources }) {
  const [busy, setBusy] = useState(false);
  const jobs = useLoaded((signal) => api.get("/v1/jobs", { query: { limit: SHOWN }, signal }), [], { every: busy ? 1 : 10 });
  useEffect(() => setBusy((jobs.value ?? []).some((job) => !job.ended)), [jobs.value]);
  const change = (doing, told) => doing
    .then(() => say(told), (problem) => {
      if (!(problem instanceof Problem)) throw problem;
      say(inWords(problem), "bad");
    })
    .then(jobs.again);
  const index = () => change(api.post("/v1/jobs", { body: { kind: "index" } }), t("The sources are being indexed"));
  const cancel = (job) => change(api.delete(`/v1/jobs/${job.id}`), t("The job is being cancelled"));
  return html`<section class="card jobs"><div class="row"><h2 class="grow">${t("Jobs")}</h2>
    ${may("jobs:write") && sources.length > 0 && html`<button type="button" class="small" title=${sources.join(", ")} onClick=${index}>${t("Index the sources")}</button>`}</div>
    ${sources.length === 0 && html`<p class="soft"><${Told} text=${t("The deployment names no source to index; name one under `sources`.")} /></p>`}
    <${Loaded} of=${jobs}>${(found) => found.length === 0
      ? html`<p class="soft">${t("No long work is under way, and none was lately.")}</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Jobs")}><table>
        <thead><tr><th>${t("Job")}</th><th>${t("State")}</th><th>${t("Progress")}</th><th>${t("Begun")}</th><th>${t("Who")}</th><th><span class="only-read">${t("Cancel")}</span></th></tr></thead>
        <tbody>${found.map((job) => html`<tr key=${job.id}>
          <th scope="row">${t(job.kind)}</th><td><${Status} status=${job.status} /></td>
          <td><${Progress} job=${job} /></td><td>${job.started ? time(job.started) : "–"}</td><td class="soft">${job.caller}</td>
          <td>${!job.ended && may("jobs:write") && html`<button type="button" class="small" onClick=${() => cancel(job)}>${t("Cancel")}</button>`}</td></tr>`)}</tbody></table></div>`}<//></section>`;
}

function Progress({ job }) {
  if (job.error) return html`<span class="small">${job.error}</span>`;
  if (job.result?.sources) return html`<span class="small">${job.result.sources.map(indexed).join("; ")}</span>`;
  if (job.done === null) return "–";
  const words = job.total ? t("{done} of {total}", { done: number(job.done), total: number(job.total) }) : number(job.done);
  return html`${!job.ended && html`<progress max=${job.total ?? 1} value=${job.total ? job.done : undefined} aria-label=${job.kind}></progress> `}<span class="small">${words}</span>`;
}

const indexed = (report) => [
  `${report.source}: ${t("{added} added, {unchanged} unchanged", { added: number(report.added), unchanged: number(report.unchanged) })}`,
  report.skipped.length && t("{count} could not be read", { count: number(report.skipped.length) }),
].filter(Boolean).join(", ");
