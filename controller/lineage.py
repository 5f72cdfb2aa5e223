"""Family tree of batches, read: ancestors and descendants, everything that touched a batch, which batches got a lot.

A batch has its ancestors' past up to the moment it left them: what a mother's run did afterwards did not touch it.
Batches of one run share that run's past: its chamber, its medium and its people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from math import inf
from typing import Any

from controller.errors import Unusable
from controller.store.reader import Reader
from controller.store.rows import BatchRow


def known(ledger: Reader, batch: str) -> BatchRow:
    """Raises Unusable when there is no such batch."""
    row = ledger.batch(batch)
    if row is None:
        raise Unusable([f"there is no batch {batch!r}"])
    return row


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


def family(ledger: Reader, batch: str) -> dict[str, Any]:
    """One batch: what it is, the hand step that made it (None = a person or a start did), and its relatives. `share`:
    which part of the parent, 0 to 1, None = nobody knows. Raises Unusable when there is no such batch."""
    row, edges = known(ledger, batch), ledger.batch_edges()
    return {
        **asdict(row),
        "made": _made(ledger, row),
        "releases": [asdict(each) for each in ledger.releases(batch)],
        "parents": [{"batch": edge.parent, "share": edge.share} for edge in edges if edge.child == batch],
        "children": [{"batch": edge.child, "share": edge.share} for edge in edges if edge.parent == batch],
        "ancestors": ancestors(ledger, batch)[1:],
        "descendants": descendants(ledger, [batch])[1:],
    }


def _made(ledger: Reader, row: BatchRow) -> dict[str, Any] | None:
    for task in ledger.tasks(row.run_id) if row.run_id else ():
        for child in task.hand.get("made", ()):
            if child["batch"] == row.batch:
                return {"path": task.path, "title": task.title, "into": child["into"], "kept": child["kept"]}
    return None


def touched(ledger: Reader, batch: str, signals: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Everything that touched a batch, itself or through an ancestor: runs, lots, doses, devices, tasks, samples,
    results, photos, times out of the incubator, alarms, deviations; `readings` says where in the history those are.

    `signals`: those of each unit. Times UTC s. Raises Unusable when there is no such batch."""
    known(ledger, batch)
    until = past(ledger, batch)
    runs = sorted(until)
    doses = [dose for run in runs for dose in ledger.doses(run) if dose.intended_at <= until[run]]
    tasks = [task for run in runs for task in ledger.tasks(run) if (task.answered_at or task.opened_at) <= until[run]]
    paths = {(task.run_id, task.path) for task in tasks}
    results = [
        row for run in runs for row in ledger.sample_results(run) if (run, row.path) in paths or row.at <= until[run]
    ]
    lots = {lot for (lot, run), at in lots_in_runs(ledger).items() if run in until and at <= until[run]}
    return {
        "batch": batch,
        "batches": ancestors(ledger, batch),
        "runs": runs,
        "lots": sorted(lots),
        "doses": [asdict(dose) for dose in doses],
        "devices": sorted({dose.device for dose in doses}),
        "tasks": [asdict(task) for task in tasks],
        "samples": [
            {
                "run_id": task.run_id, "path": task.path, "sample": task.hand["sample"], "at": task.answered_at,
                "by": task.answered_by,
            }
            for task in tasks if task.answered_at is not None and task.hand.get("sample")
        ],
        "results": [asdict(result) for result in results],
        "photos": [asdict(row) for run in runs for row in ledger.photos(run) if row.at <= until[run]],
        "outings": [asdict(row) for run in runs for row in ledger.outings(run) if row.back_at <= until[run]],
        "alarms": [
            asdict(row) for row in ledger.alarms() if row.run_id in until and row.raised_at <= until[row.run_id]
        ],
        "deviations": [asdict(row) for run in runs for row in ledger.deviations(run) if row.at <= until[run]],
        "readings": [readings(ledger, run, until[run], signals) for run in runs],
    }  # fmt: skip


def past(ledger: Reader, batch: str) -> dict[str, float]:
    """Run -> until when (UTC s, inf = all of it) its past is that of the batch."""
    rows, edges = {row.batch: row for row in ledger.batches()}, ledger.batch_edges()
    until: dict[str, float] = {}
    seen: dict[str, float] = {}
    to_see = [(batch, inf)]
    for name, limit in to_see:
        if limit <= seen.get(name, -inf):
            continue
        seen[name] = limit
        row = rows[name]
        if row.run_id:
            until[row.run_id] = max(limit, until.get(row.run_id, -inf))
        for edge in edges:
            if edge.child == name:
                together = row.run_id and rows[edge.parent].run_id == row.run_id
                to_see.append((edge.parent, limit if together else min(limit, row.at)))
    return until


def readings(ledger: Reader, run_id: str, until: float, signals: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Where the readings of a run are: history signals of its unit, from and to (UTC s; None = it goes on)."""
    row = ledger.run(run_id)
    assert row is not None  # a batch is of a run that is on record
    ends = [at for at in (row.ended_at, until) if at is not None and at < inf]
    begins = row.created_at if row.started_at is None else row.started_at
    listed = list(signals.get(row.unit, ()))
    return {"run": run_id, "unit": row.unit, "from": begins, "to": min(ends, default=None), "signals": listed}


def batches_of_lot(ledger: Reader, lot: str) -> list[str]:
    """Which batches got a lot, by hand or from a bottle on a pump: those of a run that used it, and what was made of
    them from then on."""
    got = {run: at for (name, run), at in lots_in_runs(ledger).items() if name == lot}
    rows, edges = {row.batch: row for row in ledger.batches()}, ledger.batch_edges()
    since = {row.batch: got[row.run_id] for row in rows.values() if row.run_id in got}
    found = list(since)
    for name in found:
        for edge in edges:
            child = rows[edge.child]
            if edge.parent == name and child.batch not in since and child.at >= since[name]:
                since[child.batch] = child.at
                found.append(child.batch)
    return found


def runs_of_lot(ledger: Reader, lot: str) -> list[str]:
    """Runs with a hand step that used the lot, and runs that drew from a bottle of it until the next was hung."""
    return sorted({run for name, run in lots_in_runs(ledger) if name == lot})


def lots_in_runs(ledger: Reader) -> dict[tuple[str, str], float]:
    """(lot, run) -> when the run first got it (UTC s), by hand or from a bottle that hung at its unit."""
    first: dict[tuple[str, str], float] = {}
    for lot, run, at in _uses(ledger):
        first[lot, run] = min(at, first.get((lot, run), inf))
    return first


def _uses(ledger: Reader) -> Iterator[tuple[str, str, float]]:
    uses = ledger.lot_uses()
    yield from ((use.lot, use.run_id, use.at) for use in uses)
    unit = {row.run_id: row.unit for row in ledger.runs()}
    hung: dict[tuple[str, str], list[tuple[float, str]]] = {}
    """Unit and fluid -> when which lot of it was hung."""
    for use in uses:
        task = ledger.task(use.run_id, use.path)
        acts = task.hand["acts"] if task is not None else ()
        if any(act["act"] == "renew" and act["fluid"] == use.material for act in acts):
            hung.setdefault((unit[use.run_id], use.material), []).append((use.at, use.lot))
    for dose in ledger.doses() if hung else ():
        if dose.run_id is not None:
            bottles = hung.get((unit[dose.run_id], dose.fluid), [])
            if before := [bottle for bottle in bottles if bottle[0] <= dose.intended_at]:
                yield max(before)[1], dose.run_id, dose.intended_at
