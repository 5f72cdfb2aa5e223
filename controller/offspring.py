"""What a hand step with moves makes of batches: a child for each vessel, of all that was in the sources.

The language says that what is left over of a source is discarded. Which part of its batch that was is only said
where it is known: nobody knows it of a vessel that is emptied twice, or of a batch that stood in several at the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from controller.actors import Actor
from controller.batches import Kind, made, named, taken
from controller.errors import Unusable
from controller.store.changes import AuditEntry, Change
from controller.store.reader import Reader
from controller.store.rows import TaskRow
from controller.vessels import Parts, Vessels, arrivals, planned_moves
from protocols.plan import Plan


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of one child where it is not as the protocol has it: its name, which part of the source went
    into it, how much of that arrived (both above 0, at most 1)."""

    batch: str = ""
    share: float | None = None
    kept: float | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """A batch that a hand step makes: in which vessel ("plates", or "plates 2" where it gets a second one)."""

    into: str
    batch: str
    kind: Kind
    parents: Parts
    kept: float


class Offspring:
    """The children of one hand step of a run, worked out from the ledger. Changes nothing."""

    def __init__(self, ledger: Reader, plan: Plan, task: TaskRow) -> None:
        self.ledger, self.task = ledger, task
        self.vessels = Vessels.of(plan.batch, planned_moves(plan))
        own = self.vessels.follow(ledger.tasks(task.run_id))
        self.given = {
            name: sum(e.share or 0.0 for e in ledger.batch_edges() if e.parent == name and e.child not in own)
            for name in {plan.batch, *own}
        }
        """Which part of a batch went elsewhere than by steps of this run."""

    def children(self, said: Mapping[str, Said]) -> list[Child]:
        """Raises Unusable with every fault of what was said."""
        found: list[Child] = []
        faults: list[str] = []
        moves = self.task.hand["moves"]
        shares = {slot: mine.share for slot, mine in said.items() if mine.share is not None}
        for slot, vessel, parts, move in arrivals(self.vessels, moves, shares):
            if not move["becomes"]:
                self.vessels.put(vessel, parts)
                continue
            mine = said.get(slot, Said())
            name = mine.batch or self._name(slot, found)
            faults.extend(named(name) if mine.batch else ())
            if name in {child.batch for child in found} or self.ledger.batch(name) is not None:
                faults.append(f"the batch {name!r} is on record already: give what is in {slot} another name")
            parents = {batch: self._left(batch, part, found) for batch, part in parts.items()}
            kept = move["kept"] if mine.kept is None else mine.kept
            found.append(Child(slot, name, move["becomes"], parents, kept))
            self.vessels.put(vessel, {name: 1.0})
        faults.extend(_slips(said, [child.into for child in found]))
        faults.extend(_too_much(moves, said))
        if faults:
            raise Unusable(list(dict.fromkeys(faults)))
        return found

    def _name(self, slot: str, found: Sequence[Child]) -> str:
        """The batch of the run and the vessel, numbered where that is taken."""
        names = {child.batch for child in found}
        begin, number = f"{self.vessels.base}/{slot}", 1
        name = begin
        while name in names or self.ledger.batch(name) is not None:
            number += 1
            name = f"{begin}-{number}"
        return name

    def _left(self, batch: str, part: float | None, found: Sequence[Child]) -> float | None:
        """The part as one of the whole batch, and never more than there is."""
        if part is None:
            return None
        gone = taken(self.ledger, batch) + sum(child.parents.get(batch) or 0.0 for child in found)
        share = min(part * (1 - self.given.get(batch, 0.0)), 1 - gone)
        return share if share > 1e-9 else None


def _slips(said: Mapping[str, Said], slots: Sequence[str]) -> Iterator[str]:
    for slot, mine in said.items():
        if slot not in slots:
            yield f"no batch comes to be in {slot!r}; this step makes one in {', '.join(slots) or 'no vessel'}"
        for word, value in (("share", mine.share), ("part that arrived", mine.kept)):
            if value is not None and not 0 < value <= 1:
                yield f"{slot}: the {word} is above 0 and at most 1, not {value:g}"


def _too_much(moves: Sequence[Mapping[str, Any]], said: Mapping[str, Said]) -> Iterator[str]:
    for move in moves:
        mine = [said.get(vessel, Said()).share for vessel in move["targets"]]
        shares = [planned if given is None else given for planned, given in zip(move["shares"], mine, strict=True)]
        if sum(shares) > 1 + 1e-9:
            targets, sources = ", ".join(move["targets"]), ", ".join(move["sources"])
            yield f"{targets} together get {sum(shares):g} of {sources}: 1 is all there is"


def makes(ledger: Reader, plan: Plan, task: TaskRow | None, said: Mapping[str, Said] | None = None) -> list[Child]:
    """The batches that this hand step makes, as the protocol has them and a person says; none where the run works on
    no batch. Raises Unusable with every fault of what was said."""
    if task is None or not plan.batch or not task.hand.get("moves"):
        if said:
            raise Unusable(["this step makes no batch"])
        return []
    return Offspring(ledger, plan, task).children(said or {})


def born(task: TaskRow, children: Sequence[Child], now: float, by: Actor) -> tuple[list[Change], list[AuditEntry]]:
    """The rows of these children and their records, for the transaction that confirms the step."""
    change: list[Change] = []
    audit: list[AuditEntry] = []
    for child in children:
        note = f"{task.title}: {child.into}" + (f", {child.kept * 100:g} % arrived" if child.kept < 1 else "")
        rows, entry = made(child.batch, child.kind, task.run_id, child.parents, now, by, note, task.path)
        change.extend(rows)
        audit.append(entry)
    return change, audit


def as_json(children: Sequence[Child]) -> list[dict[str, Any]]:
    return [asdict(child) for child in children]
