// Alerts: a timeline, a list to work through, and one of them with its evidence.

import { Empty, Loaded, Picture, address, brief, html, number, t, time, useAddress, useEffect, useLoaded, useState } from "../../../assets/tiepoint.js";
import { OneAlert } from "./alert.js";

const SHOWN = 12;
const SEVERITIES = ["info", "warning", "critical"];

export function Alerts({ api, may, round, cameras }) {
  const [query, go] = useAddress();
  const [shown, setShown] = useState(SHOWN);
  useEffect(() => setShown(SHOWN), [query.camera, query.least, query.all]);
  const asked = { camera: query.camera, least: query.least, open: query.all ? undefined : true, limit: 200 };
  const loaded = useLoaded((signal) => api.get("/v1/security/alerts", { query: asked, signal }), [query.camera, query.least, query.all, round]);
  return html`<section aria-label=${t("Alerts")}>
    <div class="row bar"><h2>${t("Alerts")}</h2>
      <div class="row" role="group" aria-label=${t("Which alerts")}>
        <button type="button" class="small" aria-pressed=${!query.all} onClick=${() => go({ all: "" })}>${t("To do")}</button>
        <button type="button" class="small" aria-pressed=${Boolean(query.all)} onClick=${() => go({ all: "1" })}>${t("All")}</button></div>
      <label class="beside small">${t("Camera")} <select value=${query.camera ?? ""} onChange=${(event) => go({ camera: event.target.value })}>
        <option value="">${t("all")}</option>${cameras.map((one) => html`<option key=${one.name}>${one.name}</option>`)}</select></label>
      <label class="beside small">${t("At least")} <select value=${query.least ?? ""} onChange=${(event) => go({ least: event.target.value })}>
        <option value="">${t("anything")}</option>${SEVERITIES.map((one) => html`<option key=${one} value=${one}>${t(one)}</option>`)}</select></label>
    </div>
    <${Loaded} of=${loaded}>${(alerts) => alerts.length === 0
      ? html`<${Empty} title=${query.all ? t("There is no alert") : t("Nothing to do")}><p>${t("New alerts appear here by themselves.")}</p><//>`
      : html`<${Timeline} alerts=${alerts} go=${go} />
        <ul class="alerts">${alerts.slice(0, shown).map((one) => html`<li key=${one.id} class=${`card alert ${one.severity}`}>
          <button type="button" class="look" onClick=${() => go({ alert: one.id })}>
            ${one.evidence.snapshot ? html`<${Picture} source=${evidence(one.id, "snapshot")} words=${t("What {camera} saw", { camera: one.camera })} />` : html`<span class="no-picture"></span>`}
            <span><span class="line"><strong>${spoken(one.rule)}</strong><${Severity} of=${one.severity} /></span>
              <span class="soft small">${one.camera} · ${brief(one.started_at)}</span>
              <span class="soft small">${one.state === "active" ? t("goes on") : t("ended")}${one.acknowledged_by ? ` · ${t("taken by {user}", { user: one.acknowledged_by })}` : ""}</span></span>
          </button></li>`)}</ul>
        ${alerts.length > shown && html`<p class="more"><button type="button" onClick=${() => setShown(shown + 4 * SHOWN)}>${t("Show more ({count})", { count: number(alerts.length - shown) })}</button></p>`}`}<//>
    ${query.alert && html`<${OneAlert} key=${query.alert} id=${query.alert} ...${{ api, may }} close=${() => go({ alert: "" })} changed=${loaded.again} />`}
  </section>`;
}

export const evidence = (id, kind) => address(`/v1/security/alerts/${encodeURIComponent(id)}/evidence/${encodeURIComponent(kind)}`);

/** The name of a rule or a reason as words: `wrong_direction` is "wrong direction". */
export const spoken = (name) => t(name).replaceAll("_", " ");

export const Severity = ({ of }) => html`<span class=${`status ${of === "critical" ? "bad" : of === "warning" ? "middling" : "good"}`}>${t(of)}</span>`;

function Timeline({ alerts, go }) {
  const moments = alerts.map((one) => Date.parse(one.started_at));
  const [from, to] = [Math.min(...moments), Math.max(...moments)];
  const place = (moment) => `${to > from ? ((moment - from) / (to - from)) * 94 + 3 : 50}%`;
  return html`<figure class="timeline"><svg role="img" aria-label=${t("{count} alerts from {from} to {to}", { count: number(alerts.length), from: time(from / 1000), to: time(to / 1000) })}>
    <line x1="0" x2="100%" y1="23" y2="23" />
    ${alerts.map((one, at) => html`<circle key=${one.id} class=${one.severity} cx=${place(moments[at])} cy="23" r=${one.severity === "critical" ? 9 : 6} onClick=${() => go({ alert: one.id })}><title>${`${spoken(one.rule)}, ${one.camera}, ${time(one.started_at)}`}</title></circle>`)}
  </svg><figcaption class="soft small"><span>${time(from / 1000, "short")}</span><span>${time(to / 1000, "short")}</span></figcaption></figure>`;
}
