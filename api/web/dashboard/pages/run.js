// A run over its whole time (6.3): planned above, actual below, the now-line; or the same as a list.
import { html, useEffect, useState } from "../vendor/htm/preact-standalone.module.js";
import { askTimeline, timelines } from "../facts.js";
import { live, now } from "../live.js";
import { Occurrence, OccurrenceList } from "../parts/occurrence.js";
import { Timeline } from "../parts/timeline.js";
import { Stage, State } from "../parts/card.js";
import { NextAction } from "../parts/nownext.js";
import { amend, to } from "../route.js";
import { useStore, useTick } from "../store.js";
import { W } from "../words.js";

const DAY = 86400;
const PRESETS = { run: W.wholeRun, week: W.week, day: W.dayWord, "6h": W.sixHours };
const WIDTHS = { week: 7 * DAY, day: DAY, "6h": 21600 };

// The part of time on the screen: a preset around now, or what the person chose.
function view(query, line, t) {
  if (query.from && query.to) return { from: Number(query.from), to: Number(query.to), live: false };
  const width = WIDTHS[query.view];
  if (!width) return { from: line.start - DAY / 4, to: Math.max(line.end, t) + DAY / 4, live: true };
  return { from: t - width * 0.45, to: t + width * 0.55, live: true };
}

export function RunPage({ name, query }) {
  useStore(timelines);
  useTick(1000);
  const [chosen, choose] = useState(null);
  useEffect(() => {
    const ask = () => askTimeline(name, 4000);
    ask();
    const timer = setInterval(ask, 2000);
    return () => clearInterval(timer);
  }, [name, live.now.link]);
  const run = live.now.snapshot.runs.find((each) => each.run === name);
  const line = timelines.now[name];
  if (!line) return html`<p class="panel">${W.loading}</p>`;
  const shown = view(query, line, now()), wide = shown.to - shown.from;
  const move = (from, to) => amend({ from: Math.round(from), to: Math.round(to), view: "" });
  const zoom = (factor) => { const middle = (shown.from + shown.to) / 2; move(middle - (wide * factor) / 2, middle + (wide * factor) / 2); };
  const asList = query.as === "list";
  return html`<div class="runpage"><header class="panel head"><h1>${name}</h1><div>${run ? html`<p class="batch"><a href=${to("units", run.unit)}>${run.protocol} · ${run.unit}${run.batch && ` · ${run.batch}`}</a></p>
      <${State} run=${run} /><${Stage} run=${run} line=${line} />` : html`<p>${line.protocol || ""}</p>`}</div>
      ${run && html`<${NextAction} run=${run} />`}</header>
    <section class="panel" aria-label=${W.runTimeline}><div class="row wrap tools">
      <div class="choice" role="group"><button type="button" aria-pressed=${!asList} onClick=${() => amend({ as: "" })}>${W.timeline}</button>
        <button type="button" aria-pressed=${asList} onClick=${() => amend({ as: "list" })}>${W.list}</button></div>
      ${!asList && html`<div class="choice" role="group">${Object.entries(PRESETS).map(([key, text]) => html`<button type="button" key=${key}
          aria-pressed=${shown.live && (query.view || "run") === key} onClick=${() => amend({ view: key, from: "", to: "" })}>${text}</button>`)}</div>
        <div class="choice" role="group"><button type="button" onClick=${() => zoom(0.5)} aria-label=${W.zoomIn}>+</button><button type="button" onClick=${() => zoom(2)} aria-label=${W.zoomOut}>−</button>
          <button type="button" onClick=${() => move(shown.from - wide / 3, shown.to - wide / 3)} aria-label=${W.earlier}>◀</button><button type="button" onClick=${() => move(shown.from + wide / 3, shown.to + wide / 3)} aria-label=${W.later}>▶</button></div>
        <button type="button" onClick=${() => move(now() - wide / 2, now() + wide / 2)}>${W.goNow}</button>
        <span class="note">${W.legend}</span>`}</div>
      ${asList ? html`<${OccurrenceList} line=${line} choose=${choose} />` : html`<${Timeline} line=${line} from=${shown.from} to=${shown.to} choose=${choose} move=${move} />`}
    </section>
    ${chosen && html`<${Occurrence} bar=${chosen} run=${run} onClose=${() => choose(null)} />`}</div>`;
}
