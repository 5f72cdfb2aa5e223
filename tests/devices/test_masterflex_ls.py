"""Masterflex L/S: satellite frames, numbers, counted revolutions and loops; and the timed doses of the USB drives."""

from __future__ import annotations

import asyncio
import json

import pytest

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.masterflex_ls import MasterflexLs, MasterflexLsUsb, satellite
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.devices import masterflex_ls as sim
from simulators.standalone import FreeTube
from tests.devices.golden import golden
from tests.devices.rig import Dose

TUBE: dict[str, float | str] = {"capacity_ml": 100.0, "ml_per_rev": 0.8}
ONE_WAY = (Direction.DELIVER,)
DOSES = {"masterflex_ls": Dose(4.0, 40.0, TUBE, ONE_WAY), "masterflex_ls_usb": Dose(4.0, 40.0, TUBE, ONE_WAY)}

MANUAL = golden(
    "masterflex_ls",
    r"""
    A examples | MX | > 02 50 30 31 53 2B 30 31 30 30 0D | < 06 | 100 rpm
    A examples | MX | > 02 50 30 31 5A 0D | < 06 | clear
    A examples | MX | > 02 50 30 31 43 0D | < 02 43 30 30 30 30 31 32 33 2E 34 35 0D | turned
    A examples | MX | > 02 50 30 31 56 30 30 30 31 32 2E 35 30 0D | < 06 | 12.5 rev
    A examples | MX | > 02 50 30 31 47 0D | < 06 | go
    A examples | MX | > 02 50 30 31 45 0D | < 02 45 30 30 30 30 34 2E 32 31 0D | to go
    A examples | MX | > 02 50 30 31 43 0D | < 02 "C0000135.95" 0D | turned after it
    A start-up | NX | > 05 | < 02 "P?1" 0D | who
    A start-up | NW | > 02 "P01" 0D | < 06 | your number
    A table | M  | > 02 "P01S" 0D | < 02 "S+0432.9" 0D | speed
    A table | W  | > 02 "P01S" 0D | < 02 "S+004.0" 0D | speed of a 07551
    A table | N  | > 02 "P01I" 0D | < 02 "P01I10030" 0D | running
    A table | M  | > 02 "P01K" 0D | < 02 "K1" 0D | key
    A table | W  | > 02 "P01G0" 0D | < 15 | G0 of a 07551
    """,
)
CLIENT = golden(
    "masterflex_ls",
    r"""
    B table    | VX | > "1RE1\r"      | < "*\r\n"              | serial mode
    B table    | VX | > "1RC\r"       | < "1,0,0\r\n"          | at rest
    B table    | VX | > "1J\r"        | < "*\r\n"              | clockwise
    B table    | VX | > "1R010000\r"  | < "*\r\n"              | 100 rpm
    B table    | VX | > "1V0050\r"    | < "*\r\n"              | 5 s
    B table    | VX | > "1RV\r"       | < "00:00:05.0\r\n"     | on-time
    B table    | VX | > "1\"00001\r"  | < "*\r\n"              | one dose
    B table    | VX | > "1N\r"        | < "*\r\n"              | by time
    B table    | VX | > "1H\r"        | < "*\r\n"              | start
    """.replace(r'"1\"00001\r"', "31 22 30 30 30 30 31 0D"),
)
LOCAL = golden("masterflex_ls", r""" B table | VX | > "1H\r" | < "~\r\n" | start in local """)


class Rig:
    """One simulated drive on a cable, the driver, and what the drive was told."""

    def __init__(self, sim_options: dict[str, float | str] | None = None, **options: float | str) -> None:
        self.tube = FreeTube()
        self.drive = sim.MasterflexLs(self.tube, 1, None, sim_options)
        self.wire = faults.FaultyWire(self.drive)
        self.host = MemoryHost(self.wire)
        self.options = {**TUBE, **options}
        self.heard: list[str] = []
        commands = self.drive._commands
        self.drive._commands = lambda text, now: (self.heard.append(text), commands(text, now))[1]
        self.driver = self.again()

    def again(self, **options: float | str) -> MasterflexLs:
        return MasterflexLs(Line(self.host.link()), 1, {**self.options, **options})

    def moved(self) -> float:
        assert not self.drive.rotor.running
        self.tube.halt(asyncio.get_running_loop().time())
        return self.tube.pushed_out_ml - self.tube.pulled_in_ml

    def fault(self, text: str) -> None:
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), 1))


