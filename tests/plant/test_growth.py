"""Growth, metabolism and contamination against plant-models §6."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.plant import contaminant, growth
from simulators.plant import parameters as p
from simulators.plant.growth import ADSC, FIBROBLAST, FIBROBLAST_HYPOXIC, rate_per_day


@pytest.mark.req("AF-22")
def test_a_slow_donors_cells_double_in_five_days_and_fast_ones_grow_hundredfold_in_a_week():
    assert growth.grown(1.0, 0.136, 5.1) == pytest.approx(2.0, rel=1e-3)
    assert growth.grown(1.0, 0.6803, 7.0) == pytest.approx(117.0, abs=0.1)


@pytest.mark.req("AF-24")
def test_a_well_uses_three_millimolar_of_glucose_in_three_days():
    assert growth.used_mm(3e4, 200.0, 0.150, 72.0) == pytest.approx(2.88, rel=5e-3)
    assert growth.used_mm(3e4, 400.0, 0.150, 72.0) == pytest.approx(5.76, rel=5e-3)


@pytest.mark.req("AF-24")
def test_the_lactate_peak_is_a_geometric_series_of_the_exchanges():
    half = growth.peaks_mm(5.76, 0.5, 60)
    assert half[:3] == pytest.approx([5.76, 8.64, 10.08], rel=5e-3)
    assert half[-1] == pytest.approx(11.52, rel=5e-3)
    assert growth.peaks_mm(5.76, 0.8, 60)[-1] == pytest.approx(7.20, rel=5e-3)
    assert growth.peaks_mm(5.76, 1.0, 60)[-1] == pytest.approx(5.76, rel=5e-3)


@pytest.mark.req("AF-25")
def test_lung_fibroblasts_make_two_millimolar_of_lactate_in_a_day():
    mean = growth.mean_cells(2e5, FIBROBLAST.growth_per_day, 1.0)
    assert mean == pytest.approx(2.70e5, rel=5e-3)
    assert growth.used_mm(mean, FIBROBLAST.lactate, 3.0, 24.0) == pytest.approx(2.19, rel=0.01)
    assert FIBROBLAST_HYPOXIC.lactate / FIBROBLAST_HYPOXIC.glucose < FIBROBLAST.lactate / FIBROBLAST.glucose


def test_growth_slows_with_hunger_acid_crowding_and_little_oxygen_and_is_never_negative():
    free = rate_per_day(ADSC, 0.0)
    assert free == pytest.approx(p.GROWTH_ADSC, rel=1e-6)
    assert rate_per_day(ADSC, 0.0, glucose_mm=1.0) == pytest.approx(free / 2, rel=1e-6)
    assert rate_per_day(ADSC, 0.0, lactate_mm=43.0) == pytest.approx(free / 2, rel=1e-6)
    assert rate_per_day(ADSC, 0.0, ammonium_mm=6.5) == pytest.approx(free / 2, rel=1e-6)
    assert rate_per_day(ADSC, 0.0, o2_mm=0.005) == pytest.approx(free / 2, rel=1e-6)
    assert rate_per_day(ADSC, 4e4) == pytest.approx(free / 2, rel=1e-6)
    assert np.all(rate_per_day(ADSC, np.array([8e4, 9e4])) == 0.0)
    assert rate_per_day(ADSC, 0.0, hours=0.0) == 0.0


def test_a_dish_is_confluent_before_it_is_full():
    assert growth.confluence(np.array([2e4, 4e4, 8e4])) == pytest.approx([0.5, 1.0, 1.0])


def test_a_contaminant_doubles_within_the_hour_until_the_broth_is_full_or_the_glucose_gone():
    hour = contaminant.grown(100.0, 90.0, 5.0, 3600.0)
    assert 100 * 2 ** (1 / 0.75) * 0.95 < hour < 100 * 2 ** (1 / 0.75)
    assert contaminant.grown(100.0, 90.0, 5.0, 10 * 86400.0) == pytest.approx(90 * p.CONTAMINANT_MOST_PER_ML, rel=1e-3)
    assert contaminant.grown(100.0, 90.0, 0.0, 3600.0) == 100.0
    assert contaminant.grown(0.0, 90.0, 5.0, 86400.0) == 0.0
    halves = contaminant.grown(contaminant.grown(100.0, 90.0, 5.0, 1800.0), 90.0, 5.0, 1800.0)
    assert halves == pytest.approx(hour, rel=1e-12)


def test_a_contaminant_never_eats_more_than_there_is():
    assert contaminant.eaten_umol(1e12, 10.0, 86400.0) == pytest.approx(10.0)
    assert contaminant.eaten_umol(1e12, 0.0, 86400.0) == 0.0
    assert contaminant.eaten_umol(1e6, 1000.0, 3600.0) == pytest.approx(1e6 * 1.0 * 1e-9, rel=1e-3)
    assert contaminant.turbidity(9e8, 90.0) == pytest.approx(1.0)
    assert contaminant.o2_uptake(9e10, 90.0) * 3600 == pytest.approx(2e-9 * 1e9, rel=1e-9)
