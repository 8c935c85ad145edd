// What is asked for beside the words: a picture, and hits to find more or less of.

import { html, pictureAddress, Picture, t, useEffect, useRef, useState } from "../../../assets/tiepoint.js";

export function Asked({ asked, collection, go, setPicture }) {
  const without = (side, id) => go({ [side]: asked[side].filter((one) => one !== id).join("\n") });
  if (!asked.picture && !asked.like.length && !asked.unlike.length) return null;
  return html`<ul class="chips" aria-label=${t("Also asked for")}>
    ${asked.picture && html`<${PictureChip} file=${asked.picture} remove=${() => setPicture(null)} />`}
    ${["like", "unlike"].map((side) => asked[side].map((id) => html`<li key=${side + id} class=${`chip ${side === "like" ? "plus" : "minus"}`}>
      <${Picture} source=${pictureAddress(collection, id, undefined, 64)} />
      <span>${side === "like" ? t("more like") : t("less like")} ${id}</span>
      <${Remove} of=${id} act=${() => without(side, id)} /></li>`))}
  </ul>`;
}

function PictureChip({ file, remove }) {
  const [source, setSource] = useState(null);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setSource(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return html`<li class="chip plus">${source && html`<img src=${source} alt="" />`}<span>${file.name || t("a picture")}</span>
    <${Remove} of=${file.name || t("a picture")} act=${remove} /></li>`;
}

const Remove = ({ of, act }) =>
  html`<button type="button" class="tool" aria-label=${t("Remove {what}", { what: of })} onClick=${act}>✕</button>`;

/** A button that takes a picture from a file; pictures can be pasted, too. */
export function PictureButton({ take }) {
  const input = useRef();
  useEffect(() => {
    const paste = (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
      if (file) take(file);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);
  return html`<input ref=${input} id="picture" type="file" accept="image/*" class="only-read" tabindex="-1" aria-label=${t("Picture to look for")}
      onChange=${(event) => event.target.files[0] && take(event.target.files[0])} />
    <button type="button" onClick=${() => input.current.click()}>
      <svg viewBox="0 0 24 24" width="19" height="19" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
        <rect x="3" y="5" width="18" height="14" rx="2.5" /><circle cx="9" cy="10.5" r="1.6" /><path d="m5 17 5-4 3 2 3.5-3.5L21 15" /></svg>
      ${t("By picture")}</button>`;
}
