"""The chambers: the sheet's frames on both ends, two dialects, programs left alone, and what nobody has published."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.binder_mb import BinderCbMb1, BinderCbMb2, BinderMb1, BinderMb2, profile, words
from drivers.devices.binder_mb.driver import BinderMb
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Opened, Send
from simulators.devices import binder_mb as simulated
from simulators.devices import hamilton_arc
from simulators.standalone import StillChamber, StillLiquid
from tests.devices.golden import golden
from tests.devices.rig import Rig, Setting

PROFILE = str(Path(__file__).parent / "profiles" / "binder_cb.csv")
SETTINGS = {
    "binder_cb_mb1": Setting({"profile": PROFILE}, {"profile": PROFILE}),
    "binder_cb_mb2": Setting({"profile": PROFILE}, {"profile": PROFILE}),
}

MB1 = golden(
    "binder_mb",
    r"""
    Byte-level | M | > 01 03 11 A9 00 02 11 17 | < 01 03 04 1C 12 42 33 2D 13 | temperature
    Byte-level | V | > 01 03 11 A9 00 02 11 17 | < 01 03 04 8F 5C 41 A2 A1 1C | temperature 20.32
    Byte-level | M | > 01 03 10 77 00 02 70 D1 | < 01 03 04 00 00 42 34 CB 44 | set point 45
    Byte-level | X | > 01 10 15 81 00 02 04 00 00 42 14 F8 3C | < 01 10 15 81 00 02 15 EC | manual := 37
    Byte-level | X | > 01 10 15 6F 00 02 04 00 00 42 14 77 F8 | < 01 10 15 6F 00 02 75 D9 | basic := 37
    Byte-level | M | > 01 03 1A 22 00 01 23 18 | < 01 03 02 08 00 BF 84 | mode is manual
    Byte-level | M | > 01 03 1A 22 00 01 23 18 | < 01 03 02 00 00 B8 44 | mode is idle
    Byte-level | X | > 01 06 1A 22 08 00 29 18 | < 01 06 1A 22 08 00 29 18 | mode := manual
    Byte-level | M | > 01 03 10 07 00 01 31 0B | < 01 03 02 00 01 79 84 | door is open
    Byte-level | M | > 01 03 10 07 00 01 31 0B | < 01 03 02 00 00 B8 44 | door is closed
    Byte-level | M | > 01 03 12 3D 00 02 50 BF | < 01 03 04 00 01 00 00 AB F3 | limit alarm
    Byte-level | M | > 01 03 12 3D 00 02 50 BF | < 01 03 04 00 00 00 01 3B F3 | door note
    Byte-level | M | > 01 03 12 28 00 14 C0 B5 | < 01 03 28 00 54 00 45 00 4D 00 50 00 45 00 52 00 41 00 54 00 55 00 52 00 45 00 20 00 4C 00 49 00 4D 00 49 00 54 00 20 00 20 00 20 67 85 | text
    ovenctl    | D | > 01 03 12 3D 00 01 10 BE | < 01 03 02 00 00 B8 44 | alarm?
    ovenctl    | D | > 01 03 12 3E 00 01 E0 BE | < 01 03 02 00 00 B8 44 | note?
    ovenctl    | D | > 01 03 15 8B 00 01 F0 2C | < 01 03 02 00 00 B8 44 | operation lines
    ovenctl    | D | > 01 06 15 8B 00 00 FD EC | < 01 06 15 8B 00 00 FD EC | clear the lines
    """,  # noqa: E501 - frames stay as the sheet prints them
)
MB2 = golden(
    "binder_mb",
    r"""
    Byte-level | X | > 01 03 10 04 00 02 81 0A | < 01 03 04 00 00 42 14 CA 9C | temperature
    Byte-level | X | > 01 03 10 B2 00 04 E0 EE | < 01 03 08 00 00 42 14 00 00 42 BE 1A 26 | set points
    Byte-level | X | > 01 10 11 4C 00 02 04 00 00 42 14 07 35 | < 01 10 11 4C 00 02 85 23 | manual := 37
    Byte-level | X | > 01 03 12 92 00 01 20 9F | < 01 03 02 00 01 79 84 | contacts of manual
    Byte-level | X | > 01 03 12 92 00 01 20 9F | < 01 03 02 00 03 F8 45 | contacts of idle
    Byte-level | X | > 01 06 11 58 00 03 4D 24 | < 01 06 11 58 00 03 4D 24 | to idle
    Byte-level | X | > 01 06 11 58 00 01 CC E5 | < 01 06 11 58 00 01 CC E5 | to manual
    Byte-level | X | > 01 03 10 A6 00 04 A0 EA | < 01 03 08 00 00 00 00 00 00 00 00 95 D7 | no program
    Byte-level | X | > 01 03 13 4A 00 06 E0 9A | < 01 03 0C 07 EA 00 0B 00 18 00 02 00 2D 00 00 12 58 | clock
    """,
)
SHEET_CEL = 44.777412
KINDS = (BinderMb1, BinderMb2, BinderCbMb1, BinderCbMb2)


def crc(body: bytes) -> bytes:
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return body + value.to_bytes(2, "little")


def raw(device: simulated.BinderMb, request: str, now: float = 0.0) -> bytes:
    """The reply to a request typed without its CRC, and without the reply's."""
    actions = device.receive(Bytes(crc(bytes.fromhex(request))), now)
    return actions[0].data[:-2] if actions and isinstance(actions[0], Send) else b""


