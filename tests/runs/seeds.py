"""One seed of SIM-05 (a): every kind of step in two hours, with faults, power losses, deaths and people by chance."""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from controller.settings import CapSettings, UnitCaps
from controller.store.verify import verify
from protocols.plan import Exchange
from protocols.states import Cause, RunState
from simulators.attendant import Attendant, command
from simulators.bench import START
from simulators.chance import random_faults
from simulators.core.faults import parse
from simulators.core.time import VirtualLoop
from tests.runs.every_kind import CAP_HOUR_ML, EVERY_KIND
from tests.runs.invariants import Watching, exposure_of, judge
from tests.runs.lab import STIRRED, TESTER, Lab

SPAN_S = 6000.0
"""Faults begin within this time after the start, deaths happen within it."""
PATIENCE_S = 4 * 3600.0
SCAN_S = 15.0
LOOKED_AT_AFTER_S = 60.0
TRIES = 6
"""So often a person restarts a run whose bench is mended; then it needs more than that, such as a device put back."""
COMMANDS = ((Cause.HOLD, Cause.RESTART), (Cause.PAUSE, Cause.RESUME))
KILL, POWER, PERSON = "kill", "power", "person"
LYING = frozenset({
    "stuck-on", "leak", "air", "air-in-line", "worn-tube", "bubble", "check-valve", "check-valve-fill", "pinched",
    "bottle-swapped", "factory-reset", "totalizer-reset", "replaced", "roll-over",
})  # fmt: skip
"""Faults with which more or less flows than any counter tells."""
UNSEEN_ML = 4.5
"""What such a fault may take from a fill before the next withdrawal shows it: 3 x the uncertainty of 72 mL by hand."""
SHM = Path("/dev/shm")
ROOM = SHM if SHM.is_dir() else None
"""Records in memory where the system has such a place: many seeds are not about the disk."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one seed came to."""

    seed: int
    blows: tuple[str, ...]
    state: str
    rules: tuple[str, ...]
    hits: Counter[str] = field(default_factory=Counter[str])
    """What hit which phase."""


def blows_of(seed: int) -> list[str]:
    """The faults of a seed as texts, and among them `kill@at:away`, `power@pump:at`, `person@at:command`."""
    chance = Random(f"{seed} blows")
    found = random_faults(CONFIG, seed, SPAN_S)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        found.append(f"{KILL}@{chance.uniform(5.0, SPAN_S):.1f}:{chance.choice((0.0, 2.0, 30.0, 300.0))}")
    for _ in range(chance.choice((0, 0, 1))):
        found.append(f"{POWER}@{chance.uniform(300.0, SPAN_S):.1f}:{chance.choice(('pump_in', 'pump_out'))}")
    for _ in range(chance.choice((0, 0, 1))):
        found.append(f"{PERSON}@{chance.uniform(300.0, SPAN_S):.1f}:{chance.randrange(len(COMMANDS))}")
    return found


def of_bench(blow: str) -> bool:
    return blow.partition("@")[0] not in (KILL, POWER, PERSON)


