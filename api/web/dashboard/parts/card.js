// A unit at a glance (6.1): batch, state, stage, time, next action, key values, what is open.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { duration, moment } from "../format.js";
import { limitsOf } from "../facts.js";
import { blind, live, now } from "../live.js";
import { lastExchange, stage } from "../plan.js";
import { to } from "../route.js";
import { measured } from "../signals.js";
import { STATES, W } from "../words.js";
import { unseen } from "./alarms.js";
import { Sparkline } from "./sparkline.js";
import { AlarmSymbol, StateMark } from "./symbol.js";
import { Value } from "./value.js";
import { NextAction } from "./nownext.js";

const KEY_VALUES = 5;
const alarmsOf = (run, alarms) => alarms.filter((each) => !each.run_id || each.run_id === run?.run);

// Order of cards: alarm, decision, held, task, running, idle.
export function need({ run }, { alarms, tasks }) {
  if (unseen(alarmsOf(run, alarms)).length) return 0;
  if (run?.steps.some((step) => step.question)) return 1;
  if (run && ["HELD", "HOLDING"].includes(run.state)) return 2;
  if (tasks.some((task) => task.run === run?.run)) return 3;
  return run ? 4 : 5;
}

export function State({ run }) {
  return html`<span class="state" data-state=${run.state}><${StateMark} state=${run.state} /> <b>${STATES[run.state] || run.state}</b>
    <span class="note"> ${W.since(moment(run.since))}${run.why ? html`: ${run.why}` : ""}</span></span>`;
}

function Progress({ run, line }) {
  if (!line?.end) return null;
  const share = Math.max(0, Math.min(1, (now() - run.start) / (line.end - run.start)));
  return html`<progress class="progress" max="1" value=${share}>${Math.round(share * 100)} %</progress>`;
}

export function Stage({ run, line }) {
  const days = line?.end ? Math.round((line.end - run.start) / 86400) : 0;
  const name = stage(line)?.title;
  return html`<p class="stage">${name ? html`${name}, ` : ""}${W.day(Math.max(0, Math.floor((now() - run.start) / 86400)), days)}</p>`;
}

export function Card({ name, run, line }) {
  const { alarms, tasks, simulated, units } = live.now.snapshot;
  const mine = alarmsOf(run, alarms), open = tasks.filter((task) => task.run === run?.run), changed = lastExchange(line, now());
  const fact = limitsOf(name);
  return html`<article class=${`panel card${blind() ? " blind" : ""}`} data-unit=${name}>
    <header class="row"><h2><a href=${to("units", name)}>${name}</a></h2>
      ${mine.length > 0 && html`<span class="tally"><${AlarmSymbol} priority=${mine[0].priority} acknowledged=${!unseen(mine).length} /><b>${mine.length}</b></span>`}
      <span class="gap"></span>${simulated && html`<span class="badge wide">simulated</span>`}${blind() && html`<span class="badge wide">stale</span>`}</header>
    ${!run && html`<p>${W.noRun}</p>`}
    ${run && html`<p class="batch">${run.protocol} · ${run.run}${run.batch && ` · ${run.batch}`}</p><${State} run=${run} /><${Stage} run=${run} line=${line} /><${Progress} run=${run} line=${line} />
      <${NextAction} run=${run} />`}
    <div class="keyvalues">${measured(units[name].roles).slice(0, KEY_VALUES).map((role) => html`<div class="keyvalue" key=${role}>
      <${Value} unit=${name} role=${role} fact=${fact[role] || {}} compact=${true} /><${Sparkline} unit=${name} role=${role} /></div>`)}</div>
    <footer class="note">${[open.length && W.openTasks(open.length), changed && W.lastExchange(duration(now() - changed))].filter(Boolean).join(" · ")}</footer>
  </article>`;
}
