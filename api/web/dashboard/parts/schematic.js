// The unit in greys: chamber, vessel with its level, pumps, bottles, balance; live values beside what they belong to (6.2).
import { html } from "../vendor/htm/preact-standalone.module.js";
import { number, symbol } from "../format.js";
import { live } from "../live.js";
import { decimals } from "../signals.js";
import { W } from "../words.js";
import { quality, reading } from "./value.js";

function Tag({ x, y, unit, role, name = "", anchor = "start" }) {
  const { now: found, set } = reading(unit, role);
  if (!found) return null;
  const how = quality(found);
  const text = how === "bad" ? W.bad : number(found.value, decimals(role));
  return html`<text x=${x} y=${y} text-anchor=${anchor} class=${`tag ${how}`}>${name && html`<tspan class="faint">${name} </tspan>`}<tspan class="strong">${text}</tspan> ${symbol(found.unit)}
    ${set !== null && html`<tspan class="faint"> ${W.sp} ${number(set, decimals(role))}</tspan>`}</text>`;
}

const Label = ({ x, y, text, anchor = "start" }) => html`<text x=${x} y=${y} text-anchor=${anchor} class="label">${text}</text>`;

function Pump({ x, y, name, moving, condition }) {
  return html`<g><circle cx=${x} cy=${y} r="15" class=${moving ? "gear moving" : "gear"} />
    <path class="arrow" d=${`M${x - 6} ${y - 7}l12 7-12 7z`} />
    <text x=${x} y=${y + 32} text-anchor="middle" class="label">${name}</text>
    ${condition && condition !== "ready" && html`<text x=${x} y=${y + 46} text-anchor="middle" class="label">${condition}</text>`}</g>`;
}

// Without a level: nothing measures what is in a bottle.
const Bottle = ({ x, y }) => html`<path class="wall" d=${`M${x + 13} ${y}v8l-13 6v44h40v-44l-13-6v-8z`} />`;

export function Schematic({ unit, facts, run }) {
  const vessel = facts?.vessel || {};
  const most = vessel.max_ml || 150;
  const volume = run?.volume?.ml ?? null;
  const share = volume === null ? 0 : Math.max(0, Math.min(1, volume / most));
  const level = 208 - 96 * share;
  const line = (ml) => 208 - 96 * Math.min(1, ml / most);
  const step = run?.steps.find((each) => ["Exchange", "Dose"].includes(each.work));
  const moves = (part) => step?.part === part && Boolean(step.amount?.moving);
  const pump = (way) => facts.paths[`medium ${way}`]?.pump;
  const condition = (name) => live.now.snapshot?.devices.find((each) => each.name === name)?.condition;
  const door = reading(unit, "door").now || live.now.snapshot?.devices.find((each) => each.readings.door_open)?.readings.door_open;
  return html`<svg class="schematic" viewBox="0 -18 520 282" role="img" aria-label=${W.schematic}>
    <rect class="wall" x="150" y="-2" width="220" height="248" rx="6" />
    <path class=${door?.value === true ? "wall" : "wall dim"} d=${door?.value === true ? "M370 -2l34 12v224l-34 12" : "M364 4v236"} />
    <${Label} x=${160} y=${16} text=${door?.value === true ? "chamber, door open" : "chamber"} />
    <${Tag} x=${160} y=${34} unit=${unit} role="temperature" /><${Tag} x=${160} y=${52} unit=${unit} role="co2" name="CO₂" />
    <${Tag} x=${160} y=${70} unit=${unit} role="o2" name="O₂" /><${Tag} x=${356} y=${70} unit=${unit} role="humidity" name="RH" anchor="end" />
    ${share > 0 && html`<path class="water" d=${`M196 ${level}h70v${208 - level}a12 12 0 0 1-12 12h-46a12 12 0 0 1-12-12z`} />`}
    <path class="wall" d="M196 104v104a12 12 0 0 0 12 12h46a12 12 0 0 0 12-12V104" />
    <path class="wall" d="M231 92v112M219 204h24" />
    ${vessel.min_ml && html`<path class="limit" d=${`M190 ${line(vessel.min_ml)}h12M260 ${line(vessel.min_ml)}h12`} />`}
    ${vessel.max_ml && html`<path class="limit" d=${`M190 ${line(vessel.max_ml)}h12M260 ${line(vessel.max_ml)}h12`} />`}
    <text x="276" y="122" class="tag"><tspan class="strong">${volume === null ? W.bad : number(volume, 1)}</tspan> mL</text>
    <${Label} x=${276} y=${138} text=${volume === null ? "" : `± ${number(run.volume.sigma_ml, 1)}`} />
    <${Label} x=${276} y=${164} text="pH" /><${Tag} x=${276} y=${180} unit=${unit} role="ph" />
    <${Label} x=${276} y=${202} text="DO" /><${Tag} x=${276} y=${218} unit=${unit} role="dissolved oxygen" />
    <path class="pipe" d="M56 128h24M110 128h98v8" />
    <path class="pipe" d="M254 150V88h160M444 88h32v46" /><path class="pipe" d="M56 128V116" />
    <${Pump} x=${95} y=${128} name=${pump("in") || "pump in"} moving=${moves("fill")} condition=${condition(pump("in"))} />
    <${Pump} x=${429} y=${88} name=${pump("out") || "pump out"} moving=${moves("withdraw")} condition=${condition(pump("out"))} />
    <${Bottle} x=${36} y=${56} /><${Label} x=${56} y=${46} text="medium" anchor="middle" />
    <${Bottle} x=${456} y=${134} /><path class="wall" d="M446 200h60M452 206h48" />
    <${Label} x=${476} y=${222} text="balance" anchor="middle" /><${Tag} x=${476} y=${240} unit=${unit} role="waste weight" anchor="middle" />
  </svg>`;
}
