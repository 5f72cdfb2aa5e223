// A label of a hand step, scanned or typed: what is expected, and at once what was read instead (RM-10). The service decides.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { W } from "../words.js";

// What is odd about a scanned text; "" = nothing that this page can see.
export function odd(entry, expected, raw) {
  const parts = raw.trim().split(":");
  if (parts[0] !== "osteon" || parts.length !== 5) return ["bottle", "donor"].includes(entry.label) ? "" : W.noLabel;
  let name = parts[3];
  try { name = decodeURIComponent(name); } catch { return W.noLabel; }
  const other = (entry.label && parts[1] !== entry.label) || (entry.of && name !== entry.of) || (entry.count && Number(parts[4]) > entry.count);
  return other ? W.otherLabel(expected?.label, `${parts[1]} ${name} ${parts[4]}`) : "";
}

// A hand scanner ends with Enter, which must not sign the step: it leads to the next field.
export function onward(event) {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const fields = [...event.target.form.querySelectorAll("input, select, button")];
  fields[fields.indexOf(event.target) + 1]?.focus();
}

export function Scan({ entry, expected, raw, edit }) {
  const wrong = raw === "" ? "" : odd(entry, expected, raw);
  return html`<label class="entry scan"><span>${entry.name}</span><input name=${entry.name} value=${raw} onInput=${(event) => edit(entry.name, event.target.value)}
      onKeyDown=${onward} autocomplete="off" autocapitalize="off" spellcheck=${false} />
    <span class=${wrong ? "why wrong" : "why"}>${raw === "" ? W.scanFor(expected?.label ?? W.aLabel) : wrong}</span></label>`;
}
