// The frame of every page: top bar, notices, banner, the page of the address, the bar at the foot on phones.
import { html, render } from "./vendor/htm/preact-standalone.module.js";
import "./acts.js";
import { live } from "./live.js";
import { route } from "./route.js";
import { ask, session } from "./session.js";
import { useStore } from "./store.js";
import { STATES, W } from "./words.js";
import { Banner, unseen } from "./parts/alarms.js";
import { Notices, Strip } from "./parts/notices.js";
import { BottomBar, TopBar } from "./parts/topbar.js";
import { Alarms, Tasks } from "./pages/lists.js";
import { Overview } from "./pages/overview.js";
import { RunPage } from "./pages/run.js";
import { SignIn } from "./pages/signin.js";
import { Unit } from "./pages/unit.js";

const PAGES = {
  overview: () => html`<${Overview} />`,
  units: (here) => html`<${Unit} key=${here.id} name=${here.id} query=${here.query} />`,
  runs: (here) => html`<${RunPage} key=${here.id} name=${here.id} query=${here.query} />`,
  tasks: () => html`<${Tasks} />`,
  alarms: () => html`<${Alarms} />`,
};

function App() {
  const { who, setUp } = useStore(session);
  const here = useStore(route);
  const state = useStore(live);
  title(state, here, who);
  if (who === undefined) return html`<p class="sheet">${W.loading}</p>`;
  if (who === null) return html`<${SignIn} first=${here.page === "setup" || setUp} />`;
  const { snapshot } = state;
  const page = PAGES[here.page] || PAGES.overview;
  const unit = here.page === "units" ? here.id : Object.keys(snapshot?.units || {})[0];
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.getElementById("main").focus(); }}>${W.skip}</a>
    <${TopBar} route=${here} /><${Strip} /><${Notices} />${snapshot && html`<${Banner} alarms=${snapshot.alarms} />`}
    <main id="main" tabindex="-1" class=${state.link === "lost" || !state.scanning ? "blind" : ""}>
      ${snapshot ? page(here) : html`<p class="panel" data-doing role="status">${state.doing ? W.startingBy(state.doing) : W.loading}</p>`}</main>
    <${BottomBar} route=${here} unit=${unit} />`;
}

// "(2) reactor - Held"; another icon when an alarm stands or the connection is lost (UI-04, UI-22).
function title({ snapshot, link, scanning }, here, who) {
  const open = unseen(snapshot?.alarms || []).filter((each) => each.priority !== "low").length;
  const run = snapshot?.runs.find((each) => each.unit === here.id || each.run === here.id) || snapshot?.runs[0];
  const words = who && link === "lost" ? W.links.lost : who && !scanning ? W.links.blind : run ? `${run.unit} - ${STATES[run.state] || run.state}` : snapshot?.bench || "osteon";
  document.title = `${open ? `(${open}) ` : ""}${words}`;
  const icon = `icons/${who && link === "lost" ? "lost" : open || !scanning ? "alarm" : "normal"}.svg`;
  const mark = document.getElementById("icon");
  if (mark.getAttribute("href") !== icon) mark.setAttribute("href", icon);
}

render(html`<${App} />`, document.getElementById("app"));
ask();
