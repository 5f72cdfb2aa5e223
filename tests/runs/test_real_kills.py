"""Real processes: the controller killed by -9 in the middle of exchanges, judged by a world that lives on."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from api import processes
from controller.asked import LOCAL, scoped
from controller.store.rows import DoseRow
from controller.store.verify import verify
from drivers.core.fluid import Direction
from tests.runs.judge import agree, judge
from tests.runs.processes import Ports, Processes, Tap, exchanges, kinds, until

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(180)]

LATEST_S = 600.0
"""A kill comes at most so many bench seconds after the first plunger of a life was seen to move in an exchange."""
ENDED = ("COMPLETE", "STOPPED", "ABORTED")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: the address of a Unix socket has 108 bytes at most."""
    return tmp_path_factory.mktemp("k")


judged = pytest.mark.req(
    "DX-03", "DX-10", "DX-13", "DS-03", "DS-04", "DS-05", "DS-06", "INV-01", "INV-02", "INV-03", "INV-07", "INV-13"
)


@judged
@pytest.mark.timeout(240)
async def test_ten_kills_in_exchanges_give_no_dose_twice_and_lose_none(place: Path) -> None:
    seen = await kills(place, 10, seed=1, cuts=[Direction.DRAW, Direction.DELIVER], warm=True)
    assert seen["mid-stroke"] >= 5 and seen["power lost in draw"]


@pytest.mark.campaign
@judged
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [2, 3, 4])
async def test_thirty_kills_in_exchanges_give_no_dose_twice_and_lose_none(place: Path, seed: int) -> None:
    seen = await kills(place, 30, seed=seed, cuts=3 * [Direction.DRAW, Direction.DELIVER], warm=False)
    assert seen["mid-stroke"] >= 15 and seen["power lost in draw"] and seen["power lost in deliver"]


@pytest.mark.campaign
@judged
@pytest.mark.timeout(900)
async def test_twenty_kills_at_the_pace_of_the_demo_leave_twenty_outage_records(place: Path) -> None:
    """600 x, each kill in the middle of an exchange; the run goes on by rule, truth and ledger agree (in `judge`)."""
    seen = await kills(place, 20, seed=7, cuts=[], warm=True)
    assert seen["outage records"] == 20 and seen["mid-stroke"] + seen["between strokes"] == 20


async def kills(place: Path, count: int, *, seed: int, cuts: list[Direction], warm: bool) -> Counter[str]:
    """Kill the controller `count` times, let it go on each time, end the run, and judge; what was met, counted.

    `cuts`: the strokes in whose middle, one after another, both pumps lose their power too while nobody looks.
    """
    chance, seen = Random(seed), Counter[str]()
    open_doses: list[list[str]] = []
    async with Processes(place, seed=seed, protocol=exchanges(4 * count), warm=warm) as bench:
        await bench.boot()
        for _ in range(count):
            await until_in_exchange(bench, seen, LATEST_S * chance.random())
            await bench.kill()
            rows = left_open(bench, seen)
            open_doses.append([row.dose_id for row in rows])
            if cuts and any(row.stroke == cuts[0] for row in rows):
                bench.cut_power()
                seen[f"power lost in {cuts.pop(0)}"] += 1
            await bench.boot()
        await ended(bench, seen)
        judge(bench, open_doses, seen)
    print(f"{count} kills, seed {seed}: {dict(seen)}")
    return seen


async def until_in_exchange(bench: Processes, seen: Counter[str], moved_s: float) -> None:
    """Wait until plungers have moved for `moved_s` in exchanges of this life; a held run gets its answer on the way."""
    begun = None
    async with bench.patience():
        while True:
            run = bench.run()
            await answered(bench, run, seen)
            assert run.get("state") not in ENDED, "too few exchanges for so many kills"
            if exchanging(run):
                for _ in range(20):
                    if await bench.movement():
                        begun = begun or bench.now
                        if bench.now >= begun + moved_s:
                            return
            else:
                await asyncio.sleep(0.1)


def exchanging(run: dict[str, Any]) -> bool:
    return any(step["work"] == "Exchange" for step in run.get("steps", ()))


async def answered(bench: Processes, run: dict[str, Any], seen: Counter[str]) -> None:
    """Settle the questions of a held run and let it go on. All stands still then: truth and ledger must agree."""
    bench.alive()
    if run.get("state") != "HELD":
        return
    seen["held with a question"] += any(step["question"] for step in run["steps"])
    assert run["why"], "held without a word"
    for answer in bench.decide(run):
        seen[f"answered {answer.split()[1]}"] += 1
    agree(bench)
    bench.ask("command", run=run["run"], cause="restart", why="looked at it")


async def ended(bench: Processes, seen: Counter[str]) -> None:
    """Pause, which lets the exchange under way come to its end, and stop the run as a person would."""
    async with bench.patience():
        while (run := bench.run()).get("state") != "PAUSED":
            await answered(bench, run, seen)
            if run.get("state") == "RUNNING":
                bench.ask("command", run=run["run"], cause="pause", why="enough")
            await asyncio.sleep(0.05)
        bench.ask("command", run=run["run"], cause="stop", why="enough")
        await until(lambda: bench.run().get("state") == "STOPPED", "the run has stopped", bench.alive)


def left_open(bench: Processes, seen: Counter[str]) -> list[DoseRow]:
    """The doses the dead controller left open in its ledger; counts where it died."""
    with bench.ledger() as ledger:
        rows = ledger.open_doses()
    seen["mid-stroke" if rows else "between strokes"] += 1
    seen.update(f"{row.part} {row.stroke}" for row in rows)
    return rows


