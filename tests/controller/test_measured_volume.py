"""What a vessel holds goes on from run to run, and begins anew where somebody has measured it."""

from __future__ import annotations

import pytest

from controller.errors import RunConflict, Unusable
from protocols.states import Cause
from tests.controller.quick import FILL, HEAD, POUR, WAIT, QuickLab
from tests.runs.lab import TESTER

MORE = (
    HEAD
    + """
  - stage: Feed
    do:
      - fill: {into: reactor, volume: 58 mL, of: medium, at: 10 mL/min}
        at most: 30 min
"""
)


async def filled_and_ended(lab: QuickLab) -> None:
    await lab.poured(FILL)
    assert await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 3600.0)
    await lab.runs.command("run-1", Cause.STOP, TESTER)
    assert await lab.until(lambda: lab.engine.ended, 200.0)
    await lab.runs.command("run-1", Cause.RESET, TESTER)


@pytest.mark.req("DS-07", "INV-04")
async def test_a_new_run_does_not_take_a_full_vessel_for_an_empty_one(lab: QuickLab) -> None:
    await filled_and_ended(lab)
    await lab.start(MORE)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 3600.0)
    assert "150 mL is the limit" in lab.engine.run.why
    assert lab.engine.volume().ml == pytest.approx(96.0, abs=1.0)
    assert not [row for row in lab.ledger.doses() if row.run_id == "run-2"], "not even drawn into the syringe"


@pytest.mark.req("DS-08")
async def test_a_measurement_begins_the_books_anew_and_a_large_difference_is_an_alarm(lab: QuickLab) -> None:
    await filled_and_ended(lab)
    told = await lab.runs.measure(None, 60.0, TESTER, why="emptied to the mark and weighed", key="k")
    assert told["more_than_booked_ml"] == pytest.approx(-36.0, abs=1.0)
    assert await lab.runs.measure(None, 60.0, TESTER, why="emptied to the mark and weighed", key="k") == told
    (alarm,) = [row for row in lab.controller.alarms.open() if row["key"].startswith("volume:")]
    assert "60.0 mL by measurement" in alarm["text"]
    await lab.start(MORE)
    assert await lab.settle(3600.0) == "COMPLETE"
    assert lab.engine.volume().ml == pytest.approx(118.0, abs=1.0)
    await lab.runs.measure("reactor", 117.5, TESTER, why="read off the scale")
    assert len([row for row in lab.controller.alarms.open() if row["key"].startswith("volume:")]) == 1


@pytest.mark.req("DS-08")
async def test_nothing_is_measured_while_fluid_is_on_its_way_or_without_a_reason(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    with pytest.raises(RunConflict, match="fluid is on its way"):
        await lab.runs.measure("reactor", 93.0, TESTER, why="read off the scale")
    with pytest.raises(Unusable, match="say why"):
        await lab.runs.measure("reactor", 93.0, TESTER, why="")
    assert await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 3600.0)
    await lab.runs.measure("reactor", 95.0, TESTER, why="read off the scale")
    assert lab.engine.volume().ml == pytest.approx(95.0, abs=0.01)
    await lab.kill()
    await lab.up()
    assert lab.engine.volume().ml == pytest.approx(95.0, abs=0.1)


@pytest.mark.req("DS-08", "INV-04")
async def test_a_volume_far_from_the_books_is_not_taken_while_the_run_goes_on(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    booked = lab.engine.volume().ml
    with pytest.raises(RunConflict, match=r"9 mL are 8\d\.\d mL less than the books say: hold the run, look again"):
        await lab.runs.measure("reactor", 9.0, TESTER, why="read off the scale")
    assert lab.engine.volume().ml == pytest.approx(booked, abs=0.1)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    await lab.runs.measure("reactor", 9.0, TESTER, why="it has leaked: read off the scale")
    assert lab.engine.volume().ml == pytest.approx(9.0, abs=0.01)


@pytest.mark.req("INV-04")
async def test_a_harvested_vessel_is_empty_for_the_next_run(lab: QuickLab) -> None:
    harvest = HEAD + POUR + "      - hand: Harvest\n        acts: [{harvest: reactor}]\n"
    await lab.poured(harvest)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    await lab.runs.answer("run-1", lab.runs.tasks()[0]["path"], {}, TESTER)
    assert await lab.settle(600.0) == "COMPLETE"
    await lab.runs.command("run-1", Cause.RESET, TESTER)
    await lab.start(MORE)
    assert lab.engine.volume().ml == pytest.approx(0.0, abs=0.01)
    assert lab.ledger.volumes("reactor") == []
