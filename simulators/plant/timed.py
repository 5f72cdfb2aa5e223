"""A plant through time. Time is the caller's: whoever asks brings `now`, and the plant moves there.

Steps end on an absolute grid (10 s; 2 s while the door is open or the chamber recovers); events (strokes, door, hands,
set points) cut a step exactly where they are. Asking is no event and moves nothing but to the last grid point, so a run
does not depend on who looked, nor how often.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from simulators.plant.chamber import ChamberState

if TYPE_CHECKING:  # numpy takes a tenth of a second to import: only a chamber with dishes pays it
    from simulators.plant.shelf import Shelf

GRID_S = 10.0
FINE_S = 2.0
SLOW_S = 1800.0
"""What lives slowly, cells and dishes, moves so often."""
LAPSE_S = 7200.0
"""And so often in a time-lapse."""
RECOVERY_S = 600.0
"""Fine steps for this long after the door or a set point moved."""


@dataclass(slots=True)
class Trouble:
    """A fault of the plant by name, from `starts` until `ends`; `on` = it has begun, `over` = it has ended."""

    name: str
    values: dict[str, float]
    starts: float
    ends: float = inf
    on: bool = False
    over: bool = False


class Timed:
    """The chamber, its door, and when the next step ends. What lives in the chamber is the subclass's."""

    known_troubles: frozenset[str] = frozenset()
    """Faults that this plant can have, by name."""

    def __init__(self, start: float, air: ChamberState) -> None:
        self.start = self.t = float(start)
        self.air = air
        self.door_closes_at = inf
        self.fine_until = -inf
        self.troubles: list[Trouble] = []
        self.shelf: Shelf | None = None
        """Flasks and plates beside the vessel that osteon serves."""
        self.lived: Callable[[float], float] | None = None
        """In a time-lapse: how far slow life has come at a moment, UTC s. None = as far as the bench."""
        self._next = self.t

    def advance(self, now: float) -> None:
        """Move to the last grid point or breakpoint at or before `now`."""
        while self._next <= now:
            self._step(self._next)

    def cut(self, now: float) -> None:
        """Move to `now` exactly: something is about to be done there. The caller calls `resume` after it."""
        self.advance(now)
        if now > self.t:
            self._step(now)

    def resume(self) -> None:
        """An event has been applied at `t`: find the next stop anew."""
        self._next = self._next_stop()

    def recover_finely(self) -> None:
        """The chamber was disturbed at `t`."""
        self.fine_until = self.t + RECOVERY_S

    def open_door(self, now: float, seconds: float) -> None:
        """Open the chamber door; it falls shut after `seconds`."""
        self.cut(now)
        if seconds > 0.0:
            already = self.door_closes_at if self.air.door_open else now
            self.air.door_open = True
            self.door_closes_at = max(already, now + seconds)
        self.resume()

    def by_hand(self, now: float, act: Mapping[str, Any]) -> dict[str, float]:
        """A person does something to a flask or a plate; what they find."""
        from simulators.plant.shelf import Shelf

        self.cut(now)
        self.shelf = self.shelf or Shelf(self.slow(self.t))
        self._shelf_lives()
        found = self.shelf.do(act)
        self.resume()
        return found

    def slow(self, at: float) -> float:
        """The time of cells and dishes at `at`."""
        return at if self.lived is None else self.lived(at)

    @property
    def slow_s(self) -> float:
        """What lives slowly moves so often; in a time-lapse more seldom, which moves results by a thousandth."""
        return SLOW_S if self.lived is None else LAPSE_S

    def slow_steps(self, before: float, after: float) -> int:
        """How often what lives slowly moves between two moments."""
        return int(self.slow(after) // self.slow_s - self.slow(before) // self.slow_s)

    def _shelf_lives(self) -> None:
        """In a time-lapse under the usual gas: a door open for a minute would be open for a day."""
        from simulators.plant.dishes import INCUBATOR, Gas

        if self.shelf is None:
            return
        if self.lived is None:
            air = self.air
            self.shelf.live(self.t, Gas(air.co2, air.o2, air.rh, air.air_cel))
        else:
            self.shelf.live(self.slow(self.t), INCUBATOR, LAPSE_S)

    def shelf_snapshot(self) -> dict[str, Any] | None:
        return None if self.shelf is None else self.shelf.snapshot()

    def restore_shelf(self, saved: Mapping[str, Any] | None) -> None:
        from simulators.plant.shelf import Shelf

        self.shelf = None if saved is None else Shelf.restored(saved)

    def shelf_story(self) -> dict[str, dict[str, float]]:
        return {} if self.shelf is None else self.shelf.story()

    def shelf_books(self) -> dict[str, float]:
        return {} if self.shelf is None else {f"{n}_umol": left for n, left in self.shelf.residuals().items()}

    def chamber_story(self) -> dict[str, float]:
        """What a report tells of the chamber: °C, % of wet gas, % RH."""
        air = self.air
        return {
            "cel": air.air_cel, "co2_percent": 100 * air.co2, "o2_percent": 100 * air.o2, "rh_percent": air.rh,
            "door": float(air.door_open),
        }  # fmt: skip

    def trouble(self, now: float, trouble: Trouble) -> None:
        """Put a fault in; raises ValueError for one that this plant does not know."""
        self._know(trouble)
        self.cut(now)
        self.troubles.append(trouble)
        self._begin_and_end()
        self.resume()

    def mend(self, now: float) -> None:
        """End every fault; what is lost stays lost."""
        self.cut(now)
        for each in self.troubles:
            if each.on and not each.over:
                self.suffer(each, begins=False)
        self.troubles.clear()
        self.resume()

    def _know(self, trouble: Trouble) -> None:
        if trouble.name not in self.known_troubles:
            known = ", ".join(sorted(self.known_troubles))
            raise ValueError(f"this plant knows no fault {trouble.name}; it knows {known}")

    def suffer(self, trouble: Trouble, begins: bool) -> None:
        """A fault begins or ends at `t`."""
        raise NotImplementedError

    def _begin_and_end(self) -> None:
        for each in self.troubles:
            if not each.on and each.starts <= self.t:
                each.on = True
                self.suffer(each, begins=True)
            if each.on and not each.over and each.ends <= self.t:
                each.over = True
                self.suffer(each, begins=False)

    def live(self, dt_s: float) -> None:
        """Everything in the chamber, and the chamber, from `t` on for `dt_s`; `t` moves afterwards."""
        raise NotImplementedError

    def breakpoint(self, stop: float) -> float:
        """The first moment after `t` and up to `stop` at which something begins or ends by itself."""
        raise NotImplementedError

    def end(self, to: float) -> None:
        """End what was to end by `to`."""
        raise NotImplementedError

    def _next_stop(self) -> float:
        t = self.t
        grid = FINE_S if self.air.door_open or t < self.fine_until else GRID_S
        stop = min(self.breakpoint((t // grid + 1) * grid), self.door_closes_at)
        for each in self.troubles:
            edge = each.ends if each.on else each.starts
            if t < edge < stop:
                stop = edge
        return stop

    def _step(self, to: float) -> None:
        dt = to - self.t
        if dt > 0.0:
            self.live(dt)
            before, self.t = self.t, to
            if self.shelf is not None and self.slow_steps(before, to):
                self._shelf_lives()
        self.end(to)
        if self.door_closes_at <= to:
            self.door_closes_at = inf
            self.air.door_open = False
            self.recover_finely()
        if self.troubles:
            self._begin_and_end()
        self._next = self._next_stop()
