// Zones, lines and privacy masks, drawn on a camera's picture; what is drawn is written as YAML for
// the deployment file. By mouse or finger: click corner by corner. By keyboard: arrows and Enter.

import { Dialog, Told, html, say, t, useRef, useState } from "../../../assets/tiepoint.js";
import { Live } from "./wall.js";

const KINDS = ["zone", "line", "mask"];
const points = (corners) => corners.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" ");
const yamlOf = (corners) => `[${corners.map(([x, y]) => `[${x.toFixed(3)}, ${y.toFixed(3)}]`).join(", ")}]`;

export function Places({ camera, close }) {
  const [kind, setKind] = useState("zone");
  const [name, setName] = useState("gate");
  const [corners, setCorners] = useState([]);
  const [cursor, setCursor] = useState([0.5, 0.5]);
  const field = useRef();
  const most = kind === "line" ? 2 : 200;
  const add = (corner) => setCorners((all) => (all.length < most ? [...all, corner] : all));
  const click = (event) => {
    const { left, top, width, height } = field.current.getBoundingClientRect();
    add([(event.clientX - left) / width, (event.clientY - top) / height]);
  };
  const key = (event) => {
    const step = event.shiftKey ? 0.05 : 0.01;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (move) setCursor(([x, y]) => [bounded(x + move[0]), bounded(y + move[1])]);
    else if (event.key === "Enter") add(cursor);
    else if (event.key === "Backspace") setCorners((all) => all.slice(0, -1));
    else return;
    event.preventDefault();
  };
  const written = corners.length >= (kind === "line" ? 2 : 3) ? yaml(camera.name, kind, name, corners) : "";
  const copy = () => navigator.clipboard.writeText(written).then(() => say(t("Copied")), () => say(t("It cannot be copied; select the text."), "bad"));
  return html`<${Dialog} title=${camera.name} close=${close} wide>
    <div class="places">
      <div class="drawing">
        <${Live} camera=${camera.name} />
        <svg ref=${field} viewBox="0 0 1000 1000" preserveAspectRatio="none" tabindex="0" role="application"
          aria-label=${t("Draw on the picture: arrows move, Enter sets a corner, Backspace takes one back")} onClick=${click} onKeyDown=${key}>
          ${Object.entries(camera.zones ?? {}).map(([one, at]) => html`<polygon key=${one} class="known" points=${points(at)}><title>${one}</title></polygon>`)}
          ${Object.entries(camera.lines ?? {}).map(([one, at]) => html`<polyline key=${one} class="known" points=${points(at)}><title>${one}</title></polyline>`)}
          ${kind === "line" ? html`<polyline class="new" points=${points(corners)} />` : html`<polygon class=${`new ${kind}`} points=${points(corners)} />`}
          ${corners.map(([x, y], at) => html`<ellipse key=${at} class="corner" cx=${x * 1000} cy=${y * 1000} rx="7" ry="11" />`)}
          <path class="cursor" d=${`M${cursor[0] * 1000 - 18} ${cursor[1] * 1000}h36M${cursor[0] * 1000} ${cursor[1] * 1000 - 26}v52`} />
        </svg>
      </div>
      <div>
        <div class="row" role="group" aria-label=${t("What is drawn")}>${KINDS.map((one) => html`<button key=${one} type="button" class="small"
          aria-pressed=${kind === one} onClick=${() => { setKind(one); setCorners([]); }}>${t(one)}</button>`)}</div>
        ${kind !== "mask" && html`<p><label for="place-name">${t("Name")}</label>
          <input id="place-name" value=${name} pattern="[A-Za-z][A-Za-z0-9_]*" onInput=${(event) => setName(event.target.value)} /></p>`}
        <p class="soft small"><${Told} text=${t("Click corner by corner on the picture. What is drawn is for the deployment file; `tiepoint reload` takes it up.")} /></p>
        <label for="yaml">${t("For the deployment file")}</label>
        <textarea id="yaml" class="code" rows="7" readonly value=${written} placeholder=${t("Nothing is drawn yet")}></textarea>
        <p class="row"><button type="button" class="main" disabled=${!written} onClick=${copy}>${t("Copy")}</button>
          <button type="button" disabled=${!corners.length} onClick=${() => setCorners([])}>${t("Begin again")}</button></p>
      </div>
    </div><//>`;
}

const bounded = (value) => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));

function yaml(camera, kind, name, corners) {
  const place = kind === "mask" ? `masks:\n          - ${yamlOf(corners)}` : `${kind}s:\n          ${name}: ${yamlOf(corners)}`;
  return `plugins:\n  security:\n    cameras:\n      ${camera}:\n        ${place}\n`;
}
