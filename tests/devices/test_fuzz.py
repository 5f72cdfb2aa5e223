"""Every driver on a spoilt cable: only named errors, no value the device did not send, no fluid twice."""

from __future__ import annotations

import asyncio
import os
from random import Random

import pytest

from drivers.catalogue import MODELS, find
from drivers.core.errors import OsteonError
from drivers.core.fluid import Direction, FluidMover, Motion
from drivers.core.signals import Access, Quality, Value
from tests.devices.rig import Rig, dose

pytestmark = pytest.mark.fuzz

CASES = int(os.environ.get("OSTEON_FUZZ_CASES", "200"))
"""Seeded cases a driver, in blocks; `make campaign` asks for 5,000."""
BLOCKS = 4
KINDS = ("drop", "duplicate", "truncate", "garbage", "hang-up", "delay", "silence", "mute", "deaf", "flip")


def lies(chance: Random, kind: str, checksum: bool, timeout_s: float) -> str:
    """One fault in words. Late means later than the driver waits, and at most twice as late (see Line)."""
    every = chance.randint(1, 4)
    match kind:
        case "delay":
            return f"delay:every={every}:seconds={timeout_s * chance.uniform(0.2, 1.9):.3f}"
        case "garbage":
            return f"garbage:every={every}:least={0 if checksum else 128}"
        case "silence" | "mute" | "deaf":
            return f"{kind}:after_s={chance.uniform(0, 2):.2f}:for_s={chance.uniform(0.1, 10):.2f}"
        case _:
            return f"{kind}:every={every}"


def spoil(rig: Rig[FluidMover] | Rig, seed: int) -> Random:
    """One to three faults; without a check sum no flipped bits: a flipped digit is another number, nobody can tell. So
    is `2` and `25.0` for a device that prints `25.0` in no fixed width: no copy behind what is left of a reply."""
    chance = Random(seed)
    kinds = [kind for kind in KINDS if kind != "flip" or rig.driver.checksum]
    chosen = chance.sample(kinds, chance.randint(1, 3))
    if not rig.driver.shows_cuts and "truncate" in chosen and "duplicate" in chosen:
        chosen.remove("duplicate")
    for kind in chosen:
        rig.fault(lies(chance, kind, rig.driver.checksum, rig.driver.timeout_s), seed)
    return chance


async def values(rig: Rig) -> dict[str, Value]:
    return {name: each.value for name, each in (await rig.driver.poll()).items()}


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("model", MODELS)
async def test_no_value_is_invented_and_no_error_is_nameless(model: str, block: int) -> None:
    for seed in range(block, CASES, BLOCKS):
        rig = Rig.of(model)
        await rig.driver.identify()
        await rig.driver.prepare()
        truth = await values(rig)
        spoil(rig, seed)
        for _ in range(4):
            try:
                readings = await rig.driver.poll()
            except OsteonError as error:
                assert str(error), model
                continue
            for name, each in readings.items():
                if each.quality is Quality.GOOD:
                    assert same(each.value, truth[name]), (model, seed, name, each.value, truth[name])
                else:
                    assert each.value is None or each.why, (model, seed, name)
        try:
            await rig.driver.identify()
            await rig.driver.prepare()
        except OsteonError as error:
            assert str(error)
        await rig.put_away()


def same(one: Value, other: Value) -> bool:
    return one == other or (isinstance(one, float) and isinstance(other, (int, float)) and abs(one - other) < 1e-6)


MOVERS = [model for model in MODELS if issubclass(find(model), FluidMover) and vars(find(model)).get("bounded", True)]


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("model", MOVERS)
async def test_a_dose_on_a_spoilt_cable_moves_at_most_once(model: str, block: int) -> None:
    asked = dose(model)
    for seed in range(block, CASES, BLOCKS):
        rig = Rig.of(model, asked.options)
        assert isinstance(rig.driver, FluidMover)
        await rig.driver.identify()
        await rig.driver.prepare()
        chance = spoil(rig, seed)
        direction = chance.choice(asked.directions)
        try:
            await rig.driver.start(direction, asked.volume_ml, asked.rate_ml_min)
        except OsteonError as error:
            assert str(error)
        await asyncio.sleep(60 * asked.volume_ml / asked.rate_ml_min + 30)
        assert rig.moved_ml() <= asked.volume_ml * 1.02 + 1e-6, (model, seed)
        rig.wire.faults.clear()
        await asyncio.sleep(20)
        await rig.driver.stop()
        assert (await rig.driver.status()).motion in (Motion.STOPPED, Motion.ALARM), (model, seed)
        await rig.put_away()


WRITABLE = [model for model in MODELS if any(spec.access is Access.READ_WRITE for spec in find(model).specs().values())]


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.parametrize("model", WRITABLE)
async def test_a_set_point_written_on_a_spoilt_cable_is_the_old_or_the_new_one(model: str, block: int) -> None:
    names = [name for name, spec in find(model).specs().items() if spec.access is Access.READ_WRITE]
    for seed in range(block, CASES, BLOCKS):
        rig = Rig.of(model)
        await rig.driver.identify()
        await rig.driver.prepare()
        before = await values(rig)
        chance = spoil(rig, seed)
        name = chance.choice(names)
        wanted = another(rig, name, before[name])
        told: Value = None
        try:
            told = (await rig.driver.write(name, wanted)).value
        except OsteonError as error:
            assert str(error)
        rig.wire.faults.clear()
        await asyncio.sleep(60)
        after = (await rig.driver.read(name)).value
        assert same(after, before[name]) or near(after, wanted), (model, seed, name, before[name], wanted, after)
        if told is not None:
            assert near(told, after), (model, seed, name, told, after)
        await rig.put_away()


def another(rig: Rig, name: str, old: Value) -> Value:
    """A legal value that is not the old one."""
    spec = rig.driver.specs()[name]
    if isinstance(old, bool):
        return not old
    if isinstance(old, str):
        return old
    low = spec.low if spec.low is not None else 0.0
    high = spec.high if spec.high is not None else low + 10.0
    middle = low + 0.5 * (high - low)
    new = middle if old is None or abs(middle - old) > 0.05 * (high - low) else low + 0.4 * (high - low)
    return float(round(new)) if high - low >= 4 else new


def near(one: Value, other: Value) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) <= 0.01 * max(1.0, abs(other))
    return one == other


def test_directions_of_a_dose_are_of_the_plunger() -> None:
    assert {Direction.DRAW, Direction.DELIVER} >= {each for model in MOVERS for each in dose(model).directions}
