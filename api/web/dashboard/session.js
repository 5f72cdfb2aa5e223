// Who is signed in on this page.
import { store } from "./store.js";
import { Problem, call, get, post, setForgery } from "./api.js";
import * as live from "./live.js";

const TOUCH_MS = 60000;

// who: undefined = not asked yet, null = nobody.
export const session = store({ who: undefined, before: null, setUp: false, trouble: "" });

async function setUpNeeded() {
  try { return (await get("/setup")).needed; } catch { return false; }
}

function enter(who) {
  setForgery(who.csrf);
  session.set({ who, before: who, trouble: "" });
  live.begin();
}

export async function ask() {
  try {
    enter(await get("/session"));
  } catch (error) {
    if (error instanceof Problem) session.set({ who: null, setUp: await setUpNeeded() });
    else session.set({ who: null, trouble: "noServer" });
  }
}

export const signIn = async (user, password, renewed) =>
  enter(await post("/session", { user, password, ...(renewed ? { new_password: renewed } : {}) }));
export const setUp = async (fields) => {
  await post("/setup", fields);
  session.set({ setUp: false });
  await signIn(fields.user, fields.password);
};

export async function signOut() {
  try { await call("DELETE", "/session"); } finally {
    live.end();
    session.set({ who: null, before: null });
  }
}

export const signInAgain = () => session.set({ who: null });

// The session has ended: the form covers the page, which stays where it was (UI-28). A handshake that is refused looks
// like a lost connection to the page, so after each failed one it asks who it is.
let failed = 0;
live.live.watch(async (state) => {
  if (!session.now.who) return;
  let ended = state.refused === "session";
  if (!ended && state.failed > failed) {
    failed = state.failed;
    try { await get("/session"); } catch (error) { ended = error instanceof Problem && error.status === 401; }
  }
  if (ended) { live.end(); session.set({ who: null }); }
});

// Somebody is at the page: at most once a minute the server hears of it, so that the session does not go idle.
let touched = 0;
async function touch() {
  if (!session.now.who || session.now.who.view_only || performance.now() - touched < TOUCH_MS) return;
  touched = performance.now();
  try { session.set({ who: await post("/session/touch", {}) }); } catch { /* the stream tells when the session has ended */ }
}
for (const what of ["pointerdown", "keydown"]) addEventListener(what, touch, { passive: true });