async def ready(sim_options: dict[str, float | str] | None = None, **options: float | str) -> Rig:
    rig = Rig(sim_options, **options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def told(drive: sim.MasterflexLs, data: bytes, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in drive.receive(Bytes(data), now) if isinstance(each, Send))


def say(drive: sim.MasterflexLs, text: str, now: float = 0.0) -> bytes:
    return told(drive, b"\x02" + text.encode() + b"\r", now)


def numbered(**options: float | str) -> sim.MasterflexLs:
    return sim.MasterflexLs(FreeTube(), 1, None, {"number": 1, **options})


# -- the sheet, on each end


def test_the_simulator_answers_the_manuals_frames() -> None:
    drive = sim.MasterflexLs(FreeTube())
    drive.rotor.turned = 123.45
    MANUAL.check_simulator(drive, "who", "your number", "100 rpm", "clear", "turned", "12.5 rev")
    assert told(drive, MANUAL["go"].request) == b"\x06"
    MANUAL.check_simulator(drive, "to go", now=(12.5 - 4.21) / 100 * 60)
    MANUAL.check_simulator(drive, "turned after it", now=60.0)
    drive.rotor.rpm = 432.9
    MANUAL.check_simulator(drive, "speed")
    drive.stop_key(61.0)
    MANUAL.check_simulator(drive, "key")
    other = numbered(g0="nak")
    other.state.remote = True
    MANUAL.check_simulator(other, "G0 of a 07551", "running")


async def test_the_driver_sends_and_reads_the_manuals_frames() -> None:
    async with MANUAL.line("100 rpm", "clear", "turned", "12.5 rev", "go", "to go", "turned after it") as line:
        drive = MasterflexLs(line, 1, TUBE)
        await drive._act("set_speed", "+0100")
        await drive._act("clear_to_go")
        assert (await drive.totals()).delivered_ml == pytest.approx(123.45 * 0.8)
        await drive._act("set_revolutions", f"{12.5:08.2f}")
        await drive._start_dose()
        assert await drive._to_go() == 4.21
        assert (await drive.totals()).delivered_ml == pytest.approx(135.95 * 0.8)
    async with MANUAL.line("who", "your number", "speed", "speed of a 07551", "running", "key") as line:
        drive = MasterflexLs(line)
        assert await drive._asks_for_number()
        assert await drive._ask(satellite.request(1, ""), satellite.acknowledged)
        assert await drive._speed() == (True, 432.9)
        assert await drive._speed() == (True, 4.0)
        assert await drive._status() == satellite.Status(1, True, satellite.RUNNING, 0)
        assert await drive._last_key() == "stop/start"


@pytest.mark.parametrize("came", [b"\x15", b"*", b"\x02hello\r", b"\x02P01I1003\r", b"\x02P01I10080\r"])
def test_what_is_no_status_is_not_taken_for_one(came: bytes) -> None:
    with pytest.raises((BadFrame, Refused)):
        satellite.status(satellite.text(bytearray(came)) or "")


# -- numbers


async def test_a_drive_without_a_number_is_given_ours_and_one_that_has_it_is_left_alone() -> None:
    rig = await ready()
    assert rig.drive.state.number == 1
    assert (rig.drive.state.remote, rig.driver.alarms_met) == (True, 0)
    rig.heard.clear()
    second = rig.again()
    await second.identify()
    await second.prepare()
    assert set(rig.heard) == {"I"}


async def test_a_drive_that_asks_for_its_number_again_has_lost_power() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 8.0, 40.0)
    await asyncio.sleep(6)
    rig.host.power_cycle()
    assert {each.quality for each in (await rig.driver.poll()).values()} == {Quality.BAD}
    await rig.driver.identify()
    assert rig.driver.alarms_met == 1
    status = await rig.driver.status()
    assert (status.motion, "lost power" in status.alarm) == (Motion.ALARM, True)
    await rig.driver.stop()
    await rig.driver.prepare()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(rig.moved(), abs=0.01)


