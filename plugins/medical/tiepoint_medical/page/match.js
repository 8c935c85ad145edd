// What was found: the cases with their reasons, the priors, the draft, and how to get it out.

import { Busy, Contributions, Failed, html, language, number, percent, say, t, useEffect, useState } from "../../../assets/tiepoint.js";
import { fetched, form, saved } from "./files.js";

export function Match({ match, draft, asked, looked }) {
  return html`<p class="notice middling">${t(match.notice)}</p>
    ${match.abstained && html`<p class="notice">${t("No case is offered as a match.")} ${t(match.reason ?? "")}</p>`}
    ${match.probability === null ? !match.abstained && html`<p class="soft">${t("There is no probability: the archive was not calibrated.")}</p>` : html`<p>${t("The first case is right with a probability of {share}.", { share: percent(match.probability) })}</p>`}
    ${stated(match.query) && html`<p>${match.expected ? t("Expected from similar images:") : t("Asked for:")} ${stated(match.query)}</p>`}
    <${Cases} title=${t("Similar cases")} cases=${match.hits} query=${match.query} looked=${looked} />
    ${match.priors.length > 0 && html`<${Cases} title=${t("Priors of this patient")} cases=${match.priors} query=${match.query} looked=${looked} />`}
    ${draft && html`<${Draft} draft=${draft} hits=${match.hits} asked=${asked} />`}
    <details><summary>${t("How this was made")}</summary><dl class="made">
      ${Object.entries(match.provenance).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd class="code">${typeof value === "object" && value ? Object.entries(value).map((one) => one.join(": ")).join("\n") : String(value ?? "–")}</dd></div>`)}</dl></details>`;
}

const Cases = ({ title, cases, query, looked }) => html`<h2>${title}</h2>
  ${cases.length === 0 ? html`<p class="soft">${t("There is none.")}</p>` : html`<ol class="cases">${cases.map((one, at) => html`<li key=${one.case} class="card"><${Case} one=${one} at=${at} query=${query} looked=${looked} /></li>`)}</ol>`}`;

function Case({ one, at, query, looked }) {
  const [map, setMap] = useState(false);
  return html`<p class="soft small"><b>${number(at + 1)}</b> <span class="code">${one.case}</span></p>
    <p>${one.report ? marked(one.report, one.sentences) : t("No report.")}</p>
    <p class="row">${one.supports.map((finding) => html`<span key=${finding} class="status good">✓ ${named(finding, query[finding])}</span>`)}${one.contradicts.map((finding) => html`<span key=${finding} class="status bad">✗ ${named(finding, query[finding])}</span>`)}
      ${looked.file && html`<button type="button" class="small" aria-expanded=${map} onClick=${() => setMap(!map)}>${t("Heat map")}</button>`}</p>
    ${map && html`<${HeatMap} looked=${looked} of=${one.case} />`}
    <details><summary class="small">${t("What each route added")}</summary><${Contributions} of=${one.contributions} /></details>`;
}

function HeatMap({ looked: { file, frame }, of }) {
  const [state, setState] = useState({});
  useEffect(() => {
    const stop = new AbortController();
    let source;
    setState({});
    fetched("/v1/medical/heat-map", form([file], { number: frame, case: of }), stop.signal)
      .then((answer) => answer.blob())
      .then((found) => { source = URL.createObjectURL(found); setState({ source }); })
      .catch((problem) => problem.name === "AbortError" || setState({ problem }));
    return () => { stop.abort(); source && URL.revokeObjectURL(source); };
  }, [file, frame, of]);
  if (state.problem) return html`<${Failed} problem=${state.problem} />`;
  if (!state.source) return html`<${Busy} text=${t("Covering one region after the other …")} />`;
  const save = () => saved("/v1/medical/heat-map", form([file], { number: frame, case: of, dicom: true }), "heat-map.dcm").catch((problem) => say(problem.message, "bad"));
  return html`<figure class="heat"><img src=${state.source} alt=${t("Heat map of the resemblance")} />
    <figcaption class="small">${t("The map shows what the encoder reacted to, not where a disease is; covering a region also changes the image in ways that no patient does.")}</figcaption>
    ${!/^image\//.test(file.type) && html`<button type="button" class="small" onClick=${save}>${t("Save as Secondary Capture")}</button>`}</figure>`;
}

function Draft({ draft, hits, asked }) {
  const sources = (one) => t("case {number}", { number: number(1 + hits.findIndex((hit) => hit.case === one.case)) });
  return html`<h2>${t("Draft")} <span class="status bad">${t("unverified")}</span></h2>
    ${draft.sentences.length === 0 ? html`<p class="soft">${t("Nothing is drafted: the similar cases are too few, too unlike, or disagree.")}</p>` : html`<ol>${draft.sentences.map((one, at) => html`<li key=${at}>${one.text} <span class="soft small">${sources(one)}</span></li>`)}</ol>
      <${Export} asked=${asked} />`}`;
}

const FORMS = () => [
  ["findings.dcm", t("DICOM SR, findings (TID 1500)")],
  ["report.dcm", t("DICOM SR, text")],
  ["fhir-r5.json", t("FHIR R5")],
  ["fhir-r4.json", t("FHIR R4")],
];

function Export({ asked }) {
  const [under, setUnder] = useState(null);
  const [problem, setProblem] = useState(null);
  if (asked.files.length === 0 || asked.files.every((file) => /^image\//.test(file.type))) return html`<p class="soft">${t("To save the draft as DICOM SR or FHIR, open the DICOM files that it is about.")}</p>`;
  const save = (name) => {
    setUnder(name);
    setProblem(null);
    saved(`/v1/medical/results/${name}`, form(asked.files, { text: asked.text }), name).catch(setProblem).finally(() => setUnder(null));
  };
  return html`<h3>${t("Save the draft")}</h3><p class="row">${FORMS().map(([name, title]) => html`<button key=${name} type="button" disabled=${under !== null} onClick=${() => save(name)}>${title}</button>`)}</p>
    ${under && html`<${Busy} text=${t("Writing …")} />`}
    ${problem && html`<${Failed} problem=${problem} />`}`;
}

/** A report in which the sentences that speak of the findings stand out. */
function marked(report, sentences) {
  const found = sentences.map((one) => [report.indexOf(one), one]).filter(([at]) => at >= 0).sort(([one], [other]) => one - other);
  const parts = [];
  let from = 0;
  for (const [at, one] of found) {
    if (at < from) continue;
    parts.push(report.slice(from, at), html`<mark>${one}</mark>`);
    from = at + one.length;
  }
  return [...parts, report.slice(from)];
}

const names = new Map();

/** Take over what the findings are called in the visitor's language. */
export const learnNames = (findings) => Object.entries(findings).forEach(([key, by]) => by[language] && names.set(key, by[language]));

// A finding as the query has it: "no effusion", "effusion?", "effusion".
function named(finding, status) {
  const name = names.get(finding) ?? finding.replaceAll("_", " ");
  return status === "absent" ? t("no {finding}", { finding: name }) : status === "uncertain" ? `${name}?` : name;
}

/** What a query says, in words. */
export const stated = (query) => Object.entries(query).map(([finding, status]) => named(finding, status)).join(", ");
