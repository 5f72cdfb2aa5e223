"""OXYBase probes: the sheet's lines and frames on both ends, units not to be mixed up, calibration, a power cut."""

from __future__ import annotations

import asyncio
import json
import math

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.core.wire import modbus
from drivers.devices.presens_oxybase import PreSensOxyBaseRs232, PreSensOxyBaseRs485, lines
from simulators.core.hosts import MemoryHost
from simulators.core.modbus import ModbusError
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.core.surroundings import Liquid
from simulators.devices.hamilton_arc import HamiltonArcDo
from simulators.devices.presens_oxybase import OxyBaseRs232, OxyBaseRs485
from simulators.devices.presens_oxybase.rs232 import AIR_PERCENT
from tests.devices.golden import golden

RS232 = golden(
    "presens_oxybase",
    r"""
    Data line | X | > 64 61 74 61 0D | < "N0;A25431;P2741;T2236;O2087;E0\r" | lettered
    Data line | P | > "data\r"       | < "0;1234567;3456;2234;823;0\r"      | plain
    """,
)
RS485 = golden(
    "presens_oxybase",
    r"""
    RS485 | O X | > 01 10 16 47 00 02 04 00 01 00 00 01 D9             | < 01 10 16 47 00 02 F5 95 | dry
    RS485 | O X | > 01 10 16 47 00 02 04 00 00 00 00 50 19             | < 01 10 16 47 00 02 F5 95 | humid
    RS485 | O X | > 01 10 08 29 00 02 04 00 10 00 00 57 D8             | < 01 10 08 29 00 02 92 60 | percent
    RS485 | O X | > 01 10 08 29 00 02 04 00 80 00 00 57 F5             | < 01 10 08 29 00 02 92 60 | mg per litre
    RS485 | O X | > 01 10 0D A9 00 04 08 00 01 00 00 00 01 00 00 7B EA | < 01 10 0D A9 00 04 13 46 | interval
    RS485 | O X | > 01 10 09 69 00 04 08 00 04 00 00 00 00 40 80 42 8F | < 01 10 09 69 00 04 12 4A | four degrees
    """,
)
ASKED = {
    "firmware": "01 03 04 07 00 08 F4 FD",
    "serial": "01 03 04 27 00 08 F5 37",
    "in_gas": "01 03 16 47 00 02 70 56",
    "oxygen": "01 03 13 21 00 0C 11 41",
}
"""Requests of the sheet (O) whose answers it does not have."""


class Beaker:
    """An immersion whose liquid the test pours."""

    def __init__(self, cel: float = 37.0, o2_percent: float = AIR_PERCENT) -> None:
        self.pour(cel, o2_percent)

    def pour(self, cel: float, o2_percent: float) -> None:
        self.now_in_it = Liquid(cel, 7.4, 100 * o2_percent / AIR_PERCENT)

    def liquid(self, now: float) -> Liquid:
        return self.now_in_it


class Bench:
    """One RS232 probe in a beaker and its driver."""

    def __init__(self, beaker: Beaker | None = None, **options: float | str) -> None:
        self.beaker = beaker or Beaker()
        self.probe = OxyBaseRs232(self.beaker, options=options)
        self.host = MemoryHost(self.probe)
        self.driver = PreSensOxyBaseRs232(Line(self.host.link()))


class Bus:
    """One RS485 probe in a beaker and its driver."""

    def __init__(self, beaker: Beaker | None = None, interval_s: float = 1, **options: float | str) -> None:
        self.beaker = beaker or Beaker()
        self.probe = OxyBaseRs485(self.beaker, options=options)
        self.host = MemoryHost(self.probe)
        self.driver = PreSensOxyBaseRs485(Line(self.host.link()), 1, {"interval_s": interval_s})


def say(probe: OxyBaseRs232 | OxyBaseRs485, request: bytes, now: float = 0.0) -> bytes:
    actions = probe.receive(Bytes(request), now)
    return b"".join(action.data for action in actions if isinstance(action, Send))


# -- the sheet, on each end


