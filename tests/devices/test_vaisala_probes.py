"""Vaisala probes: the sheet's frames on both ends, status registers, compensation, EEPROM, identity, text protocol."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import Mapping

import pytest

from drivers.core.device import Device
from drivers.core.errors import NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.core.wire.modbus import Request, refusal
from drivers.devices.vaisala_probes import VaisalaGmp25xText, VaisalaGmp251, VaisalaGmp252, VaisalaHmp
from drivers.devices.vaisala_probes.driver import LineSettings
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send, Simulator
from simulators.core.surroundings import Air
from simulators.devices import vaisala_probes as simulated
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "vaisala_probes",
    r"""
    Byte-level | V | > F0 03 00 00 00 02 D1 2A | < F0 03 04 D4 7A 43 E8 33 AB | 465.66 ppm
    Byte-level | V | > F0 10 02 08 00 02 04 50 00 44 7D 0E B7 | < F0 10 02 08 00 02 D4 93 | write pressure
    Byte-level | X | > F0 03 00 00 00 06 D0 E9 | < F0 03 0C 50 00 47 43 00 00 42 14 00 00 42 15 3A 87 | all three
    Byte-level | X | > F0 04 00 00 00 02 64 EA | < F0 04 04 50 00 47 43 78 4A | function 04
    Byte-level | X | > F0 03 00 00 00 02 D1 2A | < F0 03 04 00 00 7F C0 3A 9C | not available
    Byte-level | X | > F0 03 00 04 00 02 90 EB | < F0 03 04 00 00 42 15 EB 93 | temperature
    Byte-level | X | > F0 03 01 00 00 02 D0 D6 | < F0 03 04 01 90 00 28 1B 33 | integers
    Byte-level | X | > F0 03 08 00 00 02 D3 4A | < F0 03 04 00 00 00 00 1A FC | status ok
    Byte-level | X | > F0 03 08 00 00 02 D3 4A | < F0 03 04 00 00 01 02 9A AD | status at start
    Byte-level | X | > F0 03 08 03 00 02 23 4A | < F0 03 04 10 00 00 00 1E 3C | error code
    Byte-level | X | > F0 10 02 0A 00 02 04 00 00 42 14 5D E0 | < F0 10 02 0A 00 02 75 53 | volatile T
    Byte-level | X | > F0 10 02 0C 00 02 04 00 00 42 BE 5D B5 | < F0 10 02 0C 00 02 95 52 | volatile RH
    Byte-level | X | > F0 10 02 0E 00 02 04 33 33 41 9F E3 CF | < F0 10 02 0E 00 02 34 92 | volatile O2
    Byte-level | X | > F0 10 03 06 00 01 02 00 01 5D 62 | < F0 10 03 06 00 01 F4 AD | humidity on
    Byte-level | X | > F0 03 03 04 00 04 10 AD | < F0 03 08 00 01 00 02 00 00 00 00 FB 28 | modes
    Byte-level | X | > F0 03 03 00 00 04 51 6C | < F0 03 08 00 F0 00 02 00 00 00 02 9A 26 | line settings
    Byte-level | V X | > F0 2B 0E 01 00 0D A2 | < F0 2B 0E 01 83 00 00 03 00 07 56 61 69 73 61 6C 61 01 06 47 4D 50 32 35 32 02 05 31 2E 32 2E 33 9B A4 | identification
    Byte-level | V X | > F0 2B 0E 04 80 0F 52 | < F0 2B 0E 04 83 00 00 01 80 08 4B 30 37 31 30 30 34 30 5F 07 | serial number
    """,  # noqa: E501 - frames stay as the sheet prints them
)
HMP_GOLDEN = golden(
    "vaisala_probes",
    r"""
    Byte-level | H V | > F0 10 03 00 00 02 04 6E 14 44 75 4E AB | < F0 10 03 00 00 02 54 AD | write pressure
    Byte-level | X | > F0 03 00 00 00 04 51 28 | < F0 03 08 00 00 42 BF 00 00 42 14 B8 7E | RH and T
    Byte-level | H | > F0 03 00 00 00 02 D1 2A | < F0 03 04 7A E1 41 F4 62 05 | RH 30.56
    Byte-level | H X | > F0 03 02 00 00 02 D0 92 | < F0 03 04 00 01 00 01 8A FC | no errors
    """,
)
TEXT_GOLDEN = golden(
    "vaisala_probes",
    r"""
    Industrial | V X | > "send\r" | < "CO2=   452 ppm\r\n" | send
    Industrial | V | > "addr\r" | < "Address : 5\r\n" | addr
    Industrial | V | > "form\r" | < "6.0 \"CO2=\" CO2 \" \" U3 #r #n\r\n" | form
    Industrial | V | > "form /\r" | < "OK\r\n" | default format
    Industrial | V | > "intv 5 s\r" | < "Output interval: 5 S\r\n" | interval
    """,
)
MODBUS = (VaisalaGmp251, VaisalaGmp252, VaisalaHmp)


class Chamber:
    """Air that the test makes."""

    def __init__(self, co2: float = 5.0, cel: float = 37.25, rh: float = 95.5, o2: float = 18.6, hpa: float = 1013.25):
        self.now_air = Air(cel, co2, o2, rh, False, hpa)

    def air(self, now: float) -> Air:
        return self.now_air

    def set_points(self, now: float, cel: float, co2_percent: float, o2_percent: float | None) -> None: ...


def gmp251(chamber: Chamber | None = None, **options: float | str) -> simulated.VaisalaGmp251:
    return simulated.VaisalaGmp251(chamber or Chamber(), 240, options=options)


def gmp252(ppm: float = 465.66, **options: float | str) -> simulated.VaisalaGmp252:
    return simulated.VaisalaGmp252(Chamber(ppm / 1e4), 240, options={"serial": "K0710040", **options})


def rig(probe: simulated.VaisalaGmp251, **options: float | str) -> Rig[VaisalaGmp251]:
    return Rig(VaisalaGmp251, probe, 240, options)


def humid(chamber: Chamber | None = None, **options: float | str) -> Rig[VaisalaHmp]:
    return Rig(VaisalaHmp, simulated.VaisalaHmp(chamber or Chamber(cel=37.0), 240, options=options), 240)


def raw(probe: Simulator, body: str, now: float = 0.0) -> bytes:
    """The answer to a frame whose check sum is made here."""
    data, value = bytes.fromhex(body), 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    actions = probe.receive(Bytes(data + value.to_bytes(2, "little")), now)
    return actions[0].data if actions and isinstance(actions[0], Send) else b""


# -- the sheet, on each end


def test_the_simulators_answer_the_sheets_frames():
    printed = struct.unpack(">f", bytes.fromhex("43E8D47A"))[0]
    GOLDEN.check_simulator(lambda: gmp252(printed), "465.66 ppm", "identification", "serial number", "status ok")
    at_37 = Chamber(5.0)
    probe = gmp251(at_37)
    GOLDEN.check_simulator(probe, "temperature", "function 04")
    GOLDEN.check_simulator(
        gmp251, "write pressure", "volatile T", "volatile RH", "volatile O2", "humidity on", "modes", "line settings"
    )
    GOLDEN.check_simulator(gmp252(400.0), "integers")
    GOLDEN.check_simulator(lambda: gmp252(start="cold"), "not available", "status at start")
    given = gmp251(at_37)
    given.state.values |= {"temperature_on": 1, "given_temperature": 37.0}
    GOLDEN.check_simulator(given, "all three")
    given.state.errors = 0x1000
    GOLDEN.check_simulator(given, "error code")
    probes = [
        simulated.VaisalaHmp(Chamber(rh=rh, cel=37.0), 240)
        for rh in (95.5, struct.unpack(">f", b"\x41\xf4\x7a\xe1")[0])
    ]
    HMP_GOLDEN.check_simulator(probes[0], "write pressure", "RH and T", "no errors")
    HMP_GOLDEN.check_simulator(probes[1], "RH 30.56")
    TEXT_GOLDEN.check_simulator(simulated.VaisalaGmp25xText(Chamber(0.0452), 5))


async def test_the_drivers_send_and_read_the_sheets_frames():
    async with GOLDEN.line("identification", "serial number") as line:
        found = await VaisalaGmp252(line).identify()
        assert (found.maker, found.type, found.serial, found.firmware) == ("Vaisala", "GMP252", "K0710040", "1.2.3")
    async with GOLDEN.line("line settings") as line:
        assert await VaisalaGmp251(line).line_settings() == LineSettings(240, 19200, "N", 2)
    async with GOLDEN.line("all three", "status ok") as line:
        assert (await VaisalaGmp251(line).co2.read()).value == 50_000
    async with GOLDEN.line("465.66 ppm") as line:
        probe = VaisalaGmp252(line)
        assert await probe.read_row(probe.table["co2"]) == pytest.approx(465.66, abs=0.01)
    async with GOLDEN.line("error code") as line:
        assert await VaisalaGmp251(line)._errors() == ": out of measurement range"
    async with GOLDEN.line("write pressure", "volatile T", "volatile RH", "volatile O2", "humidity on") as line:
        probe = VaisalaGmp251(line)
        for name, value in (
            ("given_pressure", 1013.25), ("given_temperature", 37.0), ("given_humidity", 95.0), ("given_oxygen", 19.9),
            ("humidity_compensation", True),
        ):  # fmt: skip
            await probe.write_row(probe.table[name], value)
    async with HMP_GOLDEN.line("write pressure", "no errors") as line:
        probe = VaisalaHmp(line)
        await probe.write_row(probe.table["pressure"], 981.72)
        assert await probe.read_row(probe.table["device_status"]) == 0x00010001
    async with HMP_GOLDEN.line("RH 30.56") as line:
        probe = VaisalaHmp(line)
        assert await probe.read_row(probe.table["humidity"]) == pytest.approx(30.56, abs=1e-5)
    async with TEXT_GOLDEN.line("send", "addr") as line:
        probe = VaisalaGmp25xText(line)
        assert (await probe.co2.read()).value == 452.0
        assert (await probe.address_number.read()).value == 5


def test_the_sheet_verifies_this_wire():
    assert GOLDEN.verified
    assert TEXT_GOLDEN.verified


@pytest.mark.parametrize("check_sum", [("9F", "CO2=  3563 ppm "), ("9E", "CO2=  3562 ppm "), ("A4", "CO2=  3559 ppm ")])
def test_the_printed_check_sums_of_the_text_lines_hold(check_sum: tuple[str, str]):
    probe = simulated.VaisalaGmp25xText(Chamber(float(check_sum[1][6:10]) / 1e4), 0)
    probe.state.format = '6.0 "CO2=" CO2 " " U3 " " cs4 #r #n'
    assert probe.line(0.0) == f"{check_sum[1]}{check_sum[0]}\r\n".encode()


# -- who it is


async def test_another_probe_of_the_house_and_another_make_are_the_wrong_device():
    with pytest.raises(WrongDevice, match="GMP252"):
        await Rig(VaisalaGmp251, gmp252(), 240).driver.identify()
    with pytest.raises(WrongDevice, match="GMP251"):
        await Rig(VaisalaHmp, gmp251(), 240).driver.identify()
    other = gmp251()
    other.objects[0] = "Somebody else"
    with pytest.raises(WrongDevice, match="Somebody else"):
        await rig(other).driver.identify()


@pytest.mark.parametrize(("switch", "word"), [("pressure_on", "pressure_comp"), ("temperature_on", "temperature_comp")])
async def test_humidity_is_not_compensated_for_where_it_would_be_wrong(switch: str, word: str):
    """Only right with temperature and pressure compensation on as well (V)."""
    probe = gmp251()
    probe.values[switch] = 0
    with pytest.raises(Refused, match=word):
        await rig(probe, humidity_percent=93.0).driver.prepare()
    assert probe.values["humidity_on"] == 0
    await rig(probe, oxygen_percent=19.9).driver.prepare()


async def test_the_older_edition_that_names_no_model_is_both_of_them():
    """The probe of the sheet's older guide (V): nothing it says tells 251 from 252, so neither driver refuses it."""
    older = gmp251()
    older.objects |= {1: "GMP25x Carbon Dioxide Probe ", 4: "GMP25X "}
    assert (await rig(older).driver.identify()).type == "GMP25x Carbon Dioxide Probe"
    assert (await Rig(VaisalaGmp252, older, 240).driver.identify()).type == "GMP25x Carbon Dioxide Probe"


