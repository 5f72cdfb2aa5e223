"""One dose through the real ledger: one way of dying, one loss of power, one fate of the command, one time away."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from controller.bench import Bench
from controller.clock import Clock
from controller.latest import Latest
from controller.poller import Keeper
from controller.run.doses import Doses
from controller.run.intents import Intent
from controller.run.strokes import tolerance_ml
from controller.run.transfers import Site, Transfers
from controller.settings import PathSettings, UnitSettings, VesselSettings
from controller.store.changes import AuditEntry, Insert
from controller.store.ledger import Ledger
from drivers.core.line import Line
from protocols.effects import Transfer
from simulators.core.time import VirtualLoop
from tests.doses.pump import LATE_S, TRANSIT_S, Cable, ProofPump, Pump

TARGET_ML, RATE_ML_MIN = 0.6, 60.0
MOVE_S = 60.0 * TARGET_ML / RATE_ML_MIN
START = 1_780_000_000.0
RUN, STEP, PART = "run-1", "feed/dose", "dose"
UNIT = UnitSettings(
    name="proof",
    vessel=VesselSettings(min_ml=1, max_ml=100, level_ml=10),
    roles={},
    paths={"medium in": PathSettings(pump="pump")},
)
WANTED = Transfer(
    path=STEP,
    part=PART,
    fluid_path="medium in",
    mode="volume",
    volume_ml=TARGET_ML,
    rate_ml_min=RATE_ML_MIN,
    fluid="medium",
    vessel="reactor",
)

DEATHS = (
    "never", "before the intent", "after the intent", "before the bytes", "after the bytes", "before the reply",
    "moved 10 %", "moved 50 %", "moved 90 %", "moved 100 %", "stop sent", "in the quiet time", "before the result",
    "after the result", "and in the second fence", "and before the second result", "and after the second result",
)  # fmt: skip
"""17. The last three: first in mid-stroke, then again while the next controller settles it."""
POWER = ("never", "before the bytes", "in the stroke", "after the stroke", "while away", "in the second fence")
"""6 moments at which the pump loses its power."""
FATES = ("delivered", "lost", "late", "twice", "unacknowledged")
"""5 fates of the frame that starts the pump."""
AWAY_S = (0.05, 1.0, 4.0, 60.0)
"""4 times (s) for which nobody is there."""
ALARM_READ = "as it reads the alarm"
"""The death of DS-06: the pump's news of its power loss is taken off it, and goes with the process that took it."""
LIMIT_S = 600.0
HELD_S = 5.0
"""After so long a person restarts a run that is held without a question."""


@dataclass(frozen=True, slots=True)
class Case:
    death: str
    power: str
    fate: str
    away_s: float
    survives: bool = True
    before_ml: float = 0.0
    """What the pump's counter shows before the dose."""


def every(deaths: tuple[str, ...] = DEATHS, survives: bool = True, before_ml: float = 0.0) -> Iterator[Case]:
    for death, power, fate, away_s in product(deaths, POWER, FATES, AWAY_S):
        yield Case(death, power, fate, away_s, survives, before_ml)


@dataclass(frozen=True, slots=True)
class End:
    """What a case came to."""

    outcome: str
    truth_ml: float
    rows: tuple[Intent, ...]
    lives: int

    @property
    def booked_ml(self) -> float:
        return sum(row.moved_ml or 0.0 for row in self.rows)

    def faults(self) -> list[str]:
        """Rules broken: given twice (INV-01); "done" that is not true, or less without a record (INV-02)."""
        slack, found = tolerance_ml(TARGET_ML, 0.0) + 0.002 * len(self.rows), list[str]()
        if self.truth_ml > TARGET_ML + slack:
            found.append("over")
        if self.outcome == "done" and (
            self.truth_ml < TARGET_ML - slack or abs(self.booked_ml - self.truth_ml) > slack
        ):
            found.append("short" if self.truth_ml < TARGET_ML else "done is not true")
        if any(row.open for row in self.rows):
            found.append("left open")
        doubted = any(row.state == "unknown" for row in self.rows)
        if self.outcome != "done" and not doubted and abs(self.booked_ml - self.truth_ml) > slack:
            found.append("the record is not true")
        if not self.outcome:
            found.append("stuck")
        return found


class OnePump(Bench):
    """A bench of one pump, which no catalogue knows."""

    def __init__(self, cable: Cable, latest: Latest, case: Case, quiet_s: float) -> None:
        async def admit(name: str, identity: object) -> None: ...

        async def told(keeper: Keeper) -> None: ...

        self.lines = {"proof": Line(cable, "proof")}
        options = {"survives": float(case.survives), "quiet_s": quiet_s}
        pump = ProofPump(self.lines["proof"], 0, options)
        self.keepers = {"pump": Keeper("pump", pump, latest, 2.0, admit=admit, told=told)}


