// Lanes of bars: planned as outline above, actual filled below; the now-line; outages hatched across all lanes (6.3).
import { html, useEffect, useRef, useState } from "../vendor/htm/preact-standalone.module.js";
import { date, exact, hour, midnight } from "../format.js";
import { blind, now } from "../live.js";
import { LANES, W } from "../words.js";
import { lateness } from "./occurrence.js";

const TOP = 30, GAP = 10, ROW = 29, HALF = 12, LEAST = 4, LETTER = 6.6;
const STEPS = [3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400];

// Bars that overlap get rows of their own; at most `rows` of them.
function stacked(bars, seconds, rows = 4) {
  const ends = [];
  return bars.map((bar) => {
    const from = Math.min(bar.planned?.[0] ?? Infinity, bar.actual?.[0] ?? Infinity);
    const to = Math.max(bar.planned?.[1] ?? 0, bar.actual ? bar.actual[1] ?? now() : 0, from + seconds);
    let row = ends.findIndex((end) => end <= from);
    if (row < 0) row = ends.length < rows ? ends.push(0) - 1 : ends.indexOf(Math.min(...ends));
    ends[row] = to;
    return { bar, row };
  });
}

function marks(from, to, width) {
  const step = STEPS.find((each) => ((to - from) / each) * 70 < width) || STEPS.at(-1);
  const found = [];
  for (let t = midnight(from); t < to; t += step) if (t >= from) found.push({ t, text: step < 86400 && t !== midnight(t + 1) ? hour(t) : date(t), day: t === midnight(t + 1) });
  return found;
}

export function Timeline({ line, from, to, choose, move }) {
  const box = useRef(null);
  const [width, measure] = useState(900);
  useEffect(() => {
    const watcher = new ResizeObserver(() => measure(box.current.clientWidth));
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const left = width < 560 ? 0 : 118, inner = width - left - 6;
  const x = (t) => left + (inner * (t - from)) / (to - from);
  const shows = (pair) => pair && pair[0] <= to && (pair[1] ?? now()) >= from;
  const lanes = [];
  let y = TOP;
  for (const { lane, bars } of line.lanes) {
    const seen = stacked(bars.filter((bar) => shows(bar.planned) || shows(bar.actual)), ((to - from) / inner) * 5);
    const rows = Math.max(1, ...seen.map((each) => each.row + 1));
    const head = left ? 0 : 16;
    lanes.push({ lane, seen, y: y + head, top: y, high: rows * ROW + GAP + head });
    y += rows * ROW + GAP + head;
  }
  const wheel = (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const at = from + ((event.offsetX - left) / inner) * (to - from), factor = event.deltaY > 0 ? 1.25 : 0.8;
    move(at - (at - from) * factor, at + (to - at) * factor);
  };
  return html`<div class="timeline" ref=${box}><svg width=${width} height=${y + 6} onWheel=${wheel} role="group" aria-label=${W.runTimeline}>
    <defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0v7" class="hatchline" /></pattern>
      <clipPath id="inside"><rect x=${left} y="0" width=${inner} height=${y + 6} /></clipPath></defs>
    ${lanes.map(({ lane, top, high }, n) => html`<g key=${lane}><rect x="0" y=${top - GAP / 2} width=${width} height=${high} class=${n % 2 ? "lane odd" : "lane"} />
      <text x="6" y=${left ? top + 18 : top + 8} class="label">${LANES[lane] || lane}</text></g>`)}
    <g clip-path="url(#inside)">
      ${marks(from, to, inner).map(({ t, text, day }) => html`<g key=${t}><path class=${day ? "dayline" : "hourline"} d=${`M${x(t)} ${TOP - 8}V${y}`} />${x(t) + 3 + LETTER * text.length < width && html`<text x=${x(t) + 3} y="14" class="label">${text}</text>`}</g>`)}
      ${(line.outages || []).filter(shows).map((pair) => html`<rect key=${pair[0]} class="outage" x=${x(pair[0])} y=${TOP - 6} height=${y - TOP} fill="url(#hatch)" width=${Math.max(LEAST, x(pair[1] ?? now()) - x(pair[0]))}><title>${W.outage}</title></rect>`)}
      ${lanes.map(({ lane, seen, y: above }) => seen.map(({ bar, row }) => html`<${Bar} key=${lane + bar.path + (bar.planned?.[0] ?? bar.actual?.[0])} bar=${bar} lane=${lane} x=${x} y=${above + row * ROW} choose=${choose} from=${from} to=${to} />`))}
      <g class=${blind() ? "nowline frozen" : "nowline"} data-now=${Math.round(now())}><path d=${`M${x(now())} 18V${y}`} /><text x=${x(now()) + 4} y="26" class="label strong">${W.now.toLowerCase()}</text></g>
    </g></svg></div>`;
}

function Bar({ bar, lane, x, y, choose, from, to }) {
  const edge = (pair) => { const a = x(Math.max(pair[0], from - 1)), b = x(Math.min(pair[1] ?? now(), to + 1)); return [a, Math.max(LEAST, b - a)]; };
  const planned = bar.planned && edge(bar.planned), actual = bar.actual && edge(bar.actual);
  const wide = Math.max(planned?.[1] || 0, actual?.[1] || 0), start = (actual && actual[1] > 40 ? actual : planned || actual)[0];
  const text = `${bar.title}. ${bar.planned ? `${W.planned} ${exact(bar.planned[0])}` : ""}${bar.actual ? `, ${W.actual} ${exact(bar.actual[0])}` : ""} ${bar.disposition || ""} ${lateness(bar)}`;
  const pick = () => choose(bar);
  const room = Math.floor((wide - 6) / LETTER);
  return html`<g class=${`occurrence ${bar.disposition === "failed" || /skipped|cancelled/.test(bar.disposition || "") ? "crossed" : ""}`} data-bar=${bar.path} data-lane=${lane} tabindex="0" role="button" aria-label=${text}
      onClick=${pick} onKeyDown=${(event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(); } }}>
    <title>${text}</title>
    <rect class="hit" x=${(planned || actual)[0] - 3} y=${y - 1} width=${wide + 6} height=${ROW - 1} />
    ${planned && html`<rect class="planned" x=${planned[0]} y=${y} width=${planned[1]} height=${HALF} />`}
    ${actual && html`<rect class=${bar.actual[1] == null ? "actual going" : "actual"} x=${actual[0]} y=${y + HALF + 2} width=${actual[1]} height=${HALF} />`}
    ${room > 6 && html`<text class=${actual && actual[1] > 40 ? "on" : "off"} x=${Math.max(start, x(from)) + 4} y=${actual && actual[1] > 40 ? y + 2 * HALF - 1 : y + HALF - 3}>${bar.title.length > room ? `${bar.title.slice(0, room - 1)}…` : bar.title}</text>`}
  </g>`;
}
