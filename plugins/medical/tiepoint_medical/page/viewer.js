// The viewer: a study, or a picture. Window and level by dragging or by sliders, frames by scrolling.

import { Busy, Failed, Problem, html, number, t, useEffect, useRef, useState } from "../../../assets/tiepoint.js";
import { fetched, form } from "./files.js";

/** What is open: its files, the layout of its series, and which frame of which is looked at. */
export const nothing = { files: [], series: [], at: 0, place: 0 };

/** The file and its frame that are looked at. */
export function lookedAt({ files, series, at, place }) {
  const [file, frame] = series[at]?.frames[Math.min(place, series[at].frames.length - 1)] ?? [0, 0];
  return { file: files[file], frame };
}

const isPicture = (files) => files.length === 1 && /^image\//.test(files[0].type);

export function Viewer({ api, opened, setOpened }) {
  const input = useRef();
  const folder = useRef();
  const [window_, setWindow] = useState(null);
  const [shown, setShown] = useState(null);
  const [problem, setProblem] = useState(null);
  const [opening, setOpening] = useState(false);
  const dragged = useRef(null);
  const { file, frame } = lookedAt(opened);
  const series = opened.series[opened.at];
  const frames = series?.frames.length ?? 1;
  useEffect(() => {
    if (!file) return undefined;
    const stop = new AbortController();
    const drawn = (found) => { setProblem(null); setShown((before) => { before && URL.revokeObjectURL(before.source); return found; }); };
    const failed = (error) => error.name === "AbortError" || setProblem(error);
    const timer = setTimeout(() => draw(file, frame, window_, stop.signal).then(drawn, failed), 80);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [file, frame, window_]);
  const open = async (chosen) => {
    const files = [...chosen].filter((one) => !one.name.startsWith("."));
    if (files.length === 0) return;
    setWindow(null);
    setShown(null);
    setProblem(null);
    setOpened(nothing);
    setOpening(true);
    try {
      if (isPicture(files)) {
        URL.revokeObjectURL((await picture(files[0])).source); // what cannot be shown is not opened
        setOpened({ ...nothing, files });
      } else setOpened({ ...nothing, files, ...(await api.post("/v1/medical/study", { body: form(files) })) });
    } catch (error) {
      setProblem(error);
    } finally {
      setOpening(false);
    }
  };
  const look = (place) => setOpened((one) => ({ ...one, place: Math.min(frames - 1, Math.max(0, place)) }));
  const turn = (at) => { setWindow(null); setOpened((one) => ({ ...one, at, place: 0 })); };
  const at = window_ ?? shown?.window;
  const drag = (event) => {
    if (!dragged.current || !at) return;
    const [x, y] = dragged.current;
    dragged.current = [event.clientX, event.clientY];
    const step = Math.max(1, at.width / 250);
    setWindow({ width: Math.max(1, at.width + (event.clientX - x) * step), centre: at.centre + (event.clientY - y) * step });
  };
  const wheel = (event) => frames > 1 && (event.preventDefault(), look(opened.place + Math.sign(event.deltaY)));
  const key = (event) => {
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -frames, End: frames }[event.key];
    if (step === undefined || frames < 2) return;
    event.preventDefault();
    look(opened.place + step);
  };
  return html`<div class="viewer" onDragOver=${(event) => event.preventDefault()} onDrop=${(event) => { event.preventDefault(); open(event.dataTransfer.files); }}>
    <input ref=${input} type="file" id="image" multiple class="only-read" tabindex="-1" aria-label=${t("Image or DICOM files")} onChange=${(event) => open(event.target.files)} />
    <input ref=${folder} type="file" id="folder" webkitdirectory class="only-read" tabindex="-1" aria-label=${t("Folder of a study")} onChange=${(event) => open(event.target.files)} />
    <p class="row"><button type="button" onClick=${() => input.current.click()}>${t("Open files")}</button>
      <button type="button" onClick=${() => folder.current.click()}>${t("Open a folder")}</button>
      <span class="soft">${told(opened.files)}</span>
      ${opened.viewer && html`<a class="button" href=${opened.viewer} target="_blank" rel="noopener noreferrer">${t("Open in the other viewer")}</a>`}</p>
    ${problem && html`<${Failed} problem=${problem} />`}
    ${opening && html`<${Busy} text=${t("Reading the files …")} />`}
    ${opened.left_out?.length > 0 && html`<p class="notice middling">${t("Files left out: {count} ({reasons})", { count: number(opened.left_out.length), reasons: [...new Set(opened.left_out.map((one) => one.reason))].slice(0, 3).join("; ") })}</p>`}
    ${opened.series.length > 1 && html`<p><label for="series">${t("Series")}</label><select id="series" value=${opened.at} onChange=${(event) => turn(Number(event.target.value))}>
      ${opened.series.map((one, place) => html`<option key=${place} value=${place}>${[one.modality, one.name, t("{count} frames", { count: number(one.frames.length) })].filter(Boolean).join(" · ")}</option>`)}</select></p>`}
    ${shown && html`<div class="picture" role="group" tabindex="0" aria-label=${t("The picture: arrow keys change the frame")} onKeyDown=${key} onWheel=${wheel}>
      <img src=${shown.source} alt=${t("Frame {number} of {count}", { number: opened.place + 1, count: frames })} draggable=${false}
        onPointerDown=${(event) => { dragged.current = [event.clientX, event.clientY]; }} onPointerMove=${drag} onPointerUp=${() => { dragged.current = null; }} onPointerLeave=${() => { dragged.current = null; }} /></div>`}
    ${frames > 1 && html`<${Slider} name=${t("Frame")} value=${opened.place} least=${0} most=${frames - 1} set=${look} told=${`${opened.place + 1} / ${frames}`} />`}
    ${at && shown?.window && html`<${Slider} name=${t("Level")} value=${at.centre} least=${shown.window.centre - 3 * shown.window.width} most=${shown.window.centre + 3 * shown.window.width} set=${(centre) => setWindow({ ...at, centre })} told=${number(at.centre)} />
      <${Slider} name=${t("Window")} value=${at.width} least=${1} most=${shown.window.width * 5} set=${(width) => setWindow({ ...at, width })} told=${number(at.width)} />
      ${window_ && html`<p><button type="button" class="small" onClick=${() => setWindow(null)}>${t("Its own window")}</button></p>`}`}
  </div>`;
}

