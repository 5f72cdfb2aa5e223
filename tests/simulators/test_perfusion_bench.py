"""The shipped bench `perfusion-4`: its file, its devices over the world, and the real controller on it."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.cli import main as osteon
from controller.errors import Unusable
from controller.settings import parse
from drivers.catalogue import find
from drivers.core.line import Line
from drivers.core.signals import Quality
from protocols.states import Cause
from simulators.bench import shipped
from simulators.core.time import VirtualLoop
from simulators.rehearsal import rehearse, shipped_bench
from simulators.world_client import WorldClient
from tests.runs.lab import TESTER
from tests.simulators.perfused_lab import BED, EXCHANGED, HEAD, TOML, WAIT, PerfusedLab
from tests.simulators.test_world import world_process


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[PerfusedLab]:
    made = PerfusedLab(tmp_path / "data")
    yield made
    await made.close()


# --- the file


def test_the_file_passes_the_check_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert osteon(["check", str(shipped_bench("perfusion-4"))]) == 0
    assert "in order" in capsys.readouterr().out


def test_four_units_share_pump_valve_and_balance_and_each_has_its_loop() -> None:
    settings = parse(TOML)
    assert [unit.name for unit in settings.units] == ["bed_1", "bed_2", "bed_3", "bed_4"]
    assert [unit.loop for unit in settings.units] == ["loop_1", "loop_2", "loop_3", "loop_4"]
    paths = [path for unit in settings.units for path in unit.paths.values()]
    assert {path.pump for path in paths} == {"exchange_pump"}
    assert {path.valve for path in paths} == {"exchange_valve"}
    positions = [unit.paths["medium in"].deliver_position for unit in settings.units]
    assert positions == [unit.paths["medium out"].draw_position for unit in settings.units] == [3, 4, 5, 6]


def test_what_the_file_says_of_the_valve_is_what_is_plumbed_to_it() -> None:
    settings, plumbed = parse(TOML), shipped("perfusion-4")["simulation"]["ports"]
    for number, unit in enumerate(settings.units, 1):
        into, out = unit.paths["medium in"], unit.paths["medium out"]
        assert plumbed[str(into.draw_position)] == "fresh bottle"
        assert plumbed[str(into.deliver_position)] == plumbed[str(out.draw_position)] == f"reservoir {number}"
        assert plumbed[str(out.deliver_position)] == plumbed[str(into.prime_position)] == "waste bottle"


# --- its devices


PATH_FROM = {"reservoir_1": "medium out", "fresh_bottle": "medium in"}
"""Where the syringe draws -> the fluid path that draws there."""


async def polled(client: WorldClient) -> dict[str, dict[str, str]]:
    """Everything that is not good, by device; after a loop was set to turn."""
    config = tomllib.loads(TOML)
    lines = {name: Line(client.link(name)) for name in config["links"]}
    bad: dict[str, dict[str, str]] = {}
    for each in config["devices"]:
        kind = find(each["model"])
        device = kind(lines[each["link"]], each.get("address", kind.default_address), each.get("options"))
        await device.identify()
        await device.prepare()
        if each["name"] in ("loop_2", "loop_4"):
            await device.write("flow_setpoint", 0.2)
        readings = await device.poll()
        bad[each["name"]] = {name: one.why for name, one in readings.items() if one.quality is not Quality.GOOD}
        assert set(readings) == {name for name, spec in device.specs().items() if spec.access.value != "w"}
    for line in lines.values():
        await line.close()
    return bad


@pytest.mark.req("SIM-02")
def test_every_device_is_good_over_the_world(tmp_path: Path) -> None:
    with world_process(tmp_path, text=TOML) as (path, _), WorldClient(path) as client:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(client.now())) as runner:
            bad = runner.run(polled(client))
        assert all(not each for each in bad.values()), bad
        assert len(bad) == 14
        truth = client.truth()
        assert [truth[f"flow_{bed}_ml_min"] for bed in (1, 2, 3, 4)] == [0.0] * 4, "the reservoirs are empty"
        client.hands("pour", unit="bed_2", ml=15.0)
        assert client.truth()["flow_2_ml_min"] == pytest.approx(0.2)


# --- a run


@pytest.mark.req("INV-02", "DS-13")
async def test_eight_millilitres_are_exchanged_through_the_valve_and_books_and_truth_agree(lab: PerfusedLab) -> None:
    await lab.up()
    engine = await lab.begin(2)
    assert lab.flows() == [0.0, 0.2, 0.0, 0.0]
    assert await lab.exchanged(2), engine.run
    assert engine.run.finished[EXCHANGED] == "done"
    truth = lab.truth()
    assert truth["reservoir_2_ml"] == pytest.approx(15.0, abs=0.05)
    assert engine.volume().ml == pytest.approx(truth["reservoir_2_ml"], abs=3 * engine.volume().sigma_ml)
    assert truth["drawn_from_reservoir_2_ml"] == pytest.approx(8.0, abs=0.05)
    assert truth["delivered_to_reservoir_2_ml"] == pytest.approx(8.0, abs=0.05)
    assert truth["drawn_from_fresh_bottle_ml"] == pytest.approx(9.0, abs=0.05), "one of them to rinse"
    assert truth["delivered_to_waste_bottle_ml"] == truth["waste_ml"] == pytest.approx(9.0, abs=0.05)
    moved = {name for name, ml in truth.items() if name.startswith(("drawn_from", "delivered_to")) and ml}
    assert moved == {
        "drawn_from_reservoir_2_ml", "drawn_from_fresh_bottle_ml", "delivered_to_reservoir_2_ml",
        "delivered_to_waste_bottle_ml",
    }  # fmt: skip
    assert truth["syringe_liquid_ml"] == pytest.approx(0.0, abs=0.05)
    assert max(abs(residual) for residual in lab.bench.surroundings.books().values()) < 1e-6
    assert lab.controller.alarms is not None and lab.controller.alarms.open() == []
    drawn = sum(row.moved_ml or 0.0 for row in lab.ledger.doses() if row.stroke == "draw")
    assert drawn == pytest.approx(20.0, abs=0.1), "1 to rinse, 11 with the air above the level, 8"
    reading = lab.controller.latest.get("oxygen_2.dissolved_oxygen")
    assert reading.quality is Quality.GOOD
    assert truth["inlet_2_o2_um"] - truth["outlet_2_o2_um"] == pytest.approx(3.75, abs=0.2), "3 million cells at rest"


@pytest.mark.req("SIM-01")
def test_a_rehearsal_on_this_bench_ends_complete_with_noise_and_a_simulated_person() -> None:
    """Tubes and syringe are off by their chance; the person fills the reservoir of the run's own bed."""
    text = BED.replace("wait: 6 h", "wait: 30 min")
    result = rehearse(text, bench=shipped_bench("perfusion-4"), seed=3)
    assert result.complete, (result.why, result.alarms)
    assert (result.hand_steps, result.alarms) == (1, ())
    assert float(result.truth["reservoir_1_ml"]) == pytest.approx(15.0, abs=0.3)
    assert float(result.truth["cells_1"]) == pytest.approx(3e6, rel=0.01)
    assert 0.17 < float(result.truth["flow_1_ml_min"]) < 0.23, "0.2 by the pump"
    assert [(dose.part, round(dose.counter_ml or 0.0)) for dose in result.doses] == [
        ("prime", 1),
        ("withdraw", 8),
        ("fill", 8),
    ]
    assert result.event_log_digest == rehearse(text, bench=shipped_bench("perfusion-4"), seed=3).event_log_digest


