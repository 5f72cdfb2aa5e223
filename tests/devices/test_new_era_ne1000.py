"""The syringe pump: the sheet's frames on both ends, strokes that are bounded, alarms, and a wire that lies."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.new_era_ne1000 import NewEraNe1000 as Driver
from drivers.devices.new_era_ne1000 import numbers, replies
from drivers.devices.new_era_ne1000.conversation import Conversation
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Action, Bytes, Event, Send, Simulator
from simulators.devices.new_era_ne1000 import NewEraNe1000 as Pump
from simulators.devices.new_era_ne1000 import four_digits
from tests.devices.golden import golden
from tests.devices.rig import LIES, Dose

SYRINGE = {"diameter_mm": 26.7, "capacity_ml": 60, "watchdog_s": 100}

DOSES = {"new_era_ne1000": Dose(1.0, 10.0, SYRINGE)}

BASIC = golden(
    "new_era_ne1000",
    r"""
    Examples, basic | M | > 30 56 45 52 0D  | < 02 30 30 53 4E 45 31 30 30 30 56 33 2E 39 32 33 03 | firmware
    Examples, basic | M | > "0DIA14.43" 0D  | < 02 30 30 53 03                                     | set the diameter
    Examples, basic | L | > "0RAT1.5MM" 0D  | < 02 30 30 53 03                                     | set the rate
    Examples, basic | L | > "0VOL2.5" 0D    | < 02 30 30 53 03                                     | set the volume
    Examples, basic | L | > "0RUN" 0D       | < 02 30 30 49 03                                     | run
    Examples, basic | L | > "0DIS" 0D       | < 02 30 30 49 "I1.250W0.000ML" 03 | counters while running
    Traps           | N | > 02 09 30 53 41 46 30 59 AD 03 | < 02 30 30 53 03                       | SAF0 while basic
    Traps           | N | > "0VOLUL" 0D     | < 02 30 30 53 03                                     | smallest unit
    Traps           | N | > "0VOL2500" 0D   | < 02 30 30 53 03                                     | no decimal point
    Traps           | N | > "0RAT1500UM" 0D | < 02 30 30 53 03 | rate without a point
    Examples, basic | L | > "0RAT99999" 0D  | < 02 30 30 53 3F 4F 4F 52 03                         | five digits
    Examples, basic | M | > 30 56 45 52 0D  | < 02 30 30 41 3F 52 03                               | first of all
    """,
)
SAFE = golden(
    "new_era_ne1000",
    r"""
    vendor's frame | M | > 02 08 53 41 46 30 55 43 03             | < 02 30 30 53 03                 | leave safe mode
    Examples, safe | M | > 02 09 30 53 41 46 35 09 08 03          | < 02 07 30 30 53 AA A6 03        | watchdog 5 s
    Examples, safe | M | > 02 05 30 36 53 03                      | < 02 07 30 30 53 AA A6 03        | status at rest
    Examples, safe | M | > 02 05 30 36 53 03                      | < 02 09 30 30 41 3F 53 75 A7 03  | stalled
    Examples, safe | M | > 02 05 30 36 53 03                      | < 02 09 30 30 41 3F 54 05 40 03  | timed out
    Examples, safe | M | > 02 05 30 36 53 03                      | < 02 09 30 30 41 3F 52 65 86 03  | power came back
    Examples, safe | L | > 02 08 30 52 55 4E 44 07 03             | < 02 07 30 30 49 19 DD 03        | run
    Examples, safe | L | > 02 0D 30 52 41 54 31 2E 35 4D 4D 5C 7F 03 | < 02 07 30 30 53 AA A6 03     | set the rate
    Examples, safe | L | > 02 0B 30 56 4F 4C 32 2E 35 19 1D 03    | < 02 07 30 30 53 AA A6 03        | set the volume
    Examples, safe | L | > 02 0B 30 43 4C 44 49 4E 46 46 AE 03    | < 02 07 30 30 53 AA A6 03        | clear infused
    Examples, safe | M | > 02 08 30 53 54 50 B3 F9 03             | < 02 07 30 30 53 AA A6 03        | stop
    sheet | L | > "\x02\x080DIS0F\x03" | < 02 15 30 30 53 49 32 2E 35 30 30 57 30 2E 30 30 30 4D 4C 6C D2 03 | counters
    Examples, safe | M | > 02 08 30 56 45 52 00 00 03             | < 02 0B 30 30 53 3F 43 4F 4D B5 80 03 | damaged
    """,
)


class Screw:
    """A barrel that only writes down how far the screw was truly turned."""

    def __init__(self) -> None:
        self.moved = {1: 0.0, -1: 0.0}
        self.runs = 0
        self._since, self._until, self._ml_min = 0.0, 0.0, 0.0

    def run(self, now: float, ml_min: float, until: float) -> None:
        self.halt(now)
        self.runs += 1
        self._since, self._until, self._ml_min = now, until, ml_min

    def halt(self, now: float) -> None:
        seconds = max(0.0, min(now, self._until) - self._since)
        if self._ml_min:
            self.moved[1 if self._ml_min > 0 else -1] += abs(self._ml_min) * seconds / 60
        self._ml_min = 0.0

    def out_ml(self) -> float:
        self._look()
        return self.moved[1]

    def in_ml(self) -> float:
        self._look()
        return self.moved[-1]

    def _look(self) -> None:
        now, until, ml_min = asyncio.get_running_loop().time(), self._until, self._ml_min
        self.halt(now)
        self._since, self._until, self._ml_min = now, until, ml_min


class Recorder:
    """A cable that keeps what went over it, in both directions."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.sent = b""
        self.said: list[bytes] = []

    @property
    def wake_at(self) -> float | None:
        return self.simulator.wake_at

    def receive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Bytes):
            self.sent += event.data
        return self._keep(self.simulator.receive(event, now))

    def wake(self, now: float) -> list[Action]:
        return self._keep(self.simulator.wake(now))

    def power_cycle(self, now: float) -> list[Action]:
        return self._keep(self.simulator.power_cycle(now))

    def snapshot(self) -> dict[str, object]:
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)

    def _keep(self, actions: list[Action]) -> list[Action]:
        self.said += [action.data for action in actions if isinstance(action, Send)]
        return actions


