// What is under way and what comes next (UI-52), volume of the vessel, questions that wait for a person.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { countdown, duration, moment, number, symbol } from "../format.js";
import { live, now } from "../live.js";
import { decimals, label } from "../signals.js";
import { useTick } from "../store.js";
import { W } from "../words.js";
import { Decision } from "./decision.js";
import { quality, reading } from "./value.js";
import { Countdown } from "./when.js";

export function NextAction({ run }) {
  return html`<div class="next" data-next><span class="caption">${W.next}</span>
    ${run.next ? html`<b class="title">${run.next.title}</b> <${Countdown} at=${run.next.at} />` : html`<span>${W.nothingNext}</span>`}</div>`;
}

function Step({ run, step, unit }) {
  const t = now(), frozen = live.now.link === "lost";
  return html`<li data-step=${step.path}><b>${step.title}</b>${step.part ? html` <span class="badge wide">${step.part}</span>` : ""}
    <span class="note"> ${frozen ? "" : W.running(duration(t - step.began))}${step.until && !frozen ? `, ${W.remaining(countdown(Math.max(0, step.until - t)))}` : ""}</span>
    ${step.amount && html`<p class="note">${W.progress(number(step.amount.moved_ml, 1), number(step.amount.asked_ml, 1))}</p>`}
    ${step.conditions && html`<p class="note">${waiting(step, t, unit)}</p>`}
    ${step.question && html`<${Decision} run=${run} step=${step} />`}</li>`;
}

function range({ role, low, high }) {
  const [from, to] = [low, high].map((each) => (each === null ? null : number(each, decimals(role))));
  return from === null ? W.below(to) : to === null ? W.above(from) : `${from} ${W.to} ${to}`;
}

// "Waiting for temperature 36.8 to 37.2 °C for 1 h (now 36.20, 0 s of 1 h)".
function waiting(step, t, unit) {
  const what = step.conditions.map((each) => `${label(each.role)} ${range(each)} ${symbol(each.unit)}`);
  const values = step.conditions.map(({ role }) => {
    const found = reading(unit, role).now;
    return ["bad", "stale"].includes(quality(found)) ? W.notKnown : number(found.value, decimals(role));
  });
  const held = step.holds_since ? Math.min(t - step.holds_since, step.for_s) : 0;
  return W.waitsFor(what.join(", "), values.join(", "), duration(held), step.for_s ? duration(step.for_s) : "");
}

export function NowNext({ run, facts }) {
  useTick(500);
  if (!run) return html`<section class="panel"><h2>${W.nowNext}</h2><p>${W.noRun}</p></section>`;
  const vessel = facts?.vessel, then = (run.ahead || []).filter((each) => each.at !== run.next?.at || each.title !== run.next?.title);
  return html`<section class="panel now-next" aria-label=${W.nowNext}><h2>${W.nowNext}</h2>
    <${NextAction} run=${run} />
    <ul class="steps">${run.steps.map((step) => html`<${Step} key=${step.path} run=${run.run} step=${step} unit=${run.unit} />`)}</ul>
    ${then.length > 0 && html`<p class="note">${W.then}: ${then.map((each) => `${each.title} (${moment(each.at)})`).join("; ")}</p>`}
    ${run.volume && html`<p>${W.volume}: <b>${W.estimated(number(run.volume.ml, 1), number(run.volume.sigma_ml, 1))}</b>
      ${vessel?.max_ml ? html`<span class="note">, ${W.limits(vessel.min_ml, vessel.max_ml)} mL</span>` : ""}</p>`}
  </section>`;
}