def chamber(cel: float = 37.0, door: bool = False) -> StillChamber:
    place = StillChamber()
    place.values["temperature"], place.values["door_open"] = cel, float(door)
    return place


def rig(kind: type[BinderMb], place: StillChamber | None = None, **options: float | str) -> Rig[BinderMb]:
    device = vars(simulated)[kind.__name__](place or StillChamber(), 1, None, options)
    needs = SETTINGS[kind.model].options if "profile" in options else None
    return Rig(kind, device, 1, needs)


# -- the sheet, on each end


def test_the_mb1_simulator_answers_the_sheets_frames():
    def with_set_point() -> simulated.BinderMb1:
        device = simulated.BinderMb1(chamber(SHEET_CEL))
        device.state.manual[0] = 45.0
        return device

    MB1.check_simulator(
        with_set_point, "temperature", "set point 45", "mode is manual", "door is closed", "manual := 37",
        "basic := 37", "mode := manual", "alarm?", "note?", "operation lines", "clear the lines",
    )  # fmt: skip
    MB1.check_simulator(lambda: simulated.BinderMb1(chamber(20.32)), "temperature 20.32")
    MB1.check_simulator(lambda: simulated.BinderMb1(chamber(door=True)), "door is open", "door note")
    hot = simulated.BinderMb1(chamber(210.0))
    MB1.check_simulator(hot, "limit alarm", "text")
    hot.state.mode = simulated.IDLE
    MB1.check_simulator(hot, "mode is idle")


def test_the_mb2_simulator_answers_the_sheets_frames():
    device = simulated.BinderMb2(chamber(37.0))
    device.state.manual[1], device.state.contacts = 95.0, 1
    MB2.check_simulator(
        device, "temperature", "set points", "manual := 37", "contacts of manual", "to idle", "contacts of idle",
        "to manual", "no program", "clock",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("what", "name", "value"),
    [("temperature", "temperature", SHEET_CEL), ("temperature 20.32", "temperature", 20.32),
     ("mode is manual", "mode", "manual"), ("mode is idle", "mode", "idle"), ("door is open", "door_open", True),
     ("door is closed", "door_open", False), ("limit alarm", "alarm_active", True),
     ("limit alarm", "note_active", False), ("door note", "note_active", True),
     ("text", "message", "TEMPERATURE LIMIT"), ("operation lines", "operation_lines", 0)],
)  # fmt: skip
async def test_the_driver_reads_the_mb1_frames(what: str, name: str, value: object):
    exchange = MB1[what]
    start, count = int.from_bytes(exchange.request[2:4], "big"), int.from_bytes(exchange.request[4:6], "big")
    async with MB1.line(what) as line:
        driver = BinderMb1(line, 1)
        row = driver.rows[name]
        rows = tuple(each for each in driver.rows.values() if start <= each.wire < start + count and each.table)
        block = driver.block(start, count, rows)
        assert row in block.rows
        reading = driver.readings(block, await driver.ask(block))[name]
        assert reading.value == (pytest.approx(value, abs=1e-5) if isinstance(value, float) else value)
        assert reading.quality is Quality.GOOD


