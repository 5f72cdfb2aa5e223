"""After a restart the environment is set and confirmed before any fluid moves."""

from __future__ import annotations

import asyncio

import pytest

from tests.controller.quick import HEAD, POUR, QuickLab

FEED = (
    HEAD
    + POUR.replace("37.0 degC", "36.0 degC")
    + """
  - stage: Feed
    do:
      - wait: 10 min
      - fill: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min}
        at most: 30 min
"""
)


@pytest.mark.req("DX-30", "DX-10")
@pytest.mark.parametrize("slow_s", [0.0, 4.0])
async def test_no_stroke_begins_before_the_set_points_are_back_and_read_back(lab: QuickLab, slow_s: float) -> None:
    await lab.poured(FEED)
    await asyncio.sleep(60.0)
    await lab.kill()
    lab.bench.lines["incubator"].devices["incubator"].set_at_panel("cel", 30.0, lab.now)
    await asyncio.sleep(600.0)
    lab.wire.clear()
    lab.boot()
    assert lab.disk is not None
    lab.disk.slow_s = slow_s
    assert await lab.until(lambda: bool(lab.runs_sent()), 900.0), lab.engine.run
    (begun, *_) = [at for at, _ in lab.runs_sent()]
    confirmed = [entry.fields["new"] for entry in lab.ledger.audit() if entry.action == "set point"]
    asked = [at for at, link, data in lab.wire if link == "incubator" and b"TempSet=36" in data]
    (intended,) = [row.intended_at for row in lab.ledger.doses("run-1")]
    assert confirmed[-1] == 36.0 and asked
    assert asked[0] < intended < begun
    events = [(row.event["t"], row.event.get("cause"), row.at) for row in lab.ledger.events("run-1")]
    (checked,) = [at for kind, cause, at in events if cause == "done"]
    assert asked[0] < checked, (asked, checked)
