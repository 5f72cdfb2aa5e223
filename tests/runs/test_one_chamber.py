"""Several runs in one chamber over real processes: the end of one moves the environment of no other (RM-12)."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from protocols.states import RunState
from simulators.rehearsal import shipped_bench
from tests.runs.processes import Processes, until

RESTING = """
protocol: resting
version: "1"
title: A bed at rest
status: rehearsal
species: none
vessels:
  bed: {kind: perfusion, needs: [temperature, perfusion]}
environment:
  hold: {temperature: 37 degC, perfusion: 0.2 mL/min}
  end: {temperature: 37 degC, perfusion: 0.1 mL/min}
stages:
  - stage: Rest
    do:
      - set: {temperature: 37 degC, perfusion: 0.2 mL/min}
      - wait: 3 d
"""
LOOKED_AT_S = 1800.0


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: the name of a socket is at most 107 characters."""
    with TemporaryDirectory(prefix="osteon-") as folder:
        yield Path(folder)


@pytest.mark.real_time
@pytest.mark.req("RM-12", "INV-10", "INV-23")
async def test_stopping_one_run_moves_nothing_of_the_other_nor_does_a_killed_controller(place: Path) -> None:
    text = shipped_bench("perfusion-4").read_text("utf-8")
    async with Processes(place, bench=text) as bench:
        await bench.boot()
        first, second = (bench.ask("start", protocol=RESTING, unit=unit)["run"] for unit in ("bed_1", "bed_2"))
        await until(lambda: flows(bench) == (0.2, 0.2), "both loops turn", bench.alive)
        before = bench.eye.truth()
        bench.ask("command", run=first, cause="stop", why="this bed is done")
        await until(lambda: state(bench, first) == RunState.STOPPED, "the first run is stopped", bench.alive)
        await bench.kill()
        await bench.boot()
        there = float(bench.eye.truth()["at"]) + LOOKED_AT_S
        await until(lambda: float(bench.eye.truth()["at"]) > there, "half an hour has passed", bench.alive)
        after = bench.eye.truth()
        assert flows(bench) == (0.1, 0.2), "what is its own goes to its end value"
        assert state(bench, second) == RunState.RUNNING
        assert reading(bench, "incubator", "temperature_setpoint") == 37.0
        assert after["chamber_cel"] == pytest.approx(float(before["chamber_cel"]), abs=0.2)
        assert after["chamber_co2_percent"] == pytest.approx(float(before["chamber_co2_percent"]), abs=0.3)


def flows(bench: Processes) -> tuple[float, ...]:
    return tuple(reading(bench, f"loop_{bed}", "flow_setpoint") for bed in (1, 2))


def reading(bench: Processes, name: str, signal: str) -> float:
    """What the device itself shows; nan before it was read."""
    (device,) = (each for each in bench.ask("snapshot")["devices"] if each["name"] == name)
    return float(device["readings"].get(signal, {"value": nan})["value"])


def state(bench: Processes, run: str) -> str:
    with bench.ledger() as ledger:
        row = ledger.run(run)
    assert row is not None
    return row.state
