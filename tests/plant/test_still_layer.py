"""Oxygen through still medium against plant-models §4."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.plant import still_layer


def bottom_after(height_m: float, seconds: float, step_s: float = 10.0) -> float:
    """Share of a step in the gas that has arrived at the bottom volume."""
    layer = np.zeros((1, still_layer.VOLUMES))
    for _ in range(round(seconds / step_s)):
        still_layer.step(layer, 1.0, np.array([height_m]), np.zeros(1), step_s)
    return float(layer[0, -1])


@pytest.mark.req("AF-15")
@pytest.mark.parametrize(("height", "slowest_min", "most_min"), [(3e-3, 22.5, 57.3), (5e-3, 62.5, 159.0)])
def test_a_step_in_the_gas_reaches_the_bottom_of_a_still_layer(height, slowest_min, most_min):
    assert still_layer.slowest_s(height) / 60 == pytest.approx(slowest_min, rel=0.03)
    times = np.arange(0.8, 1.2, 0.02) * most_min * 60
    reached = [bottom_after(height, seconds, 60.0) for seconds in times]
    assert np.interp(0.9, reached, times) / 60 == pytest.approx(most_min, rel=0.03)


@pytest.mark.req("AF-16")
def test_a_monolayer_draws_its_oxygen_down_and_runs_dry_when_it_is_dense():
    assert 1000 * still_layer.drop_mm(98.0, 2e4, 3e-3) == pytest.approx(6.05, rel=0.01)
    assert still_layer.anoxic_per_cm2(0.1778, 98.0, 3e-3) == pytest.approx(5.9e5, rel=0.01)
    layer = np.full((1, still_layer.VOLUMES), 0.1778)
    uptake = np.array([98e-15 / 3600 * 2e8])
    for _ in range(600):
        still_layer.step(layer, 0.1778, np.array([3e-3]), uptake, 60.0)
    half_a_volume = 6.05e-3 / (2 * still_layer.VOLUMES)
    assert 0.1778 - layer[0, -1] == pytest.approx(6.05e-3 - half_a_volume, rel=0.01)


def test_the_step_is_exact_whatever_its_length():
    coarse, fine = (np.full((2, still_layer.VOLUMES), 0.15) for _ in range(2))
    height, uptake = np.array([3e-3, 5.7e-3]), np.array([4e-9, 1e-9])
    still_layer.step(coarse, 0.1778, height, uptake, 600.0)
    for _ in range(60):
        still_layer.step(fine, 0.1778, height, uptake, 10.0)
    assert coarse == pytest.approx(fine, rel=1e-9)


def test_a_starving_layer_is_never_negative_and_gives_what_it_had():
    layer = np.full((1, still_layer.VOLUMES), 0.1)
    height, had, taken = np.array([3e-3]), 0.1 * 3e-3, 0.0
    for _ in range(2000):
        before = layer.sum() * 3e-4
        used = float(still_layer.step(layer, 0.0, height, np.array([1e-6]), 60.0)[0])
        assert np.all(layer >= 0.0)
        assert used <= before + 1e-15
        taken += used
    assert 0.3 * had < taken <= had


def test_wells_do_not_know_of_each_other():
    heights, uptake = np.array([3e-3, 4e-3, 5e-3]), np.array([1e-9, 2e-9, 3e-9])
    together = np.tile(np.linspace(0.1, 0.17, still_layer.VOLUMES), (3, 1))
    order = np.array([2, 0, 1])
    permuted = together[order].copy()
    still_layer.step(together, 0.1778, heights, uptake, 120.0)
    still_layer.step(permuted, 0.1778, heights[order], uptake[order], 120.0)
    assert permuted == pytest.approx(together[order], rel=1e-14)
