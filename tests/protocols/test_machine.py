"""How a run behaves: order, times, results, questions, holds."""

from __future__ import annotations

import pytest

from protocols import machine
from protocols.effects import ApplyPoints, CloseTask, Deviate, OpenTask, QuietMovers, Raise, Recheck, Transfer, Watch
from protocols.events import Answered, Command, ConditionMet, Decision, PointsSet, TimeCame, TransferEnded
from protocols.limits import over
from protocols.machine import NotAllowed, wanted
from protocols.plan import (
    Dose,
    Exchange,
    Hand,
    Interruption,
    Late,
    Node,
    Pause,
    Plan,
    SetEnvironment,
    SetPoint,
    WaitUntil,
    Within,
)
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.protocols.answering import START, Bench, command, compressed_plan, feed, of, one, sequence, started

S = START
WARM = SetPoint("temperature", 37.0, "Cel")
HOT = SetPoint("temperature", 38.0, "Cel")
EXCHANGE = Exchange("reactor", 72.0, 24.0, 3.0, 18.0, 1.0, "medium", max_exposure_s=1800.0)
DOSE = Dose("reactor", 10.0, 1.0, "medium")
STEP = {"max_s": 3600.0, "interruption": Interruption.RESUME}


def held(plan: Plan, run: Run, at: float) -> Run:
    """HOLDING becomes HELD once the movers are quiet."""
    assert run.state is RunState.HOLDING
    return machine.step(plan, run, command(Cause.DONE, at))[0]


def going_again(plan: Plan, run: Run, at: float):
    """Restart, recheck, running: with the effects asked again."""
    run, effects = feed(plan, run, command(Cause.RESTART, at), command(Cause.DONE, at + 1))
    assert run.state is RunState.RUNNING
    return run, effects


def ended(at: float, part: str, outcome: str, path: str = "a", counter: float | None = 18.0, witness=18.0, why=""):
    return TransferEnded(at, path, part, outcome, counter, witness, why)


# Order and time


def test_steps_of_a_sequence_run_one_after_the_other():
    plan = sequence(Node("a", "a", "step", work=Pause(10.0)), Node("b", "b", "step", work=Pause(20.0)))
    run, _ = started(plan)
    assert set(run.active) == {"run", "a"}
    assert machine.next_time(plan, run) == S + 10
    run, _ = machine.step(plan, run, TimeCame(S + 10))
    assert run.finished == {"a": "done"}
    assert machine.next_time(plan, run) == S + 30
    run, _ = machine.step(plan, run, TimeCame(S + 30))
    assert run.state is RunState.COMPLETE
    assert machine.next_time(plan, run) is None


def test_branches_of_a_parallel_run_together_and_all_must_end():
    both = Node("p", "p", "parallel", (Node("p/a", "", "step", work=Pause(10)), Node("p/b", "", "step", work=Pause(5))))
    plan = sequence(both)
    run, _ = started(plan)
    assert {"p/a", "p/b"} <= set(run.active)
    run, _ = machine.step(plan, run, TimeCame(S + 5))
    assert run.state is RunState.RUNNING
    assert run.finished == {"p/b": "done"}
    run, _ = machine.step(plan, run, TimeCame(S + 10))
    assert run.state is RunState.COMPLETE


def test_a_step_with_a_due_time_waits_for_it():
    plan = one(DOSE, due=S + 100, late=Late(600))
    run, effects = started(plan)
    assert of(Transfer, effects) == []
    assert machine.next_time(plan, run) == S + 100
    run, effects = machine.step(plan, run, TimeCame(S + 100))
    assert [e.part for e in of(Transfer, effects)] == ["fill"]


def test_branches_of_a_parallel_wait_for_their_own_times():
    branches = [Node(f"p/{i}", "", "step", work=Pause(1), due=S + i) for i in (5, 9)]
    plan = sequence(Node("p", "p", "parallel", tuple(branches)))
    run, _ = started(plan)
    assert machine.next_time(plan, run) == S + 5
    run, _ = machine.step(plan, run, TimeCame(S + 5))
    assert machine.next_time(plan, run) == S + 6


def test_a_pause_counts_bench_time_through_a_hold():
    plan = sequence(Node("a", "", "step", work=Pause(100.0)), Node("b", "", "step", work=Pause(1)))
    run, _ = started(plan)
    run, _ = feed(plan, run, command(Cause.HOLD, S + 10), command(Cause.DONE, S + 11))
    assert machine.next_time(plan, run) == S + 11 + 900
    run, _ = going_again(plan, run, S + 200)
    assert run.finished == {"a": "done"}


