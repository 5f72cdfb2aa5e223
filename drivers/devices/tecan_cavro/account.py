"""Running totals of a pump that has none: plunger travel by the encoder, as long as nothing else moved the plunger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """Where the pump stands, in increments and by counters that cannot be reset (M)."""

    encoder: int
    initialisations: int
    moves: int
    top_speed: int
    """Lost with the power: back at 1400 (M) after it. A stroke of ours never runs at 1400."""


@dataclass(slots=True)
class Account:
    """Travel since the driver was made or the account last broke; one move of ours may be under way."""

    drawn: int = 0
    delivered: int = 0
    since: Mark | None = None
    ours: int = 0
    """Moves of ours since the mark: 0 or 1."""

    def travel(self, now: Mark) -> tuple[int, int]:
        """Increments drawn and delivered until `now`."""
        moved = 0 if self.since is None else now.encoder - self.since.encoder
        return self.drawn + max(0, moved), self.delivered + max(0, -moved)

    def broken(self, now: Mark) -> str:
        """Why what happened since the mark is not known; "" = it is."""
        then = self.since
        if then is None:
            return ""
        if now.initialisations != then.initialisations:
            return "the pump was initialised by somebody else: the counted volume begins anew"
        if now.top_speed != then.top_speed:
            return "the pump has another top speed than this driver gave it: it lost power, or somebody else drives it"
        if not 0 <= now.moves - then.moves <= self.ours:
            return f"the plunger was moved {now.moves - then.moves - self.ours} times by somebody else"
        return ""

    def settle(self, now: Mark, ours: int) -> None:
        """Count from `now` on; `ours` = moves that are about to be sent."""
        self.drawn, self.delivered = self.travel(now)
        self.since, self.ours = now, ours

    def begin_anew(self, now: Mark | None = None) -> None:
        self.drawn = self.delivered = self.ours = 0
        self.since = now
