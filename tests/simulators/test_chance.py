"""Faults by chance from a seed, and the shortest list of them with which a run still fails."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.bench import SimulatedBench, shipped
from simulators.chance import NEVER, expanded, random_faults
from simulators.core.faults import FAULTS, parse
from simulators.core.faults.table import Kind
from simulators.shrinking import shortest

pytestmark = pytest.mark.req("SIM-03")
STIRRED, PERFUSED = shipped(), shipped("perfusion-4")
DAY = 86400.0


@pytest.mark.parametrize("config", [STIRRED, PERFUSED], ids=["stirred", "perfused"])
def test_a_seed_gives_its_faults_and_the_bench_takes_every_one(config):
    for seed in range(30):
        faults = random_faults(config, seed, DAY)
        assert faults == random_faults(config, seed, DAY)
        SimulatedBench(config, faults=faults)
        assert all(0.0 <= parse(text).parameters["after_s"] <= DAY for text in faults)


def test_a_run_has_some_kinds_and_never_all_and_many_runs_have_every_kind():
    runs = [random_faults(STIRRED, seed, DAY) for seed in range(300)]
    sizes = [len(faults) for faults in runs]
    assert min(sizes) < 3 and max(sizes) < 20 and 3 < sum(sizes) / len(sizes) < 9
    seen = Counter(parse(text).name for faults in runs for text in faults)
    assert set(seen) == set(FAULTS) - set(NEVER)
    of_kind = Counter(parse(text).entry.kind for faults in runs for text in faults)
    assert set(of_kind) == set(Kind)


def test_faults_strike_all_over_the_bench_and_the_time():
    specs = [parse(text) for seed in range(300) for text in random_faults(STIRRED, seed, DAY)]
    assert {spec.target for spec in specs if spec.name == "silence"} == {
        "incubator", "ph_probe", "do_probe", "pump_in", "pump_out", "balance",
    }  # fmt: skip
    assert {spec.target for spec in specs if spec.name == "exception"} == {"ph_probe", "do_probe"}
    early = sum(spec.parameters["after_s"] < DAY / 2 for spec in specs)
    assert 0.4 < early / len(specs) < 0.6


def test_the_word_random_is_written_out_among_others():
    found = expanded(["check-valve", "random"], STIRRED, 5, DAY)
    assert found == ["check-valve", *random_faults(STIRRED, 5, DAY)]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40, unique=True), st.data())
def test_what_is_left_fails_and_without_any_one_of_it_does_not(faults, data):
    culprits = set(data.draw(st.lists(st.sampled_from(faults), min_size=1, max_size=4, unique=True)))
    runs: list[list[int]] = []

    def fails(some: list[int]) -> bool:
        runs.append(some)
        return culprits <= set(some)

    found = shortest(faults, fails)
    assert found == [each for each in faults if each in culprits]
    assert len(runs) <= 4 * (len(faults) + 8)


def test_a_list_that_does_not_fail_is_refused_and_one_that_fails_without_any_fault_is_empty():
    with pytest.raises(ValueError, match="does not fail"):
        shortest([1, 2], lambda some: False)
    assert shortest([1, 2], lambda some: True) == []


def test_one_of_many_is_found_by_halving():
    runs: list[int] = []

    def fails(some: list[int]) -> bool:
        runs.append(len(some))
        return 77 in some

    assert shortest(list(range(128)), fails) == [77]
    assert len(runs) < 30
