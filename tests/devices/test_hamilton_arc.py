"""The Arc sensors: the sheet's frames on both ends, units, status words, identity, levels, and a wire that lies."""

from __future__ import annotations

import asyncio
import json
import math
import random
import struct

import pytest

from drivers.core import registers
from drivers.core.errors import NoAnswer, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.hamilton_arc import HamiltonArcDo, HamiltonArcPh
from drivers.devices.hamilton_arc.driver import HamiltonArc, channel
from drivers.devices.hamilton_arc.words import Level
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.core.surroundings import Liquid
from simulators.devices import hamilton_arc as simulated
from tests.devices.golden import golden
from tests.devices.rig import LIES

GOLDEN = golden(
    "hamilton_arc",
    r"""
    Byte-level | M | > 01 03 08 29 00 0A 16 65 | < 01 03 14 10 00 00 00 CD 0C 40 80 00 00 00 00 00 00 00 00 00 00 41 60 77 0D | pH
    Byte-level | M | > 01 03 09 69 00 0A 16 4D | < 01 03 14 00 04 00 00 DD E1 41 C2 00 00 00 00 00 00 C1 A0 00 00 43 02 8D 2D | temperature
    Byte-level | D | > 01 03 08 29 00 0A 16 65 | < 01 03 14 00 20 00 00 66 66 42 C5 00 00 00 00 00 00 00 00 00 00 43 96 9B 18 | oxygen
    Byte-level | M | > 01 10 10 BF 00 04 08 00 0C 00 00 5D EA 01 14 21 07 | < 01 10 10 BF 00 04 F4 EE | level A
    Byte-level | M | > 01 10 10 BF 00 04 08 00 30 00 00 79 CE 00 F4 97 E7 | < 01 10 10 BF 00 04 F4 EE | level S
    Byte-level | M | > 01 03 10 BF 00 04 71 2D | < 01 03 08 00 30 00 00 00 00 00 00 A5 D4 | read level while S
    Byte-level | M | > 01 10 0F FF 00 02 04 00 03 00 00 0D 5B | < 01 10 0F FF 00 02 72 EC | set address 3
    Byte-level | M | > 01 03 0F FF 00 02 F7 2F | < 01 03 04 00 01 00 00 AB F3 | read address
    Byte-level | M | > 01 03 10 05 00 02 D0 CA | < 01 03 04 00 04 00 00 BB F2 | read baud code
    Byte-level | M | > 01 03 13 07 00 02 71 4E | < 01 03 04 00 00 42 C8 CB 05 | quality
    Byte-level | M | > 01 03 07 FF 00 02 F5 4F | < 01 03 04 06 E1 00 00 AA 8D | channels
    Byte-level | M | > 01 03 12 7F 00 08 70 AC | < 01 03 10 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 E0 A5 | warnings
    Byte-level | M | > 01 03 12 43 00 06 31 64 | < 01 03 0C 5D E0 43 28 00 00 00 00 00 00 00 00 E5 7A | hours
    Byte-level | O | > 01 03 04 07 00 08 F4 FD | < 01 03 10 44 4F 55 4F 31 4D 32 30 00 00 00 00 00 00 00 00 41 1E | firmware
    Byte-level | M | > 01 10 10 BF 00 04 08 00 03 00 00 00 00 00 00 ED C0 | < 01 10 10 BF 00 04 F4 EE | level U
    Byte-level | D | > 01 10 14 29 00 02 04 00 00 00 00 CE DD | < 01 10 14 29 00 02 95 F0 | CP1 automatic
    Byte-level | D | > 01 10 14 29 00 02 04 00 00 40 E0 FE 95 | < 01 10 14 29 00 02 95 F0 | CP1 at pH 7
    Byte-level | M | > 01 03 14 25 00 06 D1 F3 | < 01 03 0C 00 00 00 00 10 00 00 00 51 EC 40 80 73 15 | CP1 took 4.01
    Byte-level | O | > 01 10 08 29 00 02 04 00 10 00 00 57 D8 | < 01 10 08 29 00 02 92 60 | unit %-vol
    Byte-level | O | > 01 10 08 29 00 02 04 00 80 00 00 57 F5 | < 01 10 08 29 00 02 92 60 | unit mg/l
    Byte-level | O | > 01 10 09 69 00 04 08 00 04 00 00 00 00 40 80 42 8F | < 01 10 09 69 00 04 12 4A | it has 4 Cel
    Byte-level | O | > 01 10 09 69 00 04 08 00 04 00 00 00 00 41 20 43 67 | < 01 10 09 69 00 04 12 4A | it has 10 Cel
    Byte-level | O | > 01 10 0D A9 00 04 08 00 01 00 00 00 01 00 00 7B EA | < 01 10 0D A9 00 04 13 46 | interval 1 s
    """,  # noqa: E501 - frames stay as the sheet prints them
)
SHEET = Liquid(24.35834, 4.02503, 98.7)


