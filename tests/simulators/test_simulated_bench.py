"""A whole bench without a controller: devices on their cables, the plant behind, snapshots."""

from __future__ import annotations

import asyncio
import json

import pytest

from simulators.bench import START, SimulatedBench
from simulators.core.time import VirtualLoop
from tests.simulators.small_bench import CONFIG

WITHDRAW = (b"0VOL 5.0\r", b"0VOLML\r", b"0RAT 5.0MM\r", b"0DIRWDR\r", b"0RUN\r")


async def say(link, data: bytes) -> bytes:
    link.write(data)
    await asyncio.sleep(0.5)
    return link.waiting()


async def draw_five_ml(bench: SimulatedBench) -> None:
    link = bench.open_link("pumps")
    await link.dial()
    for command in (b"0VER\r", b"1VER\r"):  # the first answer after power-up is the reset alarm
        assert b"A?R" in await say(link, command)
    assert b"NE1000" in await say(link, b"0VER\r")
    assert await say(link, b"0DIA 26.7\r") != b""
    for command in WITHDRAW:
        assert b"?" not in await say(link, command)


async def test_two_pumps_share_a_cable_and_answer_for_themselves():
    bench = SimulatedBench(CONFIG)
    link = bench.open_link("pumps")
    await link.dial()
    assert (await say(link, b"0VER\r")).startswith(b"\x0200A")
    assert (await say(link, b"1VER\r")).startswith(b"\x0201A")
    assert await say(link, b"2VER\r") == b""


async def test_a_stroke_moves_the_plant_and_not_only_the_counter():
    bench = SimulatedBench(CONFIG)
    loop = asyncio.get_running_loop()
    before = bench.truth(loop.time())
    await draw_five_ml(bench)
    await asyncio.sleep(120)
    after = bench.truth(loop.time())
    assert after["fill_drawn_ml"] - before["fill_drawn_ml"] == pytest.approx(5.0, abs=0.01)


async def test_after_the_controller_died_the_stroke_still_ends():
    bench = SimulatedBench(CONFIG)
    await draw_five_ml(bench)
    bench.sever_all()
    await asyncio.sleep(120)
    assert bench.truth(asyncio.get_running_loop().time())["fill_drawn_ml"] == pytest.approx(5.0, abs=0.01)
    link = bench.open_link("pumps")
    await link.dial()
    assert b"W5.0" in (await say(link, b"0DIS\r"))


async def test_power_of_one_pump_is_cut_and_its_neighbour_runs_on():
    bench = SimulatedBench(CONFIG)
    await draw_five_ml(bench)
    loop = asyncio.get_running_loop()
    drawn = bench.truth(loop.time())["fill_drawn_ml"]
    bench.power_cycle("pump_out", loop.time())
    await asyncio.sleep(10)
    assert bench.truth(loop.time())["fill_drawn_ml"] > drawn
    bench.power_cycle("pump_in", loop.time())
    drawn = bench.truth(loop.time())["fill_drawn_ml"]
    await asyncio.sleep(10)
    assert bench.truth(loop.time())["fill_drawn_ml"] == pytest.approx(drawn, abs=1e-6)
    with pytest.raises(ValueError, match="pump_in"):
        bench.power_cycle("pump_inn", 0.0)


async def test_a_fault_can_come_and_go_while_everything_runs():
    bench = SimulatedBench(CONFIG)
    link = bench.open_link("pumps")
    await link.dial()
    bench.inject("silence@pump_in", asyncio.get_running_loop().time())
    assert await say(link, b"0VER\r") == b""
    assert await say(link, b"1VER\r") != b""
    bench.clear_faults()
    assert await say(link, b"0VER\r") != b""


@pytest.mark.parametrize("fault", ["silence@pump_inn", "worn-tube@balance"])
def test_a_fault_that_cannot_be_put_in_is_refused(fault):
    with pytest.raises(ValueError):
        SimulatedBench(CONFIG).inject(fault, START)


def test_faults_reach_the_plant_and_the_person():
    bench = SimulatedBench(CONFIG, faults=("check-valve:fraction=0.2", "late-person:hours=3", "mute@balance"))
    assert bench.surroundings.snapshot()["volumes"]["waste"]["leak_back"] == 0.2
    assert [(lapse.name, lapse.values["hours"]) for lapse in bench.person.lapses] == [("late-person", 3.0)]


@pytest.mark.parametrize("seed", [None, 5])
def test_a_restored_bench_goes_on_as_the_one_it_was_saved_from(seed):
    async def begin(bench: SimulatedBench) -> dict[str, object]:
        await draw_five_ml(bench)
        await asyncio.sleep(10)
        bench.sever_all()
        return json.loads(json.dumps(bench.snapshot()))

    async def go_on(bench: SimulatedBench) -> tuple[bytes, bytes, object]:
        bench.switch_on()
        pumps, balance = bench.open_link("pumps"), bench.open_link("balance")
        await pumps.dial()
        await balance.dial()
        await asyncio.sleep(60)
        said = await say(pumps, b"0DIS\r"), await say(balance, b"SI\r\n")
        return *said, bench.truth(asyncio.get_running_loop().time())

    first = SimulatedBench(CONFIG, seed=seed, faults=("drop@balance:every=5",))
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
        saved = runner.run(begin(first))
        saved_at = runner.get_loop().time()
    second = SimulatedBench(CONFIG, seed=seed)
    second.restore(saved)
    assert json.loads(json.dumps(second.snapshot())) == saved
    results = []
    for bench in (first, second):
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(saved_at)) as runner:
            results.append(runner.run(go_on(bench)))
    assert results[0] == results[1]


def test_time_can_pass_without_a_loop():
    bench = SimulatedBench(CONFIG)
    bench.lines["pumps"].devices["pump_in"].barrel.run(START, -5.0, START + 60.0)
    bench.advance(START + 30.0)
    assert bench.truth(START + 30.0)["fill_drawn_ml"] == pytest.approx(2.5, abs=0.01)
