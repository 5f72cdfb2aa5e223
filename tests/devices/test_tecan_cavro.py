"""Cavro pumps: the sheet's frames on both ends, one absolute move a stroke, the valve seen first, a wire that lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from itertools import pairwise

import pytest

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.tecan_cavro import (
    TecanCavro,
    TecanCavroXCalibur,
    TecanCavroXCaliburDt,
    TecanCavroXlp6000,
    TecanCavroXp3000,
    replies,
)
from drivers.devices.tecan_cavro.framing import Dt, Oem
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.devices.tecan_cavro import TecanCavroXCalibur as Pump
from simulators.devices.tecan_cavro import TecanCavroXlp6000 as Xlp
from simulators.devices.tecan_cavro import TecanCavroXp3000 as Xp
from simulators.standalone import FreeBarrel
from tests.devices.golden import golden
from tests.devices.rig import Dose
from tests.devices.rig import Rig as Bench

SYRINGE: dict[str, float | str] = {"syringe_ml": 5.0, "draw_port": "input", "deliver_port": "output"}
DOSES = {
    model: Dose(1.0, 10.0, SYRINGE, (Direction.DRAW,))  # the plunger of a fresh simulator is at its zero
    for model in ("tecan_cavro_xcalibur", "tecan_cavro_xcalibur_dt", "tecan_cavro_xlp6000", "tecan_cavro_xp3000")
}

OEM = golden(
    "tecan_cavro",
    r"""
    Examples, OEM | MX | > 02 31 31 5A 52 03 09                      | < 02 30 40 03 71             | initialise
    Examples, OEM | MX | > 02 31 33 51 03 52                         | < 02 30 60 03 51             | ready
    Examples, OEM | MX | > 02 31 32 41 33 30 30 30 52 03 12          | < 02 30 40 03 71             | go to 3000
    Examples, OEM | MX | > 02 31 3A 41 33 30 30 30 52 03 1A          | < 02 30 40 03 71             | the same repeated
    Examples, OEM | MX | > 02 31 34 3F 03 3B                         | < 02 30 60 33 30 30 30 03 52 | position
    Examples, OEM | MX | > 02 31 32 41 33 30 30 30 52 03 12          | < 02 30 4F 03 7E             | overflow
    Examples, OEM | MX | > 02 31 31 54 03 55                         | < 02 30 60 03 51             | terminate
    Examples, OEM | MX | > 02 31 35 56 31 30 30 49 50 31 35 30 30 4F 44 31 35 30 30 52 03 22 | < 02 30 40 03 71 | half a stroke
    Examples, OEM | MX | > 02 31 32 41 33 30 30 30 52 03 12          | < 02 30 67 03 56             | not initialised
    """,  # noqa: E501 - frames stay as the sheet prints them
)
DT = golden(
    "tecan_cavro",
    r"""
    Examples, DT | M  | > "/1ZR" 0D           | < 2F 30 40 03 0D 0A                | initialise
    Examples, DT | M  | > "/1Q" 0D            | < 2F 30 60 03 0D 0A                | ready
    Examples, DT | M  | > "/1?" 0D            | < 2F 30 60 33 30 30 30 03 0D 0A    | position
    Examples, DT | M  | > "/1A100R" 0D        | < 2F 30 67 03 0D 0A                | not initialised
    Examples, DT | M  | > "/1V100IP1500OD1500R" 0D | < 2F 30 40 03 0D 0A           | half a stroke
    Framing      | S  | > "/1Q" 0D            | < FF 2F 30 60 03 0D 0A             | ready with a sync byte
    """,
)


class ValvedBarrel(FreeBarrel):
    """A barrel behind the pump's own valve; remembers through which port it moved."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 1
        self.by_port: dict[int, float] = {}

    def connect(self, now: float, port: int) -> None:
        self.port = port

    def halt(self, now: float) -> None:
        before = self.pushed_out_ml - self.pulled_in_ml
        super().halt(now)
        moved = self.pushed_out_ml - self.pulled_in_ml - before
        if moved:
            self.by_port[self.port] = self.by_port.get(self.port, 0.0) + moved


class Rig(Bench[TecanCavro]):
    """One simulated pump and its driver, with the barrel at hand."""

    def __init__(
        self,
        driver: type[TecanCavro] = TecanCavroXCalibur,
        kind: type[Pump] = Pump,
        options: Mapping[str, float | str] | None = None,
        simulated: Mapping[str, float | str] | None = None,
    ) -> None:
        self.barrel = ValvedBarrel()
        self.pump = kind(self.barrel, 0, None, simulated)
        super().__init__(driver, self.pump, 0, {**SYRINGE, **(options or {})})
        self.place = self.barrel

    def another(self) -> TecanCavro:
        """A driver that knows nothing of the first one, as after a restart of ours."""
        return type(self.driver)(Line(self.host.link()), 0, self.driver.options)

    def net_ml(self) -> float:
        """What is in the barrel: pulled in less pushed out."""
        self.barrel.halt(asyncio.get_running_loop().time())
        return self.barrel.pulled_in_ml - self.barrel.pushed_out_ml


async def ready(rig: Rig) -> Rig:
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


async def done(rig: Rig, seconds: float = 40.0) -> None:
    await asyncio.sleep(seconds)
    assert (await rig.driver.status()).motion is Motion.STOPPED


