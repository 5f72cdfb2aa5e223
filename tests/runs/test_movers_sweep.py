"""The controller killed at durable boundaries of one exchange, for every pump whose counters can prove what it moved.

As test_crash_sweep does for the pump of the demo bench: no dose twice, none lost unnoticed; what is honestly unknown is
a question to a person. A few boundaries a pump here, all of them in the campaign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from zlib import crc32

import pytest

from drivers.catalogue import find
from drivers.core.fluid import Direction, FluidMover
from protocols import machine
from tests.runs import movers
from tests.runs.lab import Lab
from tests.runs.scene import Scene, staged
from tests.runs.test_crash_sweep import EXCHANGE, SMALL, finished

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.req("DX-03", "DX-10", "DS-01", "DS-03", "DS-04", "DS-06", "INV-01", "INV-02", "INV-03"),
]
MODELS = [model for model in movers.bounded() if model != "new_era_ne1000"]
FEW = 2
"""Boundaries a pump in the suite."""
DEAF = frozenset({"tecan_cavro_xcalibur", "tecan_cavro_xcalibur_dt", "tecan_cavro_xlp6000", "tecan_cavro_xp3000"})
"""Their account is the driver's, not the pump's: a stroke cut short by our death is a question (see `continuity`)."""


def scene_of(model: str, folder: Path) -> Scene:
    """A minute before the second exchange, the controller just killed: counters stand above zero (DS-06)."""

    async def act() -> Scene:
        lab = Lab(folder / "first", toml=movers.bench(model), noise=False)
        await lab.up()
        engine = await lab.start(sets=SMALL)
        due = next(node.due for node in engine.plan.nodes.values() if node.path.startswith(EXCHANGE) and node.due)
        assert await lab.until(lambda: lab.truth()["at"] > due - 60.0, step_s=5.0), lab.engine.run
        assert lab.engine.run.state == "RUNNING", lab.engine.run.why
        return await Scene.take(lab, folder / "kept")

    return staged(act)


def done(lab: Lab) -> bool:
    return finished(lab, EXCHANGE)


async def count(lab: Lab) -> int:
    """Durable boundaries from the scene to the end of the exchange."""
    life = await lab.up()
    assert await lab.until(lambda: done(lab), 3 * 3600.0), lab.engine.run
    assert judge(lab) == []
    return life.boundary.count


async def die_at(lab: Lab, boundary: int) -> str:
    """Killed at one boundary, then as `live_on`."""
    life = await lab.up(kill_at=boundary)
    await lab.until(lambda: done(lab), 3 * 3600.0)
    assert life.boundary.dead
    return await live_on(lab)


async def die_in(lab: Lab, seconds: float) -> str:
    """Killed so many seconds after the start, as a rule in mid-stroke, then as `live_on`."""
    await lab.up()
    await lab.until(lambda: False, seconds)
    return await live_on(lab)


async def live_on(lab: Lab) -> str:
    """Dead, started again, played to the end or to a question; the state it came to."""
    await lab.kill()
    await lab.up()
    await lab.until(lambda: done(lab) or lab.engine.ended or lab.engine.run.state == "HELD", 3 * 3600.0, 5.0)
    assert judge(lab) == []
    run = lab.engine.run
    if run.state == "HELD":
        assert machine.open_questions(run) or "not confirmed" in run.why, run.why
    return str(run.state)


def judge(lab: Lab) -> list[str]:
    """Plunger or hose motion by the truth against the ledger, of each pump and way; empty = they agree."""
    truth, found = lab.truth(), list[str]()
    with lab.reader() as ledger:
        rows = ledger.doses()
    for path, pump in (("medium in", "fill"), ("medium out", "waste")):
        mine = [row for row in rows if row.fluid_path == path]
        for stroke in Direction:
            strokes = [row for row in mine if row.stroke == stroke]
            sure = sum(row.moved_ml or 0.0 for row in strokes)
            doubt = sum(row.target_ml or 0.0 for row in strokes if row.moved_ml is None)
            true_ml = moved(lab, truth, path, pump, stroke)
            slack = 0.01 * sure + 0.06 * len(strokes)
            least = 0.0 if true_ml is None or air_too(lab, path, stroke) else sure - slack
            if true_ml is not None and not least <= true_ml <= sure + doubt + slack:
                found.append(f"{path} {stroke}: ledger {sure:.2f} (+ {doubt:.2f} in doubt) mL, truth {true_ml:.2f} mL")
    if truth["overflow"]:
        found.append("the vessel ran over")
    return found


def through(lab: Lab, path: str) -> bool:
    device = lab.settings.units[0].paths[path].pump
    kind = find(next(each.model for each in lab.settings.devices if each.name == device))
    assert issubclass(kind, FluidMover)
    return kind.through


def moved(lab: Lab, truth: dict[str, float | bool], path: str, pump: str, stroke: Direction) -> float | None:
    """What truly moved one way; None where this pump has no such way."""
    if through(lab, path):
        return float(truth[f"{pump}_hose_ml"]) if stroke is Direction.DELIVER else None
    return float(truth[f"{pump}_{'drawn' if stroke is Direction.DRAW else 'delivered'}_ml"])


def air_too(lab: Lab, path: str, stroke: Direction) -> bool:
    """The waste syringe also moves air, which the truth of a syringe does not count."""
    return path == "medium out" and not through(lab, path)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Scene, int]]:
    """The scene of a model and how many boundaries follow it, made on first use."""
    made: dict[str, tuple[Scene, int]] = {}

    def scene(model: str) -> tuple[Scene, int]:
        if model not in made:
            folder = tmp_path_factory.mktemp(model)
            taken = scene_of(model, folder)
            made[model] = taken, taken.play(folder / "count", count)
        return made[model]

    return scene


def sweep(scenes: Callable[[str], tuple[Scene, int]], model: str, folder: Path, many: int | None) -> Counter[str]:
    """End states of deaths at `many` boundaries spread over the exchange, or at each; which ones is the model's own."""
    scene, boundaries = scenes(model)
    assert boundaries > 20
    step = max(1, boundaries // many) if many else 1
    first = crc32(model.encode()) % step
    ends: Counter[str] = Counter()
    for at in range(first, boundaries, step):
        ends[scene.play(folder / str(at), lambda lab, at=at: die_at(lab, at))] += 1
    print(model, boundaries, dict(ends))
    return ends


@pytest.mark.parametrize("model", MODELS)
def test_a_death_in_an_exchange_gives_no_dose_twice(
    scenes: Callable[[str], tuple[Scene, int]], tmp_path: Path, model: str
) -> None:
    """At a few boundaries, and twice in mid-stroke as a rule."""
    ends = sweep(scenes, model, tmp_path / "boundaries", FEW) + at_moments(scenes, model, tmp_path / "moments", 2)
    assert set(ends) <= {"RUNNING", "HELD"}


def at_moments(scenes: Callable[[str], tuple[Scene, int]], model: str, folder: Path, many: int) -> Counter[str]:
    """End states of deaths at random moments of the exchange; which ones is the model's own."""
    scene, _ = scenes(model)
    chance = Random(crc32(model.encode()))
    ends: Counter[str] = Counter()
    for number in range(many):
        moment = chance.uniform(65.0, 380.0)
        ends[scene.play(folder / str(number), lambda lab, moment=moment: die_in(lab, moment))] += 1
    print(model, dict(ends))
    return ends


@pytest.mark.campaign
@pytest.mark.parametrize("model", MODELS)
def test_deaths_at_random_moments_of_an_exchange(
    scenes: Callable[[str], tuple[Scene, int]], tmp_path: Path, model: str
) -> None:
    ends = at_moments(scenes, model, tmp_path, 40)
    assert set(ends) <= {"RUNNING", "HELD"}
    if model not in DEAF:
        assert ends["RUNNING"] >= 0.9 * sum(ends.values())


@pytest.mark.campaign
@pytest.mark.parametrize("model", MODELS)
def test_a_death_at_any_boundary_of_an_exchange_gives_no_dose_twice(
    scenes: Callable[[str], tuple[Scene, int]], tmp_path: Path, model: str
) -> None:
    ends = sweep(scenes, model, tmp_path, None)
    assert set(ends) <= {"RUNNING", "HELD"}
    if model not in DEAF:
        assert ends["RUNNING"] >= 0.9 * sum(ends.values())


def test_every_pump_that_bounds_a_dose_also_counts_it() -> None:
    """A pump without any counter must be taken out of the sweep by name, not by accident."""
    assert [model for model in movers.bounded() if not movers.counts(model)] == []