class Seed:
    """One life of a bench under the blows of a seed."""

    def __init__(self, lab: Lab, blows: Sequence[str]) -> None:
        self.lab = lab
        self.acts = sorted(
            (float(rest.partition(":")[0]), what, rest.partition(":")[2])
            for what, _, rest in (blow.partition("@") for blow in blows if not of_bench(blow))
        )
        lying = any(parse(blow).name in LYING for blow in blows if of_bench(blow))
        self.unseen_ml = UNSEEN_ML if lying else 0.0
        self.names = [parse(blow) for blow in blows if of_bench(blow)]
        self.attendant = Attendant(lab.bench, TESTER)
        unit = lab.settings.units[0]
        self.watching = Watching(unit.vessel.min_ml, unit.vessel.max_ml, CAP_HOUR_ML)
        self.hits: Counter[str] = Counter()
        self.rules: list[str] = []
        self.given_up = False
        """A person restarted it so often in vain that the bench needs more than that."""

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def live(self) -> str:
        lab = self.lab
        await lab.up()
        engine = await lab.start(EVERY_KIND)
        self.plan = engine.plan
        began, quiet, cleared, tries = self.now, 0.0, False, 0
        while self.now < began + SPAN_S + PATIENCE_S:
            await asyncio.sleep(SCAN_S)
            while self.acts and self.now >= began + self.acts[0][0]:
                await self.suffer(*self.acts.pop(0)[1:])
            if not cleared and self.now >= began + 1.2 * SPAN_S:
                lab.bench.clear_faults(self.now)
                cleared = True
            if not self.is_up():
                continue
            self.look(began)
            engine = lab.engine
            if engine.ended:
                break
            if tries >= TRIES:
                self.given_up = True
                break
            quiet = quiet + SCAN_S if str(engine.run.state) in ("HELD", "PAUSED") else 0.0
            if quiet >= LOOKED_AT_AFTER_S:
                quiet, tries = 0.0, tries + cleared
                if not cleared and not self.acts:
                    lab.bench.clear_faults(self.now)  # who looks mends what is broken
                    cleared = True
                await self.answer()
        await self.judge()
        return str(lab.engine.run.state)

    def is_up(self) -> bool:
        life = self.lab.life
        assert life is not None
        if life.task.done():
            life.task.result()
            self.rules.append("the controller ended")
        return life.controller.up.is_set() and bool(life.controller.runs and life.controller.runs.engines)

    def look(self, began: float) -> None:
        engine = self.lab.engine
        active = engine.run.active
        fluid = next((path for path in active if engine.plan.nodes[path].work is not None), "")
        work = engine.plan.nodes[fluid].work if fluid else None
        exchanging = any(isinstance(engine.plan.nodes[path].work, Exchange) for path in active)
        self.watching.scan(self.now, self.lab.truth(), exchanging, exposure_of(engine.plan))
        phase = f"{type(work).__name__} {active[fluid].part}".strip() if fluid else "between"
        for spec in self.names:
            after, lasts = spec.parameters.get("after_s", 0.0), spec.parameters.get("for_s", SPAN_S)
            if began + after <= self.now <= began + after + lasts:
                self.hits[f"{spec.name} | {phase}"] += 1
        self.phase = phase

    phase = "between"

    async def suffer(self, what: str, how: str) -> None:
        self.hits[f"{what} | {self.phase}"] += 1
        match what:
            case "kill":
                await self.lab.kill()
                await asyncio.sleep(float(how))
                await self.boot()
            case "power":
                self.lab.bench.power_cycle(how, self.now)
            case _:
                for cause in COMMANDS[int(how)]:
                    await self.command(cause)
                    await asyncio.sleep(20.0)

    async def boot(self) -> None:
        """The next life, with a person at work."""
        life = self.lab.boot()
        await self.lab.until(life.controller.up.is_set, 600.0)
        self.lab.seat(life)

    async def command(self, cause: Cause) -> None:
        if self.is_up():
            await command(self.lab.engine, self.lab.controller.runs, cause, TESTER)

    async def answer(self) -> None:
        """A person who looks: tells what is true of an unknown stroke, what was weighed of a doubtful one; restarts."""
        engine, runs = self.lab.engine, self.lab.controller.runs
        if not engine.run.why:
            self.rules.append("INV-26: held without a word")
        with self.lab.reader() as ledger:
            await self.attendant.answer(engine, runs, ledger, self.now)
        await self.command(Cause.RESUME if engine.run.state is RunState.PAUSED else Cause.RESTART)

    async def judge(self) -> None:
        self.rules += self.watching.faults[:3]
        with self.lab.reader() as ledger:
            found = judge(ledger, self.lab.engine.run_id, self.plan, self.lab.throughput(), unseen_ml=self.unseen_ml)
            self.rules += list(found)
        if not (report := verify(self.lab.folder)).ok:
            self.rules.append(report.text())
        self.rules += self.stuck()
        if self.watching.scans < 100 and not self.lab.engine.ended and not self.given_up:
            self.rules.append(f"only {self.watching.scans} scans")

    def stuck(self) -> list[str]:
        """INV-26: not over, nobody has anything to do, and no alarm says why."""
        engine, controller = self.lab.engine, self.lab.controller
        waits = [task["path"] for task in controller.runs.tasks()]
        if engine.ended or waits or (engine.run.why and engine.run.state != "RUNNING" and controller.alarms.open()):
            return []
        return [f"INV-26: stuck: {engine.run.state} {engine.run.why} {list(engine.run.active)}"]


TOML = STIRRED
for shipped, slower in (("poll_s = 10", "poll_s = 120"), ("poll_s = 30", "poll_s = 60"), ("_s = 100", "_s = 200")):
    TOML = TOML.replace(shipped, slower)


CONFIG = tomllib.loads(TOML)


def capped(lab: Lab) -> None:
    unit = lab.settings.units[0]
    caps = UnitCaps(all=CapSettings(hour_ml=CAP_HOUR_ML))
    lab.settings = lab.settings.model_copy(update={"units": (unit.model_copy(update={"caps": caps}),)})


def play(seed: int, blows: Sequence[str] | None = None) -> Seen:
    """One seed, or the same with other blows."""
    blows = blows_of(seed) if blows is None else list(blows)

    async def lived(folder: Path) -> Seen:
        lab = Lab(folder, seed=seed, faults=tuple(filter(of_bench, blows)), toml=TOML, noise=True)
        capped(lab)
        one = Seed(lab, blows)
        try:
            state = await one.live()
        finally:
            await lab.close()
        return Seen(seed, tuple(blows), state, tuple(dict.fromkeys(one.rules)), one.hits)

    with (
        TemporaryDirectory(prefix="osteon-seed-", dir=ROOM) as folder,
        asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner,
    ):
        return runner.run(lived(Path(folder) / "data"))
