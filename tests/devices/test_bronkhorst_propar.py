"""Bronkhorst over ProPar: the sheet at both ends in both framings, chains, flow, modes, fluid, damage."""

from __future__ import annotations

import asyncio
import json
import struct

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.core.wire import propar
from drivers.devices.bronkhorst_propar import BronkhorstElFlow, BronkhorstElFlowAscii, chain
from drivers.devices.bronkhorst_propar.chain import Parameter
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.core.surroundings import GasStream
from simulators.devices import bronkhorst_propar as simulated
from simulators.standalone import StillGasLine
from tests.devices.golden import golden
from tests.devices.rig import Rig

ASCII = golden(
    "bronkhorst_propar",
    r"""
    Printed | V | > ":06030101213E80\r\n" | < ":0403000005\r\n"       | set point 50 % at node 3
    Printed | V | > ":06030401210121\r\n" | < ":06030201213E80\r\n"   | read set point
    Printed | V | > ":06030401210120\r\n" | < ":06030201213E80\r\n"   | measure under index 1
    Printed | V | > ":06030468416841\r\n" | < ":0803026841459CFFAE\r\n" | counter
    Printed | V | > ":1D0301800A4081C500000000C63F800000C7000000004800000000000A52\r\n" | < ":040300001C\r\n" | write chain
    Printed | V | > ":1A0304F1EC7163006D71660001AE0120CF014DF0017F077101710A\r\n" | < ":370302F1EC004D3632313233343541006D00555345525441470001AE1CD8CF3F800000F0076D6C6E2F6D696E710A4E322020202020202020\r\n" | chained read
    Printed | V | > ":050101001101\r\n"   | < - | stop the interface
    Derived | X | > ":06800401200120\r\n" | < ":06800201203E80\r\n"     | measure
    Derived | X | > ":06800101217D00\r\n" | < ":0480000005\r\n"         | set point 100 %
    Derived | X | > ":088001214341C80000\r\n" | < ":0480000007\r\n"     | fsetpoint 25
    Derived | X | > ":06800421402140\r\n" | < ":088002214041C73333\r\n" | fmeasure
    Derived | X | > ":068004014D014D\r\n" | < ":088002014D43FA0000\r\n" | capacity
    Derived | X | > ":078004017F017F07\r\n" | < ":0C8002017F076D6C6E2F6D696E\r\n" | unit
    Derived | X | > ":078004017101710A\r\n" | < ":0F800201710A434F3220202020202020\r\n" | fluid
    Derived | X | > ":06800401040104\r\n" | < ":058002010400\r\n"       | control mode
    Derived | X | > ":058001010412\r\n"   | < ":0480000004\r\n"         | control mode 18
    Derived | X | > ":068004011D011D\r\n" | < ":0480000404\r\n"         | unknown parameter
    Derived | X | > ":0880040120\r\n"     | < ":0104\r\n"               | wrong length
    """,  # noqa: E501 - frames stay as the sheet prints them
)
BINARY = golden(
    "bronkhorst_propar",
    r"""
    Binary | R | > 10 02 02 03 05 04 01 20 01 20 10 03 | < 10 02 02 03 05 02 01 20 3E 80 10 03 | measure
    Binary | R | > 10 02 03 03 05 01 01 21 1F 40 10 03 | < 10 02 03 03 03 00 00 05 10 03       | set point 8000
    Binary | R | > 10 02 06 03 06 04 01 7F 01 7F 00 10 03 | < 10 02 06 03 0C 02 01 7F 00 6D 6C 6E 2F 6D 69 6E 00 10 03 | unit
    Binary | R | > 10 02 11 03 05 01 01 21 10 10 10 10 10 03 | < 10 02 11 03 03 00 00 05 10 03 | set point 1010 hex
    """,  # noqa: E501
)
MODELS = ("bronkhorst_el_flow", "bronkhorst_el_flow_ascii")
SETPOINT_RAW = Parameter(1, 1, "integer", 1)


class Pipe:
    """A line with one flow (mL/min normal), whatever the controller wants."""

    def __init__(self, normal: float = 250.0) -> None:
        self.now_in_it = GasStream(normal, 21.5, 2.0)
        self.wanted: list[float] = []

    def stream(self, now: float) -> GasStream:
        return self.now_in_it

    def drive(self, now: float, normal_ml_min: float) -> None:
        self.wanted.append(normal_ml_min)


