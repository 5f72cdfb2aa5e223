"""The best start of a week: fewest hand tasks at night and on weekends, and the reason."""

from __future__ import annotations

from datetime import date

import protocols
from protocols.starting import best_start
from tests.protocols.test_loading import load, operation

MONDAY = date(2026, 1, 5)


def test_the_long_protocol_is_begun_on_its_monday_and_the_other_days_are_named() -> None:
    protocol = protocols.load("adsc-osteo-spheroid-28d")
    best = best_start(lambda start: protocols.plan(protocol, start, "Asia/Tokyo"), MONDAY, "Asia/Tokyo")
    assert best is not None
    assert f"{best.chosen.local:%a %H:%M}" == "Mon 08:00"
    assert best.chosen.tasks == 0
    assert [f"{each.local:%a}" for each in best.by_weekday] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert best.why.startswith("Monday 05 January 08:00: 0 hand tasks at night or on a weekend; the best of the other")
    assert all(each.tasks > 0 for each in best.by_weekday[1:])


def test_a_quarter_of_an_hour_decides_when_a_task_stands_at_the_edge_of_the_night() -> None:
    protocol = load(
        stages=operation("every: {interval: 11 h, from: start + 45 min, times: 2}\ndo: [{hand: Look, takes: 10 min}]")
    )
    best = best_start(lambda start: protocols.plan(protocol, start, "UTC"), MONDAY, "UTC")
    assert best is not None
    assert (best.chosen.tasks, f"{best.chosen.local:%H:%M}") == (0, "07:00")


def test_a_protocol_that_fits_on_one_day_only_says_so_and_one_that_fits_on_none_has_no_start() -> None:
    early = load(stages=operation("at: day 0 06:30\ndo: [{hand: Look}]"))
    best = best_start(lambda start: protocols.plan(early, start, "UTC"), MONDAY, "UTC")
    assert best is not None
    assert f"{best.chosen.local:%H:%M}" == "06:30"
    never = load(stages=operation("at: day 0 05:00\ndo: [{hand: Look}]"))
    assert best_start(lambda start: protocols.plan(never, start, "UTC"), MONDAY, "UTC") is None


def test_summer_time_does_not_move_the_hour_of_a_start() -> None:
    protocol = load("hand: Look")
    best = best_start(
        lambda start: protocols.plan(protocol, start, "Europe/Berlin"), date(2026, 3, 23), "Europe/Berlin"
    )
    assert best is not None
    assert {f"{each.local:%H:%M}" for each in best.by_weekday} == {"08:00"}
