"""Teaching an Arc sensor: the sheet's frames, good and worn electrodes, samples, air and zero."""

from __future__ import annotations

import asyncio

import pytest

from drivers.core.errors import OutOfRange, Refused
from drivers.devices.hamilton_arc import HamiltonArcPh, teaching
from drivers.devices.hamilton_arc.words import Level
from simulators.core.surroundings import Liquid
from simulators.devices import hamilton_arc as simulated
from tests.devices.golden import golden
from tests.devices.test_hamilton_arc import Beaker, Rig

TEACHING = golden(
    "hamilton_arc",
    r"""
    Byte-level | M | > 01 10 10 BF 00 04 08 00 0C 00 00 5D EA 01 14 21 07 | < 01 10 10 BF 00 04 F4 EE | level A
    Byte-level | X | > 01 03 10 BF 00 04 71 2D | < 01 03 08 00 0C 00 00 00 00 00 00 59 D7              | read level A
    Byte-level | D | > 01 10 14 29 00 02 04 00 00 40 E0 FE 95 | < 01 10 14 29 00 02 95 F0             | CP1 at pH 7
    Byte-level | M | > 01 03 14 25 00 06 D1 F3 | < 01 03 0C 00 80 00 00 10 00 00 00 51 EC 40 80 DA D7 | CP1 unstable
    Byte-level | M | > 01 10 10 BF 00 04 08 00 03 00 00 00 00 00 00 ED C0 | < 01 10 10 BF 00 04 F4 EE | level U
    Byte-level | X | > 01 03 10 BF 00 04 71 2D | < 01 03 08 00 03 00 00 00 00 00 00 A6 D7              | read level U
    """,
)


def beaker(sensor: simulated.HamiltonArc) -> Beaker:
    place = sensor.immersion
    assert isinstance(place, Beaker)
    return place


async def into(rig: Rig, ph: float = 7.0, do: float = 95.0, cel: float = 25.0) -> None:
    """The probe stands in another liquid for four minutes, and is looked at."""
    beaker(rig.sensor).now_in_it = Liquid(cel, ph, do)
    for _ in range(8):
        await rig.driver.poll()
        await asyncio.sleep(30)


async def test_the_sheets_frames_of_a_calibration_that_fails() -> None:
    async with TEACHING.line() as line:
        with pytest.raises(Refused, match=r"did not take point 1: reading unstable"):
            await HamiltonArcPh(line, 1).calibrate("buffer 1", 7.0)


async def test_a_good_electrode_is_taught_by_two_buffers_and_then_reads_right() -> None:
    rig = Rig(simulated.HamiltonArcPh(Beaker(), 1, options={"raw_gain": -56.0, "raw_intercept": 8.0}))
    await into(rig, 7.0)
    wrong = (await rig.driver.read("ph")).value
    assert wrong != pytest.approx(7.0, abs=0.05)
    first = await rig.driver.calibrate("buffer 1", 7.0)
    assert first["offset_mv"] == pytest.approx(8.0, abs=0.1)
    await into(rig, 4.01)
    second = await rig.driver.calibrate("buffer 2", 4.01)
    assert second["slope_mv_ph"] == pytest.approx(-56.0, abs=0.05)
    assert await rig.driver.calibration() == second
    for ph in (4.01, 7.4, 9.0):
        await into(rig, ph)
        assert (await rig.driver.read("ph")).value == pytest.approx(ph, abs=0.005)
    assert await rig.driver.level() is Level.USER
    assert rig.sensor.state.flash_writes == 2


async def test_a_worn_electrode_is_refused_by_the_sensor_itself_and_keeps_what_it_knew() -> None:
    rig = Rig(simulated.HamiltonArcPh(Beaker(), 1, options={"raw_gain": -45.0}))
    before = await rig.driver.calibration()
    await into(rig, 7.0)
    await rig.driver.calibrate("buffer 1", 7.0)
    await into(rig, 4.01)
    with pytest.raises(Refused, match="offset or slope too low"):
        await rig.driver.calibrate("buffer 2", 4.01)
    assert await rig.driver.calibration() == before
    assert await rig.driver.level() is Level.USER


async def test_buffers_that_are_too_near_hot_or_just_changed_are_refused() -> None:
    rig = Rig(simulated.HamiltonArcPh(Beaker(), 1))
    await into(rig, 7.0)
    await rig.driver.calibrate("buffer 1", 7.0)
    await into(rig, 7.5)
    with pytest.raises(Refused, match="less than 1 pH"):
        await rig.driver.calibrate("buffer 2", 7.5)
    await into(rig, 4.01, cel=60.0)
    with pytest.raises(Refused, match="temperature too high"):
        await rig.driver.calibrate("buffer 2", 4.01)
    beaker(rig.sensor).now_in_it = Liquid(25.0, 9.21, 95.0)
    await asyncio.sleep(10)
    await rig.driver.poll()
    with pytest.raises(Refused, match="reading unstable"):
        await rig.driver.calibrate("buffer 2", 9.21)
    with pytest.raises(OutOfRange):
        await rig.driver.calibrate("buffer 2", 15.0)
    with pytest.raises(Refused, match="needs its reference"):
        await rig.driver.calibrate("buffer 2")
    with pytest.raises(Refused, match="no calibration 'buffer 3'"):
        await rig.driver.calibrate("buffer 3", 7.0)


async def test_zero_finds_the_buffer_by_itself() -> None:
    rig = Rig(simulated.HamiltonArcPh(Beaker(), 1, options={"raw_intercept": 10.0}))
    await into(rig, 4.01)
    await teaching.teach(rig.driver, 1, 0.0)
    assert (await rig.driver.calibration())["offset_mv"] == pytest.approx(10.0, abs=0.1)
    await into(rig, 12.5)
    with pytest.raises(Refused, match="no buffer"):
        await teaching.teach(rig.driver, 1, 0.0)


async def test_one_sample_shifts_the_reading_and_can_be_taken_back() -> None:
    rig = Rig(simulated.HamiltonArcPh(Beaker(), 1))
    await into(rig, 7.30)
    with pytest.raises(Refused, match="out of range"):
        await rig.driver.calibrate("sample value", 7.2)
    await rig.driver.calibrate("sample taken")
    await asyncio.sleep(3600)
    await rig.driver.calibrate("sample value", 7.20)
    assert (await rig.driver.read("ph")).value == pytest.approx(7.20, abs=0.005)
    await rig.driver.calibrate("sample cancel")
    await asyncio.sleep(5)
    assert (await rig.driver.read("ph")).value == pytest.approx(7.30, abs=0.005)


async def test_oxygen_is_taught_in_air_and_without_and_must_agree_afterwards() -> None:
    rig = Rig(simulated.HamiltonArcDo(Beaker(), 1, options={"raw_gain": 0.95, "raw_intercept": 2.0}))
    await into(rig, do=100.0)
    await rig.driver.calibrate("air", 100.0)
    await into(rig, do=0.0)
    await rig.driver.calibrate("zero")
    await into(rig, do=50.0)
    assert (await rig.driver.read("dissolved_oxygen")).value == pytest.approx(50.0, abs=0.1)


async def test_a_worn_oxygen_cap_is_refused() -> None:
    rig = Rig(simulated.HamiltonArcDo(Beaker(), 1, options={"raw_gain": 0.6}))
    await into(rig, do=0.0)
    await rig.driver.calibrate("zero")
    await into(rig, do=100.0)
    with pytest.raises(Refused, match="offset or slope too low"):
        await rig.driver.calibrate("air", 100.0)
