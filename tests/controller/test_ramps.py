"""A ramp on the real outputs: its steps are on record, and a crash costs neither its place nor its pace."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

import protocols
from controller.run.pace import failures
from controller.settings import BenchInvalid, parse
from protocols.states import Cause
from tests.controller.quick import HEAD, POUR, TOML, QuickLab
from tests.runs.lab import TESTER

POINT = "incubator.temperature_setpoint"
RAMP = (
    HEAD.replace("hold: {temperature: 36.5 degC}", "hold: {co2: 5 %}")
    + POUR
    + """
  - stage: Cool
    do:
      - set: {temperature: 31.0 degC over 60 min}
      - wait: 2 h
"""
)


@pytest.mark.req("INV-09", "DX-20", "INV-23")
async def test_a_ramp_goes_on_after_a_hold_and_a_crash_from_where_it_stood(lab: QuickLab) -> None:
    def value() -> float:
        return float(lab.controller.latest.get(POINT).value)

    await lab.poured(RAMP)
    assert await lab.until(lambda: value() < 35.0, 3600.0)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    held = value()
    await asyncio.sleep(1200.0)
    assert value() == pytest.approx(held, abs=0.061)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: value() < 33.0, 3600.0)
    await lab.kill()
    died = lab.now
    await asyncio.sleep(1200.0)
    await lab.up()
    assert await lab.until(lambda: value() < 32.9, 600.0)
    assert value() > 32.7, "the time nobody was in control is not made up for"
    assert await lab.until(lambda: lab.engine.run.finished.get("cool/set") == "done", 3600.0)
    assert await lab.until(lambda: value() == 31.0, 60.0)
    written = [row for row in lab.ledger.audit() if row.action == "set point" and row.object_id == POINT]
    values = [float(row.fields["new"]) for row in written if row.run_id == "run-1"]
    assert all(0 < a - b < 0.15 for a, b in pairwise(values[1:])), values
    assert lab.now - died < 1200.0 + 2400.0


def fastest(role: str) -> str:
    return TOML.replace('[units.paths."medium in"]', f'[units.fastest]\n{role} = 5\n[units.paths."medium in"]', 1)


@pytest.mark.req("INV-09")
def test_a_plan_that_changes_a_set_point_faster_than_the_bench_allows_is_refused_before_it_starts() -> None:
    unit = parse(fastest("temperature")).units[0]
    for over, says in (
        (" over 60 min", ["over 60 min, reactor allows 5 Cel an hour; write 'over 72 min' or longer"]),
        ("", ["at once, reactor allows 5 Cel an hour; write 'over 72 min' or longer"]),
        (" over 72 min", []),
    ):
        plan = protocols.plan(protocols.load(RAMP.replace(" over 60 min", over)), 0.0, "UTC")
        found = [text.removeprefix("cool/set: temperature from 37 to 31 Cel ") for text in failures(plan, unit)]
        assert found == says
    with pytest.raises(BenchInvalid, match="reactor sets no 'humid'"):
        parse(fastest("humid"))
