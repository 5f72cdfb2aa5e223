"""What befalls a device at one moment, at every model that can have it: counters, motor, panel, memory, number."""

from __future__ import annotations

import asyncio

import pytest

from drivers.catalogue import MODELS
from drivers.core.errors import Refused, WireError
from drivers.core.fluid import Direction, FluidMover, Motion
from drivers.core.signals import Quality
from simulators import catalogue
from simulators.bench import next_serial
from simulators.core.faults import parse
from simulators.core.faults.strokes import strike
from tests.devices.rig import Rig, dose

pytestmark = pytest.mark.req("SIM-04")


def having(method: str) -> list[str]:
    """Models whose simulator can have it."""
    return [model for model in MODELS if hasattr(Rig.of(model, _options(model)).simulator, method)]


def _options(model: str) -> dict[str, float | str]:
    try:
        return dict(dose(model).options)
    except KeyError:
        return {}


async def ready(model: str) -> Rig:
    rig = Rig.of(model, _options(model))
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


async def hit(rig: Rig, text: str) -> None:
    rig.fault(text)
    rig.host.act([])
    await asyncio.sleep(0.01)


async def given(rig: Rig, model: str) -> float:
    """One whole dose of this model, mL."""
    pump, asked = rig.driver, dose(model)
    assert isinstance(pump, FluidMover)
    await pump.start(Direction.DELIVER, asked.volume_ml, asked.rate_ml_min)
    for _ in range(400):
        await asyncio.sleep(5.0)
        if (await pump.status()).motion is not Motion.MOVING:
            break
    return asked.volume_ml


def doses(model: str) -> bool:
    try:
        return bool(dose(model))
    except KeyError:
        return False


@pytest.mark.parametrize("model", [model for model in having("reset_totals") if doses(model)])
async def test_counters_that_are_back_at_zero_are_read_as_zero(model: str):
    rig = await ready(model)
    pump = rig.driver
    assert isinstance(pump, FluidMover)
    ml = await given(rig, model)
    try:
        before = (await pump.totals()).delivered_ml
    except Refused:
        pytest.skip("its driver reads no counter")
    moved = rig.moved_ml()
    assert before == pytest.approx(ml, rel=0.05)
    await hit(rig, "totalizer-reset")
    assert (await pump.totals()).delivered_ml < 0.05 * ml + 1e-9
    assert rig.moved_ml() == moved == pytest.approx(ml, rel=0.05)
    await rig.put_away()


@pytest.mark.parametrize("model", [model for model in having("near_roll_over") if doses(model)])
async def test_a_dose_across_the_end_of_a_counter_is_counted_whole_or_refused(model: str):
    rig = await ready(model)
    pump = rig.driver
    assert isinstance(pump, FluidMover)
    await hit(rig, f"roll-over:ml={dose(model).volume_ml / 2}")
    before = (await pump.totals()).delivered_ml
    try:
        ml = await given(rig, model)
        after = (await pump.totals()).delivered_ml
    except Refused:
        assert rig.moved_ml() == 0.0
        return
    assert rig.moved_ml() == pytest.approx(ml, rel=0.05)
    assert pump.alarms_met or after - before == pytest.approx(ml, rel=0.1, abs=1.1), "gone down, it says so"
    await rig.put_away()


@pytest.mark.parametrize("model", [model for model in having("stall") if doses(model)])
async def test_a_motor_that_stalls_is_told_and_moves_no_further(model: str):
    rig = await ready(model)
    pump, asked = rig.driver, dose(model)
    assert isinstance(pump, FluidMover)
    way = Direction.DRAW if Direction.DRAW in asked.directions else Direction.DELIVER
    await pump.start(way, asked.volume_ml, asked.rate_ml_min)
    met = pump.alarms_met
    await asyncio.sleep(asked.volume_ml / asked.rate_ml_min * 60 / 2)
    await hit(rig, "stall")
    await asyncio.sleep(30.0)
    assert (await pump.status()).motion is Motion.ALARM
    assert pump.alarms_met > met
    assert 0.0 < rig.moved_ml() < 0.9 * asked.volume_ml
    await rig.put_away()


PANEL = {"cel": 31.0, "co2": 4.0, "o2": 15.0, "rpm": 120.0, "ml_min": 12.0}


@pytest.mark.parametrize("model", having("set_at_panel"))
async def test_what_somebody_sets_at_the_panel_is_read_over_the_wire(model: str):
    rig = await ready(model)
    for what in rig.simulator.panel:
        before = await everything(rig)
        await hit(rig, f"panel-change:{what}={PANEL[what]}")
        await asyncio.sleep(3.0)
        after = await everything(rig)
        changed = {name for name in after if before.get(name) != after[name]}
        assert any(isinstance(after[name], float) and abs(after[name] - PANEL[what]) < 0.2 for name in changed), (
            what, changed,
        )  # fmt: skip
    await rig.put_away()


async def everything(rig: Rig) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in rig.driver.specs():
        try:
            reading = await rig.driver.read(name)
        except (WireError, NotImplementedError, KeyError):
            continue
        if reading.quality is Quality.GOOD:
            found[name] = reading.value
    return found


@pytest.mark.parametrize("model", MODELS)
def test_another_one_of_its_kind_can_be_built_and_has_another_serial_number_if_it_has_any(model: str):
    entry = catalogue.entry(model)
    rig = Rig.of(model, _options(model))
    asked: list[bool] = []

    def rebuild(other: bool):
        asked.append(other)
        return catalogue.build(model, rig.place, address=entry.address)

    for name in ("replaced", "factory-defaults"):
        found, _ = strike(parse(name), rig.simulator, rebuild, 0.0)
        assert found is not rig.simulator and type(found) is type(rig.simulator)
    assert asked == [True, False]


@pytest.mark.parametrize(("serial", "other"), [("F225.0042", "F225.0043"), ("B9", "B0"), ("M62A", "M63A"), ("X", "X")])
def test_the_next_serial_number_has_the_same_shape(serial: str, other: str):
    assert next_serial(serial) == other