def instrument(normal: float = 250.0, address: int = 128, **options: float | str) -> simulated.BronkhorstElFlow:
    return simulated.BronkhorstElFlow(Pipe(normal), address, options=options)


async def ready(model: str, options: dict[str, float | str] | None = None) -> Rig:
    rig = Rig.of(model, options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def ask(device: simulated.BronkhorstElFlow, request: str, now: float = 0.0) -> str:
    said = device.receive(Bytes(request.encode() + b"\r\n"), now)
    return b"".join(action.data for action in said if isinstance(action, Send)).decode().strip()


# --- the sheet, at both ends


def test_the_simulator_says_what_the_manual_prints():
    ASCII.check_simulator(instrument(), "set point 50 % at node 3", "read set point", "measure under index 1")
    ASCII.check_simulator(instrument(), "write chain", "measure", "set point 100 %", "fsetpoint 25", "capacity", "unit")
    device = instrument()
    device.state.counted = 5023.96
    ASCII.check_simulator(device, "counter")
    device = instrument(7384 / 32000, capacity=1.0, fluid="N2", serial="M6212345A")
    ASCII.check_simulator(device, "chained read")
    ASCII.check_simulator(instrument(24.9), "fmeasure")
    ASCII.check_simulator(instrument(fluid="CO2"), "fluid", "control mode", "control mode 18", "unknown parameter")
    ASCII.check_simulator(instrument(), "wrong length")
    ASCII.check_simulator(instrument(address=1), "stop the interface")
    assert ASCII.verified


def test_the_simulator_answers_the_recorded_binary_frames():
    BINARY.check_simulator(instrument(), "measure", "set point 8000", "unit", "set point 1010 hex")
    two = b"".join(BINARY[what].request for what in ("measure", "unit"))
    said = instrument().receive(Bytes(two), 0.0)
    assert [action.data for action in said if isinstance(action, Send)] == [
        BINARY["measure"].reply, BINARY["unit"].reply
    ]  # fmt: skip


async def test_the_driver_writes_and_reads_the_published_ascii_frames():
    async with ASCII.line("set point 50 % at node 3", "read set point", "measure under index 1", "counter") as line:
        device = BronkhorstElFlowAscii(line, 3)
        await device.put(SETPOINT_RAW, 16000)
        assert await device.ask([SETPOINT_RAW]) == (16000,)
        assert await device.ask([Parameter(1, 0, "integer", 1)]) == (16000,)
        assert await device.counter() == pytest.approx(5023.96)
    async with ASCII.line("chained read") as line:
        parameters = [
            Parameter(113, 3, "string", 12), Parameter(113, 6, "string", 13), Parameter(1, 0, "integer", 14),
            Parameter(1, 13, "float", 15), Parameter(1, 31, "string", 16, 7), Parameter(1, 17, "string", 17, 10),
        ]  # fmt: skip
        values = await BronkhorstElFlowAscii(line, 3).ask(parameters)
        assert values == ("M6212345A", "USERTAG", 0x1CD8, 1.0, "mln/min", "N2")
    async with ASCII.line("measure", "set point 100 %", "fsetpoint 25", "fmeasure", "capacity", "control mode") as line:
        device = BronkhorstElFlowAscii(line)
        assert await device.ask([device.parameter("measured_percent")]) == (16000,)
        await device.put(SETPOINT_RAW, 32000)
        await device.put(device.parameter("flow_setpoint"), 25.0)
        assert await device.ask([device.parameter("normal_flow")]) == (pytest.approx(24.9),)
        assert await device.ask([device.parameter("capacity")]) == (500.0,)
        assert await device.ask([device.parameter("control_mode")]) == (0,)
    async with ASCII.line("unknown parameter") as line:
        with pytest.raises(Refused, match="parameter error"):
            await BronkhorstElFlowAscii(line).ask([Parameter(1, 29, "char", 29)])


async def test_the_driver_writes_and_reads_the_recorded_binary_frames():
    async with BINARY.line("measure", "set point 8000", "unit", "set point 1010 hex") as line:
        device = BronkhorstElFlow(line, 3)
        device.sequence = 1
        assert await device.ask([device.parameter("measured_percent")]) == (16000,)
        await device.put(SETPOINT_RAW, 8000)
        device.sequence = 5
        assert await device.ask([device.parameter("capacity_unit")]) == ("mln/min",)
        device.sequence = 16
        await device.put(SETPOINT_RAW, 0x1010)


# --- who it is


@pytest.mark.parametrize("model", MODELS)
async def test_type_serial_number_and_firmware_are_read(model: str):
    identity = await Rig.of(model).driver.identify()
    assert (identity.maker, identity.type, identity.serial, identity.firmware) == (
        "Bronkhorst", "DMFC", "M6212345A", "V1.35"
    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
async def test_an_instrument_without_identity_parameters_is_the_wrong_device(model: str):
    rig = Rig.of(model)
    for number in range(1, 7):
        del rig.simulator.parameters[(113, number)]
    with pytest.raises(WrongDevice, match="process error"):
        await rig.driver.identify()


@pytest.mark.parametrize("address", [121, 127, 129, -1])
def test_only_1_to_120_and_128_are_nodes(address: int):
    with pytest.raises(ValueError, match="no node"):
        BronkhorstElFlow(Line(MemoryHost(instrument()).link()), address)
    with pytest.raises(ValueError, match="control_mode"):
        BronkhorstElFlow(Line(MemoryHost(instrument()).link()), 3, {"control_mode": "purge"})


@pytest.mark.parametrize("kind", [BronkhorstElFlow, BronkhorstElFlowAscii])
async def test_a_lone_instrument_rejects_a_foreign_node_and_a_bus_stays_silent(kind: type[BronkhorstElFlow]):
    with pytest.raises(Refused, match="destination node rejected"):
        await kind(Line(MemoryHost(instrument()).link()), 7).poll()
    with pytest.raises(NoAnswer):
        await kind(Line(MemoryHost(instrument(address=5)).link()), 7).poll()


@pytest.mark.parametrize("kind", [BronkhorstElFlow, BronkhorstElFlowAscii])
async def test_two_nodes_of_a_bus_answer_for_themselves(kind: type[BronkhorstElFlow]):
    host = MemoryHost(SharedLine({"air": instrument(100.0, 4), "co2": instrument(7.0, 5, fluid="CO2")}))
    line = Line(host.link())
    air, co2 = await asyncio.gather(kind(line, 4).poll(), kind(line, 5).poll())
    assert (air["normal_flow"].value, co2["normal_flow"].value, co2["fluid"].value) == (100.0, 7.0, "CO2")


async def test_an_answer_of_another_node_sequence_or_index_is_never_taken():
    def says(frame: bytes) -> BronkhorstElFlow:
        class Fixed:
            wake_at = None

            def receive(self, event: object, now: float) -> list[Send]:
                return [Send(0.01, frame)] if isinstance(event, Bytes) else []

        return BronkhorstElFlow(Line(MemoryHost(Fixed()).link()), 3)  # type: ignore[arg-type]

    good = bytes.fromhex("02 01 20 3E 80")
    asked = [Parameter(1, 0, "integer", 0)]
    assert await says(propar.binary_frame(1, 3, good)).ask(asked) == (16000,)
    for frame in (propar.binary_frame(1, 4, good), propar.binary_frame(9, 3, good)):
        with pytest.raises(NoAnswer):
            await says(frame).exchange(chain.request(asked))
    for data in ("02 01 21 3E 80", "02 02 20 3E 80", "02 01 20 3E", "02 01 20 3E 80 00", "00 00", ""):
        with pytest.raises(BadFrame):
            chain.answer(bytes.fromhex(data), asked, 3)
    for data in ("02 01 71 00 4E", "02 01 71 09 4E"):
        with pytest.raises(BadFrame):
            chain.answer(bytes.fromhex(data), [Parameter(1, 17, "string", 17)], 3)


# --- flow


@pytest.mark.parametrize("model", MODELS)
async def test_a_set_point_is_read_back_and_the_flow_follows_it(model: str):
    rig = await ready(model)
    assert (await rig.driver.write("flow_setpoint", 50.0)).value == 50.0
    await asyncio.sleep(30)
    readings = await rig.driver.poll()
    assert readings["normal_flow"].value == pytest.approx(50.0, abs=1e-3)
    assert readings["measured_percent"].value == pytest.approx(10.0, abs=0.01)
    assert readings["setpoint_percent"].value == 10.0
    assert rig.place.stream(asyncio.get_running_loop().time()).normal_ml_min == pytest.approx(50.0, abs=1e-3)
    assert (await rig.driver.read("valve_percent")).value == pytest.approx(100 * 50 / (500 * 1.3107), abs=1e-3)
    assert (await rig.driver.read("temperature")).value == 25.0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("value", [-0.1, 500.1])
async def test_a_set_point_above_capacity_is_never_sent(model: str, value: float):
    rig = await ready(model)
    with pytest.raises(OutOfRange, match="capacity"):
        await rig.driver.write("flow_setpoint", value)
    with pytest.raises(Refused, match="no flow"):
        await rig.driver.write("flow_setpoint", float("inf"))
    assert (await rig.driver.read("flow_setpoint")).value == 0.0


async def test_litres_are_told_in_millilitres_and_other_units_are_no_flow():
    litres = BronkhorstElFlow(Line(MemoryHost(instrument(1500.0, unit="ln/min", capacity=2.0)).link()))
    readings = await litres.poll()
    assert (readings["normal_flow"].value, readings["capacity"].value) == (1500.0, 2000.0)
    assert (await litres.write("flow_setpoint", 1000.0)).value == 1000.0
    standard = BronkhorstElFlow(Line(MemoryHost(instrument(unit="mls/min")).link()))
    readings = await standard.poll()
    for name in ("normal_flow", "flow_setpoint", "capacity"):
        assert readings[name].quality is Quality.BAD
        assert "mls/min" in readings[name].why
    assert readings["measured_percent"].value == 50.0
    with pytest.raises(Refused, match="mls/min"):
        await standard.write("flow_setpoint", 1.0)


@pytest.mark.parametrize(
    ("raw", "percent"), [(65535, -0.003125), (41943, -73.728125), (32000, 100.0), (41941, 131.065625)]
)
def test_the_measure_is_signed_above_41942(raw: int, percent: float):
    device = BronkhorstElFlow(Line(MemoryHost(instrument()).link()))
    values = (raw, 0, 0, 0, 500.0, "Air", "mln/min", 1.0, 0.0)

    async def main() -> None:
        assert device._main(values)["measured_percent"].value == pytest.approx(percent)

    asyncio.run(main())


async def test_a_flow_at_the_end_of_its_range_and_a_number_that_is_none_are_bad():
    over = BronkhorstElFlow(Line(MemoryHost(instrument(700.0)).link()))
    readings = await over.poll()
    assert readings["normal_flow"].quality is readings["measured_percent"].quality is Quality.BAD
    assert "131.07" in readings["normal_flow"].why
    values = (100, 40000, 99, 0, 500.0, "Air", "mln/min", float("nan"), float("inf"))
    readings = over._main(values)
    for name in ("normal_flow", "flow_setpoint", "setpoint_percent"):
        assert (readings[name].value, readings[name].quality) == (None, Quality.BAD)
    assert readings["control_mode"].value == "mode 99"


async def test_a_backward_flow_of_a_bidirectional_unit_is_negative():
    device = BronkhorstElFlow(Line(MemoryHost(instrument(-50.0, bidirectional="yes")).link()))
    readings = await device.poll()
    assert readings["measured_percent"].value == -10.0
    assert readings["normal_flow"].value == -50.0


async def test_alarms_are_told_in_words_and_errors_condemn_the_flow():
    rig = await ready(MODELS[0])
    rig.simulator.state.alarms = 0b1000
    readings = await rig.driver.poll()
    assert (readings["alarms"].value, readings["normal_flow"].quality) == ("maximum alarm", Quality.GOOD)
    rig.simulator.state.alarms = 0b10000001
    readings = await rig.driver.poll()
    assert readings["alarms"].value == "error; hardware error"
    assert readings["normal_flow"].quality is readings["measured_percent"].quality is Quality.BAD


async def test_an_instrument_on_another_fluid_than_the_place_gives_no_flow():
    rig = await ready(MODELS[0], {"fluid": "CO2"})
    readings = await rig.driver.poll()
    assert "set to Air, this place is for CO2" in readings["normal_flow"].why
    rig.simulator.state.fluid = "CO2"
    assert (await rig.driver.poll())["normal_flow"].quality is Quality.GOOD


async def test_the_totaliser_counts():
    device = BronkhorstElFlow(Line(MemoryHost(instrument(60.0)).link()))
    before = await device.counter()
    await asyncio.sleep(60)
    assert await device.counter() - before == pytest.approx(60.0, abs=0.1)


# --- control mode


@pytest.mark.parametrize("model", MODELS)
async def test_the_control_mode_is_set_by_its_name_and_read_back(model: str):
    rig = await ready(model)
    await rig.driver.write("flow_setpoint", 100.0)
    await asyncio.sleep(20)
    assert (await rig.driver.write("control_mode", "close valve")).value == "close valve"
    await asyncio.sleep(20)
    assert (await rig.driver.read("normal_flow")).value == pytest.approx(0.0, abs=1e-3)
    with pytest.raises(Refused, match="control mode is close valve"):
        await rig.driver.write("flow_setpoint", 50.0)
    await rig.driver.write("control_mode", "RS-232 set point")
    await asyncio.sleep(20)
    assert (await rig.driver.read("normal_flow")).value == pytest.approx(100.0, abs=1e-3)
    for mode in ("purge", "analog input", "set point 100 %", 8):
        with pytest.raises(Refused, match="not set here"):
            await rig.driver.write("control_mode", mode)
    with pytest.raises(Refused, match="not set here"):
        await rig.driver.write("capacity", 10.0)


async def test_after_power_loss_the_mode_is_the_default_again_and_prepare_brings_back_the_one_asked_for():
    line = StillGasLine()
    device = simulated.BronkhorstElFlow(line, options={"default_mode": "analog", "analog_percent": 20})
    host = MemoryHost(device)
    driver = BronkhorstElFlow(Line(host.link()), options={"control_mode": "bus set point"})
    await driver.prepare()
    assert (await driver.write("flow_setpoint", 250.0)).value == 250.0
    host.power_cycle()
    await asyncio.sleep(20)
    readings = await driver.poll()
    assert readings["control_mode"].value == "analog input"
    assert readings["normal_flow"].value == pytest.approx(100.0, abs=1e-3)
    assert readings["flow_setpoint"].value == 0.0
    with pytest.raises(Refused, match="analog input"):
        await driver.write("flow_setpoint", 10.0)
    await driver.prepare()
    assert (await driver.read("control_mode")).value == "bus set point"


async def test_a_write_the_instrument_ignores_is_seen_in_the_read_back():
    rig = await ready(MODELS[0])
    known = rig.simulator.parameters
    known[(33, 3)] = type(known[(33, 3)])(known[(33, 3)].kind, known[(33, 3)].read, lambda data, now: None)
    known[(1, 4)] = type(known[(1, 4)])(known[(1, 4)].kind, known[(1, 4)].read, lambda data, now: None)
    with pytest.raises(Refused, match="after 50 was written"):
        await rig.driver.write("flow_setpoint", 50.0)
    with pytest.raises(Refused, match="was set"):
        await rig.driver.write("control_mode", "close valve")


async def test_a_slow_signal_that_fails_is_one_bad_reading():
    rig = await ready(MODELS[0])
    del rig.simulator.parameters[(33, 7)]
    readings = await rig.driver.poll()
    assert readings["temperature"].quality is Quality.BAD
    assert "parameter error" in readings["temperature"].why
    assert readings["valve_percent"].quality is readings["normal_flow"].quality is Quality.GOOD
    assert "temperature" not in await rig.driver.poll()
    await asyncio.sleep(61)
    assert "temperature" in await rig.driver.poll()


# --- the simulator's own rules


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (":06800407200720", "03"),  # no such process
        (":068004011E011E", "04"),  # no such parameter
        (":06800401400140", "05"),  # measure as a float
        (":06800101200001", "0D"),  # measure written
        (":06800101217D01", "06"),  # set point 32001
        (":088001014D43FA0000", "0D"),  # capacity while locked
        (":058001000A07", "06"),
        (":068004000A000A", "11"),  # write only
        (":03800F01", "02"),
    ],
)
def test_a_wrong_request_gets_the_status_of_the_sheet(request_: str, status: str):
    assert ask(instrument(), request_)[7:9] == status


