// Starts the page: its words, its module, and its component in the shell's `main`.

import { html, render, useErrorBoundary } from "./vendor/htm-preact.js";
import { language, learn, learnSayings, t } from "./language.js";
import { Failed } from "./parts.js";
import { address, api } from "./api.js";

const { page, module, scopes, words = "" } = document.body.dataset;
const held = (scopes ?? "").split(" ");

/** Tell whether the visitor may do something: `may("security:write")`. */
const may = (scope) => ["*", scope, `${scope.split(":")[0]}:*`].some((one) => held.includes(one));

function Guarded({ component }) {
  const [error, mend] = useErrorBoundary((found) => console.error(found));
  if (!error) return html`<${component} api=${api} may=${may} />`;
  const problem = { message: t("This page met a mistake of its own"), hint: String(error.message ?? error) };
  return html`<${Failed} problem=${problem} again=${mend} />`;
}

const place = document.getElementById("content");
const show = (what) => {
  place.replaceChildren();
  render(what, place);
};
try {
  const [{ default: component }] = await Promise.all([
    import(address(`/pages/${page}/files/${module}`)),
    learn(address(`/assets/${language}.json`)),
    learnSayings(address(`/assets/said.${language}.json`)),
    words.split(" ").includes(language) && learn(address(`/pages/${page}/files/${language}.json`)),
  ]);
  show(html`<${Guarded} component=${component} />`);
} catch (error) {
  console.error(error);
  const problem = { message: t("The page cannot be loaded"), hint: String(error.message ?? error) };
  show(html`<${Failed} problem=${problem} again=${() => location.reload()} />`);
}

// The other language shows what is in view now, not what the page began with.
document.querySelector(".tools a[hreflang]")?.addEventListener("click", (event) => {
  const query = new URLSearchParams(location.search);
  query.set("language", event.currentTarget.hreflang);
  event.currentTarget.search = query;
});

document.getElementById("signout")?.addEventListener("click", async () => {
  await api.post("/v1/signout", { anyone: true }).catch(() => undefined);
  location.assign(address("/signin"));
});
