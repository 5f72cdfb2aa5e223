"""Runs as people meet them: start, commands, answers, keys, refusals; and as the next controller finds them."""

from __future__ import annotations

import asyncio

import pytest

from controller.errors import Broken, KeyReused, RunConflict, Unusable
from controller.run.engine import Engine, event_of
from controller.store.rows import AuditRow
from protocols import machine, records
from protocols.events import Command, ConditionMet
from protocols.faults import ProtocolInvalid
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.controller.quick import EXCHANGE, FILL, HEAD, WAIT, QuickLab
from tests.runs.lab import TESTER


async def resting(lab: QuickLab, text: str = WAIT) -> None:
    """A run that waits and moves nothing."""
    await lab.poured(text)
    await asyncio.sleep(5.0)


def refusals(lab: QuickLab) -> list[AuditRow]:
    return [entry for entry in lab.ledger.audit() if entry.outcome == "refused"]


# --- start


@pytest.mark.req("RM-02")
async def test_a_run_keeps_a_frozen_copy_of_its_protocol_bound_to_one_unit(lab: QuickLab) -> None:
    await resting(lab)
    row = lab.ledger.run("run-1")
    assert row is not None
    assert (row.protocol, row.unit, row.state, row.created_by) == (WAIT, "reactor", "RUNNING", TESTER.name)
    assert row.started_at is not None
    assert records.from_json(row.plan) == lab.engine.plan


async def test_one_unit_has_one_run_at_a_time(lab: QuickLab) -> None:
    await resting(lab)
    with pytest.raises(RunConflict, match="reactor has a run"):
        await lab.runs.start(WAIT, by=TESTER)
    assert len(lab.ledger.runs()) == 1


@pytest.mark.req("AC-08")
async def test_a_hold_of_a_unit_that_is_not_there_is_refused(lab: QuickLab) -> None:
    await resting(lab)
    with pytest.raises(Unusable, match="no unit 'reaktor'; did you mean 'reactor'"):
        await lab.runs.hold("reaktor", TESTER, "")
    assert "run-1" in await lab.runs.hold("reactor", TESTER, "")


async def test_a_broken_protocol_or_unit_starts_nothing(lab: QuickLab) -> None:
    await lab.up()
    with pytest.raises(ProtocolInvalid):
        await lab.runs.start(WAIT.replace("wait: 2 h", "wait: 2 parsecs"), by=TESTER)
    with pytest.raises(Unusable, match="no unit 'reaktor'; did you mean 'reactor'"):
        await lab.runs.start(WAIT, by=TESTER, unit="reaktor")
    assert lab.ledger.runs() == []
    assert lab.runs.engines == {}


@pytest.mark.req("SM-03")
async def test_the_same_key_starts_once(lab: QuickLab) -> None:
    await lab.up()
    first = await lab.runs.start(WAIT, by=TESTER, key="k1")
    assert await lab.runs.start(WAIT, by=TESTER, key="k1") == first
    assert len(lab.ledger.runs()) == 1


# --- commands


@pytest.mark.req("SM-03")
async def test_a_repeated_key_gets_the_first_answer_and_does_nothing(lab: QuickLab) -> None:
    await resting(lab)
    assert await lab.runs.command("run-1", Cause.HOLD, TESTER, key="k2") == "HOLDING"
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    events = len(lab.ledger.events("run-1"))
    assert await lab.runs.command("run-1", Cause.HOLD, TESTER, key="k2") == "HOLDING"
    assert len(lab.ledger.events("run-1")) == events
    assert lab.engine.run.state == "HELD"


@pytest.mark.req("SM-03")
async def test_a_key_is_remembered_by_the_next_controller(lab: QuickLab) -> None:
    await resting(lab)
    await lab.runs.command("run-1", Cause.HOLD, TESTER, key="k3")
    await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    await lab.kill()
    await lab.up()
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    assert await lab.runs.command("run-1", Cause.HOLD, TESTER, key="k3") == "HOLDING"
    assert lab.engine.run.state == "RUNNING"


@pytest.mark.req("SM-03")
async def test_a_command_that_saw_another_state_is_refused_with_the_state_now(lab: QuickLab) -> None:
    await resting(lab)
    with pytest.raises(RunConflict, match="RUNNING now, not HELD") as refused:
        await lab.runs.command("run-1", Cause.RESTART, TESTER, state_seen="HELD")
    assert refused.value.state == "RUNNING"
    assert await lab.runs.command("run-1", Cause.HOLD, TESTER, state_seen="RUNNING") == "HOLDING"


