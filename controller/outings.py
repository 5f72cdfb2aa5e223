"""Time out of the incubator: counted for each vessel and visit, beyond its limit a deviation and an alarm (DX-33)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controller.actors import Actor
from controller.errors import Unusable
from controller.store.changes import Change, Insert
from controller.store.rows import OutingRow, TaskRow

ALL = "vessels of this step"
LONGEST_MIN = 24 * 60.0


@dataclass(frozen=True, slots=True)
class Outing:
    """What an answer says of it: rows for its transaction, and what must be said aloud ("" = nothing)."""

    change: tuple[Change, ...] = ()
    too_long: str = ""


def outing(task: TaskRow, out_min: float | None, at: float, by: Actor) -> Outing:
    """The visit of the vessels of a hand step, back at `at` (UTC s). Raises Unusable for a time that cannot be.

    A person who does not write the time down leaves it unknown, and that is a deviation: unknown is not zero."""
    limit_s = float(task.hand.get("out_of_incubator_s") or 0.0)
    if limit_s <= 0:
        if out_min is not None:
            raise Unusable(["this task takes nothing out of the incubator"])
        return Outing()
    if out_min is not None and not 0 <= out_min <= LONGEST_MIN:
        raise Unusable([f"out of the incubator for {out_min:g} min: give 0 to {LONGEST_MIN:g} min"])
    if out_min is None and by.role == "simulated":
        return Outing()
    out_s = None if out_min is None else 60.0 * out_min
    change: list[Change] = [
        Insert(
            "outings",
            {
                "run_id": task.run_id,
                "path": task.path,
                "vessel": vessel,
                "back_at": at,
                "out_s": out_s,
                "limit_s": limit_s,
                "by": by.name,
            },
        )
        for vessel in vessels(task)
    ]
    if out_s is not None and out_s <= limit_s:
        return Outing(tuple(change))
    said = "not written down" if out_s is None else f"{out_s / 60:g} min"
    text = f"{task.title}: time out of the incubator {said}, at most {limit_s / 60:g} min"
    change.append(Insert("deviations", {"run_id": task.run_id, "path": task.path, "at": at, "text": text}))
    return Outing(tuple(change), "" if out_s is None else text)


def vessels(task: TaskRow) -> list[str]:
    """The hand vessels a step works on; where it names none, all of them are meant."""
    found = [str(act["vessel"]) for act in task.hand.get("acts", ()) if act.get("elsewhere") and act.get("vessel")]
    return list(dict.fromkeys(found)) or [ALL]


def totals(rows: Iterable[OutingRow]) -> dict[str, dict[str, float]]:
    """Vessel -> visits, minutes out in all, longest visit (min), and visits whose time nobody wrote down."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        one = found.setdefault(row.vessel, {"visits": 0, "minutes": 0.0, "longest_min": 0.0, "unknown": 0})
        one["visits"] += 1
        if row.out_s is None:
            one["unknown"] += 1
            continue
        one["minutes"] = round(one["minutes"] + row.out_s / 60, 3)
        one["longest_min"] = max(one["longest_min"], row.out_s / 60)
    return found
