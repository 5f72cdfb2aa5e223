// A time with everything a person asks of it: countdown and clock together (UI-31), UTC under the pointer (UI-30).
import { html } from "../vendor/htm/preact-standalone.module.js";
import { countdown, elsewhere, moment, zoneShort } from "../format.js";
import { live, now } from "../live.js";
import { W } from "../words.js";

export const Moment = ({ t, text }) => html`<time title=${elsewhere(t)}>${text || moment(t)}</time>`;

// "in 05:12:40 (Tue 14 Jul 09:00 CEST)"; past it, up to `until` "due 00:05:00 ago"; while the connection is lost "planned for ..., not confirmed".
export function Countdown({ at, until = at, overdue = true, before = W.in }) {
  const said = `${moment(at)} ${zoneShort(at)}`;
  if (live.now.link === "lost") return html`<span class="countdown frozen" title=${elsewhere(at)}>${W.notConfirmed(said)}</span>`;
  const left = at - now();
  const past = now() < until ? W.dueAgo : overdue ? W.overdueBy : () => W.now;
  const text = (left >= 0 ? before : past)(countdown(left));
  return html`<span class="countdown" title=${elsewhere(at)}><b>${text}</b> (${said})</span>`;
}

// A task is overdue when an alarm says so, not as soon as it is asked for.
export const Due = ({ task }) => html`<${Countdown} at=${task.due} until=${task.alarm_at} before=${W.dueIn} />`;
