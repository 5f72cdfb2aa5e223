"""The simulated person at the plant."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from simulators.people import SIMULATED, Answer, Person
from simulators.vessels import Stirred100

T0 = 1_767_567_600.0  # Monday 08:00 in Tokyo
HOUR = 3600.0
SAMPLE: dict[str, Any] = {
    "path": "maturation/sample/1/take",
    "title": "Sample",
    "instruction": "Take 1 mL",
    "due": T0 + HOUR,
    "entries": [
        {"name": "pH", "kind": "number", "unit": "[pH]", "low": 6.8, "high": 7.8},
        {"name": "pCO2", "kind": "number", "unit": "mm[Hg]", "low": 20, "high": 80},
        {"name": "glucose", "kind": "number", "unit": "mmol/L", "low": 0, "high": 30},
        {"name": "clear by eye", "kind": "yes_no", "unit": ""},
        {"name": "lot of medium", "kind": "text", "unit": ""},
    ],
    "acts": [{"act": "take", "vessel": "reactor", "volume_ml": 1.0}],
}
FLASK: dict[str, Any] = {
    "path": "expansion/day-7/check",
    "title": "Confluence",
    "instruction": "Look at the flasks",
    "due": T0,
    "entries": [
        {"name": "confluence", "unit": "%", "low": 0.0, "high": 100.0},
        {"name": "Feret", "unit": "1", "low": 0.8, "high": 1.0},
        {"name": "bodies", "unit": "1", "low": 54.0, "high": None},
    ],
    "acts": [],
}


def world(**faults: dict[str, float]) -> tuple[Stirred100, Person]:
    plant = Stirred100(T0, vessel_ml=90.0, cells_per_ml=2e5)
    named = {name.replace("_", "-"): values for name, values in faults.items()}
    return plant, Person(plant.hands, 1, named, "Asia/Tokyo")


def live(person: Person, tasks: list[dict[str, Any]], begin: float, end: float) -> list[tuple[float, Answer]]:
    """Call as a host would; what is answered is closed."""
    now, answers, still_open = begin, [], list(tasks)
    while now <= end:
        given = person.see(still_open, now)
        answers += [(now, answer) for answer in given]
        still_open = [task for task in still_open if task["path"] not in {answer.path for answer in given}]
        now = person.next_time(now) or end + 1
    return answers


def test_a_sample_is_taken_once_and_written_down_as_the_plant_has_it() -> None:
    plant, person = world()
    [(at, answer)] = live(person, [SAMPLE], T0, T0 + 3 * HOUR)
    assert T0 + HOUR < at < T0 + 1.5 * HOUR
    assert answer.path == SAMPLE["path"]
    assert answer.by == "simulated operator"
    assert answer.entries["pH"] == pytest.approx(plant.culture.ph, abs=0.04)  # the assay has its error
    assert answer.entries["pCO2"] == pytest.approx(38, abs=2)
    assert answer.entries["clear by eye"] is True
    assert str(answer.entries["lot of medium"]).startswith("LOT-")
    truth = plant.truth(at + 10)
    assert truth["by_hand_out_ml"] == 1.0
    assert truth["door_open"] is True
    assert plant.truth(at + 60)["door_open"] is False


def test_asked_again_the_person_repeats_the_answer_and_not_the_act() -> None:
    plant, person = world()
    assert person.see([SAMPLE], T0) == []
    at = person.next_time(T0) or 0.0
    [first] = person.see([SAMPLE], at)
    assert person.see([SAMPLE], at + 60) == []
    other = Person(plant.hands, 1, {}, "Asia/Tokyo")
    other.restore(json.loads(json.dumps(person.snapshot())))
    assert other.see([SAMPLE], at + 400) == [first]
    assert other.next_time(at + 400) == pytest.approx(at + 400 + 600)


def test_an_answer_that_was_refused_is_given_again_ever_more_seldom() -> None:
    plant, person = world()
    now, times = T0, []
    while now < T0 + 24 * HOUR:
        times += [now for _ in person.see([SAMPLE], now)]
        now = person.next_time(now) or T0 + 100 * HOUR
    assert times[1] - times[0] == pytest.approx(300)
    assert times[2] - times[1] == pytest.approx(600)
    assert len(times) < 20
    assert plant.truth(now)["by_hand_out_ml"] == 1.0


def test_what_is_done_stays_done_after_all_those_answers() -> None:
    plant, person = world()
    [(at, _)] = live(person, [SAMPLE], T0, T0 + 3 * HOUR)
    person.see([SAMPLE], at + 1000)
    assert plant.truth(at + 500)["by_hand_out_ml"] == 1.0


def test_the_same_path_in_another_run_is_another_task() -> None:
    plant, person = world()
    live(person, [SAMPLE | {"run": "a"}], T0, T0 + 3 * HOUR)
    live(person, [SAMPLE | {"run": "b"}], T0 + 4 * HOUR, T0 + 6 * HOUR)
    assert plant.truth(T0 + 7 * HOUR)["by_hand_out_ml"] == 2.0


def test_work_outside_hours_waits_for_the_morning() -> None:
    _, person = world()
    evening = T0 + 11 * HOUR
    [(at, _)] = live(person, [SAMPLE | {"due": evening}], evening, T0 + 48 * HOUR)
    local = datetime.fromtimestamp(at, ZoneInfo("Asia/Tokyo"))
    assert (local.day, local.hour) == (6, 8)


def test_off_bench_values_are_plausible_and_within_limits() -> None:
    plant, person = world()
    [(_, answer)] = live(person, [FLASK], T0, T0 + HOUR)
    assert 80 <= float(answer.entries["confluence"]) <= 90
    assert 0.8 <= float(answer.entries["Feret"]) <= 1.0
    assert float(answer.entries["bodies"]) >= 54
    assert plant.truth(T0 + HOUR)["door_open"] is False


def test_acts_on_bottle_line_and_stirrer_reach_the_plant() -> None:
    plant, person = world()
    acts = [
        {"act": "renew", "fluid": "osteogenic medium", "volume_ml": 200.0},
        {"act": "line_to_cup"},
        {"act": "stir", "value": 85.0},
        {"act": "pour", "volume_ml": 20.0, "cells_per_ml": 1e6},
        {"act": "door", "duration_s": 45.0},
    ]
    [(at, _)] = live(person, [FLASK | {"acts": acts}], T0, T0 + HOUR)
    truth = plant.truth(at + 40)
    assert truth["fresh_ml"] == 200.0
    assert truth["line_in_cup"] is True
    assert plant.culture.rpm == 85.0
    assert truth["vessel_ml"] == pytest.approx(110.0, abs=0.05)
    assert truth["door_open"] is True


def test_a_late_person_comes_hours_later_and_an_absent_one_never() -> None:
    [(at, _)] = live(world(late_person={"hours": 3.0})[1], [SAMPLE], T0, T0 + 9 * HOUR)
    assert at > T0 + 4 * HOUR
    assert live(world(absent_person={})[1], [SAMPLE], T0, T0 + 28 * 24 * HOUR) == []
    [(back, _)] = live(world(absent_person={"for": 5 * HOUR})[1], [SAMPLE], T0, T0 + 9 * HOUR)
    assert back >= T0 + 5 * HOUR


def test_a_wrong_entry_is_written_once_and_right_when_asked_again() -> None:
    _, person = world(wrong_entry={})
    [(_, wrong)] = live(person, [SAMPLE], T0, T0 + HOUR * 1.4)
    [right] = person.see([SAMPLE], T0 + 3 * HOUR)
    assert float(wrong.entries["pH"]) > 70
    assert float(right.entries["pH"]) == pytest.approx(7.45, abs=0.05)


def test_an_act_nobody_knows_is_an_error() -> None:
    _, person = world()
    with pytest.raises(ValueError, match="juggle"):
        live(person, [FLASK | {"acts": [{"act": "juggle"}]}], T0, T0 + HOUR)


def test_equal_seeds_give_equal_people_whatever_the_order_of_tasks() -> None:
    one = live(world()[1], [SAMPLE, FLASK], T0, T0 + 3 * HOUR)
    two = live(world()[1], [FLASK, SAMPLE], T0, T0 + 3 * HOUR)
    assert sorted((a, b.path, str(b.entries)) for a, b in one) == sorted((a, b.path, str(b.entries)) for a, b in two)


def test_a_task_that_somebody_claimed_is_done_for_them_at_once_and_once_and_is_theirs_to_answer() -> None:
    plant, person = world()
    taken = SAMPLE | {"claimed_by": "anna"}
    night = T0 + 14 * HOUR
    assert person.see([taken], night) == []
    assert person.see([taken], night + HOUR) == []
    other = Person(plant.hands, 1, {}, "Asia/Tokyo")
    other.restore(json.loads(json.dumps(person.snapshot())))
    assert live(other, [taken], night + 2 * HOUR, night + 48 * HOUR) == []
    assert plant.truth(night + 48 * HOUR)["by_hand_out_ml"] == 1.0


def test_a_task_given_back_is_answered_with_what_was_found_and_not_done_again() -> None:
    plant, person = world()
    person.see([SAMPLE], T0)
    assert person.see([SAMPLE | {"claimed_by": "anna"}], T0 + 60) == []
    [(at, answer)] = live(person, [SAMPLE | {"claimed_by": ""}], T0 + 120, T0 + 3 * HOUR)
    assert answer.entries["pH"] == pytest.approx(plant.culture.ph, abs=0.04)  # the assay has its error
    assert plant.truth(at)["by_hand_out_ml"] == 1.0


def test_a_task_claimed_for_the_simulated_person_is_answered_at_once_also_at_night() -> None:
    plant, person = world(late_person={"hours": 6.0})
    night = T0 + 14 * HOUR
    assert person.see([SAMPLE], night) == []
    [answer] = person.see([SAMPLE | {"claimed_by": SIMULATED}], night + 1)
    assert (answer.by, answer.entries["clear by eye"]) == (SIMULATED, True)
    assert person.see([SAMPLE | {"claimed_by": SIMULATED}], night + 2) == []
    assert plant.truth(night + HOUR)["by_hand_out_ml"] == 1.0


def test_a_task_left_to_others_for_a_while_is_not_answered_before() -> None:
    _, person = world()
    later = T0 + 3 * HOUR
    [(at, _)] = live(person, [SAMPLE | {"not_before": later}], T0, T0 + 9 * HOUR)
    assert at == later


def test_what_is_poured_into_a_plate_does_not_end_in_the_reactor() -> None:
    plant, person = world()
    acts = [
        {"act": "pour", "vessel": "plates", "volume_ml": 9.0, "elsewhere": True},
        {"act": "pour", "vessel": "reactor", "volume_ml": 5.0},
    ]
    before = plant.truth(T0)["by_hand_in_ml"]
    live(person, [SAMPLE | {"path": "feed", "acts": acts}], T0, T0 + 3 * HOUR)
    assert plant.truth(T0 + 3 * HOUR)["by_hand_in_ml"] == before + 5.0
