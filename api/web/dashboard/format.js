// Numbers, times and durations as text. Times are UTC seconds of the bench; shown in the site's zone (UI-30).
const made = new Map();

function formatter(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }));
  return made.get(key);
}

let zone = "UTC";
export const setZone = (name) => {
  try { formatter(name || "UTC", { hour: "2-digit" }); zone = name || "UTC"; } catch { zone = "UTC"; }
};
export const zoneName = () => zone;

// Dates of another year than the bench's say so.
let thisYear = "";
const year = (t) => formatter(zone, { year: "numeric" }).format(t * 1000);
export const setNow = (t) => { thisYear = year(t); };

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const SHORT = { hour: "2-digit", minute: "2-digit" };
const DATE = { weekday: "short", day: "2-digit", month: "short" };

export const clock = (t) => formatter(zone, TIME).format(t * 1000);
export const hour = (t) => formatter(zone, SHORT).format(t * 1000);
export const date = (t) => formatter(zone, DATE).format(t * 1000).replace(",", "") + (thisYear && year(t) !== thisYear ? ` ${year(t)}` : "");
export const moment = (t) => `${date(t)} ${hour(t)}`;
export const exact = (t) => `${date(t)} ${clock(t)}`;
export const utc = (t) => `${new Date(t * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

// What a pointer resting on a time sees: UTC, and the viewer's own time where it differs (UI-30).
export function elsewhere(t) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const mine = own && own !== zone ? `; ${formatter(own, { ...DATE, ...TIME }).format(t * 1000)} ${own}` : "";
  return utc(t) + mine;
}

export function zoneShort(t) {
  const part = formatter(zone, { timeZoneName: "short", hour: "2-digit" }).formatToParts(t * 1000);
  return (part.find((p) => p.type === "timeZoneName")?.value || zone).replace("GMT", "UTC");
}

// Midnight of the day `t` lies in, at the site.
export function midnight(t) {
  const parts = formatter(zone, TIME).formatToParts(t * 1000);
  const of = (type) => Number(parts.find((p) => p.type === type).value);
  return t - (of("hour") * 3600 + of("minute") * 60 + of("second")) - (t % 1);
}

const two = (n) => String(Math.floor(n)).padStart(2, "0");
const hms = (s) => `${two(s / 3600)}:${two((s % 3600) / 60)}:${two(s % 60)}`;

// "05:12:40", "2 d 04:12:33".
export function countdown(seconds) {
  const left = Math.abs(seconds);
  const days = Math.floor(left / 86400);
  return days ? `${days} d ${hms(left % 86400)}` : hms(left);
}

// "42 s", "1 min 51 s", "4 h 12 min", "2 d 4 h".
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 && s < 600 ? ` ${s % 60} s` : ""}`;
  if (s < 172800) return `${Math.floor(s / 3600)} h${s % 3600 >= 60 ? ` ${Math.floor((s % 3600) / 60)} min` : ""}`;
  return `${Math.floor(s / 86400)} d${s % 86400 >= 3600 ? ` ${Math.floor((s % 86400) / 3600)} h` : ""}`;
}

// Elapsed run time as "day 12, 04:12".
export function elapsed(seconds) {
  const s = Math.max(0, seconds);
  return `day ${Math.floor(s / 86400)}, ${two((s % 86400) / 3600)}:${two((s % 3600) / 60)}`;
}

const numbers = new Map();
export function number(value, decimals = 2) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "---";
  if (!numbers.has(decimals)) {
    numbers.set(decimals, new Intl.NumberFormat(undefined,
      { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false }));
  }
  return numbers.get(decimals).format(value);
}

const SYMBOLS = { Cel: "°C", "[pH]": "pH", "[ppm]": "ppm", "1/min": "/min", uL: "µL" };
export const symbol = (unit) => SYMBOLS[unit] ?? unit ?? "";
