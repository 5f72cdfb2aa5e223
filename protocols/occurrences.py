"""When an operation is due: every occurrence as UTC seconds, and how exact each one is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from protocols.models import Scheduled, Timing
from protocols.moments import WORKDAY_ENDS, Calendar, clock, instant, moment
from protocols.plan import Late
from protocols.quantities import WEEKDAYS

MIDNIGHT, LAST_MINUTE = time(0, 0), time(23, 59)
SHORTEST_TOLERANCE_S, LONGEST_TOLERANCE_S, SHARE_OF_INTERVAL = 900.0, 4 * 3600.0, 0.05
"""Suggested tolerance of a repeated step (DX-31)."""
SHORTEST_WORKDAY_S = 3600.0
"""A hand step due shortly before, or after, the end of the working day still has this long."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    due: float
    late: Late


def occurrences(scheduled: Scheduled, calendar: Calendar) -> list[Occurrence] | None:
    """All due times in order; None for an operation that simply begins when its turn comes."""
    dues = _dues(scheduled, calendar)
    if dues is None:
        return None
    interval_s = scheduled.every.interval if scheduled.every is not None else None
    return [Occurrence(due, late_rule(scheduled.timing, interval_s, due, calendar)) for due in dues]


def _dues(scheduled: Scheduled, calendar: Calendar) -> list[float] | None:
    """Intervals count elapsed time; days and times of day are local, so they follow summer time (TM-02, TM-03)."""
    if scheduled.every is not None:
        every = scheduled.every
        first = calendar.resolve(every.start, MIDNIGHT)
        if every.times is not None:
            return [first + i * every.interval for i in range(every.times)]
        assert every.until is not None  # the checks have seen to it
        last = calendar.resolve(every.until, LAST_MINUTE)
        return [first + i * every.interval for i in range(int((last - first) // every.interval) + 1)]
    if scheduled.days is not None and scheduled.at is not None:
        at = clock(scheduled.at)
        wanted = scheduled.on or WEEKDAYS
        dues = [calendar.at(day, at) for day in sorted(set(scheduled.days))]
        return [due for due in dues if WEEKDAYS[calendar.local(due).weekday()] in wanted]
    if scheduled.at is not None:
        return [calendar.resolve(moment(scheduled.at), MIDNIGHT)]
    return None


def late_rule(timing: Timing, interval_s: float | None, due: float, calendar: Calendar) -> Late:
    """The window of an occurrence and what happens beyond it; without a window the suggestion of DX-31."""
    window = timing.window
    if window is None and interval_s is not None:
        window_s = min(max(SHARE_OF_INTERVAL * interval_s, SHORTEST_TOLERANCE_S), LONGEST_TOLERANCE_S)
    elif window is None or isinstance(window, str):
        window_s = _until_evening(due, calendar)
    else:
        window_s = window
    tolerance_s = max(window_s, timing.late_by_at_most or 0.0)
    no_answer, after_s = timing.no_answer or ("hold", 0.0)
    return Late(
        tolerance_s=tolerance_s,
        after=timing.if_later,
        no_answer=no_answer,
        no_answer_after_s=after_s,
        anchor=timing.anchor,
        recommended=timing.recommended or "",
        window_s=window_s,
    )


def _until_evening(due: float, calendar: Calendar) -> float:
    """Seconds left of the working day at `due`, at least one hour."""
    evening = instant(datetime.combine(calendar.local(due).date(), WORKDAY_ENDS), calendar.zone)
    return max(evening - due, SHORTEST_WORKDAY_S)
