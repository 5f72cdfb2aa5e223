// Requests to /api/v1: JSON, anti-forgery header, problem details, a limit on waiting.
export const ROOT = "/api/v1";
let forgery = "";
export const setForgery = (token) => { forgery = token || ""; };

// The server refused: `status`, `type`, `text` for a person, and whatever else the problem carries.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    Object.assign(this, { status, type: String(body.type || ""), body });
  }
}

// No answer: whether it was carried out is not known.
export class NoAnswer extends Error {}

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export function call(method, path, body, { key = "", limit = 8000 } = {}) {
  const sent = method === "GET" ? undefined : JSON.stringify(body ?? {});
  return exchange(method, path, sent, sent === undefined ? "" : "application/json", key, limit);
}

// A file as it is; a slow line may take two minutes.
export const upload = (path, file, { key }) => exchange("POST", path, file, file.type, key, 125000);

async function exchange(method, path, body, type, key, limit) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-Osteon"] = forgery || "1";
  if (type) headers["Content-Type"] = type;
  if (key) headers["Idempotency-Key"] = key;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), limit);
  try {
    const answer = await fetch(ROOT + path, {
      method, headers, signal: stop.signal, credentials: "same-origin", cache: "no-store", body,
    });
    return await read(answer);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new NoAnswer(String(error.message || error));
  } finally {
    clearTimeout(timer);
  }
}

async function read(answer) {
  const text = await answer.text();
  let body = {};
  try { body = text ? JSON.parse(text) : {}; } catch { body = { detail: text.slice(0, 200) }; }
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

export const get = (path) => call("GET", path);
export const post = (path, body, options) => call("POST", path, body, options);
export const seg = encodeURIComponent;
