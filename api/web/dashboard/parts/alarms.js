// The banner of unacknowledged alarms (UI-02) and one alarm as a row; symbol, letter and words, colour only here.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { call, NoAnswer, seg } from "../api.js";
import { duration, exact } from "../format.js";
import { live, now } from "../live.js";
import { to } from "../route.js";
import { store, useStore } from "../store.js";
import { W } from "../words.js";
import { mayAct, notYours } from "./rights.js";
import { AlarmSymbol } from "./symbol.js";
import { Moment } from "./when.js";

const trouble = store({});
const RANK = { critical: 0, high: 1, low: 2 };

export const unseen = (alarms) => alarms.filter((each) => each.state === "UNACK" || each.state === "RTN_UNACK");
export const sorted = (alarms) =>
  [...alarms].sort((a, b) => RANK[a.priority] - RANK[b.priority] || b.raised_at - a.raised_at);

async function acknowledge(alarm) {
  try {
    await call("POST", `/alarms/${seg(alarm.alarm_id)}/acknowledge`, {});
    trouble.set({ [alarm.alarm_id]: "" });
  } catch (error) {
    trouble.set({ [alarm.alarm_id]: error instanceof NoAnswer ? W.phases.unknown : W.refused(error.message) });
  }
}

export function Acknowledge({ alarm }) {
  const said = useStore(trouble)[alarm.alarm_id];
  if (alarm.state === "ACKED") return null;
  const off = live.now.link !== "connected", why = off ? W.whyOff : notYours(mayAct());
  return html`<button type="button" class="acknowledge" disabled=${Boolean(why)} title=${why || W.ackNote}
    onClick=${() => acknowledge(alarm)}>${W.acknowledge}</button>${said && html`<span class="why">${said}</span>`}`;
}

export function Banner({ alarms }) {
  const open = sorted(unseen(alarms));
  if (!open.length) return null;
  return html`<section class="banner" aria-label=${W.alarms} aria-live=${open[0].priority === "critical" ? "assertive" : "polite"}>
    ${open.slice(0, 2).map((each) => html`<div class=${`alarm ${each.priority}`} key=${each.alarm_id}>
      <${AlarmSymbol} priority=${each.priority} size=${24} />
      <span class="text">${each.text} <span class="age">${W.raised} ${duration(now() - each.raised_at)}</span></span>
      <${Acknowledge} alarm=${each} /><a class="button" href=${to("alarms")}>${W.details}</a>
    </div>`)}
    ${open.length > 2 && html`<a href=${to("alarms")}>${W.more(open.length - 2)}</a>`}
  </section>`;
}

export function AlarmRow({ alarm }) {
  const seen = alarm.state === "ACKED";
  const state = seen ? W.acked(alarm.acked_by, alarm.acked_at ? exact(alarm.acked_at) : "") : alarm.state === "RTN_UNACK" ? W.returned : W.unacked;
  return html`<li class=${`alarm-row ${alarm.priority}`} data-alarm=${alarm.alarm_id}>
    <${AlarmSymbol} priority=${alarm.priority} acknowledged=${seen} size=${26} />
    <div><p class="text">${alarm.text}</p>
      <p class="note">${alarm.priority} · ${alarm.run_id || alarm.source} · ${W.raised} <${Moment} t=${alarm.raised_at} text=${exact(alarm.raised_at)} /> · ${state}</p>
      ${alarm.advice && html`<p class="advice">${W.advice}: ${alarm.advice}</p>`}</div>
    <${Acknowledge} alarm=${alarm} />
  </li>`;
}