async def test_the_driver_writes_the_sheets_frames():
    async with MB1.line("manual := 37", "basic := 37", "mode := manual") as line:
        driver = BinderMb1(line, 1)
        for target in (0x1581, 0x156F):
            row = driver.rows["temperature_setpoint"]
            await driver.write_row(type(row)("x", "holding", target, target, 2, row.type), 37.0)
        await driver.write_row(driver.rows["mode"], words.SETTABLE["manual"])
    async with MB2.line("no program", "contacts of manual", "set points", "clock", "temperature") as line:
        driver = BinderMb2(line, 1)
        rows = driver.rows
        assert (await driver.read("program_remaining")).value == 0
        assert (await driver.read("contacts")).value == 1
        both = driver.block(0x10B2, 4, (rows["temperature_setpoint"], rows["humidity_setpoint"]))
        found = driver.readings(both, await driver.ask(both))
        assert (found["temperature_setpoint"].value, found["humidity_setpoint"].value) == (37.0, 95.0)
        data = await driver.ask(driver.block(0x134A, 6, (rows["clock"],)))
        assert driver.value(rows["clock"], data) == "2026-11-24 02:45:00"
        data = await driver.ask(driver.block(0x1004, 2, (rows["temperature"],)))
        assert driver.value(rows["temperature"], data) == 37.0


async def test_a_refused_write_is_told_in_the_makers_words_not_in_modbus_ones():
    for code in (5, 8):
        bench = rig(BinderMb1, denied=code)
        with pytest.raises(Refused, match="write access denied"):
            await bench.driver.write_row(bench.driver.rows["temperature"], 37.0)
    bench = rig(BinderMb1)
    with pytest.raises(Refused, match="outside the controller's range"):
        row = bench.driver.rows["temperature_setpoint"]
        await bench.driver.write_row(type(row)("x", "holding", 0x1581, 0x1581, 2, row.type), 999.0)


def test_the_sheet_verifies_the_mb1_wire_and_not_the_mb2():
    assert MB1.verified
    assert not MB2.verified


# -- who it is


async def test_both_controllers_name_themselves_and_not_each_other():
    first = await rig(BinderMb1).driver.identify()
    assert (first.maker, first.type, first.firmware) == ("BINDER", "MB1 controller", "10.03.05")
    second = await rig(BinderMb2).driver.identify()
    assert (second.maker, second.type) == ("BINDER", "MB2 controller")
    for mine, other in ((BinderMb1, BinderMb2), (BinderMb2, BinderMb1)):
        bench = rig(other)
        with pytest.raises(WrongDevice):
            await mine(Line(bench.host.link()), 1).identify()


@pytest.mark.parametrize("kind", [BinderMb1, BinderMb2])
async def test_another_modbus_device_is_not_a_chamber(kind: type[BinderMb]):
    probe = hamilton_arc.HamiltonArcPh(StillLiquid(), 1)
    with pytest.raises(WrongDevice):
        await kind(Line(MemoryHost(probe).link()), 1).identify()


@pytest.mark.parametrize("swapped", [False, True])
def test_the_makers_name_is_found_in_either_order_of_characters(swapped: bool):
    block = b"10.03.05\0\0Binder\0\0".ljust(88, b"\0")
    if swapped:
        block = bytes(block[at ^ 1] for at in range(len(block)))
    assert words.firmware(block) == "10.03.05"
    assert words.firmware(bytes(88)) is None
    assert words.firmware(b"BINDER".ljust(88, b"\0")) == ""


