"""Times as a protocol writes them (`day 17 09:00`, `start + 2 h`) and as the world has them (UTC seconds)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from drivers.core.units import parse_quantity

WORKDAY_ENDS = time(18, 0)
"""`same working day` means until here, local time."""

_DAY = re.compile(r"day (-?\d+)(?: (\d\d?):(\d\d))?")
_START = re.compile(r"start(?: \+ (.+))?")
_CLOCK = re.compile(r"(\d\d?):(\d\d)")


@dataclass(frozen=True, slots=True)
class Moment:
    """Culture day and local time of day, or, with `after_s`, a time after the start of the run."""

    day: int = 0
    clock: time | None = None
    after_s: float | None = None


def moment(value: object) -> Moment:
    """`day 17 09:00`, `day 27`, `start`, `start + 2 h`; raises ValueError in words."""
    text = value.strip() if isinstance(value, str) else ""
    if match := _DAY.fullmatch(text):
        return Moment(int(match[1]), clock(f"{match[2]}:{match[3]}") if match[2] else None)
    if match := _START.fullmatch(text):
        return Moment(after_s=parse_quantity(match[1], "s")[0] if match[1] else 0.0)
    raise ValueError(f"{value!r} is no time of a protocol; write 'day 17 09:00' or 'start + 2 h'")


def clock(value: object) -> time:
    """`09:00`; raises ValueError in words."""
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"{value!r} is no time of day; write 09:00")
    return time(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Calendar:
    """Culture days counted from the local date of the start, in the site's zone."""

    start: float
    zone: ZoneInfo

    def day_zero(self) -> date:
        return datetime.fromtimestamp(self.start, self.zone).date()

    def local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self.zone)

    def day(self, at: float) -> int:
        """The culture day of a moment."""
        return (self.local(at).date() - self.day_zero()).days

    def at(self, day: int, clock: time) -> float:
        """UTC seconds of a local time of a culture day; see `instant` for what does not exist or exists twice."""
        return instant(datetime.combine(self.day_zero() + timedelta(days=day), clock), self.zone)

    def resolve(self, moment: Moment, clock: time) -> float:
        """UTC seconds of a moment; `clock` where it names only a day."""
        if moment.after_s is not None:
            return self.start + moment.after_s
        return self.at(moment.day, moment.clock or clock)


def instant(local: datetime, zone: ZoneInfo) -> float:
    """UTC seconds of a local time: the first of two, and the first valid instant after a gap (TM-03)."""
    first = local.replace(tzinfo=zone, fold=0)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return first.timestamp()
    low, high = local.replace(tzinfo=zone, fold=1).timestamp(), first.timestamp()
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:  # whole seconds: zone rules change on them
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
