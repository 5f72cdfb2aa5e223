"""The coupled vessel over days: balances, equilibria, probes, time grid, snapshots."""

from __future__ import annotations

import json

import pytest

from simulators.plant import oxygen
from simulators.plant import parameters as p
from simulators.plant.cells import SPHEROID
from simulators.vessels import Stirred100

T0 = 1_767_567_600.0
DAY = 86400.0


def run_events(plant: Stirred100, begin: float, end: float) -> None:
    """A busy two days: doors, a set-point change, exchanges, a sample, a pour. Only what falls into [begin, end)."""
    fill, waste, air = plant.place("fill syringe"), plant.place("waste syringe"), plant.place("chamber")
    events = [
        (1000.3, lambda t: plant.hands.door(t, 30)),
        (5003.7, lambda t: air.set_points(t, 36.5, 5.5, None)),  # type: ignore[union-attr]
        (40000.1, lambda t: waste.run(t, -3.0, t + 480)),  # type: ignore[union-attr]
        (40500.2, lambda t: waste.run(t, 3.0, t + 480)),  # type: ignore[union-attr]
        (41000.9, lambda t: fill.run(t, -3.0, t + 360)),  # type: ignore[union-attr]
        (41400.4, lambda t: fill.run(t, 1.0, t + 1080)),  # type: ignore[union-attr]
        (90000.0, lambda t: plant.hands.take(t, 1.0)),
        (90001.0, lambda t: plant.hands.pour(t, 20.0, 1e6)),
        (90001.0, lambda t: plant.hands.stir(t, 80.0)),
    ]
    for at, act in events:
        if begin <= T0 + at < end:
            act(T0 + at)
    plant.advance(end)


def test_asking_often_changes_nothing() -> None:
    quiet, asked = (Stirred100(T0, 1, vessel_ml=90.0, cells_per_ml=2e5) for _ in range(2))
    run_events(quiet, T0, T0 + 100000)
    for k in range(1, 2001):
        run_events(asked, T0 + 50 * (k - 1), T0 + 50 * k)
        asked.place("chamber").air(T0 + 50 * k + 0.1 * (k % 7) - 0.7)  # type: ignore[union-attr]
        asked.truth(T0 + 50 * k)
    assert asked.snapshot() == quiet.snapshot()


@pytest.mark.parametrize("at", [1015.0, 40203.3, 41900.0, 90001.0])
def test_a_world_restored_in_the_middle_ends_where_the_other_does(at: float) -> None:
    whole, first = (Stirred100(T0, 1, {"check-valve": {}}, vessel_ml=90.0, cells_per_ml=2e5) for _ in range(2))
    run_events(whole, T0, T0 + 100000)
    run_events(first, T0, T0 + at)
    saved = json.loads(json.dumps(first.snapshot()))
    second = Stirred100(T0 + 5, 2)
    second.restore(saved)
    run_events(second, T0 + at, T0 + 100000)
    assert second.snapshot() == whole.snapshot()
    assert second.truth(T0 + 100000) == whole.truth(T0 + 100000)


@pytest.mark.req("AF-23")
def test_glucose_lactate_carbon_and_oxygen_balance_through_a_busy_time() -> None:
    plant = Stirred100(T0, 1, {"check-valve": {}}, vessel_ml=90.0, cells_per_ml=2e5)
    run_events(plant, T0, T0 + 2 * DAY)
    b = plant.culture.books
    assert b.lactate_made == pytest.approx(b.glucose_eaten * SPHEROID.lactate / SPHEROID.glucose, rel=1e-6)
    books = plant.books()
    assert abs(books["glucose"]) < 1e-6 * b.glucose_in
    assert abs(books["lactate"]) < 1e-6 * b.lactate_made
    assert abs(books["carbon"]) < 1e-6 * b.carbon_in
    assert abs(books["o2"]) < 1e-6 * b.o2_used
    assert abs(books["calcium"]) < 1e-6 * b.calcium_in
    assert abs(books["charge_mm"]) < 1e-6
    assert abs(books["heat_k"]) < 1e-6 * plant.air.heat_in
    assert abs(books["liquid_ml"]) < 1e-6
    assert abs(books["vessel_ml"]) < 1e-6


def test_what_the_new_bottle_is_comes_into_the_vessel_with_each_exchange() -> None:
    plant = Stirred100(T0, vessel_ml=90.0)
    fill, waste = plant.place("fill syringe"), plant.place("waste syringe")
    plant.hands.renew_bottle(T0, "osteogenic medium")
    for day in range(2):
        begin = T0 + day * DAY
        waste.run(begin, -3.0, begin + 360)  # type: ignore[union-attr]
        waste.run(begin + 400, 3.0, begin + 760)  # type: ignore[union-attr]
        fill.run(begin + 800, -3.0, begin + 1160)  # type: ignore[union-attr]
        fill.run(begin + 1200, 1.0, begin + 2280)  # type: ignore[union-attr]
        plant.advance(begin + 3000)
    c = plant.culture
    kept = 72 / 86 * 72 / 90  # the first 4 mL filled the line
    assert c.supplements / plant.volumes.vessel_ml == pytest.approx(1 - kept, rel=0.005)
    assert c.phosphate == pytest.approx(10.0 * c.supplements)
    assert c.calcium / plant.volumes.vessel_ml == pytest.approx(1.8, rel=0.02)


