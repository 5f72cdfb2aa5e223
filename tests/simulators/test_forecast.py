"""Forecasts of a plan: rehearsals with a few seeds, their ends, troubles and ranges, and how they are printed."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from api.printed.forecast import lines
from simulators.bench import START
from simulators.forecast import forecast, of
from simulators.laboratory import Sample
from simulators.rehearsal import Result

DAY_S = 86_400.0


def test_a_forecast_rehearses_from_the_start_of_the_plan_with_each_seed() -> None:
    ended: list[int] = []
    found = forecast("spheroid-formation", start=START + 2 * DAY_S, seeds=(1, 2), processes=1, done=ended.append)
    assert found.ends == {"COMPLETE": 2} and ended == [1, 2] and found.troubles == {}
    json.dumps(asdict(found))
    (first, *_) = lines(asdict(found))
    assert first == "\nForecast"


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
