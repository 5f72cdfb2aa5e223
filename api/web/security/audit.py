"""What the API did and refused, on its way to the controller's audit trail (AT-01): a short queue that never blocks,
never holds a secret, counts what it could not keep, and goes to a file when the program ends before the controller
took it. Acts on accounts and tokens do not wait here: they are in access.sqlite until delivered (outbox)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from api.web.security import waiting
from api.web.security.act import Act, later

MOST = 500
ROOM = 100
"""Lines of the file beyond MOST: entries about entries, which several services may have added."""
PER_MINUTE = 60
"""More refusals than this in a minute become one entry that counts them (architecture §2)."""

log = logging.getLogger("osteon.api")


class Desk:
    def __init__(self) -> None:
        self._waiting: deque[Act] = deque()
        self._minute = 0
        self._noted = 0
        self._uncounted = 0
        self._left = False
        """An earlier process may have left entries in the file."""

    def note(self, act: Act, at: float) -> None:
        """Take an entry at `at` (s). Acts that were done come before the quota; refusals beyond it are counted."""
        if int(at // 60) != self._minute:
            self._minute, self._noted = int(at // 60), 0
        self._noted += 1
        if len(self._waiting) >= MOST or (act.outcome != "done" and self._noted > PER_MINUTE):
            self._uncounted += 1
            return
        self._waiting.append(act)

    def take(self, most: int = 20) -> list[dict[str, str]]:
        """The oldest entries, removed; put them `back` if they could not be delivered."""
        return [asdict(act) for act in self._take(most)]

    def _take(self, most: int) -> list[Act]:
        if self._uncounted:
            text = f"{self._uncounted} further entries, beyond {PER_MINUTE} a minute"
            self._waiting.append(Act("many refusals", "api", outcome="refused", reason=text))
            self._uncounted = 0
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def back(self, entries: Sequence[dict[str, str]]) -> None:
        self._waiting.extendleft(Act(**entry) for entry in reversed(entries))

    def leave(self, data: Path) -> None:
        """Write down what still waits; takes the place of what was left before."""
        acts = self._take(len(self._waiting) + 1)
        try:
            if acts:
                waiting.write(data, acts)
            else:
                waiting.remove(data)
        except OSError as error:
            log.error("%d audit entries are lost: %s cannot be written: %s", len(acts), waiting.LEFT_FILE, error)

    def resume(self, data: Path) -> None:
        """Take up what an earlier process left, before anything new. The file stays until they are `delivered`:
        entries may come twice, none is lost. A damaged file is set aside, its good entries and one that says so are
        written anew."""
        self._left = True
        acts, damage = waiting.read(data, MOST + ROOM)
        found = [later(act) for act in acts]
        if damage:
            found.append(self._repaired(data, found, damage))
        self._waiting.extendleft(reversed(found))

    def _repaired(self, data: Path, kept: list[Act], damage: str) -> Act:
        name = ""
        try:
            name = waiting.set_aside(data)
            where = f"set aside as {name}"
        except OSError as error:
            where = f"it cannot be set aside: {error.strerror}"
        text = f"{damage}; {where}; {len(kept)} entries kept"
        log.warning("%s %s", waiting.LEFT_FILE, text)
        said = Act("audit file damaged", waiting.LEFT_FILE, "api", outcome="failed", reason=text)
        if name:
            try:
                waiting.write(data, [*kept, said])
            except OSError as error:
                log.error("%s cannot be written: %s", waiting.LEFT_FILE, error.strerror)
        return said

    def delivered(self, data: Path) -> None:
        """The controller has taken all that waited."""
        if self._left:
            self._left = False
            waiting.remove(data)
