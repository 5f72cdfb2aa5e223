"""Oxygen in spheroids, their size and forming, against plant-models §5 and §7."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from simulators.plant import parameters as p
from simulators.plant import spheroid_size as size
from simulators.plant.spheroid_oxygen import (
    core_share,
    critical_radius_um,
    most_cells,
    spheroid_oxygen,
    volume_rate,
)

CULTURE_MM = 0.1778
"""Medium in an incubator with 5 % CO2 (AF-14)."""


@pytest.mark.req("AF-18")
@pytest.mark.parametrize(("o2", "radius"), [(0.178, 620.1), (0.0476, 320.6)])
def test_the_largest_spheroid_without_an_anoxic_core_zero_order(o2, radius):
    assert critical_radius_um(o2, 40, 5e14) == pytest.approx(radius, rel=5e-3)


@pytest.mark.req("AF-18")
@pytest.mark.parametrize(("o2", "radius", "core"), [(0.0476, 350, 88.9), (0.0476, 500, 279.7), (0.178, 700, 209.6)])
def test_the_anoxic_core_of_larger_ones(o2, radius, core):
    assert radius * core_share(radius, critical_radius_um(o2, 40, 5e14)) == pytest.approx(core, rel=5e-3)


def test_there_is_no_core_up_to_the_critical_radius_and_it_grows_towards_the_rim_above():
    shares = core_share(np.array([100.0, 260.0, 261.0, 300.0, 500.0, 5000.0]), 260.0)
    assert shares[:2] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert np.all(np.diff(shares[1:]) > 0)
    assert shares[-1] > 0.96


@pytest.mark.req("AF-19")
@pytest.mark.parametrize(
    ("radius", "o2", "q", "density", "centre"),
    [(200, 0.178, 40, 5e14, 160.0), (400, 0.178, 40, 5e14, 106.8), (500, 0.178, 40, 5e14, 68.0),
     (300, 0.0476, 20, 4.5e14, 31.15)],
)  # fmt: skip
def test_the_centre_of_a_spheroid_with_michaelis_menten_uptake(radius, o2, q, density, centre):
    assert 1000 * spheroid_oxygen(radius, o2, q, density).centre == pytest.approx(centre, rel=5e-3)


@pytest.mark.parametrize(
    ("radius", "o2", "q", "density", "still"),
    [(176, 0.178, 15, 6.6e14, 0), (176, 0.178, 98, 6.6e14, 1), (353, 0.0476, 40, 3.3e14, 0), (250, 0.005, 60, 5e14, 0),
     (60, 0.0008, 15, 6e14, 1), (500, 0.178, 60, 5e14, 0)],
)  # fmt: skip
def test_the_table_agrees_with_a_solver_of_boundary_values(radius, o2, q, density, still):
    r, k = radius * 1e-6, p.K_M_TISSUE
    rate = float(volume_rate(q, density)) * r * r / (p.D_TISSUE * k)

    def slope(x, y):
        eaten = rate * y[0] / (1 + np.maximum(y[0], 0))
        return np.vstack((y[1], np.where(x > 1e-9, eaten - 2 * y[1] / np.maximum(x, 1e-9), eaten / 3)))

    def ends(a, b):
        return np.array([a[1], b[0] + still * p.D_TISSUE / p.D_O2 * b[1] - o2 / k])

    x = np.linspace(0.0, 1.0, 2001)
    fresh = solve_bvp(slope, ends, x, np.vstack((np.full_like(x, 0.5 * o2 / k), np.full_like(x, 0.1))), tol=1e-8,
                      max_nodes=100_000)  # fmt: skip
    assert fresh.success
    found = spheroid_oxygen(radius, o2, q, density, still=float(still))
    assert found.rim == pytest.approx(k * fresh.y[0, -1], rel=5e-3)
    assert found.centre == pytest.approx(k * fresh.y[0, 0], rel=5e-3)
    assert found.uptake == pytest.approx(3 * fresh.y[1, -1] / rate, rel=5e-3)
    below = fresh.x[fresh.y[0] < p.HYPOXIC_MM / k]
    assert found.hypoxic == pytest.approx((below[-1] if len(below) else 0.0) ** 3, abs=5e-3)


@pytest.mark.req("AF-20")
@pytest.mark.parametrize("cells", [15_000, 60_000])
def test_a_stirred_spheroid_loses_less_than_a_tenth_of_its_oxygen_to_the_centre(cells):
    found = spheroid_oxygen(size.final_radius_um(cells), CULTURE_MM, density=size.density(cells))
    assert 1 - found.centre / found.rim < 0.10


@pytest.mark.req("AF-20")
def test_the_uptake_of_a_monolayer_must_not_be_used_in_a_spheroid():
    drop = float(volume_rate(98, 3.27e14)) * (353e-6) ** 2 / (6 * p.D_TISSUE)
    assert 1000 * drop == pytest.approx(92.0, rel=0.02)
    found = spheroid_oxygen(353.0, CULTURE_MM, 98.0, 3.27e14)
    assert 1 - found.centre / found.rim == pytest.approx(0.52, abs=0.03)


@pytest.mark.req("AF-21")
def test_published_cores_of_melanoma_spheroids_while_they_are_small():
    """Printed in plant-models: a core in 6 % of spheroids of 240-260 µm, in 96 % of 280-300; R_c 260 µm.

    Later the rim keeps thinning: at 357 µm the model says 0.48 where 0.78 was measured; kept as it is.
    """
    assert core_share(250.0, 260.0) == pytest.approx(0.0, abs=1e-9)
    assert core_share(290.0, 260.0) > 0.25
    assert core_share(357.0, 260.0) == pytest.approx(0.48, abs=0.01)


def test_leaving_out_the_still_liquid_makes_wells_look_too_well_supplied():
    radius, density = size.final_radius_um(30_000), size.density(30_000)
    stirred, still = (spheroid_oxygen(radius, CULTURE_MM, 15.0, density, still=s) for s in (0.0, 1.0))
    outside, inside = CULTURE_MM - still.rim, still.rim - still.centre
    assert stirred.rim == pytest.approx(CULTURE_MM)
    assert outside / inside == pytest.approx(2 * p.D_TISSUE / p.D_O2, rel=0.03)


def test_many_spheroids_at_once_are_each_as_alone_whatever_their_order():
    radii = np.array([120.0, 176.0, 250.0, 353.0])
    o2 = np.array([[0.178], [0.0476], [0.002]])
    all_at_once = spheroid_oxygen(radii, o2, 40.0, 5e14, still=1.0)
    assert all_at_once.centre.shape == (3, 4)
    for i in range(3):
        for j in range(4):
            alone = spheroid_oxygen(radii[j], o2[i, 0], 40.0, 5e14, still=1.0)
            assert all_at_once.centre[i, j] == alone.centre
            assert all_at_once.hypoxic[i, j] == alone.hypoxic


def test_more_oxygen_or_fewer_cells_never_make_a_core_worse_and_nothing_is_negative():
    o2 = np.geomspace(1e-5, 0.2, 60)
    found = spheroid_oxygen(300.0, o2, 60.0, 5e14, still=1.0)
    for rising in (found.rim, found.centre, found.uptake):
        assert np.all(np.diff(rising) > -1e-12)
        assert np.all(rising >= 0)
    for falling in (found.hypoxic, found.starving):
        assert np.all(np.diff(falling) < 1e-12)
        assert np.all((falling >= 0) & (falling <= 1))
    assert np.all(found.starving <= found.hypoxic + 1e-12)


def test_how_many_cells_before_a_core_is_hypoxic():
    still, hungry, low = most_cells(CULTURE_MM, still=True), most_cells(CULTURE_MM, 98.0, still=True), most_cells(0.019)
    assert 60_000 < still < 10_000_000
    assert hungry < 0.1 * still
    assert low < most_cells(CULTURE_MM)
    assert most_cells(0.009) == 0.0


@pytest.mark.req("AF-26")
@pytest.mark.parametrize(("cells", "radius", "within"), [(15_000, 176, 8), (60_000, 353, 18)])
def test_the_size_of_a_compacted_spheroid(cells, radius, within):
    assert size.final_radius_um(cells) == pytest.approx(radius, abs=within)


@pytest.mark.req("AF-26")
def test_nine_tenths_of_compaction_are_over_after_forty_one_hours():
    first, last = float(size.radius_um(15_000, 0.0)), float(size.final_radius_um(15_000))
    assert first == pytest.approx(1.5 * last)
    assert size.radius_um(15_000, 41.4) == pytest.approx(last + 0.1 * (first - last), rel=1e-3)


def test_a_spheroid_shrinks_a_little_when_it_has_compacted():
    assert size.radius_um(15_000, 72.0 + 240.0) == pytest.approx(0.905 * 176.0, rel=0.01)


def test_cells_gather_within_a_day():
    assert size.aggregated(np.array([-1.0, 0.0, 8.0, 24.0])) == pytest.approx([0.0, 0.0, 0.632, 0.950], abs=1e-3)


@pytest.mark.req("AF-27")
def test_a_growing_spheroid_is_flat_and_then_a_straight_line():
    days = np.array([1.25, 2.25, 3.25, 4.25, 5.25])
    assert size.growing_radius_um(days) == pytest.approx([170, 174, 188, 204, 222], abs=1.5)
    slope = np.diff(size.growing_radius_um(np.array([3.0, 4.0, 5.0, 6.0])))
    assert np.all((slope > 16) & (slope < 18))


def test_some_wells_go_wrong_as_often_as_the_table_says_and_the_same_seed_the_same_way():
    many = size.formed(100_000, 1)
    assert 1 - many.one_body.mean() == pytest.approx(p.TWIN_WELLS + p.SATELLITE_WELLS, abs=0.005)
    assert (many.share == 0.6).mean() == pytest.approx(p.LOOSE_WELLS, abs=0.003)
    assert many.roundness[many.share == 1.0].mean() == pytest.approx(p.ROUNDNESS, abs=0.01)
    again = size.formed(100_000, 1)
    assert np.array_equal(many.roundness, again.roundness)
    assert not np.array_equal(many.bodies[:96], size.formed(96, 2).bodies)
