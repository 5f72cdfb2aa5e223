"""IKA and Heidolph: the recorded bytes on both ends, silent commands read back, a motor watched, the watchdog."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Access, Quality
from drivers.devices.ika_namur import (
    HeidolphMrHeiTec,
    IkaEurostar,
    IkaKs4000,
    IkaMatrixOrbital,
    IkaMicrostar,
    IkaRctDigital,
    IkaRetControlVisc,
    replies,
)
from drivers.devices.ika_namur.device import Namur, Watched
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Bytes, Send
from simulators.devices import ika_namur as simulated
from simulators.standalone import StirredStillBath
from tests.devices.golden import golden

RCT = golden(
    "ika_namur",
    r"""
    Byte-exact | R | > 49 4E 5F 4E 41 4D 45 0D 0A | < 52 43 54 20 64 69 67 69 74 61 6C 0D 0A | name
    Byte-exact | R | > 49 4E 5F 50 56 5F 32 0D 0A | < 33 37 2E 31 20 32 0D 0A                | plate
    Byte-exact | R | > 49 4E 5F 50 56 5F 34 0D 0A | < 33 30 30 2E 30 20 34 0D 0A             | speed
    Byte-exact | R | > 4F 55 54 5F 53 50 5F 34 20 33 30 30 20 0D 0A | < - | set speed
    Byte-exact | R | > 4F 55 54 5F 53 50 5F 34 20 33 30 30 20 0D 20 0A | < - | set speed, other client
    Byte-exact | R | > 53 54 41 52 54 5F 34 0D 0A | < - | start
    """,
)
WATCHDOG = golden(
    "ika_namur",
    r"""
    Byte-exact | R | > 4F 55 54 5F 57 44 32 40 33 30 20 0D 0A | < 33 30 20 0D 0A | arm
    """,
)
MATRIX = golden(
    "ika_namur",
    r"""
    Byte-exact | R | > 49 4E 5F 50 56 5F 34 0D 0A | < 49 4E 5F 50 56 5F 34 20 33 30 30 2E 30 0D 0A | speed
    """,
)
HEIDOLPH = golden(
    "ika_namur",
    r"""
    Heidolph | V | > "START_1\r\n" | < "START_1\r\n" | start
    """,
)

PAIRS: Mapping[type[Namur], type[simulated.Namur]] = {
    IkaRctDigital: simulated.RctDigital,
    IkaRetControlVisc: simulated.RetControlVisc,
    IkaEurostar: simulated.Eurostar,
    IkaMicrostar: simulated.Microstar,
    IkaKs4000: simulated.Ks4000,
    IkaMatrixOrbital: simulated.MatrixOrbital,
    HeidolphMrHeiTec: simulated.HeidolphMrHeiTec,
}
EVERY = pytest.mark.parametrize("kind", PAIRS)
Options = Mapping[str, float | str]


class Bench:
    """A device on a faulty cable, a stirred bath and a driver."""

    def __init__(
        self,
        kind: type[Namur] = IkaRctDigital,
        driver_options: Options | None = None,
        options: Options | None = None,
    ) -> None:
        self.place = StirredStillBath()
        self.device = PAIRS[kind](self.place, options=options)
        self.wire = faults.FaultyWire(self.device)
        self.host = MemoryHost(self.wire)
        self.driver = kind(Line(self.host.link()), 0, driver_options)

    def cut(self, text: str) -> None:
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), 0))


def say(device: simulated.Namur, text: str, now: float = 0.0) -> str:
    actions = device.receive(Bytes(text.encode("latin-1")), now)
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


# -- the sheet, on each end


def test_the_simulators_say_what_was_recorded():
    place = StirredStillBath()
    place.set("temperature", "37.1")
    device = simulated.RctDigital(place)
    RCT.check_simulator(device, "name", "plate", "set speed", "start")
    RCT.check_simulator(device, "speed", "set speed, other client", now=10.0)
    WATCHDOG.check_simulator(simulated.RctDigital(place, options={"blank": "yes"}))
    matrix = simulated.MatrixOrbital(place)
    say(matrix, "START_4\r\n")
    MATRIX.check_simulator(matrix, now=10.0)
    HEIDOLPH.check_simulator(simulated.HeidolphMrHeiTec(place))


async def test_the_drivers_send_and_read_what_was_recorded():
    async with RCT.line("name", "plate", "speed", "set speed", "start") as line:
        driver = IkaRctDigital(line)
        assert (await driver.identify()).type == "RCT digital"
        assert (await driver.read("plate_temperature")).value == 37.1
        assert (await driver.read("speed")).value == 300.0
        await driver._set("OUT_SP_4 300 ")
        await driver._set("START_4")
    async with MATRIX.line("speed") as line:
        assert (await IkaMatrixOrbital(line).read("speed")).value == 300.0
    async with HEIDOLPH.line("start") as line:
        await HeidolphMrHeiTec(line)._set("START_1")


def test_the_echo_of_the_watchdog_is_understood_as_recorded_and_as_the_manual_may_mean_it():
    parse = replies.echoed("30")
    for text in (WATCHDOG["arm"].reply, b"30\r\n", b"30 2\r\n", b"OUT_WD2@30\r\n"):
        assert parse(bytearray(text)) is True
    for text in (b"31\r\n", b"OK\r\n", b"\xb3\xb0\r\nERR\r\n"):
        with pytest.raises(BadFrame):
            parse(bytearray(text))


@pytest.mark.parametrize("end", [b"\r\n", b" \r\n", b" \r \n", b"\n"])
def test_all_four_line_ends_of_the_manuals_are_understood_by_both(end: bytes):
    answer = replies.number("IN_PV_2")(bytearray(b"37.1 2" + end))
    assert answer is not None
    assert answer.value == 37.1
    device = simulated.RctDigital(StirredStillBath())
    assert say(device, "IN_PV_2" + end.decode()) == "22.0 2\r\n"


@pytest.mark.parametrize("text", ["37.1 2", "37.1", "IN_PV_2 37.1", "-3 2", "\x00\xff37.1 2"[1:]])
def test_a_number_comes_with_channel_with_echo_or_alone(text: str):
    answer = replies.number("IN_PV_2")(bytearray(text.encode("latin-1") + b"\r\n"))
    assert answer is not None
    assert answer.value in (37.1, -3)


@pytest.mark.parametrize(
    "text", ["37.1 4", "IN_PV_4 37.1", "IN_PV_2 37.1 2", "37.1.2", "RCT digital", "3e5", "x" * 200]
)
def test_another_channel_and_what_is_no_number_are_no_answer(text: str):
    with pytest.raises(BadFrame):
        replies.number("IN_PV_2")(bytearray(text.encode() + b"\r\n"))
    with pytest.raises(BadFrame, match="line end"):
        replies.take(bytearray(b"x" * 200))


async def test_a_device_that_answered_with_its_channel_is_held_to_it():
    bench = Bench()
    await bench.driver.read("temperature")
    bench.device.number = lambda command, channel, value: f"{value:.1f}"  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="came as bare"):
        await bench.driver.read("temperature")


# -- who it is


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (IkaRctDigital, "C-MAG HS7"),
        (IkaRetControlVisc, "IKARET"),
        (IkaMicrostar, "Microstar C"),
        (IkaKs4000, "KS 3000"),
    ],
)
async def test_the_names_the_sheet_knows_are_accepted(kind: type[Namur], name: str):
    assert (await Bench(kind, options={"name": name}).driver.identify()).type == name


@pytest.mark.req("EQ-05")
async def test_another_device_is_the_wrong_one_and_a_renamed_one_is_known_by_its_option():
    with pytest.raises(WrongDevice, match="'RCT digital' answers"):
        await IkaKs4000(Bench().driver.line).identify()
    renamed = Bench(IkaKs4000, {"name": "Shaker B"}, {"name": "Shaker B"})
    assert (await renamed.driver.identify()).type == "Shaker B"
    with pytest.raises(WrongDevice, match="called Shaker C"):
        await IkaKs4000(renamed.driver.line, 0, {"name": "Shaker C"}).identify()


async def test_a_heidolph_is_known_by_its_echo_and_an_ika_is_none():
    identity = await Bench(HeidolphMrHeiTec).driver.identify()
    assert (identity.maker, identity.type) == ("Heidolph", "MR Hei-Tec")
    with pytest.raises(WrongDevice, match="'S0' is not how"):
        await HeidolphMrHeiTec(Bench(IkaKs4000).driver.line).identify()
    with pytest.raises(NoAnswer):
        await HeidolphMrHeiTec(Bench(IkaRctDigital).driver.line).identify()


async def test_a_thermoshaker_tells_its_version_or_nothing():
    bench = Bench(IkaMatrixOrbital)
    assert (await bench.driver.identify()).firmware == "1.2.3"
    bench.device.extra_texts = {}  # type: ignore[misc]
    assert (await bench.driver.identify()).firmware == ""


# -- reading


@EVERY
async def test_a_poll_brings_every_signal_and_rare_ones_once_a_minute(kind: type[Namur]):
    bench = Bench(kind)
    readable = {name for name, spec in kind.specs().items() if spec.access is not Access.WRITE}
    first, second = await bench.driver.poll(), await bench.driver.poll()
    assert set(first) == readable
    assert set(first) - set(second) == set(kind.seldom)
    assert {reading.quality for reading in first.values()} == {Quality.GOOD}
    await asyncio.sleep(60)
    assert set(await bench.driver.poll()) == readable


async def test_a_silent_device_is_asked_once_and_everything_is_bad():
    bench = Bench()
    await bench.driver.poll()
    bench.cut("silence")
    readings = await bench.driver.poll()
    assert {reading.quality for reading in readings.values()} == {Quality.BAD}
    assert bench.wire.faults[0].heard == 2  # asked once, and once again


async def test_a_missing_sensor_is_no_temperature():
    reading = await Bench(HeidolphMrHeiTec, options={"sensor": "no"}).driver.read("temperature")
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "no sensor" in reading.why


@pytest.mark.parametrize(
    ("text", "words"),
    [("S0", "manual"), ("S1", "started"), ("STATUS S2", "stopped"), ("1S", "mode A"), ("-84", "unknown instruction"),
     ("-7", "device error -7")],
)  # fmt: skip
def test_the_status_of_a_shaker_in_words(text: str, words: str):
    assert words in str(replies.status(text))


async def test_a_status_nobody_explains_is_bad():
    bench = Bench(IkaKs4000)
    bench.device.status = lambda: "S7"  # type: ignore[method-assign]
    reading = await bench.driver.read("device_status")
    assert reading.quality is Quality.BAD
    assert "'S7'" in reading.why


async def test_a_heidolphs_status_follows_what_it_does():
    bench = Bench(HeidolphMrHeiTec)
    assert (await bench.driver.read("device_status")).value == "manual operation"
    await bench.driver.write("stirring", True)
    assert (await bench.driver.read("device_status")).value == "remote operation started"
    await bench.driver.write("stirring", False)
    assert (await bench.driver.read("device_status")).value == "remote operation stopped"


# -- setting


@EVERY
async def test_every_set_point_is_written_read_back_and_held_to_its_limits(kind: type[Namur]):
    bench = Bench(kind)
    if kind is IkaMicrostar:
        await bench.driver.write("stirring", True)
    for name, spec in kind.specs().items():
        if spec.access is not Access.READ_WRITE or spec.low is None or spec.high is None:
            continue
        wanted = round(spec.low + 0.4 * (spec.high - spec.low))
        assert (await bench.driver.write(name, wanted)).value == wanted, name
        for outside in (spec.low - 1, spec.high + 1):
            with pytest.raises(OutOfRange):
                await bench.driver.write(name, outside)
        with pytest.raises(ValueError, match="not a number"):
            await bench.driver.write(name, "much")
    with pytest.raises(Refused, match="cannot be set"):
        await bench.driver.write("speed", 100.0)


@EVERY
async def test_a_motor_is_started_watched_and_stopped(kind: type[Namur]):
    bench = Bench(kind)
    assert (await bench.driver.read("stirring")).value is False
    assert (await bench.driver.write("stirring", True)).value is True
    assert bench.place.rpm > 0
    assert (await bench.driver.write("stirring", False)).value is False
    assert bench.place.rpm == 0
    with pytest.raises(ValueError, match="true or false"):
        await bench.driver.write("stirring", 1.0)


async def test_a_motor_that_does_not_turn_is_told():
    bench = Bench()
    bench.device.switch = lambda channel, on, now: ""  # type: ignore[method-assign]
    with pytest.raises(Refused, match="does not turn"):
        await bench.driver.write("stirring", True)
    await bench.driver.write("speed_set_point", 0)
    with pytest.raises(Refused, match="speed_set_point is 0"):
        await bench.driver.write("stirring", True)


async def test_a_set_point_the_device_did_not_take_is_refused():
    bench = Bench(IkaEurostar)
    bench.device.set = lambda channel, value, now: ""  # type: ignore[method-assign]
    with pytest.raises(Refused, match=r"speed_set_point reads 100\.0 after 200"):
        await bench.driver.write("speed_set_point", 200)


async def test_a_start_on_a_broken_cable_is_sent_once():
    bench = Bench()
    heard = list[str]()
    answer = bench.device.answer
    bench.device.answer = lambda command, now: (heard.append(command), answer(command, now))[1]  # type: ignore[method-assign]
    bench.cut("mute:after_s=0.2:for_s=60")
    with pytest.raises((NoAnswer, Refused)):
        await bench.driver.write("stirring", True)
    assert heard.count("START_4") <= 1


async def test_a_microstar_gets_its_speed_behind_the_start():
    bench = Bench(IkaMicrostar)
    with pytest.raises(Refused, match="loses a speed while it stands"):
        await bench.driver.write("speed_set_point", 250)
    await bench.driver.write("stirring", True)
    assert bench.place.rpm == 250
    assert (await bench.driver.write("speed_set_point", 400)).value == 400
    slow = Bench(IkaMicrostar)
    await slow.driver.write("stirring", True)
    assert slow.place.rpm == 30
    given = Bench(IkaMicrostar, {"start_speed": 60})
    await given.driver.write("stirring", True)
    assert given.place.rpm == 60


@pytest.mark.parametrize("kind", [IkaRctDigital, IkaKs4000, IkaMatrixOrbital, HeidolphMrHeiTec])
async def test_heating_is_sent_and_honestly_not_confirmed(kind: type[Namur]):
    bench = Bench(kind)
    await bench.driver.write("temperature_set_point", 50.0)
    reading = await bench.driver.write("heating", True)
    assert "cannot be asked" in reading.why
    await asyncio.sleep(3600)
    assert (await bench.driver.read("temperature")).value == 50.0
    await bench.driver.write("heating", False)
    await asyncio.sleep(3600)
    assert (await bench.driver.read("temperature")).value == 22.0
    with pytest.raises(Refused, match="cannot be asked"):
        await bench.driver.read("heating")


async def test_offsets_of_a_shaker_move_what_it_shows():
    bench = Bench(IkaKs4000)
    await bench.driver.write("chamber_offset", -1.5)
    assert (await bench.driver.read("temperature")).value == 20.5
    assert (await bench.driver.read("external_temperature")).value == 22.0


async def test_reset_switches_everything_off():
    bench = Bench()
    await bench.driver.write("stirring", True)
    await bench.driver.write("heating", True)
    await bench.driver.reset()
    assert not bench.device.state.stirring
    assert not bench.device.state.heating


async def test_a_knob_turned_at_the_device_is_seen():
    bench = Bench()
    bench.device.knob("4", 700.0, 0.0)
    assert (await bench.driver.poll())["speed_set_point"].value == 700.0


async def test_after_a_power_cut_nothing_turns_and_the_set_points_are_kept():
    bench = Bench()
    await bench.driver.write("speed_set_point", 120)
    await bench.driver.write("stirring", True)
    bench.host.power_cycle()
    readings = await bench.driver.poll()
    assert (readings["stirring"].value, readings["speed_set_point"].value) == (False, 120.0)
    assert bench.place.rpm == 0


# -- losing the link


@pytest.mark.req("EQ-01")
@EVERY
async def test_a_stirrer_keeps_its_speed_when_the_cable_is_out(kind: type[Namur]):
    assert kind.on_link_loss is LinkLoss.KEEPS_SETPOINTS
    assert kind.verified is None
    bench = Bench(kind)
    await bench.driver.prepare()
    await bench.driver.write("stirring", True)
    turning = bench.place.rpm
    await bench.driver.line.close()
    await asyncio.sleep(3 * 86400)
    assert bench.place.rpm == turning > 0


WATCHED: Options = {"watchdog_s": 30, "watchdog_speed": 60, "watchdog_cel": 25}


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [IkaRctDigital, IkaKs4000])
async def test_an_armed_watchdog_goes_to_safe_set_points_and_only_when_nobody_asks(kind: type[Namur]):
    bench = Bench(kind, WATCHED)
    await bench.driver.prepare()
    await bench.driver.write("speed_set_point", 200)
    await bench.driver.write("temperature_set_point", 45)
    await bench.driver.write("stirring", True)
    for _ in range(30):
        await bench.driver.poll()
        await asyncio.sleep(10)
    assert bench.place.rpm == 200
    await asyncio.sleep(31)
    assert bench.place.rpm == 60
    assert bench.device.state.event == "PC 2"
    assert (await bench.driver.read("temperature_set_point")).value == 25.0
    await bench.driver.prepare()
    assert bench.device.state.event == ""
    assert isinstance(bench.driver, Watched)
    await bench.driver.disarm()
    assert bench.device.wake_at is None


async def test_an_overhead_stirrer_needs_no_safe_temperature():
    bench = Bench(IkaEurostar, {"watchdog_s": 20, "watchdog_speed": 40})
    await bench.driver.prepare()
    await bench.driver.write("stirring", True)
    await asyncio.sleep(25)
    assert bench.place.rpm == 40


@pytest.mark.parametrize(
    ("options", "error"),
    [({"watchdog_s": 10, "watchdog_speed": 60, "watchdog_cel": 25}, "20 to 1500"), ({"watchdog_s": 30}, "needs"),
     ({"watchdog_s": 30.5, "watchdog_speed": 60, "watchdog_cel": 25}, "whole seconds")],
)  # fmt: skip
def test_a_watchdog_without_sense_is_refused_before_anything_is_sent(options: Options, error: str):
    with pytest.raises(ValueError, match=error):
        Bench(IkaRctDigital, options)
    with pytest.raises(OutOfRange):
        Bench(IkaRctDigital, {**WATCHED, "watchdog_speed": 9999})


async def test_a_watchdog_that_is_not_confirmed_is_not_taken_for_armed():
    bench = Bench(IkaRctDigital, WATCHED)
    bench.device._at = lambda command, text, now: "7"  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="not the echo"):
        await bench.driver.prepare()


# -- the simulator by itself


def test_mode_one_stops_everything_and_cannot_be_called_off():
    place = StirredStillBath()
    device = simulated.RctDigital(place)
    say(device, "START_4\r\nSTART_1\r\nOUT_WD1@20\r\n")
    assert say(device, "OUT_WD2@0\r\n", 5.0) == "0\r\n"
    assert device.wake_at == 20.0
    device.wake(20.0)
    assert (device.state.stirring, device.state.heating, device.state.event) == (False, False, "PC 1")
    assert place.rpm == 0


def test_a_plate_hotter_than_its_safety_temperature_stops_heating():
    place = StirredStillBath()
    device = simulated.RctDigital(place)
    device.knob("3", 60.0, 0.0)
    say(device, "OUT_SP_1 100 \r\nSTART_1\r\n")
    say(device, "IN_PV_2\r\n", 3600.0)
    assert (device.state.heating, device.state.event) == (False, "E 3")


def test_unknown_commands_are_silence_or_a_status():
    quiet, telling = (simulated.Ks4000(StirredStillBath(), options={"unknown": how}) for how in ("silence", "status"))
    for device in (quiet, telling):
        for text in ("in_name", "IN_PV_9", "IN_PV", "OUT_SP_4", "START_9", "IN_PV_2 5", "OUT_WD3@20", "OUT_SP_WD1@20"):
            assert say(device, text + "\r\n") == ""
    assert say(quiet, "STATUS\r\n") == "S0\r\n"
    assert say(telling, "STATUS\r\n") == "-84\r\n"
    say(quiet, "OUT_SP_4 9999\r\n")
    assert say(quiet, "STATUS\r\n") == "-86\r\n"
    assert say(quiet, "STATUS\r\n") == "S2\r\n"
    say(quiet, "OUT_NAME Shaker of room 7\r\n")
    assert say(quiet, "IN_NAME\r\n") == "Shaker of\r\n"


def test_type_software_modes_and_service_channels_are_known_where_the_sheet_has_them():
    ret, stirrer, shaker = (each(StirredStillBath()) for each in
        (simulated.RetControlVisc, simulated.Eurostar, simulated.Ks4000))  # fmt: skip
    for device in (ret, stirrer, shaker):
        for question in ("IN_TYPE", "IN_SOFTWARE", "IN_VERSION", "IN_SOFTWARE_ID"):
            assert say(device, question + "\r\n").endswith("\r\n")
    for text in ("SET_MODE_A", "SET_MODE_B", "SET_MODE_D", "OUT_SP_54 60"):
        assert say(ret, text + "\r\n") == ""
    assert (ret.state.mode, say(ret, "IN_SP_54\r\n")) == ("D", "60.0 54\r\n")
    assert say(stirrer, "OUT_MODE_2 \r\n") == ""
    assert say(stirrer, "IN_MODE\r\n") == "2\r\n"
    assert say(ret, "IN_MODE\r\n") == say(stirrer, "SET_MODE_A\r\n") == ""
    say(shaker, "OUT_SP_12@45\r\nOUT_SP_42@60\r\n")
    assert say(shaker, "IN_SP_12\r\nIN_SP_42\r\n") == "45.0 12\r\n60.0 42\r\n"


def test_a_heidolph_echoes_everything_and_does_not_hear_what_comes_too_soon():
    device = simulated.HeidolphMrHeiTec(StirredStillBath())
    assert say(device, "OUT_SP_3 200\r\n", 1.0) == "OUT_SP_3 200\r\n"
    assert say(device, "START_2\r\n", 1.05) == ""
    assert say(device, "START_2\r\n", 1.2) == "START_2\r\n"
    assert say(device, "IN_PV_5\r\n", 10.0) == "IN_PV_5 200.0\r\n"
    assert say(device, "CC_ON\r\n", 11.0) == "CC_ON\r\n"
    assert say(device, "IN_MODE_1\r\n", 12.0) == "IN_MODE_1 0\r\n"
    assert say(device, "IN_NAME\r\n", 13.0) == ""


def test_a_motor_needs_its_time():
    device = simulated.RctDigital(StirredStillBath())
    say(device, "OUT_SP_4 400\r\nSTART_4\r\n")
    assert say(device, "IN_PV_4\r\n", 1.0) == "200.0 4\r\n"
    assert say(device, "IN_PV_4\r\n", 2.0) == "400.0 4\r\n"
    say(device, "STOP_4\r\n", 3.0)
    assert say(device, "IN_PV_4\r\n", 4.0) == "200.0 4\r\n"


@EVERY
def test_a_snapshot_goes_on_as_if_nothing_had_been(kind: type[Namur]):
    place = StirredStillBath()
    one = PAIRS[kind](place, seed=3)
    say(one, "START_4\r\n", 0.0)
    say(one, "OUT_WD2@100\r\nIN_P", 1.0)
    other = PAIRS[kind](place, seed=3)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert other.wake_at == one.wake_at
    for at, text in ((2.0, "V_4\r\n"), (3.0, "IN_PV_3\r\n"), (4.0, "IN_SP_4\r\n")):
        assert say(one, text, at) == say(other, text, at)


def test_there_is_noise_with_a_seed_only():
    for seed, least in ((None, 1), (5, 2)):
        device = simulated.RctDigital(StirredStillBath(), seed=seed)
        assert len({say(device, "IN_PV_1\r\n", float(at)) for at in range(50)}) >= least
        assert (seed is None) == (len({say(device, "IN_PV_1\r\n", float(at)) for at in range(50)}) == 1)
