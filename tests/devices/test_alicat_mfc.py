"""Alicat in ASCII (two dialects and a meter) and over Modbus: the sheet at both ends, flow, gas, holds, streaming."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from drivers.catalogue import find
from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.alicat_mfc import AlicatMeter, AlicatMfc, AlicatMfcModbus, AlicatMfcOld
from drivers.devices.alicat_mfc import frame as frames
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.core.surroundings import GasStream
from simulators.devices import alicat_mfc as simulated
from simulators.standalone import StillGasLine
from tests.devices.golden import golden
from tests.devices.rig import Rig, Setting

SETTINGS = {"alicat_mfc_modbus": Setting({"flow_unit": "SCCM", "full_scale": 500.0})}

ASCII = golden(
    "alicat_mfc",
    r"""
    Data frame | V | > "A\r"        | < "A +014.70 +025.00 +000.00 +000.00 000.00     CO2\r"      | poll
    Data frame | L | > "A\r"        | < "A +014.62 +021.89 +000.00 +000.00 +078.95     N2\r"      | poll 10v20
    Examples   | R | > 41 52 31 32 32 0D | < 41 20 20 20 31 32 32 20 3D 20 33 37 0D              | loop variable
    Examples   | R | > 41 53 32 35 2E 30 30 0D | < "A +014.70 +025.00 +025.00 +025.00 025.00    CO2\r" | set point 25
    Examples   | R | > 41 24 24 57 34 36 3D 38 0D | < 41 20 20 20 30 34 36 20 3D 20 38 0D        | gas 8
    Examples   | R | > 41 24 24 52 34 36 0D | < 41 20 20 20 30 34 36 20 3D 20 38 0D              | read gas
    Examples   | R | > 41 24 24 48 0D | < "A +014.70 +025.00 +025.00 +025.00 025.00     N2 HLD\r"   | hold
    Commands   | L | > "AFPF 5\r"   | < "A +500.00 12 SCCM\r"                                      | full scale
    Commands   | L | > "ALSS\r"     | < "A S\r"                                                    | source
    Commands   | L | > "ALS 25.0\r" | < "A +025.00 +025.00 12 SCCM\r"                             | load set point
    Commands   | N | > "ALSRC 1 1 0 0\r" | < "A 1 1 0 0\r"                                         | ramp cases
    Commands   | R | > "AW122=37\r" | < "A   122 = 37\r"                                         | write loop variable
    Commands   | VX | > "A32000\r"   | < "A +014.70 +025.00 +025.00 +025.00 250.00    CO2\r"       | legacy set point
    Commands   | L | > "AGS 4\r"    | < "A 4 CO2 Carbon Dioxide\r"                                 | gas and name
    Commands   | N | > "ASR 10 4\r" | < "A 10.0000000 7 4 SLPM/s\r"                                | ramp
    Commands   | L | > "AVE\r"      | < "A   10v20.0-R24 Jan  9 2025,15:04:07\r"                   | firmware
    Commands   | V | > "AGM MyMix 252 71.35 7 19.25 8 9.40 4\r" | < "A 252 71.35% He 19.25% N2 9.40% CO2\r" | mix
    """,
)
MODBUS = golden(
    "alicat_mfc",
    r"""
    Modbus | VX | > 01 10 03 F1 00 02 04 41 C8 00 00 BC 15 | < 01 10 03 F1 00 02 10 7F | set point 25
    Modbus | VX | > 01 03 03 F1 00 02 95 BC | < 01 03 04 41 C8 00 00 6F F1 | read set point
    Modbus | VX | > 01 03 04 AF 00 0B 35 1C | < 01 03 16 00 04 00 00 00 00 41 6B 33 33 41 C8 00 00 41 C7 33 33 41 C8 00 00 84 02 | read 1200
    Modbus | VX | > 01 03 04 AF 00 03 34 DA | < 01 03 06 00 04 00 00 01 10 D0 E9 | flags
    Modbus | VX | > 01 10 03 E7 00 02 04 00 01 00 04 F8 F2 | < 01 10 03 E7 00 02 F1 BB | select gas 4
    Modbus | VX | > 01 10 03 E7 00 02 04 00 04 00 02 68 F1 | < 01 10 03 E7 00 02 F1 BB | tare flow
    Modbus | VX | > 01 10 03 E7 00 02 04 00 06 00 01 89 30 | < 01 10 03 E7 00 02 F1 BB | hold closed
    Modbus | VX | > 01 10 03 E7 00 02 04 00 06 00 00 48 F0 | < 01 10 03 E7 00 02 F1 BB | cancel hold
    Modbus | VX | > 01 03 03 E7 00 02 74 78 | < 01 03 04 00 01 00 00 AB F3 | result ok
    Modbus | VX | > 01 03 03 E7 00 02 74 78 | < 01 03 04 00 01 80 02 4B F2 | result invalid
    Modbus | VX | > 01 03 04 B0 00 01 84 DD | < 01 83 02 C0 F1 | illegal address
    """,  # noqa: E501 - frames stay as the sheet prints them
)
SPN = 298.15 / 273.15
"""Standard (25 °C in these simulators) over normal (0 °C)."""
CONTROLLERS = ("alicat_mfc", "alicat_mfc_old")


class Pipe:
    """A line with one flow (mL/min standard), whatever the controller wants; remembers what it wanted."""

    def __init__(self, standard: float = 25.0, cel: float = 25.0, bar: float = 1.01325) -> None:
        self.now_in_it = GasStream(standard / SPN, cel, bar)
        self.wanted: list[float] = []

    def stream(self, now: float) -> GasStream:
        return self.now_in_it

    def drive(self, now: float, normal_ml_min: float) -> None:
        self.wanted.append(normal_ml_min)


class Says:
    """A link at whose far end the requests get these bytes, one after the other; the last for all that follow."""

    url = "says://"
    is_open = False

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.left = b""
        self.sent: list[bytes] = []

    async def dial(self) -> None:
        self.is_open = True

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        self.left = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def read(self) -> bytes:
        if not self.left:
            await asyncio.sleep(1e9)
        data, self.left = self.left, b""
        return data

    def waiting(self) -> bytes:
        return b""

    async def close(self) -> None:
        self.is_open = False


COLUMNS = "pressure PSIA, temperature C, volumetric_flow CCM, standard_flow SCCM, flow_setpoint SCCM"
SHEET = {"columns": COLUMNS, "full_scale": "500.00 SCCM"}


def saying(*replies: str, **options: str) -> AlicatMfcOld:
    return AlicatMfcOld(Line(Says(*(reply.encode("latin-1") for reply in replies))), 1, {**SHEET, **options})


async def ready(model: str, options: Mapping[str, float | str] | None = None) -> Rig:
    rig = Rig.of(model, options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def ask(unit: simulated.AlicatMeter, request: str, now: float = 0.0) -> str:
    said = unit.receive(Bytes(request.encode()), now)
    return b"".join(action.data for action in said if isinstance(action, Send)).decode()


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    old = simulated.AlicatMfcOld(Pipe(), options={"gas": 4})
    ASCII.check_simulator(old, "loop variable", "set point 25", "gas 8", "read gas", "hold")
    ASCII.check_simulator(simulated.AlicatMfcOld(Pipe(), options={"gas": 4}), "write loop variable", "legacy set point")
    new = simulated.AlicatMfc(Pipe(), options={})
    ASCII.check_simulator(
        new, "full scale", "source", "gas and name", "firmware", "mix", "load set point", "ramp cases"
    )
    ASCII.check_simulator(simulated.AlicatMfc(Pipe(), options={"unit": "SLPM"}), "ramp")
    at_rest = simulated.AlicatMfc(Pipe(0.0, 21.89, 14.62 / 14.503774), options={"gas": 8})
    at_rest.state.set_point = 78.95
    ASCII.check_simulator(at_rest, "poll 10v20")
    assert ASCII.verified


async def test_the_driver_reads_the_published_frames():
    async with ASCII.line("poll", "poll 10v20") as line:
        unit = AlicatMfcOld(line, 1, SHEET)
        readings = await unit.poll()
        assert (readings["pressure"].value, readings["temperature"].value) == (14.70, 25.0)
        assert (readings["standard_flow"].value, readings["flow_setpoint"].value) == (0.0, 0.0)
        assert (readings["gas"].value, readings["status"].value) == ("CO2", "good")
        assert (await unit.read("flow_setpoint")).value == 78.95


async def test_the_driver_sends_and_reads_back_as_published():
    async with ASCII.line("full scale", "source") as line:
        unit = AlicatMfc(line, 1, {"columns": COLUMNS})
        await unit.prepare()
        assert unit.full_scale == (500.0, 2, "SCCM")
        assert (await unit.read("setpoint_source")).value == "serial"
    async with ASCII.line("set point 25", "poll") as line:
        with pytest.raises(Refused, match=r"0 SCCM after 25\.00"):
            await AlicatMfcOld(line, 1, SHEET).write("flow_setpoint", 25.0)
    async with ASCII.line("poll", "gas 8", "poll 10v20") as line:
        assert (await AlicatMfcOld(line, 1, SHEET).write("gas", "N2")).value == "N2"
    async with ASCII.line("hold", "poll") as line:
        with pytest.raises(Refused, match="HLD"):
            await AlicatMfcOld(line, 1, SHEET).hold_valve()
    async with ASCII.line("mix") as line:
        parts = {"He": 71.35, "N2": 19.25, "CO2": 9.40}
        assert await AlicatMfc(line, 1, SHEET).create_mix("MyMix", parts, 252) == 252


def test_the_modbus_simulator_says_what_the_sheet_says():
    MODBUS.check_simulator(
        lambda: simulated.AlicatMfcModbus(Pipe()), "set point 25", "select gas 4", "tare flow", "hold closed"
    )
    MODBUS.check_simulator(simulated.AlicatMfcModbus(Pipe()), "set point 25", "read set point", "cancel hold")
    MODBUS.check_simulator(simulated.AlicatMfcModbus(Pipe()), "select gas 4", "result ok")
    bar = 14.7 / 14.503774
    standard_cel = 298.15 * 25.0 / 24.9 * 1.01325 / bar - 273.15
    pipe = Pipe(25.0 * SPN * 273.15 / (273.15 + standard_cel), 25.0, bar)
    device = simulated.AlicatMfcModbus(pipe, options={"gas": 4, "standard_cel": standard_cel})
    MODBUS.check_simulator(device, "read 1200")
    device = simulated.AlicatMfcModbus(Pipe(600.0, bar=2.0), options={"gas": 4})
    device.state.hold, device.full_scale = "closed", 540.0
    MODBUS.check_simulator(device, "flags")
    device.state.command = [1, simulated.over_modbus.BAD_SETTING]
    MODBUS.check_simulator(device, "result invalid", "illegal address")


async def test_the_modbus_driver_sends_and_reads_the_sheets_frames():
    options = SETTINGS["alicat_mfc_modbus"].options
    async with MODBUS.line("read set point", "read 1200", "set point 25", "read set point") as line:
        device = AlicatMfcModbus(line, 1, options)
        readings = await device.poll()
        values = {name: reading.value for name, reading in readings.items()}
        assert values["gas"] == "CO2"
        assert values["status"] == "good"
        assert values["pressure"] == pytest.approx(14.7)
        assert values["volumetric_flow"] == pytest.approx(24.9)
        assert (values["standard_flow"], values["temperature"], values["flow_setpoint"]) == (25.0, 25.0, 25.0)
        assert (await device.write("flow_setpoint", 25.0)).value == 25.0
    async with MODBUS.line("select gas 4", "result ok", "select gas 4", "result invalid") as line:
        device = AlicatMfcModbus(line, 1, options)
        await device.do(1, 4)
        with pytest.raises(Refused, match="invalid setting"):
            await device.do(1, 4)


# --- who it is


async def test_maker_model_serial_and_firmware_come_from_the_manufacturer_table():
    identity = await Rig.of("alicat_mfc").driver.identify()
    assert (identity.maker, identity.type, identity.serial, identity.firmware) == (
        "Alicat", "MC-500SCCM-D", "521641", "10v20.0-R24"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("driver", "simulator", "why"),
    [
        (AlicatMfc, simulated.AlicatMfcOld, "another dialect"),
        (AlicatMfcOld, simulated.AlicatMfc, "another dialect"),
        (AlicatMfc, simulated.AlicatMeter, "model number"),
        (AlicatMeter, simulated.AlicatMfc, "model number"),
    ],
)
async def test_another_dialect_or_a_meter_is_the_wrong_device(
    driver: type[AlicatMeter], simulator: type[simulated.AlicatMeter], why: str
):
    with pytest.raises(WrongDevice, match=why):
        await driver(Line(MemoryHost(simulator(Pipe())).link()), 1).identify()


async def test_what_does_not_know_the_manufacturer_table_is_the_wrong_device():
    with pytest.raises(WrongDevice, match=r"\?\?M"):
        await saying("?\r").identify()
    table = "".join(f"A  M{number:02d} ACME\r" for number in range(10))
    with pytest.raises(WrongDevice, match="ACME"):
        await saying(table).identify()


async def test_another_modbus_device_is_the_wrong_device():
    from simulators.devices.hamilton_arc import HamiltonArcPh
    from simulators.standalone import StillLiquid

    with pytest.raises(WrongDevice, match="1200"):
        await AlicatMfcModbus(Line(MemoryHost(HamiltonArcPh(StillLiquid())).link()), 1).identify()
    lenient = simulated.AlicatMfcModbus(Pipe())
    lenient.blocks[1200] = type(lenient.blocks[1200])(1200, 2, lenient.blocks[1200].read, whole=False)
    with pytest.raises(WrongDevice, match="half a 32-bit value"):
        await AlicatMfcModbus(Line(MemoryHost(lenient).link()), 1).identify()
    frozen = simulated.AlicatMfcModbus(Pipe(cel=-270.0))
    with pytest.raises(WrongDevice, match="temperature"):
        await AlicatMfcModbus(Line(MemoryHost(frozen).link()), 1).identify()


@pytest.mark.parametrize("address", [-1, 27])
def test_only_the_letters_a_to_z_are_unit_ids(address: int):
    with pytest.raises(ValueError, match="unit ID"):
        AlicatMfc(Line(Says(b"")), address)


def test_options_that_no_device_can_have_are_said_at_once():
    for options, why in (
        ({"columns": "flow SCCM"}, "none of"),
        ({"full_scale": "lots"}, "500.00 SCCM"),
        ({"streaming": "go"}, "stop"),
        ({"unit": "SCCM"}, "no option"),
    ):
        with pytest.raises(ValueError, match=why):
            AlicatMfc(Line(Says(b"")), 1, options)
    with pytest.raises(ValueError, match="flow_unit"):
        AlicatMfcModbus(Line(Says(b"")), 1, {"flow_unit": "NLPM"})


# --- flow


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_mfc_modbus"])
async def test_a_set_point_is_read_back_and_the_flow_follows_it(model: str):
    rig = await ready(model)
    reading = await rig.driver.write("flow_setpoint", 50.0)
    assert reading.value == 50.0
    await asyncio.sleep(30)
    readings = await rig.driver.poll()
    assert readings["standard_flow"].value == pytest.approx(50.0, abs=0.01)
    assert rig.place.stream(asyncio.get_running_loop().time()).normal_ml_min == pytest.approx(50.0 / SPN, rel=1e-3)
    assert readings["volumetric_flow"].value == pytest.approx(50.0 * 1.01325 / 2.0, abs=0.01)


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_mfc_modbus"])
@pytest.mark.parametrize("value", [-1.0, 500.5])
async def test_a_set_point_outside_full_scale_is_never_sent(model: str, value: float):
    rig = await ready(model)
    with pytest.raises(OutOfRange, match="full scale"):
        await rig.driver.write("flow_setpoint", value)
    with pytest.raises(Refused, match="no flow"):
        await rig.driver.write("flow_setpoint", float("nan"))
    assert (await rig.driver.read("flow_setpoint")).value == 0.0


async def test_a_device_in_litres_is_read_and_set_in_millilitres():
    device = simulated.AlicatMfc(StillGasLine(), options={"unit": "SLPM", "full_scale": 5.0})
    driver = AlicatMfc(Line(MemoryHost(device).link()), 1)
    await driver.prepare()
    assert (await driver.write("flow_setpoint", 1500.0)).value == 1500.0
    assert device.state.set_point == 1.5
    with pytest.raises(OutOfRange, match="5000"):
        await driver.write("flow_setpoint", 5001.0)


async def test_normal_litres_are_not_taken_for_standard_ones():
    device = simulated.AlicatMfc(Pipe(), options={"unit": "NLPM", "full_scale": 5.0})
    driver = AlicatMfc(Line(MemoryHost(device).link()), 1)
    await driver.prepare()
    reading = (await driver.poll())["standard_flow"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "NLPM" in reading.why
    with pytest.raises(Refused, match="NLPM"):
        await driver.write("flow_setpoint", 1.0)


async def test_a_set_point_that_old_firmware_ignores_is_seen_in_the_read_back():
    device = simulated.AlicatMfcOld(Pipe(), options={"over_range": "ignore", "full_scale": 100.0})
    driver = AlicatMfcOld(Line(MemoryHost(device).link()), 1, {"full_scale": "500.00 SCCM"})
    await driver.prepare()
    with pytest.raises(Refused, match=r"set point is 0 SCCM after 300\.00"):
        await driver.write("flow_setpoint", 300.0)


async def test_a_device_on_its_analog_input_takes_no_set_point_until_its_source_is_set():
    rig = await ready("alicat_mfc")
    rig.simulator.state.source = "A"
    with pytest.raises(Refused, match="analog"):
        await rig.driver.write("flow_setpoint", 10.0)
    assert (await rig.driver.write("setpoint_source", "serial")).value == "serial"
    assert (await rig.driver.write("flow_setpoint", 10.0)).value == 10.0
    with pytest.raises(Refused, match="none of"):
        await rig.driver.write("setpoint_source", "moon")


async def test_modbus_without_the_units_option_gives_no_flow_and_takes_no_set_point():
    told = await ready("alicat_mfc_modbus")
    rig = Rig(find("alicat_mfc_modbus"), told.simulator, 1, {})
    await rig.driver.identify()
    await rig.driver.prepare()
    readings = await rig.driver.poll()
    for name in ("standard_flow", "volumetric_flow", "flow_setpoint"):
        assert readings[name].quality is Quality.BAD
        assert "flow_unit" in readings[name].why
    assert readings["pressure"].quality is Quality.GOOD
    with pytest.raises(Refused, match="flow_unit"):
        await rig.driver.write("flow_setpoint", 10.0)


async def test_what_only_measures_cannot_be_set():
    meter = await ready("alicat_meter")
    with pytest.raises(Refused, match="cannot be set"):
        await meter.driver.write("standard_flow", 1.0)
    assert "flow_setpoint" not in meter.driver.specs()
    modbus = await ready("alicat_mfc_modbus")
    with pytest.raises(Refused, match="cannot be set"):
        await modbus.driver.write("pressure", 1.0)


# --- gas


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_meter", "alicat_mfc_modbus"])
async def test_the_gas_is_chosen_by_name_once_and_read_back(model: str):
    rig = await ready(model)
    assert (await rig.driver.write("gas", "CO2")).value == "CO2"
    assert rig.simulator.state.gas == 4
    with pytest.raises(Refused, match="no gas of the sheet"):
        await rig.driver.write("gas", "coffee")


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_mfc_modbus"])
async def test_a_device_on_another_gas_than_the_place_gives_no_flow(model: str):
    rig = await ready(model, {"gas": "CO2"})
    readings = await rig.driver.poll()
    assert readings["standard_flow"].quality is Quality.BAD
    assert "set to Air, this place is for CO2" in readings["standard_flow"].why
    assert readings["gas"].value == "Air"
    await rig.driver.write("gas", "CO2")
    assert (await rig.driver.poll())["standard_flow"].quality is Quality.GOOD


async def test_a_mix_is_made_checked_and_shown_by_its_name():
    rig = await ready("alicat_mfc")
    driver = rig.driver
    assert isinstance(driver, AlicatMfc)
    assert await driver.create_mix("Cells", {"CO2": 5.0, "O2": 20.0, "N2": 75.0}) == 255
    assert ask(rig.simulator, "AG 255\r").split()[-1] == "Cells"
    assert (await driver.read("gas")).value == "Cells"
    for name, parts, number in (
        ("Cells", {"CO2": 5.0}, 0), ("Cells", {"CO2": 5.0, "N2": 94.0}, 0), ("Cells", {"CO2": 5.0, "Fog": 95.0}, 0),
        ("Too long", {"CO2": 5.0, "N2": 95.0}, 0), ("Cells", {"CO2": 5.0, "N2": 95.0}, 12),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\S"):
            await driver.create_mix(name, parts, number)


# --- status, valve, lock, tare


@pytest.mark.parametrize(
    ("word", "signal"),
    [("TOV", "temperature"), ("VOV", "volumetric_flow"), ("MOV", "standard_flow"), ("POV", "pressure"),
     ("ADC", "standard_flow"), ("ADC", "pressure")],
)  # fmt: skip
async def test_a_status_word_condemns_its_value(word: str, signal: str):
    reading = (await saying(f"A +014.70 +025.00 +010.00 +010.00 010.00    CO2 {word} LCK\r").poll())[signal]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert reading.why


async def test_status_words_are_told_in_plain_words_and_an_unknown_one_condemns_all():
    readings = await saying("A +014.70 +025.00 +010.00 +010.00 010.00    CO2 HLD LCK TMF\r").poll()
    assert readings["status"].value == "valve held; buttons locked; totalizer missed flow"
    assert (readings["valve_held"].value, readings["buttons_locked"].value) == (True, True)
    assert readings["standard_flow"].value == 10.0
    readings = await saying("A +014.70 +025.00 +010.00 +010.00 010.00    CO2 XYZ\r").poll()
    assert readings["standard_flow"].quality is readings["pressure"].quality is Quality.BAD
    assert "XYZ" in readings["pressure"].why


async def test_dashes_instead_of_digits_are_no_number():
    rig = await ready("alicat_mfc")
    rig.simulator.state.dashed = ["mass", "pressure", "temperature", "volumetric", "set point"]
    readings = await rig.driver.poll()
    for name in ("standard_flow", "volumetric_flow", "temperature", "pressure", "flow_setpoint"):
        assert (readings[name].value, readings[name].quality) == (None, Quality.BAD)
        assert "out of range" in readings[name].why


async def test_a_flow_over_range_and_its_status_agree_at_both_ends():
    for model in ("alicat_mfc", "alicat_mfc_modbus"):
        rig = await ready(model)
        rig.place.set("flow", "700")
        readings = await rig.driver.poll()
        assert readings["standard_flow"].quality is Quality.BAD
        assert "mass flow over range" in str(readings["status"].value)


async def test_modbus_status_bits_of_another_word_order_are_noticed():
    rig = await ready("alicat_mfc_modbus")
    block = rig.driver.blocks()[1]
    readings = rig.driver.readings(block, bytes.fromhex("0004 0110 0000 416B3333 41C80000 41C73333 41C80000"))
    assert readings["standard_flow"].quality is Quality.BAD
    assert "word order" in readings["standard_flow"].why
    readings = rig.driver.readings(block, bytes.fromhex("0065 0000 0000 416B3333 41C80000 41C73333 41C80000"))
    assert readings["gas"].quality is readings["pressure"].quality is Quality.BAD
    readings = rig.driver.readings(block, bytes.fromhex("0004 0000 2000 416B3333 41C80000 41C73333 7FC00000"))
    assert "aborted" in readings["pressure"].why
    assert readings["standard_flow"].value is None


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_mfc_modbus"])
async def test_the_valve_is_held_and_given_back(model: str):
    rig = await ready(model)
    driver = rig.driver
    assert isinstance(driver, (AlicatMfcOld, AlicatMfcModbus))
    await driver.write("flow_setpoint", 100.0)
    await asyncio.sleep(20)
    await driver.hold_valve()
    assert (await driver.read("valve_held")).value is True
    await driver.write("flow_setpoint", 10.0)
    await asyncio.sleep(20)
    assert (await driver.read("standard_flow")).value == pytest.approx(100.0, abs=0.05)
    await driver.release_valve()
    assert (await driver.read("valve_held")).value is False
    await asyncio.sleep(20)
    assert (await driver.read("standard_flow")).value == pytest.approx(10.0, abs=0.05)
    if model == "alicat_mfc_old":
        with pytest.raises(Refused, match="no command"):
            await driver.close_valve()
    else:
        await driver.close_valve()
        await asyncio.sleep(20)
        assert (await driver.read("standard_flow")).value == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_meter"])
async def test_buttons_are_locked_and_a_locked_knob_does_nothing(model: str):
    rig = await ready(model)
    assert (await rig.driver.write("buttons_locked", True)).value is True
    if model in CONTROLLERS:
        rig.simulator.turn_knob(77.0, 0.0)
        assert (await rig.driver.read("flow_setpoint")).value == 0.0
    assert (await rig.driver.write("buttons_locked", False)).value is False
    if model in CONTROLLERS:
        rig.simulator.turn_knob(77.0, 0.0)
        assert (await rig.driver.read("flow_setpoint")).value == 77.0


async def test_modbus_commands_without_a_status_bit_are_judged_by_their_result():
    rig = await ready("alicat_mfc_modbus")
    driver = rig.driver
    assert isinstance(driver, AlicatMfcModbus)
    await driver.lock_buttons(True)
    assert rig.simulator.state.locked
    await driver.reset_total()
    with pytest.raises(Refused, match="not supported"):
        await driver.calibrate("zero_pressure")
    with pytest.raises(Refused, match="invalid command"):
        await driver.do(99, 0)
    await driver.calibrate("zero_absolute_pressure")
    assert (await driver.read("pressure")).value == pytest.approx(14.696)


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_meter", "alicat_mfc_modbus"])
async def test_a_flow_tare_takes_the_offset_away_and_is_refused_while_gas_flows(model: str):
    rig = await ready(model)
    rig.simulator.zero_offset = 2.0
    assert (await rig.driver.read("standard_flow")).value == pytest.approx(2.0)
    await rig.driver.calibrate("zero_flow")
    assert (await rig.driver.read("standard_flow")).value == pytest.approx(0.0)
    if model != "alicat_meter":
        await rig.driver.write("flow_setpoint", 50.0)
        with pytest.raises(Refused, match="flow_setpoint is 50"):
            await rig.driver.calibrate("zero_flow")
    rig.place.set("flow", "60")
    with pytest.raises(Refused, match="no tare"):
        await rig.driver.calibrate("zero_flow")
    with pytest.raises(Refused, match="no reference"):
        await rig.driver.calibrate("zero_flow", 1.0)
    with pytest.raises(Refused, match="no calibration"):
        await rig.driver.calibrate("span")


async def test_pressure_is_tared_to_a_barometer_where_there_is_one():
    rig = await ready("alicat_mfc")
    await rig.driver.calibrate("zero_absolute_pressure")
    assert (await rig.driver.read("pressure")).value == pytest.approx(14.70, abs=0.01)
    with pytest.raises(Refused, match="did not take"):
        await rig.driver.calibrate("zero_gauge_pressure")


async def test_a_totalizer_is_a_column_more_and_can_be_reset():
    line = StillGasLine()
    device = simulated.AlicatMfc(line, options={"totalizer": "yes"})
    driver = AlicatMfc(Line(MemoryHost(device).link()), 1)
    await driver.prepare()
    line.set("flow", str(60 / SPN))
    await driver.poll()
    await asyncio.sleep(60)
    assert await driver.total() == pytest.approx(60, abs=0.5)
    assert (await driver.read("flow_setpoint")).value == 0.0
    await driver.reset_total()
    assert await driver.total() == pytest.approx(0, abs=0.5)
    device.state.words = ["OVR"]
    with pytest.raises(Refused, match="rolled over"):
        await driver.total()
    plain = await ready("alicat_mfc")
    with pytest.raises(Refused, match="no totalizer"):
        await plain.driver.total()
    with pytest.raises(Refused, match="no totalizer"):
        await plain.driver.reset_total()


# --- columns


def test_columns_are_read_by_statistic_number_whatever_their_widths():
    rows = [
        "D00 ID_ NAME TYPE WIDTH NOTES",
        "D01 700 Unit ID  string 1",
        "D02 002 Abs Press       s decimal     7/2 010 02 PSIA",
        "D03 005 Mass Flow  s decimal 7/2 012 02 SLPM",
        "D04 703 Gas  string 6",
        "D05 701 *Error  string 3 TOV",
    ]
    assert frames.columns_of(rows) == (("pressure", "PSIA"), ("standard_flow", "SLPM"))
    with pytest.raises(BadFrame, match="line 2 is missing"):
        frames.columns_of(rows[:2] + rows[3:])
    with pytest.raises(Refused, match="no gas column"):
        frames.columns_of(rows[:4])
    old = ["D00 ID_ NAME", "D01 Pressure    signed    +000.00  +160.00     PSIA"]
    with pytest.raises(Refused, match="option columns"):
        frames.columns_of(old)
    with pytest.raises(Refused, match="behind the gas"):
        frames.columns_of([*rows[:5], "D05 009 Totalizer  s decimal 7/2 L"])


async def test_a_frame_of_other_columns_than_the_table_is_a_bad_frame():
    for reply in ("A +014.70 +025.00 +010.00 +010.00     CO2\r", "A +014.70 +025.00 +1 +010.00 +010.00 010.00    CO2\r",
                  "A +014.70 +0x5.00 +010.00 +010.00 010.00    CO2\r", "A \x9f+014.70\r"):  # fmt: skip
        with pytest.raises(BadFrame):
            await saying(reply).poll()
    assert (await saying("A\0 +014.70 +025.00 +010.00 +010.00 010.00    CO2\r").poll())["standard_flow"].value == 10.0


async def test_a_missing_column_is_a_bad_reading_by_its_name():
    unit = AlicatMfcOld(Line(Says(b"A +014.70 N2\r")), 1, {**SHEET, "columns": "pressure barA"})
    readings = await unit.poll()
    assert "no standard flow" in readings["standard_flow"].why
    assert "barA" in readings["pressure"].why


# --- several units, streaming, power


async def test_three_units_on_one_line_answer_only_their_own_letter():
    pipes = {address: Pipe(10.0 * address) for address in (1, 2, 26)}
    host = MemoryHost(SharedLine({str(address): simulated.AlicatMfc(pipe, address) for address, pipe in pipes.items()}))
    line = Line(host.link())
    units = {address: AlicatMfc(line, address) for address in pipes}
    readings = await asyncio.gather(*(unit.poll() for unit in units.values()))
    assert [each["standard_flow"].value for each in readings] == [10.0, 20.0, 260.0]
    await units[2].write("flow_setpoint", 33.0)
    assert [len(pipe.wanted) for pipe in pipes.values()] == [0, 1, 0]
    with pytest.raises(NoAnswer):
        await AlicatMfc(line, 3).identify()


async def test_a_line_of_another_unit_is_never_taken():
    with pytest.raises(NoAnswer):
        await saying("B +014.70 +025.00 +010.00 +010.00 010.00    CO2\r").poll()


async def test_a_streaming_unit_is_named_and_stopped_only_when_asked_to():
    rig = Rig.of("alicat_mfc")
    ask(rig.simulator, "A@ @\r")
    with pytest.raises(Refused, match="streaming = stop"):
        await rig.driver.identify()
    assert rig.simulator.state.streaming
    told = AlicatMfc(Line(rig.host.link()), 1, {"streaming": "stop"})
    assert (await told.identify()).serial == "521641"
    assert not rig.simulator.state.streaming
    assert (await told.poll())["pressure"].quality is Quality.GOOD


async def test_a_unit_that_begins_to_stream_gives_named_errors_and_no_values():
    rig = await ready("alicat_mfc")
    ask(rig.simulator, "A@=@\r")
    await asyncio.sleep(1)
    with pytest.raises(Refused, match="streams"):
        await rig.driver.poll()


def test_streamed_frames_come_at_their_interval_without_a_unit_id():
    unit = simulated.AlicatMfc(Pipe())
    assert ask(unit, "ANCS 500\r") == "A   091 = 500\r"
    assert ask(unit, "A@ @\r") == ""
    assert unit.wake_at == 0.5
    assert unit.wake(0.5) == [Send(0.0, b"+014.70 +025.00 +025.00 +025.00 +000.00    Air\r")]
    assert unit.wake_at == 1.0
    assert ask(unit, "A\r") == ask(unit, "AS 5\r") == ""
    unit.power_cycle(2.0)
    assert unit.wake_at == 3.0
    assert ask(unit, "@@ C\r").startswith("C +014.70")
    assert unit.wake_at is None
    assert ask(unit, "C@ A\r").startswith("A +014.70")


async def test_after_power_loss_a_hold_is_over_and_the_saved_set_point_flows_again():
    rig = await ready("alicat_mfc")
    driver = rig.driver
    assert isinstance(driver, AlicatMfc)
    await driver.write("flow_setpoint", 40.0)
    await driver.write("setpoint_source", "unsaved")
    await driver.write("flow_setpoint", 90.0)
    await driver.close_valve()
    rig.host.power_cycle()
    await asyncio.sleep(20)
    readings = await driver.poll()
    assert (readings["flow_setpoint"].value, readings["valve_held"].value) == (40.0, False)
    assert readings["standard_flow"].value == pytest.approx(40.0, abs=0.01)


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_mfc_modbus"])
async def test_a_restored_device_is_the_same_device(model: str):
    rig = await ready(model)
    await rig.driver.write("flow_setpoint", 40.0)
    await rig.driver.write("gas", "O2")
    saved = json.loads(json.dumps(rig.simulator.snapshot()))
    twin = Rig.of(model)
    twin.simulator.restore(saved)
    readings = await twin.driver.poll()
    assert (readings["flow_setpoint"].value, readings["gas"].value) == (40.0, "O2")


def test_noise_comes_with_a_seed_and_goes_on_after_a_restart():
    device = simulated.AlicatMfc(Pipe(), seed=4)
    ask(device, "A\r")
    twin = simulated.AlicatMfc(Pipe(), seed=4)
    twin.restore(json.loads(json.dumps(device.snapshot())))
    assert [ask(device, "A\r") for _ in range(5)] == [ask(twin, "A\r") for _ in range(5)]
    assert len({ask(device, "A\r") for _ in range(20)}) > 1


# --- the simulator's own rules


def test_commands_are_case_insensitive_and_take_blanks_and_dollars():
    unit = simulated.AlicatMfc(Pipe())
    for command in ("AS 25.0\r", "as25.00\r", "A$$S25\r"):
        unit.state.set_point = 0.0
        assert ask(unit, command).split()[5] == "+025.00"
    assert ask(unit, "A32000\r").split()[5] == "+250.00"
    assert ask(unit, "AS 900\r").split()[5] == "+500.00"
    assert ask(unit, "ALS 20\r") == "A +020.00 +020.00 12 SCCM\r"
    assert ask(unit, "ALSRC 1 1 1 0\r") == "A 1 1 1 0\r"
    assert ask(unit, "AQQ\r") == ask(unit, "AG 77\r") == ask(unit, "AGD 240\r") == "?\r"
    assert ask(unit, "B\r") == ask(unit, "*\r") == ask(unit, "\r") == ""
    assert "A G04      CO2" in ask(unit, "A??G*\r").split("\r")
    assert ask(unit, "A??M9\r") == "A  M09 Software Revision 10v20.0-R24\r"
    assert ask(unit, "AW122=36\r") == "A   122 = 36\r"


def test_old_firmware_does_not_know_the_new_commands_and_a_meter_no_set_point():
    old = simulated.AlicatMfcOld(Pipe())
    assert ask(old, "ALS\r") == ask(old, "AGS\r") == ask(old, "ALSS\r") == "?\r"
    assert ask(old, "AS 5\r").split()[5] == "005.00"
    meter = simulated.AlicatMeter(Pipe())
    assert ask(meter, "AS 5\r") == ask(meter, "AHC\r") == ask(meter, "ALS\r") == ""
    assert len(ask(meter, "A\r").split()) == 6


def test_mix_commands_over_modbus_follow_the_sheet():
    unit = simulated.AlicatMfcModbus(Pipe())
    cells = [4, 500, 8, 9500, 0, 0, 0, 0, 0, 0]
    unit.write_span(1049, b"".join(cell.to_bytes(2, "big") for cell in cells), 0.0)
    for command, argument, result in ((2, 240, 0), (2, 3, 32772), (3, 200, 32772), (1, 240, 0), (3, 240, 32772),
                                      (6, 9, 32770), (50, 0, 32769), (12, 0, 0), (11, 1, 0), (8, 5, 0)):  # fmt: skip
        unit.write_span(999, command.to_bytes(2, "big") + argument.to_bytes(2, "big"), 0.0)
        assert unit.state.command == [command, result]
    unit.write_span(1049, bytes(20), 0.0)
    unit.write_span(999, bytes((0, 2, 0, 0)), 0.0)
    assert unit.state.command == [2, 32774]


# --- what the drivers declare, and damaged replies


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [AlicatMfc, AlicatMfcOld, AlicatMfcModbus, AlicatMeter])
def test_the_drivers_declare_what_happens_without_us(kind: type[AlicatMeter]):
    controls = "flow_setpoint" in kind.specs()
    assert kind.on_link_loss is (LinkLoss.KEEPS_SETPOINTS if controls else LinkLoss.ONLY_MEASURES)
    assert kind.safe_state
    assert kind.watchdog.startswith("none")
    assert kind.verified is None
    assert all(row.tag for row in kind.table)


async def test_a_command_that_begins_with_a_digit_is_never_sent():
    link = Says(b"A\r")
    unit = AlicatMfc(Line(link), 1)
    with pytest.raises(ValueError, match="set point"):
        await unit.talk.ask("49408", lambda text: text)
    assert link.sent == []


async def test_every_cut_of_a_frame_is_a_named_error():
    whole = "A +014.70 +025.00 +010.00 +010.00 010.00    CO2\r"
    for length in range(len(whole)):
        with pytest.raises(WireError):
            await saying(whole[:length]).poll()
    with pytest.raises(BadFrame, match="line end"):
        await saying("A" * 600).poll()


# --- set points and the gas; forms other programs and other units use


@pytest.mark.parametrize("model", [*CONTROLLERS, "alicat_mfc_modbus"])
async def test_with_another_gas_no_set_point_is_sent_but_0_always_is(model: str):
    rig = await ready(model, {"gas": "Air"})
    await rig.driver.write("flow_setpoint", 50.0)
    rig.simulator.state.gas = 4
    with pytest.raises(Refused, match=r"set to CO2, this place is for Air"):
        await rig.driver.write("flow_setpoint", 40.0)
    assert rig.simulator.state.set_point == 50.0
    await rig.driver.write("flow_setpoint", 0.0)
    assert rig.simulator.state.set_point == 0.0


@pytest.mark.parametrize(
    ("number", "driver"),
    [("MC-500SCCM-D", AlicatMfcOld), ("MCRH-5SLPM", AlicatMfcOld), ("MCS-1SLPM-D", AlicatMfcOld),
     ("M-500SCCM-D", AlicatMeter), ("MWB-1SLPM-D", AlicatMeter)],
)  # fmt: skip
async def test_model_numbers_of_the_series_are_known(number: str, driver: type[AlicatMeter]):
    table = [f"A  M{at:02d} -" for at in range(10)]
    table[0], table[4], table[5] = "A  M00 ALICAT SCIENTIFIC", f"A  M04 Model Number {number}", "A  M05 Serial Number 5"
    table[9] = "A  M09 Software Revision 8v30.0"
    line = Line(Says(("\r".join(table) + "\r").encode()))
    assert (await driver(line, 1).identify()).type == number
    other = AlicatMeter if driver is AlicatMfcOld else AlicatMfcOld
    with pytest.raises(WrongDevice, match="none of"):
        await other(Line(Says(("\r".join(table) + "\r").encode())), 1).identify()


async def test_a_frame_of_the_bc_series_is_read_by_its_columns():
    columns = "temperature C, standard_flow SCCM, total, flow_setpoint SCCM, other"
    unit = saying("A +24.57 +100.0 +0021513.0 +100.0 +55.13 N2\r", columns=columns)
    readings = await unit.poll()
    assert (readings["temperature"].value, readings["standard_flow"].value) == (24.57, 100.0)
    assert (readings["flow_setpoint"].value, readings["gas"].value) == (100.0, "N2")
    assert "no pressure" in readings["pressure"].why
    assert await unit.total() == 21513.0


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("as25.00\r", "A +014.70 +025.00 +025.00 +025.00 +025.00    Air\r"),
        ("aS 25\r", "A +014.70 +025.00 +025.00 +025.00 +025.00    Air\r"),
        ("a$$w46=8\r", "A   046 = 8\r"),
        ("a??m9\r", "A  M09 Software Revision 10v20.0-R24\r"),
        ("A@ B\r", "B +014.70 +025.00 +025.00 +025.00 +000.00    Air\r"),
        ("A@=B\r", "B +014.70 +025.00 +025.00 +025.00 +000.00    Air\r"),
        ("AW91=500\r", "A   091 = 500\r"),
        ("ANCS 500\r", "A   091 = 500\r"),
        ("A$$AG4\r", "?\r"),
        ("B\r", ""),
    ],
)
def test_each_spelling_of_the_sheet_is_understood_byte_by_byte(request_: str, reply: str):
    device = simulated.AlicatMfc(Pipe())
    said = [action for byte in request_.encode() for action in device.receive(Bytes(bytes((byte,))), 0.0)]
    assert b"".join(action.data for action in said if isinstance(action, Send)).decode() == reply


def test_a_command_the_firmware_does_not_have_is_answered_with_a_question_mark():
    old = simulated.AlicatMfcOld(Pipe())
    assert [ask(old, f"A{command}\r") for command in ("LS", "GS", "LSS", "LSRC", "xyz", "P")] == ["?\r"] * 6
    assert ask(simulated.AlicatMeter(Pipe()), "AS 5\r") == ""


async def test_firmware_that_does_not_tell_its_full_scale_is_read_and_takes_no_set_point():
    device = simulated.AlicatMfcOld(Pipe(), options={"firmware": "5v12"})
    with pytest.raises(Refused, match="option columns"):
        await AlicatMfcOld(Line(MemoryHost(device).link()), 1).prepare()
    driver = AlicatMfcOld(Line(MemoryHost(device).link()), 1, {"columns": COLUMNS})
    assert (await driver.identify()).firmware == "5v12"
    await driver.prepare()
    assert (await driver.poll())["standard_flow"].value == pytest.approx(25.0)
    with pytest.raises(Refused, match="option full_scale"):
        await driver.write("flow_setpoint", 10.0)
    assert device.state.set_point == 0.0