class Rig:
    """One simulated pump on a recorded cable, and the driver at the near end."""

    def __init__(self, **options: float | str) -> None:
        self.screw = Screw()
        self.pump = Pump(self.screw)
        self.cable = Recorder(self.pump)
        self.wire = faults.FaultyWire(self.cable)
        self.host = MemoryHost(self.wire)
        self.options = {**SYRINGE, **options}
        self.driver = self.controller()

    def controller(self) -> Driver:
        """Another process takes the cable."""
        return Driver(Line(self.host.link()), 0, self.options)

    def runs(self) -> int:
        """RUN packets that reached the pump."""
        return self.cable.sent.count(bytes.fromhex("02 08 30 52 55 4E 44 07 03"))

    def fault(self, text: str, seed: int = 0) -> None:
        now = asyncio.get_running_loop().time()
        self.wire.faults.append(faults.Fault(faults.parse(text), now, seed))


async def ready(**options: float | str) -> Rig:
    rig = Rig(**options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


def acknowledged(watchdog_s: int = 0) -> Pump:
    pump = Pump(Screw())
    pump.state.alarm = ""
    pump.state.watchdog_s = watchdog_s
    return pump


def ask(pump: Pump, command: str, now: float = 0.0) -> str:
    """One line in basic mode; the reply between STX and ETX."""
    actions = pump.receive(Bytes(command.encode() + b"\r"), now)
    assert len(actions) <= 1
    return actions[0].data[1:-1].decode() if actions and isinstance(actions[0], Send) else ""


# -- the sheet, on each end


def test_the_simulator_answers_the_sheets_basic_frames():
    pump = acknowledged()
    BASIC.check_simulator(pump, *[exchange.what for exchange in BASIC.exchanges[:5]])
    BASIC.check_simulator(pump, "counters while running", now=50.0)
    BASIC.check_simulator(acknowledged, "five digits")
    names = ("SAF0 while basic", "smallest unit", "no decimal point", "rate without a point")
    BASIC.check_simulator(pump := acknowledged(), *names)
    assert (ask(pump, "VOL"), ask(pump, "RAT")) == ("00S2500.UL", "00S1500.UM")
    BASIC.check_simulator(lambda: Pump(Screw()), "first of all")


def test_the_simulator_answers_the_sheets_safe_frames():
    names = ("status at rest", "set the rate", "set the volume", "clear infused", "run", "damaged")
    SAFE.check_simulator(lambda: acknowledged(5), *[name for name in names if name != "run"])
    SAFE.check_simulator(acknowledged, "watchdog 5 s", "leave safe mode")
    pump = acknowledged(5)
    SAFE.check_simulator(pump, "set the rate", "set the volume", "run")
    for letter, name in (("S", "stalled"), ("T", "timed out"), ("R", "power came back")):
        pump = acknowledged(5)
        pump.state.alarm = letter
        SAFE.check_simulator(pump, name)


def test_the_simulator_shows_the_sheets_counters_after_the_sheets_dose():
    pump = acknowledged(100)
    SAFE.check_simulator(pump, "set the rate", "set the volume")
    for body in ("0PHN2", "0FUNSTP", "0PHN1"):
        pump.receive(Bytes(Conversation(Line(MemoryHost(pump).link()), 0, 1.0).packet(body[1:])), 0.0)
    SAFE.check_simulator(pump, "run")
    pump.receive(Bytes(bytes.fromhex("02 05 30 36 53 03")), 90.0)
    SAFE.check_simulator(pump, "counters", now=101.0)


async def test_the_driver_sends_and_reads_the_sheets_safe_frames():
    """SAF as a question is not in the sheet; its frame here is the only one made by our codec."""
    for name, command, prompt in (("status at rest", "", "S"), ("run", "RUN", "I")):
        async with SAFE.line(name) as line:
            talk = Conversation(line, 0, 1.0)
            talk.safe = True
            assert (await talk.exchange(command, replies.NOTHING)).prompt == prompt
    async with SAFE.line("counters") as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = True
        totals = await driver.totals()
        assert (totals.delivered_ml, totals.drawn_ml, totals.resolution_ml) == (2.5, 0.0, 0.001)
    async with SAFE.line("set the rate", "set the volume", "clear infused", "stop") as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = True
        for command in ("RAT1.5MM", "VOL2.5", "CLDINF"):
            await driver.talk.value(command, replies.NOTHING)
        await driver.stop()
    async with SAFE.line("watchdog 5 s") as line:
        talk = Conversation(line, 0, 1.0)
        await talk.set_mode("SAF5")
        assert talk.safe
    for name in ("stalled", "timed out", "power came back"):
        async with SAFE.line(name, "status at rest") as line:
            driver = Driver(line, 0, SYRINGE)
            driver.talk.safe = True
            status = await driver.status()
            assert status.motion is Motion.ALARM
            assert status.alarm.startswith("A?")


async def test_the_driver_reads_the_sheets_firmware_in_basic_mode():
    async with BASIC.line("firmware") as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = False
        identity = await driver.identify()
        assert (identity.type, identity.serial, identity.firmware) == ("NE-1000", "", "3.923")


def test_the_sheet_verifies_this_wire():
    assert BASIC.verified
    assert SAFE.verified


# -- numbers


@pytest.mark.parametrize(
    ("asked", "unit", "text"),
    [(18.0, "ML", "18"), (2.5, "ML", "2.5"), (0.1 + 0.2, "ML", "0.3"), (17.98273, "ML", "17.98"), (2.5, "UL", "2500"),
     (59.999, "ML", "59.99"), (0.0125, "UL", "12.5")],
)  # fmt: skip
def test_a_volume_is_written_with_four_digits_and_never_more_than_asked(asked: float, unit: str, text: str):
    number = numbers.volume(asked, unit)
    assert number.text == text
    assert number.worth <= asked + 1e-9


@pytest.mark.parametrize(("asked", "unit"), [(0.0004, "ML"), (60.0, "UL"), (10000.0, "ML")])
def test_a_volume_that_would_become_zero_or_overflow_is_refused(asked: float, unit: str):
    """VOL 0 means continuous (M)."""
    with pytest.raises(ValueError, match=r"digits|decimals"):
        numbers.volume(asked, unit)


@pytest.mark.parametrize(
    ("ml_min", "text", "unit"), [(1.0, "1", "MM"), (28.5, "28.5", "MM"), (0.0123, "12.3", "UM"), (0.0004, "0.4", "UM")]
)
def test_a_rate_takes_the_unit_that_loses_least(ml_min: float, text: str, unit: str):
    assert numbers.rate(ml_min)[:2] == (text, unit)


def test_no_rate_is_written_above_the_one_asked():
    chance = random.Random(4)
    for _ in range(500):
        asked = 10 ** chance.uniform(-3.2, 1.4)
        written = numbers.rate(asked)
        assert asked * 0.995 - 1e-6 <= written.worth <= asked + 1e-9
        assert len(written.text.replace(".", "")) <= 4


def test_the_display_has_four_digits_and_a_trailing_point_above_999():
    assert [four_digits(value) for value in (0, 2.5, 9.9999, 10, 123.456, 1000, 12345)] == [
        "0.000", "2.500", "9.999", "10.00", "123.4", "1000.", "9999."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "delivered", "drawn", "resolution"),
    [("I1.250W0.000ML", 1.25, 0.0, 0.001), ("I123.4W9.000ML", 123.4, 9.0, 0.1), ("I1000.W.500ML", 1000.0, 0.5, 1.0),
     ("I250.0W100.0UL", 0.25, 0.1, 0.0001)],
)  # fmt: skip
def test_the_counters_resolution_is_in_their_digits(data: str, delivered: float, drawn: float, resolution: float):
    totals = replies.totals(data)
    assert totals.delivered_ml == pytest.approx(delivered)
    assert totals.drawn_ml == pytest.approx(drawn)
    assert totals.resolution_ml == pytest.approx(resolution)


