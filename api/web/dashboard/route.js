// The address after '#': each page, unit, run, span and view has its own (UI-05).
import { store } from "./store.js";

function read() {
  const [path, query] = location.hash.replace(/^#/, "").split("?");
  const parts = (path || "/").split("/").filter(Boolean).map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  return { page: parts[0] || "overview", id: parts[1] || "", query: Object.fromEntries(new URLSearchParams(query || "")) };
}

export const route = store(read());
addEventListener("hashchange", () => route.set(read()));

export function to(page, id = "", query = {}) {
  const filled = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const tail = new URLSearchParams(filled).toString();
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ""}${tail ? `?${tail}` : ""}`;
}

// Change the query of this page without a new entry in the history.
export function amend(query) {
  const here = route.now;
  history.replaceState(null, "", to(here.page, here.id, { ...here.query, ...query }));
  route.set(read());
}
