// One live value: with unit, set point and limits; stale, bad, manual and substituted each look different (UI-12, UI-13).
import { html } from "../vendor/htm/preact-standalone.module.js";
import { duration, number, symbol } from "../format.js";
import { blind, live, now, secondsLost } from "../live.js";
import { decimals, label } from "../signals.js";
import { W } from "../words.js";

// What a role shows now: the stream's reading joined with set point and limits of the unit's facts.
export function reading(unit, role) {
  const roles = live.now.snapshot?.units[unit]?.roles || {};
  const from = (signal) => {
    const [device, name] = String(signal || "").split(".");
    return live.now.snapshot?.devices.find((each) => each.name === device)?.readings[name];
  };
  return { now: from(roles[role]), set: from(roles[`${role} set`])?.value ?? null, signal: roles[role] || "" };
}

// Seconds since the value was measured, in bench time; while nothing is heard, real seconds go on counting.
export function age(found) {
  if (!found || (found.at === null && found.age_s === null)) return null;
  const at = typeof found.at === "number" ? found.at : live.now.snapshot.now - found.age_s;
  return Math.max(0, now() - at) + (live.now.link === "lost" ? secondsLost() : 0);
}

// "good", "stale", "bad", "manual", "substituted"; anything is stale while the page sees nothing (UI-22, UI-26).
// In paced time a second on the wire is many at the bench: the server alone judges there.
export function quality(found) {
  if (!found || found.quality === "bad" || found.value === null || age(found) === null) return "bad";
  if (blind() || found.quality === "stale") return "stale";
  if (!live.now.snapshot.speed && found.stale_after_s && age(found) > found.stale_after_s) return "stale";
  return found.quality;
}

const outside = (value, low, high) =>
  typeof value === "number" && ((low !== null && low !== undefined && value < low) || (high !== null && high !== undefined && value > high));

export function Bar({ value, low, high }) {
  if (typeof value !== "number" || typeof low !== "number" || typeof high !== "number" || high <= low) return html`<span class="bar none"></span>`;
  const place = 8 + 84 * Math.max(-0.09, Math.min(1.09, (value - low) / (high - low)));
  return html`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    <path class="rail" d="M8 4h84" /><path class="end" d="M8 0v8M92 0v8" /><path class="needle" d=${`M${place} 0v8`} />
  </svg>`;
}

export function Value({ unit, role, fact = {}, compact = false }) {
  const { now: found, set } = reading(unit, role);
  const how = quality(found);
  const places = decimals(role);
  const sign = symbol(found?.unit ?? fact.unit);
  const limited = typeof fact.low === "number" || typeof fact.high === "number";
  const beside = [
    set !== null && `${W.sp} ${number(set, places)}`,
    limited && `${number(fact.low, places)} ${W.to} ${number(fact.high, places)}`,
  ].filter(Boolean).join(", ");
  const beyond = how === "good" && outside(found.value, fact.low, fact.high);
  const old = age(found);
  const why = how === "bad" ? found?.why || (old === null ? W.noData : W.noDataFor(duration(old))) : how === "stale" ? W.stale(duration(old)) : "";
  return html`<div class=${`value ${how}${compact ? " compact" : ""}`} data-role=${role} data-quality=${how}>
    <span class="name">${label(role)}</span>
    <span class="figure"><b>${how === "bad" ? W.bad : number(found.value, places)}</b> <span class="sign">${sign}</span>
      ${how === "manual" && html`<span class="badge" title="manual">${W.manualBadge}</span>`}
      ${how === "substituted" && html`<span class="badge" title="substituted">${W.substitutedBadge}</span>`}</span>
    ${beside ? html`<span class="beside">(${beside})</span>` : html`<span class="beside"></span>`}
    <${Bar} value=${how === "bad" ? null : found.value} low=${fact.low} high=${fact.high} />
    ${beyond && html`<span class="beyond">▲ ${W.outside}</span>`}
    ${why && html`<span class="age">${why}</span>`}
  </div>`;
}