# -- connecting


async def test_prepare_takes_a_factory_pump_into_safe_mode_with_our_watchdog_and_syringe():
    rig = await ready()
    assert rig.pump.state.watchdog_s == 100
    assert rig.pump.state.diameter_mm == 26.7
    assert (await rig.driver.status()).alarm == ""
    assert (await rig.driver.poll())["motion"].value == "stopped"


async def test_prepare_writes_nothing_to_a_pump_that_is_already_right():
    rig = await ready()
    rig.cable.sent = b""
    second = rig.controller()
    await second.prepare()
    assert b"SAF100" not in rig.cable.sent
    assert b"DIA2" not in rig.cable.sent


async def test_prepare_leaves_the_diameter_of_a_moving_pump_alone():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5, 1)
    other = Driver(Line(rig.host.link()), 0, {**SYRINGE, "diameter_mm": 20.0})
    with pytest.raises(Refused, match="not stopped"):
        await other.prepare()
    assert rig.pump.state.diameter_mm == 26.7


async def test_another_model_is_the_wrong_device():
    other = golden("x", r""" sheet | - | > 30 56 45 52 0D | < 02 "00SNE500V3.76" 03 | firmware """)
    async with other.line() as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = False
        with pytest.raises(WrongDevice, match="NE500"):
            await driver.identify()


