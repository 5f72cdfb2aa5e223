"""Harvard pumps: the sheet's lines on both ends, doses the pump ends itself, counters cleared or kept."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping

import pytest

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.harvard_pump import Harvard11Elite, Harvard33Dds, HarvardPhdUltra, HarvardPump, numbers, replies
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send
from simulators.devices import harvard_pump as simulated
from simulators.standalone import FreeBarrel
from tests.devices.golden import golden
from tests.devices.rig import Dose
from tests.devices.rig import Rig as Bench

CAPACITY: dict[str, float | str] = {"capacity_ml": 10.0}
DOSES = {model: Dose(1.0, 10.0, CAPACITY) for model in ("harvard_11_elite", "harvard_phd_ultra", "harvard_33_dds")}

FLOWCHEM = golden(
    "harvard_pump",
    r"""
    Examples | F | > 30 73 74 70 20 0D 0A          | < 0A 30 30 3A                                     | stop
    Examples | F | > "0VER \r\n"                   | < 0A "00:11 ELITE I/W Single 3.0.4" 0D 0A "00:"   | version
    Examples | F | > "0cvolume \r\n"               | < 0A "00:"                                        | clear
    Examples | F | > "0tvolume 2.5 m\r\n"          | < 0A "00:"                                        | set the target
    Examples | F | > "0irate lim \r\n"             | < 0A "00:1.26 nl/min to 26.02 ml/min" 0D 0A "00:" | limits
    Examples | F | > "0irate 1.0000000000 m/m\r\n" | < 0A "00:"                                        | set the rate
    Examples | F | > "0irun \r\n"                  | < 0A "00>"                                        | run
    Examples | F | > "0  \r\n"                     | < 0A "00>"                                        | running
    Examples | F | > "0  \r\n"                     | < 0A "00T*"                                       | at target
    Examples | F | > "0stp \r\n"                   | < 0A "00:"                                        | stop at target
    """,
)
COMPUTER = golden(
    "harvard_pump",
    r"""
    Examples | CF | > "irate 500 ul/min" 0D | < 0A "00:"                                              | rate in uL
    Examples | CF | > "tvolume 2000 ul" 0D  | < 0A "00:"                                              | target in uL
    Examples | CF | > "irun" 0D             | < 0A "00>"                                              | run
    status   | MX | > "status" 0D           | < 0A "00:16666666667 150 2500000000000 i...I" 0D 0A "00:" | raw status
    Commands | CF | > "ivolume" 0D          | < 0A "00:1.234 ml" 0D 0A "00:"                          | infused
    Commands | FX | > "ver" 0D              | < 0A "00:11 ELITE I/W Single 3.0.4" 0D 0A "00:"         | version
    Commands | FX | > "stp" 0D              | < 0A "00:"                                              | stop
    Framing  | MX | > "tvolume" 0D          | < 0A "Target volume not set" 0D 0A ":"                  | no target
    Framing  | M  | > "12:irat 3.2 ul/min" 0D | < 0A "12:"                                            | addressed, cut
    """,
)


class Rig(Bench[HarvardPump]):
    def __init__(
        self,
        kind: type[HarvardPump] = Harvard11Elite,
        options: Mapping[str, float | str] | None = None,
        simulator: Mapping[str, float | str] | None = None,
        device: type[simulated.Harvard11Elite] | None = None,
    ) -> None:
        self.barrel = FreeBarrel()
        kinds: Mapping[type[HarvardPump], type[simulated.Harvard11Elite]] = {
            HarvardPhdUltra: simulated.HarvardPhdUltra, Harvard33Dds: simulated.Harvard33Dds,
        }  # fmt: skip
        self.pump = (device or kinds.get(kind, simulated.Harvard11Elite))(self.barrel, 0, None, simulator)
        super().__init__(kind, self.pump, 0, {**CAPACITY, **(options or {})})
        self.place = self.barrel
        self.heard: list[str] = []
        message = self.pump.message

        def listening(text: bytes, now: float) -> bytes:
            self.heard.append(text.decode())
            return message(text, now)

        self.pump.message = listening

    def another(self) -> HarvardPump:
        return type(self.driver)(Line(self.host.link()), 0, self.driver.options)


async def ready(rig: Rig) -> Rig:
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


async def done(rig: Rig, seconds: float = 90.0) -> None:
    await asyncio.sleep(seconds)
    assert (await rig.driver.status()).motion is Motion.STOPPED


def say(pump: simulated.Harvard11Elite, text: str, now: float = 0.0) -> str:
    actions = pump.receive(Bytes(text.encode() + b"\r"), now)
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


# -- the sheet, on each end


def test_the_simulator_answers_what_flowchem_sends():
    pump = simulated.Harvard11Elite(FreeBarrel())
    FLOWCHEM.check_simulator(pump, *[exchange.what for exchange in FLOWCHEM.exchanges[:8]])
    FLOWCHEM.check_simulator(pump, "at target", "stop at target", now=151.0)
    assert pump.state.infused_ml == pytest.approx(2.5)


def test_the_simulator_answers_what_computers_send():
    pump = simulated.Harvard11Elite(FreeBarrel())
    COMPUTER.check_simulator(pump, "version", "stop", "rate in uL", "target in uL", "run")
    done_with = simulated.Harvard11Elite(FreeBarrel())
    state = done_with.state
    state.infused_ml, state.run_s = 2.5, 150.0
    said = say(done_with, "status")
    assert said == "\n00:16666666667 150 2500000000000 i...I.\r\n00:"  # with the sixth flag (F/X)
    state.infused_ml = 1.234
    COMPUTER.check_simulator(done_with, "infused")
    COMPUTER.check_simulator(simulated.HarvardPhdUltra(FreeBarrel()), "no target")
    COMPUTER.check_simulator(simulated.Harvard11Elite(FreeBarrel(), 12), "addressed, cut")


async def test_the_driver_sends_and_reads_the_sheets_lines():
    async with COMPUTER.line("raw status", "infused", "version", "rate in uL", "target in uL", "run") as line:
        driver = Harvard11Elite(line)
        status, prompt = await driver._status()  # pyright: ignore
        assert prompt == ":"
        assert status.ml_min == pytest.approx(1.0)
        assert status.ml == pytest.approx(2.5)
        assert (status.infuses, status.moving, status.limit, status.stalled, status.trigger) == (
            True, False, "none", False, False,
        )  # fmt: skip
        assert await driver._number("infused_volume") == 1.234  # pyright: ignore
        identity = await driver.identify()
        assert (identity.type, identity.firmware) == ("11 ELITE I/W Single", "3.0.4")
        await driver.talk.tell("irate 500 ul/min")
        await driver.talk.tell("tvolume 2000 ul")
        assert await driver.talk.tell("irun") == ">"
    async with COMPUTER.line("no target") as line:
        assert await HarvardPhdUltra(line)._number("target_volume") == 0.0  # pyright: ignore


@pytest.mark.parametrize(
    ("text", "lines", "prompt"),
    [("\n00:", (), ":"), ("\n:", (), ":"), ("\n00>", (), ">"), ("\n00<", (), "<"), ("\n00*", (), "*"),
     ("\n00T*", (), "T*"), ("T*\r\n00T*", (), "T*"), ("\n00>1.5 ml\r\n00>", ("1.5 ml",), ">"), ("\n00:\x11", (), ":"),
     ("\n1 ml\r\n:", ("1 ml",), ":"), ("\n11 ELITE\r\n:", ("11 ELITE",), ":"),
     ("\n00:Range error:\r\n00:   too much\r\n00:", ("Range error:", "too much"), ":"),
     ("\n00T*\n00:1 ml\r\n00:", ("1 ml",), ":")],
)  # fmt: skip
def test_replies_are_taken_apart_with_and_without_address(text: str, lines: tuple[str, ...], prompt: str):
    buffer = bytearray(text.encode())
    assert replies.parser(0, 0)(buffer) == replies.Reply(lines, prompt)
    assert buffer == b""


def test_the_beginning_of_a_line_is_no_prompt_where_a_line_must_come():
    buffer = bytearray(b"\n00:")
    assert replies.parser(0, 1)(buffer) is None
    buffer += b"1.234 ml\r\n0"
    assert replies.parser(0, 1)(buffer) is None
    buffer += b"0:"
    assert replies.parser(0, 1)(buffer) == replies.Reply(("1.234 ml",), ":")


@pytest.mark.parametrize("text", ["noise\n00:", "\n01:", "\n00:x\n00:", "\n00:\x01\r\n00:", "\n1 ml\r\n00:", "x" * 700])
def test_what_is_no_reply_of_this_pump_is_a_bad_frame(text: str):
    with pytest.raises(BadFrame):
        replies.parser(0, 0)(bytearray(text.encode()))


# -- numbers


@pytest.mark.parametrize(
    ("text", "ml", "step"),
    [("1.234 ml", 1.234, 1e-3), ("2.5 ml", 2.5, 1e-3), ("12.345 ml", 12.345, 1e-3), ("12.3 ml", 12.3, 1e-2),
     ("500 ul", 0.5, 1e-4), ("0 ml", 0.0, 1e-3), ("7.25 nl", 7.25e-6, 1e-9), ("1.00001 UL", 1.00001e-3, 1e-8)],
)  # fmt: skip
def test_a_volume_has_a_unit_and_a_step(text: str, ml: float, step: float):
    found = numbers.volume(text)
    assert found is not None
    assert found.ml == pytest.approx(ml)
    assert found.step_ml == pytest.approx(step)


@pytest.mark.parametrize("text", ["1.5", "ml", "1.5 l", "-1 ml", "1.5 ml/min", "1e3 ml"])
def test_what_is_no_volume_is_none(text: str):
    assert numbers.volume(text) is None


def test_limits_and_rates_have_units_of_their_own():
    assert numbers.limits("1.26 nl/min to 26.02 ml/min") == (pytest.approx(1.26e-6), pytest.approx(26.02))
    assert numbers.rate("60 ul/hr") == pytest.approx(1e-3)
    assert numbers.rate("1 ml/sec") == pytest.approx(60.0)
    assert numbers.limits("1 ml/min") is None
    assert numbers.limits("1 ml to 2 ml") is None


def test_nothing_is_written_above_what_was_asked():
    chance = random.Random(7)
    for _ in range(500):
        asked = 10 ** chance.uniform(-8, 2.5)
        text, unit, worth = numbers.written(asked)
        assert asked * 0.9989 - 1e-12 <= worth <= asked * (1 + 1e-12) + 1e-12
        found = numbers.volume(f"{text} {unit}l")
        assert found is not None
        assert numbers.close(found.ml, worth)
    for wrong in (0.0, 1e-10, 20000.0):
        with pytest.raises(ValueError, match="digits"):
            numbers.written(wrong)


# -- who it is


@pytest.mark.parametrize(
    ("kind", "device"),
    [(Harvard11Elite, simulated.HarvardPhdUltra), (HarvardPhdUltra, simulated.Harvard11Elite),
     (Harvard33Dds, simulated.HarvardPhdUltra)],
)  # fmt: skip
async def test_another_pump_of_the_maker_is_the_wrong_device(
    kind: type[HarvardPump], device: type[simulated.Harvard11Elite]
):
    with pytest.raises(WrongDevice, match="instead of a"):
        await Rig(kind, device=device).driver.identify()


async def test_a_device_that_does_not_know_ver_is_the_wrong_device():
    rig = Rig()
    rig.pump.handlers.pop("ver")
    rig.pump.handlers["ver"] = lambda argument, now: ["Unknown command"]
    with pytest.raises(WrongDevice, match="does not know ver"):
        await rig.driver.identify()


@pytest.mark.parametrize(
    ("address", "wrong"),
    [(100, {}), (0, {"diameter_mm": 40}), (0, {"target_counts": "sometimes"}), (0, {"no_such": 1})],
)
def test_options_that_no_pump_can_have_are_told(address: int, wrong: dict[str, float | str]):
    with pytest.raises(ValueError, match=r"outside|target_counts|option"):
        Harvard11Elite(Line(MemoryHost(simulated.Harvard11Elite(FreeBarrel())).link()), address, wrong)


async def test_pumps_of_one_chain_answer_for_themselves():
    barrels = [FreeBarrel(), FreeBarrel()]
    pumps = {"a": simulated.Harvard11Elite(barrels[0], 0), "b": simulated.Harvard11Elite(barrels[1], 12)}
    line = Line(MemoryHost(SharedLine(pumps)).link())
    drivers = [Harvard11Elite(line, address, CAPACITY) for address in (0, 12)]
    await drivers[1].start(Direction.DELIVER, 2.0, 10.0)
    await asyncio.sleep(30)
    assert (await drivers[1].read("infused_volume")).value == pytest.approx(2.0)
    assert (await drivers[0].read("infused_volume")).value == 0.0


# -- strokes


@pytest.mark.req("EQ-02")
@pytest.mark.parametrize("second_run", ["new dose", "since clear"])
@pytest.mark.parametrize("kind", [Harvard11Elite, HarvardPhdUltra, Harvard33Dds])
async def test_doses_end_by_themselves_whatever_a_target_counts_from(kind: type[HarvardPump], second_run: str):
    rig = await ready(Rig(kind, simulator={"second_run": second_run}))
    await rig.driver.totals()
    for direction, volume in ((Direction.DRAW, 5.0), (Direction.DELIVER, 2.0), (Direction.DELIVER, 1.5)):
        await rig.driver.start(direction, volume, 10.0)
        assert (await rig.driver.status()).motion is Motion.MOVING
        await done(rig)
    totals = await rig.driver.totals()
    assert (totals.drawn_ml, totals.delivered_ml) == (pytest.approx(5.0), pytest.approx(3.5))
    assert rig.moved_ml() == pytest.approx(8.5)


@pytest.mark.req("DS-06")
async def test_with_each_run_the_pumps_own_counters_run_on_over_a_restart():
    rig = await ready(Rig(options={"target_counts": "each run"}))
    for _ in range(2):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
        await done(rig)
    again = rig.another()
    assert (await again.totals()).delivered_ml == pytest.approx(2.0)
    assert not [text for text in rig.heard if text.startswith("c")]


@pytest.mark.req("DS-04", "DS-06")
async def test_a_wrong_word_about_the_target_gives_too_little_and_never_too_much():
    rig = await ready(Rig(options={"target_counts": "each run"}, simulator={"second_run": "since clear"}))
    await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    await done(rig)
    await rig.driver.start(Direction.DELIVER, 1.5, 10.0)
    await done(rig)
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(1.5)  # 0.5 of 1.5 mL: seen as partial
    assert rig.moved_ml() == pytest.approx(1.5)


@pytest.mark.req("DS-06")
async def test_without_it_a_driver_that_restarted_begins_at_zero():
    """The counters were cleared for the dose: the old baseline says nothing about them."""
    rig = await ready(Rig())
    await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    await done(rig)
    again = rig.another()
    assert (await again.totals()).delivered_ml == 0.0
    assert not again.totals_survive_power_loss


@pytest.mark.parametrize(
    ("volume", "rate"), [(0, 1), (-1, 1), (10.1, 1), (float("nan"), 1), (1, 0), (1, float("nan")), (1, 27), (1, 1e-7)]
)
async def test_a_stroke_beyond_syringe_or_motor_is_out_of_range(volume: float, rate: float):
    rig = await ready(Rig())
    with pytest.raises(OutOfRange):
        await rig.driver.start(Direction.DELIVER, volume, rate)
    assert not any(text.startswith(("irun", "tvolume ")) for text in rig.heard)


async def test_a_volume_too_small_to_be_written_is_refused():
    rig = await ready(Rig())
    with pytest.raises(Refused, match="digits"):
        await rig.driver.start(Direction.DELIVER, 1e-10, 1.0)
    with pytest.raises(OutOfRange, match="capacity_ml"):
        await Harvard11Elite(rig.driver.line).start(Direction.DELIVER, 1.0, 1.0)


async def test_what_the_pump_took_is_told_and_only_what_differs_is_written():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 1.23456, 2.34567)
    assert rig.driver.programmed == (Direction.DRAW, pytest.approx(1.234), pytest.approx(2.345))
    await done(rig)
    rig.heard.clear()
    await rig.driver.start(Direction.DRAW, 1.23456, 2.34567)
    assert "wrun" in rig.heard
    assert rig.heard.count("wrun") == 1
    assert not any(text.startswith(("wrate ", "tvolume ")) for text in rig.heard)


async def test_a_moving_pump_starts_no_second_stroke():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DELIVER, 2.0, 2.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.start(Direction.DELIVER, 1.0, 2.0)
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.write("infuse_rate", 3.0)
    await done(rig)
    assert rig.moved_ml() == pytest.approx(2.0)


async def test_stop_ends_a_stroke_and_tolerates_a_pump_at_rest():
    rig = await ready(Rig())
    await rig.driver.stop()
    await rig.driver.start(Direction.DELIVER, 4.0, 4.0)
    await asyncio.sleep(30)
    await rig.driver.stop()
    stopped = rig.moved_ml()
    assert 1.9 < stopped < 2.1
    await asyncio.sleep(60)
    await rig.driver.stop()
    assert rig.moved_ml() == stopped
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(stopped, abs=1e-3)
    await rig.driver.start(Direction.DELIVER, 1.0, 4.0)
    await done(rig)
    assert rig.moved_ml() == pytest.approx(stopped + 1.0, abs=1e-6)


async def test_a_pump_that_calls_a_stop_at_rest_an_error_is_stopped_all_the_same():
    rig = await ready(Rig())
    rig.pump.handlers["stp"] = lambda argument, now: ["Command error"]
    await rig.driver.stop()
    await rig.driver.start(Direction.DELIVER, 4.0, 4.0)
    with pytest.raises(NoAnswer, match="not stopped"):
        await rig.driver.stop()


async def test_a_stop_that_nobody_answers_is_no_stop():
    rig = await ready(Rig())
    rig.fault("silence")
    with pytest.raises(NoAnswer):
        await rig.driver.stop()


async def test_unless_is_asked_right_before_the_one_command():
    rig = await ready(Rig())
    with pytest.raises(Refused, match="a stop came"):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0, unless=lambda: "tvolume 1 ml" in rig.heard)
    start = asyncio.ensure_future(rig.driver.start(Direction.DELIVER, 1.5, 10.0))
    await asyncio.sleep(0.05)
    await rig.driver.stop()
    with pytest.raises(Refused, match="a stop came"):
        await start
    assert "irun" not in rig.heard


@pytest.mark.req("DS-03")
async def test_a_start_whose_answer_is_lost_is_not_sent_again():
    rig = await ready(Rig())
    real = rig.driver.talk.tell

    async def tell(command: str) -> str:
        if command == "irun":
            rig.fault("mute:for_s=1")
        return await real(command)

    rig.driver.talk.tell = tell  # the fault begins at the start
    missed = rig.driver.replies_missed
    with pytest.raises(NoAnswer):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    assert rig.driver.replies_missed == missed + 1
    await done(rig)
    assert rig.heard.count("irun") == 1
    assert rig.moved_ml() == pytest.approx(1.0)


async def test_a_pump_that_dies_while_a_stroke_is_written_was_not_started():
    rig = await ready(Rig())
    rig.fault("silence")
    with pytest.raises(Refused, match="it was not started"):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)


async def test_a_refused_start_and_a_wrong_direction_are_told_apart():
    rig = await ready(Rig())
    rig.pump.handlers["irun"] = lambda argument, now: ["Command error"]
    with pytest.raises(Refused, match="Quick Start"):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    wrun = rig.pump._run  # pyright: ignore

    def backwards(argument: str, now: float) -> list[str]:
        rig.pump._word = "wrun"  # pyright: ignore
        return wrun(argument, now)

    rig.pump.handlers["irun"] = backwards
    with pytest.raises(BadFrame, match="unknown"):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)


async def test_a_counter_that_does_not_clear_starts_nothing():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    await done(rig)
    rig.pump.handlers["civolume"] = lambda argument, now: []
    with pytest.raises(Refused, match="after it was cleared"):
        await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    assert rig.heard.count("irun") == 1


# -- alarms and power


async def test_a_stall_is_an_alarm_and_stays_until_it_is_acknowledged_at_the_pump():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DELIVER, 4.0, 4.0)
    await asyncio.sleep(15)
    rig.pump.stall(rig.host.now)
    for _ in range(2):
        status = await rig.driver.status()
        assert status.motion is Motion.ALARM
        assert "stalled" in status.alarm
    assert rig.driver.alarms_met == 1
    await rig.driver.prepare()
    status = await rig.driver.status()
    assert status.motion is Motion.STOPPED
    assert "acknowledge it" in status.alarm
    with pytest.raises(Refused, match="acknowledge it"):
        await rig.driver.start(Direction.DELIVER, 1.0, 4.0)
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(1.0, abs=0.05)
    rig.pump.acknowledge()
    assert (await rig.driver.status()).alarm == ""
    await rig.driver.start(Direction.DELIVER, 1.0, 4.0)


@pytest.mark.req("DS-06")
@pytest.mark.parametrize("options", [{}, {"target_counts": "each run"}])
async def test_counters_that_went_back_are_an_alarm_and_begin_anew(options: dict[str, float | str]):
    rig = await ready(Rig(options=options))
    await rig.driver.totals()
    await rig.driver.start(Direction.DELIVER, 2.0, 10.0)
    await done(rig)
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(2.0)
    await rig.driver.start(Direction.DELIVER, 2.0, 2.0)
    await asyncio.sleep(30)
    await rig.driver.totals()
    rig.host.power_cycle()
    await asyncio.sleep(1)
    assert (await rig.driver.totals()).delivered_ml == 0.0  # below the baseline of 2.0 mL
    assert "went back" in (await rig.driver.status()).alarm
    with pytest.raises(Refused, match="went back"):
        await rig.driver.start(Direction.DELIVER, 1.0, 2.0)
    await rig.driver.prepare()
    await rig.driver.start(Direction.DELIVER, 1.0, 2.0)


async def test_a_hand_on_the_run_key_is_counted():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    await done(rig)
    rig.pump.press_run(rig.host.now)
    await done(rig)
    assert (await rig.driver.totals()).delivered_ml == pytest.approx(2.0)


async def test_a_prompt_that_comes_by_itself_at_the_target_disturbs_nothing():
    rig = await ready(Rig(simulator={"announces": 1}))
    await rig.driver.start(Direction.DELIVER, 1.0, 10.0)
    missed = rig.driver.replies_missed
    for _ in range(10):
        await asyncio.sleep(1)
        assert (await rig.driver.poll())["infused_volume"].quality is Quality.GOOD
    assert rig.driver.replies_missed == missed
    assert (await rig.driver.status()).motion is Motion.STOPPED


async def test_an_answer_that_nobody_asked_for_makes_no_number():
    rig = await ready(Rig())
    ask = rig.driver.talk.ask

    async def asked(question: str) -> tuple[str, str]:
        if question == "wvolume":
            rig.host.act([Send(0.005, b"\n00:9 ml\r\n00:")])  # late, in front of the true answer
        return await ask(question)

    rig.driver.talk.ask = asked
    readings = await rig.driver.poll()
    assert readings["withdrawn_volume"].quality is Quality.BAD
    assert "nobody asked" in readings["withdrawn_volume"].why


# -- signals and set points


async def test_every_signal_says_what_the_pump_says():
    rig = await ready(Rig())
    await rig.driver.start(Direction.DRAW, 3.0, 6.0)
    await asyncio.sleep(10)
    values = {name: reading.value for name, reading in (await rig.driver.poll()).items()}
    assert values.pop("withdrawn_volume") == pytest.approx(1.0, abs=0.1)
    assert values.pop("rate") == pytest.approx(6.0)
    assert values.pop("slowest_rate") == pytest.approx(1.26e-6)
    assert values == {
        "infused_volume": 0.0, "motion": "moving", "alarm": "", "limit_switch": "none", "trigger": False,
        "target_volume": 3.0, "infuse_rate": 1.0, "withdraw_rate": 6.0, "fastest_rate": 26.02, "diameter": 14.567,
        "syringe_volume": 10.0, "force": 50.0,
    }  # fmt: skip


async def test_what_hardly_changes_is_asked_once_a_minute():
    rig = await ready(Rig())
    assert "diameter" in await rig.driver.poll()
    assert "diameter" not in await rig.driver.poll()
    await asyncio.sleep(60)
    assert "diameter" in await rig.driver.poll()


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [("infuse_rate", 2.5, -1, 27), ("withdraw_rate", 0.012, 1e-8, 30), ("diameter", 12.5, 0.9, 33.1),
     ("syringe_volume", 20, 0, 501), ("force", 30, 0, 101)],
)  # fmt: skip
async def test_set_points_have_limits_and_are_read_back(name: str, value: float, low: float, high: float):
    rig = await ready(Rig())
    assert (await rig.driver.write(name, value)).value == pytest.approx(value)
    assert (await rig.driver.read(name)).value == pytest.approx(value)
    for beyond in (low, high):
        with pytest.raises(OutOfRange):
            await rig.driver.write(name, beyond)


async def test_what_cannot_be_set_is_refused():
    rig = await ready(Rig())
    for name, value in (("rate", 1.0), ("motion", "moving"), ("force", "much"), ("force", float("nan"))):
        with pytest.raises(Refused):
            await rig.driver.write(name, value)
    rig.pump.handlers["force"] = lambda argument, now: ["50%"]
    with pytest.raises(Refused, match="force is 50 after 30"):
        await rig.driver.write("force", 30)


async def test_prepare_sets_the_syringe_only_when_it_differs_and_only_at_rest():
    rig = await ready(Rig(options={"diameter_mm": 20.0}))
    assert rig.pump.state.diameter_mm == 20.0
    rig.heard.clear()
    await rig.driver.prepare()
    assert rig.heard == ["diameter"]
    await rig.driver.start(Direction.DELIVER, 2.0, 2.0)
    rig.pump.state.diameter_mm = 19.0
    with pytest.raises(Refused, match="stop it first"):
        await rig.driver.prepare()


async def test_a_phd_ultra_is_told_to_spare_its_memory_once():
    rig = await ready(Rig(HarvardPhdUltra))
    assert rig.pump.state.nvram == "none"
    rig.heard.clear()
    await rig.driver.prepare()
    assert rig.heard == ["nvram"]
    rig.pump.handlers["nvram"] = lambda argument, now: ["Unknown command"]
    await rig.driver.prepare()


@pytest.mark.parametrize(
    ("command", "said"),
    [("ivolume", "plenty"), ("irate", "1 ml"), ("irate lim", "1 ml/min"), ("status", "1 2 3"), ("diameter", "14.5"),
     ("force", "30")],
)  # fmt: skip
async def test_a_text_where_a_number_belongs_is_bad(command: str, said: str):
    rig = await ready(Rig())
    rig.pump.handlers[command.split()[0]] = lambda argument, now: [said]
    readings = await rig.driver.poll()
    assert [each for each in readings.values() if each.quality is Quality.BAD and said in each.why]


async def test_on_a_cut_cable_every_signal_is_bad():
    rig = await ready(Rig())
    rig.fault("silence")
    assert {reading.quality for reading in (await rig.driver.poll()).values()} == {Quality.BAD}


@pytest.mark.req("EQ-01", "EQ-02")
def test_the_driver_declares_what_it_does_when_nobody_talks_to_it():
    assert Harvard11Elite.bounded
    assert Harvard11Elite.on_link_loss.value == "finishes its bounded move"
    assert "not known" in Harvard11Elite.continuity
    assert not Harvard11Elite.checksum


# -- the simulator by itself


@pytest.mark.parametrize(
    ("text", "said"),
    [("xyz", "Unknown command"), ("irate 99 ml/min", "Out of range"), ("0:ivol", "0 ml"), ("iru", "Unknown command"),
     ("irate 5 furlongs", "Argument error: 5 furlongs"), ("tvolume 5", "Argument error: 5"), ("load qs iw", ""),
     ("diameter x", "Argument error: x"), ("diameter 60", "Out of range"), ("svolume 5", "Argument error: 5"),
     ("force x", "Argument error: x"), ("force 101", "Out of range"), ("address", "Pump address is 0"),
     ("address 100", "Out of range"), ("nvram x", "Argument error: x"), ("poll x", "Argument error: x"),
     ("poll", "Polling mode is OFF"), ("force", "50%"), ("svolume", "10 ml"), ("diameter", "14.5670 mm"),
     ("crate", "")],
)  # fmt: skip
def test_commands_are_judged_as_the_sheet_says(text: str, said: str):
    line = f"\n00:{said}\r" if said else ""
    assert say(simulated.Harvard11Elite(FreeBarrel()), text) == line + "\n00:"
    assert say(simulated.Harvard11Elite(FreeBarrel(), 1), "irun") == ""


def test_a_phd_ultra_explains_a_range_error_in_a_second_line():
    said = say(simulated.HarvardPhdUltra(FreeBarrel()), "irate 99 ml/min")
    assert said == "\nRange error:\r\n   the value is outside the limits of the pump\r\n:"


def test_rates_may_be_the_largest_and_the_smallest_and_change_their_units():
    pump = simulated.Harvard11Elite(FreeBarrel())
    say(pump, "irate max")
    assert say(pump, "irate") == "\n00:26.02 ml/min\r\n00:"
    say(pump, "wrate min")
    assert say(pump, "wrate") == "\n00:1.26 nl/min\r\n00:"
    say(pump, "irate 60 u/h")
    assert say(pump, "irate") == "\n00:1 ul/min\r\n00:"


def test_poll_modes_change_the_end_of_a_reply():
    pump = simulated.Harvard11Elite(FreeBarrel())
    assert say(pump, "poll remote") == ""
    assert say(pump, "ivolume") == "\n0 ml\r"
    say(pump, "poll on")
    assert say(pump, "ivolume") == "\n00:0 ml\r\n00:\x11"
    pump.power_cycle(0.0)
    assert say(simulated.Harvard11Elite(FreeBarrel(), options={"plain": 1}), "ivolume") == "\n0 ml\r\n:"


def test_runs_directions_and_what_is_refused_on_the_way():
    pump = simulated.Harvard11Elite(FreeBarrel())
    assert say(pump, "wrun") == "\n00<"
    assert say(pump, "crate", 30.0) == "\n00:1 ml/min\r\n00<"
    for text in ("cvolume", "tvolume 1 ml", "irun"):
        assert say(pump, text, 30.0) == "\n00:Command error\r\n00<"
    assert say(pump, "status", 30.0).split(" ")[3] == "W...W.\r\n00<"
    assert say(pump, "stop", 60.0) == "\n00:"
    assert say(pump, "rrun", 60.0) == "\n00>"
    say(pump, "stp", 90.0)
    assert say(pump, "run", 90.0) == "\n00>"
    say(pump, "stp", 90.0)
    assert (pump.state.infused_ml, pump.state.withdrawn_ml) == (pytest.approx(0.5), pytest.approx(1.0))
    say(pump, "cwvolume", 90.0)
    assert (pump.state.infused_ml, pump.state.withdrawn_ml) == (pytest.approx(0.5), 0.0)


def test_a_second_run_after_the_target_ends_at_once_or_is_a_new_dose():
    for option, moved in (("new dose", 4.0), ("since clear", 2.0)):
        pump = simulated.Harvard11Elite(FreeBarrel(), options={"second_run": option})
        for at in (0.0, 500.0):
            say(pump, "tvolume 2 ml", at)
            say(pump, "irun", at)
        say(pump, "", 1000.0)
        assert pump.state.infused_ml == pytest.approx(moved)
        assert say(pump, "ctvolume", 1000.0) == "\n00:"
        assert say(pump, "tvolume", 1000.0) == "\n00:Target volume not set\r\n00:"


@pytest.mark.parametrize("kept", [0, 1])
def test_a_power_cycle_ends_the_run_and_may_lose_the_counters(kept: int):
    barrel = FreeBarrel()
    pump = simulated.Harvard11Elite(barrel, 7, options={"counters_kept": kept})
    say(pump, "7diameter 20")
    say(pump, "7irun")
    pump.power_cycle(60.0)
    barrel.halt(200.0)
    assert barrel.pushed_out_ml == pytest.approx(1.0)
    assert say(pump, "07:", 60.0) == "\n07:"
    assert pump.state.infused_ml == pytest.approx(1.0 * kept)
    assert pump.state.diameter_mm == 20.0
    assert say(pump, "7 address 8", 60.0) == "\n08:"


def test_a_rate_changed_while_it_runs_ends_at_the_same_target():
    barrel = FreeBarrel()
    pump = simulated.Harvard11Elite(barrel)
    for text in ("tvolume 2 ml", "irate 1 ml/min", "irun"):
        say(pump, text)
    assert say(pump, "irate 4 ml/min", 60.0) == "\n00>"
    assert pump.wake_at == pytest.approx(75.0)
    assert say(pump, "wrate 9 ml/min", 61.0) == "\n00>"
    assert pump.wake_at == pytest.approx(75.0)
    pump.wake(75.0)
    assert say(pump, "ivolume", 80.0) == "\n00:2 ml\r\n00T*"
    barrel.halt(100.0)
    assert barrel.pushed_out_ml == pytest.approx(2.0)


def test_a_target_time_ends_a_run_and_times_are_told_and_cleared():
    pump = simulated.Harvard11Elite(FreeBarrel())
    assert say(pump, "ttime") == "\n00:Target time not set\r\n00:"
    assert say(pump, "ttime soon") == "\n00:Argument error: soon\r\n00:"
    assert say(pump, "ttim 30") == "\n00:"
    say(pump, "irun")
    assert say(pump, "itime", 10.0) == "\n00:10 sec\r\n00>"
    assert say(pump, "citime", 11.0) == "\n00:Command error\r\n00>"
    pump.wake(30.0)
    assert say(pump, "ivolume", 31.0) == "\n00:500 ul\r\n00T*"
    assert say(pump, "ctime", 32.0) == "\n00T*"
    assert say(pump, "itime", 33.0) == "\n00:0 sec\r\n00T*"
    assert say(pump, "cttime", 34.0) == "\n00:"
    assert say(pump, "ttime 01:00:00", 35.0) == "\n00:"
    assert say(pump, "ttime", 36.0) == "\n00:01:00:00\r\n00:"


def test_syringe_table_gang_and_the_long_answers_are_known():
    pump = simulated.Harvard11Elite(FreeBarrel())
    assert "bdp" in say(pump, "syrmanu ?")
    assert say(pump, "syrm bdp 10 ml") == "\n00:"
    assert say(pump, "syrm") == "\n00:bdp 10 ml\r\n00:"
    assert say(pump, "syrm xyz 10 ml") == "\n00:Argument error: xyz 10 ml\r\n00:"
    assert say(pump, "gang 2") == "\n00:"
    assert say(pump, "gang") == "\n00:2 syringes\r\n00:"
    assert say(pump, "gang x") == "\n00:Argument error: x\r\n00:"
    assert say(pump, "metrics").count("\r") > 3
    assert "11 ELITE" in say(pump, "version")
    assert say(pump, "force 30%") == "\n00:"
    assert say(pump, "diameter 34") == "\n00:Out of range\r\n00:"


def test_a_snapshot_in_mid_stroke_goes_on_as_if_nothing_had_been():
    pump = simulated.Harvard11Elite(FreeBarrel())
    say(pump, "tvolume 2 ml")
    say(pump, "irun")
    pump.receive(Bytes(b"ivol"), 30.0)
    saved = json.loads(json.dumps(pump.snapshot()))
    other = simulated.Harvard11Elite(FreeBarrel())
    other.restore(saved)
    for one in (pump, other):
        assert say(one, "ume", 30.0) == "\n00:500 ul\r\n00>"
        assert one.wake_at == 120.0
        one.wake(120.0)
        assert say(one, "", 130.0) == "\n00T*"
