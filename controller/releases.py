"""Release of a batch in two stages: preliminary by what is known early, final when no result is missing (RM-11).

A record of what persons decided, for rehearsal; nothing here is or replaces a validated release.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any, Literal

from controller.actors import Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.lineage import ancestors, known, past, plans_of, tasks_of
from controller.reasons import SHORTEST, enough
from controller.results import AMISS, MISSING, NOT_DONE, Expected, expected
from controller.signing import WAITS
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.reader import Reader
from controller.store.rows import ReleaseRow

Stage = Literal["preliminary", "final", "rejected"]
MAY_RELEASE = ("supervisor", "local")
ENDED = ("final", "rejected")


def standing(ledger: Reader, batch: str) -> str:
    """ "" = not released, else how far it is."""
    rows = ledger.releases(batch)
    if not rows:
        return ""
    return WAITS if _waits(rows[-1]) else rows[-1].stage


def results_of(ledger: Reader, batch: str) -> list[Expected]:
    """Every result that speaks of a batch: of samples of the vessels that it and its ancestors were in."""
    reached = past(ledger, batch)
    paths = {(task.run_id, task.path) for task in tasks_of(ledger, reached, plans_of(ledger, reached))}
    return [each for run in sorted(reached) for each in expected(ledger, run) if (run, each.path) in paths]


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
            before = self.ledger.releases(batch)
            if faults := list(self._faults(batch, stage, before, by, why)):
                raise Unusable(faults)
            last = before[-1] if before else None
            now = self.clock.now()
            if last is not None and _waits(last) and stage == "final" and not moved_on(self.ledger, last):
                state = "final"
                change: list[Change] = [
                    Update("releases", {"id": last.id, "second_by": ""}, {"second_by": by.name, "second_at": now})
                ]
            else:
                state = WAITS if stage == "final" else stage
                facts = seen(self.ledger, batch)
                new = {"batch": batch, "stage": stage, "at": now, "by": by.name, "why": why.strip(), "facts": facts}
                change = [Insert("releases", new)]
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
        self, batch: str, stage: Stage, before: Sequence[ReleaseRow], by: Actor, why: str
    ) -> Iterator[str]:  # fmt: skip
        if by.role not in MAY_RELEASE:
            yield f"a supervisor releases, and {by.name} is {by.role}"
        last = before[-1] if before else None
        if last is not None and last.stage in ENDED and not _waits(last):
            raise RunConflict(f"{batch} is {'released' if last.stage == 'final' else 'rejected'} already")
        if stage == "rejected":
            if not enough(why):
                yield f"a reason of at least {SHORTEST} characters is needed to reject a batch"
            return
        if stage == "preliminary" and before:
            raise RunConflict(f"{batch} is released preliminarily already")
        if stage == "final" and last is None:
            yield f"{batch} has no preliminary release: sign that first"
        mine = last is not None and _waits(last) and last.by == by.name
        if stage == "final" and last is not None and mine and not moved_on(self.ledger, last):
            yield f"{by.name} has signed already: another person signs the final release too"
        yield from objections(results_of(self.ledger, batch), stage, why)
        if stage == "final":
            yield from (f"sample {sample} of {run} is still to be taken" for run, sample in to_come(self.ledger, batch))
        named = why.casefold()
        for name in rejected(self.ledger, batch):
            if name.casefold() not in named:
                yield f"it comes from {name}, which is rejected: name it in the reason, with what follows from it"
        for sample in not_taken(self.ledger, batch):
            if sample.casefold() not in named:
                yield f"the sample {sample} was not taken: name it in the reason, with what follows from it"


def released_by(ledger: Reader, one: Expected) -> list[str]:
    """Batches with a release that this result spoke for."""
    what = one.run_id, one.path, one.name
    return [
        row.batch
        for row in ledger.batches()
        if standing(ledger, row.batch) not in ("", "rejected")
        and any((each.run_id, each.path, each.name) == what for each in results_of(ledger, row.batch))
    ]


def objections(results: Sequence[Expected], stage: Stage, why: str) -> Iterator[str]:
    """What stands against this release: nothing measured, a result missing, one amiss that `why` does not name."""
    if all(each.state in (*MISSING, NOT_DONE) for each in results):
        yield "no sample of it has a result: there is nothing to release it by"
    if stage == "final":
        yield from (f"{each.sample} {each.name} is {each.state}" for each in results if each.missing)
    for each in results:
        if each.state in AMISS and each.name.casefold() not in why.casefold():
            yield f"{each.sample} {each.name} is {each.state}: name it in the reason, with what follows from it"


def to_come(ledger: Reader, batch: str) -> Iterator[tuple[str, str]]:
    """Samples that a run which is not over plans to take of the batch: (run, sample). Their results are missing too."""
    reached = past(ledger, batch)
    for run, plan in plans_of(ledger, reached).items():
        row = ledger.run(run)
        if row is None or row.ended_at is not None:
            continue
        over = {task.path for task in ledger.tasks(run) if task.state in ("answered", "closed")}
        for path, hand in plan.samples.items():
            if path not in over and reached[run].has(plan.of_task(hand), inf):
                yield run, str(hand["sample"])


def not_taken(ledger: Reader, batch: str) -> list[str]:
    """Samples of it that were due and that nobody took."""
    reached = past(ledger, batch)
    tasks = tasks_of(ledger, reached, plans_of(ledger, reached))
    return [task.hand["sample"] for task in tasks if task.state == "closed" and task.hand.get("sample")]


def rejected(ledger: Reader, batch: str) -> list[str]:
    """Its ancestors that were rejected, nearest first."""
    return [name for name in ancestors(ledger, batch)[1:] if standing(ledger, name) == "rejected"]


def moved_on(ledger: Reader, signed: ReleaseRow) -> bool:
    """Whether there is something else to see than at this signature."""
    later = any(each.last is not None and each.last.at > signed.at for each in results_of(ledger, signed.batch))
    return later or seen(ledger, signed.batch) != signed.facts


def seen(ledger: Reader, batch: str) -> dict[str, Any]:
    """What there was to see at a signature: results by state, what was not taken, deviations of its runs, ancestors
    that were rejected."""
    states: dict[str, list[str]] = {}
    for each in results_of(ledger, batch):
        states.setdefault(each.state, []).append(f"{each.sample} {each.name}")
    reached = past(ledger, batch)
    deviations = sum(row.at <= reached[run].until for run in reached for row in ledger.deviations(run))
    facts: dict[str, Any] = {"results": states, "deviations": deviations}
    more = {"not taken": not_taken(ledger, batch), "rejected": rejected(ledger, batch)}
    return facts | {word: names for word, names in more.items() if names}


def _waits(row: ReleaseRow) -> bool:
    return row.stage == "final" and not row.second_by