async def test_a_modbus_device_without_identification_is_the_wrong_device():
    class Nameless(simulated.VaisalaGmp251):
        def answer(self, request: Request, now: float) -> bytes:
            return refusal(request, 1) if request.function == 0x2B else super().answer(request, now)

    with pytest.raises(WrongDevice, match="no Modbus identification"):
        await rig(Nameless(Chamber(), 240)).driver.identify()


async def test_a_probe_without_a_serial_number_object_is_still_known():
    probe = gmp251()
    del probe.objects[128]
    assert (await rig(probe).driver.identify()).serial == ""


async def test_two_probes_share_a_cable_and_a_foreign_address_is_not_answered():
    line = Line(MemoryHost(SharedLine({"a": gmp251(), "b": simulated.VaisalaHmp(Chamber(cel=37.0), 7)})).link())
    one, other = await asyncio.gather(VaisalaGmp251(line).poll(), VaisalaHmp(line, 7).poll())
    assert (one["co2"].value, other["humidity"].value) == (50_000, 95.5)
    with pytest.raises(NoAnswer):
        await VaisalaGmp251(line, 9).identify()


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [*MODBUS, VaisalaGmp25xText])
def test_the_drivers_declare_that_they_only_measure(kind: type[Device]):
    assert kind.on_link_loss.value == "only measures"
    assert kind.verified is None
    assert kind.watchdog == "none"