def test_an_ended_protocol_keeps_its_end_values():
    plan = sequence(Node("a", "", "step", work=Pause(5)), end_points=(WARM,))
    run, _ = started(plan)
    run, effects = machine.step(plan, run, TimeCame(S + 5))
    assert run.state is RunState.COMPLETE
    assert ApplyPoints("", (WARM,)) in effects
    assert run.finished == {"a": "done", "run": "done"}


# Set points and conditions


def test_set_points_are_a_step_and_stay_wanted_afterwards():
    plan = sequence(Node("a", "", "step", work=SetEnvironment((WARM,)), **STEP), Node("b", "", "step", work=Pause(9)))
    run, effects = started(plan)
    assert effects == (ApplyPoints("a", (WARM,)),)
    run, effects = machine.step(plan, run, PointsSet(S + 1, "a"))
    assert effects == (ApplyPoints("", (WARM,)),)
    assert wanted(plan, run) == (ApplyPoints("", (WARM,)),)


@pytest.mark.req("INV-23")
def test_no_state_short_of_the_end_drops_the_environment():
    nodes = [
        Node("a", "", "step", work=SetEnvironment((WARM,)), **STEP),
        Node("b", "", "step", work=SetEnvironment((HOT,)), **STEP),
        Node("c", "", "step", work=Pause(9e9)),
    ]
    plan = sequence(*nodes, end_points=(WARM,))
    run, _ = started(plan)
    run, _ = feed(plan, run, PointsSet(S + 1, "a"))
    for causes, points in (
        ([], (ApplyPoints("b", (HOT,)),)),
        ([Cause.PAUSE], (ApplyPoints("b", (HOT,)),)),
        ([Cause.HOLD], (ApplyPoints("", (HOT,)),)),
        ([Cause.HOLD, Cause.DONE], (ApplyPoints("", (HOT,)),)),
        ([Cause.HOLD, Cause.DONE, Cause.RESTART], (ApplyPoints("b", (HOT,)),)),
        ([Cause.STOP], (ApplyPoints("", (WARM,)),)),
        ([Cause.STOP, Cause.DONE], (ApplyPoints("", (WARM,)),)),
    ):
        then, _ = feed(plan, run, *(command(cause, S + 2) for cause in causes))
        assert tuple(of(ApplyPoints, wanted(plan, then))) == points, causes


def test_hold_values_of_the_protocol_win_while_held():
    plan = sequence(Node("a", "", "step", work=SetEnvironment((HOT,)), **STEP), hold_points=(WARM,))
    run, _ = started(plan)
    run, effects = machine.step(plan, run, command(Cause.HOLD, S + 1))
    assert ApplyPoints("", (WARM,)) in effects
    run = held(plan, run, S + 2)
    run, effects = going_again(plan, run, S + 3)
    assert ApplyPoints("a", (HOT,)) in effects


def test_set_points_that_were_not_confirmed_hold_and_ask():
    plan = one(SetEnvironment((WARM,)), **STEP)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, PointsSet(S + 1, "a", why="read back 20.0"))
    assert run.state is RunState.HOLDING
    assert of(Raise, effects)[0].priority == "high"
    run = held(plan, run, S + 2)
    run, _ = feed(plan, run, Decision(S + 3, "a", "Ann", "run"))
    run, effects = going_again(plan, run, S + 4)
    assert ApplyPoints("a", (WARM,)) in effects
    assert machine.step(plan, run, PointsSet(S + 6, "a"))[0].state is RunState.COMPLETE


def test_a_condition_ends_its_wait_and_only_while_running():
    work = WaitUntil((Within("temperature", "Cel", 36.8, 37.2),), 60.0)
    plan = one(work, **STEP)
    run, effects = started(plan)
    assert effects == (Watch("a", work.conditions, 60.0),)
    on_hold, _ = machine.step(plan, run, command(Cause.HOLD, S + 1))
    assert wanted(plan, on_hold) == (QuietMovers(),)
    assert "a" in machine.step(plan, on_hold, ConditionMet(S + 2, "a"))[0].active
    assert machine.step(plan, run, ConditionMet(S + 60, "a"))[0].state is RunState.COMPLETE


