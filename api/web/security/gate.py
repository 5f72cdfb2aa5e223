"""Everything about coming in, in one place: sign-in, sign-out, who a request is from. One of it per API process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fastapi.requests import HTTPConnection
from starlette.types import Scope

from api.web.security import tokens
from api.web.security.access import Access, Session, User
from api.web.security.accounts import Accounts
from api.web.security.act import Act
from api.web.security.audit import Desk
from api.web.security.lockout import Lockout
from api.web.security.outbox import Outbox
from api.web.security.passwords import Hasher
from api.web.security.refused import Refused
from api.web.security.sessions import Sessions
from api.web.security.settings import Settings
from api.web.security.setup import Setup
from api.web.security.who import Person, Role

WRONG = "user or password is not right"
UNKNOWN = "unknown account"
"""Stands in the audit trail for a name that is none: people type passwords there (SEC-18)."""


class Gate:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.access = Access(settings.data)
        self.hasher = Hasher(settings.hash_cost, settings.hash_queue)
        self.accounts = Accounts(self.access, self.hasher, settings)
        self.sessions = Sessions(self.access, settings)
        self.tokens = tokens.Tokens(self.access, settings)
        self.lockout = Lockout(self.access, settings)
        self.setup = Setup(self.access, settings)
        self.audit = Desk()
        self.outbox = Outbox(self.access)

    def close(self) -> None:
        self.hasher.close()
        self.access.close()

    def note(self, action: str, object: str, person: Person | None = None, **more: str) -> None:
        """An entry for the audit trail; may be lost when the process is killed before the controller took it."""
        self.audit.note(act_of(action, object, person, more), self.settings.wall())

    def record(self, action: str, object: str, person: Person | None = None, **more: str) -> None:
        """An entry about an account or a token, kept for certain: within `access.together`, with the act."""
        self.outbox.post(act_of(action, object, person, more))

    def who(self, headers: Mapping[str, str], client: str) -> Person | None:
        """Whose request this is. A bearer token goes before a cookie."""
        bearer = tokens.secret_in(headers)
        if bearer is not None:
            found = self.tokens.find(bearer)
            return self.tokens.person(*found, client) if found else None
        session = self.session(headers)
        return self.sessions.person(session, client) if session else None

    def person(self, scope: Scope) -> Person | None:
        """Who stands behind an open socket now: None once signed out, disabled, revoked or expired."""
        return self.who(headers_of(scope), client_of(scope))

    def session(self, headers: Mapping[str, str]) -> Session | None:
        secret = self.sessions.secret_in(headers)
        return self.sessions.find(secret) if secret else None

    async def sign_in(self, user: str, password: str, new_password: str | None, client: str) -> tuple[str, Session]:
        """A new session and its secret. Raises Refused: locked-out, wrong-sign-in, password-change-needed,
        weak-password, busy. An unknown user takes as long as a wrong password."""
        known = self.access.user(user)
        locks = self._attempt(user, client, "sign-in", user if known else UNKNOWN)
        if known is None or known.disabled_at is not None:
            await self.hasher.hash(password)
            raise self._wrong("sign-in", user if known else UNKNOWN, client, locks)
        if not await self.hasher.matches(known.hash, password):
            raise self._wrong("sign-in", user, client, locks)
        self.lockout.succeeded(user)
        if self._change_needed(known):
            if new_password is None:
                raise Refused("password-change-needed", "choose a new password: this one was given for one use")
            hash = await self.accounts.prepare_password(known, new_password)
            with self.access.together():
                known = self.accounts.put_password(known, hash)
                self.record("password change", user, actor=user, role=known.role, client=client)
        elif self.hasher.outdated(known.hash):
            self.access.rehash(user, await self.hasher.hash(password))
        opened = self.sessions.open(known, client)
        self.note("sign-in", user, self.sessions.person(opened[1], client))
        return opened

    def _attempt(self, user: str, client: str, action: str, object: str) -> bool:
        try:
            return self.lockout.attempt(user, client)
        except Refused as error:
            self.note(action, object, outcome="refused", reason=str(error), client=client)
            raise

    def _wrong(self, action: str, object: str, client: str, locks: bool) -> Refused:
        self.note(action, object, outcome="failed", reason=WRONG, client=client)
        if locks:
            self.note("account locked", object, outcome="done", reason="too many wrong sign-ins", client=client)
        return Refused("wrong-sign-in", WRONG)

    def _change_needed(self, user: User) -> bool:
        age_s = self.settings.password_age_s
        return user.must_change or (age_s is not None and self.settings.wall() - user.password_at > age_s)

    async def change_password(self, person: Person, password: str, new_password: str) -> tuple[str, Session]:
        """Ends every session of the person and opens a new one. Wrong guesses count like sign-ins."""
        locks = self._attempt(person.user, person.client, "password change", person.user)
        known = self.accounts.find(person.user)
        if not await self.hasher.matches(known.hash, password):
            raise self._wrong("password change", person.user, person.client, locks)
        self.lockout.succeeded(person.user)
        hash = await self.accounts.prepare_password(known, new_password)
        with self.access.together():
            known = self.accounts.put_password(known, hash)
            self.record("password change", person.user, person)
        return self.sessions.open(known, person.client)

    async def set_up(self, token: str, user: str, name: str, password: str, client: str) -> User:
        """The first account, an administrator, for who has the set-up token. Raises Refused."""
        counted_as = f"(set-up from {client})"
        self._attempt(counted_as, client, "set-up", "first account")
        self.setup.check(token)
        self.lockout.succeeded(counted_as)
        hash = await self.accounts.prepare(user, name, password)
        self.setup.use(token)
        with self.access.together():
            made = self.accounts.insert(user, name, Role.ADMIN, hash, must_change=False)
            self.record("set-up", user, actor=user, role=Role.ADMIN, client=client)
        return made


def act_of(action: str, object: str, person: Person | None, more: Mapping[str, str]) -> Act:
    by = (
        {"actor": person.user, "role": str(person.role), "authenticated_by": person.how, "client": person.client}
        if person
        else {}
    )
    return Act(action, object, **{**by, **more})


def headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def client_of(scope: Scope) -> str:
    """The address of the peer itself."""
    client = scope.get("client")
    return client[0] if client else ""


def gate_of(connection: HTTPConnection) -> Gate:
    """The gate of the app that serves this request."""
    return cast(Gate, connection.app.state.gate)
