"""Memmert AtmoWEB: the sheet's exchanges at both ends, the almost-JSON reader, set points, damaged replies."""

from __future__ import annotations

import asyncio
import json
import random
import re

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality
from drivers.devices.memmert_atmoweb import MemmertIco, MemmertIncubator
from drivers.devices.memmert_atmoweb.reader import number, read
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Bytes, Close, Opened, Send
from simulators.core.surroundings import Air
from simulators.devices import memmert_atmoweb as simulated
from tests.devices.golden import golden

HEAD = r"HTTP/1.1 200 OK\r\nContent-Type: Unknown\r\nServer: Memmert\r\n\r\n"
GOLDEN = golden(
    "memmert_atmoweb",
    rf"""
    reply    | R | > "GET /atmoweb?Temp1Read= HTTP/1.1\r\nHost: 192.168.100.100\r\nUser-Agent: curl/7.64.0\r\nAccept: */*\r\n\r\n" | < "{HEAD}\"Temp1Read\": 28.7," close | temperature
    examples | X | > "GET /atmoweb?TempSet=37.0 HTTP/1.1\r\nHost: 192.168.100.100\r\n\r\n"   | < "{HEAD}\"TempSet\": 37.0," close | set
    examples | P | > "GET /atmoweb?Temp2Read= HTTP/1.1\r\nHost: 192.168.100.100\r\n\r\n"     | < "{HEAD}\"Temp2Read\": \"N/A\"," close | absent
    examples | X | > "GET /atmoweb?TempSet_Range= HTTP/1.1\r\nHost: 192.168.100.100\r\n\r\n" | < "{HEAD}\"TempSet_Range\": {{\"min\": 20.0, \"max\": 50.0}}," close | range
    examples | X | > "GET /atmoweb?CurOp= HTTP/1.1\r\nHost: 192.168.100.100\r\n\r\n"         | < "{HEAD}\"CurOp\": \"Manual\"," close | mode
    examples | X | > "GET /atmoweb?ProgRemain= HTTP/1.1\r\nHost: 192.168.100.100\r\n\r\n"    | < "{HEAD}\"ProgRemain\": \"-00:00:01\"," close | remaining
    examples | X | > "GET /atmoweb?ProgList= HTTP/1.1\r\nHost: 192.168.100.100\r\n\r\n"      | < "{HEAD}\"ProgList\": [\"Test100\"]," close | programs
    """,  # noqa: E501
)


class StillChamber:
    """Air that does not change by itself, and a note of what the incubator asked for."""

    def __init__(self, cel: float = 37.0) -> None:
        self.now_air = Air(cel, 5.0, 18.6, 93.0, False)
        self.asked: list[tuple[float, float, float | None]] = []

    def air(self, now: float) -> Air:
        return self.now_air

    def set_points(self, now: float, cel: float, co2_percent: float, o2_percent: float | None) -> None:
        self.asked.append((cel, co2_percent, o2_percent))


def connect(chamber: StillChamber | None = None, **options: float | str) -> tuple[MemmertIco, simulated.MemmertIco]:
    simulator = simulated.MemmertIco(chamber or StillChamber(), options=options)
    return MemmertIco(Line(MemoryHost(simulator, "incubator").link())), simulator


class Says:
    """A link whose far end answers every request with the same bytes and closes."""

    url = "http://192.168.100.100"
    is_open = False

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)

    async def dial(self) -> None:
        self.left = [self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]]

    def write(self, data: bytes) -> None: ...

    async def read(self) -> bytes:
        if not self.left or not self.left[0]:
            raise LinkLost("the far side closed")
        return self.left.pop()

    def waiting(self) -> bytes:
        return b""

    async def close(self) -> None: ...


