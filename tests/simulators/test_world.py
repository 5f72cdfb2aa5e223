"""The world outlives its controller, keeps time monotonic, and says on a world link what it says in memory."""

from __future__ import annotations

import asyncio
import json
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.core.errors import LinkLost
from simulators.bench import START, SimulatedBench
from simulators.core.simulator import Bytes, Opened
from simulators.core.time import PacedLoop, VirtualLoop
from simulators.lockstep import World
from simulators.world import save, state_of
from simulators.world_client import WorldClient
from tests.simulators.small_bench import CONFIG, TEXT


class Wall:
    """A wall clock the test turns by hand."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def small_world(speed: float = 600.0) -> tuple[World, Wall]:
    wall = Wall()
    return World(SimulatedBench(CONFIG), speed, START, wall), wall


def test_alone_the_world_runs_at_wall_time_times_speed():
    world, wall = small_world()
    wall.now += 10
    world.run_on()
    assert world.now == pytest.approx(START + 6000)


def test_in_lockstep_the_world_waits_for_the_controllers_time():
    world, wall = small_world()
    world.join("controller")
    wall.now += 1
    world.run_on()
    assert world.now == START
    world.tick(START + 300)
    assert world.now == START + 300


def test_the_world_never_goes_back():
    world, wall = small_world()
    wall.now += 10
    world.run_on()
    world.join("controller")
    world.tick(START + 5)
    assert world.now == pytest.approx(START + 6000)


def test_a_silent_controller_is_not_waited_for_longer_than_two_seconds():
    world, wall = small_world()
    world.join("controller")
    wall.now += 2.5
    world.run_on()
    assert world.now == pytest.approx(START + 1500)
    world.tick(START + 1)
    wall.now += 1
    world.run_on()
    assert world.now == pytest.approx(START + 1500)


def test_when_the_controller_dies_the_devices_run_on():
    world, wall = small_world()
    world.join("controller")
    world.event("pumps", Opened(), START)
    world.bench.lines["pumps"].devices["pump_in"].barrel.run(START, -5.0, START + 60.0)
    world.leave("controller")
    wall.now += 1
    world.run_on()
    assert world.bench.truth(world.now)["fill_drawn_ml"] == pytest.approx(5.0, abs=0.01)


def test_a_world_that_waits_lets_no_time_pass_before_its_first_controller_and_runs_on_when_that_one_dies():
    wall = Wall()
    world = World(SimulatedBench(CONFIG), 600.0, START, wall, waits=True)
    wall.now += 10
    world.run_on()
    assert world.now == START
    world.join("controller")
    world.tick(START + 60)
    world.leave("controller")
    wall.now += 10
    world.run_on()
    assert world.now == pytest.approx(START + 6060)


def test_a_world_that_waits_stands_still_again_when_its_controller_ended_in_order():
    wall = Wall()
    world = World(SimulatedBench(CONFIG), 600.0, START, wall, waits=True)
    world.join("old")
    world.join("controller")
    world.tick(START + 60)
    world.farewell("old")
    world.farewell("controller")
    wall.now += 10
    world.run_on()
    assert world.now == START + 60


def test_a_world_that_does_not_wait_runs_on_after_a_farewell_too():
    world, wall = small_world()
    world.join("controller")
    world.farewell("controller")
    wall.now += 10
    world.run_on()
    assert world.now == pytest.approx(START + 6000)


def test_a_new_controller_takes_the_place_of_the_old_one():
    world, _ = small_world()
    world.join("old")
    world.join("new")
    world.leave("old")
    assert world.controller == "new"


def test_a_controller_hears_what_happened_to_its_devices_meanwhile():
    world, _ = small_world()
    world.join("controller")
    world.tick(START)
    world.event("balance", Opened(), START)
    world.power_cycle("balance")
    answer = world.event("pumps", Bytes(b"0VER\r"), START + 1)
    assert "".join(text for _, text in answer["balance"][0]).startswith("I4 A")
    assert set(world.event("pumps", Bytes(b"0VER\r"), START + 2)) == {"pumps"}


@contextmanager
def world_process(tmp_path: Path, *more: str, text: str = TEXT):
    bench = tmp_path / "bench.toml"
    bench.write_text(text)
    path = tmp_path / "world.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators", "world", "--bench", bench, "--socket", path, *more],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready {path}\n"
        yield path, process
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


SCRIPT = [
    ("pumps", b"0VER\r"),
    ("pumps", b"0VER\r"),
    ("balance", b"I4\r\n"),
    ("pumps", b"1DIS\r"),
    ("balance", b"SI\r\n"),
]


async def transcript(open_link) -> list[tuple[float, bytes]]:
    loop = asyncio.get_running_loop()
    links = {name: open_link(name) for name in ("pumps", "balance")}
    for link in links.values():
        await link.dial()
    heard = []
    for name, said in SCRIPT:
        before = loop.time()
        links[name].write(said)
        heard.append((await links[name].read(), round(loop.time() - before, 4)))
    for link in links.values():
        await link.close()
    return heard


def test_a_world_link_says_what_a_memory_link_says(tmp_path):
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
        expected = runner.run(transcript(SimulatedBench(CONFIG).open_link))
    with world_process(tmp_path) as (path, _):
        client = WorldClient(path)
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(client.now())) as runner:
            assert runner.run(transcript(client.link)) == expected
        client.close()


CONTROLLER = """
import asyncio, sys
from simulators.core.time import PacedLoop
from simulators.world import save, state_of
from simulators.world_client import WorldClient