def say(pump: Pump, text: str, now: float = 0.0) -> str:
    """One DT command; the answer's status byte and text."""
    actions = pump.receive(Bytes(b"/1" + text.encode() + b"\r"), now)
    assert len(actions) <= 1
    return actions[0].data[2:-3].decode() if actions and isinstance(actions[0], Send) else ""


# -- the sheet, on each end


def test_the_simulator_answers_the_sheets_oem_blocks():
    OEM.check_simulator(lambda: _at(1.0), "initialise", "go to 3000")
    OEM.check_simulator(lambda: _at(0.0), "ready", "terminate", "half a stroke")
    OEM.check_simulator(lambda: Pump(FreeBarrel(), options={"initialised": 0}), "not initialised")
    pump = _at(0.0)
    OEM.check_simulator(pump, "go to 3000", "the same repeated", "overflow")
    assert pump.state.plunger_moves == 4322
    OEM.check_simulator(pump, "position", now=60.0)
    assert pump.state.error == 0


def test_the_simulator_answers_the_sheets_dt_lines():
    DT.check_simulator(lambda: _at(1.0), "initialise")
    DT.check_simulator(lambda: _at(0.0), "half a stroke")
    DT.check_simulator(lambda: _at(3000.0), "ready", "position")
    DT.check_simulator(lambda: Pump(FreeBarrel(), options={"initialised": 0}), "not initialised")
    DT.check_simulator(lambda: Pump(FreeBarrel(), options={"sync_byte": 1}), "ready with a sync byte")


def _at(plunger: float) -> Pump:
    pump = Pump(FreeBarrel())
    pump.state.plunger = plunger
    return pump