class Beaker:
    """An immersion whose liquid the test pours."""

    def __init__(self, liquid: Liquid = SHEET) -> None:
        self.now_in_it = liquid

    def liquid(self, now: float) -> Liquid:
        return self.now_in_it


def ph_sensor(**options: float | str) -> simulated.HamiltonArcPh:
    return simulated.HamiltonArcPh(Beaker(), 1, options=options)


def do_sensor(address: int = 1, **options: float | str) -> simulated.HamiltonArcDo:
    return simulated.HamiltonArcDo(Beaker(), address, options=options)


class Rig:
    """One simulated sensor on a cable, and its driver."""

    def __init__(self, sensor: simulated.HamiltonArc) -> None:
        self.sensor = sensor
        self.wire = faults.FaultyWire(sensor)
        self.host = MemoryHost(self.wire)
        kind = HamiltonArcPh if isinstance(sensor, simulated.HamiltonArcPh) else HamiltonArcDo
        self.driver: HamiltonArc = kind(Line(self.host.link()), sensor.address)

    def fault(self, text: str, seed: int = 0) -> None:
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), seed))


def raw(sensor: simulated.HamiltonArc, request: str, now: float = 0.0) -> bytes:
    body = bytes.fromhex(request)
    actions = sensor.receive(Bytes(simulated_frame(body)), now)
    return actions[0].data if actions and isinstance(actions[0], Send) else b""


def simulated_frame(body: bytes) -> bytes:
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return body + value.to_bytes(2, "little")


# -- the sheet, on each end


def test_the_simulator_answers_the_sheets_frames():
    GOLDEN.check_simulator(ph_sensor, "pH", "temperature", "read address", "read baud code", "quality", "channels")
    GOLDEN.check_simulator(do_sensor, "oxygen", "firmware")
    GOLDEN.check_simulator(ph_sensor, "level A")
    GOLDEN.check_simulator(ph_sensor(), "level S", "read level while S", "set address 3")
    sensor = ph_sensor()
    sensor.state.hours, sensor.state.powered_at, sensor.state.warnings = 168.3667, 0.0, [0, 1, 0, 0]
    GOLDEN.check_simulator(sensor, "hours", "warnings")


async def test_the_driver_sends_and_reads_the_sheets_frames():
    async with GOLDEN.line("pH", "temperature", "quality") as line:
        readings = await HamiltonArcPh(line, 1).poll()
        assert readings["ph"].value == pytest.approx(4.02503)
        assert readings["temperature"].value == pytest.approx(24.35834)
        assert readings["sensor_quality"].value == 100.0
        assert readings["sensor_status"].value == "good"
        assert {reading.quality for reading in readings.values()} == {Quality.GOOD}
    async with GOLDEN.line("oxygen") as line:
        assert (await HamiltonArcDo(line, 1).read("dissolved_oxygen")).value == pytest.approx(98.7)
    async with GOLDEN.line("level S", "read level while S") as line:
        await HamiltonArcPh(line, 1).set_level(Level.SPECIALIST)
    async with GOLDEN.line("warnings") as line:
        assert await HamiltonArcPh(line, 1)._words("warnings") == ("calibration recommended",)
    async with GOLDEN.line("hours") as line:
        assert await HamiltonArcPh(line, 1)._number("operating_hours") == pytest.approx(168.3667)
    async with GOLDEN.line("firmware") as line:
        assert await HamiltonArcDo(line, 1).read_row(HamiltonArcDo.table["firmware"]) == "ODOUM102"


def test_the_sheet_verifies_this_wire():
    assert GOLDEN.verified


def test_the_quick_reading_of_a_block_agrees_with_the_table():
    data = GOLDEN["pH"].reply[3:-2]
    quick = channel(data)
    table = HamiltonArcPh.table
    for value, name in zip(quick, ("pmc1_unit", "ph", "pmc1_status", "pmc1_low", "pmc1_high"), strict=True):
        at = 2 * (table[name].wire - 2089)
        assert registers.decode(table[name], data[at : at + 4]) == value


