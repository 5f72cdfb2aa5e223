// What the signed-in person may do. The server says it, by the same table that it refuses by (UI-133); the page shows why not.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { session } from "../session.js";
import { W } from "../words.js";

// A command of a run, by its cause.
export const mayGive = (cause) => Boolean(session.now.who?.commands.includes(cause));

// Everything else an operator does: stop pumps, hold, tasks, acknowledge.
export const mayAct = () => Boolean(session.now.who?.acts);

// Answers to a question of a held run.
export const mayDecide = () => Boolean(session.now.who?.decides);

// Why a button is off for this person: "" = it is not.
export const notYours = (may) => (may ? "" : session.now.who?.view_only ? W.viewOnly : W.noRight(session.now.who?.role));

// What only somebody with the right to act can use; others see it, and why it is off.
export function ForActing({ children }) {
  const why = notYours(mayAct());
  return html`<fieldset class="bare" disabled=${Boolean(why)}>${children}</fieldset>${why && html`<p class="why">${why}</p>`}`;
}