async def test_counters_without_a_crc_are_not_believed():
    rig = Rig()
    assert (await rig.driver.poll())["dispensed_volume"].quality is Quality.BAD
    with pytest.raises(Refused, match="basic mode"):
        await rig.driver.totals()
    with pytest.raises(Refused, match="prepare"):
        await rig.driver.start(Direction.DELIVER, 1, 1)


@pytest.mark.req("EQ-01", "EQ-02")
def test_the_driver_declares_what_it_does_when_nobody_talks_to_it():
    assert Driver.bounded
    assert Driver.on_link_loss.value == "stops after its watchdog time"
    assert Driver.fence_quiet_s >= 2.0
    assert not Driver.totals_survive_power_loss
    assert all((Driver.safe_state, Driver.watchdog, Driver.continuity, Driver.fence_why))
    assert Driver.verified is None
    assert list(Driver.specs()) == ["dispensed_volume", "withdrawn_volume", "motion", "alarm"]


# -- strokes


@pytest.mark.req("EQ-02")
async def test_a_stroke_ends_by_itself_at_its_volume_and_the_counter_proves_it():
    rig = await ready()
    await rig.driver.start(Direction.DRAW, 18.0, 3.0)
    assert (await rig.driver.status()).motion is Motion.MOVING
    for _ in range(20):
        await asyncio.sleep(30)
        await rig.driver.poll()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    totals = await rig.driver.totals()
    assert (totals.drawn_ml, totals.delivered_ml) == (18.0, 0.0)
    assert rig.screw.in_ml() == pytest.approx(18.0, abs=1e-4)
    assert rig.screw.out_ml() == 0


async def test_counters_keep_running_over_strokes():
    rig = await ready()
    for direction in (Direction.DRAW, Direction.DELIVER, Direction.DRAW, Direction.DELIVER):
        await rig.driver.start(direction, 2.0, 4.0)
        await asyncio.sleep(40)
        assert (await rig.driver.status()).motion is Motion.STOPPED
    totals = await rig.driver.totals()
    assert (totals.drawn_ml, totals.delivered_ml) == (4.0, 4.0)


async def test_only_settings_that_differ_are_written_and_run_goes_out_once():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 2.0, 4.0)
    await asyncio.sleep(40)
    rig.cable.sent = b""
    await rig.driver.start(Direction.DELIVER, 2.0, 4.0)
    for word in (b"RAT4", b"VOL2", b"DIRINF", b"FUNRAT", b"FUNSTP"):
        assert word not in rig.cable.sent
    assert rig.runs() == 1


async def test_what_the_pump_took_is_told():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 12.34567, 1.23456)
    assert rig.driver.programmed == (Direction.DELIVER, 12.34, 1.234)


async def test_a_small_syringe_counts_in_microlitres_and_moves_what_was_asked():
    rig = await ready(diameter_mm=9.0, capacity_ml=2.5)
    assert rig.pump.state.volume_unit == "UL"
    await rig.driver.start(Direction.DELIVER, 1.25, 1.0)
    await asyncio.sleep(80)
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(1.25)
    assert rig.screw.out_ml() == pytest.approx(1.25, abs=1e-4)


@pytest.mark.parametrize(
    ("volume", "rate"), [(0, 1), (-1, 1), (60.1, 1), (1, 0), (1, 28.6), (1, 0.0003), (float("nan"), 1)]
)
async def test_a_stroke_beyond_syringe_or_motor_never_reaches_the_wire(volume: float, rate: float):
    rig = await ready()
    rig.cable.sent = b""
    with pytest.raises(OutOfRange):
        await rig.driver.start(Direction.DELIVER, volume, rate)
    assert rig.cable.sent == b""


async def test_a_pump_without_a_stated_capacity_moves_nothing():
    rig = await ready(capacity_ml=0)
    with pytest.raises(OutOfRange, match="capacity_ml"):
        await rig.driver.start(Direction.DELIVER, 1, 1)


async def test_a_moving_or_paused_pump_starts_no_second_stroke():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5, 1)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 5, 1)
    await rig.driver.talk.exchange("STP", replies.NOTHING)
    assert (await rig.driver.status()).motion is Motion.PAUSED
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 5, 1)
    assert rig.runs() == 1


async def test_stop_goes_through_the_pause_and_tolerates_a_pump_at_rest():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5, 1)
    await asyncio.sleep(60)
    await rig.driver.stop()
    assert rig.pump.state.prompt == "S"
    await rig.driver.stop()
    moved = rig.screw.out_ml()
    assert moved == pytest.approx(1.0, abs=0.01)
    await asyncio.sleep(60)
    assert rig.screw.out_ml() == moved