# -- who it is


@pytest.mark.parametrize("text", ["swapped", "plain"])
async def test_firmware_and_serial_are_read_in_either_order_of_characters(text: str):
    identity = await Rig(ph_sensor(serial="0001001", text=text)).driver.identify()
    assert (identity.maker, identity.type, identity.serial, identity.firmware) == (
        "Hamilton", "pH Arc", "0001001", "EPHUM011"
    )  # fmt: skip


async def test_the_other_sensor_kind_is_the_wrong_device():
    rig = Rig(do_sensor())
    with pytest.raises(WrongDevice, match="ODOUM102"):
        await HamiltonArcPh(Line(rig.host.link()), 1).identify()
    with pytest.raises(WrongDevice, match="EPHUM011"):
        await HamiltonArcDo(Line(Rig(ph_sensor()).host.link()), 1).identify()


async def test_nobody_at_an_address_is_no_answer():
    with pytest.raises(NoAnswer):
        await HamiltonArcPh(Line(Rig(ph_sensor()).host.link()), 7).identify()


async def test_two_sensors_share_a_cable():
    host = MemoryHost(SharedLine({"ph": ph_sensor(), "do": do_sensor(2)}))
    line = Line(host.link())
    both = HamiltonArcPh(line, 1), HamiltonArcDo(line, 2)
    first, second = await asyncio.gather(*(one.poll() for one in both))
    assert first["ph"].value == pytest.approx(4.02503)
    assert second["dissolved_oxygen"].value == pytest.approx(98.7)


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [HamiltonArcPh, HamiltonArcDo])
def test_the_drivers_declare_what_happens_when_nobody_talks_to_the_sensor(kind: type[HamiltonArc]):
    assert kind.on_link_loss.value == "only measures"
    assert kind.safe_state
    assert kind.watchdog == "none"
    assert kind.verified is None
    assert kind.specs()[kind.quantity].unit == ("[pH]" if kind is HamiltonArcPh else "%")


# -- what a value is worth


async def test_a_sensor_set_to_another_unit_gives_no_number():
    rig = Rig(ph_sensor())
    rig.sensor.state.unit = simulated.MV
    reading = (await rig.driver.poll())["ph"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "mV instead of pH" in reading.why
    oxygen = Rig(do_sensor())
    for unit, name in ((simulated.MG_L, "mg/l"), (simulated.PERCENT_VOL, "%-vol")):
        oxygen.sensor.state.unit = unit
        reading = (await oxygen.driver.poll())["dissolved_oxygen"]
        assert (reading.value, reading.quality) == (None, Quality.BAD)
        assert name in reading.why


@pytest.mark.parametrize(
    ("unit", "shown", "expected"), [(1 << 1, 310.15, 37.0), (1 << 3, 98.6, 37.0), (1 << 2, 37, 37.0)]
)
def test_temperatures_in_kelvin_and_fahrenheit_are_converted(unit: int, shown: float, expected: float):
    async def read() -> object:
        driver = HamiltonArcPh(Line(MemoryHost(ph_sensor()).link()))
        return driver._temperature(channel(simulated.numbers("IfIff", unit, shown, 0, -20, 130))).value

    assert asyncio.run(read()) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("bit", "quality", "words"),
    [(0, Quality.BAD, "frozen"), (1, Quality.BAD, "operating range"), (2, Quality.GOOD, "calibration status"),
     (3, Quality.GOOD, "warning"), (4, Quality.BAD, "error"), (9, Quality.BAD, "status bit 9")],
)  # fmt: skip
async def test_a_status_bit_speaks_and_condemns_where_it_must(bit: int, quality: Quality, words: str):
    rig = Rig(ph_sensor())
    rig.sensor.state.status = 1 << bit
    readings = await rig.driver.poll()
    assert readings["ph"].quality is quality
    assert words in readings["ph"].why
    assert words in str(readings["sensor_status"].value)


async def test_errors_are_named_for_ph_and_numbered_for_oxygen():
    rig = Rig(ph_sensor())
    rig.sensor.state.errors = [1 << 5, 1 << 1, 0, 0]
    status = str((await rig.driver.poll())["sensor_status"].value)
    assert "glass resistance too high" in status
    assert "quality below 15 %" in status
    oxygen = Rig(do_sensor())
    oxygen.sensor.state.errors = [1 << 5, 0, 0, 0]
    assert "measurement errors bit 5" in str((await oxygen.driver.poll())["sensor_status"].value)


