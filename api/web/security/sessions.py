"""Sessions of browsers: a random secret in a cookie, its hash here; view-only after idling, ended by an absolute limit
(SEC-05, AC-05)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from api.web.security.access import Access, Session, User, digest
from api.web.security.settings import Settings
from api.web.security.who import Person, Role

MOST_OF_ONE_USER = 20
WRITTEN_EVERY_S = 30.0
"""Activity reaches the file no more often than this."""


def forgery_token(secret: str) -> str:
    """The anti-forgery value of a session: only who holds the secret, or was told, can say it."""
    return hmac.new(secret.encode(), b"osteon anti-forgery", hashlib.sha256).hexdigest()


class Sessions:
    def __init__(self, access: Access, settings: Settings) -> None:
        self._access, self._settings = access, settings
        self._known: dict[str, Session] = {}
        self._stamp = access.stamp()
        self.cookie = "__Host-osteon_session" if settings.tls else "osteon_session"

    def open(self, user: User, client: str) -> tuple[str, Session]:
        """A new session and its secret, which is never seen again."""
        secret, now = secrets.token_urlsafe(32), self._settings.wall()
        ends_at = now + self._settings.absolute_s
        self._access.add_session(digest(secret), user.user, client, now, ends_at, MOST_OF_ONE_USER)
        return secret, Session(digest(secret), user, client, now, now, ends_at)

    def find(self, secret: str) -> Session | None:
        """The session a cookie opens, if it is in force."""
        key, stamp = digest(secret), self._access.stamp()
        if stamp != self._stamp:
            self._known.clear()
            self._stamp = stamp
        session = self._known.get(key)
        if session is None:
            session = self._access.session(key)
            if session is None:
                return None
            self._known[key] = session
        if session.ends_at <= self._settings.wall() or session.user.disabled_at is not None:
            return None
        return session

    def idle(self, session: Session) -> bool:
        return self._settings.wall() - session.active_at > self._settings.idle_s

    def active(self, session: Session) -> None:
        """Somebody did something; what has gone idle stays so until a new sign-in."""
        now = self._settings.wall()
        if self.idle(session):
            return
        before, session.active_at = session.active_at, now
        if now - before >= WRITTEN_EVERY_S:
            self._access.session_active(session.hash, now)

    def person(self, session: Session, client: str) -> Person:
        user, idle = session.user, self.idle(session)
        role = Role.VIEWER if idle else user.role
        return Person(user.user, user.name, role, "password", client, view_only=idle, credential=session.hash)

    def end(self, hash: str) -> None:
        self._access.end_session(hash)

    def secret_in(self, headers: Mapping[str, str]) -> str | None:
        """The secret in a Cookie header."""
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie:
                return value or None
        return None

    def cookie_header(self, secret: str) -> str:
        secure = "; Secure" if self._settings.tls else ""
        return f"{self.cookie}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def no_cookie_header(self) -> str:
        return self.cookie_header("") + "; Max-Age=0"
