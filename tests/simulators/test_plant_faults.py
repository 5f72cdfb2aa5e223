"""Faults of plumbing, vents and balance: what the instruments show of each, and what is true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.core.errors import NoAnswer
from drivers.core.fluid import Direction
from simulators.core.faults import FAULTS, parse
from simulators.core.faults.table import Kind
from simulators.plant import parameters as p
from tests.simulators.desk import FULL, PERFUSED, Desk

pytestmark = pytest.mark.req("SIM-04")

Play = Callable[[], Awaitable[None]]
PLAYS: dict[str, Play] = {}
HOUR = 3600.0
PUMPED = {**FULL, "simulation": {**FULL["simulation"]}}
"""The bench with its outgoing syringe pump in the place of a peristaltic head: what turns, turns a hose."""
PUMPED["simulation"]["places"] = {**FULL["simulation"]["places"], "pump_out": "waste tube"}


def plays(name: str) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        PLAYS[name] = play
        return play

    return keep


async def weighed(desk: Desk) -> float:
    reading = await desk.device("balance").read("weight")
    return float(reading.value)


async def out(desk: Desk, ml: float = 18.0) -> tuple[float, float, float]:
    """One withdrawal: by the pump's counter, by the balance (mL), and what truly left the vessel."""
    pump = await desk.pump("pump_out")
    counted, before, true = (await pump.totals()).delivered_ml, await weighed(desk), desk.truth("total_out_ml")
    await desk.stroke(pump, Direction.DRAW, ml)
    await desk.stroke(pump, Direction.DELIVER, ml)
    counted = (await pump.totals()).delivered_ml - counted
    return counted, (await weighed(desk) - before) / p.DENSITY, desk.truth("total_out_ml") - true


async def into(desk: Desk, ml: float = 18.0) -> tuple[float, float]:
    """One filling: by the pump's counter, and what truly came into the vessel, mL."""
    pump = await desk.pump("pump_in")
    counted, true = (await pump.totals()).delivered_ml, desk.truth("total_in_ml")
    await desk.stroke(pump, Direction.DRAW, ml)
    await desk.stroke(pump, Direction.DELIVER, ml)
    return (await pump.totals()).delivered_ml - counted, desk.truth("total_in_ml") - true


def books_close(desk: Desk) -> bool:
    return all(abs(left) < 1e-6 for left in desk.bench.surroundings.books().values())


async def primed() -> Desk:
    """Both lines full: what goes in comes out. The vessel is at its 90 mL again."""
    desk = Desk()
    await into(desk, 8.0)
    await out(desk, 22.0)
    desk.bench.hands.pour(desk.now, 90.0 - desk.truth("vessel_ml"))
    return desk


@plays("check-valve")
async def outgoing_valve_leaks() -> None:
    desk = await primed()
    desk.inject("check-valve:fraction=0.16")
    counted, balance, true = await out(desk)
    assert counted == pytest.approx(18.0, abs=0.05)
    assert balance == pytest.approx(18.0 * 0.84, abs=0.3)
    assert true == pytest.approx(18.0 * 0.84, abs=0.3)
    assert desk.truth("waste_leaked_ml") == pytest.approx(2.88, abs=0.05)


@plays("check-valve-fill")
async def ingoing_valve_leaks() -> None:
    desk = await primed()
    desk.inject("check-valve-fill:fraction=0.16")
    counted, true = await into(desk)
    assert counted == pytest.approx(18.0, abs=0.05)
    assert true == pytest.approx(18.0 * 0.84, abs=0.05)


@plays("worn-tube")
async def hose_is_worn() -> None:
    desk = Desk("worn-tube:after_s=300:fraction=0.25", config=PUMPED)
    pump = await desk.pump("pump_out")
    await desk.stroke(pump, Direction.DELIVER, 4.0)
    assert desk.truth("waste_hose_ml") == pytest.approx(4.0, abs=0.01)
    await asyncio.sleep(300.0)
    await pump.prepare()  # its watchdog has heard nothing
    before = await weighed(desk)
    await desk.stroke(pump, Direction.DELIVER, 8.0)
    assert (await pump.totals()).delivered_ml == pytest.approx(12.0, abs=0.05)
    assert desk.truth("waste_hose_ml") == pytest.approx(4.0 + 6.0, abs=0.01)
    assert (await weighed(desk) - before) / p.DENSITY == pytest.approx(6.0, abs=0.05)


