"""LuminOx: the sheet's lines on both ends, the stream between the answers, modes, ranges, both kinds."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from drivers.core.errors import BadFrame, NoAnswer, Refused, WrongDevice
from drivers.core.signals import Quality
from drivers.devices.sst_luminox import SstLuminoxLox01, SstLuminoxLox02
from drivers.devices.sst_luminox.driver import SstLuminox
from drivers.devices.sst_luminox.replies import answer_to, field, items
from simulators.core.simulator import Bytes, Opened, Send
from simulators.core.surroundings import Air
from simulators.devices import sst_luminox as simulated
from simulators.devices.mettler_toledo_mt_sics import MettlerToledoBalance
from simulators.standalone import StillPan
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "sst_luminox",
    r"""
    Byte-exact | R | > 4D 20 31 0D 0A | < 4D 20 30 31 0D 0A | polling
    Byte-exact | R | > 4F 0D 0A | < 4F 20 30 32 31 31 2E 33 0D 0A | ppO2
    Byte-exact | R | > 25 0D 0A | < 25 20 30 32 30 2E 39 30 0D 0A | percent
    Byte-exact | R | > 54 0D 0A | < 54 20 2B 32 37 2E 39 0D 0A | temperature
    Byte-exact | R | > 50 0D 0A | < 50 20 31 30 31 31 0D 0A | pressure
    Byte-exact | R | > 65 0D 0A | < 65 20 30 30 30 30 0D 0A | status
    Byte-exact | R | > 23 20 31 0D 0A | < 23 20 30 30 31 32 33 20 35 36 38 39 35 0D 0A | serial number
    Byte-exact | R | > 51 0D 0A | < 45 20 30 31 0D 0A | invalid command
    Byte-exact | R | > 4D 20 30 0D 0A | < 4D 20 30 30 0D 0A | streaming
    Byte-exact | R | > 4D 0D 0A | < 4D 20 30 30 0D 0A | mode while streaming
    """,
)
STREAM = (
    b"\x4f\x20\x30\x32\x31\x31\x2e\x33\x20\x54\x20\x2b\x32\x37\x2e\x39\x20\x50\x20\x31\x30\x31\x31\x20\x25\x20\x30\x32"
    b"\x30\x2e\x39\x30\x20\x65\x20\x30\x30\x30\x30\x0d\x0a"
)
"""The sheet's line of the stream (R)."""
SHEET = Air(27.9, 0.04, 20.9, 50.0, False, 1011.0)


class Chamber:
    """Air that the test makes."""

    def __init__(self, air: Air = SHEET) -> None:
        self.now_air = air

    def air(self, now: float) -> Air:
        return self.now_air

    def set_points(self, now: float, cel: float, co2_percent: float, o2_percent: float | None) -> None: ...


def lox02(chamber: Chamber | None = None, **options: float | str) -> simulated.SstLuminoxLox02:
    return simulated.SstLuminoxLox02(chamber or Chamber(), options=options)


def rig(sensor: simulated.SstLuminoxLox02 | None = None) -> Rig[SstLuminoxLox02]:
    return Rig(SstLuminoxLox02, sensor or lox02())


def say(sensor: simulated.SstLuminoxLox02, text: bytes, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in sensor.receive(Bytes(text), now) if isinstance(each, Send))


# -- the sheet, on each end


def test_the_simulator_answers_the_sheets_lines():
    GOLDEN.check_simulator(lox02)
    sensor = lox02()
    sensor.receive(Opened(), 0.0)
    assert sensor.wake_at == 1.0
    (sent,) = sensor.wake(1.0)
    assert isinstance(sent, Send)
    assert sent.data == STREAM


async def test_the_driver_sends_and_reads_the_sheets_lines():
    async with GOLDEN.line("serial number") as line:
        assert await SstLuminoxLox02(line)._pair("# 1") == (123, 56895)
    async with GOLDEN.line("ppO2", "percent", "temperature", "pressure", "status") as line:
        driver = SstLuminoxLox02(line)
        assert [await driver._single(row) for row in driver.table if row.name != "output_mode"] == [
            b"0211.3", b"020.90", b"+27.9", b"1011", b"0000"
        ]  # fmt: skip
    async with GOLDEN.line("mode while streaming") as line:
        assert await SstLuminoxLox02(line)._mode() == "streaming"
    assert items(STREAM.strip()) == {"O": b"0211.3", "T": b"+27.9", "P": b"1011", "%": b"020.90", "e": b"0000"}