async def test_a_pump_can_be_stopped_before_it_was_prepared():
    """DX-10: at start-up fluid movers are stopped before anything else; this one is still in basic mode."""
    rig = Rig()
    await rig.driver.stop()
    assert b"SAF1" not in rig.cable.sent
    assert rig.cable.said[-1] == b"\x0200S?NA\x03"


async def test_a_stop_that_comes_while_a_stroke_is_written_keeps_run_from_being_sent():
    rig = await ready()
    start = asyncio.ensure_future(rig.driver.start(Direction.DELIVER, 5, 1))
    await asyncio.sleep(0.1)
    await rig.driver.stop()
    with pytest.raises(Refused, match="a stop came"):
        await start
    assert rig.runs() == 0
    assert rig.screw.out_ml() == 0


# -- doubt


@pytest.mark.req("DS-03")
async def test_a_lost_reply_to_run_is_an_unknown_outcome_and_never_a_second_run():
    rig = await ready()
    program = rig.driver._program

    async def then_mute(*stroke: object) -> None:
        await program(*stroke)  # pyright: ignore[reportArgumentType]
        rig.fault("mute:for_s=1")

    rig.driver._program = then_mute
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DELIVER, 5, 2)
    await asyncio.sleep(30)
    assert rig.runs() == 1
    await rig.driver.stop()
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(rig.screw.out_ml(), abs=0.001)
    assert rig.screw.out_ml() > 0


GARBLED = golden(
    "new_era_ne1000",
    r"""
    made up | X | > 02 08 30 52 55 4E 44 07 03 | < 02 07 30 30 48 19 DD 03 02 09 30 30 41 3F 53 75 A7 03 | both
    made up | X | > 02 08 30 52 55 4E 44 07 03 | < 02 09 30 30 41 3F 53 75 A7 03                         | alarm
    made up | X | > 02 05 30 36 53 03          | < 02 09 30 30 41 3F 53 75 A7 03                         | alarm again
    """,
)


@pytest.mark.req("DS-03")
async def test_a_garbled_reply_to_run_followed_by_an_alarm_is_not_taken_for_not_executed():
    """The pump may have run and stalled: what was garbled may have been its `I`."""
    async with GARBLED.line("both") as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = True
        with pytest.raises(BadFrame):
            await driver._run(Direction.DELIVER)


@pytest.mark.req("DS-03")
async def test_an_alarm_said_unasked_after_run_is_not_taken_for_its_answer():
    """Only a reply acknowledges (M): when the next status says the alarm again, the first one was no reply to RUN."""
    async with GARBLED.line("alarm", "alarm again") as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = True
        with pytest.raises(BadFrame, match="unknown"):
            await driver._run(Direction.DELIVER)


async def test_an_alarm_as_the_answer_to_run_means_nothing_moved():
    rig = await ready()
    once = rig.driver.talk.once

    async def blip_then(command: str) -> object:
        rig.pump.power_cycle(asyncio.get_running_loop().time())
        return await once(command)

    rig.driver.talk.once = blip_then  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(Refused, match="not executed"):
        await rig.driver.start(Direction.DELIVER, 5, 2)
    assert rig.runs() == 1
    await asyncio.sleep(60)
    assert rig.screw.out_ml() == 0


async def test_run_while_running_is_not_applicable_and_changes_nothing():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 2, 2)
    await asyncio.sleep(20)
    reply = await rig.driver.talk.once("RUN")
    assert (reply.prompt, reply.error) == ("I", "?NA")
    await asyncio.sleep(60)
    assert (await rig.driver.totals()).delivered_ml == 2.0
    assert rig.screw.runs == 1


@pytest.mark.req("DS-02")
async def test_late_run_bytes_after_the_stroke_give_a_second_dose_so_the_fence_must_outlast_them():
    """What the fence is for: the pump cannot tell a late RUN from a new one."""
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 1, 2)
    await asyncio.sleep(40)
    assert (await rig.driver.status()).motion is Motion.STOPPED
    rig.host.hear(bytes.fromhex("02 08 30 52 55 4E 44 07 03"))
    await asyncio.sleep(0.5)
    assert (await rig.driver.status()).motion is Motion.MOVING
    await rig.driver.stop()
    assert (await rig.driver.totals()).delivered_ml > 1.0


@pytest.mark.req("DS-02")
async def test_run_after_a_single_stp_resumes_the_old_dose():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 2, 2)
    await asyncio.sleep(30)
    await rig.driver.talk.exchange("STP", replies.NOTHING)
    await rig.driver.talk.value("VOL9", replies.NOTHING)
    await asyncio.sleep(30)
    await rig.driver.talk.once("RUN")
    await asyncio.sleep(60)
    assert (await rig.driver.totals()).delivered_ml == 2.0


# -- alarms


