"""A device of three signals from a table, as a person would write it: blocks, limits, refusals, silence."""

from __future__ import annotations

import math
import struct
from types import SimpleNamespace

import pytest

from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import NoAnswer, OutOfRange, Refused
from drivers.core.line import Line
from drivers.core.modbus_device import ModbusDevice, group_rows
from drivers.core.registers import Row, Table, parse
from drivers.core.signals import Access, Quality
from drivers.core.wire import modbus
from tests.links.scripted import Answers, ScriptedLink


class Printed(Table):
    rows = parse(
        """name,table,address,length,type,scale,unit,access,low,high
temperature,input,100,,int16,0.1,Cel,r,0,60
co2,input,102,,uint16,0.01,%,r,0,20
flow,input,900,,float32_swapped,1,mL/min,r,,
temperature_setpoint,holding,200,,int16,0.1,Cel,rw,20,50
span,holding,202,,float32_swapped,1,Cel,rw,0,9
horn,holding,300,,bool,1,,w,,
serial,holding,400,4,text,,,r,,
""",
        "made up",
    )


class BorealisCo2(ModbusDevice):
    """Made up."""

    table = Printed("none", "none", 1)
    gap = 8
    model = "borealis_co2"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    timeout_s = 0.5

    temperature = Signal()
    co2 = Signal()
    flow = Signal()
    temperature_setpoint = Signal()
    span = Signal()
    horn = Signal()


class Image(ScriptedLink):
    """Registers by wire address behind a cable; `silent` and `refused` hold wire addresses a request starts at."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.words = {99: 371, 101: 503, 199: 370, 399: 0x3131, 400: 0x3232, 401: 0x4100, 402: 0}
        self.words |= dict(zip((899, 900), struct.unpack(">HH", struct.pack(">f", 1.5))[::-1], strict=True))
        self.silent: set[int] = set()
        self.refused: set[int] = set()

    def reply(self, data: bytes) -> Answers:
        request = modbus.take_request(bytearray(data))
        if request is None or request.start in self.silent:
            return []
        if request.start in self.refused:
            return [(0.01, modbus.refusal(request, 2))]
        if request.data:
            for at in range(request.quantity):
                self.words[request.start + at] = int.from_bytes(request.data[2 * at : 2 * at + 2], "big")
            return [(0.01, modbus.write_reply(request))]
        words = (self.words.get(request.start + at, 0) for at in range(request.quantity))
        return [(0.01, modbus.read_reply(request, b"".join(word.to_bytes(2, "big") for word in words)))]


@pytest.fixture
def far():
    image = Image()
    return SimpleNamespace(image=image, device=BorealisCo2(Line(image), 1))


def test_signals_come_from_the_class_body_and_their_facts_from_the_table():
    specs = BorealisCo2.specs()
    assert list(specs) == ["temperature", "co2", "flow", "temperature_setpoint", "span", "horn"]
    assert specs["co2"].unit == "%"
    assert specs["temperature_setpoint"].access is Access.READ_WRITE
    assert BorealisCo2.specs() is specs
    assert isinstance(BorealisCo2.temperature, Signal)


async def test_one_signal_is_read(far):
    reading = await far.device.temperature.read()
    assert (reading.value, reading.quality) == (37.1, Quality.GOOD)
    assert (await far.device.flow.read()).value == 1.5


async def test_a_poll_takes_one_exchange_for_neighbours(far):
    readings = await far.device.poll()
    assert {name: reading.value for name, reading in readings.items()} == {
        "temperature": 37.1, "co2": 5.03, "flow": 1.5, "temperature_setpoint": 37.0, "span": 0.0,
    }  # fmt: skip
    assert far.image.requests == [
        modbus.read_request(1, 3, 199, 4),
        modbus.read_request(1, 4, 99, 3),
        modbus.read_request(1, 4, 899, 2),
    ]


async def test_a_set_point_is_checked_written_and_read_back(far):
    assert (await far.device.temperature_setpoint.set(36.5)).value == 36.5
    assert far.image.words[199] == 365
    assert (await far.device.span.set(0.5)).value == 0.5
    with pytest.raises(OutOfRange, match=r"outside 20.0 to 50.0 Cel \(limits of the datasheet of borealis_co2\)"):
        await far.device.temperature_setpoint.set(60)
    assert far.image.words[199] == 365
    with pytest.raises(ValueError, match="not a number"):
        await far.device.temperature_setpoint.set("warm")


async def test_a_write_is_sent_once_even_when_nothing_comes_back(far):
    far.image.silent.add(199)
    with pytest.raises(NoAnswer):
        await far.device.temperature_setpoint.set(36.5)
    assert len(far.image.sent) == 1


async def test_a_refused_block_is_read_in_pieces_and_only_what_is_refused_itself_is_bad(far):
    far.image.refused.add(99)
    readings = await far.device.poll()
    assert (readings["temperature"].quality, readings["co2"].quality) == (Quality.BAD, Quality.GOOD)
    assert readings["temperature"].value is None
    assert "illegal data address" in readings["temperature"].why
    assert readings["flow"].quality is Quality.GOOD
    with pytest.raises(Refused):
        await far.device.temperature.read()
    asked = len(far.image.sent)
    assert (await far.device.co2.read()).value == 5.03
    assert len(far.image.sent) == asked + 1  # known from the poll


async def test_a_block_refused_to_the_first_question_is_read_in_pieces_too(far):
    far.image.refused.add(99)
    assert (await far.device.co2.read()).value == 5.03


async def test_a_silent_device_is_asked_for_one_block_only_and_everything_is_bad(far):
    far.image.silent |= {99, 199, 899}
    readings = await far.device.poll()
    assert {reading.quality for reading in readings.values()} == {Quality.BAD}
    assert all("no answer" in reading.why for reading in readings.values())
    assert len(far.image.sent) == 2  # one read, repeated once


async def test_a_number_that_is_none_is_a_bad_reading(far):
    far.image.words |= dict(zip((899, 900), struct.unpack(">HH", struct.pack(">f", math.nan))[::-1], strict=True))
    reading = await far.device.flow.read()
    assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_a_row_that_is_no_signal_can_be_read_too(far):
    assert await far.device.read_row(BorealisCo2.table["serial"]) == "1122A"


def test_blocks_of_the_table_are_read_whole_and_apart():
    rows = [
        Row("status", "holding", wire=2093, length=2, block=(2089, 10)),
        Row("ph", "holding", wire=2091, length=2, block=(2089, 10)),
        Row("temperature", "holding", wire=2411, length=2, block=(2409, 10)),
        Row("loose", "holding", wire=2421),
        Row("near", "holding", wire=2425),
        Row("other", "input", wire=2426),
    ]
    found = [(start, count, [row.name for row in members]) for start, count, members in group_rows(rows, 8)]
    assert found == [
        (2421, 5, ["loose", "near"]),
        (2089, 10, ["ph", "status"]),
        (2409, 10, ["temperature"]),
        (2426, 1, ["other"]),
    ]
    wide = [Row(f"r{at}", "input", wire=at) for at in range(0, 200, 5)]
    assert all(count <= modbus.MOST_READ for _, count, _ in group_rows(wide, 8))