def test_a_wait_beyond_its_maximum_holds_and_asks():
    plan = one(WaitUntil((Within("co2", "%", 4.8, 5.2),), 60.0), **STEP)
    run, _ = started(plan)
    assert machine.next_time(plan, run) == S + 3600
    run, effects = machine.step(plan, run, TimeCame(S + 3600))
    assert run.state is RunState.HOLDING
    assert of(Raise, effects)
    assert run.active["a"].options == ("run", "skip")
    run = held(plan, run, S + 3601)
    on, _ = feed(plan, run, Decision(S + 3700, "a", "Ann", "run"))
    on, effects = going_again(plan, on, S + 3800)
    assert of(Watch, effects)
    assert machine.next_time(plan, on) == S + 3801 + 3600  # counted from the return to RUNNING
    off, effects = feed(plan, run, Decision(S + 3700, "a", "Ann", "skip", why="probe is broken"))
    assert off.finished == {"a": "skipped by person"}
    assert of(Deviate, effects)
    off, _ = going_again_to_the_end(plan, off, S + 3800)
    assert off.state is RunState.COMPLETE


def going_again_to_the_end(plan: Plan, run: Run, at: float):
    return feed(plan, run, command(Cause.RESTART, at), command(Cause.DONE, at + 1))


# Fluids


@pytest.mark.req("DS-09", "INV-07")
def test_an_exchange_fills_only_after_the_withdrawal_was_measured():
    plan = one(EXCHANGE, **STEP)
    run, effects = started(plan)
    assert effects == (
        Transfer("a", "withdraw", "medium out", "level", 24.0, 3.0, "spent medium", "reactor", to_level_ml=72.0),
    )
    assert machine.step(plan, run, ended(S + 5, "fill", "done"))[0].active == run.active  # a late word of another part
    run, effects = machine.step(plan, run, ended(S + 10, "withdraw", "done"))
    assert effects == (Transfer("a", "fill", "medium in", "volume", 18.0, 1.0, "medium", "reactor"),)
    run, _ = machine.step(plan, run, ended(S + 20, "fill", "done"))
    assert run.finished["a"] == "done"


@pytest.mark.parametrize(
    ("outcome", "counter", "priority", "options"),
    [
        ("unknown", None, "critical", ("delivered", "nothing", "skip")),
        ("differ", 18.0, "high", ("delivered", "nothing", "skip")),
        ("short", 9.0, "high", ("accept", "skip")),
        ("over", 30.0, "critical", ("accept", "skip")),
        ("failed", 9.0, "high", ("accept", "skip")),
        ("failed", 0.0, "high", ("delivered", "nothing", "skip")),
    ],
)
@pytest.mark.req("SM-05")
def test_a_bad_outcome_holds_with_the_question_that_fits(outcome, counter, priority, options):
    plan = one(EXCHANGE, **STEP)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, ended(S + 5, "withdraw", outcome, counter=counter))
    assert run.state is RunState.HOLDING
    assert run.active["a"].options == options
    assert [e.priority for e in of(Raise, effects)] == [priority]
    assert of(QuietMovers, effects)
    assert not of(Transfer, wanted(plan, run))


@pytest.mark.req("DS-05")
def test_the_answers_to_an_unknown_dose():
    plan = sequence(Node("a", "", "step", work=DOSE, **STEP), Node("b", "", "step", work=Pause(1)))
    run, _ = started(plan)
    run, _ = feed(plan, run, ended(S + 5, "fill", "unknown"))
    run = held(plan, run, S + 6)
    for answer, ml, disposition in (
        ("delivered", 10.0, "done"),
        ("delivered", 6.0, "partial"),
        ("skip", None, "skipped by person"),
    ):
        decided, effects = feed(plan, run, Decision(S + 7, "a", "Ann", answer, ml))
        assert decided.finished == {"a": disposition}
        assert of(Deviate, effects)
        assert decided.state is RunState.HELD
    repeat, _ = feed(plan, run, Decision(S + 7, "a", "Ann", "nothing"))
    repeat, effects = going_again(plan, repeat, S + 8)
    assert [e.part for e in of(Transfer, effects)] == ["fill"]


def test_only_answers_of_the_question_are_taken():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    with pytest.raises(NotAllowed, match="no open question"):
        machine.step(plan, run, Decision(S + 1, "a", "Ann", "run"))
    run, _ = feed(plan, run, ended(S + 5, "fill", "unknown"))
    with pytest.raises(NotAllowed, match="possible: delivered"):
        machine.step(plan, run, Decision(S + 6, "a", "Ann", "accept"))
    with pytest.raises(NotAllowed, match="how many mL"):
        machine.step(plan, run, Decision(S + 6, "a", "Ann", "delivered"))


