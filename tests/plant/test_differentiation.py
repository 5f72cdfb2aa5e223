"""Differentiation and mineral against plant-models §8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulators.plant import differentiation, mineral
from simulators.plant.differentiation import Maturity
from simulators.plant.mineral import KOMAROVA, Constants, Matrix

STEP_D = 0.25


def course(days: float, constants: Constants = KOMAROVA) -> tuple[np.ndarray, np.ndarray]:
    """(day, y) of the model alone."""
    matrix, times, found = Matrix.new(), np.arange(0.0, days + STEP_D / 2, STEP_D), []
    for _ in times:
        found.append(float(matrix.y[0]))
        mineral.step(matrix, STEP_D, constants=constants)
    return times, np.array(found)


def fastest_day(constants: Constants = KOMAROVA) -> float:
    times, y = course(60.0, constants)
    return float(times[np.argmax(np.gradient(y, times))])


@pytest.mark.req("AF-28")
def test_early_bone_cells_rise_and_fall():
    early, mature = differentiation.cascade(np.array([7.0, 14.0, 28.0]))
    assert differentiation.peak_day() == pytest.approx(11.51, rel=5e-3)
    assert early == pytest.approx([0.380, 0.413, 0.247], rel=5e-3)
    assert mature[2] == pytest.approx(0.693, rel=5e-3)


def test_steps_of_any_length_follow_the_cascade():
    cells = Maturity.naive_cells()
    for days in (0.01, 3.0, 0.5, 10.49):
        differentiation.step(cells, 1.0, days)
    early, mature = differentiation.cascade(14.0)
    assert cells.early[0] == pytest.approx(early, rel=1e-12)
    assert cells.mature[0] == pytest.approx(mature, rel=1e-12)


def test_without_supplements_nothing_differentiates_and_two_percent_oxygen_halves_the_speed():
    assert differentiation.drive(0.0, 0.178) == 0.0
    ratio = differentiation.drive(1.0, 0.019) / differentiation.drive(1.0, 0.178)
    assert ratio == pytest.approx(0.5, abs=0.05)
    cells = Maturity.naive_cells()
    differentiation.step(cells, 0.0, 28.0)
    assert (cells.naive[0], cells.early[0], cells.mature[0]) == (1.0, 0.0, 0.0)


def test_genes_follow_what_was_published_for_adipose_stem_cells():
    """culture-protocols §2.4: RUNX2 above 2.1-fold and rising, ALP about 3.5-fold, BGLAP not raised."""
    genes = differentiation.expression(*differentiation.cascade(np.array([7.0, 21.0])))
    assert np.all(genes["RUNX2"] > 2.1)
    assert genes["RUNX2"][1] > genes["RUNX2"][0]
    assert genes["ALPL"] == pytest.approx([3.5, 3.5], abs=0.5)
    assert np.all(genes["BGLAP"] < 1.5)
    assert genes["COL1A1"][0] > genes["COL1A1"][1]


@pytest.mark.req("AF-29")
def test_mineral_with_the_numbers_of_the_sheet():
    times, y = course(28.0)
    at = {day: y[np.searchsorted(times, day)] for day in (10, 14, 21, 28)}
    assert at[10] == pytest.approx(0.0038, rel=0.05)
    assert at[14] == pytest.approx(0.133, rel=0.01)
    assert at[21] == pytest.approx(1.833, rel=0.01)
    assert at[28] == pytest.approx(2.781, rel=0.01)
    assert fastest_day() == pytest.approx(16.4, abs=STEP_D)


@pytest.mark.req("AF-30")
def test_the_inhibitor_moves_the_lag_and_growth_the_final_degree():
    """Halved: the lag, and the degree at 60 days, against the numbers as they are."""
    usual = course(60.0)[1][-1]
    lag: dict[str, float] = {}
    degree: dict[str, float] = {}
    for name in ("r1", "v1", "k2", "k3", "r2"):
        halved = replace(KOMAROVA, **{name: getattr(KOMAROVA, name) / 2})
        lag[name] = fastest_day(halved) - 16.4
        degree[name] = abs(course(60.0, halved)[1][-1] / usual - 1)
    assert lag["r1"] == pytest.approx(25.6 - 16.4, abs=STEP_D)
    assert lag["r1"] == max(lag.values())
    assert min(degree["k2"], degree["r2"]) > max(degree["r1"], degree["v1"])


def test_halving_the_step_changes_nothing_that_matters():
    whole, halves = Matrix.new(), Matrix.new()
    for _ in range(28 * 24):
        mineral.step(whole, 1 / 24)
        mineral.step(halves, 1 / 48)
        mineral.step(halves, 1 / 48)
    assert halves.y == pytest.approx(whole.y, rel=1e-6)


def test_oxygen_phosphate_and_calcium_are_each_needed():
    factor = mineral.growth_factor(np.array([0.178, 0.048, 0.019]), 10.0, 1.8)
    assert factor == pytest.approx([0.999, 0.86, 0.14], abs=0.01)
    assert mineral.growth_factor(0.178, 0.0, 1.8) == 0.0
    assert mineral.growth_factor(0.178, 10.0, 0.0) == 0.0
    assert mineral.matrix_drive(0.0) == 0.0
    untouched = Matrix.new()
    mineral.step(untouched, 28.0, m=0.0)
    assert untouched.y[0] == 0.0


def test_the_calcium_of_a_spheroid_at_28_days_is_the_scale_of_the_table():
    assert mineral.calcium_ug(2.781, 3e4) == pytest.approx(5.0)
    assert mineral.calcium_umol(40.08) == pytest.approx(1.0)