@pytest.mark.req("DS-06")
async def test_a_power_blip_in_mid_stroke_is_told_once_and_takes_the_counters_along():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5, 2)
    await asyncio.sleep(60)
    rig.host.power_cycle()
    moved = rig.screw.out_ml()
    first = await rig.driver.status()
    assert first.motion is Motion.ALARM
    assert first.alarm.startswith("A?R")
    second = rig.controller()
    await second.prepare()
    assert (await second.status()).alarm == ""
    assert (await second.totals()).delivered_ml == 0.0
    assert moved == pytest.approx(2.0, abs=0.01)
    assert rig.screw.out_ml() == moved


async def test_an_alarm_stays_latched_until_prepare_and_blocks_the_next_stroke():
    rig = await ready()
    await rig.driver.start(Direction.DELIVER, 5, 2)
    await asyncio.sleep(10)
    rig.host.act(rig.pump.stall(rig.host.now))
    await asyncio.sleep(1)
    for _ in range(3):
        assert (await rig.driver.poll())["alarm"].value == "A?S: the motor stalled"
    with pytest.raises(Refused, match="stalled"):
        await rig.driver.start(Direction.DELIVER, 5, 2)
    await rig.driver.prepare()
    assert (await rig.driver.poll())["alarm"].value == ""
    await rig.driver.start(Direction.DELIVER, 1, 2)
    assert rig.runs() == 2


async def test_an_alarm_said_unasked_is_heard_before_the_next_question():
    rig = await ready()
    rig.host.power_cycle()
    rig.pump.state.alarm = ""  # another reader took it
    await asyncio.sleep(1)
    assert (await rig.driver.poll())["alarm"].value.startswith("A?R")


async def test_an_alarm_that_never_clears_is_the_motion():
    rig = await ready()
    rig.pump._answer = lambda command, size, now, actions: actions.append(rig.pump._send("A?E"))  # pyright: ignore
    assert (await rig.driver.status()).motion is Motion.ALARM


@pytest.mark.req("EQ-02")
async def test_the_watchdog_stops_the_pump_when_the_computer_is_gone():
    rig = await ready(watchdog_s=30)
    await rig.driver.start(Direction.DELIVER, 10, 2)
    rig.host.sever()
    await asyncio.sleep(600)
    assert rig.screw.out_ml() == pytest.approx(1.0, abs=0.01)
    again = rig.controller()
    status = await again.status()
    assert status.motion is Motion.ALARM
    assert status.alarm.startswith("A?T")
    await again.prepare()
    assert (await again.status()).motion is Motion.STOPPED
    assert (await again.totals()).delivered_ml == pytest.approx(1.0, abs=0.01)


async def test_polling_keeps_an_idle_pump_from_timing_out():
    rig = await ready()
    for _ in range(20):
        await asyncio.sleep(30)
        assert (await rig.driver.poll())["alarm"].value == ""


async def test_a_poll_is_one_exchange():
    rig = await ready()
    rig.cable.said.clear()
    await rig.driver.poll()
    assert len(rig.cable.said) == 1


# -- two pumps on one chain


async def test_two_pumps_on_one_chain_answer_for_themselves():
    screws = [Screw(), Screw()]
    pumps = [Pump(screws[0], 0), Pump(screws[1], 1)]
    host = MemoryHost(SharedLine({"a": pumps[0], "b": pumps[1]}))
    line = Line(host.link())
    drivers = [Driver(line, address, SYRINGE) for address in (0, 1)]
    for driver in drivers:
        await driver.prepare()
    await drivers[1].start(Direction.DRAW, 3, 3)
    await asyncio.gather(drivers[0].start(Direction.DELIVER, 2, 2), drivers[1].status())
    await asyncio.sleep(70)
    assert (await drivers[0].totals()).delivered_ml == 2.0
    assert (await drivers[1].totals()).drawn_ml == 3.0
    host.act(pumps[1].power_cycle(host.now))
    assert (await drivers[0].status()).alarm == ""
    assert (await drivers[1].status()).alarm.startswith("A?R")


async def test_a_phase_that_holds_another_function_is_written_over():
    """LOP.., JMP.. and PAS.. carry a number (L, X)."""
    rig = await ready()
    for number, function in (("1", "LOP05"), ("2", "JMP01")):
        rig.pump.phase(int(number)).fun = function
    await rig.driver.start(Direction.DELIVER, 2.0, 4.0)
    await asyncio.sleep(40)
    assert (await rig.driver.totals()).delivered_ml == 2.0
    assert rig.screw.out_ml() == pytest.approx(2.0, abs=1e-4)


@pytest.mark.req("DS-04")
async def test_a_small_syringe_is_counted_past_the_four_digits_of_its_counter():
    """9999 uL are less than three fillings."""
    rig = await ready(diameter_mm=12.0, capacity_ml=5.0)
    for stroke in range(1, 5):
        for direction in (Direction.DRAW, Direction.DELIVER):
            await rig.driver.start(direction, 4.0, 5.0)
            await asyncio.sleep(60)
            assert (await rig.driver.totals()).of(direction) == pytest.approx(4.0 * stroke)
    assert rig.screw.out_ml() == pytest.approx(16.0, abs=1e-3)
    assert rig.screw.in_ml() == pytest.approx(16.0, abs=1e-3)