async def test_two_chambers_share_a_cable_and_nobody_answers_for_a_third():
    one, two = simulated.BinderMb1(chamber(30.0), 1), simulated.BinderMb1(chamber(40.0), 2)
    line = Line(MemoryHost(SharedLine({"a": one, "b": two})).link())
    assert (await BinderMb1(line, 1).read("temperature")).value == 30.0
    assert (await BinderMb1(line, 2).read("temperature")).value == 40.0
    with pytest.raises(NoAnswer):
        await BinderMb1(line, 3).read("temperature")


# -- reading


@pytest.mark.parametrize("kind", KINDS)
async def test_a_poll_tells_the_air_as_it_is(kind: type[BinderMb]):
    place = chamber(36.5, door=True)
    bench = rig(kind, place, profile=PROFILE) if kind.kind == "incubator" else rig(kind, place)
    found = await bench.driver.poll()
    assert list(found) and set(found) == set(kind.specs())
    assert found["temperature"].value == 36.5
    assert found["temperature_setpoint"].value == 37.0
    assert found["mode"].value == "manual"
    assert found["humidity"].value == pytest.approx(93.0)
    if issubclass(kind, BinderMb1):
        assert (found["door_open"].value, found["note_active"].value) == (True, True)
        assert found["message"].value == "DOOR OPEN"
    if kind.kind == "incubator":
        assert (found["co2"].value, found["o2"].value) == (5.0, 18.6)
        assert (found["co2_setpoint"].value, found["o2_setpoint"].value) == (5.0, 20.9)


async def test_zero_humidity_is_a_chamber_without_humidity_and_no_number():
    place = chamber()
    place.values["humidity"] = 0.0
    reading = (await rig(BinderMb1, place).driver.poll())["humidity"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "without humidity" in reading.why


@pytest.mark.parametrize("cel", [float("nan"), float("inf"), 5000.0])
async def test_a_temperature_that_cannot_be_true_is_bad(cel: float):
    reading = await rig(BinderMb1, chamber(cel)).driver.read("temperature")
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert reading.why


async def test_the_limit_alarm_is_data():
    bench = rig(BinderMb1, chamber(210.0))
    found = await bench.driver.poll()
    assert found["alarm_active"].value is True
    assert found["temperature_limit_alarm"].value is True
    assert found["message"].value == "TEMPERATURE LIMIT"


async def test_a_mode_nobody_knows_is_bad_and_stands_against_writing():
    bench = rig(BinderMb1)
    assert isinstance(bench.simulator, simulated.BinderMb1)
    bench.simulator.state.mode = 0x0C00
    reading = await bench.driver.read("mode")
    assert reading.quality is Quality.BAD
    with pytest.raises(Refused, match="0x0c00"):
        await bench.driver.write("temperature_setpoint", 36.0)


# -- writing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("apply_s", [0.0, 0.5, 1.9])
async def test_a_set_point_is_written_read_back_and_acts_on_the_chamber(kind: type[BinderMb], apply_s: float):
    place = StillChamber()
    bench = rig(kind, place, apply_s=apply_s)
    assert (await bench.driver.write("temperature_setpoint", 36.6)).value == pytest.approx(36.6, abs=1e-5)
    await asyncio.sleep(36000)
    assert place.air(asyncio.get_running_loop().time()).cel == pytest.approx(36.6, abs=0.01)


async def test_the_mb1_set_point_goes_to_manual_and_basic_so_that_idle_shows_it_too():
    bench = rig(BinderMb1)
    assert isinstance(bench.simulator, simulated.BinderMb1)
    await bench.driver.write("mode", "idle")
    await bench.driver.write("temperature_setpoint", 30.0)
    assert (bench.simulator.state.manual[0], bench.simulator.state.basic[0]) == (30.0, 30.0)
    assert (await bench.driver.read("temperature_setpoint")).value == 30.0
    await bench.driver.write("mode", "manual")
    assert (await bench.driver.read("temperature_setpoint")).value == 30.0


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(BinderMb1, "humidity_setpoint", 80.0), (BinderMb1, "operation_lines", 3), (BinderMb2, "humidity_setpoint", 80.0),
     (BinderMb2, "fan_setpoint", 50.0), (BinderMb2, "humidity_control", False), (BinderMb2, "humidity_control", True),
     (BinderMb1, "mode", "idle"), (BinderMb2, "mode", "idle"), (BinderMb1, "mode", "manual")],
)  # fmt: skip
async def test_every_other_set_point_is_kept(kind: type[BinderMb], name: str, value: float | str | bool):
    bench = rig(kind)
    assert (await bench.driver.write(name, value)).value == value
    assert (await bench.driver.read(name)).value == value


