"""Accounts: made, disabled and given roles and passwords; never deleted, names never used again (SG-04, AC-07)."""

from __future__ import annotations

import re

from api.web.security.access import Access, User
from api.web.security.passwords import Hasher, check
from api.web.security.refused import Refused
from api.web.security.settings import Settings
from api.web.security.who import Role

NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class Accounts:
    def __init__(self, access: Access, hasher: Hasher, settings: Settings) -> None:
        self._access, self._hasher, self._settings = access, hasher, settings

    def find(self, user: str) -> User:
        """Raises Refused not-found."""
        found = self._access.user(user)
        if found is None:
            raise Refused("not-found", f"there is no account {user!r}")
        return found

    async def prepare(self, user: str, name: str, password: str) -> str:
        """The hash for a new account that may be made. Raises Refused."""
        if not NAME.fullmatch(user):
            raise Refused("invalid", "a user name is 2 to 32 of a-z, 0-9, dot, dash, underscore, a letter first")
        check(password, user, name)
        self._unused(user)
        return await self._hasher.hash(password)

    def insert(self, user: str, name: str, role: Role, hash: str, *, must_change: bool) -> User:
        """Raises Refused exists."""
        self._unused(user)
        self._access.add_user(user, name, role, hash, must_change, self._settings.wall())
        return self.find(user)

    async def add(self, user: str, name: str, role: Role, password: str, *, must_change: bool) -> User:
        """A new account; with `must_change` its password only serves to choose another. Raises Refused."""
        hash = await self.prepare(user, name, password)
        return self.insert(user, name, role, hash, must_change=must_change)

    def _unused(self, user: str) -> None:
        if self._access.user(user) is not None:
            raise Refused("exists", f"there is an account {user!r} already; names are never used again")

    async def set_password(self, user: User, password: str, *, must_change: bool = False) -> User:
        """Raises Refused weak-password. Ends every session of the account."""
        return self.put_password(user, await self.prepare_password(user, password), must_change=must_change)

    async def prepare_password(self, user: User, password: str) -> str:
        """The hash of a new password. Raises Refused weak-password, also for one of the last five."""
        check(password, user.user, user.name)
        if await self._hasher.any_matches(self._access.last_hashes(user.user), password):
            raise Refused("weak-password", "this password was used before; the last five are not used again")
        return await self._hasher.hash(password)

    def put_password(self, user: User, hash: str, *, must_change: bool = False) -> User:
        """Ends every session of the account."""
        self._access.set_password(user.user, hash, must_change, self._settings.wall())
        return self.find(user.user)

    def set_role(self, user: str, role: Role) -> User:
        """Ends every session of the account: a right won or lost needs a new sign-in."""
        self.find(user)
        self._access.set_role(user, role)
        return self.find(user)

    def disable(self, user: str) -> User:
        self.find(user)
        self._access.set_disabled(user, self._settings.wall())
        return self.find(user)

    def enable(self, user: str) -> User:
        self.find(user)
        self._access.set_disabled(user, None)
        return self.find(user)