@plays("tube-on-balance")
async def tube_pulls() -> None:
    desk = Desk("tube-on-balance:grams=0.5:for_s=3600")
    seen: list[float] = []
    for _ in range(30):
        await asyncio.sleep(120.0)
        seen.append(await weighed(desk))
    assert max(seen) - min(seen) == pytest.approx(1.0, abs=0.1)
    assert desk.truth("waste_ml") == 0.0
    await asyncio.sleep(600.0)
    assert await weighed(desk) == pytest.approx(p.WASTE_TARE_G, abs=0.01)


@plays("screen-clogs")
async def screen_is_clogged() -> None:
    desk = await primed()
    desk.inject("screen-clogs:share=0.4:above_ml=6")
    _, first, true = await out(desk)
    assert true == pytest.approx(18.0 * 0.4, abs=0.3), "slower"
    assert first < 12.0
    for _ in range(3):
        _, last, _ = await out(desk)
    assert last < 0.5
    assert desk.truth("vessel_ml") == pytest.approx(72.0 + 6.0, abs=0.1), "it stops above the level"
    assert books_close(desk)


@plays("spheroids-in-waste")
async def screen_is_torn() -> None:
    desk, whole = await primed(), await primed()
    desk.inject("spheroids-in-waste")
    before = desk.truth("cells")
    for each in (desk, whole):
        await out(each)
    assert desk.truth("cells") / before == pytest.approx(72.0 / 90.0, abs=0.01)
    assert desk.truth("escaped_cells") == pytest.approx(before - desk.truth("cells"), rel=0.01)
    await asyncio.sleep(6 * HOUR)
    shown = [float((await each.device("do_probe").read("dissolved_oxygen")).value) for each in (desk, whole)]
    assert shown[0] > shown[1] + 0.1, "fewer cells breathe"
    assert books_close(desk)


@plays("contamination")
async def bacteria_come_in() -> None:
    desk, clean = await primed(), await primed()
    desk.inject("contamination:cells=1000")
    await asyncio.sleep(26 * HOUR)
    assert desk.truth("contaminant") > 1e9
    assert clean.truth("contaminant") == 0.0
    for probe, signal in (("do_probe", "dissolved_oxygen"), ("ph_probe", "ph")):
        spoilt, healthy = [float((await each.device(probe).read(signal)).value) for each in (desk, clean)]
        assert spoilt < healthy - 0.1, signal
    assert books_close(desk)


@plays("vent-blocks")
async def vent_is_blocked() -> None:
    desk, free = Desk("vent-blocks:tau_h=5"), Desk()
    for each in (desk, free):
        incubator = await each.ready("incubator")
        await incubator.write("co2_setpoint", 10.0)
    await asyncio.sleep(2 * HOUR)
    assert free.truth("headspace_co2_percent") == pytest.approx(10.0, abs=0.5)
    assert desk.truth("headspace_co2_percent") < 7.5
    shown = [float((await each.device("ph_probe").read("ph")).value) for each in (desk, free)]
    assert shown[0] > shown[1] + 0.05, "its medium has not become as acid yet"
    assert float((await desk.device("incubator").read("co2")).value) == pytest.approx(10.0, abs=0.3)
    assert books_close(desk)


@plays("bubble")
async def air_stands_in_the_line() -> None:
    desk = await primed()
    desk.inject("bubble:ml=3")
    counted, true = await into(desk)
    assert (counted, true) == (pytest.approx(18.0, abs=0.05), pytest.approx(15.0, abs=0.05))
    assert (await into(desk, 5.0))[1] == pytest.approx(5.0, abs=0.05), "once"
    assert books_close(desk)


@plays("pinched")
async def line_is_clamped() -> None:
    desk = await primed()
    desk.inject("pinched:out=1:for_s=7200")
    counted, balance, true = await out(desk)
    assert counted == pytest.approx(18.0, abs=0.05)
    assert (balance, true) == (pytest.approx(0.0, abs=0.02), 0.0)
    assert books_close(desk)


def test_every_fault_of_the_plant_is_tested_here():
    assert sorted(PLAYS) == sorted(name for name, entry in FAULTS.items() if entry.kind is Kind.PLANT)


@pytest.mark.parametrize("name", PLAYS)
async def test_a_fault_of_the_plant_is_seen_by_instruments_and_in_the_truth(name: str):
    await PLAYS[name]()


async def test_a_squeezed_line_lets_half_through_and_nothing_when_clamped():
    for share, arrives in ((0.5, 9.0), (1.0, 0.0)):
        desk = await primed()
        desk.inject(f"pinched:share={share}")
        counted, true = await into(desk)
        assert (counted, true) == (pytest.approx(18.0, abs=0.05), pytest.approx(arrives, abs=0.05))
        assert books_close(desk)