def test_the_simulators_say_what_the_sheet_says():
    RS232.check_simulator(OxyBaseRs232(Beaker(22.36, 20.87)), "lettered")
    plain = OxyBaseRs232(Beaker(22.34, 8.23), options={"letters": "no"})
    plain.state.amplitude = 1234567
    answer = say(plain, RS232["plain"].request).split(b";")
    expected = RS232["plain"].reply.split(b";")
    assert [answer[0], answer[1], answer[3], answer[4], answer[5]] == [*expected[:2], *expected[3:]]
    RS485.check_simulator(OxyBaseRs485(Beaker()))


async def test_the_drivers_send_and_read_the_sheets_lines_and_frames():
    async with RS232.line("lettered", "plain") as line:
        driver = PreSensOxyBaseRs232(line)
        readings = driver._readings(await driver._measured())
        assert {name: reading.value for name, reading in readings.items()} == {
            "oxygen": 20.87, "temperature": 22.36, "phase": 27.41, "amplitude": 25431, "error_code": 0,
        }  # fmt: skip
        assert await driver._measured() == {"N": 0, "A": 1234567, "P": 3456, "T": 2234, "O": 823, "E": 0}
    async with RS485.line("percent", "mg per litre", "interval", "four degrees") as line:
        probe = PreSensOxyBaseRs485(line, 1)
        await probe.write_row(probe.table["oxygen_unit"], 0x10)
        await probe.write_row(probe.table["oxygen_unit"], 0x80)
        await probe._write_pair("interval", 1, 1)
        assert (await probe.write("compensation_temperature", 4.0)).value == 4.0
    async with RS485.line("dry", "humid") as line:
        probe = PreSensOxyBaseRs485(line, 1)
        await probe.write_row(probe.table["in_gas"], 1)
        await probe.write_row(probe.table["in_gas"], 0)


@pytest.mark.parametrize("name", ASKED)
async def test_the_driver_asks_as_the_sheet_does(name: str):
    probe = Bus().driver
    row = probe.table[name]
    start, count = row.block or (0, 0)
    assert probe.block(start, count, (row,)).request == bytes.fromhex(ASKED[name])
    assert len(say(OxyBaseRs485(Beaker()), bytes.fromhex(ASKED[name]))) == 5 + 2 * count


# -- RS232


async def test_a_line_of_the_probe_is_all_its_identity():
    identity = await Bench().driver.identify()
    assert (identity.maker, identity.type, identity.serial) == ("PreSens", "OXYBase WR-RS232", "")


async def test_what_does_not_answer_in_the_probes_form_is_not_taken_for_one():
    for text in (b"hello\r", b"N0;A1;P2;T3;O4\r", b"N0;A1;P2;T3;O4;Ex\r", b"1;2;3;4;5;6;7\r", b"0" * 300):
        try:
            assert lines.data(bytearray(text)) is None
        except BadFrame as error:
            assert str(error)
    with pytest.raises(NoAnswer):
        bench = Bench()
        bench.probe.message = lambda text, now: b"ES\r"  # type: ignore[method-assign]
        await bench.driver.identify()


async def test_prepare_sets_query_mode_percent_and_no_flash_writes():
    bench = Bench(unit=3)
    await bench.driver.prepare()
    state = bench.probe.state
    assert (state.mode, state.unit, state.saves) == (1, 1, False)
    assert state.saved_unit == 3  # the flash is not worn by connecting
    assert (await bench.driver.read("oxygen")).value == pytest.approx(20.95)


async def test_a_probe_that_streams_is_made_to_wait_for_questions():
    bench = Bench(mode=0)
    await bench.driver.identify()
    await bench.driver.prepare()
    await asyncio.sleep(10)
    assert bench.probe.wake_at is None
    assert (await bench.driver.poll())["oxygen"].quality is Quality.GOOD


async def test_a_power_cut_that_changes_the_unit_gives_no_wrong_number():
    bench = Bench(Beaker(37.0, 8.0), unit=3)  # 8 % are 60.8 torr: a believable number
    await bench.driver.prepare()
    assert (await bench.driver.read("oxygen")).value == pytest.approx(8.0)
    bench.host.power_cycle()
    await asyncio.sleep(5)
    reading = await bench.driver.read("oxygen")
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "at the same phase" in reading.why
    assert (await bench.driver.read("oxygen")).value == pytest.approx(8.0)


