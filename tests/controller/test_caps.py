"""Caps on what flows into a vessel: counted from the ledger of all runs, unknown as delivered, also after a restart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from controller.run import caps
from controller.run.intents import Intent
from controller.settings import CapSettings, UnitCaps, parse
from drivers.core.fluid import Direction
from protocols.states import Cause
from tests.controller.quick import HEAD, POUR, TOML, QuickLab
from tests.runs.lab import TESTER

HOUR_S, DAY_S = 3600.0, 86_400.0
UNIT = parse(TOML).units[0]
DELIVERED = Intent(
    "run-1/a#fill.deliver.1", "run-1", "a", "fill", 1, Direction.DELIVER, "medium", "medium in", "pump_in", "P",
    10.0, 0.1, 10.0, 1.0, 1, 0.0, 0.0, 0.0, 0.01, state="done", moved_ml=10.0, ended_at=600.0,
)  # fmt: skip


def capped(fluids: dict[str, CapSettings] | None = None, **most: float):
    return UNIT.model_copy(update={"caps": UnitCaps(all=CapSettings(**most), fluids=fluids or {})})


def against(unit, *rows: Intent, now: float = 1000.0, ml: float = 5.0, run_id: str = "run-1", fluid: str = "medium"):
    return caps.against(unit, caps.Inflow(rows), run_id=run_id, fluid=fluid, dose_ml=ml, next_ml=ml, now=now)


@pytest.mark.req("DS-07")
def test_a_cap_counts_what_was_delivered_in_its_time():
    assert "15.00 mL of fluid in one hour; 12 mL is the cap of reactor" in against(capped(hour_ml=12), DELIVERED)
    assert against(capped(hour_ml=15), DELIVERED) == ""
    assert against(capped(hour_ml=12), DELIVERED, now=600 + HOUR_S) == ""
    assert "in one day" in against(capped(day_ml=12), DELIVERED, now=599 + DAY_S)
    assert against(capped(day_ml=12), DELIVERED, now=600 + DAY_S) == ""
    assert "in one dose" in against(capped(dose_ml=4), DELIVERED)


@pytest.mark.req("DS-07")
def test_what_nobody_has_measured_counts_as_delivered_in_full():
    open_ = replace(DELIVERED, state="intended", moved_ml=None, ended_at=None)
    assert "in one hour" in against(capped(hour_ml=12), open_, now=30 * DAY_S), "it may still be flowing"
    unknown = replace(DELIVERED, state="unknown", moved_ml=None)  # fenced: it flowed before it was given up
    assert "in one hour" in against(capped(hour_ml=12), unknown)
    assert against(capped(hour_ml=12), unknown, now=600 + HOUR_S) == ""
    assert "in one run" in against(capped(run_ml=12), unknown, now=30 * DAY_S)


@pytest.mark.req("DS-07")
def test_a_run_cap_is_of_the_run_and_an_hour_cap_is_of_the_unit():
    assert against(capped(run_ml=12), DELIVERED, run_id="run-2") == ""
    assert "in one run" in against(capped(run_ml=12), DELIVERED)
    assert "in one hour" in against(capped(hour_ml=12), DELIVERED, run_id="run-2")


@pytest.mark.req("DS-07")
def test_one_fluid_may_have_a_cap_of_its_own():
    unit = capped({"serum": CapSettings(day_ml=12)})
    assert against(unit, DELIVERED, fluid="serum") == ""
    assert "15.00 mL of serum in one day" in against(unit, replace(DELIVERED, fluid="serum"), fluid="serum")
    assert against(unit, replace(DELIVERED, fluid="serum"), fluid="medium") == ""


def test_drawing_into_the_syringe_priming_and_withdrawing_bring_nothing_into_the_vessel():
    others = (
        replace(DELIVERED, stroke=Direction.DRAW),
        replace(DELIVERED, part="prime"),
        replace(DELIVERED, part="rinse"),
        replace(DELIVERED, fluid_path="medium out"),
    )
    assert against(capped(hour_ml=12), *others) == ""


@pytest.mark.req("DS-10")
def test_the_parts_of_a_dose_have_the_cap_of_the_whole():
    rows = [replace(DELIVERED, path=f"a/dose/{i}", moved_ml=2.5, tolerance_ml=0.025) for i in (1, 2, 3)]
    assert caps.against_split(rows, whole="a/dose", cap_ml=10.0, next_ml=2.5) == ""
    assert "10 mL are all of it" in caps.against_split([*rows, rows[0]], whole="a/dose", cap_ml=10.0, next_ml=2.5)
    unknown = replace(rows[0], state="unknown", moved_ml=None)
    assert caps.against_split([*rows[1:], unknown], whole="a/dose", cap_ml=10.0, next_ml=2.5)


TWO = (
    HEAD
    + POUR
    + """
  - stage: Feed
    do:
      - fill: {into: reactor, volume: 4 mL, of: medium, at: 6 mL/min}
        at most: 30 min
      - wait: 10 min
      - fill: {into: reactor, volume: 4 mL, of: medium, at: 6 mL/min}
        at most: 30 min
