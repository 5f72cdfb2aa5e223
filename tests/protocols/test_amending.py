"""Amendments change the future of a run and nothing else; late rules, modes, and waits that do not count an outage."""

from __future__ import annotations

import pytest

import protocols
from protocols import amending, machine
from protocols.amending import CannotAmend
from protocols.effects import Deviate, Raise, Transfer
from protocols.events import Advanced, Amended, Answered, Command, Decision, ModeSet, TimeCame, TransferEnded
from protocols.machine import NotAllowed
from protocols.plan import Plan
from protocols.records import as_json, from_json
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.protocols.answering import START, Bench, feed, of, started

S = START
H = 3600.0
TEXT = """\
protocol: small
version: 1.0
title: Small
status: rehearsal
species: none
parameters:
  volume: {default: 5 mL, range: 1..9 mL, source: A}
vessels:
  reactor: {kind: stirred, needs: [medium in, medium out]}
materials:
  medium: {recipe: water, keeps: 7 d at 4 degC}
stages:
  - stage: Seed
    do:
      - hand: Look
  - stage: Feed
    every: {interval: 24 h, from: day 0 12:00, times: 4, window: ±2 h, never closer than: 12 h, RULES}
    do:
      - fill: {into: reactor, volume: {volume}, of: medium, at: 1 mL/min}
        at most: 1 h
      - wait: 10 min
"""


def plan(rules: str = "if later: ask", **sets: str) -> Plan:
    return protocols.plan(protocols.load(TEXT.replace("RULES", rules)), S, "Asia/Tokyo", sets)


PLAN = plan()
FIRST = PLAN.nodes["feed/1"].due or 0.0


def fed(plan: Plan, run: Run, n: int, at: float) -> Run:
    done = TransferEnded(at + 300, f"feed/{n}/fill", "fill", "done", 5.0, None)
    return feed(plan, run, TimeCame(at), done, TimeCame(at + 900))[0]


def after_first(plan: Plan) -> Run:
    run, _ = feed(plan, started(plan)[0], Answered(S + 60, "seed/hand", "Ann", {}))
    return fed(plan, run, 1, FIRST)


def amended(plan: Plan, run: Run, amendment: amending.Amendment, at: float) -> tuple[Plan, Run]:
    event = amending.event(amendment, at, "Ann", "the room is closed")
    assert from_json(as_json(event)) == event
    after, effects = machine.step(plan, run, event)
    assert of(Deviate, effects)
    return machine.plan_after(plan, event), after


# What a person may change


@pytest.mark.req("RM-05")
def test_a_skipped_occurrence_is_over_before_its_turn_and_the_next_one_comes():
    run = after_first(PLAN)
    plan, run = amended(PLAN, run, amending.skipped(PLAN, run, "feed/2"), FIRST + 2 * H)
    assert {run.finished[path] for path in ("feed/2", "feed/2/fill", "feed/2/wait")} == {"skipped by person"}
    assert machine.next_time(plan, run) == FIRST + 48 * H


@pytest.mark.req("RM-05")
def test_a_moved_occurrence_begins_at_its_new_time_and_the_others_keep_theirs():
    run = after_first(PLAN)
    plan, run = amended(PLAN, run, amending.moved(PLAN, run, "feed/2", FIRST + 30 * H), FIRST + 2 * H)
    assert machine.next_time(plan, run) == FIRST + 30 * H
    run = fed(plan, run, 2, FIRST + 30 * H)
    assert run.finished["feed/2"] == "done"
    assert machine.next_time(plan, run) == FIRST + 48 * H


@pytest.mark.req("RM-05", "INV-13")
def test_a_repetition_is_a_new_occurrence_with_a_key_of_its_own():
    run = after_first(PLAN)
    plan, run = amended(PLAN, run, amending.repeated(PLAN, run, "feed/1", FIRST + 13 * H), FIRST + 2 * H)
    assert machine.next_time(plan, run) == FIRST + 13 * H
    run, effects = feed(plan, run, TimeCame(FIRST + 13 * H))
    assert [transfer.path for transfer in of(Transfer, effects)] == ["feed/1-again-1/fill"]
    again = amending.repeated(plan, run, "feed/1", FIRST + 40 * H)
    assert "feed/1-again-2/fill" in again.plan.nodes


