"""Release of a batch in two stages: preliminary by what is known early, final when no result is missing (RM-11).

A record of what persons decided, for rehearsal; nothing here is or replaces a validated release.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from controller.actors import DECIDERS, Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.lineage import Reach, ancestors, known, past, plans_of, tasks_of
from controller.reasons import enough, needed
from controller.results import AMISS, MISSING, NOT_DONE, Expected, expected
from controller.signing import WAITS
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.reader import Reader
from controller.store.rows import ReleaseRow, TaskRow
from controller.vessels import Recorded

Stage = Literal["preliminary", "final", "rejected"]
ENDED = ("final", "rejected")


def standing(ledger: Reader, batch: str) -> str:
    """ "" = not released, else how far it is."""
    rows = ledger.releases(batch)
    if not rows:
        return ""
    return WAITS if _waits(rows[-1]) else rows[-1].stage


@dataclass(frozen=True, slots=True)
class View:
    """All that a release of a batch goes by, read once: of the vessels that it and its ancestors were in."""

    results: list[Expected]
    to_come: list[tuple[str, str]]
    """Samples that a run which is not over plans to take: (run, sample). Their results are missing too."""
    not_taken: list[str]
    """Samples that were due and that nobody took."""
    rejected: list[str]
    """Ancestors that were rejected, nearest first."""
    deviations: int
    """Of its runs."""

    @classmethod
    def of(cls, ledger: Reader, batch: str) -> View:
        reached = past(ledger, batch)
        plans = plans_of(ledger, reached)
        tasks = tasks_of(ledger, reached, plans)
        return cls(
            _results(ledger, reached, tasks),
            list(_to_come(ledger, reached, plans)),
            [task.hand["sample"] for task in tasks if task.state == "closed" and task.hand.get("sample")],
            [name for name in ancestors(ledger, batch)[1:] if standing(ledger, name) == "rejected"],
            sum(row.at <= reached[run].until for run in reached for row in ledger.deviations(run)),
        )

    def facts(self) -> dict[str, Any]:
        """What there was to see at a signature, as the record keeps it."""
        states: dict[str, list[str]] = {}
        for each in self.results:
            states.setdefault(each.state, []).append(f"{each.sample} {each.name}")
        facts: dict[str, Any] = {"results": states, "deviations": self.deviations}
        more = {"not taken": self.not_taken, "rejected": self.rejected}
        return facts | {word: names for word, names in more.items() if names}

    def moved_on(self, signed: ReleaseRow) -> bool:
        """Whether there is something else to see than at this signature."""
        later = any(each.last is not None and each.last.at > signed.at for each in self.results)
        return later or self.facts() != signed.facts


def _results(ledger: Reader, reached: Mapping[str, Reach], tasks: Iterable[TaskRow]) -> list[Expected]:
    paths = {(task.run_id, task.path) for task in tasks}
    return [each for run in sorted(reached) for each in expected(ledger, run) if (run, each.path) in paths]


def _to_come(
    ledger: Reader, reached: Mapping[str, Reach], plans: Mapping[str, Recorded]
) -> Iterator[tuple[str, str]]:  # fmt: skip
    for run, plan in plans.items():
        row = ledger.run(run)
        if row is None or row.ended_at is not None:
            continue
        over = {task.path for task in ledger.tasks(run) if task.state in ("answered", "closed")}
        for path, hand in plan.samples.items():
            if path not in over and reached[run].has(plan.of_task(hand), inf):
                yield run, str(hand["sample"])


class Releases:
    """Who released what, when, and what there was to see. No result is written while `writing` is held."""

    def __init__(self, keys: Keys, writing: asyncio.Lock) -> None:
        self.keys, self.ledger, self.clock, self._writing = keys, keys.ledger, keys.clock, writing

    async def sign(self, batch: str, stage: Stage, by: Actor, *, why: str = "", key: str = "") -> str:
        """Sign one stage; how far the batch is then. A final release takes two persons: the first call waits for the
        second. Both sign the same: what came in between makes the second signature a first one. `why` names what is
        out of specification, what was not taken, a rejected ancestor. Raises Unusable with every objection,
        RunConflict."""
        asked = asks(f"release {batch} {stage}", batch=batch, stage=stage, by=by.name)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        async with self._writing:
            row = known(self.ledger, batch)
            before, view = self.ledger.releases(batch), View.of(self.ledger, batch)
            if faults := list(_faults(view, batch, stage, before, by, why)):
                raise Unusable(faults)
            last = before[-1] if before else None
            now = self.clock.now()
            if last is not None and _waits(last) and stage == "final" and not view.moved_on(last):
                state = "final"
                change: list[Change] = [
                    Update("releases", {"id": last.id, "second_by": ""}, {"second_by": by.name, "second_at": now})
                ]
            else:
                state = WAITS if stage == "final" else stage
                new = {"batch": batch, "stage": stage, "at": now, "by": by.name, "why": why.strip()}
                change = [Insert("releases", {**new, "facts": view.facts()})]
            if key:
                change.append(answer_row(key, row.run_id or None, now, {"asked": asked, "state": state}))
            entry = AuditEntry(
                f"batch release: {state}", "batch", batch, by.name, by.role, by.authenticated_by,
                old=standing(self.ledger, batch), new=state, reason=why.strip(), run_id=row.run_id or "",
                client=by.client,
            )  # fmt: skip
            await self.ledger.commit(change, [entry])
            return state


def _faults(
    view: View, batch: str, stage: Stage, before: Sequence[ReleaseRow], by: Actor, why: str
) -> Iterator[str]:  # fmt: skip
    if by.role not in DECIDERS:
        yield f"a supervisor releases, and {by.name} is {by.role}"
    last = before[-1] if before else None
    if last is not None and last.stage in ENDED and not _waits(last):
        raise RunConflict(f"{batch} is {'released' if last.stage == 'final' else 'rejected'} already")
    if stage == "rejected":
        if not enough(why):
            yield needed("to reject a batch")
        return
    if stage == "preliminary" and before:
        raise RunConflict(f"{batch} is released preliminarily already")
    if stage == "final" and last is None:
        yield f"{batch} has no preliminary release: sign that first"
    mine = last is not None and _waits(last) and last.by == by.name
    if stage == "final" and last is not None and mine and not view.moved_on(last):
        yield f"{by.name} has signed already: another person signs the final release too"
    yield from objections(view.results, stage, why)
    if stage == "final":
        yield from (f"sample {sample} of {run} is still to be taken" for run, sample in view.to_come)
    named = why.casefold()
    for name in view.rejected:
        if name.casefold() not in named:
            yield f"it comes from {name}, which is rejected: name it in the reason, with what follows from it"
    for sample in view.not_taken:
        if sample.casefold() not in named:
            yield f"the sample {sample} was not taken: name it in the reason, with what follows from it"


def released_by(ledger: Reader, one: Expected) -> list[str]:
    """Batches with a release that this result spoke for."""
    released = [row.batch for row in ledger.batches() if standing(ledger, row.batch) not in ("", "rejected")]
    return [batch for batch in released if _speaks_for(ledger, one, past(ledger, batch))]


def _speaks_for(ledger: Reader, one: Expected, reached: Mapping[str, Reach]) -> bool:
    if one.run_id not in reached:
        return False
    here = {one.run_id: reached[one.run_id]}
    return any(task.path == one.path for task in tasks_of(ledger, here, plans_of(ledger, here)))


def objections(results: Sequence[Expected], stage: Stage, why: str) -> Iterator[str]:
    """What stands against this release: nothing measured, a result missing, one amiss that `why` does not name."""
    if all(each.state in (*MISSING, NOT_DONE) for each in results):
        yield "no sample of it has a result: there is nothing to release it by"
    if stage == "final":
        yield from (f"{each.sample} {each.name} is {each.state}" for each in results if each.missing)
    for each in results:
        if each.state in AMISS and each.name.casefold() not in why.casefold():
            yield f"{each.sample} {each.name} is {each.state}: name it in the reason, with what follows from it"


def _waits(row: ReleaseRow) -> bool:
    return row.stage == "final" and not row.second_by