"""
)


@pytest.mark.req("DS-07", "INV-06")
async def test_a_cap_holds_in_truth_and_across_a_restart(tmp_path) -> None:
    toml = TOML.replace("[units.roles]", "[units.caps.all]\nhour_ml = 6\n[units.roles]")
    lab = QuickLab(tmp_path / "data", bench_toml=toml, plant_toml=TOML)
    try:
        await lab.poured(TWO)
        assert await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 3600.0)
        await lab.kill()
        await lab.up()
        assert await lab.until(lambda: lab.engine.run.state == "HELD", 3600.0)
        assert "8.00 mL of fluid in one hour; 6 mL is the cap" in lab.engine.run.why
        assert float(lab.truth()["vessel_ml"]) < 94.5
        assert sum(row.path == "feed/fill-2" for row in lab.ledger.doses()) == 0
        assert await lab.until(lambda: lab.now - (lab.ledger.doses()[-1].ended_at or 0) > HOUR_S, 2 * HOUR_S, 60.0)
        await lab.runs.command("run-1", Cause.RESTART, TESTER)
        assert await lab.settle(HOUR_S) == "COMPLETE"
    finally:
        await lab.close()


SPLIT = (
    HEAD
    + POUR
    + """
  - stage: Feed
    do:
      - dose: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min, split: {into: 3 times, every: 20 min}}
        at most: 15 min
      - rinse: {volume: 1 mL, of: medium, at: 6 mL/min, times: 2}
        at most: 15 min
      - withdraw: {from: reactor, volume: 5 mL, at: 5 mL/min}
        at most: 15 min
      - withdraw: {from: reactor, volume: 5 mL, at: 5 mL/min}
        at most: 15 min
      - withdraw: {from: reactor, to level: 72 mL, at most: 30 mL, at: 5 mL/min}
        at most: 60 min
"""
)


@pytest.mark.req("DS-10", "DS-13", "INV-02")
async def test_parts_of_a_dose_rinses_and_withdrawals_go_through_the_ledger(lab: QuickLab) -> None:
    await lab.poured(SPLIT)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 4 * HOUR_S)
    assert "pump counter 5.00 mL, second witness 1.00 mL" in lab.engine.run.why  # its line was empty: 4 mL of air
    await lab.runs.decide("run-1", "feed/withdraw", "delivered", TESTER, volume_ml=1.0)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    state = await lab.settle(4 * HOUR_S)
    assert state == "COMPLETE", lab.engine.run.why
    parts = [(row.path, row.part) for row in lab.ledger.doses() if row.stroke == "deliver"]
    assert parts == [
        *((f"feed/dose/{i}", "dose") for i in (1, 2, 3)),
        *((f"feed/rinse/{i}", "rinse") for i in (1, 2)),
        ("feed/withdraw", "remove"),
        ("feed/withdraw-2", "remove"),
        ("feed/withdraw-3", "withdraw"),
    ]
    began = [row.intended_at for row in lab.ledger.doses() if row.part == "dose" and row.stroke == "draw"]
    assert [round(b - a) for a, b in pairwise(began)] == [1200, 1200]
    assert lab.engine.volume().ml == pytest.approx(72.0, abs=0.1)
    assert float(lab.truth()["vessel_ml"]) == pytest.approx(72.0, abs=0.5)
    assert {path for path, end in lab.engine.run.finished.items() if end != "done"} == {"feed/withdraw"}
