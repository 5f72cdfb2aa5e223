"""EZO circuits: the sheet's lines at both ends, a circuit that talks by itself, compensation, calibration, sleep."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from drivers.catalogue import find
from drivers.core.device import Device, LinkLoss
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.signals import Identity, Quality
from drivers.devices.atlas_ezo import AtlasEzoCo2, AtlasEzoDo, AtlasEzoEc, AtlasEzoOrp, AtlasEzoPh, AtlasEzoRtd
from drivers.devices.atlas_ezo.circuit import AtlasEzo
from simulators.core.simulator import Bytes, Opened, Send
from simulators.core.surroundings import Air, Liquid
from simulators.devices import atlas_ezo as simulated
from simulators.devices.atlas_ezo.circuit import EzoCircuit
from simulators.devices.atlas_ezo.oxygen import saturation_mg_l
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "atlas_ezo",
    r"""
    Response codes | V | > "R\r"          | < "7.82\r*OK\r"                                   | two decimals
    Response codes | V | > "R\r"          | < "7.82\r"                                        | codes off
    pH p. 51       | V | > "R\r"          | < "9.560\r*OK\r"                                  | pH
    recorded       | L | > 43 2C 30 0D    | < 37 2E 33 32 32 0D 2A 4F 4B 0D                   | a reading slipped in
    recorded       | F | > 69 0D          | < "?i,pH,2.16\r*OK\r"                             | who
    recorded       | F | > 72 0D          | < "7.317\r*OK\r"                                  | lower case
    recorded       | F | > "Slope,?\r"    | < "?Slope,100.0,100.0,0.00\r*OK\r"                | slope
    vector         | F | > "Slope,?\r"    | < "?Slope,99.7,100.3,-0.89\r*OK\r"                | slope of a used probe
    recorded       | F | > "Cal,?\r"      | < "?Cal,0\r*OK\r"                                 | not taught
    vector         | F | > "Cal,?\r"      | < "?CAL,2\r*OK\r"                                 | taught, other firmware
    recorded       | F | > "Status\r"     | < "?Status,P,5.038\r*OK\r"                        | status
    vector         | F | > "T,?\r"        | < "?T,19.5\r*OK\r"                                | compensation
    vector         | F | > "pHext,?\r"    | < "?pHext,1\r*OK\r"                               | extended
    vector         | F | > "Plock,?\r"    | < "?Plock,0\r*OK\r"                               | lock
    vector         | F | > "Baud,?\r"     | < "?Baud,38400\r*OK\r"                            | baud
    DO p. 55       | V | > "O,?\r"        | < 3F 2C 4F 2C 25 2C 6D 67 0D 2A 4F 4B 0D          | both outputs
    recorded       | F | > "O,?\r"        | < "?,O,mg\r*OK\r"                                 | one output
    recorded       | F | > "S,?\r"        | < "?S,0," B5 "S\r*OK\r"                           | salinity
    vector         | F | > "S,?\r"        | < "?S,12.5,ppt\r*OK\r"                            | salinity in ppt
    recorded       | F | > "P,?\r"        | < "?,P,101.3\r*OK\r"                              | pressure
    vector         | F | > "D,?\r"        | < "?D,6\r*OK\r"                                   | logger
    vector         | F | > "M,?\r"        | < "?M,4\r*OK\r"                                   | memory
    vector         | F | > "M\r"          | < "4,112.00\r*OK\r"                               | recall
    vector         | F | > "Export,?\r"   | < "10,120\r*OK\r"                                 | export
    vector         | F | > "Export\r"     | < "AAAA\r*DONE\r"                                 | last string
    derived        | X | > "Cal,mid,7.00\r" | < "*OK\r"                                       | mid point
    derived        | X | > "xyz\r"        | < "*ER\r"                                         | unknown
    commands       | V | > "C,?\r"        | < "?C,0\r*OK\r"                                   | silent
    commands       | V | > "*OK,?\r"      | < "?*OK,1\r*OK\r"                                 | codes on
    """,
)


class Beaker:
    """A liquid that the test pours, and the air above it."""

    def __init__(self, cel: float = 25.0, ph: float = 7.0, do_percent: float = 100.0) -> None:
        self.now_in_it = Liquid(cel, ph, do_percent)
        self.ppm = 600.0

    def liquid(self, now: float) -> Liquid:
        return self.now_in_it

    def air(self, now: float) -> Air:
        return Air(22.0, self.ppm / 1e4, 20.9, 40.0, door_open=False)

    def pour(self, **values: float) -> None:
        self.now_in_it = self.now_in_it._replace(**values)


MODELS = {
    "atlas_ezo_ph": simulated.AtlasEzoPh,
    "atlas_ezo_do": simulated.AtlasEzoDo,
    "atlas_ezo_rtd": simulated.AtlasEzoRtd,
    "atlas_ezo_ec": simulated.AtlasEzoEc,
    "atlas_ezo_orp": simulated.AtlasEzoOrp,
    "atlas_ezo_co2": simulated.AtlasEzoCo2,
}


class Bench:
    """A circuit in a beaker and its driver, connected as the controller does it."""

    def __init__(self, model: str, *, seed: int | None = None, beaker: Beaker | None = None, **options: Any) -> None:
        self.beaker = beaker or Beaker()
        self.circuit = MODELS[model](self.beaker, seed=seed, options=options)
        self.rig: Rig[Device] = Rig(find(model), self.circuit)
        self.driver = cast("AtlasEzo", self.rig.driver)

    async def connect(self) -> Bench:
        await self.driver.identify()
        await self.driver.prepare()
        return self

    @property
    def state(self) -> Any:
        return self.circuit.state


def ask(circuit: EzoCircuit, text: str, now: float = 100.0) -> str:
    actions = circuit.receive(Bytes(text.encode("latin-1") + b"\r"), now)
    circuit.state.busy_until = now
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode("latin-1")


def silent(circuit: EzoCircuit) -> EzoCircuit:
    circuit.state.continuous = 0
    return circuit


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    def ph_circuit(ph: float = 7.0, cel: float = 25.0, **options: float) -> EzoCircuit:
        return silent(simulated.AtlasEzoPh(Beaker(cel, ph), options=options))

    GOLDEN.check_simulator(lambda: ph_circuit(9.56), "pH", "who", "slope", "not taught", "status", "unknown", "silent")
    GOLDEN.check_simulator(ph_circuit(7.317), "lower case", "mid point", "codes on", "lock")
    warm = ph_circuit()
    warm.state.t_cel, warm.state.settings["ext"], warm.state.baud = 19.5, 1.0, 38400
    GOLDEN.check_simulator(warm, "compensation", "extended", "baud")
    oxygen = silent(simulated.AtlasEzoDo(Beaker()))
    GOLDEN.check_simulator(oxygen, "one output", "salinity", "pressure")
    oxygen.state.settings |= {"%": 1.0, "ppt": 12.5}
    GOLDEN.check_simulator(oxygen, "both outputs", "salinity in ppt")
    rtd = simulated.AtlasEzoRtd(Beaker())
    rtd.state.settings["log"], rtd.state.settings["recall"], rtd.state.log = 6.0, 3.0, [100.0, 104.0, 108.0, 112.0]
    rtd.state.continuous = 0
    GOLDEN.check_simulator(rtd, "logger", "memory", "recall", "export")
    assert GOLDEN.verified


async def test_the_driver_understands_the_published_lines():
    async with GOLDEN.line("who", "slope", "slope of a used probe", "status", "compensation", "extended") as line:
        circuit = AtlasEzoPh(line)
        assert await circuit.identify() == Identity("Atlas Scientific", "EZO-pH", "", "2.16")
        assert (await circuit.neutral_offset.read()).value == 0.0
        assert (await circuit.neutral_offset.read()).value == -0.89
        assert (await circuit.restart_cause.read()).value == "power off"
        assert (await circuit.compensation_temperature.read()).value == 19.5
        assert (await circuit.extended_scale.read()).value is True
    async with GOLDEN.line("not taught", "taught, other firmware", "lock") as line:
        circuit = AtlasEzoPh(line)
        assert (await circuit.calibrated_points.read()).value == 0
        assert (await circuit.calibrated_points.read()).value == 2
        assert (await circuit.protocol_lock.read()).value is False
    async with GOLDEN.line("salinity", "salinity in ppt", "pressure") as line:
        oxygen = AtlasEzoDo(line)
        assert (await oxygen.salinity.read()).value == 0.0
        assert "ppt" in (await oxygen.salinity.read()).why
        assert (await oxygen.air_pressure.read()).value == 101.3
    async with GOLDEN.line("pH", "pH", "compensation") as line:  # twice: the first reading is not believed alone
        assert (await AtlasEzoPh(line).ph.read()).value == 9.56


async def test_a_reading_that_slips_in_before_the_code_is_no_answer():
    async with GOLDEN.line("a reading slipped in", "silent") as line:
        circuit = AtlasEzoPh(line)
        await circuit._tell("C,0")
        assert circuit._talks
        assert await circuit._word("C,?", "?C,") == "0"


async def test_a_ph_of_two_decimals_is_no_reading_of_a_ph_circuit():
    async with GOLDEN.line("two decimals") as line:
        with pytest.raises(BadFrame, match=r"7\.82"):
            await AtlasEzoPh(line).ph.read()


async def test_a_reading_without_its_code_is_no_answer():
    async with GOLDEN.line("codes off") as line:
        with pytest.raises(NoAnswer):
            await AtlasEzoRtd(line).temperature.read()


# --- connecting


@pytest.mark.parametrize("model", MODELS)
async def test_a_circuit_fresh_from_the_box_is_silenced_and_then_only_answers(model: str):
    bench = Bench(model)
    assert bench.state.continuous == 1
    await bench.connect()
    assert bench.state.continuous == 0
    assert bench.circuit.wake_at is None
    readings = await bench.driver.poll()
    assert {name: each.why for name, each in readings.items() if each.quality is not Quality.GOOD} == {}
    assert set(readings) == set(bench.driver.specs())


@pytest.mark.parametrize("other", MODELS)
@pytest.mark.parametrize("model", MODELS)
async def test_another_circuit_is_the_wrong_device(model: str, other: str):
    rig: Rig[Device] = Rig(find(model), MODELS[other](Beaker()))
    if model == other:
        assert (await rig.driver.identify()).maker == "Atlas Scientific"
    else:
        with pytest.raises(WrongDevice):
            await rig.driver.identify()


async def test_a_circuit_with_its_codes_off_is_identified_and_gets_them_back():
    bench = Bench("atlas_ezo_ph")
    bench.state.codes = False
    await bench.connect()
    assert bench.state.codes
    assert (await bench.driver.poll())["ph"].value == 7.0


async def test_what_is_as_it_should_be_is_not_written():
    bench = await Bench("atlas_ezo_do").connect()
    sent: list[bytes] = []
    hear = bench.circuit.message
    bench.circuit.message = lambda text, now: (sent.append(text), hear(text, now))[1]  # type: ignore[method-assign]
    await bench.driver.prepare()
    assert sent == [b"*OK,?", b"C,?", b"O,?"]


async def test_the_outputs_of_an_oxygen_circuit_are_switched_on_and_read_in_the_order_of_the_reading():
    bench = await Bench("atlas_ezo_do", beaker=Beaker(20.0, do_percent=97.6)).connect()
    assert (bench.state.settings["mg"], bench.state.settings["%"]) == (1.0, 1.0)
    readings = await bench.driver.poll()
    assert readings["dissolved_oxygen"].value == 97.6
    assert readings["dissolved_oxygen_mg_l"].value == pytest.approx(0.976 * 9.09, abs=0.02)
    bench.state.settings |= {"mg": 0.0, "%": 0.0}
    assert "switched off" in (await bench.driver.read("dissolved_oxygen")).why


async def test_a_sleeping_circuit_is_woken_by_the_first_question_and_answers_the_second():
    bench = Bench("atlas_ezo_ph")
    bench.state.asleep = True
    assert (await bench.driver.identify()).type == "EZO-pH"


async def test_a_circuit_switched_to_i2c_is_silent_for_good():
    bench = await Bench("atlas_ezo_ph").connect()
    assert ask(bench.circuit, "I2C,99") == "*OK\r*RS\r*RE\r"
    with pytest.raises(NoAnswer):
        await bench.driver.identify()


# --- readings


async def test_ph_follows_the_temperature_that_is_set():
    bench = await Bench("atlas_ezo_ph", beaker=Beaker(37.0, 7.4)).connect()
    assert (await bench.driver.poll())["ph"].value == pytest.approx(7 + 0.4 * 310.15 / 298.15, abs=0.001)
    await bench.driver.write("compensation_temperature", 37.0)
    assert (await bench.driver.poll())["ph"].value == 7.4


@pytest.mark.parametrize("ph", [-3.0, 20.0])
async def test_a_ph_at_the_end_of_the_range_is_bad(ph: float):
    bench = await Bench("atlas_ezo_ph", beaker=Beaker(ph=ph)).connect()
    reading = (await bench.driver.poll())["ph"]
    assert reading.quality is Quality.BAD
    assert "end of the range" in reading.why
    await bench.driver.write("extended_scale", True)
    assert (await bench.driver.poll())["ph"].quality is Quality.BAD


async def test_oxygen_in_mg_l_knows_salt_and_pressure():
    bench = await Bench("atlas_ezo_do", beaker=Beaker(20.0)).connect()
    fresh = (await bench.driver.poll())["dissolved_oxygen_mg_l"].value
    assert fresh == pytest.approx(9.09, abs=0.01)
    await bench.driver.write("salinity", 50000.0)
    await bench.driver.write("air_pressure", 90.25)
    readings = await bench.driver.poll()
    assert readings["dissolved_oxygen"].value == 100.0
    assert readings["dissolved_oxygen_mg_l"].value == round(saturation_mg_l(20, 50000 * 35 / 53000, 90.25), 2)


async def test_a_temperature_circuit_without_probe_says_so():
    bench = await Bench("atlas_ezo_rtd", probe=0).connect()
    reading = (await bench.driver.poll())["temperature"]
    assert reading.quality is Quality.BAD
    assert "no probe" in reading.why


async def test_another_scale_is_put_right_at_connect_and_seen_afterwards():
    bench = Bench("atlas_ezo_rtd", beaker=Beaker(37.0))
    bench.state.settings["scale"] = 2.0
    await bench.connect()
    assert (await bench.driver.read("temperature")).value == 37.0
    ask(bench.circuit, "S,k")
    reading = (await bench.driver.poll())["temperature"]
    assert reading.value is None
    assert "scale is k" in reading.why


async def test_conductivity_passes_over_the_outputs_that_were_on_and_misses_none():
    bench = Bench("atlas_ezo_ec")
    bench.state.settings |= {"TDS": 1.0, "EC": 0.0}
    await bench.connect()
    assert (await bench.driver.read("conductivity")).value == 15000
    ask(bench.circuit, "O,TDS,0")
    assert "connect again" in (await bench.driver.read("conductivity")).why


async def test_redox_may_be_negative():
    bench = await Bench("atlas_ezo_orp").connect()
    bench.beaker.pour(redox_mv=-123.4)
    assert (await bench.driver.read("redox")).value == -123.4


async def test_more_co2_than_the_sensor_can_tell_is_bad():
    bench = await Bench("atlas_ezo_co2").connect()
    assert (await bench.driver.read("co2")).value == 600
    bench.beaker.ppm = 50000.0
    assert "end of the range" in (await bench.driver.read("co2")).why


async def test_what_moves_seldom_is_read_seldom():
    bench = await Bench("atlas_ezo_ph").connect()
    assert "slope_acid" in await bench.driver.poll()
    assert set(await bench.driver.poll()) == {"ph", "compensation_temperature"}
    await asyncio.sleep(600)
    assert "slope_acid" in await bench.driver.poll()


async def test_a_silent_circuit_is_asked_once_and_not_for_every_signal():
    bench = await Bench("atlas_ezo_ph").connect()
    start = asyncio.get_running_loop().time()
    bench.rig.fault("silence:after_s=1")
    readings = await bench.driver.poll()
    assert readings["ph"].value == 7.0
    assert readings["led"].quality is Quality.BAD
    assert asyncio.get_running_loop().time() - start < 6
    bench.rig.wire.faults.clear()
    assert (await bench.driver.poll())["led"].value is True


async def test_a_circuit_that_talks_again_is_understood_and_silenced():
    bench = await Bench("atlas_ezo_ph").connect()
    ask(bench.circuit, "C,1", asyncio.get_running_loop().time())
    for _ in range(4):
        assert (await bench.driver.poll())["ph"].value == 7.0
    assert bench.state.continuous == 0


async def test_a_power_cut_in_the_middle_of_a_question_is_survived_although_the_circuit_talks_afterwards():
    bench = await Bench("atlas_ezo_ph").connect()
    bench.rig.fault("deaf:for_s=3")
    bench.rig.fault("mute:for_s=3")
    with pytest.raises(NoAnswer):
        await bench.driver.poll()
    bench.rig.host.power_cycle()  # the banner is lost, the readings by themselves are not
    await asyncio.sleep(10)
    for _ in range(3):
        reading = (await bench.driver.poll())["ph"]
    assert (reading.value, bench.state.continuous) == (7.0, 0)


async def test_a_restart_makes_one_reading_bad_and_puts_the_circuit_right_again():
    bench = await Bench("atlas_ezo_ph").connect()
    await bench.driver.write("compensation_temperature", 37.0)
    bench.rig.host.power_cycle()
    await asyncio.sleep(3)
    readings = await bench.driver.poll()
    assert "restarted" in readings["ph"].why
    assert readings["compensation_temperature"].value == 25.0
    assert readings["restart_cause"].value == "power off"
    assert (await bench.driver.poll())["ph"].value == 7.0
    assert bench.state.continuous == 0


async def test_a_gas_sensor_that_restarted_is_not_believed_before_it_is_warm():
    bench = await Bench("atlas_ezo_co2").connect()
    bench.rig.host.power_cycle()
    await asyncio.sleep(2)
    await bench.driver.poll()
    assert "warming up" in (await bench.driver.poll())["co2"].why
    await asyncio.sleep(10)
    assert (await bench.driver.poll())["co2"].value == 600


@pytest.mark.parametrize(("volts", "why"), [(5.6, "5.5 V or more"), (3.0, "3.1 V or less")])
async def test_a_supply_outside_its_limits_condemns_the_reading(volts: float, why: str):
    bench = await Bench("atlas_ezo_orp").connect()
    bench.rig.host.act(bench.circuit.supply(volts))
    await asyncio.sleep(0.1)
    assert why in (await bench.driver.poll())["redox"].why
    assert (await bench.driver.poll())["redox"].quality is Quality.GOOD


# --- set points


@pytest.mark.parametrize(
    ("model", "name", "value", "wrong"),
    [
        ("atlas_ezo_ph", "compensation_temperature", 36.5, 120.0),
        ("atlas_ezo_do", "compensation_temperature", 36.5, -1.0),
        ("atlas_ezo_do", "salinity", 14000.0, -1.0),
        ("atlas_ezo_do", "air_pressure", 95.25, 130.0),
        ("atlas_ezo_ec", "compensation_temperature", 36.5, 101.0),
        ("atlas_ezo_ec", "cell_constant", 0.95, 11.0),
    ],
)
async def test_a_set_point_is_checked_written_and_read_back(model: str, name: str, value: float, wrong: float):
    bench = await Bench(model).connect()
    assert (await bench.driver.write(name, value)).value == value
    assert (await bench.driver.read(name)).value == value
    with pytest.raises(OutOfRange):
        await bench.driver.write(name, wrong)
    with pytest.raises(Refused, match="number"):
        await bench.driver.write(name, float("nan"))
    assert (await bench.driver.read(name)).value == value


async def test_switches_and_the_name_are_written_and_read_back():
    bench = await Bench("atlas_ezo_rtd").connect()
    for name in ("led", "protocol_lock"):
        for on in (False, True):
            assert (await bench.driver.write(name, on)).value is on
    assert ask(bench.circuit, "I2C,102") == "*ER\r"
    assert (await bench.driver.write("device_name", "reactor_1")).value == "reactor_1"
    for wrong in ("", "?", "a,b", "x" * 17, 7.0):
        with pytest.raises(Refused):
            await bench.driver.write("device_name", wrong)
    with pytest.raises(Refused, match="only be read"):
        await bench.driver.write("temperature", 5.0)
    with pytest.raises(Refused, match="on or off"):
        await bench.driver.write("led", 1.0)


async def test_a_value_that_the_circuit_does_not_keep_is_refused():
    bench = await Bench("atlas_ezo_ph").connect()
    bench.circuit.handlers["T"] = lambda words, now: ["?T,25.0"] if words == ["?"] else []
    with pytest.raises(Refused, match=r"25\.0"):
        await bench.driver.write("compensation_temperature", 37.0)


# --- calibration


async def test_a_ph_probe_is_taught_three_points_in_their_order():
    bench = await Bench("atlas_ezo_ph", slope_percent=96, offset_mv=4.0, beaker=Beaker(ph=7.0)).connect()
    assert (await bench.driver.poll())["ph"].value == pytest.approx(7 - 4 / 59.16, abs=0.001)
    with pytest.raises(Refused, match="mid point first"):
        await bench.driver.calibrate("low", 4.0)
    assert (await bench.driver.calibrate("mid", 7.0))["points"] == 1
    bench.beaker.pour(ph=4.005)
    assert (await bench.driver.calibrate("low", 4.005))["points"] == 2
    bench.beaker.pour(ph=10.01)
    taught = await bench.driver.calibrate("high", 10.01)
    assert taught == {
        "points": 3, "slope_acid_percent": 96.0, "slope_base_percent": 96.0, "neutral_offset_mv": 4.0
    }  # fmt: skip
    assert bench.state.points["low"] == 4.005
    bench.beaker.pour(ph=7.4)
    assert (await bench.driver.poll())["ph"].value == 7.4
    bench.beaker.pour(ph=7.0)
    assert (await bench.driver.calibrate("mid", 7.0))["points"] == 1  # erases the others
    await bench.driver.clear_calibration()
    assert (await bench.driver.calibration())["points"] == 0


async def test_a_reference_has_to_be_a_number_in_the_range():
    bench = await Bench("atlas_ezo_ph").connect()
    with pytest.raises(OutOfRange):
        await bench.driver.calibrate("mid", 15.0)
    with pytest.raises(Refused, match="true value"):
        await bench.driver.calibrate("mid")
    with pytest.raises(Refused, match="there is mid, low, high"):
        await bench.driver.calibrate("middle", 7.0)
    assert bench.state.points == {}


async def test_an_oxygen_probe_is_taught_at_the_sheets_settings_and_gets_its_own_back():
    bench = await Bench("atlas_ezo_do", air_percent=90, zero_percent=2, beaker=Beaker(37.0, do_percent=0)).connect()
    await bench.driver.write("compensation_temperature", 37.0)
    await bench.driver.write("salinity", 14000.0)
    seen: list[tuple[float, float, float]] = []
    teach = bench.circuit.teach

    def teach_and_tell(words: list[str], now: float) -> bool:
        seen.append((bench.state.t_cel, bench.state.settings["uS"], bench.state.settings["kPa"]))
        return teach(words, now)

    bench.circuit.teach = teach_and_tell  # type: ignore[method-assign]
    assert await bench.driver.calibrate("zero") == {"points": 1}
    bench.beaker.pour(do_percent=100.0)
    assert await bench.driver.calibrate("air") == {"points": 2}
    assert seen == [(20.0, 0.0, 101.3)] * 2
    assert (bench.state.t_cel, bench.state.settings["uS"]) == (37.0, 14000.0)
    bench.beaker.pour(do_percent=50.0)
    assert (await bench.driver.read("dissolved_oxygen")).value == 50.0


async def test_a_calibration_the_circuit_refuses_leaves_the_settings_as_they_were():
    bench = await Bench("atlas_ezo_do").connect()
    await bench.driver.write("compensation_temperature", 37.0)
    bench.circuit.teach = lambda words, now: False  # type: ignore[method-assign]
    with pytest.raises(Refused):
        await bench.driver.calibrate("air")
    assert (await bench.driver.read("compensation_temperature")).value == 37.0


async def test_temperature_redox_and_co2_are_taught_in_one_or_two_points():
    rtd = await Bench("atlas_ezo_rtd", beaker=Beaker(36.4)).connect()
    assert await rtd.driver.calibrate("single", 37.0) == {"points": 1}
    assert (await rtd.driver.read("temperature")).value == 37.0
    orp = await Bench("atlas_ezo_orp", offset_mv=12.0).connect()
    assert await orp.driver.calibrate("single", 225.0) == {"points": 1}
    assert (await orp.driver.read("redox")).value == 225.0
    gas = await Bench("atlas_ezo_co2", zero_ppm=40, gain=1.1).connect()
    gas.beaker.ppm = 0.0
    assert await gas.driver.calibrate("zero") == {"points": 1}
    gas.beaker.ppm = 5000.0
    assert await gas.driver.calibrate("high", 5000.0) == {"points": 3}
    assert (await gas.driver.read("co2")).value == 5000


async def test_a_conductivity_probe_is_taught_dry_first():
    bench = await Bench("atlas_ezo_ec", cell=1.2).connect()
    bench.beaker.pour(ms_cm=12.88)
    with pytest.raises(Refused):
        await bench.driver.calibrate("single", 12880.0)
    await bench.driver.calibrate("dry")
    assert await bench.driver.calibrate("single", 12880.0) == {"points": 1}
    assert (await bench.driver.read("conductivity")).value == 12880
    bench.beaker.pour(ms_cm=80.0)
    await bench.driver.calibrate("dry")
    await bench.driver.calibrate("low", 80000.0)
    assert await bench.driver.calibrate("high", 80000.0) == {"points": 2}


async def test_a_calibration_is_exported_for_the_record_and_goes_back_in():
    bench = await Bench("atlas_ezo_ph", slope_percent=96).connect()
    await bench.driver.calibrate("mid", 7.0)
    strings = await bench.driver.export_calibration()
    assert len(strings) == 10
    assert sum(map(len, strings)) == 120
    twin = silent(simulated.AtlasEzoPh(Beaker()))
    said = [ask(twin, f"Import,{text}") for text in strings]
    assert said == ["*OK\r"] * 9 + ["*Pending\r*RE\r"]
    assert twin.state.points == bench.state.points
    assert ask(twin, "Import,") == ask(twin, "Import,thirteen-long") == "*ER\r"


async def test_an_export_of_another_length_than_announced_is_refused():
    bench = await Bench("atlas_ezo_ph").connect()
    export = bench.circuit.handlers["EXPORT"]
    bench.circuit.handlers["EXPORT"] = lambda words, now: ["10,118"] if words else export(words, now)
    with pytest.raises(BadFrame, match="118"):
        await bench.driver.export_calibration()


async def test_the_last_string_may_bring_its_end_with_it():
    async with GOLDEN.line("last string") as line:
        assert await AtlasEzoPh(line)._export_one() == ("AAAA", True)


# --- sleep


@pytest.mark.parametrize("first", ["ok", "sl"])
async def test_a_circuit_sleeps_and_wakes_in_either_order_of_its_codes(first: str):
    bench = await Bench("atlas_ezo_ph", sleep_says=first).connect()
    await bench.driver.sleep()
    assert bench.state.asleep
    await asyncio.sleep(60)
    await bench.driver.wake()
    assert not bench.state.asleep
    assert (await bench.driver.poll())["ph"].value == 7.0
    await bench.driver.wake()  # awake already
    assert (await bench.driver.poll())["ph"].value == 7.0


async def test_a_command_that_only_woke_the_circuit_was_not_carried_out():
    bench = await Bench("atlas_ezo_ph").connect()
    bench.state.asleep = True
    with pytest.raises(BadFrame, match="asleep"):
        await bench.driver.write("compensation_temperature", 37.0)
    assert bench.state.t_cel == 25.0
    await bench.driver.write("compensation_temperature", 37.0)
    assert bench.state.t_cel == 37.0


async def test_a_circuit_blinks_to_be_found():
    bench = await Bench("atlas_ezo_ph").connect()
    await bench.driver.blink()
    assert (await bench.driver.poll())["ph"].quality is Quality.GOOD


# --- the simulator


def test_commands_of_any_case_and_settings_answer_in_the_sheets_form():
    oxygen = silent(simulated.AtlasEzoDo(Beaker(20.0, do_percent=97.6)))
    assert ask(oxygen, "rt,19.500") == ask(oxygen, "R")
    assert ask(oxygen, "t,?") == "?T,19.5\r*OK\r"
    assert ask(oxygen, "s,37.5,PPT") == "*ER\r"
    assert ask(oxygen, "s,37.5,ppt") == "*OK\r"
    assert ask(oxygen, "S,?") == "?S,37.5,ppt\r*OK\r"
    assert ask(oxygen, "S,50000") == "*OK\r"
    assert ask(oxygen, "S,?") == "?S,50000,\xb5S\r*OK\r"
    assert ask(oxygen, "P,90.25") == "*OK\r"
    assert ask(oxygen, "P,?") == "?,P,90.25\r*OK\r"
    for wrong in ("R,1", "T,x", "T", "P,0", "S,-1", "O,X,1", "O,mg,2", "Cal,1", "C,100", "C,x", "L,2", "Baud,9601",
                  "I2C,128", "Name,12345678901234567", "Slope,?", "", "Export,1", "RT,?"):  # fmt: skip
        assert ask(oxygen, wrong) == "*ER\r", wrong
    assert ask(oxygen, "O,mg,0") == "*OK\r"
    assert ask(oxygen, "R") == "no output\r*OK\r"
    assert ask(oxygen, "*OK,0") == ""
    assert ask(oxygen, "*OK,?") == "?*OK,0\r"
    assert ask(oxygen, "xyz") == "*ER\r"
    assert ask(oxygen, "Baud,19200") == ""
    assert ask(oxygen, "Factory") == "*OK\r*RS\r*RE\r"
    assert oxygen.wake_at is not None


def test_the_memory_of_a_temperature_circuit():
    rtd = simulated.AtlasEzoRtd(Beaker(37.0))
    silent(rtd)
    assert ask(rtd, "M") == ask(rtd, "M,all") == "*ER\r"
    rtd.log_now(0.0)
    assert ask(rtd, "S,f") == "*OK\r"
    rtd.log_now(1.0)
    assert ask(rtd, "M") == "1,37.00\r*OK\r"
    assert ask(rtd, "m,ALL") == "37.00,98.60\r*OK\r"
    assert ask(rtd, "M,clear") == "*OK\r"
    assert ask(rtd, "M,?") == "?M,0\r*OK\r"
    assert ask(rtd, "D,6") == "*OK\r"
    assert ask(rtd, "D,?") == "?D,6\r*OK\r"
    assert ask(rtd, "D,x") == ask(rtd, "S,x") == ask(rtd, "Cal,x") == "*ER\r"


def test_other_outputs_and_alarms_of_the_rarer_circuits():
    salts = silent(simulated.AtlasEzoEc(Beaker()))
    assert ask(salts, "O,SG,1") == ask(salts, "K,1.5") == "*OK\r"
    assert ask(salts, "O,?") == "?,O,EC,SG\r*OK\r"
    assert ask(salts, "K,?") == "?K,1.5\r*OK\r"
    assert ask(salts, "R") == "22500,1.011\r*OK\r"
    assert ask(salts, "K,0") == ask(salts, "O,pH,1") == "*ER\r"
    gas = silent(simulated.AtlasEzoCo2(Beaker()))
    assert ask(gas, "Alarm,5000") == ask(gas, "O,t,1") == "*OK\r"
    assert ask(gas, "R") == "600,22.000\r*OK\r"
    assert ask(gas, "Alarm,x") == ask(gas, "O,x,1") == ask(gas, "Cal,-1") == "*ER\r"


def test_readings_come_every_second_and_replies_after_their_time():
    circuit = simulated.AtlasEzoPh(Beaker())
    circuit.receive(Opened(), 10.0)
    assert circuit.wake_at == 11.0
    assert circuit.wake(11.0) == [Send(pytest.approx(6 * 10 / 9600), b"7.000\r")]  # type: ignore[arg-type]
    assert circuit.wake(11.5) == []
    assert circuit.wake_at == 12.0
    [reading, status] = circuit.receive(Bytes(b"R\rStatus\r"), 11.5)
    assert reading.delay_s == pytest.approx(0.8 + 12 / 960)
    assert status.delay_s == pytest.approx(0.8 + 0.3 + (7 + 20) / 960)
    assert ask(circuit, "C,5", 20.0) == "*OK\r"
    assert circuit.wake_at == 25.0


def test_a_restored_circuit_goes_on_with_the_same_calibration_and_noise():
    beaker = Beaker(ph=7.4)
    circuit = simulated.AtlasEzoPh(beaker, seed=5)
    ask(circuit, "Cal,mid,7.40")
    circuit.receive(Bytes(b"Sta"), 101.0)
    twin = simulated.AtlasEzoPh(beaker, seed=5)
    twin.restore(json.loads(json.dumps(circuit.snapshot())))
    assert twin.wake_at == circuit.wake_at
    assert ask(twin, "tus", 102.0) == ask(circuit, "tus", 102.0) == "?Status,P,5.038\r*OK\r"
    values = [ask(circuit, "R", 103.0) for _ in range(5)]
    assert [ask(twin, "R", 103.0) for _ in range(5)] == values
    assert len(set(values)) > 1


@pytest.mark.parametrize("model", MODELS)
def test_noise_comes_with_a_seed_only(model: str):
    quiet, noisy = (MODELS[model](Beaker(), seed=seed) for seed in (None, 3))
    assert len({quiet.reading(float(second)) for second in range(30)}) == 1
    assert len({noisy.reading(float(second)) for second in range(30)}) > 1


def test_power_loss_keeps_calibration_and_settings_but_not_the_compensation():
    circuit = simulated.AtlasEzoDo(Beaker())
    for command in ("T,37", "S,14000", "P,95", "Cal", "Name,tank", "C,0"):
        assert ask(circuit, command) == "*OK\r"
    [banner] = circuit.power_cycle(200.0)
    assert isinstance(banner, Send)
    assert banner.data == b"*RS\r*RE\r"
    state = circuit.state
    assert (state.t_cel, state.settings["uS"], state.settings["kPa"], state.name) == (20.0, 14000.0, 95.0, "tank")
    assert (len(state.points), state.continuous) == (1, 1)
    kept = simulated.AtlasEzoDo(Beaker(), options={"continuous_kept": 1})
    ask(kept, "C,0")
    kept.power_cycle(200.0)
    assert kept.state.continuous == 0


# --- damage


@pytest.mark.parametrize("model", MODELS)
async def test_every_cut_of_a_reading_is_a_named_error(model: str):
    bench = await Bench(model).connect()
    hear = bench.circuit.message
    for length in range(5):

        def cut(text: bytes, now: float, length: int = length) -> Any:
            actions = cast("list[Send]", hear(text, now))
            return [Send(action.delay_s, action.data[:length]) for action in actions if length]

        bench.circuit.message = cut  # type: ignore[method-assign]
        with pytest.raises(WireError):
            await bench.driver.poll()


async def test_endless_bytes_without_a_line_end_are_a_bad_frame():
    bench = await Bench("atlas_ezo_ph").connect()
    bench.circuit.message = lambda text, now: [Send(0.1, b"7" * 300)]  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="line end"):
        await bench.driver.poll()


async def test_a_doubled_digit_is_asked_for_again_and_not_believed():
    bench = await Bench("atlas_ezo_rtd", beaker=Beaker(37.0)).connect()
    assert (await bench.driver.poll())["temperature"].value == 37.0
    hear = bench.circuit.message

    def doubled(text: bytes, now: float) -> Any:
        bench.circuit.message = hear  # type: ignore[method-assign]
        [action] = cast("list[Send]", hear(text, now))
        return [Send(action.delay_s, b"3" + action.data)]

    bench.circuit.message = doubled  # type: ignore[method-assign]
    reading = (await bench.driver.poll())["temperature"]
    assert reading.value is None
    assert "different length" in reading.why
    assert (await bench.driver.poll())["temperature"].value == 37.0
    bench.beaker.pour(cel=4.0)
    assert (await bench.driver.poll())["temperature"].value == 4.0


async def test_a_hang_up_is_a_lost_link():
    bench = await Bench("atlas_ezo_ph").connect()
    bench.rig.fault("hang-up:every=1")
    with pytest.raises(LinkLost):
        await bench.driver.poll()


# --- what the drivers declare


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [AtlasEzoPh, AtlasEzoDo, AtlasEzoRtd, AtlasEzoEc, AtlasEzoOrp, AtlasEzoCo2])
def test_a_circuit_only_measures(kind: type[AtlasEzo]):
    assert kind.on_link_loss is LinkLoss.ONLY_MEASURES
    assert kind.verified is None
    assert set(kind.measured) <= set(kind.specs())
    assert set(kind.seldom) == set(kind.specs()) - {*kind.measured, *kind.every_poll}
    for point in kind.calibration_points.values():
        assert point.signal in kind.specs()
        assert point.what


# --- what another program may do


def test_both_oxygen_points_may_be_taught_in_one_liquid():
    circuit = simulated.AtlasEzoDo(Beaker())
    ask(circuit, "C,0")
    assert (ask(circuit, "Cal"), ask(circuit, "Cal,0"), ask(circuit, "Cal,?")) == ("*OK\r", "*OK\r", "?Cal,2\r*OK\r")
    assert ask(circuit, "R").endswith("*OK\r")


def test_points_of_one_ph_and_compensation_at_absolute_zero_are_refused():
    circuit = simulated.AtlasEzoPh(Beaker())
    assert ask(circuit, "Cal,mid,7.00") == "*OK\r"
    assert (ask(circuit, "Cal,high,7.00"), ask(circuit, "Cal,low,7.00")) == ("*ER\r", "*ER\r")
    assert ask(circuit, "RT,-273.15") == "*ER\r"
    assert ask(circuit, "r") == "7.000\r*OK\r"


@pytest.mark.parametrize("strings", [["abc:xyz"] * 10, ["low:9", *["."] * 9], ["hig:4", *["."] * 9]])
def test_strings_that_are_no_calibration_are_refused_at_their_end(strings: list[str]):
    circuit = simulated.AtlasEzoPh(Beaker())
    said = [ask(circuit, f"Import,{text}") for text in strings]
    assert said == ["*OK\r"] * 9 + ["*ER\r"]
    assert ask(circuit, "Cal,?") == "?Cal,0\r*OK\r"
    assert ask(circuit, "Slope,?") == "?Slope,100.0,100.0,0.00\r*OK\r"


@pytest.mark.parametrize("pieces", [["Status\r"], ["S", "tatus", "\r"], ["S"], ["Status\rR\r"]])
def test_the_characters_that_wake_a_circuit_are_lost_however_they_come(pieces: list[str]):
    circuit = simulated.AtlasEzoPh(Beaker())
    ask(circuit, "C,0")
    assert ask(circuit, "Sleep") == "*OK\r*SL\r"
    said = b""
    for at, piece in enumerate(pieces):
        actions = circuit.receive(Bytes(piece.encode()), 200 + at * 0.001)
        said += b"".join(action.data for action in actions if isinstance(action, Send))
    assert said == (b"*WA\r7.000\r*OK\r" if pieces[0].endswith("R\r") else b"*WA\r")
    assert ask(circuit, "i", 201.0) == "?i,pH,2.16\r*OK\r"


async def test_a_comma_more_or_less_behind_the_question_mark_is_the_same_answer():
    other = golden(
        "atlas_ezo",
        r"""
        Oddities | X | > "P,?\r" | < "?P,101.3\r*OK\r"  | pressure
        Oddities | X | > "T,?\r" | < "?,T,19.5\r*OK\r"  | compensation
        Oddities | X | > "O,?\r" | < "?O,%,mg\r*OK\r"   | outputs
        """,
    )
    async with other.line() as line:
        driver = AtlasEzoDo(line)
        assert (await driver.read("air_pressure")).value == 101.3
        assert (await driver.read("compensation_temperature")).value == 19.5
        await driver._arrange()
