"""One run: take an event, decide, commit, then see that exactly what the state wants is under way (DX-01, DX-03)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from controller.actors import RULE, Actor
from controller.errors import Broken, RunConflict
from controller.people import close_row, open_row
from controller.run.doors import Doors
from controller.run.effects import Carrier
from controller.run.transfers import Site
from controller.run.volumes import Volume
from controller.store.changes import AuditEntry, Change, Insert, JournalEntry, Update
from controller.store.errors import LedgerFault
from drivers.core.errors import OsteonError
from protocols import machine, records
from protocols.effects import CloseTask, Deviate, Effect, OpenTask, Raise
from protocols.events import Amended, Command, Event, ModeSet, TimeCame
from protocols.limits import over
from protocols.plan import Plan
from protocols.run import Run
from protocols.states import ENDED, Cause, RunState

NO_LONGER = "this run is not carried out any more: its records cannot be written, or it was put away"


class MovedOn(RunConflict):
    """Something happened between the look at a run and what was made of it."""


@dataclass(frozen=True, slots=True)
class Said:
    """An event with who said it, further rows for its transaction, and where the answer goes."""

    event: Event
    by: Actor
    change: tuple[Change, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    answer: asyncio.Future[Run] | None = None
    of: Run | None = None
    """The state that it was made for, where it holds of no other."""

    def fail(self, why: OsteonError) -> None:
        """Tell whoever still waits for the answer that there will be none."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(why)


