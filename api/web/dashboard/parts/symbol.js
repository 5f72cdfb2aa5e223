// Alarm shapes with their letters (UI-11) and the marks of states: shape and word, never colour alone.
import { html } from "../vendor/htm/preact-standalone.module.js";
import { PRIORITIES } from "../words.js";

const SHAPES = {
  critical: "M6.5 1.5h7l5 5v7l-5 5h-7l-5-5v-7z",
  high: "M10 .8l9.2 9.2-9.2 9.2L.8 10z",
  low: "M10 1.2l9 16.6H1z",
};

export function AlarmSymbol({ priority, acknowledged = false, size = 20 }) {
  const look = `symbol ${priority}${acknowledged ? " seen" : " unseen"}`;
  return html`<svg class=${look} width=${size} height=${size} viewBox="0 0 20 20" role="img"
      aria-label=${`${priority}${acknowledged ? ", acknowledged" : ", not acknowledged"}`}>
    <path class="ring" d=${SHAPES[priority]} /><path class="shape" d=${SHAPES[priority]} />
    <text x="10" y=${priority === "low" ? 15.6 : 13.9} text-anchor="middle">${PRIORITIES[priority]}</text>
  </svg>`;
}

const STATES = {
  RUNNING: html`<path class="fill" d="M5 3l12 7-12 7z" />`,
  HELD: html`<path class="fill" d="M4 3h4v14H4zM12 3h4v14h-4z" />`,
  PAUSED: html`<path class="line" d="M5 4h2.5v12H5zM12.5 4H15v12h-2.5z" />`,
  STOPPED: html`<path class="fill" d="M4 4h12v12H4z" />`,
  ABORTED: html`<path class="line" d="M4 4l12 12M16 4L4 16" />`,
  COMPLETE: html`<path class="line" d="M3 11l5 5L17 5" />`,
  IDLE: html`<circle class="line" cx="10" cy="10" r="6" />`,
};
const MOVING = html`<path class="line" d="M5 3l12 7-12 7z" />`;

export const StateMark = ({ state }) =>
  html`<svg class="mark" width="16" height="16" viewBox="0 0 20 20" aria-hidden="true">${STATES[state] || MOVING}</svg>`;