async def test_the_settings_are_said_again_every_minute():
    bench = Bench()
    await bench.driver.poll()
    bench.probe.state.unit = 3
    bench.driver._last = None
    await asyncio.sleep(61)
    assert (await bench.driver.read("oxygen")).value == pytest.approx(20.95)


async def test_oxygen_that_truly_falls_is_believed():
    bench = Bench()
    await bench.driver.poll()
    for percent in (10.0, 2.0, 0.1):
        bench.beaker.pour(37.0, percent)
        assert (await bench.driver.read("oxygen")).value == pytest.approx(percent, abs=0.01)


async def test_an_error_code_condemns_every_value_and_is_told():
    bench = Bench()
    bench.probe.state.error = 4
    readings = await bench.driver.poll()
    assert readings["error_code"].value == 4
    for name in ("oxygen", "temperature", "phase", "amplitude"):
        assert (readings[name].value, readings[name].quality) == (None, Quality.BAD)
        assert "error 4" in readings[name].why


async def test_a_value_that_cannot_be_is_bad():
    bench = Bench(Beaker(150.0, 20.0))
    reading = (await bench.driver.poll())["temperature"]
    assert reading.quality is Quality.BAD
    assert "no temperature" in reading.why


async def test_zero_and_air_are_taught_into_flash_and_proved_by_the_reading():
    bench = Bench(Beaker(25.0, 0.8))  # a spot whose zero has crept up
    assert await bench.driver.calibrate("zero") == {}
    bench.beaker.pour(25.0, 20.0)
    await bench.driver.calibrate("air")
    assert not bench.probe.state.saves
    bench.host.power_cycle()
    await asyncio.sleep(5)
    assert (await bench.driver.read("oxygen")).value == pytest.approx(20.95, abs=0.01)


async def test_a_calibration_that_did_not_take_and_a_wrong_one_are_refused():
    bench = Bench(Beaker(25.0, 10.0))
    bench.probe._teach = lambda command, now: None  # type: ignore[method-assign]
    with pytest.raises(Refused, match=r"after calh the probe shows 10\.0 %"):
        await bench.driver.calibrate("air")
    with pytest.raises(Refused, match="no calibration 'span'"):
        await bench.driver.calibrate("span")
    with pytest.raises(Refused, match="takes no number"):
        await bench.driver.calibrate("zero", 0.0)


async def test_nothing_of_an_rs232_probe_can_be_set():
    with pytest.raises(Refused, match="cannot be set"):
        await Bench().driver.write("oxygen", 5.0)


def test_a_settings_answer_that_says_no_is_refused_and_a_data_line_in_front_is_skipped():
    assert lines.taken(bytearray(b"N0;A1;P1;T1;O1;E0\rmode0001\r\r")) == "mode0001"
    assert lines.taken(bytearray(b"mode0001\r")) is None
    for text in (b"unknown command\r\r", b"?\r\r", b"ERR 3\r\r"):
        with pytest.raises(Refused):
            lines.taken(bytearray(text))
    with pytest.raises(BadFrame):
        lines.taken(bytearray(b"x" * 300))


def test_a_probe_is_silent_for_four_seconds_and_to_what_it_does_not_know():
    probe = OxyBaseRs232(Beaker())
    for text in (b"mode0002\r", b"oxyu0002\r", b"mode1\r", b"tmpa0001\r", b"abcd\r", b"DATA\r"):
        assert say(probe, text) == b""
    assert say(probe, b"pcco0000\r") == b"pcco0000\r\r"
    probe.power_cycle(100.0)
    assert say(probe, b"data\r", 103.9) == b""
    assert say(probe, b"data\r", 104.1).startswith(b"N0;")


def test_a_streaming_probe_sends_a_line_a_second():
    probe = OxyBaseRs232(Beaker(), options={"mode": 0})
    probe.power_cycle(0.0)
    assert probe.wake_at == 4.0
    assert probe.wake(4.0)
    assert probe.wake_at == 5.0
    assert probe.wake(4.5) == []