def test_an_accepted_withdrawal_goes_on_to_the_fill_and_stays_partial():
    plan = one(EXCHANGE, **STEP)
    run, _ = started(plan)
    run, _ = feed(plan, run, ended(S + 5, "withdraw", "short", counter=9.0))
    run = held(plan, run, S + 6)
    run, _ = feed(plan, run, Decision(S + 7, "a", "Ann", "accept"))
    run, effects = going_again(plan, run, S + 8)
    assert [e.part for e in of(Transfer, effects)] == ["fill"]
    run, _ = feed(plan, run, ended(S + 20, "fill", "done"))
    assert run.finished["a"] == "partial"


@pytest.mark.parametrize(("ml", "disposition"), [(24.0, "done"), (30.0, "partial")])
def test_a_withdrawal_to_a_level_is_right_up_to_its_limit(ml, disposition):
    plan = one(EXCHANGE, **STEP)
    run, _ = started(plan)
    run, _ = feed(plan, run, ended(S + 5, "withdraw", "unknown"), Decision(S + 6, "a", "Ann", "delivered", ml))
    run = held(plan, run, S + 7)
    run, _ = going_again(plan, run, S + 8)
    assert feed(plan, run, ended(S + 9, "fill", "done"))[0].finished["a"] == disposition


def test_restart_is_refused_while_a_question_is_open():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    run, _ = feed(plan, run, ended(S + 5, "fill", "unknown"))
    run = held(plan, run, S + 6)
    with pytest.raises(NotAllowed, match="decide first"):
        machine.step(plan, run, command(Cause.RESTART, S + 7))
    assert machine.open_questions(run) == {"a": run.active["a"].question}


def test_a_refused_transfer_holds_without_a_question_and_is_asked_again():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    run, _ = feed(plan, run, ended(S + 5, "fill", "refused", counter=None, witness=None, why="waste is full"))
    assert "waste is full" in run.why
    assert machine.open_questions(run) == {}
    run = held(plan, run, S + 6)
    run, effects = going_again(plan, run, S + 7)
    assert of(Transfer, effects)


def test_a_better_result_later_closes_the_question():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    run, _ = feed(plan, run, ended(S + 5, "fill", "unknown"))
    run = held(plan, run, S + 6)
    run, _ = feed(plan, run, ended(S + 60, "fill", "done"))
    assert run.finished == {"a": "done"}
    assert run.state is RunState.HELD


def test_no_fluid_is_wanted_in_any_state_but_running_and_pausing():
    plan = one(EXCHANGE, **STEP)
    for causes in ([Cause.HOLD], [Cause.HOLD, Cause.DONE], [Cause.STOP], [Cause.ABORT], [Cause.RECOVERED]):
        run, _ = started(plan)
        run, _ = feed(plan, run, *(command(cause, S + 1) for cause in causes))
        assert not of(Transfer, wanted(plan, run)), causes


def test_a_pause_lets_an_exchange_come_to_its_safe_end():
    plan = sequence(Node("a", "", "step", work=EXCHANGE, **STEP), Node("b", "", "step", work=DOSE, **STEP))
    run, _ = started(plan)
    run, effects = machine.step(plan, run, command(Cause.PAUSE, S + 1))
    assert not of(QuietMovers, effects)
    assert machine.step(plan, run, command(Cause.DONE, S + 2))[0].state is RunState.PAUSING
    assert machine.next_time(plan, run) == S + 1 + 3600
    run, effects = machine.step(plan, run, ended(S + 5, "withdraw", "done"))
    assert [e.part for e in of(Transfer, effects)] == ["fill"]
    run, effects = machine.step(plan, run, ended(S + 9, "fill", "done"))
    assert of(QuietMovers, effects) == [QuietMovers(wait_for_transfer=True)]
    run, _ = machine.step(plan, run, command(Cause.DONE, S + 10))
    assert run.state is RunState.PAUSED
    run, effects = machine.step(plan, run, command(Cause.RESUME, S + 20))
    assert [e.path for e in of(Transfer, effects)] == ["b"]


def test_a_transfer_beyond_its_maximum_is_stopped_and_judged_by_its_result():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, TimeCame(S + 3600))
    assert run.state is RunState.HOLDING
    assert of(QuietMovers, effects)
    assert machine.open_questions(run) == {}
    assert feed(plan, run, ended(S + 3601, "fill", "short", counter=4.0))[0].active["a"].question


