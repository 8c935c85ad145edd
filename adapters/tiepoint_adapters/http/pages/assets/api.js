// Calls of the service, as the visitor who is signed in.

import { t, translated } from "./language.js";

const root = document.documentElement.dataset.root ?? "";

/** What went wrong, and what to do: the service's `application/problem+json`, or our own words. */
export class Problem extends Error {
  constructor(what, { status = 0, where = "", hint = "" } = {}) {
    super(translated(what));
    this.status = status;
    this.where = where;
    this.hint = hint && translated(hint);
  }
}

/** The address of a path of the service, such as `/v1/search`, also where it is mounted below one. */
export const address = (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const words = new URLSearchParams(given).toString();
  return root + path + (words ? `?${words}` : "");
};

/** Where the picture of an item's part is; `size` is the longest side in pixels. */
export const pictureAddress = (collection, id, field, size) =>
  address(`/v1/collections/${encodeURIComponent(collection)}/picture`, { id, field, size });

async function call(method, path, { query, body, signal, anyone = false, headers = {} } = {}) {
  const request = { method, signal, credentials: "same-origin", headers: { Accept: "application/json", ...headers } };
  if (body instanceof FormData) request.body = body;
  else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  if (method !== "GET") request.headers["X-CSRF-Token"] = document.documentElement.dataset.csrf ?? "";
  let answer;
  try {
    answer = await fetch(address(path, query), request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(t("The service does not answer"), { hint: t("Is it running? Try again.") });
  }
  if (answer.status === 401 && !anyone) {
    const here = location.pathname.slice(root.length) + location.search;
    location.assign(address("/signin", { next: here }));
    throw new Problem(t("The session has ended"), { status: 401, hint: t("Sign in again.") });
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer.status === 204 ? null : answer.json();
}

async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const what = told.detail ?? `${answer.status} ${answer.statusText}`;
  return new Problem(what, { status: answer.status, where: told.where, hint: told.hint });
}

/** `await api.get("/v1/...", {query})`, `api.post("/v1/...", {body})`; a failure is a Problem. */
export const api = {
  get: (path, options) => call("GET", path, options),
  post: (path, options) => call("POST", path, options),
  put: (path, options) => call("PUT", path, options),
  patch: (path, options) => call("PATCH", path, options),
  delete: (path, options) => call("DELETE", path, options),
};