@pytest.mark.req("DS-06")
async def test_a_count_lost_with_the_power_stands_below_its_baseline() -> None:
    rig = await ready({"count": "lost"})
    await rig.driver.start(Direction.DELIVER, 8.0, 40.0)
    await asyncio.sleep(30)
    before = (await rig.driver.totals()).delivered_ml
    rig.host.power_cycle()
    await rig.driver.identify()
    assert (await rig.driver.totals()).delivered_ml == 0.0 < before


def chained() -> tuple[list[sim.MasterflexLs], MemoryHost]:
    drives = [sim.MasterflexLs(FreeTube()) for _ in range(3)]
    for at, drive in enumerate(drives):
        drive.behind = drives[:at]
    return drives, MemoryHost(SharedLine({str(at): drive for at, drive in enumerate(drives)}))


async def test_a_chain_is_numbered_from_the_computer_outwards_whoever_asks_first() -> None:
    drives, host = chained()
    line = Line(host.link())
    third = MasterflexLs(line, 3, {**TUBE, "chain": 3})
    await third.identify()
    assert [drive.state.number for drive in drives] == [1, 2, 3]
    drives[1].power_cycle(host.now)
    await MasterflexLs(line, 2, {**TUBE, "chain": 3}).identify()
    assert [drive.state.number for drive in drives] == [1, 2, 3]


async def test_more_drives_than_stated_give_no_drive_a_wrong_number() -> None:
    drives, host = chained()
    line = Line(host.link())
    second = MasterflexLs(line, 2, TUBE)
    for _ in range(4):
        with pytest.raises(WrongDevice, match="option chain"):
            await second.identify()
    with pytest.raises(WrongDevice, match="option chain"):
        await MasterflexLs(Line(host.link()), 2, TUBE).identify()
    assert 2 not in [drive.state.number for drive in drives]


def test_a_foreign_number_is_not_answered_and_99_is_heard_in_silence() -> None:
    drive = numbered()
    assert say(drive, "P02I") == b""
    assert say(drive, "P99R") == b""
    assert drive.state.remote
    assert told(drive, b"P01I\r") == b""
    assert told(drive, b"\x02P01Z0\x18\r") == b""
    assert told(drive, b"\x02P01Z0\x02P01I\r")[:5] == b"\x02P01I"


def test_a_number_may_come_behind_enq_as_well() -> None:
    drive = sim.MasterflexLs(FreeTube())
    assert told(drive, b"\x05P02\r") == b"\x02P?1\r\x06"
    assert drive.state.number == 2
    assert say(drive, "P02U90") == b"\x15"
    assert say(drive, "P02U07") == b"\x06"
    assert say(drive, "P07I") == b"\x02P07I00015\r"


