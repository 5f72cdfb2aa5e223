"""Stopping never waits for a record: hold, stop-pumps and abort with the ledger blocked for a minute (DX-06)."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from protocols.states import Cause
from tests.controller.quick import EXCHANGE, FILL, QuickLab
from tests.runs.lab import TESTER

AT_ONCE_S = 3.0
"""One exchange in progress on the line, and the stop itself."""


async def stopped_after(lab: QuickLab, syringe: str = "fill") -> float:
    """Seconds of bench time until this plunger stands still for good."""
    began = lab.now
    while not await lab.still(syringe, 0.5):
        assert lab.now - began < 120.0, "never stopped"
    return lab.now - began - 0.5


def blocked(lab: QuickLab) -> None:
    assert lab.disk is not None
    lab.disk.slow_s = 60.0


def unblocked(lab: QuickLab) -> None:
    assert lab.disk is not None
    lab.disk.slow_s = 0.0


@pytest.mark.req("DX-06")
@pytest.mark.parametrize("cause", [Cause.HOLD, Cause.STOP, Cause.ABORT])
async def test_a_command_that_stops_stops_the_pump_at_once_and_is_recorded_when_the_ledger_answers(
    lab: QuickLab, cause: Cause
) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    blocked(lab)
    asked_at = lab.now
    asking = asyncio.ensure_future(lab.runs.command(lab.engine.run_id, cause, TESTER, why="test"))
    assert await stopped_after(lab) <= AT_ONCE_S
    assert not asking.done(), "the record is still waiting for the disk"
    assert lab.engine.run.state == "RUNNING", "nothing is said before it is on record"
    await asyncio.wait_for(asking, 300.0)
    unblocked(lab)
    with lab.reader() as ledger:
        entry = next(
            each for each in ledger.audit() if each.action == "run Command" and each.fields["new"] != "RUNNING"
        )
        event = next(row for row in ledger.events("run-1") if row.event.get("cause") == cause.value)
    assert event.at == pytest.approx(asked_at, abs=0.5), "with the true time of the act"
    recorded = datetime.fromisoformat(entry.utc).timestamp()
    assert recorded >= asked_at
    assert await lab.still("fill", 120.0)


@pytest.mark.req("DX-06")
@pytest.mark.parametrize("unit", [None, "reactor"])
async def test_stop_pumps_stops_at_once_with_the_ledger_blocked(lab: QuickLab, unit: str | None) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    blocked(lab)
    asking = asyncio.ensure_future(lab.controller.quiet(unit, TESTER))
    assert await stopped_after(lab) <= AT_ONCE_S
    assert not asking.done()
    await asyncio.sleep(50.0)
    unblocked(lab)
    assert await asyncio.wait_for(asking, 600.0) == ["pump_in", "pump_out"]
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 300.0)
    with lab.reader() as ledger:
        assert any(entry.fields["reason"] == "pumps stopped by hand" for entry in ledger.audit())


@pytest.mark.req("DX-06", "INV-03")
async def test_a_hold_while_the_intent_waits_for_the_disk_starts_no_pump_when_the_disk_answers(lab: QuickLab) -> None:
    """The intent is committed after the hold was asked: it must end as "nothing sent", not as a short stroke."""
    await lab.up()
    await lab.start(FILL)
    await lab.until(lambda: bool(lab.runs.tasks()), 60.0)
    await lab.runs.answer(lab.engine.run_id, lab.runs.tasks()[0]["path"], {"clear": True}, TESTER)
    blocked(lab)
    await asyncio.sleep(5.0)
    asking = asyncio.ensure_future(lab.runs.command(lab.engine.run_id, Cause.HOLD, TESTER))
    await asyncio.wait_for(asking, 600.0)
    unblocked(lab)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 300.0)
    await asyncio.sleep(30.0)
    assert lab.runs_sent() == []
    rows = lab.ledger.doses()
    assert [(row.state, row.moved_ml) for row in rows] in ([], [("cancelled", 0.0)])
    assert lab.pump_moves() == 0.0


@pytest.mark.req("DX-06", "INV-03")
async def test_a_hold_while_the_stroke_is_being_written_to_the_pump_keeps_the_start_from_going_out(
    lab: QuickLab,
) -> None:
    asked: list[asyncio.Future[str]] = []

    def hold(link: str, data: bytes) -> None:
        if b"VOL" in data and not asked:
            asked.append(asyncio.ensure_future(lab.runs.command(lab.engine.run_id, Cause.HOLD, TESTER)))

    lab.on_write = hold
    await lab.poured(EXCHANGE)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 300.0)
    assert asked
    assert lab.runs_sent() == []
    assert [(row.state, row.moved_ml) for row in lab.ledger.doses()] == [("cancelled", 0.0)]
    lab.on_write = lambda link, data: None
    await lab.runs.command(lab.engine.run_id, Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 300.0)
    await lab.moving("waste", 1.0)


@pytest.mark.req("DX-06")
async def test_a_stroke_ended_by_a_hold_is_measured_and_completed_after_the_restart(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    assert await lab.runs.command(lab.engine.run_id, Cause.HOLD, TESTER) == "HOLDING"
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    row = lab.ledger.doses()[0]
    assert row.state == "partial"
    assert row.moved_ml == pytest.approx(float(lab.truth()["fill_drawn_ml"]), abs=0.01)
    await lab.runs.command(lab.engine.run_id, Cause.RESTART, TESTER)
    assert await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    assert lab.engine.run.finished["feed/fill"] == "done"
    assert float(lab.truth()["fill_delivered_ml"]) == pytest.approx(6.0, abs=0.02)
    assert lab.judge() == []


@pytest.mark.req("DX-03", "INV-01")
async def test_a_hold_in_mid_exchange_then_a_death_then_a_restart_finishes_it_without_a_double_dose(
    lab: QuickLab,
) -> None:
    await lab.poured(EXCHANGE)
    assert await lab.until(lambda: float(lab.truth()["waste_ml"]) > 6.0, 3600.0, 3.0)
    await lab.runs.command(lab.engine.run_id, Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    await lab.kill()
    await lab.up()
    assert lab.engine.run.state == "HELD", "recovered into rest, never into motion (SM-08)"
    await lab.runs.command(lab.engine.run_id, Cause.RESTART, TESTER)
    assert await lab.until(lambda: "renew/exchange" in lab.engine.run.finished, 3600.0), lab.engine.run.why
    assert lab.judge() == []
    assert float(lab.truth()["fill_delivered_ml"]) == pytest.approx(18.0, abs=0.1)


async def test_a_paused_run_lets_a_bounded_dose_finish_first(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    assert await lab.runs.command(lab.engine.run_id, Cause.PAUSE, TESTER) == "PAUSING"
    assert await lab.until(lambda: lab.engine.run.state == "PAUSED", 600.0)
    assert lab.engine.run.finished["feed/fill"] == "done"
    assert float(lab.truth()["fill_delivered_ml"]) == pytest.approx(6.0, abs=0.02)
    assert await lab.runs.command(lab.engine.run_id, Cause.RESUME, TESTER) == "RUNNING"


async def test_stop_pumps_names_a_pump_that_does_not_confirm(lab: QuickLab) -> None:
    await lab.poured()
    lab.bench.inject("silence@pump_out", lab.now)
    stopped = await lab.controller.quiet(None, TESTER)
    assert stopped[0] == "pump_in"
    assert stopped[1].startswith("pump_out NOT CONFIRMED")


@pytest.mark.req("DX-06")
async def test_stop_pumps_works_while_the_controller_is_still_starting(lab: QuickLab) -> None:
    await lab.up()
    await lab.kill()
    lab.boot()
    await asyncio.sleep(0.2)
    assert not lab.controller.up.is_set()
    assert await lab.controller.quiet(None, TESTER) == ["pump_in", "pump_out"]


@pytest.mark.req("EQ-07")
async def test_an_orderly_end_stops_the_strokes_and_lists_what_it_leaves(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    assert lab.life is not None
    lab.controller.stop()
    await asyncio.wait_for(lab.life.task, 120.0)
    assert await lab.still("fill")
    with lab.reader() as ledger:
        last = ledger.audit()[-1]
        assert ledger.open_doses() == []
        assert ledger.runs()[0].state == "RUNNING", "the run itself goes on with the next controller"
    assert last.action == "controller.stopped"
    assert last.fields["new"] == {
        "incubator.temperature_setpoint": 37.0,
        "incubator.co2_setpoint": 5.0,
        "pump_in": "stopped",
        "pump_out": "stopped",
    }


@pytest.mark.req("EQ-07")
async def test_start_up_leaves_every_pump_stopped(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    await lab.kill()
    lab.wire.clear()
    await lab.up()
    first = {address: next(data for _, _, data in lab.wire if b"%dSTP" % address in data) for address in (0, 1)}
    assert len(first) == 2
    assert lab.judge() == []
    with lab.reader() as ledger:
        up = next(entry for entry in reversed(ledger.audit()) if entry.action == "controller.up")
    assert up.fields["new"]["pump_in"] == up.fields["new"]["pump_out"] == "stopped"
    assert up.fields["new"]["incubator.temperature_setpoint"] == 37.0


@pytest.mark.req("EQ-07")
async def test_a_planned_end_is_told_from_a_crash_at_the_next_start(lab: QuickLab) -> None:
    await lab.poured()
    assert lab.life is not None
    lab.controller.stop()
    await asyncio.wait_for(lab.life.task, 120.0)
    await asyncio.sleep(300.0)
    await lab.up()
    assert lab.ledger.outages()[-1].detail["planned"] is True
    assert not any(alarm["key"].startswith("restart") for alarm in lab.controller.alarms.open())


@pytest.mark.req("DX-06", "INV-01")
async def test_stopped_pumps_are_held_before_a_silent_one_has_confirmed(lab: QuickLab) -> None:
    """Waiting for one pump's answer leaves time for another to finish its fence and begin again."""
    await lab.poured()
    await lab.moving("fill", 1.0)
    lab.bench.inject("silence@pump_out", lab.now)
    began, sent = lab.now, len(lab.runs_sent())
    asking = asyncio.ensure_future(lab.controller.quiet(None, TESTER))
    assert await lab.until(lambda: lab.engine.run.state == "HOLDING", 1.0, 0.1)
    assert not asking.done()
    assert any("NOT CONFIRMED" in line for line in await asking)
    assert lab.now - began < 30.0
    await asyncio.sleep(60.0)
    assert len(lab.runs_sent()) == sent
    assert lab.judge() == []


@pytest.mark.req("DS-02", "DX-06", "INV-02")
@pytest.mark.parametrize("fault", ["mute", "flip:every=1", "truncate:every=1"])
async def test_a_pump_that_hears_but_is_not_heard_is_stopped_all_the_same(lab: QuickLab, fault: str) -> None:
    """Its watchdog does not help: every question that reaches it starts the watchdog anew."""
    await lab.poured(EXCHANGE)
    await lab.moving("waste", 2.0)
    name, _, more = fault.partition(":")
    lab.bench.inject(f"{name}@pump_out" + (f":{more}" if more else ""), lab.now)
    assert await stopped_after(lab, "waste") <= 30.0
    assert await lab.still("waste", 300.0)
    assert lab.engine.run.state == "HELD"


@pytest.mark.req("DX-10", "INV-02")
async def test_a_restart_stops_a_pump_that_hears_but_is_not_heard(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    await lab.moving("waste", 2.0)
    await lab.kill()
    lab.bench.inject("mute@pump_out", lab.now)
    lab.boot()
    assert await stopped_after(lab, "waste") <= 30.0