def test_a_drained_vessel_is_a_critical_alarm_once():
    plan = one(EXCHANGE, **STEP)
    run, _ = started(plan)
    run, _ = feed(
        plan, run, ended(S + 10, "withdraw", "done"), command(Cause.HOLD, S + 11), command(Cause.DONE, S + 12)
    )
    assert machine.next_time(plan, run) == S + 12 + 900
    run, effects = machine.step(plan, run, TimeCame(S + 912))
    assert [e.key for e in of(Raise, effects)] == [f"held:{S + 12:.0f}"]
    run, effects = machine.step(plan, run, TimeCame(S + 1810))
    assert [(e.key, e.priority) for e in of(Raise, effects)] == [("a:drained", "critical")]
    assert machine.next_time(plan, run) is None


def test_stopping_in_the_middle_of_an_exchange_says_that_the_vessel_is_drained():
    plan = one(EXCHANGE, **STEP)
    run, _ = started(plan)
    run, effects = feed(plan, run, command(Cause.STOP, S + 5), ended(S + 6, "withdraw", "done"))
    assert of(Raise, effects)[0].key == "a:drained"
    run, effects = machine.step(plan, run, command(Cause.DONE, S + 7))
    assert run.state is RunState.STOPPED
    assert run.finished == {"a": "cancelled", "run": "cancelled"}


@pytest.mark.parametrize(("outcome", "disposition"), [("short", "partial"), ("unknown", "failed")])
def test_a_result_while_aborting_is_recorded_and_asks_nothing(outcome, disposition):
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    run, effects = feed(plan, run, command(Cause.ABORT, S + 5), ended(S + 6, "fill", outcome))
    assert run.finished == {"a": disposition}
    assert of(Raise, effects)
    assert run.state is RunState.ABORTING


# People


def test_a_hand_step_opens_a_task_and_ends_with_its_answer():
    plan = one(Hand("Look"), **STEP)
    run, effects = started(plan)
    assert effects == (OpenTask("a", "a", Hand("Look"), S),)
    with pytest.raises(NotAllowed):
        machine.step(plan, run, Answered(S + 1, "b", "Ann", {}))
    assert machine.step(plan, run, Answered(S + 1, "a", "Ann", {}))[0].state is RunState.COMPLETE


def test_a_task_can_be_answered_while_the_run_is_held_or_paused():
    plan = one(Hand("Look"), **STEP)
    for causes in ([Cause.HOLD, Cause.DONE], [Cause.PAUSE, Cause.DONE]):
        run, _ = started(plan)
        run, _ = feed(plan, run, *(command(cause, S + 1) for cause in causes))
        assert of(OpenTask, wanted(plan, run))
        run, _ = feed(plan, run, Answered(S + 2, "a", "Ann", {"x": 1.0}))
        assert run.finished == {"a": "done"}


@pytest.mark.req("SM-05", "DX-32")
def test_an_open_task_reminds_is_overdue_and_then_holds():
    plan = one(Hand("Look", overdue_s=7200.0), due=S + 100, late=Late(1800), **STEP)
    run, _ = started(plan)
    run, _ = machine.step(plan, run, TimeCame(S + 100))
    assert machine.next_time(plan, run) == S + 1000
    run, effects = machine.step(plan, run, TimeCame(S + 1000))
    assert [(e.key, e.priority, e.text) for e in of(Raise, effects)] == [
        ("a:to do", "low", "a: still to do, overdue in 15 min")
    ]
    assert machine.next_time(plan, run) == S + 1900
    run, effects = machine.step(plan, run, TimeCame(S + 1900))
    assert [(e.key, e.priority) for e in of(Raise, effects)] == [("a:overdue", "high")]
    assert machine.next_time(plan, run) == S + 7300
    run, effects = machine.step(plan, run, TimeCame(S + 7300))
    assert run.state is RunState.HOLDING
    assert of(OpenTask, wanted(plan, run))
    run = held(plan, run, S + 7301)
    run, _ = going_again(plan, run, S + 7400)  # a person restarted knowingly: it does not hold again
    assert run.state is RunState.RUNNING
    assert machine.next_time(plan, run) is None


def test_tasks_are_closed_when_the_run_ends_early():
    plan = one(Hand("Look"), **STEP)
    run, _ = started(plan)
    run, effects = feed(plan, run, command(Cause.STOP, S + 1), command(Cause.DONE, S + 2))
    assert [e.path for e in of(CloseTask, effects)] == ["a"]
    assert run.finished["a"] == "cancelled"


# Late and spaced occurrences


