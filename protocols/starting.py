"""The start of a week with least hand work at night and on weekends, and why it is that one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from protocols.calendar import calendar
from protocols.faults import ProtocolInvalid
from protocols.moments import instant
from protocols.plan import Plan
from protocols.quantities import WEEKDAYS

FIRST_HOUR, LAST_HOUR, USUAL_HOUR = 6, 20, 8
"""Local hours at which a start is tried; of equal ones the nearest to the usual is taken."""
FINE_MIN = 15
"""Around the best full hour the start is tried this finely."""


@dataclass(frozen=True, slots=True)
class Candidate:
    start: float
    local: datetime
    tasks: int
    """Hand tasks at night or on a weekend."""
    minutes: float
    """Hand work in them."""

    @property
    def rank(self) -> tuple[float, ...]:
        return self.tasks, self.minutes, abs(self.local.hour + self.local.minute / 60 - USUAL_HOUR), self.start


@dataclass(frozen=True, slots=True)
class Best:
    """The best start, with the best one of every weekday that fits at all."""

    chosen: Candidate
    by_weekday: tuple[Candidate, ...]

    @property
    def why(self) -> str:
        """One sentence."""
        chosen = self.chosen
        others = ", ".join(f"{each.local:%a} {each.tasks}" for each in self.by_weekday if each.start != chosen.start)
        here = f"{chosen.tasks} hand task{'' if chosen.tasks == 1 else 's'} at night or on a weekend"
        other = f"; the best of the other days: {others}" if others else "; it fits on no other day"
        missing = [day for day in WEEKDAYS if all(f"{each.local:%a}" != day for each in self.by_weekday)]
        cannot = f"; cannot start on {', '.join(missing)}" if missing and others else ""
        return f"{chosen.local:%A %d %B %H:%M}: {here}{other}{cannot}"


def best_start(plan_from: Callable[[float], Plan], first: date, zone: str) -> Best | None:
    """The best start in the seven days from `first`; None when the protocol cannot begin in any of them."""
    place = ZoneInfo(zone)
    by_weekday: list[Candidate] = []
    for days in range(7):
        day = first + timedelta(days=days)
        hours = (time(hour) for hour in range(FIRST_HOUR, LAST_HOUR + 1))
        found = min(_tried(plan_from, day, hours, place), key=lambda each: each.rank, default=None)
        if found is not None:
            by_weekday.append(found)
    if not by_weekday:
        return None
    best = min(by_weekday, key=lambda each: each.rank)
    near = [best.local + timedelta(minutes=n) for n in range(FINE_MIN - 60, 60, FINE_MIN)]
    times = (at.time() for at in near if at.date() == best.local.date())
    finest = min((best, *_tried(plan_from, best.local.date(), times, place)), key=lambda each: each.rank)
    return Best(finest, tuple(finest if each is best else each for each in by_weekday))


def _tried(plan_from: Callable[[float], Plan], day: date, times: Iterator[time], zone: ZoneInfo) -> Iterator[Candidate]:
    for at in times:
        local = datetime.combine(day, at)
        start = instant(local, zone)
        try:
            rows = calendar(plan_from(start))
        except ProtocolInvalid:
            continue
        late = rows.out_of_hours
        yield Candidate(start, datetime.fromtimestamp(start, zone), len(late), sum(row.minutes for row in late))
