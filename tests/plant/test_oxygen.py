"""Oxygen against plant-models §4."""

from __future__ import annotations

from math import exp

import pytest

from simulators.plant import oxygen
from simulators.plant import parameters as p


@pytest.mark.req("AF-14")
@pytest.mark.parametrize(
    ("po2", "micromolar"), [(19.91, 187.1), (18.92, 177.8), (10.13, 95.2), (5.07, 47.6), (2.03, 19.0), (1.01, 9.5)]
)
def test_oxygen_in_medium(po2: float, micromolar: float) -> None:
    assert 1000 * oxygen.saturated(po2) == pytest.approx(micromolar, rel=0.01)


@pytest.mark.req("AF-14")
def test_oxygen_in_pure_water() -> None:
    assert 1000 * oxygen.saturated(1.0, 1.0) == pytest.approx(10.56, rel=0.01)
    assert 1000 * oxygen.saturated(0.2095 * (100 - 6.28), 1.0) == pytest.approx(207.3, rel=0.01)
    assert 1000 * oxygen.saturated(0.2095 * (100 - 6.28), 0.89) == pytest.approx(184.5, rel=0.01)


@pytest.mark.req("AF-17")
@pytest.mark.parametrize(("kla_h", "percent"), [(0.708, 61), (2.124, 87)])
def test_stirred_medium_with_many_hungry_cells(kla_h: float, percent: float) -> None:
    uptake = 5e5 * 98e-15 * 1e6 / 3600
    assert uptake * 3600 * 1000 == pytest.approx(49, rel=0.001)
    o2 = saturation = 0.1778
    for _ in range(40 * 360):
        o2, _ = oxygen.after(o2, saturation, kla_h / 3600, uptake, 10.0)
    assert 100 * o2 / saturation == pytest.approx(percent, abs=1)


def test_transfer_coefficient_spans_the_measured_range_and_falls_to_diffusion() -> None:
    height = 0.032
    assert oxygen.transfer_coefficient(96, height) / height * 3600 == pytest.approx(1.33, rel=0.01)
    assert oxygen.transfer_coefficient(348, height) / height * 3600 == pytest.approx(3.98, rel=0.01)
    assert oxygen.transfer_coefficient(0, height) / height == pytest.approx(oxygen.still_kla(height))
    steps = [oxygen.transfer_coefficient(rpm, height) for rpm in range(0, 400, 5)]
    assert steps == sorted(steps)


def test_the_step_is_exact_and_explains_what_it_took() -> None:
    later, used = oxygen.after(0.1, 0.1778, 1e-3, 1e-5, 600.0)
    end = 0.1778 - 1e-5 / 1e-3
    assert later == pytest.approx(end + (0.1 - end) * exp(-0.6))
    assert used == pytest.approx(6e-3)


def test_starving_cells_never_make_oxygen_negative() -> None:
    o2 = 0.02
    for _ in range(2000):
        o2, used = oxygen.after(o2, 0.0, 1e-4, 2e-5, 10.0)
        assert o2 >= 0.0
        assert used >= 0.0
    assert o2 < p.K_O2
