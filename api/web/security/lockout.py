"""Wrong sign-ins lock the account for a while and slow the address down (AC-04). Signed-in sessions, tokens and the
commands on the machine itself (AC-08) never come here."""

from __future__ import annotations

from math import ceil

from api.web.security.access import Access
from api.web.security.refused import Refused
from api.web.security.settings import Settings


class Lockout:
    def __init__(self, access: Access, settings: Settings) -> None:
        self._access, self._settings = access, settings

    def attempt(self, user: str, client: str) -> bool:
        """Counts an attempt as failed before its outcome is known, so that many at once do not slip through; True where
        this one locks the account unless it succeeds. Raises Refused locked-out. Unknown names are treated alike."""
        limits, now = self._settings, self._settings.wall()
        until = self._access.locked_until(user)
        if until is not None and until > now:
            raise locked("this account", until - now)
        since = now - limits.lock_window_s
        if self._access.failures_from(client, since) >= limits.address_failures:
            raise locked("your address", limits.lock_window_s)
        self._access.add_failure(user, client, now, since)
        if self._access.failures_of(user, since) < limits.lock_failures:
            return False
        self._access.lock(user, now + limits.lock_s)
        return True

    def succeeded(self, user: str) -> None:
        self._access.forgive(user)


def locked(what: str, wait_s: float) -> Refused:
    minutes = ceil(wait_s / 60)
    return Refused("locked-out", f"too many wrong sign-ins: {what} may try again in {minutes} min", wait_s)
