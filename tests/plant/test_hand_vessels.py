"""Plates and flasks, served by hand: their books, their wells, their weeks (benches A2, plant-models §2-§8)."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.plant import medium, plate
from simulators.plant.dishes import INCUBATOR, ROOM, Dishes, Gas, ph_closed
from simulators.plant.flask import Flasks
from simulators.plant.medium import DMEM, GROWTH, OSTEOGENIC, PHOSPHATE_FREE, fresh_medium
from simulators.plant.plate import Plate, inner

DAY = 86400.0
FRESH = fresh_medium(5.066, OSTEOGENIC)
B2 = 13
"""The first inner well."""


def worst(residuals: dict[str, float]) -> float:
    return max(abs(value) for value in residuals.values())


def served(plate_: Plate, days: int, remove: np.ndarray | float = 0.070, add: float = 0.075) -> Plate:
    """Monday, Wednesday and Friday, more or less."""
    for day in range(days):
        if day % 7 in (2, 4) or (day and day % 7 == 0):
            plate_.exchange(remove, add, FRESH)
        plate_.advance(DAY)
    return plate_


C2 = B2 + 12
"""The well below: 75 µL off and 75 in."""


@pytest.fixture(scope="module")
def four_weeks() -> Plate:
    """70 off and 75 in, in the row of C 75 off."""
    return served(Plate.seed(medium=OSTEOGENIC), 28, np.where(np.arange(96) // 12 == 2, 0.075, 0.070))


def test_sixty_wells_have_spheroids_and_thirty_six_buffer():
    assert inner().sum() == 60
    new = Plate.seed()
    assert np.all(new.wells.ml[inner() > 0] == 0.150)
    assert np.all(new.wells.ml[inner() == 0] == 0.200)
    assert np.all(new.cells[inner() == 0] == 0.0)


def test_four_weeks_of_a_plate_close_every_book_and_nothing_is_negative(four_weeks: Plate):
    wells = four_weeks.wells
    assert worst(wells.residuals()) < 1e-9 * wells.books.came["carbon"]
    for name in ("ml", "glucose", "lactate", "carbon", "calcium", "layer"):
        assert np.all(getattr(wells, name) >= 0.0)
    assert wells.books.reacted["lactate"] == pytest.approx(-wells.books.reacted["glucose"] * 150 / 80, rel=1e-9)


def test_a_well_of_the_plate_is_as_the_benches_sheet_has_it(four_weeks: Plate):
    """1.7 µL a day under the lid at 95 %, so removing 70 and adding 75 keeps the volume; outer wells lose more."""
    lost = four_weeks.wells.evaporated_ml / 28 * 1000
    assert lost[B2] == pytest.approx(1.7, abs=0.1)
    assert lost[0] > 1.5 * lost[B2]
    assert 0.12 <= four_weeks.wells.ml[B2] <= 0.16
    assert four_weeks.spheroids.calcium_ug[B2] > 1.0
    assert four_weeks.spheroids.alp[B2] > 2.5
    assert four_weeks.viability[B2] < 80.0
    assert np.all(four_weeks.spheroids.calcium_ug[inner() > 0] > 0)


def test_equal_exchanges_shrink_the_well(four_weeks: Plate):
    """Benches A2: 150 to about 104 µL after four weeks of 75 / 75."""
    assert 0.098 <= four_weeks.wells.ml[C2] <= 0.110
    assert four_weeks.wells.ml[B2] > 0.12


def test_each_well_is_its_own_and_permuted_wells_give_permuted_results():
    cells = np.linspace(1e4, 6e4, 96)
    order = np.random.default_rng(1).permutation(96)
    everywhere = np.ones(96)
    one = Plate.seed(cells, OSTEOGENIC, wells=everywhere)
    two = Plate.seed(cells[order], OSTEOGENIC, wells=everywhere)
    for each in (one, two):
        each.wells.lid[:] = 10.0
        each.spheroids.seeded = each.cells.copy()
        served(each, 5)
    assert two.wells.lactate == pytest.approx(one.wells.lactate[order], rel=1e-12)
    assert two.spheroids.centre == pytest.approx(one.spheroids.centre[order], rel=1e-12)
    assert np.all(np.diff(one.wells.mm("lactate")) > 0)


def test_arms_end_in_the_right_order():
    arms = Plate.seed(medium=OSTEOGENIC)
    row = np.arange(96) // 12
    for number, recipe in ((2, GROWTH), (3, PHOSPHATE_FREE)):
        arms.wells.remove(np.where(row == number, 1.0, 0.0))
        arms.wells.add(np.where(row == number, 0.150, 0.0), fresh_medium(5.066, recipe))
    arms.advance(21 * DAY)
    osteogenic, growth, phosphate_free = arms.spheroids.calcium_ug[[B2, B2 + 12, B2 + 24]]
    assert osteogenic > 0.5
    assert growth == phosphate_free == 0.0
    assert arms.spheroids.alp[B2] > 2 * arms.spheroids.alp[B2 + 12]


@pytest.mark.req("AF-36")
def test_a_plate_under_two_percent_oxygen_does_not_mineralise():
    gas = Gas(0.05, 0.02, 95.0, 37.0)
    low = Plate.seed(medium=OSTEOGENIC, gas=gas)
    low.advance(18 * DAY, gas)
    assert low.wells.bottom_mm[B2] < 0.020
    assert low.spheroids.calcium_ug[B2] < 0.02  # under ambient oxygen more than 0.2


def test_wells_taken_for_an_assay_are_empty_and_still_in_the_books():
    used = Plate.seed(medium=OSTEOGENIC)
    used.advance(DAY)
    taken = np.zeros(96)
    taken[[B2, B2 + 1]] = 1.0
    used.take(taken)
    used.advance(DAY)
    assert used.wells.ml[B2] == 0.0
    assert used.cells[B2] == 0.0
    assert worst(used.wells.residuals()) < 1e-9


def test_a_plate_out_of_the_incubator_turns_alkaline_and_dries():
    outside, inside = Plate.seed(), Plate.seed()
    for each, gas in ((outside, ROOM), (inside, INCUBATOR)):
        each.advance(DAY)
        each.advance(1200.0, gas)
    assert outside.wells.ph[B2] > inside.wells.ph[B2] + 0.02
    assert outside.wells.evaporated_ml[B2] > inside.wells.evaporated_ml[B2]
    outside.advance(6 * 3600.0, ROOM)
    assert outside.wells.ph[B2] > 7.9


def test_pieces_of_time_are_the_whole():
    whole, pieces = Plate.seed(medium=OSTEOGENIC), Plate.seed(medium=OSTEOGENIC)
    whole.advance(DAY)
    for _ in range(48):
        pieces.advance(1800.0)
    assert pieces.wells.lactate == pytest.approx(whole.wells.lactate, rel=1e-12)
    assert pieces.spheroids.rim == pytest.approx(whole.spheroids.rim, rel=1e-12)


def test_half_the_step_hardly_changes_the_end(monkeypatch: pytest.MonkeyPatch):
    whole = served(Plate.seed(medium=OSTEOGENIC), 5)
    monkeypatch.setattr(plate, "STEP_S", plate.STEP_S / 2)
    half = served(Plate.seed(medium=OSTEOGENIC), 5)
    for name in ("lactate", "glucose", "ph", "ml"):
        assert getattr(half.wells, name) == pytest.approx(getattr(whole.wells, name), rel=5e-3)
    assert half.spheroids.calcium_ug == pytest.approx(whole.spheroids.calcium_ug, rel=5e-3)


def test_the_ph_of_many_dishes_is_that_of_each():
    sid, carbon = np.array([26.2, 10.0, 44.0, -2.0]), np.array([27.0, 11.0, 45.0, 3.0])
    alone = [medium.ph_closed(s, c, 7.4) for s, c in zip(sid, carbon, strict=True)]
    assert ph_closed(sid, carbon, np.full(4, 7.4)) == pytest.approx(alone, abs=1e-8)


def test_dmem_under_five_percent_is_alkaline_in_a_dish_and_right_under_ten():
    dish = Dishes.empty(2, 0.33, 10.0)
    dish.add(0.15, fresh_medium(5.066, DMEM))
    for _ in range(24 * 30):
        dish.breathe(INCUBATOR._replace(co2=0.10), np.zeros(2), 120.0)
    assert dish.ph[0] == pytest.approx(7.377, abs=0.02)
    for _ in range(24 * 30):
        dish.breathe(INCUBATOR, np.zeros(2), 120.0)
    assert dish.ph[0] == pytest.approx(7.678, abs=0.02)


def test_six_flasks_grow_to_confluence_in_a_week_and_are_detached_with_their_maturity():
    flasks = Flasks.seed(6)
    for day in range(14):
        if day in (1, 4):
            flasks.exchange(1.0, fresh_medium(5.066, GROWTH))
        if day in (7, 9, 11):
            flasks.exchange(np.array([1.0] * 5 + [0.0]), fresh_medium(5.066, OSTEOGENIC))
            flasks.exchange(np.array([0.0] * 5 + [1.0]), fresh_medium(5.066, GROWTH))
        flasks.advance(DAY)
        if day == 6:
            assert flasks.confluence[0] == pytest.approx(0.76, abs=0.05)
    assert flasks.maturity.early[5] == 0.0
    assert flasks.maturity.early[0] > 0.3
    assert flasks.liquid.mm("glucose")[0] < 2.0  # what the protocol warns of
    assert worst(flasks.liquid.residuals()) < 1e-9 * flasks.liquid.books.came["carbon"]
    before = flasks.cells.copy()
    cells, maturity = flasks.detach()
    assert cells == pytest.approx(0.8 * before)
    assert cells.sum() > 2.2e7  # needed on day 14
    assert maturity.early[0] > 0.3
    assert np.all(flasks.cells == 0.0)


def test_twenty_percent_daily_keeps_lactate_lower_than_half_every_third_day():
    daily = plate.lactate_peak_mm(3e4, 0.150, 24.0, 0.20)
    seldom = plate.lactate_peak_mm(3e4, 0.150, 72.0, 0.50)
    assert daily == pytest.approx(3.6, abs=0.1)
    assert seldom == pytest.approx(4.32, abs=0.05)
