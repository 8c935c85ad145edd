// One alert: its clip, what was unusual, what is usual, why it was raised, and what was said of it.

import { Dialog, Loaded, Picture, html, inWords, number, say, span, t, time, useLoaded, useState } from "../../../assets/tiepoint.js";
import { Severity, evidence, spoken } from "./alerts.js";

const PICTURES = { snapshot: "Snapshot", heatmap: "What was unusual", usual: "What is usual here" };

export function OneAlert({ api, may, id, close, changed }) {
  const alert = useLoaded((signal) => api.get(`/v1/security/alerts/${encodeURIComponent(id)}`, { signal }), [id]);
  const [note, setNote] = useState("");
  const act = async (path, body, told) => {
    try {
      await api.post(`/v1/security/alerts/${encodeURIComponent(id)}/${path}`, { body: { note, ...body } });
      say(told);
      setNote("");
      changed();
      alert.again();
    } catch (problem) {
      say(inWords(problem), "bad");
    }
  };
  return html`<${Dialog} title=${alert.value ? `${spoken(alert.value.rule)}, ${alert.value.camera}` : t("Alert")} close=${close} wide>
    <${Loaded} of=${alert}>${(one) => html`<div class="one">
      <${Evidence} alert=${one} />
      <div>
        <p class="line"><${Severity} of=${one.severity} /><span>${one.ended_at ? span(one.started_at, one.ended_at) : `${time(one.started_at)} – ${t("goes on")}`}</span></p>
        <h3>${t("Why was it raised?")}</h3>
        <ul class="bars">${Object.entries(one.contributions).map(([name, value]) => html`<li key=${name}><span>${spoken(name)}</span><span>${number(value, 2)}</span>
          <meter min="0" max="1" value=${Math.min(1, Math.max(0, value ?? 0))} aria-label=${`${spoken(name)}: ${number(value ?? 0, 2)}`}></meter></li>`)}</ul>
        <dl class="pairs facts-of">
          <dt>${t("Score")}</dt><dd>${number(one.score ?? 0, 2)} (${t("highest {peak}", { peak: number(one.peak ?? 0, 2) })})</dd>
          ${one.zones.length > 0 && html`<dt>${t("Zones")}</dt><dd>${one.zones.join(", ")}</dd>`}
          <dt>${t("Cameras")}</dt><dd>${one.cameras.join(", ") || one.camera}</dd>
          <dt>${t("Taken by")}</dt><dd>${one.acknowledged_by ?? t("nobody yet")}</dd>
        </dl>
        ${one.reviews?.length > 0 && html`<h3>${t("What was said")}</h3><ul class="reviews">${one.reviews.map((review) => html`<li key=${review.user}>
          <strong>${review.user}</strong> ${spoken(review.verdict)}${review.note ? `: ${review.note}` : ""}</li>`)}</ul>`}
        ${may("security:write") && html`<div class="judge">
          <label for="note">${t("Note")}</label><input id="note" value=${note} maxlength="2000" onInput=${(event) => setNote(event.target.value)} />
          <p class="row"><button type="button" class="main" onClick=${() => act("acknowledge", {}, t("Acknowledged"))}>${t("Acknowledge")}</button>
            <button type="button" onClick=${() => act("judge", { verdict: "confirmed" }, t("Confirmed"))}>${t("It was right")}</button>
            <button type="button" class="bad" onClick=${() => act("judge", { verdict: "false_alarm" }, t("Marked as a false alarm"))}>${t("False alarm")}</button></p></div>`}
      </div></div>`}<//>
  <//>`;
}

function Evidence({ alert }) {
  const kinds = Object.keys(PICTURES).filter((kind) => alert.evidence[kind]);
  if (!kinds.length && !alert.evidence.clip) return html`<p class="soft">${t("No evidence is kept of it, or not yet.")}</p>`;
  return html`<div class="evidence" role="group" aria-label=${t("Evidence")}>
    ${alert.evidence.clip && html`<video controls autoplay muted loop playsinline src=${evidence(alert.id, "clip")} aria-label=${t("Clip of the alert")}></video>`}
    ${kinds.map((kind) => html`<figure key=${kind} class=${kind}><${Picture} source=${evidence(alert.id, kind)} words=${t(PICTURES[kind])} />
      <figcaption class="soft small">${t(PICTURES[kind])}</figcaption></figure>`)}</div>`;
}
