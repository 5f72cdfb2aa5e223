"""The most a path could move with nobody there, and whether its vessel could take it (EQ-03)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from controller.bench import Bench
from controller.errors import Unusable
from controller.latest import Latest
from controller.run.unattended import Asked, Worst, excess, failures, of_plan, strokes, worst
from controller.settings import PathSettings, Settings, parse
from drivers.catalogue import find
from drivers.core.fluid import FluidMover
from drivers.core.line import Line
from drivers.core.link import open_link
from protocols.loading import load
from protocols.plan import Plan
from protocols.planning import plan as make_plan
from simulators.bench import START
from tests.controller.quick import EXCHANGE, FILL, HEAD, POUR, TOML, QuickLab
from tests.runs import movers

pytestmark = pytest.mark.req("EQ-03")
PRIME = """
  - stage: Prime
    do:
      - prime: {volume: 40 mL, of: medium, at: 10 mL/min}
        at most: 30 min
"""


ONLY_RUNS = movers.bench("watson_marlow_323")
"""Both paths with a pump that cannot bound a dose."""


async def nobody(*_: object) -> None:
    """Nobody listens."""


def bench(settings: Settings) -> Bench:
    return Bench(settings, lambda name, url: open_link(url), Latest(), admit=nobody, told=nobody)


def plan_of(text: str) -> Plan:
    return make_plan(load(text), START, "Asia/Tokyo", {})


def of(model: str, options: dict[str, float | str] | None = None, **path: Any) -> Worst:
    """18 mL at 6 mL/min by a pump of this model."""
    kind = find(model)
    mover = kind(Line(open_link(kind.default_url)), kind.default_address, options or {})
    assert isinstance(mover, FluidMover)
    return worst(mover, PathSettings(pump="p", **path), 18.0, 6.0)


def test_a_pump_that_ends_a_stroke_by_itself_moves_that_stroke_at_most() -> None:
    assert of("ismatec_reglo_icc") == Worst(18.0, "the stroke its device ends by itself", None)


def test_the_smallest_bound_counts_and_the_figure_with_one_fault_more_is_what_is_left_without_the_device() -> None:
    syringe = {"diameter_mm": 26.7, "capacity_ml": 60.0}
    found = of("new_era_ne1000", {**syringe, "watchdog_s": 100}, source_ml=250.0, line_ml=4.0)
    assert (found.ml, found.one_more_fault_ml) == (pytest.approx(10.0), pytest.approx(10.0))
    assert "100 s of its watchdog" in found.why
    found = of("new_era_ne1000", {**syringe, "watchdog_s": 250}, source_ml=20.0, line_ml=4.0)
    assert (found.ml, found.one_more_fault_ml) == (18.0, 24.0)
    assert of("watson_marlow_323", source_ml=8.0, line_ml=2.0) == Worst(10.0, "its source and line", 10.0)


def test_a_pump_that_only_runs_from_a_bottle_of_unknown_size_is_bounded_by_nothing() -> None:
    found = of("watson_marlow_323")
    assert found == Worst(None, "nothing bounds it", None)
    assert excess(found, Asked("medium in", 18.0, 6.0, 1e6)) == math.inf


def test_each_stroke_of_a_plan_has_its_room() -> None:
    unit = parse(TOML).units[0]
    assert list(strokes(plan_of(EXCHANGE), unit)) == [
        Asked("medium out", 24.0, 5.0, math.inf),
        Asked("medium in", 18.0, 10.0, 150.0 - 72.0),
    ]
    assert list(strokes(plan_of(FILL), unit)) == [Asked("medium in", 6.0, 6.0, 150.0)]
    assert list(strokes(plan_of(HEAD + POUR + PRIME), unit)) == [Asked("medium in", 40.0, 10.0, math.inf)]


def test_of_a_plan_the_worst_stroke_of_each_path_is_told() -> None:
    settings = parse(TOML)
    found = of_plan(plan_of(FILL + EXCHANGE.removeprefix(HEAD + POUR)), settings.units[0], bench(settings))
    assert {name: asked.ml for name, (_, asked) in found.items()} == {"medium out": 24.0, "medium in": 18.0}


def test_a_path_whose_worst_stroke_has_no_room_is_refused_and_one_that_has_is_not() -> None:
    tight = parse(TOML.replace("max_ml = 150", "max_ml = 88"))
    (said,) = failures(plan_of(EXCHANGE), tight.units[0], bench(tight))
    assert said == (
        "'medium in' of reactor could move 16.7 mL unattended (100 s of its watchdog), and there is room for 16.0 mL "
        "(EQ-03)"
    )
    wide = parse(TOML.replace("max_ml = 150", "max_ml = 89"))
    assert list(failures(plan_of(EXCHANGE), wide.units[0], bench(wide))) == []


def test_a_source_smaller_than_the_room_bounds_a_pump_that_has_no_bound_of_its_own() -> None:
    settings = parse(ONLY_RUNS)
    said = list(failures(plan_of(FILL), settings.units[0], bench(settings)))
    assert said == ["nothing bounds what 'medium in' of reactor could move unattended (EQ-03)"]
    small = parse(ONLY_RUNS.replace('[units.paths."medium in"]', '[units.paths."medium in"]\nsource_ml = 100'))
    assert list(failures(plan_of(FILL), small.units[0], bench(small))) == []
    large = parse(ONLY_RUNS.replace('[units.paths."medium in"]', '[units.paths."medium in"]\nsource_ml = 250'))
    (said,) = failures(plan_of(FILL), large.units[0], bench(large))
    assert "254.0 mL unattended (its source and line)" in said


async def test_a_run_on_such_a_path_does_not_start(tmp_path: Path) -> None:
    lab = QuickLab(tmp_path / "data", plant_toml=ONLY_RUNS)
    try:
        await lab.up()
        with pytest.raises(Unusable, match="EQ-03"):
            await lab.start(EXCHANGE)
        assert lab.ledger.runs() == []
    finally:
        await lab.close()


async def test_a_run_that_starts_has_the_figures_on_record(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(EXCHANGE)
    entry = next(row for row in lab.ledger.audit() if row.action == "run created")
    alone = entry.fields["new"]["worst unattended"]
    assert alone["medium in"]["mL"] == pytest.approx(10.0 * 100 / 60), "10 mL/min for the 100 s of the watchdog"
    assert alone["medium in"]["with one more fault mL"] == alone["medium in"]["mL"]
    assert alone["medium out"]["by"].endswith("watchdog")
