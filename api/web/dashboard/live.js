// The live picture: WebSocket, heartbeat watch, retries. States: connecting, connected, lost; and whether the controller scans.
import { store } from "./store.js";
import { setNow, setZone } from "./format.js";

const SILENCE_S = 5, LOOK_MS = 250, RETRY_S = [1, 2, 5, 10], SCANS = 3, AHEAD_S = 0.5;

export const live = store({
  snapshot: null, link: "connecting", scanning: true, scan: null, lost: null, restored: null, refused: "", failed: 0, ledger: "ok", doing: "",
});
const wall = () => performance.now() / 1000;
const base = { bench: 0, wall: 0, speed: 1 };
let socket = null, heard = 0, tries = 0, retry = 0, watching = 0, opened = 0;

const at = (moment) => base.bench + Math.max(0, Math.min(moment - base.wall, base.speed > 1 ? AHEAD_S : SILENCE_S)) * base.speed;

// Bench time now (UTC s): stands still while nothing is heard (UI-22), and never runs back because the speed fell.
let shown = 0;
export function now() {
  if (live.now.link === "lost") return (shown = live.now.lost.at ?? base.bench);
  const found = at(wall());
  shown = found < shown && shown - found < SILENCE_S * base.speed ? shown : found;
  return shown;
}
export const speed = () => base.speed;
export const blind = () => live.now.link !== "connected" || !live.now.scanning;
export const secondsLost = () => (live.now.lost ? wall() - live.now.lost.heard : 0);

export function begin() {
  if (!watching) watching = setInterval(look, LOOK_MS);
  connect();
}

export function end() {
  clearInterval(watching);
  clearTimeout(retry);
  watching = 0;
  drop();
  live.set({ snapshot: null, link: "connecting", lost: null, restored: null, scan: null, scanning: true });
}

export function tryNow() {
  clearTimeout(retry);
  connect();
}

function connect() {
  drop();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/api/v1/stream`);
  socket = mine;
  opened = wall();
  mine.onmessage = (event) => { if (socket === mine) hear(event.data); };
  mine.onclose = (event) => { if (socket === mine) closed(event.code); };
}

// A message that cannot be read would leave old values looking new: the connection counts as lost.
function hear(text) {
  try { take(JSON.parse(text)); } catch (error) { console.error(error); drop(); lose(); again(); }
}

function drop() {
  const old = socket;
  socket = null;
  if (old) { old.onclose = old.onmessage = null; old.close(); }
}

function closed(code) {
  socket = null;
  if ([4001, 4401, 1008].includes(code)) live.set({ refused: "session" });
  lose();
  live.set({ failed: live.now.failed + 1 });
  again();
}

function again() {
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_S[Math.min(tries++, RETRY_S.length - 1)] * 1000);
}

// Silence on an open socket is a lost connection too: a frozen server keeps its sockets (B5).
function look() {
  if (live.now.link === "connected" && wall() - heard > SILENCE_S) { lose(); drop(); again(); }
  else if (socket && live.now.link !== "connected" && wall() - Math.max(opened, heard) > SILENCE_S) { lose(); drop(); again(); }
}

function lose() {
  if (live.now.link === "lost") return;
  const known = live.now.snapshot !== null;
  live.set({ link: "lost", restored: null, lost: { heard: known ? heard : wall(), at: known ? at(heard) : null, alarms: alarmIds() } });
}

const alarmIds = () => new Set((live.now.snapshot?.alarms || []).map((each) => each.alarm_id));

function take(message) {
  heard = wall();
  if (message.type === "snapshot") whole(message);
  else if (message.type === "change") merge(message.changes || message, message.scanning);
  else if (message.type === "heartbeat") beat(message);
  else if (message.type === "resync") { drop(); connect(); }
}

// After a loss the whole picture is taken, not the missed differences (UI-24).
function whole(message) {
  const snapshot = message.snapshot || message;
  const lost = live.now.link === "lost" ? live.now.lost : null;
  tries = 0;
  setZone(snapshot.zone);
  time(snapshot.now, snapshot.speed);
  const change = { snapshot, link: "connected", lost: null, refused: "", ...scanned(snapshot.scan, message.scanning) };
  if (lost?.at) {
    const fresh = (snapshot.alarms || []).filter((each) => !lost.alarms.has(each.alarm_id));
    change.restored = { at: snapshot.now, after: wall() - lost.heard, alarms: fresh };
  }
  live.set(change);
}

function merge(changes, verdict) {
  const before = live.now.snapshot;
  if (!before) return;
  const { type, seq, devices, ...plain } = changes;
  const snapshot = { ...before, ...plain };
  if (devices) {
    const fresh = new Map(devices.map((each) => [each.name, each]));
    const kept = before.devices.map((each) => {
      const update = fresh.get(each.name);
      return update ? { ...each, ...update, readings: { ...each.readings, ...update.readings } } : each;
    });
    snapshot.devices = kept;
  }
  time(plain.now, snapshot.speed);
  live.set({ snapshot, ...scanned(plain.scan || live.now.scan, verdict) });
}

function beat(message) {
  const bench = typeof message.now === "string" ? Date.parse(message.now) / 1000 : message.now;
  time(bench, message.speed ?? live.now.snapshot?.speed);
  live.set({ ledger: message.ledger || "ok", doing: message.doing || "", ...scanned(message.scan, message.scanning) });
}

// The server's own verdict where it gives one: it knows a controller that is silent or away.
function scanned(scan, verdict) {
  if (typeof verdict === "boolean") return { scan: scan || live.now.scan, scanning: verdict };
  if (!scan) return {};
  const period = scan.period_s || 2;
  const scanning = scan.age_s === null || scan.age_s === undefined || scan.age_s <= Math.max(SCANS * period, 3);
  return { scan, scanning };
}

function time(bench, speed) {
  if (typeof bench === "number") { Object.assign(base, { bench, wall: wall() }); setNow(bench); }
  base.speed = typeof speed === "number" && speed > 0 ? speed : 1;
}
