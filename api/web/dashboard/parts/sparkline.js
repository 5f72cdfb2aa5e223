// Six hours of one signal in a thumb's width; a gap stays a gap.
import { html, useEffect, useState } from "../vendor/htm/preact-standalone.module.js";
import { history } from "../facts.js";
import { live, now, speed } from "../live.js";
import { columns } from "./chart.js";
import { reading } from "./value.js";

const SPAN_S = 21600, AGAIN_MS = 20000, WIDE = 120, HIGH = 26;

export function Sparkline({ unit, role }) {
  const [path, draw] = useState("");
  useEffect(() => {
    let ended = false;
    const load = async () => {
      const { signal } = reading(unit, role);
      if (!signal || live.now.link !== "connected") return;
      try {
        const { buckets, gaps } = await history(signal, now() - SPAN_S, now(), 60);
        if (!ended) draw(line(columns(buckets, gaps), now()));
      } catch { /* keeps the former line */ }
    };
    load();
    const timer = setInterval(load, speed() > 10 ? AGAIN_MS / 5 : AGAIN_MS);
    return () => { ended = true; clearInterval(timer); };
  }, [unit, role]);
  return html`<svg class="spark" viewBox=${`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true"><path d=${path} /></svg>`;
}

function line([times, , means], end) {
  const good = means.filter((each) => each !== null);
  if (!good.length) return "";
  const least = Math.min(...good), most = Math.max(...good), spread = Math.max(most - least, Math.abs(most) * 0.004 || 0.01);
  const low = (least + most - spread) / 2;
  let pen = "M", path = "";
  times.forEach((t, n) => {
    if (means[n] === null) { pen = "M"; return; }
    const x = WIDE * (1 - (end - t) / SPAN_S), y = HIGH - 3 - ((HIGH - 6) * (means[n] - low)) / spread;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  return path;
}
