"""Forecasts of a plan: rehearsals with a few seeds, their ends, troubles and ranges, and how they are printed."""

from __future__ import annotations

import json
from dataclasses import asdict
from zoneinfo import ZoneInfo

import pytest

from api.printed.forecast import lines
from protocols.moments import Calendar
from simulators.bench import START
from simulators.forecast import forecast, of
from simulators.laboratory import Sample
from simulators.rehearsal import Result
from simulators.report.recording import Recording

DAY_S = 86_400.0


def test_a_forecast_rehearses_from_the_start_of_the_plan_with_each_seed() -> None:
    ended: list[int] = []
    found = forecast("spheroid-formation", start=START + 2 * DAY_S, seeds=(1, 2), processes=1, done=ended.append)
    assert found.ends == {"COMPLETE": 2} and ended == [1, 2] and found.troubles == {}
    json.dumps(asdict(found))
    assert [each.quantity for each in found.by_day if each.vessel == "plate"][:1] == ["ph"]
    assert all(each.low <= each.high for each in found.by_day)
    alp = next(each for each in found.at_end if (each.vessel, each.name) == ("plate", "alp activity"))
    assert alp.error == pytest.approx(0.10 * alp.high)
    (first, *more) = lines(asdict(found))
    assert first == "\nForecast"
    assert "calcium" in "\n".join(more) and "below 0.05, not detected" in "\n".join(more)


def test_what_differs_is_a_range_and_what_went_wrong_is_counted() -> None:
    def result(seed: int, state: str, glucose: float, *deviations: str) -> Result:
        sample = Sample(2.04, "S-1", {"glucose": glucose}, {"glucose": 5.0})
        return Result("p", state, "no medium", seed, 3.0, 1.0, 1.0, "", deviations=deviations, samples=(sample,))

    found = of((7, 8), [result(7, "COMPLETE", 4.9, "late", "late"), result(8, "HELD", 5.2, "late")])
    (glucose,) = found.ranges
    assert (glucose.sample, glucose.day, glucose.unit) == ("S-1", 2.0, "mmol/L")
    assert (glucose.low, glucose.high) == pytest.approx((4.9, 5.2))
    assert found.troubles == {"late": 2, "no medium": 1}
    told = "\n".join(lines(asdict(found)))
    assert "ends: COMPLETE 1 of 2, HELD 1 of 2" in told
    assert "4.9 to 5.2" in told and "in 2 of 2: late" in told and "no promise about living cells" in told


def test_medium_that_did_not_live_the_whole_time_is_left_out_and_said_so() -> None:
    def result(seed: int) -> Result:
        values = {"glucose": 5.0, "viability": 98.0}
        return Result("p", "COMPLETE", "", seed, 3.0, 1.0, 1.0, "", samples=(Sample(2.0, "R-D2", values, values),))

    seen = [Recording(START), Recording(START)]
    for n, each in enumerate(seen):
        vessels = {"plate": {"glucose": 5.0 - n, "ph": 7.4}, "reactor": {"glucose": 5.5, "viability": 98.0}}
        for hour in (1, 30):
            each.add(START + 3600.0 * hour, vessels, {})
    days = Calendar(START, ZoneInfo("UTC"))
    found = of((1, 2), [result(1), result(2)], seen, days, hands={"plate"}, own={"R-D2"})
    assert [each.name for each in found.ranges] == ["viability"]
    assert {each.vessel for each in found.by_day} == {"plate"}
    glucose = [(each.low, each.high) for each in found.by_day if each.quantity == "glucose"]
    assert glucose == [(4.0, 5.0), (4.0, 5.0)]
    assert "Not told: the medium of reactor" in "\n".join(lines(asdict(found)))
