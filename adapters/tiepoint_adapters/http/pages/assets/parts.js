// Parts that several pages are made of.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { language, number, t } from "./language.js";

/** A modal dialog; Escape, its button and a click beside it close it. */
export function Dialog({ title, close, wide = false, children }) {
  const dialog = useRef();
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  const beside = (event) => event.target === dialog.current && close();
  return html`<dialog ref=${dialog} class=${wide ? "wide" : ""} aria-label=${title} onClose=${close} onClick=${beside}>
    <div class="dialog">
      <header><h2>${title}</h2>
        <button type="button" class="tool" aria-label=${t("Close")} onClick=${() => dialog.current.close()}>✕</button></header>
      ${children}
    </div>
  </dialog>`;
}

/** What to show where there is nothing: what it means, and what to do. */
export const Empty = ({ title, children }) => html`<div class="empty"><h2>${title}</h2><div>${children}</div></div>`;

/** A text in which `...` stands for what is typed or written literally. */
export const Told = ({ text }) => text.split("`").map((part, at) => (at % 2 ? html`<code key=${at}>${part}</code>` : part));

// What the service says is English; what kind of failure it is, everybody can read.
const FAILURES = {
  403: "You may not do this", 404: "There is no such thing", 409: "It conflicts with what is there",
  413: "It is too large", 422: "Something in it is wrong", 429: "There were too many requests; wait a little",
  500: "The service met a mistake of its own", 503: "The store cannot be used at the moment", 504: "It took too long",
};
const kind = (status) => (language === "en" || !FAILURES[status] ? "" : t(FAILURES[status]) + t(": "));

/** What went wrong in one line, for `say`. */
export const inWords = (problem) => kind(problem.status) + [problem.message, problem.hint].filter(Boolean).join(". ");

/** What went wrong, what to do, and a button to try again. */
export function Failed({ problem, again }) {
  return html`<div class="notice bad" role="alert">
    <strong>${kind(problem.status)}${problem.where ? `${problem.where}: ` : ""}${problem.message}</strong>
    ${problem.hint && html`<span> ${problem.hint}</span>`}
    ${again && html` <button type="button" class="small" onClick=${again}>${t("Try again")}</button>`}
  </div>`;
}

export const Busy = ({ text }) => html`<p class="busy" role="status"><span class="spinner" aria-hidden="true"></span>${text ?? t("Loading …")}</p>`;

/** What `useLoaded` has: its value by `children(value)`, or that it is loading, or what went wrong. */
export function Loaded({ of, children }) {
  const { value, problem, loading, again } = of;
  return html`${problem && html`<${Failed} problem=${problem} again=${again} />`}
    ${value === undefined ? loading && html`<${Busy} />` : children(value)}`;
}

/** The state of a part as a word with a colour: ok, warning, failed. */
export function Status({ status }) {
  const good = ["ok", "ready", "done", "unchanged", "running"].includes(status);
  const bad = ["failed", "broken", "drifted", "dead", "stopped", "lost"].includes(status);
  return html`<span class=${`status ${good ? "good" : bad ? "bad" : "middling"}`}>${t(status)}</span>`;
}

/** A picture that says so where it cannot be had, instead of leaving a gap. */
export function Picture({ source, words = "", ...rest }) {
  const [absent, setAbsent] = useState(!source);
  useEffect(() => setAbsent(!source), [source]);
  return absent
    ? html`<span class="no-picture" role="img" aria-label=${words || t("No picture")}><span>${t("No picture")}</span></span>`
    : html`<img src=${source} alt=${words} loading="lazy" decoding="async" onError=${() => setAbsent(true)} ...${rest} />`;
}

/** What each route added to a hit's score, as bars in one scale. */
export function Contributions({ of, full }) {
  const longest = full ?? Math.max(...of.map((one) => Math.abs(one.value)), 1e-9);
  return html`<ul class="bars">${of.map((one) => html`<li key=${one.route}>
    <span class="route">${routed(one.route)}</span>
    <span>${one.value >= 0 ? "+" : "−"}${number(Math.abs(one.value), 2)}
      <span class="soft"> (${t("similarity")} ${number(one.similarity, 3)})</span></span>
    <meter min="0" max=${longest} value=${Math.abs(one.value)} class=${one.value < 0 ? "minus" : ""}
      aria-label=${`${routed(one.route)}: ${number(one.value, 2)}`}></meter></li>`)}</ul>`;
}

/** The name of a route in words: `text->image` is what was asked, and the field that answered. */
export const routed = (route) => route.split("->").map((one, at) => (at ? one : t(one))).join(" → ");

/** Tell the visitor in passing what was done; a screen reader says it too. */
export function say(text, kind = "good") {
  let place = document.getElementById("said");
  if (!place) {
    place = document.createElement("div");
    place.id = "said";
    place.setAttribute("role", "status");
  }
  // What lies behind an open dialog is neither seen nor read out.
  const before = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (place.parentElement !== before) before.append(place);
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  place.append(line);
  setTimeout(() => line.remove(), 6000);
}