@pytest.mark.parametrize(
    ("address", "options"), [(0, {}), (89, {}), (4, {"chain": 3}), (1, {"chain": 26}), (1, {"ml_per_rev": -1})]
)
def test_options_no_drive_can_have_are_refused(address: int, options: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        MasterflexLs(Line(MemoryHost(numbered()).link()), address, options)


# -- signals


async def test_every_signal_reads_what_the_drive_holds() -> None:
    rig = await ready()
    rig.drive.rotor.turned, rig.drive.rotor.rpm, rig.drive.rotor.clockwise = 12.34, 55.5, False
    rig.drive.state.to_go, rig.drive.state.aux_input, rig.drive.state.error, rig.drive.state.key = -0.5, True, 4, "A"
    values = {name: each.value for name, each in (await rig.driver.poll()).items()}
    assert values == {
        "motion": "stopped", "alarm": "", "revolutions": 12.34, "revolutions_to_go": -0.5, "speed": 55.5,
        "direction": "counter-clockwise", "ml_per_rev": 0.8, "control": "remote",
        "communication_error": "invalid command", "aux_input": True, "last_key": "up",
    }  # fmt: skip
    assert "last_key" not in await rig.driver.poll()


async def test_the_speed_is_written_within_its_limits_and_read_back() -> None:
    rig = await ready()
    assert (await rig.driver.speed.set(123.4)).value == 123.4
    assert rig.drive.rotor.rpm == 123.4
    for rpm in (0.0, 601.0, float("inf")):
        with pytest.raises(OutOfRange):
            await rig.driver.write("speed", rpm)
    with pytest.raises(Refused, match="cannot be set"):
        await rig.driver.write("revolutions", 0.0)


async def test_a_speed_that_reads_back_otherwise_is_refused() -> None:
    rig = await ready()
    rig.drive._speed = lambda clockwise, rpm, now: True
    with pytest.raises(Refused, match="100 rpm after"):
        await rig.driver.write("speed", 50.0)


# -- doses


@pytest.mark.req("EQ-02")
@pytest.mark.parametrize(("stroke", "sign"), [("deliver", 1), ("draw", -1)])
async def test_a_dose_ends_by_itself_and_the_count_proves_it(stroke: str, sign: int) -> None:
    rig = await ready(stroke=stroke)
    direction = Direction(stroke)
    before = await rig.driver.totals()
    await rig.driver.start(direction, 10.0, 40.0)
    assert (await rig.driver.status()).motion is Motion.MOVING
    assert rig.driver.programmed == (direction, pytest.approx(10.0), pytest.approx(40.0))
    await asyncio.sleep(20)
    assert (await rig.driver.status()).motion is Motion.STOPPED
    after = await rig.driver.totals()
    assert after.of(direction) - before.of(direction) == pytest.approx(10.0)
    assert after.resolution_ml == pytest.approx(0.008)
    assert rig.moved() == pytest.approx(sign * 10.0)
    assert "G0" not in rig.heard


async def test_a_dose_is_never_more_than_asked() -> None:
    rig = await ready(ml_per_rev=0.77)
    await rig.driver.start(Direction.DELIVER, 5.0, 30.0)
    assert rig.driver.programmed is not None
    assert 5.0 - 0.0077 < rig.driver.programmed[1] <= 5.0
    assert rig.driver.programmed[2] <= 30.0


async def test_a_drive_that_adds_revolutions_gives_the_same_dose() -> None:
    rig = await ready({"v": "adds"})
    rig.drive.state.to_go = -0.3
    await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(10)
    assert rig.moved() == pytest.approx(4.0)


async def test_an_overshoot_is_counted() -> None:
    rig = await ready({"overshoot_rev": 0.05})
    await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(10)
    assert (await rig.driver.read("revolutions_to_go")).value == -0.05
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(4.04)


async def test_forward_says_what_clockwise_does_and_the_other_stroke_is_refused() -> None:
    rig = await ready(forward="draw")
    await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(10)
    assert rig.moved() == pytest.approx(-4.0)
    with pytest.raises(Refused, match="one way only"):
        await rig.driver.start(Direction.DRAW, 1.0, 10.0)


async def test_a_dose_beyond_capacity_motor_or_counter_never_starts() -> None:
    rig = await ready()
    for volume, rate in ((101.0, 40.0), (0.0, 40.0), (float("nan"), 40.0), (0.007, 40.0), (1.0, 481.0), (1.0, 0.07),
                         (1.0, float("nan"))):  # fmt: skip
        with pytest.raises(OutOfRange):
            await rig.driver.start(Direction.DELIVER, volume, rate)
    with pytest.raises(Refused, match="ml_per_rev"):
        await rig.again(ml_per_rev=0).start(Direction.DELIVER, 1.0, 10.0)
    with pytest.raises(Refused, match="ml_per_rev"):
        await rig.again(ml_per_rev=0).totals()
    assert "G" not in rig.heard


async def test_a_moving_or_paused_drive_starts_no_dose_and_stop_leaves_nothing_to_resume() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 40.0, 40.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    with pytest.raises(Refused, match="a dose is running"):
        await rig.driver.write("speed", 10.0)
    await asyncio.sleep(6)
    await rig.driver._act("halt")
    assert (await rig.driver.status()).motion is Motion.PAUSED
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await rig.driver.stop()
    await rig.driver.stop()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    moved = rig.moved()
    await rig.driver._act("run")
    await asyncio.sleep(60)
    assert rig.moved() == moved
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(moved, abs=0.01)


async def test_what_stands_against_it_is_asked_last_and_a_stop_in_between_counts() -> None:
    rig = await ready()
    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0, unless=lambda: True)
    await rig.driver.stop()
    start = asyncio.ensure_future(rig.driver.start(Direction.DELIVER, 4.0, 40.0))
    await asyncio.sleep(0.1)
    await rig.driver.stop()
    with pytest.raises(Refused, match=r"a stop came|to go after"):
        await start
    assert rig.moved() == 0


