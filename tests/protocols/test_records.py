"""Plans, runs, events and effects survive JSON, and unknown records are refused."""

from __future__ import annotations

import dataclasses
import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.effects import Effect
from protocols.events import Amended, Decision, Event, TransferEnded
from protocols.plan import Exchange, Late, Node, Pause, Plan
from protocols.records import UnknownRecord, as_json, from_json
from protocols.run import Active, Run
from tests.protocols.answering import Bench, one

numbers = st.floats(allow_nan=False, allow_infinity=False)


def through_json(record):
    return from_json(json.loads(json.dumps(as_json(record), allow_nan=False)))


def text(record) -> str:
    return json.dumps(as_json(record), allow_nan=False)


def of_class(cls: type):
    if cls is Amended:
        return st.builds(Amended, numbers, st.text(), st.text(), st.tuples(st.text()), st.just(one(Pause(1.0))))
    return st.builds(cls, **{f.name: numbers for f in dataclasses.fields(cls) if f.type == "float"})


@pytest.mark.req("DX-01")
@settings(max_examples=40, deadline=None)
@given(st.one_of([of_class(cls) for cls in get_args(Event)]))
def test_every_event_survives(event):
    assert text(through_json(event)) == text(event)


@settings(max_examples=40, deadline=None)
@given(st.one_of([of_class(cls) for cls in get_args(Effect)]))
def test_every_effect_survives(effect):
    assert text(through_json(effect)) == text(effect)


active = st.builds(Active, numbers, st.text(), st.booleans(), st.text(), st.tuples(st.text()), numbers, st.booleans())


@settings(max_examples=40, deadline=None)
@given(st.builds(Run, active=st.dictionaries(st.text(), active), last_fluid=st.dictionaries(st.text(), numbers)))
def test_every_run_survives(run):
    assert through_json(run) == run


def test_whole_plans_survive(shipped: Plan, compressed: Plan):
    for plan in (shipped, compressed):
        assert through_json(plan) == plan
        assert through_json(plan).nodes == plan.nodes


def test_records_are_compact_and_say_their_version():
    assert as_json(Decision(1.0, "a", "Ann", "skip")) == {
        "v": 1, "t": "Decision", "at": 1.0, "path": "a", "by": "Ann", "answer": "skip",
    }  # fmt: skip
    node = Node("a", "", "step", work=Exchange("r", 1, 2, 3, 4, 5, "m"), late=Late(5.0))
    assert "max_exposure_s" not in json.dumps(as_json(Plan("p", "1", 0.0, "UTC", node)))


def test_a_record_written_today_is_read_by_every_later_program():
    old = {"v": 1, "t": "TransferEnded", "at": 1.0, "path": "a", "part": "fill", "outcome": "done",
           "counter_ml": 18.0, "witness_ml": None}  # fmt: skip
    assert from_json(old) == TransferEnded(1.0, "a", "fill", "done", 18.0, None)
    run = {"v": 1, "t": "Run", "state": "HELD", "since": 5.0, "active": {"run": {"began": 1.0, "part": "0"}}}
    assert from_json(run).active["run"] == Active(1.0, "0")


@pytest.mark.parametrize(
    "data",
    [
        {"v": 2, "t": "Run"},
        {"t": "Run"},
        {"v": 1, "t": "Walk"},
        {"v": 1, "t": "TimeCame", "at": 1.0, "moon": "full"},
        {"v": 1, "t": "Plan", "root": {"path": "a", "title": "", "kind": "step", "work": {"t": "Dance"}}},
    ],
)
def test_what_this_program_does_not_know_is_refused(data):
    with pytest.raises(UnknownRecord):
        from_json(data)


@pytest.mark.req("DX-01")
def test_every_state_and_effect_of_a_whole_run_survives(compressed: Plan):
    bench = Bench(compressed)
    bench.go()
    for record in (*bench.events, *bench.effects, bench.run):
        assert through_json(record) == record