@pytest.mark.req("RM-05")
def test_new_values_are_for_what_has_not_begun():
    run = after_first(PLAN)
    plan, run = amended(PLAN, run, amending.revalued(PLAN, run, plan_with("3 mL")), FIRST + 2 * H)
    volumes = [plan.nodes[f"feed/{n}/fill"].work.volume_ml for n in (1, 2, 3, 4)]  # type: ignore[union-attr]
    assert volumes == [5.0, 3.0, 3.0, 3.0]
    assert plan.parameters == {"volume": "3 mL"}
    with pytest.raises(CannotAmend, match="the values the run has already"):
        amending.revalued(plan, run, plan_with("3 mL"))


@pytest.mark.req("RM-05")
def test_new_values_leave_the_times_and_repetitions_that_people_gave():
    run = after_first(PLAN)
    plan, run = amended(PLAN, run, amending.moved(PLAN, run, "feed/3", FIRST + 50 * H), FIRST + 2 * H)
    plan, run = amended(plan, run, amending.repeated(plan, run, "feed/1", FIRST + 13 * H), FIRST + 2 * H)
    plan, run = amended(plan, run, amending.revalued(plan, run, plan_with("3 mL")), FIRST + 3 * H)
    assert [node.path for node in plan.nodes["feed"].children] == [
        "feed/1",
        "feed/1-again-1",
        "feed/2",
        "feed/3",
        "feed/4",
    ]
    assert plan.nodes["feed/3"].due == FIRST + 50 * H
    assert plan.nodes["feed/1-again-1"].due == FIRST + 13 * H
    assert plan.nodes["feed/3/fill"].work.volume_ml == 3.0  # type: ignore[union-attr]
    plan, run = amended(plan, run, amending.revalued(plan, run, plan_with("4 mL")), FIRST + 4 * H)
    assert plan.nodes["feed/3"].due == FIRST + 50 * H


def test_a_repeated_fluid_step_that_no_rule_spaces_is_told():
    text = TEXT.replace("      - hand: Look\n", (
        "      - fill: {into: reactor, volume: 1 mL, of: medium, at: 1 mL/min}\n"
        "        at most: 1 h\n      - hand: Look\n"
    )).replace("RULES", "if later: ask")  # fmt: skip
    both = protocols.plan(protocols.load(text), S, "Asia/Tokyo")
    run, _ = feed(both, started(both)[0], TransferEnded(S + 60, "seed/fill", "fill", "done", 1.0, None))
    amendment = amending.repeated(both, run, "seed/fill", S + 120)
    assert "no 'never closer than' stands at it" in amending.violations(both, amendment, run)[0]


def plan_with(volume: str) -> Plan:
    return plan(volume=volume)


@pytest.mark.req("RM-05")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p, r: amending.skipped(p, r, "feed/1"), "is over"),
        (lambda p, r: amending.skipped(p, r, "feed/9"), "no step of this run is called 'feed/9' .did you mean 'feed/"),
        (
            lambda p, r: amending.skipped(p, r, "the one tomorrow"),
            "what is ahead, with its path: 'osteon runs show RUN'",
        ),
        (lambda p, r: amending.skipped(p, r, "feed"), "has begun"),
        (lambda p, r: amending.moved(p, r, "feed/2/fill", FIRST + 30 * H), "belongs to is feed/2"),
        (lambda p, r: amending.moved(p, r, "feed/2", FIRST), "into the past"),
        (lambda p, r: amending.moved(p, r, "feed/2", FIRST + 49 * H), "after feed/3"),
        (lambda p, r: amending.moved(p, r, "feed/3", FIRST + 23 * H), "before feed/2"),
        (lambda p, r: amending.repeated(p, r, "feed/2", FIRST + 30 * H), "is not over"),
        (lambda p, r: amending.repeated(p, r, "seed/hand", FIRST + 30 * H), "no room"),
        (lambda p, r: amending.repeated(p, r, "feed/1", FIRST - H), "in the future"),
    ],
)
def test_the_past_cannot_be_changed(change, says):
    with pytest.raises(CannotAmend, match=says):
        change(PLAN, after_first(PLAN))


def test_rules_that_a_change_breaks_are_told_before_it_is_made():
    run = after_first(PLAN)
    near = amending.repeated(PLAN, run, "feed/1", FIRST + 6 * H)
    assert "never closer than" in "; ".join(amending.violations(PLAN, near, run))
    assert amending.violations(PLAN, amending.moved(PLAN, run, "feed/2", FIRST + 30 * H), run) == ()
    far = plan("if later: ask, never further apart than: 36 h")
    skip = amending.skipped(far, run, "feed/2")
    assert "never further apart than 36 h" in "; ".join(amending.violations(far, skip, run))


