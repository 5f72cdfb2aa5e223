// Bars across the page: connection lost, not scanning, restored, records damaged; the strip of simulated devices.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { clock, duration } from "../format.js";
import { live, secondsLost, tryNow } from "../live.js";
import { session, signInAgain } from "../session.js";
import { useTick } from "../store.js";
import { W } from "../words.js";

export function Notices() {
  useTick(500);
  const { link, lost, scanning, scan, restored, snapshot } = live.now;
  return html`<div class="notices">
    ${link === "lost" && html`<div class="bar-wide lost" role="alert">
      <span>${lost.at === null ? W.neverSeen : W.lost(clock(lost.at), duration(secondsLost()))}</span>
      <button type="button" onClick=${tryNow}>${W.tryNow}</button></div>`}
    ${link === "connected" && !scanning && html`<div class="bar-wide blind" role="alert">
      <span class="octagon" aria-hidden="true">C</span><span>${W.notScanning(duration(scan?.age_s ?? 0))}</span></div>`}
    ${restored && html`<div class="bar-wide restored" role="status"><span>${W.restored(clock(restored.at), duration(restored.after), restored.alarms.length)}
      ${" "}${restored.alarms.map((each) => each.text).join("; ")}</span>
      <button type="button" onClick=${() => live.set({ restored: null })}>${W.close}</button></div>`}
    ${snapshot?.damaged && html`<div class="bar-wide blind" role="alert"><span class="octagon" aria-hidden="true">C</span>
      <span>${W.damaged(snapshot.damaged)}</span></div>`}
    ${session.now.who?.insecure && html`<div class="strip"><b>${W.insecure}</b></div>`}
    ${session.now.who?.view_only && html`<div class="strip"><b>${W.viewOnly}</b> <button type="button" onClick=${signInAgain}>${W.signIn}</button></div>`}
  </div>`;
}

// Stays in view below the top bar (UI-06).
export function Strip() {
  const { snapshot } = live.now;
  return snapshot?.simulated && html`<div class="strip simulated" data-strip="simulated"><b>${W.simulated}</b>
    ${snapshot.speed ? html`<span class="wide"> · ${W.speed(Math.round(snapshot.speed))}</span><span class="narrow"> · ${Math.round(snapshot.speed)} x</span>` : ""}
    <span class="wide"> · ${W.notValidated}</span></div>`;
}
