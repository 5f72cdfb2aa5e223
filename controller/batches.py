"""Batches and where they come from: donor to construct, split and pooled; what touched one, and who got a lot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Literal

from controller.actors import Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.store.changes import AuditEntry, Change, Insert
from controller.store.errors import ChangeRefused
from controller.store.reader import Reader

Kind = Literal["donor", "isolation", "passage", "bank", "spheroids", "differentiation", "construct"]


class Batches:
    """The family tree of a bench's cells, in the ledger. Parents are on record before their children: no circles."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.ledger, self.clock = keys, keys.ledger, keys.clock

    async def add(
        self, batch: str, kind: Kind, by: Actor, *, run: str = "", parents: Mapping[str, float], note: str = "",
        key: str = "",
    ) -> str:  # fmt: skip
        """A new batch of `run`, made of the given share (0 to 1) of each parent: one parent = split or passage,
        several = pooled. Raises Unusable with every fault, RunConflict when the name is taken."""
        facts = {"batch": batch, "kind": kind, "run": run, "parents": dict(parents), "note": note}
        asked = asks(f"batch {batch}", **facts)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["batch"])
        faults = [f"there is no batch {parent!r}" for parent in parents if self.ledger.batch(parent) is None]
        faults += [
            f"a share is above 0 and at most 1, not {share:g}" for share in parents.values() if not 0 < share <= 1
        ]
        faults += self._overdrawn(parents)
        if not batch.strip() or batch != batch.strip():
            faults.append("a batch needs a name without blanks at its ends")
        if run and self.ledger.run(run) is None:
            faults.append(f"there is no run {run!r}")
        if (kind == "donor") == bool(parents):
            faults.append("a donor has no parents; every other batch comes from one or more")
        if faults:
            raise Unusable(faults)
        now = self.clock.now()
        row = {"batch": batch, "kind": kind, "run_id": run or None, "at": now, "by": by.name, "note": note}
        change: list[Change] = [Insert("batches", row)]
        edges = ({"parent": parent, "child": batch, "share": share} for parent, share in parents.items())
        change.extend(Insert("batch_edges", edge) for edge in edges)
        if key:
            change.append(answer_row(key, run or None, now, {"asked": asked, "batch": batch}))
        entry = AuditEntry(
            "batch made", "batch", batch, by.name, by.role, by.authenticated_by, new=facts, run_id=run, client=by.client
        )
        try:
            await self.ledger.commit(change, [entry])
        except ChangeRefused:
            raise RunConflict(f"the batch {batch!r} is on record already") from None
        return batch

    def _overdrawn(self, parents: Mapping[str, float]) -> list[str]:
        edges = self.ledger.batch_edges()
        given = {name: sum(edge.share or 0.0 for edge in edges if edge.parent == name) for name in parents}
        return [
            f"{name!r} has only {max(0.0, 1 - given[name]):.3g} of itself left"
            for name, share in parents.items()
            if given[name] + share > 1 + 1e-9
        ]


def ancestors(ledger: Reader, batch: str) -> list[str]:
    """The batch and all it came from, nearest first."""
    return _walk([batch], [(edge.child, edge.parent) for edge in ledger.batch_edges()])


def descendants(ledger: Reader, batches: Iterable[str]) -> list[str]:
    """The batches and all that came from them, nearest first."""
    return _walk(batches, [(edge.parent, edge.child) for edge in ledger.batch_edges()])


def _walk(begin: Iterable[str], steps: list[tuple[str, str]]) -> list[str]:
    found = list(dict.fromkeys(begin))
    for batch in found:
        found.extend(there for here, there in steps if here == batch and there not in found)
    return found


def touched(ledger: Reader, batch: str) -> dict[str, Any]:
    """Everything that touched a batch or its ancestors: lots, doses, tasks, results, devices, alarms, deviations of
    their runs. Raises Unusable when there is no such batch."""
    if ledger.batch(batch) is None:
        raise Unusable([f"there is no batch {batch!r}"])
    names = ancestors(ledger, batch)
    runs = sorted({row.run_id for row in ledger.batches() if row.batch in names and row.run_id})
    doses = [dose for run in runs for dose in ledger.doses(run)]
    lots = {use.lot for use in ledger.lot_uses() if use.run_id in runs} | {
        lot for lot in (row.lot for row in ledger.lots()) if set(runs) & set(runs_of_lot(ledger, lot))
    }
    return {
        "batch": batch,
        "batches": names,
        "runs": runs,
        "lots": sorted(lots),
        "doses": [asdict(dose) for dose in doses],
        "devices": sorted({dose.device for dose in doses}),
        "tasks": [asdict(task) for run in runs for task in ledger.tasks(run)],
        "results": [asdict(result) for run in runs for result in ledger.sample_results(run)],
        "alarms": [asdict(alarm) for alarm in ledger.alarms() if alarm.run_id in runs],
        "deviations": [asdict(row) for run in runs for row in ledger.deviations(run)],
    }


def batches_of_lot(ledger: Reader, lot: str) -> list[str]:
    """Which batches got a lot, by hand or from a bottle on a pump, themselves or through an ancestor."""
    runs = runs_of_lot(ledger, lot)
    return descendants(ledger, [row.batch for row in ledger.batches() if row.run_id in runs])


def runs_of_lot(ledger: Reader, lot: str) -> list[str]:
    """Runs with a hand step that used the lot, and runs that drew from a bottle of it until the next was hung."""
    uses = ledger.lot_uses()
    found = {use.run_id for use in uses if use.lot == lot}
    unit = {row.run_id: row.unit for row in ledger.runs()}
    hung = sorted(
        (use.at, unit[use.run_id], use.material, use.lot)
        for use in uses
        if (task := ledger.task(use.run_id, use.path)) is not None
        and any(act["act"] == "renew" and act["fluid"] == use.material for act in task.hand["acts"])
    )
    for at, where, fluid, name in hung:
        if name != lot:
            continue
        end = next((then for then, there, what, _ in hung if then > at and (there, what) == (where, fluid)), None)
        found |= {
            dose.run_id
            for dose in ledger.doses()
            if dose.run_id and unit[dose.run_id] == where and dose.fluid == fluid
            and dose.intended_at >= at and (end is None or dose.intended_at < end)
        }  # fmt: skip
    return sorted(found)
