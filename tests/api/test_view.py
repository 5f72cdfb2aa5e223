"""The terminal view as a pure function of a snapshot."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from api.event_words import SAID
from api.terminal import frame
from api.view import Line, Look, countdown, lines, plain
from protocols.events import Event

NOW = 1_767_567_600.0


def reading(value: object, unit: str, quality: str = "good", age_s: float | None = 4.0) -> dict[str, Any]:
    return {"value": value, "unit": unit, "quality": quality, "why": "", "age_s": age_s}


def device(name: str, readings: dict[str, Any], condition: str = "ready", why: str = "") -> dict[str, Any]:
    return {"name": name, "model": "m", "condition": condition, "why": why, "verified": None, "readings": readings}


def snapshot(**changes: Any) -> dict[str, Any]:
    step = {"path": "culture/exchange/3", "title": "Medium exchange, day 9", "began": NOW - 60, "part": "withdraw"}
    run = {
        "run": "run-1",
        "unit": "reactor",
        "protocol": "adsc-osteo-spheroid-28d",
        "state": "RUNNING",
        "why": "",
        "since": NOW,
        "start": NOW - 9 * 86400 - 4 * 3600,
        "day": 9.2,
        "steps": [{**step, "question": "", "options": [], "work": "Exchange"}],
        "done": 31,
        "nodes": 120,
        "next": {"at": NOW + 18_760, "title": "Sample, day 9"},
        "volume": {"ml": 90.2, "sigma_ml": 0.4},
    }
    return {
        "bench": "stirred-100",
        "zone": "Asia/Tokyo",
        "now": NOW,
        "state": "running",
        "damaged": "",
        "epoch": 3,
        "simulated": True,
        "speed": 598.4,
        "devices": [device("incubator", {"temperature": reading(37.0, "Cel"), "o2": reading(None, "%", "bad")})],
        "runs": [run],
        "tasks": [],
        "alarms": [],
        "events": [{"utc": "2026-01-04T23:00:00.000Z", "action": "dose intended", "object": "d-1", "actor": "rule"}],
        **changes,
    }


def text(shown: list[Line]) -> str:
    return "\n".join(line.text for line in shown)


def test_a_run_shows_state_step_next_action_and_site_time() -> None:
    shown = text(lines(snapshot()))
    assert "stirred-100   Mon 05 Jan 2026 08:00:00 JST   at 598 x real time   epoch 3" in shown
    assert "adsc-osteo-spheroid-28d   RUNNING   day 9, 04:00" in shown
    assert "now   Medium exchange, day 9 (withdraw)" in shown
    assert "next  Sample, day 9 in 05:12:40 (Mon 05 Jan 13:12:40 JST)" in shown
    assert "SIMULATED DEVICES" in shown


def test_values_carry_unit_and_age_and_what_is_not_good_says_so() -> None:
    shown = text(lines(snapshot()))
    assert "incubator  temperature 37 Cel   o2 --- % [bad]   4 s old" in shown


def test_a_set_point_stands_beside_its_value_and_long_rows_wrap() -> None:
    readings = {"co2": reading(5.0, "%"), "co2_setpoint": reading(5.5, "%"), "alarm": reading("", "")}
    readings |= {f"signal_{n}": reading(float(n), "mL") for n in range(9)}
    shown = lines(snapshot(devices=[device("incubator", readings)]), width=60)
    assert "  incubator  co2 5 (set 5.5) %   signal 0 0 mL" in [line.text[:46] for line in shown]
    assert text(shown).count("signal") == 9
    assert "alarm" not in text(shown)


def test_alarm_limits_of_a_device_take_no_room() -> None:
    readings = {"co2": reading(5.0, "%"), "co2_alarm_low": reading(3.0, "%"), "co2_alarm_high": reading(7.0, "%")}
    shown = text(lines(snapshot(devices=[device("incubator", readings)])))
    assert "incubator  co2 5 %   4 s old" in shown


def test_a_lost_device_shows_why_and_no_values() -> None:
    lost = device("balance", {"weight": reading(12.0, "g")}, "lost", "no answer within 2 s")
    shown = text(lines(snapshot(devices=[lost])))
    assert "balance  --- lost: no answer within 2 s" in shown
    assert "12 g" not in shown


def test_a_held_run_shows_why_and_the_question_with_its_answers() -> None:
    run = snapshot()["runs"][0]
    question = {"question": "How much was delivered?", "options": ["delivered", "nothing"]}
    held = {**run, "state": "HELD", "why": "two witnesses differ", "steps": [{**run["steps"][0], **question}]}
    shown = lines(snapshot(runs=[held]))
    assert Line("  why   two witnesses differ", Look.HIGH) in shown
    assert Line("  ask   How much was delivered? (delivered / nothing)", Look.HIGH) in shown


def test_alarms_stand_above_values_with_mark_and_word_beside_colour() -> None:
    alarm = {"priority": "critical", "text": "dose outcome unknown", "raised_at": NOW, "state": "UNACK"}
    shown = lines(snapshot(alarms=[alarm]))
    at = next(n for n, line in enumerate(shown) if "dose outcome unknown" in line.text)
    assert shown[at].look is Look.CRITICAL
    assert shown[at].text.startswith("  !! critical")
    assert at < next(n for n, line in enumerate(shown) if line.text == "values")


def test_many_alarms_are_counted_not_listed() -> None:
    alarm = {"priority": "low", "text": "a", "raised_at": NOW, "state": "ACKED"}
    shown = text(lines(snapshot(alarms=[alarm] * 9)))
    assert "alarms (9)" in shown
    assert "and 4 more" in shown


def test_the_picture_fits_the_terminal() -> None:
    many = [{"utc": "2026-01-04T23:00:00.000Z", "action": "x" * 300, "object": "o", "actor": "a"}] * 50
    shown = lines(snapshot(events=many), width=80, height=24)
    assert len(shown) <= 24
    assert all(len(line.text) <= 80 for line in shown)


def test_without_a_terminal_one_line_says_the_same() -> None:
    line = plain(snapshot())
    assert "\n" not in line
    assert "RUNNING day 9, 04:00: Medium exchange, day 9" in line
    assert "next Sample, day 9 in 05:12:40" in line


def test_a_bench_without_a_run_says_how_to_start_one() -> None:
    assert "osteon runs start" in text(lines(snapshot(runs=[])))
    assert "osteon runs start" not in text(lines(snapshot(runs=[], state="starting")))


def test_damaged_records_stay_in_view() -> None:
    assert "RECORDS DAMAGED: ledger torn" in text(lines(snapshot(damaged="ledger torn")))


def test_countdowns_say_days_and_overdue() -> None:
    assert countdown(3 * 86400 + 5 * 3600 + 720) == "in 3 d 05:12"
    assert countdown(-240) == "overdue by 00:04:00"
    assert countdown(-240, 300) == "due 00:04:00 ago"
    assert countdown(-300, 300) == "overdue by 00:05:00"


def test_a_task_that_is_due_is_overdue_only_when_its_time_is_up() -> None:
    task = {"title": "Sample", "due": NOW - 240, "alarm_at": NOW + 3600}
    assert "Sample due 00:04:00 ago (Mon 05 Jan 07:56:00 JST)" in text(lines(snapshot(tasks=[task])))
    assert "Sample overdue by 00:04:00" in text(lines(snapshot(tasks=[{**task, "alarm_at": NOW - 60}])))


def test_a_time_of_another_year_says_so() -> None:
    alarm = {"priority": "low", "text": "old", "raised_at": NOW - 10 * 86_400, "state": "ACKED"}
    shown = text(lines(snapshot(alarms=[alarm])))
    assert "Fri 26 Dec 2025 08:00:00  old" in shown
    assert "(Mon 05 Jan 13:12:40 JST)" in shown


@pytest.mark.parametrize(
    ("action", "more", "said"),
    [
        ("run Command", {"state": "HELD"}, "now HELD  run-1  by anna"),
        ("run Command", {"outcome": "refused"}, "refused: command  run-1  by anna"),
        ("run Answered", {"step": "seed/pour"}, "hand step answered  seed/pour  by anna"),
        ("controller.started", {"step": ""}, "controller started  run-1  by anna"),
        ("dose intended", {}, "dose intended  run-1  by anna"),
    ],
)
def test_events_are_said_in_words(action: str, more: dict[str, str], said: str) -> None:
    event = {"utc": "2026-01-04T23:00:00.000Z", "action": action, "object": "run-1", "actor": "anna", **more}
    assert f"Mon 05 Jan 08:00:00  {said}" in text(lines(snapshot(events=[event])))


def test_every_event_of_a_run_has_words() -> None:
    assert {f"run {each.__name__}" for each in get_args(Event)} - {"run Command"} <= SAID.keys()


def test_a_frame_overwrites_the_one_before_without_clearing_the_screen() -> None:
    shown = frame([Line("a", Look.HIGH), Line("b")])
    assert shown.startswith("\x1b[H\x1b[33ma\x1b[0m\x1b[K\r\nb\x1b[K")
    assert "\x1b[2J" not in shown
