"""One bench, alive: storage, alarms, devices, runs, in the order that keeps a culture safe (DX-10)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.actors import SYSTEM, Actor
from controller.alarms import Alarms
from controller.asked import asked as asks
from controller.bench import Bench, OpenLink
from controller.by_hand import ByHand
from controller.calibration.desk import Desk
from controller.clock import Clock
from controller.confirmations import Confirmations
from controller.latest import Latest
from controller.loops import Loops
from controller.outputs import Outputs
from controller.plumbing import FLOW
from controller.poller import Condition, Keeper
from controller.program import program_version
from controller.recorder import Recorder
from controller.restart import Outage, alarm_outage, doubt, measure_gap, outage_rows
from controller.run.doors import Doors
from controller.run.doses import Doses
from controller.run.transfers import Transfers, identity_text
from controller.runs import Runs
from controller.scans import Scans
from controller.settings import Settings, UnitSettings
from controller.store.changes import AuditEntry, Insert
from controller.store.errors import LedgerDamaged, LedgerFault
from controller.store.history import History
from controller.store.ledger import Hook, Ledger
from controller.store.lock import DirectoryLock
from controller.strays import Strays
from controller.trail import Trail
from controller.wall import Wall
from controller.watches import Watches
from drivers.core.errors import WireError, WrongDevice
from drivers.core.signals import Identity, Value

STOPPED, UNCONFIRMED = "stopped", "NOT CONFIRMED"
LINK_ALARM_S = 30.0
"""A device may be silent this long before it is an alarm (safety-and-records 5.2)."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Where host faults stand in tests: a slow disk, a kill at a durable boundary."""

    before_commit: Hook | None = None
    after_commit: Hook | None = None


