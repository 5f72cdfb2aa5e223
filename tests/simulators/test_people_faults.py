"""What people do wrong: what they answer and what the instruments show of it, and what is true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from drivers.core.fluid import Direction
from simulators.core.faults import FAULTS
from simulators.core.faults.table import Kind
from simulators.people import Answer
from tests.simulators.desk import FULL, PERFUSED, Desk
from tests.simulators.test_plant_faults import into, weighed

pytestmark = pytest.mark.req("SIM-04")

Play = Callable[[], Awaitable[None]]
PLAYS: dict[str, Play] = {}
HOUR = 3600.0
OSTEOGENIC = {**FULL, "simulation": {**FULL["simulation"], "medium": "osteogenic medium"}}
BOTTLE: dict[str, Any] = {
    "path": "culture/bottle/1/hang",
    "entries": [{"name": "lot of medium", "kind": "text"}, {"name": "volume left", "kind": "number", "low": 0}],
    "acts": [{"act": "renew", "fluid": "osteogenic medium", "volume_ml": 250.0}],
}
SAMPLE: dict[str, Any] = {
    "path": "culture/sample/1/take",
    "entries": [{"name": "glucose", "kind": "number", "unit": "mmol/L"}],
    "acts": [{"act": "take", "volume_ml": 1.0}],
}


def plays(name: str) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        PLAYS[name] = play
        return play

    return keep


async def answered(desk: Desk, *tasks: dict[str, Any], within_s: float = 2 * HOUR) -> list[tuple[float, Answer]]:
    """What the person answers and after how long; each answer closes its task."""
    began, open_now, found = desk.now, [dict(task) for task in tasks], list[tuple[float, Answer]]()
    while desk.now < began + within_s and open_now:
        for answer in desk.bench.person.see(open_now, desk.now):
            found.append((desk.now - began, answer))
            open_now = [task for task in open_now if task["path"] != answer.path]
        await asyncio.sleep(60.0)
    return found


async def shown(desk: Desk, device: str, signal: str) -> float:
    return float((await desk.device(device).read(signal)).value)


@plays("late-person")
async def they_come_late() -> None:
    usual, late = Desk(config=OSTEOGENIC), Desk("late-person:hours=3", config=OSTEOGENIC)
    ((soon, _),) = await answered(usual, BOTTLE)
    ((later, _),) = await answered(late, BOTTLE, within_s=8 * HOUR)
    assert later - soon == pytest.approx(3 * HOUR, abs=120.0)
    assert late.truth("fresh_ml") == 250.0


@plays("absent-person")
async def nobody_comes() -> None:
    desk = Desk("absent-person", config=OSTEOGENIC)
    assert await answered(desk, SAMPLE, within_s=48 * HOUR) == []
    assert desk.truth("by_hand_out_ml") == 0.0


@plays("wrong-entry")
async def the_point_slips() -> None:
    desk, usual = Desk("wrong-entry"), Desk()
    ((_, wrong),), ((_, right),) = await answered(desk, SAMPLE), await answered(usual, SAMPLE)
    assert wrong.entries["glucose"] == pytest.approx(10 * float(right.entries["glucose"]), rel=0.05)
    assert desk.bench.hands.look(desk.now)["glucose"] == pytest.approx(float(right.entries["glucose"]), rel=0.05)


@plays("wrong-lot")
async def another_lot_is_written_down() -> None:
    desk, usual = Desk("wrong-lot", config=OSTEOGENIC), Desk(config=OSTEOGENIC)
    ((_, wrong),), ((_, right),) = await answered(desk, BOTTLE), await answered(usual, BOTTLE)
    assert wrong.entries["lot of medium"] != right.entries["lot of medium"]
    assert wrong.entries["volume left"] == right.entries["volume left"]
    again = desk.bench.person.see([BOTTLE | {"claimed_by": ""}], desk.now + HOUR)
    assert [each.entries for each in again] == [right.entries], "asked again, they look"
    assert desk.truth("bottle_phosphate_mm") == usual.truth("bottle_phosphate_mm") > 0


@plays("door-left-open")
async def the_door_stands_open() -> None:
    desk = Desk("door-left-open:minutes=20")
    ((_, answer),) = await answered(desk, SAMPLE)
    assert answer.entries
    await asyncio.sleep(300.0)
    assert await shown(desk, "incubator", "door_open") == 1.0
    assert await shown(desk, "incubator", "co2") < 1.0
    assert desk.truth("door_open") and desk.truth("chamber_co2_percent") < 1.0
    await asyncio.sleep(1500.0)
    assert not desk.truth("door_open")


@plays("wrong-bottle")
async def the_wrong_bottle_hangs() -> None:
    desk, usual = Desk("wrong-bottle", config=OSTEOGENIC), Desk(config=OSTEOGENIC)
    for each in (desk, usual):
        ((_, answer),) = await answered(each, BOTTLE)
        assert "lot of medium" in answer.entries
        for _ in range(3):
            await into(each)
    assert (desk.truth("bottle_phosphate_mm"), usual.truth("bottle_phosphate_mm")) == (0.0, 10.0)
    assert desk.truth("phosphate_mm") < usual.truth("phosphate_mm")
    same = [await shown(each, "ph_probe", "ph") for each in (desk, usual)]
    assert same[0] == pytest.approx(same[1], abs=0.02), "no instrument of this bench tells one from the other"


@plays("forgotten-clamp")
async def the_clamp_stays_on() -> None:
    desk = Desk("forgotten-clamp:hours=2", config=OSTEOGENIC)
    await answered(desk, BOTTLE)
    counted, true = await into(desk, 5.0)
    assert (counted, true) == (pytest.approx(5.0, abs=0.05), 0.0)
    await asyncio.sleep(2 * HOUR)
    assert (await into(desk, 5.0))[1] > 0.0


@plays("bottle-swapped")
async def somebody_changes_a_bottle() -> None:
    desk = Desk("bottle-swapped:after_s=600:ml=100", config=OSTEOGENIC)
    assert (desk.truth("fresh_ml"), desk.truth("bottle_phosphate_mm")) == (250.0, 10.0)
    await asyncio.sleep(700.0)
    assert (desk.truth("fresh_ml"), desk.truth("bottle_phosphate_mm")) == (100.0, 0.0)
    desk.bench.hands.renew_bottle(desk.now, "osteogenic medium", 250.0)
    pump = await desk.pump("pump_out")
    await desk.stroke(pump, Direction.DRAW, 18.0)
    await desk.stroke(pump, Direction.DELIVER, 18.0)
    full = await weighed(desk)
    desk.inject("bottle-swapped:waste=1")
    await asyncio.sleep(10.0)
    assert full - await weighed(desk) > 5.0
    assert desk.truth("waste_ml") == 0.0
    assert abs(desk.bench.surroundings.books()["liquid_ml"]) < 1e-9


def test_every_fault_of_people_is_tested_here():
    assert sorted(PLAYS) == sorted(name for name, entry in FAULTS.items() if entry.kind is Kind.PEOPLE)


@pytest.mark.parametrize("name", PLAYS)
async def test_what_a_person_does_wrong_is_seen_and_is_true(name: str):
    await PLAYS[name]()


async def test_dmem_in_the_place_of_medium_shows_at_the_ph_probe():
    """44 mM of bicarbonate at 5 % CO2 makes a medium alkaline."""
    desk, usual = Desk("wrong-bottle:dmem=1", config=OSTEOGENIC), Desk(config=OSTEOGENIC)
    for each in (desk, usual):
        await answered(each, BOTTLE)
        for _ in range(3):
            await into(each)
        await asyncio.sleep(4 * HOUR)
    assert await shown(desk, "ph_probe", "ph") > await shown(usual, "ph_probe", "ph") + 0.03
    assert desk.truth("ph") > usual.truth("ph") + 0.03


async def test_the_second_number_slips_where_the_second_is_meant():
    desk = Desk("wrong-entry:nth=2")
    tasks = [{**SAMPLE, "path": f"culture/sample/{number}/take"} for number in (1, 2, 3)]
    found = {answer.path: answer.entries["glucose"] for _, answer in await answered(desk, *tasks)}
    first, second, third = (float(found[task["path"]]) for task in tasks)
    slipped = [each for each in (first, second, third) if each > 20.0]
    assert len(slipped) == 1


async def test_an_absence_may_begin_while_everything_runs_and_end():
    desk = Desk()
    desk.inject("absent-person:for_s=14400")
    ((waited, _),) = await answered(desk, SAMPLE, within_s=9 * HOUR)
    assert 4 * HOUR <= waited < 4 * HOUR + 120.0


async def test_a_person_may_forget_a_clamp_at_a_perfused_bench_too():
    desk = Desk("forgotten-clamp", config=PERFUSED)
    await answered(desk, {**BOTTLE, "unit": "bed_2"})
    desk.bench.seats["exchange_pump"].run(desk.now, -5.0, desk.now + 48.0)
    await asyncio.sleep(60.0)
    assert desk.truth("syringe_drawn_ml") == 0.0


async def test_a_lapse_has_no_target_and_outlives_a_restart():
    with pytest.raises(ValueError, match="write late-person alone"):
        Desk("late-person@pump_in")
    desk, again = Desk("wrong-entry:nth=2", seed=4), Desk(seed=4)
    await answered(desk, SAMPLE)
    again.bench.restore(desk.bench.snapshot())
    assert again.bench.snapshot() == desk.bench.snapshot()
    other = {**SAMPLE, "path": "culture/sample/2/take"}
    ((_, wrong),) = await answered(again, other)
    assert float(wrong.entries["glucose"]) > 20.0


async def test_mended_people_make_no_more_mistakes():
    desk = Desk("wrong-entry", "late-person")
    desk.bench.clear_faults(desk.now)
    ((waited, answer),) = await answered(desk, SAMPLE)
    assert waited < HOUR and float(answer.entries["glucose"]) < 20.0