async def test_a_bubble_in_the_outgoing_line_is_missing_on_the_balance():
    desk = await primed()
    desk.inject("bubble@pump_out:ml=2")
    counted, balance, true = await out(desk)
    assert counted == pytest.approx(18.0, abs=0.05)
    assert true - balance == pytest.approx(2.0, abs=0.1)
    assert books_close(desk)


async def test_a_device_names_the_line_it_sits_at():
    desk = Desk(config=PERFUSED)
    desk.inject("pinched@loop_3:share=0.5")
    desk.inject("worn-tube@loop_2:fraction=0.1")
    for number in (1, 2, 3):
        desk.bench.seats[f"loop_{number}"].run(desk.now, 0.2, desk.now + HOUR)
    await asyncio.sleep(600.0)
    flows = [desk.truth(f"flow_{number}_ml_min") for number in (1, 2, 3)]
    assert flows == pytest.approx([0.2, 0.18, 0.1])


async def test_a_clamp_on_the_exchange_syringe_stops_both_ways():
    desk = Desk("pinched", config=PERFUSED)
    desk.bench.seats["exchange_pump"].run(desk.now, -5.0, desk.now + 48.0)
    await asyncio.sleep(60.0)
    assert desk.truth("syringe_drawn_ml") == 0.0


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("vent-blocks@pump_in", "at no device"),
        ("check-valve@pump_out", "at no device"),
        ("pinched:share=1.5", "no share"),
        ("contamination:cells=-5", "0 or more"),
        ("contamination:cells=inf", "finite"),
        ("vent-blocks:tau_h=0", "above 0"),
        ("drop@x:every=0", "above 0"),
        ("late-person:hours=-3", "0 or more"),
        ("check-valve:share=0.2", "it has after_s, for_s, fraction, at"),
        ("mould", "no fault is called"),
    ],
)
async def test_what_the_plant_cannot_have_is_refused(fault: str, says: str):
    with pytest.raises(ValueError, match=says):
        Desk(fault)


@pytest.mark.parametrize("fault", ["screen-clogs", "worn-tube:bed=7"])
async def test_a_perfused_bench_refuses_what_only_a_stirred_vessel_has(fault: str):
    with pytest.raises(ValueError, match=r"knows no fault|none of 1 to 4"):
        Desk(fault, config=PERFUSED)


@pytest.mark.parametrize("name", PLAYS)
async def test_a_fault_begins_ends_and_outlives_a_restart_at_its_moment(name: str):
    """Cut in the middle by a snapshot, a bench goes on to the same truth."""
    fault = f"{name}:after_s=1000.5:for_s=3000.25"
    assert parse(fault).where.value == "in the plant"
    desk, again = Desk(fault, seed=3), Desk(seed=3)
    desk.bench.advance(desk.bench.start + 2000.0)
    again.bench.restore(desk.bench.snapshot())
    assert again.bench.snapshot() == desk.bench.snapshot()
    for bench in (desk.bench, again.bench):
        bench.advance(bench.start + 9000.0)
    assert again.bench.truth(desk.bench.start + 9000.0) == desk.bench.truth(desk.bench.start + 9000.0)
    (trouble,) = desk.bench.surroundings.troubles
    assert (trouble.on, trouble.over) == (True, True)


async def test_mended_the_plant_is_whole_again_and_what_is_lost_stays_lost():
    desk = Desk("check-valve", "screen-clogs", "vent-blocks", "pinched", "spheroids-in-waste")
    desk.bench.clear_faults(desk.now)
    plant = desk.bench.surroundings.snapshot()
    healthy = Desk().bench.surroundings.snapshot()
    assert plant["volumes"] == healthy["volumes"]
    assert plant["culture"] == healthy["culture"]
    assert plant["troubles"] == []


async def test_a_probe_that_is_out_changes_what_is_read_and_never_the_plant():
    healthy, out_of_reach, lying = Desk(), Desk("silence@ph_probe"), Desk("sensor-offset@ph_probe:ph=0.3")
    shown: dict[Desk, list[float | None]] = {healthy: [], out_of_reach: [], lying: []}
    for _ in range(24):
        await asyncio.sleep(HOUR / 2)
        for desk, read in shown.items():
            try:
                read.append(float((await desk.device("ph_probe").read("ph")).value))
            except NoAnswer:
                read.append(None)
    assert set(shown[out_of_reach]) == {None}
    assert all(
        off - true == pytest.approx(0.3, abs=0.02) for off, true in zip(shown[lying], shown[healthy], strict=True)
    )
    assert healthy.bench.truth(healthy.now) == out_of_reach.bench.truth(healthy.now) == lying.bench.truth(healthy.now)
