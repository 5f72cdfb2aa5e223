// Commands under way: one key each, sent once, never again by the page itself (UI-25, UI-82).
import { store } from "./store.js";
import { Problem, get, newKey, post, seg } from "./api.js";
import { live, now } from "./live.js";

const KEPT = "osteon-acts", LIMIT_MS = 5000, SETTLED = new Set(["HELD", "PAUSED", "STOPPED", "ABORTED", "COMPLETE", "RUNNING", "IDLE"]);
export const acts = store({ list: remembered() });

// An outcome that was open when the page was reloaded is still open.
function remembered() {
  try { return JSON.parse(sessionStorage.getItem(KEPT) || "[]").map((act) => ({ ...act, phase: "unknown" })); } catch { return []; }
}

function put(act) {
  const list = [act, ...acts.now.list.filter((each) => each.key !== act.key)].slice(0, 6);
  acts.set({ list });
  const open = list.filter((each) => ["sending", "unknown"].includes(each.phase));
  try { sessionStorage.setItem(KEPT, JSON.stringify(open)); } catch { /* no storage: a reload forgets */ }
}

export const busy = (where, what) =>
  acts.now.list.some((act) => act.where === where && act.what === what && ["sending", "unknown"].includes(act.phase));

// `where`: run or unit; `what`: the cause; resolves with the answer or null.
export async function send({ where, what, label, path, body }) {
  if (busy(where, what)) return null;
  const act = { key: newKey(), where, what, label, phase: "sending", sent: now() };
  put(act);
  try {
    const answer = await post(path, body, { key: act.key, limit: LIMIT_MS });
    put({ ...act, ...accepted(answer) });
    return answer;
  } catch (error) {
    if (error instanceof Problem && error.status < 500) put({ ...act, phase: "refused", text: error.message, at: now() });
    else if (error instanceof Problem && error.status === 503) put({ ...act, phase: "refused", text: error.message, at: now() });
    else { put({ ...act, phase: "unknown" }); setTimeout(check, 500); }
    return null;
  }
}

function accepted(answer) {
  const state = answer.state || Object.values(answer.states || {})[0];
  return state && !SETTLED.has(state) ? { phase: "accepted", state, answer } : { phase: "confirmed", at: now(), state, answer };
}

// Confirmed only when the controller shows a state at rest again.
export function follow(runs) {
  for (const act of acts.now.list) {
    if (act.phase !== "accepted") continue;
    const run = runs.find((each) => each.run === act.where || each.unit === act.where);
    if (run && SETTLED.has(run.state)) put({ ...act, phase: "confirmed", at: now(), state: run.state });
  }
}

// Ask what became of the keys whose answer was lost; only while connected.
let checking = false;
export async function check() {
  if (checking || live.now.link !== "connected") return;
  checking = true;
  for (const act of acts.now.list.filter((each) => each.phase === "unknown")) {
    try {
      const answer = await get(`/commands/${seg(act.key)}`);
      put({ ...act, ...accepted(answer.answer) });
    } catch (error) {
      if (error instanceof Problem && error.type.endsWith("unknown-key")) put({ ...act, phase: "gone", at: now() });
      else if (error instanceof Problem && [409, 422].includes(error.status)) put({ ...act, phase: "refused", text: error.message, at: now() });
      else if (error instanceof Problem && error.status < 500) put({ ...act, phase: "unclear", at: now() });
    }
  }
  checking = false;
}

let before = "connecting";
live.watch((state) => {
  if (state.link === "connected" && before !== "connected") check();
  before = state.link;
  if (state.snapshot) follow(state.snapshot.runs);
});
