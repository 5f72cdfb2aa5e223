"""Watlow controllers: the sheet's frames on both ends, word order, units, limits, profiles, alarms, both buses."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace

import pytest

from drivers.core.device import Device
from drivers.core.errors import NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.link import open_link
from drivers.core.signals import Quality
from drivers.devices.watlow_f4t_ez_zone import (
    WatlowEzZone,
    WatlowEzZoneStandardBus,
    WatlowF4t,
    WatlowF4tHumidity,
    WatlowF4tScpi,
)
from simulators.core.hosts import MemoryHost
from simulators.core.modbus_tcp import ModbusTcpPlug
from simulators.core.ports import TcpHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send, Simulator
from simulators.devices import hamilton_arc
from simulators.devices import watlow_f4t_ez_zone as simulated
from simulators.standalone import StillChamber, StillLiquid
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "watlow_f4t_ez_zone",
    r"""
    Byte-level | E X | > 01 03 0B 04 00 02 87 EE | < 01 03 04 99 9A 42 13 85 ED | process value
    Byte-level | E X | > 01 10 0A DE 00 02 04 00 00 42 14 31 70 | < 01 10 0A DE 00 02 22 2A | set point 37
    Byte-level | E X | > 01 03 0A FA 00 02 E7 E2 | < 01 03 04 00 00 42 14 CA 9C | active set point
    Byte-level | E X | > 01 03 0A AA 00 01 A7 F2 | < 01 03 02 00 0A 38 43 | mode auto
    Byte-level | E X | > 01 03 0A AA 00 01 A7 F2 | < 01 03 02 00 3E 39 94 | mode off
    Byte-level | T X | > 01 06 40 AE 00 01 3C 2B | < 01 06 40 AE 00 01 3C 2B | profile 1
    Byte-level | T X | > 01 06 40 B2 06 F6 BF CB | < 01 06 40 B2 06 F6 BF CB | start
    Byte-level | T X | > 01 06 40 B6 00 94 7C 43 | < 01 06 40 B6 00 94 7C 43 | terminate
    """,
)
REQUESTS = golden(
    "watlow_f4t_ez_zone",
    r"""
    Byte-level | E X | > 01 03 0B A4 00 02 87 CC | < - | loop 2 process value
    Byte-level | W X | > 01 10 08 70 00 02 04 42 14 00 00 C7 37 | < - | gateway set point
    """,
)
EZ_GOLDEN = golden(
    "watlow_f4t_ez_zone",
    r"""
    Byte-level | W X | > 01 03 01 68 00 02 44 2B | < 01 03 04 41 C8 00 00 6F F1 | zone 1
    """,
)
BUS_GOLDEN = golden(
    "watlow_f4t_ez_zone",
    r"""
    Standard Bus | W X | > 55 FF 05 10 00 00 06 E8 01 03 01 04 01 01 E3 99 | < 55 FF 06 00 10 00 0B 88 02 03 01 04 01 01 08 42 C5 33 33 56 C9 | process value
    Standard Bus | W X | > 55 FF 05 10 00 00 06 E8 01 03 01 07 01 01 87 76 | < 55 FF 06 00 10 00 0B 88 02 03 01 07 01 01 08 42 C5 33 33 86 43 | set point
    Standard Bus | W X | > 55 FF 05 10 00 00 0A EC 01 04 07 01 01 08 42 C5 33 33 5E AE | < 55 FF 06 00 10 00 0A 76 02 04 07 01 01 08 42 C5 33 33 37 DA | set point 37
    """,  # noqa: E501 - frames stay as the sheet prints them
)
SCPI = golden(
    "watlow_f4t_ez_zone",
    r"""
    SCPI | S X | > "*IDN?\n" | < "WATLOW,F4T1L2EAA2C1AAA,0123456789,04.07.0000\n" | who
    SCPI | S X | > ":UNIT:TEMPERATURE?\n" | < "C\n" | unit
    SCPI | S X | > ":SOURCE:CLOOP1:PVALUE?\n" | < "36.90\n" | process value
    SCPI | S X | > ":SOURCE:CLOOP1:SPOINT?\n" | < "37.00\n" | set point
    SCPI | S | > ":SOURCE:CLOOP1:SPOINT 37.0\n" | < - | set point 37
    SCPI | S | > ":OUTPUT1:STATE ON\n" | < - | output on
    SCPI | S X | > ":OUTPUT1:STATE?\n" | < "ON\n" | output
    SCPI | S | > ":UNITS:TEMPERATUREF\n" | < - | fahrenheit
    SCPI | S X | > ":UNIT:TEMPERATURE?\n" | < "F\n" | unit F
    """,
)
MODELS = (WatlowF4t, WatlowF4tHumidity, WatlowEzZone, WatlowEzZoneStandardBus)


def chamber(cel: float = 37.0) -> StillChamber:
    place = StillChamber()
    place.values["temperature"] = cel
    return place


def f4t(cel: float = 37.0, **options: float | str) -> simulated.WatlowF4t:
    return simulated.WatlowF4t(chamber(cel), 1, options={"pause_s": 0, **options})


def rig(controller: simulated.WatlowF4t | None = None, **options: float | str) -> Rig[WatlowF4tHumidity]:
    return Rig(WatlowF4tHumidity, controller or simulated.WatlowF4t(chamber(), 1), 1, options)


def state(bench: Rig[WatlowF4tHumidity]) -> simulated.f4t.State:
    assert isinstance(bench.simulator, simulated.WatlowF4t)
    return bench.simulator.state


def zone(controller: simulated.WatlowEzZone | None = None, **options: float | str) -> Rig[WatlowEzZone]:
    return Rig(WatlowEzZone, controller or simulated.WatlowEzZone(chamber(), 1), 1, options)


def raw(device: Simulator, body: str, now: float = 0.0) -> bytes:
    data, value = bytes.fromhex(body), 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    actions = device.receive(Bytes(data + value.to_bytes(2, "little")), now)
    return actions[0].data if actions and isinstance(actions[0], Send) else b""


# -- the sheet, on each end


def test_the_simulators_answer_the_sheets_frames():
    GOLDEN.check_simulator(lambda: f4t(36.9), "process value", "set point 37", "active set point", "mode auto")
    GOLDEN.check_simulator(f4t(), "profile 1", "start", "terminate")
    off = f4t()
    off.state.loops[0].mode = 62
    GOLDEN.check_simulator(off, "mode off")
    EZ_GOLDEN.check_simulator(simulated.WatlowEzZone(chamber(25.0), 1))
    BUS_GOLDEN.check_simulator(simulated.WatlowEzZoneStandardBus(chamber(37.0), 1))
    assert raw(f4t(), "01 03 00 05 00 02") == bytes.fromhex("01 83 02 C0 F1")
    assert raw(f4t(), "01 10 0A DE 00 02 04 00 00 43 14") == bytes.fromhex("01 90 03 0C 01")


async def test_the_drivers_send_and_read_the_sheets_frames():
    async with GOLDEN.line("process value") as line:
        assert await WatlowF4t(line).ask_number("temperature") == pytest.approx(36.9, abs=1e-5)
    async with GOLDEN.line("active set point", "mode auto", "mode off") as line:
        driver = WatlowF4t(line)
        assert await driver.ask_number("temperature_active_setpoint") == 37.0
        assert (await driver.temperature_mode.read()).value == "auto"
        assert (await driver.temperature_mode.read()).value == "off"
    async with GOLDEN.line("set point 37", "profile 1", "start", "terminate") as line:
        driver = WatlowF4t(line)
        await driver.write_row(driver.wired(driver.table["temperature_setpoint"]), 37.0)
        for name, value in (("profile_to_start", 1), ("profile_start", 1782), ("profile_end", 148)):
            await driver.write_row(driver.table[name], value)
    async with REQUESTS.line("loop 2 process value", "loop 2 process value") as line:
        driver = WatlowF4tHumidity(line)
        with pytest.raises(NoAnswer):
            await driver.ask_number("humidity")
    async with EZ_GOLDEN.line("zone 1") as line:
        assert await WatlowEzZone(line).ask_number("temperature") == 25.0
    async with REQUESTS.line("gateway set point") as line:
        driver = WatlowEzZone(line)
        with pytest.raises(NoAnswer):
            await driver.write_row(driver.wired(driver.table["temperature_setpoint"]), 37.0)
    async with BUS_GOLDEN.line("process value", "set point") as line:
        driver = WatlowEzZoneStandardBus(line)
        assert (await driver.temperature.read()).value == pytest.approx(37.0, abs=1e-4)
        assert (await driver.temperature_setpoint.read()).value == pytest.approx(37.0, abs=1e-4)


async def test_the_set_point_over_standard_bus_goes_out_as_published():
    class Warm(simulated.WatlowEzZoneStandardBus):
        heard: bytes = b""

        def receive(self, event: object, now: float) -> list[object]:
            if isinstance(event, Bytes):
                self.heard += event.data
            return super().receive(event, now)  # type: ignore[arg-type,return-value]

    controller = Warm(chamber(), 1)
    controller.zone.state.set_point = 30.0
    await Rig(WatlowEzZoneStandardBus, controller, 1).driver.temperature_setpoint.set(37.0)
    assert controller.heard.count(BUS_GOLDEN["set point 37"].request) == 1


# -- who it is


async def test_an_f4t_is_known_by_its_part_number():
    assert (await rig().driver.identify()).type == "F4T1L2EAA2C1AAA"
    with pytest.raises(WrongDevice, match="EZK"):
        await rig(f4t(part="EZK1")).driver.identify()
    assert (await rig(f4t(part="EZK1"), part_begins="EZK").driver.identify()).type == "EZK1"


async def test_other_modbus_devices_are_the_wrong_device():
    def other() -> hamilton_arc.HamiltonArcPh:
        return hamilton_arc.HamiltonArcPh(StillLiquid(), 1)

    for kind in (WatlowF4t, WatlowEzZone):
        with pytest.raises(WrongDevice):
            await Rig(kind, other(), 1).driver.identify()
    with pytest.raises(WrongDevice):
        await Rig(WatlowEzZone, f4t(), 1).driver.identify()
    with pytest.raises(WrongDevice):
        await Rig(WatlowF4t, simulated.WatlowEzZone(chamber(), 1), 1).driver.identify()
    with pytest.raises(NoAnswer):
        await Rig(WatlowEzZoneStandardBus, other(), 1).driver.identify()


async def test_controllers_share_a_line_and_answer_for_themselves_alone():
    line = Line(MemoryHost(SharedLine({"a": f4t(), "b": simulated.WatlowEzZone(chamber(25.0), 7)})).link())
    assert (await WatlowF4t(line, 1).temperature.read()).value == 37.0
    assert (await WatlowEzZone(line, 7).temperature.read()).value == 25.0
    with pytest.raises(NoAnswer):
        await WatlowF4t(line, 9).identify()
    bus = MemoryHost(SharedLine({str(n): simulated.WatlowEzZoneStandardBus(chamber(20.0 + n), n) for n in (1, 2)}))
    both = Line(bus.link())
    assert (await WatlowEzZoneStandardBus(both, 2).temperature.read()).value == pytest.approx(22.0, abs=1e-4)
    with pytest.raises(NoAnswer):
        await WatlowEzZoneStandardBus(both, 3).identify()


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", MODELS)
def test_the_drivers_declare_that_set_points_are_kept(kind: type[Device]):
    assert kind.on_link_loss.value == "keeps its set points"
    assert "over-temperature limiter" in kind.safe_state
    assert kind.verified is None


@pytest.mark.parametrize(
    "options",
    [{"loop": 5}, {"loop": 0}, {"loop": 1.5}, {"loop": "two"}, {"alarms": 0}, {"word_order": "mixed"},
     {"humidity_loop": 1}, {"nothing": 1}],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(options: dict[str, float | str]):
    with pytest.raises(ValueError, match="watlow_f4t_humidity"):
        rig(None, **options)


def test_options_of_an_ez_zone_that_cannot_be_are_refused():
    for options in ({"zone": 14}, {"unit": "K"}):
        with pytest.raises(ValueError, match="watlow_ez_zone"):
            zone(None, **options)
    with pytest.raises(ValueError, match="1 to 16"):
        WatlowEzZoneStandardBus(Line(MemoryHost(f4t()).link()), 17)


# -- F4T: values


async def test_every_signal_of_an_f4t_is_read():
    bench = rig()
    await bench.driver.prepare()
    readings = await bench.driver.poll()
    assert {name: each.value for name, each in readings.items()} == {
        "temperature": 37.0, "temperature_setpoint": 37.0, "temperature_active_setpoint": 37.0,
        "temperature_setpoint_low": -20.0, "temperature_setpoint_high": 95.0, "temperature_output": 30.0,
        "temperature_manual_output": 0.0, "temperature_mode": "auto", "temperature_mode_active": "auto",
        "humidity": 93.0, "humidity_setpoint": 93.0, "humidity_active_setpoint": 93.0, "humidity_setpoint_low": 0.0,
        "humidity_setpoint_high": 98.0, "humidity_output": 30.0, "humidity_mode": "auto",
        "humidity_mode_active": "auto", **{f"event_{n}": False for n in range(1, 9)}, "profile_state": "not started",
        "profile_number": 0, "profile_step": 0, "communication_unit": "C", "alarms": "none",
    }  # fmt: skip


async def test_a_controller_set_to_the_other_word_order_gives_no_numbers():
    bench = rig(f4t(word_order="high_first"))
    readings = await bench.driver.poll()
    assert (readings["temperature"].value, readings["temperature"].quality) == (None, Quality.BAD)
    assert "word_order" in readings["temperature"].why
    with pytest.raises(Refused, match="word_order"):
        await bench.driver.prepare()
    with pytest.raises(Refused):
        await bench.driver.temperature_setpoint.set(30.0)
    assert state(bench).loops[0].set_point == 37.0
    right = rig(f4t(word_order="high_first"), word_order="high_first")
    await right.driver.prepare()
    assert (await right.driver.temperature_setpoint.set(30.0)).value == 30.0


async def test_fahrenheit_on_the_wire_is_celsius_here():
    bench = rig(f4t(unit="F"))
    readings = await bench.driver.poll()
    assert readings["temperature"].value == pytest.approx(37.0, abs=1e-4)
    assert readings["temperature_setpoint_high"].value == pytest.approx(95.0, abs=1e-4)
    assert readings["humidity"].value == 93.0
    assert (await bench.driver.temperature_setpoint.set(30.0)).value == pytest.approx(30.0, abs=1e-4)
    assert state(bench).loops[0].set_point == pytest.approx(30.0, abs=1e-4)
    state(bench).unit = 1540
    reading = (await bench.driver.poll())["temperature"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    with pytest.raises(Refused):
        await bench.driver.temperature_setpoint.set(31.0)


async def test_a_loop_that_measures_something_else_is_the_wrong_device():
    with pytest.raises(WrongDevice, match="relative humidity"):
        await Rig(WatlowF4t, f4t(), 1, {"loop": 2}).driver.prepare()
    with pytest.raises(Refused):
        await rig(f4t(humidity=0)).driver.prepare()


async def test_a_broken_sensor_is_seen_in_the_alarm_and_condemns_the_value():
    bench = rig()
    await bench.driver.poll()
    state(bench).broken = True
    readings = await bench.driver.poll()
    assert (readings["temperature"].value, readings["temperature"].why) == (None, "alarm 1: error")
    assert readings["alarms"].value == "alarm 1: error"
    assert (await bench.driver.temperature.read()).quality is Quality.BAD
    assert readings["temperature_setpoint"].quality is Quality.GOOD


@pytest.mark.parametrize(("code", "word"), [(37, "high"), (53, "low"), (99, "code 99")])
async def test_a_high_or_low_alarm_speaks_and_leaves_the_value(code: int, word: str):
    bench = rig()
    state(bench).alarms[2] = code
    readings = await bench.driver.poll()
    assert readings["alarms"].value == f"alarm 3: {word}"
    assert readings["temperature"].value == 37.0


@pytest.mark.parametrize("code", [88, 61, 12])
async def test_alarms_at_rest_say_nothing(code: int):
    bench = rig()
    state(bench).alarms[0] = code
    assert (await bench.driver.alarms.read()).value == "none"


async def test_a_limit_that_tripped_is_named():
    bench = rig()
    state(bench).limit = [37, 106, 65]
    assert (await bench.driver.alarms.read()).value == "limit 1 status: high; limit 1 fail: yes; limit 1 error: open"


async def test_alarms_that_are_not_there_are_left_out_and_without_an_answer_nothing_is_believed():
    bench = rig(None, alarms=14, limits=6)
    await bench.driver.prepare()
    assert bench.driver._there == ([1, 2, 3, 4], [1])
    assert isinstance(bench.simulator, simulated.WatlowF4t)
    del bench.simulator.blocks[1356]
    readings = await bench.driver.poll()
    assert readings["temperature"].quality is readings["alarms"].quality is Quality.BAD
    assert "alarms is not known" in readings["temperature"].why


async def test_a_silent_controller_is_asked_once():
    bench = rig()
    bench.fault("silence")
    readings = await bench.driver.poll()
    assert set(readings) == set(bench.driver.specs())
    assert {each.quality for each in readings.values()} == {Quality.BAD}
    assert bench.wire.faults[0].heard == 2


async def test_a_switch_of_another_code_is_neither_on_nor_off():
    bench = rig()
    state(bench).events[0] = 61
    reading = await bench.driver.event_1.read()
    assert (reading.value, reading.quality, reading.why) == (None, Quality.BAD, "neither on nor off: none")


# -- F4T: settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature_setpoint", 30.5), ("temperature_manual_output", 12.0), ("temperature_mode", "manual"),
     ("temperature_mode", "off"), ("humidity_setpoint", 80.0), ("humidity_mode", "off"),
     *((f"event_{n}", True) for n in range(1, 9))],
)  # fmt: skip
async def test_every_setting_is_written_and_read_back(name: str, value: float | str):
    bench = rig()
    assert (await bench.driver.write(name, value)).value == value
    assert (await bench.driver.poll())[name].value == value


@pytest.mark.parametrize(
    ("name", "value", "who"),
    [("temperature_setpoint", 101.0, "datasheet"), ("temperature_setpoint", 96.0, "controller itself"),
     ("humidity_setpoint", 99.0, "controller itself"), ("temperature_manual_output", 101.0, "datasheet")],
)  # fmt: skip
async def test_a_set_point_outside_anybodys_limits_is_not_written(name: str, value: float, who: str):
    bench = rig()
    with pytest.raises(OutOfRange, match=who):
        await bench.driver.write(name, value)
    assert [loop.set_point for loop in state(bench).loops] == [37.0, 93.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature_setpoint", math.nan), ("temperature_setpoint", True), ("temperature_setpoint", "warm"),
     ("temperature_mode", "hot"), ("temperature_mode", 10), ("event_1", 2), ("temperature", 37.0),
     ("temperature_setpoint_high", 50.0), ("profile_start", 1782)],
)  # fmt: skip
async def test_what_cannot_be_set_is_refused(name: str, value: float | str):
    with pytest.raises(Refused):
        await rig().driver.write(name, value)


async def test_a_value_that_is_there_already_is_not_written_again():
    bench = rig()
    assert isinstance(bench.simulator, simulated.WatlowF4t)
    bench.simulator.blocks[2782] = replace(bench.simulator.blocks[2782], write=None)
    await bench.driver.temperature_setpoint.set(37.0)
    with pytest.raises(Refused, match="illegal data address"):
        await bench.driver.temperature_setpoint.set(36.0)


async def test_a_set_point_the_controller_acknowledged_and_did_not_take_is_refused():
    class Deaf(simulated.WatlowF4t):
        def write_span(self, start: int, data: bytes, now: float) -> None: ...

    with pytest.raises(Refused, match="read-back"):
        await rig(Deaf(chamber(), 1)).driver.temperature_setpoint.set(30.0)


async def test_the_chamber_follows_the_set_point_and_cools_when_off():
    place = chamber()
    bench = rig(simulated.WatlowF4t(place, 1))
    await bench.driver.temperature_setpoint.set(30.0)
    assert (await bench.driver.temperature_output.read()).value == 0.0
    await asyncio.sleep(6 * 3600)
    assert (await bench.driver.temperature.read()).value == pytest.approx(30.0, abs=0.01)
    await bench.driver.temperature_mode.set("off")
    await asyncio.sleep(6 * 3600)
    readings = await bench.driver.poll()
    assert readings["temperature"].value == pytest.approx(22.0, abs=0.01)
    assert readings["temperature_output"].value == 0.0
    await bench.driver.temperature_manual_output.set(50.0)
    await bench.driver.temperature_mode.set("manual")
    await asyncio.sleep(6 * 3600)
    readings = await bench.driver.poll()
    assert readings["temperature"].value == pytest.approx(51.0, abs=0.01)
    assert readings["temperature_output"].value == 50.0
    assert place.values["co2"] == 5.0


# -- F4T: profiles


async def test_a_profile_is_started_paused_resumed_and_ended():
    bench = rig()
    state(bench).profiles = [[[35.0, 600.0], [25.0, 600.0]], [[40.0, 60.0]]]
    driver = bench.driver
    await driver.start_profile(1, 2)
    readings = await driver.poll()
    assert [readings[name].value for name in ("profile_state", "profile_number", "profile_step")] == ["running", 1, 2]
    assert readings["temperature_setpoint"].value == 25.0
    with pytest.raises(Refused, match="on already"):
        await driver.start_profile(2)
    with pytest.raises(Refused, match="overwritten by the profile"):
        await driver.temperature_setpoint.set(37.0)
    await driver.pause_profile()
    await asyncio.sleep(3600)
    assert (await driver.profile_state.read()).value == "paused"
    await driver.resume_profile()
    await asyncio.sleep(601)
    assert (await driver.profile_state.read()).value == "complete"
    await driver.start_profile(2)
    await driver.terminate_profile()
    assert (await driver.profile_state.read()).value == "terminated"
    await driver.temperature_setpoint.set(37.0)


async def test_profiles_that_are_not_there_or_do_not_start_are_refused():
    bench = rig()
    with pytest.raises(OutOfRange):
        await bench.driver.start_profile(0)
    with pytest.raises(Refused, match="illegal data value"):
        await bench.driver.start_profile(5)
    with pytest.raises(Refused, match="did not follow"):
        await bench.driver.resume_profile()


def test_a_profile_goes_through_its_steps_and_ends_with_power():
    controller = f4t()
    controller.state.profiles = [[[35.0, 600.0], [25.0, 600.0]]]
    raw(controller, "01 06 40 B2 06 F6", 0.0)
    assert controller.follow(599.0).loops[0].set_point == 35.0
    assert raw(controller, "01 10 0A DE 00 02 04 00 00 42 14", 599.5)[1] == 0x10
    assert controller.follow(599.6).loops[0].set_point == 35.0  # the profile writes over it
    assert controller.follow(601.0).loops[0].set_point == 25.0
    other = f4t()
    other.restore(json.loads(json.dumps(controller.snapshot())))
    assert other.follow(700.0).profile_state == 149
    assert other.follow(1300.0).profile_state == 252
    controller.power_cycle(700.0)
    assert controller.follow(700.0).profile_state == 253
    assert controller.state.loops[0].set_point == 25.0


# -- the simulated F4T by itself


def test_a_request_within_the_pause_is_not_heard():
    controller = simulated.WatlowF4t(chamber(), 1)
    assert raw(controller, "01 03 0A AA 00 01", 10.0)
    assert raw(controller, "01 03 0A AA 00 01", 10.015) == b""
    assert raw(controller, "01 03 0A AA 00 01", 10.1)
    assert raw(controller, "01 03 0A AA 00 01", 10.131), "30 ms behind the request, as E waits, not behind the reply"


def over_tcp(plug: ModbusTcpPlug, packet: str, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in plug.receive(Bytes(bytes.fromhex(packet)), now) if isinstance(each, Send))


def test_the_simulators_answer_the_sheets_packets_of_modbus_tcp():
    """Typed from the sheet; the pause belongs to the serial line, a network client need not wait."""
    plug = ModbusTcpPlug(simulated.WatlowF4t(chamber(36.9), 1))
    for asked, said in (
        ("00 01 00 00 00 06 01 03 0B 04 00 02", "00 01 00 00 00 07 01 03 04 99 9A 42 13"),
        ("00 01 00 00 00 0B 01 10 0A DE 00 02 04 00 00 42 14", "00 01 00 00 00 06 01 10 0A DE 00 02"),
        ("00 01 00 00 00 06 01 03 0A FA 00 02", "00 01 00 00 00 07 01 03 04 00 00 42 14"),
        ("00 01 00 00 00 06 01 03 0A AA 00 01", "00 01 00 00 00 05 01 03 02 00 0A"),
        ("00 01 00 00 00 06 01 03 00 05 00 02", "00 01 00 00 00 03 01 83 02"),
        ("00 01 00 00 00 0B 01 10 0A DE 00 02 04 00 00 43 14", "00 01 00 00 00 03 01 90 03"),
    ):
        assert over_tcp(plug, asked) == bytes.fromhex(said), asked
    gateway = ModbusTcpPlug(simulated.WatlowEzZone(chamber(25.0), 1, options={"zones": 2}))
    for unit in ("00", "01", "FF"):
        for start in ("01 68", "14 F0"):  # zone 2 is 5000 registers on
            packet = over_tcp(gateway, f"00 01 00 00 00 06 {unit} 03 {start} 00 02")
            assert packet == bytes.fromhex(f"00 01 00 00 00 07 {unit} 03 04 41 C8 00 00")
    written = over_tcp(gateway, "00 01 00 00 00 0B 00 10 08 70 00 02 04 42 14 00 00")
    assert written == bytes.fromhex("00 01 00 00 00 06 00 10 08 70 00 02")


@pytest.mark.real_time
async def test_over_modbus_tcp_the_unit_is_that_of_the_network_port():
    controller = simulated.WatlowF4t(chamber(), 1, options={"unit": "C", "network_unit": "F"})
    host = TcpHost(ModbusTcpPlug(controller), "127.0.0.1", 0, "modbus-tcp")
    await host.open()
    line = Line(open_link(host.url))
    driver = WatlowF4t(line, 1)
    await driver.prepare()
    readings = await driver.poll()
    assert readings["communication_unit"].value == "F"
    assert readings["temperature"].value == pytest.approx(37.0, abs=1e-4)
    assert (await driver.temperature_setpoint.set(36.0)).value == pytest.approx(36.0, abs=1e-4)
    assert controller.state.loops[0].set_point == pytest.approx(36.0, abs=1e-4)
    await line.close()
    await host.close()


def test_events_with_a_key_the_clock_and_the_times_of_a_profile():
    controller = f4t()
    assert raw(controller, "01 03 1A BC 00 01")[3:-2] == bytes.fromhex("00 3E")
    for key in ("05 B1", "05 B0"):  # down, up
        assert raw(controller, f"01 06 1A C2 {key}")[1] == 6
    assert raw(controller, "01 03 1A BC 00 01")[3:-2] == bytes.fromhex("00 3F")
    assert raw(controller, "01 06 39 48 00 07")[1] == 6  # hour 7
    assert raw(controller, "01 03 39 48 00 01")[3:-2] == bytes.fromhex("00 07")
    assert raw(controller, "01 06 39 48 00 19")[1:3] == bytes.fromhex("86 03")
    raw(controller, "01 06 40 B2 06 F6", 0.0)
    assert raw(controller, "01 03 40 BA 00 01", 600.0)[3:-2] == (3000).to_bytes(2, "big")
    assert raw(controller, "01 03 40 EE 00 01", 600.0)[3:-2] == (6600).to_bytes(2, "big")


def test_the_clock_is_the_benchs_and_bad_codes_are_exception_03():
    controller = f4t()
    at = 1_767_567_600.0  # 2026-01-04 23:00 UTC
    assert raw(controller, "01 03 39 48 00 0C", at)[3:-2] == bytes.fromhex(
        "0017 0000 0000 0000 0000 0000 0001 0000 0004 0000 07EA 0000"
    )
    for body in ("01 06 0A AA 00 01", "01 06 40 D2 00 01", "01 06 37 00 00 01", "01 06 40 B6 00 01",
                 "01 06 40 B4 00 01", "01 06 40 B2 00 01", "01 06 40 AE 00 09"):  # fmt: skip
        assert raw(controller, body)[:3] == bytes.fromhex("01 86 03"), body


def test_noise_comes_with_a_seed_and_repeats():
    def values(seed: int | None) -> list[float]:
        controller = simulated.WatlowF4t(chamber(), 1, seed)
        return [controller.value(loop, at) for at in (0.0, 5.0) for loop in (0, 1)]

    assert values(None) == [37.0, 93.0, 37.0, 93.0]
    assert values(1) == values(1) != values(2)


# -- EZ-ZONE over Modbus


async def test_every_signal_of_an_ez_zone_is_read_and_written():
    bench = zone()
    assert (await bench.driver.identify()).type == "EZ-ZONE"
    readings = await bench.driver.poll()
    assert {name: each.value for name, each in readings.items()} == {
        "temperature": 37.0, "input_error": "none", "temperature_setpoint": 37.0, "output": 30.0
    }  # fmt: skip
    assert (await bench.driver.temperature_setpoint.set(36.5)).value == 36.5
    for value in (9.0, 221.0):
        with pytest.raises(OutOfRange):
            await bench.driver.temperature_setpoint.set(value)
    with pytest.raises(Refused):
        await bench.driver.write("output", 10.0)
    assert await bench.driver.calibration() == {"input_offset [K]": 0.0}
    bench.host.power_cycle()
    assert (await bench.driver.temperature_setpoint.read()).value == 36.5


async def test_an_input_error_condemns_the_temperature_alone():
    bench = zone()
    assert isinstance(bench.simulator, simulated.WatlowEzZone)
    bench.simulator.zones[0].state.error = 65
    readings = await bench.driver.poll()
    assert (readings["temperature"].value, readings["temperature"].why) == (None, "input 1: open")
    assert (await bench.driver.temperature.read()).quality is Quality.BAD
    assert readings["temperature_setpoint"].value == 37.0
    assert (await bench.driver.identify()).type == "EZ-ZONE"
    bench.simulator.zones[0].state.error = 7
    with pytest.raises(WrongDevice, match="error code 7"):
        await bench.driver.identify()


async def test_zones_of_a_gateway_are_5000_registers_apart():
    gateway = simulated.WatlowEzZone([chamber(30.0), chamber(31.0)], 1)
    line = Line(MemoryHost(gateway).link())
    one, two = (WatlowEzZone(line, 1, {"zone": n}) for n in (1, 2))
    assert ((await one.temperature.read()).value, (await two.temperature.read()).value) == (30.0, 31.0)
    await two.temperature_setpoint.set(45.0)
    assert [each.state.set_point for each in gateway.zones] == [37.0, 45.0]
    with pytest.raises(WrongDevice):
        await WatlowEzZone(line, 1, {"zone": 3}).identify()


async def test_an_ez_zone_set_to_fahrenheit_or_the_other_word_order():
    bench = zone(simulated.WatlowEzZone(chamber(), 1, options={"unit": "F"}), unit="F")
    assert (await bench.driver.poll())["temperature"].value == pytest.approx(37.0, abs=1e-4)
    assert (await bench.driver.temperature_setpoint.set(40.0)).value == pytest.approx(40.0, abs=1e-4)
    assert isinstance(bench.simulator, simulated.WatlowEzZone)
    assert bench.simulator.zones[0].state.set_point == pytest.approx(40.0, abs=1e-4)
    turned = zone(simulated.WatlowEzZone(chamber(), 1, options={"word_order": "low_first"}))
    with pytest.raises(WrongDevice, match="word order"):
        await turned.driver.identify()
    assert (await turned.driver.temperature.read()).quality is Quality.BAD


def test_an_ez_zone_goes_on_from_its_snapshot_and_shifts_by_its_offset():
    one = simulated.WatlowEzZone(chamber(), 1, 4)
    assert raw(one, "01 10 01 7E 00 02 04 3F 80 00 00")[1] == 0x10
    other = simulated.WatlowEzZone(chamber(), 1, 4)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert raw(one, "01 03 01 68 00 03", 5.0) == raw(other, "01 03 01 68 00 03", 5.0)
    assert other.zones[0].value(5.0) == pytest.approx(38.0, abs=0.1)


# -- EZ-ZONE over Standard Bus


async def test_standard_bus_is_fahrenheit_on_the_wire_and_read_back():
    bench: Rig[WatlowEzZoneStandardBus] = Rig(
        WatlowEzZoneStandardBus, simulated.WatlowEzZoneStandardBus(chamber(), 1), 1
    )
    assert (await bench.driver.identify()).maker == "Watlow"
    assert (await bench.driver.temperature_setpoint.set(36.0)).value == pytest.approx(36.0, abs=1e-4)
    assert {name: each.value for name, each in (await bench.driver.poll()).items()} == {
        "temperature": pytest.approx(37.0, abs=1e-2), "temperature_setpoint": pytest.approx(36.0, abs=1e-4)
    }  # fmt: skip
    for value in (9.0, 221.0):
        with pytest.raises(OutOfRange):
            await bench.driver.temperature_setpoint.set(value)
    for name, value in (("temperature", 30.0), ("temperature_setpoint", "warm"), ("temperature_setpoint", math.nan)):
        with pytest.raises(Refused):
            await bench.driver.write(name, value)
    bench.host.power_cycle()
    assert (await bench.driver.temperature_setpoint.read()).value == pytest.approx(36.0, abs=1e-4)


@pytest.mark.parametrize("cel", [math.nan, 900.0])
async def test_a_temperature_over_standard_bus_that_cannot_be_is_bad(cel: float):
    bench = Rig(WatlowEzZoneStandardBus, simulated.WatlowEzZoneStandardBus(chamber(cel), 1), 1)
    reading = await bench.driver.read("temperature")
    assert (reading.value, reading.quality) == (None, Quality.BAD)


def test_a_controller_on_standard_bus_keeps_quiet_about_what_it_does_not_know():
    controller = simulated.WatlowEzZoneStandardBus(chamber(), 1)
    unknown = bytes.fromhex("55 FF 05 10 00 00 06 E8 01 03 01 04 01 01 E3 98")  # a wrong check sum
    assert controller.receive(Bytes(unknown), 0.0) == []
    other = simulated.WatlowEzZoneStandardBus(chamber(), 1)
    other.restore(json.loads(json.dumps(controller.snapshot())))
    assert other.received == controller.received
    controller.power_cycle(1.0)
    assert controller.receive(Bytes(BUS_GOLDEN["process value"].request), 2.0)


# -- F4T over SCPI


def scpi(controller: simulated.WatlowF4tScpi | None = None, **options: float | str) -> Rig[WatlowF4tScpi]:
    return Rig(WatlowF4tScpi, controller or simulated.WatlowF4tScpi(chamber()), 0, options)


def line_of(controller: simulated.WatlowF4tScpi, text: str, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in controller.receive(Bytes(text.encode()), now) if isinstance(each, Send))


async def test_both_ends_speak_the_sheets_scpi():
    controller = simulated.WatlowF4tScpi(chamber(36.9))
    SCPI.check_simulator(controller)
    async with SCPI.line("who", "unit", "process value", "unit", "set point", "set point 37") as line:
        driver = WatlowF4tScpi(line)
        assert (await driver.identify()).serial == "0123456789"
        assert (await driver.temperature.read()).value == 36.9
        assert (await driver.temperature_setpoint.read()).value == 37.0
        await driver._tell(":SOURCE:CLOOP1:SPOINT 37.0")  # pyright: ignore[reportPrivateUsage]


async def test_a_set_point_over_scpi_is_read_back_in_either_unit_and_left_outside_the_limits():
    for unit in ("C", "F"):
        bench = scpi(simulated.WatlowF4tScpi(chamber(), options={"unit": unit}))
        assert (await bench.driver.temperature_setpoint.set(36.5)).value == pytest.approx(36.5, abs=0.01)
        readings = await bench.driver.poll()
        assert {name: each.value for name, each in readings.items()} == {
            "temperature": pytest.approx(37.0, abs=0.01), "temperature_setpoint": pytest.approx(36.5, abs=0.01),
            "temperature_unit": unit,
        }  # fmt: skip
        with pytest.raises(Refused, match="read-back"):
            await bench.driver.temperature_setpoint.set(96.0)
        with pytest.raises(OutOfRange):
            await bench.driver.temperature_setpoint.set(101.0)
        for name, value in (
            ("temperature", 30.0),
            ("temperature_setpoint", "warm"),
            ("temperature_setpoint", math.nan),
        ):
            with pytest.raises(Refused):
                await bench.driver.write(name, value)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("said", "value"), [("37", 37.0), ("37.0", 37.0), ("3.7E+01", 37.0), ("NAN", None), ("-", None), ("999.0", None)]
)
async def test_numbers_over_scpi_come_in_many_forms_and_words_are_none(said: str, value: float | None, end: str):
    class Other(simulated.WatlowF4tScpi):
        def message(self, text: bytes, now: float) -> bytes:
            return (said + end).encode() if b"PVALUE" in text else super().message(text, now)

    reading = (await scpi(Other(chamber())).driver.poll())["temperature"]
    assert reading.value == value
    assert (reading.quality is Quality.GOOD) is (value is not None)


async def test_another_name_an_error_text_and_a_loop_that_is_not_there_over_scpi():
    class Complains(simulated.WatlowF4tScpi):
        def message(self, text: bytes, now: float) -> bytes:
            if b"SPOINT " in text:
                return b'-222,"Data out of range"\n'
            return b"KEITHLEY,2000,1,A\n" if b"IDN" in text else super().message(text, now)

    bench = scpi(Complains(chamber()))
    with pytest.raises(WrongDevice, match="KEITHLEY"):
        await bench.driver.identify()
    with pytest.raises(Refused, match="Data out of range"):
        await bench.driver.temperature_setpoint.set(30.0)
    with pytest.raises(NoAnswer):
        await scpi(loop=3).driver.temperature.read()
    with pytest.raises(ValueError, match="loop"):
        scpi(loop=5)


def test_ramps_outputs_and_programs_over_scpi():
    controller = simulated.WatlowF4tScpi(chamber())
    for text in (":SOURCE:CLOOP1:RACTION BOTH\r\n", ":SOURCE:CLOOP1:RRATE 1.5\n", ":source:cloop1:rscale minutes\n",
                 ":PROGRAM:NUMBER 1\n", ":PROGRAM:SELECTED:STATE START\n", ":PROGRAM:NUMBER 9\n", ":NONSENSE 1\n",
                 ":SOURCE:CLOOP1:SPOINT warm\n", "\n"):  # fmt: skip
        assert line_of(controller, text) == b"", text
    assert controller.controller.state.profile_state == 149
    other = simulated.WatlowF4tScpi(chamber())
    other.restore(json.loads(json.dumps(controller.snapshot())))
    for text, said in ((":SOURCE:CLOOP1:RACTION?\n", b"BOTH\n"), (":SOURCE:CLOOP1:RSCALE?\n", b"MINUTES\n"),
                       (":PROGRAM:NAME?\n", b'"PROFILE 1"\n'), (":OUTPUT2:NAME?\n", b'"OUTPUT 2"\n'),
                       (":SOURCE:CLOOP2:PVALUE?\n", b"93.00\n"), (":SOURCE:CLOOP4:PVALUE?\n", b""),
                       (":SOURCE:CASCADE1:SPOINT?\n", b"")):  # fmt: skip
        assert line_of(controller, text) == line_of(other, text) == said, text
    controller.power_cycle(1.0)
    assert controller.controller.state.profile_state == 253
