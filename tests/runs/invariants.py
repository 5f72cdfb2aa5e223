"""The invariants of runs and doses, judged from truth, ledger and journal: at each scan, and by what is left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from controller.run.engine import event_of
from controller.store.reader import Reader
from controller.store.rows import DoseRow
from drivers.core.fluid import Direction
from protocols import machine
from protocols.effects import Deviate
from protocols.events import Command
from protocols.plan import Exchange, Node, Plan
from protocols.run import Run
from protocols.states import COMMANDS, Cause, RunState
from simulators.agreement import given_twice, lost
from simulators.places import Throughput

HOUR_S = 3600.0
ENDING = {RunState.STOPPING: Cause.STOP, RunState.ABORTING: Cause.ABORT}
DROP_ML = 1.0
"""Truth may pass a limit of the vessel by what drops from a tube, and by what evaporates between two looks."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The truth at one scan."""

    at: float
    vessel_ml: float
    in_ml: float
    """Delivered by the filling pump so far, into cup and vessel."""


@dataclass
class Watching:
    """Looks at each scan; `faults` are broken rules."""

    min_ml: float
    max_ml: float
    cap_hour_ml: float
    sights: list[Sight] = field(default_factory=list[Sight])
    faults: list[str] = field(default_factory=list[str])
    poured: bool = False
    drained_since: float | None = None
    scans: int = 0

    def scan(self, now: float, truth: Mapping[str, float | bool], exchanging: bool, exposure_s: float) -> None:
        """INV-04, INV-05 and INV-06 at one moment."""
        ml, into = float(truth["vessel_ml"]), float(truth["fill_delivered_ml"])
        self.scans += 1
        if ml > self.max_ml + DROP_ML or truth["overflow"]:
            self.faults.append(f"INV-04: {ml:.1f} mL in a vessel of {self.max_ml:g} mL")
        self.poured = self.poured or ml > self.min_ml + DROP_ML
        low = self.poured and ml < self.min_ml - DROP_ML
        self.drained_since = (self.drained_since or now) if low else None
        if self.drained_since is not None and not (exchanging and now - self.drained_since <= exposure_s):
            self.faults.append(f"INV-05: {ml:.1f} mL for {now - self.drained_since:.0f} s, exchanging {exchanging}")
        self.sights.append(Sight(now, ml, into))
        while self.sights[0].at < now - HOUR_S:
            self.sights.pop(0)
        if (given := into - self.sights[0].in_ml) > 1.02 * self.cap_hour_ml + 0.2:
            self.faults.append(f"INV-06: {given:.2f} mL in an hour, {self.cap_hour_ml:g} mL are allowed")


def judge(
    ledger: Reader, run_id: str, plan: Plan, true: Mapping[str, Throughput], *, unseen_ml: float = 0.0
) -> Iterator[str]:
    """Rules broken, by what is left of a run that has ended or is held.

    `unseen_ml`: a fault of this run makes a device or the plant lie about so much, which cannot be told from inside.
    """
    rows = [row for row in ledger.doses() if row.run_id == run_id]
    if not unseen_ml:
        yield from (f"INV-01, INV-03: {text}" for text in given_twice(true, rows))
    yield from dispositions(rows)
    yield from order_of_exchange(rows)
    history = replayed(ledger, run_id, plan)
    yield from history.faults
    yield from complete(plan, history.run)
    yield from spacing(plan, rows)
    yield from early(plan, rows)
    noticed = ledger.deviations(run_id) or [row for row in ledger.alarms() if row.priority != "low"]
    if not noticed:
        yield from (f"INV-02, INV-31: {text}" for text in lost(true, rows, unseen_ml))
    yield from totals(ledger, run_id, rows)
    told = Counter(row.text for row in ledger.deviations(run_id))
    if missing := history.deviations - told:
        yield f"INV-31: deviations that happened and are not listed: {dict(missing)}"
    if history.run.state is RunState.HELD and not (history.run.why and ledger.alarms()):
        yield "INV-26: held without a word or an alarm"


def dispositions(rows: Sequence[DoseRow]) -> Iterator[str]:
    """INV-01, INV-02: a row says what its numbers say; nothing is left open."""
    for row in rows:
        target, slack = row.target_ml or 0.0, max(row.tolerance_ml or 0.0, 2 * (row.resolution_ml or 0.0)) + 0.06
        if row.state == "done" and (row.moved_ml is None or abs(row.moved_ml - target) > slack) and not row.decided_by:
            yield f"INV-02: {row.dose_id} is done with {row.moved_ml} of {target} mL"
        told = row.state in ("over", "unknown", "intended") or row.decided_by
        if not told and (row.moved_ml or 0.0) > target + slack:
            yield f"INV-01: {row.dose_id} is {row.state} with {row.moved_ml} of {target} mL"
    if doubled := [name for name, n in Counter(row.dose_id for row in rows).items() if n > 1]:
        yield f"INV-01: dose ids used twice: {doubled}"