async def test_leaving_idle_keeps_the_other_contacts():
    bench = rig(BinderMb2)
    assert isinstance(bench.simulator, simulated.BinderMb2)
    bench.simulator.state.contacts = 0x143
    await bench.driver.write("mode", "manual")
    assert bench.simulator.state.contacts == 0x141


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [181.0, -41.0, float("nan"), float("inf")])
async def test_a_set_point_outside_its_limits_never_reaches_the_wire(kind: type[BinderMb], value: float):
    bench = rig(kind)
    with pytest.raises(OutOfRange):
        await bench.driver.write("temperature_setpoint", value)
    assert bench.driver.line.dialled == 0


@pytest.mark.parametrize("value", [None, "37", True])
async def test_only_a_number_is_a_set_point(value: object):
    with pytest.raises(Refused, match="takes a number"):
        await rig(BinderMb1).driver.write("temperature_setpoint", value)  # type: ignore[arg-type]


async def test_what_can_only_be_read_is_refused():
    with pytest.raises(Refused, match="only be read"):
        await rig(BinderMb1).driver.write("temperature", 37.0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_running_program_is_not_disturbed(kind: type[BinderMb]):
    bench = rig(kind)
    assert isinstance(bench.simulator, simulated.BinderMb)
    state = bench.simulator.state
    state.mode, state.elapsed_s, state.remaining_s = simulated.PROGRAM, 60, 3600
    assert (await bench.driver.read("mode")).value == "program"
    for name, value in (("temperature_setpoint", 30.0), ("mode", "idle")):
        with pytest.raises(Refused, match="end it at the panel"):
            await bench.driver.write(name, value)
    assert state.manual[0] == 37.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["program", "basic", "", None, 1])
async def test_only_idle_and_manual_can_be_set(kind: type[BinderMb], mode: object):
    with pytest.raises(Refused, match="can be set to"):
        await rig(kind).driver.write("mode", mode)  # type: ignore[arg-type]


async def test_a_set_point_the_chamber_keeps_to_itself_is_refused_after_two_seconds():
    bench = rig(BinderMb1, apply_s=60.0)
    began = asyncio.get_running_loop().time()
    with pytest.raises(Refused, match="shows 37"):
        await bench.driver.write("temperature_setpoint", 30.0)
    assert 2.0 <= asyncio.get_running_loop().time() - began < 4.0


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", KINDS)
def test_the_drivers_declare_what_happens_when_nobody_talks_to_the_chamber(kind: type[BinderMb]):
    assert kind.on_link_loss is LinkLoss.KEEPS_SETPOINTS
    assert kind.safe_state
    assert kind.watchdog.startswith("none")
    assert kind.verified is None


# -- what nobody has published