def test_a_secured_parameter_is_written_after_unlocking_only():
    device = instrument()
    assert ask(device, ":058001000A40") == ":0480000004"
    assert ask(device, ":088001014D447A0000") == ":0480000007"
    assert device.state.capacity == 1000.0
    ask(device, ":058001000A52")
    assert ask(device, ":088001014D43FA0000")[7:9] == "0D"


def test_writes_without_answer_processes_and_the_stopped_interface():
    device = instrument()
    assert ask(device, ":06800201213E80") == ""
    assert device.state.set_point == 250.0
    assert ask(device, ":03800601") == ":0480000002"
    assert ask(device, ":050301001101") == ""
    assert ask(device, ":06800401200120") == ""
    device.power_cycle(1.0)
    assert ask(device, ":06800401200120", 2.0) == ":06800201203E80"


def test_a_user_tag_is_written_as_text_and_read_with_its_length():
    device = instrument()
    request = bytes((1, 113, 0x66, 4)) + b"LINE"
    device.receive(Bytes(propar.ascii_frame(0x80, request)), 0.0)
    assert device.state.user_tag == "LINE"
    zero_ended = bytes((1, 113, 0x66, 0)) + b"LINE 2\0"
    device.receive(Bytes(propar.binary_frame(1, 0x80, zero_ended)), 0.0)
    assert device.state.user_tag == "LINE 2"


