// A run's timeline as lanes of bars, and questions to it. A bar: planned and actual [from, to], to = null while under way.
const LANE = { task: "tasks", dose: "doses", environment: "environment", step: "steps" };
const HOLDS = new Set(["HOLDING", "HELD", "PAUSING", "PAUSED", "STOPPING", "STOPPED", "ABORTING", "ABORTED"]);

const pair = (from, to) => (from === null || from === undefined ? null : [from, to ?? null]);

export function lanes(answer) {
  const found = { stages: [], tasks: [], doses: [], environment: [], steps: [], holds: [] };
  for (const each of answer.stages) {
    found.stages.push({ path: each.path, title: each.title, planned: pair(each.planned_start, each.planned_end), actual: pair(each.start, each.end),
      disposition: each.end ? "done" : "", facts: { steps: `${each.done} of ${each.steps} over` } });
  }
  for (const each of answer.steps) found[LANE[each.lane] || "steps"].push(step(each));
  for (const each of answer.states.filter((state) => HOLDS.has(state.state))) {
    found.holds.push({ path: `${each.state} ${each.start}`, title: each.state.toLowerCase(), planned: null, actual: [each.start, each.end], disposition: each.end ? "over" : "", facts: { why: each.why } });
  }
  for (const each of answer.alarms) {
    found.holds.push({ path: each.id, title: each.text, planned: null, actual: [each.start, each.end], disposition: each.state, facts: { priority: each.priority } });
  }
  return { ...answer, end: Math.max(answer.end, answer.estimated_end), lanes: Object.entries(found).map(([lane, bars]) => ({ lane, bars })),
    outages: answer.outages.map((each) => [each.start, each.end]) };
}

function step(each) {
  const delivered = each.doses.filter((dose) => dose.stroke === "deliver" || dose.stroke === "infuse");
  const measured = delivered.filter((dose) => dose.part !== "withdraw").reduce((sum, dose) => sum + (dose.measured_ml ?? 0), 0);
  const facts = { asked_ml: each.asked_ml, measured_ml: each.doses.length && each.asked_ml !== null ? measured : null,
    strokes: each.doses.map((dose) => `${dose.part} ${dose.stroke} ${dose.device}: asked ${dose.asked_ml}, measured ${dose.measured_ml ?? "---"} mL, ${dose.state}${dose.evidence ? ` (${text(dose.evidence)})` : ""}`),
    who: each.task?.by, entries: each.task?.entries, note: each.deviations.join("; ") };
  const late = each.estimated_start !== null && each.estimated_start - each.planned_start > 60 ? each.estimated_start - each.planned_start : 0;
  return { path: each.path, title: each.title, planned: pair(each.planned_start, each.planned_end), actual: pair(each.start, each.end), late, lateness: each.late_s,
    fixed: each.fixed, estimated: pair(each.estimated_start, each.estimated_end), disposition: each.disposition || "", facts };
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));

export const bars = (line, lane) => line?.lanes.find((each) => each.lane === lane)?.bars || [];

// Stage now: the one that began last and has not ended.
export const stage = (line) => bars(line, "stages").filter((bar) => bar.actual && bar.actual[1] === null).at(-1);

// What will probably begin within `s` seconds from `t`, in order.
export function upcoming(line, t, s) {
  return ["tasks", "doses", "steps"].flatMap((lane) => bars(line, lane))
    .filter((bar) => !bar.actual && !bar.disposition && bar.estimated && bar.estimated[0] >= t && bar.estimated[0] <= t + s)
    .map((bar) => ({ ...bar, at: bar.estimated[0] })).sort((a, b) => a.at - b.at);
}

// When the medium was last changed, by what was really done.
export function lastExchange(line, t) {
  const ended = bars(line, "doses").map((bar) => bar.actual?.[1]).filter((end) => end && end <= t);
  return ended.length ? Math.max(...ended) : null;
}

export const doseTimes = (line) => bars(line, "doses").filter((bar) => bar.actual).map((bar) => bar.actual[0]);