def occurrences(*dues: float, after="ask", window=600.0, tolerance=1800.0, key="feed", interval=300.0) -> Plan:
    nodes = [
        Node(
            f"op/{i}", f"feed {i}", "sequence", (Node(f"op/{i}/dose", "", "step", work=DOSE, **STEP),),
            due=S + due, late=Late(tolerance, after, window), spacing_key=key, min_interval_s=interval,
        )
        for i, due in enumerate(dues, 1)
    ]  # fmt: skip
    return sequence(Node("op", "op", "sequence", tuple(nodes)))


@pytest.mark.parametrize(
    ("lateness", "state", "late"),
    [(0, "RUNNING", False), (600, "RUNNING", False), (601, "RUNNING", True), (1801, "HOLDING", True)],
)
def test_lateness_is_on_time_then_done_late_then_a_question(lateness, state, late):
    plan = occurrences(100.0)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, TimeCame(S + 100 + lateness))
    assert run.state == state
    assert run.active["op/1"].late is late
    assert bool(of(Deviate, effects)) is (late and state == "RUNNING")
    if state == "RUNNING":
        run, _ = feed(plan, run, ended(run.looked + 9, "fill", "done", "op/1/dose"))
        assert run.finished["op/1"] == ("done late" if late else "done")


def test_a_late_question_is_answered_by_run_or_skip():
    plan = occurrences(100.0, 90_000.0)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, TimeCame(S + 9000))
    assert run.active["op/1"].options == ("run", "shift", "skip")
    assert of(Raise, effects)[0].key == "op/1:late"
    run = held(plan, run, S + 9001)
    yes, _ = feed(plan, run, Decision(S + 9100, "op/1", "Ann", "run"))
    yes, effects = going_again(plan, yes, S + 9200)
    assert [e.path for e in of(Transfer, effects)] == ["op/1/dose"]
    yes, _ = feed(plan, yes, ended(S + 9300, "fill", "done", "op/1/dose"))
    assert yes.finished["op/1"] == "done late"
    no, _ = feed(plan, run, Decision(S + 9100, "op/1", "Ann", "skip"))
    assert no.finished == {"op/1/dose": "skipped by person", "op/1": "skipped by person"}


def test_a_late_fluid_step_of_its_own_starts_at_its_first_part_after_the_answer():
    plan = one(EXCHANGE, due=S + 10, late=Late(60), **STEP)
    run, _ = started(plan)
    run, _ = machine.step(plan, run, TimeCame(S + 5000))
    run, _ = feed(plan, run, Decision(S + 5001, "a", "Ann", "run"))
    run = held(plan, run, S + 5002)
    run, effects = going_again(plan, run, S + 5003)
    assert [e.part for e in of(Transfer, effects)] == ["withdraw"]


@pytest.mark.parametrize(("after", "disposition"), [("run", "done late"), ("skip", "skipped by rule")])
def test_late_rules_that_need_no_person(after, disposition):
    plan = occurrences(100.0, after=after)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, TimeCame(S + 9000))
    assert of(Deviate, effects)
    if after == "run":
        run, _ = feed(plan, run, ended(S + 9300, "fill", "done", "op/1/dose"))
    assert run.finished["op/1"] == disposition


@pytest.mark.req("INV-15", "INV-14")
def test_missed_occurrences_are_merged_into_the_last_one():
    plan = occurrences(100.0, 1000.0, 2000.0)
    run, _ = started(plan)
    run, effects = machine.step(plan, run, TimeCame(S + 2100))
    assert run.finished["op/1"] == run.finished["op/2"] == "skipped by rule"
    assert [e.path for e in of(Transfer, effects)] == ["op/3/dose"]
    assert len(of(Deviate, effects)) == 2


@pytest.mark.req("INV-15")
def test_two_doses_are_never_closer_than_their_least_interval():
    plan = occurrences(100.0, 1000.0, interval=700.0)
    run, _ = started(plan)
    run, _ = feed(plan, run, TimeCame(S + 500), ended(S + 900, "fill", "done", "op/1/dose"))
    run, effects = machine.step(plan, run, TimeCame(S + 1000))
    assert run.finished["op/2"] == "skipped by rule"
    assert "never closer" in of(Deviate, effects)[0].text
    assert run.state is RunState.COMPLETE


@pytest.mark.req("INV-15")
def test_a_dose_that_goes_on_after_a_hold_counts_from_then():
    plan = occurrences(100.0, 1000.0, interval=700.0)
    run, _ = started(plan)
    run, _ = feed(plan, run, TimeCame(S + 100), command(Cause.HOLD, S + 110), command(Cause.DONE, S + 111))
    run, _ = going_again(plan, run, S + 800)
    assert run.last_fluid == {"feed": S + 801}


# Restart, recovery, limits


