"""How long a task is left to whoever watches: never so long that it alarms, and time slows no longer than it must."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.patience import PART, SLOWEST, WRITING_WALL_S, Patience
from simulators.people import SIMULATED

HOUR = 3600.0


def task(claimed_by: str = "", tolerated_s: float = HOUR) -> dict[str, Any]:
    return {"due": 1000.0, "alarm_at": 1000.0 + tolerated_s, "claimed_by": claimed_by}


@pytest.mark.parametrize("speed", [1.0, 60.0, 600.0, 3600.0])
@pytest.mark.parametrize("tolerated_s", [300.0, HOUR, 12 * HOUR])
def test_a_task_is_left_for_the_wall_time_asked_but_never_into_its_alarm(speed: float, tolerated_s: float) -> None:
    patience, one = Patience(12.0, speed), task(tolerated_s=tolerated_s)
    left_s = patience.not_before(one) - one["due"]
    assert left_s <= tolerated_s / PART
    pace = patience.pace([one], one["due"])
    assert min(SLOWEST, speed) <= pace <= speed
    assert left_s / pace == pytest.approx(12.0) or pace == SLOWEST
    assert patience.pace([one], one["due"] + left_s) == speed


def test_who_has_claimed_a_task_has_time_to_write_until_it_alarms() -> None:
    patience, mine = Patience(12.0, 600.0), task("anna")
    pace = patience.pace([mine, task(SIMULATED)], 1000.0)
    assert HOUR / pace == pytest.approx(WRITING_WALL_S)
    assert patience.pace([mine], mine["alarm_at"]) == 600.0


def test_time_goes_as_asked_with_no_task_or_one_for_the_simulated_person_or_nobody_watching() -> None:
    assert Patience(12.0, 600.0).pace([], 1000.0) == 600.0
    assert Patience(12.0, 600.0).pace([task(SIMULATED)], 1000.0) == 600.0
    assert Patience(0.0, 600.0).pace([task(), task("anna")], 1000.0) == 600.0
    assert Patience(0.0, 600.0).not_before(task()) == 1000.0
