"""What the API did and refused, on its way to the controller's audit trail (AT-01): a short queue that never blocks,
never holds a secret, and counts what it could not keep."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

MOST = 500
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