@pytest.mark.req("RM-12", "INV-07")
async def test_four_runs_side_by_side_take_turns_at_the_pump_and_none_is_left_drained(lab: PerfusedLab) -> None:
    await lab.up()
    for bed in (1, 2, 3, 4):
        await lab.begin(bed)
    for bed in (1, 2, 3, 4):
        assert await lab.exchanged(bed, 4 * 3600.0), lab.of(bed).run
        assert lab.of(bed).run.finished[EXCHANGED] == "done"
    truth = lab.truth()
    for bed in (1, 2, 3, 4):
        assert truth[f"reservoir_{bed}_ml"] == pytest.approx(15.0, abs=0.05)
        assert truth[f"drawn_from_reservoir_{bed}_ml"] == pytest.approx(8.0, abs=0.05)
    rows = sorted(lab.ledger.doses(), key=lambda row: row.intended_at)
    owners = [row.run_id for row in rows if row.path == EXCHANGED]
    assert len([run for run, _ in groupby(owners)]) == 4, f"one exchange after the other, none inside another: {owners}"
    assert lab.flows() == [0.2] * 4
    assert lab.controller.alarms is not None and lab.controller.alarms.open() == []


@pytest.mark.req("INV-02")
async def test_a_valve_that_does_not_turn_holds_the_run_and_nothing_goes_through_a_wrong_port(lab: PerfusedLab) -> None:
    await lab.up()
    engine = await lab.begin(3)
    assert await lab.until(lambda: "renew/prime" in engine.run.finished, 3600.0)
    assert await lab.until(lambda: lab.truth()["drawn_from_reservoir_3_ml"] > 0.0, 3600.0, step_s=0.5)
    before = lab.truth()
    valve: Any = lab.bench.lines["valve"].devices["exchange_valve"]
    valve.stuck = True  # the motor hums
    assert await lab.until(lambda: engine.run.state == "HELD", 3600.0)
    assert "exchange_valve did not turn to position 2" in engine.run.why
    after = lab.truth()
    assert after["drawn_from_reservoir_3_ml"] == pytest.approx(after["syringe_liquid_ml"]) != 0.0
    assert after["delivered_to_reservoir_3_ml"] == 0.0, "what stands in the syringe does not go back"
    assert after["delivered_to_waste_bottle_ml"] == before["delivered_to_waste_bottle_ml"]
    valve.stuck = False
    await lab.runs.command(engine.run_id, Cause.RESTART, TESTER)
    assert await lab.exchanged(3)
    assert lab.truth()["reservoir_3_ml"] == pytest.approx(15.0, abs=0.05)


