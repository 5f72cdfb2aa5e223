// Always in view: site, unit selector, connection, controller clock, open tasks, alarms, who (UI-01); on phones a bar at the foot too.
import { html, useState } from "../vendor/htm/preact-standalone.module.js";
import { clock, date, elsewhere, zoneShort } from "../format.js";
import { live, now } from "../live.js";
import { to } from "../route.js";
import { session, signOut } from "../session.js";
import { useTick } from "../store.js";
import { W } from "../words.js";
import { AlarmSymbol } from "./symbol.js";

export function TopBar({ route }) {
  useTick(250);
  const { snapshot, link, scanning } = live.now;
  const word = link === "connected" && !scanning ? "blind" : link;
  const t = now();
  const alarms = snapshot?.alarms || [];
  const units = Object.keys(snapshot?.units || {});
  const unit = route.page === "units" ? route.id : "";
  return html`<header class="topbar">
    <a class="site" href=${to("overview")}>${snapshot?.bench || "osteon"}</a>
    <select aria-label=${W.unit} value=${unit} onChange=${(event) => { location.hash = event.target.value ? to("units", event.target.value) : to("overview"); }}>
      <option value="">${W.overview}</option>${units.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>
    <span class=${`link ${word}`} data-link=${word} role="status"><svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      ${word === "connected" ? html`<circle class="full" cx="6" cy="6" r="4.5" />` : html`<circle class="open" cx="6" cy="6" r="4.5" /><path class="open" d="M2 10L10 2" />`}
      </svg> <span class="word">${W.links[word]}</span></span>
    ${snapshot && html`<time class="clock" title=${elsewhere(t)}><span class="wide">${date(t)} </span><b>${clock(t)}</b> <span class="wide">${zoneShort(t)}</span></time>`}
    <span class="gap"></span>
    <a class="count" href=${to("tasks")} data-count="tasks">${W.tasks} <b>${snapshot?.tasks.length ?? 0}</b></a>
    <a class="count" href=${to("alarms")} data-count="alarms">${alarms.length === 0 ? html`${W.alarms} <b>0</b>` : ["critical", "high", "low"].map((priority) => {
      const mine = alarms.filter((each) => each.priority === priority);
      return mine.length ? html`<span key=${priority} class="tally"><${AlarmSymbol} priority=${priority} size=${18}
        acknowledged=${mine.every((each) => each.state === "ACKED")} /><b>${mine.length}</b></span>` : "";
    })}</a>
    <${Menu} />
  </header>`;
}

function Menu() {
  const [open, set] = useState(false);
  const who = session.now.who || session.now.before;
  return html`<div class="menu"><button type="button" aria-expanded=${open} aria-label=${W.menu} onClick=${() => set(!open)}>
      <span class="wide">${who?.name || who?.user} · ${who?.role}</span><span class="narrow">☰</span></button>
    ${open && html`<div class="sheet-menu"><p class="narrow">${who?.name || who?.user} · ${who?.role}</p><${Theme} />
      <a href="equipment.html">${W.equipment}</a><a href="api/v1/openapi.json">${W.docs}</a>
      <button type="button" onClick=${signOut}>${W.signOut}</button></div>`}</div>`;
}

export function Theme() {
  const [chosen, set] = useState(document.documentElement.dataset.theme);
  const choose = (name) => {
    document.documentElement.dataset.theme = name;
    try { localStorage.setItem("osteon-theme", name); } catch { /* not kept then */ }
    dispatchEvent(new Event("osteon-theme"));
    set(name);
  };
  return html`<fieldset class="theme"><legend>${W.theme}</legend>${Object.entries(W.themes).map(([name, text]) => html`<label key=${name}>
    <input type="radio" name="theme" value=${name} checked=${chosen === name} onChange=${() => choose(name)} /> ${text}</label>`)}</fieldset>`;
}

export function BottomBar({ route, unit }) {
  const link = (page, href, text) => html`<a class=${route.page === page ? "here" : ""} href=${href} aria-current=${route.page === page ? "page" : null}>${text}</a>`;
  const { alarms = [], tasks = [] } = live.now.snapshot || {};
  return html`<nav class="bottombar" aria-label=${W.menu}>
    ${link("overview", to("overview"), W.overview)}
    ${link("alarms", to("alarms"), html`${W.alarms} <b>${alarms.length || ""}</b>`)}
    ${link("tasks", to("tasks"), html`${W.tasks} <b>${tasks.length || ""}</b>`)}
    ${unit && link("units", to("units", unit), W.unit)}
  </nav>`;
}