class Controller:
    """Built from settings and a way to open links; `run` lives until `stop` or cancellation."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        open_link: OpenLink,
        clock: Clock,
        *,
        installation: str | None = None,
        faults: Faults | None = None,
        flush_s: float = 10.0,
    ) -> None:
        """`folder` is the data directory; `installation` names a new one (from the seed in simulations).

        `flush_s`: samples of so many seconds may be lost in a crash (ST-06)."""
        self.settings, self.folder, self.clock = settings, folder, clock
        self._installation, self._faults, self._flush_s = installation, faults or Faults(), flush_s
        self.latest = Latest()
        self.scans = Scans(self.latest, min((each.poll_s for each in settings.devices), default=10.0))
        self.bench = Bench(settings, open_link, self.latest, admit=self._admit, told=self._told)
        self.history: History | None = None
        self.ledger: Ledger | None = None
        self.runs: Runs | None = None
        self.alarms: Alarms | None = None
        self.trail: Trail | None = None
        self.desk: Desk | None = None
        self.by_hand: ByHand | None = None
        self.loops: Loops | None = None
        self.damaged = ""
        """Why the records cannot be used; then environment only, and no fluid moves. "" = they can."""
        self.outage: Outage | None = None
        self.up = asyncio.Event()
        """Set when the start-up sequence is through."""
        self._stop = asyncio.Event()
        self._known: dict[str, str] = {}

    @property
    def state(self) -> str:
        return "environment only" if self.trouble else "running" if self.up.is_set() else "starting"

    @property
    def trouble(self) -> str:
        """Why nothing may be started: records damaged at start, or a disk that failed since (ST-04); "" = nothing."""
        return self.damaged or (self.ledger.fault if self.ledger is not None else "")

    def stop(self) -> None:
        """Ask for an orderly end: fluid stopped, records closed, set points left as they are (EQ-07)."""
        self._stop.set()

    async def run(self, serve: Callable[[Controller], Coroutine[None, None, None]] | None = None) -> None:
        """Start up in the order of DX-10 and live. `serve` runs beside from the beginning (the local socket).

        Raises DirectoryTaken before anything is touched when another controller holds the folder.
        """
        with DirectoryLock.take(self.folder):
            try:
                async with asyncio.TaskGroup() as group:
                    if serve is not None:
                        group.create_task(serve(self), name="local socket")
                    group.create_task(self._live(group), name="controller")
                    await self._stop.wait()
                    await self._end()
                    raise Ended
            except* Ended:
                pass
            finally:
                self._close()

    async def _live(self, group: asyncio.TaskGroup) -> None:
        """The start-up sequence; each line is a boundary at which a crash must change nothing (DX-12)."""
        outage = await self._open_storage()
        keeping = group.create_task(self.bench.keep(), name="devices")
        group.create_task(self._alarm_on_silence(), name="link alarms")
        group.create_task(self._keep_history(), name="history")
        await self.bench.settled()
        if self.ledger is None or self.alarms is None:
            self.up.set()
            await keeping
            return
        doors = self._doors(self.ledger, self.alarms)
        await doors.confirmations.look(self.settings)
        group.create_task(Wall(self.clock, self.ledger, self.alarms).watch(), name="wall clock")
        self.runs = Runs(self.settings, doors, group)
        self.loops = Loops(self.settings, doors)
        Strays(self.settings, doors, self.runs, group)
        self.desk = Desk(self.settings, doors, self.runs.busy_units)
        self.by_hand = ByHand(self.runs, doors)
        self.runs.gates += [self.desk.lacks, self.by_hand.lacks]
        self.runs.hands.append(self.by_hand.lacks)
        self.runs.halts.append(self.by_hand.halt)
        self.runs.gates.append(lambda unit: [why] if (why := doors.confirmations.why) else [])
        self.runs.halts.append(self.desk.halt)
        group.create_task(self.desk.watch(), name="calibrations")
        group.create_task(self.runs.hand_work.claims.watch(), name="claims of machines")
        await self._record_up(self.ledger)
        if outage is not None:
            await alarm_outage(doors, outage)
        await self.runs.resume(outage)
        self.up.set()

    async def _open_storage(self) -> Outage | None:
        """Verify storage, take a new epoch, load alarms. A ledger not to be trusted leaves the environment running."""
        try:
            self.history = History.open(self.folder)
            Recorder(self.latest, self.history, self.clock)
            self.ledger = Ledger.open(
                self.folder,
                self.clock,
                program_version(),
                installation=self._installation,
                before_commit=self._faults.before_commit,
                after_commit=self._faults.after_commit,
            )
            doubt(self.ledger, self.history, self.clock)
            outage = measure_gap(self.ledger, self.history, self.clock)
            if outage is not None:
                self.history.mark_outage(self.clock.now(), "controller not running")
            rows, entries = outage_rows(self.ledger, outage) if outage is not None else ([], [])
            await self.ledger.new_epoch(os.getpid() if self._installation is None else 0, rows, entries)
            self.alarms = Alarms(self.ledger, self.clock)
            self.trail = Trail(self.ledger)
            self._known = {row.name: row.identity for row in self.ledger.devices()}
        except (LedgerDamaged, LedgerFault) as error:
            self.damaged = str(error)
            self.ledger, self.alarms, self.trail = None, None, None
            return None
        return outage

    def _doors(self, ledger: Ledger, alarms: Alarms) -> Doors:
        outputs = Outputs(self.bench, self.latest, ledger, self.clock, ledger.reigns)
        doses = Doses(ledger, self.clock, outputs.check_epoch)
        transfers = Transfers(self.bench, self.latest, ledger, self.clock, doses)
        watches = Watches(self.latest, self.clock)
        confirmations = Confirmations(ledger, alarms, self.clock)
        return Doors(self.bench, self.latest, ledger, self.clock, outputs, alarms, watches, transfers, confirmations)

    async def _admit(self, name: str, identity: Identity) -> None:
        """Remember who answers at a place; somebody else there later is refused (EQ-05)."""
        text = identity_text(identity)
        wanted = next(each.serial for each in self.settings.devices if each.name == name)
        if wanted and wanted != identity.serial:
            raise WrongDevice(f"{name}: serial number {identity.serial or 'unknown'} answers, {wanted} is expected")
        known = self._known.get(name)
        if known is None and self.ledger is not None:
            row = {
                "name": name,
                "model": self.bench.device(name).model,
                "identity": text,
                "first_seen_at": self.clock.now(),
            }
            entry = AuditEntry("device identified", "device", name, SYSTEM.name, SYSTEM.role, new=text)
            await self.ledger.commit([Insert("devices", row)], [entry])
            self._known[name] = text
        elif known is not None and known != text:
            raise WrongDevice(f"{name}: {text} answers, {known} was here before; put it back, or enter the change")

    async def _told(self, keeper: Keeper) -> None:
        """A device came or went; it is kept also when that cannot be written down (P1)."""
        try:
            await self._note(keeper)
        except LedgerFault:
            self._stop_fluid()

    def _stop_fluid(self) -> None:
        """Records cannot be written: no stroke goes on (ST-04)."""
        if self.runs is not None:
            self.runs.halt(None)

    async def _note(self, keeper: Keeper) -> None:
        if keeper.ready:
            if self.alarms is not None:
                await self.alarms.clear(f"device:{keeper.name}")
            if self.runs is not None:
                await self.runs.device_back(keeper.name)
        elif self.alarms is not None and keeper.condition in (Condition.WRONG, Condition.ALARMED):
            advice = "Check which device is plugged in where, and that it has power."
            await self.alarms.raise_(f"device:{keeper.name}", "high", f"{keeper.name}: {keeper.why}", advice)

    async def _alarm_on_silence(self) -> None:
        """Raise one alarm for each device that stays away longer than it may (AL-06)."""
        while True:
            await asyncio.sleep(LINK_ALARM_S)
            await self._settle()
            now = asyncio.get_running_loop().time()
            for keeper in self.bench.keepers.values():
                if (
                    keeper.condition is Condition.LOST
                    and now - keeper.since >= LINK_ALARM_S
                    and self.alarms is not None
                ):
                    text = f"{keeper.name} does not answer: {keeper.why}"
                    try:
                        await self.alarms.raise_(f"device:{keeper.name}", "high", text, "Check power and cable.")
                    except LedgerFault:
                        self._stop_fluid()
            await self._look_at_loops()

    async def _look_at_loops(self) -> None:
        try:
            if self.loops is not None and self.runs is not None and self.up.is_set():
                await self.loops.look(self.runs.busy_units())
        except LedgerFault:
            self._stop_fluid()

    async def _settle(self) -> None:
        """Strokes that nobody measured yet are measured by themselves once their device answers (DS-04)."""
        try:
            if self.runs is not None and self.up.is_set():
                await self.runs.settle()
        except LedgerFault:
            self._stop_fluid()

    async def _keep_history(self) -> None:
        """Commit samples in batches; a history that cannot be written harms nothing else (ST-01)."""
        while self.history is not None:
            await asyncio.sleep(self._flush_s)
            await self.history.flush()

    async def quiet(self, unit: str | None, by: Actor, key: str = "") -> list[str]:
        """Stop pumps of a unit, or all, now; hold their runs; works without any record (AC-08, DX-06).

        A repeated `key` gets the first answer, as far as there are records and every pump confirmed that it stopped;
        no key refuses this."""
        asked = asks(f"stop-pumps {unit or 'all'}", unit=unit)
        if self.runs is not None:
            first, key = self.runs.keys.answered_or_free(key, asked, in_turn=False)
            if first is not None and not any(UNCONFIRMED in said for said in first["stopped"]):
                return list(first["stopped"])
        chosen = None if unit is None else self.settings.unit(unit)
        loops = self._loops(chosen)
        if self.runs is not None:  # before anything else: no rule turns them again
            self.runs.doors.outputs.stopped_by_hand.update(loops)
        stopping = asyncio.ensure_future(self._stop_movers(chosen, loops=True))
        if self.runs is not None:  # held at once: a pump that is slow to confirm must not let another begin again
            others = self.runs.using(chosen) if chosen is not None else ()
            for name in (unit, *others):
                await self.runs.hold(name, by, "pumps stopped by hand")
        stopped = await stopping
        said = [name if how == STOPPED else f"{name} {how}" for name, how in stopped.items()]
        if self.runs is not None:
            entry = AuditEntry(
                "pumps stopped",
                "unit",
                unit or "all",
                by.name,
                by.role,
                by.authenticated_by,
                new=said,
                client=by.client,
            )
            with contextlib.suppress(LedgerFault):
                await self.runs.doors.outputs.stop_by_hand(loops, by)
                await self.runs.keys.remember(key, {"asked": asked, "stopped": said}, entry)
        return said

    def _loops(self, unit: UnitSettings | None) -> list[str]:
        """The flows of closed loops of a unit, or of all."""
        units = self.settings.units if unit is None else (unit,)
        return sorted({each.roles[FLOW] for each in units if FLOW in each.roles})

    async def _stop_movers(self, unit: UnitSettings | None = None, *, loops: bool = False) -> dict[str, str]:
        """Stop every dosing pump of a unit, or all; with `loops` also closed loops. What each of them said to it."""
        found: dict[str, str] = {}
        for name, mover in self.bench.movers(unit, loops=loops).items():
            try:
                await mover.stop()
                found[name] = STOPPED
            except WireError as error:
                found[name] = f"{UNCONFIRMED}: {error}"
        return found

    def _points(self) -> dict[str, Value]:
        """Every set point of the bench as its device showed it last."""
        outputs = {out for unit in self.settings.units for role, out in unit.roles.items() if role.endswith(" set")}
        return {output: self.latest.get(output).value for output in sorted(outputs)}

    async def _end(self) -> None:
        """Orderly end: strokes to their fence, pumps quiet, what is left as it is on record (EQ-07)."""
        if self.runs is not None:
            await self.runs.rest()
        left = {**self._points(), **await self._stop_movers()}
        if self.ledger is not None and not self.ledger.fault and self.ledger.reigns():
            await self.ledger.commit([], [self._entry("controller.stopped", self.ledger.epoch, left)])

    async def _record_up(self, ledger: Ledger) -> None:
        """The outputs as this start leaves them: pumps stopped, set points as their devices keep them (EQ-07)."""
        pumps = {name: self.bench.keepers[name] for name in self.bench.movers()}
        found = {name: STOPPED if pump.ready else f"{pump.condition}: {pump.why}" for name, pump in pumps.items()}
        await ledger.commit([], [self._entry("controller.up", ledger.epoch, {**self._points(), **found})])

    def _entry(self, action: str, epoch: int, outputs: Mapping[str, Value]) -> AuditEntry:
        return AuditEntry(action, "epoch", str(epoch), SYSTEM.name, SYSTEM.role, new=dict(outputs))

    def _close(self) -> None:
        if self.history is not None:
            self.history.close()
        if self.ledger is not None:
            self.ledger.close()


class Ended(Exception):
    """The controller was asked to stop."""
