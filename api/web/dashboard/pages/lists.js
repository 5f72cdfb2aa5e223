// All open tasks, and all alarms that a person must still see.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { live } from "../live.js";
import { AlarmRow, sorted } from "../parts/alarms.js";
import { ForActing } from "../parts/rights.js";
import { Task } from "../parts/task.js";
import { useTick } from "../store.js";
import { W } from "../words.js";

export function Tasks() {
  useTick(1000);
  const { tasks } = live.now.snapshot;
  return html`<div class="narrowpage"><h1>${W.tasks}</h1>${tasks.map((task) => html`<${ForActing} key=${task.run + task.path}><${Task} task=${task} /></${ForActing}>`)}
    ${!tasks.length && html`<p class="panel">${W.noTasks}</p>`}</div>`;
}

export function Alarms() {
  useTick(1000);
  const { alarms } = live.now.snapshot;
  return html`<div class="narrowpage"><h1>${W.alarms}</h1>${alarms.length ? html`<p class="note">${W.ackNote}</p>
    <ul class="alarm-list panel">${sorted(alarms).map((alarm) => html`<${AlarmRow} key=${alarm.alarm_id} alarm=${alarm} />`)}</ul>` : html`<p class="panel">${W.noAlarms}</p>`}</div>`;
}