@pytest.mark.req("DS-03")
async def test_a_lost_answer_to_go_is_an_unknown_outcome_and_no_second_go() -> None:
    rig = await ready()
    commands = rig.drive._commands
    answered: list[str] = []

    def silent_go(text: str, now: float) -> bytes:
        answered.append(text)
        said = commands(text, now)
        return b"" if text == "G" else said

    rig.drive._commands = silent_go
    missed = rig.driver.replies_missed
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(20)
    assert answered.count("G") == 1
    assert rig.driver.replies_missed == missed + 1
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(4.0)


async def test_a_go_that_is_not_taken_is_refused_only_when_the_drives_figures_show_it() -> None:
    rig = await ready()
    go = rig.drive._go
    rig.drive._go = lambda revolutions, now: None
    do = rig.drive._do
    rig.drive._do = lambda word, data, now: b"\x15" if do(word, data, now) and word == "G" else do(word, data, now)
    with pytest.raises(Refused, match="did not take G"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await rig.driver.stop()
    rig.drive._go = go
    with pytest.raises(BadFrame, match="unknown"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)


async def test_an_unprepared_drive_is_not_started() -> None:
    rig = Rig()
    await rig.driver.identify()
    with pytest.raises(Refused, match="local control"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await rig.driver.stop()


async def test_a_counter_that_rolls_over_goes_on() -> None:
    rig = await ready()
    rig.drive.rotor.turned = 9_999_998.0
    before = (await rig.driver.totals()).delivered_ml
    await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(10)
    assert (await rig.driver.totals()).delivered_ml - before == pytest.approx(4.0, abs=0.02)
    assert rig.driver._rolled_over == 1


# -- keys and alarms


async def test_the_stop_key_leaves_a_pause_that_stop_clears() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 40.0, 40.0)
    await asyncio.sleep(5)
    rig.drive.stop_key(rig.host.now)
    assert (await rig.driver.status()).motion is Motion.PAUSED
    assert (await rig.driver.read("last_key")).value == "stop/start"
    await rig.driver.stop()
    assert (await rig.driver.status()).motion is Motion.STOPPED


def test_a_drive_whose_key_was_pressed_answers_enq_and_its_key_is_cleared() -> None:
    drive = numbered()
    assert told(drive, b"\x05") == b""
    drive.stop_key(1.0)
    assert told(drive, b"\x05", 2.0)[:5] == b"\x02P01I"
    assert say(drive, "P01K", 3.0) == b"\x02K1\r"
    assert told(drive, b"\x06P01\r", 4.0) == b""
    assert say(drive, "P01K", 5.0) == b"\x02K0\r"


@pytest.mark.parametrize(("fault", "words"), [(5, "no motor feedback"), (6, "overloaded"), (7, "excessive")])
async def test_a_motor_alarm_is_counted_once_and_stays_until_prepare(fault: int, words: str) -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 40.0, 40.0)
    await asyncio.sleep(5)
    rig.drive.fail(fault, rig.host.now)
    for _ in range(3):
        assert (await rig.driver.status()).motion is Motion.ALARM
    assert rig.driver.alarms_met == 1
    assert words in str((await rig.driver.poll())["alarm"].value)
    await rig.driver.stop()
    with pytest.raises(Refused, match=words):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)


# -- loops


@pytest.mark.parametrize("g0", ["ack", "nak"])
async def test_a_loop_turns_on_whatever_the_drive_says_to_g0(g0: str) -> None:
    rig = await ready({"g0": g0}, use="recirculate")
    await rig.driver.recirculate(Direction.DELIVER, 8.0)
    await asyncio.sleep(3600)
    assert (await rig.driver.status()).motion is Motion.MOVING
    second = rig.again()
    await second.identify()
    await second.recirculate(Direction.DELIVER, 8.0)
    assert rig.heard.count("G0") == 1
    await second.recirculate(Direction.DRAW, 8.0)
    assert not rig.drive.rotor.clockwise
    await second.write("speed", 20.0)
    assert rig.drive.rotor.running
    await second.stop()
    assert not rig.drive.rotor.running


