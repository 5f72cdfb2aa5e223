"""Latest values: what a device really said last, and how old it is."""

from __future__ import annotations

import asyncio

import pytest

from controller.latest import Latest
from drivers.core.signals import Quality, Reading


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_bad_reading_is_never_masked_by_the_last_good_one() -> None:
    latest = Latest()
    latest.expect("probe", 10.0)
    latest.put("probe", {"ph": Reading(7.2, now(), Quality.GOOD)})
    latest.put("probe", {"ph": Reading(None, now(), Quality.BAD, "noise on the wire")})
    assert latest.get("probe.ph") == Reading(None, now(), Quality.BAD, "noise on the wire")


@pytest.mark.req("INV-29")
async def test_a_value_older_than_three_periods_is_stale_and_says_its_age() -> None:
    latest = Latest()
    latest.expect("probe", 10.0)
    latest.put("probe", {"ph": Reading(7.2, now(), Quality.GOOD)})
    await asyncio.sleep(30.0)
    assert latest.get("probe.ph").quality is Quality.GOOD
    await asyncio.sleep(1.0)
    reading = latest.get("probe.ph")
    assert (reading.value, reading.quality, reading.why) == (7.2, Quality.STALE, "31 s old")


async def test_a_signal_never_read_is_bad_not_zero() -> None:
    reading = Latest().get("probe.ph")
    assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_a_signal_that_comes_seldom_is_stale_by_its_own_period() -> None:
    latest = Latest()
    latest.expect("probe", 10.0, {"quality": 600.0})
    latest.put("probe", {"ph": Reading(7.2, now(), Quality.GOOD), "quality": Reading(98.0, now(), Quality.GOOD)})
    await asyncio.sleep(1800.0)
    assert latest.get("probe.ph").quality is Quality.STALE
    assert latest.get("probe.quality").quality is Quality.GOOD
    await asyncio.sleep(1.0)
    assert latest.get("probe.quality").quality is Quality.STALE