@pytest.mark.req("AT-08", "SM-01")
@pytest.mark.parametrize("cause", [Cause.RESUME, Cause.RESTART, Cause.RESET])
async def test_what_the_table_does_not_list_is_refused_with_an_audit_entry(lab: QuickLab, cause: Cause) -> None:
    await resting(lab)
    events = len(lab.ledger.events("run-1"))
    with pytest.raises(RunConflict) as refused:
        await lab.runs.command("run-1", cause, TESTER)
    assert refused.value.state == "RUNNING"
    (entry,) = refusals(lab)
    assert (entry.actor, entry.run_id, entry.fields["old"]) == (TESTER.name, "run-1", "RUNNING")
    assert entry.fields["reason"]
    assert len(lab.ledger.events("run-1")) == events, "a refusal is no event of the run"


@pytest.mark.parametrize("cause", [Cause.START, Cause.DONE, Cause.RECOVERED, Cause.EXPIRED])
async def test_internal_causes_are_no_commands(lab: QuickLab, cause: Cause) -> None:
    await resting(lab)
    with pytest.raises(RunConflict, match="is not a command"):
        await lab.runs.command("run-1", cause, TESTER)


async def test_a_run_that_is_not_there_is_a_conflict_that_says_which_are(lab: QuickLab) -> None:
    await resting(lab)
    with pytest.raises(RunConflict, match="no live run 'run-9'; live: run-1"):
        await lab.runs.command("run-9", Cause.HOLD, TESTER)


async def test_stop_ends_the_run_with_its_end_values_and_reset_frees_the_unit(lab: QuickLab) -> None:
    await resting(lab)
    assert await lab.runs.command("run-1", Cause.STOP, TESTER, why="enough") == "STOPPING"
    assert await lab.until(lambda: lab.engine.run.state == "STOPPED", 120.0)
    assert await lab.until(lambda: lab.ledger.points()["incubator.temperature_setpoint"].value == 35.0, 60.0)
    row = lab.ledger.run("run-1")
    assert row is not None
    assert row.ended_at is not None
    assert await lab.runs.command("run-1", Cause.RESET, TESTER) == "IDLE"
    assert lab.runs.engines == {}
    assert lab.runs.doors.outputs.owner("incubator.temperature_setpoint") == ""
    assert await lab.runs.start(WAIT, by=TESTER) == "run-2"
    assert lab.ledger.run("run-1") is not None, "reset archives, it never deletes"