class Numbered(Oem):
    """OEM with the sheet's sequence numbers."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.numbers = list(numbers)

    def request(self, address: int, text: str) -> bytes:
        self._number = self.numbers.pop(0) - 1
        return super().request(address, text)


async def test_the_driver_sends_and_reads_the_sheets_oem_blocks():
    async with OEM.line("ready", "position", "go to 3000", "terminate") as line:
        driver = TecanCavroXCalibur(line, 0, SYRINGE)
        driver.talk.framing = Numbered(3, 4, 2, 1)
        assert await driver.talk.query() == replies.Answer(ready=True, error=0, data="")
        assert (await driver.talk.ask("?", replies.NUMBER)).data == "3000"
        await driver.talk.command("A3000R")
        await driver.talk.command("T")
    async with OEM.line("overflow") as line:
        driver = TecanCavroXCalibur(line, 0, SYRINGE)
        driver.talk.framing = Numbered(2)
        with pytest.raises(Refused, match="error 15"):
            await driver.talk.command("A3000R")
    async with OEM.line("not initialised") as line:
        driver = TecanCavroXCalibur(line, 0, SYRINGE)
        driver.talk.framing = Numbered(2)
        with pytest.raises(Refused, match="error 7"):
            await driver.talk.command("A3000R")


async def test_the_driver_sends_and_reads_the_sheets_dt_lines():
    async with DT.line("initialise", "ready", "position", "not initialised", "ready with a sync byte") as line:
        driver = TecanCavroXCaliburDt(line, 0, SYRINGE)
        await driver.talk.command("ZR")
        assert (await driver.talk.query()).ready
        assert (await driver.talk.ask("?", replies.NUMBER)).data == "3000"
        with pytest.raises(Refused, match="error 7"):
            await driver.talk.command("A100R")
        assert (await driver.talk.query()).ready


def test_no_two_blocks_in_a_row_have_one_number_and_none_is_called_a_repetition():
    """A pump that has seen number n takes a repetition of n for done (M): we never send one."""
    framing = Oem()
    numbers = [framing.request(0, "Q")[2] for _ in range(20)]
    assert all(one != other for one, other in pairwise(numbers))
    assert all(0x31 <= number <= 0x37 for number in numbers)


@pytest.mark.parametrize("error", [1, 2, 3, 4, 6, 7, 9, 10, 11, 15])
@pytest.mark.parametrize("ready_bit", [0, 0x20])
def test_every_error_of_the_table_is_told_in_words(error: int, ready_bit: int):
    found = replies.answer(bytes((0x40 | ready_bit | error,)))
    assert found == replies.Answer(bool(ready_bit), error, "")
    assert replies.in_words(found.error).startswith(f"error {error}: ")


@pytest.mark.parametrize("body", [b"", b"\x50", b"\x80", b"0"])
def test_what_does_not_begin_with_a_status_byte_is_no_answer(body: bytes):
    with pytest.raises(BadFrame, match="status byte"):
        replies.answer(body)


# -- who it is


@pytest.mark.parametrize(
    ("driver", "kind"), [(TecanCavroXCalibur, Xlp), (TecanCavroXlp6000, Pump), (TecanCavroXlp6000, Xp)]
)
async def test_another_model_of_the_family_is_the_wrong_device(driver: type[TecanCavro], kind: type[Pump]):
    with pytest.raises(WrongDevice, match=r"\* is"):
        await Rig(driver, kind).driver.identify()


async def test_the_words_of_the_configuration_may_be_asked_for():
    identity = await Rig(options={"configuration": "xcalibur"}).driver.identify()
    assert (identity.type, identity.serial, identity.firmware) == ("Cavro XCalibur", "", "733085 Rev B")
    with pytest.raises(WrongDevice, match="does not contain"):
        await Rig(options={"configuration": "9 ports"}).driver.identify()


async def test_a_pump_that_does_not_know_the_question_is_the_wrong_device():
    rig = Rig()
    rig.pump._report = lambda question, now: None  # pyright: ignore
    with pytest.raises(WrongDevice, match="error 2"):
        await rig.driver.identify()


async def test_a_pump_that_speaks_the_other_protocol_does_not_answer():
    rig = Rig(TecanCavroXCaliburDt)
    rig.pump.state.protocol = "oem"
    with pytest.raises(NoAnswer):
        await rig.driver.identify()
    rig.host.power_cycle()
    assert (await rig.driver.identify()).type == "Cavro XCalibur"


async def test_two_pumps_on_one_line_answer_for_themselves():
    barrels = [ValvedBarrel(), ValvedBarrel()]
    host = MemoryHost(SharedLine({"a": Pump(barrels[0], 0), "b": Pump(barrels[1], 9)}))
    line = Line(host.link())
    pumps = [TecanCavroXCalibur(line, address, SYRINGE) for address in (0, 9)]
    await pumps[1].start(Direction.DRAW, 2.0, 20.0)
    await asyncio.sleep(20)
    assert (await pumps[1].totals()).drawn_ml == pytest.approx(2.0)
    assert (await pumps[0].totals()).drawn_ml == 0.0


@pytest.mark.parametrize(
    "wrong",
    [{"draw_port": "bypass"}, {"draw_port": 10}, {"deliver_port": "left"}, {"syringe_ml": -1}, {"initialise_force": 3},
     {"initialise_input": 12}, {"no_such": 1}],
)  # fmt: skip
def test_options_that_no_pump_can_have_are_told(wrong: dict[str, float | str]):
    with pytest.raises(ValueError, match=r"bypass|port|syringe|force|option"):
        Rig(options=wrong)


# -- strokes


@pytest.mark.req("EQ-02")
async def test_strokes_end_by_themselves_and_encoder_travel_proves_them():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 4.0, 12.0)
    assert (await rig.driver.status()).motion is Motion.MOVING
    await asyncio.sleep(10)
    assert 1.8 < (await rig.driver.totals()).drawn_ml < 2.2
    await done(rig)
    await rig.driver.start(Direction.DELIVER, 1.5, 6.0)
    await done(rig)
    totals = await rig.driver.totals()
    assert (totals.drawn_ml, totals.delivered_ml) == (pytest.approx(4.0), pytest.approx(1.5))
    assert totals.resolution_ml == pytest.approx(5 / 3000)
    assert rig.net_ml() == pytest.approx(2.5)


async def test_each_direction_goes_through_its_own_port():
    rig = await ready(Rig(options={"draw_port": 3, "deliver_port": "9"}, simulated={"valve_ports": 9}))
    for direction in (Direction.DRAW, Direction.DELIVER):
        await rig.driver.start(direction, 2.0, 20.0)
        await done(rig)
    rig.net_ml()
    assert rig.barrel.by_port == {3: pytest.approx(-2.0), 9: pytest.approx(2.0)}
    assert (await rig.driver.read("valve")).value == "9"


async def test_no_plunger_moves_when_the_valve_does_not_arrive():
    rig = await ready(Rig(options={"draw_port": "extra"}))
    rig.pump.valve_stuck = True
    with pytest.raises(Refused, match="did not go to extra: it stands at input"):
        await rig.driver.start(Direction.DRAW, 2.0, 20.0)
    await asyncio.sleep(30)
    assert rig.moved_ml() == 0.0


async def test_without_ports_the_valve_is_left_alone_but_never_in_bypass():
    rig = Rig()
    driver = TecanCavroXCalibur(rig.driver.line, 0, {"syringe_ml": 5.0})
    await driver.turn_valve("bypass")
    with pytest.raises(Refused, match="bypass"):
        await driver.start(Direction.DRAW, 1.0, 10.0)
    await driver.turn_valve("extra")
    await driver.start(Direction.DRAW, 1.0, 10.0)
    assert (await driver.read("valve")).value == "extra"
    assert rig.barrel.port == 3


async def test_the_valve_is_a_set_point_and_knows_only_its_ports():
    rig = await ready(Rig())
    assert (await rig.driver.write("valve", "output")).value == "output"
    with pytest.raises(Refused, match="no port"):
        await rig.driver.write("valve", "up")
    with pytest.raises(Refused, match="error 3"):
        await rig.driver.turn_valve(4)  # a valve without numbers
    with pytest.raises(Refused, match="stop came"):
        await rig.driver.turn_valve("input", unless=lambda: True)
    assert (await rig.driver.read("valve")).value == "output"


@pytest.mark.parametrize(
    ("volume", "rate"),
    [(0, 10), (-1, 10), (5.1, 10), (float("nan"), 10), (0.001, 10), (1, 0.2), (1, 301), (1, float("nan"))],
)
async def test_a_stroke_beyond_syringe_or_motor_never_reaches_the_wire(volume: float, rate: float):
    rig = await ready(Rig())
    heard = rig.pump.state.block
    with pytest.raises(OutOfRange):
        await rig.driver.start(Direction.DRAW, volume, rate)
    assert rig.pump.state.block == heard


async def test_what_the_syringe_does_not_hold_is_out_of_range():
    rig = await ready(Rig())
    with pytest.raises(OutOfRange, match="what the syringe holds now"):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    await rig.driver.start(Direction.DRAW, 3.0, 60.0)
    await done(rig)
    with pytest.raises(OutOfRange, match="what the syringe holds now"):
        await rig.driver.start(Direction.DRAW, 2.1, 60.0)
    assert rig.net_ml() == pytest.approx(3.0)


async def test_a_pump_without_a_stated_syringe_moves_nothing():
    rig = Rig()
    with pytest.raises(OutOfRange, match="syringe_ml"):
        await TecanCavroXCalibur(rig.driver.line, 0).start(Direction.DRAW, 1.0, 1.0)


async def test_volume_and_rate_are_cut_to_whole_steps_and_told():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 1.2345, 10.01)
    assert rig.driver.programmed == (Direction.DRAW, pytest.approx(740 * 5 / 3000), pytest.approx(200 * 0.05))
    await done(rig)
    assert rig.net_ml() == pytest.approx(740 * 5 / 3000)


async def test_no_stroke_runs_at_the_speed_of_a_pump_that_lost_its_power():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 1.0, 70.0)
    assert rig.pump.state.top_speed == 1399


async def test_a_moving_pump_starts_no_second_stroke():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 2.0, 2.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DRAW, 1.0, 2.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.turn_valve("output")
    await done(rig, 70)
    assert rig.net_ml() == pytest.approx(2.0)


async def test_stop_ends_the_stroke_and_the_next_needs_an_initialised_pump():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 4.0, 4.0)
    await asyncio.sleep(30)
    await rig.driver.stop()
    stopped = rig.net_ml()
    assert (await rig.driver.totals()).drawn_ml == pytest.approx(stopped, abs=5 / 3000)
    assert 1.9 < stopped < 2.1
    await asyncio.sleep(60)
    assert rig.net_ml() == stopped
    await rig.driver.stop()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await rig.driver.read("command_waiting")).value is True
    with pytest.raises(Refused, match="initialise the pump"):
        await rig.driver.start(Direction.DRAW, 1.0, 4.0)
    await rig.driver.prepare()
    assert rig.net_ml() == stopped  # prepare sends no R that would resume the string
    await rig.driver.calibrate("initialise")
    assert rig.net_ml() == pytest.approx(0.0, abs=1e-6)
    await rig.driver.start(Direction.DRAW, 1.0, 4.0)


async def test_a_lower_case_move_of_another_program_is_seen_and_stopped():
    """It says ready while it moves (M)."""
    rig = await ready(Rig())
    await rig.driver.talk.command("V200R")
    await rig.driver.talk.command("a3000R")
    assert (await rig.driver.talk.query()).ready
    await rig.driver.stop()
    at_rest = rig.net_ml()
    await asyncio.sleep(60)
    assert rig.net_ml() == at_rest < 5.0


async def test_unless_is_asked_right_before_the_one_command():
    rig = await ready(Rig())
    asked: list[int] = []

    def unless() -> bool:
        asked.append(rig.pump.state.top_speed)
        return rig.pump.state.top_speed == 200

    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.start(Direction.DRAW, 1.0, 10.0, unless=unless)
    assert asked[-1] == 200
    assert rig.pump.state.plunger_moves == 4321


async def test_a_stop_that_comes_while_a_stroke_is_prepared_keeps_it_from_being_sent():
    rig = await ready(Rig())
    start = asyncio.ensure_future(rig.driver.start(Direction.DRAW, 1.0, 10.0))
    await asyncio.sleep(0.05)
    await rig.driver.stop()
    with pytest.raises(Refused, match="a stop came"):
        await start
    assert rig.moved_ml() == 0.0


async def test_a_mute_pump_is_stopped_blindly_and_that_is_told():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 4.0, 4.0)
    rig.fault("mute")
    with pytest.raises(NoAnswer):
        await rig.driver.stop()
    stopped = rig.net_ml()
    await asyncio.sleep(60)
    assert rig.net_ml() == stopped < 1.0


# -- power, foreign hands, alarms


@pytest.mark.req("DS-04", "DS-06")
@pytest.mark.parametrize("at_once", [1, 0])
async def test_power_lost_in_mid_stroke_is_never_a_measured_volume(at_once: int):
    """Whether Q says error 7 at once or a move does is not sure; the top speed tells in either case."""
    rig = await ready(Rig(simulated={"power_up_error": at_once}))
    await rig.driver.start(Direction.DRAW, 2.0, 20.0)
    await done(rig)
    await rig.driver.start(Direction.DRAW, 2.0, 4.0)
    await asyncio.sleep(10)
    met = rig.driver.alarms_met
    rig.host.power_cycle()
    await asyncio.sleep(1)
    await rig.driver.status()
    try:
        totals = await rig.driver.totals()
    except Refused as error:
        assert error.code == "7"
    else:
        assert totals.drawn_ml == 0.0  # below the baseline of 2.0 mL
    assert rig.driver.alarms_met > met
    with pytest.raises(Refused):
        await rig.driver.start(Direction.DRAW, 1.0, 4.0)
    assert 2.0 < rig.net_ml() < 3.0


@pytest.mark.req("DS-06")
async def test_a_driver_that_restarted_begins_at_zero():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 2.0, 20.0)
    await done(rig)
    again = rig.another()
    assert (await again.totals()).drawn_ml == 0.0
    assert not again.totals_survive_power_loss


async def test_positions_of_a_pump_that_was_not_initialised_are_bad():
    rig = Rig(simulated={"initialised": 0})
    readings = await rig.driver.poll()
    for name in ("position", "encoder_position", "plunger"):
        assert readings[name].quality is Quality.BAD
        assert "not initialised" in readings[name].why
    assert readings["plunger_moves"].value == 4321
    assert readings["alarm"].value == "error 7: not initialised, the plunger position is unknown"
    assert (await rig.driver.status()).motion is Motion.ALARM
    await rig.driver.initialise()
    assert (await rig.driver.status()).motion is Motion.STOPPED
    assert (await rig.driver.poll())["position"].value == 0


async def test_a_move_of_somebody_else_begins_the_volume_anew_with_an_alarm():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 2.0, 20.0)
    await done(rig)
    await rig.another().talk.command("A0R")
    await asyncio.sleep(30)
    totals = await rig.driver.totals()
    assert (totals.drawn_ml, totals.delivered_ml) == (0.0, 0.0)
    assert "by somebody else" in (await rig.driver.status()).alarm
    with pytest.raises(Refused, match="somebody else"):
        await rig.driver.start(Direction.DRAW, 1.0, 20.0)
    await rig.driver.prepare()
    await rig.driver.start(Direction.DRAW, 1.0, 20.0)


async def test_an_initialisation_by_somebody_else_begins_the_volume_anew():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 2.0, 20.0)
    await done(rig)
    await rig.another().initialise()
    assert (await rig.driver.totals()).delivered_ml == 0.0
    assert "initialised by somebody else" in (await rig.driver.status()).alarm


async def test_a_plunger_that_meets_a_wall_is_an_alarm_until_it_is_initialised():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 4.0, 4.0)
    await asyncio.sleep(15)
    rig.pump.overload(rig.host.now)
    for _ in range(2):
        status = await rig.driver.status()
        assert (status.motion, status.alarm) == (Motion.ALARM, "error 9: plunger overload")
    assert rig.driver.alarms_met == 1
    assert (await rig.driver.totals()).drawn_ml == pytest.approx(1.0, abs=0.05)
    await rig.driver.prepare()
    status = await rig.driver.status()  # taken note of, and still there
    assert (status.motion, status.alarm) == (Motion.STOPPED, "error 9: plunger overload")
    with pytest.raises(Refused, match="error 9"):
        await rig.driver.start(Direction.DRAW, 1.0, 4.0)
    await rig.driver.calibrate("initialise")
    await rig.driver.start(Direction.DRAW, 1.0, 4.0)


async def test_lost_steps_are_seen_and_no_stroke_is_built_on_them():
    rig = await ready(Rig())
    report = rig.pump._report  # pyright: ignore
    rig.pump._report = lambda question, now: "30" if question == "?4" else report(question, now)  # pyright: ignore
    with pytest.raises(Refused, match="steps were lost"):
        await rig.driver.start(Direction.DRAW, 1.0, 10.0)


async def test_initialising_is_refused_while_it_moves_and_by_a_stop():
    rig = await ready(Rig())
    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.initialise(unless=lambda: True)
    await rig.driver.start(Direction.DRAW, 2.0, 2.0)
    with pytest.raises(Refused, match="stop it before"):
        await rig.driver.initialise()
    with pytest.raises(Refused, match="no calibration"):
        await rig.driver.calibrate("slope")


@pytest.mark.req("DS-03")
async def test_a_move_whose_answer_is_lost_is_not_sent_again():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 1.0, 60.0)
    await done(rig)
    real = rig.driver.talk.command

    async def command(text: str) -> None:
        if text.startswith("A"):
            rig.fault("mute:for_s=1")
        await real(text)

    rig.driver.talk.command = command  # the fault begins at the move
    missed = rig.driver.replies_missed
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DRAW, 1.0, 60.0)
    assert rig.driver.replies_missed == missed + 1
    await asyncio.sleep(10)
    assert rig.pump.state.plunger_moves == 4323
    assert rig.net_ml() == pytest.approx(2.0)


async def test_a_pump_that_dies_while_a_stroke_is_prepared_has_not_moved():
    rig = await ready(Rig())
    rig.fault("silence")
    with pytest.raises(Refused, match="no move was sent"):
        await rig.driver.start(Direction.DRAW, 1.0, 10.0)


# -- signals and set points


async def test_every_signal_says_what_the_pump_says():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 2.5, 60.0)
    await done(rig)
    values = {name: reading.value for name, reading in (await rig.driver.poll()).items()}
    assert values == {
        "encoder_position": 1500, "position": 1500, "plunger": 50.0, "valve": "input", "motion": "stopped", "alarm": "",
        "initialisations": 17, "plunger_moves": 4322, "valve_moves": 998, "top_speed": 1200, "start_speed": 900,
        "cutoff_speed": 900, "backlash": 12, "dead_volume_gap": 50, "command_waiting": False, "input_1": True,
        "input_2": True,
    }  # fmt: skip


async def test_an_xlp_tells_its_supply_voltage():
    rig = await ready(Rig(TecanCavroXlp6000, Xlp))
    assert (await rig.driver.read("supply_voltage")).value == 24.1


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [("top_speed", 600, 4, 6001), ("start_speed", 100, 49, 1001), ("cutoff_speed", 500, 49, 2701),
     ("backlash", 20, -1, 32), ("dead_volume_gap", 10, -1, 81)],
)  # fmt: skip
async def test_set_points_have_limits_and_are_read_back(name: str, value: float, low: float, high: float):
    rig = await ready(Rig())
    assert (await rig.driver.write(name, value)).value == value
    assert (await rig.driver.read(name)).value == value
    for beyond in (low, high):
        with pytest.raises(OutOfRange):
            await rig.driver.write(name, beyond)
    assert (await rig.driver.totals()).drawn_ml == 0.0
    assert (await rig.driver.status()).alarm == ""


async def test_what_cannot_be_set_is_refused():
    rig = await ready(Rig())
    for name, value in (("position", 100), ("motion", "moving"), ("top_speed", "fast"), ("top_speed", float("nan"))):
        with pytest.raises(Refused):
            await rig.driver.write(name, value)


async def test_a_setting_that_does_not_read_back_is_refused():
    rig = await ready(Rig())
    rig.pump._set = lambda letter, number: None  # pyright: ignore
    with pytest.raises(Refused, match="start_speed is 900 after 100"):
        await rig.driver.write("start_speed", 100)


async def test_backlash_and_gap_are_what_the_pump_was_taught():
    assert await Rig().driver.calibration() == {"backlash": 12.0, "dead_volume_gap": 50.0}


async def test_an_xlp_counts_six_thousand_increments_and_an_xp_three_thousand():
    for driver, kind, resolution in ((TecanCavroXlp6000, Xlp, 6000), (TecanCavroXp3000, Xp, 3000)):
        rig = await ready(Rig(driver, kind))
        await rig.driver.start(Direction.DRAW, 5.0, 60.0)
        await done(rig)
        assert rig.net_ml() == pytest.approx(5.0)
        assert (await rig.driver.totals()).resolution_ml == pytest.approx(5 / resolution)


@pytest.mark.req("EQ-01", "EQ-02")
def test_the_driver_declares_what_it_does_when_nobody_talks_to_it():
    assert TecanCavroXCalibur.bounded
    assert TecanCavroXCalibur.on_link_loss.value == "finishes its bounded move"
    assert "no volume counter" in TecanCavroXCalibur.continuity
    assert TecanCavroXCalibur.checksum
    assert not TecanCavroXCaliburDt.checksum


# -- the simulator by itself


@pytest.mark.parametrize(
    ("text", "status", "then"),
    [("A4000R", "c", "`"), ("Y9q", "b", "`"), ("A10?R", "b", "`"), ("A", "c", "`"), ("As1R", "c", "`"),
     ("V6000s1A10R", "d", "`"), ("A30A3500R", "@", "c"), ("BA100R", "@", "k"), ("P3151R", "c", "`"), ("D1R", "c", "`"),
     ("I4R", "c", "`"), ("V4R", "c", "`"), ("A0", "`", "`")],
)  # fmt: skip
def test_an_xcalibur_says_at_once_what_is_wrong_with_a_string(text: str, status: str, then: str):
    pump = Pump(FreeBarrel())
    assert say(pump, text) == status
    assert say(pump, "Q", 60.0) == then
    assert say(pump, "Q", 60.0) == "`"


def test_an_xlp_takes_a_move_out_of_range_and_says_so_at_the_next_question():
    pump = Xlp(FreeBarrel())
    assert say(pump, "A7000R") == "`"
    assert say(pump, "?") == "`0"
    assert [say(pump, "Q"), say(pump, "Q")] == ["c", "`"]
    assert say(pump, "A6000A6100R") == "@"
    assert say(pump, "?", 60.0) == "`6000"
    assert say(pump, "Q", 60.0) == "c"


def test_a_string_waits_for_r_and_x_repeats_the_last():
    pump = Pump(FreeBarrel())
    assert say(pump, "A600") == "`"
    assert say(pump, "F") == "`1"
    assert say(pump, "?") == "`0"
    assert say(pump, "R") == "@"
    assert say(pump, "?", 0.5) == "@350"
    assert say(pump, "?10", 10.0) == "`0"
    assert say(pump, "A0R", 10.0) == "@"
    assert say(pump, "XR", 20.0) == "`"
    assert say(pump, "?R", 30.0) == "`0"


def test_fill_and_dispense_half_a_stroke_as_in_the_sheet():
    barrel = ValvedBarrel()
    pump = Pump(barrel)
    pump.receive(Bytes(bytes.fromhex("02 31 35 56 31 30 30 49 50 31 35 30 30 4F 44 31 35 30 30 52 03 22")), 0.0)
    pump.wake(200.0)
    assert barrel.by_port == {1: pytest.approx(-2.5), 2: pytest.approx(2.5)}
    assert pump.state.valve_moves == 1000


def test_loops_run_as_often_as_they_say_and_t_ends_an_endless_one():
    pump = Pump(FreeBarrel())
    say(pump, "gP100D100G5R")
    pump.wake(60.0)
    assert pump.state.plunger_moves == 4331
    say(pump, "gP100D100GR", 60.0)
    pump.wake(120.0)
    assert say(pump, "Q", 120.0) == "@"
    assert say(pump, "A0R", 120.0) == "O"
    assert say(pump, "T", 120.0) == "`"
    assert say(pump, "Q", 130.0) == "`"
    assert say(pump, "R", 130.0) == "@"
    say(pump, "T", 130.0)
    say(pump, "gGR", 140.0)
    assert say(pump, "Q", 150.0) == "@"


def test_a_halted_string_goes_on_with_r_and_a_program_runs_from_its_place():
    pump = Pump(FreeBarrel())
    say(pump, "V6000A300HA600R")
    assert say(pump, "?", 10.0) == "`300"
    say(pump, "R", 10.0)
    assert say(pump, "?", 20.0) == "`600"
    say(pump, "s3A30M500A60")
    pump.power_cycle(30.0)
    say(pump, "zR", 30.0)
    say(pump, "e3R", 30.0)
    assert say(pump, "?", 60.0) == "`60"
    assert say(pump, "M100R", 60.0) == "@"
    assert say(pump, "Q", 60.2) == "`"


def test_fine_steps_speed_codes_and_settings():
    pump = Pump(FreeBarrel())
    for text in ("N1R", "A24000R", "S17R", "L7R", "C3R", "J5R", "K3k4v60c70R"):
        say(pump, text, 0.0)
        pump.wake(30.0)
    assert say(pump, "?", 30.0) == "`24000"
    assert [say(pump, f"?{n}", 30.0) for n in (1, 2, 3, 12, 24)] == ["`60", "`200", "`70", "`3", "`4"]
    assert (pump.state.slope, pump.state.outputs, pump.state.cutoff_increments) == (7, 5, 3)
    assert [say(pump, q, 30.0) for q in ("%", "?18", "?20", "?29")] == ["`998", "`0", "`A55A", "`"]


def test_speed_may_change_while_it_moves():
    barrel = FreeBarrel()
    pump = Pump(barrel)
    say(pump, "V100A3000R")
    assert say(pump, "V1000", 10.0) == "@"
    assert say(pump, "V9999", 10.0) == "C"
    assert say(pump, "?", 11.0) == "@1000"
    assert say(pump, "?", 20.0) == "`3000"
    barrel.halt(20.0)
    assert barrel.pulled_in_ml == pytest.approx(5.0)


def test_a_repetition_is_done_once_and_a_new_number_again():
    """The number alone counts (M): another command under the old number is taken for the old one."""
    pump = Pump(FreeBarrel())
    send = [bytes.fromhex("02 31 32 41 33 30 30 30 52 03 12"), bytes.fromhex("02 31 3A 41 33 30 30 30 52 03 1A")]
    pump.receive(Bytes(send[0]), 0.0)
    pump.receive(Bytes(send[1]), 10.0)
    assert pump.state.plunger_moves == 4322
    pump.power_cycle(20.0)
    pump.state.initialised = True
    pump.receive(Bytes(send[1]), 20.0)
    assert pump.state.plunger_moves == 4323


def test_a_damaged_block_and_a_foreign_address_get_no_answer():
    pump = Pump(FreeBarrel())
    assert pump.receive(Bytes(bytes.fromhex("02 31 33 51 03 53")), 0.0) == []
    assert pump.receive(Bytes(bytes.fromhex("02 32 33 51 03 51")), 0.0) == []
    assert pump.receive(Bytes(b"/2Q\r/"), 0.0) == []


def test_groups_execute_without_an_answer():
    pumps = [Pump(FreeBarrel(), address) for address in (0, 1, 4)]
    for pump in pumps:
        assert pump.receive(Bytes(b"/AA100R\r"), 0.0) == []
        assert pump.receive(Bytes(b"/QV50\r"), 0.0) == []
        assert pump.receive(Bytes(b"/_T\r"), 0.0) == []
    assert [pump.state.plunger_moves for pump in pumps] == [4322, 4322, 4321]
    assert [pump.state.top_speed for pump in pumps] == [50, 50, 1400]


def test_a_power_cycle_forgets_position_and_settings_and_keeps_the_counters():
    pump = Pump(FreeBarrel())
    say(pump, "U47R")
    say(pump, "V600A3000R")
    pump.power_cycle(1.0)
    assert say(pump, "Q", 1.0) == "g"
    assert say(pump, "A0R", 1.0) == "g"
    assert [say(pump, f"?{n}", 2.0) for n in (2, 15, 16)] == ["g1400", "g17", "g4322"]
    assert pump.state.baud == 38400
    assert say(pump, "ZR", 2.0) == "@"
    assert say(pump, "Q", 60.0) == "`"
    assert say(pump, "?15", 60.0) == "`18"


def test_a_snapshot_in_mid_stroke_goes_on_as_if_nothing_had_been():
    pump = Pump(FreeBarrel())
    say(pump, "V600gP300D300G2R")
    pump.receive(Bytes(b"/1?"), 0.5)
    saved = json.loads(json.dumps(pump.snapshot()))
    other = Pump(FreeBarrel())
    other.restore(saved)
    for one in (pump, other):
        actions = one.receive(Bytes(b"\r"), 0.5)
        assert isinstance(actions[0], Send)
        assert actions[0].data == b"/0@150\x03\r\n"
        assert one.wake_at == 1.0
        one.wake(20.0)
        assert one.state.plunger_moves == 4325


def test_a_plunger_moved_by_hand_is_counted_by_nobody():
    pump = Pump(FreeBarrel())
    pump.push_plunger(50)
    assert say(pump, "?4") == "`50"
    assert say(pump, "?16") == "`4321"


def test_answers_take_their_time_at_9600_baud():
    action = Pump(FreeBarrel()).receive(Bytes(b"/1Q\r"), 0.0)[0]
    assert action.delay_s == pytest.approx(0.003 + 10 * 10 / 9600)


async def test_dt_requests_are_plain_lines():
    assert Dt().request(9, "Q") == b"/:Q\r"


async def test_on_a_cut_cable_every_signal_is_bad_and_nothing_is_sent_twice():
    rig = await ready(Rig())
    rig.fault("silence")
    assert {reading.quality for reading in (await rig.driver.poll()).values()} == {Quality.BAD}
    with pytest.raises(WireError):
        await rig.driver.read("position")


async def test_an_answer_that_nobody_asked_for_makes_no_number_and_no_volume():
    """A stray answer may stand in for the next, since none says what it answers: the round does not count."""
    rig = await ready(Rig())
    ask = rig.driver.talk.ask

    async def asked(question: str, expected: replies.Pattern) -> replies.Answer:
        if question == "?16":
            rig.host.act([Send(0.001, b"\x02\x30\x60\x39\x03\x68")])  # "9", in front of the true answer
        return await ask(question, expected)

    rig.driver.talk.ask = asked
    readings = await rig.driver.poll()
    assert readings["plunger_moves"].quality is Quality.BAD
    assert "nobody asked" in readings["plunger_moves"].why
    with pytest.raises(BadFrame, match="nobody asked"):
        await rig.driver.totals()


# -- what another program may do


OEM_Q, DT_Q = bytes.fromhex("02 31 33 51 03 52"), b"/1Q\r"


def answered(pump: Pump, request: bytes, now: float = 0.0) -> bytes:
    return b"".join(action.data for action in pump.receive(Bytes(request), now) if isinstance(action, Send))


@pytest.mark.parametrize(("kind", "hears"), [(Pump, True), (Xp, True), (Xlp, False)])
def test_after_dt_an_xcalibur_still_hears_oem_and_after_oem_nobody_hears_dt(kind: type[Pump], hears: bool):
    pump = kind(FreeBarrel())
    assert answered(pump, DT_Q) == b"/0`\x03\r\n"
    assert bool(answered(pump, OEM_Q)) is hears
    assert bool(answered(pump, DT_Q)) is not hears
    pump.power_cycle(1.0)
    assert answered(pump, OEM_Q, 1.0).startswith(b"\x020")
    assert answered(pump, DT_Q, 1.0) == b""


def test_a_stray_stx_before_a_line_costs_that_line_nothing():
    pump = Pump(FreeBarrel())
    assert answered(pump, b"\x02/1Q\r") == b"/0`\x03\r\n"
    said = b"".join(answered(pump, bytes((byte,))) for byte in b"\x02\x31/1?\r")
    assert said == b"/0`0\x03\r\n"


def test_blocks_and_lines_are_understood_byte_by_byte():
    for request, reply in ((OEM_Q, "02 30 60 03 51"), (DT_Q, "2F 30 60 03 0D 0A")):
        pump = Pump(FreeBarrel())
        assert b"".join(answered(pump, bytes((byte,))) for byte in request) == bytes.fromhex(reply)


def test_t_with_an_r_behind_it_resumes_the_string():
    pump = Pump(FreeBarrel())
    say(pump, "V600A3000R")
    assert say(pump, "T", 1.0) == "`"
    assert say(pump, "R", 2.0) == "@"
    assert say(pump, "TR", 3.0) == "@"
    assert say(pump, "?", 60.0) == "`3000"


def test_speed_is_changed_while_it_moves_up_to_1024_only():
    pump = Pump(FreeBarrel())
    say(pump, "V100A3000R")
    assert say(pump, "V1024", 1.0) == "@"
    assert say(pump, "V1025", 2.0) == "C"
    assert say(pump, "?2", 2.0) == "@1024"
    assert say(Pump(FreeBarrel()), "V6000R") == "`"


def test_the_finest_steps_are_of_an_xlp_only():
    assert say(Pump(FreeBarrel()), "N2R") == "c"
    xlp = Xlp(FreeBarrel())
    assert (say(xlp, "N2R"), say(xlp, "Q")) == ("`", "`")  # an XLP says a bad operand at Q
    assert (say(xlp, "N3R"), say(xlp, "Q")) == ("`", "c")


@pytest.mark.parametrize("report", ["QR", "?R", "?2R", "?16R", "&R", "FR"])
def test_a_report_with_an_r_behind_it_is_the_plain_report(report: str):
    pump = Pump(FreeBarrel())
    assert say(pump, report) == say(pump, report[:-1])
