"""What is legal but unwise is said, with its place and what would be better; nothing of it refuses a protocol."""

from __future__ import annotations

import pytest

import protocols
from drivers.core import carbonate
from protocols.loading import library
from protocols.unwise import Unwise, reference_plan, unwise
from tests.protocols.test_loading import HEADER, load, operation

WARM = "set: {temperature: 37.0 degC, co2: 5 %}"
EXCHANGE = """\
exchange:
          in: reactor
          withdraw: {to level: 72 mL, at most: 24 mL, at: 3 mL/min}
          then add: {volume: 18 mL, of: medium, at: 1 mL/min}
        at most: 2 h
"""
POUR = (
    "hand: Pour in\n        acts: [{pour: 90 mL, into: reactor, of: medium, cells: 2e5 cells/mL}, "
    "{stir: 90 rpm, in: reactor}, {renew: 250 mL, of: medium}]"
)
STILL = "hand: Stop the stirrer\n        acts: [{stir: 0 rpm, in: reactor}]"


def kinds(protocol: protocols.Protocol) -> list[str]:
    return [warning.kind for warning in unwise(protocol)]


def only(protocol: protocols.Protocol, kind: str) -> Unwise:
    found = [warning for warning in unwise(protocol) if warning.kind == kind]
    assert len(found) == 1, found
    return found[0]


def test_night_and_weekend_work_is_named_at_its_step_with_the_first_time_and_the_number() -> None:
    protocol = load(stages=operation("days: [1, 2, 5]\nat: 20:00\ndo: [{hand: Look}]"))
    night, weekend = only(protocol, "night"), only(protocol, "weekend")
    assert "day 1, Tue 20:00, and 1 more" in night.reason
    assert "day 5, Sat 20:00" in weekend.reason
    assert (night.file, night.line) == ("small.yaml", weekend.line) == ("small.yaml", 19)
    assert str(night).startswith("small.yaml:19:14: warning: hand work at night")


def test_an_exchange_while_the_stirrer_turns_loses_cells() -> None:
    assert "while the stirrer turns" in only(load(WARM, POUR, EXCHANGE), "settling").reason


@pytest.mark.parametrize(("wait", "said"), [("1 min", "3 to settle"), ("20 min", "fuse after 10")])
def test_settling_has_a_shortest_and_a_longest_time(wait: str, said: str) -> None:
    assert said in only(load(WARM, POUR, STILL, f"wait: {wait}", EXCHANGE), "settling").reason


def test_settled_cells_or_a_screen_are_wise() -> None:
    header = HEADER.replace("kind: stirred,", "kind: stirred, retention: screen,")
    assert "settling" not in kinds(load(WARM, POUR, STILL, "wait: 4 min", EXCHANGE))
    assert "settling" not in kinds(load(WARM, POUR, EXCHANGE, header=header))


@pytest.mark.req("AF-10")
@pytest.mark.parametrize(
    ("bicarbonate", "co2", "expected"), [(14.3, 5, 7.189), (26.2, 5, 7.452), (44.05, 5, 7.678), (44.05, 10, 7.377)]
)
def test_the_formula_of_the_warning_gives_the_table_of_the_plant(bicarbonate, co2, expected) -> None:
    assert carbonate.ph_at(bicarbonate, co2) == pytest.approx(expected, abs=0.005)
    assert carbonate.co2_for(bicarbonate, expected) == pytest.approx(co2, rel=0.02)


def test_44_mm_bicarbonate_at_5_percent_co2_is_told_with_its_ph_and_the_co2_it_needs() -> None:
    header = HEADER.replace("{recipe: water,", "{recipe: DMEM, bicarbonate: 44 mM,")
    told = only(load(WARM, POUR, header=header), "ph")
    assert "44 mM bicarbonate under 5 % CO2 stand at pH 7.68" in told.reason
    assert "9.5 % CO2" in told.better
    assert told.field == "materials.medium.bicarbonate"
    assert "ph" not in kinds(load(WARM.replace("5 %", "10 %"), POUR, header=header))


def test_a_bottle_too_small_or_never_hung_or_too_large_for_the_bench_is_told() -> None:
    fill = "fill: {into: reactor, volume: 12 mL, of: medium, at: 1 mL/min}\n        at most: 1 h"
    hang = "hand: Hang\n        acts: [{renew: 10 mL, of: medium}]"
    assert "holds 10 mL; 12 are drawn" in only(load(hang, fill), "reservoir").reason
    assert "no bottle of it has been hung" in only(load(fill), "reservoir").reason
    large = load(hang.replace("10 mL", "300 mL"), fill)
    assert [w.reason for w in unwise(large, place_ml=250.0)] == [
        "300 mL of medium, but the bench's bottle holds 250 mL"
    ]


def test_too_few_cells_for_the_wells_are_told_with_the_flasks_that_would_do() -> None:
    protocol = load(
        "hand: Seed\n        acts: [{pour: 35 mL, into: flasks, of: medium, cells: 2.5e4 cells/mL}]",
        "wait: 36.96 h",  # one doubling
        "hand: Harvest\n        acts: [{harvest: flasks}, {pour: 20 mL, into: reactor, of: medium, "
        "cells: 9e5 cells/mL}]",
        header=HEADER.replace("count: 6", "count: 6, volume: 35 mL"),
    )
    told = only(protocol, "cells")
    assert told.reason.startswith("1.8e+07 cells are needed, about 8.")
    assert told.better.startswith("13 flasks")