@pytest.mark.req("INV-22", "DX-03", "SM-03")
async def test_what_the_socket_confirmed_is_in_the_ledger_after_a_kill_at_once(place: Path) -> None:
    # A wait behind the first answer: a stroke begun before the kill would be a question, and hold the run (DS-06).
    text = exchanges(3).replace("      - prime:", "      - wait: 4 h\n      - prime:")
    async with Processes(place, speed=30.0, warm=True) as bench:

        async def confirmed(do: str, **arguments: object) -> Any:
            """Ask, and kill the controller as soon as it has answered."""
            answer = bench.ask(do, **arguments)
            await bench.kill()
            return answer

        await bench.boot()
        assert await confirmed("start", protocol=text, key="start-1") == {"run": "run-1"}
        with bench.ledger() as ledger:
            (run,) = ledger.runs()
            assert (run.run_id, run.state, run.protocol) == ("run-1", "RUNNING", text)
            assert ledger.answer(scoped("start-1", LOCAL))["run"] == "run-1"

        await bench.boot()
        assert bench.ask("start", protocol=text, key="start-1") == {"run": "run-1"}
        await until(lambda: bench.ask("tasks"), "a person has something to do", bench.alive)
        (task,) = bench.ask("tasks")
        said = {"run": task["run"], "path": task["path"], "by": "simulated tester", "key": "answer-1"}
        assert await confirmed("answer", **said) == {"state": "answered"}
        with bench.ledger() as ledger:
            assert len(ledger.runs()) == 1
            row = ledger.task(task["run"], task["path"])
            assert row is not None and (row.state, row.answered_by) == ("answered", "simulated tester")
            assert ledger.answer(scoped("answer-1", LOCAL))["state"] == "answered"

        await bench.boot()
        assert bench.ask("answer", **said) == {"state": "answered"}
        async with bench.patience():
            while bench.run()["state"] != "RUNNING":
                bench.alive()
                await asyncio.sleep(0.02)
        hold = {"run": "run-1", "cause": "hold", "why": "a test", "key": "hold-1"}
        state = await confirmed("command", **hold)
        with bench.ledger() as ledger:
            assert ledger.runs()[0].state == state["state"] == "HOLDING"
            assert ledger.answer(scoped("hold-1", LOCAL))["state"] == state["state"]

        await bench.boot()
        await until(lambda: bench.run()["state"] == "HELD", "the hold is complete", bench.alive)
        assert bench.ask("command", **hold) == state
        (alarm, *_) = [row for row in bench.ask("snapshot")["alarms"] if row["key"].startswith("restart:")]
        await confirmed("acknowledge", alarm=alarm["alarm_id"])
        with bench.ledger() as ledger:
            acked = {row.alarm_id: row.acked_at for row in ledger.alarms()}
            assert acked[alarm["alarm_id"]] is not None
            assert len(ledger.outages()) == 3
        assert verify(bench.data).ok


@pytest.mark.req("DX-05", "INV-12")
async def test_a_second_controller_names_the_first_and_says_nothing_to_any_device(place: Path) -> None:
    async with (
        Processes(place, speed=60.0) as bench,
        Tap(place / "t", bench.world_socket) as tap,
        Ports(bench.bench_file, place / "ports.toml") as ports,
    ):
        first = await bench.boot()
        for second in (
            ("simulators", *bench.controller_line(world=tap.path)),
            ("controller", "--bench", ports.bench_file, "--data", bench.data),
        ):
            code, said = await bench.refused("-m", *second)
            assert code == 1
            assert f"process {first['pid']}" in said and "Traceback" not in said
        assert kinds(tap.heard) <= {"hello observer", "now"}
        assert ports.opened == 0
        bench.alive()
        assert {device["condition"] for device in bench.ask("snapshot")["devices"]} == {"ready"}
        assert bench.hello()["epoch"] == first["epoch"]
        with bench.ledger() as ledger:
            assert ledger.newest_epoch() == first["epoch"]


@pytest.mark.req("DX-05", "INV-12")
async def test_with_its_supervisor_killed_control_goes_on_and_the_next_serve_takes_over(place: Path) -> None:
    async with Processes(place) as bench:
        await bench.simulate_on_ports()
        supervisor = bench.serve()
        await until(lambda: bench.hello().get("state") == "running", "the controller is up")
        first = bench.hello()
        bench.mind(first["pid"])
        supervisor.kill()
        supervisor.wait(60)
        await polled_again(bench)
        second = bench.serve()
        going_on = f"going on with the controller that is running (pid {first['pid']})"
        await until(lambda: going_on in bench.log(), "the next serve says that it takes over", bench.alive)
        await polled_again(bench)
        assert bench.hello()["epoch"] == first["epoch"]
        with bench.ledger() as ledger:
            assert ledger.newest_epoch() == first["epoch"] and ledger.outages() == []
        second.terminate()
        await until(lambda: second.poll() is not None, "serve has ended in order")
        assert second.returncode == 0 and processes.born(first["pid"]) == ""
        with bench.ledger() as ledger:
            assert ledger.audit()[-1].action == "controller.stopped"


async def polled_again(bench: Processes) -> None:
    """Control goes on: the same process gets a new reading of every device."""
    now = bench.ask("hello")["now"]
    await until(lambda: bench.fresh_since(now), "every device was polled again", bench.alive)
    assert bench.hello()["pid"] == bench.pid
