"""Watson-Marlow pumps: the sheet's frames on both ends, doses in tacho pulses, echo, silence, the 323."""

from __future__ import annotations

import asyncio
import json

import pytest

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.watson_marlow import WatsonMarlow323, WatsonMarlow505, WatsonMarlow520, WatsonMarlow530
from drivers.devices.watson_marlow.driver import WatsonMarlow
from drivers.devices.watson_marlow.status import read
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.devices import watson_marlow as sim
from simulators.standalone import FreeTube
from tests.devices.golden import golden
from tests.devices.rig import Dose

BIG = {"capacity_ml": 500.0}
OF_505 = {**BIG, "pulses_per_rev": 1280}
ONE_WAY = (Direction.DELIVER,)
DOSES = {
    "watson_marlow_520": Dose(30.0, 100.0, BIG, ONE_WAY),
    "watson_marlow_530": Dose(30.0, 100.0, BIG, ONE_WAY),
    "watson_marlow_505": Dose(3.0, 7.0, OF_505, ONE_WAY),
}

SHEET = golden(
    "watson_marlow",
    r"""
    p. 82 | M | > "1RS\r" | < "620Du 15.84 620R 9.6MM 220.0 CW P/N 1 123456789 1 !" | a 620 runs
    p. 76 | M | > "1RS\r" | < "520Du 15.84 520R 9.6MM 220.0 CW P/N 1 123456789 1 !" | a 520 runs
    p. 6 | M | > "1RS\r" | < "505Di 0.7 505l 1.6mm 53.5 CW P/N 1 157810 1 !" | a 505 runs
    p. 27 | M | > "1RS\r" | < "323Du 110 CW 1 !" | a 323 runs
    """,
)
EXAMPLES = golden(
    "watson_marlow",
    r"""
    Examples | X | > 31 53 50 32 30 2E 30 0D          | < -                | 20 rpm
    Examples | X | > 31 52 54 0D                      | < "157810\r"       | count
    Examples | X | > 31 44 4F 31 30 39 38 32 30 0D    | < -                | ten revolutions
    Examples | X | > 31 5A 59 0D                      | < "1\r"            | running
    """,
)
OVER = golden(
    "watson_marlow",
    r"""
    Examples | X | > 31 5A 59 0D                      | < "0\r"            | stopped
    Examples | X | > 31 52 54 0D                      | < "267630\r"       | count after it
    """,
)


class Rig:
    """One simulated pump, a cable that remembers, and a driver."""

    def __init__(
        self,
        driver: type[WatsonMarlow] = WatsonMarlow520,
        pump: type[sim.WatsonMarlowPump] = sim.WatsonMarlow520,
        sim_options: dict[str, float | str] | None = None,
        **options: float | str,
    ) -> None:
        self.tube = FreeTube()
        self.pump = pump(self.tube, 1, None, sim_options)
        self.wire = faults.FaultyWire(self.pump)
        self.host = MemoryHost(self.wire)
        self.kind, self.options = driver, {**BIG, **options}
        self.heard: list[bytes] = []
        message = self.pump.message
        self.pump.message = lambda text, now: (self.heard.append(text), message(text, now))[1]
        self.driver = self.again()

    def again(self, **options: float | str) -> WatsonMarlow:
        return self.kind(Line(self.host.link()), 1, {**self.options, **options})

    def moved(self) -> float:
        """Net mL clockwise, once the rotor is at rest."""
        assert not self.pump.state.running
        self.tube.halt(asyncio.get_running_loop().time())
        return self.tube.pushed_out_ml - self.tube.pulled_in_ml

    def fault(self, text: str) -> None:
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), 1))


async def ready(**options: float | str) -> Rig:
    rig = Rig(**options)  # pyright: ignore[reportArgumentType]
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def ask(pump: sim.WatsonMarlowPump, text: str, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in pump.receive(Bytes(text.encode() + b"\r"), now) if isinstance(each, Send))


# -- the sheet, on each end