def test_a_run_that_has_ended_has_no_future():
    run = after_first(PLAN)
    amendment = amending.skipped(PLAN, run, "feed/2")
    run, _ = feed(PLAN, run, Command(FIRST + H, Cause.STOP, "Ann"), Command(FIRST + H, Cause.DONE, "engine"))
    with pytest.raises(NotAllowed, match="no future"):
        machine.step(PLAN, run, amending.event(amendment, FIRST + H, "Ann", "too late"))
    begun, _ = feed(PLAN, after_first(PLAN), TimeCame(FIRST + 24 * H))
    with pytest.raises(NotAllowed, match="has begun"):
        machine.step(PLAN, begun, Amended(FIRST + 24 * H, "Ann", "too late", ("feed/2",), PLAN))


# Late rules


LATE = FIRST + 24 * H + 3 * H


def late(plan: Plan) -> Run:
    run, _ = feed(plan, after_first(plan), TimeCame(LATE))
    return run


@pytest.mark.req("DX-30")
def test_shift_runs_the_late_one_and_moves_the_later_ones():
    run = late(PLAN)
    assert run.active["feed/2"].options == ("run", "shift", "skip")
    run, _ = feed(PLAN, run, Command(LATE + 5, Cause.DONE, "e"), Decision(LATE + H, "feed/2", "Ann", "shift"))
    run, _ = feed(PLAN, run, Command(LATE + H, Cause.RESTART, "Ann"), Command(LATE + H, Cause.DONE, "e"))
    run = fed(PLAN, run, 2, LATE + H)
    assert machine.next_time(PLAN, run) == FIRST + 48 * H + 4 * H


@pytest.mark.req("DX-30")
def test_an_interval_anchor_shifts_by_itself_and_a_calendar_anchor_does_not():
    for anchor, then in (("interval", LATE + 24 * H), ("calendar", FIRST + 48 * H)):
        kept = plan(f"if later: run, anchor: {anchor}")
        assert machine.next_time(kept, fed(kept, late(kept), 2, LATE)) == then


@pytest.mark.req("DX-30")
@pytest.mark.parametrize(("rule", "disposition"), [("run", "done late"), ("skip", "skipped by rule")])
def test_when_nobody_answers_the_author_s_rule_does_and_the_run_goes_on(rule: str, disposition: str):
    bench = Bench(plan(f"if later: ask, if nobody answers: {rule} after 2 h, recommended: {rule}"))
    bench.run, bench.now = late(bench.plan), LATE
    assert f"recommends: {rule}" in bench.run.active["feed/2"].question
    bench.later(5, Command(LATE + 5, Cause.DONE, "engine", bench.run.why))
    bench.go()
    assert bench.run.finished["feed/2"] == disposition
    said = [deviation.text for deviation in of(Deviate, bench.effects)]
    assert any("nobody answered within 2 h" in text for text in said)
    assert any("held, nobody answered" in alarm.text for alarm in of(Raise, bench.effects)), "escalation goes on"


@pytest.mark.req("DX-30")
def test_without_such_a_rule_the_run_keeps_holding():
    run = late(PLAN)
    run, _ = feed(PLAN, run, Command(LATE + 5, Cause.DONE, "e"), TimeCame(LATE + 400 * H))
    assert run.state is RunState.HELD


@pytest.mark.req("DX-30")
def test_an_answer_by_rule_does_not_end_a_hold_that_had_another_reason():
    kept = plan("if later: ask, if nobody answers: run after 2 h")
    run, _ = feed(kept, late(kept), Command(LATE + 5, Cause.DONE, "e", "somebody pressed hold"))
    run, _ = feed(kept, run, TimeCame(LATE + 3 * H))
    assert run.state is RunState.HELD
    assert not run.active["feed/2"].question, "it is answered; who held the run restarts it"


@pytest.mark.req("DX-30")
def test_the_longest_interval_is_an_alarm_before_it_is_over():
    kept = plan("if later: ask, never further apart than: 30 h")
    run = after_first(kept)
    run, _ = feed(kept, run, Command(FIRST + 20 * H, Cause.HOLD, "Ann"), Command(FIRST + 20 * H, Cause.DONE, "e"))
    assert machine.next_time(kept, run) == FIRST + 20 * H + 900
    run, _ = feed(kept, run, TimeCame(FIRST + 26 * H))
    assert machine.next_time(kept, run) == FIRST + 27 * H
    run, effects = feed(kept, run, TimeCame(FIRST + 27 * H))
    (alarm,) = of(Raise, effects)
    assert alarm.priority == "critical"
    assert "never further apart than 30 h" in alarm.text
    assert not of(Raise, feed(kept, run, TimeCame(FIRST + 29 * H))[1]), "once"