# -- what a value is worth


async def test_every_signal_of_a_co2_probe_is_read():
    readings = await rig(gmp251()).driver.poll()
    assert {name: each.value for name, each in readings.items()} == {
        "co2": 50_000, "temperature": 37.25, "temperature_in_use": 37.25,
        "power_up_pressure": 1013.25, "power_up_temperature": 25, "power_up_humidity": 0, "power_up_oxygen": 0,
        "given_pressure": 1013.25, "given_temperature": 25, "given_humidity": 0, "given_oxygen": 0,
        "pressure_compensation": True, "temperature_compensation": 2, "humidity_compensation": False,
        "oxygen_compensation": False, "co2_filter": 100, "device_status": "ok", "co2_status": "ok",
    }  # fmt: skip


async def test_co2_is_not_used_while_the_optics_warm_up():
    bench = rig(gmp251(start="cold"))
    readings = await bench.driver.poll()
    assert readings["co2"].quality is Quality.BAD
    assert readings["co2_status"].value == "reading not reliable; measurement not ready"
    assert readings["temperature"].value == 37.25
    assert (await bench.driver.co2.read()).quality is Quality.BAD
    await asyncio.sleep(31)
    assert (await bench.driver.co2.read()).value == 50_000


@pytest.mark.parametrize(("status", "word"), [(2, "not reliable"), (256, "not ready"), (8, "bit 3")])
async def test_any_co2_status_condemns_the_co2_value_alone(status: int, word: str):
    class Doubtful(simulated.VaisalaGmp251):
        def _co2_status(self, now: float) -> int:
            return status

    readings = await rig(Doubtful(Chamber(), 240)).driver.poll()
    assert (readings["co2"].value, readings["co2"].quality) == (None, Quality.BAD)
    assert word in readings["co2"].why
    assert readings["temperature"].quality is Quality.GOOD