def test_the_sheet_verifies_this_wire():
    assert GOLDEN.verified


# -- who it is


async def test_serial_number_software_and_date_are_told():
    driver = rig().driver
    identity = await driver.identify()
    assert (identity.type, identity.serial, identity.firmware) == ("LuminOx LOX-02", "8117823", "00115")
    assert await driver.manufactured() == (2024, 123)


async def test_the_other_kind_and_another_device_are_the_wrong_one():
    with pytest.raises(WrongDevice, match="has a barometer"):
        await Rig(SstLuminoxLox01, lox02()).driver.identify()
    with pytest.raises(WrongDevice, match="has not a barometer"):
        await Rig(SstLuminoxLox02, simulated.SstLuminoxLox01(Chamber())).driver.identify()
    with pytest.raises((NoAnswer, BadFrame)):
        await Rig(SstLuminoxLox02, MettlerToledoBalance(StillPan())).driver.identify()


async def test_a_lox_01_that_is_silent_about_percent_is_one_all_the_same():
    class Silent(simulated.SstLuminoxLox01):
        def message(self, text: bytes, now: float) -> bytes:
            return b"" if text == b"%\r" else super().message(text, now)

    sensor = Silent(Chamber())
    sensor.state.mode = simulated.POLLING
    assert (await Rig(SstLuminoxLox01, sensor).driver.identify()).type == "LuminOx LOX-01"
    with pytest.raises(NoAnswer):
        await Rig(SstLuminoxLox02, sensor).driver.identify()


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [SstLuminoxLox01, SstLuminoxLox02])
def test_the_drivers_declare_that_they_only_measure(kind: type[SstLuminox]):
    assert kind.on_link_loss.value == "only measures"
    assert kind.watchdog == "none"
    assert kind.verified is None
    assert not kind.checksum


# -- values


async def test_every_signal_of_both_kinds_is_read():
    bench = rig()
    await bench.driver.prepare()
    assert {name: each.value for name, each in (await bench.driver.poll()).items()} == {
        "oxygen": 20.9, "oxygen_pressure": 211.3, "pressure": 1011.0, "temperature": 27.9, "sensor_status": "good",
        "output_mode": "polling",
    }  # fmt: skip
    other = Rig(SstLuminoxLox01, simulated.SstLuminoxLox01(Chamber()))
    await other.driver.prepare()
    assert {name: each.value for name, each in (await other.driver.poll()).items()} == {
        "oxygen_pressure": 211.3, "temperature": 27.9, "sensor_status": "good", "output_mode": "polling"
    }  # fmt: skip


async def test_wet_gas_of_an_incubator_is_shown_as_it_is():
    readings = await rig(lox02(Chamber(Air(37.0, 5.0, 18.6, 93.0, False)))).driver.poll()
    assert readings["oxygen"].value == 18.6
    assert readings["oxygen_pressure"].value == 188.5


@pytest.mark.parametrize("order", ["H", "status"])
async def test_the_stream_between_the_answers_does_no_harm(order: str):
    bench = rig(lox02(order=order))
    await bench.driver.identify()
    for _ in range(30):
        readings = await bench.driver.poll()
        assert (readings["oxygen"].value, readings["output_mode"].value) == (20.9, "streaming")
        await asyncio.sleep(0.973)
    await bench.driver.prepare()
    assert bench.simulator.wake_at is None
    assert (await bench.driver.output_mode.read()).value == "polling"


async def test_polling_is_set_once_and_again_after_power_off():
    bench = rig(lox02(nul=1))
    await bench.driver.prepare()
    bench.fault("silence:after_s=1e6")
    heard = bench.wire.faults[0].heard
    await bench.driver.prepare()
    assert bench.wire.faults[0].heard == heard + 1
    bench.host.power_cycle()
    await asyncio.sleep(5)
    assert (await bench.driver.poll())["output_mode"].value == "streaming"
    await bench.driver.prepare()
    assert (await bench.driver.poll())["output_mode"].value == "polling"


async def test_a_sensor_that_keeps_its_mode_is_refused():
    class Stubborn(simulated.SstLuminoxLox02):
        def _mode(self, argument: str | None, now: float) -> str:
            return "M 00" if argument is None else "M 01"

    with pytest.raises(Refused, match="not in it"):
        await rig(Stubborn(Chamber())).driver.prepare()