# -- RS485


async def test_an_rs485_probe_is_identified_and_measures_after_prepare():
    bus = Bus(Beaker(37.0, 5.0))
    identity = await bus.driver.identify()
    assert (identity.type, identity.serial, identity.firmware) == ("OXYBase RS485", "SACD0042", "OXYB0104")
    reading = await bus.driver.read("oxygen")
    assert reading.quality is Quality.BAD
    assert "not measuring" in reading.why
    await bus.driver.prepare()
    assert (await bus.driver.read("oxygen")).value == pytest.approx(5.0, abs=1e-5)


@pytest.mark.req("EQ-05")
async def test_a_hamilton_sensor_with_the_same_numbers_is_the_wrong_device():
    host = MemoryHost(HamiltonArcDo(Beaker(), 1))
    with pytest.raises(WrongDevice, match="no OXYBase"):
        await PreSensOxyBaseRs485(Line(host.link()), 1).identify()
    with pytest.raises(WrongDevice, match="ODOUM102"):
        await Bus(firmware="ODOUM102").driver.identify()


async def test_the_unit_is_set_when_it_differs_and_only_then():
    bus = Bus(unit=0x80)
    await bus.driver.prepare()
    await bus.driver.prepare()
    assert (bus.probe.state.unit, bus.probe.state.flash_writes) == (0x10, 1)


async def test_a_unit_changed_by_somebody_else_condemns_the_oxygen():
    bus = Bus()
    await bus.driver.prepare()
    await bus.driver.poll()
    bus.probe.state.unit = 0x80
    await asyncio.sleep(61)
    readings = await bus.driver.poll()
    assert readings["oxygen_unit"].value == "mg/l"
    assert readings["oxygen"].quality is Quality.BAD
    assert "mg/l instead of %-vol" in readings["oxygen"].why


async def test_a_probe_whose_unit_cannot_be_read_is_still_set_and_read():
    bus = Bus(unit=0x80, unit_readable="no")
    await bus.driver.prepare()
    readings = await bus.driver.poll()
    assert readings["oxygen"].value == pytest.approx(20.95, abs=1e-5)
    assert "does not let" in readings["oxygen_unit"].why


@pytest.mark.parametrize("code", [1, 2, 3])
async def test_whatever_exception_says_that_the_unit_cannot_be_read(code: int):
    bus = Bus(unit=0x80)
    unreadable = bus.probe.blocks[2089]

    def no(now: float) -> bytes:
        raise ModbusError(code)

    bus.probe.add(2089, 2, no, unreadable.write)
    await bus.driver.prepare()
    assert bus.probe.state.unit == 0x10
    assert (await bus.driver.poll())["oxygen"].value == pytest.approx(20.95, abs=1e-5)


async def test_after_a_power_cut_the_empty_readout_is_no_oxygen_and_the_probe_is_started_again():
    bus = Bus()
    await bus.driver.prepare()
    bus.host.power_cycle()
    assert (await bus.driver.poll())["oxygen"].quality is Quality.BAD  # still starting
    await asyncio.sleep(6)
    assert "not measuring" in (await bus.driver.poll())["oxygen"].why
    assert (await bus.driver.poll())["oxygen"].quality is Quality.GOOD


@pytest.mark.parametrize("bits", [2087, 0x7FC00000, 0xC2C80000])
async def test_counts_nan_and_impossible_floats_are_no_oxygen(bits: int):
    bus = Bus()
    await bus.driver.prepare()
    low, high = bits & 0xFFFF, bits >> 16
    data = bytes(16) + low.to_bytes(2, "big") + high.to_bytes(2, "big") + bytes(4)
    bus.probe.add(4897, 12, lambda now: data)
    reading = await bus.driver.read("oxygen")
    assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_medium_and_temperature_are_set_within_limits():
    bus = Bus()
    assert (await bus.driver.write("in_gas", True)).value is True
    assert bus.probe.state.dry == 1
    assert (await bus.driver.write("in_gas", False)).value is False
    await bus.driver.write("compensation_temperature", 36.5)
    assert bus.probe.state.compensation_cel == 36.5
    for value in (-1.0, 61.0):
        with pytest.raises(OutOfRange):
            await bus.driver.write("compensation_temperature", value)
    for name, value in (("in_gas", "dry"), ("compensation_temperature", math.nan)):
        with pytest.raises(ValueError, match="not a number"):
            await bus.driver.write(name, value)
    with pytest.raises(Refused, match="cannot be set"):
        await bus.driver.write("oxygen", 5.0)