@pytest.mark.parametrize(
    ("pump", "what", "rpm", "pulses", "options"),
    [
        (sim.WatsonMarlow520, "a 620 runs", 220.0, 123456789, {"type": "620Du", "pumphead": "620R"}),
        (sim.WatsonMarlow520, "a 520 runs", 220.0, 123456789, {}),
        (sim.WatsonMarlow505, "a 505 runs", 53.5, 157810, {"echo": "off"}),
        (sim.WatsonMarlow323, "a 323 runs", 110.0, 0, {"echo": "off"}),
    ],
)
def test_the_simulator_says_the_sheets_status(
    pump: type[sim.WatsonMarlowPump], what: str, rpm: float, pulses: int, options: dict[str, float | str]
) -> None:
    one = pump(FreeTube(), 1, None, options | {"terminator": "none"})
    one.state.rpm, one.state.pulses, one.state.running = rpm, pulses, True
    SHEET.check_simulator(one, what)


def test_the_simulator_lives_the_sheets_dose() -> None:
    pump = sim.WatsonMarlow520(FreeTube())
    pump.state.pulses = 157810
    EXAMPLES.check_simulator(pump, "20 rpm", "count")
    assert pump.receive(Bytes(EXAMPLES["ten revolutions"].request), 0.0) == []
    EXAMPLES.check_simulator(pump, "running", now=0.1)
    assert ask(pump, "1ZY", 29.9) == b"1\r"
    OVER.check_simulator(pump, now=30.1)


@pytest.mark.parametrize(
    ("kind", "what", "rpm", "count", "ml"),
    [
        (WatsonMarlow520, "a 620 runs", 220.0, 123456789, 15.84),
        (WatsonMarlow520, "a 520 runs", 220.0, 123456789, 15.84),
        (WatsonMarlow505, "a 505 runs", 53.5, 157810, 0.7),
        (WatsonMarlow323, "a 323 runs", 110.0, 0, 0.0),
    ],
)
async def test_the_driver_reads_the_sheets_status(
    kind: type[WatsonMarlow], what: str, rpm: float, count: int, ml: float
) -> None:
    async with SHEET.line(what) as line:
        status = await kind(line)._look()
        assert (status.rpm, status.count, status.ml_per_rev, status.clockwise, status.running) == (
            rpm, count, ml, True, True)  # fmt: skip


async def test_the_driver_sends_the_sheets_speed_and_dose() -> None:
    async with EXAMPLES.line("20 rpm", "ten revolutions") as line:
        driver = WatsonMarlow520(line)
        await driver._send("set_speed", f"{20.0:.1f}")
        await driver._send("dose", str(10 * driver.pulses))


@pytest.mark.parametrize(
    "text",
    [
        "520Du 15.84 520R 9.6MM 220.0 CW P/N 1 123456789 2 !",
        "520Du 15.84 520R 9.6MM 220.0 XW P/N 1 123456789 1 !",
        "520Du 15.84 520R 220.0 CW P/N 1 123456789 1 !",
        "520Du 15.84 520R 9.6MM 220.0 CW P/N 1 -5 1 !",
        "S S 100.00 g !",
        "520Du 15.84 520R 9.6 M M 220.0 CW P/N 1 5 1 !",
        "520Du15.84 520R 9.6MM 220.0 CW P/N 1 5 1 !",
        "!",
    ],
)
def test_what_is_no_whole_status_is_bad(text: str) -> None:
    with pytest.raises(BadFrame):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "520Du  15.84  520R 9.6MM   20.0 CW  P/N  1 000000005 0 !",
        "520Du 15.84 520R 9.6 MM 20.0 CW P/N 01 5 0!",
        "520Du 15.84 520R 9.6MM 20 CW P/N 1 5 0 !",
    ],
)
def test_how_fields_are_padded_makes_no_difference(text: str) -> None:
    """The sheet prints examples only, and the manuals collapse blanks."""
    status = read(text)
    assert (status.type, status.ml_per_rev, status.rpm, status.number, status.count) == ("520Du", 15.84, 20.0, 1, 5)


# -- connecting


@pytest.mark.parametrize(
    ("driver", "pump", "type_"),
    [
        (WatsonMarlow520, sim.WatsonMarlow520, "520Du"),
        (WatsonMarlow530, sim.WatsonMarlow530, "530Du"),
        (WatsonMarlow505, sim.WatsonMarlow505, "505Di"),
        (WatsonMarlow323, sim.WatsonMarlow323, "323Du"),
    ],
)
async def test_every_model_knows_itself_and_no_other(
    driver: type[WatsonMarlow], pump: type[sim.WatsonMarlowPump], type_: str
) -> None:
    assert (await Rig(driver, pump).driver.identify()).type == type_
    for other in (WatsonMarlow520, WatsonMarlow530, WatsonMarlow505, WatsonMarlow323):
        if other is not driver:
            with pytest.raises(WrongDevice, match=type_):
                await Rig(other, pump).driver.identify()