@pytest.mark.req("DS-06")
async def test_what_was_counted_before_the_counter_was_set_back_is_no_proof_after_a_power_cut():
    rig = await ready(diameter_mm=12.0, capacity_ml=5.0)
    for direction in (Direction.DRAW, Direction.DELIVER) * 3:
        await rig.driver.start(direction, 4.0, 5.0)
        await asyncio.sleep(60)
    rig.host.power_cycle()
    rig.pump.state.alarm = ""  # another reader took it
    totals = await rig.driver.totals()
    assert (totals.drawn_ml, totals.delivered_ml) == (0.0, 0.0)


class HardOfHearing(Pump):
    """In basic mode it knows no packets, or (`taken`) this one only."""

    taken = b""

    def receive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Bytes) and not self.state.watchdog_s and event.data[0] == 2:
            if not self.taken:
                event = Bytes(event.data[2:-1])  # control characters are stripped (M)
            elif self.taken not in event.data:
                return []
        return super().receive(event, now)


async def test_a_pump_that_knows_no_packets_in_basic_mode_is_found_and_stopped():
    driver = Driver(Line(MemoryHost(HardOfHearing(Screw())).link()), 0, SYRINGE)
    assert (await driver.identify()).firmware == "3.923"
    assert (await driver.status()).alarm.startswith("A?R")
    await driver.stop()
    with pytest.raises(Refused, match="basic mode"):
        await driver.totals()
    with pytest.raises(WireError):
        await driver.prepare()


async def test_a_pump_in_basic_mode_may_take_only_the_packet_that_sets_its_mode():
    """N sends no other (N, ?)."""
    pump = HardOfHearing(Screw())
    pump.taken = b"SAF100"
    driver = Driver(Line(MemoryHost(pump).link()), 0, SYRINGE)
    assert (await driver.identify()).firmware == "3.923"
    await driver.prepare()
    assert pump.state.watchdog_s == 100
    assert (await driver.totals()).delivered_ml == 0.0


@pytest.mark.parametrize("version", ["NE1000V3.923", "NE1000XV3.934", "NE1000X2V3.934"])
async def test_an_upgraded_pump_is_still_an_ne_1000(version: str):
    said = golden("x", f""" sheet | - | > 30 56 45 52 0D | < 02 "00S{version}" 03 | firmware """)
    async with said.line() as line:
        driver = Driver(line, 0, SYRINGE)
        driver.talk.safe = False
        assert (await driver.identify()).type == "NE-1000"


# -- the simulator by itself


def test_a_sticky_direction_goes_on_as_the_plunger_went_last():
    pump = acknowledged()
    for command in ("DIRWDR", "VOL1", "PHN2", "FUNRAT", "DIRSTK", "VOL1", "PHN3", "FUNSTP", "RUN"):
        assert ask(pump, command) in ("00S", "00W")
    assert ask(pump, "", 90.0) == "00W"
    assert ask(pump, "DIS", 130.0) == "00SI0.000W2.000ML"
    assert ask(pump, "PHN2", 130.0) == "00S"
    assert ask(pump, "DIR", 130.0) == "00SSTK"


def test_the_direction_of_a_pump_without_a_volume_may_be_turned_while_it_runs():
    pump = acknowledged()
    for command in ("RAT2MM", "VOL0", "RUN"):
        ask(pump, command)
    assert ask(pump, "DIRREV", 30.0) == "00W"
    assert ask(pump, "STP", 60.0) == "00P"
    assert ask(pump, "DIS", 60.0) == "00PI1.000W1.000ML"


def test_a_line_feed_behind_a_command_does_not_hide_the_packet_after_it():
    pump = acknowledged()
    actions = pump.receive(Bytes(b"0VER\r\n"), 0.0) + pump.receive(
        Bytes(bytes.fromhex("02 09 30 53 41 46 35 09 08 03")), 1.0
    )
    assert [action.data for action in actions if isinstance(action, Send)] == [
        b"\x0200SNE1000V3.923\x03", bytes.fromhex("02 07 30 30 53 AA A6 03")
    ]  # fmt: skip


def test_a_command_after_power_up_is_not_executed():
    pump = Pump(Screw())
    assert ask(pump, "0RUN") == "00A?R"
    assert pump.state.prompt == "S"
    assert ask(pump, "0RUN") == "00I"


def test_without_an_stp_phase_the_pump_never_stops():
    pump = acknowledged()
    for command in ("PHN2", "FUNRAT", "PHN1", "VOL2", "RAT2MM", "RUN"):
        ask(pump, command)
    assert ask(pump, "", 1000.0) == "00I"


def test_a_program_of_which_only_the_first_phase_was_written_ends_with_it():
    """Programs that know of no phases run real pumps (N)."""
    pump = acknowledged()
    assert [ask(pump, command) for command in ("PHN2", "FUN", "PHN1", "FUN")] == ["00S", "00SSTP", "00S", "00SRAT"]
    for command in ("VOLUL", "VOL2000", "RAT2000UM", "DIRWDR", "RUN"):
        ask(pump, command)
    assert (ask(pump, "", 59.0), ask(pump, "", 61.0)) == ("00W", "00S")
    assert ask(pump, "DIS", 61.0) == "00SI0.000W2000.UL"


