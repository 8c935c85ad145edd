// Rules of a merchandiser: written for a product, tried on the answer in view, applied, taken back.

import { Failed, Loaded, html, inWords, say, number, t, time, useEffect, useLoaded, useRef, useState } from "../../../assets/tiepoint.js";

const ACTIONS = ["pin", "boost", "bury", "exclude"];

export function Rules({ api, may, ask, item, changed, done }) {
  const rules = useLoaded((signal) => api.get("/v1/recommendation/rules", { signal }));
  const undo = (entry) => api.delete(`/v1/recommendation/rules/${entry.number}`)
    .then(() => { say(t("Taken back")); rules.again(); changed(); }, (problem) => say(inWords(problem), "bad"));
  return html`<section class="card rules"><h2>${t("Rules")}</h2>
    ${item && html`<${Editor} ...${{ api, ask, item }} done=${(applied) => { done(); if (applied) { rules.again(); changed(); } }} />`}
    <${Loaded} of=${rules}>${(entries) => entries.length === 0
      ? html`<p class="soft">${may("recommendation:write") ? t("None holds. Press “Rule” at a product to pin, boost, bury or exclude it.") : t("None holds.")}</p>`
      : html`<ul class="entries">${entries.map((entry) => html`<li key=${entry.number}><span><strong>${entry.rule.name}</strong>
        <span class="soft small"> ${t(entry.rule.action)} · ${entry.made_by}, ${time(entry.made_s, "short")}</span></span>
        ${may("recommendation:write") && html`<button type="button" class="small" aria-label=${t("Take back {rule}", { rule: entry.rule.name })} onClick=${() => undo(entry)}>${t("Undo")}</button>`}</li>`)}</ul>`}<//>
  </section>`;
}

function Editor({ api, ask, item, done }) {
  const name = item.title || item.id;
  const [action, setAction] = useState("pin");
  const [place, setPlace] = useState(1);
  const [strength, setStrength] = useState(1);
  const [tried, setTried] = useState(null);
  const [problem, setProblem] = useState(null);
  const rule = { name: `${action} ${name}`.slice(0, 200), action, select: { items: [item.id] }, place, strength };
  const attempt = (work) => work.catch(setProblem);
  const preview = () => attempt(api.post("/v1/recommendation/rules/preview", { body: { rule, ask } }).then((found) => { setProblem(null); setTried(found); }));
  const apply = () => attempt(api.post("/v1/recommendation/rules", { body: rule }).then(() => { say(t("The rule holds")); done(true); }));
  const form = useRef();
  useEffect(() => {
    form.current.scrollIntoView({ block: "nearest" });
    form.current.querySelector("button").focus({ preventScroll: true });
  }, []);
  const changing = (set) => (value) => { setTried(null); set(value); };
  return html`<form ref=${form} class="editor" aria-label=${t("Rule for {item}", { item: name })} onKeyDown=${(event) => event.key === "Escape" && done(false)} onSubmit=${(event) => { event.preventDefault(); preview(); }}>
    <h3>${name}</h3>
    <div class="row" role="group" aria-label=${t("What the rule does")}>${ACTIONS.map((one) => html`<button key=${one} type="button" class="small" aria-pressed=${action === one} onClick=${() => changing(setAction)(one)}>${t(one)}</button>`)}</div>
    ${action === "pin" && html`<label class="beside small">${t("At place")} <input type="number" min="1" max="100" value=${place} onInput=${(event) => changing(setPlace)(Number(event.target.value))} /></label>`}
    ${["boost", "bury"].includes(action) && html`<label class="beside small">${t("How strongly")} <input type="range" min="0.25" max="5" step="0.25" value=${strength} onInput=${(event) => changing(setStrength)(Number(event.target.value))} /> <output class="number">${number(strength, 2)}</output></label>`}
    ${problem && html`<${Failed} problem=${problem} />`}
    ${tried && html`<${Difference} tried=${tried} />`}
    <p class="row"><button class=${tried ? "" : "main"}>${t("Preview")}</button>
      <button type="button" class=${tried ? "main" : ""} disabled=${!tried} onClick=${apply}>${t("Apply")}</button>
      <button type="button" onClick=${() => done(false)}>${t("Leave")}</button></p></form>`;
}

function Difference({ tried }) {
  const titles = Object.fromEntries([...tried.before.items, ...tried.after.items].map((one) => [one.id, one.title || one.id]));
  const was = Object.fromEntries(tried.before.items.map((one) => [one.id, one.rank]));
  const lines = [
    ...tried.after.items.filter((one) => tried.entered.includes(one.id)).map((one) => html`<li key=${one.id} class="in">+ ${titles[one.id]} <span class="soft">${t("at place {place}", { place: one.rank })}</span></li>`),
    ...tried.left.map((id) => html`<li key=${id} class="out">− ${titles[id]}</li>`),
    ...tried.after.items.filter((one) => tried.moved.includes(one.id)).slice(0, 6).map((one) => html`<li key=${one.id}>${titles[one.id]} <span class="soft">${was[one.id]} → ${one.rank}</span></li>`),
  ];
  return html`<div role="status" class="difference">${lines.length ? html`<p class="small">${t("It would change this answer:")}</p><ul>${lines}</ul>` : html`<p class="small">${t("It would change nothing of this answer.")}</p>`}</div>`;
}