const told = (files) => files.length === 0 ? t("DICOM, PNG or JPEG; or drop them here") : files.length === 1 ? files[0].name : t("{count} files", { count: number(files.length) });

const Slider = ({ name, value, least, most, set, told }) => html`<div class="slider"><label for=${`slider-${name}`}>${name}</label>
  <input id=${`slider-${name}`} type="range" min=${least} max=${most} step=${(most - least) / 400 > 1 || Number.isInteger(value) ? 1 : "any"} value=${value} onInput=${(event) => set(Number(event.target.value))} /><output class="number">${told}</output></div>`;

async function draw(file, frame, window_, signal) {
  if (/^image\//.test(file.type)) return picture(file);
  const body = form([file], { number: frame, centre: window_?.centre, width: window_?.width });
  const answer = await fetched("/v1/medical/frame", body, signal);
  const [centre, width] = [answer.headers.get("X-Window-Centre"), answer.headers.get("X-Window-Width")];
  return { source: URL.createObjectURL(await answer.blob()), window: centre && width ? { centre: Number(centre), width: Number(width) } : undefined };
}

async function picture(file) {
  const source = URL.createObjectURL(file);
  const shown = new Image();
  shown.src = source;
  try {
    await shown.decode();
  } catch {
    URL.revokeObjectURL(source);
    throw new Problem(t("{name} is no picture that can be shown", { name: file.name }), { hint: t("Open a DICOM, PNG or JPEG file.") });
  }
  return { source };
}
