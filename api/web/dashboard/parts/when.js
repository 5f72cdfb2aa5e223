// A time with everything a person asks of it: countdown and clock together (UI-31), UTC under the pointer (UI-30).
import { html } from "../vendor/htm/preact-standalone.module.js";
import { countdown, elsewhere, moment, zoneShort } from "../format.js";
import { live, now } from "../live.js";
import { W } from "../words.js";

export const Moment = ({ t, text }) => html`<time title=${elsewhere(t)}>${text || moment(t)}</time>`;

// "in 05:12:40 (Tue 14 Jul 09:00 CEST)"; while the connection is lost "planned for ..., not confirmed".
export function Countdown({ at, overdue = true }) {
  const said = `${moment(at)} ${zoneShort(at)}`;
  if (live.now.link === "lost") return html`<span class="countdown frozen" title=${elsewhere(at)}>${W.notConfirmed(said)}</span>`;
  const left = at - now();
  const text = left >= 0 ? W.in(countdown(left)) : overdue ? W.overdueBy(countdown(left)) : W.now;
  return html`<span class="countdown" title=${elsewhere(at)}><b>${text}</b> (${said})</span>`;
}
