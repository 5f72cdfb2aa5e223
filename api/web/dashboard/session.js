// Who is signed in on this page.
import { store } from "./store.js";
import { Problem, call, get, post, setForgery } from "./api.js";
import * as live from "./live.js";

// who: undefined = not asked yet, null = nobody.
export const session = store({ who: undefined, before: null, setUp: false, trouble: "" });

function enter(who) {
  setForgery(who.csrf);
  session.set({ who, before: who, trouble: "" });
  live.begin();
}

export async function ask() {
  try {
    enter(await get("/session"));
  } catch (error) {
    if (error instanceof Problem) session.set({ who: null, setUp: /set-?up/.test(error.type) });
    else session.set({ who: null, trouble: "noServer" });
  }
}

export const signIn = async (user, password) => enter(await post("/session", { user, password }));
export const setUp = async (fields) => {
  await post("/setup", fields);
  await signIn(fields.user, fields.password);
};

export async function signOut() {
  try { await call("DELETE", "/session"); } finally {
    live.end();
    session.set({ who: null, before: null });
  }
}

// The server said that the session has ended: the form covers the page, which stays where it was (UI-28).
live.live.watch((state) => {
  if (state.refused === "session" && session.now.who) { live.end(); session.set({ who: null }); }
});