async def test_an_error_condemns_and_is_named_and_a_warning_only_speaks():
    bench = rig(gmp251())
    probe = bench.simulator
    assert isinstance(probe, simulated.VaisalaGmp251)
    probe.state.errors = 0x40 | 0x2
    readings = await bench.driver.poll()
    assert readings["device_status"].value == "critical error; error: parameter memory CRC; low RX signal"
    assert readings["co2"].quality is readings["temperature"].quality is Quality.BAD
    assert "low RX signal" in readings["co2"].why
    probe.state.errors, probe.state.warning = 0, True
    readings = await bench.driver.poll()
    assert (readings["co2"].value, readings["co2"].quality, readings["co2"].why) == (50_000, Quality.GOOD, "warning")


async def test_an_older_probe_without_the_error_register_still_names_its_status():
    bench = rig(gmp251(error_register="off"))
    assert isinstance(bench.simulator, simulated.VaisalaGmp251)
    bench.simulator.state.errors = 0x40
    assert (await bench.driver.poll())["device_status"].value == "error"


async def test_a_ppm_probe_in_an_incubator_is_out_of_its_range():
    bench = Rig(VaisalaGmp252, gmp252(50_000), 240)
    readings = await bench.driver.poll()
    assert readings["co2"].quality is Quality.BAD
    assert "out of measurement range" in readings["co2"].why


async def test_words_in_the_wrong_order_are_no_value():
    chamber = Chamber(-7.8e30 / 1e4)  # what 465.66 ppm looks like the wrong way round is of this size
    readings = await rig(gmp251(chamber)).driver.poll()
    assert (readings["co2"].value, readings["co2"].quality) == (None, Quality.BAD)
    assert "cannot be true" in readings["co2"].why


async def test_a_switch_that_is_neither_on_nor_off_is_bad():
    bench = rig(gmp251())
    assert isinstance(bench.simulator, simulated.VaisalaGmp251)
    bench.simulator.state.values["humidity_on"] = 0x8000
    reading = await bench.driver.humidity_compensation.read()
    assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_without_its_status_a_value_is_not_believed():
    class NoStatus(simulated.VaisalaGmp251):
        def __init__(self) -> None:
            super().__init__(Chamber(), 240)
            del self.blocks[0x0800]

    readings = await rig(NoStatus()).driver.poll()
    assert readings["co2"].quality is Quality.BAD
    assert "status is not known" in readings["co2"].why


