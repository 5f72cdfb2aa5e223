"""Conditions that must hold without a break: a value that is bad, stale or outside breaks them."""

from __future__ import annotations

import asyncio

import pytest

from controller.clock import Clock
from controller.latest import Latest
from controller.watches import Watches
from drivers.core.signals import Quality, Reading
from protocols.plan import Within

WARM = Within("temperature", "Cel", 36.5, 37.5)
CO2 = Within("co2", "%", 4.5, 5.5)
ROLES = {"temperature": ("box.temperature", "Cel"), "co2": ("box.co2", "%"), "ph": ("probe.ph", "[pH]")}


class Bench:
    """One incubator as a test wants it."""

    def __init__(self) -> None:
        self.latest = Latest()
        self.latest.expect("box", 10.0)
        self.watches = Watches(self.latest, Clock.of_bench("UTC", 1))
        self.met: list[float] = []

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def watch(self, *conditions: Within, for_s: float = 60.0) -> None:
        self.watches.begin("w", conditions, for_s, ROLES, lambda: self.met.append(self.now))

    async def shows(self, cel: float | None, co2: float = 5.0, times: int = 1, quality: Quality = Quality.GOOD) -> None:
        for _ in range(times):
            await asyncio.sleep(10.0)
            self.latest.put(
                "box",
                {"temperature": Reading(cel, self.now, quality), "co2": Reading(co2, self.now, Quality.GOOD)},
            )


async def test_a_condition_is_met_after_it_held_for_its_time() -> None:
    bench = Bench()
    bench.watch(WARM)
    await bench.shows(37.0, times=6)
    assert bench.met == []
    assert bench.watches.holds_since("w") is not None
    await bench.shows(37.0)
    assert len(bench.met) == 1
    await bench.shows(37.0, times=10)
    assert len(bench.met) == 1, "told once"
    assert bench.watches.holds_since("w") is None


@pytest.mark.parametrize(
    ("cel", "quality"),
    [(36.4, Quality.GOOD), (37.6, Quality.GOOD), (37.0, Quality.BAD), (None, Quality.BAD), (37.0, Quality.MANUAL)],
)
async def test_a_break_starts_the_time_again(cel: float | None, quality: Quality) -> None:
    bench = Bench()
    bench.watch(WARM)
    await bench.shows(37.0, times=6)
    await bench.shows(cel, quality=quality)
    assert bench.watches.holds_since("w") is None
    await bench.shows(37.0, times=6)
    assert bench.met == []
    await bench.shows(37.0)
    assert len(bench.met) == 1


async def test_a_silence_longer_than_three_periods_is_a_break() -> None:
    """Nobody knows what the value was meanwhile (P2)."""
    bench = Bench()
    bench.watch(WARM)
    await bench.shows(37.0, times=2)
    await asyncio.sleep(300.0)
    await bench.shows(37.0)
    assert bench.met == []


async def test_all_conditions_must_hold_together() -> None:
    bench = Bench()
    bench.watch(WARM, CO2)
    await bench.shows(37.0, co2=3.0, times=20)
    assert bench.met == []
    await bench.shows(37.0, co2=5.0, times=7)
    assert len(bench.met) == 1


async def test_limits_in_another_unit_are_compared_in_theirs() -> None:
    bench = Bench()
    bench.watch(Within("temperature", "K", 309.65, 310.65), for_s=0.0)
    await bench.shows(37.0)
    assert len(bench.met) == 1


async def test_a_dropped_watch_tells_nobody() -> None:
    bench = Bench()
    bench.watch(WARM)
    bench.watches.drop("w")
    bench.watches.drop("w")
    await bench.shows(37.0, times=10)
    assert bench.met == []


async def test_polls_of_other_devices_do_not_disturb() -> None:
    bench = Bench()
    bench.watch(WARM)
    await bench.shows(37.0)
    bench.latest.put("probe", {"ph": Reading(None, bench.now, Quality.BAD)})
    assert bench.watches.holds_since("w") is not None