async def test_a_number_that_is_none_is_bad():
    rig = Rig(ph_sensor())
    for value in (math.nan, math.inf):
        rig.sensor.immersion = Beaker(Liquid(37.0, value, 50.0))
        await asyncio.sleep(3)
        reading = (await rig.driver.poll())["ph"]
        assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_a_silent_sensor_is_bad_and_costs_the_line_one_question():
    rig = Rig(ph_sensor())
    rig.fault("silence")
    readings = await rig.driver.poll()
    assert set(readings) == set(rig.driver.specs())
    assert {reading.quality for reading in readings.values()} == {Quality.BAD}
    assert rig.wire.faults[0].heard == 2  # asked once, and once again


async def test_quality_is_asked_at_the_first_poll_and_every_ten_minutes():
    rig = Rig(ph_sensor())
    asked = []
    for _ in range(130):
        asked.append("sensor_quality" in await rig.driver.poll())
        await asyncio.sleep(10)
    assert asked[0]
    assert sum(asked) in (2, 3)


async def test_the_diagnosis_tells_hours_and_flash_writes():
    rig = Rig(ph_sensor())
    await rig.driver.diagnose()
    await rig.driver.set_level(Level.SPECIALIST)
    raw(rig.sensor, "01 10 08 29 00 02 04 00 00 00 20", rig.host.now)
    await asyncio.sleep(7200)
    found = await rig.driver.diagnose()
    assert found.quality_percent == 100
    assert found.operating_hours == pytest.approx(2.0, abs=0.01)
    assert (found.power_ups, found.flash_writes) == (1, 1)
    assert found.warnings == found.errors == ()


# -- levels


async def test_a_level_needs_its_password_and_falls_back_at_power_up():
    rig = Rig(ph_sensor())
    with pytest.raises(Refused, match="illegal data value"):
        await rig.driver.set_level(Level.SPECIALIST, 1)
    assert await rig.driver.level() is Level.USER
    await rig.driver.set_level(Level.SPECIALIST)
    rig.host.power_cycle()
    assert await rig.driver.level() is Level.USER


async def test_nothing_a_sensor_measures_can_be_set():
    rig = Rig(ph_sensor())
    with pytest.raises(Refused, match="read only"):
        await rig.driver.write("ph", 7.0)


# -- the simulator by itself


@pytest.mark.parametrize(
    "request_hex",
    [
        "01 03 08 2B 00 02",
        "01 03 08 29 00 02",
        "01 03 00 00 00 02",
        "01 03 08 29 00 0B",
        "01 10 0F 00 00 02 04 00 00 00 00",
    ],
)
def test_parts_of_blocks_and_unknown_registers_are_exception_02(request_hex: str):
    reply = raw(ph_sensor(), request_hex)
    assert reply[1] & 0x80
    assert reply[2] == 2


def test_the_sheets_unknown_register_frame_holds():
    assert raw(ph_sensor(), "01 03 00 00 00 02") == bytes.fromhex("01 83 02 C0 F1")


def test_a_wrong_password_is_exception_03_as_the_sheet_suggests():
    assert raw(ph_sensor(), "01 10 10 BF 00 04 08 00 30 00 00 00 01 00 00") == bytes.fromhex("01 90 03 0C 01")


def test_functions_3_and_4_read_the_same_and_6_is_illegal():
    sensor = ph_sensor()
    assert raw(sensor, "01 04 08 29 00 0A")[3:-2] == raw(sensor, "01 03 08 29 00 0A")[3:-2]
    assert raw(sensor, "01 06 08 29 00 0A")[:3] == bytes.fromhex("01 86 01")


def test_the_unit_is_the_specialists_and_each_change_costs_flash():
    sensor = ph_sensor()
    millivolt = "01 10 08 29 00 02 04 00 00 00 20"
    assert raw(sensor, millivolt)[1:3] == b"\x90\x03"
    sensor.state.level = simulated.SPECIALIST
    assert raw(sensor, millivolt)[1] == 0x10
    assert sensor.state.flash_writes == 1
    block = channel(raw(sensor, "01 03 08 29 00 0A")[3:-2])
    assert block.unit == simulated.MV
    assert (block.low, block.high) == (pytest.approx(-414.0028), pytest.approx(414.0028))
    assert block.value == pytest.approx((4.02503 - 7) * -59.143, abs=0.1)