async def test_asking_who_is_there_changes_nothing_and_writes_nothing() -> None:
    rig = Rig()
    before = rig.pump.snapshot()
    await rig.driver.identify()
    await rig.driver.prepare()
    assert set(rig.heard) == {b"1RS"}
    assert rig.pump.snapshot() == before


@pytest.mark.parametrize("terminator", ["cr", "crlf", "none"])
@pytest.mark.parametrize("echo", ["on", "off"])
async def test_echo_and_the_end_of_an_answer_make_no_difference(terminator: str, echo: str) -> None:
    rig = await ready(sim_options={"terminator": terminator, "echo": echo})  # pyright: ignore[reportArgumentType]
    await rig.driver.start(Direction.DELIVER, 30.0, 100.0)
    await asyncio.sleep(20)
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert rig.moved() == pytest.approx(30.0, abs=0.01)
    assert rig.driver.replies_missed == 0


async def test_a_foreign_number_is_not_answered_and_a_status_of_one_is_not_taken() -> None:
    pump = sim.WatsonMarlow520(FreeTube(), 7)
    assert ask(pump, "1RS") == b""
    assert ask(pump, "07RS") != b""
    assert ask(pump, "#GO") == b""
    assert pump.state.running
    pumps = SharedLine({"a": sim.WatsonMarlow520(FreeTube(), 1), "b": sim.WatsonMarlow520(FreeTube(), 2)})
    line = Line(MemoryHost(pumps).link())
    one, two = WatsonMarlow520(line, 1, BIG), WatsonMarlow520(line, 2, BIG)
    await two.start(Direction.DELIVER, 30.0, 100.0)
    assert (await one.status()).motion is Motion.STOPPED
    assert (await two.status()).motion is Motion.MOVING


OTHERS = golden(
    "watson_marlow",
    r""" sheet | - | > "1RS\r" | < "520Du 15.84 520R 9.6MM 220.0 CW P/N 9 5 0 !" | the status of number 9 """,
)


async def test_a_status_with_another_number_is_the_wrong_device() -> None:
    async with OTHERS.line() as line:
        with pytest.raises(WrongDevice, match="number 9"):
            await WatsonMarlow520(line).identify()


