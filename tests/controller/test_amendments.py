"""Amendments through the door: seen first, with a reason, on record, and there again after a restart."""

from __future__ import annotations

import asyncio

import pytest

from controller.amendments import Wish
from controller.errors import RunConflict, Unusable
from protocols.states import Cause
from tests.controller.quick import HEAD, POUR, QuickLab
from tests.runs.lab import TESTER

FEEDS = (
    HEAD
    + POUR
    + """
  - stage: Feed
    operations:
      - operation: Fill
        every: {interval: 1 h, from: day 0 10:00, times: 3, window: ±15 min, never closer than: 20 min}
        do:
          - fill: {into: reactor, volume: 2 mL, of: medium, at: 6 mL/min}
            at most: 10 min
"""
)


@pytest.mark.req("RM-05", "AT-03")
async def test_an_amendment_is_seen_first_needs_a_reason_and_survives_a_kill(lab: QuickLab) -> None:
    await lab.poured(FEEDS)
    assert await lab.until(lambda: "feed/fill/1" in lab.engine.run.finished, 4 * 3600.0, 10.0)
    due = lab.engine.plan.nodes["feed/fill/2"].due or 0.0
    wish = Wish("move", "feed/fill/2", due + 1800.0)
    told = lab.runs.preview("run-1", wish)
    assert [row["path"] for row in told["before"]] == ["feed/fill/2/fill"]
    assert told["after"][0]["at"] == due + 1800.0
    assert lab.engine.plan.nodes["feed/fill/2"].due == due, "a preview does nothing"
    with pytest.raises(Unusable, match="say why"):
        await lab.runs.amend("run-1", wish, TESTER, why="hm")
    told = await lab.runs.amend("run-1", wish, TESTER, why="the room is closed until ten", key="k")
    assert await lab.runs.amend("run-1", wish, TESTER, why="the room is closed until ten", key="k") == told
    await lab.runs.amend("run-1", Wish("skip", "feed/fill/3"), TESTER, why="two feeds are enough today")
    entries = [entry for entry in lab.ledger.audit() if entry.action == "run Amended"]
    assert [entry.fields["actor"] for entry in entries] == [TESTER.name] * 2
    assert "the room is closed until ten" in str(entries[0].fields["reason"])
    await lab.kill()
    await lab.up()
    assert lab.engine.plan.nodes["feed/fill/2"].due == due + 1800.0
    assert lab.engine.run.finished["feed/fill/3"] == "skipped by person"
    assert await lab.settle(4 * 3600.0) == "COMPLETE"
    (second,) = [row for row in lab.ledger.doses() if row.path == "feed/fill/2/fill" and row.stroke == "draw"]
    assert due + 1800.0 <= second.intended_at < due + 1900.0
    assert not [row for row in lab.ledger.doses() if row.path.startswith("feed/fill/3")]


@pytest.mark.req("RM-05", "RM-06")
async def test_an_amendment_the_unit_cannot_do_or_that_is_not_the_future_is_refused(lab: QuickLab) -> None:
    await lab.poured(
        FEEDS.replace("volume: 2 mL", "volume: {much}").replace(
            "stages:", "parameters:\n  much: {default: 2 mL, range: 1..200 mL, source: A}\nstages:"
        )
    )
    with pytest.raises(Unusable, match="one stroke of pump_in"):
        await lab.runs.amend("run-1", Wish("set", settings={"much": "150 mL"}), TESTER, why="a larger dose")
    with pytest.raises(Unusable, match="outside"):
        await lab.runs.amend("run-1", Wish("set", settings={"much": "300 mL"}), TESTER, why="a larger dose")
    with pytest.raises(RunConflict, match="is over"):
        await lab.runs.amend("run-1", Wish("skip", "seed/hand"), TESTER, why="it was not needed")
    with pytest.raises(RunConflict, match="say when"):
        lab.runs.preview("run-1", Wish("move", "feed/fill/2"))
    await lab.runs.amend("run-1", Wish("set", settings={"much": "3 mL"}), TESTER, why="a larger dose")
    assert lab.engine.plan.nodes["feed/fill/3/fill"].work.volume_ml == 3.0  # type: ignore[union-attr]


@pytest.mark.req("SM-06")
async def test_manual_stops_a_stroke_under_way_and_holds(lab: QuickLab) -> None:
    await lab.poured(FEEDS.replace("at: 6 mL/min", "at: 1 mL/min"))
    assert await lab.until(lambda: "feed/fill/1" in lab.engine.run.active, 4 * 3600.0, 10.0)
    await lab.moving("fill", 0.3)
    await lab.runs.set_mode("run-1", "manual", TESTER, why="a clamp has to be moved")
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    assert await lab.still("fill")
    with pytest.raises(RunConflict, match="worked by hand"):
        await lab.runs.command("run-1", Cause.RESTART, TESTER)
    await lab.kill()
    await lab.up()
    assert lab.engine.run.mode == "manual"
    await lab.runs.set_mode("run-1", "step", TESTER)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: bool(lab.engine.run.waiting), 4 * 3600.0, 10.0)
    path = lab.engine.run.waiting[0]
    assert await lab.runs.advance("run-1", path, TESTER) == "RUNNING"
    assert path in lab.engine.run.active


@pytest.mark.req("RM-05")
async def test_two_amendments_at_once_are_both_made_and_one_of_what_began_meanwhile_is_refused(lab: QuickLab) -> None:
    await lab.poured(FEEDS)
    assert await lab.until(lambda: "feed/fill/1" in lab.engine.run.finished, 4 * 3600.0, 10.0)
    assert lab.disk is not None
    lab.disk.slow_s = 3.0
    due = lab.engine.plan.nodes["feed/fill/2"].due or 0.0
    later = (Wish("move", "feed/fill/2", due + 600.0), Wish("move", "feed/fill/3", due + 5000.0))
    await asyncio.gather(*(lab.runs.amend("run-1", wish, TESTER, why="the room is closed") for wish in later))
    assert [lab.engine.plan.nodes[wish.path].due for wish in later] == [wish.at for wish in later]
    assert await lab.until(lambda: lab.now >= due + 600.5, 4 * 3600.0, 0.25)
    assert "feed/fill/2" not in lab.engine.run.active, "it begins as soon as the disk has it"
    with pytest.raises(RunConflict, match="has begun"):
        await lab.runs.amend("run-1", Wish("move", "feed/fill/2", due + 900.0), TESTER, why="too late, it begins")
