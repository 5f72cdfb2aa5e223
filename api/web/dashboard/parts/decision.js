// A question to a person (6.7): what is known, what each answer does, the worst case beside the vessel's limit. No answer is
// preselected; one after which fluid flows once more needs a second look (UI-75).
import { html, useState } from "../vendor/htm/preact-standalone.module.js";
import { acts, busy, send } from "../acts.js";
import { seg } from "../api.js";
import { number } from "../format.js";
import { live } from "../live.js";
import { useStore } from "../store.js";
import { W } from "../words.js";
import { Outcomes } from "./commands.js";
import { Dialog } from "./dialog.js";
import { mayDecide, notYours } from "./rights.js";

const AMOUNTS = ["delivered", "nothing"];
const ml = (value) => (value === null ? W.notKnown : number(value, 2));

function worst({ worst_ml: most }, max) {
  return most === null ? "" : `${W.atWorst(number(most, 1), number(max, 0))}${most > max ? `, ${W.overLimit}` : ""}`;
}

export function Decision({ run, step }) {
  const [chosen, choose] = useState(null), [amount, setAmount] = useState(""), [why, setWhy] = useState(""), [looks, look] = useState(false);
  useStore(acts);
  const { strokes, answers, max_ml: max } = step.evidence;
  const answer = answers.find((each) => each.answer === chosen);
  const again = answer && answer.worst_ml !== null && answer.worst_ml > Math.min(...answers.map((each) => each.worst_ml));
  const asked = strokes.length > 0 && AMOUNTS.includes(chosen), value = amount.trim() === "" ? null : Number(amount.replace(",", "."));
  const amiss = asked && ((value === null && chosen === "delivered") || (value !== null && !(value >= 0)));
  const off = live.now.link !== "connected" ? W.whyOff : notYours(mayDecide());
  const decide = () => send({ where: step.path, what: "decide", label: `${step.title}: ${chosen}`, path: `/runs/${seg(run)}/decisions`,
    body: { path: step.path, question: step.question, answer: chosen, volume_ml: asked ? value : null, why } });
  const submit = (event) => { event.preventDefault(); if (again) look(true); else decide(); };
  return html`<form class="question" data-question=${step.path} onSubmit=${submit}><p><b>${W.waitingDecision}:</b> ${step.question}</p>
    ${strokes.map((each) => html`<p class="note" key=${each.at}>${`${W.strokeInDoubt(each.device, each.stroke, number(each.asked_ml, 2))}: ${W.counter} ${ml(each.counter_before_ml)} → ${ml(each.counter_after_ml)} mL`
      + `${each.witness ? `, ${each.witness} ${ml(each.witness_before)} → ${ml(each.witness_after)}` : ""}. ${each.why}`}</p>`)}
    <fieldset class="bare answers" disabled=${Boolean(off)}>
      ${answers.map((each) => html`<label key=${each.answer}><input type="radio" name=${`answer ${step.path}`} value=${each.answer}
        checked=${chosen === each.answer} onChange=${() => choose(each.answer)} /> <span><b>${each.answer}</b>: ${each.does}${worst(each, max) && html`; <b>${worst(each, max)}</b>`}</span></label>`)}
      ${asked && html`<label class="entry"><span>${chosen === "delivered" ? W.movedMl : W.leftMl}</span><input inputmode="decimal" name="amount" value=${amount}
        onInput=${(event) => setAmount(event.target.value)} autocomplete="off" /><span class="sign">mL</span></label>`}
      <label class="entry"><span>${W.reason}</span><input name="why" value=${why} onInput=${(event) => setWhy(event.target.value)} autocomplete="off" /></label>
      <button class="strong" disabled=${!chosen || amiss || busy(step.path, "decide")}>${W.decide}</button>
    </fieldset>
    ${off && html`<p class="why">${off}</p>`}
    <${Outcomes} where=${[step.path]} />
    ${looks && html`<${Dialog} title=${W.secondLook} text=${`${answer.answer}: ${answer.does}.`} act=${W.decide} keep=${W.goBack} onAct=${decide} onClose=${() => look(false)}>
      <p><b>${worst(answer, max)}</b></p></${Dialog}>`}</form>`;
}
