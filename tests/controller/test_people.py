"""The door for entries: each is checked, and every fault of an answer is told at once."""

from __future__ import annotations

from typing import Any

import pytest

from controller.errors import Unusable
from controller.people import checked, close_row, open_row
from controller.store.rows import TaskRow
from protocols.effects import CloseTask, OpenTask
from protocols.plan import Entry, Hand


def number(name: str, low: float | None = None, high: float | None = None, unit: str = "um") -> dict[str, Any]:
    return {"name": name, "kind": "number", "unit": unit, "low": low, "high": high}


ENTRIES = [
    number("diameter", 0.0, 2000.0),
    number("count", unit=""),
    {"name": "clear", "kind": "yes_no", "unit": "", "low": None, "high": None},
    {"name": "note", "kind": "text", "unit": "", "low": None, "high": None},
]
GOOD = {"diameter": 412, "count": 7.5, "clear": False, "note": "pale"}


def task(entries: list[dict[str, Any]]) -> TaskRow:
    return TaskRow("run-1", "look", "Look", {"entries": entries}, None, 1.0, "open", {}, "", None, None, "")


def faults(entries: dict[str, Any]) -> list[str]:
    with pytest.raises(Unusable) as refused:
        checked(task(ENTRIES), entries)
    return refused.value.faults


def test_good_entries_are_taken_as_what_they_are() -> None:
    taken = checked(task(ENTRIES), GOOD)
    assert taken == {"diameter": 412.0, "count": 7.5, "clear": False, "note": "pale"}
    assert isinstance(taken["diameter"], float)


def test_every_fault_is_told_at_once() -> None:
    found = faults({"diameter": 41200, "count": "seven", "clear": "yes", "colour": 1})
    assert len(found) == 5
    told = "\n".join(found)
    assert "'colour' was not asked" in told
    assert "41200 um is outside 0.0 to 2000.0 um" in told
    assert "'count' is a number in no unit, not 'seven'" in told
    assert "'clear' is yes or no" in told
    assert "'note' is missing" in told


@pytest.mark.parametrize("value", [True, None, "4.0", float("nan"), float("inf")])
def test_what_is_no_finite_number_is_no_number(value: object) -> None:
    assert any("diameter" in text for text in faults({**GOOD, "diameter": value}))
    assert any("count" in text for text in faults({**GOOD, "count": value}))


@pytest.mark.parametrize("value", [0, 2000])
def test_limits_belong_to_the_range(value: float) -> None:
    assert checked(task(ENTRIES), {**GOOD, "diameter": value})["diameter"] == value


def test_text_is_kept_as_text() -> None:
    assert checked(task(ENTRIES), {**GOOD, "note": "is missing"})["note"] == "is missing"


def test_a_task_without_entries_takes_an_empty_answer_only() -> None:
    assert checked(task([]), {}) == {}
    with pytest.raises(Unusable, match="this task asks for no entry"):
        checked(task([]), {"x": 1})


def test_rows_of_a_task_say_what_was_asked_and_why_it_was_closed() -> None:
    hand = Hand("Look", entries=(Entry("clear", "yes_no"),))
    row = open_row("run-1", OpenTask("look", "Look", hand, 50.0), 60.0)
    assert row.values["state"] == "open"
    assert row.values["due"] == 50.0
    assert close_row("run-1", CloseTask("look", "skipped"), 70.0)["why"] == "skipped"


def test_a_choice_a_photo_and_a_label_are_taken_as_words() -> None:
    asked = [
        {"name": "shape", "kind": "choice", "unit": "", "low": None, "high": None, "options": ["round", "loose"]},
        {"name": "view", "kind": "photo", "unit": "", "low": None, "high": None},
        {"name": "label", "kind": "scan", "unit": "", "low": None, "high": None},
    ]
    good = {"shape": "round", "view": "view-1.jpg", "label": " P-17 "}
    assert checked(task(asked), good) == {"shape": "round", "view": "view-1.jpg", "label": "P-17"}
    with pytest.raises(Unusable) as refused:
        checked(task(asked), {"shape": "square", "view": "", "label": 17})
    told = "\n".join(refused.value.faults)
    assert "'shape' is one of round, loose, not 'square'" in told
    assert "'view' is the name of a stored picture" in told
    assert "'label' is the text of a label" in told