# --- loops


@pytest.mark.req("EQ-07", "DX-10")
async def test_loops_turn_on_through_a_controller_that_is_killed_and_one_that_ends_in_order(lab: PerfusedLab) -> None:
    await lab.up()
    await lab.begin(1, HEAD + WAIT)
    await lab.begin(4, HEAD + WAIT)
    begun, carried = lab.now, [lab.bed("carried_ml", bed) for bed in (1, 2, 3, 4)]
    await lab.kill()
    await asyncio.sleep(3600.0)
    await lab.up()
    await asyncio.sleep(600.0)
    lab.controller.stop()
    assert lab.life is not None
    await lab.life.task
    await asyncio.sleep(600.0)
    await lab.up()
    lab.bench.inject("silence@loop_1:for_s=120", lab.now)  # lost, and connected anew
    await asyncio.sleep(600.0)
    expected = [0.2 * (lab.now - begun) / 60, 0.0, 0.0, 0.2 * (lab.now - begun) / 60]
    found = [lab.bed("carried_ml", bed) - before for bed, before in zip((1, 2, 3, 4), carried, strict=True)]
    assert found == [pytest.approx(ml, rel=1e-3) for ml in expected]


async def test_a_loop_pump_that_lost_its_power_is_told_and_turns_again_by_itself(lab: PerfusedLab) -> None:
    await lab.up()
    await lab.begin(1, HEAD + WAIT)
    await lab.begin(2, HEAD + WAIT)
    lab.bench.power_cycle("loop_1", lab.now)
    assert lab.flows() == [0.0] * 4
    assert await lab.until(lambda: lab.flows() == [0.2, 0.2, 0.0, 0.0], 180.0), "before the bed is anoxic"
    assert lab.controller.alarms is not None
    assert "device:loop_1" in {str(alarm["key"]) for alarm in lab.controller.alarms.open()}


@pytest.mark.req("AC-08", "DX-06")
async def test_a_loop_that_a_person_stopped_stands_until_the_run_goes_on(lab: PerfusedLab) -> None:
    await lab.up()
    engine = await lab.begin(1, HEAD + WAIT)
    await lab.begin(2, HEAD + WAIT)
    said = await lab.controller.quiet("bed_1", TESTER)
    assert said == ["loop_1", "exchange_pump"]
    assert lab.flows() == [0.0, 0.2, 0.0, 0.0]
    assert await lab.until(lambda: engine.run.state == "HELD", 120.0)
    await lab.kill()
    await lab.up()
    lab.bench.power_cycle("loop_1", lab.now)
    await asyncio.sleep(600.0)
    assert lab.flows() == [0.0, 0.2, 0.0, 0.0], "neither a restart nor a pump that comes back turns it"
    await lab.runs.command(engine.run_id, Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.flows() == [0.2, 0.2, 0.0, 0.0], 120.0)
    await lab.runs.command(engine.run_id, Cause.STOP, TESTER)
    assert await lab.until(lambda: lab.flows() == [0.1, 0.2, 0.0, 0.0], 120.0), "the end value of the protocol"