def test_the_interval_is_whole_seconds():
    for wrong in (0, 1.5, 90000):
        with pytest.raises(ValueError, match="whole seconds"):
            Bus(interval_s=wrong)


async def test_a_new_value_comes_every_interval():
    bus = Bus(interval_s=30)
    await bus.driver.prepare()
    assert (await bus.driver.read("oxygen")).value == pytest.approx(20.95, abs=1e-5)
    bus.beaker.pour(37.0, 5.0)
    assert (await bus.driver.read("oxygen")).value == pytest.approx(20.95, abs=1e-5)
    await asyncio.sleep(30)
    assert (await bus.driver.read("oxygen")).value == pytest.approx(5.0, abs=1e-5)


async def test_two_probes_share_a_cable():
    one, other = OxyBaseRs485(Beaker(o2_percent=3.0), 1), OxyBaseRs485(Beaker(o2_percent=9.0), 2)
    line = Line(MemoryHost(SharedLine({"one": one, "other": other})).link())
    drivers = [PreSensOxyBaseRs485(line, address) for address in (1, 2)]
    for driver in drivers:
        await driver.prepare()
    values = [(await driver.read("oxygen")).value for driver in drivers]
    assert values == [pytest.approx(3.0, abs=1e-5), pytest.approx(9.0, abs=1e-5)]
    assert say(other, bytes.fromhex("02 03 04 07 00 08 F4 CE"))[:3] == b"\x02\x03\x10"  # the sheet's, for address 2
    assert say(other, bytes.fromhex(ASKED["firmware"])) == b""


def test_registers_nobody_documented_are_exceptions():
    probe = OxyBaseRs485(Beaker())
    assert say(probe, RS485["percent"].request.replace(b"\x00\x10", b"\x00\x11")) == b""  # its CRC is wrong now
    assert say(probe, modbus.frame(bytes.fromhex("01 10 08 29 00 02 04 00 01 00 00")))[1:3] == b"\x90\x03"
    assert say(probe, modbus.frame(bytes.fromhex("01 03 09 69 00 04")))[1:3] == b"\x83\x02"
    assert say(probe, modbus.frame(bytes.fromhex("01 10 0D A9 00 04 08 00 01 00 00 00 00 00 00")))[1:3] == b"\x90\x03"


# -- both


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [PreSensOxyBaseRs232, PreSensOxyBaseRs485])
def test_a_probe_only_measures(kind: type[PreSensOxyBaseRs232 | PreSensOxyBaseRs485]):
    assert kind.on_link_loss is LinkLoss.ONLY_MEASURES
    assert kind.verified is None
    assert all(row.tag for row in kind.table)


def test_a_snapshot_goes_on_as_if_nothing_had_been():
    one = OxyBaseRs232(Beaker(), seed=4)
    say(one, b"mmwr0000\roxyu0003\rcalz\rda")
    other = OxyBaseRs232(Beaker(), seed=4)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert [say(one, b"ta\r"), say(one, b"data\r")] == [say(other, b"ta\r"), say(other, b"data\r")]
    first = OxyBaseRs485(Beaker(), 1, seed=4)
    for exchange in RS485.exchanges:
        say(first, exchange.request)
    second = OxyBaseRs485(Beaker(), 1, seed=4)
    second.restore(json.loads(json.dumps(first.snapshot())))
    request = bytes.fromhex(ASKED["oxygen"])
    assert [say(first, request, at) for at in (1.0, 2.0)] == [say(second, request, at) for at in (1.0, 2.0)]
    assert len({say(first, request, at) for at in (1.0, 2.0, 3.0)}) == 3
