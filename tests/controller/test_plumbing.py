"""A stroke goes only where its valve is seen to stand, and a loop is stopped by nobody but a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from controller.bench import Bench
from controller.errors import Blocked
from controller.latest import Latest
from controller.poller import Condition, Keeper
from controller.run.binding import failures
from controller.run.transfers import Site, Transfers
from controller.settings import parse
from drivers.core.fluid import Direction
from drivers.core.link import open_link
from protocols.effects import Transfer
from protocols.loading import load
from protocols.planning import plan as make_plan
from simulators.bench import START
from tests.simulators.perfused_lab import BED, HEAD, TOML, WAIT, PerfusedLab


async def nobody(*_: object) -> None:
    """Nobody listens."""


IN = Transfer("x", "fill", "medium in", "volume", 4.0, 3.0, "medium", "bed")


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PerfusedLab]:
    made = PerfusedLab(tmp_path / "data")
    yield made
    await made.close()


# --- valves


async def lead(
    lab: PerfusedLab, direction: Direction, part: str = "fill", bed: int = 2, path: str = "medium in"
) -> int | None:
    """Turn the valve for one stroke of a bed; where it stands then, by its own encoder."""
    transfers: Transfers = lab.runs.doors.transfers
    unit = lab.settings.unit(f"bed_{bed}")
    await transfers._lead(unit.paths[path], direction, part, asyncio.Event())
    return await lab.controller.bench.valve("exchange_valve").position()


async def test_each_stroke_has_its_position_and_priming_one_of_its_own(lab: PerfusedLab) -> None:
    await lab.up()
    assert await lead(lab, Direction.DRAW) == 1
    assert await lead(lab, Direction.DELIVER) == 4
    assert await lead(lab, Direction.DELIVER, part="prime") == 2
    assert await lead(lab, Direction.DRAW, path="medium out", bed=4) == 6
    assert await lead(lab, Direction.DELIVER, path="medium out", bed=4) == 2
    assert lab.truth()["valve_port"] == 2


def stuck(lab: PerfusedLab) -> None:
    valve: Any = lab.bench.lines["valve"].devices["exchange_valve"]
    valve.stuck = True


def deaf(lab: PerfusedLab) -> None:
    lab.bench.inject("deaf@exchange_valve", lab.now)


def turned_back(lab: PerfusedLab) -> None:
    """Somebody turns it by hand as soon as it has come to rest."""
    valve: Any = lab.bench.lines["valve"].devices["exchange_valve"]
    connect = valve.place.connect

    def meddle(now: float, port: int) -> None:
        connect(now, port)
        if port == 4:
            valve.turn_by_hand(7, now)

    valve.place.connect = meddle


@pytest.mark.req("INV-02")
@pytest.mark.parametrize("trouble", [stuck, deaf, turned_back])
async def test_a_valve_not_seen_at_its_position_blocks_the_stroke_and_nothing_moves(
    lab: PerfusedLab, trouble: Callable[[PerfusedLab], None]
) -> None:
    await lab.up()
    before = lab.truth()
    trouble(lab)
    with pytest.raises(Blocked, match="exchange_valve"):
        await lead(lab, Direction.DELIVER)
    after = lab.truth()
    assert (after["syringe_drawn_ml"], after["syringe_delivered_ml"]) == (
        before["syringe_drawn_ml"],
        before["syringe_delivered_ml"],
    )


async def test_a_valve_that_is_not_there_blocks_a_transfer_with_its_reason_and_no_row_is_written(
    lab: PerfusedLab,
) -> None:
    await lab.up()
    lab.bench.inject("silence@exchange_valve", lab.now)
    assert await lab.until(lambda: not lab.controller.bench.keepers["exchange_valve"].ready, 300.0)
    site = Site("run-9", lab.settings.unit("bed_2"), lab.now)
    result = await lab.runs.doors.transfers.perform(site, IN, asyncio.Event())
    assert result is not None
    assert (result.outcome, "exchange_valve is lost" in result.why) == ("refused", True)
    assert lab.ledger.doses() == []


async def test_a_valve_is_not_turned_once_a_hold_has_come(lab: PerfusedLab) -> None:
    await lab.up()
    halt = asyncio.Event()
    halt.set()
    unit = lab.settings.unit("bed_2")
    with pytest.raises(Blocked, match="a stop came"):
        await lab.runs.doors.transfers._lead(unit.paths["medium in"], Direction.DELIVER, "fill", halt)
    assert lab.truth()["valve_port"] == 1


@pytest.mark.req("RM-06")
async def test_priming_through_a_valve_needs_a_place_that_is_not_the_vessel() -> None:
    settings = parse(TOML.replace("prime_position = 2 ", "# "))

    bench = Bench(settings, lambda name, url: open_link(url), Latest(), admit=nobody, told=nobody)
    plan = make_plan(load(BED), START, "Asia/Tokyo", {})
    (said,) = failures(plan, settings.units[0], bench)
    assert "has no prime_position: exchange_valve would lead it into the vessel" in said


# --- loops


def keeper(lab: PerfusedLab, name: str) -> Keeper:
    return lab.controller.bench.keepers[name]


def said_to(lab: PerfusedLab, what: bytes) -> list[bytes]:
    return [data for _, link, data in lab.wire if link == "loops" and data[1:2] == what]


def test_loops_are_movers_only_where_loops_are_asked_for() -> None:
    settings = parse(TOML)
    bench = Bench(settings, lambda name, url: open_link(url), Latest(), admit=nobody, told=nobody)
    loops = {f"loop_{bed}" for bed in (1, 2, 3, 4)}
    assert set(bench.movers()) == {"exchange_pump"}
    assert set(bench.movers(loops=True)) == {"exchange_pump", *loops}
    assert set(bench.movers(settings.units[1])) == {"exchange_pump"}
    assert set(bench.movers(settings.units[1], loops=True)) == {"exchange_pump", "loop_2"}


@pytest.mark.req("DX-10", "EQ-07")
async def test_neither_a_start_nor_a_loss_nor_a_new_connection_says_stop_to_a_loop(lab: PerfusedLab) -> None:
    await lab.up()
    await lab.begin(2, HEAD + WAIT)
    flow = lab.flows()
    lab.wire.clear()
    lab.bench.inject("silence@loop_1:for_s=200", lab.now)
    assert await lab.until(lambda: keeper(lab, "loop_2").condition is Condition.LOST, 300.0)
    assert await lab.until(lambda: keeper(lab, "loop_2").ready, 300.0)
    lab.unplug("loops")
    await asyncio.sleep(120.0)
    await lab.kill()
    await lab.up()
    lab.controller.stop()
    assert lab.life is not None
    await lab.life.task
    assert said_to(lab, b"I") == [], "I stops a channel"
    assert said_to(lab, b"H") == [], "and H starts one: nothing had to be started again"
    assert lab.flows() == flow == [0.0, 0.2, 0.0, 0.0]


async def test_a_dosing_pump_on_the_same_bench_is_stopped_before_it_is_prepared(lab: PerfusedLab) -> None:
    """The Cavro at rest is only asked whether it rests; one in mid-stroke is told T."""
    await lab.up()
    await lab.begin(1, BED)
    assert await lab.until(lambda: lab.truth()["drawn_from_reservoir_1_ml"] > 1.0, 3600.0)
    await lab.kill()
    lab.wire.clear()
    await lab.up()
    told = [data for _, link, data in lab.wire if link == "exchange"]
    assert any(data[3:4] == b"T" for data in told)
    moved = lab.truth()["syringe_drawn_ml"]
    await asyncio.sleep(60.0)
    assert lab.truth()["syringe_drawn_ml"] == moved