@pytest.mark.parametrize("model", MODELS)
async def test_a_restored_instrument_is_the_same_instrument(model: str):
    rig = await ready(model)
    await rig.driver.write("control_mode", "RS-232 set point")
    await rig.driver.write("flow_setpoint", 40.0)
    twin = Rig.of(model)
    twin.simulator.restore(json.loads(json.dumps(rig.simulator.snapshot())))
    readings = await twin.driver.poll()
    assert (readings["flow_setpoint"].value, readings["control_mode"].value) == (40.0, "RS-232 set point")


def test_noise_comes_with_a_seed_and_goes_on_after_a_restart():
    device = simulated.BronkhorstElFlow(Pipe(), seed=4)
    ask(device, ":06800421402140")
    twin = simulated.BronkhorstElFlow(Pipe(), seed=4)
    twin.restore(json.loads(json.dumps(device.snapshot())))
    both = [[ask(each, ":06800421402140") for _ in range(5)] for each in (device, twin)]
    assert both[0] == both[1]
    assert len(set(both[0])) > 1


# --- damage, and what the drivers declare


@pytest.mark.parametrize("kind", [BronkhorstElFlow, BronkhorstElFlowAscii])
async def test_every_cut_of_an_answer_is_a_named_error(kind: type[BronkhorstElFlow]):
    values = b"\x20\x3e\x80" + struct.pack(">B", 0)
    frame = propar.binary_frame(1, 128, b"\x02\x01" + values)
    if kind is BronkhorstElFlowAscii:
        frame = propar.ascii_frame(128, b"\x02\x01" + values)

    class Cut:
        wake_at = None
        length = 0

        def receive(self, event: object, now: float) -> list[Send]:
            return [Send(0.01, frame[: self.length])] if isinstance(event, Bytes) and self.length else []

    whole = len(frame) - (1 if kind is BronkhorstElFlowAscii else 0)  # the LF behind the CR is not waited for
    for length in range(whole):
        cut = Cut()
        cut.length = length
        with pytest.raises(WireError):
            await kind(Line(MemoryHost(cut).link())).exchange(b"\x04\x01\x20\x01\x20")  # type: ignore[arg-type]


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [BronkhorstElFlow, BronkhorstElFlowAscii])
def test_the_drivers_declare_what_happens_without_us(kind: type[BronkhorstElFlow]):
    assert kind.on_link_loss is LinkLoss.KEEPS_SETPOINTS
    assert "close valve" in kind.safe_state
    assert kind.watchdog.startswith("none")
    assert kind.verified is None
    assert not kind.checksum
    assert all(row.tag and "parameter" in row.extra for row in kind.table)


