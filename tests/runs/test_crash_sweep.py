"""The controller killed at every durable boundary of one exchange, one set-point change, one hold, one hand step.

Judged by the plant's truth: no dose given twice, none lost unnoticed; the run goes on by rule or holds with a question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from protocols import machine
from protocols.states import Cause
from tests.runs.lab import TESTER, Lab
from tests.runs.scene import Scene, staged

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("crash sweep"),
    pytest.mark.req("DX-03", "DX-10", "DS-01", "DS-03", "DS-04", "INV-01", "INV-02", "INV-03", "INV-24", "SM-08"),
]

FIRST, EXCHANGE = "culture/exchange/1", "culture/exchange/2"
"""The counters of both pumps stand at zero before the first exchange, and above zero before the second (DS-06)."""
WARMER = "culture/warmer"
SET = "culture/warmer/1/set"
LOOK = "culture/look/1/hand"
SMALL = {"fill volume": "5 mL", "withdraw at most": "10.5 mL"}

Act = Callable[[Lab], Awaitable[None]]
Done = Callable[[Lab], bool]


def finished(lab: Lab, prefix: str) -> bool:
    run = lab.engine.run
    return any(p.startswith(prefix) for p in run.finished) and not any(p.startswith(prefix) for p in run.active)


def scene_before(path: str, folder: Path, early_s: float) -> Scene:
    """The compressed protocol `early_s` before the due time of `path`, the controller just killed."""

    async def act() -> Scene:
        lab = Lab(folder / "first")
        await lab.up()
        engine = await lab.start(sets=SMALL)
        due = next(node.due for node in engine.plan.nodes.values() if node.path.startswith(path) and node.due)
        assert await lab.until(lambda: lab.truth()["at"] > due - early_s, step_s=5.0)
        return await Scene.take(lab, folder / "kept")

    return staged(act)


@pytest.fixture(scope="module")
def before_exchange(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene_before(EXCHANGE, tmp_path_factory.mktemp("exchange"), 60.0)


@pytest.fixture(scope="module")
def before_first(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene_before(FIRST, tmp_path_factory.mktemp("first"), 60.0)


@pytest.fixture(scope="module")
def before_warmer(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene_before(WARMER, tmp_path_factory.mktemp("warmer"), 30.0)


def check(lab: Lab) -> str:
    """What must hold after any death; the state the run is in."""
    assert lab.judge() == []
    with lab.reader() as ledger:
        assert ledger.outages(), "a death without an outage record"
    state = str(lab.engine.run.state)
    if state == "HELD":
        assert machine.open_questions(lab.engine.run) or lab.engine.run.why, "held without a word"
    return state


async def die_and_live(
    lab: Lab, done: Done, act: Act | None, kill_at: int | None = None, kill_in_s: float = 0.0
) -> str:
    """One life to its death at a boundary or a moment, then another to the end of the scene."""
    life = await lab.up(kill_at=kill_at)
    if act is not None and not life.boundary.dead:
        acting = asyncio.get_running_loop().create_task(act(lab))
        await lab.until(lambda: acting.done(), 3 * 3600.0)
        acting.cancel()
    if kill_at is None:
        await lab.until(lambda: False, kill_in_s)
    else:
        await lab.until(lambda: done(lab), 3 * 3600.0)
        assert life.boundary.dead
    await lab.kill()
    await lab.up()
    await lab.until(lambda: done(lab) or lab.engine.ended or lab.engine.run.state == "HELD", 3 * 3600.0, 5.0)
    return check(lab)


def sweep(scene: Scene, tmp_path: Path, done: Done, act: Act | None = None) -> dict[str, int]:
    """Kill at each durable boundary from the scene to `done`, restart, and judge; end states, counted."""

    async def count(lab: Lab) -> int:
        life = await lab.up()
        if act is not None:
            await act(lab)
        assert await lab.until(lambda: done(lab), 3 * 3600.0), lab.engine.run
        return life.boundary.count

    boundaries = scene.play(tmp_path / "count", count)
    ends = {"boundaries": boundaries}
    for at in range(boundaries):
        state = scene.play(tmp_path / str(at), lambda lab, at=at: die_and_live(lab, done, act, kill_at=at))
        ends[state] = ends.get(state, 0) + 1
    print(ends)
    return ends


def test_a_death_at_any_boundary_of_an_exchange_gives_no_dose_twice(before_exchange: Scene, tmp_path: Path) -> None:
    ends = sweep(before_exchange, tmp_path, lambda lab: finished(lab, EXCHANGE))
    assert ends["boundaries"] > 20
    assert ends.get("RUNNING", 0) >= 0.9 * ends["boundaries"]


def test_a_death_at_any_boundary_of_a_set_point_change_ends_at_the_set_point(
    before_warmer: Scene, tmp_path: Path
) -> None:
    def warm(lab: Lab) -> bool:
        reading = lab.controller.latest.get("incubator.temperature_setpoint")
        going = str(lab.engine.run.state) == "RUNNING"  # set points come back before a restarted run goes on
        return going and SET in lab.engine.run.finished and reading.value == 37.5

    ends = sweep(before_warmer, tmp_path, warm)
    assert ends.get("RUNNING", 0) == ends["boundaries"]


def test_a_death_at_any_boundary_of_a_hold_leaves_a_held_or_running_run_and_still_pumps(
    before_exchange: Scene, tmp_path: Path
) -> None:
    async def hold_in_mid_stroke(lab: Lab) -> None:
        runs = lab.controller.runs
        assert runs is not None
        await lab.until(lambda: lab.truth()["waste_liquid_ml"] > 1.0, 1800.0)
        await runs.command(lab.engine.run_id, Cause.HOLD, TESTER, why="a test")

    def done(lab: Lab) -> bool:
        return str(lab.engine.run.state) == "HELD" or finished(lab, EXCHANGE)

    ends = sweep(before_exchange, tmp_path, done, hold_in_mid_stroke)
    assert set(ends) <= {"boundaries", "HELD", "RUNNING"}
    assert ends.get("HELD", 0) >= 1


def test_a_death_at_any_boundary_of_a_hand_step_asks_again_and_takes_one_answer(
    before_warmer: Scene, tmp_path: Path
) -> None:
    ends = sweep(before_warmer, tmp_path, lambda lab: LOOK in lab.engine.run.finished)
    assert ends.get("RUNNING", 0) == ends["boundaries"]


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.campaign)])
def test_deaths_at_random_moments_of_an_exchange(before_exchange: Scene, tmp_path: Path, count: int) -> None:
    chance = Random(20261125)
    ends: dict[str, int] = {}
    for number in range(count):
        moment = chance.uniform(45.0, 450.0)
        state = before_exchange.play(
            tmp_path / str(number),
            lambda lab, moment=moment: die_and_live(lab, lambda lab: finished(lab, EXCHANGE), None, kill_in_s=moment),
        )
        ends[state] = ends.get(state, 0) + 1
    print(ends)
    assert ends.get("RUNNING", 0) >= 0.9 * count


@pytest.mark.req("DS-06")
def test_a_death_in_the_very_first_stroke_of_a_pump_is_a_question_because_zero_proves_nothing(
    before_first: Scene, tmp_path: Path
) -> None:
    async def die(lab: Lab) -> None:
        state = await die_and_live(lab, lambda lab: finished(lab, FIRST), None, kill_in_s=100.0)
        assert state == "HELD"
        assert "zero" in lab.engine.run.why
        truth = lab.truth()
        assert 0.0 < truth["total_out_ml"] < 5.2, "half a draw, and not another"
        assert truth["waste_delivered_ml"] == 0.0

    before_first.play(tmp_path / "lab", die)
