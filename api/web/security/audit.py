"""What the API did and refused, on its way to the controller's audit trail (AT-01): a short queue that never blocks,
never holds a secret, counts what it could not keep, and goes to a file when the program ends before the controller
took it."""

from __future__ import annotations

import json
import os
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

MOST = 500
LEFT_FILE = "audit-waiting.jsonl"
"""In the data directory, readable by its owner only: entries that no controller has taken yet."""
PER_MINUTE = 60
"""More refusals than this in a minute become one entry that counts them (architecture §2)."""


@dataclass(frozen=True, slots=True)
class Act:
    action: str
    object: str
    actor: str = ""
    role: str = ""
    authenticated_by: str = ""
    outcome: str = "done"
    """done, refused or failed."""
    reason: str = ""
    client: str = ""


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
        if self._uncounted:
            text = f"{self._uncounted} further entries, beyond {PER_MINUTE} a minute"
            self._waiting.append(Act("many refusals", "api", outcome="refused", reason=text))
            self._uncounted = 0
        return [asdict(self._waiting.popleft()) for _ in range(min(most, len(self._waiting)))]

    def back(self, entries: list[dict[str, str]]) -> None:
        self._waiting.extendleft(Act(**entry) for entry in reversed(entries))

    def leave(self, data: Path) -> None:
        """Write down what still waits; takes the place of what was left before."""
        path = data / LEFT_FILE
        path.unlink(missing_ok=True)
        if not self._waiting and not self._uncounted:
            return
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            while entries := self.take():
                file.writelines(json.dumps(entry) + "\n" for entry in entries)

    def resume(self, data: Path) -> None:
        """Take up what an earlier process left, before anything new; a line that is none is passed over. The file stays
        until they are `delivered`: entries may come twice, none is lost."""
        self._left = True
        with suppress(FileNotFoundError):
            for line in reversed((data / LEFT_FILE).read_text("utf-8").splitlines()[: MOST + 1]):
                with suppress(ValueError, TypeError):
                    self._waiting.appendleft(Act(**json.loads(line)))

    def delivered(self, data: Path) -> None:
        """The controller has taken all that waited."""
        if self._left:
            self._left = False
            (data / LEFT_FILE).unlink(missing_ok=True)
