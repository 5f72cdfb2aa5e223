"""Reglo ICC: the sheet's frames on both ends, doses, loops, channels side by side, and messages between the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.ismatec_reglo_icc import IsmatecRegloIcc as Driver
from drivers.devices.ismatec_reglo_icc import words
from drivers.devices.ismatec_reglo_icc.events import Ear, take_reply
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Action, Bytes, Send
from simulators.devices.ismatec_reglo_icc import IsmatecRegloIcc as Pump
from simulators.devices.ismatec_reglo_icc.channel import flow_at_full_speed
from simulators.standalone import FreeTube
from tests.devices.golden import golden
from tests.devices.rig import Dose

BIG = {"capacity_ml": 100.0}
DOSES = {"ismatec_reglo_icc": Dose(2.0, 10.0, BIG, (Direction.DELIVER,))}

MANUAL = golden(
    "ismatec_reglo_icc",
    r"""
    Examples | M | > 32 48 0D                         | < 2A                      | start channel 2
    Examples | M | > 33 49 0D                         | < 2A                      | stop channel 3
    Examples | M | > 31 78 44 0D                         | < 4B 0D 0A                | direction
    Examples | M | > "1xM\r"                          | < 4C 0D 0A                | mode L
    Examples | M | > 32 53 30 31 32 33 30 30 0D       | < 2A                      | 123.00 rpm
    Examples | M | > "4S\r"                           | < "12.30\r\n"             | speed
    Examples | M | > 31 66 31 33 30 30 2D 33 0D       | < "1300E-3\r\n"           | 1.3 uL a minute
    Examples | M | > 34 76 33 30 30 30 2B 32 0D       | < "3000E+2\r\n"           | 300 mL
    Examples | M | > "2v\r"                           | < "1300E-3\r\n"           | 1.3 uL
    Examples | M | > "1xT00001500\r"                  | < 2A                      | 150 s
    Examples | M | > 31 22 30 30 32 33 0D             | < 2A                      | 23 cycles
    Examples | M | > "1+0013\r"                       | < 2A                      | 0.13 mm
    Examples | M | > "2+\r"                           | < "3.17 mm\r\n"           | tube
    Examples | M | > "0x!\r"                          | < "2\r\n"                 | protocol
    Examples | M | > "0xE\r"                          | < "0\r\n"                 | messages off
    Examples | M | > "0xE1\r"                         | < 2A                      | messages on
    Examples | M | > "3xG\r"                          | < "0000001511\r\n"        | 1511 mL
    Examples | M | > "0(\r"                           | < "0114\r\n"              | firmware
    """,
)
DOSE = golden(
    "ismatec_reglo_icc",
    r"""
    Derived  | X | > "1~1\r"                          | < "*"                     | address channels
    Derived  | X | > "1xG\r"                          | < "0000000042\r\n"        | before
    Derived  | X | > "1O\r"                           | < "*"                     | mode O
    Derived  | X | > "1J\r"                           | < "*"                     | clockwise
    Derived  | X | > "1xf1\r"                         | < "*"                     | at the flow
    Derived  | X | > "1f2500+0\r"                     | < "2500E+0\r\n"           | flow
    Derived  | X | > 31 76 31 35 30 30 2B 31 0D       | < "1500E+1\r\n"           | volume
    Derived  | X | > "1H\r"                           | < "*"                     | start
    Derived  | X | > "1E\r"                           | < "-"                     | over
    Derived  | X | > "1xG\r"                          | < "0000000057\r\n"        | after
    """,
)
SAID = golden(
    "ismatec_reglo_icc",
    r"""
    table    | M | > "1#\r"                           | < "REGLO ICC 0208 306\r\n" | model
    table    | M | > "1(\r"                           | < "0114\r\n"              | version
    read by 1| M | > "1xD\r"                          | < 4B 0D 0A                | direction K
    read by 1| M | > "1S\r"                           | < "12.30\r\n"             | 12.30 rpm
    read by 1| M | > "1v\r"                           | < "1300E-3\r\n"           | 0.0013 mL
    read by 1| M | > "1+\r"                           | < "3.17 mm\r\n"           | 3.17 mm
    read by 1| M | > "1xG\r"                          | < "0000001511\r\n"        | 1511
    """,
)


SET = golden(
    "ismatec_reglo_icc",
    r"""
    Examples | M | > 31 66 31 33 30 30 2D 33 0D       | < "1300E-3\r\n"           | 1.3 uL a minute
    read by 1| M | > "1f\r"                           | < "1300E-3\r\n"           | it reads back
    """,
)


class Rig:
    """A pump with a tube in each channel, on a cable that keeps what was sent, and drivers at the near end."""

    def __init__(self, sim: dict[str, float | str] | None = None, **options: float | str) -> None:
        self.tubes = [FreeTube() for _ in range(4)]
        self.pump = Pump(self.tubes, 1, None, sim)
        self.wire = faults.FaultyWire(self.pump)
        self.host = MemoryHost(self.wire)
        self.line = Line(self.host.link())
        self.driver = Driver(self.line, 1, BIG | options)

    def channel(self, number: int, **options: float | str) -> Driver:
        return Driver(self.line, 1, BIG | {"channel": number} | options)

    def again(self, **options: float | str) -> Driver:
        """Another process takes the cable."""
        return Driver(Line(self.host.link()), 1, BIG | options)

    def moved(self, number: int = 1) -> float:
        """Net mL clockwise."""
        tube = self.tubes[number - 1]
        ml_min, until = tube._ml_min, tube._until
        now = asyncio.get_running_loop().time()
        tube.halt(now)
        if now < until:
            tube.run(now, ml_min, until)
        return tube.pushed_out_ml - tube.pulled_in_ml

    def fault(self, text: str) -> None:
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), 1))


async def ready(sim: dict[str, float | str] | None = None, **options: float | str) -> Rig:
    rig = Rig(sim, **options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def ask(pump: Pump, text: str, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in pump.receive(Bytes(text.encode() + b"\r"), now) if isinstance(each, Send))


def addressed(tubes: Sequence[FreeTube] | None = None, **options: float | str) -> Pump:
    pump = Pump(tubes or [FreeTube() for _ in range(4)], 1, None, options)
    assert ask(pump, "1~1") == b"*"
    return pump


# -- the sheet, on each end


def test_the_simulator_answers_the_manuals_examples() -> None:
    pump = addressed()
    pump.channels[3].rpm = 12.3
    pump.channels[1].volume = 0.0013
    pump.channels[1].diameter = 317
    pump.channels[2].total_ml = 1511.4
    pump.channels[0].clockwise = False
    MANUAL.check_simulator(pump)
    SAID.check_simulator(pump, "version", "direction K")
    assert pump.channels[3].volume == 300.0
    assert (pump.channels[0].run_s, pump.channels[0].cycles, pump.channels[0].diameter) == (150.0, 23, 13)


def test_the_simulator_lives_the_derived_dose() -> None:
    pump = Pump([FreeTube()], 1)
    pump.channels[0].total_ml = 42.0
    DOSE.check_simulator(pump, *[each.what for each in DOSE.exchanges[:8]])
    assert ask(pump, "1E", 359.9) == b"+"
    DOSE.check_simulator(pump, "over", "after", now=360.0)


async def test_the_driver_reads_the_manuals_answers() -> None:
    async with SAID.line("direction K", "12.30 rpm", "0.0013 mL", "3.17 mm", "1511") as line:
        driver = Driver(line)
        assert [await driver._value(name) for name in
                ("direction", "speed", "dose_volume", "tube_diameter", "total_volume")] == [
            "counter-clockwise", 12.3, 0.0013, 3.17, 1511.0]  # fmt: skip
    async with MANUAL.line("start channel 2", "stop channel 3") as line:
        assert await Driver(line, 1, {"channel": 2})._status("start") == "*"
        assert await Driver(line, 1, {"channel": 3})._status("stop") == "*"


async def test_a_flow_is_sent_with_its_echo_and_then_read() -> None:
    async with SET.line() as line:
        assert await Driver(line)._set("flow", 0.0013) == 0.0013


async def test_the_driver_sends_the_derived_dose() -> None:
    names = ["mode O", "clockwise", "start", "over", "after"]
    async with DOSE.line(*names) as line:
        driver = Driver(line)
        await driver._act("mode_dose")
        await driver._act("clockwise")
        await driver._start_dose()
        assert not await driver._runs()
        assert await driver._number("total_volume") == 57.0


@pytest.mark.parametrize(
    ("ml", "written"),
    [(0.0013, "1300-3"), (300.0, "3000+2"), (15.0, "1500+1"), (2.5, "2500+0"), (0.012, "1200-2"), (1.23456, "1234+0"),
     (0.1 + 0.2, "3000-1"), (9.9999, "9999+0")],
)  # fmt: skip
def test_volumes_are_cut_to_four_digits_and_never_rounded_up(ml: float, written: str) -> None:
    assert words.volume(ml) == written
    assert words.worth(written) <= ml + 1e-12


@pytest.mark.parametrize("ml", [0.0, -1.0, 1e-10, 1e11])
def test_a_volume_the_pump_cannot_hold_is_not_written(ml: float) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        words.volume(ml)


# -- messages between the answers


@pytest.mark.parametrize(
    ("came", "is_status", "reply", "left"),
    [
        (b"*", True, "*", b""),
        (b"^X2|A\r\n*", True, "*", b"^X2|A\r\n"),
        (b"*^X2|A\r\n", True, "*", b"^X2|A\r\n"),
        (b"*^X2|", True, None, b"*^X2|"),
        (b"^U1|A|00", False, None, b"^U1|A|00"),
        (b"^X1|A\r\n1500E+1\r\n", False, "1500E+1", b"^X1|A\r\n"),
        (b"1500E+", False, None, b"1500E+"),
        (b"#", False, "#", b""),
    ],
)
def test_a_message_beside_a_reply_is_left_for_whoever_listens(
    came: bytes, is_status: bool, reply: str | None, left: bytes
) -> None:
    buffer = bytearray(came)
    assert take_reply(buffer, False, is_status) == reply
    assert bytes(buffer) == left


def test_the_end_of_a_message_that_was_cut_in_two_is_no_reply() -> None:
    ear = Ear(1)
    ear.hear(b"^U1|A|0000000000|00001", 10.0)
    assert ear.in_mid_message(10.02)
    buffer = bytearray(b"00000|0000\r\n42.00\r\n")
    assert take_reply(buffer, True, False) == "42.00"
    ear.hear(bytes(buffer), 10.05)
    assert ear.says(10.1) == "A"
    assert not ear.in_mid_message(12.0)


async def test_every_channel_hears_the_message_that_came_before_another_channels_answer() -> None:
    rig = await ready()
    second = rig.channel(2)
    await second.prepare()
    await rig.driver.start(Direction.DELIVER, 1.0, 20.0)
    await second.start(Direction.DELIVER, 5.0, 5.0)
    await asyncio.sleep(2.95)
    for _ in range(4):  # channel 1 ends while channel 2 asks
        await second.status()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await second.status()).motion is Motion.MOVING


# -- connecting


async def test_identity_tells_model_serial_number_and_firmware() -> None:
    rig = Rig({"serial": "4711"})
    identity = await rig.driver.identify()
    assert (identity.type, identity.serial, identity.firmware) == ("REGLO ICC", "4711", "1.14")


OTHER = golden("ismatec_reglo_icc", r""" other | - | > "1#\r" | < "REGLO DIGITAL 4.12 208\r\n" | model """)


async def test_another_pump_is_the_wrong_device() -> None:
    async with OTHER.line() as line:
        with pytest.raises(WrongDevice, match="REGLO DIGITAL"):
            await Driver(line).identify()


async def test_prepare_turns_channels_and_messages_on_and_writes_nothing_twice() -> None:
    rig = await ready()
    assert (rig.pump.state.by_channel, rig.pump.state.events) == (True, True)
    rig.pump.channels[0].diameter = 102
    tubed = rig.again(tube_mm=2.06)
    await tubed.prepare()
    assert rig.pump.channels[0].diameter == 206
    rig.pump.channels[0].calibration = 1.1
    await tubed.prepare()
    assert rig.pump.channels[0].calibration == 1.1


async def test_a_pump_with_another_number_is_found_and_told_to_address_channels() -> None:
    rig = Rig()
    rig.pump.state.address = 3
    driver = Driver(Line(rig.host.link()), 3, BIG)
    assert (await driver.identify()).type == "REGLO ICC"
    await driver.prepare()
    assert (await driver.identify()).type == "REGLO ICC"
    rig.host.power_cycle()
    assert (await driver.identify()).type == "REGLO ICC"


async def test_a_foreign_number_is_not_answered() -> None:
    pump = Pump([FreeTube()], 2)
    assert ask(pump, "1#") == b""
    assert ask(pump, "2#") != b""
    assert ask(addressed(), "7E") == b""
    assert ask(pump, "") == b""


async def test_the_tube_of_a_turning_channel_is_not_changed() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5, 5)
    with pytest.raises(Refused, match="diameter"):
        await rig.again(tube_mm=1.02).prepare()


@pytest.mark.parametrize(
    "options", [{"channel": 5}, {"tube_mm": 2.0}, {"counter": "best"}, {"use": "both"}, {"stroke": "up"}, {"x": 1}]
)
def test_options_no_channel_can_have_are_refused(options: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Driver(Line(MemoryHost(Pump([])).link()), 1, options)


# -- signals


async def test_every_signal_reads_what_the_pump_holds() -> None:
    rig = await ready()
    one = rig.pump.channels[0]
    one.mode, one.clockwise, one.rpm, one.flow, one.volume = "Q", False, 12.5, 3.25, 0.5
    one.run_s, one.pause_s, one.cycles, one.by_flow, one.back_steps = 12.3, 4.5, 7, True, 3
    one.total_ml, one.total_rev, one.total_s, one.trip_ml = 12.3456, 99.9, 3600.5, 12.3456
    values = {name: each.value for name, each in (await rig.driver.poll()).items()}
    assert values == {
        "motion": "stopped", "alarm": "", "dispensed_volume": 12.346, "withdrawn_volume": 0.0, "total_volume": 12.0,
        "event_messages": True, "total_revolutions": 99.0, "running_time": 3600.0, "mode": "Q",
        "direction": "counter-clockwise", "speed": 12.5, "flow": 3.25, "flow_setpoint": 0.0, "dose_volume": 0.5,
        "dose_by_flow": True, "run_time": 12.3, "pause_time": 4.5, "cycles": 7.0, "back_steps": 3.0,
        "tube_diameter": 2.06, "max_flow": 20.0, "calibrated_max_flow": 20.0, "roller_step_volume": 25.0,
        "channel_addressing": True,
    }  # fmt: skip


async def test_settings_come_seldom() -> None:
    rig = await ready()
    assert "speed" in await rig.driver.poll()
    assert "speed" not in await rig.driver.poll()
    await asyncio.sleep(601)
    assert "speed" in await rig.driver.poll()


@pytest.mark.parametrize(
    ("name", "value"), [("speed", 55.5), ("flow", 7.25), ("back_steps", 4), ("tube_diameter", 1.02)]
)
async def test_a_set_point_is_written_and_read_back(name: str, value: float) -> None:
    rig = await ready()
    reading = await getattr(rig.driver, name).set(value)
    assert reading.value == value
    assert (await rig.driver.read(name)).value == value


@pytest.mark.parametrize(
    ("name", "value"), [("speed", 100.5), ("speed", 0.05), ("flow", 36), ("back_steps", 101), ("tube_diameter", 4)]
)
async def test_a_set_point_outside_its_limits_is_not_sent(name: str, value: float) -> None:
    rig = await ready()
    rig.fault("silence")
    with pytest.raises(OutOfRange):
        await rig.driver.write(name, value)


async def test_a_diameter_that_no_tube_has_and_a_counter_are_refused() -> None:
    rig = await ready()
    with pytest.raises(Refused, match="none of"):
        await rig.driver.write("tube_diameter", 2.0)
    with pytest.raises(Refused, match="cannot be set"):
        await rig.driver.write("total_volume", 0.0)


async def test_a_value_the_pump_took_otherwise_is_refused() -> None:
    rig = await ready()
    rig.pump.setters = {**rig.pump.setters, "f": lambda channel, text: b"2000E+0\r\n"}
    with pytest.raises(Refused, match=r"reads 2\.0"):
        await rig.driver.write("flow", 3.0)


# -- doses


@pytest.mark.req("EQ-02")
@pytest.mark.parametrize(("stroke", "sign"), [("deliver", 1), ("draw", -1)])
async def test_a_dose_ends_by_itself_and_the_counter_proves_it(stroke: str, sign: int) -> None:
    rig = await ready(stroke=stroke)
    direction = Direction(stroke)
    before = await rig.driver.totals()
    await rig.driver.start(direction, 2.5, 5.0)
    assert (await rig.driver.status()).motion is Motion.MOVING
    assert rig.driver.programmed == (direction, 2.5, 5.0)
    await asyncio.sleep(40)
    assert (await rig.driver.status()).motion is Motion.STOPPED
    after = await rig.driver.totals()
    assert after.of(direction) - before.of(direction) == pytest.approx(2.5, abs=0.001)
    assert after.resolution_ml == 0.001
    assert rig.moved() == pytest.approx(sign * 2.5, abs=1e-6)


async def test_forward_says_what_clockwise_does() -> None:
    rig = await ready(forward="draw", stroke="deliver")
    await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    await asyncio.sleep(10)
    assert rig.moved() == pytest.approx(-1.0)


@pytest.mark.req("EQ-02")
async def test_the_other_direction_is_refused_because_the_counter_cannot_tell_it() -> None:
    rig = await ready()
    with pytest.raises(Refused, match="one way only"):
        await rig.driver.start(Direction.DRAW, 1.0, 10.0)


async def test_a_dose_beyond_capacity_or_tube_never_starts() -> None:
    rig = await ready()
    for volume, rate in ((101.0, 5.0), (0.0, 5.0), (float("nan"), 5.0), (1.0, 20.1), (1.0, 0.019), (1.0, float("nan"))):
        with pytest.raises(OutOfRange):
            await rig.driver.start(Direction.DELIVER, volume, rate)
    with pytest.raises(OutOfRange, match="capacity_ml"):
        await rig.again(capacity_ml=0).start(Direction.DELIVER, 1.0, 1.0)
    assert rig.moved() == 0


async def test_back_steps_stand_against_a_dose() -> None:
    rig = await ready()
    rig.pump.channels[0].back_steps = 2
    with pytest.raises(Refused, match="back steps"):
        await rig.driver.start(Direction.DELIVER, 1.0, 5.0)


async def test_a_moving_channel_starts_no_second_dose() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 5.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 5.0, 5.0)
    await asyncio.sleep(90)
    assert rig.moved() == pytest.approx(5.0)


async def test_what_stands_against_it_is_asked_last_and_a_stop_in_between_counts() -> None:
    rig = await ready()
    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.start(Direction.DELIVER, 1.0, 5.0, unless=lambda: True)
    assert rig.pump.channels[0].volume == 1.0
    start = asyncio.ensure_future(rig.driver.start(Direction.DELIVER, 1.0, 5.0))
    await asyncio.sleep(0.05)
    await rig.driver.stop()
    with pytest.raises(Refused, match="a stop came"):
        await start
    assert rig.moved() == 0


async def test_stop_ends_a_dose_and_may_be_repeated() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 10.0, 6.0)
    await asyncio.sleep(10)
    await rig.driver.stop()
    await rig.driver.stop()
    moved = rig.moved()
    assert 1.0 <= moved <= 1.2
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(moved, abs=0.001)


async def test_a_pump_that_was_never_prepared_can_be_stopped() -> None:
    rig = Rig()
    await rig.driver.stop()
    third = rig.again(channel=3)
    await third.stop()
    assert (await third.status()).motion is Motion.STOPPED


@pytest.mark.req("DS-03")
async def test_a_lost_answer_to_start_is_an_unknown_outcome_and_no_second_start() -> None:
    rig = await ready()
    heard: list[str] = []
    answer = rig.pump._answer

    def listening(text: str, now: float) -> bytes:
        heard.append(text)
        said = answer(text, now)
        return b"" if text == "1H" else said

    rig.pump._answer = listening
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DELIVER, 1.0, 6.0)
    await asyncio.sleep(30)
    assert heard.count("1H") == 1
    assert rig.driver.replies_missed == 1
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(1.0)


async def test_a_start_that_the_pump_refuses_says_why() -> None:
    rig = await ready()
    program = rig.driver._program_dose

    async def then_nothing(direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        await program(direction, volume_ml, rate_ml_min)
        rig.pump.channels[0].flow = 30.0  # somebody at the keys

    rig.driver._program_dose = then_nothing
    with pytest.raises(Refused, match="flow is too high"):
        await rig.driver.start(Direction.DELIVER, 1.0, 6.0)


async def test_an_unprepared_pump_is_not_started() -> None:
    rig = Rig()
    with pytest.raises(Refused, match="prepare it first"):
        await rig.driver.start(Direction.DELIVER, 1.0, 6.0)


# -- counters


@pytest.mark.req("DS-06")
async def test_a_trip_volume_that_counts_the_whole_pump_is_found_out() -> None:
    rig = await ready({"trip": "pump"})
    other = rig.channel(2)
    await rig.driver.totals()
    await other.prepare()
    await other.start(Direction.DELIVER, 5.0, 10.0)
    await asyncio.sleep(40)
    with pytest.raises(Refused, match="counter=total"):
        await rig.driver.totals()
    assert (await rig.driver.poll())["dispensed_volume"].quality is Quality.BAD
    whole = rig.again(counter="total")
    assert await whole.totals() == await whole.totals()
    assert ((await whole.totals()).delivered_ml, (await whole.totals()).resolution_ml) == (0.0, 1.0)


@pytest.mark.req("DS-06")
@pytest.mark.parametrize(("counters", "left"), [("kept", 1.0), ("lost", 0.0)])
async def test_a_power_loss_in_mid_dose_is_an_alarm_and_ends_the_dose(counters: str, left: float) -> None:
    rig = await ready({"counters": counters})
    await rig.driver.start(Direction.DELIVER, 5.0, 6.0)
    await asyncio.sleep(10)
    rig.host.power_cycle()
    status = await rig.driver.status()
    assert status.motion is Motion.ALARM
    assert "lost power" in status.alarm
    assert rig.driver.alarms_met == 1
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(left, abs=0.1)
    with pytest.raises(Refused):
        await rig.driver.start(Direction.DELIVER, 5.0, 6.0)
    await rig.driver.prepare()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert rig.moved() == pytest.approx(1.0, abs=0.1)


async def test_a_reset_trip_volume_begins_a_new_comparison() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 10.0)
    await asyncio.sleep(40)
    assert (await rig.driver.totals()).delivered_ml == 5.0
    rig.pump.channels[0].trip_ml = 0.0
    assert (await rig.driver.totals()).delivered_ml == 0.0


@pytest.mark.parametrize(("text", "ml"), [("4.983 ml", 4.983), ("12 ul", 0.012), ("1.5 l", 1500.0)])
def test_the_trip_volume_is_read_in_its_own_unit(text: str, ml: float) -> None:
    assert words.value(Driver.table["dispensed_volume"], text) == pytest.approx(ml)


def test_a_trip_volume_in_an_unknown_word_is_bad() -> None:
    with pytest.raises(BadFrame, match="no answer"):
        words.value(Driver.table["dispensed_volume"], "4.983 Liter")


# -- loops and channels


async def test_four_channels_recirculate_side_by_side_and_one_is_stopped() -> None:
    rig = await ready(use="recirculate")
    channels = [rig.driver, *(rig.channel(number, use="recirculate") for number in (2, 3, 4))]
    for channel in channels:
        await channel.prepare()
        await channel.recirculate(Direction.DELIVER, 0.2)
    await asyncio.sleep(600)
    assert [(await channel.status()).motion for channel in channels] == [Motion.MOVING] * 4
    await channels[2].stop()
    await asyncio.sleep(2)
    assert [(await channel.status()).motion for channel in channels] == [
        Motion.MOVING, Motion.MOVING, Motion.STOPPED, Motion.MOVING]  # fmt: skip
    moved = rig.moved(3)
    await asyncio.sleep(600)
    assert rig.moved(3) == moved
    assert rig.moved(4) == pytest.approx(4.0, rel=0.02)


async def test_a_loop_that_turns_as_asked_is_left_alone_and_another_flow_stops_it_first() -> None:
    rig = await ready(use="recirculate")
    await rig.driver.recirculate(Direction.DELIVER, 0.2)
    begun = rig.pump.channels[0].cycle_ml
    second = rig.again(use="recirculate")
    await second.prepare()
    await second.recirculate(Direction.DELIVER, 0.2)
    assert rig.pump.channels[0].cycle_ml >= begun
    assert second._stops == 0
    await second.recirculate(Direction.DELIVER, 0.3)
    assert second._stops == 1
    assert rig.pump.channels[0].ml_min == pytest.approx(0.3)
    await second.recirculate(Direction.DRAW, 0.3)
    assert not rig.pump.channels[0].clockwise


async def loop_flow(driver: Driver) -> object:
    return (await driver.poll())["flow_setpoint"].value


async def test_a_loop_is_turned_on_and_changed_by_its_flow_set_point() -> None:
    rig = await ready(use="recirculate")
    assert await loop_flow(rig.driver) == 0.0
    assert (await rig.driver.write("flow_setpoint", 0.2)).value == 0.2
    await asyncio.sleep(600)
    assert await loop_flow(rig.driver) == 0.2
    assert rig.moved() == pytest.approx(2.0, rel=0.01)
    assert (await rig.driver.flow_setpoint.set(0.15)).value == 0.15
    assert rig.pump.channels[0].ml_min == pytest.approx(0.15)
    await rig.driver.stop()
    assert (await rig.driver.read("flow_setpoint")).value == 0.0
    with pytest.raises(OutOfRange):
        await rig.driver.write("flow_setpoint", 0.0)


async def test_a_process_that_has_just_begun_sees_what_the_loop_turns_at_and_leaves_it_turning() -> None:
    rig = await ready(use="recirculate")
    await rig.driver.write("flow_setpoint", 0.2)
    moved, at = rig.moved(), rig.host.now
    second = rig.again(use="recirculate")
    await second.prepare()
    assert await loop_flow(second) == 0.2
    assert rig.moved() - moved == pytest.approx((rig.host.now - at) * 0.2 / 60, rel=0.01)


async def test_a_channel_at_rest_beside_one_that_turns_is_not_taken_for_turning() -> None:
    rig = await ready(use="recirculate")
    other = rig.channel(2, use="recirculate")
    await other.prepare()
    await rig.driver.write("flow_setpoint", 0.2)
    await other.write("flow_setpoint", 0.2)
    rig.host.act(rig.pump.stop_key(2, rig.host.now))
    second = Driver(Line(rig.host.link()), 1, BIG | {"use": "recirculate", "channel": 2})
    await second.prepare()
    assert await loop_flow(second) == 0.0
    await second.recirculate(Direction.DELIVER, 0.2)  # the settings are right already, and it stands all the same
    assert rig.pump.channels[1].doing == "A"
    assert (await second.read("flow_setpoint")).value == 0.2


async def test_without_a_message_nobody_knows_whether_a_loop_turns() -> None:
    rig = await ready(use="recirculate")
    other = rig.channel(2, use="recirculate")
    await other.prepare()
    await other.write("flow_setpoint", 0.2)
    rig.pump._unasked = lambda said: []
    rig.driver.ear.forget()
    reading = (await rig.driver.poll())["flow_setpoint"]
    assert (reading.quality, reading.value) == (Quality.BAD, None)
    assert "no message" in reading.why


async def test_a_channel_that_turns_in_another_way_than_its_loop_is_no_loop_until_it_is_set_anew() -> None:
    rig = await ready(use="recirculate")
    await rig.driver.recirculate(Direction.DRAW, 0.2)
    reading = await rig.driver.read("flow_setpoint")
    assert "not its loop" in reading.why
    assert (await rig.driver.write("flow_setpoint", 0.2)).value == 0.2
    assert rig.pump.channels[0].clockwise


async def test_a_reply_lost_while_a_loop_is_set_is_no_refusal_and_asking_again_turns_it() -> None:
    rig = await ready(use="recirculate")
    await rig.driver.write("flow_setpoint", 0.2)
    rig.fault("mute:after_s=0.5:for_s=3")
    with pytest.raises(WireError) as lost:
        for _ in range(20):
            await rig.driver.write("flow_setpoint", 0.3)
            await rig.driver.write("flow_setpoint", 0.2)
    assert not isinstance(lost.value, Refused)
    await asyncio.sleep(4)
    assert (await rig.driver.write("flow_setpoint", 0.3)).value == 0.3


async def test_a_dosing_channel_has_no_loop_flow() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 6.0)
    assert await loop_flow(rig.driver) == 0.0
    with pytest.raises(Refused, match="use"):
        await rig.driver.write("flow_setpoint", 0.2)


async def test_a_channel_is_there_for_one_use() -> None:
    rig = await ready(use="recirculate")
    with pytest.raises(Refused, match="use"):
        await rig.driver.start(Direction.DELIVER, 1.0, 1.0)
    with pytest.raises(Refused, match="use"):
        await rig.again().recirculate(Direction.DELIVER, 1.0)


async def test_a_stop_that_the_pump_never_confirms_is_an_error() -> None:
    rig = await ready(use="recirculate")
    other = rig.channel(2, use="recirculate")
    await other.prepare()
    await other.recirculate(Direction.DELIVER, 0.2)
    rig.pump._unasked = lambda said: []  # messages are on, and none comes
    rig.driver.ear.forget()
    with pytest.raises(NoAnswer, match="not seen to stop"):
        await rig.driver.stop()


# -- alarms


@pytest.mark.parametrize(("cause", "words_of_it"), [("2", "temperature"), ("3", "current")])
async def test_an_alarm_message_stays_until_prepare(cause: str, words_of_it: str) -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 6.0)
    await asyncio.sleep(5)
    rig.pump.state.overload = True
    rig.host.act(rig.pump._stopped(1, cause, rig.host.now))
    await asyncio.sleep(1)
    status = await rig.driver.status()
    assert (status.motion, rig.driver.alarms_met) == (Motion.ALARM, 1)
    assert words_of_it in status.alarm
    assert (await rig.driver.poll())["alarm"].value == status.alarm
    with pytest.raises(Refused, match=words_of_it):
        await rig.driver.start(Direction.DELIVER, 1.0, 6.0)
    await rig.driver.prepare()
    await rig.driver.start(Direction.DELIVER, 1.0, 6.0)
    assert rig.driver.alarms_met == 1


async def test_the_stop_key_ends_a_dose_without_an_alarm() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 6.0)
    await asyncio.sleep(5)
    rig.host.act(rig.pump.stop_key(1, rig.host.now))
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await rig.driver.totals()).delivered_ml < 1.0


# -- calibration


async def test_the_measured_volume_of_a_calibration_run_is_entered() -> None:
    rig = await ready()
    rig.pump.channels[0].calibration_target = 10.0
    with pytest.raises(Refused, match="not carried out"):
        await rig.driver.calibrate("measured volume", 11.0)
    rig.pump.wait_for_measured(1, 0.0)
    found = await rig.driver.calibrate("measured volume", 11.0)
    assert found["calibrated_max_flow (mL/min)"] == 22.0
    assert found["max_flow (mL/min)"] == 20.0
    with pytest.raises(Refused, match="no"):
        await rig.driver.calibrate("zero", 1.0)
    with pytest.raises(OutOfRange):
        await rig.driver.calibrate("measured volume", 0.0)


# -- the simulator alone


PREDICTED = golden(
    "ismatec_reglo_icc",
    r"""
    Commands | MX | > "1xv1500+1|2500+0\r"  | < "3600\r\n"   | 15 mL at 2.5 mL a minute take 360.0 s
    Commands | MX | > "1xw1000+1|010000\r"  | < "300\r\n"    | 10 mL at 100.00 rpm and 20 mL a minute take 30.0 s
    """,
)


def test_the_simulator_predicts_how_long_a_volume_takes() -> None:
    PREDICTED.check_simulator(addressed())
    assert ask(addressed(), "1xv1500+1") == b"#"
    assert ask(addressed(), "1xw1500+1|0") == b"#"


@pytest.mark.parametrize(
    ("command", "question", "answer"),
    [("1V0123", "1V", b"123"), ("1V0123", "1xT", b"123"), ("1VM012", "1VM", b"12"), ("1VH001", "1xT", b"36000"),
     ("1T0050", "1xP", b"50"), ("1TM002", "1TM", b"2"), ("1TH001", "1TH", b"1"), ("1xS0815", "1xS", b"0815"),
     ("1)0306", "1#", b"REGLO ICC 0208 306"), ("1xB0006", "1xB", b"6"), ("1U01234", "1U", b"001234"),
     ("1u00002", "1u", b"000002"), ("1xA0004", "1xA", b"4")],
)  # fmt: skip
def test_legacy_times_and_service_settings_are_taken_and_told(command: str, question: str, answer: bytes) -> None:
    pump = addressed()
    assert ask(pump, command) == b"*"
    assert ask(pump, question) == answer + b"\r\n"


def test_the_volume_of_a_roller_step_is_the_calibration() -> None:
    pump = addressed()
    assert ask(pump, "1r3000+4") == b"*"
    assert ask(pump, "1r") == b"3000E+4\r\n"
    assert ask(pump, "1!") == b"24.000 ml/min\r\n"


def test_a_calibration_run_ends_by_itself_waits_for_the_volume_and_can_be_cancelled() -> None:
    tube = FreeTube()
    pump = addressed([tube])
    for command in ("1xE1", "1xU1000+1", "1xW00000600", "1xRK"):
        ask(pump, command)
    assert ask(pump, "1xY") == b"*"
    assert ask(pump, "1E", 30.0)[-1:] == b"+"
    said = b"".join(each.data for each in pump.wake(60.0) if isinstance(each, Send))
    assert b"^X1|B\r\n" in said
    assert b"^U1|E|" in said
    tube.halt(60.0)
    assert tube.pulled_in_ml == pytest.approx(10.0)
    assert ask(pump, "1xV1100+1", 60.0) == b"1100E+1\r\n"
    assert ask(pump, "1!", 60.0) == b"22.000 ml/min\r\n"
    ask(pump, "1xY", 61.0)
    assert ask(pump, "1xZ", 70.0)[-1:] == b"*"
    assert ask(pump, "1E", 70.0)[-1:] == b"-"
    assert ask(pump, "1xV1100+1", 70.0) == b"#"


def test_a_paused_dose_goes_on_with_what_was_left_and_a_stop_forgets_it() -> None:
    tube = FreeTube()
    pump = addressed([tube])
    for command in ("1O", "1xf1", "1f6000+0", "1v1000+0", "1H"):
        ask(pump, command)
    assert ask(pump, "1xI", 4.0) == b"*"
    assert ask(pump, "1E", 5.0) == b"-"
    ask(pump, "1H", 10.0)
    pump.wake(16.0)
    tube.halt(20.0)
    assert tube.pushed_out_ml == pytest.approx(1.0)
    ask(pump, "1H", 20.0)
    ask(pump, "1xI", 24.0)
    ask(pump, "1I", 25.0)
    ask(pump, "1H", 30.0)
    pump.wake(40.0)
    tube.halt(50.0)
    assert tube.pushed_out_ml == pytest.approx(2.4)


async def test_what_was_left_of_a_paused_dose_is_not_given_with_the_next() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 6.0)
    await asyncio.sleep(10)
    ask(rig.pump, "1xI", rig.host.now)  # somebody at the keys
    moved = rig.moved()
    await rig.driver.start(Direction.DELIVER, 1.0, 6.0)
    await asyncio.sleep(60)
    assert rig.moved() - moved == pytest.approx(1.0)


def test_modes_with_cycles_pause_and_go_on() -> None:
    tube = FreeTube()
    pump = addressed([tube])
    for command in ("1Q", "1xf1", "1f6000+0", "1v1000+0", "1xP00000100", '1"0003', "1xE1"):
        ask(pump, command)
    assert ask(pump, "1H") == b"*"
    pump.wake(10.0)
    assert pump.channels[0].doing == "B"
    actions = [each for now in (20.0, 30.0, 40.0, 50.0) for each in pump.wake(now)]
    assert pump.channels[0].doing == "C"
    assert b"^X1|A\r\n" in b"".join(each.data for each in actions if isinstance(each, Send))
    tube.halt(50.0)
    assert tube.pushed_out_ml == pytest.approx(3.0)


def test_a_volume_over_a_time_turns_at_their_quotient() -> None:
    pump = addressed()
    for command in ("1G", "1v2000+0", "1xT00000600"):
        ask(pump, command)
    assert ask(pump, "1H") == b"*"
    assert pump.channels[0].ml_min == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("commands", "reason"),
    [(("1O", "1v0000+0"), b"V"), (("1O", "1v1000+0", "1xf1", "1f9000+1"), b"R"), (("1Q", "1v1000+0"), b"C"),
     (("1M", "1f0000+0"), b"R")],
)  # fmt: skip
def test_a_start_that_cannot_be_is_answered_with_minus_and_a_reason(commands: Sequence[str], reason: bytes) -> None:
    pump = addressed()
    for command in commands:
        ask(pump, command)
    assert ask(pump, "1H") == b"-"
    assert ask(pump, "1xe")[:1] == reason


@pytest.mark.parametrize("command", ["1f13", "1S1", "1+0200", "1%0101", "1z", "1xT1", "1v1300E-3", "1xV1000+0"])
def test_what_the_pump_does_not_know_is_answered_with_a_hash(command: str) -> None:
    assert ask(addressed(), command) == b"#"


def test_a_truncated_command_is_the_factory_reset_the_manual_warns_of() -> None:
    pump = addressed()
    pump.channels[0].flow = 9.0
    pump.channels[0].total_ml = 3.0
    assert ask(pump, "10") == b"*"
    assert (pump.channels[0].flow, pump.channels[0].total_ml) == (1.0, 3.0)
    pump.channels[0].calibration = 1.2
    assert ask(pump, "1000000") == b"*"
    assert pump.channels[0].calibration == 1.0


def test_back_steps_pull_fluid_back_behind_the_counters_back() -> None:
    tube = FreeTube()
    pump = addressed([tube])
    for command in ("1O", "1xf1", "1f1000+1", "1v1000+0", "1%0010"):
        ask(pump, command)
    ask(pump, "1H")
    pump.wake(6.0)
    tube.halt(60.0)
    assert tube.pushed_out_ml == pytest.approx(1.0)
    assert tube.pulled_in_ml == pytest.approx(10 * flow_at_full_speed(206) / 100 / 8)


def test_in_legacy_addressing_a_command_acts_on_all_channels() -> None:
    pump = Pump([FreeTube() for _ in range(4)], 1)
    assert ask(pump, "1L") == b"*"
    assert ask(pump, "1H") == b"*"
    assert [channel.doing for channel in pump.channels] == ["A"] * 4
    assert ask(pump, "2I") == b""
    assert ask(pump, "@5") == b"*"
    assert ask(pump, "5I") == b"*"


def test_a_snapshot_goes_on_where_it_was() -> None:
    pump = addressed()
    for command in ("2O", "2xf1", "2f6000+0", "2v1000+0", "1xE1", "2H"):
        ask(pump, command)
    pump.receive(Bytes(b"2x"), 4.0)
    saved = json.loads(json.dumps(pump.snapshot()))
    twin = Pump([FreeTube() for _ in range(4)], 1)
    twin.restore(saved)
    assert twin.wake_at == pump.wake_at
    said: list[list[Action]] = [each.wake(10.0) for each in (pump, twin)]
    assert said[0] == said[1]
    assert ask(twin, "G", 10.5) == ask(pump, "G", 10.5) == b"0000000001\r\n"


def test_messages_are_off_after_power_up_and_a_stop_command_sends_none() -> None:
    pump = addressed()
    for command in ("1xE1", "1L", "1H"):
        ask(pump, command)
    assert ask(pump, "1I", 0.5) == b"*"
    assert b"^X" not in b"".join(each.data for each in pump.wake(1.0) if isinstance(each, Send))
    pump.power_cycle(2.0)
    assert pump.wake_at is None
    assert ask(pump, "1~") == b"0\r\n"
    assert ask(pump, "1xE") == b"0\r\n"


def test_one_tube_sits_in_the_channel_that_is_named() -> None:
    tube = FreeTube()
    pump = Pump(tube, 1, None, {"channel": 3, "addressing": "channel"})
    assert ask(pump, "3H") == b"*"
    tube.halt(60.0)
    assert tube.pushed_out_ml == pytest.approx(2.0)
