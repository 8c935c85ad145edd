// Signs in with a key, and goes on to the page that was wanted.

import { address, api } from "./api.js";
import { language, learn, learnSayings, t } from "./language.js";

if (language !== "en") await Promise.all([learn(address(`/assets/${language}.json`)), learnSayings(address(`/assets/said.${language}.json`))]);
const refused = document.getElementById("refused");
const form = document.getElementById("signin");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  refused.hidden = true;
  try {
    await api.post("/v1/signin", { body: { key: form.elements.key.value.trim() }, anyone: true });
    location.assign(address(wanted(new URLSearchParams(location.search).get("next"))));
  } catch (problem) {
    refused.textContent = problem.status === 401
      ? t("This key is not known here, or was revoked or has expired.")
      : [problem.message, problem.hint].filter(Boolean).join(". ");
    refused.hidden = false;
    form.elements.key.select();
  }
});

// Only now: a form that is sent without this script would show the key in an address.
form.querySelector("button").disabled = false;

/** A page of ours, whatever the address says: a path, not `//another.host`. */
const wanted = (next) => (/^\/pages\/[\w-]+(\?|$)/.test(next ?? "") ? next : "/");