def test_a_day_of_spheroids_makes_the_lactate_of_the_bench_sheet() -> None:
    plant = Stirred100(T0, vessel_ml=90.0, cells_per_ml=2e5)
    plant.advance(T0 + DAY)
    assay = plant.hands.take(T0 + DAY, 1.0)
    assert assay["lactate"] == pytest.approx(2e5 * 1e3 * 150e-12 * 24, rel=0.01)  # 0.72 mM a day: 3.6 mM at 20 % a day
    assert assay["glucose"] == pytest.approx(p.MEDIUM_GLUCOSE - 2e5 * 1e3 * 80e-12 * 24, rel=0.01)
    assert assay["ph"] == pytest.approx(7.43, abs=0.03)
    assert assay["pco2"] == pytest.approx(5.07, abs=0.2)
    assert assay["osmolality"] == pytest.approx(p.MEDIUM_OSMOLALITY / (1 - 0.35 / 90), rel=0.005)


def test_oxygen_of_the_stirred_vessel_settles_where_supply_meets_uptake() -> None:
    plant = Stirred100(T0, vessel_ml=90.0, cells_per_ml=2e5)
    plant.advance(T0 + DAY)
    height = 90e-6 / p.VESSEL_AREA_M2
    kla = oxygen.transfer_coefficient(p.STIRRING_RPM, height) / height * 3600
    saturation = oxygen.saturated(plant.air.o2 * p.PRESSURE_KPA)
    assert oxygen.do_percent(saturation) == pytest.approx(95.0, abs=0.5)
    want = oxygen.do_percent(saturation - 2e5 * 15e-9 / kla)
    assert plant.truth(T0 + DAY)["do_percent"] == pytest.approx(want, abs=0.5)


def test_ph_follows_the_chambers_co2_within_hours_and_the_probe_lags_by_seconds() -> None:
    plant = Stirred100(T0, vessel_ml=90.0)
    before = plant.place("vessel").liquid(T0).ph  # type: ignore[union-attr]
    plant.place("chamber").set_points(T0, 37.0, 10.0, None)  # type: ignore[union-attr]
    soon = plant.place("vessel").liquid(T0 + 600).ph  # type: ignore[union-attr]
    late = plant.place("vessel").liquid(T0 + 12 * 3600).ph  # type: ignore[union-attr]
    assert before - soon < 0.1
    assert before - late == pytest.approx(0.27, abs=0.04)


def test_probes_reach_ninety_percent_of_a_step_after_their_t90() -> None:
    plant = Stirred100(T0, vessel_ml=90.0)
    plant.culture.felt_ph -= 1.0
    plant.culture.felt_do -= 50.0
    plant.air.door_open = True  # fine steps of 2 s
    plant.resume()
    ph, do = plant.culture.felt_ph, plant.culture.felt_do
    liquid = plant.place("vessel").liquid(T0 + 16)  # type: ignore[union-attr]
    assert (liquid.ph - ph) / 1.0 == pytest.approx(1 - 10 ** (-16 / 15), abs=0.02)
    assert (liquid.do_percent - do) / 50.0 == pytest.approx(1 - 10 ** (-16 / 30), abs=0.02)


def test_an_empty_vessel_is_no_chemistry_but_probes_still_feel_gas() -> None:
    plant = Stirred100(T0)
    plant.advance(T0 + 3600)
    liquid = plant.place("vessel").liquid(T0 + 3600)  # type: ignore[union-attr]
    assert 90 < liquid.do_percent < 100
    assert plant.hands.take(T0 + 3600, 1.0) == {"volume_ml": 0.0}


def test_halving_the_grid_hardly_moves_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = []
    for grid in (10.0, 5.0):
        monkeypatch.setattr("simulators.plant.timed.GRID_S", grid)
        plant = Stirred100(T0, 1, vessel_ml=90.0, cells_per_ml=2e5)
        run_events(plant, T0, T0 + 1.2 * DAY)
        ends.append(plant.truth(T0 + 1.2 * DAY))
    for name in ("ph", "do_percent", "cells", "vessel_ml", "chamber_co2_percent"):
        assert float(ends[0][name]) == pytest.approx(float(ends[1][name]), rel=0.005)


def test_harvest_empties_the_vessel_and_counts_the_cells() -> None:
    plant = Stirred100(T0, vessel_ml=90.0, cells_per_ml=2e5)
    found = plant.hands.harvest(T0 + 60.5)
    assert found["volume_ml"] == pytest.approx(90.0, abs=0.01)
    assert found["cells"] == pytest.approx(1.8e7, rel=0.001)
    assert plant.truth(T0 + 60.5)["vessel_ml"] == pytest.approx(0.0, abs=1e-9)
    assert plant.truth(T0 + 60.5)["cells"] == pytest.approx(0.0, abs=1e-6)