# -- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("given_pressure", 850.0), ("given_temperature", 37.5), ("given_humidity", 95.0), ("given_oxygen", 19.9),
     ("power_up_pressure", 990.0), ("power_up_temperature", 37.0), ("power_up_humidity", 94.0),
     ("power_up_oxygen", 18.5), ("pressure_compensation", False), ("temperature_compensation", 1),
     ("humidity_compensation", True), ("oxygen_compensation", True), ("co2_filter", 20)],
)  # fmt: skip
async def test_every_setting_is_written_and_read_back(name: str, value: float):
    bench = rig(gmp251())
    assert (await bench.driver.write(name, value)).value == pytest.approx(value)
    assert (await bench.driver.read(name)).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("given_pressure", 499.0), ("given_pressure", 1101.0), ("given_temperature", 81.0), ("given_humidity", 100.5),
     ("given_oxygen", -1.0), ("co2_filter", 101), ("temperature_compensation", 3)],
)  # fmt: skip
async def test_outside_the_limits_nothing_is_sent(name: str, value: float):
    bench = rig(gmp251())
    bench.fault("silence")
    with pytest.raises(OutOfRange):
        await bench.driver.write(name, value)
    assert bench.wire.faults[0].heard == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, "much", True, None])
async def test_what_is_no_number_is_refused(value: float):
    with pytest.raises((Refused, OutOfRange)):
        await rig(gmp251()).driver.write("given_humidity", value)


async def test_half_steps_switch_words_and_measurements_are_refused():
    driver = rig(gmp251()).driver
    for name, value in (("co2_filter", 1.5), ("humidity_compensation", 0.5), ("co2", 400.0), ("address", 7)):
        with pytest.raises(Refused):
            await driver.write(name, value)


async def test_a_write_that_the_probe_acknowledged_and_left_is_refused():
    """An older edition takes 700 to 1500 hPa only, and says nothing of it (V)."""
    bench = rig(gmp251())
    assert isinstance(bench.simulator, simulated.VaisalaGmp251)
    narrow = bench.simulator._by_wire[0x208]._replace(low=700)
    bench.simulator._by_wire |= {0x208: narrow, 0x209: narrow}
    with pytest.raises(Refused, match=r"acknowledged 600.* has 1013"):
        await bench.driver.write("given_pressure", 600.0)


async def test_the_eeprom_is_written_only_where_it_differs():
    bench = rig(gmp251(), pressure_hpa=1000.0, humidity_percent=95.0, oxygen_percent=18.6)
    probe = bench.simulator
    assert isinstance(probe, simulated.VaisalaGmp251)
    for _ in range(3):
        await bench.driver.prepare()
    assert probe.state.eeprom_writes == 3
    bench.host.power_cycle()
    await asyncio.sleep(60)
    readings = await bench.driver.poll()
    assert [readings[f"given_{what}"].value for what in ("pressure", "humidity", "oxygen")] == [
        1000.0, 95.0, pytest.approx(18.6)
    ]  # fmt: skip
    assert readings["humidity_compensation"].value is readings["oxygen_compensation"].value is True
    assert probe.state.eeprom_writes == 3


async def test_without_options_nothing_is_written():
    bench = rig(gmp251())
    assert isinstance(bench.simulator, simulated.VaisalaGmp251)
    before = dict(bench.simulator.state.values)
    await bench.driver.prepare()
    assert bench.simulator.state.values == before
    with pytest.raises(ValueError, match="outside 500 to 1100 hPa"):
        rig(gmp251(), pressure_hpa=101325)


async def test_given_values_are_lost_with_power():
    bench = rig(gmp251())
    await bench.driver.write("given_humidity", 95.0)
    bench.host.power_cycle()
    assert (await bench.driver.given_humidity.read()).value == 0


async def test_a_new_address_acts_after_power_off_and_on():
    bench = rig(gmp251())
    assert await bench.driver.line_settings() == LineSettings(240, 19200, "N", 2)
    await bench.driver.set_address(12)
    assert (await bench.driver.line_settings()).address == 12
    assert (await bench.driver.identify()).type == "GMP251"
    bench.host.power_cycle()
    with pytest.raises(NoAnswer):
        await bench.driver.identify()
    assert (await VaisalaGmp251(Line(bench.host.link()), 12).identify()).type == "GMP251"
    with pytest.raises(OutOfRange):
        await bench.driver.set_address(248)
    with pytest.raises(Refused, match="no register"):
        await humid().driver.set_address(5)


# -- the simulated CO2 probe by itself


