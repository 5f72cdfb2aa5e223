"""Batches written down: donor to release, split and pooled, by a person, at a start, or by a hand step with moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from controller.actors import Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.lines import Lines
from controller.releases import ENDED, standing
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.errors import ChangeRefused
from controller.store.reader import Reader
from protocols.step_forms import Origin

Kind = Literal["donor", Origin]
KINDS: tuple[Kind, ...] = ("donor", *get_args(Origin))
RELEASED = "release"
LONGEST = 80
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The batch a run works on: one that is on record; or a new one, made of a share (0 to 1) of each parent."""

    batch: str
    parents: Mapping[str, float] = field(default_factory=dict[str, float])
    kind: Kind | None = None
    """Of a new batch; None = that of its parents."""


class Batches:
    """The family tree of a bench's cells, in the ledger. Parents are on record before their children: no circles."""

    def __init__(self, keys: Keys, lines: Lines) -> None:
        self.keys, self.ledger, self.clock, self.lines = keys, keys.ledger, keys.clock, lines
        self.writing = asyncio.Lock()
        """Held from the look at what is left of a batch until what is taken of it is on record."""

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
        async with self.writing:
            faults = list(_faults(self.ledger, batch, kind, parents))
            if run and self.ledger.run(run) is None:
                faults.append(f"there is no run {run!r}")
            donors = {batch} if kind == "donor" else self.lines.donors(parents)
            faults += self.lines.objections(run, donors)
            if faults:
                raise Unusable(faults)
            now = self.clock.now()
            change, entry = made(batch, kind, run, parents, now, by, note)
            change += self.lines.taken_by_batch(run, donors, by)
            if key:
                change.append(answer_row(key, run or None, now, {"asked": asked, "batch": batch}))
            try:
                await self.ledger.commit(change, [entry])
            except ChangeRefused:
                raise RunConflict(f"the batch {batch!r} is on record already") from None
        return batch

    def donors(self, wish: Begun | None) -> set[str]:
        """Whose cells a run works on that starts on this batch, as far as that is on record."""
        return set() if wish is None else self.lines.donors(wish.parents or (wish.batch,))

    def objections(self, wish: Begun | None) -> list[str]:
        """Why a run cannot work on this batch: one sentence each (RM-06)."""
        if wish is None:
            return []
        if wish.parents:
            found = list(_faults(self.ledger, wish.batch, self._kind(wish), wish.parents))
            there = self.ledger.batch(wish.batch) is not None
            return [*found, f"{wish.batch!r} is on record already: a new batch needs a new name"] if there else found
        return list(_unfit(self.ledger, wish.batch))

    def begin(self, wish: Begun | None, run: str, now: float, by: Actor) -> tuple[list[Change], list[AuditEntry]]:
        """The rows of a start on this batch, to which there are no objections."""
        if wish is None:
            return [], []
        if wish.parents:
            kind = self._kind(wish)
            assert kind is not None  # there would be an objection
            change, entry = made(wish.batch, kind, run, wish.parents, now, by, f"{run} works on it")
            return change, [entry]
        entry = AuditEntry(
            "batch taken", "batch", wish.batch, by.name, by.role, by.authenticated_by, new=run, run_id=run,
            client=by.client,
        )  # fmt: skip
        return [Update("batches", {"batch": wish.batch}, {"run_id": run})], [entry]

    def _kind(self, wish: Begun) -> Kind | None:
        """As asked; or what all its parents are, a donor's tissue being an isolation. None = they differ."""
        if wish.kind is not None:
            return wish.kind
        kinds = {row.kind for row in self.ledger.batches() if row.batch in wish.parents}
        if kinds == {"donor"}:
            return "isolation"
        return next((kind for kind in KINDS if kinds == {kind}), None)


def made(
    batch: str, kind: Kind, run: str, parents: Mapping[str, float | None], now: float, by: Actor, note: str,
    step: str = "",
) -> tuple[list[Change], AuditEntry]:  # fmt: skip
    """The rows of a new batch and its record. A share is None where nobody knows it."""
    row = {"batch": batch, "kind": kind, "run_id": run or None, "at": now, "by": by.name, "note": note}
    edges = [{"parent": parent, "child": batch, "share": share} for parent, share in parents.items()]
    new = {"batch": batch, "kind": kind, "run": run, "parents": dict(parents), "note": note}
    entry = AuditEntry(
        "batch made", "batch", batch, by.name, by.role, by.authenticated_by, new=new, run_id=run, step=step,
        client=by.client,
    )  # fmt: skip
    return [Insert("batches", row), *(Insert("batch_edges", edge) for edge in edges)], entry


def taken(ledger: Reader, batch: str) -> float:
    """Which part of a batch its children have, as far as that is known: 0 to 1."""
    return sum(edge.share or 0.0 for edge in ledger.batch_edges() if edge.parent == batch)


def named(batch: str) -> Iterator[str]:
    """What is against this name of a new batch."""
    if not batch.strip() or batch != batch.strip() or not batch.isprintable() or len(batch) > LONGEST:
        yield f"a batch needs a name of at most {LONGEST} characters without blanks at its ends, not {batch!r}"


def _faults(ledger: Reader, batch: str, kind: Kind | None, parents: Mapping[str, float]) -> Iterator[str]:
    rows = {parent: ledger.batch(parent) for parent in parents}
    yield from (f"there is no batch {parent!r}" for parent, row in rows.items() if row is None)
    for parent, row in rows.items():
        if row is not None and row.kind == RELEASED:
            yield f"{parent!r} is released: nothing more is made of it"
        if row is not None and standing(ledger, parent) == "rejected":
            yield f"{parent!r} is rejected: nothing more is made of it"
    for parent, share in parents.items():
        if not 0 < share <= 1:
            yield f"a share is above 0 and at most 1, not {share:g}"
        elif taken(ledger, parent) + share > 1 + 1e-9:
            yield f"{parent!r} has only {max(0.0, 1 - taken(ledger, parent)):.3g} of itself left"
    yield from named(batch)
    if kind is None:
        yield f"what it is cannot be told from its parents; say it: one of {', '.join(KINDS[1:])}"
    elif (kind == "donor") == bool(parents):
        yield "a donor has no parents; every other batch comes from one or more"


def _unfit(ledger: Reader, batch: str) -> Iterator[str]:
    """Why a run cannot work on a batch that should be there."""
    row = ledger.batch(batch)
    if row is None:
        yield f"there is no batch {batch!r}: write it down first, or say which it comes from"
        return
    how_far = "final" if row.kind == RELEASED else standing(ledger, batch)
    if how_far in ENDED:
        yield f"{batch!r} is {'rejected' if how_far == 'rejected' else 'released'}: no run works on it any more"
    if row.run_id:
        yield f"{batch!r} is of {row.run_id}: give this run a new batch that comes from it, with the share it gets"
    if taken(ledger, batch) >= 1 - 1e-9:
        yield f"nothing is left of {batch!r}: all of it went into other batches"
