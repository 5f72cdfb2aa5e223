"""The hose pump: the sheet's frames on both ends, batches the pump ends, its time-out and the start after it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.core.wire.modbus import read_request
from drivers.devices.prominent_dfxa import ProminentDfxa as Driver
from drivers.devices.prominent_dfxa import words
from drivers.devices.prominent_dfxa.conversation import Conversation, resolution_ml
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Event, Send
from simulators.devices import hamilton_arc
from simulators.devices.prominent_dfxa import ProminentDfxa as Pump
from simulators.standalone import FreeTube, StillLiquid
from tests.devices.golden import golden
from tests.devices.rig import Dose, Rig

OPTIONS = {"capacity_ml": 500.0}
DOSES = {"prominent_dfxa": Dose(100.0, 300.0, OPTIONS, (Direction.DELIVER,))}
TRIGGER = bytes.fromhex("14 06 04 D3 55 55 84 A9")
STOP = bytes.fromhex("14 06 04 B0 00 00 8B D8")

GOLDEN = golden(
    "prominent_dfxa",
    r"""
    Examples | X | > 14 03 00 3F 00 02 F6 C2 | < 14 03 04 AA BB CC DD 7A 56 | pattern, high word first
    Examples | X | > 14 03 00 3F 00 02 F6 C2 | < 14 03 04 CC DD AA BB 2F 4B | pattern, low word first
    Examples | X | > 14 03 03 E8 00 02 46 BE | < 14 03 04 00 00 01 00 BF 62 | status when stopped
    Examples | X | > 14 03 04 02 00 02 66 3E | < 14 03 04 00 00 00 07 FF 30 | seven power-ups
    Examples | X | > 14 03 04 0A 00 02 E7 FC | < 14 03 04 3F A0 00 00 B2 C4 | total 1.25 l
    Examples | X | > 14 03 04 10 00 02 C6 3B | < 14 03 04 3D 4C CC CD E6 1C | remaining 0.05 l
    Examples | X | > 14 06 04 CD 00 03 5B C1 | < 14 06 04 CD 00 03 5B C1 | batch mode
    Examples | X | > 14 10 04 BF 00 02 04 3D CC CC CD 96 51 | < 14 10 04 BF 00 02 73 D9 | batch of 0.1 l
    Examples | X | > 14 10 04 BB 00 02 04 40 00 00 00 DB 64 | < 14 10 04 BB 00 02 32 18 | 2 l/h
    Examples | X | > 14 06 04 B0 00 01 4A 18 | < 14 06 04 B0 00 01 4A 18 | run
    Examples | X | > 14 06 04 B0 00 00 8B D8 | < 14 06 04 B0 00 00 8B D8 | stop
    Examples | X | > 14 06 04 D3 55 55 84 A9 | < 14 06 04 D3 55 55 84 A9 | trigger
    Examples | X | > 14 06 04 D4 55 55 35 68 | < 14 06 04 D4 55 55 35 68 | acknowledge
    """,
)
"""The acknowledgement of 2 l/h is ours, in the form of its neighbour."""


class Bench(Rig[Driver]):
    """A pump on a tube, and what was sent to it."""

    def __init__(self, options: dict[str, float | str] | None = None, **simulated: float | str) -> None:
        self.tube = FreeTube()
        self.pump = Pump(self.tube, 20, None, simulated)
        super().__init__(Driver, self.pump, 20, {**OPTIONS, **(options or {})})
        self.place = self.tube
        self.sent: list[bytes] = []
        receive = self.pump.receive

        def record(event: Event, now: float):
            if isinstance(event, Bytes):
                self.sent.append(event.data)
            return receive(event, now)

        self.pump.receive = record  # type: ignore[method-assign]

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def triggers(self) -> int:
        return self.sent.count(TRIGGER)

    def another(self, **options: float | str) -> Driver:
        """Another process takes the cable."""
        return Driver(Line(self.host.link()), 20, {**OPTIONS, **options})

    async def watch(self, seconds: float) -> None:
        """Poll as the controller looks."""
        for _ in range(round(seconds)):
            await self.driver.poll()
            await asyncio.sleep(1)


async def ready(options: dict[str, float | str] | None = None, **simulated: float | str) -> Bench:
    bench = Bench(options, **simulated)
    await bench.driver.identify()
    await bench.driver.prepare()
    return bench


def raw(pump: Pump, request: str, now: float = 0.0) -> bytes:
    value, body = 0xFFFF, bytes.fromhex(request)
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    actions = pump.receive(Bytes(body + value.to_bytes(2, "little")), now)
    return actions[0].data[:-2] if actions and isinstance(actions[0], Send) else b""


# -- the sheet, on each end


def test_the_simulator_answers_the_sheets_frames():
    pump = Pump(FreeTube())
    pump.state.remaining_l = 0.05
    GOLDEN.check_simulator(
        pump, "pattern, high word first", "status when stopped", "seven power-ups", "total 1.25 l", "remaining 0.05 l",
        "batch mode", "batch of 0.1 l", "2 l/h", "run", "stop", "trigger", "acknowledge",
    )  # fmt: skip
    GOLDEN.check_simulator(Pump(FreeTube(), options={"word_order": "low"}), "pattern, low word first")
    assert pump.state.batch_l == pytest.approx(0.1)
    assert pump.state.rate_l_h == 2.0


async def test_the_driver_sends_and_reads_the_sheets_frames():
    for name, asked, value in (
        ("seven power-ups", "power_ups", 7), ("total 1.25 l", "delivered_volume", 1250.0),
        ("remaining 0.05 l", "remaining_volume", 50.0), ("status when stopped", "status", 0x100),
    ):  # fmt: skip
        async with GOLDEN.line(name) as line:
            assert await Driver(line, 20, OPTIONS).talk.value(asked) == pytest.approx(value)
    async with GOLDEN.line("batch mode", "batch of 0.1 l", "2 l/h", "run", "stop", "trigger", "acknowledge") as line:
        talk = Driver(line, 20, OPTIONS).talk
        await talk.put("target_mode", words.BATCH)
        await talk.put("batch_volume", 100.0)
        await talk.put("target_rate", 2000 / 60)
        await talk.put("run", 1)
        await talk.put("run", 0)
        await talk.put("trigger", words.GO)
        await talk.put("acknowledge", words.GO)
    for name, low_first in (("pattern, high word first", False), ("pattern, low word first", True)):
        async with GOLDEN.line(name) as line:
            talk = Driver(line, 20, OPTIONS).talk
            data = await talk.registers(63, 2)
            assert data == bytes.fromhex("CCDDAABB" if low_first else "AABBCCDD")


# -- what the sheet leaves open is found out


@pytest.mark.parametrize("order", ["high", "low"])
@pytest.mark.parametrize("base", [-1, 0, 1])
@pytest.mark.parametrize("characters", ["plain", "swapped"])
async def test_word_order_and_number_base_are_found_by_the_constant(order: str, base: int, characters: str):
    bench = Bench(word_order=order, number_base=base, characters=characters)
    identity = await bench.driver.identify()
    assert (identity.maker, identity.type, identity.serial) == ("ProMinent", "DFXaE0PP0000A10", "2000020")
    await bench.driver.prepare()
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(25)
    assert bench.moved_ml() == pytest.approx(100.0, abs=1e-3)
    assert (await bench.driver.totals()).delivered_ml == pytest.approx(1350.0, abs=1e-3)


def test_a_register_that_is_not_there_is_the_sheets_exception():
    """The sheet has the reply only; the request, for register 66, is ours."""
    actions = Pump(FreeTube()).receive(Bytes(read_request(20, 3, 66, 1)), 0.0)
    assert [action.data for action in actions if isinstance(action, Send)] == [bytes.fromhex("14 83 02 D1 35")]


async def test_identify_only_asks():
    bench = Bench()
    await bench.driver.identify()
    assert bench.sent
    assert all(frame[1] == 3 for frame in bench.sent)


async def test_a_gamma_x_or_another_modbus_device_is_the_wrong_device():
    with pytest.raises(WrongDevice, match="GMXa"):
        await Bench(code="GMXa1602PVT").driver.identify()
    probe = hamilton_arc.HamiltonArcPh(StillLiquid(), 20)
    with pytest.raises(WrongDevice, match="AABBCCDD"):
        await Driver(Line(MemoryHost(probe).link()), 20, OPTIONS).identify()


async def test_nobody_answers_for_another_address():
    bench = Bench()
    with pytest.raises(NoAnswer):
        await Driver(Line(bench.host.link()), 21, OPTIONS).identify()


async def test_two_pumps_on_one_line_dose_for_themselves():
    tubes = FreeTube(), FreeTube()
    host = MemoryHost(SharedLine({"a": Pump(tubes[0], 20), "b": Pump(tubes[1], 21)}))
    line = Line(host.link())
    drivers = [Driver(line, address, OPTIONS) for address in (20, 21)]
    for driver in drivers:
        await driver.identify()
        await driver.prepare()
    await asyncio.gather(
        drivers[0].start(Direction.DELIVER, 50.0, 300.0), drivers[1].start(Direction.DELIVER, 20.0, 300.0)
    )
    for _ in range(15):
        await asyncio.gather(*(driver.poll() for driver in drivers))
        await asyncio.sleep(1)
    assert [(await driver.totals()).delivered_ml for driver in drivers] == [
        pytest.approx(1300.0, abs=1e-3),
        pytest.approx(1270.0, abs=1e-3),
    ]


# -- connecting


async def test_prepare_makes_the_pump_stay_off_after_a_power_failure_and_writes_only_what_differs():
    bench = Bench()
    bench.pump.state.at_power_up = 2
    await bench.driver.identify()
    await bench.driver.prepare()
    assert bench.pump.state.at_power_up == 0
    bench.sent.clear()
    await bench.driver.prepare()
    assert all(frame[1] == 3 for frame in bench.sent)


async def test_the_first_message_after_meeting_a_pump_is_stop():
    bench = Bench()
    bench.pump.state.run, bench.pump.state.mode, bench.pump.state.remaining_l = 1, 3, 0.1
    await bench.driver.identify()
    bench.sent.clear()
    await bench.driver.prepare()
    assert bench.sent[0] == STOP


async def test_every_signal_of_a_standing_pump():
    found = await (await ready()).driver.poll()
    assert {name: reading.value for name, reading in found.items()} == {
        "delivered_volume": 1250.0, "remaining_volume": 0.0, "dosing_rate": 0.0,
        "maximum_rate": pytest.approx(65000 / 60), "motion": "stopped", "mode": "external stop", "alarm": "",
        "warning": "", "power_ups": 7, "revolutions": 12, "level": 80,
    }  # fmt: skip
    assert {reading.quality for reading in found.values()} == {Quality.GOOD}


async def test_a_dosing_pump_shows_its_rate_and_what_is_left():
    bench = await ready()
    bench.pump.state.warnings = 1 | 1 << 13
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(3)
    found = await bench.driver.poll()
    assert found["dosing_rate"].value == pytest.approx(300.0)
    assert found["motion"].value == "moving"
    assert found["mode"].value == "batch"
    assert found["warning"].value == "feed tank low; temperature"
    assert found["remaining_volume"].value == pytest.approx(1350 - float(found["delivered_volume"].value or 0), abs=1)


async def test_numbers_that_make_no_sense_are_bad():
    bench = await ready()
    bench.pump.state.total_l = float("nan")
    assert {reading.quality for reading in (await bench.driver.poll()).values()} == {Quality.BAD}
    bench.pump.state.total_l = 1.25
    bench.pump.state.level_percent = 300
    found = await bench.driver.poll()
    assert found["level"].quality is Quality.BAD
    assert found["motion"].quality is Quality.GOOD


@pytest.mark.req("EQ-01", "EQ-02")
def test_the_driver_declares_what_the_pump_does_when_nobody_talks_to_it():
    assert Driver.bounded
    assert Driver.on_link_loss is LinkLoss.STOPS_AFTER_WATCHDOG
    assert "starts up by itself" in Driver.watchdog
    assert Driver.not_sought
    assert not Driver.totals_survive_power_loss
    assert Driver.verified is None


# -- batches


@pytest.mark.req("EQ-02")
async def test_a_batch_ends_by_itself_at_its_volume_and_the_total_proves_it():
    bench = await ready()
    before = (await bench.driver.totals()).delivered_ml
    await bench.driver.start(Direction.DELIVER, 120.0, 400.0)
    assert (await bench.driver.status()).motion is Motion.MOVING
    await bench.watch(30)
    assert (await bench.driver.status()).motion is Motion.STOPPED
    assert (await bench.driver.totals()).delivered_ml - before == pytest.approx(120.0, abs=1e-3)
    assert bench.moved_ml() == pytest.approx(120.0, abs=1e-3)
    assert bench.triggers() == 1
    assert bench.driver.programmed == (pytest.approx(120.0), pytest.approx(400.0))


async def test_totals_run_on_over_batches():
    bench = await ready()
    for number in range(1, 4):
        await bench.driver.start(Direction.DELIVER, 30.0, 600.0)
        await bench.watch(8)
        assert (await bench.driver.totals()).delivered_ml == pytest.approx(1250 + 30 * number, abs=1e-3)
    assert bench.triggers() == 3


@pytest.mark.parametrize("turns", ["clockwise", "counterclockwise"])
async def test_the_hose_may_lie_either_way(turns: str):
    bench = await ready({"turns": turns})
    await bench.driver.start(Direction.DELIVER, 30.0, 600.0)
    await bench.watch(8)
    bench.moved_ml()
    moved = (bench.tube.pushed_out_ml, bench.tube.pulled_in_ml)
    assert moved == (pytest.approx(30.0), 0.0) if turns == "clockwise" else (0.0, pytest.approx(30.0))


async def test_an_older_edition_without_a_direction_turns_clockwise_only():
    bench = await ready(edition=1)
    await bench.driver.start(Direction.DELIVER, 30.0, 600.0)
    await bench.watch(8)
    assert bench.moved_ml() == pytest.approx(30.0)
    other = await ready({"turns": "counterclockwise"}, edition=1)
    with pytest.raises(Refused, match="clockwise only"):
        await other.driver.start(Direction.DELIVER, 30.0, 600.0)
    assert other.moved_ml() == 0


async def test_doses_backwards_are_refused_because_the_total_may_not_count_them():
    bench = await ready()
    bench.sent.clear()
    with pytest.raises(Refused, match="counts backwards is unknown"):
        await bench.driver.start(Direction.DRAW, 10.0, 300.0)
    assert bench.sent == []


@pytest.mark.parametrize("volume", [0.0, -1.0, 500.1, float("nan")])
async def test_a_batch_beyond_the_stated_capacity_never_reaches_the_wire(volume: float):
    bench = await ready()
    bench.sent.clear()
    with pytest.raises(OutOfRange, match="capacity_ml"):
        await bench.driver.start(Direction.DELIVER, volume, 300.0)
    assert bench.sent == []


@pytest.mark.parametrize("rate", [0.0, -1.0, 1084.0, float("nan")])
async def test_a_rate_beyond_the_pumps_own_is_refused_before_anything_is_written(rate: float):
    bench = await ready()
    bench.sent.clear()
    with pytest.raises(OutOfRange, match="register 1020"):
        await bench.driver.start(Direction.DELIVER, 10.0, rate)
    assert all(frame[1] == 3 for frame in bench.sent)


async def test_a_pump_without_a_stated_capacity_or_before_prepare_moves_nothing():
    bench = await ready({"capacity_ml": 0.0})
    with pytest.raises(OutOfRange):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    fresh = Bench()
    await fresh.driver.identify()
    with pytest.raises(Refused, match="prepare it first"):
        await fresh.driver.start(Direction.DELIVER, 10.0, 300.0)


@pytest.mark.parametrize("timeout_ms", [0, 300])
async def test_without_a_time_out_of_its_own_the_pump_gives_no_dose(timeout_ms: int):
    bench = await ready(timeout_ms=timeout_ms)
    with pytest.raises(Refused, match="time-out"):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    assert bench.moved_ml() == 0


async def test_a_volume_the_pump_clips_is_refused_and_nothing_moves():
    bench = await ready()
    bench.pump.blocks.pop(1215)
    bench.pump._f32(1215, lambda now: 0.05, lambda value, now: None)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(Refused, match="batch_volume is 50"):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    assert bench.triggers() == 0
    assert bench.moved_ml() == 0


async def test_a_moving_pump_starts_no_second_batch():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    with pytest.raises(Refused, match="stop it first"):
        await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    assert bench.triggers() == 1


async def test_a_rest_of_an_earlier_batch_stands_against_a_start_and_stop_drops_it():
    bench = await ready()
    bench.pump.state.remaining_l = 0.04
    assert (await bench.driver.status()).motion is Motion.PAUSED
    with pytest.raises(Refused, match="stop it first"):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    await bench.driver.stop()
    await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    await bench.watch(6)
    assert bench.moved_ml() == pytest.approx(10.0)


async def test_a_rest_that_cannot_be_cleared_is_told_and_never_delivered():
    bench = await ready(clears=0)
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(5)
    with pytest.raises(Refused, match="clear it at the pump"):
        await bench.driver.stop()
    moved = bench.moved_ml()
    with pytest.raises(Refused):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    await bench.watch(30)
    assert bench.moved_ml() == moved


async def test_stop_ends_a_batch_for_good_and_tolerates_a_pump_at_rest():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(5)
    await bench.driver.stop()
    moved = bench.moved_ml()
    assert 20 < moved < 40
    await bench.driver.stop()
    assert (await bench.driver.status()).motion is Motion.STOPPED
    await bench.watch(30)
    assert bench.moved_ml() == moved
    assert (await bench.driver.totals()).delivered_ml == pytest.approx(1250 + moved, abs=1e-3)


async def test_stop_is_not_content_with_a_pump_that_still_counts():
    bench = await ready()
    bench.pump.state.total_l = 1.0
    bench.pump.blocks.pop(1034)
    bench.pump._f32(1034, lambda now: now % 1000)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(NoAnswer, match="not standing"):
        await bench.driver.stop()


async def test_a_stop_that_comes_while_a_batch_is_written_keeps_the_trigger_from_being_sent():
    bench = await ready()
    start = asyncio.ensure_future(bench.driver.start(Direction.DELIVER, 100.0, 300.0))
    await asyncio.sleep(0.2)
    await bench.driver.stop()
    with pytest.raises(Refused):
        await start
    assert bench.triggers() == 0
    assert bench.moved_ml() == 0


async def test_unless_is_asked_last_and_leaves_the_pump_inactive():
    bench = await ready()
    asked: list[int] = []

    def hold() -> bool:
        asked.append(len(bench.sent))
        return True

    with pytest.raises(Refused, match="a stop came"):
        await bench.driver.start(Direction.DELIVER, 100.0, 300.0, unless=hold)
    assert bench.triggers() == 0
    assert bench.sent[asked[0] :] == [STOP]
    assert bench.pump.state.run == 0
    bench.sent.clear()
    await bench.driver.start(Direction.DELIVER, 10.0, 300.0, unless=lambda: bool(asked.append(len(bench.sent))))
    assert bench.sent[asked[1]] == TRIGGER


# -- doubt


@pytest.mark.req("DS-03")
async def test_a_lost_reply_to_the_trigger_is_an_unknown_outcome_and_never_a_second_trigger():
    bench = await ready()

    def mute() -> bool:
        bench.fault("mute:for_s=1")
        return False

    with pytest.raises(NoAnswer):
        await bench.driver.start(Direction.DELIVER, 100.0, 300.0, unless=mute)
    await asyncio.sleep(2)
    await bench.driver.stop()
    assert bench.triggers() == 1
    assert bench.driver.replies_missed == 1
    assert (await bench.driver.totals()).delivered_ml == pytest.approx(1250 + bench.moved_ml(), abs=1e-3)
    assert bench.moved_ml() > 0


async def test_a_refused_trigger_means_nothing_moved():
    bench = await ready()
    bench.pump.blocks.pop(1235)
    with pytest.raises(Refused, match="not triggered"):
        await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    assert bench.pump.state.run == 0
    assert bench.moved_ml() == 0


async def test_a_trigger_that_is_taken_and_does_nothing_is_an_unknown_outcome():
    bench = await ready()
    bench.pump.blocks.pop(1235)
    bench.pump._u16(1235, None, lambda value, now: None)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(BadFrame, match="does not move"):
        await bench.driver.start(Direction.DELIVER, 100.0, 300.0)


async def test_a_pump_that_moves_before_its_trigger_is_stopped_and_the_outcome_unknown():
    bench = await ready()
    drive = bench.pump._drive  # pyright: ignore[reportPrivateUsage]

    def eager(at: float) -> None:
        if bench.pump.state.run and not bench.pump.state.remaining_l:
            bench.pump.state.remaining_l = 0.1
        drive(at)

    bench.pump._drive = eager  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="before it was triggered"):
        await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    assert bench.triggers() == 0
    moved = bench.moved_ml()
    await asyncio.sleep(60)
    assert bench.moved_ml() == moved < 5


# -- the time-out, and the start after it


@pytest.mark.req("EQ-02")
async def test_the_time_out_stops_the_pump_when_the_computer_is_gone():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 400.0, 300.0)
    bench.host.sever()
    await asyncio.sleep(600)
    assert bench.moved_ml() == pytest.approx(25.0, abs=1.0)


async def test_the_first_message_after_a_silence_is_stop_so_that_the_pump_does_not_start_up_by_itself():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 400.0, 300.0)
    met = bench.driver.alarms_met
    await asyncio.sleep(60)
    moved = bench.moved_ml()
    bench.sent.clear()
    status = await bench.driver.status()
    assert bench.sent[0] == STOP
    assert status.motion is Motion.ALARM
    assert "time-out" in status.alarm
    assert bench.driver.alarms_met == met + 1
    await bench.driver.stop()
    await bench.driver.prepare()
    assert (await bench.driver.status()).motion is Motion.STOPPED
    assert bench.moved_ml() == moved


@pytest.mark.req("EQ-06")
async def test_a_reconnected_driver_says_stop_before_it_asks():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 400.0, 300.0)
    await bench.driver.line.link.close()
    await asyncio.sleep(1)
    bench.sent.clear()
    await bench.driver.identify()
    assert bench.sent[0] == STOP
    moved = bench.moved_ml()
    await bench.watch(20)
    assert bench.moved_ml() == moved


@pytest.mark.req("DS-04")
async def test_a_new_controller_that_only_asks_starts_the_pump_up_for_a_moment_and_the_total_says_how_much():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 400.0, 300.0)
    bench.host.sever()
    await asyncio.sleep(60)
    gone = bench.moved_ml()
    other = bench.another()
    await other.identify()
    await other.stop()
    assert gone < bench.moved_ml() < gone + 2.0
    assert (await other.totals()).delivered_ml == pytest.approx(1250 + bench.moved_ml(), abs=1e-3)
    await other.prepare()
    moved = bench.moved_ml()
    await asyncio.sleep(60)
    await other.poll()
    await asyncio.sleep(60)
    assert bench.moved_ml() == moved


async def test_an_idle_pump_may_time_out_between_polls_without_alarm():
    bench = await ready()
    for _ in range(5):
        await asyncio.sleep(30)
        assert (await bench.driver.poll())["alarm"].value == ""
    assert bench.driver.alarms_met == 0
    assert bench.moved_ml() == 0


# -- alarms and power


@pytest.mark.req("DS-06")
async def test_a_power_failure_in_mid_batch_is_told_by_the_power_up_counter_to_every_reader():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(5)
    bench.host.power_cycle()
    moved = bench.moved_ml()
    other = bench.another()
    await other.identify()  # another reader first: it takes nothing along
    assert (await other.poll())["power_ups"].value == 8
    status = await bench.driver.status()
    assert status.motion is Motion.ALARM
    assert "power was interrupted" in status.alarm
    assert bench.driver.alarms_met > 0
    with pytest.raises(Refused, match="power was interrupted"):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)
    await bench.driver.prepare()
    assert (await bench.driver.status()).motion is Motion.STOPPED
    assert bench.moved_ml() == moved
    assert (await bench.driver.totals()).delivered_ml == pytest.approx(1250 + moved, abs=1e-3)


@pytest.mark.parametrize(("at_power_up", "runs"), [(0, 0), (1, 1), (2, 1)])
def test_what_the_pump_does_at_power_up_is_in_1400(at_power_up: int, runs: int):
    pump = Pump(FreeTube())
    pump.state.run, pump.state.at_power_up = 1, at_power_up
    pump.power_cycle(10.0)
    assert (pump.state.run, pump.state.power_ups) == (runs, 8)


async def test_an_error_stops_the_batch_stays_latched_and_is_acknowledged_by_prepare():
    bench = await ready()
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(5)
    bench.pump.fail(4, bench.now())
    moved = bench.moved_ml()
    for _ in range(3):
        status = await bench.driver.status()
        assert status.motion is Motion.ALARM
        assert status.alarm == "error: hose ruptured"
    assert bench.driver.alarms_met == 1
    await bench.driver.stop()
    await bench.driver.prepare()
    assert bench.pump.state.errors == 0
    assert (await bench.driver.status()).alarm == ""
    await asyncio.sleep(60)
    assert bench.moved_ml() == moved


async def test_an_error_that_stays_is_still_told_after_prepare():
    bench = await ready()
    bench.pump.blocks.pop(1236)
    bench.pump._u16(1236, None, lambda value, now: None)  # pyright: ignore[reportPrivateUsage]
    bench.pump.fail(30, bench.now())
    await bench.driver.prepare()
    assert "motor blocked" in (await bench.driver.status()).alarm


def test_error_and_warning_bits_have_their_words():
    assert words.named(1 << 17 | 1 << 12, words.ERRORS, "error") == "error bit 12; input current low"
    assert words.named(0, words.WARNINGS, "warning") == ""


@pytest.mark.parametrize(("total_ml", "step"), [(0.0, 1e-6), (1250.0, 2e-4), (100_000.0, 0.02), (10_000_000.0, 1.0)])
def test_the_resolution_of_the_total_gets_coarser_with_the_litres(total_ml: float, step: float):
    assert step / 3 < resolution_ml(total_ml) < step or total_ml == 0


@pytest.mark.req("DS-06")
async def test_revolutions_may_roll_over_without_harm_to_a_dose():
    bench = await ready()
    bench.pump.state.revolutions = 2**32 - 0.5
    await bench.driver.start(Direction.DELIVER, 100.0, 300.0)
    await bench.watch(25)
    assert (await bench.driver.poll())["revolutions"].value == 0
    assert (await bench.driver.totals()).delivered_ml == pytest.approx(1350.0, abs=1e-3)


# -- in a loop


async def test_a_loop_runs_on_until_stop_and_only_without_a_time_out():
    bench = await ready({"use": "recirculate"}, timeout_ms=0)
    assert bench.pump.state.at_power_up == 2
    await bench.driver.recirculate(Direction.DELIVER, 200.0)
    await bench.driver.line.link.close()
    await asyncio.sleep(600)
    assert bench.moved_ml() == pytest.approx(2000.0, rel=0.01)
    assert (await bench.driver.status()).motion is Motion.MOVING
    await bench.driver.recirculate(Direction.DELIVER, 100.0)
    assert (await bench.driver.poll())["dosing_rate"].value == pytest.approx(100.0)
    await bench.driver.stop()
    assert (await bench.driver.status()).motion is Motion.STOPPED
    await bench.driver.recirculate(Direction.DRAW, 100.0)
    await bench.driver.stop()
    bench.moved_ml()
    assert bench.tube.pulled_in_ml > 0
    other = await ready({"use": "recirculate"})
    with pytest.raises(Refused, match="set it to 0"):
        await other.driver.recirculate(Direction.DELIVER, 200.0)


async def test_reversing_a_running_loop_or_turning_a_held_one_is_refused():
    bench = await ready({"use": "recirculate"}, timeout_ms=0)
    with pytest.raises(Refused, match="a stop came"):
        await bench.driver.recirculate(Direction.DELIVER, 200.0, unless=lambda: True)
    assert bench.moved_ml() == 0
    await bench.driver.recirculate(Direction.DELIVER, 200.0)
    with pytest.raises(Refused, match="stop it first"):
        await bench.driver.recirculate(Direction.DRAW, 200.0)
    with pytest.raises(OutOfRange):
        await bench.driver.recirculate(Direction.DELIVER, 2000.0)


async def test_the_use_not_chosen_is_refused():
    with pytest.raises(Refused, match="option use"):
        await (await ready()).driver.recirculate(Direction.DELIVER, 200.0)
    bench = await ready({"use": "recirculate"}, timeout_ms=0)
    with pytest.raises(Refused, match="option use"):
        await bench.driver.start(Direction.DELIVER, 10.0, 300.0)


async def test_signals_cannot_be_set_and_options_must_make_sense():
    bench = await ready()
    with pytest.raises(Refused, match="cannot be set"):
        await bench.driver.write("dosing_rate", 10.0)
    with pytest.raises(ValueError, match="turns"):
        bench.another(turns="both")
    with pytest.raises(ValueError, match="no option"):
        bench.another(diameter_mm=10)


# -- the simulator by itself


def test_a_request_after_the_time_out_starts_the_pump_up_again_and_stop_as_the_first_does_not():
    for first, goes_on in (("14 03 04 10 00 02", True), ("14 06 04 B0 00 00", False)):
        tube = FreeTube()
        pump = Pump(tube)
        for request in ("14 06 04 CD 00 03", "14 06 04 B0 00 01", "14 06 04 D3 55 55"):
            raw(pump, request, 0.0)
        wake = pump.wake_at
        assert wake is not None
        assert wake == 5.0
        pump.wake(wake)
        assert pump.state.timed_out
        assert pump.wake_at is None
        raw(pump, first, 100.0)
        assert (pump.state.turning_l_h > 0) is goes_on


@pytest.mark.parametrize(("memory", "left"), [(0, 0.1), (1, 0.2)])
def test_a_second_trigger_adds_with_batch_memory_and_begins_anew_without(memory: int, left: float):
    pump = Pump(FreeTube(), options={"batch_memory": memory})
    for request in ("14 06 04 CD 00 03", "14 06 04 B0 00 01", "14 06 04 D3 55 55", "14 06 04 D3 55 55"):
        raw(pump, request)
    assert pump.state.remaining_l == pytest.approx(left)


@pytest.mark.parametrize("first", ["14 06 04 CD 00 01", "14 06 04 B0 00 00"])
def test_a_trigger_outside_active_batch_mode_is_ignored(first: str):
    pump = Pump(FreeTube())
    for request in ("14 06 04 CD 00 03", "14 06 04 B0 00 01", first, "14 06 04 D3 55 55"):
        raw(pump, request)
    assert pump.state.remaining_l == 0


@pytest.mark.parametrize(
    ("request_hex", "reply"),
    [("14 03 00 02 00 01", "14 83 02"), ("14 04 03 E8 00 02", "14 84 01"), ("14 06 03 E8 00 01", "14 86 02"),
     ("14 06 04 D3 12 34", "14 86 03"), ("14 06 04 CD 00 05", "14 86 03"), ("14 03 03 E8 00 70", "14 83 03"),
     ("14 10 04 BB 00 02 04 42 84 00 00", "14 90 03"), ("15 03 03 E8 00 02", ""), ("00 06 04 B0 00 01", ""),
     ("14 06 04 D2 00 02", "14 06 04 D2 00 02")],
)  # fmt: skip
def test_requests_are_judged_as_the_sheet_says(request_hex: str, reply: str):
    assert raw(Pump(FreeTube()), request_hex) == bytes.fromhex(reply)


def test_the_frame_of_an_exception_is_the_sheets():
    action = Pump(FreeTube()).receive(Bytes(bytes.fromhex("14 03 00 02 00 01 27 0F")), 0.0)[0]
    assert isinstance(action, Send)
    assert action.data == bytes.fromhex("14 83 02 D1 35")


def test_the_deletable_counters_are_cleared_by_writing_them_and_the_total_is_not():
    pump = Pump(FreeTube())
    pump.state.deletable_l = pump.state.deletable_revolutions = 5.0
    raw(pump, "14 10 04 0C 00 02 04 00 00 00 00")
    raw(pump, "14 10 04 08 00 02 04 00 00 00 00")
    assert (pump.state.deletable_l, pump.state.deletable_revolutions, pump.state.total_l) == (0.0, 0.0, 1.25)


def test_replies_take_their_time_on_a_19200_baud_cable():
    action = Pump(FreeTube()).receive(Bytes(GOLDEN["total 1.25 l"].request), 0.0)[0]
    assert action.delay_s == pytest.approx(0.005 + (8 + 9) * 11 / 19200)


def test_a_snapshot_in_mid_batch_goes_on_as_if_nothing_had_been():
    pump = Pump(FreeTube())
    for request in ("14 06 04 CD 00 03", "14 10 04 BB 00 02 04 41 A0 00 00", "14 06 04 B0 00 01", "14 06 04 D3 55 55"):
        raw(pump, request)
    raw(pump, "14 03 04 10 00 02", 4.0)
    other = Pump(FreeTube())
    other.restore(json.loads(json.dumps(pump.snapshot())))
    for one in (pump, other):
        left = struct.unpack(">f", raw(one, "14 03 04 10 00 02", 8.0)[3:])[0]
        assert left == pytest.approx(0.1 - 20 * 8 / 3600)
        assert one.wake_at == 13.0


async def test_a_conversation_hears_of_every_lost_reply():
    bench = await ready()
    talk: Conversation = bench.driver.talk
    bench.fault("drop:every=2")
    for _ in range(10):
        with contextlib.suppress(WireError):
            await bench.driver.poll()
    assert talk.replies_missed > 0
