// Sign-in and first set-up; also covers a page whose session has ended, which stays where it was.
import { html, useState } from "../vendor/htm/preact-standalone.module.js";
import { NoAnswer } from "../api.js";
import { session, setUp, signIn } from "../session.js";
import { Theme } from "../parts/topbar.js";
import { W } from "../words.js";

export function SignIn({ first }) {
  const [trouble, say] = useState("");
  const [renewing, renew] = useState(false);
  const [busy, work] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    const { token, name, user, password, renewed } = Object.fromEntries(new FormData(event.target)); // the theme is in the form too
    work(true);
    say("");
    try {
      await (first ? setUp({ token, name, user, password }) : signIn(user, password, renewed));
      if (first) location.hash = "#/";
    } catch (error) {
      if (error.type?.endsWith("password-change-needed")) renew(true);
      say(error instanceof NoAnswer ? W.noServer : error.message);
      work(false);
    }
  };
  return html`<main class="sheet signin" id="main"><form class="panel" onSubmit=${submit}>
    <h1>${first ? W.setUp : W.signIn}</h1>
    ${session.now.before && html`<p>${W.signInAgain}</p>`}
    ${session.now.trouble && html`<p class="why">${W[session.now.trouble]}</p>`}
    ${first && html`<label>${W.token}<input name="token" required autocomplete="off" spellcheck="false" /></label><p class="note">${W.tokenNote}</p>
      <label>${W.fullName}<input name="name" required autocomplete="name" /></label>`}
    <label>${W.user}<input name="user" required autocomplete="username" autocapitalize="none" spellcheck="false" autofocus /></label>
    <label>${W.password}<input name="password" type="password" required autocomplete=${first ? "new-password" : "current-password"} /></label>
    ${renewing && html`<p>${W.newPasswordNote}</p><label>${W.newPassword}<input name="renewed" type="password" required autocomplete="new-password" /></label>`}
    ${(first || renewing) && html`<p class="note">${W.passwordNote}</p>`}
    <button class="strong" disabled=${busy}>${first ? W.create : W.signIn}</button>
    ${trouble && html`<p class="why wrong" role="alert">${trouble}</p>`}
    <p class="note"><a href=${first ? "#/" : "#/setup"}>${first ? W.signIn : W.setUp}</a> · <a href="equipment.html">${W.equipment}</a></p>
    <${Theme} /></form></main>`;
}
