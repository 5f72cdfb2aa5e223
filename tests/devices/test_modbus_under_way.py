"""A late copy of a Modbus reply: whose answer it can be, and that no driver takes it for another question's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, Refused
from drivers.core.line import Line
from drivers.core.modbus_device import Group, ModbusDevice, apart
from drivers.core.modbus_under_way import UnderWay, under_way
from drivers.core.registers import Row, Table, parse
from drivers.core.wire import modbus
from tests.links.scripted import Answers, ScriptedLink

ONE, TWO, NO = b"\x01\x03\x02", b"\x01\x03\x04", b"\x01\x83"
A, B, C = (modbus.read_request(1, 3, start, 1) for start in (10, 20, 30))
WIDE = modbus.read_request(1, 3, 40, 2)


def test_the_first_reply_of_a_length_is_sure_and_another_question_of_it_is_not():
    seen = UnderWay()
    assert seen.came(ONE, A, 0.0, 2.0)
    assert not seen.could_mix(ONE, A, 0.0)
    assert seen.could_mix(ONE, B, 0.0)
    assert not seen.came(ONE, B, 0.0, 2.0)
    assert seen.could_mix(ONE, A, 0.0)


def test_behind_a_reply_of_another_length_nothing_is_under_way_but_that_one():
    seen = UnderWay()
    seen.came(ONE, A, 0.0, 2.0)
    assert seen.is_new(TWO, 0.0)
    assert seen.came(TWO, WIDE, 0.0, 2.0)
    assert seen.came(ONE, B, 0.0, 2.0)
    assert not seen.is_new(ONE, 0.0)
    assert seen.is_new(TWO, 0.0)


def test_a_copy_of_its_own_does_not_show_that_anything_else_has_passed():
    seen = UnderWay()
    seen.came(ONE, A, 0.0, 2.0)
    seen.missing((TWO, NO), WIDE, 0.0, 2.0)
    assert seen.came(ONE, A, 0.0, 2.0)
    assert not seen.is_new(TWO, 0.0)


def test_what_was_not_answered_may_still_come_as_an_answer_or_as_a_no():
    seen = UnderWay()
    seen.missing((ONE, NO), A, 0.0, 2.0)
    assert seen.could_mix(ONE, B, 0.0)
    assert seen.could_mix(NO, B, 0.0)
    assert not seen.came(NO, B, 0.0, 2.0)


def test_nothing_is_under_way_for_longer_than_it_can_be_late():
    seen = UnderWay()
    seen.came(ONE, A, 0.0, 2.0)
    assert seen.could_mix(ONE, B, 2.0)
    assert not seen.could_mix(ONE, B, 2.1)
    seen.came(ONE, A, 5.0, 2.0)
    seen.passed()
    assert seen.is_new(ONE, 5.0)


def test_drivers_of_one_address_on_one_line_know_of_each_other():
    line = Line(ScriptedLink())
    assert under_way(line, 1) is under_way(line, 1)
    assert under_way(line, 1) is not under_way(line, 2)
    assert under_way(Line(ScriptedLink()), 1) is not under_way(line, 1)


def groups(*lengths: int) -> list[Group]:
    return [(10 * at, count, (Row(f"r{at}", "holding", wire=10 * at),)) for at, count in enumerate(lengths)]


@pytest.mark.parametrize(
    ("lengths", "order"),
    [((2, 1, 2), [2, 1, 2]), ((1, 1, 2, 2), [1, 2, 1, 2]), ((3, 1, 1, 1, 2), [1, 3, 1, 2, 1]), ((1, 1, 1), [1, 1, 1]),
     ((1, 1, 1, 1, 5), [1, 5, 1, 1, 1]), ((), []), ((4,), [4])],
)  # fmt: skip
def test_blocks_are_asked_so_that_no_two_of_a_length_follow_each_other(lengths: tuple[int, ...], order: list[int]):
    found = apart(groups(*lengths))
    assert [count for _, count, _ in found] == order
    assert sorted(found) == sorted(groups(*lengths))


class Printed(Table):
    rows = parse(
        """name,table,address,length,type,access
one,holding,11,,uint16,rw
two,holding,21,,uint16,rw
three,holding,31,,uint16,r
wide,holding,41,2,uint32,r
gone,holding,51,,uint16,r
lost,holding,61,,uint16,r
""",
        "made up",
    )


class OnlyShort(Table):
    rows = parse("name,table,address,type\none,holding,11,uint16\ntwo,holding,21,uint16\nthree,holding,31,uint16", "")


class Twins(ModbusDevice):
    """Made up: three numbers that look alike on the wire, and one that does not."""

    table = Printed("none", "none", 1)
    model = "twins"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    timeout_s = 1.0
    quiet_s = 0.01

    one = Signal()
    two = Signal()
    three = Signal()


class Cable(ScriptedLink):
    """Registers 10, 20, 30 hold 1, 2, 3 and 50 on are not there. `copies` is how late each coming reply comes again
    (None = not at all); what comes later waits behind it, as on a cable. `lost` counts replies that do not come."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.words = {10: 1, 20: 2, 30: 3, 40: 0, 41: 4}
        self.copies: list[float | None] = []
        self.lost: list[bool] = []
        self.free_at = 0.0

    def reply(self, data: bytes) -> Answers:
        request = modbus.take_request(bytearray(data))
        assert request is not None
        if request.data:
            self.words[request.start] = int.from_bytes(request.data, "big")
            frame = modbus.write_reply(request)
        elif request.start in self.words:
            words = (self.words[request.start + at] for at in range(request.quantity))
            frame = modbus.read_reply(request, b"".join(word.to_bytes(2, "big") for word in words))
        else:
            frame = modbus.refusal(request, 2)
        now = asyncio.get_running_loop().time()
        answers: Answers = []
        if not (self.lost and self.lost.pop(0)):
            self.free_at = max(now + 0.02, self.free_at + 1e-5)
            answers.append((self.free_at - now, frame))
        if (late_s := self.copies.pop(0) if self.copies else None) is not None:
            self.free_at = max(now + late_s, self.free_at + 1e-5)
            answers.append((self.free_at - now, frame))
        return answers

    @property
    def asked(self) -> list[int]:
        return [int.from_bytes(data[2:4], "big") for data in self.requests]