@pytest.mark.parametrize(
    ("address", "options"), [(33, {}), (0, {}), (1, {"ml_per_rev": -1}), (1, {"pulses_per_rev": -1}), (1, {"tube": 1})]
)
def test_options_no_pump_can_have_are_refused(address: int, options: dict[str, float | str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        WatsonMarlow520(Line(MemoryHost(sim.WatsonMarlow520(FreeTube())).link()), address, options)


# -- signals


async def test_every_signal_is_a_field_of_one_status() -> None:
    rig = await ready()
    rig.pump.state.pulses, rig.pump.state.clockwise = 10982 * 2, False
    rig.heard.clear()
    values = {name: each.value for name, each in (await rig.driver.poll()).items()}
    assert rig.heard == [b"1RS"]
    assert values.pop("dispensed_volume") == pytest.approx(31.68)
    assert values == {
        "motion": "stopped", "alarm": "", "withdrawn_volume": 0.0, "tacho_count": 21964.0, "speed": 20.0,
        "direction": "counter-clockwise", "ml_per_rev": 15.84, "pump_ml_per_rev": 15.84, "pulses_per_rev": 10982.0,
        "pumphead": "520R", "tube": "9.6MM",
    }  # fmt: skip


async def test_our_own_tube_calibration_overrules_the_pumps_and_both_are_seen() -> None:
    rig = await ready(ml_per_rev=10.0, pulses_per_rev=11000)
    rig.pump.state.pulses = 11000
    values = {name: each.value for name, each in (await rig.driver.poll()).items()}
    assert (values["ml_per_rev"], values["pump_ml_per_rev"], values["pulses_per_rev"]) == (10.0, 15.84, 11000.0)
    assert values["dispensed_volume"] == pytest.approx(10.0)


async def test_a_505_without_stated_pulses_has_no_volume_and_no_dose() -> None:
    rig = Rig(WatsonMarlow505, sim.WatsonMarlow505)
    with pytest.raises(Refused, match="pulses_per_rev"):
        await rig.driver.totals()
    with pytest.raises(Refused, match="pulses_per_rev"):
        await rig.driver.start(Direction.DELIVER, 1.0, 7.0)
    assert not any(b"DO" in text for text in rig.heard)


@pytest.mark.parametrize(
    ("driver", "pump", "rpm"),
    [(WatsonMarlow520, sim.WatsonMarlow520, 133.3), (WatsonMarlow505, sim.WatsonMarlow505, 133.0),
     (WatsonMarlow323, sim.WatsonMarlow323, 133.0)],
)  # fmt: skip
async def test_the_speed_is_written_and_read_back(
    driver: type[WatsonMarlow], pump: type[sim.WatsonMarlowPump], rpm: float
) -> None:
    rig = Rig(driver, pump)
    assert (await rig.driver.speed.set(rpm)).value == rpm
    assert rig.pump.state.rpm == rpm


@pytest.mark.parametrize("rpm", [0.0, 360.1, float("inf")])
async def test_a_speed_outside_the_limits_is_not_sent(rpm: float) -> None:
    rig = Rig()
    with pytest.raises(OutOfRange):
        await rig.driver.write("speed", rpm)
    assert rig.heard == []


async def test_a_speed_that_the_pump_ignores_is_refused() -> None:
    rig = Rig()
    rig.pump.fastest_rpm = 220.0  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(Refused, match="the speed is 20"):
        await rig.driver.write("speed", 300.0)
    with pytest.raises(Refused, match="cannot be set"):
        await rig.driver.write("tacho_count", 0.0)


# -- doses


@pytest.mark.req("EQ-02")
@pytest.mark.parametrize(("stroke", "sign"), [("deliver", 1), ("draw", -1)])
async def test_a_dose_ends_by_itself_and_the_count_proves_it(stroke: str, sign: int) -> None:
    rig = await ready(stroke=stroke)
    direction = Direction(stroke)
    before = await rig.driver.totals()
    await rig.driver.start(direction, 30.0, 100.0)
    assert (await rig.driver.status()).motion is Motion.MOVING
    await asyncio.sleep(25)
    assert (await rig.driver.status()).motion is Motion.STOPPED
    after = await rig.driver.totals()
    assert after.of(direction) - before.of(direction) == pytest.approx(30.0, abs=2 * after.resolution_ml)
    assert after.resolution_ml == pytest.approx(15.84 / 10982)
    assert rig.moved() == pytest.approx(sign * 30.0, abs=0.002)
    assert rig.driver.programmed is not None
    assert rig.driver.programmed[1] <= 30.0
    assert rig.driver.programmed[2] <= 100.0


async def test_forward_says_what_clockwise_does() -> None:
    rig = await ready(forward="draw")
    await rig.driver.start(Direction.DELIVER, 10.0, 100.0)
    await asyncio.sleep(10)
    assert rig.moved() == pytest.approx(-10.0, abs=0.002)


@pytest.mark.req("EQ-02")
async def test_the_other_direction_is_refused_because_the_count_cannot_tell_it() -> None:
    rig = await ready()
    with pytest.raises(Refused, match="one way only"):
        await rig.driver.start(Direction.DRAW, 1.0, 10.0)


async def test_a_dose_beyond_capacity_or_motor_never_starts() -> None:
    rig = await ready()
    for volume, rate in ((501.0, 50.0), (0.0, 50.0), (float("nan"), 50.0), (1e-6, 50.0), (1.0, 6000.0), (1.0, 1.0),
                         (1.0, float("nan"))):  # fmt: skip
        with pytest.raises(OutOfRange):
            await rig.driver.start(Direction.DELIVER, volume, rate)
    assert not any(b"DO" in text for text in rig.heard)


async def test_a_running_pump_starts_no_dose() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 30.0, 50.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 30.0, 50.0)
    with pytest.raises(Refused, match="a dose is running"):
        await rig.driver.write("speed", 100.0)
    assert sum(b"DO" in text for text in rig.heard) == 1


async def test_what_stands_against_it_is_asked_last_and_a_stop_in_between_counts() -> None:
    rig = await ready()
    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.start(Direction.DELIVER, 10.0, 100.0, unless=lambda: True)
    start = asyncio.ensure_future(rig.driver.start(Direction.DELIVER, 10.0, 50.0))
    await asyncio.sleep(0.05)
    await rig.driver.stop()
    with pytest.raises(Refused, match="a stop came"):
        await start
    assert rig.moved() == 0


async def test_stop_ends_a_dose_and_may_be_repeated() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 100.0, 60.0)
    await asyncio.sleep(10)
    await rig.driver.stop()
    await rig.driver.stop()
    moved = rig.moved()
    assert 9.9 <= moved <= 11
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(moved, abs=0.01)


