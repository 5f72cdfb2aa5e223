"""Running totals over counters that are cleared before each dose (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.core.fluid import Direction
from drivers.devices.harvard_pump.numbers import Volume

Counters = dict[Direction, Volume]


@dataclass(slots=True)
class Account:
    """`raw` = the pump's counters as they are, never cleared by us; else from zero on since our first look."""

    raw: bool
    kept: dict[Direction, float] = field(default_factory=lambda: dict.fromkeys(Direction, 0.0))
    """What was counted before the last clearing, less what stood there at the first look."""
    seen: Counters | None = None

    def see(self, now: Counters) -> str:
        """Take note; why the counters are no longer those of before, "" = they are."""
        before, self.seen = self.seen, now
        if before is None:
            if not self.raw:
                self.kept = {way: -now[way].ml for way in Direction}
            return ""
        for way in Direction:
            if now[way].ml < before[way].ml - max(now[way].step_ml, before[way].step_ml):
                if not self.raw:
                    self.kept = {each: -now[each].ml for each in Direction}
                return (
                    f"the pump's counter went back from {before[way].ml:g} to {now[way].ml:g} mL: "
                    "it lost power, or somebody cleared it"
                )
        return ""

    def cleared(self, way: Direction) -> None:
        """We have just cleared this counter, and saw it at zero."""
        assert self.seen is not None
        self.kept[way] += self.seen[way].ml
        self.seen[way] = Volume(0.0, self.seen[way].step_ml)

    def total(self, way: Direction) -> float:
        assert self.seen is not None
        return max(0.0, self.kept[way] + self.seen[way].ml)
