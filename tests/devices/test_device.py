"""What every device does without a line of its own: poll signal by signal."""

from __future__ import annotations

import pytest

from drivers.core.device import Device, Signal
from drivers.core.errors import BadFrame, OutOfRange
from drivers.core.line import Line
from drivers.core.registers import Table, parse
from drivers.core.signals import Quality, Reading, Value
from drivers.core.wire.ascii import take_line
from tests.links.scripted import ScriptedLink


class Printed(Table):
    rows = parse("name,command,unit,access,low,high\nspeed,S?,1/min,rw,0,300\nalarm,A?,,r,,\nreset,R,,w,,\n", "made up")


class Stirrer(Device):
    table = Printed("none", "none", 1)
    model = "stirrer"
    speed = Signal()
    alarm = Signal()
    reset = Signal()

    async def read(self, name: str) -> Reading:
        request = type(self).table[name].command.encode() + b"\r\n"
        return self.good(float(await self.line.query(request, take_line, timeout_s=1.0)))

    async def write(self, name: str, value: Value) -> Reading:
        assert isinstance(value, float)
        self.check_limits(name, value)
        return self.good(value)


async def test_one_silent_signal_is_one_bad_reading_and_what_cannot_be_read_is_not_asked():
    link = ScriptedLink(lambda request: [(0.1, b"60\r\n")] if request == b"S?\r\n" else [])
    readings = await Stirrer(Line(link, "bus")).poll()
    assert readings["speed"][::2] == (60.0, Quality.GOOD)
    assert readings["alarm"].quality is Quality.BAD
    assert "bus: no answer" in readings["alarm"].why
    assert list(readings) == ["speed", "alarm"]


async def test_a_set_point_outside_the_datasheets_limits_is_not_sent():
    link = ScriptedLink()
    stirrer = Stirrer(Line(link))
    for value in (-1.0, 301.0):
        with pytest.raises(OutOfRange):
            await stirrer.speed.set(value)
    assert link.sent == []
    assert (await stirrer.speed.set(300.0)).value == 300.0


class Careful(Stirrer):
    """Two questions whose answers look alike."""

    timeout_s = 1.0

    async def ask(self, question: bytes) -> bytes:
        return await self.certain(lambda: self.line.query(question, take_line, timeout_s=1.0))


async def test_an_answer_that_comes_late_is_asked_for_again_after_silence():
    answers = {b"A": b"1\r\n", b"B": b"2\r\n"}
    link = ScriptedLink(lambda request: [(0.1, answers[request])])
    device = Careful(Line(link))
    assert [await device.ask(question) for question in (b"A", b"B")] == [b"1", b"2"]
    assert len(link.sent) == 2
    copied = iter([[(0.1, b"1\r\n"), (0.6, b"1\r\n")], [(0.51, b"2\r\n")], [(0.1, b"2\r\n")]])
    link.answer = lambda request: next(copied)
    assert [await device.ask(question) for question in (b"A", b"B")] == [b"1", b"2"]
    assert link.requests[2:] == [b"A", b"B", b"B"]
    assert link.sent[4][0] - link.sent[3][0] > 2


async def test_a_line_that_stays_disturbed_gives_no_value():
    link = ScriptedLink(lambda request: [(0.1, b"1\r\n")])
    device = Careful(Line(link), 0)
    await device.ask(b"A")
    link.answer = lambda request: [(0.6, b"2\r\n")]
    with pytest.raises(BadFrame, match="nobody asked for"):
        await device.ask(b"A")
    assert len(link.sent) == 4


def only_q(buffer: bytearray) -> bytes | None:
    answer = take_line(buffer)
    if answer not in (None, b"Q"):
        raise BadFrame(f"not an answer to Q: {answer!r}")
    return answer


async def test_a_round_that_is_closed_may_be_late_but_nothing_may_be_left_over():
    link = ScriptedLink(lambda request: [(0.1, request + b"\r\n")])
    device = Careful(Line(link))
    line = device.line

    async def asking() -> bytes:
        return await line.query(b"A", take_line, timeout_s=1.0)

    async def closing() -> bytes:
        return await line.query(b"Q", only_q, timeout_s=1.0, retries=1)

    assert await line.certain(asking, 1.0, closing) == b"A"
    link.answer = lambda request: [(0.6, request + b"\r\n")]
    assert await line.certain(asking, 1.0, closing) == b"A"
    assert link.requests == [b"A", b"Q"] * 2


@pytest.mark.parametrize("own", [b"Q\r\n", b""])
async def test_what_was_left_over_comes_to_light_in_front_of_the_closing_answer(own: bytes):
    device = Careful(Line(ScriptedLink()))
    line = device.line
    answers = iter([
        [(0.1, b"B\r\n")], [(0.1, b"A\r\n"), (0.2, own)] if own else [(0.1, b"A\r\n")], [(0.1, b"Q\r\n")],
        [(0.1, b"A\r\n")], [(0.1, b"Q\r\n")],
    ])  # fmt: skip
    line.link.answer = lambda request: next(answers)

    async def asking() -> bytes:
        return await line.query(b"A", take_line, timeout_s=1.0)

    async def closing() -> bytes:
        return await line.query(b"Q", only_q, timeout_s=1.0, retries=1)

    assert await line.certain(asking, 1.0, closing) == b"A"
