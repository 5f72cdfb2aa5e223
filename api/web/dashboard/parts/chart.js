// One strip chart: mean with its min-max band, limits as dashed lines, set point thin, gaps never joined, hatched when not live.
import { html, useEffect, useRef, useState } from "../vendor/htm/preact-standalone.module.js";
import { history } from "../facts.js";
import { date, duration, hour, number, symbol, zoneName } from "../format.js";
import { blind, live, now, speed } from "../live.js";
import { decimals, label } from "../signals.js";
import { W } from "../words.js";
import { age, quality, reading } from "./value.js";

let library = null;
const uplot = () => (library ??= import("../vendor/uplot/uPlot.esm.js").then((module) => module.default));
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const REFRESH_MS = 15000, FAST_MS = 2000, PAINT_MS = 1000, FAST = 10, UNKNOWN = 0.07, NEAR = 4;

// Buckets with a gap between two of them get an empty place, so that no line joins over missing history (UI-26). What is
// usual is judged nearby: the service takes packed samples together, so that old and new stretches have other steps.
export function columns(buckets, gaps) {
  const steps = buckets.slice(1).map((each, n) => each[0] - buckets[n][0]);
  const usual = (n) => (steps.length > 1 ? median(steps.slice(Math.max(0, n - NEAR), n + NEAR + 1)) : Infinity);
  const rows = [[], [], [], []];
  buckets.forEach((bucket, n) => {
    const last = n ? buckets[n - 1][0] : null;
    const hole = n > 0 && (bucket[0] - last > 3.5 * usual(n - 1) || gaps.some(([from, to]) => from < bucket[0] && to > last && to - from > 0));
    if (hole) [(last + bucket[0]) / 2, null, null, null].forEach((each, k) => rows[k].push(each));
    bucket.forEach((each, k) => rows[k].push(each));
  });
  return rows;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

export function Chart({ unit, role, fact = {}, span, ticks = [], end = null, height = 118 }) {
  const box = useRef(null);
  const kept = useRef({ buckets: [], gaps: [], plot: null, latest: {} });
  const [summary, say] = useState("");
  kept.current.latest = { fact, ticks, unit, role, end };

  useEffect(() => {
    let ended = false;
    const own = kept.current;
    const load = async () => {
      const signal = reading(unit, role).signal;
      if (!signal || live.now.link !== "connected") return;
      const until = end ?? now();
      try {
        const found = await history(signal, until - span, until, 360);
        if (!ended) { Object.assign(own, found); paint(); }
      } catch { /* the line that is drawn stays; the next round asks again */ }
    };
    const paint = () => {
      if (ended || !own.plot) return;
      const t = end ?? now(), dead = end === null && !alive(unit, role);
      own.buckets = own.buckets.filter((each) => each[0] >= t - span * 1.1);
      own.plot.setData(columns(own.buckets, own.gaps), false);
      own.plot.setScale("x", { min: t - span, max: dead ? t + span * UNKNOWN : t });
      say(described(role, span, own.buckets.filter((each) => each[0] >= t - span), symbol(reading(unit, role).now?.unit)));
    };
    const grow = () => {
      const found = reading(unit, role).now;
      if (end !== null || speed() > FAST || blind() || quality(found) !== "good" || typeof found.value !== "number") return;
      const at = now() - Math.min(age(found), span), last = own.buckets.at(-1);
      if (!last || at > last[0] + span / 720) own.buckets.push([at, found.value, found.value, found.value]);
    };
    const build = async () => {
      const Plot = await uplot();
      if (ended || !box.current) return;
      own.plot?.destroy();
      own.plot = new Plot(options(box.current.clientWidth, height, own, span), [[], [], [], []], box.current);
      paint();
    };
    build().then(load);
    const wide = new ResizeObserver(() => own.plot?.setSize({ width: box.current.clientWidth, height }));
    wide.observe(box.current);
    // In paced time seconds on the wire are hours at the bench: the historian alone has every point.
    const timers = [setInterval(load, speed() > FAST ? FAST_MS : REFRESH_MS), setInterval(() => { grow(); paint(); }, PAINT_MS)];
    let before = live.now.link;
    const unwatch = live.watch((state) => { if (state.link !== before) { before = state.link; load(); } });
    addEventListener("osteon-theme", build);
    return () => {
      ended = true;
      timers.forEach(clearInterval);
      unwatch();
      wide.disconnect();
      removeEventListener("osteon-theme", build);
      own.plot?.destroy();
      own.plot = null;
    };
  }, [unit, role, span, end]);

  const sign = symbol(reading(unit, role).now?.unit);
  return html`<figure class="chart" data-chart=${role}><figcaption>${label(role)} ${sign !== label(role) && html`<span class="sign">${sign}</span>`}</figcaption>
    <div class="plot" ref=${box} aria-hidden="true"></div><p class="summary">${summary || W.chartEmpty(label(role), duration(span))}</p></figure>`;
}

function described(role, span, buckets, sign) {
  const good = buckets.filter((each) => each[2] !== null && each[2] !== undefined);
  if (!good.length) return "";
  const low = good.reduce((a, b) => (b[1] < a[1] ? b : a)), high = good.reduce((a, b) => (b[3] > a[3] ? b : a));
  const mean = good.reduce((sum, each) => sum + each[2], 0) / good.length, d = decimals(role);
  return W.chartSummary(label(role), duration(span), number(mean, d), number(low[1], d), hour(low[0]), number(high[3], d), hour(high[0]), sign === label(role) ? "" : sign);
}

function options(width, height, own, span) {
  const line = token("--text"), soft = token("--lines"), words = token("--secondary"), grid = token("--grid");
  const axis = { stroke: words, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
  return {
    width, height, cursor: { show: true, y: false, drag: { x: false, y: false }, points: { size: 5 } }, legend: { show: false },
    padding: [6, 20, 0, 0],
    tzDate: (t) => new Date(new Date(t * 1000).toLocaleString("en-US", { timeZone: zoneName() })),
    scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => axisOf(own, low, high) } },
    axes: [
      { ...axis, size: 22, values: (_, splits) => splits.map((t) => (span > 172800 ? date(t).slice(4) : hour(t))) },
      { ...axis, size: 46, space: 26 },
    ],
    series: [{}, { stroke: "transparent", width: 0, points: { show: false } }, { stroke: line, width: 1.4, points: { show: false } },
      { stroke: "transparent", width: 0, points: { show: false } }],
    bands: [{ series: [3, 1], fill: token("--band") }],
    hooks: { drawAxes: [(plot) => under(plot, own, soft)], draw: [(plot) => over(plot, own, soft)] },
  };
}