def order_of_exchange(rows: Sequence[DoseRow]) -> Iterator[str]:
    """INV-07: nothing is filled before the withdrawal is measured."""
    for path in dict.fromkeys(row.path for row in rows if row.part == "withdraw"):
        filled = [row.intended_at for row in rows if row.path == path and row.part == "fill"]
        taken = [row for row in rows if row.path == path and row.part == "withdraw"]
        if filled and any((row.ended_at or row.intended_at) > min(filled) for row in taken):
            yield f"INV-07: {path} was filled before its withdrawal was measured"


@dataclass
class History:
    """What the journal tells, folded by the same pure machine."""

    run: Run = field(default_factory=Run)
    deviations: Counter[str] = field(default_factory=Counter[str])
    faults: list[str] = field(default_factory=list[str])


def replayed(ledger: Reader, run_id: str, plan: Plan) -> History:
    """INV-13 (nothing begins twice, or before what precedes it), INV-14 (one disposition), INV-33 (who ended it)."""
    found = History()
    begun: set[str] = set()
    for row in ledger.events(run_id):
        event = event_of(row.event)
        before = found.run
        found.run, effects = machine.step(plan, before, event)
        found.deviations.update(each.text for each in effects if isinstance(each, Deviate))
        fresh = [path for path in found.run.active if path not in before.active]
        found.faults += [f"INV-13: {path} began twice" for path in fresh if path in begun]
        begun.update(fresh)
        found.faults += [
            f"INV-14: {path} was {how}, then {found.run.finished.get(path)}"
            for path, how in before.finished.items()
            if found.run.finished.get(path) != how
        ]
        state = found.run.state
        if state in ENDING and state is not before.state:
            by_hand = isinstance(event, Command) and event.cause is ENDING[state] and event.cause in COMMANDS
            if not by_hand or not event.by or event.by == "rule":
                found.faults.append(f"INV-33: {state} by {event}")
    found.faults += [
        f"INV-13: {later.path} began before {sooner.path} was over"
        for node in plan.nodes.values()
        if node.kind in ("sequence", "rounds")
        for sooner, later in pairwise(node.children)
        if later.path in found.run.finished and sooner.path not in found.run.finished
    ]
    return found


def complete(plan: Plan, run: Run) -> Iterator[str]:
    """INV-14: when a run is over, each planned step came to a disposition; before, none is both open and over."""
    if both := set(run.active) & set(run.finished):
        yield f"INV-14: open and over: {sorted(both)}"
    if run.state is RunState.COMPLETE:
        missing = [node.path for node in steps(plan) if node.path not in run.finished]
        missing = [path for path in missing if not any(path.startswith(f"{over}/") for over in run.finished)]
        if missing:
            yield f"INV-14: without a disposition: {missing}"


def steps(plan: Plan) -> Iterable[Node]:
    return (node for node in plan.nodes.values() if node.kind == "step")


def spacing(plan: Plan, rows: Sequence[DoseRow]) -> Iterator[str]:
    """INV-15: two occurrences of one feed are never closer than their author allows."""
    keyed: dict[str, list[tuple[float, str]]] = {}
    least: dict[str, float] = {}
    for node in plan.nodes.values():
        if node.spacing_key:
            begun = [row.intended_at for row in rows if row.path.startswith(node.path) and row.part != "prime"]
            least[node.spacing_key] = max(least.get(node.spacing_key, 0.0), node.min_interval_s)
            if begun:
                keyed.setdefault(node.spacing_key, []).append((min(begun), node.path))
    for key, moments in keyed.items():
        for (sooner, _), (later, path) in pairwise(sorted(moments)):
            if later - sooner < least[key] - 1.0:
                yield f"INV-15: {path} began {later - sooner:.0f} s after the one before; at least {least[key]:.0f} s"


def early(plan: Plan, rows: Sequence[DoseRow]) -> Iterator[str]:
    """INV-13: nothing moves for an occurrence before it is due."""
    for node in plan.nodes.values():
        if node.due is not None:
            begun = [row.intended_at for row in rows if f"{row.path}/".startswith(f"{node.path}/")]
            if begun and min(begun) < node.due - 1.0:
                yield f"INV-13: {node.path} moved fluid {node.due - min(begun):.0f} s before it was due"


def totals(ledger: Reader, run_id: str, rows: Sequence[DoseRow]) -> Iterator[str]:
    """INV-31: what the journal tells of each ended transfer, and the report prints, is the sum of its strokes."""
    for row in ledger.events(run_id):
        event = row.event
        if event.get("t") != "TransferEnded" or event.get("counter_ml") is None or event.get("part") == "withdraw":
            continue
        mine = [each for each in rows if (each.path, each.part) == (event["path"], event["part"])]
        delivered = sum(each.moved_ml or 0.0 for each in mine if each.stroke == Direction.DELIVER)
        if abs(delivered - event["counter_ml"]) > 0.01 and not any(each.decided_by for each in mine):
            yield f"INV-31: {event['path']} tells of {event['counter_ml']:.2f} mL, its strokes of {delivered:.2f} mL"


def exposure_of(plan: Plan) -> float:
    return max((n.work.max_exposure_s for n in plan.nodes.values() if isinstance(n.work, Exchange)), default=0.0)