def test_restarting_checks_first_and_asks_for_everything_again():
    plan = sequence(
        Node("a", "", "step", work=SetEnvironment((WARM,)), **STEP),
        Node("p", "", "parallel", (
            Node("p/h", "h", "step", work=Hand("Look"), **STEP), Node("p/d", "d", "step", work=DOSE, **STEP),
        )),
    )  # fmt: skip
    run, _ = started(plan)
    run, _ = feed(plan, run, PointsSet(S + 1, "a"), command(Cause.RECOVERED, S + 50))
    assert run.state is RunState.RESTARTING
    assert wanted(plan, run)[0] == Recheck()
    run, effects = machine.step(plan, run, command(Cause.DONE, S + 51))
    assert {type(e) for e in effects} == {ApplyPoints, OpenTask, Transfer}
    assert tuple(effects) == wanted(plan, run)


@pytest.mark.req("SM-08")
def test_a_crash_comes_back_in_a_resting_state():
    for state in RunState:
        plan = one(Pause(10), **STEP)
        run = Run(state, S, active={"run": started(plan)[0].active["run"]})
        after_it, _ = machine.step(plan, run, command(Cause.RECOVERED, S + 1))
        assert after_it.state not in (RunState.RUNNING, RunState.PAUSING)


def test_a_recheck_that_finds_something_holds():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    run, _ = feed(plan, run, command(Cause.RECOVERED, S + 50), Command(S + 51, Cause.HOLD, "rule", "pump is away"))
    assert run.state is RunState.HOLDING
    assert run.why == "pump is away"


@pytest.mark.req("DX-20")
def test_an_interrupted_step_whose_rule_is_ask_waits_for_a_person():
    plan = one(SetEnvironment((WARM,)), max_s=60.0)  # the rule of a node that names none is "ask"
    run, _ = started(plan)
    run, effects = machine.step(plan, run, command(Cause.RECOVERED, S + 50))
    assert run.state is RunState.HOLDING
    assert run.active["a"].options == ("run", "skip")
    assert of(Raise, effects)[0].key == "a:interrupted"


@pytest.mark.req("SM-02")
@pytest.mark.parametrize(
    ("causes", "limit", "then"),
    [
        ([Cause.PAUSE], 120, RunState.HOLDING),
        ([Cause.HOLD], 60, RunState.HELD),
        ([Cause.HOLD, Cause.DONE, Cause.RESTART], 120, RunState.HOLDING),
        ([Cause.STOP], 120, RunState.STOPPED),
        ([Cause.ABORT], 10, RunState.ABORTED),
    ],
)
def test_passing_states_have_a_limit_and_say_that_outputs_are_not_confirmed(causes, limit, then):
    plan = one(Pause(9e6))
    run, _ = started(plan)
    run, _ = feed(plan, run, *(command(cause, S + 1) for cause in causes))
    assert machine.next_time(plan, run) == S + 1 + limit
    run, effects = machine.step(plan, run, TimeCame(S + 1 + limit))
    assert run.state is then
    assert "not confirmed" in run.why
    assert of(Raise, effects)[0].priority == "critical"


def test_a_held_run_that_nobody_answers_is_a_critical_alarm_after_a_quarter_of_an_hour():
    plan = one(Pause(9e6))
    run, _ = started(plan)
    run, _ = feed(plan, run, command(Cause.HOLD, S + 1), command(Cause.DONE, S + 2))
    run, effects = machine.step(plan, run, TimeCame(S + 902))
    assert of(Raise, effects)[0].priority == "critical"


def test_late_words_of_machines_change_nothing():
    plan = one(DOSE, **STEP)
    run, _ = started(plan)
    for event in (
        PointsSet(S + 1, "a"),
        PointsSet(S + 1, "nowhere"),
        ConditionMet(S + 1, "a"),
        ended(S + 1, "x", "done"),
    ):
        then, effects = machine.step(plan, run, event)
        assert then.active == run.active
        assert effects == ()


def test_the_compressed_protocol_runs_to_its_end():
    bench = Bench(compressed_plan())
    run = bench.go()
    assert set(run.finished.values()) == {"done"}
    assert set(run.finished) == set(bench.plan.nodes)
    assert 5 * 3600 < bench.now - S < 7 * 3600