def test_medium_used_after_its_shelf_life_or_hang_time_is_told() -> None:
    stages = operation(
        "every: {interval: 24 h, from: start, times: 9, never closer than: 12 h, window: ±2 h}\n"
        "do:\n  - fill: {into: reactor, volume: 12 mL, of: medium, at: 1 mL/min}\n    at most: 1 h"
    ).replace(
        "    operations:",
        "    together:\n      - operation: Hang\n        do: [{hand: Hang, acts: [{renew: 250 mL, of: medium}]}]",
    )
    old = load(stages=stages, header=HEADER.replace("keeps: no", "keeps: 7 d at 4 degC"))
    assert "used after 8.0 d" in only(old, "shelf-life").reason
    hung = load(stages=stages, header=HEADER.replace("keeps: no", "keeps: 28 d at 4 degC, hangs: 5 d"))
    assert "it hangs for 5 d" in only(hung, "shelf-life").better
    assert "shelf-life" not in kinds(load(stages=stages))


def test_ascorbate_in_the_base_of_a_control_is_told_and_asked_for_where_it_is_not_said() -> None:
    feed = "hand: Feed\n        acts: [{pour: 35 mL, into: control, of: medium}]"
    header = HEADER.replace("  flasks:", "  control: {kind: flask}\n  flasks:")
    yes = header.replace("recipe: water,", "recipe: water, base ascorbate: yes,")
    assert "holds ascorbic acid" in only(load(feed, header=yes), "ascorbate").reason
    unsaid = header.replace("recipe: water,", "recipe: αMEM + 10 % FBS,")
    assert "base ascorbate: no" in only(load(feed, header=unsaid), "ascorbate").better
    assert kinds(load(feed, header=unsaid.replace("recipe:", "base ascorbate: no, recipe:"))) == []


def test_one_person_is_not_at_two_tasks_at_once() -> None:
    stages = (
        "stages:\n  - stage: One\n    together:\n"
        "      - {operation: A, do: [{hand: Count, takes: 30 min}]}\n"
        "      - {operation: B, at: start + 20 min, do: [{hand: Look, takes: 30 min}]}\n"
        "      - {operation: C, at: start + 50 min, do: [{hand: Rest, takes: 30 min}]}\n"
    )
    assert "10 min on top of 'Count'" in only(load(stages=stages), "two-tasks").reason


def test_as_much_in_as_out_of_an_evaporating_well_is_told() -> None:
    header = HEADER.replace("  flasks:", "  plate: {kind: plate, wells: 60}\n  flasks:")
    step = "hand: Exchange\n        acts: [{take: 75 uL, from: plate}, {pour: 75 uL, into: plate, of: medium}]"
    assert only(load(step, header=header), "evaporation").better == "remove 70, add 75 uL"
    assert kinds(load(step.replace("take: 75", "take: 70"), header=header)) == []


@pytest.mark.parametrize("name", library())
def test_every_protocol_that_ships_can_be_planned_and_is_free_of_the_grave_warnings(name: str) -> None:
    protocol = protocols.load(name)
    assert reference_plan(protocol).nodes
    assert not {"settling", "ph", "reservoir", "cells", "shelf-life", "evaporation"} & set(kinds(protocol))


TOO_SOON = """\
stages:
  - stage: Wet
    do: [{wait: 30 h}]
  - stage: Use
    together:
      - operation: Take
        at: day 1 10:00
        window: %s
        do: [{hand: Take}]
      - operation: Look
        at: day 2 10:00
        do: [{hand: Look}]
"""


def test_a_time_before_the_stage_before_it_can_have_ended_is_named_at_that_time() -> None:
    warning = only(load(stages=TOO_SOON % "±2 h"), "too-soon")
    assert (warning.line, warning.column) == (19, 13)
    assert "due day 1, Tue 10:00, but 'Wet' before it ends on day 1, Tue 14:00 at the earliest" in warning.reason


def test_what_is_on_time_within_its_window_is_not_too_soon() -> None:
    assert "too-soon" not in kinds(load(stages=TOO_SOON % "±4 h"))


def test_a_limit_that_volume_and_rate_cannot_keep_is_named() -> None:
    prime = "prime: {volume: 10 mL, of: medium, at: 5 mL/min}\n        at most: 1 min"
    assert "takes 2 min at this rate, 'at most' allows 1" in only(load(WARM, prime), "too-short").reason
    assert "too-short" not in kinds(load(WARM, prime.replace("at most: 1", "at most: 9")))


def test_a_material_that_is_poured_under_nearly_its_name_is_named() -> None:
    assert only(load(WARM, POUR.replace("of: medium, cells", "of: medum, cells")), "material").better == (
        "did you mean 'medium'?"
    )
    assert "material" not in kinds(load(WARM, POUR.replace("of: medium, cells", "of: cells, cells")))


def test_a_rule_that_no_day_fits_is_no_silent_order() -> None:
    never = only(load(stages=operation("days: 1..3\non: [Mon]\nat: 10:00\ndo: [{hand: Look}]")), "start")
    assert "is never due: no day fits its rule" in never.reason
