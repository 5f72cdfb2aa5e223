"""Real processes, kill -9 of the controller in the middle of exchanges, judged by the truth of a world that lives on."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from controller.store.verify import verify
from tests.runs.processes import PUMPS, Processes, exchanges, until

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(180)]

LATEST_S = 700.0
"""A kill comes at most so many bench seconds after the first plunger of a life was seen to move."""
MANY = 60
"""More exchanges than any test needs."""
ENDED = ("COMPLETE", "STOPPED", "ABORTED")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: the address of a Unix socket has 108 bytes at most."""
    return tmp_path_factory.mktemp("k")


async def kills(place: Path, count: int, seed: int, blips: tuple[int, ...] = ()) -> Counter[str]:
    """Kill the controller `count` times in exchanges, bring the run to its end, and judge. `blips` = kills during which
    the pump that moves also loses its power."""
    chance, seen = Random(seed), Counter[str]()
    async with Processes(place, seed=seed, protocol=exchanges(MANY)) as bench:
        await bench.boot()
        for number in range(count):
            await until_in_exchange(bench, seen, LATEST_S * chance.random())
            bench.kill()
            seen[where_it_died(bench)] += 1
            if number in blips:
                bench.eye.power_cycle("pump_in")
                bench.eye.power_cycle("pump_out")
                seen["blip"] += 1
            await bench.boot()
        await ended(bench, seen)
        judge(bench, seen)
    return seen


async def until_in_exchange(bench: Processes, seen: Counter[str], moved_s: float) -> None:
    """Wait until plungers have moved for `moved_s` in exchanges of this life; a held run gets its answer on the way."""
    begun = None
    async with asyncio.timeout(60):
        while True:
            run = bench.run()
            await answered(bench, run, seen)
            assert run.get("state") not in ENDED, "too few exchanges for so many kills"
            if any(step["work"] == "Exchange" for step in run.get("steps", ())):
                for _ in range(20):
                    if await bench.movement():
                        begun = begun or bench.now
                        if bench.now >= begun + moved_s:
                            return
            else:
                await asyncio.sleep(0.1)


async def ended(bench: Processes, seen: Counter[str]) -> None:
    """Let the exchange under way come to its end, then stop the run as a person would."""
    async with asyncio.timeout(90):
        while True:
            run = bench.run()
            await answered(bench, run, seen)
            if run.get("state") == "RUNNING" and not any(step["work"] == "Exchange" for step in run["steps"]):
                break
            await asyncio.sleep(0.1)
        bench.ask("command", run=run["run"], cause="stop", why="enough")
        await until(lambda: bench.run().get("state") == "STOPPED", "the run has stopped", bench.alive)


async def answered(bench: Processes, run: dict[str, Any], seen: Counter[str]) -> None:
    """Settle a held run's questions."""
    bench.alive()
    if run.get("state") == "HELD":
        seen["held"] += 1
        answers = bench.settle_question(run)
        seen["answers"] += len(answers)
        print("held:", run["why"], answers)


def where_it_died(bench: Processes) -> str:
    """By the ledger it left: in which stroke, or between two."""
    with bench.ledger() as ledger:
        rows = ledger.open_doses()
    return f"{rows[0].part} {rows[0].stroke}" if rows else "between strokes"


def judge(bench: Processes, seen: Counter[str]) -> None:
    """No dose given twice, none lost unnoticed; every death on record; nothing forgotten."""
    truth = bench.eye.truth()
    with bench.ledger() as ledger:
        rows, outages, run = ledger.doses(), ledger.outages(), ledger.runs()[0]
        epoch = ledger.newest_epoch()
    print(dict(seen), run.state, len(rows), {k: round(float(v), 2) for k, v in truth.items() if k.endswith("_ml")})
    for path, (_, name) in PUMPS.items():
        print(path, "surplus", bench.surplus(path), "gain", bench.gain(name))
    for row in rows:
        print(row.dose_id, row.state, row.target_ml, row.moved_ml, row.evidence, row.decided_by)
    assert run.state == "STOPPED"
    assert len(outages) == bench.deaths == epoch - 1
    assert not truth["overflow"]
    assert not [row for row in rows if row.state in ("intended", "unknown", "over")]
    assert verify(bench.data).ok


async def test_ten_kills(place: Path) -> None:
    await kills(place, 10, seed=1, blips=(3, 7))
