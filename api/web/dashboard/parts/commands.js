// Buttons of a run: which ones, and why one is off, comes from the server (UI-133). Stopping takes one click, starting two.
import { html, useState } from "../vendor/htm/preact-standalone.module.js";
import { acts, busy, send } from "../acts.js";
import { seg } from "../api.js";
import { clock } from "../format.js";
import { live } from "../live.js";
import { label } from "../signals.js";
import { useStore } from "../store.js";
import { COMMANDS, DIALOGS, W } from "../words.js";
import { Dialog } from "./dialog.js";
import { mayAct, mayGive, notYours } from "./rights.js";

const ORDER = ["hold", "restart", "pause", "resume", "stop", "abort", "reset"];

// What the server's state table lists for this state, in the order of the page.
const listed = (run) => ORDER.filter((cause) => run.commands.includes(cause));

export function give(run, cause) {
  return send({ where: run.run, what: cause, label: `${COMMANDS[cause]} ${run.run}`, path: `/runs/${seg(run.run)}/commands`,
    body: { cause, state_seen: run.state, why: "" } });
}

export function Commands({ run, unit, stays }) {
  const [asking, ask] = useState(null);
  useStore(acts);
  const off = live.now.link !== "connected";
  const offered = run ? listed(run) : [];
  const why = (cause) => (off ? W.whyOff : notYours(mayGive(cause)));
  const click = (cause) => (DIALOGS[cause] ? ask(cause) : give(run, cause));
  return html`<section class="panel commands" aria-label=${W.commands}>
    <div class="row wrap">
      ${offered.map((cause) => html`<button type="button" key=${cause} class=${`command ${cause}`} data-command=${cause}
          disabled=${Boolean(why(cause)) || busy(run.run, cause)} title=${why(cause)} onClick=${(event) => event.detail < 2 && click(cause)}>${COMMANDS[cause]}</button>`)}
      <${StopPumps} unit=${unit} off=${off} />
    </div>
    ${off && html`<p class="why">${W.whyOff}</p>`}
    ${!off && refused(offered).map(({ what, text }) => html`<p class="why" key=${what}>${what}: ${text}</p>`)}
    ${run && !offered.length && html`<p class="why">${W.noCommand}</p>`}
    ${stays.length > 0 && offered.includes("hold") && html`<p class="note">${W.holdKeeps(stays.map(label).join(", "))}</p>`}
    <${Outcomes} where=${[run?.run, unit]} />
    ${asking && run && html`<${Dialog} ...${DIALOGS[asking](run.run)} first=${asking === "abort" ? "act" : "keep"}
      onAct=${() => give(run, asking)} onClose=${() => ask(null)} />`}
  </section>`;
}

// The buttons that are not this person's to press, and why.
function refused(offered) {
  const not = offered.filter((cause) => !mayGive(cause)).map((cause) => COMMANDS[cause]);
  const what = [...not, ...(mayAct() ? [] : [W.stopPumps])].join(", ");
  return what ? [{ what, text: notYours(false) }] : [];
}

function StopPumps({ unit, off }) {
  const act = () => send({ where: unit, what: "stop-pumps", label: W.stopPumps, path: `/units/${seg(unit)}/stop-pumps`, body: {} });
  const why = off ? W.whyOff : notYours(mayAct());
  return html`<button type="button" class="command stop-pumps" data-command="stop-pumps" disabled=${Boolean(why) || busy(unit, "stop-pumps")}
    title=${why || W.stopPumpsKeeps} onClick=${act}>${W.stopPumps}</button>`;
}

// The last commands and what the controller said: never "done" before it was confirmed.
export function Outcomes({ where }) {
  const mine = useStore(acts).list.filter((act) => where.includes(act.where)).slice(0, 3);
  if (!mine.length) return null;
  return html`<ul class="outcomes" aria-live="polite">${mine.map((act) => html`<li key=${act.key} data-phase=${act.phase}>
    <span>${act.label}: </span><b>${said(act)}</b>
    ${pumps(act).map((pump) => html`<div key=${pump.pump} class=${pump.confirmed ? "pump" : "pump open"}>
      ${pump.confirmed ? W.pumpStopped(pump.pump, clock(act.answer.at ?? act.at)) : W.pumpUnknown(pump.pump)}
      ${!pump.confirmed && html`<span class="why"> (${pump.text.replace(/^NOT CONFIRMED: /, "")})</span>`}</div>`)}
  </li>`)}</ul>`;
}

function said(act) {
  if (act.phase === "confirmed") return pumps(act).some((pump) => !pump.confirmed) ? W.confirmed(clock(act.at)).replace(/^\w+/, "Answered") : W.confirmed(clock(act.at));
  return act.phase === "refused" ? W.refused(act.text) : W.phases[act.phase];
}

const pumps = (act) => act.answer?.pumps || [];