@pytest.mark.parametrize("words", ["soon", "run after 1 min", "shift after 2 h"])
def test_a_rule_for_no_answer_that_cannot_be_is_named(words: str):
    with pytest.raises(protocols.ProtocolInvalid):
        plan(f"if later: ask, if nobody answers: {words}")


@pytest.mark.req("DX-20")
@pytest.mark.parametrize(("words", "ends"), [("yes", S + H), ("no", S + 3 * H)])
def test_a_wait_counts_an_outage_or_not_as_its_author_says(words: str, ends: float):
    text = TEXT.replace("hand: Look", f"wait: {{for: 1 h, count downtime: {words}}}").replace("RULES", "if later: ask")
    waits = protocols.plan(protocols.load(text), S, "Asia/Tokyo")
    run, _ = started(waits)
    run, _ = feed(waits, run, Command(S + 2.5 * H, Cause.RECOVERED, "rule", gap_s=2 * H))
    run, _ = feed(waits, run, Command(S + 2.5 * H, Cause.DONE, "engine"))
    due = machine.next_time(waits, run)
    assert ("seed/wait" in run.finished) is (ends < S + 2.5 * H)
    assert due == (FIRST if words == "yes" else ends)


# Modes


@pytest.mark.req("SM-06")
def test_in_mode_step_each_step_waits_for_a_person():
    run, _ = feed(PLAN, started(PLAN)[0], ModeSet(S + 1, "Ann", "step"), Answered(S + 60, "seed/hand", "Ann", {}))
    run, effects = feed(PLAN, run, TimeCame(FIRST))
    assert run.waiting == ("feed/1/fill",)
    assert not of(Transfer, effects)
    with pytest.raises(NotAllowed, match="waiting: feed/1/fill"):
        machine.step(PLAN, run, Advanced(FIRST + 1, "Ann", "feed/1/wait"))
    run, effects = feed(PLAN, run, Advanced(FIRST + 2, "Ann", "feed/1/fill"))
    assert of(Transfer, effects)
    assert run.waiting == ()
    run, _ = feed(PLAN, run, TransferEnded(FIRST + 300, "feed/1/fill", "fill", "done", 5.0, None))
    assert run.waiting == ("feed/1/wait",)
    run, _ = feed(PLAN, run, ModeSet(FIRST + 400, "Ann", "auto"))
    assert "feed/1/wait" in run.active
    with pytest.raises(NotAllowed, match="mode is auto"):
        machine.step(PLAN, run, Advanced(FIRST + 401, "Ann", "feed/1/wait"))


@pytest.mark.req("SM-06")
def test_manual_holds_the_run_first_and_restart_waits_for_its_end():
    run, _ = feed(PLAN, started(PLAN)[0], ModeSet(S + 1, "Ann", "manual", "a clamp has to be moved"))
    assert run.state is RunState.HOLDING
    run, _ = feed(PLAN, run, Command(S + 2, Cause.DONE, "engine"))
    with pytest.raises(NotAllowed, match="worked by hand"):
        machine.step(PLAN, run, Command(S + 3, Cause.RESTART, "Ann"))
    run, _ = feed(PLAN, run, ModeSet(S + 4, "Ann", "auto"))
    assert run.state is RunState.HELD
    run, _ = feed(PLAN, run, Command(S + 5, Cause.RESTART, "Ann"))
    assert run.state is RunState.RESTARTING


@pytest.mark.req("SM-04")
def test_a_question_in_one_branch_holds_the_run_and_its_other_branches_begin_nothing():
    text = TEXT.replace("      - hand: Look\n", (
        "      - together:\n          - branch: A\n            do: [{wait: 1 s}, {if: look > 3, then: [{wait: 1 s}]}]\n"
        "          - branch: B\n            do: [{hand: Look, write down: {look: {}}}, {wait: 1 s}]\n"
    )).replace("RULES", "if later: ask")  # fmt: skip
    both = protocols.plan(protocols.load(text), S, "Asia/Tokyo")
    run, _ = feed(both, started(both)[0], TimeCame(S + 1))
    assert run.state is RunState.HOLDING, "nobody has written down what A asks for"
    answer = Answered(S + 3, "seed/together/b/hand", "Ann", {"look": 5.0})
    run, _ = feed(both, run, Command(S + 2, Cause.DONE, "e"), answer)
    assert "seed/together/b/wait" not in run.active


# What random runs found (test_random_runs.py)


