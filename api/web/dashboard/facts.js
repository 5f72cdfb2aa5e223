// What the stream does not carry: vessel and limits of a unit, timeline of a run, history of a signal. Kept, fetched anew when asked.
import { get, seg } from "./api.js";
import { lanes } from "./plan.js";
import { store } from "./store.js";

export const units = store({});
export const timelines = store({});
const asked = new Map();

// At most one request per key in `ms`; the former answer stays on the page when a new one fails.
async function once(key, ms, fetch) {
  const last = asked.get(key) || 0;
  if (performance.now() - last < ms && last) return;
  asked.set(key, performance.now());
  try { await fetch(); } catch { asked.set(key, performance.now() - ms + 1000); }
}

export const askUnit = (name, ms = 20000) =>
  once(`unit ${name}`, ms, async () => units.set({ [name]: await get(`/units/${seg(name)}`) }));
export const askTimeline = (run, ms = 5000) =>
  once(`run ${run}`, ms, async () => timelines.set({ [run]: lanes(await get(`/runs/${seg(run)}/timeline`)) }));

// Limits of each measured role of a unit: {temperature: {low, high}}.
export const limitsOf = (name) => Object.fromEntries((units.now[name]?.roles || []).map((each) => [each.role, each.limits || {}]));

export function forget() {
  asked.clear();
}

// Buckets [t, min, mean, max] and gaps of one signal between two bench times.
export async function history(signal, from, to, points) {
  const answer = await get(`/signals/${seg(signal)}/history?from=${Math.round(from)}&to=${Math.round(to)}&points=${points}`);
  return { buckets: answer.buckets, gaps: answer.gaps.map((gap) => [gap.start, gap.end ?? to]) };
}
