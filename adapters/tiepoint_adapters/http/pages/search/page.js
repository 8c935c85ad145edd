// The page Search: by words and pictures, refined by what was found, with the reasons.

import {
  Empty, Failed, Busy, Loaded, address, html, number, pictureAddress, say, t, unit, useAddress, useEffect,
  useLayoutEffect, useLoaded, useRef, useState,
} from "../../../assets/tiepoint.js";
import { Hit, Details } from "./hits.js";
import { Asked, PictureButton } from "./asked.js";

const PAGE = 24;

export default function Search({ api }) {
  const collections = useLoaded((signal) => api.get("/v1/collections", { signal }));
  return html`<${Loaded} of=${collections}>${(found) =>
    found.some((one) => one.items > 0)
      ? html`<${Searching} api=${api} collections=${found} />`
      : html`<${Empty} title=${t("Nothing is indexed yet")}>
          <p>${t("Fill a collection, then search it here:")} <code>tiepoint index CONFIG</code></p>
        <//>`}<//>`;
}

function Searching({ api, collections }) {
  const [query, go] = useAddress();
  const [picture, setPicture] = useState(null);
  const name = collections.some((one) => one.name === query.in) ? query.in : fullest(collections).name;
  const collection = collections.find((one) => one.name === name);
  const asked = { text: query.text ?? "", like: ids(query.like), unlike: ids(query.unlike), where: query.where ?? "", picture };
  const anything = asked.text || asked.like.length || picture;

  const drop = (event) => {
    event.preventDefault();
    const file = [...(event.dataTransfer?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) setPicture(file);
    else if (event.dataTransfer?.files.length) say(t("This is no picture. Drop a JPEG, PNG or WebP file."), "bad");
  };
  return html`<div class="searching" onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
    <${Form} key=${`${query.text} ${query.where}`} ...${{ asked, collections, collection, go, setPicture }} />
    <${Asked} asked=${asked} collection=${name} go=${go} setPicture=${setPicture} />
    ${anything
      ? html`<${Answers} ...${{ api, asked, collection, go }} />`
      : html`<${Beginning} collection=${collection} go=${go} />`}
  </div>`;
}

function Form({ asked, collections, collection, go, setPicture }) {
  const [text, setText] = useState(asked.text);
  const [where, setWhere] = useState(asked.where);
  const field = useRef();
  // At once, so that no key is lost; not where a keyboard would cover half of the screen.
  useLayoutEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current.focus({ preventScroll: true });
  }, []);
  const submit = (event) => {
    event.preventDefault();
    go({ text: text.trim(), where: where.trim() });
  };
  const filters = Object.entries(collection.metadata);
  return html`<form class="ask" role="search" onSubmit=${submit}>
    <div class="row">
      <div class="grow"><label for="text" class="only-read">${t("What to look for")}</label>
        <input id="text" ref=${field} type="search" value=${text} onInput=${(event) => setText(event.target.value)}
          placeholder=${t("Describe what you look for …")} autocomplete="off" maxlength="1000" /></div>
      ${collection.queries.includes("image") && html`<${PictureButton} take=${setPicture} />`}
      <button class="main">${t("Search")}</button>
    </div>
    <div class="row">
      ${collections.length > 1 && html`<label class="beside">${t("In")}
        <select value=${collection.name} onChange=${(event) => go({ in: event.target.value, like: "", unlike: "", where: "" })}>
          ${collections.map((one) => html`<option key=${one.name} value=${one.name}>${one.name} (${number(one.items)})</option>`)}
        </select></label>`}
      ${filters.length > 0 && html`<details class="grow" open=${Boolean(asked.where)}>
        <summary>${t("Filter")}</summary>
        <label for="where">${t("For example")} <code>${example(filters)}</code></label>
        <input id="where" class="code" value=${where} onInput=${(event) => setWhere(event.target.value)} autocomplete="off" />
        <p class="soft small">${filters.map(([one, type]) => `${one} (${type})`).join(", ")}</p>
      </details>`}
    </div>
  </form>`;
}

function Answers({ api, asked, collection, go }) {
  const [shown, setShown] = useState(PAGE);
  const [opened, open] = useState(null);
  const told = JSON.stringify([asked.text, asked.like, asked.unlike, asked.where, collection.name]);
  useEffect(() => setShown(PAGE), [told, asked.picture]);
  const answer = useLoaded((signal) => ask(api, asked, collection.name, shown, signal), [told, asked.picture, shown]);
  const more = (side, id) => {
    const other = side === "like" ? "unlike" : "like";
    go({
      [side]: joined([...asked[side].filter((one) => one !== id), id]),
      [other]: joined(asked[other].filter((one) => one !== id)),
    });
  };
  const { value, problem, loading, again } = answer;
  const hits = problem ? [] : value?.hits ?? [];
  const longest = Math.max(...hits.flatMap((hit) => hit.contributions.map((one) => Math.abs(one.value))), 1e-9);
  return html`<section aria-label=${t("Hits")} aria-busy=${loading}>
    ${problem && html`<${Failed} problem=${problem} again=${again} />`}
    ${!value && loading && html`<${Busy} text=${t("Searching …")} />`}
    ${value && !problem && html`<p class="soft" role="status">${hits.length
      ? t("The best {count}, in {time}", { count: number(hits.length), time: unit(value.took_ms / 1000, "second") })
      : ""}</p>`}
    ${value && !problem && !hits.length && html`<${Empty} title=${t("Nothing was found")}>
      <p>${t("Use other words, or remove the filter.")}</p><//>`}
    <ol class="cards hits">${hits.map((hit) => html`<${Hit} key=${hit.id} ...${{ hit, collection, longest, more, open }} />`)}</ol>
    ${hits.length === shown && html`<p><button type="button" onClick=${() => setShown(shown + PAGE)}>${t("Show more")}</button></p>`}
    ${opened && html`<${Details} hit=${opened} collection=${collection} close=${() => open(null)} />`}
  </section>`;
}

function Beginning({ collection, go }) {
  return html`<${Empty} title=${t("Search {count} items by what they show", { count: number(collection.items) })}>
    <p>${t("Type words, or drop a picture here. Then refine by “more like this”.")}</p>
    <p class="row examples">${EXAMPLES.map((one) => html`<button type="button" key=${one} onClick=${() => go({ text: t(one) })}>${t(one)}</button>`)}</p>
  <//>`;
}

const EXAMPLES = ["a cat", "a rocket at night", "something to drink", "a person"];

async function ask(api, asked, collection, k, signal) {
  const question = {
    collection, k, explain: true,
    text: asked.text || undefined, like: asked.like, unlike: asked.unlike, where: asked.where || undefined,
  };
  if (!asked.picture) return api.post("/v1/search", { body: question, signal });
  const form = new FormData();
  form.set("question", JSON.stringify(question));
  form.set("image", asked.picture);
  return api.post("/v1/search/parts", { body: form, signal });
}

const fullest = (collections) => [...collections].sort((a, b) => b.fields.length - a.fields.length || b.items - a.items)[0];
const ids = (text) => (text ? text.split("\n") : []);
const joined = (list) => list.join("\n");
const example = ([[name, type]]) =>
  type === "strings" ? `${name} contains "new"` : type === "string" ? `${name} == "red"` : `${name} < 50`;