def test_the_diameter_fixes_the_unit_and_clears_the_counters():
    pump = acknowledged()
    for command in ("VOL1", "RAT2MM", "PHN2", "FUNSTP", "PHN1", "RUN"):
        ask(pump, command)
    assert ask(pump, "DIS", 60.0) == "00SI1.000W0.000ML"
    assert ask(pump, "DIA14.00", 60.0) == "00S"
    assert ask(pump, "DIS", 60.0) == "00SI0.000W0.000UL"
    assert ask(pump, "DIA14.01", 60.0) == "00S"
    assert ask(pump, "VOL", 60.0) == "00S1.000ML"


@pytest.mark.parametrize(
    ("command", "reply"),
    [("XYZ", "00S?"), ("STP", "00S?NA"), ("PHN42", "00S?OOR"), ("DIA51", "00S?OOR"), ("VOL1.2345", "00S?OOR"),
     ("0 dia 20\t", "00S"), ("1VER", ""), ("SAF256", "00S?OOR"), ("VOL0", "00S"), ("RAT-1MM", "00S?OOR")],
)  # fmt: skip
def test_commands_are_judged_as_the_sheet_says(command: str, reply: str):
    assert ask(acknowledged(), command) == reply


def test_settings_are_not_applicable_while_it_runs():
    pump = acknowledged()
    for command in ("VOL5", "RAT2MM", "RUN"):
        ask(pump, command)
    for command in ("DIA20", "CLDINF", "VOL1", "DIRWDR", "FUNSTP", "RAT2UM", "PHN2", "RUN"):
        assert ask(pump, command, 1.0) == "00I?NA"
    assert ask(pump, "RAT3MM", 30.0) == "00I"
    assert ask(pump, "DIS", 60.0) == "00II2.500W0.000ML"


def test_an_incomplete_packet_is_dropped_after_half_a_second():
    pump = acknowledged(5)
    assert pump.receive(Bytes(bytes.fromhex("02 08 30 52")), 0.0) == []
    assert len(pump.receive(Bytes(bytes.fromhex("02 05 30 36 53 03")), 0.6)) == 1
    assert pump.state.prompt == "S"


def test_safe_mode_ignores_lines_and_basic_mode_ignores_packets_other_than_saf():
    assert ask(acknowledged(5), "0RUN") == ""
    pump = acknowledged()
    assert pump.receive(Bytes(bytes.fromhex("02 08 30 52 55 4E 44 07 03")), 0.0) == []
    assert pump.state.prompt == "S"


def test_replies_take_their_time_on_a_19200_baud_cable():
    action = acknowledged(5).receive(Bytes(bytes.fromhex("02 05 30 36 53 03")), 0.0)[0]
    assert action.delay_s == pytest.approx(0.002 + (6 + 8) * 10 / 19200)


def test_a_snapshot_in_mid_stroke_goes_on_as_if_nothing_had_been():
    pump = acknowledged(100)
    barrel = Screw()
    state = pump.state
    state.watchdog_s = 0
    for command in ("VOL5", "RAT2MM", "PHN2", "FUNSTP", "PHN1", "RUN"):
        ask(pump, command)
    pump.receive(Bytes(b"0DI"), 30.0)
    saved = json.loads(json.dumps(pump.snapshot()))
    other = Pump(barrel)
    other.restore(saved)
    for one in (pump, other):
        actions = one.receive(Bytes(b"S\r"), 30.1)
        assert isinstance(actions[0], Send)
        assert actions[0].data == b"\x0200II1.003W0.000ML\x03"
        assert one.wake_at == 150.0


# -- a wire that lies


@pytest.mark.req("DS-03")
@pytest.mark.parametrize("block", range(4))
async def test_on_a_faulty_wire_no_number_is_invented_and_no_run_is_repeated(block: int):
    for seed in range(50 * block, 50 * block + 50):
        rig = await ready()
        chance = random.Random(seed)
        said = {0.0}
        for lie in chance.sample(LIES, chance.randint(1, 3)):
            rig.fault(lie, seed)
        starts = 0
        for _ in range(3):
            try:
                starts += 1
                await rig.driver.start(chance.choice(list(Direction)), 1.0, 10.0)
            except (OutOfRange, WireError):
                pass
            readings = await rig.driver.poll()
            for data in rig.cable.said:
                if b"ML" in data and b"I" in data:
                    counters = replies.totals(data[5:-3].decode())
                    said |= {counters.delivered_ml, counters.drawn_ml}
            for name in ("dispensed_volume", "withdrawn_volume"):
                if readings[name].quality is Quality.GOOD:
                    assert readings[name].value in said
            await asyncio.sleep(5)
        assert rig.runs() <= starts
        assert rig.screw.runs == rig.runs() <= starts
        assert rig.screw.out_ml() + rig.screw.in_ml() <= 1.0 * rig.runs() + 1e-6