# --- instruments that have less, and programs that ask for more


@pytest.mark.parametrize("model", MODELS)
async def test_an_older_instrument_without_alarms_type_and_firmware_is_read_all_the_same(model: str):
    rig = Rig.of(model)
    for missing in ((1, 20), (113, 1), (113, 5)):
        del rig.simulator.parameters[missing]
    identity = await rig.driver.identify()
    assert (identity.type, identity.serial, identity.firmware) == ("ProPar instrument", "M6212345A", "")
    for _ in range(2):
        readings = await rig.driver.poll()
        assert readings["normal_flow"].quality is Quality.GOOD
        assert readings["alarms"].quality is Quality.BAD
        assert "no alarm info" in readings["alarms"].why
    assert (await rig.driver.write("flow_setpoint", 50.0)).value == 50.0


@pytest.mark.parametrize("trouble", ["alarm", "fluid", "unit"])
async def test_set_point_0_is_taken_whatever_is_wrong(trouble: str):
    rig = await ready(MODELS[0], {"fluid": "Air"})
    await rig.driver.write("flow_setpoint", 50.0)
    state = rig.simulator.state
    match trouble:
        case "alarm":
            state.alarms = 1
        case "fluid":
            state.fluid = "CO2"
        case _:
            state.unit = "mls/min"
    with pytest.raises(Refused, match="no set point"):
        await rig.driver.write("flow_setpoint", 40.0)
    assert state.set_point == 50.0
    reading = await rig.driver.write("flow_setpoint", 0.0)
    assert (state.set_point, reading.quality) == (0.0, Quality.BAD)
    rig.simulator.parameters[(33, 3)] = type(rig.simulator.parameters[(33, 3)])(
        0x40, lambda now: 7.0, lambda data, now: None
    )
    with pytest.raises(Refused, match="7 after 0"):
        await rig.driver.write("flow_setpoint", 0.0)