async def test_a_loop_that_does_not_begin_is_an_error() -> None:
    rig = await ready(use="recirculate")
    rig.drive._go = lambda revolutions, now: None
    with pytest.raises(BadFrame, match="not seen to turn"):
        await rig.driver.recirculate(Direction.DELIVER, 8.0)


def test_joined_commands_are_carried_out_in_turn() -> None:
    drive = numbered()
    assert say(drive, "P01S+100 G0") == b"\x06"
    assert drive.rotor.running
    assert say(drive, "P01S-50", 1.0) == b"\x15"  # halt first
    assert say(drive, "P01I", 1.5)[-3:] == b"35\r"
    assert say(drive, "P01HV12.5G", 2.0) == b"\x06"
    assert drive.rotor.due() == pytest.approx(2.0 + 7.5)
    assert say(drive, "P01C ", 2.5)[:2] == b"\x02C"  # a blank before CR, and LF behind it
    assert told(drive, b"\n\x02P01S\r\n", 2.6) == b"\x02S+0100.0\r"
    assert say(drive, "P01Q", 3.0) == b"\x15"
    assert say(drive, "P01I", 3.5)[-2:] == b"4\r"
    assert say(drive, "P01O10B01ALHZZ0", 4.0) == b"\x06"
    assert (drive.state.outputs, drive.rotor.turned) == ("01", 0.0)


def test_a_snapshot_goes_on_where_it_was() -> None:
    drive = numbered()
    say(drive, "P01V10G")
    drive.receive(Bytes(b"\x02P01"), 3.0)
    twin = sim.MasterflexLs(FreeTube())
    twin.restore(json.loads(json.dumps(drive.snapshot())))
    assert twin.wake_at == drive.wake_at == pytest.approx(6.0)
    assert told(twin, b"C\r", 4.0) == told(drive, b"C\r", 4.0) == b"\x02C0000006.67\r"


# -- the newer drives, by USB


class Usb:
    def __init__(self, sim_options: dict[str, float | str] | None = None, **options: float | str) -> None:
        self.tube = FreeTube()
        self.drive = sim.MasterflexLsUsb(self.tube, 1, None, sim_options)
        self.wire = faults.FaultyWire(self.drive)
        self.host = MemoryHost(self.wire)
        self.options = {**TUBE, **options}
        self.heard: list[bytes] = []
        message = self.drive.message
        self.drive.message = lambda text, now: (self.heard.append(text), message(text, now))[1]
        self.driver = self.again()

    def again(self, **options: float | str) -> MasterflexLsUsb:
        return MasterflexLsUsb(Line(self.host.link()), 1, {**self.options, **options})

    def moved(self) -> float:
        assert not self.drive.rotor.running
        self.tube.halt(asyncio.get_running_loop().time())
        return self.tube.pushed_out_ml - self.tube.pulled_in_ml