@pytest.mark.req("DS-03")
async def test_a_dose_that_the_pump_never_heard_is_an_unknown_outcome_and_sent_once() -> None:
    rig = await ready()
    message = rig.pump.message
    rig.pump.message = lambda text, now: b"" if text.startswith(b"1DO") else message(text, now)
    with pytest.raises(BadFrame, match="unknown"):
        await rig.driver.start(Direction.DELIVER, 10.0, 100.0)
    await rig.driver.stop()
    assert rig.moved() == 0


@pytest.mark.req("DS-03")
async def test_a_dose_whose_status_is_lost_is_unknown_and_still_only_one() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5.0, 100.0)
    await asyncio.sleep(10)
    program = rig.driver._program_dose

    async def then_mute(*dose: object) -> None:
        await program(*dose)  # pyright: ignore[reportArgumentType]
        rig.fault("mute:for_s=5")

    rig.driver._program_dose = then_mute
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DELIVER, 5.0, 100.0)
    await asyncio.sleep(20)
    assert sum(b"DO" in text for text in rig.heard) == 2
    assert rig.driver.replies_missed >= 1
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(10.0, abs=0.01)


async def test_a_very_short_dose_from_a_count_of_zero_is_seen_by_the_count() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 0.05, 300.0)
    assert rig.pump.state.pulses > 0


# -- power, panel, alarm


@pytest.mark.req("DS-06")
async def test_a_count_that_went_down_is_an_alarm_until_prepare() -> None:
    rig = await ready(sim_options={"count": "lost"})  # pyright: ignore[reportArgumentType]
    await rig.driver.start(Direction.DELIVER, 100.0, 60.0)
    await asyncio.sleep(10)
    await rig.driver.poll()
    rig.host.power_cycle()
    status = await rig.driver.status()
    assert status.motion is Motion.ALARM
    assert "went down" in status.alarm
    assert rig.driver.alarms_met == 1
    with pytest.raises(Refused, match="went down"):
        await rig.driver.start(Direction.DELIVER, 100.0, 60.0)
    await rig.driver.prepare()
    assert (await rig.driver.status()).motion is Motion.STOPPED


@pytest.mark.req("DS-06")
async def test_a_kept_count_tells_what_a_dose_came_to_before_the_power_went() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 100.0, 60.0)
    await asyncio.sleep(10)
    rig.host.power_cycle()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await rig.again().totals()).delivered_ml == pytest.approx(rig.moved(), abs=0.01)
    assert 9 < rig.moved() < 11


async def test_a_pump_stopped_at_its_own_keys_is_silent_and_that_is_an_error() -> None:
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 100.0, 60.0)
    rig.pump.stop_key(rig.host.now)
    with pytest.raises(NoAnswer):
        await rig.driver.status()
    with pytest.raises(NoAnswer, match="not seen to stop"):
        await rig.driver.stop()
    assert {each.quality for each in (await rig.driver.poll()).values()} == {Quality.BAD}
    rig.pump.release()
    assert (await rig.driver.status()).motion is Motion.STOPPED


# -- loops


async def test_a_loop_turns_on_without_us_and_is_left_alone_when_asked_again() -> None:
    rig = await ready(use="recirculate")
    await rig.driver.recirculate(Direction.DELIVER, 79.2)
    assert rig.pump.state.rpm == 5.0
    second = rig.again()
    await second.recirculate(Direction.DELIVER, 79.2)
    assert sum(b"GO" in text for text in rig.heard) == 1
    await second.recirculate(Direction.DRAW, 79.2)
    assert (rig.pump.state.running, rig.pump.state.clockwise) == (True, False)
    await second.write("speed", 6.0)
    assert rig.pump.state.running
    await second.stop()
    assert not rig.pump.state.running
    with pytest.raises(Refused, match="use"):
        await second.start(Direction.DELIVER, 1.0, 79.2)


