"""The moves of a vessel, read from the ledger: doses delivered, withdrawals to level, what hands poured or took."""

from __future__ import annotations

from collections import defaultdict

from controller.run.intents import Intent, removing
from controller.run.strokes import rest
from controller.run.volumes import BASE_SIGMA_ML, POUR_SIGMA, Move, Volume, estimate
from controller.settings import UnitSettings
from controller.store.reader import Reader
from controller.store.rows import TaskRow
from drivers.core.fluid import Direction
from protocols.plan import TO_CUP

REMOVED = "remove"
"""Part of a transfer that takes a volume; a "withdraw" ends at a level."""
INTO = "medium in"
"""Fluid paths named so lead into the vessel; every other path leads out of it."""


def moves(ledger: Reader, run_id: str, unit: UnitSettings) -> list[Move]:
    """Every booked move of the unit's vessel in this run, unsorted."""
    found = [move for rows in transfers(ledger, run_id).values() for move in booked(rows, unit)]
    for task in ledger.tasks(run_id=run_id, open_only=False):
        found.extend(moves_of_hand(task))
    return found


def transfers(ledger: Reader, run_id: str) -> dict[tuple[str, str], list[Intent]]:
    """The strokes of a run by path and part, both in the order they were intended."""
    found: dict[tuple[str, str], list[Intent]] = defaultdict(list)
    for row in ledger.doses(run_id=run_id):
        intent = Intent.of(row)
        found[intent.path, intent.part].append(intent)
    return found


def booked(rows: list[Intent], unit: UnitSettings) -> list[Move]:
    """The moves of one transfer; priming and rinsing run into the cup, not into the vessel."""
    return moves_of_transfer(rows, unit, into_vessel=rows[0].part not in TO_CUP)


def shown(rows: list[Intent], unit: UnitSettings) -> list[Move]:
    """The same with what a withdrawal under way has drawn."""
    found = booked(rows, unit)
    ended = rows[0].part == REMOVED or any(move.level for move in found)
    return found if ended else [*found, *drawn_so_far(rows)]


def moves_of_transfer(rows: list[Intent], unit: UnitSettings, *, into_vessel: bool) -> list[Move]:
    """An open or unknown delivery counts as fully delivered (DS-07)."""
    found: list[Move] = []
    for row in rows:
        if row.fluid_path == INTO and row.stroke is Direction.DELIVER and into_vessel:
            ml = row.target_ml if row.moved_ml is None else row.moved_ml
            found.append(Move(row.ended_at or row.intended_at, ml, max(row.resolution_ml, 0.01 * ml)))
    if rows and rows[0].part == REMOVED:
        return [*found, *removals(rows)]
    if rows and rows[0].fluid_path != INTO:
        taken = removing(rows)
        drawn = [row for row in rows if row.stroke is taken and (row.state == "done" or row.moved_ml)]
        out_ml = sum(row.moved_ml or 0.0 for row in drawn)
        in_ml = sum(row.moved_ml or 0.0 for row in rows if row.stroke is Direction.DELIVER)
        ended = any(row.stroke is Direction.DELIVER and row.state == "done" for row in rows)
        delivered = ended or (
            in_ml > 0 and rest(out_ml, in_ml, rows) == 0
        )  # by strokes all cut short, none of them done
        if (
            drawn and delivered and rest(rows[0].cap_ml, out_ml, rows) == 0
        ):  # the tube fixed the level when it drew air, not when the waste arrived
            found.append(Move(drawn[-1].ended_at or 0.0, unit.vessel.level_ml, BASE_SIGMA_ML, level=True))
    return found


def removals(rows: list[Intent]) -> list[Move]:
    """What a withdrawal of a volume took; an open or unknown stroke may have taken anything up to its target."""
    taken = removing(rows)
    return [
        Move(row.intended_at, -row.target_ml / 2, row.target_ml / 12**0.5)
        if row.moved_ml is None
        else Move(row.ended_at or row.intended_at, -row.moved_ml, max(row.resolution_ml, 0.01 * row.moved_ml))
        for row in rows
        if row.stroke is taken
    ]


def drawn_so_far(rows: list[Intent]) -> list[Move]:
    """What strokes of a withdrawal have drawn; the level it ends at overrides it. A counter counts plunger motion, of
    which some may be air; an open or unknown stroke may have drawn anything up to its target, so half of it is taken.
    Both with the uncertainty of a uniform distribution. For the eye: limits are checked without these."""
    found: list[Move] = []
    taken = removing(rows)
    for row in rows:
        if row.fluid_path != INTO and row.stroke is taken:
            if row.moved_ml is None:
                found.append(Move(row.intended_at, -row.target_ml / 2, row.target_ml / 12**0.5))
            else:
                at = row.ended_at or row.intended_at
                found.append(Move(at, -row.moved_ml, row.moved_ml / 12**0.5))
    return found


def moves_of_hand(task: TaskRow) -> list[Move]:
    """What the acts of an answered hand step did to the vessel; what was done to flasks and plates is not its."""
    at, found = task.answered_at or task.opened_at, list[Move]()
    if task.state != "answered":
        return found
    for act in task.hand.get("acts", ()):
        if act.get("elsewhere"):
            continue
        match act["act"]:
            case "pour":
                found.append(Move(at, act["volume_ml"], POUR_SIGMA * act["volume_ml"]))
            case "take":
                found.append(Move(at, -act["volume_ml"], POUR_SIGMA * act["volume_ml"]))
            case "harvest":
                found.append(Move(at, 0.0, 0.0, level=True))
            case _:
                pass
    return found


def measured(ledger: Reader, unit: str, since: float) -> list[Move]:
    """What the vessel was found to hold since then: from there the books begin anew (DS-08).

    Behind the moves of the same moment, which it has seen."""
    return [Move(row.at, row.ml, row.sigma_ml, level=True) for row in ledger.volumes(unit) if row.at >= since]


def left_in(ledger: Reader, unit: UnitSettings, now: float) -> Volume:
    """What all that ever happened to the vessel left in it: a new run must not take it for an empty one (INV-04)."""
    runs = [row for row in ledger.runs() if row.unit == unit.name]
    found = [move for row in runs for move in moves(ledger, row.run_id, unit)]
    start = min([now, *(row.created_at for row in runs)])
    return estimate([*found, *measured(ledger, unit.name, 0.0)], start, now, unit.vessel.evaporation_ml_day)