async def test_a_sensor_that_is_off_or_in_an_unknown_mode_gives_no_values():
    bench = rig()
    assert isinstance(bench.simulator, simulated.SstLuminoxLox02)
    await bench.driver.poll()
    for mode, word in ((2, "off"), (7, "mode 07")):
        bench.simulator.state.mode = mode
        readings = await bench.driver.poll()
        assert readings["oxygen"].quality is readings["temperature"].quality is Quality.BAD
        assert word in readings["oxygen"].why
        assert readings["output_mode"].value == word


async def test_while_starting_and_with_a_status_there_are_no_values():
    bench = rig()
    await bench.driver.prepare()
    bench.host.power_cycle()
    reading = await bench.driver.oxygen.read()
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert "status 0001" in reading.why
    await asyncio.sleep(4)
    assert (await bench.driver.oxygen.read()).value == 20.9
    assert isinstance(bench.simulator, simulated.SstLuminoxLox02)
    bench.simulator.state.status = 12
    readings = await bench.driver.poll()
    assert readings["sensor_status"].value == "status 0012, contact the maker"
    assert readings["oxygen_pressure"].quality is Quality.BAD


@pytest.mark.parametrize(
    ("air", "name", "word"),
    [(SHEET._replace(o2_percent=40.0), "oxygen", "end of the range"),
     (SHEET._replace(o2_percent=40.0), "oxygen_pressure", "end of the range"),
     (SHEET._replace(pressure_hpa=400.0), "pressure", "outside"),
     (SHEET._replace(cel=-40.0), "temperature", "outside")],
)  # fmt: skip
async def test_at_and_beyond_the_end_of_the_range_a_value_is_bad(air: Air, name: str, word: str):
    reading = (await rig(lox02(Chamber(air))).driver.poll())[name]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert word in reading.why


async def test_a_changed_digit_is_seen_where_the_values_no_longer_fit():
    class Damaged(simulated.SstLuminoxLox02):
        def item(self, letter: str, now: float) -> str:
            return "% 010.90" if letter == "%" else super().item(letter, now)

    readings = await rig(Damaged(Chamber())).driver.poll()
    assert readings["oxygen"].quality is readings["oxygen_pressure"].quality is Quality.BAD
    assert "damaged" in readings["oxygen"].why


@pytest.mark.parametrize("said", [b"E 01\r\n", b""])
async def test_a_sensor_without_the_line_of_all_values_is_asked_one_by_one_from_then_on(said: bytes):
    """`A` is not in the vendor's own library (H, G only)."""
    asked: list[bytes] = []

    class Older(simulated.SstLuminoxLox02):
        def message(self, text: bytes, now: float) -> bytes:
            asked.append(text)
            return said if text == b"A\r" else super().message(text, now)

    bench = rig(Older(Chamber()))
    await bench.driver.prepare()
    for _ in range(2):
        assert (await bench.driver.poll())["oxygen"].value == 20.9
    assert asked.count(b"A\r") == (1 if said else 2)
    await bench.driver.prepare()
    await bench.driver.poll()
    assert asked.count(b"A\r") == (2 if said else 4)


async def test_a_value_that_is_missing_from_the_line_is_bad():
    sensor = lox02()
    sensor.letters = "OT%e"
    readings = await rig(sensor).driver.poll()
    assert readings["pressure"].why == "P is not in the line"
    assert readings["oxygen"].value == 20.9


async def test_a_field_of_another_width_is_bad():
    class Short(simulated.SstLuminoxLox01):
        def item(self, letter: str, now: float) -> str:
            return "O 211.3" if letter == "O" else super().item(letter, now)

    readings = await Rig(SstLuminoxLox01, Short(Chamber())).driver.poll()
    assert readings["oxygen_pressure"].quality is Quality.BAD
    assert "form 4.1" in readings["oxygen_pressure"].why
    assert readings["temperature"].value == 27.9


async def test_what_a_lox_01_refuses_is_one_bad_value_and_silence_is_all_of_them():
    class Cold(simulated.SstLuminoxLox01):
        def _answer(self, text: str, now: float) -> str:
            return "E 01" if text == "T" else super()._answer(text, now)

    bench = Rig(SstLuminoxLox01, Cold(Chamber()))
    readings = await bench.driver.poll()
    assert (readings["temperature"].quality, readings["oxygen_pressure"].value) == (Quality.BAD, 211.3)
    assert "invalid command" in readings["temperature"].why
    bench.fault("silence")
    assert {each.quality for each in (await bench.driver.poll()).values()} == {Quality.BAD}
    with pytest.raises(NoAnswer):
        await bench.driver.temperature.read()


async def test_nothing_of_a_sensor_can_be_set():
    with pytest.raises(Refused, match="prepare"):
        await rig().driver.write("output_mode", "off")