class Engine:
    """Owns the state of one run; everything reaches it through one inbox, so that events have one order."""

    def __init__(self, run_id: str, site: Site, plan: Plan, run: Run, doors: Doors) -> None:
        self.run_id, self.site, self.plan, self.run, self.doors = run_id, site, plan, run, doors
        self.name = plan.protocol
        self.changed = asyncio.Event()
        self._inbox: asyncio.Queue[Said | None] = asyncio.Queue()
        self._carrier = Carrier(run_id, site, doors, self.tell)
        self._over = False
        self._recorded: RunState | None = None
        """The state that the run's row has since this engine wrote it: the row is long, its plan is in it."""

    @classmethod
    def replayed(cls, run_id: str, site: Site, plan: Plan, doors: Doors) -> Engine:
        """The run as its journal tells it: the same function over the same events (DX-01)."""
        run = Run()
        for row in doors.ledger.events(run_id):
            event = event_of(row.event)
            run = machine.run_after(plan, run, event)
            plan = machine.plan_after(plan, event)
        return cls(run_id, site, plan, run, doors)

    @property
    def ended(self) -> bool:
        return self.run.state in ENDED

    async def live(self) -> None:
        """Decide and act until cancelled, archived, or until records can no longer be written (LedgerFault)."""
        try:
            async with asyncio.TaskGroup() as group:
                self._carrier.begin(group)
                self._carry()
                while True:
                    said = await self._next()
                    if said is None:
                        await self._carrier.rest()
                        return
                    await self._take(said)
        finally:
            self._over = True
            while not self._inbox.empty():
                if (late := self._inbox.get_nowait()) is not None:
                    late.fail(RunConflict(NO_LONGER, self.run.state.value))

    async def recover(self, hold: str, gap_s: float = 0.0) -> None:
        """After a restart, before anything is carried out: the state table's way for "recovered" (SM-08).

        `hold`: why a person must look first; "" when the run may go on by its rules."""
        now = self.doors.clock.now()
        await self._take(
            Said(Command(now, Cause.RECOVERED, RULE.name, "controller restarted", gap_s), RULE), carry=False
        )
        if hold:
            await self._take(Said(Command(now, Cause.HOLD, RULE.name, hold), RULE), carry=False)

    def volume(self) -> Volume:
        """What the vessel holds now, by the books."""
        return self.doors.transfers.volume(self.site)

    def halt(self) -> None:
        """End every stroke under way now."""
        self._carrier.halt()

    def reapply(self) -> None:
        self._carrier.reapply()

    async def rest(self) -> None:
        """Strokes to their fence and no more effects: the program ends, the run stays in its state."""
        await self._carrier.rest()

    def end(self) -> None:
        """The run is archived: leave `live`."""
        self._inbox.put_nowait(None)

    def tell(self, event: Event, by: Actor = RULE) -> None:
        """Hand in what became of an effect; never waits."""
        self._inbox.put_nowait(Said(event, by))

    async def ask(
        self,
        event: Event,
        by: Actor,
        change: Sequence[Change] = (),
        audit: Sequence[AuditEntry] = (),
        of: Run | None = None,
    ) -> Run:
        """Hand in a person's event and wait until it is on record; raises RunConflict when it is refused, MovedOn when
        the run is not in the state `of` any more.

        `change` and `audit` go into the same transaction. What must stop, stops before anything is recorded (DX-06).
        """
        if stops(event):
            self._carrier.halt()
        if self._over:
            raise RunConflict(NO_LONGER, self.run.state.value)
        answer: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait(Said(event, by, tuple(change), tuple(audit), answer, of))
        return await answer

    async def _next(self) -> Said | None:
        """The next event: from the inbox, or time itself."""
        due = machine.next_time(self.plan, self.run)
        if due is None:
            return await self._inbox.get()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(loop.time() + max(0.0, due - self.doors.clock.now())):
                return await self._inbox.get()
        except TimeoutError:
            return Said(TimeCame(max(due, self.doors.clock.now())), RULE)

    async def _take(self, said: Said, carry: bool = True) -> None:
        """Decide about one event; whoever waits for the answer gets it, or the reason why there is none."""
        try:
            await self._decide(said, carry)
        except OsteonError as fault:
            said.fail(fault)
            if said.answer is None or isinstance(fault, LedgerFault):
                raise
        except asyncio.CancelledError:
            said.fail(RunConflict(NO_LONGER, self.run.state.value))
            raise
        except Exception as fault:
            said.fail(Broken(f"fault in the program: {type(fault).__name__}: {fault}"))
            if said.answer is None:
                raise

    async def _decide(self, said: Said, carry: bool) -> None:
        if said.of is not None and said.of is not self.run:
            raise MovedOn(f"{self.run_id} has moved on meanwhile; look again", self.run.state.value)
        try:
            after, effects = machine.step(self.plan, self.run, said.event)
        except machine.NotAllowed as refusal:
            await self._refuse(said, str(refusal))
            self._carry()
            return
        await self._commit(said, after, effects)
        self.run, self.plan = after, machine.plan_after(self.plan, said.event)
        if carry:
            self._carry()
        await self._clear_alarms()
        self.changed.set()
        if said.answer is not None and not said.answer.done():
            said.answer.set_result(after)

    async def _commit(self, said: Said, after: Run, effects: tuple[Effect, ...]) -> None:
        """The event, the new state, its tasks, alarms and deviations: one transaction (SM-07, AT-08)."""
        now = said.event.at
        event = records.as_json(said.event)
        facts: dict[str, object] = {}
        if after.state is not self._recorded:
            facts["state"] = after.state.value
        if self.run.state is RunState.IDLE and after.state is RunState.RUNNING:
            facts["started_at"] = now
        if after.state in ENDED and self.run.state not in ENDED:
            facts["ended_at"] = now
        change: list[Change] = [Update("runs", {"run_id": self.run_id}, facts)] if facts else []
        change += said.change
        audit = [
            AuditEntry(
                f"run {type(said.event).__name__}",
                "run",
                self.run_id,
                said.by.name,
                said.by.role,
                said.by.authenticated_by,
                client=said.by.client,
                old=self.run.state.value,
                new=after.state.value,
                reason=reason(said.event) or (after.why if after.state is not self.run.state else ""),
                run_id=self.run_id,
                step=getattr(said.event, "path", ""),
            ),
            *said.audit,
        ]
        for effect in effects:
            self._record(effect, now, change, audit)
        await self.doors.ledger.commit(change, audit, [JournalEntry(self.run_id, now, event)])
        self._recorded = after.state

    async def _clear_alarms(self) -> None:
        """Those of this run whose condition is gone."""
        for row in self.doors.alarms.open():
            key = str(row["key"]).removeprefix(f"{self.run_id}:")
            if row["run_id"] == self.run_id and key != row["key"] and over(self.run, key):
                await self.doors.alarms.clear(row["key"])

    def _record(self, effect: Effect, now: float, change: list[Change], audit: list[AuditEntry]) -> None:
        """The rows of effects that are records: tasks, alarms, deviations."""
        match effect:
            case OpenTask():
                if self.doors.ledger.task(self.run_id, effect.path) is None:
                    change.append(open_row(self.run_id, effect, now))
            case CloseTask():
                row = close_row(self.run_id, effect, now)
                if self.doors.ledger.task(self.run_id, effect.path) is not None:
                    change.append(Update("tasks", {"run_id": self.run_id, "path": effect.path}, row))
            case Raise():
                key = f"{self.run_id}:{effect.key}"
                rows, entries = self.doors.alarms.rows_to_raise(
                    key, effect.priority, effect.text, effect.advice, self.run_id
                )
                change.extend(rows)
                audit.extend(entries)
            case Deviate():
                change.append(
                    Insert("deviations", {"run_id": self.run_id, "path": effect.path, "at": now, "text": effect.text})
                )
            case _:
                pass

    def _carry(self) -> None:
        """See that exactly what the state wants is under way."""
        self._carrier.want(machine.wanted(self.plan, self.run), self.run)

    async def _refuse(self, said: Said, why: str) -> None:
        """Refusals are records too (AT-01); late events of our own are dropped in silence."""
        if said.answer is None:
            return
        entry = AuditEntry(
            f"run {type(said.event).__name__}",
            "run",
            self.run_id,
            said.by.name,
            said.by.role,
            said.by.authenticated_by,
            client=said.by.client,
            old=self.run.state.value,
            reason=why,
            run_id=self.run_id,
            outcome="refused",
        )
        await self.doors.ledger.commit([], [entry])
        said.fail(RunConflict(why, self.run.state.value))


def stops(event: Event) -> bool:
    """Whether fluid must stand still before the event is even on record."""
    match event:
        case Command(cause=cause):
            return cause in (Cause.HOLD, Cause.STOP, Cause.ABORT)
        case ModeSet(mode=mode):
            return mode == "manual"
        case _:
            return False


def reason(event: Event) -> str:
    """Why a person changed what was planned (AT-03); "" where the state of the run says it."""
    return event.why if isinstance(event, Amended | ModeSet) else ""


def event_of(data: dict[str, object]) -> Event:
    """A journalled event."""
    event = records.from_json(data)
    if not isinstance(event, Event):
        raise TypeError(f"not an event: {data!r}")
    return event