def test_a_new_value_comes_every_three_seconds():
    sensor = ph_sensor()
    beaker = Beaker()
    sensor.immersion = beaker
    first = raw(sensor, "01 03 08 29 00 0A", 300.0)
    beaker.now_in_it = Liquid(37.0, 7.4, 50.0)
    assert raw(sensor, "01 03 08 29 00 0A", 302.9) == first
    assert channel(raw(sensor, "01 03 08 29 00 0A", 303.0)[3:-2]).value == pytest.approx(7.4)


def test_outside_the_measuring_range_the_value_is_frozen():
    sensor = ph_sensor()
    beaker = Beaker()
    sensor.immersion = beaker
    raw(sensor, "01 03 08 29 00 0A", 300.0)
    beaker.now_in_it = Liquid(140.0, 9.0, 50.0)
    block = channel(raw(sensor, "01 03 08 29 00 0A", 310.0)[3:-2])
    assert block.value == pytest.approx(4.02503)
    assert block.status & 1


def test_without_a_seed_there_is_neither_noise_nor_drift_and_with_one_it_repeats():
    def values(seed: int | None, drift: float = 0.0) -> list[float]:
        sensor = simulated.HamiltonArcPh(Beaker(), 1, seed, {"drift_per_day": drift})
        return [channel(raw(sensor, "01 03 08 29 00 0A", at)[3:-2]).value for at in (0.0, 43200.0, 86400.0)]

    assert values(None) == [pytest.approx(4.02503)] * 3
    assert values(1) == values(1) != values(2)
    assert values(None, 0.02) == [pytest.approx(4.02503 + drift) for drift in (0.0, 0.01, 0.02)]


def test_a_snapshot_goes_on_as_if_nothing_had_been():
    one = simulated.HamiltonArcPh(Beaker(), 1, 5)
    raw(one, "01 03 08 29 00 0A", 100.0)
    other = simulated.HamiltonArcPh(Beaker(), 1, 5)
    other.restore(json.loads(json.dumps(one.snapshot())))
    for at in (101.0, 200.0):
        assert raw(one, "01 03 08 29 00 0A", at) == raw(other, "01 03 08 29 00 0A", at)


# -- a wire that lies


@pytest.mark.parametrize("block", range(4))
async def test_on_a_faulty_wire_no_number_is_invented(block: int):
    for seed in range(50 * block, 50 * block + 50):
        chance = random.Random(seed)
        rig = Rig(ph_sensor() if seed % 2 else do_sensor())
        for lie in chance.sample(LIES, chance.randint(1, 3)):
            rig.fault(lie, seed)
        true_ph: set[float] = set()
        true_do: set[float] = set()
        for _ in range(4):
            liquid = Liquid(37.0, chance.uniform(6, 8), chance.uniform(0, 100))
            rig.sensor.immersion = Beaker(liquid)
            true_ph.add(struct.unpack("f", struct.pack("f", liquid.ph))[0])
            true_do.add(struct.unpack("f", struct.pack("f", liquid.do_percent))[0])
            try:
                readings = await rig.driver.poll()
            except WireError:
                continue
            for name, truth in (("ph", true_ph), ("dissolved_oxygen", true_do), ("temperature", {37.0})):
                reading = readings.get(name)
                if reading is not None and reading.value is not None:
                    assert reading.value in truth
            await asyncio.sleep(10)


# -- what another program may ask and set


def test_the_simulator_takes_the_sheets_writes():
    sensor = ph_sensor()
    GOLDEN.check_simulator(sensor, "level A", "CP1 automatic", now=1000.0)
    GOLDEN.check_simulator(sensor, "CP1 took 4.01", "CP1 at pH 7", "level U", now=1000.0)
    oxygen = do_sensor()
    GOLDEN.check_simulator(
        oxygen, "level S", "unit %-vol", "unit mg/l", "interval 1 s", "it has 4 Cel", "it has 10 Cel"
    )
    assert channel(raw(oxygen, "01 03 09 69 00 0A")[3:-2]).value == 10.0
    oxygen.power_cycle(10.0)
    assert channel(raw(oxygen, "01 03 09 69 00 0A", 10.0)[3:-2]).value == pytest.approx(24.35834)


