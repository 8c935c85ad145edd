// The viewer: a DICOM object or a picture; window and level by sliders or by dragging, frames by scrolling.

import { Failed, Problem, address, html, number, t, useEffect, useRef, useState } from "../../../assets/tiepoint.js";

export function Viewer({ image, setImage }) {
  const input = useRef();
  const [frame, setFrame] = useState(0);
  const [window_, setWindow] = useState(null);
  const [shown, setShown] = useState(null);
  const [problem, setProblem] = useState(null);
  const dragged = useRef(null);
  useEffect(() => {
    if (!image) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => draw(image, frame, window_, stop.signal).then((found) => { setProblem(null); setShown(found); }, (error) => error.name !== "AbortError" && setProblem(error)), 80);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [image, frame, window_]);
  const open = (file) => { setFrame(0); setWindow(null); setShown(null); setImage(file); };
  const at = window_ ?? shown?.window;
  const frames = shown?.frames ?? 1;
  const drag = (event) => {
    if (!dragged.current || !at) return;
    const [x, y] = dragged.current;
    dragged.current = [event.clientX, event.clientY];
    const step = Math.max(1, at.width / 250);
    setWindow({ width: Math.max(1, at.width + (event.clientX - x) * step), centre: at.centre + (event.clientY - y) * step });
  };
  const wheel = (event) => frames > 1 && (event.preventDefault(), setFrame((one) => Math.min(frames - 1, Math.max(0, one + Math.sign(event.deltaY)))));
  return html`<div class="viewer" onDragOver=${(event) => event.preventDefault()} onDrop=${(event) => { event.preventDefault(); if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]); }}>
    <input ref=${input} type="file" id="image" class="only-read" tabindex="-1" aria-label=${t("Image or DICOM file")} onChange=${(event) => event.target.files[0] && open(event.target.files[0])} />
    <p class="row"><button type="button" onClick=${() => input.current.click()}>${t("Open an image")}</button><span class="soft">${image ? image.name : t("DICOM, PNG or JPEG; or drop it here")}</span></p>
    ${problem && html`<${Failed} problem=${problem} />`}
    ${shown && html`<img src=${shown.source} alt=${t("Frame {number} of {count}", { number: frame + 1, count: frames })} draggable=${false} onWheel=${wheel}
      onPointerDown=${(event) => { dragged.current = [event.clientX, event.clientY]; }} onPointerMove=${drag} onPointerUp=${() => { dragged.current = null; }} onPointerLeave=${() => { dragged.current = null; }} />`}
    ${frames > 1 && html`<${Slider} name=${t("Frame")} value=${frame} least=${0} most=${frames - 1} set=${setFrame} told=${`${frame + 1} / ${frames}`} />`}
    ${at && html`<${Slider} name=${t("Level")} value=${at.centre} least=${shown.window.centre - 3 * shown.window.width} most=${shown.window.centre + 3 * shown.window.width} set=${(centre) => setWindow({ ...at, centre })} told=${number(at.centre)} />
      <${Slider} name=${t("Window")} value=${at.width} least=${1} most=${shown.window.width * 5} set=${(width) => setWindow({ ...at, width })} told=${number(at.width)} />`}
  </div>`;
}

const Slider = ({ name, value, least, most, set, told }) => html`<div class="slider"><label for=${`slider-${name}`}>${name}</label>
  <input id=${`slider-${name}`} type="range" min=${least} max=${most} step=${(most - least) / 400 > 1 ? 1 : "any"} value=${value} onInput=${(event) => set(Number(event.target.value))} /><output class="number">${told}</output></div>`;

async function draw(image, frame, window_, signal) {
  if (/^image\//.test(image.type)) return { source: URL.createObjectURL(image), frames: 1 };
  const form = new FormData();
  form.set("image", image);
  form.set("number", String(Math.round(frame)));
  if (window_) {
    form.set("centre", String(window_.centre));
    form.set("width", String(window_.width));
  }
  const answer = await fetch(address("/v1/medical/frame"), { method: "POST", body: form, signal, headers: { "X-CSRF-Token": document.documentElement.dataset.csrf ?? "" } });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Problem(told.detail ?? answer.statusText, { status: answer.status, hint: told.hint });
  }
  const [centre, width] = [answer.headers.get("X-Window-Centre"), answer.headers.get("X-Window-Width")];
  return { source: URL.createObjectURL(await answer.blob()), frames: Number(answer.headers.get("X-Frames")), window: centre && width ? { centre: Number(centre), width: Number(width) } : undefined };
}
