// Words in the visitor's language. The English words are the keys; a page has the others in
// `<language>.json` beside its module.

export const language = document.documentElement.lang.split("-")[0];

const words = new Map();

/** Take the words of a page (or those that all pages share) into use. */
export async function learn(url) {
  if (language === "en") return;
  const answer = await fetch(url);
  if (answer.ok) for (const [key, value] of Object.entries(await answer.json())) words.set(key, value);
}

const sayings = [];

/** Take over what the service says in the visitor's language: whole texts, with `{name}` for what varies. */
export async function learnSayings(url) {
  if (language === "en") return;
  const answer = await fetch(url);
  if (answer.ok) for (const [english, said] of Object.entries(await answer.json())) {
    const parts = english.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const names = [...english.matchAll(/\{(\w+)\}/g)].map((one) => one[1]);
    sayings.push([new RegExp(`^${parts.join("(.+)")}$`, "s"), names, said]);
  }
}

/** What the service says in the visitor's language; as it is where that is not known. */
export function translated(text) {
  for (const [pattern, names, said] of sayings) {
    const found = pattern.exec(text);
    if (found) return said.replace(/\{(\w+)\}/g, (_, name) => found[1 + names.indexOf(name)]);
  }
  return text;
}

/** A text in the visitor's language; `{name}` is replaced by the value of that name. */
export const t = (text, values = {}) =>
  (words.get(text) ?? text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

// As the visitor's region writes them: en-GB has 24 hours, en-US has not.
const tag = navigator.languages.find((one) => one.split("-")[0] === language) ?? document.documentElement.lang;

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(tag, { maximumFractionDigits: digits, minimumFractionDigits: 0 }).format(value);

export const percent = (value, digits = 0) =>
  new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: digits }).format(value);

/** Bytes or seconds with the unit that suits them: `unit(3e6, "byte")`, `unit(95, "second")`. */
export const unit = (value, kind) => {
  const steps = kind === "byte"
    ? [["gigabyte", 2 ** 30], ["megabyte", 2 ** 20], ["kilobyte", 2 ** 10], ["byte", 1]]
    : [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1], ["millisecond", 0.001]];
  const [name, size] = steps.find(([, one]) => Math.abs(value) >= one) ?? steps.at(-1);
  const short = { style: "unit", unit: name, maximumFractionDigits: value / size < 10 ? 1 : 0 };
  return new Intl.NumberFormat(tag, short).format(value / size);
};

const dated = (moment) => new Date(typeof moment === "number" ? moment * 1000 : moment);

/** A moment (seconds since 1970, or ISO 8601) as date and time of day. */
export const time = (moment, style = "medium") =>
  new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: style }).format(dated(moment));

/** A moment as briefly as it is clear: the time of day, with the date where it is not today. */
export const brief = (moment) => {
  const today = dated(moment).toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(tag, { dateStyle: today ? undefined : "medium", timeStyle: "medium" }).format(dated(moment));
};

/** From one moment to another; what they share is said once. */
export const span = (from, to) =>
  new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "medium" }).formatRange(dated(from), dated(to));