@pytest.mark.req("RM-05")
def test_an_occurrence_moved_after_a_shift_begins_when_it_was_moved_to():
    later = plan("if later: run, anchor: interval, late by at most: 20 h")
    run, _ = feed(later, started(later)[0], Answered(FIRST + 3 * H, "seed/hand", "Ann", {}))
    assert run.shifted == {"feed": 3 * H}
    run = fed(later, run, 1, FIRST + 3 * H)
    changed, run = amended(later, run, amending.moved(later, run, "feed/2", FIRST + 30 * H), FIRST + 4 * H)
    assert machine.next_time(changed, run) == FIRST + 30 * H


@pytest.mark.req("INV-13", "INV-14")
def test_new_values_bring_nothing_at_a_place_that_the_run_has_passed():
    text = TEXT.replace("    do:\n      - hand: Look\n", (
        "    operations:\n"
        "      - {operation: Wash, only if: volume > 6 mL, do: [{hand: Wash}]}\n"
        "      - {operation: Look, do: [{hand: Look}]}\n"
        "      - {operation: Note, only if: volume > 6 mL, do: [{hand: Note}]}\n"
    )).replace("RULES", "if later: ask")  # fmt: skip
    small, large = (
        protocols.plan(protocols.load(text), S, "Asia/Tokyo", {"volume": each}) for each in ("5 mL", "7 mL")
    )
    run, _ = started(small)
    changed, run = amended(small, run, amending.revalued(small, run, large), S + 60)
    assert [child.path for child in changed.nodes["seed"].children] == ["seed/look", "seed/note"]
    run, _ = feed(changed, run, Answered(S + 90, "seed/look/hand", "Ann", {}))
    assert "seed/note/hand" in run.active


@pytest.mark.req("SM-06", "DX-30")
def test_a_unit_worked_by_hand_does_not_go_on_when_nobody_answers():
    rule = plan("if later: ask, if nobody answers: run after 4 h")
    late = Answered(FIRST + 5 * H, "seed/hand", "Ann", {})
    run, _ = feed(rule, started(rule)[0], late)
    run, _ = feed(rule, run, Command(FIRST + 5 * H + 5, Cause.DONE, "engine", run.why))
    run, _ = feed(rule, run, ModeSet(FIRST + 6 * H, "Ann", "manual"), TimeCame(FIRST + 9 * H))
    assert machine.open_questions(run) == {}
    assert run.state is RunState.HELD


@pytest.mark.req("INV-14", "DX-30")
def test_a_missed_occurrence_is_not_merged_into_one_that_a_person_skipped():
    every = plan("if later: run, late by at most: 40 h")
    run, _ = started(every)
    every, run = amended(every, run, amending.skipped(every, run, "feed/2"), S + 60)
    run, _ = feed(every, run, Answered(FIRST + 25 * H, "seed/hand", "Ann", {}))
    assert "feed/1/fill" in run.active


@pytest.mark.req("SM-06", "RM-05")
def test_a_repeated_step_that_waits_for_a_person_is_no_reason_to_look_again_and_again():
    text = TEXT.replace("      - hand: Look\n", "      - hand: Look\n      - hand: Note\n").replace(
        "RULES", "if later: ask"
    )
    two = protocols.plan(protocols.load(text), S, "Asia/Tokyo")
    run, _ = feed(two, started(two)[0], Answered(S + 60, "seed/hand", "Ann", {}), ModeSet(S + 61, "Ann", "step"))
    two, run = amended(two, run, amending.repeated(two, run, "seed/hand", S + 120), S + 90)
    run, _ = feed(two, run, Answered(S + 130, "seed/hand-2", "Ann", {}))
    assert run.waiting == ("seed/hand-again-1",)
    assert machine.next_time(two, run) is None


@pytest.mark.req("INV-15", "DS-10")
def test_a_dose_given_once_more_keeps_the_distance_of_its_occurrence_and_waits_for_the_others_in_it():
    run, _ = feed(PLAN, started(PLAN)[0], Answered(S + 60, "seed/hand", "Ann", {}), TimeCame(FIRST))
    run, _ = feed(PLAN, run, TransferEnded(FIRST + 300, "feed/1/fill", "fill", "done", 5.0, None))
    again = amending.repeated(PLAN, run, "feed/1/fill", FIRST + 400)
    assert any("never closer than" in text for text in amending.violations(PLAN, again, run))
    with_it, run = amended(PLAN, run, again, FIRST + 310)
    with pytest.raises(CannotAmend, match="of the same occurrence is still to come"):
        amending.repeated(with_it, run, "feed/1/fill", FIRST + 500)
