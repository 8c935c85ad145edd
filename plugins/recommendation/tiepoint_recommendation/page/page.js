// The page Shop: what somebody is recommended, why, and what would change it.

import { Busy, Empty, Failed, html, t, useAddress, useEffect, useLoaded, useMemo, useRef, useState } from "../../../assets/tiepoint.js";
import { Product } from "./product.js";
import { Dials, reweighted } from "./dials.js";
import { Similar } from "./similar.js";
import { Rules } from "./rules.js";
import { Experiment } from "./experiment.js";

const SHOWN = 12;
const ASKED = 60;

export default function Shop({ api, may }) {
  const [query, go] = useAddress();
  const [dials, setDials] = useState({});
  const [diversity, setDiversity] = useState(null);
  const [round, setRound] = useState(0);
  const [similar, showSimilar] = useState(null);
  const [ruled, rule] = useState(null);
  const looked = query.looked ? query.looked.split("\n") : [];
  const turned = Object.values(dials).some((one) => one !== 1);
  const ask = {
    user: query.user || undefined, text: query.text || undefined, items: looked, explain: true,
    k: turned ? ASKED : SHOWN, diversity: diversity ?? undefined, request: "page",
  };
  const { value, problem, loading, again } = useLoaded(
    (signal) => api.post("/v1/recommendation/recommend", { body: ask, signal }),
    [JSON.stringify(ask), round],
  );
  const items = useMemo(() => (value ? reweighted(value.items, dials).slice(0, SHOWN) : []), [value, dials]);
  const before = useBefore(items);
  const titles = useRef({});
  for (const one of value?.items ?? []) titles.current[one.id] = one.title || one.id;
  const titled = (id) => titles.current[id] ?? id;
  const look = (id) => go({ looked: [...looked.filter((one) => one !== id), id].join("\n") });
  const rankers = value ? [...new Set(value.items.flatMap((one) => Object.keys(one.parts)))] : [];
  const changed = () => setRound((one) => one + 1);
  return html`<div class="shop">
    <${Whom} key=${`${query.user} ${query.text}`} query=${query} go=${go} />
    ${looked.length > 0 && html`<p class="row trail"><span class="soft">${t("As if just looked at:")}</span>
      ${looked.map((id) => html`<span key=${id} class="chip plus"><span>${titled(id)}</span><button type="button" class="tool"
        aria-label=${t("Take {item} back", { item: titled(id) })} onClick=${() => go({ looked: looked.filter((one) => one !== id).join("\n") })}>✕</button></span>`)}</p>`}
    <div class="columns">
      <section aria-label=${t("Recommended")} aria-busy=${loading}>
        ${problem && html`<${Failed} problem=${problem} again=${again} />`}
        ${!value && loading && html`<${Busy} />`}
        ${value && !problem && items.length > 0 && html`<p class="soft" role="status">${value.known ? t("From what is known of this shopper.") : t("Nothing is known of this shopper yet: what many like, of all kinds.")}
          ${value.rules.length > 0 ? ` ${t("Rules at work: {rules}.", { rules: value.rules.join(", ") })}` : ""}</p>`}
        ${value && !problem && items.length === 0 && html`<${Empty} title=${t("Nothing can be recommended")}><p>${value.empty_because ?? html`${t("Fit a model first:")} <code>tiepoint recommend fit</code>`}</p><//>`}
        <ol class="cards">${problem ? "" : items.map((one, at) => html`<${Product} key=${one.id} ...${{ one, at, was: before[one.id], look, showSimilar, rule: may("recommendation:write") ? rule : null }} />`)}</ol>
      </section>
      <aside>
        <${Rules} key=${ruled?.id ?? ""} ...${{ api, may, ask: { ...ask, k: SHOWN, explain: false }, item: ruled, changed, done: () => rule(null) }} />
        <${Dials} ...${{ rankers, dials, setDials, diversity, setDiversity }} />
        <${Experiment} api=${api} />
      </aside>
    </div>
    ${similar && html`<${Similar} api=${api} item=${similar} close=${() => showSimilar(null)} look=${(id) => { showSimilar(null); look(id); }} />`}
  </div>`;
}

/** Where each item stood in the answer before this one, so that a change can be seen. */
function useBefore(items) {
  const [pair, setPair] = useState([{}, {}]);
  const told = items.map((one) => one.id).join("\n");
  useEffect(() => {
    if (told) setPair(([, now]) => [now, Object.fromEntries(items.map((one, at) => [one.id, at]))]);
  }, [told]);
  return pair[0];
}

function Whom({ query, go }) {
  const [user, setUser] = useState(query.user ?? "");
  const [text, setText] = useState(query.text ?? "");
  const submit = (event) => {
    event.preventDefault();
    go({ user: user.trim(), text: text.trim() });
  };
  return html`<form class="row whom" role="search" onSubmit=${submit}>
    <div><label for="user">${t("Shopper")}</label><input id="user" value=${user} placeholder=${t("nobody known")} maxlength="512" onInput=${(event) => setUser(event.target.value)} /></div>
    <div class="grow"><label for="text">${t("In words, if any")}</label><input id="text" type="search" value=${text} placeholder=${t("such as “something blue for the summer”")} maxlength="1000" onInput=${(event) => setText(event.target.value)} /></div>
    <button class="main">${t("Recommend")}</button></form>`;
}