async def usb(sim_options: dict[str, float | str] | None = None, **options: float | str) -> Usb:
    rig = Usb(sim_options, **options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def type_(drive: sim.MasterflexLsUsb, text: str, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in drive.receive(Bytes(text.encode() + b"\r"), now) if isinstance(each, Send))


def test_the_usb_simulator_answers_the_clients_frames() -> None:
    drive = sim.MasterflexLsUsb(FreeTube())
    LOCAL.check_simulator(drive)
    assert not drive.rotor.running
    CLIENT.check_simulator(drive)
    assert type_(drive, "1E", 4.9) == b"+\r\n"
    assert type_(drive, "1E", 5.1) == b"-\r\n"
    assert type_(drive, "1RB", 5.1) == b"8.33\r\n"


async def test_the_usb_driver_sends_the_clients_frames() -> None:
    async with CLIENT.line() as line:
        driver = MasterflexLsUsb(line, 1, TUBE)
        await driver._act("serial_mode", "1")
        assert await driver._status() == (False, True)
        await driver._act("clockwise")
        await driver._act("speed", f"{10000:06d}")
        await driver._act("set_on_time", f"{50:04d}")
        assert await driver._on_time_s() == 5.0
        await driver._act("batch_count", "00001")
        await driver._act("time_dispense")
        await driver._start_dose()
    async with LOCAL.line() as line:
        with pytest.raises(Refused, match="not in serial mode"):
            await MasterflexLsUsb(line, 1, TUBE)._start_dose()


@pytest.mark.req("EQ-02")
@pytest.mark.parametrize("terminator", ["crlf", "none"])
@pytest.mark.parametrize(("stroke", "sign"), [("deliver", 1), ("draw", -1)])
async def test_a_timed_dose_ends_by_itself_and_the_revolutions_prove_it(
    terminator: str, stroke: str, sign: int
) -> None:
    rig = await usb({"terminator": terminator}, stroke=stroke)
    direction = Direction(stroke)
    before = await rig.driver.totals()
    await rig.driver.start(direction, 10.0, 40.0)
    assert (await rig.driver.status()).motion is Motion.MOVING
    await asyncio.sleep(20)
    assert (await rig.driver.status()).motion is Motion.STOPPED
    after = await rig.driver.totals()
    assert after.of(direction) - before.of(direction) == pytest.approx(10.0, abs=0.02)
    assert rig.moved() == pytest.approx(sign * 10.0, abs=0.02)
    with pytest.raises(Refused, match="one way only"):
        await rig.driver.start(Direction.DRAW if stroke == "deliver" else Direction.DELIVER, 1.0, 40.0)


async def test_a_dose_longer_than_four_digits_takes_the_long_on_time_and_is_never_more_than_asked() -> None:
    rig = await usb()
    await rig.driver.start(Direction.DELIVER, 50.0, 1.0)
    assert b"1RV0050000" in rig.heard
    assert (await rig.driver.read("on_time")).value == 3000.0
    assert rig.driver.programmed is not None
    assert rig.driver.programmed[1] <= 50.0
    await asyncio.sleep(3100)
    assert rig.moved() == pytest.approx(50.0, abs=0.01)


async def test_a_long_on_time_the_drive_reads_otherwise_is_refused() -> None:
    rig = await usb()
    keep = rig.drive._keep
    rig.drive._keep = lambda code, payload, raw, now: keep(code, "0000010" if code == "RV" else payload, raw, now)
    with pytest.raises(Refused, match="on-time"):
        await rig.driver.start(Direction.DELIVER, 50.0, 1.0)
    assert b"1H" not in rig.heard


async def test_usb_signals_limits_and_set_point() -> None:
    rig = await usb()
    rig.drive.rotor.turned = 10.0
    values = {name: each.value for name, each in (await rig.driver.poll()).items()}
    assert values == {
        "motion": "stopped", "direction": "clockwise", "alarm": "", "revolutions": 10.0, "pump_volume": 8.0,
        "speed": 100.0, "on_time": 1.0, "batch_count": 0.0, "batch_total": 1.0, "dispensing": False, "ml_per_rev": 0.8,
    }  # fmt: skip
    assert (await rig.driver.speed.set(12.34)).value == 12.34
    rig.drive.state.unit = 0
    assert (await rig.driver.read("pump_volume")).value == 8.0
    for rpm in (0.0, 601.0):
        with pytest.raises(OutOfRange):
            await rig.driver.write("speed", rpm)
    with pytest.raises(Refused, match="cannot be set"):
        await rig.driver.write("revolutions", 0.0)


async def test_a_usb_dose_beyond_its_limits_or_on_a_busy_drive_never_starts() -> None:
    rig = await usb()
    for volume, rate in ((101.0, 40.0), (0.0, 40.0), (1e-4, 40.0), (1.0, 481.0), (1.0, 0.007), (1.0, float("nan"))):
        with pytest.raises(OutOfRange):
            await rig.driver.start(Direction.DELIVER, volume, rate)
    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0, unless=lambda: True)
    with pytest.raises(Refused, match="ml_per_rev"):
        await rig.again(ml_per_rev=0).start(Direction.DELIVER, 4.0, 40.0)
    assert b"1H" not in rig.heard
    await rig.driver.start(Direction.DELIVER, 40.0, 40.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(6)
    await rig.driver.stop()
    moved = rig.moved()
    assert moved == pytest.approx(4.0, abs=0.2)
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(moved, abs=0.01)


@pytest.mark.req("DS-06")
async def test_a_usb_drive_after_a_power_loss_is_out_of_serial_mode_and_says_so() -> None:
    rig = await usb({"count": "lost"})
    await rig.driver.start(Direction.DELIVER, 40.0, 40.0)
    await asyncio.sleep(6)
    await rig.driver.poll()
    rig.host.power_cycle()
    status = await rig.driver.status()
    assert (status.motion, rig.driver.alarms_met) == (Motion.ALARM, 1)
    with pytest.raises(Refused, match=r"went down|serial mode"):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await rig.driver.stop()
    await rig.driver.prepare()
    await rig.driver.start(Direction.DELIVER, 4.0, 40.0)


@pytest.mark.req("DS-03")
async def test_a_lost_answer_to_a_usb_start_is_unknown_and_no_second_start() -> None:
    rig = await usb()
    message = rig.drive.message
    rig.drive.message = lambda text, now: b"" if message(text, now) and text == b"1H" else message(text, now)
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DELIVER, 4.0, 40.0)
    await asyncio.sleep(20)
    assert rig.heard.count(b"1H") == 1
    assert rig.moved() == pytest.approx(4.0, abs=0.02)


