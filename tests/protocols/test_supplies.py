"""Medium to prepare and cells to have: from the plan, before anything is started."""

from __future__ import annotations

import pytest

import protocols
from protocols.calendar import calendar
from protocols.cell_budget import budgets
from protocols.plan import Plan
from protocols.supplies import batches, made_of, shelf_life_s
from protocols.unwise import unwise

LONG = "adsc-osteo-spheroid-28d"


@pytest.fixture(scope="module")
def prepared(shipped: Plan):
    return batches(shipped, calendar(shipped), protocols.load(LONG).document.materials)


@pytest.mark.parametrize(
    ("keeps", "seconds"),
    [("7 d at 4 degC", 604800.0), ("28 d", 2419200.0), ("8 h at 37 degC", 28800.0), ("as the maker says", None)],
)  # fmt: skip
def test_shelf_life_is_read_from_what_the_file_says(keeps: str, seconds: float | None) -> None:
    assert shelf_life_s(keeps) == seconds


@pytest.mark.req("RM-08")
def test_medium_is_prepared_in_batches_none_of_which_outlives_its_shelf_life(prepared) -> None:
    osteogenic = [batch for batch in prepared if batch.fluid == "osteogenic medium"]
    assert [(batch.day, batch.planned_ml, batch.volume_ml) for batch in osteogenic] == [
        (7, 525.0, 580),
        (14, 268.0, 295),
        (21, 263.5, 290),
    ]
    assert not any(batch.too_old for batch in prepared)


def test_a_medium_made_of_another_draws_on_it(prepared) -> None:
    own = 6 * 35 * 3 + 35 * 3 + 9.0 + 5 * 4.5  # seeded, two exchanges, the control on three days, its wells
    made = 580 + 295 + 290
    assert sum(batch.planned_ml for batch in prepared if batch.fluid == "growth medium") == pytest.approx(own + made)


def test_recipes_that_name_each_other_in_a_ring_end() -> None:
    text = protocols.load(LONG).document.materials
    ring = {"a": text["beta-TCP"].model_copy(update={"recipe": "b + x"}), "b": text["beta-TCP"]}
    ring["b"] = ring["b"].model_copy(update={"recipe": "a + y"})
    assert (made_of(ring["a"].recipe, ring), made_of(ring["b"].recipe, ring)) == ("b", "a")


def test_the_cell_budget_counts_back_from_the_spheroids_to_the_flasks(shipped: Plan) -> None:
    arms = budgets(protocols.load(LONG).document, shipped, calendar(shipped))
    assert [[source.vessel for source in arm.sources] for arm in arms] == [["flasks"], ["control flask"]]
    needed = [{need.into: need.cells for need in arm.needs} for arm in arms]
    assert needed[0] == pytest.approx({"sample ALP-I7": 3e5, "plates": 1.8e6, "reactor": 1.8e7})
    assert needed[1] == pytest.approx({"sample ALP-I7-control": 3e5, "control plate": 1.8e6})
    assert [round(arm.sources[0].per_dish / 1e6, 1) for arm in arms] == [5.6, 5.6]  # the page's 5.6e6 per flask
    drawn = {need.into: need.drawn for need in arms[0].needs}
    assert drawn == pytest.approx({"sample ALP-I7": 3e5, "plates": 1.8e6 / 0.08, "reactor": 1.8e7 / 0.82})  # the split
    assert arms[0].needed == pytest.approx(3e5 + 1.8e6 / 0.08)  # the hungriest share, and the sample
    assert not any(arm.short for arm in arms)
    assert [arm.dishes_needed for arm in arms] == [5, 1]


def test_what_is_lost_in_a_move_has_to_leave_the_flasks_too() -> None:
    text = protocols.load(LONG).text
    control = "from: control flask, into: control plate,"
    assert control in text
    lossy = protocols.load(text.replace(control, f"{control} yield: 20 %,"))
    plan = protocols.plan(lossy, 1_767_600_000.0, "UTC")
    _, arm = budgets(lossy.document, plan, calendar(plan))
    assert arm.needed == pytest.approx(3e5 + 1.8e6 / 0.2)
    assert arm.short and arm.dishes_needed == 2
    said = [str(each) for each in unwise(lossy, plan, calendar(plan), None)]
    assert any("control flask" in each and "cells" in each for each in said), said


def test_passages_are_generations_of_their_own() -> None:
    protocol = protocols.load("adsc-isolation-expansion")
    plan = protocols.plan(protocol, 1_767_600_000.0, "UTC")
    found = budgets(protocol.document, plan, calendar(plan))
    assert [[source.vessel for source in budget.sources] for budget in found] == [["first flasks"], ["flasks"]]


def test_a_move_may_say_in_a_later_step_where_the_cells_came_from() -> None:
    protocol = protocols.load("spheroid-formation")
    plan = protocols.plan(protocol, 1_767_600_000.0, "UTC")
    (budget,) = budgets(protocol.document, plan, calendar(plan))
    assert budget.needed == pytest.approx(1.8e6 / 0.09)


def test_an_arm_has_the_cells_that_its_parameters_ask_for() -> None:
    protocol = protocols.load(LONG)
    plan = protocols.plan(protocol, 1_767_600_000.0, "UTC", {"form": "single cell"})
    found = budgets(protocol.document, plan, calendar(plan))
    assert [[source.vessel for source in budget.sources] for budget in found] == [["flasks"], ["dishes"]]
    assert found[0].needed == pytest.approx(3e5 + 7e6)
