"""Other chambers, evaporation, sensors, flows and stirring against plant-models §1, §2, §9, §10 and benches A1."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.plant import evaporation, flow, heat_sets, sensors, stirring, supply
from simulators.plant import parameters as p
from simulators.plant.heat_sets import DEMONSTRATOR, SETS
from simulators.plant.sensors import GlassElectrode


@pytest.mark.req("AF-1")
@pytest.mark.parametrize("heat", SETS, ids=lambda each: each.name)
@pytest.mark.parametrize("open_", [False, True])
def test_time_constants_are_the_eigenvalues_of_the_two_nodes(heat, open_):
    quick, slow = heat.time_constants_s(open_)
    eigenvalues = np.linalg.eigvals(np.array(heat.system(open_)[0]))
    assert sorted([-1 / quick, -1 / slow]) == pytest.approx(sorted(eigenvalues), rel=1e-6)


@pytest.mark.req("AF-1")
def test_the_published_four_parameters_give_the_published_time_constants():
    published = heat_sets.of_capacities(267.6, 0.576, 329.3, 1.671)
    assert published.time_constants_s() == pytest.approx((79.34, 1153.3), rel=1e-3)


@pytest.mark.req("AF-3")
@pytest.mark.parametrize(("before", "after", "room"), [(35.34, 23.31, 21.06), (37.00, 23.75, 21.12)])
def test_the_demonstrator_cools_as_it_did_when_its_lid_was_open_for_a_minute_and_a_half(before, after, room):
    """Figures printed in plant-models (the record has no licence and is not kept here); heater at steady power."""
    power = (before - room) / (DEMONSTRATOR.steady(1.0, 0.0)[1])
    start = DEMONSTRATOR.steady(power, room)
    ((_, air),) = DEMONSTRATOR.course(start, room, [(90.0, power, True)])
    assert start[1] == pytest.approx(before)
    assert air == pytest.approx(after, abs=1.5)


def test_a_course_in_pieces_ends_where_the_whole_does():
    (whole,) = DEMONSTRATOR.course((30.0, 25.0), 20.0, [(600.0, 0.3, False)])
    pieces = DEMONSTRATOR.course((30.0, 25.0), 20.0, [(123.0, 0.3, False), (477.0, 0.3, False)])
    assert pieces[-1] == pytest.approx(whole, rel=1e-12)


@pytest.mark.req("AF-9")
def test_evaporation_goes_with_the_dryness_of_the_air():
    wet, dry = (evaporation.evaporated_ml(0.33e-4, 0.01, rh, 86400.0) for rh in (95.0, 80.0))
    assert dry / wet == pytest.approx(4.00, rel=5e-3)
    assert 1000 * wet == pytest.approx(17.0, abs=0.5)
    assert 1000 * dry == pytest.approx(68.0, abs=1.0)
    assert evaporation.evaporated_ml(0.33e-4, 0.01, np.array([100.0, 120.0]), 86400.0) == pytest.approx([0.0, 0.0])
    assert evaporation.evaporated_ml(0.33e-4, 0.01, 80.0, 86400.0, lid=10.0) == pytest.approx(dry / 10)


def test_what_is_dissolved_stays_when_water_goes():
    assert evaporation.concentrated(290.0 * 150.0, 150.0, 15.0) == pytest.approx(322.2, abs=0.1)


@pytest.mark.req("AF-32")
@pytest.mark.parametrize(("cel", "mv"), [(4, 54.99), (20, 58.17), (25, 59.16), (37, 61.54)])
def test_the_nernst_slope(cel, mv):
    assert sensors.nernst_mv(cel) == pytest.approx(mv, abs=0.01)


@pytest.mark.req("AF-32")
def test_a_warm_reading_with_the_slope_of_a_cold_calibration_is_off_by_four_percent():
    electrode = GlassElectrode(e0_mv=3.0, efficiency=1.0)
    shown = electrode.shown(electrode.mv(8.0, 37.0), 25.0)
    assert shown - 8.0 == pytest.approx(0.04, abs=0.002)
    assert electrode.shown(electrode.mv(8.0, 37.0), 37.0) == pytest.approx(8.0)


def test_an_electrode_drifts_by_about_a_millivolt_a_day_the_same_way_for_the_same_seed():
    drifts = [sensors.e0_drift_mv(12.0, seed) for seed in range(60)]
    assert np.mean(drifts) == pytest.approx(12.0, abs=1.0)
    assert 0.5 < np.std(drifts) < 4.0
    assert sensors.e0_drift_mv(12.0, 1) == drifts[1]
    shown = GlassElectrode().shown(GlassElectrode().mv(7.4, 37.0) - 12.0, 37.0)
    assert shown - 7.4 == pytest.approx(0.20, abs=0.01)  # benches: 0.20 pH in twelve days


@pytest.mark.req("AF-33")
def test_a_lagging_sensor_is_two_thirds_there_after_tau_and_nearly_there_after_twice_t90():
    tau = sensors.tau_s(60.0)
    assert tau == pytest.approx(60.0 / 2.3026, rel=1e-4)
    assert sensors.felt(0.0, 1.0, tau, tau) == pytest.approx(0.632, abs=5e-4)
    assert sensors.felt(0.0, 1.0, 120.0, tau) == pytest.approx(0.99, abs=1e-6)


def test_a_quenched_dye_shows_its_oxygen_and_a_bleached_one_too_much():
    assert sensors.unquenched_kpa(sensors.quenched(18.9)) == pytest.approx(18.9)
    assert sensors.unquenched_kpa(0.95 * sensors.quenched(18.9)) > 18.9


def test_an_infrared_probe_needs_its_pressure_its_temperature_and_two_minutes():
    assert sensors.infrared_co2(5.0, 1013.25, 25.0) == pytest.approx(5.0)
    assert sensors.infrared_co2(5.0, 1023.25, 25.0) == pytest.approx(5.0 * 1.015)
    assert sensors.infrared_co2(5.0, 1013.25, 37.0) == pytest.approx(5.0 * (1 - 12 * 0.0035))
    assert sensors.infrared_co2(5.0, 1013.25, 25.0, powered_s=5.0) is None
    early = sensors.infrared_co2(5.0, 1013.25, 25.0, powered_s=60.0)
    assert early is not None
    assert 5.0 < early < 5.25
    assert sensors.humidity_drift(3.0) == pytest.approx(6.0)


@pytest.mark.req("AF-34")
def test_pulsation_averages_to_the_set_flow_over_whole_roller_periods():
    period = 60.0 / (6 * 20.0)
    assert flow.carried_ml(1.0, 6, 20.0, 7 * period) == pytest.approx(7 * period / 60, rel=1e-3)
    times = np.linspace(0.0, period, 2001)[:-1]
    around = [flow.pulsation(6, 20.0, float(t)) for t in times]
    assert np.mean(around) == pytest.approx(1.0, rel=1e-3)
    assert max(around) > 1.4
    assert np.trapezoid([*around, around[0]], np.linspace(0, period, 2001)) / 60 == pytest.approx(
        flow.carried_ml(1.0, 6, 20.0, period), rel=1e-6
    )


def test_slow_heads_are_uneven_soft_lines_late_closed_ones_under_pressure_and_bubbles_counted():
    assert flow.unevenness(50.0, 100.0) == 0.0
    assert flow.unevenness(1.0, 100.0) > 0.04
    line = flow.Compliance()
    assert line.delivered_ml(1.0, 600.0) == pytest.approx(10.0 - line.lag_s / 60, rel=1e-6)
    assert line.occluded_bar(1.0, 6.0) == pytest.approx(5.0)
    assert flow.with_air(18.0, 2.5) == 15.5
    jerks = [flow.stick_slip(0.5, t) for t in np.arange(0.0, 400.0, 0.5)]
    assert np.mean(jerks) == pytest.approx(1.0)
    assert flow.stick_slip(2.0, 1.0) == 1.0


@pytest.mark.req("AF-35")
@pytest.mark.parametrize(("dissipation", "eddies_um", "shear"), [(1e-3, 135, 0.026), (1e-2, 76, 0.083)])
def test_the_smallest_eddies_and_their_shear(dissipation, eddies_um, shear):
    assert 1e6 * stirring.kolmogorov_m(dissipation) == pytest.approx(eddies_um, rel=0.01)
    assert stirring.shear_pa(dissipation) == pytest.approx(shear, rel=0.02)


def test_the_demo_bench_stirs_enough_to_suspend_its_spheroids_and_too_gently_to_harm_them():
    """Benches A1: just suspended at 75-112 rpm, settling 1.7-3.9 mm/s, cap 6·10⁻³ W/kg = 0.064 Pa."""
    for excess in (30.0, 60.0):
        assert 70 < stirring.just_suspended_rpm(352e-6, excess, 0.03) < 112
    assert stirring.settling_mm_s(352e-6, 20.0) == pytest.approx(1.7, abs=0.1)
    assert stirring.settling_mm_s(352e-6, 50.0) == pytest.approx(3.9, abs=0.1)
    assert stirring.dissipation_w_kg(110.0, 90.0) < 6e-3
    assert stirring.shear_pa(6e-3) == pytest.approx(0.064, abs=0.001)


def test_slow_doses_arrive_warm_and_quick_ones_cold():
    assert supply.line_end_cel(37.0, 1.0) == pytest.approx(34.7, abs=0.1)
    assert supply.line_end_cel(37.0, 5.0) == pytest.approx(18.6, abs=0.2)
    assert supply.plug_cel(37.0, 86400.0, 20.0) == pytest.approx(37.0)
    assert supply.plug_cel(37.0, 0.0, 20.0) == 20.0
    assert supply.bottle_pco2_kpa(0.0) == pytest.approx(p.BOTTLE_PCO2_KPA)
    assert supply.bottle_pco2_kpa(7 * 86400.0) < 0.3 * p.BOTTLE_PCO2_KPA
