// One task for a person: what, why, who is on it, entries checked while typing, draft kept; in a demo "answer for me" too (6.6).
import { html, useEffect, useState } from "../vendor/htm/preact-standalone.module.js";
import { NoAnswer, call, newKey, seg } from "../api.js";
import { duration, symbol } from "../format.js";
import { live, now } from "../live.js";
import { session } from "../session.js";
import { store, useStore } from "../store.js";
import { W } from "../words.js";
import { draft, fetched, forget, keep } from "./draft.js";
import { Photo } from "./photo.js";
import { Scan, onward } from "./scan.js";
import { Due } from "./when.js";

const SOON_S = 60;
const said = store({});
const lotKey = (material) => `lot of ${material}`;
const batchKey = (into) => `batch in ${into}`, keptKey = (into) => `arrived in ${into}, %`;
const FIELDS = { photo: Photo, scan: Scan };
const OUT = "out of the incubator, min";
const keyOf = (task) => `${task.run} ${task.path}`;

async function post(task, tail, body) {
  const at = keyOf(task);
  said.set({ [at]: { phase: "sending", text: W.phases.sending } });
  try {
    const answer = await call("POST", `/runs/${seg(task.run)}/tasks/${tail}`, body, { key: newKey() });
    said.set({ [at]: { phase: "confirmed", text: tail === "answer" ? W.answered : W.claimed[body.by] } });
    return answer;
  } catch (error) {
    const faults = error.body?.faults?.join("; ");
    said.set({ [at]: error instanceof NoAnswer ? { phase: "unknown", text: W.phases.unknown } : { phase: "refused", text: W.refused(faults || error.message) } });
    return null;
  }
}

// What is wrong with one entry ("" = nothing), and whether that stops the answer.
export function fault(entry, raw) {
  if (raw === undefined || raw === "") return { text: W.missing, stops: true };
  if (entry.kind !== "number") return { text: "", stops: false };
  const value = Number(String(raw).replace(",", ".")), unit = symbol(entry.unit);
  if (!Number.isFinite(value)) return { text: W.notNumber, stops: true };
  if ((entry.low !== null && value < entry.low) || (entry.high !== null && value > entry.high)) return { text: W.outsideLimits(entry.low, entry.high, unit), stops: true };
  if ((entry.warn_low !== null && value < entry.warn_low) || (entry.warn_high !== null && value > entry.warn_high)) return { text: W.unusual(entry.warn_low, entry.warn_high, unit), stops: false };
  return { text: "", stops: false };
}

const taken = (entry, raw) => (entry.kind === "number" ? Number(String(raw).replace(",", ".")) : entry.kind === "yes_no" ? raw === "yes" : String(raw));

// Wall seconds until the simulated person answers by themselves; null = nobody knows, or somebody is on it.
function answersIn(task) {
  const { speed } = live.now.snapshot;
  return task.claimed_by || !task.answers_at || !speed ? null : Math.max(0, Math.ceil((task.answers_at - now()) / speed));
}

// Whether what was typed as the part that arrived is none.
function notKept(raw) {
  const percent = Number((raw ?? "").trim().replace(",", "."));
  return (raw ?? "").trim() !== "" && !(percent > 0 && percent <= 100);
}

// What the person says of the batches that the step makes, where it is not as the protocol has it.
function batchesSaid(task, entries) {
  return Object.fromEntries((task.makes ?? []).map(({ into }) => {
    const batch = (entries[batchKey(into)] ?? "").trim(), kept = (entries[keptKey(into)] ?? "").trim();
    return [into, { ...(batch && { batch }), ...(kept && { kept: Number(kept.replace(",", ".")) / 100 }) }];
  }).filter(([, said]) => Object.keys(said).length));
}

