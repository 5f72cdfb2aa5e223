// Questions to a run's timeline: its lanes come from the server as they are.
export const bars = (line, lane) => line?.lanes?.find((each) => each.lane === lane)?.bars || [];

// Stage now: the one that began last and has not ended.
export const stage = (line) => bars(line, "stages").filter((bar) => bar.actual && bar.actual[1] === null).at(-1);

// What begins within `s` seconds from `t` and has not begun, in order.
export function upcoming(line, t, s) {
  return ["tasks", "doses", "steps"].flatMap((lane) => bars(line, lane))
    .filter((bar) => bar.planned && !bar.actual && !bar.disposition && bar.planned[0] >= t && bar.planned[0] <= t + s)
    .sort((a, b) => a.planned[0] - b.planned[0])
    .filter((bar, n, all) => all.findIndex((other) => other.path === bar.path) === n);
}

// When the medium was last changed, by what was really done.
export function lastExchange(line) {
  const ended = bars(line, "doses").map((bar) => bar.actual?.[1]).filter(Boolean);
  return ended.length ? Math.max(...ended) : null;
}

export const doseTimes = (line) => bars(line, "doses").filter((bar) => bar.actual).map((bar) => bar.actual[0]);