async def test_a_loop_stopped_at_the_pump_is_told_and_not_turned_again_behind_somebodys_back(lab: PerfusedLab) -> None:
    await lab.up()
    engine = await lab.begin(1, HEAD + WAIT)
    await lab.begin(2, HEAD + WAIT)
    pump: Any = lab.bench.lines["loops"].devices["loop_1"]
    lab.bench.host("loops").act(pump.stop_key(1, lab.now))
    assert await lab.until(lambda: bool(lab.controller.alarms and lab.controller.alarms.open()), 120.0)
    assert lab.controller.alarms is not None
    (alarm,) = lab.controller.alarms.open()
    assert (alarm["key"], alarm["priority"]) == ("loop_1.flow_setpoint:stands", "critical")
    assert "0.2 mL/min" in str(alarm["text"])
    await asyncio.sleep(600.0)
    assert lab.flows() == [0.0, 0.2, 0.0, 0.0]
    await lab.runs.command(engine.run_id, Cause.HOLD, TESTER)
    assert await lab.until(lambda: engine.run.state == "HELD", 60.0)
    await lab.runs.command(engine.run_id, Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.flows() == [0.2, 0.2, 0.0, 0.0], 120.0)
    assert await lab.until(lambda: lab.controller.alarms.open()[0]["state"] == "RTN_UNACK", 120.0)


async def test_a_worn_tube_is_seen_by_weight(tmp_path: Path) -> None:
    """The pump says 0.2 mL/min; a bottle on the balance under the end of the loop says what comes out."""
    lab = PerfusedLab(tmp_path / "data", faults=("worn-tube:bed=2:fraction=0.3",))
    try:
        await lab.up()
        balance, weighed = lab.controller.bench.device("balance"), dict[int, float]()
        for bed in (1, 2):
            await lab.begin(bed, HEAD + WAIT)
            assert lab.controller.latest.get(f"loop_{bed}.flow_setpoint").value in (0.2, 0.0)
            before = (await balance.read("weight")).value
            lab.bench.hands.at(f"bed_{bed}").line_to_cup(lab.now)
            await asyncio.sleep(600.0)
            lab.bench.hands.at(f"bed_{bed}").line_to_vessel(lab.now)
            after = (await balance.read("weight")).value
            assert isinstance(before, float) and isinstance(after, float)
            weighed[bed] = (after - before) / 1.005
            assert lab.controller.latest.get(f"loop_{bed}.flow_setpoint").value == 0.2
        assert weighed == {1: pytest.approx(2.0, abs=0.02), 2: pytest.approx(1.4, abs=0.02)}
        assert lab.flows() == [0.2, pytest.approx(0.14), 0.0, 0.0]
    finally:
        await lab.close()


# --- what units share


@pytest.mark.req("RM-12")
async def test_a_hold_of_one_bed_lets_the_stroke_of_another_end(lab: PerfusedLab) -> None:
    await lab.up()
    other = await lab.begin(4, HEAD + WAIT)
    engine = await lab.begin(1)
    assert await lab.until(lambda: lab.truth()["drawn_from_reservoir_1_ml"] > 1.0, 3600.0)
    await lab.runs.command(other.run_id, Cause.HOLD, TESTER)
    assert await lab.until(lambda: other.run.state == "HELD", 30.0)
    assert "took too long" not in other.run.why
    assert await lab.exchanged(1)
    assert engine.run.finished[EXCHANGED] == "done"
    assert all(row.state == "done" for row in lab.ledger.doses()), "no stroke was cut short"


@pytest.mark.req("RM-12", "AC-08")
async def test_pumps_stopped_at_one_bed_hold_the_bed_that_the_pump_works_for(lab: PerfusedLab) -> None:
    await lab.up()
    other = await lab.begin(4, HEAD + WAIT)
    engine = await lab.begin(1)
    assert await lab.until(lambda: lab.truth()["drawn_from_reservoir_1_ml"] > 1.0, 3600.0)
    await lab.controller.quiet("bed_4", TESTER)
    stopped = lab.truth()["syringe_drawn_ml"]
    assert await lab.until(lambda: engine.run.state == "HELD" and other.run.state == "HELD", 120.0)
    await asyncio.sleep(300.0)
    assert lab.truth()["syringe_drawn_ml"] == pytest.approx(stopped, abs=0.01)
    assert lab.flows() == [0.2, 0.0, 0.0, 0.0]


