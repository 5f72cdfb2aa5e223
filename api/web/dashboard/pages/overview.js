// Level 1: a card per unit by need, and who is needed for what (6.1).
import { html, useEffect } from "../vendor/htm/preact-standalone.module.js";
import { units as facts, askTimeline, askUnit, timelines } from "../facts.js";
import { live } from "../live.js";
import { Card, need } from "../parts/card.js";
import { Countdown, Due } from "../parts/when.js";
import { unseen } from "../parts/alarms.js";
import { AlarmSymbol } from "../parts/symbol.js";
import { to } from "../route.js";
import { useStore, useTick } from "../store.js";
import { W } from "../words.js";
import { upcoming } from "../plan.js";

export function Overview() {
  const { snapshot } = live.now;
  useStore(facts);
  useStore(timelines);
  useTick(1000);
  const names = Object.keys(snapshot.units);
  useEffect(() => {
    const ask = () => { names.forEach((name) => askUnit(name)); snapshot.runs.forEach((run) => askTimeline(run.run, 15000)); };
    ask();
    const timer = setInterval(ask, 5000);
    return () => clearInterval(timer);
  }, [names.join(), snapshot.runs.map((run) => run.run).join(), live.now.link]);
  const cards = names.map((name) => ({ name, run: snapshot.runs.find((run) => run.unit === name) }))
    .sort((a, b) => need(a, snapshot) - need(b, snapshot));
  const waiting = snapshot.runs.flatMap((run) => run.steps.filter((step) => step.question).map((step) => ({ run, step })));
  const soon = snapshot.runs.flatMap((run) => upcoming(timelines.now[run.run], snapshot.now, 86400).slice(0, 8).map((bar) => ({ run, bar })));
  return html`<div class="overview">
    <div class="cards">${cards.map((each) => html`<${Card} key=${each.name} ...${each} line=${timelines.now[each.run?.run]} />`)}
      ${!names.length && html`<p class="panel">${W.noUnits}</p>`}</div>
    <aside>
      <section class="panel" aria-label=${W.needs}><h2>${W.needs}</h2><ul class="plain">
        ${unseen(snapshot.alarms).map((each) => html`<li key=${each.alarm_id}><a href=${to("alarms")}><${AlarmSymbol} priority=${each.priority} size=${18} /> ${each.text}</a></li>`)}
        ${waiting.map(({ run, step }) => html`<li key=${step.path}><a href=${to("units", run.unit)}>${W.waitingDecision}: ${step.question}</a></li>`)}
        ${snapshot.tasks.map((each) => html`<li key=${each.path}><a href=${to("tasks")}>${each.title}</a>${each.due ? html` <${Due} task=${each} />` : ""}</li>`)}
        ${!snapshot.tasks.length && !waiting.length && !unseen(snapshot.alarms).length && html`<li>${W.nobody}</li>`}</ul></section>
      <section class="panel" aria-label=${W.next24}><h2>${W.next24}</h2><ul class="plain">
        ${soon.map(({ run, bar }) => html`<li key=${bar.path}><a href=${to("runs", run.run)}>${bar.title}</a> <${Countdown} at=${bar.at} overdue=${false} /></li>`)}
        ${!soon.length && html`<li>${W.nothingNext}</li>`}</ul></section>
    </aside></div>`;
}
