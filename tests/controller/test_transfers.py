"""Transfers: two strokes under one key, budgets, witnesses and bindings."""

from __future__ import annotations

import asyncio

import pytest

from controller.bench import Bench
from controller.errors import Blocked, Unusable
from controller.latest import Latest
from controller.run.binding import failures
from controller.run.transfers import Site, identity_text
from controller.settings import parse
from drivers.core.fluid import Direction
from drivers.core.signals import Identity
from drivers.devices.new_era_ne1000.driver import NewEraNe1000
from protocols.effects import Transfer
from protocols.loading import load
from protocols.planning import plan as make_plan
from protocols.states import Cause
from simulators.rehearsal import shipped_bench
from tests.controller.quick import EXCHANGE, FILL, HEAD, POUR, QuickLab
from tests.runs.lab import TESTER

TOML = shipped_bench().read_text("utf-8")
OUT = Transfer("x", "withdraw", "medium out", "level", 24.0, 5.0, "spent medium", "reactor", to_level_ml=72.0)
IN = Transfer("x", "fill", "medium in", "volume", 18.0, 10.0, "medium", "reactor")


@pytest.mark.req("INV-02", "DS-13")
async def test_an_exchange_withdraws_to_the_level_and_fills_as_asked(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    assert await lab.until(lambda: "renew/exchange" in lab.engine.run.finished, 3600.0)
    assert lab.engine.run.finished["renew/exchange"] == "done"
    assert lab.engine.volume().ml == pytest.approx(
        float(lab.truth()["vessel_ml"]), abs=4.1
    )  # first fill: an empty line
    assert lab.controller.alarms.open() == []
    rows = lab.ledger.doses()
    assert [(row.part, row.stroke) for row in rows] == [
        ("withdraw", "draw"),
        ("withdraw", "deliver"),
        ("fill", "draw"),
        ("fill", "deliver"),
    ]
    fills = [row.intended_at for row in rows if row.part == "fill"]
    withdrawals = [row.ended_at for row in rows if row.part == "withdraw"]
    assert max(at or 0.0 for at in withdrawals) < min(fills), "fill only after the withdrawal is measured (INV-07)"


@pytest.mark.req("INV-02")
async def test_a_check_valve_that_leaks_back_makes_the_witnesses_differ_and_holds(tmp_path) -> None:
    lab = QuickLab(tmp_path / "data", faults=("check-valve:fraction=0.3",))
    try:
        await lab.poured(EXCHANGE)
        assert await lab.until(lambda: lab.engine.run.state == "HELD", 3600.0)
        assert "differ" in lab.engine.run.why or "short" in lab.engine.run.why
        assert not any(row.part == "fill" for row in lab.ledger.doses())
    finally:
        await lab.close()


async def site(lab: QuickLab) -> Site:
    await lab.poured()
    return Site("run-1", lab.settings.units[0], lab.engine.plan.start)


@pytest.mark.req("INV-04")
async def test_a_dose_that_could_overfill_the_vessel_is_refused_before_anything_is_sent(lab: QuickLab) -> None:
    where = await site(lab)
    too_much = Transfer("y", "fill", "medium in", "volume", 58.0, 10.0, "medium", "reactor")
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    before = len(lab.runs_sent())
    transfers = lab.runs.doors.transfers
    with pytest.raises(Blocked, match="150 mL is the limit"):
        transfers._check_budget(where, too_much, Direction.DELIVER, 62.0)
    assert len(lab.runs_sent()) == before


@pytest.mark.req("INV-05")
async def test_a_volume_that_could_empty_the_vessel_below_its_minimum_is_refused(lab: QuickLab) -> None:
    where = await site(lab)
    out = Transfer("y", "dose", "medium out", "volume", 40.0, 10.0, "spent medium", "reactor")
    with pytest.raises(Blocked, match="60 mL is the limit"):
        lab.runs.doors.transfers._check_budget(where, out, Direction.DRAW, 40.0)
    lab.runs.doors.transfers._check_budget(where, out, Direction.DRAW, 10.0)


async def test_priming_into_the_cup_has_no_vessel_to_overfill(lab: QuickLab) -> None:
    where = await site(lab)
    prime = Transfer("y", "prime", "medium in", "volume", 60.0, 10.0, "medium", "reactor")
    lab.runs.doors.transfers._check_budget(where, prime, Direction.DELIVER, 60.0)


async def test_a_transfer_on_a_pump_that_is_not_there_is_refused_with_its_reason(lab: QuickLab) -> None:
    where = await site(lab)
    await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    lab.bench.inject("silence@pump_out", lab.now)
    await lab.until(lambda: not lab.controller.bench.keepers["pump_out"].ready, 300.0)
    result = await lab.runs.doors.transfers.perform(where, OUT, asyncio.Event())
    assert result is not None
    assert result.outcome == "refused"
    assert "pump_out is lost" in result.why
    assert [row for row in lab.ledger.doses() if row.path == "x"] == []


async def test_a_transfer_needs_its_witness_before_its_delivering_stroke(lab: QuickLab) -> None:
    where = await site(lab)
    await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    lab.bench.inject("silence@balance", lab.now)
    result = await lab.runs.doors.transfers.perform(where, OUT, asyncio.Event())
    assert result is not None
    assert result.outcome == "refused"
    assert "second witness" in result.why
    assert [row.stroke for row in lab.ledger.doses() if row.path == "x"] == ["draw"]


@pytest.mark.req("DS-03")
async def test_a_halt_before_the_first_byte_sends_nothing(lab: QuickLab) -> None:
    where = await site(lab)
    await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    halt = asyncio.Event()
    halt.set()
    before = len(lab.runs_sent())
    assert await lab.runs.doors.transfers.perform(where, IN, halt) is None
    assert len(lab.runs_sent()) == before


@pytest.mark.req("DS-03")
async def test_a_pump_that_refuses_twice_is_failed_and_not_tried_for_ever(lab: QuickLab) -> None:
    """A rate no NE-1000 can do: nothing moves for sure, which is measured, not assumed."""
    where = await site(lab)
    await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    fast = Transfer("x", "fill", "medium in", "volume", 18.0, 500.0, "medium", "reactor")
    before = len(lab.runs_sent())
    result = await lab.runs.doors.transfers.perform(where, fast, asyncio.Event())
    assert result is not None
    assert result.outcome == "failed"
    rows = [row for row in lab.ledger.doses() if row.path == "x"]
    assert [(row.state, row.moved_ml) for row in rows] == [("cancelled", 0.0)] * 2
    assert len(lab.runs_sent()) == before


async def test_two_transfers_on_one_pump_go_one_after_the_other(lab: QuickLab) -> None:
    where = await site(lab)
    await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    one, two = (
        Transfer(name, "fill", "medium in", "volume", 3.0, 10.0, "medium", "reactor") for name in ("one", "two")
    )
    transfers = lab.runs.doors.transfers
    results = await asyncio.gather(*(transfers.perform(where, each, asyncio.Event()) for each in (one, two)))
    assert [result.outcome for result in results if result] == ["done", "done"]
    first = [row for row in lab.ledger.doses() if row.path == "one"]
    second = [row for row in lab.ledger.doses() if row.path == "two"]
    assert max(row.ended_at or 0.0 for row in first) <= min(row.intended_at for row in second)


async def test_a_finished_transfer_asked_again_moves_nothing(lab: QuickLab) -> None:
    """The same key after a restart: the ledger knows what was moved."""
    where = await site(lab)
    await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    again = Transfer("feed/fill", "fill", "medium in", "volume", 6.0, 6.0, "medium", "reactor")
    before = len(lab.runs_sent())
    result = await lab.runs.doors.transfers.perform(where, again, asyncio.Event())
    assert result is not None
    assert (result.outcome, result.counter_ml) == ("done", pytest.approx(6.0))
    assert len(lab.runs_sent()) == before


def test_an_identity_is_one_line_without_its_gaps() -> None:
    assert identity_text(Identity("New Era", "NE-1000", "", "3.923")) == "New Era · NE-1000 · 3.923"


async def nobody(*_: object) -> None:
    """Nobody listens."""


# --- binding (RM-01, RM-06, EQ-02)


def plan_of(text: str):
    return make_plan(load(text), 1_767_567_600.0, "Asia/Tokyo", {})


@pytest.mark.req("RM-01", "RM-06")
async def test_every_missing_capability_is_told_at_once(lab: QuickLab) -> None:
    bare = TOML.replace('"temperature set" = "incubator.temperature_setpoint"\n', "").replace(
        'witness = "waste weight"\n', ""
    )
    bare = bare.replace('[units.paths."medium in"]\npump = "pump_in"\nline_ml = 4.0\n', "")
    bare = bare.replace("level_ml = 72 ", "level_ml = 80 ")
    other = QuickLab(lab.folder / "bare", bench_toml=bare)
    try:
        await other.up()
        with pytest.raises(Unusable) as refused:
            await other.start(EXCHANGE)
        told = "\n".join(refused.value.faults)
        assert "no output for 'temperature'" in told
        assert "no fluid path 'medium in'" in told
        assert "no second witness" in told
        assert "withdraws to 72 mL, but the dip tube of reactor ends at 80 mL" in told
        assert len(refused.value.faults) >= 4
        assert other.runs.engines == {}
        assert other.ledger.runs() == []
    finally:
        await other.close()


@pytest.mark.req("RM-06")
async def test_a_stroke_larger_than_the_syringe_and_a_fill_above_the_vessel_are_refused(lab: QuickLab) -> None:
    small = parse(TOML.replace("max_ml = 150", "max_ml = 85").replace("capacity_ml = 60", "capacity_ml = 20"))
    found = failures(plan_of(EXCHANGE), small.units[0], Bench(small, lab.link, Latest(), admit=nobody, told=nobody))
    assert any("fills above 85 mL" in text for text in found)
    assert any("24 mL is more than one stroke of pump_out (20 mL)" in text for text in found)


@pytest.mark.req("RM-06")
async def test_a_wait_for_something_nobody_measures_is_refused(lab: QuickLab) -> None:
    await lab.up()
    text = HEAD + POUR + "      - wait: {until: co2 within 0.5 %, for: 5 min, at most: 4 h}\n"
    text = text.replace("set: {temperature: 37.0 degC}", "set: {temperature: 37.0 degC, co2: 5 %}")
    unit = parse(TOML.replace('"co2" = "incubator.co2"\n', "")).units[0]
    found = failures(plan_of(text), unit, lab.controller.bench)
    assert found == ["reactor measures no 'co2' (roles in the bench file)"]


@pytest.mark.req("RM-06")
async def test_a_set_point_outside_the_devices_limits_is_refused_before_the_start(lab: QuickLab) -> None:
    await lab.up()
    hot = FILL.replace("hold: {temperature: 36.5 degC}", "hold: {temperature: 137 degC}")
    found = failures(plan_of(hot), lab.settings.units[0], lab.controller.bench)
    assert found == ["temperature 137 Cel is outside 0 to 60 Cel of incubator.temperature_setpoint"]


@pytest.mark.req("EQ-02")
async def test_a_pump_that_cannot_bound_a_dose_is_refused(lab: QuickLab, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.up()
    monkeypatch.setattr(NewEraNe1000, "bounded", False)
    found = failures(plan_of(FILL), lab.settings.units[0], lab.controller.bench)
    assert found == ["pump_in cannot bound a dose by itself, and is not used without a person (EQ-02)"]
    with pytest.raises(Unusable, match="EQ-02"):
        await lab.start(FILL)


@pytest.mark.req("EQ-02")
async def test_a_path_whose_pump_is_no_pump_is_refused(lab: QuickLab) -> None:
    await lab.up()
    unit = lab.settings.units[0]
    wrong = unit.model_copy(
        update={"paths": {**unit.paths, "medium in": unit.paths["medium in"].model_copy(update={"pump": "balance"})}}
    )
    assert failures(plan_of(FILL), wrong, lab.controller.bench) == ["balance moves no fluid"]