@pytest.mark.parametrize("kind", [BinderCbMb1, BinderCbMb2])
async def test_without_a_profile_co2_o2_and_humidity_are_refused_by_name(kind: type[BinderMb]):
    bench = rig(kind)
    found = await bench.driver.poll()
    for name in ("co2", "co2_setpoint", "o2", "o2_setpoint", "humidity", "humidity_setpoint"):
        if name in kind.specs():
            assert found[name].quality is Quality.BAD
            assert "cb-profile-template.csv" in found[name].why
        with pytest.raises(Refused, match=r"cb-profile-template\.csv"):
            await bench.driver.read(name)
    with pytest.raises(Refused, match="published nowhere"):
        await bench.driver.write("co2_setpoint", 5.0)
    assert found["temperature"].quality is Quality.GOOD


@pytest.mark.parametrize("kind", [BinderCbMb1, BinderCbMb2])
async def test_with_a_profile_they_are_read_set_and_read_back(kind: type[BinderMb]):
    place = StillChamber()
    bench = rig(kind, place, profile=PROFILE)
    assert (await bench.driver.write("co2_setpoint", 6.5)).value == 6.5
    assert (await bench.driver.write("o2_setpoint", 5.0)).value == 5.0
    assert (await bench.driver.write("humidity_setpoint", 90.5)).value == 90.5
    await asyncio.sleep(36000)
    air = place.air(asyncio.get_running_loop().time())
    assert (air.co2_percent, air.o2_percent) == (pytest.approx(6.5, abs=0.01), pytest.approx(5.0, abs=0.01))
    with pytest.raises(OutOfRange):
        await bench.driver.write("co2_setpoint", 21.0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_blocks_of_the_known_registers_are_of_one_length(kind: type[BinderMb]):
    """So that a reply that comes late is not taken for another block's."""
    lengths = [block.request[4:6] for block in rig(kind).driver.blocks()]
    assert len(set(lengths)) == len(lengths)


async def test_a_late_copy_of_a_reply_is_not_taken_for_another_profile_register():
    bench = rig(BinderCbMb2, profile=PROFILE)
    bench.fault("duplicate:every=1")
    bench.fault("delay:every=2:seconds=0.1")
    truth = {"co2": 5.0, "o2": 18.6, "humidity": 93.0, "temperature_setpoint": 37.0}
    for _ in range(10):
        found = await bench.driver.poll()
        for name, value in truth.items():
            assert found[name].quality is Quality.BAD or found[name].value == value


async def test_a_wrong_number_in_a_profile_fails_loudly():
    bench = Rig(BinderCbMb2, simulated.BinderCbMb2(StillChamber()), 1, {"profile": PROFILE})
    found = await bench.driver.poll()
    assert found["co2"].quality is Quality.BAD
    assert found["temperature"].quality is Quality.GOOD
    with pytest.raises(Refused):
        await bench.driver.write("co2_setpoint", 5.0)


@pytest.mark.parametrize(
    ("row", "why"),
    [("co2,0x????,float32_swapped,1,0,25,", "invalid literal"), ("co2,,float32_swapped,1,0,25,", "no address"),
     ("temperature,0x10,float32,1,0,25,", "can be filled in"), ("co2,0x10,text,1,0,25,", "none that can be read"),
     ("co2_setpoint,0x10,float32,1,,,0x12", "needs low and high"), ("co2,0x10,float32,1,0,25,0x12", "set point"),
     ("co2_setpoint,0x10,float32,1,0,20,twelve", "invalid literal"), ("co2,0x10,float32,0,0,25,", "scale 0")],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_is_named_with_its_fault(tmp_path: Path, row: str, why: str):
    path = tmp_path / "mine.csv"
    path.write_text(f"name,address,type,scale,low,high,writes\n{row}\n")
    with pytest.raises(ValueError, match=why):
        BinderCbMb1(Line(MemoryHost(simulated.BinderCbMb1(StillChamber())).link()), 1, {"profile": str(path)})


def test_a_profile_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"nowhere\.csv"):
        BinderCbMb2(Line(MemoryHost(simulated.BinderCbMb2(StillChamber())).link()), 1, {"profile": "nowhere.csv"})


def test_the_template_fills_in_nothing_by_itself():
    lines = (Path(__file__).parents[2] / profile.TEMPLATE).read_text().splitlines()
    assert [line for line in lines if line and line[0] != "#"] == ["name,address,type,scale,low,high,writes"]


def test_a_chamber_has_no_profile():
    with pytest.raises(ValueError, match="no option"):
        BinderMb1(Line(MemoryHost(simulated.BinderMb1(StillChamber())).link()), 1, {"profile": PROFILE})


# -- the simulator by itself


@pytest.mark.parametrize(
    ("request_hex", "reply"),
    [("01 03 11 A9 00 00", "01 83 03"), ("01 03 11 A9 00 51", "01 83 03"),
     ("01 03 11 AB 00 01", "01 03 02 00 00"), ("01 03 1A 7D 00 02", "01 83 02"),
     ("01 02 11 A9 00 02", "01 82 01"), ("01 10 11 A9 00 02 04 00 00 42 14", "01 90 05"),
     ("01 10 15 81 00 02 04 00 00 44 14", "01 90 03"), ("01 10 0F 00 00 02 04 00 00 42 14", "01 90 02"),
     ("02 03 11 A9 00 02", ""), ("01 04 11 A9 00 02", "01 04 04 00 00 42 14"), ("01 03 11 AA 00 01", "01 03 02 42 14"),
     ("01 06 1A 22 01 00", "01 86 03"), ("01 06 10 07 00 01", "01 86 05")],
)  # fmt: skip
def test_an_mb1_judges_requests_as_the_sheet_says(request_hex: str, reply: str):
    assert raw(simulated.BinderMb1(chamber()), request_hex) == bytes.fromhex(reply)


def test_the_frames_of_exceptions_are_the_sheets():
    device = simulated.BinderMb1(chamber())

    def whole(request: str) -> bytes:
        return crc(raw(device, request))

    assert whole("01 03 00 2C 00 01") == bytes.fromhex("01 83 02 C0 F1")
    assert whole("01 10 15 81 00 02 04 00 00 44 14") == bytes.fromhex("01 90 03 0C 01")
    assert whole("01 10 11 A9 00 02 04 00 00 42 14") == bytes.fromhex("01 90 05 8C 03")
    other = simulated.BinderMb1(chamber(), options={"denied": 8})
    assert crc(raw(other, "01 10 11 A9 00 02 04 00 00 42 14")) == bytes.fromhex("01 90 08 4D C6")


def test_the_shown_set_point_follows_late_and_by_mode():
    device = simulated.BinderMb1(chamber(), options={"apply_s": 2.0})
    raw(device, "01 10 15 81 00 02 04 00 00 41 F0", 10.0)
    assert raw(device, "01 03 10 77 00 02", 11.9)[3:] == simulated.low_word_first(37.0)
    assert raw(device, "01 03 10 77 00 02", 12.0)[3:] == simulated.low_word_first(30.0)
    raw(device, "01 06 1A 22 00 00", 20.0)
    assert raw(device, "01 03 10 77 00 02", 22.0)[3:] == simulated.low_word_first(37.0)


def test_basic_mode_falls_back_to_idle_by_itself():
    device = simulated.BinderMb1(chamber())
    raw(device, "01 06 1A 22 10 00", 0.0)
    assert raw(device, "01 03 1A 22 00 01", 30.0) == bytes.fromhex("01 03 02 10 00")
    assert raw(device, "01 03 1A 22 00 01", 61.0) == bytes.fromhex("01 03 02 00 00")


def test_replies_take_their_time_on_a_9600_baud_cable():
    device = simulated.BinderMb1(chamber())
    action = device.receive(Bytes(MB1["temperature"].request), 0.0)[0]
    assert action.delay_s == pytest.approx(0.02 + (8 + 9) * 11 / 9600)


@pytest.mark.parametrize("kind", KINDS)
def test_set_points_survive_a_power_cycle_and_a_snapshot(kind: type[BinderMb]):
    make = vars(simulated)[kind.__name__]
    place = StillChamber()
    device, register = make(place, 1, 3), "15 81" if issubclass(kind, BinderMb1) else "11 4C"
    raw(device, f"01 10 {register} 00 02 04 00 00 41 F0", 1.0)
    device.receive(Opened(), 2.0)
    device.power_cycle(5.0)
    other = make(place, 1, 3)
    other.restore(json.loads(json.dumps(device.snapshot())))
    for request in (f"01 03 {register} 00 02", "01 03 10 77 00 02", "01 03 10 B2 00 02", "01 03 11 A9 00 02"):
        assert raw(device, request, 9.0) == raw(other, request, 9.0)
    assert raw(other, f"01 03 {register} 00 02", 9.0)[3:] == simulated.low_word_first(30.0)


def test_noise_comes_with_a_seed_only():
    def values(seed: int | None) -> set[bytes]:
        device = simulated.BinderMb1(chamber(), 1, seed)
        return {raw(device, "01 03 11 A9 00 02", float(at)) for at in range(20)}

    assert len(values(None)) == 1
    assert len(values(1)) > 10


# --- controllers that have the sheet's registers and nothing else


def sparse(kind: type[simulated.BinderMb], *missing: int) -> Rig:
    """As another program may simulate it: any other address is exception 02."""
    device = kind(chamber())
    device.readable = ()  # type: ignore[misc]
    for register in missing:
        del device.blocks[register]
    return Rig({simulated.BinderMb1: BinderMb1, simulated.BinderMb2: BinderMb2}[kind], device, 1)


async def test_an_mb1_with_nothing_between_its_registers_is_read_in_pieces():
    bench = sparse(simulated.BinderMb1)
    assert (await bench.driver.identify()).firmware == "10.03.05"
    for _ in range(2):
        found = await bench.driver.poll()
        assert {reading.quality for reading in found.values()} == {Quality.GOOD}
        assert found["temperature"].value == 37.0
    assert (await sparse(simulated.BinderMb1).driver.read("operation_lines")).value == 0
    assert (await bench.driver.write("temperature_setpoint", 36.5)).value == 36.5


async def test_an_mb1_without_identity_block_is_known_by_its_registers():
    bench = sparse(simulated.BinderMb1, 0x0000)
    identity = await bench.driver.identify()
    assert (identity.maker, identity.type, identity.firmware) == ("BINDER", "MB1 controller", "")
    for register in (0x1228, 0x1A22, 0x123D):
        with pytest.raises(WrongDevice, match="not the registers"):
            await sparse(simulated.BinderMb1, 0x0000, register).driver.identify()


async def test_one_missing_register_is_one_bad_reading():
    for kind, missing, name in (
        (simulated.BinderMb1, 0x11CD, "humidity"),
        (simulated.BinderMb2, 0x1008, ""),
        (simulated.BinderMb2, 0x1006, "door_temperature"),
    ):
        found = await sparse(kind, missing).driver.poll()
        assert [key for key, reading in found.items() if reading.quality is Quality.BAD] == [name] * bool(name)


async def test_a_reply_by_function_4_is_the_reply_too():
    other = golden(
        "binder_mb",
        r"""
        Framing | VX | > 01 03 11 A9 00 02 11 17 | < 01 04 04 1C 12 42 33 2C A4 | temperature
        Errors  | VX | > 01 03 10 77 00 02 70 D1 | < 01 84 02 C2 C1             | no such register
        """,
    )
    async with other.line("temperature") as line:
        driver = BinderMb1(line)
        row = driver.rows["temperature"]
        assert driver.value(row, await driver.ask(driver.block(0x11A9, 2, (row,)))) == pytest.approx(SHEET_CEL)
    async with other.line("no such register") as line:
        driver = BinderMb1(line)
        with pytest.raises(Refused, match="illegal data address"):
            await driver.ask(driver.block(0x1077, 2, (driver.rows["temperature_setpoint"],)))
