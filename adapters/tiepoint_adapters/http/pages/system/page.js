// The page System: what runs here, how its parts are, and what it is working on.

import { Empty, Loaded, Status, Told, html, number, t, time, unit, useLoaded } from "../../../assets/tiepoint.js";
import { Audit } from "./audit.js";
import { Jobs } from "./jobs.js";

export default function System({ api, may }) {
  const loaded = useLoaded(async (signal) => {
    const [system, health, collections] = await Promise.all(
      ["/v1/system", "/v1/health", "/v1/collections"].map((path) => api.get(path, { signal })),
    );
    return { system, health, collections };
  }, [], { every: 15 });
  return html`<${Loaded} of=${loaded}>${(found) => html`<div class="system">
    <${Facts} ...${found} />
    ${may("jobs:read") && html`<${Jobs} api=${api} may=${may} sources=${found.system.sources} />`}
    <${Collections} ...${found} />
    <${Plugins} ...${found} />
    <${Encoders} ...${found} />
    ${may("audit:read") && html`<${Audit} api=${api} />`}
    <${Versions} ...${found} />
  </div>`}<//>`;
}

function Facts({ system, health, collections }) {
  const items = collections.reduce((sum, one) => sum + one.items, 0);
  const parts = [health.store, health.engine, health.drift, health.service, ...Object.values(health.collections), ...Object.values(health.plugins)];
  const bad = parts.filter((one) => ["failed", "drifted", "degraded", "unreachable"].includes(one?.status)).length;
  return html`<ul class="facts">
    <li><b><${Status} status=${bad ? "failed" : "ok"} /></b>${bad ? t("parts that need attention: {count}", { count: bad }) : t("all parts work")}</li>
    <li><b>${number(items)}</b>${t("items in {count} collections", { count: number(collections.length) })}</li>
    <li><b>${unit(Date.now() / 1000 - system.started, "second")}</b>${t("since the start")}</li>
    <li><b>${t(system.store)}</b>${t("store")}</li>
    <li><b>${t(health.drift.status)}</b>${t("encoders against stored vectors")}</li>
  </ul>`;
}

function Collections({ collections, health }) {
  return html`<section class="card"><h2>${t("Collections")}</h2><div class="scroll" tabindex="0" role="region" aria-label=${t("Collections")}><table>
    <thead><tr><th>${t("Name")}</th><th class="number">${t("Items")}</th><th>${t("Fields")}</th><th>${t("Metadata")}</th><th>${t("State")}</th></tr></thead>
    <tbody>${collections.map((one) => html`<tr key=${one.name}>
      <th scope="row">${one.name}</th><td class="number">${number(one.items)}</td>
      <td>${one.fields.map((field) => html`<div key=${field.name}>${field.name} <span class="soft">${[field.modality, field.encoder, field.words && t("words"), field.dimensions].filter(Boolean).join(" · ")}</span></div>`)}</td>
      <td class="soft">${Object.entries(one.metadata).map(([name, type]) => `${name} (${type})`).join(", ") || "–"}</td>
      <td><${Status} status=${health.collections[one.name]?.status ?? "ok"} /></td></tr>`)}</tbody></table></div></section>`;
}

function Plugins({ system, health }) {
  if (!system.plugins.length) {
    return html`<${Empty} title=${t("No plugin is installed")}><p><${Told} text=${t("Install one, and name it under `plugins` in the deployment file.")} /></p><//>`;
  }
  return html`<section class="card"><h2>${t("Plugins")}</h2><div class="scroll" tabindex="0" role="region" aria-label=${t("Plugins")}><table>
    <thead><tr><th>${t("Name")}</th><th>${t("State")}</th><th>${t("About")}</th><th>${t("Distribution")}</th></tr></thead>
    <tbody>${system.plugins.map((one) => html`<tr key=${one.name}>
      <th scope="row">${one.name}</th>
      <td>${one.used ? html`<${Status} status=${health.plugins[one.name]?.status ?? "ok"} />` : html`<span class="soft">${t("not in the deployment")}</span>`}
        ${health.plugins[one.name]?.reason && html`<div class="small">${health.plugins[one.name].reason}</div>`}</td>
      <td>${one.about}</td><td class="soft">${one.distribution} ${one.version}</td></tr>`)}</tbody></table></div></section>`;
}

function Encoders({ system }) {
  return html`<section class="card"><h2>${t("Encoders")}</h2><div class="scroll" tabindex="0" role="region" aria-label=${t("Encoders")}><table>
    <thead><tr><th>${t("Name")}</th><th>${t("Type")}</th><th>${t("Takes")}</th><th class="number">${t("Dimensions")}</th><th>${t("Fingerprint")}</th></tr></thead>
    <tbody>${system.encoders.map((one) => html`<tr key=${one.name}>
      <th scope="row">${one.name}</th><td>${one.type}</td><td>${one.modalities.join(", ")}</td><td class="number">${number(one.dimensions)}</td>
      <td class="code print">${one.fingerprint}</td></tr>`)}</tbody></table></div></section>`;
}

function Versions({ system }) {
  const libraries = Object.entries(system.libraries).map(([name, version]) => `${name} ${version}`);
  return html`<section class="soft small">
    <p>tiepoint ${system.version} · Python ${system.python} · ${system.machine} · ${libraries.join(" · ")}</p>
    <p>${t("Since")} ${time(system.started)}</p></section>`;
}