def test_function_06_and_registers_outside_the_blocks_are_refused_as_the_sheet_prints():
    assert raw(gmp251(), "F0 06 03 06 00 01") == bytes.fromhex("F0 86 01 D2 53")
    for body in ("F0 03 00 10 00 02", "F0 03 08 05 00 01", "F0 03 04 00 00 01"):
        assert raw(gmp251(), body) == bytes.fromhex("F0 83 02 91 02")
    assert raw(gmp251(), "F0 10 00 00 00 02 04 00 00 00 00")[:3] == bytes.fromhex("F0 90 02")
    nothing = raw(gmp251(), "F0 03 00 06 00 02")
    assert nothing[:7] == bytes.fromhex("F0 03 04 00 00 7F C0"), "unavailable data in a block is no exception"
    assert raw(gmp251(), "F0 03 08 00 00 05")[3:-2] == bytes(10)
    assert raw(gmp251(error_register="off"), "F0 03 08 00 00 05")[1:3] == bytes.fromhex("83 02")
    hmp = humid().simulator
    assert raw(hmp, "F0 03 00 00 00 16")[11:15] == bytes.fromhex("00 00 7F C0")
    assert raw(hmp, "F0 03 02 00 00 0B")[3:13] == bytes.fromhex("00 01 00 01 80 00 00 00 00 00")
    assert raw(gmp251(function_04="off"), "F0 04 00 00 00 02")[:3] == bytes.fromhex("F0 84 01")


def test_a_value_out_of_range_or_no_number_is_acknowledged_and_left():
    probe = gmp251()
    assert raw(probe, "F0 10 02 08 00 02 04 50 00 45 7D")[1] == 0x10
    assert raw(probe, "F0 10 02 08 00 02 04 00 00 7F C0")[1] == 0x10
    assert raw(probe, "F0 10 02 08 00 01 02 00 00")[1] == 0x10  # half a float
    assert probe.state.values["given_pressure"] == 1013.25


def test_a_write_to_everybody_is_done_and_not_answered():
    probe = gmp251()
    assert raw(probe, "00 10 03 06 00 01 02 00 01") == b""
    assert probe.state.values["humidity_on"] == 1
    assert raw(probe, "07 03 00 00 00 02") == b""


def test_the_whole_number_registers_saturate_and_go_in_tens():
    assert raw(gmp251(), "F0 03 01 00 00 02")[3:-2] == struct.pack(">hh", 32767, 5000)
    assert raw(gmp251(start="cold"), "F0 03 01 00 00 02")[3:-2] == bytes(4)


def test_the_true_pressure_shifts_the_reading_until_it_is_given():
    probe = gmp251(Chamber(hpa=900.0))
    assert probe.look(0.0).ppm == pytest.approx(50_000 * 900 / 1013.25)
    probe.state.values["given_pressure"] = 900.0
    assert probe.look(2.0).ppm == pytest.approx(50_000)


def test_humidity_and_oxygen_shift_the_reading_only_where_asked_for():
    assert gmp251(Chamber()).look(0.0).ppm == pytest.approx(50_000)
    probe = gmp251(Chamber(), cross_sensitivity=1.0)
    assert probe.look(0.0).ppm < 49_500
    probe.state.values |= {"humidity_on": 1, "given_humidity": 95.5, "oxygen_on": 1, "given_oxygen": 18.6}
    assert probe.look(2.0).ppm == pytest.approx(50_000)


def test_the_filter_makes_the_reading_follow_slowly_and_a_value_lasts_two_seconds():
    chamber = Chamber(1.0)
    probe = gmp251(chamber)
    probe.state.values["filter"] = 50
    assert probe.look(100.0).ppm == pytest.approx(10_000)
    chamber.now_air = chamber.now_air._replace(co2_percent=5.0)
    assert probe.look(101.9).ppm == pytest.approx(10_000)
    assert probe.look(102.0).ppm == pytest.approx(30_000)
    assert probe.look(106.0).ppm == pytest.approx(45_000)


def test_noise_comes_with_a_seed_and_repeats():
    def values(seed: int | None) -> list[float]:
        probe = simulated.VaisalaGmp251(Chamber(), 240, seed)
        return [probe.look(at).ppm for at in (0.0, 10.0)]

    assert values(None) == [pytest.approx(50_000)] * 2
    assert values(1) == values(1) != values(2)


