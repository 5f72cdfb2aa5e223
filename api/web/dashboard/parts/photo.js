// A photo of a hand step: taken or chosen, sent at once, shown small; its entry is the name that the service gave it (SEC-12).
import { html, useState } from "../vendor/htm/preact-standalone.module.js";
import { NoAnswer, ROOT, newKey, seg, upload } from "../api.js";
import { W } from "../words.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"], MOST_MIB = 20, MIB = 1 << 20;

export function Photo({ task, entry, raw, off, edit }) {
  const [phase, set] = useState(null);
  const take = async (event) => {
    const file = event.target.files[0];
    event.target.value = "";
    if (!file) return;
    if (!TYPES.includes(file.type)) return set({ wrong: W.photoKinds });
    if (file.size > MOST_MIB * MIB) return set({ wrong: W.photoLarge(MOST_MIB) });
    set({ sending: W.photoSending((file.size / MIB).toFixed(1)) });
    try {
      const answer = await upload(`/runs/${seg(task.run)}/tasks/photos?path=${seg(task.path)}`, file, { key: newKey() });
      set(null);
      edit(entry.name, answer.photo);
    } catch (error) {
      set({ wrong: error instanceof NoAnswer ? W.photoLost : W.refused(error.body?.faults?.join("; ") || error.message) });
    }
  };
  const at = `${ROOT}/runs/${seg(task.run)}/photos/${seg(raw)}`;
  return html`<div class="entry photo" data-photo=${raw}><span>${entry.name}</span>
    <label class=${`button file${off || phase?.sending ? " off" : ""}`}><input type="file" name=${entry.name} accept=${TYPES.join(",")} capture="environment" disabled=${off || Boolean(phase?.sending)}
      onChange=${take} /><span>${raw ? W.photoAgain : W.photoTake}</span></label>
    ${raw && html`<a class="shot" href=${at} title=${W.photoWhole}><img src=${at} alt=${W.photoOf(entry.name)} /></a>`}
    <span class=${phase?.wrong ? "why wrong" : "why"} role="status">${phase?.sending || phase?.wrong || (raw ? "" : W.photoKinds)}</span></div>`;
}
