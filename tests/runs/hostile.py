"""Hostile schedules from a seed: wire faults, power losses, kills and people at random moments of exchanges."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from controller.run.intents import Intent
from controller.settings import Settings
from controller.store.verify import verify
from drivers.core.errors import OsteonError
from drivers.core.fluid import Direction
from protocols.states import Cause
from tests.runs.lab import TESTER, Lab

POLL_S = 30.0
LONGEST_S = 3 * 3600.0
NEVER_CLOSER_S = 720.0
"""`min_interval` of the compressed protocol's exchanges."""
NOISES = ("silence", "deaf", "mute", "drop", "delay", "flip", "truncate", "duplicate", "garbage")
TARGETS = ("pump_in", "pump_out", "balance", "incubator")
COMMANDS = (Cause.HOLD, Cause.HOLD, Cause.RESTART, Cause.PAUSE, Cause.RESUME)


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that goes wrong or is done, `at` seconds after the scene begins."""

    at: float
    act: str
    what: str = ""
    seconds: float = 0.0


def schedule(seed: int) -> list[Blow]:
    """What happens, in order of time; the exchange of the scene is under way from about 45 to 450 s."""
    chance = Random(seed)
    found: list[Blow] = []
    for _ in range(chance.randint(1, 5)):
        at = chance.uniform(30.0, 600.0)
        match chance.choices(("noise", "power", "kill", "command", "both", "end"), (5, 3, 3, 4, 2, 0.3))[0]:
            case "noise":
                found.append(Blow(at, "noise", noise(chance)))
            case "power":
                found.append(Blow(at, "power", chance.choice(TARGETS[:2])))
            case "kill":
                found.append(Blow(at, "kill", seconds=chance.choice((0.0, 2.0, 30.0, 300.0, 2000.0))))
            case "both":  # the news of a power loss is lost with the noise around it
                pump = chance.choice(TARGETS[:2])
                found.append(Blow(at, "noise", f"{chance.choice(NOISES)}@{pump}:for_s={chance.uniform(0.5, 6.0):.2f}"))
                found.append(Blow(at + chance.uniform(0.0, 3.0), "power", pump))
            case "end":
                found.append(Blow(at, "end", chance.choice((Cause.STOP, Cause.ABORT))))
            case _:
                for _ in range(chance.randint(1, 4)):
                    found.append(Blow(at, "command", chance.choice(COMMANDS)))
                    at += chance.choice((0.0, 0.3, 2.0, 20.0))
    return sorted(found, key=lambda each: each.at)


def noise(chance: Random) -> str:
    name = chance.choice(NOISES)
    more = {"for_s": f"{chance.choice((1.0, 3.0, 10.0, 40.0, 200.0)):g}"}
    if name not in ("silence", "deaf", "mute"):
        more["every"] = str(chance.randint(1, 4))
    if name == "delay":
        more["seconds"] = f"{chance.uniform(0.3, 8.0):.2f}"
    return f"{name}@{chance.choice(TARGETS)}:" + ":".join(f"{key}={value}" for key, value in more.items())


class Play:
    """One schedule against one lab; `faults` are the safety rules it saw broken."""

    def __init__(self, lab: Lab, seed: int, last: str) -> None:
        self.lab, self.last, self.chance = lab, last, Random(f"people {seed}")
        self.faults: list[str] = []
        self.held: list[tuple[float, dict[str, float]]] = []
        """(bench time, mL in each syringe) once a second: what a person who looks at the syringes can tell."""
        self.ended = False

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def play(self, blows: list[Blow]) -> None:
        self.lab.settings = coarse(self.lab)
        await self.lab.up()
        looking = asyncio.get_running_loop().create_task(self.look())
        began = self.now
        for blow in blows:
            await asyncio.sleep(max(0.0, began + blow.at - self.now))
            await self.suffer(blow)
        self.lab.bench.clear_faults()
        await self.come_to_rest()
        looking.cancel()
        await self.judge()

    async def suffer(self, blow: Blow) -> None:
        match blow.act:
            case "noise":
                self.lab.bench.inject(blow.what, self.now)
            case "power":
                self.lab.bench.power_cycle(blow.what, self.now)
            case "kill":
                await self.lab.kill()
                await asyncio.sleep(blow.seconds)
                self.lab.boot()
            case _:
                if self.lab.controller.runs is not None and self.lab.controller.runs.engines:
                    self.ended = self.ended or blow.act == "end"
                    asyncio.get_running_loop().create_task(self.command(Cause(blow.what)))

    async def command(self, cause: Cause) -> None:
        engine = self.lab.engine
        with suppress(OsteonError):
            await self.lab.controller.runs.command(engine.run_id, cause, TESTER)

    async def look(self) -> None:
        """Once a second: how full the syringes are; a held run moves nothing."""
        quiet = 0.0
        while True:
            truth = self.lab.truth()
            full = {
                part: float(truth[f"{part}_liquid_ml"]) + float(truth[f"{part}_air_ml"]) for part in ("fill", "waste")
            }
            moved = bool(self.held) and any(abs(full[part] - self.held[-1][1][part]) > 1e-6 for part in full)
            self.held.append((self.now, full))
            runs = self.lab.controller.runs
            rests = runs is not None and runs.engines and str(self.lab.engine.run.state) in ("HELD", "PAUSED")
            quiet = quiet + 1.0 if rests else 0.0
            if moved and quiet > 3.0 and not self.lab.life.boundary.dead:
                self.faults.append(f"a syringe moved while the run was {self.lab.engine.run.state} for {quiet:.0f} s")
            await asyncio.sleep(1.0)

    def full_at(self, at: float, part: str) -> float:
        return min(self.held, key=lambda each: abs(each[0] - at))[1][part]

    async def come_to_rest(self) -> None:
        """A person decides what is open, truly, and restarts, until the scene is over."""
        end = self.now + LONGEST_S
        while self.now < end:
            await asyncio.sleep(20.0)
            if self.lab.life.task.done():
                self.lab.life.task.result()
                self.faults.append("the controller ended")
                return
            if not self.lab.controller.up.is_set():
                continue
            engine = self.lab.engine
            if engine.ended or self.ended:
                await asyncio.sleep(180.0)
                return
            if self.last in engine.run.finished:
                return
            if str(engine.run.state) == "PAUSED":
                await self.command(Cause.RESUME)
            if str(engine.run.state) == "HELD":
                await asyncio.sleep(60.0)
                await self.decide()
        self.faults.append(f"stuck: {engine.run.state} {engine.run.why} {engine.run.active}")

    async def decide(self) -> None:
        engine, runs = self.lab.engine, self.lab.controller.runs
        if not engine.run.why:
            self.faults.append("held without a word")
        for path, active in list(engine.run.active.items()):
            if not active.question:
                continue
            row = next((row for row in rows(self.lab) if row.path == path and row.state == "unknown"), None)
            answer, ml = self.chance.choice(active.options), None
            if row is not None:
                part = "fill" if row.device == "pump_in" else "waste"
                ml = abs(self.full_at(self.now, part) - self.full_at(row.intended_at, part))
                drawn_to_fill = part == "fill" and row.stroke is Direction.DRAW
                answer = "nothing" if ml < 0.05 or drawn_to_fill else "delivered"
                ml = None if ml < 0.05 else round(ml, 2)
            elif answer in ("delivered", "nothing"):
                answer = "skip"
            await runs.decide(engine.run_id, path, answer, TESTER, volume_ml=ml)
        await self.command(Cause.RESTART)

    async def judge(self) -> None:
        lab = self.lab
        self.faults += lab.judge()
        every = rows(lab)
        begun: dict[str, float] = {}
        for row in every:
            if row.part == "withdraw" and row.moved_ml:
                begun.setdefault(row.path, row.intended_at)
        times = sorted(begun.values())
        if any(later - sooner < NEVER_CLOSER_S for sooner, later in pairwise(times)):
            self.faults.append(f"two exchanges too close: {begun}")
        if any(row.open for row in every) and lab.engine.run.state != "RUNNING":
            self.faults.append("a stroke is still open")
        for path in dict.fromkeys(row.path for row in every if row.part == "fill"):
            how = lab.engine.run.finished.get(path, "")
            fill = sum(
                r.moved_ml or 0.0
                for r in every
                if r.path == path and r.part == "fill" and r.stroke is Direction.DELIVER
            )
            if "exchange" in path and how.startswith("done") and abs(fill - 5.0) > 0.3:
                self.faults.append(f"{path} is {how} with {fill} mL filled")
        reading = lab.controller.latest.get("incubator.temperature")
        if reading.quality != "good":
            self.faults.append(f"nobody reads the incubator: {reading}")
        books, truth = lab.engine.volume(), float(lab.truth()["vessel_ml"])
        if not self.ended and truth - books.ml > max(2.0, 5 * books.sigma_ml):  # more than that, and it could run over
            self.faults.append(f"books say {books.ml:.1f} ± {books.sigma_ml:.2f} mL, the vessel holds {truth:.1f} mL")
        if lab.engine.ended is False:
            report = verify(lab.folder)
            if not report.ok:
                self.faults.append(report.text())


def rows(lab: Lab) -> list[Intent]:
    with lab.reader() as ledger:
        return [Intent.of(row) for row in ledger.doses()]


def coarse(lab: Lab) -> Settings:
    """The bench of the lab, polled every half minute: the same acts in less time."""
    devices = tuple(each.model_copy(update={"poll_s": POLL_S}) for each in lab.settings.devices)
    return lab.settings.model_copy(update={"devices": devices})


async def hostile(lab: Lab, seed: int, last: str = "culture/exchange/3") -> list[str]:
    """Play the schedule of `seed` until the exchange `last` is settled; the rules it broke."""
    play = Play(lab, seed, last)
    await play.play(schedule(seed))
    return list(dict.fromkeys(play.faults))