async def main(client):
    link = client.link("pumps")
    await link.dial()
    for said in (b"0VER\\r", b"0VER\\r", b"0DIA 26.7\\r", b"0VOL 5.0\\r", b"0RAT 5.0MM\\r", b"0DIRWDR\\r", b"0RUN\\r"):
        link.write(said)
        await asyncio.sleep(1)
    print(asyncio.get_running_loop().time(), flush=True)
    await asyncio.sleep(1e6)

client = WorldClient(sys.argv[1])
asyncio.Runner(loop_factory=lambda: PacedLoop(client.speed, client.now())).run(main(client))
"""


def test_the_world_survives_the_kill_of_its_controller_and_knows_the_truth(tmp_path):
    with world_process(tmp_path, "--speed", "600") as (path, _):
        controller = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, path], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        assert controller.stdout is not None
        running_at = float(controller.stdout.readline())
        controller.send_signal(signal.SIGKILL)
        controller.wait()
        controller.stdout.close()
        judge = WorldClient(path, role="observer")
        seen = [judge.truth()]
        while seen[-1]["at"] < running_at + 120:
            seen.append(judge.truth())
        judge.close()
        assert seen[-1]["fill_drawn_ml"] == pytest.approx(5.0, abs=0.01)
        times = [truth["at"] for truth in seen]
        assert times == sorted(times)
        with WorldClient(path) as again:
            assert again.now() >= times[-1]


def test_the_world_goes_on_from_its_state_file(tmp_path):
    state = tmp_path / "world.json"
    with (
        world_process(tmp_path, "--speed", "3600", "--state", str(state)) as (path, _),
        WorldClient(path, "observer") as client,
    ):
        client.hands("pour", ml=90.0)
        poured = client.truth()["vessel_ml"]
    saved_at = json.loads(state.read_text())["now"]
    with (
        world_process(tmp_path, "--speed", "1", "--state", str(state)) as (path, _),
        WorldClient(path, "observer") as client,
    ):
        assert client.now() >= saved_at
        assert client.truth()["vessel_ml"] == pytest.approx(poured, abs=1.0)
    assert not path.exists()


def test_a_state_of_another_bench_is_refused(tmp_path):
    state = tmp_path / "world.json"
    state.write_text('{"version": 1, "config": "other"}')
    (tmp_path / "bench.toml").write_text(TEXT)
    ended = subprocess.run(
        [sys.executable, "-m", "simulators", "world", "--bench", tmp_path / "bench.toml", "--socket",
         tmp_path / "w", "--state", state],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "another bench" in ended.stderr


def test_a_frozen_controller_catches_up_and_asking_wrongly_is_answered(tmp_path):
    with world_process(tmp_path, "--speed", "600") as (path, _):
        client = WorldClient(path)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            link = client.link("pumps")
            await link.dial()
            frozen_at = loop.time()
            select.select([], [], [], 2.5)  # as if stopped by the system
            link.write(b"0VER\r")
            assert loop.time() > frozen_at + 600
            assert b"A?R" in await link.read()

        with asyncio.Runner(loop_factory=lambda: PacedLoop(client.speed, client.now())) as runner:
            runner.run(main())
        with pytest.raises(ValueError, match="there are"):
            client.inject("silence@nobody")
        with pytest.raises(ValueError, match="hands cannot"):
            client.hands("juggle")
        with pytest.raises(KeyError, match="pumps"):
            client.link("pmups")
        client.close()


def test_a_world_that_ended_is_a_lost_link(tmp_path):
    async def main(client: WorldClient, process) -> None:
        link = client.link("pumps")
        await link.dial()
        process.terminate()
        process.wait(30)
        with pytest.raises(LinkLost):
            link.write(b"0VER\r")
        with pytest.raises(LinkLost):
            await link.dial()

    with world_process(tmp_path) as (path, process):
        client = WorldClient(path)
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(client.now())) as runner:
            runner.run(main(client, process))
        client.close()


def test_a_bench_rehearsed_in_memory_goes_on_in_a_world(tmp_path):
    bench, state = SimulatedBench(CONFIG), tmp_path / "world.json"
    bench.hands.pour(START, 90.0)
    bench.advance(START + 86_400)
    save(state, state_of(bench, CONFIG, START + 86_400))
    with world_process(tmp_path, "--state", str(state)) as (path, _), WorldClient(path) as client:
        assert client.now() >= START + 86_400
        assert client.truth()["vessel_ml"] == pytest.approx(bench.truth(START + 86_400)["vessel_ml"], abs=0.01)
