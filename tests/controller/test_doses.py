"""Doses on the simulated bench: record before bytes, one RUN for one intent, the fence, and every kind of doubt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controller.errors import RunConflict
from controller.run.intents import Intent
from controller.store.reader import Reader
from drivers.core.fluid import Direction, FluidMover, Totals
from drivers.devices.new_era_ne1000.driver import NewEraNe1000
from protocols import machine
from protocols.states import Cause
from tests.controller.quick import EXCHANGE, FILL, QuickLab
from tests.runs.lab import TESTER

STEP = "feed/fill"
TWO_FILLS = (
    FILL.replace("- wait: 2 h", "- wait: 10 min")
    + """
  - stage: More
    do:
      - fill: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min}
        at most: 30 min
"""
)


def rows(lab: QuickLab) -> list[Intent]:
    with lab.reader() as ledger:
        return [Intent.of(row) for row in ledger.doses()]


async def filled(lab: QuickLab, limit_s: float = 1800.0) -> str:
    """Until the fill is finished or the run is held; its disposition, "" when held."""
    await lab.until(lambda: STEP in lab.engine.run.finished or lab.engine.run.state == "HELD", limit_s)
    return lab.engine.run.finished.get(STEP, "")


# --- sequence


@pytest.mark.req("DS-01", "DX-03", "INV-03")
async def test_every_run_frame_has_its_own_intent_on_disk_before_it(lab: QuickLab) -> None:
    """Read by another connection at the moment the frame is handed to the cable, before its first byte."""
    on_disk: list[list[str]] = []

    def look(link: str, data: bytes) -> None:
        if b"RUN" in data:
            with Reader.open_read_only(lab.folder) as ledger:
                on_disk.append([row.dose_id for row in ledger.open_doses()])

    lab.on_write = look
    await lab.poured(EXCHANGE)
    assert await lab.until(lambda: "renew/exchange" in lab.engine.run.finished, 3600.0), lab.engine.run.why
    doses = [row.dose_id for row in rows(lab)]
    assert on_disk == [[dose] for dose in doses]
    assert len(set(doses)) == len(doses) == 4
    assert lab.judge() == []


@pytest.mark.req("DS-01")
async def test_a_result_is_recorded_only_after_the_fence(lab: QuickLab) -> None:
    await lab.poured()
    assert await filled(lab) == "done"
    for row, (run_at, _) in zip(rows(lab), lab.runs_sent(0), strict=True):
        stops = [at for at, _, data in lab.wire if b"0STP" in data and run_at < at]
        assert row.intended_at <= run_at < stops[0]
        assert row.ended_at is not None
        assert row.ended_at >= stops[0] + NewEraNe1000.fence_quiet_s


@pytest.mark.req("DS-01")
async def test_a_device_that_is_not_idle_gets_no_dose(lab: QuickLab) -> None:
    await lab.up()
    mover = lab.controller.bench.mover("pump_in")
    await mover.start(Direction.DRAW, 5.0, 5.0)
    before = len(lab.runs_sent())
    await lab.start(FILL)
    await lab.until(lambda: bool(lab.runs.tasks()), 60.0)
    await lab.runs.answer(lab.engine.run_id, lab.runs.tasks()[0]["path"], {"clear": True}, TESTER)
    await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    assert "pump_in is not ready: moving" in lab.engine.run.why
    assert len(lab.runs_sent()) == before
    assert rows(lab) == []


@pytest.mark.req("DS-02")
async def test_the_fence_waits_its_quiet_time_between_two_equal_readings(lab: QuickLab) -> None:
    await lab.up()
    mover = lab.controller.bench.mover("pump_in")
    lab.wire.clear()
    began = lab.now
    totals = await fence(lab, mover)
    assert totals is not None
    assert lab.now - began >= mover.fence_quiet_s >= 2.0
    pump = [(at, data) for at, link, data in lab.wire if link == "pumps" and (b"0STP" in data or b"0DIS" in data)]
    stop, first, second = pump[0], pump[1], pump[-1]
    assert (b"STP" in stop[1], b"DIS" in first[1], b"DIS" in second[1]) == (True, True, True)
    assert second[0] - first[0] >= mover.fence_quiet_s


async def fence(lab: QuickLab, mover: FluidMover) -> Totals | None:
    return await lab.runs.doors.transfers.doses.fence(mover)


@pytest.mark.req("DS-02")
async def test_a_pump_that_moves_again_in_the_quiet_time_is_not_fenced(lab: QuickLab) -> None:
    """Somebody presses Start after the stop: the counters must be seen at rest twice, or are not believed."""
    await lab.poured()
    assert await filled(lab) == "done"
    mover = lab.controller.bench.mover("pump_in")
    fenced = asyncio.ensure_future(fence(lab, mover))
    await asyncio.sleep(1.0)
    lab.press_start(0)
    totals = await fenced
    assert totals is not None
    assert totals == await mover.totals()
    assert await lab.still("fill")


# --- doubt


@pytest.mark.req("DS-03", "DS-04", "INV-01")
async def test_a_lost_reply_to_run_never_causes_a_second_run(lab: QuickLab) -> None:
    def lose(link: str, data: bytes) -> None:
        if b"0RUN" in data:
            lab.bench.inject("mute@pump_in:for_s=3", lab.now)

    lab.on_write = lose
    await lab.poured()
    disposition = await filled(lab)
    found = rows(lab)
    assert len(lab.runs_sent()) == len(found)
    assert found[0].state in ("unknown", "partial", "done", "cancelled")
    assert lab.judge() == []
    assert disposition == "done" or lab.engine.run.state == "HELD"


@pytest.mark.req("DS-03")
async def test_a_run_that_never_reached_the_pump_is_measured_and_then_asked_again(lab: QuickLab) -> None:
    """The frame is lost on its way in: fence, delta 0 proved by a baseline above zero, then a new intent."""
    await lab.poured()
    await lab.moving("fill", 6.5)  # the drawing stroke is over: counters stand above zero
    lost: list[float] = []

    def lose(link: str, data: bytes) -> None:
        if b"0RUN" in data and not lost:
            lost.append(lab.now)
            lab.bench.inject("silence@pump_in:for_s=2", lab.now)

    await lab.until(lambda: len(rows(lab)) >= 1 and rows(lab)[0].state == "done", 600.0)
    lab.on_write = lose
    assert await filled(lab) in ("done", "")
    assert lab.judge() == []
    assert len(lab.runs_sent()) == len(rows(lab))


@pytest.mark.req("DS-03", "DS-04")
async def test_a_garbled_reply_in_mid_stroke_is_doubt_not_a_second_send(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill")
    lab.bench.inject("flip@pump_in:every=1:for_s=8", lab.now)
    await filled(lab)
    assert len(lab.runs_sent()) == len(rows(lab))
    assert lab.judge() == []


@pytest.mark.req("DS-06", "DS-04")
async def test_a_power_blip_in_the_first_stroke_is_unknown_and_asked(lab: QuickLab) -> None:
    """The baseline was zero: nothing proves how far the plunger went."""
    await lab.poured()
    await lab.moving("fill", 2.0)
    lab.bench.power_cycle("pump_in", lab.now)
    assert await filled(lab) == ""
    row = rows(lab)[0]
    assert (row.state, row.moved_ml) == ("unknown", None)
    assert "What is true?" in machine.open_questions(lab.engine.run)[STEP]
    assert len(lab.runs_sent()) == 1
    assert any(alarm["priority"] == "critical" for alarm in lab.controller.alarms.open())


@pytest.mark.req("DS-06", "DS-04")
async def test_a_power_blip_in_a_weighed_delivery_is_settled_by_the_balance(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    assert await lab.until(lambda: float(lab.truth()["waste_ml"]) > 6.0, 3600.0, 3.0)
    lab.bench.power_cycle("pump_out", lab.now)
    await lab.until(lambda: len(rows(lab)) > 1 and not rows(lab)[1].open, 600.0)
    row = rows(lab)[1]
    assert row.state == "partial"
    assert "witness waste weight" in row.evidence
    assert row.moved_ml == pytest.approx(float(lab.truth()["waste_ml"]), abs=0.2)
    await lab.settle(3600.0)
    assert lab.judge() == []


@pytest.mark.req("DS-06", "DS-03", "INV-01")
async def test_a_consumed_power_up_alarm_does_not_make_the_second_controller_dose_again(tmp_path: Path) -> None:
    """The first controller reads A?R, which clears it, and is killed before its commit. The second sees a pump that
    says nothing, counters at 0, a baseline of 0: it must not take that for "nothing delivered"."""
    lab = QuickLab(tmp_path / "data")
    try:
        await lab.poured()
        await lab.moving("fill", 2.0)
        lab.bench.power_cycle("pump_in", lab.now)
        mover = lab.controller.bench.mover("pump_in")
        met = mover.alarms_met
        assert await lab.until(lambda: mover.alarms_met > met, 60.0, 0.1)
        assert rows(lab)[0].open, "killed before its commit"
        drawn = float(lab.truth()["fill_drawn_ml"])
        await lab.kill()
        await lab.up()
        await lab.until(lambda: lab.engine.run.state == "HELD", 600.0)
        assert rows(lab)[0].state == "unknown"
        assert len(lab.runs_sent()) == 1
        assert float(lab.truth()["fill_drawn_ml"]) == pytest.approx(drawn, abs=0.01)
        assert machine.open_questions(lab.engine.run)[STEP] or lab.engine.run.why
    finally:
        await lab.close()


@pytest.mark.req("DS-06", "INV-01")
async def test_an_alarm_met_by_the_poll_and_not_by_the_stroke_breaks_the_watch_too(lab: QuickLab) -> None:
    """Between two looks at a stroke the pump loses power, and the poll reads A?R and makes the pump ready again:
    the stroke sees a pump at rest without an alarm, and must not take its zero for "nothing moved"."""
    await lab.poured()
    await lab.moving("fill", 2.0)
    looked = len(lab.wire)
    await lab.until(lambda: len(lab.wire) > looked and b"\x02" in lab.wire[-1][2], 10.0, 0.05)
    await asyncio.sleep(0.3)
    keeper = lab.controller.bench.keepers["pump_in"]
    lab.bench.power_cycle("pump_in", lab.now)
    await keeper.poll()
    await keeper.device.prepare()
    assert lab.now - lab.wire[looked][0] < 2.0, "before the stroke looks again"
    assert await filled(lab) == ""
    assert rows(lab)[0].state == "unknown"
    assert len(lab.runs_sent()) == 1


@pytest.mark.req("DS-04")
async def test_a_pump_silent_in_mid_stroke_holds_the_run_not_confirmed_and_is_measured_when_it_is_back(
    lab: QuickLab,
) -> None:
    await lab.poured()
    await lab.moving("fill", 7.0)  # delivering, baseline above zero
    lab.bench.inject("silence@pump_in", lab.now)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 600.0)
    assert rows(lab)[-1].open, "nobody knows, so nothing is written"
    assert lab.engine.run.why
    sent = len(lab.runs_sent())
    await asyncio.sleep(120.0)
    assert len(lab.runs_sent()) == sent
    lab.bench.clear_faults()
    assert await lab.until(lambda: not rows(lab)[-1].open, 300.0)
    row = rows(lab)[-1]
    assert row.state in ("partial", "done")
    delivered = sum(each.moved_ml or 0.0 for each in rows(lab) if each.stroke == "deliver")
    assert delivered == pytest.approx(float(lab.truth()["fill_delivered_ml"]), abs=0.02)
    await lab.runs.command(lab.engine.run_id, Cause.RESTART, TESTER)
    assert await filled(lab) == "done"
    assert lab.judge() == []


@pytest.mark.req("DS-06", "INV-02")
async def test_a_power_loss_whose_only_news_was_lost_on_the_wire_is_unknown_at_a_baseline_of_zero(
    lab: QuickLab,
) -> None:
    """The pump acknowledges its alarm by a reply that nobody receives; asked again it says nothing is wrong."""
    await lab.poured()
    await lab.moving("fill", 2.0)
    lab.bench.inject("mute@pump_in:for_s=2.3", lab.now)
    lab.bench.power_cycle("pump_in", lab.now)
    assert await filled(lab) == ""
    assert [row.state for row in rows(lab)] == ["unknown"]
    assert "zero" in lab.engine.run.why
    assert lab.judge() == []


@pytest.mark.req("DS-04")
async def test_over_delivery_is_recorded_with_a_critical_alarm_and_a_hold(lab: QuickLab) -> None:
    """Somebody presses Start as the stroke ends: the pump does it once more before anybody looks."""
    await lab.poured()
    await lab.moving("fill", 11.97)
    before = lab.pump_moves()
    await lab.until(lambda: lab.pump_moves() - before < 1e-9 or lab.pump_moves() >= 12.0 - 1e-6, 10.0, 0.05)
    await asyncio.sleep(0.2)
    lab.press_start(0)
    assert await filled(lab) == ""
    row = rows(lab)[-1]
    assert row.state == "over"
    assert row.moved_ml is not None
    assert row.moved_ml > 6.06, "the pump counts on, even where its empty syringe gives no more"
    assert [alarm["priority"] for alarm in lab.controller.alarms.open()] == ["critical"]
    assert lab.engine.run.state == "HELD"
    with lab.reader() as ledger:
        assert "over" in ledger.deviations()[0].text
    assert await lab.still("fill")


@pytest.mark.req("DS-06", "INV-02")
async def test_what_a_pump_moved_unasked_between_two_strokes_is_on_record_and_looked_at_once(lab: QuickLab) -> None:
    """Somebody presses Start between two doses: the counter knows, so the ledger and the volume books know too."""
    await lab.poured(TWO_FILLS)
    assert await filled(lab) == "done"
    mover = lab.controller.bench.mover("pump_in")
    polled = lab.controller.latest.get("pump_in.motion").at
    assert await lab.until(lambda: lab.controller.latest.get("pump_in.motion").at > polled, 60.0, 0.5)
    await mover.start(Direction.DRAW, 3.0, 25.0)  # another program's doing: not through the ledger
    await asyncio.sleep(10.0)
    await mover.start(Direction.DELIVER, 3.0, 25.0)
    await asyncio.sleep(10.0)
    before = lab.engine.volume().ml
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 3600.0)
    assert "moved unasked since its last stroke: draw 3.00 mL, deliver 3.00 mL" in lab.engine.run.why
    assert [(row.part, row.state, row.moved_ml) for row in rows(lab)[2:]] == [
        ("unasked", "over", pytest.approx(3.0, abs=0.02)),
        ("unasked", "over", pytest.approx(3.0, abs=0.02)),
    ]
    assert lab.engine.volume().ml == pytest.approx(before + 3.0, abs=0.1)
    assert lab.judge() == []
    await lab.runs.command(lab.engine.run_id, Cause.RESTART, TESTER)
    assert await lab.until(lambda: "more/fill" in lab.engine.run.finished, 600.0), lab.engine.run.why
    assert lab.judge() == []


@pytest.mark.req("INV-02", "SM-05")
async def test_a_pump_seen_moving_without_a_stroke_is_stopped_and_its_run_held(lab: QuickLab) -> None:
    await lab.poured()
    assert await filled(lab) == "done"
    mover = lab.controller.bench.mover("pump_in")
    await mover.start(Direction.DRAW, 20.0, 6.0)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    assert "pump_in moved and nothing here had asked for it; it was stopped" in lab.engine.run.why
    assert await lab.still("fill")
    assert [alarm["priority"] for alarm in lab.controller.alarms.open()] == ["critical"]


@pytest.mark.req("DS-06")
async def test_a_power_loss_between_two_strokes_is_no_unasked_motion(lab: QuickLab) -> None:
    await lab.poured(TWO_FILLS)
    assert await filled(lab) == "done"
    lab.bench.power_cycle("pump_in", lab.now)
    assert await lab.until(lambda: "more/fill" in lab.engine.run.finished, 3600.0), lab.engine.run.why
    assert [row.part for row in rows(lab)] == ["fill"] * 4


@pytest.mark.req("DS-05", "DS-04")
@pytest.mark.parametrize(
    ("answer", "ml", "state", "moved"),
    [("delivered", 6.0, "done", 6.0), ("delivered", 2.5, "partial", 2.5), ("nothing", None, "cancelled", 0.0)],
)
async def test_an_unknown_stroke_gets_the_amount_a_person_states(
    lab: QuickLab, answer: str, ml: float | None, state: str, moved: float
) -> None:
    await lab.poured()
    await lab.moving("fill", 7.0)  # delivering
    lab.bench.power_cycle("pump_in", lab.now)
    await filled(lab)
    await lab.runs.decide(lab.engine.run_id, STEP, answer, TESTER, volume_ml=ml, why="seen on the scale")
    row = rows(lab)[-1]
    assert (row.state, row.moved_ml, row.decided_by) == (state, moved, TESTER.name)
    assert row.ended_at is not None
    with lab.reader() as ledger:
        said = [entry for entry in ledger.audit() if entry.action == "dose decided"]
    assert [entry.actor for entry in said] == [TESTER.name]


@pytest.mark.req("DS-05")
async def test_an_unknown_drawing_stroke_cannot_be_answered_with_delivered(lab: QuickLab) -> None:
    """What only stands in the syringe has not reached the vessel: the run would call a drained vessel filled."""
    await lab.poured()
    await lab.moving("fill", 2.0)
    lab.bench.power_cycle("pump_in", lab.now)
    await filled(lab)
    with pytest.raises(RunConflict, match="none of it can be delivered yet"):
        await lab.runs.decide(lab.engine.run_id, STEP, "delivered", TESTER, volume_ml=6.0)
    assert rows(lab)[0].state == "unknown"
    await lab.runs.decide(lab.engine.run_id, STEP, "nothing", TESTER, volume_ml=2.07)
    await lab.runs.command(lab.engine.run_id, Cause.RESTART, TESTER)
    assert await filled(lab) == "done"
    assert float(lab.truth()["fill_delivered_ml"]) == pytest.approx(6.0, abs=0.1)
    assert lab.judge() == []


@pytest.mark.req("DS-04")
async def test_a_stroke_left_open_by_an_abort_is_measured_when_its_pump_is_back(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 7.0)
    lab.bench.inject("silence@pump_in:for_s=20", lab.now)
    await lab.runs.command(lab.engine.run_id, Cause.ABORT, TESTER)
    assert await lab.until(lambda: lab.engine.ended, 60.0)
    assert rows(lab)[-1].open, "nobody could measure it yet"
    await lab.runs.command(lab.engine.run_id, Cause.RESET, TESTER)
    assert await lab.until(lambda: not rows(lab)[-1].open, 120.0)
    assert lab.judge() == []


@pytest.mark.req("DS-04")
async def test_a_stroke_whose_pump_fell_silent_is_not_told_as_never_sent(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 7.0)
    lab.bench.inject("silence@pump_in", lab.now)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 600.0)
    assert "measured when it is back" in lab.engine.run.why
    assert not any("Nothing was sent" in str(alarm["advice"]) for alarm in lab.controller.alarms.open())
