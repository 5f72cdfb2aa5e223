"""What people do for runs: they answer tasks, alone or as two, and say who is on which."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from controller import identity
from controller.actors import RULE, Actor
from controller.asked import asked as asks
from controller.batches import Batches
from controller.claims import Claims, may_answer
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.materials import Materials, simulated, used
from controller.offspring import Said, as_json, born, makes
from controller.outings import outing
from controller.people import Whom, checked, claimant, happened
from controller.photos import unknown
from controller.run.doors import Doors
from controller.run.engine import Engine
from controller.signing import FIRST, by_both, signature, signed
from controller.store.changes import AuditEntry, Change, Update
from controller.store.errors import ChangeRefused
from controller.store.rows import TaskRow
from protocols import machine
from protocols.effects import OpenTask
from protocols.events import Answered, EntryValue
from protocols.limits import tolerated_s


class HandWork:
    """The tasks of all live runs."""

    def __init__(
        self, doors: Doors, keys: Keys, materials: Materials, batches: Batches, engine: Callable[[str], Engine]
    ) -> None:
        """`engine` finds that of a live run, or raises RunConflict."""
        self.doors, self.ledger, self.keys = doors, doors.ledger, keys
        self.materials, self.batches, self.engine = materials, batches, engine
        self._booking = asyncio.Lock()
        """One answer at a time looks at the stock and is written down."""
        self._makes: dict[tuple[str, str], tuple[int, list[dict[str, Any]]]] = {}
        self._claiming = asyncio.Lock()
        self.claims = Claims(doors, lambda run_id, path: self.claim(run_id, path, "anyone", RULE))
        """Those of machines, each with its end."""
        self.claimed = asyncio.Event()
        """Set when it changed who is on a task; whoever waits for that clears it."""
        self.simulated_person: Mapping[str, float] | None = None
        """When the simulated person means to answer, by "run:path"; None = there is none at this bench."""

    def tasks(self, engine: Engine) -> list[dict[str, Any]]:
        """Open tasks of a run as a person (or a simulated one) sees them."""
        return [
            self._task(engine, effect)
            for effect in machine.wanted(engine.plan, engine.run)
            if isinstance(effect, OpenTask)
        ]

    def _task(self, engine: Engine, task: OpenTask) -> dict[str, Any]:
        """`answers_at`: when the simulated person means to answer; None = not at all, or not known yet."""
        row, facts = self.ledger.task(engine.run_id, task.path), asdict(task.hand)
        return {
            "run": engine.run_id,
            "unit": engine.site.unit.name,
            "path": task.path,
            "title": task.title,
            "due": task.due,
            "alarm_at": task.due + tolerated_s(engine.plan.nodes.get(task.path), task.hand),
            "claimed_by": row.claimed_by if row is not None else "",
            "stock": self.materials.stock(task.hand.lots),
            "expects": {
                name: {"label": each.words, "number": each.least}
                for name, each in identity.sought(self.ledger, engine.plan, engine.run_id, task.path, facts).items()
            },
            "makes": self._made(engine, row),
            "answers_at": (self.simulated_person or {}).get(f"{engine.run_id}:{task.path}"),
            **facts,
        }

    def _made(self, engine: Engine, task: TaskRow | None) -> list[dict[str, Any]]:
        """The batches that a task makes by default, worked out anew when something was recorded."""
        if task is None or not engine.plan.batch or not task.hand.get("moves"):
            return []
        key, seq = (task.run_id, task.path), self.ledger.seq
        if self._makes.get(key, (-1, []))[0] != seq:
            self._makes[key] = seq, as_json(makes(self.ledger, engine.plan, task))
        return self._makes[key][1]

    async def answer(
        self,
        run_id: str,
        path: str,
        entries: Mapping[str, Any],
        by: Actor,
        key: str = "",
        *,
        lots: Mapping[str, str] | None = None,
        happened_at: float | None = None,
        out_min: float | None = None,
        batches: Mapping[str, Said] | None = None,
        why: str = "",
    ) -> str:
        """A person's answer to a task; raises Unusable (entries, lots, times, signature), RunConflict (no open task).

        `lots`: the lot of each material it asks for; `out_min`: how long vessels were out of the incubator;
        `happened_at` (UTC s): when it was done, where it is written down late; `batches`: what is said of the batch
        that comes to be in a vessel. Those batches are made in the transaction that confirms the step."""
        said = {"lots": dict(lots)} if lots else {}
        said |= {"happened_at": happened_at} if happened_at is not None else {}
        said |= {"out_min": out_min} if out_min is not None else {}
        said |= {"batches": {into: asdict(each) for into, each in batches.items()}} if batches else {}
        asked = asks(f"answer {run_id} {path}", run=run_id, path=path, entries=dict(entries), by=by.name, **said)
        if (answer := self.keys.answered(key, asked)) is not None:
            return str(answer["state"])
        engine = self.engine(run_id)
        task = self.ledger.task(run_id, path)
        if task is None or task.state != "open":
            raise RunConflict(f"no open task {path!r} in {run_id}", engine.run.state.value)
        may_answer(task, by)
        now = self.doors.clock.now()
        taken = checked(task, entries)
        told = by_both(task, said, by)
        lots, happened_at, out_min = told.get("lots"), told.get("happened_at"), told.get("out_min")
        batches = {into: Said(**each) for into, each in told.get("batches", {}).items()}
        at = happened(task, happened_at, now, why)
        await self._identified(engine, task, taken, at, by)
        if faults := unknown(self.ledger, task, taken, by):
            raise Unusable(faults)
        visit = outing(task, out_min, at, by)
        if waits := signature(task, taken, by):
            makes(self.ledger, engine.plan, task, batches)
            return await self._first_of_two(task, taken, said, by, waits, key, asked)
        wanted = list(dict.fromkeys(task.hand["lots"]))
        async with self._booking, self.batches.writing:
            change, audit = await self._lots(run_id, path, wanted, lots or {}, at, by, why)
            facts: dict[str, object] = {
                "state": "answered",
                "entries": taken,
                "answered_by": signed(task, by),
                "answered_at": now,
            }
            if happened_at is not None:
                facts["happened_at"] = at
            if children := makes(self.ledger, engine.plan, task, batches):
                rows, entries_of = born(task, children, now, by)
                facts["hand"] = {**task.hand, "made": as_json(children)}
                change, audit = [*change, *rows], [*audit, *entries_of]
            change += [Update("tasks", {"run_id": run_id, "path": path}, facts), *visit.change]
            if key:
                change.append(answer_row(key, run_id, now, {"asked": asked, "state": "answered"}))
            await engine.ask(Answered(now, path, by.name, taken), by, change, audit)
        if visit.too_long:
            advice = "Look at the culture; the time is part of the batch record."
            await self.doors.alarms.raise_(f"{run_id}:{path}:out", "low", visit.too_long, advice, run_id)
        return "answered"

    async def _identified(
        self, engine: Engine, task: TaskRow, taken: Mapping[str, EntryValue], at: float, by: Actor
    ) -> None:
        """Raises Unusable, and puts it on record, when a scanned label is not the one the task expects (RM-10)."""
        if faults := identity.wrong(self.ledger, engine.plan, task, taken, at):
            await self.ledger.commit([], [identity.refused(task, taken, faults, by)])
            raise Unusable(faults)

    async def _first_of_two(
        self, task: TaskRow, taken: Mapping[str, EntryValue], said: Mapping[str, Any], by: Actor, waits: str, key: str,
        asked: str,
    ) -> str:  # fmt: skip
        """The first of two persons has written it down; the task stays open for the second."""
        facts: dict[str, object] = {"entries": dict(taken), "answered_by": by.name}
        facts["hand"] = {**task.hand, FIRST: dict(said)}
        change: list[Change] = [Update("tasks", {"run_id": task.run_id, "path": task.path, "state": "open"}, facts)]
        if key:
            change.append(answer_row(key, task.run_id, self.doors.clock.now(), {"asked": asked, "state": waits}))
        entry = AuditEntry(
            "task signed first", "task", task.path, by.name, by.role, by.authenticated_by,
            new={**taken, **said}, run_id=task.run_id, step=task.path, client=by.client,
        )  # fmt: skip
        await self.ledger.commit(change, [entry])
        return waits

    async def _lots(
        self, run_id: str, path: str, wanted: list[str], lots: Mapping[str, str], at: float, by: Actor, why: str
    ) -> tuple[list[Change], list[AuditEntry]]:
        """The rows of the lots an answer names; the simulated person has its own shelf."""
        ledger = self.ledger
        if by.role == "simulated" and wanted and not lots:
            lots, booked = simulated(ledger, wanted, at, by)
            if booked:
                entry = AuditEntry("lot booked", "lot", ", ".join(lots.values()), by.name, by.role, new=dict(lots))
                await ledger.commit(booked, [entry])
        return used(ledger, run_id, path, wanted, lots, at, by, why)

    async def claim(self, run_id: str, path: str, whom: Whom, by: Actor, key: str = "") -> str:
        """Who is on a task from now on, "" = nobody; anybody may still answer it, and both stand in its row.

        Raises RunConflict (another person is on it, no such open task), Unusable (no simulated person)."""
        asked = asks(f"claim {run_id} {path} for {whom}", run=run_id, path=path, whom=whom, by=by.name)
        if (answer := self.keys.answered(key, asked)) is not None:
            return str(answer["claimed_by"])
        engine = self.engine(run_id)
        gone = RunConflict(f"no open task {path!r} in {run_id}", engine.run.state.value)
        async with self._claiming:
            task = self.ledger.task(run_id, path)
            if task is None or task.state != "open":
                raise gone
            name = claimant(task, whom, by, self.simulated_person is not None)
            still_open = {"run_id": run_id, "path": path, "state": "open"}
            change: list[Change] = [Update("tasks", still_open, {"claimed_by": name})]
            if key:
                now = self.doors.clock.now()
                change.append(answer_row(key, run_id, now, {"asked": asked, "claimed_by": name}))
            try:
                await self.ledger.commit(change, [claim_entry(task, name, by)])
            except ChangeRefused:  # answered in this moment
                raise gone from None
        self.claims.note(task, name)
        self.claimed.set()
        return name


def claim_entry(task: TaskRow, name: str, by: Actor) -> AuditEntry:
    return AuditEntry(
        "task claimed" if name else "task given back",
        "task",
        task.path,
        by.name,
        by.role,
        by.authenticated_by,
        old=task.claimed_by,
        new=name,
        run_id=task.run_id,
        step=task.path,
        client=by.client,
    )
