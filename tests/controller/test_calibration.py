"""The calibration desk: points, limits, references, signatures; wrong probes and leaking pumps are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.actors import Actor
from controller.calibration.desk import Desk
from controller.calibration.judging import judge
from controller.calibration.points import Point
from controller.calibration.standing import standing
from controller.calibration.weighing import Weighing
from controller.errors import RunConflict, Unusable
from controller.settings import CalibrationSettings, Settings
from controller.store.rows import CalibrationRow
from drivers.core.signals import Quality
from simulators.devices.hamilton_arc import HamiltonArc
from tests.controller.quick import WAIT
from tests.runs.lab import TESTER, Lab

ANNA = Actor("anna", "lead", "password")
WEIGH = Weighing(4, 5.0, 10.0, "balance.weight")
LIMITS = CalibrationSettings()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    lab = Lab(tmp_path)
    await lab.up()
    yield lab
    await lab.close()


def desk(lab: Lab) -> Desk:
    assert lab.controller.desk is not None
    return lab.controller.desk


def probe(lab: Lab, name: str) -> HamiltonArc:
    found = lab.bench.lines["probes"].devices[name]
    assert isinstance(found, HamiltonArc)
    return found


async def into(lab: Lab, device: str, **liquid: float) -> None:
    lab.bench.dip(asyncio.get_running_loop().time(), device, **liquid)
    await asyncio.sleep(400)


def require(lab: Lab, device: str, **calibration: object) -> None:
    """The bench file says so, from now on."""
    old: Settings = lab.controller.settings
    devices = tuple(
        each.model_copy(update={"calibration": CalibrationSettings(**calibration)}) if each.name == device else each  # type: ignore[arg-type]
        for each in old.devices
    )
    desk(lab).settings = old.model_copy(update={"devices": devices})


async def two_point(lab: Lab, second: float = 4.01) -> None:
    await desk(lab).begin("ph_probe", ANNA)
    await into(lab, "ph_probe", ph=7.0)
    await desk(lab).point("ph_probe", "buffer 1", ANNA, reference=7.0, lot="4711", expires="2026-12-31")
    await into(lab, "ph_probe", ph=second)
    await desk(lab).point("ph_probe", "buffer 2", ANNA, reference=second, lot="4712", expires="2026-12-31")


async def test_a_two_point_calibration_is_taken_judged_and_signed(lab: Lab) -> None:
    probe(lab, "ph_probe").raw_gain, probe(lab, "ph_probe").raw_intercept = -57.0, 6.0
    await two_point(lab)
    verdict = await desk(lab).finish("ph_probe", ANNA, accept=True, why="before autoclaving")
    assert verdict.good
    assert verdict.new == {"offset_mv": pytest.approx(6.0, abs=0.1), "slope_mv_ph": pytest.approx(-57.0, abs=0.1)}
    (row,) = desk(lab).rows("ph_probe")
    assert (row["state"], row["ended_by"], row["signed"]) == ("accepted", "anna", "password")
    assert [(point["lot"], point["expires"], point["by"]) for point in row["points"]] == [
        ("4711", "2026-12-31", "anna"),
        ("4712", "2026-12-31", "anna"),
    ]
    assert row["old"]["offset_mv"] == 0.0
    assert row["limits"]["slope_low_percent"] == 90.0
    with lab.reader() as ledger:
        said = [entry.action for entry in ledger.audit() if entry.object_type == "device"]
    assert said[-4:] == ["calibration begun", "calibration point", "calibration point", "calibration accepted"]


async def test_a_worn_electrode_is_refused_with_the_reason(lab: Lab) -> None:
    probe(lab, "ph_probe").raw_gain = -52.0  # the sensor itself takes it, our limits do not
    await two_point(lab)
    verdict = await desk(lab).finish("ph_probe", ANNA, accept=True)
    assert not verdict.good
    assert "slope 87.9 % of Nernst, 90 to 105 % are allowed: clean, refill or replace" in verdict.reasons[0]
    assert not desk(lab).standing("ph_probe").good
    assert "failed 2026-01-04: slope 87.9 %" in desk(lab).standing("ph_probe").text


async def test_what_the_sensor_itself_refuses_ends_the_calibration_on_record(lab: Lab) -> None:
    probe(lab, "ph_probe").raw_gain = -40.0
    with pytest.raises(Unusable, match="offset or slope too low"):
        await two_point(lab)
    (row,) = desk(lab).rows("ph_probe")
    assert row["state"] == "refused"
    assert "offset or slope too low" in row["why"]
    with pytest.raises(RunConflict, match="no calibration of ph_probe is open"):
        await desk(lab).finish("ph_probe", ANNA, accept=True)


async def test_oxygen_is_calibrated_in_air_and_zero_and_a_worn_cap_is_refused(lab: Lab) -> None:
    async def taught() -> bool:
        await desk(lab).begin("do_probe", ANNA)
        await into(lab, "do_probe", do_percent=100.0)
        await desk(lab).point("do_probe", "air", ANNA, reference=100.0, lot="room air")
        await into(lab, "do_probe", do_percent=0.0)
        await desk(lab).point("do_probe", "zero", ANNA, lot="sulfite 9")
        return (await desk(lab).finish("do_probe", ANNA, accept=True)).good

    probe(lab, "do_probe").raw_gain = 0.93
    assert await taught()
    probe(lab, "do_probe").raw_gain = 0.5
    with pytest.raises(Unusable, match="too low"):
        await taught()


async def test_a_pump_is_calibrated_by_weighed_doses(lab: Lab) -> None:
    lab.bench.hands.pour(asyncio.get_running_loop().time(), 140.0)
    await desk(lab).begin("pump_out", ANNA)
    points = await desk(lab).weigh("pump_out", WEIGH, ANNA)
    assert [point.asked_ml for point in points] == [5.0] * 4
    verdict = await desk(lab).finish("pump_out", ANNA, accept=True)
    assert verdict.good, verdict
    assert verdict.new["gain"] == pytest.approx(1.0, abs=0.03)
    with lab.reader() as ledger:
        doses = ledger.doses("calibration-1")
    assert {dose.state for dose in doses} == {"done"}
    assert len(doses) == 10  # a first one fills the line and is not weighed


async def test_a_dose_that_the_syringe_cannot_give_is_told_by_which_it_was(lab: Lab) -> None:
    await desk(lab).begin("pump_out", ANNA)
    with pytest.raises(Unusable, match=r"the first dose, which fills the line: .*500 mL is outside"):
        await desk(lab).weigh("pump_out", replace(WEIGH, volume_ml=500.0), ANNA)


async def test_a_leaking_pump_is_refused_with_the_reason(tmp_path: Path) -> None:
    lab = Lab(tmp_path, faults=("check-valve:fraction=0.2",))
    await lab.up()
    lab.bench.hands.pour(asyncio.get_running_loop().time(), 140.0)
    await desk(lab).begin("pump_out", ANNA)
    await desk(lab).weigh("pump_out", WEIGH, ANNA)
    verdict = await desk(lab).finish("pump_out", ANNA, accept=True)
    assert "less than it counts, 10 % are allowed: look for a worn tube" in verdict.reasons[0]
    await lab.close()


async def test_a_comparison_beside_a_reference_thermometer(lab: Lab) -> None:
    await desk(lab).begin("incubator", ANNA)
    shown = (await desk(lab).compare("incubator", "temperature", 24.0, ANNA, lot="thermometer 12")).shown
    assert shown is not None
    verdict = await desk(lab).finish("incubator", ANNA, accept=True)
    assert verdict.new == {"temperature offset": pytest.approx(24.0 - shown)}
    assert verdict.good == (abs(24.0 - shown) <= 1.0)


async def test_references_need_a_lot_and_must_not_have_run_out(lab: Lab) -> None:
    await desk(lab).begin("ph_probe", ANNA)
    with pytest.raises(Unusable, match="say which reference"):
        await desk(lab).point("ph_probe", "buffer 1", ANNA, reference=7.0)
    with pytest.raises(Unusable, match="lot 4711 ran out on 2026-01-03"):
        await desk(lab).point("ph_probe", "buffer 1", ANNA, reference=7.0, lot="4711", expires="2026-01-03")
    with pytest.raises(Unusable, match="not a day"):
        await desk(lab).point("ph_probe", "buffer 1", ANNA, reference=7.0, lot="4711", expires="soon")
    with pytest.raises(Unusable, match="no calibration point 'buffer 9'; it has buffer 1, buffer 2"):
        await desk(lab).point("ph_probe", "buffer 9", ANNA, reference=7.0, lot="4711")
    with pytest.raises(Unusable, match="no device 'probe'"):
        await desk(lab).begin("probe", ANNA)
    with pytest.raises(RunConflict, match=r"anna already \(calibration-1\)"):
        await desk(lab).begin("ph_probe", ANNA)
    with pytest.raises(Unusable, match="take a point, or discard it"):
        await desk(lab).finish("ph_probe", ANNA, accept=True)
    assert [row["state"] for row in desk(lab).rows("ph_probe")] == ["open"]
    with pytest.raises(Unusable, match="balance is a balance: only probes"):
        await desk(lab).autoclaved("balance", ANNA)


async def test_a_slip_of_the_hand_is_told_and_the_calibration_stays_open(lab: Lab) -> None:
    await desk(lab).begin("ph_probe", ANNA)
    with pytest.raises(Unusable, match="needs its reference"):
        await desk(lab).point("ph_probe", "buffer 1", ANNA, lot="4711")
    with pytest.raises(Unusable, match=r"70 .* is outside"):
        await desk(lab).point("ph_probe", "buffer 1", ANNA, reference=70.0, lot="4711")
    assert [row["state"] for row in desk(lab).rows("ph_probe")] == ["open"]


async def test_every_step_names_the_devices_there_are(lab: Lab) -> None:
    at = desk(lab)
    for step in (
        at.begin("ph_prob", ANNA),
        at.point("ph_prob", "buffer 1", ANNA),
        at.compare("ph_prob", "ph", 7.0, ANNA, lot="a"),
        at.weigh("ph_prob", WEIGH, ANNA),
        at.finish("ph_prob", ANNA, accept=True),
        at.autoclaved("ph_prob", ANNA),
    ):
        with pytest.raises(Unusable, match=r"no device 'ph_prob'; there is .*ph_probe"):
            await step


@pytest.mark.req("AC-06")
async def test_values_of_a_device_in_calibration_or_without_one_it_needs_are_not_good(lab: Lab) -> None:
    latest = lab.controller.latest
    assert latest.get("ph_probe.ph").quality is Quality.GOOD
    await desk(lab).begin("ph_probe", ANNA)
    await asyncio.sleep(120)
    reading = latest.get("ph_probe.ph")
    assert (reading.quality, reading.why) == (Quality.MANUAL, "in calibration (calibration-1 of anna)")
    await desk(lab).finish("ph_probe", ANNA, accept=False)
    await asyncio.sleep(120)
    assert latest.get("ph_probe.ph").quality is Quality.GOOD
    require(lab, "ph_probe", required=True, every_days=1)
    await asyncio.sleep(200)
    reading = latest.get("ph_probe.ph")
    assert (reading.quality, reading.why) == (Quality.BAD, "never calibrated")
    await two_point(lab)
    assert (await desk(lab).finish("ph_probe", ANNA, accept=True)).good
    await asyncio.sleep(200)
    assert latest.get("ph_probe.ph").quality is Quality.GOOD
    await asyncio.sleep(86_500)
    assert latest.get("ph_probe.ph").quality is Quality.BAD
    assert "expired 2026-01-05" in latest.get("ph_probe.ph").why
    assert [alarm["text"] for alarm in lab.controller.alarms.open()] == [  # type: ignore[union-attr]
        f"ph_probe: {desk(lab).standing('ph_probe').text}"
    ]


async def test_a_missing_calibration_keeps_a_run_from_starting(lab: Lab) -> None:
    require(lab, "ph_probe", required=True)
    with pytest.raises(Unusable, match="ph_probe needs a valid calibration: never calibrated"):
        await lab.start(WAIT)
    require(lab, "ph_probe")
    await desk(lab).begin("ph_probe", ANNA)
    with pytest.raises(Unusable, match="is being calibrated"):
        await lab.start(WAIT)
    await desk(lab).finish("ph_probe", ANNA, accept=False)
    await lab.start(WAIT)


async def test_in_a_run_a_probe_takes_a_sample_and_nothing_else(lab: Lab) -> None:
    await lab.start(WAIT)
    await desk(lab).begin("ph_probe", ANNA)
    with pytest.raises(RunConflict, match="serves the run on reactor; only a correction by a sample"):
        await desk(lab).point("ph_probe", "buffer 1", ANNA, reference=7.0, lot="4711")
    await desk(lab).point("ph_probe", "sample taken", ANNA)
    await asyncio.sleep(900)
    await desk(lab).point("ph_probe", "sample value", ANNA, reference=7.4, lot="blood gas analyser 3")
    assert (await desk(lab).finish("ph_probe", ANNA, accept=True)).good
    with pytest.raises(RunConflict, match="serves the run"):
        await desk(lab).begin("pump_out", ANNA)
    with pytest.raises(RunConflict, match="serves the run"):
        await desk(lab).autoclaved("ph_probe", ANNA)


async def test_autoclave_cycles_are_counted_and_an_open_calibration_survives_a_kill(lab: Lab) -> None:
    assert await desk(lab).autoclaved("ph_probe", ANNA) == 1
    assert await desk(lab).autoclaved("ph_probe", ANNA) == 2
    await desk(lab).begin("do_probe", ANNA)
    await lab.kill()
    await lab.up()
    assert desk(lab).standing("ph_probe").autoclaved == 2
    assert desk(lab).standing("do_probe").open == "calibration-3 of anna"
    await asyncio.sleep(2000)
    assert any("has been in calibration" in alarm["text"] for alarm in lab.controller.alarms.open())  # type: ignore[union-attr]
    await desk(lab).finish("do_probe", ANNA, accept=False)
    assert desk(lab).rows("do_probe")[-1]["state"] == "discarded"


# --- weighing is dosing: what protects a run's strokes protects these


def now() -> float:
    return asyncio.get_running_loop().time()


async def weighing(lab: Lab, pump: str = "pump_out", asked: Weighing = WEIGH) -> asyncio.Task[list[Point]]:
    lab.bench.hands.pour(now(), 140.0)
    await desk(lab).begin(pump, ANNA)
    return asyncio.create_task(desk(lab).weigh(pump, asked, ANNA))


@pytest.mark.req("DX-06")
@pytest.mark.parametrize("how", ["stop-pumps", "hold"])
async def test_stop_and_hold_end_the_doses_being_weighed(lab: Lab, how: str) -> None:
    task = await weighing(lab)
    await asyncio.sleep(60)
    if how == "hold":
        assert lab.controller.runs is not None
        await lab.controller.runs.hold(None, TESTER, "test")
    else:
        await lab.controller.quiet(None, TESTER)
    with pytest.raises(Unusable, match="ended early"):
        await task
    moved = lab.truth()["waste_drawn_ml"]
    await asyncio.sleep(600)
    assert lab.truth()["waste_drawn_ml"] == moved


async def test_a_hose_that_is_not_over_the_cup_is_noticed_after_two_doses(lab: Lab) -> None:
    task = await weighing(lab, "pump_in", Weighing(5, 5.0, 10.0, "balance.weight"))
    with pytest.raises(Unusable, match="is the hose over the cup"):
        await task
    assert lab.truth()["fill_delivered_ml"] < 11.0
    await desk(lab).finish("pump_in", ANNA, accept=False)
    with pytest.raises(Unusable, match="two doses that miss the cup must fit"):
        await (await weighing(lab, "pump_in", Weighing(5, 50.0, 20.0, "balance.weight")))


async def test_one_step_at_a_time_and_what_has_ended_stays_as_it_is(lab: Lab) -> None:
    task = await weighing(lab)
    await asyncio.sleep(5)
    for act in (
        desk(lab).weigh("pump_out", WEIGH, TESTER),
        desk(lab).finish("pump_out", TESTER, accept=True),
        desk(lab).begin("pump_out", TESTER),
    ):
        with pytest.raises(RunConflict, match="another step"):
            await act
    await task
    assert (await desk(lab).finish("pump_out", ANNA, accept=True)).good
    before = desk(lab).rows("pump_out")
    with pytest.raises(RunConflict, match="no calibration of pump_out is open"):
        await desk(lab).weigh("pump_out", WEIGH, TESTER)
    assert desk(lab).rows("pump_out") == before
    twice = await asyncio.gather(*(desk(lab).begin("ph_probe", who) for who in (ANNA, TESTER)), return_exceptions=True)
    assert [type(each) for each in twice] == [str, RunConflict]


async def test_a_probe_taught_and_then_discarded_is_not_good_any_more(lab: Lab) -> None:
    await two_point(lab)
    await desk(lab).finish("ph_probe", ANNA, accept=True)
    await desk(lab).begin("ph_probe", TESTER)
    await into(lab, "ph_probe", ph=7.0)
    await desk(lab).point("ph_probe", "buffer 1", TESTER, reference=7.3, lot="wrong bottle")
    await desk(lab).finish("ph_probe", TESTER, accept=False)
    held = desk(lab).standing("ph_probe")
    assert not held.good
    assert "discarded after it was taught buffer 1" in held.text


@pytest.mark.req("DS-04", "DS-05")
async def test_an_unknown_stroke_after_a_kill_binds_weighing_and_runs_until_a_person_settles_it(lab: Lab) -> None:
    await weighing(lab)
    await asyncio.sleep(10)
    await lab.kill()
    await lab.up()
    await asyncio.sleep(200)
    assert lab.reader().doses()[0].state == "unknown"
    assert any("has an unknown end" in each["text"] for each in lab.controller.alarms.open())  # type: ignore[union-attr]
    with pytest.raises(RunConflict, match="empty the syringe"):
        await desk(lab).weigh("pump_out", WEIGH, ANNA)
    await desk(lab).finish("pump_out", ANNA, accept=False, why="syringe emptied")
    assert desk(lab).unsettled("pump_out") == ""
    assert lab.reader().doses()[0].decided_by == "anna"
    await lab.start(WAIT)


@pytest.mark.req("AC-06")
async def test_what_is_no_balance_or_no_reference_now_is_no_witness(lab: Lab) -> None:
    with pytest.raises(Unusable, match=r"incubator\.temperature is no weight"):
        await (await weighing(lab, asked=Weighing(3, 5.0, 10.0, "incubator.temperature")))
    require(lab, "balance", required=True)
    await asyncio.sleep(100)
    with pytest.raises(Unusable, match="balance is no reference now: never calibrated"):
        await desk(lab).weigh("pump_out", WEIGH, ANNA)


# --- judging alone


def dose(counted: float, weighed: float) -> Point:
    return Point("dose", "pump", "mL", weighed, counted, None, 0.0, "anna", "balance", "", 5.0, counted)


def test_doses_are_judged_by_gain_and_spread() -> None:
    assert judge([dose(5, 4.9), dose(5, 4.92), dose(5, 4.88)], {}, LIMITS).good
    assert "at least three" in judge([dose(5, 5)] * 2, {}, LIMITS).reasons[0]
    assert "moves 20.0 % less than it counts" in judge([dose(5, 4.0)] * 3, {}, LIMITS).reasons[0]
    assert "moves 20.0 % more" in judge([dose(5, 6.0)] * 3, {}, LIMITS).reasons[0]
    assert "scatter by" in judge([dose(5, 4.7), dose(5, 5.3), dose(5, 5.0)], {}, LIMITS).reasons[0]
    assert not judge([dose(5, 0.0)] * 3, {}, LIMITS).good


def test_points_are_judged_by_number_by_agreement_and_by_slope() -> None:
    one = Point("buffer 1", "ph", "[pH]", 7.0, 7.1, 7.0, 0.0, "anna")
    two = replace(one, name="buffer 2", reference=4.01, after=4.01)
    healthy = {"slope_mv_ph": -58.0, "offset_mv": 3.0}
    assert judge([one, two], healthy, LIMITS).good
    assert "needs two different points" in judge([one], healthy, LIMITS).reasons[0]
    assert "shows 4.3 [pH] after" in judge([one, replace(two, after=4.3)], healthy, LIMITS).reasons[0]
    assert "offset -40.0 mV" in judge([one, two], {**healthy, "offset_mv": -40.0}, LIMITS).reasons[0]
    assert "base slope percent 80.0 %" in judge([one, two], {"base_slope_percent": 80.0}, LIMITS).reasons[0]
    mixed = judge([one, replace(one, name="compare")], healthy, LIMITS)
    assert "different procedures" in mixed.reasons[0]
    nothing = replace(one, name="compare", shown=None)
    assert "no good reading" in judge([nothing], {}, LIMITS).reasons[0]
    far = replace(one, name="compare", unit="Cel", signal="temperature", reference=37.0, shown=35.0)
    assert "differs by +2 Cel" in judge([far], {}, LIMITS).reasons[0]


def test_what_calibrations_are_worth() -> None:
    row = CalibrationRow("c-1", "p", "points", "accepted", 0.0, "a", 86_400.0, "a", "", "", [], {}, {}, {}, None, "")
    monthly = CalibrationSettings(every_days=30)
    assert standing([], LIMITS, 0.0).text == "never calibrated"
    assert standing([row], monthly, 86_401.0).text == "calibrated 1970-01-02, due 1970-02-01"
    assert standing([row], monthly, 40 * 86_400.0).text == "expired 1970-02-01"
    assert not standing([row, replace(row, state="refused", why="slope")], monthly, 0.0).good
    assert standing([row, replace(row, state="discarded")], monthly, 86_401.0).good
    assert standing([row, replace(row, state="open")], LIMITS, 0.0).open == "c-1 of a"