# -- lines by themselves


@pytest.mark.parametrize(
    "line", [b"O 0211.3", b"O 0211.3 T", b"O 0211.3  T +27.9", b"X 1 T +27.9", b"O 0211.3 O 0211.3", b""]
)
def test_what_is_no_line_of_values_is_a_bad_frame(line: bytes):
    with pytest.raises(BadFrame):
        items(line)


@pytest.mark.parametrize(("code", "word"), [(0, "overflow"), (1, "command"), (2, "frame"), (3, "argument")])
def test_errors_are_named(code: int, word: str):
    with pytest.raises(Refused, match=word):
        answer_to(field("4"))(bytearray(f"E 0{code}\r\n".encode()))


def test_other_lines_are_left_out_and_strange_ones_are_bad():
    parse = answer_to(re.compile(rb"T \S+"))
    assert parse(bytearray(b"\0" + STREAM + b"O 0211.3\r\n# 00115\r\n\r\nT +27.9\r\n")) == b"T +27.9"
    with pytest.raises(BadFrame, match="LuminOx"):
        parse(bytearray(b"S S 100.00 g\r\n"))
    with pytest.raises(BadFrame, match="line end"):
        parse(bytearray(b"0" * 600))


# -- the simulator by itself


def test_arguments_and_frames_that_cannot_be_are_errors():
    sensor = lox02()
    for text, answer in (
        (b"M 7\r\n", b"E 03\r\n"), (b"# 9\r\n", b"E 03\r\n"), (b"O 1\r\n", b"E 03\r\n"), (b"E\r\n", b"E 01\r\n"),
        (b"\r\n", b"E 01\r\n"), (b"two words\r\n", b"E 01\r\n"), (b"O\n", b"E 02\r\n"),
        (b"x" * 40 + b"\r\n", b"E 00\r\n"), (b"M2\r\n", b"M 02\r\n"), (b"Q 1\r\n", b"E 01\r\n"),
        (b"# 2\r\n", b"# 00115\r\n"),
    ):  # fmt: skip
        assert say(sensor, text) == answer, text
    sensor.receive(Bytes(b"z" * 300), 0.0)
    assert len(sensor.received) <= 300


def test_a_lox_01_knows_neither_pressure_nor_percent():
    sensor = simulated.SstLuminoxLox01(Chamber())
    assert say(sensor, b"P\r\n") == say(sensor, b"%\r\n") == b"E 01\r\n"
    assert say(sensor, b"A\r\n") == b"O 0211.3 T +27.9 e 0000\r\n"


def test_one_line_a_second_while_streaming_and_a_value_a_second():
    chamber = Chamber()
    sensor = lox02(chamber)
    sensor.receive(Opened(), 100.0)
    assert [sensor.wake_at, len(sensor.wake(101.0)), sensor.wake_at, sensor.wake(101.5)] == [101.0, 1, 102.0, []]
    say(sensor, b"M 1\r\n", 101.6)
    assert sensor.wake_at is None
    assert sensor.wake(103.0) == []
    chamber.now_air = SHEET._replace(o2_percent=10.0)
    assert say(sensor, b"O\r\n", 101.9) == b"O 0211.3\r\n"
    assert say(sensor, b"O\r\n", 102.0) == b"O 0101.1\r\n"
    say(sensor, b"M 2\r\n", 102.5)
    chamber.now_air = SHEET
    assert say(sensor, b"O\r\n", 110.0) == b"O 0101.1\r\n"
    say(sensor, b"M 0\r\n", 111.0)
    assert sensor.wake_at == 112.0


def test_noise_comes_with_a_seed_and_a_snapshot_goes_on():
    def values(seed: int | None) -> list[bytes]:
        sensor = simulated.SstLuminoxLox02(Chamber(), 0, seed)
        return [say(sensor, b"O\r\n", at) for at in (0.0, 5.0, 9.0)]

    assert values(None) == [b"O 0211.3\r\n"] * 3
    assert values(1) == values(1) != values(2)
    one = simulated.SstLuminoxLox02(Chamber(), 0, 3)
    say(one, b"M 1\r\n# ", 4.0)
    other = simulated.SstLuminoxLox02(Chamber(), 0, 3)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert say(other, b"1\r\n", 5.0) == say(one, b"1\r\n", 5.0) == b"# 00123 56895\r\n"
    assert say(other, b"A\r\n", 6.0) == say(one, b"A\r\n", 6.0)
    assert other.wake_at is None
