"""Faults of devices: what a real driver reads of each, and what is true behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.core.fluid import Direction, Motion
from drivers.core.signals import Quality
from simulators.bench import next_serial
from simulators.core.faults import FAULTS
from simulators.core.faults.table import Kind
from tests.simulators.desk import FULL, PERFUSED, Desk

pytestmark = pytest.mark.req("SIM-04")

Play = Callable[[], Awaitable[None]]
PLAYS: dict[str, Play] = {}
HOUR, DAY = 3600.0, 86400.0


def plays(name: str) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        PLAYS[name] = play
        return play

    return keep


async def value(desk: Desk, device: str, signal: str) -> float:
    reading = await desk.device(device).read(signal)
    assert reading.quality is Quality.GOOD, reading
    return float(reading.value)


@plays("power-cycle")
async def power_is_lost() -> None:
    desk = Desk()
    pump = await desk.pump()
    desk.inject("power-cycle@pump_in:after_s=12")
    await pump.start(Direction.DRAW, 5.0, 5.0)
    await asyncio.sleep(60.0)
    status = await pump.status()
    assert (status.motion is Motion.ALARM and "power" in status.alarm.lower()) or "reset" in status.alarm.lower()
    assert (await pump.totals()).drawn_ml == 0.0
    assert 0.5 < desk.truth("fill_drawn_ml") < 1.05


@plays("slow")
async def answers_take_longer() -> None:
    desk = Desk()
    probe = await desk.ready("ph_probe")
    began = desk.now
    await probe.read("ph")
    usual = desk.now - began
    desk.inject("slow@ph_probe:seconds=0.4")
    began = desk.now
    assert (await probe.read("ph")).quality is Quality.GOOD
    assert desk.now - began == pytest.approx(usual + 0.4, abs=0.05)
    assert desk.truth("ph") == pytest.approx(await value(desk, "ph_probe", "ph"), abs=0.05)


@plays("stall")
async def motor_stalls() -> None:
    desk = Desk()
    pump = await desk.pump()
    desk.inject("stall@pump_in:after_s=12")
    await pump.start(Direction.DRAW, 5.0, 5.0)
    await asyncio.sleep(60.0)
    assert "stall" in (await pump.status()).alarm.lower()
    counted = (await pump.totals()).drawn_ml
    assert counted == pytest.approx(desk.truth("fill_drawn_ml"), abs=0.01) and 0.5 < counted < 1.05


@plays("totalizer-reset")
async def counters_are_at_zero() -> None:
    desk = Desk()
    pump = await desk.pump()
    await desk.stroke(pump, Direction.DRAW, 5.0)
    assert (await pump.totals()).drawn_ml == pytest.approx(5.0, abs=0.01)
    desk.inject("totalizer-reset@pump_in")
    await asyncio.sleep(1.0)
    assert (await pump.totals()).drawn_ml == 0.0
    assert desk.truth("fill_drawn_ml") == pytest.approx(5.0, abs=0.01)


@plays("roll-over")
async def counters_end() -> None:
    desk = Desk()
    pump = await desk.pump()
    desk.inject("roll-over@pump_in:ml=2")
    await asyncio.sleep(1.0)
    assert (await pump.totals()).drawn_ml == pytest.approx(9997.0)
    await desk.stroke(pump, Direction.DRAW, 5.0)
    assert (await pump.totals()).drawn_ml - 9997.0 == pytest.approx(5.0, abs=1.0), "the driver clears it in time"
    assert desk.truth("fill_drawn_ml") == pytest.approx(5.0, abs=0.01)


@plays("panel-change")
async def somebody_sets_it_at_the_panel() -> None:
    desk = Desk("panel-change@incubator:after_s=60:cel=35:co2=8")
    assert await value(desk, "incubator", "temperature_setpoint") == 37.0
    await asyncio.sleep(4 * HOUR)
    assert await value(desk, "incubator", "temperature_setpoint") == 35.0
    assert await value(desk, "incubator", "co2_setpoint") == 8.0
    assert desk.truth("chamber_cel") == pytest.approx(35.0, abs=0.2)
    assert desk.truth("chamber_co2_percent") == pytest.approx(8.0, abs=0.3)


@plays("factory-defaults")
async def memory_is_lost() -> None:
    desk = Desk()
    incubator = await desk.ready("incubator")
    await incubator.write("temperature_setpoint", 36.0)
    await asyncio.sleep(4 * HOUR)
    assert desk.truth("chamber_cel") == pytest.approx(36.0, abs=0.2)
    desk.inject("factory-defaults@incubator")
    await asyncio.sleep(4 * HOUR)
    assert await value(desk, "incubator", "temperature_setpoint") == 37.0
    assert desk.truth("chamber_cel") == pytest.approx(37.0, abs=0.2)


@plays("replaced")
async def another_one_stands_there() -> None:
    desk = Desk()
    before = (await desk.device("balance").identify()).serial
    assert before
    desk.inject("replaced@balance")
    await asyncio.sleep(5.0)
    found = await desk.device("balance").identify()
    assert found.serial == next_serial(before) != before
    assert await value(desk, "balance", "weight") == pytest.approx(180.0, abs=0.02), "nobody has tared it"
    assert desk.truth("waste_ml") == 0.0


@plays("drift")
async def a_probe_drifts() -> None:
    desk = Desk("drift@ph_probe:ph=0.017", config={**FULL, "simulation": {**FULL["simulation"], "cells_per_ml": 0.0}})
    await asyncio.sleep(12 * DAY)
    assert await value(desk, "ph_probe", "ph") - desk.truth("ph") == pytest.approx(0.204, abs=0.01)


@plays("sensor-offset")
async def the_incubator_says_37_while_the_liquid_is_not() -> None:
    desk = Desk("sensor-offset@incubator:cel=2")
    await value(desk, "incubator", "temperature")
    await asyncio.sleep(6 * HOUR)
    assert await value(desk, "incubator", "temperature") == pytest.approx(37.0, abs=0.1)
    assert desk.truth("chamber_cel") == pytest.approx(35.0, abs=0.1)
    assert desk.truth("liquid_cel") == pytest.approx(35.0, abs=0.2)
    assert await value(desk, "ph_probe", "temperature") == pytest.approx(35.0, abs=0.2), "a second sensor sees it"


@plays("frozen")
async def a_reading_stands_still() -> None:
    desk = Desk()
    desk.inject("frozen@incubator:for_s=600")
    before = await value(desk, "incubator", "co2")
    desk.bench.hands.door(desk.now, 60.0)
    await asyncio.sleep(60.0)
    assert await value(desk, "incubator", "co2") == before
    assert desk.truth("chamber_co2_percent") < 3.0
    await asyncio.sleep(560.0)
    assert await value(desk, "incubator", "co2") == pytest.approx(desk.truth("chamber_co2_percent"), abs=0.3)


async def test_one_sensor_of_several_may_be_frozen():
    desk = Desk()
    desk.inject("frozen@incubator:co2=1")
    desk.bench.hands.door(desk.now, 90.0)
    await asyncio.sleep(60.0)
    assert await value(desk, "incubator", "co2") == 5.0
    assert await value(desk, "incubator", "temperature") < 36.0
    assert await value(desk, "incubator", "door_open") == 1.0


@plays("spike")
async def a_reading_jumps_now_and_then() -> None:
    desk = Desk("spike@ph_probe:ph=1:every_s=600:lasts_s=30")
    probe = desk.device("ph_probe")
    seen: list[float] = []
    for _ in range(60):
        await asyncio.sleep(20.0)
        seen.append(float((await probe.read("ph")).value) - desk.truth("ph"))
    high = [each for each in seen if each > 0.9]
    assert 2 <= len(high) <= 5
    assert all(abs(each) < 0.1 for each in seen if each not in high)


@plays("not-a-number")
async def a_sensor_breaks() -> None:
    desk = Desk("not-a-number@do_probe:after_s=60:for_s=60")
    assert await value(desk, "do_probe", "dissolved_oxygen") > 50.0
    await asyncio.sleep(65.0)
    assert (await desk.device("do_probe").read("dissolved_oxygen")).quality is Quality.BAD
    assert desk.truth("do_percent") > 50.0
    await asyncio.sleep(60.0)
    assert await value(desk, "do_probe", "dissolved_oxygen") == pytest.approx(desk.truth("do_percent"), abs=2.0)


@plays("ignores-set-point")
async def a_set_point_is_only_shown() -> None:
    desk = Desk()
    incubator = await desk.ready("incubator")
    desk.inject("ignores-set-point@incubator:for_s=21600")
    await incubator.write("temperature_setpoint", 35.0)
    await asyncio.sleep(4 * HOUR)
    assert await value(desk, "incubator", "temperature_setpoint") == 35.0
    assert await value(desk, "incubator", "temperature") == pytest.approx(37.0, abs=0.1)
    assert desk.truth("chamber_cel") == pytest.approx(37.0, abs=0.1)
    await asyncio.sleep(6 * HOUR)
    assert desk.truth("chamber_cel") == pytest.approx(35.0, abs=0.2), "over, it does what it was told"


@plays("stuck-on")
async def a_pump_goes_on_past_its_end() -> None:
    desk = Desk()
    pump = await desk.pump()
    desk.inject("stuck-on@pump_in:for_s=180")
    await pump.start(Direction.DRAW, 5.0, 5.0)
    await asyncio.sleep(90.0)
    assert (await pump.status()).motion is Motion.STOPPED
    assert (await pump.totals()).drawn_ml == pytest.approx(5.0, abs=0.01)
    assert desk.truth("fill_drawn_ml") == pytest.approx(7.5, abs=0.2)
    await pump.stop()
    await asyncio.sleep(200.0)
    assert desk.truth("fill_drawn_ml") == pytest.approx(15.0, abs=0.2)


async def test_a_heater_that_sticks_heats_until_it_lets_go():
    desk = Desk("stuck-on@incubator:after_s=600:for_s=1200")
    await value(desk, "incubator", "temperature")
    await asyncio.sleep(1790.0)
    assert await value(desk, "incubator", "temperature_setpoint") == 37.0
    assert await value(desk, "incubator", "temperature") > 40.0
    hottest = desk.truth("chamber_cel")
    assert hottest > 40.0
    await asyncio.sleep(HOUR)
    assert desk.truth("chamber_cel") < hottest - 5.0, "the walls give their heat back slowly"


async def test_a_gas_valve_that_sticks_lets_co2_in():
    desk = Desk("stuck-on@incubator:heater=0:co2=1")
    await value(desk, "incubator", "temperature")
    await asyncio.sleep(HOUR)
    assert await value(desk, "incubator", "co2") > 8.0
    assert desk.truth("chamber_cel") == pytest.approx(37.0, abs=0.2)


@plays("stuck-off")
async def a_pump_counts_and_moves_nothing() -> None:
    desk = Desk()
    pump = await desk.pump()
    desk.inject("stuck-off@pump_in")
    await desk.stroke(pump, Direction.DRAW, 5.0)
    assert (await pump.totals()).drawn_ml == pytest.approx(5.0, abs=0.01)
    assert desk.truth("fill_drawn_ml") == 0.0


@plays("air-in-line")
async def a_pump_moves_air_and_counts_it() -> None:
    desk = Desk()
    pump = await desk.pump()
    desk.inject("air-in-line@pump_in:fraction=0.3")
    await desk.stroke(pump, Direction.DRAW, 5.0)
    assert (await pump.totals()).drawn_ml == pytest.approx(5.0, abs=0.01)
    assert desk.truth("fill_drawn_ml") == pytest.approx(3.5, abs=0.01)


@plays("leak")
async def a_pump_drips() -> None:
    desk = Desk("leak@pump_in:fraction=0.2")
    pump = await desk.pump()
    await desk.stroke(pump, Direction.DRAW, 10.0)
    await desk.stroke(pump, Direction.DELIVER, 10.0)
    assert (await pump.totals()).delivered_ml == pytest.approx(10.0, abs=0.01)
    assert desk.truth("fill_delivered_ml") == pytest.approx(8.0, abs=0.01)
    assert desk.truth("dripped_ml") == pytest.approx(2.0, abs=0.01)
    assert abs(desk.bench.surroundings.books()["liquid_ml"]) < 1e-9


def test_every_fault_of_a_device_is_tested_here():
    assert sorted(PLAYS) == sorted(name for name, entry in FAULTS.items() if entry.kind is Kind.DEVICE)


@pytest.mark.parametrize("name", PLAYS)
async def test_a_fault_of_a_device_is_seen_by_its_driver_and_in_the_truth(name: str):
    await PLAYS[name]()


# -- the perfused bench


async def test_a_leaking_loop_loses_its_medium_onto_the_bench():
    desk = Desk("leak@loop_2:fraction=0.01", config=PERFUSED)
    loop = await desk.pump("loop_2")
    await loop.recirculate(Direction.DELIVER, 0.2)
    await loop.line.close()  # nobody listens to what the pump says by itself
    await asyncio.sleep(6 * HOUR)
    desk.lines.clear()
    assert (await (await desk.pump("loop_2")).status()).motion is Motion.MOVING
    assert desk.truth("reservoir_2_ml") == pytest.approx(15.0 - 0.2 * 360 * 0.01, abs=0.05)
    assert desk.truth("reservoir_1_ml") == pytest.approx(15.0)
    assert all(abs(left) < 1e-6 for left in desk.bench.surroundings.books().values())


async def test_a_leaking_exchange_syringe_keeps_all_books():
    desk = Desk("leak@exchange_pump:fraction=0.2", config=PERFUSED)
    bench = desk.bench
    barrel, valve = bench.seats["exchange_pump"], bench.seats["exchange_valve"]
    barrel.run(desk.now, -5.0, desk.now + 48.0)
    await asyncio.sleep(60.0)
    valve.connect(desk.now, 3)
    barrel.run(desk.now, 5.0, desk.now + 48.0)
    await asyncio.sleep(60.0)
    assert desk.truth("reservoir_1_ml") == pytest.approx(15.0 + 4.0 * 0.8, abs=0.01)
    assert desk.truth("spilled_ml") == pytest.approx(0.8, abs=0.01)
    assert all(abs(left) < 1e-6 for left in bench.surroundings.books().values())


async def test_a_valve_that_sticks_stays_where_it_was():
    desk = Desk(config=PERFUSED)
    desk.bench.seats["exchange_valve"].connect(desk.now, 3)
    desk.inject("ignores-set-point@exchange_valve")
    desk.bench.seats["exchange_valve"].connect(desk.now, 5)
    assert desk.truth("valve_port") == 3


# -- what is refused, and what is kept


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("drift@ph_probe", "one of cel, ph, do"),
        ("drift@ph_probe:co2=1", "one of cel, ph, do"),
        ("stall@balance", "nothing|no such trouble"),
        ("leak@incubator", "barrel, tube"),
        ("panel-change@incubator", "say what is set"),
        ("panel-change@balance:cel=37", "no such trouble"),
        ("panel-change@incubator:rpm=37", "of cel, co2, o2"),
        ("frozen@pump_in", "it is for chamber"),
        ("frozen@nobody", "no device"),
    ],
)
async def test_a_device_has_no_fault_that_it_cannot_have(fault: str, says: str):
    with pytest.raises(ValueError, match=says):
        Desk(fault)


async def test_without_a_target_all_that_can_have_it():
    desk = Desk("stuck-off")
    held = [name for name, seat in desk.bench.seats.items() if seat.faults]
    assert held == ["incubator", "pump_in", "pump_out"]


@pytest.mark.parametrize("fault", ["stuck-on@pump_in", "air-in-line@pump_in", "replaced@balance:after_s=10"])
async def test_a_saved_bench_keeps_the_faults_of_its_devices(fault: str):
    desk = Desk(fault)
    pump = await desk.pump()
    await pump.start(Direction.DRAW, 5.0, 5.0)
    await asyncio.sleep(30.0)
    saved = desk.bench.snapshot()
    again = Desk()
    again.bench.restore(saved)
    assert again.bench.snapshot() == saved
    await asyncio.sleep(120.0)
    assert again.bench.truth(desk.now) == desk.bench.truth(desk.now)
    desk.bench.sever_all()
    serials = [(await each.device("balance").identify()).serial for each in (desk, again)]
    assert serials[0] == serials[1]


async def test_mended_in_mid_stroke_a_pump_ends_where_it_was_told():
    desk = Desk()
    pump = await desk.pump()
    desk.inject("stuck-on@pump_in")
    await pump.start(Direction.DRAW, 5.0, 5.0)
    await asyncio.sleep(30.0)
    desk.bench.clear_faults(desk.now)
    await asyncio.sleep(120.0)
    assert desk.truth("fill_drawn_ml") == pytest.approx(5.0, abs=0.01)
