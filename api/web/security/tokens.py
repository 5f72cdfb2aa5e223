"""API tokens: shown once, kept as a hash, never more than their owner's role, for a time, revocable (SEC-09)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from api.web.security.access import Access, Token, User, digest
from api.web.security.refused import Refused
from api.web.security.roles import within
from api.web.security.settings import DAY_S, Settings
from api.web.security.who import Person, Role

PREFIX = "osteon_"
"""Lets secret scanners know one."""
USED_EVERY_S = 60.0
"""Last use reaches the file no more often than this."""
BEARER = "bearer "


class Tokens:
    def __init__(self, access: Access, settings: Settings) -> None:
        self._access, self._settings = access, settings
        self._known: dict[str, tuple[Token, User]] = {}
        self._used: dict[int, float] = {}
        self._stamp = access.stamp()

    def create(self, owner: User, label: str, role: Role, days: int | None, unit: str | None) -> tuple[str, Token]:
        """A token and its secret, which is never seen again. `days` None = no end, for wall screens that only look."""
        if not within(role, owner.role):
            raise Refused("not-allowed", f"a token of {owner.user} carries at most the role {owner.role}")
        if days is None and role is not Role.VIEWER:
            raise Refused("invalid", "only a token for viewing may have no end; say for how many days")
        if days is not None and not 1 <= days <= self._settings.token_longest_days:
            raise Refused("invalid", f"a token lives 1 to {self._settings.token_longest_days} days")
        secret, now = PREFIX + secrets.token_urlsafe(32), self._settings.wall()
        expires_at = None if days is None else now + days * DAY_S
        return secret, self._access.add_token(digest(secret), owner.user, label, role, unit, now, expires_at)

    def find(self, secret: str) -> tuple[Token, User] | None:
        """The token and its owner, if both are in force."""
        key, stamp = digest(secret), self._access.stamp()
        if stamp != self._stamp:
            self._known.clear()
            self._stamp = stamp
        found = self._known.get(key)
        if found is None:
            token = self._access.token(key)
            owner = self._access.user(token.user) if token else None
            if token is None or owner is None:
                return None
            found = self._known[key] = token, owner
        token, owner = found
        over = token.expires_at is not None and token.expires_at <= self._settings.wall()
        return None if over or token.revoked_at is not None or owner.disabled_at is not None else found

    def person(self, token: Token, owner: User, client: str) -> Person:
        self._note_use(token)
        role = token.role if within(token.role, owner.role) else owner.role
        return Person(owner.user, owner.name, role, "token", client, unit=token.unit, credential=f"token {token.id}")

    def _note_use(self, token: Token) -> None:
        now = self._settings.wall()
        if now - self._used.get(token.id, token.used_at or 0.0) >= USED_EVERY_S:
            self._used[token.id] = now
            self._access.token_used(token.id, now)


def secret_in(headers: Mapping[str, str]) -> str | None:
    """The secret in an Authorization header."""
    value = headers.get("authorization", "")
    return value[len(BEARER) :].strip() if value[: len(BEARER)].lower() == BEARER else None
