"""What is legal in a protocol but unwise: where, what, and what would be better. Nothing here refuses a protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from drivers.core.carbonate import co2_for, ph_at
from protocols.calendar import Calendar, Row, calendar
from protocols.cell_budget import budgets
from protocols.faults import ProtocolInvalid, nearest
from protocols.moments import Calendar as Days
from protocols.moments import instant
from protocols.nesting import all_steps
from protocols.plan import Dose, Exchange, Hand, Plan, SetEnvironment, Withdraw
from protocols.planning import plan as planned
from protocols.protocol import Protocol
from protocols.quantities import WEEKDAYS
from protocols.source import Loc
from protocols.supplies import batches, good_until
from protocols.too_soon import too_soon

Kind = Literal[
    "night",
    "weekend",
    "settling",
    "ph",
    "reservoir",
    "cells",
    "ascorbate",
    "shelf-life",
    "two-tasks",
    "evaporation",
    "too-soon",
    "too-short",
    "start",
    "material",
]
GATHERED = ("night", "weekend", "two-tasks", "settling", "too-soon")
"""Told once for a place, with the number."""
PH_LOW, PH_HIGH, PH_AIM = 7.1, 7.6, 7.4
"""Warned outside (A, culture-protocols §3); the aim of the CO2 that is suggested."""
SETTLE_S, STILL_AT_MOST_S = 180.0, 600.0
"""Spheroids settle this long, and lie no longer (A, benches A1)."""
REFERENCE_WEEK = date(2026, 1, 5)
"""A Monday: where `osteon check` plans a protocol that has no start yet."""
REFERENCE_TIME = time(8, 0)


@dataclass(frozen=True, slots=True)
class Unwise:
    """One warning about a file. Line and column count from 1."""

    file: str
    line: int
    column: int
    field: str
    kind: Kind
    reason: str
    better: str = ""

    def __str__(self) -> str:
        better = f" ({self.better})" if self.better else ""
        return f"{self.file}:{self.line}:{self.column}: warning: {self.reason}{better}"


Found = Iterator[tuple[str | Loc, Kind, str, str]]
"""(path of a step, or a place in the file; kind; what is unwise; what would be better)"""


def reference_plan(protocol: Protocol) -> Plan:
    """The protocol begun at 08:00 UTC on the weekday its day 0 is made for; raises ProtocolInvalid."""
    day = REFERENCE_WEEK + timedelta(days=WEEKDAYS.index(protocol.document.day_0 or "Mon"))
    start = instant(datetime.combine(day, REFERENCE_TIME), ZoneInfo("UTC"))
    return planned(protocol, start, "UTC")


def _unplanned(protocol: Protocol, error: ProtocolInvalid) -> tuple[Unwise, ...]:
    """In order by itself, and yet no plan can be made of it at the usual start."""
    when = f"when it begins on a {protocol.document.day_0 or 'Mon'} at {REFERENCE_TIME:%H:%M}"
    return tuple(
        Unwise(each.file, each.line, each.column, each.field, "start", f"no plan {when}: it {each.reason}", each.right)
        for each in error.faults
    )


def unwise(
    protocol: Protocol, plan: Plan | None = None, rows: Calendar | None = None, place_ml: float | None = None
) -> tuple[Unwise, ...]:
    """Every warning, in the order of the file; `place_ml` = the largest bottle the bench has room for."""
    try:
        plan = plan or reference_plan(protocol)
    except ProtocolInvalid as error:
        return _unplanned(protocol, error)
    rows = rows or calendar(plan)
    looks = (
        _out_of_hours(rows),
        _two_tasks(rows),
        _too_soon(plan),
        _too_short(plan),
        _misnamed(protocol, plan),
        _unsettled(protocol, plan, rows),
        _ph(protocol, plan, rows),
        _reservoirs(rows, place_ml),
        _too_old(protocol, plan, rows),
        _cells(protocol, plan, rows),
        _ascorbate(protocol, plan),
        _shrinking(plan, rows),
    )
    source = protocol.source
    places = _scheduled(protocol) | {source.line(loc): loc for loc, _ in reversed(list(all_steps(protocol.document)))}
    seen: dict[tuple[Loc, Kind, str], tuple[str, str, int]] = {}
    for look in looks:
        for where, kind, reason, better in look:
            loc = places.get(plan.nodes[where].line, ()) if isinstance(where, str) else where
            key = (loc, kind, "" if kind in GATHERED else reason)
            first, right, count = seen.get(key, (reason, better, 0))
            seen[key] = (first, right, count + 1)
    found: list[Unwise] = []
    for (loc, kind, _), (reason, better, count) in seen.items():
        at = source.fault(loc, reason, better)
        more = f", and {count - 1} more" if count > 1 and kind in GATHERED else ""
        found.append(Unwise(at.file, at.line, at.column, at.field, kind, reason + more, better))
    return tuple(sorted(found, key=lambda each: (each.line, each.column, each.kind, each.reason)))


def _when(row: Row) -> str:
    return f"day {row.day}, {row.local:%a %H:%M}"


def _out_of_hours(rows: Calendar) -> Found:
    for row in rows.out_of_hours:
        if row.weekend:
            yield row.path, "weekend", f"hand work on a weekend: {_when(row)}", "move it, or start on another weekday"
        else:
            yield row.path, "night", f"hand work at night: {_when(row)}", "between 07:00 and 19:00, or start earlier"


def _two_tasks(rows: Calendar) -> Found:
    """One person cannot be at two tasks; ways that exclude each other do not meet."""
    busy: Row | None = None
    for row in rows.hand_rows:
        ends = 0.0 if busy is None else busy.at + busy.minutes * 60
        if busy is not None and row.at < ends - 1 and not (row.only_if and busy.only_if):
            minutes = (min(ends, row.at + row.minutes * 60) - row.at) / 60
            reason = f"{_when(row)}, {minutes:.0f} min on top of {_short(busy.title)!r} for one person"
            yield row.path, "two-tasks", reason, "move it, or plan a second person"
        if row.at + row.minutes * 60 > ends:
            busy = row


def _scheduled(protocol: Protocol) -> dict[int, Loc]:
    """Line of a stage or an operation -> place of the time that it is given."""
    found: dict[int, Loc] = {}
    for i, stage in enumerate(protocol.document.stages):
        key = "together" if stage.together else "operations"
        inner = [(("stages", i, key, j), each) for j, each in enumerate(stage.together or stage.operations)]
        for loc, each in ((("stages", i), stage), *inner):
            given = "every" if each.every else "days" if each.days else "at"
            found[protocol.source.line(loc)] = (*loc, given)
    return found


def _too_soon(plan: Plan) -> Found:
    """A time before what stands before it can have ended."""
    days = Days(plan.start, ZoneInfo(plan.zone))
    for each in too_soon(plan):
        due, ends = days.local(each.due), days.local(each.earliest)
        reason = (
            f"due day {days.day(each.due)}, {due:%a %H:%M}, but {_short(each.before)!r} before it ends on "
            f"day {days.day(each.earliest)}, {ends:%a %H:%M} at the earliest"
        )
        yield each.path, "too-soon", reason, "a later time, or side by side: 'together'"


def _too_short(plan: Plan) -> Found:
    """A limit that the volume and the rate of a fluid step cannot keep: it would hold each time."""
    for node in plan.nodes.values():
        match node.work:
            case Exchange() as work:
                least_s = 60 * (work.at_most_ml / work.out_rate_ml_min + work.fill_ml / work.fill_rate_ml_min)
            case Dose() as work:
                least_s = 60 * work.volume_ml / work.rate_ml_min
            case Withdraw() as work:
                least_s = 60 * work.volume_ml / work.rate_ml_min
            case _:
                continue
        if 0 < node.max_s < least_s:
            reason = f"the volume takes {least_s / 60:.0f} min at this rate, 'at most' allows {node.max_s / 60:.0f}"
            yield node.path, "too-short", reason, f"at most: {2 * least_s / 60:.0f} min, or a higher rate"


def _misnamed(protocol: Protocol, plan: Plan) -> Found:
    """What is poured may be anything (cells, water), but a name nearly that of a material is probably that."""
    materials = protocol.document.materials
    for node in plan.nodes.values():
        for act in node.work.acts if isinstance(node.work, Hand) else ():
            right = nearest(act.fluid, materials)
            if act.act == "pour" and act.fluid not in materials and right.startswith("did you mean"):
                reason = f"{act.fluid!r} is poured, but stands not under materials: it is not planned for"
                yield node.path, "material", reason, right


def _short(text: str, most: int = 50) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _unsettled(protocol: Protocol, plan: Plan, rows: Calendar) -> Found:
    """Medium drawn from a stirred vessel with cells in it, without a screen, while they float."""
    speed: dict[str, tuple[float, float]] = {}
    inside: set[str] = set()
    stirred = [name for name, vessel in protocol.document.vessels.items() if vessel.kind == "stirred"]
    for row in rows.rows:
        match plan.nodes[row.path].work:
            case Hand(acts=acts):
                done = row.at + row.minutes * 60
                for act in acts:
                    if act.act == "stir":
                        speed[act.vessel] = (done, act.value)
                    elif act.act == "pour" and act.cells_per_ml:
                        inside.add(act.vessel)
            case SetEnvironment(points=points):
                for point in points:
                    if point.role == "stirring":
                        speed.update(dict.fromkeys(stirred, (row.at, point.value)))
            case Exchange(vessel=name) if name in inside and name in speed and name in stirred:
                if protocol.document.vessels[name].retention == "screen":
                    continue
                since, value = speed[name]
                still_s = row.at - since
                if value > 0:
                    reason = f"{_when(row)}: medium leaves {name} while the stirrer turns, and cells with it"
                elif still_s < SETTLE_S:
                    reason = (
                        f"{_when(row)}: {name} has been still for {still_s / 60:.1f} min, spheroids need 3 to settle"
                    )
                elif still_s > STILL_AT_MOST_S:
                    reason = f"{_when(row)}: {name} has been still for {still_s / 60:.0f} min, spheroids fuse after 10"
                else:
                    continue
                better = f"stop it and wait 3 to 10 min before, or write 'retention: screen' at {name} if it has one"
                yield row.path, "settling", reason, better
            case _:
                pass


def _ph(protocol: Protocol, plan: Plan, rows: Calendar) -> Found:
    """Bicarbonate against the CO2 it stands under."""
    co2 = 0.0
    for row in rows.rows:
        work = plan.nodes[row.path].work
        fluids = [row.fluid] if row.fluid else []
        if isinstance(work, SetEnvironment):
            co2 = next((point.value for point in work.points if point.role == "co2"), co2)
        elif isinstance(work, Hand):
            fluids = [act.fluid for act in work.acts if act.act == "pour"]
        for fluid in fluids:
            material = protocol.document.materials.get(fluid)
            if material is None or material.bicarbonate is None or co2 <= 0:
                continue
            ph = ph_at(material.bicarbonate, co2)
            if not PH_LOW <= ph <= PH_HIGH:
                place: Loc = ("materials", fluid, "bicarbonate")
                right = co2_for(material.bicarbonate, PH_AIM)
                reason = f"{material.bicarbonate:g} mM bicarbonate under {co2:g} % CO2 stand at pH {ph:.2f}"
                if right <= 20:
                    better = f"{right:.1f} % CO2 give pH {PH_AIM}; or a medium with 26 mM under 5 %"
                else:
                    better = "a medium with 26 mM under 5 %"
                yield place, "ph", reason, better


def _reservoirs(rows: Calendar, place_ml: float | None) -> Found:
    for bottle in rows.bottles:
        when = f"day {bottle.day}"
        if not bottle.enough:
            reason = f"the bottle hung on {when} holds {bottle.volume_ml:g} mL; {bottle.used_ml:g} are drawn from it"
            yield bottle.path, "reservoir", reason, "a larger bottle, or a new one sooner"
        if place_ml is not None and bottle.volume_ml > place_ml:
            reason = f"{bottle.volume_ml:g} mL of {bottle.fluid}, but the bench's bottle holds {place_ml:g} mL"
            yield bottle.path, "reservoir", reason, "a smaller bottle, renewed more often"
    hung: dict[str, float] = {}
    for bottle in rows.bottles:
        hung[bottle.fluid] = min(hung.get(bottle.fluid, bottle.hung_at), bottle.hung_at)
    for row in rows.rows:
        if row.in_ml and row.at < hung.get(row.fluid, float("inf")) - 1:
            reason = f"{row.fluid} is drawn, but no bottle of it has been hung"
            yield row.path, "reservoir", reason, "a hand step before it with 'acts: [{renew: 250 mL, of: …}]'"


def _too_old(protocol: Protocol, plan: Plan, rows: Calendar) -> Found:
    materials = protocol.document.materials
    for bottle in rows.bottles:
        material = materials.get(bottle.fluid)
        hung_s = bottle.last_used - bottle.hung_at
        if material is None or material.hangs is None or not bottle.last_used:
            continue
        if bottle.local + timedelta(seconds=bottle.last_used - bottle.hung_at) > good_until(
            bottle.local, material.hangs
        ):
            reason = f"{bottle.fluid} hung on day {bottle.day} is still used after {hung_s / 86400:.1f} d"
            yield bottle.path, "shelf-life", reason, f"it hangs for {material.hangs / 86400:g} d: a new bottle sooner"
    for batch in batches(plan, rows, materials):
        if batch.too_old:
            held = (batch.used_until - batch.prepare_by) / timedelta(days=1)
            reason = f"{batch.fluid} made for day {batch.day} is still used after {held:.1f} d"
            yield batch.path, "shelf-life", reason, f"it keeps {batch.keeps}: a fresh bottle sooner"


def _cells(protocol: Protocol, plan: Plan, rows: Calendar) -> Found:
    for budget in budgets(protocol.document, plan, rows):
        if budget.short:
            dishes = sum(source.dishes for source in budget.sources)
            names = ", ".join(source.vessel for source in budget.sources)
            reason = (
                f"{budget.needed:.2g} cells are needed, about {budget.available:.2g} will come "
                f"from {names} ({dishes} flask{'s' if dishes > 1 else ''})"
            )
            if most := budget.most:
                reason += f"; {most.into} (day {most.day}) asks for the most, {most.drawn:.2g}"
            yield budget.sources[0].path, "cells", reason, f"{budget.dishes_needed} flasks, or fewer wells"


def _ascorbate(protocol: Protocol, plan: Plan) -> Found:
    """Base medium with ascorbic acid, in what is to stay undifferentiated."""
    materials = protocol.document.materials
    given: dict[str, str] = {}
    for node in plan.nodes.values():
        if isinstance(node.work, Hand):
            for act in node.work.acts:
                if act.act == "pour" and (_is_control(act.vessel) or _is_control(protocol.name)):
                    given.setdefault(act.fluid, act.vessel)
    for fluid, vessel in given.items():
        material = materials.get(fluid)
        if material is None:
            continue
        if material.base_ascorbate == "yes":
            reason = f"the base of {fluid} holds ascorbic acid, and {vessel} is an undifferentiated control"
            place: Loc = ("materials", fluid, "base ascorbate")
            yield place, "ascorbate", reason, "a base without it, or say so in the record of the control"
        elif material.base_ascorbate is None and any(name in material.recipe for name in ("αMEM", "alpha-MEM", "aMEM")):
            reason = f"αMEM usually holds 0.28 mM ascorbic acid, and {vessel} is an undifferentiated control"
            yield ("materials", fluid, "recipe"), "ascorbate", reason, "write 'base ascorbate: no' or 'yes' as it is"


def _is_control(name: str) -> bool:
    return "control" in name.casefold() or "undifferentiated" in name.casefold()


def _shrinking(plan: Plan, rows: Calendar) -> Found:
    """As much in as out: a well that evaporates 1.7 uL a day shrinks (benches A2)."""
    for row in rows.hand_rows:
        work = plan.nodes[row.path].work
        acts = work.acts if isinstance(work, Hand) else ()
        for taken in acts:
            for given in acts:
                same = taken.act == "take" and given.act == "pour" and taken.vessel == given.vessel
                if same and taken.kind == "plate" and 0 < taken.volume_ml == given.volume_ml < 1:
                    ul = taken.volume_ml * 1000
                    reason = f"{ul:g} uL out and {ul:g} uL in: the wells of {taken.vessel} shrink by evaporation"
                    yield row.path, "evaporation", reason, f"remove {ul - 5:g}, add {ul:g} uL"