def body(text: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: Unknown\r\nServer: Memmert\r\n\r\n" + text.encode()


def saying(*bodies: str) -> MemmertIco:
    return MemmertIco(Line(Says(*map(body, bodies))))


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    GOLDEN.check_simulator(lambda: simulated.MemmertIco(StillChamber(28.7)))
    assert GOLDEN.verified


async def test_the_driver_understands_the_recorded_exchange():
    async with GOLDEN.line("temperature", "mode") as line:
        incubator = MemmertIco(line)
        assert (await incubator.temperature.read())[::2] == (28.7, Quality.GOOD)
        assert (await incubator.operating_mode.read()).value == "Manual"


def test_the_reader_understands_every_example_of_the_sheet():
    bodies = {exchange.what: read(exchange.reply.partition(b"\r\n\r\n")[2]) for exchange in GOLDEN.exchanges}
    assert bodies["set"] == {"TempSet": 37.0}
    assert bodies["absent"] == {"Temp2Read": "N/A"}
    assert bodies["range"] == {"TempSet_Range": {"min": 20.0, "max": 50.0}}
    assert bodies["remaining"] == {"ProgRemain": "-00:00:01"}
    assert bodies["programs"] == {"ProgList": ["Test100"]}


def test_the_whole_poll_is_one_get_with_every_parameter():
    incubator, _ = connect()
    first = incubator._whole_poll[0].split(b"\r\n")[0].decode()
    assert first.startswith("GET /atmoweb?SN=&Temp1Read=&TempSet=&")
    assert first.endswith("&CurOp= HTTP/1.1")
    assert set(re.findall(r"(\w+)=", first)) == {"SN", *(row.command for row in MemmertIco.table)}


async def test_alarm_limits_come_every_ten_minutes_and_at_once_after_a_failed_poll_or_a_write():
    incubator, simulator = connect()
    everything, usual = set(incubator.specs()), set(incubator.specs()) - set(incubator.seldom)
    assert len(usual) == len(everything) - 8
    assert (await incubator.poll()).keys() == everything
    assert (await incubator.poll()).keys() == usual
    await asyncio.sleep(600)
    assert (await incubator.poll()).keys() == everything
    assert (await incubator.poll()).keys() == usual
    simulator.texts["SN"] = "F000.0001"
    incubator.serial = "F225.0042"
    with pytest.raises(WrongDevice):
        await incubator.poll()
    simulator.texts["SN"] = incubator.serial
    assert (await incubator.poll()).keys() == everything
    await incubator.co2_alarm_high.set(8.0)
    assert (await incubator.poll())["co2_alarm_high"].value == 8.0


# --- the reader


@pytest.mark.parametrize(
    "text",
    [
        '"Temp1Read": 28.7, "CurOp": "Manual",',
        '"Temp1Read":28.7,"CurOp":"Manual"',
        '{"Temp1Read": 28.7, "CurOp": "Manual"}',
        '{"Temp1Read": 28.7, "CurOp": "Manual",}\r\n',
        '\r\n"Temp1Read": 28.7,\r\n"CurOp": "Manual",\r\n',
        "“Temp1Read”: 28.7, “CurOp”: “Manual”,",
        "{Temp1Read: 28.7, CurOp: Manual}",
        '"Temp1Read": 28.7, "CurOp": Manual,',
        '{"Temp1Read": 28.7, "CurOp": "Manual",',
        '"Temp1Read": 28.7, "CurOp": "Manual"}',
    ],
)
def test_one_answer_in_every_spelling_programs_have_met(text: str):
    assert read(text.encode()) == {"Temp1Read": 28.7, "CurOp": "Manual"}


def test_typographic_quotes_of_an_old_code_page_are_quotes():
    assert read("“CurOp”: “Manual”,".encode("cp1252")) == {"CurOp": "Manual"}


def test_unquoted_words_and_ranges_are_read():
    found = read(b'"Temp2Read": N/A, "TempSet_Range": {min: 18.0, max: 45.0}, "O2Read": N/D, "Xyz": unknown,')
    assert found["Temp2Read"] == "N/A"
    assert found["TempSet_Range"] == {"min": 18.0, "max": 45.0}
    assert (found["O2Read"], found["Xyz"]) == ("N/D", "unknown")
    assert all(number(word) is None for word in found.values())


@pytest.mark.parametrize(
    "text",
    ["", ",", "{}", "28.7", '"Temp1Read"', '"Temp1Read": ', '"Temp1Read": 28', '"Temp1Read": 28.7', '"CurOp": "Man',
     '"TempSet_Range": {"min": 20.0,', '"TempSet_Range": {"min": 20.0', '"L": ["a"', '"A": 1.0, "A": 2.0,',
     '"A": 1.0 2.0,', "<html>404</html>", "null", '"A": {"b": {"c": {"d": {"e": {"f": 1}}}}},', "\x00\xff\xfe",
     '"A": 1.0,}}', "[" * 9999],
)  # fmt: skip
def test_what_is_cut_off_or_no_answer_is_a_bad_frame(text: str):
    with pytest.raises(BadFrame):
        read(text.encode("latin-1"))


@pytest.mark.parametrize("word", ["0037.0", "3e1", "+37.0", "37.0.1", "37,0", "NaN", "Infinity", "true", "0x25", "٣٧"])
def test_only_plain_decimals_are_numbers(word: str):
    try:
        found = read(f'"Temp1Read": {word},'.encode())
    except BadFrame:
        return
    assert number(found["Temp1Read"]) is None


async def test_an_answer_of_announced_length_needs_no_comma_at_its_end():
    for text in ('"Temp1Read": 28.7', '"Temp1Read": 28.7,', '{"Temp1Read": 28.7}', '"Temp1Read": 28.7,\r\n'):
        reply = f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        assert (await MemmertIco(Line(Says(reply))).temperature.read()).value == 28.7
    with pytest.raises(BadFrame, match="announced"):
        await MemmertIco(Line(Says(reply[:-4]))).temperature.read()


def test_a_switch_may_come_as_text():
    assert number("1") == 1.0


# --- reading


async def test_a_poll_is_one_exchange_and_gives_every_signal():
    chamber = StillChamber()
    incubator, _ = connect(chamber)
    chamber.now_air = Air(36.94, 4.96, 18.57, 92.5, True)
    readings = await incubator.poll()
    assert list(readings) == list(MemmertIco.specs())
    assert all(reading.quality is Quality.GOOD for reading in readings.values())
    assert readings["temperature"].value == 36.9
    assert readings["co2"].value == 5.0
    assert readings["o2"].value == 18.6
    assert readings["humidity"].value == 92.5
    assert readings["door_open"].value is True
    assert readings["temperature_setpoint"].value == 37.0
    assert readings["operating_mode"].value == "Manual"


@pytest.mark.parametrize("variant", simulated.MemmertIco.VARIANTS)
async def test_every_dialect_gives_the_same_readings_and_limits(variant: str):
    incubator, _ = connect(variant=variant)
    await incubator.prepare()
    assert incubator.ranges["temperature_setpoint"] == (20.0, 50.0)
    assert len(incubator.ranges) == 13
    assert {name: reading.value for name, reading in (await incubator.poll()).items()} == {
        name: reading.value for name, reading in (await connect()[0].poll()).items()
    }


@pytest.mark.parametrize("variant", simulated.MemmertIco.VARIANTS)
async def test_a_module_that_is_not_there_is_a_bad_reading_with_the_devices_word(variant: str):
    incubator, _ = connect(variant=variant, o2=0)
    readings = await incubator.poll()
    assert readings["o2"].quality is Quality.BAD
    assert readings["o2"].value is None
    assert "N/A" in readings["o2"].why
    assert readings["co2"].quality is Quality.GOOD


async def test_a_number_that_cannot_be_true_is_bad():
    reading = await saying('"Temp1Read": 370.0,').temperature.read()
    assert reading.quality is Quality.BAD
    assert "370" in reading.why


async def test_silence_is_no_answer_after_the_programs_usual_five_seconds():
    incubator, simulator = connect()
    simulator.receive = lambda event, now: []  # type: ignore[method-assign]
    start = asyncio.get_running_loop().time()
    with pytest.raises(NoAnswer):
        await incubator.poll()
    assert asyncio.get_running_loop().time() - start == pytest.approx(5.0, abs=0.01)
    with pytest.raises(NoAnswer):
        await incubator.temperature.read()


async def test_another_http_server_is_not_an_incubator():
    incubator = MemmertIco(Line(Says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")))
    with pytest.raises(BadFrame, match="404"):
        await incubator.temperature.read()
    with pytest.raises(BadFrame):
        await saying("<!doctype html><html>hello</html>").identify()


async def test_the_device_names_itself():
    identity = await connect(type="ICO50med", serial="F119.0007")[0].identify()
    assert identity == Identity("Memmert", "ICO50med", "F119.0007", "3.0.1")


async def test_an_oven_without_co2_is_the_wrong_device():
    with pytest.raises(WrongDevice, match="UF55"):
        await saying('"Temp1Read": 25.0, "CO2Read": "N/A", "DevType": "UF55plus", "SN": "1", "SWRev": "1",').identify()


@pytest.mark.req("EQ-05")
async def test_another_serial_number_on_the_same_address_is_never_read_or_written():
    incubator, simulator = connect()
    await incubator.identify()
    simulator.texts["SN"] = "F000.0001"
    with pytest.raises(WrongDevice, match=r"F000\.0001"):
        await incubator.poll()
    with pytest.raises(Refused, match=r"F000\.0001"):
        await incubator.temperature_setpoint.set(30.0)
    assert simulator.state.set_points["TempSet"] == 37.0


# --- the incubator without gas


def warm(**options: float | str) -> tuple[MemmertIncubator, simulated.MemmertIncubator, StillChamber]:
    chamber = StillChamber(28.7)
    simulator = simulated.MemmertIncubator(chamber, options=options)
    return MemmertIncubator(Line(MemoryHost(simulator, "incubator").link())), simulator, chamber


async def test_an_incubator_that_holds_a_temperature_only():
    incubator, _, chamber = warm()
    assert (await incubator.identify()).type == "IPP30plus"
    await incubator.prepare()
    assert set(incubator.ranges) == {"temperature_setpoint", "temperature_alarm_high", "temperature_alarm_low"}
    readings = await incubator.poll()
    assert list(readings) == list(MemmertIncubator.specs())
    assert all(reading.quality is Quality.GOOD for reading in readings.values())
    assert readings["temperature"].value == 28.7
    assert (await incubator.temperature_setpoint.set(36.5)).value == 36.5
    assert chamber.asked[-1] == (36.5, 0.0, None)
    with pytest.raises(OutOfRange):
        await incubator.temperature_setpoint.set(51.0)


async def test_a_program_that_knows_temperatures_only_can_stand_in_for_an_incubator():
    """As the public simulator of an IPP30: a complete object, and nothing of what it does not know (D)."""
    reply = body('{"Temp1Read": 36.9}')
    assert (await MemmertIncubator(Line(Says(reply))).identify()).maker == "Memmert"
    with pytest.raises(WrongDevice, match="no temperature"):
        await MemmertIncubator(Line(Says(body('{"Foo": 1}')))).identify()
    with pytest.raises(WrongDevice, match="no device type"):
        await MemmertIco(Line(Says(reply))).identify()


async def test_the_two_kinds_of_incubator_are_not_taken_for_each_other():
    with pytest.raises(WrongDevice, match="memmert_ico"):
        await MemmertIncubator(Line(MemoryHost(simulated.MemmertIco(StillChamber())).link())).identify()
    with pytest.raises(WrongDevice, match="memmert_incubator"):
        await MemmertIco(Line(MemoryHost(simulated.MemmertIncubator(StillChamber())).link())).identify()


# --- writing


async def test_a_set_point_is_written_read_back_and_acts_on_the_chamber():
    chamber = StillChamber()
    incubator, _ = connect(chamber)
    await incubator.prepare()
    assert (await incubator.temperature_setpoint.set(36.5)).value == 36.5
    assert (await incubator.co2_setpoint.set(6)).value == 6.0
    assert (await incubator.o2_setpoint.set(5.0)).value == 5.0
    assert chamber.asked[0] == (37.0, 5.0, None)
    assert chamber.asked[-1] == (36.5, 6.0, 5.0)
    assert (await incubator.temperature_alarm_high.set(38.0)).value == 38.0


async def test_out_of_range_names_who_set_the_limits():
    incubator, simulator = connect()
    with pytest.raises(OutOfRange, match="TempSet_Range") as caught:
        await incubator.temperature_setpoint.set(55.0)
    assert (caught.value.low, caught.value.high) == (20.0, 50.0)
    for value in (61.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(OutOfRange):
            await incubator.temperature_setpoint.set(value)
    assert simulator.state.set_points["TempSet"] == 37.0


@pytest.mark.parametrize("value", [None, "37", "", " ", True])
async def test_only_a_number_is_ever_sent_after_the_equals_sign(value: object):
    incubator, simulator = connect()
    with pytest.raises(Refused):
        await incubator.temperature_setpoint.set(value)  # type: ignore[arg-type]
    assert simulator.state.set_points["TempSet"] == 37.0


async def test_what_can_only_be_read_is_refused():
    with pytest.raises(Refused, match="only be read"):
        await connect()[0].temperature.set(37.0)


async def test_outside_manual_a_set_point_is_refused_with_what_to_do():
    incubator, simulator = connect(mode="Timer")
    with pytest.raises(Refused, match="Manual at its panel"):
        await incubator.temperature_setpoint.set(30.0)
    assert simulator.state.set_points["TempSet"] == 37.0


async def test_a_missing_module_refuses_its_set_point_with_the_devices_word():
    with pytest.raises(Refused, match="N/A"):
        await connect(o2=0)[0].o2_setpoint.set(5.0)


CHECK = '"TempSet_Range": "N/D", "SN": "1", "CurOp": "Manual",'


@pytest.mark.parametrize(
    ("answer", "kept", "says"),
    [
        ('"TempSet": 50.0,', '"TempSet": 50.0,', "answered 50 instead of 55"),
        ('"TempSet": 37.0,', '"TempSet": 37.0,', "answered 37 instead of 55"),
        ('"TempSet": "N/A",', '"TempSet": 37.0,', "N/A"),
        ('"TempSet": 55.0,', '"TempSet": 37.0,', "kept 37 instead of 55"),
        ('"TempSet": 55.0,', '"TempSet": "N/D",', "N/D"),
    ],
    ids=["clamps", "ignores", "refuses", "answers without effect", "forgets"],
)
async def test_a_set_point_the_device_did_not_take_is_refused_with_what_it_took(answer: str, kept: str, says: str):
    with pytest.raises(Refused, match=re.escape(says)):
        await saying(CHECK, answer, kept).temperature_setpoint.set(55.0)


@pytest.mark.parametrize(("how", "kept"), [("clamp", 50.0), ("ignore", 37.0), ("error", 37.0)])
async def test_the_simulators_three_ways_with_a_value_out_of_range(how: str, kept: float):
    incubator, simulator = connect(out_of_range=how)
    await incubator._ask(b"GET /atmoweb?TempSet=80.0 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert simulator.state.set_points["TempSet"] == kept


async def test_the_older_flat_range_is_read_too():
    incubator = saying('"TempSet_RangeMin": 18.0, "TempSet_RangeMax": 45.0,')
    await incubator.prepare()
    assert incubator.ranges == {"temperature_setpoint": (18.0, 45.0)}


# --- the simulator


def exchange(simulator: simulated.MemmertIco, *pieces: bytes) -> bytes:
    simulator.receive(Opened(), 0.0)
    actions = [action for piece in pieces for action in simulator.receive(Bytes(piece), 0.0)]
    assert isinstance(actions[-1], Close)
    return b"".join(action.data for action in actions if isinstance(action, Send))


def test_a_request_may_come_in_pieces_and_a_second_one_is_not_heard():
    simulator = simulated.MemmertIco(StillChamber())
    request = GOLDEN["temperature"].request
    whole = exchange(simulator, request)
    assert exchange(simulator, *(request[at : at + 7] for at in range(0, len(request), 7))) == whole
    assert exchange(simulator, request) == whole
    assert simulator.receive(Bytes(request), 0.0) == []


def test_a_name_without_a_value_reads_and_a_blank_writes():
    simulator = simulated.MemmertIco(StillChamber())
    assert exchange(simulator, b"GET /atmoweb?TempSet HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b'"TempSet": 37.0,')
    assert exchange(simulator, b"GET /atmoweb?TempSet=%20 HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b'"TempSet": "N/D",')
    assert exchange(simulator, b"GET /atmoweb?Nonsense= HTTP/1.1\r\nHost: a\r\n\r\n").endswith(
        b'"Nonsense": "unknown",'
    )


def test_what_is_no_request_gets_an_error_and_a_closed_connection():
    simulator = simulated.MemmertIco(StillChamber())
    assert exchange(simulator, b"\x00\x01nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert exchange(simulator, b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 404")
    assert exchange(simulator, b"POST /atmoweb?TempSet=30 HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 404")


def test_outside_manual_the_simulator_answers_a_write_that_has_no_effect():
    simulator = simulated.MemmertIco(StillChamber(), options={"mode": "Idle"})
    assert exchange(simulator, b"GET /atmoweb?TempSet=30.0 HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b'"TempSet": 30.0,')
    assert simulator.state.set_points["TempSet"] == 37.0


def test_set_points_survive_a_power_cycle_and_a_snapshot_and_reach_the_chamber_again():
    chamber = StillChamber()
    simulator = simulated.MemmertIco(chamber, seed=7)
    exchange(simulator, b"GET /atmoweb?TempSet=30.0 HTTP/1.1\r\nHost: a\r\n\r\n")
    simulator.power_cycle(1.0)
    assert chamber.asked[-1][0] == 30.0
    twin_chamber = StillChamber()
    twin = simulated.MemmertIco(twin_chamber, seed=7)
    twin.restore(json.loads(json.dumps(simulator.snapshot())))
    request = b"GET /atmoweb?Temp1Read=&CO2Read=&TempSet= HTTP/1.1\r\nHost: a\r\n\r\n"
    assert [exchange(twin, request) for _ in range(5)] == [exchange(simulator, request) for _ in range(5)]
    assert twin_chamber.asked[-1][0] == 30.0


def test_noise_comes_with_a_seed_only():
    request = GOLDEN["temperature"].request
    quiet = simulated.MemmertIco(StillChamber())
    assert len({exchange(quiet, request) for _ in range(50)}) == 1
    noisy = simulated.MemmertIco(StillChamber(36.95), seed=1)
    assert len({exchange(noisy, request) for _ in range(50)}) > 1


# --- damaged replies


def mutations(reply: bytes, count: int) -> list[bytes]:
    """Seeded damage that leaves no digit changed into another: what a byte stream without a checksum can show."""
    dice = random.Random(20260105)
    damaged = list[bytes]()
    while len(damaged) < count:
        at, what = dice.randrange(len(reply)), dice.randrange(6)
        odd = bytes([dice.choice(b"abcXYZ\"'{}[]:,;/\\\x00\x07\r\n\xff\xe2-. ")])
        match what:
            case 0:
                damaged.append(reply[:at])
            case 1:
                damaged.append(reply[:at] + odd + reply[at + 1 :])
            case 2:
                damaged.append(reply[:at] + odd + reply[at:])
            case 3 if not reply[at : at + 1].isdigit():
                damaged.append(reply[:at] + reply[at + 1 :])
            case 4:
                damaged.append(dice.randbytes(at))
            case 5:
                damaged.append(reply[at:])
    return damaged


@pytest.mark.parametrize("variant", simulated.MemmertIco.VARIANTS)
async def test_two_hundred_damaged_replies_never_give_a_wrong_number(variant: str):
    simulator = simulated.MemmertIco(StillChamber(), options={"variant": variant})
    reply = exchange(simulator, MemmertIco(Line(Says(b"")))._whole_poll[0])
    truth = {name: reading.value for name, reading in (await MemmertIco(Line(Says(reply))).poll()).items()}
    good = bad = 0
    for damaged in mutations(reply, 200):
        try:
            readings = await MemmertIco(Line(Says(damaged))).poll()
        except WireError as error:
            assert str(error)
            bad += 1
            continue
        for name, reading in readings.items():
            if reading.quality is Quality.GOOD:
                assert reading.value == truth[name] or isinstance(reading.value, str), (name, reading, damaged)
                good += 1
            else:
                assert reading.value is None
                assert reading.why
                bad += 1
    assert good
    assert bad > 100


async def test_every_cut_of_a_single_reply_is_a_named_error():
    reply = GOLDEN["temperature"].reply
    for length in range(len(reply)):
        with pytest.raises(WireError):
            await MemmertIco(Line(Says(reply[:length]))).temperature.read()


# --- what the driver declares


@pytest.mark.req("EQ-01")
def test_the_driver_declares_what_happens_without_us():
    assert MemmertIco.on_link_loss is LinkLoss.KEEPS_SETPOINTS
    assert MemmertIco.safe_state
    assert MemmertIco.watchdog
    assert MemmertIco.verified is None


def test_signals_and_table_are_the_same():
    assert list(MemmertIco.specs()) == [row.name for row in MemmertIco.table]
    for row in MemmertIco.table:
        assert row.tag, row.name
        assert row.access.value == ("rw" if row.extra.get("range") else "r")


# --- requests of other programs


def asked(incubator: simulated.MemmertIco, *pieces: bytes) -> bytes:
    incubator.receive(Opened(), 0.0)
    actions = [action for piece in pieces for action in incubator.receive(Bytes(piece), 0.0)]
    return b"".join(action.data for action in actions if isinstance(action, Send)).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /atmoweb?Temp1Read= HTTP/1.1\r\n\r\n",
        b"GET /atmoweb?Temp1Read= HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET /atmoweb?Temp1Read HTTP/1.1\nHost: x\n\n",
        b"GET /atmoweb?Temp1Read= HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nX-odd\r\n\r\n",
    ],
)
def test_header_fields_are_nothing_to_the_device_and_bytes_may_come_one_by_one(request_bytes: bytes):
    incubator = simulated.MemmertIco(StillChamber(28.7))
    assert asked(incubator, request_bytes) == b'"Temp1Read": 28.7,'
    assert asked(incubator, *(bytes([byte]) for byte in request_bytes)) == b'"Temp1Read": 28.7,'
    assert asked(incubator, request_bytes) == b'"Temp1Read": 28.7,'


def test_every_parameter_of_the_sheet_is_known():
    incubator = simulated.MemmertIco(StillChamber())
    limits = [f"Al{what}{end}" for what in ("Temp", "Hum", "CO2", "O2", "Vac") for end in ("Hi", "Lo")]
    points = ["TempSet", "HumSet", "CO2Set", "O2Set", "VacSet", "FanSet"]
    words = [
        "Temp1Read",
        "Temp2Read",
        "Temp3Read",
        "Temp4Read",
        "HumRead",
        "CO2Read",
        "O2Read",
        "VacRead",
        "FanRead",
        "FlapSet",
        "SwASet",
        "SwBSet",
        "SwCSet",
        "SwDSet",
        "DoorOpen",
        "DoorLock",
        "LightDay",
        "LightUV",
        "LightLED",
        "HornSet",
        "CurOp",
        "ProgCurrent",
        "ProgStart",
        "ProgList",
        "ProgDuration",
        "ProgRemain",
        "Info",
        "InfoTemp",
        "InfoHum",
        "InfoVac",
        "InfoMsg",
        "Time",
        "TimeZone",
        "TimeDST",
        "SWRev",
        "SN",
        "DevType",
        "RC",
        "GasType",
    ]
    names = [*words, *limits, *points, *(f"{name}_Range" for name in (*limits, *points))]
    for name in names:
        body = asked(incubator, f"GET /atmoweb?{name}= HTTP/1.1\r\n\r\n".encode())
        assert body.startswith(f'"{name}": '.encode())
        assert b"unknown" not in body, name
    assert asked(incubator, b"GET /atmoweb?Temp9Read= HTTP/1.1\r\n\r\n") == b'"Temp9Read": "unknown",'


def test_a_program_is_started_by_its_name():
    incubator = simulated.MemmertIco(StillChamber())
    assert asked(incubator, b"GET /atmoweb?ProgStart=Test101 HTTP/1.1\r\n\r\n") == b'"ProgStart": "N/D",'
    assert asked(incubator, b"GET /atmoweb?ProgStart=Test100 HTTP/1.1\r\n\r\n") == b'"ProgStart": "Test100",'
    assert asked(incubator, b"GET /atmoweb?ProgCurrent= HTTP/1.1\r\n\r\n") == b'"ProgCurrent": "Test100",'