@pytest.mark.req("EQ-02")
async def test_a_323_is_never_started_for_a_dose_and_has_no_counter() -> None:
    rig = Rig(WatsonMarlow323, sim.WatsonMarlow323, ml_per_rev=2.0)
    assert not WatsonMarlow323.bounded
    with pytest.raises(Refused, match="EQ-02"):
        await rig.driver.start(Direction.DELIVER, 1.0, 20.0)
    with pytest.raises(Refused, match="counts nothing"):
        await rig.driver.totals()
    assert not any(b"GO" in text for text in rig.heard)
    loop = rig.again(use="recirculate")
    await loop.recirculate(Direction.DELIVER, 20.0)
    assert (await loop.status()).motion is Motion.MOVING
    assert rig.pump.state.rpm == 10.0
    await loop.stop()


async def test_a_323_without_a_stated_tube_does_not_know_a_flow() -> None:
    rig = Rig(WatsonMarlow323, sim.WatsonMarlow323, use="recirculate")
    with pytest.raises(Refused, match="ml_per_rev"):
        await rig.driver.recirculate(Direction.DELIVER, 20.0)


# -- the simulator alone


def test_drip_turns_back_behind_the_counts_back() -> None:
    tube = FreeTube()
    pump = sim.WatsonMarlow520(tube)
    ask(pump, "1SP60.0")
    ask(pump, "1DO10982,1098")
    assert pump.wake_at == pytest.approx(1.0)
    pump.wake(1.0)
    tube.halt(5.0)
    assert ask(pump, "1RT", 5.0) == b"10982\r"
    assert tube.pushed_out_ml == pytest.approx(15.84)
    assert tube.pulled_in_ml == pytest.approx(1.584, abs=0.01)


def test_a_blank_before_the_parameter_and_a_line_feed_behind_the_command_are_passed_over() -> None:
    """The manuals' tables print a blank there, their programs none."""
    pump = sim.WatsonMarlow520(FreeTube())
    assert ask(pump, "1SP 60.0\r\n1DO 10982, 1000\r\n1ZY") == b"1\r"
    assert (pump.state.rpm, pump.state.left, pump.state.drip) == (60.0, 10982.0, 1000)
    assert ask(pump, "01 RS") == b"520Du 15.84 520R 9.6MM 60.0 CW P/N 1 0 1 !\r"


@pytest.mark.parametrize("command", ["1DO0", "1DO", "1DO5,12000", "1SP500", "1SP1.25", "1go", "1XX", "GO", "1DO-5"])
def test_what_the_pump_does_not_take_is_met_with_silence(command: str) -> None:
    pump = sim.WatsonMarlow520(FreeTube())
    before = pump.snapshot()
    assert ask(pump, command) == b""
    assert pump.snapshot() == before


def test_small_steps_turns_and_a_cleared_count() -> None:
    pump = sim.WatsonMarlow520(FreeTube())
    for command in ("1SI", "1SI", "1SD", "1RC", "1GO"):
        ask(pump, command)
    assert (pump.state.rpm, pump.state.clockwise, pump.state.running) == (21.0, False, True)
    ask(pump, "1ST", 60.0)
    assert ask(pump, "1RT", 60.0) == b"%d\r" % (21 * 10982)
    ask(pump, "1TC", 61.0)
    assert ask(pump, "1RT", 61.0) == b"0\r"
    assert ask(pump, "1W[a]~[b]~[c]~[d]@") == ask(pump, "1CA") == b""


def test_a_505_takes_whole_rpm_and_echoes_every_character() -> None:
    pump = sim.WatsonMarlow505(FreeTube())
    assert ask(pump, "1SP99") == b"1SP99\r"
    assert ask(pump, "1SP99.5") == b"1SP99.5\r"
    assert pump.state.rpm == 99.0
    assert ask(pump, "1RT") == b"1RT\r0\r"


def test_a_snapshot_goes_on_where_it_was() -> None:
    pump = sim.WatsonMarlow520(FreeTube())
    ask(pump, "1SP60.0")
    ask(pump, "1DO109820")
    pump.receive(Bytes(b"1R"), 4.0)
    twin = sim.WatsonMarlow520(FreeTube())
    twin.restore(json.loads(json.dumps(pump.snapshot())))
    assert twin.wake_at == pump.wake_at == pytest.approx(10.0)
    assert ask(twin, "T", 5.0) == ask(pump, "T", 5.0) == b"54910\r"