def test_a_snapshot_goes_on_as_if_nothing_had_been():
    probe = simulated.VaisalaGmp251(Chamber(), 240, 5)
    raw(probe, "F0 10 03 00 00 01 02 00 0C")
    probe.power_cycle(10.0)
    other = simulated.VaisalaGmp251(Chamber(), 240, 5)
    other.restore(json.loads(json.dumps(probe.snapshot())))
    for at in (20.0, 41.0, 100.0):
        answer = raw(probe, "0C 03 00 00 00 06", at)
        assert answer
        assert answer == raw(other, "0C 03 00 00 00 06", at)


# -- humidity


async def test_every_signal_of_a_humidity_probe_follows_from_the_air():
    readings = await humid(Chamber(rh=50.0, cel=25.0)).driver.poll()
    values = {name: each.value for name, each in readings.items()}
    assert {each.quality for each in readings.values()} == {Quality.GOOD}
    # Dew point, absolute humidity, mixing ratio and wet bulb of air at 25 °C and 50 %: any psychrometric chart.
    assert values["humidity"] == 50.0
    assert values["temperature"] == 25.0
    for name, expected in (("dew_point", 13.9), ("frost_point", 13.9), ("frost_point_1atm", 13.9),
                           ("dew_point_1atm", 13.9), ("absolute_humidity", 11.5), ("mixing_ratio", 9.9),
                           ("wet_bulb", 17.9)):  # fmt: skip
        assert values[name] == pytest.approx(expected, abs=0.15), name
    assert values["water"] == pytest.approx(15_900, rel=0.01)
    assert (values["pressure"], values["heated_temperature"], values["device_status"]) == (1013.25, 25.0, "ok")


async def test_below_zero_frost_forms_before_dew():
    values = await humid(Chamber(rh=50.0, cel=0.0)).driver.poll()
    assert values["dew_point"].value == pytest.approx(-9.2, abs=0.2)
    assert values["frost_point"].value == pytest.approx(-8.2, abs=0.2)


@pytest.mark.parametrize(
    ("errors", "word"),
    [(0x1, "temperature measurement"), (0x2, "humidity measurement"), (0x4, "humidity sensor"),
     (0x8, "capacitance reference"), (0x10, "ambient temperature"), (0x800000, "heater failure"), (0x200, "bit 9")],
)  # fmt: skip
async def test_an_error_of_a_humidity_probe_condemns_and_is_named(errors: int, word: str):
    bench = humid()
    assert isinstance(bench.simulator, simulated.VaisalaHmp)
    bench.simulator.state.errors = errors
    readings = await bench.driver.poll()
    assert readings["humidity"].quality is readings["dew_point"].quality is Quality.BAD
    assert word in str(readings["device_status"].value)
    assert (await bench.driver.humidity.read()).quality is Quality.BAD


