"""Family tree of batches, read: ancestors and descendants, everything that touched a batch, which batches got a lot.

A batch has its ancestors' past up to the moment it came of them: what happened to a mother afterwards did not touch it.
In a run that works on a batch it is known which batch stood in which vessel: what was given to a vessel touched those
that were in it then, or came into it later. A batch that a person only wrote down as of a run was everywhere in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from controller.errors import Unusable
from controller.store.reader import Reader
from controller.store.rows import BatchRow, TaskRow
from controller.vessels import ANYWHERE, Hands, Recorded, Stay


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
    reached = past(ledger, batch)
    runs = sorted(reached)
    plans = plans_of(ledger, runs)
    doses = [
        dose
        for run in runs
        for dose in ledger.doses(run)
        if reached[run].has(plans[run].of_dose(dose), dose.intended_at)
    ]
    tasks = tasks_of(ledger, reached, plans)
    paths = {(task.run_id, task.path) for task in tasks}
    lots = {use.lot for use in uses(ledger) if use.run in reached and reached[use.run].has(use.vessels, use.at)}
    alarms = [row for row in ledger.alarms() if row.run_id in reached and row.raised_at <= reached[row.run_id].until]
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
        "results": [asdict(row) for run in runs for row in ledger.sample_results(run) if (run, row.path) in paths],
        "photos": [asdict(row) for run in runs for row in ledger.photos(run) if (run, row.path) in paths],
        "outings": [asdict(row) for run in runs for row in ledger.outings(run) if (run, row.path) in paths],
        "alarms": [asdict(row) for row in alarms],
        "deviations": [asdict(row) for run in runs for row in ledger.deviations(run) if row.at <= reached[run].until],
        "readings": [readings(ledger, run, reached[run].until, signals) for run in runs],
    }  # fmt: skip


def tasks_of(ledger: Reader, reached: Mapping[str, Reach], plans: Mapping[str, Recorded]) -> list[TaskRow]:
    """Hand steps and samples of the vessels that a batch or its ancestors were in."""
    return [
        task
        for run, plan in plans.items()
        for task in ledger.tasks(run)
        if reached[run].has(plan.of_task(task.hand), task.answered_at or task.opened_at)
    ]


def plans_of(ledger: Reader, runs: Iterable[str]) -> dict[str, Recorded]:
    return {run: Recorded(row) for run in sorted(runs) if (row := ledger.run(run)) is not None}


@dataclass(slots=True)
class Reach:
    """What of a run is a batch's past: until when (UTC s, inf = all of it), and in which vessels until when."""

    until: float = -inf
    everywhere: bool = False
    vessels: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def has(self, vessels: frozenset[str] | None, at: float) -> bool:
        """Whether what happened to these vessels (None = nobody knows which) touched it."""
        if at > self.until:
            return False
        return self.everywhere or any(at <= until and fits(name, vessels) for name, until in self.vessels)


def fits(vessel: str, vessels: frozenset[str] | None) -> bool:
    return vessels is None or vessel in vessels or (vessel == ANYWHERE and bool(vessels))


def past(ledger: Reader, batch: str) -> dict[str, Reach]:
    """What of each run touched the batch."""
    rows, edges = {row.batch: row for row in ledger.batches()}, ledger.batch_edges()
    found: dict[str, Reach] = {}
    seen: dict[str, float] = {}
    stays: dict[str, list[Stay]] = {}
    to_see = [(batch, inf)]
    for name, limit in to_see:
        if limit <= seen.get(name, -inf):
            continue
        seen[name] = limit
        row, own = rows[name], list[Stay]()
        if row.run_id:
            if row.run_id not in stays:
                stays[row.run_id] = _stays(ledger, row.run_id)
            own = [stay for stay in stays[row.run_id] if stay.batch == name]
            reach = found.setdefault(row.run_id, Reach())
            there = [(stay.vessel, min(stay.until, limit)) for stay in own if stay.begin <= limit]
            reach.vessels.extend(there)
            reach.everywhere |= not own
            reach.until = max(reach.until, *(until for _, until in there), -inf if own else limit)
        for edge in edges:
            if edge.child == name:
                together = row.run_id and not own and rows[edge.parent].run_id == row.run_id
                to_see.append((edge.parent, limit if together else min(limit, row.at)))
    return found


def _stays(ledger: Reader, run: str) -> list[Stay]:
    row = ledger.run(run)
    return [] if row is None else Recorded(row).stays(ledger.tasks(run))


def readings(ledger: Reader, run_id: str, until: float, signals: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Where the readings of a run are: history signals of its unit, from and to (UTC s; None = it goes on)."""
    row = ledger.run(run_id)
    assert row is not None  # a batch is of a run that is on record
    ends = [at for at in (row.ended_at, until) if at is not None and at < inf]
    begins = row.created_at if row.started_at is None else row.started_at
    listed = list(signals.get(row.unit, ()))
    return {"run": run_id, "unit": row.unit, "from": begins, "to": min(ends, default=None), "signals": listed}


def batches_of_lot(ledger: Reader, lot: str) -> list[str]:
    """Which batches got a lot, by hand or from a bottle on a pump, themselves or before they came of an ancestor."""
    rows, edges = {row.batch: row for row in ledger.batches()}, ledger.batch_edges()
    since: dict[str, float] = {}
    stays: dict[str, list[Stay]] = {}
    for use in uses(ledger):
        if use.lot != lot:
            continue
        if use.run not in stays:
            stays[use.run] = _stays(ledger, use.run)
        there = {
            stay.batch: max(use.at, stay.begin)
            for stay in stays[use.run] if stay.until >= use.at and fits(stay.vessel, use.vessels)
        }  # fmt: skip
        known_there = {stay.batch for stay in stays[use.run]}
        there |= {row.batch: use.at for row in rows.values() if row.run_id == use.run and row.batch not in known_there}
        since |= {name: min(at, since.get(name, inf)) for name, at in there.items()}
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
    return sorted({use.run for use in uses(ledger) if use.lot == lot})


@dataclass(frozen=True, slots=True)
class Use:
    """A lot that came into vessels of a run (UTC s): none where a bottle was only hung, None where nobody knows."""

    lot: str
    run: str
    at: float
    vessels: frozenset[str] | None


def uses(ledger: Reader) -> Iterator[Use]:
    """By hand, or drawn from a bottle that hung at the unit of the run."""
    runs = {row.run_id: row for row in ledger.runs()}
    recorded: dict[str, Recorded] = {}
    hung: dict[tuple[str, str], list[tuple[float, str]]] = {}
    """Unit and fluid -> when which lot of it was hung."""

    def plan(run: str) -> Recorded:
        if run not in recorded:
            recorded[run] = Recorded(runs[run])
        return recorded[run]

    for use in ledger.lot_uses():
        task = ledger.task(use.run_id, use.path)
        hand: Hands = task.hand if task is not None else {}
        yield Use(use.lot, use.run_id, use.at, plan(use.run_id).of_lot(hand, use.material))
        if any(act["act"] == "renew" and act["fluid"] == use.material for act in hand.get("acts", ())):
            hung.setdefault((runs[use.run_id].unit, use.material), []).append((use.at, use.lot))
    for dose in ledger.doses() if hung else ():
        if dose.run_id is not None:
            bottles = hung.get((runs[dose.run_id].unit, dose.fluid), [])
            if before := [bottle for bottle in bottles if bottle[0] <= dose.intended_at]:
                yield Use(max(before)[1], dose.run_id, dose.intended_at, plan(dose.run_id).of_dose(dose))