@pytest.mark.req("RM-12")
async def test_a_pump_in_the_hands_of_a_held_run_is_not_taken_by_another(lab: PerfusedLab) -> None:
    await lab.up()
    engine = await lab.begin(1)
    assert await lab.until(lambda: lab.truth()["drawn_from_reservoir_1_ml"] > 1.0, 3600.0)
    await lab.runs.command(engine.run_id, Cause.HOLD, TESTER)
    assert await lab.until(lambda: engine.run.state == "HELD", 120.0)
    await lab.kill()
    await lab.up()
    other = await lab.begin(2)
    assert await lab.until(lambda: other.run.state == "HELD", 3600.0)
    assert "exchange_pump is in the hands of run-1: renew/exchange is not over" in other.run.why
    assert lab.truth()["drawn_from_fresh_bottle_ml"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.req("RM-12")
async def test_a_chamber_belongs_to_all_its_runs_and_the_end_of_one_moves_it_for_none(lab: PerfusedLab) -> None:
    cool = HEAD.replace("end: {temperature: 37 degC", "end: {temperature: 30 degC")
    await lab.up()
    first = await lab.begin(1, cool + WAIT)
    with pytest.raises(Unusable, match=r"run-1 keeps incubator\.temperature_setpoint at 37 Cel"):
        await lab.runs.start(HEAD.replace("37 degC", "36 degC") + WAIT, by=TESTER, unit="bed_2")
    with pytest.raises(Unusable, match="temperature 30 Cel of bed_2 cannot be"):
        await lab.runs.start(cool + WAIT, by=TESTER, unit="bed_2")
    assert len(lab.ledger.runs()) == 1
    second = await lab.begin(2, HEAD + WAIT)
    await lab.runs.command(first.run_id, Cause.STOP, TESTER)
    assert await lab.until(lambda: first.run.state == "STOPPED", 300.0)
    await asyncio.sleep(60.0)
    point = await lab.controller.bench.device("incubator").read("temperature_setpoint")
    assert point.value == 37.0
    assert lab.flows() == [0.1, 0.2, 0.0, 0.0], "what is its own goes to its end value"
    assert lab.controller.alarms is not None
    (alarm,) = lab.controller.alarms.open()
    assert "run-2 keeps incubator.temperature_setpoint at 37 Cel" in str(alarm["text"])
    await lab.runs.command(second.run_id, Cause.STOP, TESTER)
    assert await lab.until(lambda: second.run.state == "STOPPED", 300.0)


# --- crashes


@pytest.mark.req("DS-04", "DS-06", "DX-03", "INV-01")
@pytest.mark.parametrize("stroke", ["drawing from the reservoir", "delivering to the waste", "drawing fresh medium"])
async def test_a_controller_killed_in_mid_exchange_gives_no_dose_twice_and_asks(lab: PerfusedLab, stroke: str) -> None:
    """The pump's account does not survive our death: an interrupted stroke is a question, and the loop turns on."""
    marks = {
        "drawing from the reservoir": ("drawn_from_reservoir_1_ml", 1.0),
        "delivering to the waste": ("delivered_to_waste_bottle_ml", 2.0),
        "drawing fresh medium": ("drawn_from_fresh_bottle_ml", 2.0),
    }
    name, ml = marks[stroke]
    await lab.up()
    await lab.begin(1)
    assert await lab.until(lambda: float(lab.truth()[name]) > ml, 7200.0)
    carried, at = lab.bed("carried_ml", 1), lab.now
    await lab.kill()
    await asyncio.sleep(20.0)
    await lab.up()
    engine = lab.of(1)
    assert await lab.until(lambda: engine.run.state == "HELD", 300.0)
    assert engine.run.active[EXCHANGED].question
    truth = lab.truth()
    moved = truth["syringe_drawn_ml"] + truth["syringe_delivered_ml"]
    await asyncio.sleep(1800.0)
    later = lab.truth()
    assert later["syringe_drawn_ml"] + later["syringe_delivered_ml"] == moved, "nothing moves while it is a question"
    assert lab.bed("carried_ml", 1) - carried == pytest.approx(0.2 * (lab.now - at) / 60, rel=1e-3)
    for place in ("reservoir_1", "fresh_bottle"):
        booked = [row for row in lab.ledger.doses() if row.stroke == "draw" and row.fluid_path == PATH_FROM[place]]
        most = sum(row.target_ml if row.moved_ml is None else row.moved_ml for row in booked)
        assert later[f"drawn_from_{place}_ml"] <= most + 0.05
    assert not any(ml for name, ml in later.items() if "reservoir_2" in name or "reservoir_3" in name)
