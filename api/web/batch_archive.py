"""Batches out of the ledger, shaped for answers. For the reader's thread only; `unit`: all that a token may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.web.problems import Problem

if TYPE_CHECKING:
    from controller.store.reader import Reader


def batches(ledger: Reader, unit: str | None) -> list[dict[str, Any]]:
    """The newest first, each with its parents."""
    from dataclasses import asdict

    seen, edges = visible(ledger, unit), ledger.batch_edges()
    return [
        {
            **asdict(row),
            "parents": [
                {"batch": edge.parent, "share": edge.share}
                for edge in edges if edge.child == row.batch and edge.parent in seen
            ],
        }
        for row in reversed(ledger.batches()) if row.batch in seen
    ]  # fmt: skip


def batch(ledger: Reader, name: str, unit: str | None) -> dict[str, Any]:
    """One with its relatives, but for those of other units. Raises Problem."""
    from controller.lineage import family

    seen = open_to(ledger, name, unit)
    found = family(ledger, name)
    for near in ("parents", "children"):
        found[near] = [each for each in found[near] if each["batch"] in seen]
    for far in ("ancestors", "descendants"):
        found[far] = [each for each in found[far] if each in seen]
    return found


def touched(ledger: Reader, name: str, unit: str | None, signals: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Everything that touched it. Raises Problem; not-allowed where a part of that is of another unit."""
    from controller import lineage

    open_to(ledger, name, unit)
    if unit is not None and any(_unit(ledger, run) != unit for run in lineage.past(ledger, name)):
        raise Problem("not-allowed", f"this token is for the unit {unit} only; {name} was on others too")
    return lineage.touched(ledger, name, signals)


def of_lot(ledger: Reader, lot: str, unit: str | None) -> list[str]:
    """Batches that got a lot. Raises Problem."""
    from controller.lineage import batches_of_lot

    if ledger.lot(lot) is None:
        raise Problem("not-found", f"there is no lot {lot!r}")
    seen = visible(ledger, unit)
    return [name for name in batches_of_lot(ledger, lot) if name in seen]


def open_to(ledger: Reader, name: str, unit: str | None) -> set[str]:
    """The batches that may be seen, this one among them. Raises Problem."""
    if ledger.batch(name) is None:
        raise Problem("not-found", f"there is no batch {name!r}")
    seen = visible(ledger, unit)
    if name not in seen:
        raise Problem("not-allowed", f"this token is for the unit {unit} only")
    return seen


def visible(ledger: Reader, unit: str | None) -> set[str]:
    """Of one unit, or of no run; all of them where a token is for all units."""
    units = {row.run_id: row.unit for row in ledger.runs()} if unit is not None else {}
    return {row.batch for row in ledger.batches() if unit is None or not row.run_id or units[row.run_id] == unit}


def _unit(ledger: Reader, run: str) -> str:
    row = ledger.run(run)
    return "" if row is None else row.unit
