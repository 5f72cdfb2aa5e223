// Drafts of hand steps (UI-71): kept in this browser at once, with the service a moment later, so that any device goes on with them.
import { call, get, seg } from "../api.js";

const LATER_MS = 1000, timers = new Map();
const keyOf = (task) => `osteon-draft ${task.run} ${task.path}`;

function local(task) {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(task)));
    return found && typeof found.entries === "object" ? found : { entries: {}, unsent: false };
  } catch { return { entries: {}, unsent: false }; }
}

function put(task, entries, unsent) {
  try { localStorage.setItem(keyOf(task), JSON.stringify({ entries, unsent })); } catch { /* only the service has it then */ }
}

async function send(task, entries) {
  timers.delete(keyOf(task));
  try {
    await call("PUT", `/runs/${seg(task.run)}/tasks/draft`, { path: task.path, entries });
    if (JSON.stringify(local(task).entries) === JSON.stringify(entries)) put(task, entries, false);
  } catch { /* sent again with the next change, or when the page comes back */ }
}

export const draft = (task) => local(task).entries;

export function keep(task, entries) {
  put(task, entries, true);
  clearTimeout(timers.get(keyOf(task)));
  timers.set(keyOf(task), setTimeout(() => send(task, entries), LATER_MS));
}

export function forget(task) {
  clearTimeout(timers.get(keyOf(task)));
  timers.delete(keyOf(task));
  try { localStorage.removeItem(keyOf(task)); } catch { /* nothing was kept */ }
}

// What the service has of it; null where this browser knows better or nobody answers.
export async function fetched(task) {
  const { entries, unsent } = local(task);
  if (unsent) { if (!timers.has(keyOf(task))) send(task, entries); return null; }
  try {
    const found = await get(`/runs/${seg(task.run)}/tasks/draft?path=${seg(task.path)}`);
    if (found.at === null || local(task).unsent) return null;
    put(task, found.entries, false);
    return found.entries;
  } catch { return null; }
}
