"""Results of samples: what was expected, what came, what was tested again (RM-11). A missing one never holds a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.actors import DECIDERS, Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.people import fitting
from controller.reasons import SHORTEST, enough, needed
from controller.store.changes import AuditEntry, Change, Insert
from controller.store.reader import Reader
from controller.store.rows import SampleResultRow, TaskRow

PENDING, WITHIN, OUT, AGAIN, NOT_DONE = "pending", "within", "out of specification", "retest", "not done"
MISSING = (PENDING, AGAIN)
"""States of a result that is still to come."""
AMISS = (OUT, NOT_DONE)
"""States that a release has to name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One result of a sample that was taken, and where it stands. Times UTC s; `due` None = whenever it comes."""

    run_id: str
    path: str
    sample: str
    name: str
    taken_at: float
    due: float | None
    form: Mapping[str, Any]
    """As the protocol asks for it: kind, unit, `low` to `high` are possible, `warn_low` to `warn_high` within."""
    last: SampleResultRow | None

    @property
    def state(self) -> str:
        return PENDING if self.last is None else self.last.state

    @property
    def missing(self) -> bool:
        return self.state in MISSING

    def told(self, now: float) -> dict[str, Any]:
        """As people see it."""
        last, form = self.last, self.form
        return {
            "run": self.run_id, "path": self.path, "sample": self.sample, "name": self.name, "taken_at": self.taken_at,
            "due": self.due, "late": self.missing and self.due is not None and now > self.due, "state": self.state,
            "kind": form["kind"], "unit": form["unit"], "low": form["low"], "high": form["high"],
            "warn_low": form["warn_low"], "warn_high": form["warn_high"],
            "value": None if last is None else last.value, "method": "" if last is None else last.method,
            "why": "" if last is None else last.why, "at": None if last is None else last.at,
            "by": "" if last is None else last.by, "readings": 0 if last is None else last.number,
        }  # fmt: skip


def expected(ledger: Reader, run_id: str) -> list[Expected]:
    """Every result of every sample that the run has taken, in the order of the samples."""
    last = {(row.path, row.name): row for row in sorted(ledger.sample_results(run_id), key=lambda row: row.number)}
    taken = sorted(_taken(ledger, run_id), key=lambda pair: pair[0])
    return [
        Expected(
            run_id, task.path, task.hand["sample"], form["name"], at,
            at + task.hand["results_due_s"] if task.hand["results_due_s"] else None,
            form, last.get((task.path, form["name"])),
        )
        for at, task in taken
        for form in task.hand["results"]
    ]  # fmt: skip


def _taken(ledger: Reader, run_id: str) -> Iterator[tuple[float, TaskRow]]:
    for task in ledger.tasks(run_id):
        if task.state == "answered" and task.answered_at is not None and task.hand.get("sample"):
            yield task.happened_at or task.answered_at, task


class Results:
    """What comes back from the laboratory, on record."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.ledger, self.clock = keys, keys.ledger, keys.clock
        self.writing = asyncio.Lock()
        """Held from the look at what is on record until the next of it is: also by who releases by it."""
        self.released: Callable[[Expected], list[str]] = lambda one: []
        """Batches that were released by this result: what it becomes afterwards is a deviation."""

    async def add(
        self, run_id: str, sample: str, name: str, value: object, by: Actor, *, unit: str = "", method: str = "",
        why: str = "", key: str = "",
    ) -> str:  # fmt: skip
        """A result in the unit the protocol asks for; its state. One that is there already is corrected only with a
        reason, and stays on record. Raises Unusable, RunConflict."""
        asked = asks(f"result {sample} {name}", run=run_id, sample=sample, name=name, value=value, method=method)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        async with self.writing:
            one = self._one(run_id, sample, name)
            if one.last is not None and one.last.state != AGAIN and not enough(why):
                raise RunConflict(
                    f"{one.sample} {name} is on record already: {one.last.value} {one.form['unit']}".rstrip()
                    + f". Ask for a retest, or correct it with a reason of at least {SHORTEST} characters"
                )
            if unit and unit != one.form["unit"]:
                raise Unusable([f"{name} is written down in {one.form['unit'] or 'no unit'}, not in {unit}"])
            try:
                taken = fitting(one.form, value)
            except ValueError as error:
                raise Unusable([str(error)]) from None
            state = WITHIN if within(one.form, taken) else OUT
            await self._write(one, taken, state, by, method.strip(), why, key, asked)
        return state

    async def again(self, run_id: str, sample: str, name: str, by: Actor, *, why: str, key: str = "") -> str:
        """A result is doubted and tested again: it is missing until then. What was read stays on record."""

        def check(one: Expected) -> None:
            if one.missing:
                raise RunConflict(f"{one.sample} {name} is {one.state}: there is nothing to test again yet")

        which = (run_id, sample, name)
        return await self._without_value(f"retest {sample} {name}", which, AGAIN, check, by, why, "to test again", key)

    async def leave_out(self, run_id: str, sample: str, name: str, by: Actor, *, why: str, key: str = "") -> str:
        """A result will never come: the sample was lost, say. A supervisor says so; a release has to name it."""

        def check(one: Expected) -> None:
            if by.role not in DECIDERS:
                raise Unusable([f"a supervisor leaves a result out, and {by.name} is {by.role}"])
            if not one.missing:
                raise RunConflict(f"{one.sample} {name} is {one.state}")

        which, said = (run_id, sample, name), f"no result {sample} {name}"
        return await self._without_value(said, which, NOT_DONE, check, by, why, "to leave a result out", key)

    async def _without_value(
        self, said: str, which: tuple[str, str, str], state: str, check: Callable[[Expected], None], by: Actor,
        why: str, what_for: str, key: str,
    ) -> str:  # fmt: skip
        """Something is said of a result that has no value, with a reason, if `check` raises nothing against it."""
        run_id, sample, name = which
        asked = asks(said, run=run_id, sample=sample, name=name, state=state)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        async with self.writing:
            one = self._one(run_id, sample, name)
            check(one)
            if not enough(why):
                raise Unusable([needed(what_for)])
            await self._write(one, None, state, by, "", why, key, asked)
        return state

    def _one(self, run_id: str, sample: str, name: str) -> Expected:
        """The result meant by a sample's id or its step's path. Raises Unusable with what there is."""
        if self.ledger.run(run_id) is None:
            raise Unusable([f"there is no run {run_id!r}"])
        every = expected(self.ledger, run_id)
        mine = [each for each in every if sample in (each.sample, each.path)]
        if not mine:
            taken = ", ".join(dict.fromkeys(each.sample for each in every)) or "none yet"
            raise Unusable([f"no sample {sample!r} has been taken in {run_id}; taken: {taken}"])
        paths = list(dict.fromkeys(each.path for each in mine))
        if len(paths) > 1:
            raise Unusable([f"{sample!r} was taken several times; say which by its path: {', '.join(paths)}"])
        found = next((each for each in mine if each.name == name), None)
        if found is None:
            raise Unusable([f"{sample} has no result {name!r}; it has {', '.join(each.name for each in mine)}"])
        return found

    async def _write(
        self, one: Expected, value: object, state: str, by: Actor, method: str, why: str, key: str, asked: str
    ) -> None:
        now = self.clock.now()
        row = {
            "run_id": one.run_id, "path": one.path, "name": one.name, "sample": one.sample, "value": value,
            "number": 1 + (0 if one.last is None else one.last.number), "unit": one.form["unit"], "state": state,
            "method": method, "why": why.strip(), "at": now, "by": by.name,
        }  # fmt: skip
        change: list[Change] = [Insert("sample_results", row)]
        if one.last is not None and (released := self.released(one)):
            text = f"{one.sample} {one.name} is {state}, was {one.last.state} at the release of {', '.join(released)}"
            change.append(Insert("deviations", {"run_id": one.run_id, "path": one.path, "at": now, "text": text}))
        if key:
            change.append(answer_row(key, one.run_id, now, {"asked": asked, "state": state}))
        old = None if one.last is None else {"value": one.last.value, "state": one.last.state}
        entry = AuditEntry(
            f"result {state}", "sample", one.sample, by.name, by.role, by.authenticated_by, old=old,
            new={one.name: value}, unit=one.form["unit"], reason=why.strip(), run_id=one.run_id, step=one.path,
            client=by.client,
        )  # fmt: skip
        await self.ledger.commit(change, [entry])


def within(form: Mapping[str, Any], value: object) -> bool:
    """Whether a result is as the protocol wants it: a number between its `warn` limits, a yes to what it names
    ("sterility negative"). A text says nothing of that."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        return True
    low, high = form["warn_low"], form["warn_high"]
    return (low is None or value >= low) and (high is None or value <= high)