async def test_abort_stops_at_once_and_leaves_the_last_safe_values(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    assert await lab.runs.command("run-1", Cause.ABORT, TESTER) == "ABORTING"
    assert await lab.until(lambda: lab.engine.run.state == "ABORTED", 60.0)
    assert await lab.still("fill", 30.0)
    assert not any(row.state == "intended" for row in lab.ledger.doses())
    assert lab.controller.latest.get("incubator.temperature_setpoint").value == 37.0


@pytest.mark.req("INV-23")
async def test_a_held_run_keeps_its_environment_at_the_hold_values_and_restores_it_after(lab: QuickLab) -> None:
    """P1: no state of a run switches the environment off."""
    await resting(lab)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    point = "incubator.temperature_setpoint"
    assert await lab.until(lambda: lab.controller.latest.get(point).value == 36.5, 120.0)
    await asyncio.sleep(60.0)
    assert lab.controller.latest.get("incubator.temperature").quality.value == "good"
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    assert await lab.until(lambda: lab.controller.latest.get(point).value == 37.0, 120.0)


@pytest.mark.req("INV-23")
async def test_a_set_point_changed_while_the_device_was_away_is_restored_when_it_is_back(lab: QuickLab) -> None:
    await resting(lab)
    lab.bench.inject("silence@incubator:for_s=120", lab.now)
    await asyncio.sleep(10.0)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    await asyncio.sleep(30.0)
    assert lab.engine.run.state in ("HOLDING", "HELD")
    point = "incubator.temperature_setpoint"
    assert await lab.until(lambda: lab.controller.latest.get(point).value == 36.5, 300.0)


# --- answers


async def test_an_answer_is_checked_recorded_and_given_once(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(WAIT)
    await lab.until(lambda: bool(lab.runs.tasks()), 60.0)
    (task,) = lab.runs.tasks()
    path = task["path"]
    with pytest.raises(Unusable, match="yes or no"):
        await lab.runs.answer("run-1", path, {"clear": "perhaps"}, TESTER)
    with pytest.raises(RunConflict, match="no open task"):
        await lab.runs.answer("run-1", "nowhere", {"clear": True}, TESTER)
    assert await lab.runs.answer("run-1", path, {"clear": True}, TESTER, "k4") == "answered"
    assert await lab.runs.answer("run-1", path, {"clear": True}, TESTER, "k4") == "answered"
    with pytest.raises(KeyReused):
        await lab.runs.answer("run-1", path, {"clear": False}, TESTER, "k4")
    with pytest.raises(RunConflict, match="no open task"):
        await lab.runs.answer("run-1", path, {"clear": True}, TESTER)
    row = lab.ledger.task("run-1", path)
    assert row is not None
    assert (row.state, row.entries, row.answered_by) == ("answered", {"clear": True}, TESTER.name)
    assert lab.runs.tasks() == []


async def test_a_decision_where_no_question_is_open_is_refused_and_recorded(lab: QuickLab) -> None:
    await resting(lab)
    with pytest.raises(RunConflict, match="no open question"):
        await lab.runs.decide("run-1", "rest/wait", "skip", TESTER)
    assert len(refusals(lab)) == 1


async def test_a_task_dropped_by_a_stop_is_closed_with_its_reason(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(WAIT)
    await lab.until(lambda: bool(lab.runs.tasks()), 60.0)
    await lab.runs.command("run-1", Cause.STOP, TESTER, why="wrong donor")
    assert await lab.until(lambda: lab.engine.run.state == "STOPPED", 120.0)
    (row,) = lab.ledger.tasks("run-1")
    assert row.state == "closed"
    assert row.why


# --- replay


@pytest.mark.req("DX-01")
async def test_the_journal_replayed_gives_the_same_run(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    await lab.until(lambda: float(lab.truth()["waste_ml"]) > 6.0, 3600.0, 3.0)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    await lab.until(lambda: "renew/exchange" in lab.engine.run.finished, 3600.0)
    engine = lab.engine
    again = Engine.replayed("run-1", engine.site, engine.plan, lab.runs.doors)
    assert again.run == engine.run
    assert machine.wanted(again.plan, again.run) == machine.wanted(engine.plan, engine.run)
    step_by_step = Run()
    for row in lab.ledger.events("run-1"):
        step_by_step, _ = machine.step(engine.plan, step_by_step, event_of(row.event))
    assert step_by_step == engine.run


@pytest.mark.req("SM-08")
@pytest.mark.parametrize("state", ["RUNNING", "HELD", "STOPPED"])
async def test_a_killed_run_comes_back_by_the_table_and_never_straight_into_motion(lab: QuickLab, state: str) -> None:
    await resting(lab)
    if state == "HELD":
        await lab.runs.command("run-1", Cause.HOLD, TESTER)
    elif state == "STOPPED":
        await lab.runs.command("run-1", Cause.STOP, TESTER)
    await lab.until(lambda: lab.engine.run.state == state, 120.0)
    await lab.kill()
    await lab.up()
    states = [entry.fields["new"] for entry in lab.ledger.audit() if entry.action == "run Command"]
    if state == "RUNNING":
        assert states[1] == "RESTARTING", "after START"
        assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    else:
        assert lab.engine.run.state == state


async def test_an_archived_run_is_not_resumed(lab: QuickLab) -> None:
    await resting(lab)
    await lab.runs.command("run-1", Cause.STOP, TESTER)
    await lab.until(lambda: lab.engine.run.state == "STOPPED", 120.0)
    await lab.runs.command("run-1", Cause.RESET, TESTER)
    await lab.kill()
    await lab.up()
    assert lab.runs.engines == {}


@pytest.mark.req("DX-20")
async def test_after_more_than_a_day_out_of_control_the_run_is_held(lab: QuickLab) -> None:
    await resting(lab)
    await lab.kill()
    await asyncio.sleep(25 * 3600.0)
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 300.0)
    assert "24 h" in lab.engine.run.why


async def test_a_restart_whose_devices_stay_away_holds_and_says_which(lab: QuickLab) -> None:
    await resting(lab)
    await lab.kill()
    lab.bench.inject("silence@balance", lab.now)
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 300.0)
    assert "balance is lost" in lab.engine.run.why


# --- the engine's edges


async def test_a_late_event_of_our_own_changes_nothing(lab: QuickLab) -> None:
    await resting(lab)
    before = lab.engine.run
    lab.engine.tell(ConditionMet(lab.now, "seed/set"))
    await asyncio.sleep(1.0)
    assert lab.engine.run.active == before.active
    assert lab.engine.run.finished == before.finished


async def test_a_person_who_asks_a_run_that_was_put_away_is_told_so(lab: QuickLab) -> None:
    await resting(lab)
    engine = lab.engine
    await lab.runs.command("run-1", Cause.STOP, TESTER)
    await lab.until(lambda: engine.run.state == "STOPPED", 120.0)
    await lab.runs.command("run-1", Cause.RESET, TESTER)
    await asyncio.sleep(1.0)
    with pytest.raises(RunConflict, match="not carried out any more"):
        await asyncio.wait_for(engine.ask(Command(lab.now, Cause.HOLD, "x"), TESTER), 5.0)


def test_only_events_may_stand_in_a_journal() -> None:
    assert event_of(records.as_json(ConditionMet(1.0, "x"))) == ConditionMet(1.0, "x")
    with pytest.raises(TypeError, match="not an event"):
        event_of(records.as_json(Run()))


async def test_the_program_that_started_a_run_is_on_record(lab: QuickLab) -> None:
    await resting(lab)
    row = lab.ledger.run("run-1")
    assert row is not None
    assert row.program_version


async def test_wait_conditions_and_a_long_pause_end_by_themselves(lab: QuickLab) -> None:
    text = HEAD + "  - stage: Warm\n    do:\n      - set: {temperature: 37.0 degC}\n"
    text += "      - wait: {until: temperature within 1 K, for: 2 min, at most: 4 h}\n      - wait: 10 min\n"
    await lab.up()
    await lab.start(text)
    assert await lab.settle(7200.0) == "COMPLETE"
    assert set(lab.engine.run.finished.values()) == {"done"}
    assert lab.engine.run.state is RunState.COMPLETE
    assert len(lab.ledger.events("run-1")) >= 4


LIVE = (
    HEAD
    + """
  - stage: Warm
    do:
      - set: {temperature: 37.0 degC}
      - repeat: {do: [{wait: 5 min}], until: temperature > 36 degC, at most: 30 rounds}
      - if: temperature > 30 degC
        then: [{hand: Look, write down: {clear: yes/no}}]
        else: [{wait: 3 h}]
      - if: not clear
        then: [{wait: 4 h}]
"""
)


async def test_live_and_written_values_decide_and_the_journal_decides_the_same(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(LIVE)
    assert await lab.until(lambda: "warm/if/then/hand" in lab.engine.run.active, 7200.0)
    assert lab.engine.run.finished["warm/if/else/wait"] == "skipped by rule"
    await lab.runs.answer("run-1", "warm/if/then/hand", {"clear": True}, TESTER)
    assert await lab.settle(60.0) == "COMPLETE"
    assert Engine.replayed("run-1", lab.engine.site, lab.engine.plan, lab.runs.doors).run == lab.engine.run


async def test_a_decision_on_a_value_that_is_not_good_asks_a_person(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(
        HEAD + "  - stage: Look\n    do:\n      - wait: 1 h\n      - if: co2 > 4 %\n        then: [{wait: 1 h}]\n"
    )
    lab.bench.inject("silence@incubator", lab.now + 600.0)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 2 * 3600.0)
    assert "not known (co2)" in lab.engine.run.why
    assert await lab.runs.decide("run-1", "look/if", "yes", TESTER) == "HELD"
    assert "look/if/then/wait" not in lab.engine.run.finished


async def test_a_value_the_ledger_cannot_hold_fails_its_asker_and_not_the_controller(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 7.0)
    lab.bench.power_cycle("pump_in", lab.now)
    await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    with pytest.raises(Broken, match="fault in the program"):
        await lab.runs.decide("run-1", "feed/fill", "delivered", TESTER, volume_ml=float("nan"))
    assert lab.ledger.doses()[-1].state == "unknown"
    assert await lab.runs.decide("run-1", "feed/fill", "delivered", TESTER, volume_ml=6.0) == "HELD"


async def test_the_alarm_of_a_hold_that_nobody_answered_goes_when_the_run_goes_on(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    run = lab.engine.run_id
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 600.0)
    await lab.runs.command(run, Cause.HOLD, TESTER)
    alarms = lab.runs.doors.alarms
    assert await lab.until(lambda: any("nobody answered" in row["text"] for row in alarms.open()), 3600.0, 10.0)
    (held,) = [row for row in alarms.open() if "nobody answered" in row["text"]]
    await alarms.acknowledge(held["alarm_id"], TESTER)
    assert held["state"] == "ACKED"
    await lab.runs.command(run, Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 600.0)
    assert not any("nobody answered" in row["text"] for row in alarms.open())


@pytest.mark.req("INV-22", "INV-26", "DX-10", "SM-08")
@pytest.mark.parametrize("boundary", range(4))
async def test_a_run_whose_start_a_death_cut_in_two_starts_or_was_never_there(lab: QuickLab, boundary: int) -> None:
    life = await lab.up()
    life.boundary.kill_at = life.boundary.count + boundary
    starting = asyncio.ensure_future(lab.runs.start(WAIT, by=TESTER, key="k"))
    await lab.until(lambda: life.boundary.dead, 60.0)
    starting.cancel()
    await lab.kill()
    await lab.up()
    assert len(lab.ledger.runs()) == (0 if boundary == 0 else 1)
    assert await lab.runs.start(WAIT, by=TESTER, key="k") == "run-1", "once for its key"
    assert len(lab.ledger.runs()) == 1
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0), lab.engine.run
    assert bool(lab.engine.run.active)
