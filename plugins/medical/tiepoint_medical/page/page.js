// The page Reading room: a study or a report, what resembles it, a draft, and the worklist.

import { Busy, Failed, Loaded, html, number, say, t, time, useEffect, useLoaded, useRef, useState } from "../../../assets/tiepoint.js";
import { form } from "./files.js";
import { Match, learnNames, stated } from "./match.js";
import { Viewer, lookedAt, nothing } from "./viewer.js";

export default function ReadingRoom({ api, may }) {
  const [opened, setOpened] = useState(nothing);
  const [text, setText] = useState("");
  const [state, setState] = useState({});
  const found = useRef();
  const [everything, setEverything] = useState(false);
  const worklist = useLoaded((signal) => api.get("/v1/medical/worklist", { query: { unread: !everything }, signal }), [everything], { every: 15 });
  useLoaded((signal) => api.get("/v1/medical/findings", { signal }).then(learnNames), []);
  useEffect(() => {
    setState({});
    if (opened.files.length === 0) setText(""); // words on another study, if any
    else if (opened.report) setText(opened.report);
  }, [opened.files]);
  const asked = { files: opened.files, text };
  const ask = async (keep) => {
    setState({ loading: true });
    try {
      setState({ asked, value: await api.post("/v1/medical/match", { body: form(asked.files, { text, draft: true, keep }) }) });
      if (keep) worklist.again();
    } catch (problem) {
      setState({ problem });
    }
  };
  const read = (one) => api.post(`/v1/medical/worklist/${one.id}/read`)
    .then((match) => { setState({ value: { match, draft: null } }); worklist.again(); }, (problem) => say(problem.message, "bad"));
  // Where the columns lie below each other, what was found comes into view.
  useEffect(() => {
    const { top } = found.current.getBoundingClientRect();
    if ((state.value || state.problem) && (top < 0 || top > innerHeight / 2)) found.current.scrollIntoView();
  }, [state]);
  const empty = opened.files.length === 0 && !text.trim();
  return html`<div class="room">
    <section class="asked"><${Viewer} api=${api} opened=${opened} setOpened=${setOpened} />
      ${may("medical:write") ? html`<form onSubmit=${(event) => { event.preventDefault(); ask(false); }}>
        <label for="report">${t("Report or words, if any")}</label>
        <textarea id="report" rows="3" value=${text} maxlength="20000" onInput=${(event) => setText(event.target.value)}></textarea>
        <p class="row"><button class="main" disabled=${empty || state.loading}>${t("Find similar cases")}</button>
          <button type="button" disabled=${empty || state.loading} onClick=${() => ask(true)}>${t("Find, and keep on the worklist")}</button></p></form>` : html`<p class="notice">${t("To match, ask for a key with the scope medical:write.")}</p>`}
    </section>
    <section class="found" ref=${found} aria-live="polite">
      ${state.problem && html`<${Failed} problem=${state.problem} again=${() => ask(false)} />`}
      ${state.loading && html`<${Busy} text=${t("Searching …")} />`}
      ${state.value ? html`<${Match} ...${state.value} asked=${state.asked} looked=${state.asked ? lookedAt(opened) : {}} />` : !state.loading && !state.problem && html`<div class="empty"><h2>${t("Open a study, or write what was seen")}</h2><p>${t("Similar cases of other patients appear here, with what supports and what contradicts them.")}</p></div>`}
    </section>
    <section class="waiting">
      <h2>${t("Worklist")}</h2>
      <label class="row"><input type="checkbox" checked=${everything} onChange=${(event) => setEverything(event.target.checked)} />${t("Those that were read, too")}</label>
      <${Loaded} of=${worklist}>${(kept) => kept.length === 0 ? html`<p class="soft">${everything ? t("Nothing was kept yet.") : t("Nothing is unread.")}</p>` : html`<ul class="work">${kept.map((one) => html`<li key=${one.id}>
        <button type="button" disabled=${!may("medical:write")} onClick=${() => read(one)}><span>${stated(one.result.query) || t("An image")}</span> <span class="soft small">${time(one.created)} · ${t("{count} cases", { count: number(one.result.hits.length) })}${one.read_by ? ` · ${t("read by {name}", { name: one.read_by })}` : ""}</span></button></li>`)}</ul>`}<//>
    </section></div>`;
}