async def test_locked_output_and_calibration_are_bad():
    bench = humid()
    assert isinstance(bench.simulator, simulated.VaisalaHmp)
    bench.simulator.state.locked = True
    reading = (await bench.driver.poll())["humidity"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    bench.simulator.state.locked, bench.simulator.state.calibrating = False, True
    reading = (await bench.driver.poll())["humidity"]
    assert (reading.value, reading.why) == (None, "calibration mode")


async def test_a_status_of_one_value_condemns_that_value():
    class Under(simulated.VaisalaHmp):
        def _newer_status(self) -> bytes:
            return bytes.fromhex("0004 0000 8000 0000")

    bench = Rig(VaisalaHmp, Under(Chamber(cel=37.0), 240), 240)
    readings = await bench.driver.poll()
    assert (readings["humidity"].quality, readings["humidity"].why) == (Quality.BAD, "under range")
    assert readings["temperature"].quality is readings["dew_point"].quality is Quality.GOOD


async def test_a_probe_of_the_older_guide_does_without_the_status_of_each_value():
    readings = await humid(guide="older").driver.poll()
    assert (readings["humidity"].value, readings["device_status"].value) == (95.5, "ok")


async def test_the_pressure_of_a_humidity_probe_is_written_and_kept():
    bench = humid()
    assert (await bench.driver.write("pressure", 981.72)).value == pytest.approx(981.72)
    assert (await bench.driver.write("heated_temperature", 45.0)).value == 45.0
    before = (await bench.driver.poll())["dew_point_1atm"].value
    bench.host.power_cycle()
    readings = await bench.driver.poll()
    assert readings["pressure"].value == pytest.approx(981.72)
    assert readings["dew_point_1atm"].value == before
    with pytest.raises(OutOfRange):
        await bench.driver.write("pressure", 400.0)
    with pytest.raises(Refused):
        await bench.driver.write("humidity", 50.0)


def test_a_humidity_probe_goes_on_from_its_snapshot_and_has_the_test_registers():
    probe = simulated.VaisalaHmp(Chamber(), 240, 3)
    raw(probe, "F0 10 03 00 00 02 04 6E 14 44 75")
    other = simulated.VaisalaHmp(Chamber(), 240, 3)
    other.restore(json.loads(json.dumps(probe.snapshot())))
    for body in ("F0 03 00 00 00 04", "F0 03 00 06 00 10", "F0 03 02 05 00 02"):
        assert raw(probe, body, 50.0) == raw(other, body, 50.0)
    assert raw(probe, "F0 03 1F 01 00 02")[3:-2] == bytes.fromhex("E666 C2F6")
    assert raw(probe, "F0 03 02 05 00 02") != raw(simulated.VaisalaHmp(Chamber(), 240), "F0 03 02 05 00 02")


# -- words on the service cable


def spoken(options: Mapping[str, float | str] | None = None, co2: float = 5.0) -> Rig[VaisalaGmp25xText]:
    return Rig(VaisalaGmp25xText, simulated.VaisalaGmp25xText(Chamber(co2), 5, options=options))


@pytest.mark.parametrize("options", [{}, {"echo": "on"}, {"mode": "run"}, {"mode": "run", "echo": "on"}])
async def test_the_text_protocol_is_read_with_echo_and_while_the_probe_streams(options: dict[str, float | str]):
    bench = spoken(options)
    assert (await bench.driver.identify()).type == "GMP25x"
    await asyncio.sleep(5)
    readings = await bench.driver.poll()
    assert (readings["co2"].value, readings["address_number"].value) == (50_000, 5)
    await bench.driver.prepare()
    assert bench.simulator.wake_at is None


async def test_another_format_is_refused_by_name():
    bench = spoken({"format": "6.2 CO2% #r #n"})
    with pytest.raises(WrongDevice, match="form /"):
        await bench.driver.identify()
    with pytest.raises(WireError, match="form /"):
        await bench.driver.co2.read()


async def test_stars_for_a_number_are_bad():
    bench = spoken()
    await bench.driver.identify()
    bench.host.power_cycle()
    reading = await bench.driver.co2.read()
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "******" in reading.why
    await asyncio.sleep(31)
    assert (await bench.driver.co2.read()).value == 50_000


async def test_a_value_that_cannot_be_true_and_a_write_are_refused_over_text():
    assert (await spoken(co2=-0.5).driver.co2.read()).quality is Quality.BAD
    with pytest.raises(Refused, match="Modbus"):
        await spoken().driver.write("co2", 1.0)


async def test_a_probe_in_poll_mode_is_silent_until_it_is_opened():
    bench = spoken({"mode": "poll"})
    with pytest.raises(NoAnswer):
        await bench.driver.co2.read()
    bench.simulator.receive(Bytes(b"open 5\r"), bench.host.now)
    await asyncio.sleep(5)
    assert (await bench.driver.co2.read()).value == 50_000


def test_the_text_simulator_streams_stops_and_keeps_its_settings():
    probe = simulated.VaisalaGmp25xText(Chamber(), 5)

    def say(text: str, now: float = 0.0) -> bytes:
        return b"".join(each.data for each in probe.receive(Bytes(text.encode()), now) if isinstance(each, Send))

    assert say("INTV 3 s\r") == b"Output interval: 3 S\r\n"
    assert say("intv 0 s\r") == b"Output interval: 3 S\r\n"
    assert say("r\r", 10.0) == b""
    assert probe.wake_at == 13.0
    assert probe.wake(13.0) == [Send(0.0, b"CO2= 50000 ppm\r\n")]
    assert probe.wake(13.5) == []
    other = simulated.VaisalaGmp25xText(Chamber())
    other.restore(json.loads(json.dumps(probe.snapshot())))
    assert other.wake_at == probe.wake_at == 16.0
    assert say("\x1b", 14.0) == b""
    assert probe.wake_at is None, "Esc alone ends it (V)"
    say("r\r", 14.0)
    assert say("s\r\n", 14.5) == b""
    assert probe.wake_at is None
    assert say('form 6.2 "x" CO2% #t U3 addr \\32 tcomp #r #n\r') == b"OK\r\n"
    assert say("send\r") == b"x  5.00\t%  5  37.25\r\n"
    assert say("addr 9\r") == b"Address : 9\r\n"
    assert say("smode run\r") == b"Serial mode : RUN\r\n"
    assert say("close\r") == b"line closed\r\n"
    assert say("snum\r") == b""
    probe.power_cycle(20.0)
    assert probe.wake_at == 23.0
    assert probe.state.address == 9
