"""What is shown as current is at most 3 sample periods old (INV-29)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.staleness import UNHEARD_S, aged
from tests.api.web.service.pictures import picture, reading


def temperature(shown: Any) -> dict[str, Any]:
    return shown["devices"][0]["readings"]["temperature"]


CONDITIONS = st.sampled_from(["ok", "starting", "silent", "away"])


@pytest.mark.req("INV-29")
@given(
    age_s=st.floats(0, 100), since_s=st.floats(0, 100), condition=CONDITIONS,
    later_s=st.floats(0, 1),
)  # fmt: skip
def test_nothing_older_than_its_limit_is_shown_as_good_and_no_longer_than_it_holds(
    age_s: float, since_s: float, condition: str, later_s: float
) -> None:
    shown, holds_s = aged(picture(temperature=reading(age_s=age_s)), since_s, condition)
    assert holds_s > -UNHEARD_S
    if temperature(shown)["quality"] == "good":
        assert condition in ("ok", "starting")
        assert age_s + since_s + later_s * max(0.0, holds_s) <= 30.0 + 1e-6
        assert since_s <= UNHEARD_S
    else:
        assert temperature(shown)["why"]
        assert temperature(shown)["age_s"] >= age_s - 0.06  # told to a tenth


def test_a_picture_in_which_nothing_changed_is_the_same_object() -> None:
    fresh = picture()
    assert aged(fresh, 0.5, "ok")[0] is fresh


@pytest.mark.req("INV-29")
def test_stale_and_bad_values_pass_as_they_are() -> None:
    bad = {**reading(None, quality="bad"), "why": "no answer"}
    stale = {**reading(quality="stale", age_s=44.0), "why": "44 s old"}
    shown, _ = aged(picture(temperature=bad, co2=stale), 10.0, "away")
    assert shown["devices"][0]["readings"] == {"temperature": bad, "co2": stale}


def test_in_paced_time_only_silence_makes_values_old() -> None:
    paced = {**picture(temperature=reading(age_s=29.0)), "speed": 600.0}
    assert temperature(aged(paced, 1.9, "ok")[0])["quality"] == "good"
    assert temperature(aged(paced, 3.1, "ok")[0])["quality"] == "stale"
    assert temperature(aged(paced, 0.1, "away")[0])["quality"] == "stale"