async def test_a_usb_loop_turns_on_and_is_left_alone_when_asked_again() -> None:
    rig = await usb(use="recirculate")
    await rig.driver.recirculate(Direction.DELIVER, 8.0)
    await asyncio.sleep(3600)
    assert (await rig.driver.status()).motion is Motion.MOVING
    await rig.again().recirculate(Direction.DELIVER, 8.0)
    assert rig.heard.count(b"1H") == 1
    await rig.driver.recirculate(Direction.DRAW, 8.0)
    assert not rig.drive.rotor.clockwise
    await rig.driver.stop()


async def test_other_devices_are_not_taken_for_a_usb_drive_nor_asked_to_reverse() -> None:
    other = golden("masterflex_ls", r""" other | - | > "1#\r" | < "REGLO ICC 0208 306\r\n" | model """)
    async with other.line() as line:
        with pytest.raises(WrongDevice, match="REGLO ICC"):
            await MasterflexLsUsb(line).identify()
    echo = golden("masterflex_ls", r""" other | - | > "1#\r" | < "1#\r\n" | a pump that echoes """)
    async with echo.line() as line:
        with pytest.raises(WrongDevice):
            await MasterflexLsUsb(line).identify()
    identity = await (await usb({"model": "MASTERFLEX L/S 07525-20"})).driver.identify()
    assert (identity.type, identity.firmware) == ("MASTERFLEX L/S 07525-20", "1.05")


def test_a_batch_pauses_between_its_doses_and_a_snapshot_goes_on() -> None:
    drive = sim.MasterflexLsUsb(FreeTube())
    for command in ("1RE1", "1N", "1R006000", "1V0100", "1RT0000050", '1"00002', "1H"):
        assert type_(drive, command) == b"*\r\n"
    twin = sim.MasterflexLsUsb(FreeTube())
    twin.restore(json.loads(json.dumps(drive.snapshot())))
    for each in (drive, twin):
        assert type_(each, "1E", 12.0) == b"-\r\n"
        assert type_(each, '1"', 12.0) == b"1/2\r\n"
        assert type_(each, "1RB", 30.0) == b"20.00\r\n"
        assert type_(each, "1RT", 30.0) == b"00:00:05.0\r\n"


@pytest.mark.parametrize("command", ["1R1", "1RA09", "1V99", "1Q5", "1RV0099000", "1Z", "1R099999"])
def test_what_the_usb_drive_does_not_know_is_answered_with_a_hash(command: str) -> None:
    drive = sim.MasterflexLsUsb(FreeTube())
    type_(drive, "1RE1")
    assert type_(drive, command) == b"#\r\n"
    assert type_(drive, "2RC") == b""


def test_units_percent_service_and_a_new_address() -> None:
    drive = sim.MasterflexLsUsb(FreeTube())
    type_(drive, "1RE1")
    for command in ("1RA02", "1VM010", "1VH02", "1A", "1B", "1*", '1R"', "1W", "1L"):
        assert type_(drive, command) == b"*\r\n"
    assert (type_(drive, "1:"), type_(drive, "1RA"), type_(drive, "1S")) == (b"0.000 l\r\n", b"2\r\n", b"16.7\r\n")
    assert type_(drive, "1RV") == b"02:00:00.0\r\n"
    assert type_(drive, "@4") == b"*\r\n"
    assert type_(drive, "4RC") == b"4,0,0\r\n"
    assert type_(drive, "40") == b"*\r\n"
