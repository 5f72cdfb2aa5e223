"""The plan as a calendar: what, when, how much, and when a person is needed."""

from __future__ import annotations

import pytest

import protocols
from protocols.calendar import calendar
from protocols.plan import Plan
from tests.protocols.answering import START
from tests.protocols.test_loading import load, operation

DAY_S = 86400.0


@pytest.fixture(scope="module")
def rows(shipped: Plan):
    return calendar(shipped)


def test_every_step_of_the_plan_is_a_row_in_the_order_of_time(shipped: Plan, rows):
    assert {row.path for row in rows.rows} == {n.path for n in shipped.nodes.values() if n.kind == "step"}
    assert [row.at for row in rows.rows] == sorted(row.at for row in rows.rows)
    assert 28 * DAY_S < rows.ends - shipped.start < 28.5 * DAY_S


def test_eleven_exchanges_at_nine_each_day_from_17_to_27(rows):
    exchanges = [row for row in rows.rows if row.kind == "exchange"]
    assert [row.day for row in exchanges] == list(range(17, 28))
    assert {f"{row.local:%H:%M}" for row in exchanges} == {"09:00"}
    assert sum(row.in_ml for row in exchanges) == 198.0
    assert rows.withdrawn_ml == 198.0


def test_volumes_by_fluid_and_day_and_the_bottles_they_come_from(rows):
    assert rows.volume_by_fluid_ml == {"osteogenic medium": 278.0}
    assert rows.volume_by_day_ml[14, "osteogenic medium"] == 80.0
    assert rows.volume_by_day_ml[20, "osteogenic medium"] == 18.0
    assert [(b.day, b.volume_ml, b.used_ml, b.enough) for b in rows.bottles] == [
        (14, 250.0, 170.0, True),
        (21, 250.0, 108.0, True),
    ]


def test_hand_work_falls_on_weekdays_in_working_hours(rows):
    assert rows.out_of_hours == ()
    assert {row.local.strftime("%a") for row in rows.hand_rows} == {"Mon", "Tue", "Wed", "Fri"}
    assert rows.hand_minutes == sum(row.minutes for row in rows.hand_rows) == 1630.0


def test_samples_come_on_the_days_of_the_page(rows):
    reactor = [row.day for row in rows.rows if row.kind == "sample" and row.title.startswith("Sample R-D")]
    assert reactor == [16, 18, 21, 23, 25, 28]


def test_nights_and_weekends_are_marked():
    plan = protocols.plan(load(stages=operation("days: [1, 5]\nat: 20:00\ndo: [{hand: Look}]")), START, "Asia/Tokyo")
    assert [(row.night, row.weekend) for row in calendar(plan).out_of_hours] == [(True, False), (True, True)]


def test_a_bottle_that_is_too_small_is_seen():
    plan = protocols.plan(
        load(
            "hand: Hang\n        acts: [{renew: 10 mL, of: medium}]",
            "fill: {into: reactor, volume: 12 mL, of: medium, at: 1 mL/min}\n        at most: 1 h",
        ),
        START,
        "Asia/Tokyo",
    )
    assert [bottle.enough for bottle in calendar(plan).bottles] == [False]