@pytest.mark.parametrize("text", ["swapped", "plain"])
def test_every_text_of_the_sheet_is_there_and_the_free_ones_are_kept(text: str):
    sensor = ph_sensor(text=text)

    def read(register: int, count: int = 8) -> str:
        data = raw(sensor, f"01 03 {register - 1:04X} {count:04X}")[3:-2]
        if text == "swapped":
            data = bytes(data[at ^ 1] for at in range(len(data)))
        return data.rstrip(b"\0").decode("ascii")

    for register in (1024, 1032, 1040, 1048, 1056, 1064, 1088, 1096, 1120, 1280, 1312, 2080, 2400, 2464, 3360, 3456):
        assert read(register), register
    assert (read(1600), read(1536), read(1632)) == ("242111-0001001", "*FREE_USERSPACE*", "*FREE_USERSPACE*")
    assert [read(1920 + 4 * bit, 4) for bit in (1, 5, 12, 21)] == ["K", "%-sat", "pH", "mV"]
    hello = b"bench 7, left   " if text == "plain" else b"ebcn h,7l fe t  "
    write = f"01 10 {1536 - 1:04X} 0008 10 {hello.hex()}"
    assert raw(sensor, write)[1] == 0x10
    assert read(1536) == "bench 7, left   "
    assert raw(sensor, f"01 10 {1600 - 1:04X} 0008 10 {hello.hex()}")[1:3] == b"\x90\x03"
    twin = ph_sensor(text=text)
    twin.restore(json.loads(json.dumps(sensor.snapshot())))
    sensor = twin
    assert read(1536) == "bench 7, left   "


def test_settings_are_the_specialists_are_kept_and_the_factory_brings_them_back():
    sensor = ph_sensor()

    def value(register: int, count: int) -> list[int]:
        data = raw(sensor, f"01 03 {register - 1:04X} {count:04X}")[3:-2]
        return [int.from_bytes(data[at + 2 : at + 4] + data[at : at + 2], "big") for at in range(0, len(data), 4)]

    average = f"01 10 {3370 - 1:04X} 0004 08 0001 0000 0010 0000"
    assert value(3370, 8) == [1, 2, 1, 16]
    assert raw(sensor, average)[1:3] == b"\x90\x03"
    assert raw(sensor, "01 10 10BF 0004 08 0030 0000 79CE 00F4")[1] == 0x10
    assert raw(sensor, average)[1] == 0x10
    assert value(3370, 8) == [1, 16, 1, 16]
    assert raw(sensor, f"01 10 {3370 - 1:04X} 0004 08 0001 0000 0011 0000")[1:3] == b"\x90\x03"
    assert raw(sensor, f"01 10 {9474 - 1:04X} 0002 04 0008 0000")[1] == 0x10
    assert raw(sensor, f"01 10 {4102 - 1:04X} 0002 04 0005 0000")[1] == 0x10
    assert (value(9474, 2), value(4102, 2), value(5120, 2), value(3072, 2)) == ([8], [5], [0x23], [0x900])
    assert raw(sensor, "01 10 10C3 0004 08 000C 0000 002A 0000")[1] == 0x10  # another password for administrators
    assert raw(sensor, "01 10 10BF 0004 08 000C 0000 5DEA 0114")[1:3] == b"\x90\x03"
    assert raw(sensor, "01 10 1FFF 0002 04 2C5F 000B")[1] == 0x10
    assert (value(9474, 2), value(4102, 2), value(3370, 8)) == ([1], [4], [1, 2, 1, 16])
    assert raw(sensor, "01 10 10BF 0004 08 000C 0000 5DEA 0114")[1] == 0x10


def test_calibration_data_are_told_to_those_who_may_and_no_point_is_taught_at_no_number():
    sensor = ph_sensor()
    assert raw(sensor, "01 03 158F 0008")[1:3] == b"\x83\x03"  # 5520 for administrators and specialists
    raw(sensor, "01 10 10BF 0004 08 000C 0000 5DEA 0114")
    for start, value in ((5162, "0000 7FC0"), (5322, "0000 7F80")):
        assert raw(sensor, f"01 10 {start - 1:04X} 0002 04 {value}")[1:3] == b"\x90\x03"
    assert raw(sensor, "01 10 1429 0002 04 0000 0000", 1000.0)[1] == 0x10
    data = raw(sensor, "01 03 158F 0008", 1000.0)[3:-2]
    assert struct.unpack(">f", data[2:4] + data[:2])[0] == pytest.approx(4.01)
    assert raw(sensor, "01 03 142B 0008", 1000.0)[3 + 8 : 3 + 12] == bytes.fromhex("0001 0000")
    assert raw(sensor, "01 03 0000 0001")[1:3] == b"\x83\x02"
