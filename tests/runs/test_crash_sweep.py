"""The controller killed at every durable boundary of one exchange, one set-point change, one hold, one hand step.

Judged by the plant's truth: no dose given twice, none lost unnoticed; the run goes on by rule or holds with a question.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.runs.lab import TESTER, Lab
from tests.runs.scene import Scene, staged

from protocols import machine
from protocols.states import Cause

pytestmark = [pytest.mark.timeout(300)]

EXCHANGE = "culture/exchange/1"
WARMER = "culture/warmer"
LOOK = "culture/look"


def finished(lab: Lab, prefix: str) -> bool:
    return any(path.startswith(prefix) for path in lab.engine.run.finished) and not begun(lab, prefix)


def begun(lab: Lab, prefix: str) -> bool:
    return any(path.startswith(prefix) for path in lab.engine.run.active)


@pytest.fixture(scope="module")
def before_exchange(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The compressed protocol some minutes before its first exchange, the controller just killed."""
    folder = tmp_path_factory.mktemp("scene")

    async def act() -> Scene:
        lab = Lab(folder / "first")
        await lab.up()
        engine = await lab.start()
        assert await lab.until(lambda: "fill" in engine.run.finished, step_s=30.0)
        due = engine.plan.nodes[EXCHANGE].due
        assert due is not None
        assert await lab.until(lambda: lab.truth()["at"] > due - 120.0, step_s=5.0)
        return await Scene.take(lab, folder / "kept")

    return staged(act)


async def live_through(lab: Lab, done: Callable[[Lab], bool]) -> str:
    """Restart after a death until the scene's act is over, the run holds, or it ended."""
    await lab.up()
    await lab.until(lambda: done(lab) or lab.engine.ended or lab.engine.run.state == "HELD", 3 * 3600.0, 5.0)
    return str(lab.engine.run.state)


def check(lab: Lab, deaths: int) -> None:
    """What must hold after any death."""
    assert lab.judge() == []
    with lab.reader() as ledger:
        assert len(ledger.outages()) >= deaths
        run = ledger.runs()[0]
    if run.state == "HELD":
        questions = machine.open_questions(lab.engine.run)
        assert questions or lab.engine.run.why, "held without a word"


def sweep(scene: Scene, tmp_path: Path, done: Callable[[Lab], bool], act=None) -> tuple[int, dict[str, int]]:
    """Kill at each boundary from the scene to `done`, restart, and judge; number of boundaries, and end states."""

    async def count(lab: Lab) -> int:
        life = await lab.up()
        if act is not None:
            await act(lab)
        assert await lab.until(lambda: done(lab), 3 * 3600.0), lab.engine.run
        return life.boundary.count

    boundaries = scene.play(tmp_path / "count", count)
    ends: dict[str, int] = {}
    for at in range(boundaries):

        async def die_and_live(lab: Lab, at: int = at) -> str:
            await lab.up(kill_at=at)
            if act is not None and not lab.life.boundary.dead:
                await act(lab)
            await lab.until(lambda: done(lab), 3 * 3600.0)
            assert lab.life.boundary.dead
            await lab.kill()
            state = await live_through(lab, done)
            check(lab, deaths=1)
            return state

        state = scene.play(tmp_path / str(at), die_and_live)
        ends[state] = ends.get(state, 0) + 1
    return boundaries, ends


@pytest.mark.req("DX-03", "DX-10", "DX-12", "DS-01", "DS-03", "DS-04", "INV-01", "INV-02", "INV-03", "INV-24")
def test_a_death_at_any_boundary_of_an_exchange_gives_no_dose_twice(before_exchange: Scene, tmp_path: Path) -> None:
    boundaries, ends = sweep(before_exchange, tmp_path, lambda lab: finished(lab, EXCHANGE))
    print(f"exchange: {boundaries} boundaries, {ends}")
    assert boundaries > 16
    assert set(ends) <= {"RUNNING", "COMPLETE", "HELD"}
    assert ends.get("RUNNING", 0) >= 0.8 * boundaries
