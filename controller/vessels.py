"""Which batch stood in which vessel of a run, and when, followed through the moves of its confirmed hand steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from controller.store.rows import DoseRow, RunRow, TaskRow
from protocols.plan import TO_CUP, Hand, Plan

Parts = dict[str, float | None]
"""Batch -> which part of it, 0 to 1; None = nobody knows."""
Hands = Mapping[str, Any]
"""A hand step as its task has it."""
ANYWHERE = "*"
"""The vessel of a batch whose run moves nothing."""


@dataclass(slots=True)
class Stay:
    """A batch in a vessel, UTC s; `until` inf = it is there still."""

    batch: str
    vessel: str
    begin: float
    until: float = inf


@dataclass
class Vessels:
    """Of one run. `held`: what is in each vessel; an emptied one keeps the names, of parts that nobody knows."""

    base: str
    held: dict[str, Parts] = field(default_factory=dict[str, Parts])
    emptied: set[str] = field(default_factory=set[str])
    stays: list[Stay] = field(default_factory=list[Stay])

    @classmethod
    def of(cls, base: str, moves: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Vessels:
        """At the start: the batch of the run in the vessels that its plan empties before anything was moved into them;
        `moves` of the plan are (sources, targets)."""
        filled: set[str] = set()
        first: list[set[str]] = []
        for sources, targets in moves:
            first.append(set(sources) - filled)
            filled |= {*sources, *targets}
        begun = [sources for sources in first if sources]
        part = 1 / len(begun[0]) if len(begun) == 1 else None
        names = [vessel for sources in begun for vessel in sorted(sources)]
        return cls(
            base,
            {vessel: {base: part} for vessel in names},
            stays=[Stay(base, each, -inf) for each in names or [ANYWHERE]],
        )

    def take(self, sources: Sequence[str], at: float = inf) -> Parts:
        """All that is in these vessels, pooled; they are empty then."""
        pool: Parts = {}
        for vessel in sources:
            for batch, part in self.held.get(vessel, {self.base: None}).items():
                pool[batch] = total(pool[batch], part) if batch in pool else part
        for vessel in sources:
            self.held[vessel] = dict.fromkeys(self.held.get(vessel, {self.base: None}))
            self.emptied.add(vessel)
        for stay in self.stays:
            if stay.vessel in sources:
                stay.until = min(stay.until, at)
        return pool

    def put(self, vessel: str, parts: Parts, at: float = inf) -> None:
        here = {} if vessel in self.emptied else self.held.get(vessel, {})
        self.emptied.discard(vessel)
        self.held[vessel] = {**here, **{name: total(here.get(name, 0.0), part) for name, part in parts.items()}}
        self.stays.extend(Stay(name, vessel, at) for name in parts)

    def follow(self, tasks: Iterable[TaskRow]) -> set[str]:
        """Do what the confirmed hand steps among these did; the batches they made."""
        done = [each for each in tasks if each.answered_at is not None and each.hand.get("moves")]
        made: set[str] = set()
        for task in sorted(done, key=lambda each: each.answered_at or 0.0):
            at = task.answered_at or 0.0
            children = {child["into"]: child["batch"] for child in task.hand.get("made", ())}
            made |= set(children.values())
            for slot, vessel, parts, _ in arrivals(self, task.hand["moves"], {}, at):
                self.put(vessel, {children[slot]: 1.0} if slot in children else parts, at)
        return made


def total(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def arrivals(
    vessels: Vessels, moves: Sequence[Mapping[str, Any]], shares: Mapping[str, float], at: float = inf
) -> Iterator[tuple[str, str, Parts, Mapping[str, Any]]]:
    """What comes into which vessel, move by move: (slot, vessel, parts, move). The caller puts it there. A slot is the
    vessel, or "vessel 2" where a step fills it twice; `shares` by slot, where they are not the protocol's."""
    seen: dict[str, int] = {}
    for move in moves:
        pool = vessels.take(move["sources"], at)
        for vessel, planned in zip(move["targets"], move["shares"], strict=True):
            seen[vessel] = number = seen.get(vessel, 0) + 1
            slot = vessel if number == 1 else f"{vessel} {number}"
            share = shares.get(slot, planned)
            yield slot, vessel, {name: None if part is None else part * share for name, part in pool.items()}, move


def planned_moves(plan: Plan) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    for node in plan.nodes.values():
        for move in node.work.moves if isinstance(node.work, Hand) else ():
            yield move.sources, move.targets


class Recorded:
    """What the plan of a run on record says of vessels, read without making a plan of it."""

    def __init__(self, row: RunRow) -> None:
        plan: dict[str, Any] = row.plan or {}
        self.batch = str(plan.get("batch", ""))
        self.vessel_at: dict[str, str] = {}
        """Path of a step -> the vessel it moves fluid of."""
        self.moves: list[tuple[Sequence[str], Sequence[str]]] = []
        self.samples: dict[str, Hands] = {}
        """Path of a step that takes a sample -> what it asks of a person."""
        to_see: list[dict[str, Any]] = [plan["root"]] if "root" in plan else []
        while to_see:
            node = to_see.pop()
            work: dict[str, Any] = node.get("work") or {}
            if "vessel" in work:
                self.vessel_at[str(node["path"])] = str(work["vessel"])
            if work.get("sample"):
                self.samples[str(node["path"])] = work
            moves: list[dict[str, Any]] = work.get("moves", [])
            self.moves.extend((move["sources"], move["targets"]) for move in moves)
            children: list[dict[str, Any]] = node.get("children", [])
            to_see.extend(reversed(children))
        self.named = {vessel for sources, targets in self.moves for vessel in (*sources, *targets)}

    def stays(self, tasks: Iterable[TaskRow]) -> list[Stay]:
        """Where the batches of this run were; empty = nobody knows."""
        if not self.batch:
            return []
        vessels = Vessels.of(self.batch, self.moves)
        vessels.follow(tasks)
        return vessels.stays

    def of_dose(self, row: DoseRow) -> frozenset[str] | None:
        """The vessel that a stroke had to do with; none where it went to the cup. None = nobody knows."""
        vessel = self.vessel_at.get(row.path)
        if row.part in TO_CUP:
            return frozenset()
        return None if vessel is None else self._followed({vessel})

    def of_task(self, hand: Hands) -> frozenset[str] | None:
        """The vessels that a hand step names; None = it names none."""
        named = {act["vessel"] for act in hand.get("acts", ()) if act.get("vessel")}
        named |= {vessel for move in hand.get("moves", ()) for vessel in (*move["sources"], *move["targets"])}
        return self._followed(named) if named else None

    def of_lot(self, hand: Hands, material: str) -> frozenset[str] | None:
        """The vessels into which a hand step gave a material: none where it only hung a bottle. None = nobody knows."""
        acts = [act for act in hand.get("acts", ()) if act.get("fluid") == material]
        poured = {act["vessel"] for act in acts if act.get("vessel")}
        return self._followed(poured) if acts else self.of_task(hand)

    def _followed(self, vessels: set[str]) -> frozenset[str] | None:
        """Of a vessel that no move names nobody knows what is in it: it may be any batch of the run."""
        return frozenset(vessels) if vessels <= self.named else None
