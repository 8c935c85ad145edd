// What the service makes of files: pictures and documents, which are no JSON.

import { Problem, address, t } from "../../../assets/tiepoint.js";

/** Files and other values as a form. */
export function form(files, values = {}) {
  const made = new FormData();
  for (const file of files) made.append("image", file);
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== null) made.set(name, String(value));
  return made;
}

/** Post a form; gives the answer, whose content is a file. */
export async function fetched(path, body, signal) {
  let answer;
  try {
    const headers = { "X-CSRF-Token": document.documentElement.dataset.csrf ?? "" };
    answer = await fetch(address(path), { method: "POST", body, signal, headers, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(t("The service does not answer"), { hint: t("Is it running? Try again.") });
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Problem(told.detail ?? answer.statusText, { status: answer.status, hint: told.hint });
}

/** Have the browser save what the service makes of a form. */
export async function saved(path, body, name) {
  const source = URL.createObjectURL(await (await fetched(path, body)).blob());
  const link = document.createElement("a");
  link.href = source;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(source), 60_000);
}
