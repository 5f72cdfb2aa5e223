// A question before something starts or ends: focus on keeping things as they are, Escape closes without effect (UI-100, UI-103).
import { html, useEffect, useRef } from "../vendor/htm/preact-standalone.module.js";

export function Dialog({ title, text, act, keep, onAct, onClose, first = "keep", children }) {
  const box = useRef(null);
  useEffect(() => {
    const opener = document.activeElement;
    const own = box.current;
    own.showModal();
    own.querySelector(first === "act" ? ".act" : ".keep")?.focus();
    return () => { own.close(); opener?.focus?.(); };
  }, []);
  return html`<dialog ref=${box} class="dialog" aria-labelledby="dialog-title" onClose=${onClose}
      onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <h2 id="dialog-title">${title}</h2>
    ${text && html`<p>${text}</p>`}
    ${children}
    <div class="row end">
      <button type="button" class="keep" onClick=${onClose}>${keep}</button>
      ${act && html`<button type="button" class="act strong" onClick=${() => { onClose(); onAct(); }}>${act}</button>`}
    </div>
  </dialog>`;
}