def connect(kind: type[ModbusDevice] = Twins) -> tuple[Cable, ModbusDevice]:
    cable = Cable()
    return cable, kind(Line(cable), 1)


async def test_between_two_questions_of_one_length_another_is_asked():
    cable, device = connect()
    readings = await device.poll()
    assert [reading.value for reading in readings.values()] == [1, 2, 3]
    assert cable.asked == [10, 40, 20, 40, 30]


async def test_where_a_poll_has_another_length_to_ask_for_nothing_is_asked_in_vain():
    class Told(ModbusDevice):
        table = Twins.table
        two = Signal()
        three = Signal()
        wide = Signal()

    cable, device = connect(Told)
    for _ in range(3):
        await device.poll()
        await asyncio.sleep(10)
    assert cable.asked == [20, 40, 30] * 3


@pytest.mark.parametrize("late_s", [0.02, 0.035, 0.05, 0.3, 0.9, 1.5, 1.9])
@pytest.mark.parametrize("lost", [(), (False, True), (False, False, True), (False, True, True)])
async def test_a_copy_of_one_reply_is_never_taken_for_another(late_s: float, lost: tuple[bool, ...]):
    for later in (None, late_s):
        cable, device = connect()
        cable.copies, cable.lost = [late_s, *[later] * 40], list(lost)
        for _ in range(3):
            found = [reading.value for reading in (await device.poll()).values()]
            assert all(value in (own, None) for value, own in zip(found, (1, 2, 3), strict=True))
        assert found == [1, 2, 3]


async def test_a_signal_that_is_read_by_itself_is_as_sure():
    cable, device = connect()
    cable.copies = [0.3] * 20
    for name, value in (("one", 1), ("two", 2), ("one", 1), ("three", 3)):
        assert (await device.read(name)).value == value


async def test_what_is_read_back_is_not_what_was_there_before():
    cable, device = connect()
    await device.read("two")
    cable.copies = [0.3]
    assert (await device.read("two")).value == 2
    assert (await device.write("two", 7)).value == 7


async def test_a_no_to_one_question_is_not_taken_for_a_no_to_another():
    cable, device = connect()
    for name in ("gone", "lost"):
        with pytest.raises(Refused, match="illegal data address"):
            await device.read_row(device.table[name])
    assert cable.asked == [50, 60, 40, 60]
    cable.words[60] = 5
    cable.copies = [0.3]
    with pytest.raises(Refused):
        await device.read_row(device.table["gone"])
    assert await device.read_row(device.table["lost"]) == 5


async def test_a_register_that_is_not_there_keeps_two_questions_apart_as_well():
    cable, device = connect()
    del cable.words[40]
    cable.copies = [0.3]
    assert (await device.read("one")).value == 1
    assert (await device.read("two")).value == 2
    assert cable.asked == [10, 40, 20]


async def test_where_nothing_else_can_be_read_the_line_is_left_silent():
    class Alike(Twins):
        table = OnlyShort("none", "none", 1)

    cable, device = connect(Alike)
    cable.copies = [1.9]
    assert (await device.read("one")).value == 1
    assert (await device.read("two")).value == 2
    (first, _), (second, _) = cable.sent
    assert second - first > 2


async def test_registers_that_tell_what_they_are_need_nothing_between_them():
    cable, device = connect()
    one, two = (
        replace(device.block(start, 1, (device.table[name],)), tells=lambda data, own=own: data[1] == own)
        for name, start, own in (("one", 10, 1), ("two", 20, 2))
    )
    for _ in range(3):
        assert await device.ask(one) == b"\0\1"
        assert await device.ask(two) == b"\0\2"
    assert cable.asked == [10, 20] * 3
    cable.copies = [0.3]
    assert await device.ask(one) == b"\0\1"
    assert await device.ask(two) == b"\0\2"
    assert cable.asked == [10, 20] * 3 + [10, 20, 20]
    cable.words[20] = 1
    with pytest.raises(BadFrame, match="none is sure"):
        await device.ask(two)


async def test_a_silent_device_is_not_asked_for_anything_more():
    cable, device = connect()
    await device.read("one")
    cable.lost = [True] * 9
    with pytest.raises(NoAnswer):
        await device.read("two")
    assert cable.asked == [10, 40, 40]
