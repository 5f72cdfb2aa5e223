"""The set-up token: while there is no account, only who reads this machine's console or files may make the first one
(SEC-02)."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from api.web.security.access import Access, digest
from api.web.security.refused import Refused
from api.web.security.settings import Settings

FILE = "setup-token"


class Setup:
    def __init__(self, access: Access, settings: Settings) -> None:
        self._access, self._settings = access, settings
        self._path = settings.data / FILE
        self._stamp: tuple[int, int] | None = None
        self._needed = True

    @property
    def needed(self) -> bool:
        """Nobody has an account yet."""
        if self._needed:
            stamp = self._access.stamp()
            if stamp != self._stamp:
                self._needed, self._stamp = not self._access.has_users(), stamp
        return self._needed

    def issue(self) -> str | None:
        """The token to print at start; the one in force if there is one, so that a restart does not spoil it.
        None where set-up is done."""
        if not self.needed:
            self._path.unlink(missing_ok=True)
            return None
        kept = self._access.setup()
        written = self._path.read_text().strip() if self._path.exists() else ""
        if kept and hmac.compare_digest(kept[0], digest(written)) and kept[1] > self._settings.wall():
            return written
        token = secrets.token_urlsafe(24)
        self._access.set_setup(digest(token), self._settings.wall() + self._settings.setup_s)
        write_private(self._path, token + "\n")
        return token

    def check(self, token: str) -> None:
        """Raises Refused set-up-refused unless this is the token in force."""
        kept = self._access.setup()
        if not self.needed or kept is None:
            raise Refused("set-up-refused", "set-up is done; sign in")
        if not hmac.compare_digest(kept[0], digest(token)):
            raise Refused("set-up-refused", "this is not the set-up token printed at the start")
        if kept[1] <= self._settings.wall():
            raise Refused("set-up-refused", "the set-up token is too old; start osteon again for a new one")

    def use(self, token: str) -> None:
        """Uses the token up; raises Refused where it has been used."""
        self.check(token)
        if not self._access.end_setup(digest(token)):
            raise Refused("set-up-refused", "set-up is done; sign in")
        self._path.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """A file that its owner alone can read, from its first moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
