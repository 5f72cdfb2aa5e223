"""All runs of a bench: started, resumed after a restart, commanded; at most one live run on a unit."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from controller.actors import RULE, Actor
from controller.amendments import Wish, made, preview
from controller.asked import asked as asks
from controller.batches import Batches, Begun
from controller.errors import Blocked, OldEpoch, RunConflict, Unusable
from controller.hand_work import HandWork
from controller.keys import Keys, answer_row
from controller.lines import Lines
from controller.materials import Materials
from controller.photos import Photos
from controller.program import program_version
from controller.reasons import reasoned
from controller.releases import Releases, released_by
from controller.restart import LONG_S, Outage
from controller.results import Results
from controller.run import sharing, unattended
from controller.run.binding import failures
from controller.run.books import INTO
from controller.run.doors import Doors
from controller.run.engine import Engine, MovedOn
from controller.run.intents import Intent
from controller.run.transfers import Site
from controller.settings import Settings, UnitSettings
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.errors import LedgerFault
from controller.store.rows import RunRow
from controller.volumes import measure, taken_over
from drivers.core.errors import OsteonError, WireError
from drivers.core.fluid import Direction
from protocols import amending, machine, records
from protocols.events import Advanced, Command, Decision, Mode, ModeSet
from protocols.holding import BY_RULE
from protocols.loading import load
from protocols.plan import Plan
from protocols.planning import plan as make_plan
from protocols.run import Run
from protocols.states import ENDED, Cause, RunState

AT_REST = ENDED | {RunState.HELD, RunState.HOLDING}
COMMANDABLE = (Cause.PAUSE, Cause.RESUME, Cause.HOLD, Cause.RESTART, Cause.STOP, Cause.ABORT, Cause.RESET)
GOING = frozenset(state.value for state in RunState) - {state.value for state in AT_REST | {RunState.IDLE}}
"""States of the ledger that would be a lie of a run nobody carries on."""
AMENDS_AT_MOST = 5
"""How often an amendment is made anew for a run that goes on under it."""
SAFE = (Cause.HOLD, Cause.STOP, Cause.ABORT)
"""Commands that no key refuses."""


class Runs:
    """The engines of a bench, by run id."""

    def __init__(self, settings: Settings, doors: Doors, group: asyncio.TaskGroup) -> None:
        self.settings, self.doors, self._group = settings, doors, group
        self.engines: dict[str, Engine] = {}
        self._starting = asyncio.Lock()
        self.begins: dict[str, str] = {}
        """Unit -> the run that is being written down there and has no engine yet: the unit is its already."""
        self.keys = Keys(doors.ledger, doors.clock)
        self.materials = Materials(self.keys)
        self.lines = Lines(self.keys, self.run_on)
        self.batches = Batches(self.keys, self.lines)
        self.photos = Photos(self.keys)
        self.results = Results(self.keys)
        self.releases = Releases(self.keys, self.results.writing)
        self.results.released = partial(released_by, doors.ledger)
        self._settled_at = -1
        """State of the ledger at which no stroke was open: until it changes `settle`, called twice a minute, rests."""
        self.hand_work = HandWork(doors, self.keys, self.materials, self.batches, self.engine)
        self.answer, self.claim = self.hand_work.answer, self.hand_work.claim
        self.stranded: dict[str, str] = {}
        """Runs of the ledger that cannot be carried on, and why; nothing new starts beside them."""
        self.gates: list[Callable[[UnitSettings], list[str]]] = []
        """What else must be in order before a run starts on a unit: sentences about what is not (RM-06)."""
        self.hands: list[Callable[[UnitSettings], list[str]]] = []
        """Who else moves fluid of a unit just now, in words: its run does not go on beside them (INV-10)."""
        self.halts: list[Callable[[str | None], None]] = []
        """Who else moves fluid and must end it at once when a unit, or all, is held or stopped (DX-06)."""
        self.fault = ""
        """Why records can no longer be written; then nothing starts any more (ST-04)."""
        self.planner = make_plan
        """How a protocol becomes a plan; a rehearsal may cut its waiting short."""
        self._to_come: set[str] = set()
        """Runs of the ledger that a restart has not reached yet: what they had in hand is still theirs."""
        doors.alarms.heard.append(self._alarmed)
        doors.transfers.holders.under_way = self.under_way
        doors.outputs.live = self.has_a_say

    def under_way(self, run_id: str, path: str) -> bool:
        """Whether this step of this run is going on, also while it waits for a person."""
        engine = self.engines.get(run_id)
        return run_id in self._to_come or (engine is not None and path in engine.run.active)

    def has_a_say(self, run_id: str) -> bool:
        """Whether a run still keeps its environment against others': until it has ended."""
        engine = self.engines.get(run_id)
        return run_id in self._to_come or (engine is not None and not engine.ended)

    def _alarmed(self, key: str, priority: str, text: str, run_id: str | None) -> None:
        """Hold the runs whose protocol wants that at an alarm of theirs, or of a device of their unit."""
        words = set(re.split("[:.]", key))
        for engine in self.engines.values():
            theirs = run_id == engine.run_id or not words.isdisjoint(engine.site.unit.devices)
            if theirs and engine.plan.holds_at(priority, text):
                engine.tell(Command(self.doors.clock.now(), Cause.HOLD, RULE.name, f"{text} ({BY_RULE})"))

    def using(self, unit: UnitSettings) -> set[str]:
        """Other units with a run that has a pump of this unit in hand just now."""
        pumps = {path.pump for path in unit.paths.values()}
        steps = [step for pump in pumps if (step := self.doors.transfers.holders.holder(pump))]
        found = {self.engines[run].site.unit.name for run, _ in steps if run in self.engines}
        return found - {unit.name}

    def busy_units(self) -> set[str]:
        """Units that have a run, whatever state it is in."""
        return {engine.site.unit.name for engine in self.engines.values()} | self.begins.keys()

    def where(self, unit: str | None) -> UnitSettings:
        """The unit of this name; the first of the bench where none is named. Raises Unusable."""
        return self.settings.unit(unit) if unit else self.settings.units[0]

    def on(self, unit: UnitSettings) -> Engine | None:
        """The run of a unit, whatever state it is in."""
        return next((engine for engine in self.engines.values() if engine.site.unit.name == unit.name), None)

    def run_on(self, unit: str) -> str:
        """The run that has a unit, also one that is not carried on; "" = none."""
        stranded = [run_id for run_id in self.stranded if (row := self.doors.ledger.run(run_id)) and row.unit == unit]
        begins = [run_id for name, run_id in self.begins.items() if name == unit]
        return next(iter([*(each.run_id for each in self._of(unit)), *stranded, *begins]), "")

    # ---- start and resume ---------------------------------------------------------------------------

    async def start(
        self,
        text: str,
        *,
        by: Actor,
        unit: str | None = None,
        sets: Mapping[str, str] | None = None,
        start: float | None = None,
        batch: Begun | None = None,
        key: str = "",
    ) -> str:
        """Check, bind and start a protocol on a unit; the run id. Raises ProtocolInvalid, Unusable, RunConflict."""
        more = {} if batch is None else {"batch": asdict(batch)}
        asked = asks("start", protocol=text, unit=unit, sets=dict(sets or {}), start=start, **more)
        if (answer := self.keys.answered(key, asked)) is not None:
            return str(answer["run"])
        async with self._starting, self.batches.writing:
            return await self._started(text, by, unit, sets, start, batch, key, asked)

    async def _started(
        self,
        text: str,
        by: Actor,
        unit: str | None,
        sets: Mapping[str, str] | None,
        start: float | None,
        batch: Begun | None,
        key: str,
        asked: str,
    ) -> str:
        where = self.where(unit)
        if self.on(where) is not None:
            raise RunConflict(f"{where.name} has a run; reset it when it has ended")
        if self.stranded:
            raise RunConflict("; ".join(f"{run_id} is not ended: {why}" for run_id, why in self.stranded.items()))
        protocol = load(text)
        begins = self.doors.clock.now() if start is None else start
        plan = self.planner(protocol, begins, self.settings.bench.zone, dict(sets or {}))
        plan = plan if batch is None else replace(plan, batch=batch.batch)
        lacks = [*failures(plan, where, self.doors.bench), *sharing.failures(plan, where, self.doors.outputs)]
        lacks += [*self.batches.objections(batch), *self.lines.lacks(where.name, self.batches.donors(batch))]
        if lacks := [*lacks, *(text for gate in self.gates for text in gate(where))]:
            raise Unusable(lacks)
        run_id = f"run-{len(self.doors.ledger.runs()) + 1}"
        self.begins[where.name] = run_id
        try:
            await self._record_start(run_id, where, text, plan, dict(sets or {}), batch, by, key, asked)
            engine = self._adopt(Engine(run_id, Site(run_id, where, begins), plan, Run(), self.doors))
        finally:
            del self.begins[where.name]
        await engine.ask(Command(self.doors.clock.now(), Cause.START, by.name), by)
        return run_id

    async def _record_start(
        self,
        run_id: str,
        unit: UnitSettings,
        text: str,
        plan: Plan,
        sets: dict[str, str],
        batch: Begun | None,
        by: Actor,
        key: str,
        asked: str,
    ) -> None:
        digest = hashlib.sha256(text.encode()).hexdigest()
        row = {
            "run_id": run_id,
            "unit": unit.name,
            "name": plan.protocol,
            "protocol": text,
            "protocol_hash": digest,
            "protocol_version": plan.version,
            "plan": records.as_json(plan),
            "parameters": sets,
            "state": RunState.IDLE.value,
            "created_at": self.doors.clock.now(),
            "created_by": by.name,
            "program_version": program_version(),
        }
        left, told = taken_over(self.doors.ledger, unit, self.doors.clock.now(), plan.start)
        taken, said = self.batches.begin(batch, run_id, self.doors.clock.now(), by)
        held = self.lines.taken(unit.name, self.batches.donors(batch), run_id, by)
        change: list[Change] = [Insert("runs", row), *left, *taken, *held]
        if key:
            change.append(answer_row(key, run_id, self.doors.clock.now(), {"asked": asked, "run": run_id}))
        alone = {
            name: {"mL": worst.ml, "by": worst.why, "with one more fault mL": worst.one_more_fault_ml}
            for name, (worst, _) in unattended.of_plan(plan, unit, self.doors.bench).items()
        }
        new = {
            "protocol": plan.protocol, "version": plan.version, "sha256": digest, "unit": unit.name,
            "batch": plan.batch, "worst unattended": alone,
        }  # fmt: skip
        entry = AuditEntry("run created", "run", run_id, by.name, by.role, by.authenticated_by, new=new, run_id=run_id)
        await self.doors.ledger.commit(change, [entry, *told, *said])

    def _adopt(self, engine: Engine) -> Engine:
        unit = engine.site.unit
        outputs = [output for role, output in unit.roles.items() if role.endswith(" set")]
        self.doors.outputs.claim(engine.run_id, outputs, shared=True)
        self.engines[engine.run_id] = engine
        self._group.create_task(self._live(engine), name=engine.run_id)
        return engine

    async def _live(self, engine: Engine) -> None:
        """A run whose records cannot be written moves no more fluid; its environment stays as it is (ST-04, P1).

        A controller that another one has replaced touches nothing any more, not even to stop (INV-12)."""
        try:
            await engine.live()
        except* OldEpoch as errors:
            self.fault = "; ".join(str(error) for error in errors.exceptions)
        except* LedgerFault as errors:
            self.fault = "; ".join(str(error) for error in errors.exceptions)
            for mover in self.doors.bench.movers(engine.site.unit).values():
                try:
                    await mover.stop()
                except WireError:
                    continue

    async def resume(self, outage: Outage | None) -> None:
        """After a restart: environment first, then open strokes, then the runs, by the state table (DX-10)."""
        rows = [row for row in self.doors.ledger.runs() if not archived(row)]
        self._to_come = {row.run_id for row in rows}
        for row in rows:
            try:
                gap_s = 0.0 if outage is None else outage.gap_s
                why = "out of control for more than 24 h" if gap_s > LONG_S else self.doors.confirmations.why
                await self._resume(row, hold=why, gap_s=gap_s)
            except (LedgerFault, OldEpoch):
                raise
            except Exception as error:  # noqa: BLE001  one run that cannot go on must not take the bench with it (P1)
                await self._strand(row.run_id, error)
            finally:
                self._to_come.discard(row.run_id)

    async def _resume(self, row: RunRow, hold: str, gap_s: float) -> None:
        """One run, as its journal tells it. Raises Unusable when the bench does not fit it any more."""
        unit = self.settings.unit(row.unit)
        plan = records.from_json(row.plan)
        if not isinstance(plan, Plan):
            raise TypeError(f"{row.run_id}: the stored plan is not a plan")
        if lacks := failures(plan, unit, self.doors.bench):
            raise Unusable(lacks)
        for intent in self.doors.transfers.open_intents(row.run_id):
            await self._reconcile(unit, intent)
        engine = Engine.replayed(row.run_id, Site(row.run_id, unit, plan.start), plan, self.doors)
        unstarted = row.state == RunState.IDLE.value and not any(
            row.event.get("cause") == Cause.START for row in self.doors.ledger.events(row.run_id)
        )
        await engine.recover(hold, gap_s)
        self._adopt(engine)
        if unstarted:
            await self._start_again(engine, row.created_by, hold)

    async def _start_again(self, engine: Engine, by: str, hold: str) -> None:
        """A run that was written down, and answered for under its key, in the moment the controller died: it starts
        now, by its late rules; held where nothing may go on."""
        why = f"started by {by}, interrupted by the end of the controller"
        await engine.ask(Command(self.doors.clock.now(), Cause.START, by, why), RULE)
        if hold:
            await engine.ask(Command(self.doors.clock.now(), Cause.HOLD, RULE.name, hold), RULE)

    async def _strand(self, run_id: str, error: Exception) -> None:
        """A run that this program or this bench file cannot carry on: nothing of it moves, and a person is told."""
        known = isinstance(error, OsteonError | records.UnknownRecord)
        why = f"{error}" if known else f"fault in the program: {type(error).__name__}: {error}"
        row = self.doors.ledger.run(run_id)
        if row is not None and row.program_version != program_version():
            why += f" (it was started with osteon {row.program_version or 'unknown'}, this is {program_version()})"
        self.stranded[run_id] = why
        text = f"{run_id} is not carried on: {why}"
        advice = "Put the bench file back as it was (or the program), and start osteon again. Look at the culture."
        if row is not None and row.state in GOING:
            entry = AuditEntry(
                "run not carried on", "run", run_id, RULE.name, RULE.role,
                old=row.state, new=RunState.HELD.value, reason=why, run_id=run_id,
            )  # fmt: skip
            await self.doors.ledger.commit(
                [Update("runs", {"run_id": run_id}, {"state": RunState.HELD.value})], [entry]
            )
        await self.doors.alarms.raise_(f"{run_id}:stranded", "critical", text, advice, run_id)

    async def _reconcile(self, unit: UnitSettings, intent: Intent) -> None:
        try:
            await self.doors.transfers.reconcile(unit, intent)
        except (Blocked, WireError):
            return  # not reachable: the run will hold at its recheck and say so

    async def device_back(self, name: str) -> None:
        """A device answers again: measure its open strokes, look at the set points it should have."""
        await self.settle(name)
        for engine in self.engines.values():
            engine.reapply()

    async def settle(self, device: str = "") -> None:
        """Measure strokes that runs at rest, ended or archived left open: of one device or of all (DS-04)."""
        if self.doors.ledger.seq == self._settled_at:
            return  # nothing was open then, nothing was committed since
        seq, rows = self.doors.ledger.seq, self.doors.ledger.open_doses()
        if not rows:
            self._settled_at = seq
        for row in rows:
            engine = self.engines.get(row.run_id or "")
            if row.device != (device or row.device) or (engine is not None and engine.run.state not in AT_REST):
                continue
            of = self.doors.ledger.run(row.run_id or "")
            if of is not None and of.unit in (unit.name for unit in self.settings.units):
                await self._reconcile(self.settings.unit(of.unit), Intent.of(row))

    # ---- what people say ------------------------------------------------------------------------------

    def engine(self, run_id: str) -> Engine:
        """Raises RunConflict when there is no such live run."""
        if run_id in self.stranded:
            raise RunConflict(f"{run_id} is not carried on: {self.stranded[run_id]}")
        if run_id not in self.engines:
            raise RunConflict(f"there is no live run {run_id!r}; live: {', '.join(self.engines) or 'none'}")
        return self.engines[run_id]

    async def command(
        self, run_id: str, cause: Cause, by: Actor, *, why: str = "", state_seen: str = "", key: str = ""
    ) -> str:
        """One command; returns the state it led to. A repeated key gets the first answer and does nothing (SM-03)."""
        asked = asks(f"{cause} {run_id}", run=run_id, cause=cause)
        if cause in SAFE:
            if (of := self.engines.get(run_id)) is not None:  # also what a person moves there, and also in HELD (DX-06)
                for end in self.halts:
                    end(of.site.unit.name)
            answer, key = self.keys.answered_or_free(key, asked)
        else:
            answer = self.keys.answered(key, asked)
        if answer is not None:
            return str(answer["state"])
        engine = self.engine(run_id)
        if cause not in COMMANDABLE:
            raise RunConflict(f"{cause} is not a command for a run", engine.run.state.value)
        if state_seen and state_seen != engine.run.state.value:
            raise RunConflict(f"the run is {engine.run.state.value} now, not {state_seen}", engine.run.state.value)
        if cause is Cause.RESTART and (lacks := [text for hand in self.hands for text in hand(engine.site.unit)]):
            raise RunConflict("; ".join(lacks), engine.run.state.value)
        now = self.doors.clock.now()
        leads_to = machine.after(engine.run.state, cause)
        answer_to = {"asked": asked, "state": leads_to.value if leads_to else engine.run.state.value}
        change = [answer_row(key, run_id, now, answer_to)] if key else []
        run = await engine.ask(Command(now, cause, by.name, why), by, change)
        if cause is Cause.RESET:
            self._retire(engine)
        return run.state.value

    def _retire(self, engine: Engine) -> None:
        self.doors.outputs.release(engine.run_id)
        engine.end()
        del self.engines[engine.run_id]

    async def amend(self, run_id: str, wish: Wish, by: Actor, *, why: str, key: str = "") -> dict[str, Any]:
        """Change the future of a run; what was changed, and what rules it breaks (a person has accepted that)."""
        asked = asks(f"amend {run_id}", run=run_id, what=wish.what, path=wish.path, at=wish.at, set=dict(wish.settings))
        if (first := self.keys.answered(key, asked)) is not None:
            return dict(first["amended"])
        engine, reason = self.engine(run_id), reasoned(why)
        patience = AMENDS_AT_MOST
        while True:
            now, of = self.doors.clock.now(), engine.run
            amendment = made(engine, self._text(run_id), wish, self.planner)
            told = preview(engine, amendment)
            change = [answer_row(key, run_id, now, {"asked": asked, "amended": told})] if key else []
            try:  # its plan is a whole one: it must not undo what another person, or the run, did in the meantime
                await engine.ask(amending.event(amendment, now, by.name, reason), by, change, of=of)
            except MovedOn:
                patience -= 1
                if not patience:
                    raise
            else:
                return told

    def preview(self, run_id: str, wish: Wish) -> dict[str, Any]:
        """What an amendment would change; nothing is done."""
        engine = self.engine(run_id)
        return preview(engine, made(engine, self._text(run_id), wish, self.planner))

    def _text(self, run_id: str) -> str:
        row = self.doors.ledger.run(run_id)
        return "" if row is None else row.protocol

    async def set_mode(self, run_id: str, mode: Mode, by: Actor, *, why: str = "", key: str = "") -> str:
        """How the unit of a run is worked; into manual the run is held first (SM-06). The state it led to."""
        return await self._said(
            run_id, key, f"mode {mode} {run_id}", by, ModeSet(self.doors.clock.now(), by.name, mode, why)
        )

    async def advance(self, run_id: str, path: str, by: Actor, *, key: str = "") -> str:
        """In mode step: let one waiting step begin."""
        return await self._said(
            run_id, key, f"advance {run_id} {path}", by, Advanced(self.doors.clock.now(), by.name, path)
        )

    async def _said(self, run_id: str, key: str, what: str, by: Actor, event: ModeSet | Advanced) -> str:
        asked = asks(what, run=run_id)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        engine = self.engine(run_id)
        seen = engine.run.state.value
        change = [answer_row(key, run_id, event.at, {"asked": asked, "state": seen})] if key else []
        return (await engine.ask(event, by, change)).state.value

    async def measure(self, unit: str | None, ml: float, by: Actor, *, why: str, key: str = "") -> dict[str, float]:
        """A vessel was found to hold so much: its books begin anew. What they said before, and the difference."""
        where = self.where(unit)
        asked = asks(f"volume {where.name}", unit=where.name, ml=ml)
        if (first := self.keys.answered(key, asked)) is not None:
            return dict(first["volume"])
        engine = self.on(where)
        live = None if engine is None or engine.ended else (engine.plan, engine.run, engine.volume())
        change, entry, differs = await measure(self.doors, where, live, ml, by, reasoned(why))
        told = {"ml": ml, "more_than_booked_ml": round(differs, 3)}
        if key:
            run_id = None if engine is None else engine.run_id
            change.append(answer_row(key, run_id, self.doors.clock.now(), {"asked": asked, "volume": told}))
        await self.doors.ledger.commit(change, [entry])
        return told

    async def decide(
        self,
        run_id: str,
        path: str,
        answer: str,
        by: Actor,
        *,
        volume_ml: float | None = None,
        why: str = "",
        question: str = "",
        key: str = "",
    ) -> str:
        """A person's decision on an open question; an unknown stroke gets its amount in the same transaction (DS-05).

        With "nothing", `volume_ml` may say what an unknown drawing stroke left in the syringe: it is delivered too.
        `question` is the one the person saw: RunConflict when it is not the one that is open now (SM-03).
        "skip" proves no amount: the stroke stays unknown and counts as fully delivered (DS-07).
        """
        asked = asks(f"decide {run_id} {path} {answer}", run=run_id, path=path, answer=answer, volume_ml=volume_ml)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        engine = self.engine(run_id)
        of = engine.run if question else None
        open_now = engine.run.active.get(path)
        if question and (open_now is None or open_now.question != question):
            raise RunConflict("another question is open there now, or none: look again", engine.run.state.value)
        now = self.doors.clock.now()
        change: list[Change] = []
        if key:  # a decision restarts no run
            change.append(answer_row(key, run_id, now, {"asked": asked, "state": engine.run.state.value}))
        audit: list[AuditEntry] = []
        for row in self.doors.ledger.doses(run_id, path):
            if row.state == "unknown" and answer == "delivered" and row.fluid_path == INTO and row.stroke == "draw":
                raise RunConflict(
                    f"this stroke only draws {row.fluid} into the syringe: none of it can be delivered yet. Answer "
                    "'nothing', with the mL that stand in the syringe (they are delivered then), or 'skip'",
                    engine.run.state.value,
                )
            if row.state == "unknown" and answer != "skip":
                intent = Intent.of(row)
                stays = answer == "nothing" and intent.stroke is Direction.DRAW
                moved = volume_ml or 0.0 if answer == "delivered" or stays else 0.0
                update, entry = await self.doors.transfers.doses.decide(intent, moved, by.name)
                change.append(update)
                audit.append(entry)
        run = await engine.ask(Decision(now, path, by.name, answer, volume_ml, why), by, change, audit, of)
        return run.state.value

    # ---- all at once ------------------------------------------------------------------------------------

    def halt(self, unit: str | None) -> None:
        """End every stroke now, before anything is recorded (DX-06)."""
        for engine in self._of(unit):
            engine.halt()
        for end in self.halts:
            end(unit)

    async def hold(self, unit: str | None, by: Actor, why: str, key: str = "") -> dict[str, str]:
        """Hold every run that can be held; returns the states. A repeated key does nothing more (SM-03).

        Raises Unusable when there is no such unit."""
        if unit is not None:
            self.settings.unit(unit)  # a misspelt unit must not look like a hold that was done
        for end in self.halts:
            end(unit)
        asked = asks(f"hold {unit or 'all'}", unit=unit)
        first, key = self.keys.answered_or_free(key, asked)
        if first is not None:
            return dict(first["states"])
        now = self.doors.clock.now()
        engines = self._of(unit)
        states = {engine.run_id: RunState.HOLDING.value for engine in engines}
        answer = {"asked": asked, "state": RunState.HOLDING.value, "states": dict(states)}
        command = Command(now, Cause.HOLD, by.name, why)
        asking = {
            engine: asyncio.ensure_future(
                engine.ask(command, by, [answer_row(key, engine.run_id, now, answer)] if key else [])
            )
            for engine in engines
        }
        for engine, held in asking.items():
            try:
                states[engine.run_id] = (await held).state.value
            except (RunConflict, LedgerFault):  # it rests already, or cannot be written down: it moves nothing then
                states[engine.run_id] = engine.run.state.value
        return states

    async def rest(self) -> None:
        """Orderly end of the program: strokes to their fence; the runs themselves stay in their states."""
        for end in self.halts:
            end(None)
        for engine in self.engines.values():
            await engine.rest()

    def tasks(self) -> list[dict[str, Any]]:
        """Open tasks of all live runs as a person (or a simulated one) sees them."""
        return [task for engine in self.engines.values() for task in self.hand_work.tasks(engine)]

    def _of(self, unit: str | None) -> list[Engine]:
        return [engine for engine in self.engines.values() if unit in (None, engine.site.unit.name)]


def archived(row: RunRow) -> bool:
    """Reset: ended and put away."""
    return row.state == RunState.IDLE.value and row.ended_at is not None