def test_the_shipped_protocol_runs_to_its_end_on_a_good_bench(shipped):
    run = Bench(shipped).go()
    not_taken = {path for path, how in run.finished.items() if how != "done"}
    ways = ("expansion/confluence/1/if/then", "maturation/inoculate-the-reactor/1/if/then")
    assert not_taken == {path for path in shipped.nodes if path.startswith(ways)}, "80 % and more, and a clear reactor"
    assert {run.finished[path] for path in not_taken} == {"skipped by rule"}
    assert set(run.finished) == set(shipped.nodes)


# Branches


def branches(first: Node, *, independent: bool = True) -> Plan:
    """A branch of one step beside a pause of an hour, then a step that waits for both."""
    left = Node("p/a", "Left", "sequence", (first,), independent=independent)
    right = Node("p/b", "Right", "sequence", (Node("p/b/a", "", "step", work=Pause(3600.0)),))
    return sequence(Node("p", "", "parallel", (left, right)), Node("z", "", "step", work=Pause(1.0)))


@pytest.mark.req("SM-04")
@pytest.mark.parametrize("independent", [True, False])
def test_a_question_holds_an_independent_branch_and_else_the_run(independent: bool):
    wait = Node("p/a/a", "Warm", "step", work=WaitUntil((Within("temperature", "Cel", 36, 38),), 60.0), max_s=600.0)
    plan = branches(wait, independent=independent)
    run, effects = feed(plan, started(plan)[0], TimeCame(S + 600))
    assert [alarm.priority for alarm in of(Raise, effects)] == ["high"]
    assert machine.open_questions(run).keys() == {"p/a/a"}
    assert run.state is (RunState.RUNNING if independent else RunState.HOLDING)


@pytest.mark.req("SM-04")
def test_an_independent_branch_goes_on_with_the_decision_and_what_follows_waits_for_both():
    wait = Node("p/a/a", "Warm", "step", work=WaitUntil((Within("temperature", "Cel", 36, 38),), 60.0), max_s=600.0)
    plan = branches(wait)
    run, _ = feed(plan, started(plan)[0], TimeCame(S + 600), TimeCame(S + 3600))
    assert run.finished == {"p/b": "done", "p/b/a": "done"}
    run, effects = machine.step(plan, run, Decision(S + 3700, "p/a/a", "Ann", "run"))
    assert [watch.path for watch in of(Watch, effects)] == ["p/a/a"]
    assert machine.next_time(plan, run) == S + 3700 + 600, "its time starts again"
    run, _ = machine.step(plan, run, ConditionMet(S + 3800, "p/a/a"))
    assert "z" in run.active


@pytest.mark.req("SM-04")
def test_a_branch_that_waits_alone_and_is_not_answered_becomes_a_critical_alarm():
    plan = branches(Node("p/a/wait", "Warm", "step", work=WaitUntil((Within("ph", "1", 7.0, 7.4),), 0.0), max_s=600.0))
    run, _ = started(plan)
    run, _ = machine.step(plan, run, TimeCame(S + 600))
    assert run.active["p/a/wait"].question
    run, effects = machine.step(plan, run, TimeCame(S + 1500))
    (alarm,) = of(Raise, effects)
    assert (alarm.key, alarm.priority) == ("p/a/wait:unanswered", "critical")
    assert not over(run, alarm.key)
    run, _ = machine.step(plan, run, Decision(S + 1600, "p/a/wait", "Ann", "skip"))
    assert over(run, alarm.key)


@pytest.mark.req("SM-04", "SM-05")
def test_a_doubt_about_fluid_and_a_command_reach_past_an_independent_branch():
    plan = branches(Node("p/a/a", "", "step", work=DOSE, max_s=600.0))
    run, _ = started(plan)
    assert feed(plan, run, ended(S + 60, "fill", "unknown", "p/a/a"))[0].state is RunState.HOLDING
    plan = branches(Node("p/a/a", "Look", "step", work=Hand("Look", overdue_s=600.0)))
    run, effects = feed(plan, started(plan)[0], TimeCame(S + 600))
    assert run.state is RunState.RUNNING
    assert of(Deviate, effects)
    assert feed(plan, run, command(Cause.HOLD, S + 700))[0].state is RunState.HOLDING


@pytest.mark.req("SM-04")
def test_a_restart_waits_for_questions_of_the_run_only():
    wait = Node("p/a/a", "Warm", "step", work=WaitUntil((Within("temperature", "Cel", 36, 38),), 60.0), max_s=600.0)
    plan = branches(wait)
    run, _ = feed(plan, started(plan)[0], TimeCame(S + 600), command(Cause.HOLD, S + 700))
    run, _ = going_again(plan, held(plan, run, S + 701), S + 800)
    assert machine.open_questions(run).keys() == {"p/a/a"}
