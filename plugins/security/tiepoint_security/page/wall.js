// The live wall: the latest picture of every camera, with its health; opened, places are drawn on it.

import { Empty, Status, Told, address, html, number, t, useEffect, useState } from "../../../assets/tiepoint.js";
import { Places } from "./places.js";

export function Wall({ cameras }) {
  const [opened, open] = useState(null);
  if (!cameras.length) {
    return html`<section aria-label=${t("Cameras")}><h2>${t("Cameras")}</h2><${Empty} title=${t("No camera is watched")}>
      <p><${Told} text=${t("Name cameras under `plugins.security.cameras` in the deployment file.")} /></p><//></section>`;
  }
  return html`<section aria-label=${t("Cameras")}><h2>${t("Cameras")}</h2>
    <ul class="cards wall">${cameras.map((camera) => html`<li key=${camera.name} class="card camera">
      <button type="button" class="look" onClick=${() => open(camera)} aria-label=${t("Open {camera}", { camera: camera.name })}>
        <${Live} camera=${camera.name} />
        <span class="line"><strong>${camera.name}</strong><${Status} status=${camera.status} /></span>
        <span class="soft small number">${t("{fps} frames/s", { fps: number(camera.fps ?? 0, 1) })} · ${t("{count} dropped", { count: number(camera.dropped ?? 0) })}</span>
        ${camera.error && html`<span class="small">${camera.error}</span>`}
      </button></li>`)}</ul>
    ${opened && html`<${Places} camera=${opened} close=${() => open(null)} />`}
  </section>`;
}

/** The latest frame; asked for again only once it has come, and not while nobody looks. */
export function Live({ camera, every = 1 }) {
  const [source, setSource] = useState(null);
  const [absent, setAbsent] = useState(false);
  useEffect(() => {
    let timer, ended = false;
    const next = () => {
      const picture = new Image();
      const again = () => ended || (timer = setTimeout(() => (document.hidden ? again() : next()), every * 1000));
      picture.onload = () => { if (!ended) { setSource(picture.src); setAbsent(false); again(); } };
      picture.onerror = () => { if (!ended) { setAbsent(true); again(); } };
      picture.src = address(`/v1/security/cameras/${encodeURIComponent(camera)}/picture`, { at: Date.now() });
    };
    next();
    return () => { ended = true; clearTimeout(timer); };
  }, [camera]);
  return source && !absent
    ? html`<img src=${source} alt=${t("Latest picture of {camera}", { camera })} />`
    : html`<span class="no-picture"><span>${absent ? t("No picture yet") : t("Loading …")}</span></span>`;
}
