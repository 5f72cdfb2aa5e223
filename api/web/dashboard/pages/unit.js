// Level 2: one unit. Left what it is and reads, middle the last hours, right what happens and what may be done (6.2).
import { html, useEffect } from "../vendor/htm/preact-standalone.module.js";
import { units as facts, askTimeline, askUnit, limitsOf, timelines } from "../facts.js";
import { moment } from "../format.js";
import { live } from "../live.js";
import { doseTimes } from "../plan.js";
import { Chart } from "../parts/chart.js";
import { Commands } from "../parts/commands.js";
import { Stage, State } from "../parts/card.js";
import { NowNext } from "../parts/nownext.js";
import { Schematic } from "../parts/schematic.js";
import { ForActing } from "../parts/rights.js";
import { Task } from "../parts/task.js";
import { Value } from "../parts/value.js";
import { amend, to } from "../route.js";
import { measured } from "../signals.js";
import { useStore } from "../store.js";
import { W } from "../words.js";

const SPANS = { "6h": 21600, "24h": 86400, "7d": 604800 };
const CHARTED = ["temperature", "co2", "ph", "dissolved oxygen"];

export function Unit({ name, query }) {
  const { snapshot } = live.now;
  useStore(facts);
  useStore(timelines);
  const run = snapshot.runs.find((each) => each.unit === name);
  useEffect(() => {
    const ask = () => { askUnit(name); if (run) askTimeline(run.run, 10000); };
    ask();
    const timer = setInterval(ask, 5000);
    return () => clearInterval(timer);
  }, [name, run?.run, live.now.link]);
  if (!snapshot.units[name]) return html`<p class="panel">${W.noUnits}</p>`;
  const known = snapshot.units[name], { roles } = known;
  const fact = limitsOf(name), line = timelines.now[run?.run];
  const span = SPANS[query.span] || SPANS["6h"];
  const charted = CHARTED.filter((role) => roles[role]);
  const end = query.at ? Number(query.at) + span / 2 : null;
  const tasks = snapshot.tasks.filter((task) => task.run === run?.run);
  return html`<div class="unit">
    <header class="panel head"><h1>${name}</h1>${run ? html`<div><p class="batch"><a href=${to("runs", run.run)}>${run.protocol} · ${run.run}${run.batch && ` · ${run.batch}`}</a></p>
      <${State} run=${run} /><${Stage} run=${run} line=${line} /></div>` : html`<p>${W.noRun}</p>`}</header>
    <div class="right"><${Commands} run=${run} unit=${name} stays=${known.stays_on} />
      <${NowNext} run=${run} facts=${known} />
      ${tasks.map((task) => html`<${ForActing} key=${task.path}><${Task} task=${task} /></${ForActing}>`)}</div>
    <div class="left"><section class="panel" aria-label=${W.values}><${Schematic} unit=${name} facts=${known} run=${run} />
      <div class="values">${measured(roles).map((role) => html`<${Value} key=${role} unit=${name} role=${role} fact=${fact[role] || {}} />`)}</div></section></div>
    <section class="panel middle" aria-label=${W.charts}><div class="row"><h2>${W.charts}</h2>${end !== null && html`<span class="note">${W.around(moment(Number(query.at)))}</span>
        <button type="button" onClick=${() => amend({ at: "" })}>${W.goLive}</button>`}<span class="gap"></span>
      <div class="choice" role="group" aria-label=${W.span}>${Object.keys(SPANS).map((key) => html`<button type="button" key=${key}
        aria-pressed=${SPANS[key] === span} onClick=${() => amend({ span: key })}>${key.replace(/(\d+)/, "$1 ")}</button>`)}</div></div>
      ${charted.map((role) => html`<${Chart} key=${role} unit=${name} role=${role} fact=${fact[role] || {}} span=${span} ticks=${doseTimes(line)} end=${end} />`)}</section>
  </div>`;
}
