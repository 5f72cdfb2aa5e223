"""A plan as rows to print: every step with its expected local time, hand work, volumes, bottles, nights and weekends.

Times after the first due one are expectations: work times of people as the author gave them, transfers at their rates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from protocols.moments import Calendar as Days
from protocols.plan import Dose, Exchange, Hand, Node, Pause, Plan, SetEnvironment, WaitUntil, Withdraw

Kind = Literal["set", "wait", "exchange", "dose", "withdraw", "hand", "sample"]

DAY_BEGINS_H, DAY_ENDS_H = 7, 19
"""Local hours outside which hand work counts as night work."""
FLAT_S = 120.0
"""Waiting for a flat balance, and turning a syringe around, in each exchange."""


@dataclass(frozen=True, slots=True)
class Row:
    at: float
    local: datetime
    day: int
    title: str
    kind: Kind
    path: str
    fluid: str = ""
    in_ml: float = 0.0
    out_ml: float = 0.0
    minutes: float = 0.0
    """Working time of a person; 0 for what osteon does."""
    night: bool = False
    weekend: bool = False
    only_if: str = ""
    """Done only if this turns out so; "" = in any case."""


@dataclass(frozen=True, slots=True)
class Bottle:
    """One bottle hung by hand, and what is drawn from it until the next of the same fluid."""

    day: int
    local: datetime
    fluid: str
    volume_ml: float
    used_ml: float
    path: str = ""
    hung_at: float = 0.0
    """When it hangs: the hand step is done."""
    last_used: float = 0.0
    """The last draw from it; 0 when there is none."""

    @property
    def enough(self) -> bool:
        return self.used_ml <= self.volume_ml


@dataclass(frozen=True, slots=True)
class Calendar:
    rows: tuple[Row, ...]
    bottles: tuple[Bottle, ...]
    ends: float
    volume_by_fluid_ml: dict[str, float] = field(default_factory=dict[str, float])
    volume_by_day_ml: dict[tuple[int, str], float] = field(default_factory=dict[tuple[int, str], float])
    withdrawn_ml: float = 0.0

    @property
    def hand_rows(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.minutes > 0)

    @property
    def hand_minutes(self) -> float:
        return sum(row.minutes for row in self.rows)

    @property
    def out_of_hours(self) -> tuple[Row, ...]:
        """Hand work at night or on a weekend."""
        return tuple(row for row in self.hand_rows if row.night or row.weekend)


def calendar(plan: Plan) -> Calendar:
    """The plan as a calendar, rows in the order of time."""
    days = Days(plan.start, ZoneInfo(plan.zone))
    rows: list[Row] = []
    ends = _lay_out(plan.root, plan.start, days, rows)
    rows.sort(key=lambda row: row.at)
    by_fluid: dict[str, float] = {}
    by_day: dict[tuple[int, str], float] = {}
    for row in rows:
        if row.in_ml:
            by_fluid[row.fluid] = by_fluid.get(row.fluid, 0.0) + row.in_ml
            by_day[row.day, row.fluid] = by_day.get((row.day, row.fluid), 0.0) + row.in_ml
    return Calendar(
        rows=tuple(rows),
        bottles=tuple(_bottles(plan, rows)),
        ends=ends,
        volume_by_fluid_ml=by_fluid,
        volume_by_day_ml=by_day,
        withdrawn_ml=sum(row.out_ml for row in rows),
    )


def _lay_out(node: Node, earliest: float, days: Days, rows: list[Row]) -> float:
    """Add the rows of `node`, begun at `earliest` or when due; gives the time it is expected to end."""
    at = max(earliest, node.due) if node.due is not None else earliest
    match node.kind:
        case "sequence":
            for child in node.children:
                at = _lay_out(child, at, days, rows)
            return at
        case "parallel":
            return max([_lay_out(child, at, days, rows) for child in node.children], default=at)
        case "choice":
            return max(_perhaps(child, at, days, rows, child.title) for child in node.children)
        case "rounds":
            for i, child in enumerate(node.children):
                begins = max(at, earliest + child.after_s)
                perhaps = "" if node.condition is None or i == 0 else f"after round {i}: not yet"
                at = _perhaps(child, begins, days, rows, perhaps)
            return at
        case "step":
            row, length_s = step_row(node, at, days)
            rows.append(row)
            return at + length_s


def _perhaps(node: Node, at: float, days: Days, rows: list[Row], only_if: str) -> float:
    """Lay out what may not come to be done; its volumes and its time are planned for all the same."""
    inner: list[Row] = []
    ends = _lay_out(node, at, days, inner)
    rows += [row if row.only_if or not only_if else replace(row, only_if=only_if) for row in inner]
    return ends


def step_row(node: Node, at: float, days: Days) -> tuple[Row, float]:
    """The row of one step and how long the step is expected to take, s."""
    local, day = days.local(at), days.day(at)
    match node.work:
        case Hand() as hand:
            night = not DAY_BEGINS_H <= local.hour < DAY_ENDS_H
            kind: Kind = "sample" if hand.sample else "hand"
            minutes = hand.takes_s / 60
            row = Row(
                at, local, day, node.title, kind, node.path,
                minutes=minutes, night=night, weekend=local.weekday() >= 5,
            )  # fmt: skip
            return row, hand.takes_s
        case Exchange() as work:
            length_s = 120 * work.at_most_ml / work.out_rate_ml_min + 120 * work.fill_ml / work.fill_rate_ml_min
            row = Row(
                at, local, day, node.title, "exchange", node.path,
                fluid=work.fluid, in_ml=work.fill_ml, out_ml=work.fill_ml,
            )  # fmt: skip
            return row, length_s + FLAT_S
        case Withdraw() as work:
            row = Row(at, local, day, node.title, "withdraw", node.path, out_ml=work.volume_ml)
            return row, 120 * work.volume_ml / work.rate_ml_min + (0.0 if work.to_level_ml is None else FLAT_S)
        case Dose() as work:
            row = Row(at, local, day, node.title, "dose", node.path, fluid=work.fluid, in_ml=work.volume_ml)
            return row, 120 * work.volume_ml / work.rate_ml_min
        case Pause(for_s=for_s) | WaitUntil(for_s=for_s):
            return Row(at, local, day, node.title, "wait", node.path), for_s
        case SetEnvironment() | None:
            over_s = 0.0 if node.work is None else node.work.over_s
            return Row(at, local, day, node.title, "set", node.path), over_s


def _bottles(plan: Plan, rows: list[Row]) -> Iterator[Bottle]:
    """Each bottle hung, with what is drawn until the next one of the same fluid."""
    hung: list[tuple[Row, str, float]] = []
    for row in rows:
        work = plan.nodes[row.path].work
        if isinstance(work, Hand):
            hung += [(row, act.fluid, act.volume_ml) for act in work.acts if act.act == "renew"]
    for i, (row, fluid, volume_ml) in enumerate(hung):
        until = next((later.at for later, other, _ in hung[i + 1 :] if other == fluid), float("inf"))
        drawn = [r for r in rows if r.in_ml and r.fluid == fluid and row.at <= r.at < until]
        yield Bottle(
            day=row.day,
            local=row.local,
            fluid=fluid,
            volume_ml=volume_ml,
            used_ml=sum(r.in_ml for r in drawn),
            path=row.path,
            hung_at=row.at + row.minutes * 60,
            last_used=max([r.at for r in drawn], default=0.0),
        )
