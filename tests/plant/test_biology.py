"""Spheroids beside their liquid: a stirred vessel over weeks, its controls, its books (plant-models §8, §11)."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from simulators.plant import parameters as p
from simulators.plant.arrays import Array
from simulators.plant.spheroids import SLOW_S, Spheroids, Surroundings, step
from simulators.vessels import Stirred100

T0 = 1_767_567_600.0
DAY = 86400.0
A_DAY = round(DAY / SLOW_S)
AROUND = Surroundings(0.178, 1.0, 10.0, 1.8, 0.0, 1e9)


def vessel(medium: str = "osteogenic medium", induced_days: float = 7.0, o2: float | None = None) -> Stirred100:
    """90 mL with 1200 spheroids of 15 000 cells, in a chamber that has been at its set points since yesterday."""
    plant = Stirred100(T0, vessel_ml=90.0, medium=medium, induced_days=induced_days, formed_days=2.0)
    plant.hands.pour(T0, 0.0)
    if o2 is not None:
        plant.place("chamber").set_points(T0, 37.0, 5.0, o2)  # type: ignore[union-attr]
        plant.advance(T0 + DAY / 2)
    plant.hands.take(plant.t, 20.0)
    plant.hands.pour(plant.t, 20.0, 9e5)
    return plant


def exchange(plant: Stirred100, begin: float, ml: float = 18.0) -> None:
    """20 % of the medium, as the bench does it."""
    fill, waste = plant.place("fill syringe"), plant.place("waste syringe")
    waste.run(begin, -3.0, begin + 20 * ml)  # type: ignore[union-attr]
    waste.run(begin + 20 * ml, 3.0, begin + 40 * ml)  # type: ignore[union-attr]
    fill.run(begin + 40 * ml, -3.0, begin + 60 * ml)  # type: ignore[union-attr]
    fill.run(begin + 60 * ml, 1.0, begin + 120 * ml)  # type: ignore[union-attr]
    plant.advance(begin + 120 * ml)


def after(plant: Stirred100, days: int) -> dict[str, float]:
    begin = plant.t
    for day in range(days):
        plant.hands.renew_bottle(plant.t, plant.recipe.name)
        exchange(plant, begin + day * DAY + 100.0)
        plant.advance(begin + (day + 1) * DAY)
    return plant.story(plant.t)["vessel"]


@pytest.fixture(scope="module")
def induced() -> Stirred100:
    """Thirteen days in osteogenic medium, 20 % of it new each day."""
    plant = vessel()
    after(plant, 13)
    return plant


def alone(days: int, around: Surroundings = AROUND, wells: int = 1, cells: float = 3e4) -> tuple[Array, Array]:
    """Spheroids in conditions that hold, a well each: (calcium µg, ALP) at the begin of each day and at the end."""
    s, calcium, alp = Spheroids.formed(np.full(wells, cells)), [], []
    living, viability = np.full(wells, cells), np.full(wells, 95.0)
    for n in range(days * A_DAY + 1):
        if n % A_DAY == 0:
            calcium.append(s.calcium_ug.copy())
            alp.append(s.alp.copy())
        step(s, around, living, viability, SLOW_S)
    return np.array(calcium), np.array(alp)


@cache
def four_weeks() -> tuple[Array, Array]:
    return alone(28)


@pytest.mark.req("AF-31")
def test_the_course_of_a_culture_without_detachment():
    calcium, alp = four_weeks()
    of_last = calcium[:, 0] / calcium[-1, 0]
    assert of_last[10] < 0.05
    assert 0.30 <= of_last[21] <= 0.80
    assert 7 <= np.argmax(alp) <= 14


@pytest.mark.req("AF-31", "AF-36")
def test_little_oxygen_no_supplements_or_no_phosphate_leave_no_mineral():
    """Wells: ambient, 2 % stirred, ambient still, 2 % still, no supplements, no phosphate."""
    around = Surroundings(
        o2=np.array([0.178, 0.019, 0.178, 0.019, 0.178, 0.178]),
        supplements=np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0]),
        phosphate=np.array([10.0, 10.0, 10.0, 10.0, 10.0, 0.0]),
        calcium=1.8,
        still=np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
        calcium_umol=1e9,
    )
    ambient, low, well, low_well, plain, bare = alone(28, around, wells=6)[0][-1]
    assert ambient > 1.0
    assert low < 0.10 * ambient
    assert low_well < 0.10 * well
    assert plain == bare == 0.0


@pytest.mark.req("AF-36")
def test_the_arms_of_the_study_in_the_stirred_vessel_end_in_the_right_order(induced: Stirred100):
    osteogenic = induced.story(induced.t)["vessel"]
    plain = after(vessel("growth medium", induced_days=0.0), 9)
    phosphate_free = after(vessel("osteogenic medium without phosphate"), 13)
    low = after(vessel(o2=2.0), 13)
    assert osteogenic["alp"] > 2 * plain["alp"] == pytest.approx(2.0)
    assert osteogenic["calcium_ug"] > 0.02
    assert plain["calcium_ug"] == 0.0
    # 2 days in their microwells had phosphate
    assert phosphate_free["calcium_ug"] < 0.02 * osteogenic["calcium_ug"]
    assert low["calcium_ug"] < 0.10 * osteogenic["calcium_ug"]
    assert low["o2_um"] < 25.0


def test_calcium_leaves_the_medium_for_the_matrix_and_the_books_stay_closed(induced: Stirred100):
    c = induced.culture
    bound = float(induced.spheroids.calcium_ug[0])  # type: ignore[union-attr]
    assert c.books.calcium_deposited > 0.0
    assert c.books.calcium_deposited == pytest.approx(bound / 40.08 * c.spheroids, rel=0.05)
    assert abs(induced.books()["calcium"]) < 1e-9 * c.books.calcium_in


def test_an_exhausted_well_deposits_no_more_than_it_had():
    s, living, viability, left = Spheroids.formed(3e4), np.array([3e4]), np.array([95.0]), 0.02
    for _ in range(40 * A_DAY):
        left -= float(step(s, AROUND._replace(calcium_umol=left), living, viability, SLOW_S).bound_umol[0])
        assert left >= 0.0
    assert s.calcium_ug[0] == pytest.approx(0.02 * 40.08, rel=1e-6)


def test_deep_spheroids_starve_after_a_day_and_only_in_their_cores():
    s, dead = Spheroids.formed(2e5), 0.0
    hungry = AROUND._replace(o2=0.012, still=1.0)
    for n in range(3 * A_DAY):
        fate = step(s, hungry, np.array([2e5]), np.array([95.0]), SLOW_S)
        assert fate.starved[0] == 0.0 or n >= A_DAY - 1
        dead += float(fate.starved[0])
    assert 0.05 < dead < 3.0
    assert s.hypoxic[0] > 0.5


def test_calcium_of_dead_cores_is_labelled():
    s = Spheroids.formed(3e4)
    for n in range(28 * A_DAY):
        step(s, AROUND, np.array([3e4]), np.array([95.0 if n < 22 * A_DAY else 40.0]), SLOW_S)
    assert 0.0 < s.dystrophic_ug[0] < s.calcium_ug[0]


def test_permuted_wells_give_permuted_results():
    o2, cells, order = np.array([0.178, 0.05, 0.019]), np.array([1e4, 3e4, 6e4]), np.array([2, 0, 1])
    one, two = Spheroids.formed(cells), Spheroids.formed(cells[order])
    for _ in range(20 * A_DAY):
        step(one, AROUND._replace(o2=o2), cells, np.full(3, 95.0), SLOW_S)
        step(two, AROUND._replace(o2=o2[order]), cells[order], np.full(3, 95.0), SLOW_S)
    assert np.array_equal(two.calcium_ug, one.calcium_ug[order])
    assert np.array_equal(two.maturity.early, one.maturity.early[order])


def test_half_the_step_changes_the_last_day_by_less_than_half_a_percent():
    half = Spheroids.formed(3e4)
    for _ in range(2 * 28 * A_DAY):
        step(half, AROUND, np.array([3e4]), np.array([95.0]), SLOW_S / 2)
    assert half.calcium_ug == pytest.approx(four_weeks()[0][-1], rel=5e-3)


def test_spheroids_restored_in_the_middle_go_on_to_the_same_end():
    plant = vessel()
    plant.advance(T0 + 3 * DAY + 1234.5)
    saved = json.loads(json.dumps(plant.snapshot()))
    other = Stirred100(T0)
    other.restore(saved)
    for each in (plant, other):
        each.advance(T0 + 6 * DAY)
    assert other.snapshot() == plant.snapshot()


def test_cells_poured_in_twice_are_one_population_by_their_numbers():
    plant = Stirred100(T0, vessel_ml=70.0, medium="osteogenic medium")
    plant.hands.pour(T0, 10.0, 9e5)
    plant.hands.pour(T0, 10.0, 9e5)
    assert plant.culture.spheroids == pytest.approx(1200.0)
    early = float(plant.spheroids.maturity.early[0])  # type: ignore[union-attr]
    plant.past = (p.SIZE_CELLS, 0.0, 2.0)
    plant.hands.pour(T0, 20.0, 9e5)
    assert plant.spheroids.maturity.early[0] == pytest.approx(early / 2)  # type: ignore[union-attr]
    assert plant.hands.harvest(T0)["cells"] == pytest.approx(3.6e7, rel=1e-3)
    assert plant.spheroids is None


def test_a_contaminant_eats_the_oxygen_makes_acid_and_is_seen_in_the_books():
    clean, spoilt = vessel(), vessel()
    spoilt.culture.contaminant = 100.0
    for plant in (clean, spoilt):
        plant.advance(plant.t + 1.5 * DAY)
    one, other = (plant.story(plant.t)["vessel"] for plant in (clean, spoilt))
    assert other["do_percent"] < 0.5 * one["do_percent"]
    assert other["ph"] < one["ph"] - 0.2
    assert other["glucose"] < one["glucose"] - 0.5
    assert abs(spoilt.books()["o2"]) < 1e-6 * spoilt.culture.books.o2_used
    assert abs(spoilt.books()["glucose"]) < 1e-6 * spoilt.culture.books.glucose_in


def test_double_the_cells_in_double_the_volume_is_the_same_culture():
    """Concentrations, not amounts: without the surface, which grows with neither."""
    small, large = (Stirred100(T0, vessel_ml=0.0, medium="osteogenic medium") for _ in range(2))
    small.hands.pour(T0, 45.0, 2e5)
    large.hands.pour(T0, 90.0, 2e5)
    for plant in (small, large):
        plant.volumes.evaporation_ml_day = 0.0
        plant.advance(T0 + DAY)
    one, other = (plant.story(plant.t)["vessel"] for plant in (small, large))
    for name in ("glucose", "lactate", "calcium_ug", "alp", "viability"):
        assert other[name] == pytest.approx(one[name], rel=1e-3), name


def test_without_cells_nothing_but_the_gas_moves_and_at_full_humidity_no_water_goes():
    plant = Stirred100(T0, vessel_ml=90.0, medium="osteogenic medium")
    plant.advance(T0 + DAY)
    first = plant.story(plant.t)["vessel"]
    plant.advance(T0 + 5 * DAY)
    last = plant.story(plant.t)["vessel"]
    dried = first["volume_ml"] / last["volume_ml"]
    for name in ("glucose", "calcium_mm", "osmolality"):
        assert last[name] == pytest.approx(first[name] * dried, rel=1e-9)
    assert last["lactate"] == 0.0
    assert plant.volumes.move(plant.t, DAY, 100.0).change_ml == 0.0


def test_a_split_exchange_is_one_exchange():
    whole, split = vessel(), vessel()
    for plant, parts in ((whole, (18.0,)), (split, (9.0, 4.0, 5.0))):
        for ml in parts:
            plant.hands.take(plant.t, ml)
        for ml in parts:
            plant.hands.pour(plant.t, ml)
    one, other = (plant.story(plant.t)["vessel"] for plant in (whole, split))
    assert other == pytest.approx(one, rel=1e-9)


def test_carbon_dioxide_up_and_down_again_returns_to_the_same_ph():
    plant = Stirred100(T0, vessel_ml=90.0)
    air = plant.place("chamber")
    plant.advance(T0 + DAY)
    first = plant.culture.ph
    air.set_points(plant.t, 37.0, 10.0, None)  # type: ignore[union-attr]
    plant.advance(T0 + 2 * DAY)
    assert plant.culture.ph < first - 0.2
    air.set_points(plant.t, 37.0, 5.0, None)  # type: ignore[union-attr]
    plant.advance(T0 + 4 * DAY)
    assert plant.culture.ph == pytest.approx(first, abs=0.01)
    assert abs(plant.books()["carbon"]) < 1e-6 * plant.culture.books.carbon_in


def test_what_leaves_through_a_torn_screen_takes_whole_spheroids_along():
    plant = vessel()
    plant.culture.escaping = 1.0
    before, cells = plant.culture.spheroids, plant.culture.cells
    exchange(plant, plant.t + 10.0)
    assert plant.culture.spheroids / before == pytest.approx(plant.culture.cells / cells, rel=1e-3)
    assert plant.culture.spheroids / before == pytest.approx(0.8, abs=0.02)
