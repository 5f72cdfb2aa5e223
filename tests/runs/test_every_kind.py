"""Crash-point sweep over every kind of step (SIM-05 c): the controller dies at durable boundaries of each, and in its
own restart (DX-12). One boundary a kind with each run of the tests, all of them in the campaign.

Judged by the invariants, and by the end: every step done, as much moved as without any death.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar, get_args

import pytest

from protocols.plan import Dose, Exchange, Hand, Node, SetEnvironment, Withdraw, Work
from protocols.states import Cause, RunState
from simulators.bench import START
from simulators.core.time import VirtualLoop
from tests.runs.every_kind import EVERY_KIND
from tests.runs.lab import Lab
from tests.runs.seeds import ROOM, TOML, Seed, capped

T = TypeVar("T")

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("every kind"),
    pytest.mark.req(
        "SIM-05", "DX-03", "DX-10", "DS-01", "DS-04", "INV-01", "INV-02", "INV-07", "INV-13", "INV-14", "INV-15",
        "INV-24", "INV-33",
    ),
]  # fmt: skip
KINDS = (
    "SetEnvironment", "ramp", "WaitUntil", "Pause", "Hand", "sample", "prime", "rinse", "fill", "dose",
    "Withdraw to level", "Withdraw", "Exchange withdraw", "Exchange fill", "if", "repeat", "together", "hold", "alarm",
)  # fmt: skip

SILENT = ("silence@ph_probe:after_s=1500:for_s=900",)
"""A probe that no dose needs: it raises an alarm and takes it back."""
HOLD_S = 3120.0
"""After the start: in the first exchange."""
LIMIT_S = 6 * 3600.0


def kind_of(node: Node) -> str:
    """What to call the step; the class of its work where that says it."""
    match node.work:
        case Dose(purpose=purpose):
            return purpose
        case Withdraw(to_level_ml=float()):
            return "Withdraw to level"
        case Hand(sample=str(name)) if name:
            return "sample"
        case None:
            return {"choice": "if", "rounds": "repeat", "parallel": "together"}.get(node.kind, "")
        case SetEnvironment() as work if work.over_s > 0:
            return "ramp"
        case work:
            return type(work).__name__


def kinds_now(lab: Lab) -> frozenset[str]:
    """Every kind of step that is under way at this moment."""
    runs = lab.life.controller.runs if lab.life is not None else None
    if runs is None or not runs.engines:
        return frozenset()
    engine = lab.engine
    found = {kind_of(engine.plan.nodes[path]) for path in engine.run.active}
    found |= {
        f"Exchange {active.part}"
        for path, active in engine.run.active.items()
        if isinstance(engine.plan.nodes[path].work, Exchange)
    }
    if engine.run.state in (RunState.HOLDING, RunState.HELD, RunState.RESTARTING):
        found.add("hold")
    if lab.controller.alarms.open():
        found.add("alarm")
    return frozenset(found)


class Noted(list[float]):
    """Stands in the place of a boundary's log, and notes what was under way at each."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.kinds: list[frozenset[str]] = []

    def append(self, at: float) -> None:
        super().append(at)
        self.kinds.append(kinds_now(self.lab))


class Doomed(Seed):
    """A run of every kind of step whose controllers die at these boundaries of their lives, one after another."""

    def __init__(self, lab: Lab, deaths: Iterable[int | None], first_s: float | None = None) -> None:
        """`first_s`: the first one dies at that time instead."""
        super().__init__(lab, SILENT)
        self.deaths, self.first_s = list(deaths), first_s
        self.noted = Noted(lab)
        self.boundaries: list[int] = []
        """How many each life had."""

    async def next(self) -> None:
        if self.lab.life is not None:
            self.boundaries.append(self.lab.life.boundary.count)
            await self.lab.kill()
        life = self.lab.boot(self.deaths.pop(0) if self.deaths else None)
        if not self.boundaries:
            life.boundary.log = self.noted
        while not life.controller.up.is_set() and not life.boundary.dead:
            await asyncio.sleep(0.5)
        if not life.boundary.dead:
            self.lab.seat(life)

    async def lived(self) -> dict[str, object]:
        """To the end of the run; what it came to."""
        began, held, quiet, starting = self.now, False, 0, None
        await self.next()
        while self.now < began + LIMIT_S:
            await asyncio.sleep(5.0)
            life = self.lab.life
            assert life is not None
            if life.boundary.dead or (self.first_s is not None and self.now >= began + self.first_s):
                self.first_s = None
                if starting is not None:
                    starting.cancel()
                starting = None
                await self.next()
                continue
            if not self.is_up():
                starting = starting or asyncio.ensure_future(self.lab.start(EVERY_KIND))
                continue
            engine = self.lab.engine
            self.plan = engine.plan
            self.look(began)
            if engine.ended:
                break
            if not held and self.now >= began + HOLD_S:
                held = True
                commanding = asyncio.ensure_future(self.command(Cause.HOLD))
                await self.lab.until(commanding.done, 600.0)
                commanding.cancel()
            quiet = quiet + 1 if engine.run.state in (RunState.HELD, RunState.PAUSED) else 0
            if quiet > 6:
                quiet = 0
                answering = asyncio.ensure_future(self.answer())
                await self.lab.until(answering.done, 600.0)
                answering.cancel()
        self.boundaries.append(self.lab.life.boundary.count)  # type: ignore[union-attr]
        await self.judge()
        with self.lab.reader() as ledger:
            rows, outages = ledger.doses(), ledger.outages()
        moved: Counter[str] = Counter()
        for row in rows:
            moved[f"{row.path} {row.part} {row.stroke}"] += row.moved_ml or 0.0  # type: ignore[assignment]
        return {
            "state": str(self.lab.engine.run.state),
            "rules": list(dict.fromkeys(self.rules)),
            "finished": dict(self.lab.engine.run.finished),
            "moved": dict(moved),
            "outages": len(outages),
        }


