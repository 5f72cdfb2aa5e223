// One occurrence with all that is known of it (UI-50), and all of them as a list (UI-123).
import { html } from "../vendor/htm/preact-standalone.module.js";
import { duration, exact, moment, number } from "../format.js";
import { live } from "../live.js";
import { LANES, W } from "../words.js";
import { to } from "../route.js";
import { Dialog } from "./dialog.js";
import { Moment } from "./when.js";

const WORDS = { asked_ml: "asked, mL", measured_ml: "measured, mL", strokes: "strokes", who: "who", by: "by", evidence: "evidence", note: "note", entries: "entries", lots: "lots" };

export function lateness(bar) {
  const late = bar.lateness ?? bar.late ?? 0;
  return late > 60 ? W.late(duration(late)) : "";
}

const range = (pair) => (pair ? `${exact(pair[0])} ${W.to} ${pair[1] == null ? W.open : exact(pair[1])}` : W.notYet);
const fact = (value) => (typeof value === "number" ? number(value, 2) : Array.isArray(value) ? value.map((each) => html`<div>${each}</div>`) : typeof value === "object" && value !== null
  ? Object.entries(value).map(([name, each]) => `${name}: ${typeof each === "object" ? JSON.stringify(each) : each}`).join("; ") : String(value ?? "-"));

export function Occurrence({ bar, run, onClose }) {
  const facts = Object.entries(bar.facts || {}).filter(([, value]) => value !== null && value !== undefined && value !== "" && value.length !== 0);
  return html`<${Dialog} title=${bar.title} keep=${W.close} onClose=${onClose}>
    <dl class="facts"><dt>${W.plannedFrom}</dt><dd>${range(bar.planned)}</dd><dt>${W.actualFrom}</dt><dd>${range(bar.actual)} ${lateness(bar)}</dd>
      <dt>${W.disposition}</dt><dd>${bar.disposition || (bar.actual ? W.open : W.estimate)}</dd>
      ${facts.map(([name, value]) => [html`<dt key=${name}>${WORDS[name] || name.replace(/_/g, " ")}</dt>`, html`<dd>${fact(value)}</dd>`])}
      <dt>path</dt><dd class="path">${bar.path}</dd></dl>
    ${run && bar.actual && live.now.snapshot && html`<p><a href=${to("units", run.unit, { at: Math.round(bar.actual[0]) })} onClick=${onClose}>${W.chartsThen}</a></p>`}<//>`;
}

export function OccurrenceList({ line, choose }) {
  const rows = line.lanes.flatMap(({ lane, bars }) => bars.map((bar) => ({ lane, bar, at: bar.actual?.[0] ?? bar.planned?.[0] ?? 0 }))).sort((a, b) => a.at - b.at);
  const amounts = ({ asked_ml: asked, measured_ml: got }) => (asked === undefined || asked === null ? "" : `${number(asked, 2)} / ${got == null ? W.bad : number(got, 2)}`);
  return html`<div class="table"><table><thead><tr><th>${W.plannedFrom}</th><th>${W.actualFrom}</th><th>${W.lane}</th><th>${W.what}</th><th>${W.disposition}</th><th>${W.amounts}</th></tr></thead>
    <tbody>${rows.map(({ lane, bar, at }) => html`<tr key=${lane + bar.path + at}><td>${bar.planned ? html`<${Moment} t=${bar.planned[0]} />` : ""}</td>
      <td>${bar.actual ? html`<${Moment} t=${bar.actual[0]} text=${moment(bar.actual[0])} /> ${lateness(bar)}` : W.notYet}</td><td>${LANES[lane] || lane}</td>
      <td><button type="button" class="plainlink" onClick=${() => choose(bar)}>${bar.title}</button></td><td>${bar.disposition || (bar.actual ? W.open : "")}</td><td>${amounts(bar.facts || {})}</td></tr>`)}</tbody></table></div>`;
}