@pytest.mark.parametrize("capacity", [0.0, -1.0, float("nan"), float("inf")])
def test_a_capacity_that_can_be_none_is_refused(capacity: float):
    device = instrument()
    ask(device, ":058001000A40")
    assert ask(device, f":088001014D{struct.pack('>f', capacity).hex().upper()}")[7:9] == "06"
    assert ask(device, ":06800401210121") == ":06800201210000"


def test_an_answer_longer_than_a_frame_is_refused():
    device = instrument()
    data = bytes((4, 0x80 | 1, 0xF1, 1, 0x71, 250, 0x71, 1, 0x71, 250, 33, 0x40, 33, 0x40))
    said = device.receive(Bytes(propar.ascii_frame(0x80, data)), 0.0)
    assert [action.data[:9] for action in said if isinstance(action, Send)] == [b":0480001D"]


def test_io_status_and_alarm_limits_are_read_and_written():
    device = instrument()
    assert ask(device, ":058001720B40")[7:9] == "0D"  # locked
    ask(device, ":058001000A40")
    assert ask(device, ":058001720B40") == ":0480000004"
    assert ask(device, ":068004720B720B") == ":058002720B40"
    assert device.power_cycle(0.0) == []
    assert ask(device, ":06800401040104", 1.0) == ":058002010401"  # analog is the default now
    assert ask(device, ":06800161213E80") == ":0480000005"
    assert ask(device, ":06800461216121") == ":06800261213E80"


async def test_a_chain_is_asked_as_the_vendors_package_does_and_its_sequence_is_doubled():
    recorded = bytes.fromhex("10 02 10 10 03 0E 04 F1 63 71 63 00 81 20 01 20 21 40 21 40 10 03")
    device = instrument(address=3)
    (action,) = device.receive(Bytes(recorded), 0.0)
    assert isinstance(action, Send)
    assert action.data.startswith(bytes.fromhex("10 02 10 10 03"))
    sent: list[bytes] = []

    class Recorded:
        wake_at = None

        def receive(self, event: object, now: float) -> list[Send]:
            if isinstance(event, Bytes):
                sent.append(event.data)
            return [Send(0.01, action.data)] if isinstance(event, Bytes) else []

    driver = BronkhorstElFlow(Line(MemoryHost(Recorded()).link()), 3)  # type: ignore[arg-type]
    driver.sequence = 15
    names = ("serial_number", "measured_percent", "normal_flow")
    assert await driver.ask([driver.parameter(name) for name in names]) == ("M6212345A", 16000, 250.0)
    assert sent == [recorded]