export function Task({ task }) {
  const [entries, set] = useState(() => draft(task));
  const result = useStore(said)[keyOf(task)];
  const helped = Boolean(live.now.snapshot?.simulated_person), me = (session.now.who || session.now.before)?.user;
  const mine = task.claimed_by === me, left = answersIn(task);
  const off = live.now.link !== "connected", busy = off || result?.phase === "sending";
  const faults = task.entries.map((entry) => fault(entry, entries[entry.name]));
  const lotless = task.lots.some((name) => !(entries[lotKey(name)] || "").trim());
  const unkept = (task.makes ?? []).some(({ into }) => notKept(entries[keptKey(into)]));
  const edit = (name, raw) => set((before) => { const next = { ...before, [name]: raw }; keep(task, next); return next; });
  useEffect(() => { if (mine) fetched(task).then((found) => found && set(found)); }, [mine, keyOf(task)]);
  const claim = (by) => post(task, "claim", { path: task.path, by });
  const send = async (event) => {
    event.preventDefault();
    const body = { path: task.path, entries: Object.fromEntries(task.entries.map((entry) => [entry.name, taken(entry, entries[entry.name])])) };
    if (task.lots.length) body.lots = Object.fromEntries(task.lots.map((name) => [name, (entries[lotKey(name)] || "").trim()]));
    const batches = batchesSaid(task, entries);
    if (Object.keys(batches).length) body.batches = batches;
    if (task.out_of_incubator_s && (entries[OUT] ?? "").trim() !== "") body.out_min = Number(entries[OUT].replace(",", "."));
    if (await post(task, "answer", body)) forget(task);
  };
  const button = (by, text, note = "") => html`<button type="button" class=${by === "me" ? "strong" : ""} data-claim=${by} disabled=${busy} title=${note}
    onClick=${() => claim(by)}>${text}</button>`;
  const forMe = helped && button("simulated", W.answerForMe, W.answerForMeNote);
  return html`<article class="panel task" data-task=${task.path} data-claimed=${task.claimed_by}>
    <h3>${task.title}</h3>
    ${task.due !== null && task.due !== undefined && html`<p><${Due} task=${task} /></p>`}
    ${task.instruction !== task.title && html`<p class="instruction">${task.instruction}</p>`}
    <p class="note">${[task.takes_s && W.takes(duration(task.takes_s)), task.out_of_incubator_s && W.outOf(duration(task.out_of_incubator_s)),
      task.lots.length && `${W.lots}: ${task.lots.join(", ")}`, task.sample && `${W.sample}: ${task.sample}`,
      task.overdue_s && `${W.until}: ${W.holdsAfter(duration(task.overdue_s))}`].filter(Boolean).join(" · ")}</p>
    ${!task.claimed_by && html`${left !== null && left < SOON_S && html`<p class="note">${W.answersIn(left)}</p>`}
      <div class="row wrap">${button("me", W.iWill)}${forMe}</div>`}
    ${task.claimed_by && !mine && html`<p class="note">${W.taskBy(task.claimed_by)}</p><div class="row wrap">${button("anyone", W.free, W.freeNote)}</div>`}
    ${mine && html`<form onSubmit=${send} class="entries"><p class="note">${helped ? W.mineHelped : W.mineNote}</p>
      ${task.entries.map((entry, n) => html`<${FIELDS[entry.kind] ?? Entry} key=${entry.name} task=${task} entry=${entry} raw=${entries[entry.name] ?? ""}
        expected=${task.expects?.[entry.name]} off=${off} fault=${faults[n]} edit=${edit} />`)}
      ${task.lots.map((name) => html`<${Lot} key=${name} name=${name} stock=${task.stock?.[name] ?? []} raw=${entries[lotKey(name)] ?? ""} edit=${edit} />`)}
      ${(task.makes ?? []).map((child) => html`<${Made} key=${child.into} child=${child} entries=${entries} edit=${edit} />`)}
      ${task.out_of_incubator_s > 0 && html`<label class="entry"><span>${OUT}</span><input name=${OUT} inputmode="decimal" value=${entries[OUT] ?? ""}
        onInput=${(event) => edit(OUT, event.target.value)} autocomplete="off" /><span class="sign"></span><span class="why">${outsaid(task, entries[OUT])}</span></label>`}
      <div class="row wrap"><button class="strong" disabled=${busy || lotless || unkept || faults.some((each) => each.stops)}>${W.signOff}</button>
        ${button("anyone", W.giveBack)}${forMe}</div>
    </form>`}
    ${off && html`<p class="why">${W.whyOff}</p>`}
    ${result?.text && html`<p class="why" role="status" data-phase=${result.phase}>${result.text}</p>`}
  </article>`;
}

// The lot of one material, typed, scanned, or taken from what is on stock.
function outsaid(task, raw) {
  if ((raw ?? "").trim() === "") return W.outMissing;
  const minutes = Number(raw.replace(",", "."));
  return minutes >= 0 && minutes <= task.out_of_incubator_s / 60 ? "" : W.outTooLong(duration(task.out_of_incubator_s));
}

function Lot({ name, stock, raw, edit }) {
  const change = (event) => edit(lotKey(name), event.target.value), list = `stock of ${name}`.replaceAll(" ", "-");
  return html`<label class="entry"><span>${lotKey(name)}</span><input name=${lotKey(name)} value=${raw} onInput=${change} onKeyDown=${onward} list=${list} autocomplete="off" />
    <datalist id=${list}>${stock.map((lot) => html`<option key=${lot} value=${lot} />`)}</datalist>
    <span class="sign"></span><span class="why">${raw === "" ? W.lotOf(stock) : ""}</span></label>`;
}

// A batch that the step makes: its name and how much arrived, both as they will be written unless typed otherwise.
function Made({ child, entries, edit }) {
  const name = batchKey(child.into), kept = keptKey(child.into), share = child.kept * 100;
  return html`<label class="entry"><span>${name}</span><input name=${name} placeholder=${child.batch} value=${entries[name] ?? ""}
      onInput=${(event) => edit(name, event.target.value)} autocomplete="off" /><span class="sign"></span><span class="why">${W.made(child.kind, child.parents)}</span></label>
    <label class="entry"><span>${kept}</span><input name=${kept} inputmode="decimal" placeholder=${share} value=${entries[kept] ?? ""}
      onInput=${(event) => edit(kept, event.target.value)} autocomplete="off" /><span class="sign">%</span><span class="why">${notKept(entries[kept]) ? W.keptWrong : ""}</span></label>`;
}

function Entry({ entry, raw, fault: wrong, edit }) {
  const change = (event) => edit(entry.name, event.target.value);
  const input = entry.kind === "yes_no"
    ? html`<select name=${entry.name} value=${raw} onChange=${change}><option value="">${W.choose}</option><option value="yes">${W.yes}</option><option value="no">${W.no}</option></select>`
    : entry.kind === "choice"
    ? html`<select name=${entry.name} value=${raw} onChange=${change}><option value="">${W.choose}</option>${entry.options.map((word) => html`<option key=${word} value=${word}>${word}</option>`)}</select>`
    : html`<input name=${entry.name} value=${raw} onInput=${change} inputmode=${entry.kind === "number" ? "decimal" : "text"} autocomplete="off" />`;
  const range = entry.kind === "number" && entry.low !== null && entry.high !== null ? W.limitsOf(entry.low, entry.high, symbol(entry.unit)) : "";
  return html`<label class="entry"><span>${entry.name}</span>${input}<span class="sign">${symbol(entry.unit)}</span>
    <span class=${wrong.stops && raw !== "" ? "why wrong" : "why"}>${raw === "" ? range : wrong.text || range}</span></label>`;
}
