"""A plan as a calendar: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from protocols.faults import ProtocolInvalid
from protocols.plan import Dose, Exchange, Hand, Node, Plan, Work

DAY_BEGINS, DAY_ENDS = 7, 19
"""Hours of a working day; hand work outside them is marked."""


@dataclass(frozen=True, slots=True)
class Item:
    """One step of the calendar. `fixed` = it has a time of its own; otherwise it follows the one before."""

    when: datetime
    fixed: bool
    day: int
    what: str
    title: str
    path: str
    fluid: str = ""
    volume_ml: float = 0.0

    @property
    def mark(self) -> str:
        """ "weekend", "night" or "", for hand work."""
        if self.what != "hand":
            return ""
        if self.when.weekday() >= 5:
            return "weekend"
        return "" if DAY_BEGINS <= self.when.hour < DAY_ENDS else "night"

    def facts(self) -> dict[str, object]:
        return {
            "when": self.when.isoformat(),
            "fixed": self.fixed,
            "day": self.day,
            "what": self.what,
            "title": self.title,
            "path": self.path,
            "fluid": self.fluid,
            "volume_ml": self.volume_ml,
            "mark": self.mark,
        }


def agenda(plan: Plan) -> list[Item]:
    """Every step of the plan, in the order of its time."""
    zone = ZoneInfo(plan.zone)
    first = datetime.fromtimestamp(plan.start, zone).date()
    found: list[Item] = []
    for node, due, fixed in steps(plan.root, plan.start, fixed=True):
        when = datetime.fromtimestamp(due, zone)
        what, fluid, volume_ml = described(node.work)
        found.append(Item(when, fixed, (when.date() - first).days, what, node.title, node.path, fluid, volume_ml))
    return sorted(found, key=lambda each: each.when)


def steps(node: Node, due: float, *, fixed: bool) -> Iterator[tuple[Node, float, bool]]:
    """Each step with its time: its own, or the last one known before it."""
    if node.due is not None:
        due, fixed = node.due, True
    if node.kind == "step":
        yield node, due, fixed
    for number, child in enumerate(node.children):
        first = node.kind == "parallel" or number == 0
        last = due
        for step, at, own in steps(child, due, fixed=fixed and first):
            yield step, at, own
            last = at
        if node.kind == "sequence":
            due = max(due, last)


def described(work: Work | None) -> tuple[str, str, float]:
    """Who does it, which fluid, how much of it (mL)."""
    match work:
        case Hand():
            return "hand", "", 0.0
        case Exchange():
            return "osteon", work.fluid, work.fill_ml
        case Dose():
            return "osteon", work.fluid, work.volume_ml
        case _:
            return "osteon", "", 0.0


def volumes(items: list[Item]) -> dict[tuple[str, int], float]:
    """(fluid, culture day) -> mL."""
    found: dict[tuple[str, int], float] = {}
    for each in items:
        if each.fluid:
            found[each.fluid, each.day] = found.get((each.fluid, each.day), 0.0) + each.volume_ml
    return found


def best_start(plan_from: Callable[[float], Plan], monday: float) -> float | None:
    """The hour, Monday 07:00 to Sunday 18:00, with least hand work at night and on weekends; None when none fits."""
    best: tuple[int, float] | None = None
    for day in range(7):
        for hour in range(-1, 11):
            start = monday + day * 86400.0 + hour * 3600.0
            try:
                items = agenda(plan_from(start))
            except ProtocolInvalid:
                continue
            score = sum(bool(each.mark) for each in items)
            if best is None or score < best[0]:
                best = (score, start)
    return None if best is None else best[1]


def ics(name: str, items: list[Item]) -> str:
    """Hand work as an iCalendar file (RFC 5545), half an hour each."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//osteon//plan//EN"]
    for each in items:
        if each.what == "hand":
            begin, end = each.when, each.when + timedelta(minutes=30)
            lines += [
                "BEGIN:VEVENT",
                f"UID:{name}/{each.path}",
                f"DTSTAMP:{stamp(begin)}",
                f"DTSTART:{stamp(begin)}",
                f"DTEND:{stamp(end)}",
                f"SUMMARY:{escaped(each.title)}",
                "END:VEVENT",
            ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