def played(act: Callable[[Lab], Awaitable[T]]) -> T:
    async def acted(folder: Path) -> T:
        lab = Lab(folder, seed=3, faults=SILENT, toml=TOML, noise=False)
        capped(lab)
        try:
            return await act(lab)
        finally:
            await lab.close()

    with (
        TemporaryDirectory(prefix="osteon-kinds-", dir=ROOM) as folder,
        asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner,
    ):
        return runner.run(acted(Path(folder) / "data"))


def end_of(deaths: Iterable[int | None], first_s: float | None = None) -> dict[str, object]:
    return played(lambda lab: Doomed(lab, deaths, first_s).lived())


@pytest.fixture(scope="module")
def boundaries() -> list[frozenset[str]]:
    """What was under way at each durable boundary of a life without death."""

    async def count(lab: Lab) -> list[frozenset[str]]:
        one = Doomed(lab, ())
        end = await one.lived()
        assert (end["state"], end["rules"]) == ("COMPLETE", []), end
        return one.noted.kinds

    return played(count)


def check(end: dict[str, object], deaths: int) -> None:
    assert (end["state"], end["rules"]) == ("COMPLETE", []), end
    assert end["outages"] == deaths, "a death without an outage record"
    finished = end["finished"]
    assert isinstance(finished, dict)
    assert {str(how) for how in finished.values()} <= {"done", "done late", "partial", "skipped by rule"}, finished


def sweep(boundaries: list[frozenset[str]], kind: str, many: int | None) -> None:
    places = [n for n, kinds in enumerate(boundaries) if kind in kinds]
    assert places, f"no durable boundary while {kind} is under way"
    step = max(1, len(places) // many) if many else 1
    chosen = places[step // 2 :: step][:many]
    for place in chosen:
        check(end_of([place]), 1)
    print(f"{kind}: {len(chosen)} deaths at {len(places)} boundaries")


def test_the_table_names_every_kind_of_work() -> None:
    """A new kind of work or node without a sweep fails here."""
    known = {word for kind in KINDS for word in kind.split()} | {"Dose"}
    assert {kind.__name__ for kind in get_args(Work)} <= known


def test_the_protocol_comes_to_every_kind_of_the_table(boundaries: list[frozenset[str]]) -> None:
    assert set(KINDS) <= set[str]().union(*boundaries)
    print(f"{len(boundaries)} boundaries")


@pytest.mark.parametrize("kind", KINDS)
def test_a_death_at_a_boundary_of_each_kind_changes_nothing(boundaries: list[frozenset[str]], kind: str) -> None:
    sweep(boundaries, kind, 1)


@pytest.mark.campaign
def test_a_death_at_every_boundary_of_a_run_of_every_kind_changes_nothing(boundaries: list[frozenset[str]]) -> None:
    for place in range(len(boundaries)):
        check(end_of([place]), 1 if place else 0)  # before the first commit of all nobody ever ran here
    print(f"{len(boundaries)} deaths")


# --- the restart itself


IN_STROKE_S = 3090.0


async def restart_boundaries(lab: Lab) -> int:
    """Durable boundaries of the restart after a death in mid-exchange, until half a minute after it is up."""
    one = Doomed(lab, (), IN_STROKE_S)
    await one.next()
    starting = asyncio.ensure_future(lab.start(EVERY_KIND))
    await asyncio.sleep(IN_STROKE_S)
    starting.cancel()
    assert "Exchange withdraw" in kinds_now(lab)
    await one.next()
    await asyncio.sleep(30.0)
    assert lab.life is not None
    return lab.life.boundary.count


@pytest.mark.req("DX-12")
@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.campaign)])
def test_a_death_in_the_restart_leads_to_the_same_end_as_none(every: int) -> None:
    boundaries = played(restart_boundaries)
    assert boundaries >= 8
    plain = end_of((), IN_STROKE_S)
    check(plain, 1)
    for place in range(0, boundaries, every):
        end = end_of([None, place], IN_STROKE_S)
        check(end, 2 if place > 1 else end["outages"])  # type: ignore[arg-type]
        assert end["finished"] == plain["finished"]
        assert end["moved"] == pytest.approx(plain["moved"], abs=0.15)
    print(f"{len(range(0, boundaries, every))} deaths at {boundaries} boundaries of the restart")