@dataclass
class World:
    """The pump, the data folder and what is still to go wrong."""

    case: Case
    folder: Path
    kind: type[Doses]
    quiet_s: float
    pump: Pump = field(init=False)
    outcome: str = ""
    lives: int = 0
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    cable: Cable | None = None
    sent: int = 0
    stops: int = 0
    commits: int = -1
    """Of this life; the epoch is not counted."""

    def __post_init__(self) -> None:
        self.pump = Pump(self.case.survives, total_ml=self.case.before_ml)
        twice = self.case.death.startswith("and ")
        self.deaths = ["moved 50 %", self.case.death.removeprefix("and ")] if twice else [self.case.death]
        self.power = self.case.power

    # --- what goes wrong

    def at(self, moment: str) -> None:
        """This moment is now: die, or lose power, where the case says so. Each happens once."""
        if self.power == moment:
            self.power = ""
            self.pump.lose_power(asyncio.get_running_loop().time())
        if not self.dead.is_set() and self.deaths and self.deaths[0] == moment:
            self.deaths.pop(0)
            self.dead.set()
            if self.cable is not None:
                self.cable.die()

    def soon(self, after_s: float, moment: str, life: int | None = None) -> None:
        def now() -> None:
            if life is None or life == self.lives:
                self.at(moment)

        asyncio.get_running_loop().call_later(after_s, now)

    async def before_commit(self) -> None:
        await self._boundary("before")

    async def after_commit(self) -> None:
        await self._boundary("after")
        self.commits += 1

    async def _boundary(self, side: str) -> None:
        if self.commits >= 0:
            if self.lives == 1:
                self.at(f"{side} the {'intent' if self.commits == 0 else 'result'}")
            elif self.lives == 2 and self.commits == 0:
                self.at(f"{side} the second result")
        if self.dead.is_set():
            await asyncio.Event().wait()

    def sends(self, cable: Cable, data: bytes) -> None:
        fate = "delivered"
        if data.startswith(b"G"):
            self.sent += 1
            self.at("before the bytes")
            if cable.dead:
                return
            if self.sent == 1:
                fate = self.case.fate
                self.soon(2 * TRANSIT_S - 0.002, "before the reply", self.lives)
                for share in (10, 50, 90, 100):
                    self.soon(TRANSIT_S + share / 100 * MOVE_S, f"moved {share} %", self.lives)
                self.soon(TRANSIT_S + 0.5 * MOVE_S, "in the stroke")
                self.soon(TRANSIT_S + 1.1 * MOVE_S, "after the stroke")
        match fate:
            case "delivered":
                cable.carry(data)
            case "late":
                cable.carry(data, LATE_S)
            case "twice":
                cable.carry(data)
                cable.carry(data, 2 * TRANSIT_S, answered=False)
            case "unacknowledged":
                cable.carry(data, answered=False)
            case _:
                pass
        if data.startswith(b"G") and self.sent == 1:
            self.at("after the bytes")
        if data.startswith(b"S") and self.sent:
            self.stops += 1
            if self.lives == 1 and self.stops == 1:
                self.soon(1.0, "in the quiet time", 1)
                self.soon(1.0, "while away", 1)
                self.at("stop sent")
            if self.lives == 2:
                self.soon(1.0, "in the second fence", 2)

    def hears(self, data: bytes) -> None:
        if data == b"Q A\n":
            self.at(ALARM_READ)

    # --- lives

    async def play(self) -> End:
        loop = asyncio.get_running_loop()
        end = loop.time() + LIMIT_S
        while not self.outcome and loop.time() < end:
            await self.life(end - loop.time())
            if self.dead.is_set():
                await asyncio.sleep(self.case.away_s / 2)
                self.at("while away")
                await asyncio.sleep(self.case.away_s / 2)
        await asyncio.sleep(2 * LATE_S)  # what is still on its way arrives
        self.pump.advance(loop.time())
        ledger = self.open()
        rows = tuple(Intent.of(row) for row in ledger.doses())
        ledger.close()
        return End(self.outcome, self.pump.truth_ml, rows, self.lives)

    def open(self) -> Ledger:
        clock = Clock.of_bench("UTC", 1)
        return Ledger.open(self.folder, clock, before_commit=self.before_commit, after_commit=self.after_commit)

    async def life(self, limit_s: float) -> None:
        """One process, from its start to its death or to the end of the dose."""
        self.lives += 1
        self.commits, self.dead = -1, asyncio.Event()
        ledger = self.open()
        self.cable = Cable(self.pump, self.sends, self.hears)
        working = asyncio.ensure_future(self.work(ledger, self.cable))
        dying = asyncio.ensure_future(self.dead.wait())
        await asyncio.wait({working, dying}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, dying):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.cable.die()
        ledger.close()

    async def work(self, ledger: Ledger, cable: Cable) -> None:
        clock, latest = Clock.of_bench("UTC", 1), Latest()
        await ledger.new_epoch(1)
        bench = OnePump(cable, latest, self.case, self.quiet_s)
        keeping = asyncio.ensure_future(bench.keep())
        try:
            await bench.settled()
            transfers = Transfers(bench, latest, ledger, clock, self.kind(ledger, clock, lambda: None))
            while True:
                result = await transfers.perform(Site(RUN, UNIT, START), WANTED, asyncio.Event())
                assert result is not None
                if result.outcome != "refused":
                    break
                await asyncio.sleep(HELD_S)
            self.outcome = result.outcome
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


def template(folder: Path) -> Path:
    """A data folder with one run in its ledger, to be copied."""

    async def made() -> None:
        ledger = Ledger.open(folder, Clock.of_bench("UTC", 1), installation="proof")
        row = {"run_id": RUN, "created_at": START}
        await ledger.commit([Insert("runs", row)], [AuditEntry("run.created", "run", RUN, "tester")])
        ledger.close()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
        runner.run(made())
    return folder


def play(
    case: Case, made: Path, folder: Path, kind: type[Doses] = Doses, quiet_s: float = ProofPump.fence_quiet_s
) -> End:
    """Play one case in virtual time, in a copy of the data folder `made`."""
    shutil.copytree(made, folder)

    async def played() -> End:
        return await World(case, folder, kind, quiet_s).play()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
        end = runner.run(played())
    shutil.rmtree(folder)
    return end
