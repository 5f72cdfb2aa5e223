"""A time-lapse has the acts of the whole plan, in their order, and none of its waiting."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

import protocols
from controller.amendments import Wish
from controller.settings import load as load_settings
from protocols.plan import Exchange, Hand, Pause, Plan
from simulators.bench import START as BENCH_START
from simulators.bench import read
from simulators.core.time import VirtualLoop
from simulators.rehearsal import REHEARSER, Rehearsal, shipped_bench
from simulators.timelapse import PAUSE_S, cut_short
from tests.protocols.answering import START

HOUR = 3600.0
LIBRARY = protocols.library()


def planned(name: str) -> Plan:
    return protocols.plan(protocols.load(name), START, "Asia/Tokyo")


@pytest.mark.parametrize("name", LIBRARY)
def test_every_step_is_there_in_the_order_of_the_whole_plan_and_none_comes_later(name: str):
    whole = planned(name)
    short, lapse = cut_short(whole)
    assert list(short.nodes) == list(whole.nodes)
    dues = [(node.due, short.nodes[path].due) for path, node in whole.nodes.items() if node.due is not None]
    for written, comes in dues:
        assert START <= comes <= written
        assert lapse.whole(comes) == pytest.approx(written, abs=1e-3)
        assert lapse.short(written) == comes
    assert [comes for _, comes in sorted(dues)] == sorted(comes for _, comes in dues)
    assert max((comes for _, comes in dues), default=START) < START + 48 * HOUR


@pytest.mark.parametrize("name", LIBRARY)
def test_what_is_done_is_the_same_but_for_waiting(name: str):
    whole = planned(name)
    short, _ = cut_short(whole)
    for path, node in whole.nodes.items():
        if isinstance(node.work, Pause):
            assert short.nodes[path].work == Pause(min(node.work.for_s, PAUSE_S))
        elif isinstance(node.work, Hand | Exchange):
            assert short.nodes[path].work == node.work


def test_distances_that_must_be_kept_shrink_with_the_time_between():
    whole = planned("adsc-osteo-spheroid-28d")
    short, _ = cut_short(whole)
    occurrences = short.nodes["maturation/exchange-in-the-reactor"].children
    for before, after in pairwise(occurrences):
        assert before.due is not None
        assert after.due is not None
        assert 0 < after.min_interval_s < after.due - before.due < 4 * HOUR


def test_pumps_may_be_asked_for_fewer_rounds_and_keep_first_and_last():
    whole = planned("adsc-osteo-spheroid-28d")
    short, _ = cut_short(whole, rounds=3)
    path = "maturation/exchange-in-the-reactor"
    assert [node.path.rpartition("/")[2] for node in short.nodes[path].children] == ["1", "2", "11"]
    assert len(short.nodes["maturation/exchange-in-the-plates"].children) == 5, "what hands do stays whole"


@pytest.mark.req("RM-05")
def test_other_values_for_a_run_in_a_time_lapse_go_by_the_clocks_it_began_with(tmp_path: Path):
    bench = shipped_bench()
    rehearsal = Rehearsal(load_settings(bench), read(bench), tmp_path, 1, time_lapse=True, rounds=3)

    async def amended() -> tuple[Plan, Plan, object]:
        text = protocols.load("adsc-osteo-spheroid-28d").text
        async with rehearsal.alive(text, {}, lambda day, state: None) as (engine,):
            before, lived = engine.plan, rehearsal.bench.surroundings.lived
            runs = rehearsal.controller.runs
            assert runs is not None
            await runs.amend(
                "run-1", Wish("set", settings={"fill volume": "15 mL"}), REHEARSER, why="less medium is left"
            )
            return before, engine.plan, lived

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(BENCH_START)) as runner:
        before, after, lived = runner.run(amended())
    assert lived == rehearsal.bench.surroundings.lived
    assert [(node.path, node.due, node.min_interval_s) for node in after.nodes.values()] == [
        (node.path, node.due, node.min_interval_s) for node in before.nodes.values()
    ]
    fills = {node.work.fill_ml for node in after.nodes.values() if isinstance(node.work, Exchange)}
    assert fills == {15.0}
