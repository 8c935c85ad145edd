// The page Reading room: an image or a report, what resembles it, a draft, and the worklist.

import { Busy, Failed, Loaded, html, number, percent, say, t, time, useLoaded, useState } from "../../../assets/tiepoint.js";
import { Viewer } from "./viewer.js";

export default function ReadingRoom({ api, may }) {
  const [image, setImage] = useState(null);
  const [text, setText] = useState("");
  const [state, setState] = useState({});
  const worklist = useLoaded((signal) => api.get("/v1/medical/worklist", { signal }), [], { every: 15 });
  const ask = async (keep) => {
    const form = new FormData();
    if (image) form.set("image", image);
    form.set("text", text);
    form.set("draft", "true");
    form.set("keep", String(keep));
    setState({ loading: true });
    try {
      setState({ value: await api.post("/v1/medical/match", { body: form }) });
      if (keep) worklist.again();
    } catch (problem) {
      setState({ problem });
    }
  };
  const read = (one) => api.post(`/v1/medical/worklist/${one.id}/read`)
    .then((match) => { setState({ value: { match, draft: null } }); worklist.again(); }, (problem) => say(problem.message, "bad"));
  return html`<div class="room">
    <section><${Viewer} image=${image} setImage=${setImage} />
      <form onSubmit=${(event) => { event.preventDefault(); ask(false); }}>
        <label for="report">${t("Report or words, if any")}</label>
        <textarea id="report" rows="3" value=${text} maxlength="20000" onInput=${(event) => setText(event.target.value)}></textarea>
        <p class="row"><button class="main" disabled=${!image && !text.trim()}>${t("Find similar cases")}</button>
          ${may("medical:write") && html`<button type="button" disabled=${!image && !text.trim()} onClick=${() => ask(true)}>${t("Find, and keep on the worklist")}</button>`}</p></form>
      <h2>${t("Worklist")}</h2>
      <${Loaded} of=${worklist}>${(found) => found.length === 0 ? html`<p class="soft">${t("Nothing is unread.")}</p>` : html`<ul class="work">${found.map((one) => html`<li key=${one.id}>
        <button type="button" onClick=${() => read(one)}>${stated(one.result.query) || t("An image")} <span class="soft small">${time(one.created)} · ${t("{count} cases", { count: number(one.result.hits.length) })}</span></button></li>`)}</ul>`}<//>
    </section>
    <section aria-live="polite">
      ${state.problem && html`<${Failed} problem=${state.problem} />`}
      ${state.loading && html`<${Busy} text=${t("Searching …")} />`}
      ${state.value ? html`<${Match} match=${state.value.match} draft=${state.value.draft} />` : !state.loading && !state.problem && html`<div class="empty"><h2>${t("Open an image, or write what was seen")}</h2><p>${t("Similar cases of other patients appear here, with what supports and what contradicts them.")}</p></div>`}
    </section></div>`;
}

function Match({ match, draft }) {
  return html`<p class="notice middling">${match.notice}</p>
    ${match.abstained && html`<p class="notice">${t("No case is offered as a match.")} ${match.reason ?? ""}</p>`}
    ${match.probability !== null && html`<p>${t("The first case is right with a probability of {share}.", { share: percent(match.probability) })}</p>`}
    <${Cases} title=${t("Similar cases")} cases=${match.hits} query=${match.query} />
    ${match.priors.length > 0 && html`<${Cases} title=${t("Priors of this patient")} cases=${match.priors} query=${match.query} />`}
    ${draft && html`<h2>${t("Draft")} <span class="status bad">${t("unverified")}</span></h2>
      ${draft.sentences.length === 0 ? html`<p class="soft">${t("Nothing is drafted.")}</p>` : html`<ol>${draft.sentences.map((one, at) => html`<li key=${at}>${one.text} <span class="soft small">${t("case {number}", { number: number(1 + match.hits.findIndex((hit) => hit.case === one.case)) })}</span></li>`)}</ol>`}`}`;
}

const Cases = ({ title, cases, query }) => html`<h2>${title}</h2><ol class="cases">${cases.map((one, at) => html`<li key=${one.case} class="card">
  <p class="soft small"><b>${number(at + 1)}</b> <span class="code">${one.case}</span></p><p>${one.report || t("No report.")}</p>
  <p class="row">${one.supports.map((finding) => html`<span key=${finding} class="status good">✓ ${named(finding, query[finding])}</span>`)}${one.contradicts.map((finding) => html`<span key=${finding} class="status bad">✗ ${named(finding, query[finding])}</span>`)}</p></li>`)}</ol>`;

// A finding as the query has it: "no effusion", "effusion?", "effusion".
function named(finding, status) {
  const name = finding.replaceAll("_", " ");
  return status === "absent" ? t("no {finding}", { finding: name }) : status === "uncertain" ? `${name}?` : name;
}

const stated = (query) => Object.entries(query).map(([finding, status]) => named(finding, status)).join(", ");