const alive = (unit, role) => !blind() && quality(reading(unit, role).now) === "good";

// The axis holds the data, the limits and the set point, with a little air.
function axisOf(own, low, high) {
  const { fact, unit, role } = own.latest;
  const all = [low, high, fact.low, fact.high, reading(unit, role).set].filter((each) => typeof each === "number");
  if (!all.length) return [0, 1];
  const least = Math.min(...all), most = Math.max(...all), air = (most - least || Math.abs(most) * 0.02 || 1) * 0.12;
  return [least - air, most + air];
}

function level(plot, value, colour, dash) {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
  ctx.save();
  ctx.beginPath();
  ctx.setLineDash(dash);
  ctx.strokeStyle = colour;
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function under(plot, own, colour) {
  const { fact, unit, role, ticks } = own.latest;
  for (const limit of [fact.low, fact.high]) if (typeof limit === "number") level(plot, limit, colour, [6, 4]);
  const set = reading(unit, role).set;
  if (typeof set === "number") level(plot, set, colour, []);
  const { ctx, bbox } = plot;
  ctx.fillStyle = colour;
  for (const t of ticks) {
    const x = plot.valToPos(t, "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) ctx.fillRect(Math.round(x), bbox.top, 1.5 * devicePixelRatio, 7 * devicePixelRatio);
  }
}

// From the last point to now nothing is known: hatched (UI-22).
function over(plot, own, colour) {
  const last = own.buckets.at(-1)?.[0];
  const dead = own.latest.end === null && !alive(own.latest.unit, own.latest.role);
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  const from = last ? Math.max(bbox.left, plot.valToPos(last, "x", true)) : bbox.left;
  if (!dead || right - from < 2) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(from, bbox.top, right - from, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.beginPath();
  for (let x = from - bbox.height; x < right; x += 7 * devicePixelRatio) { ctx.moveTo(x, bbox.top + bbox.height); ctx.lineTo(x + bbox.height, bbox.top); }
  ctx.stroke();
  ctx.restore();
}
