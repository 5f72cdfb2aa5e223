"""The device's end of Modbus RTU. The read request is typed from the Hamilton sheet, not made by our codec."""

from __future__ import annotations

import struct

import pytest

from drivers.core.wire.modbus import crc, frame, write_many_request
from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Bytes, Send

READ_PMC1 = bytes.fromhex("01 03 08 29 00 0A 16 65")


def unit(address: int = 1) -> ModbusUnit:
    made = ModbusUnit(address)
    made.add(2089, 10, lambda now: bytes(range(20)))
    stored = [bytes(4)]

    def write(data: bytes, now: float) -> None:
        if struct.unpack(">I", data)[0] > 100:
            raise ModbusError(ILLEGAL_VALUE)
        stored[0] = data

    made.add(100, 2, lambda now: stored[0], write, whole=False)
    made.add(102, 1, lambda now: b"\x00\x07")
    return made


def say(device, data: bytes, now: float = 0.0) -> bytes:
    return b"".join(action.data for action in device.receive(Bytes(data), now))


def test_a_whole_block_is_read():
    reply = say(unit(), READ_PMC1)
    assert reply[:3] == b"\x01\x03\x14" and reply[3:-2] == bytes(range(20)) and crc(reply) == 0


def test_the_reply_takes_the_time_of_both_frames():
    (action,) = unit().receive(Bytes(READ_PMC1), 0.0)
    assert isinstance(action, Send)
    assert action.delay_s == pytest.approx(0.005 + (8 + 25) * 11 / 19200)


def test_a_request_in_pieces_is_answered_once_complete():
    device = unit()
    assert say(device, READ_PMC1[:5]) == b""
    assert say(device, READ_PMC1[5:], 0.01) != b""


def test_half_a_request_is_forgotten_after_a_silence():
    device = unit()
    say(device, READ_PMC1[:5])
    assert say(device, READ_PMC1, 1.0) != b""


@pytest.mark.parametrize(
    ("request_hex", "code"),
    [
        ("01 03 08 29 00 02", 2),  # part of a block that must be read whole
        ("01 03 08 2A 00 09", 2),
        ("01 03 00 00 00 01", 2),
        ("01 03 00 64 00 00", 3),
        ("01 06 00 64 00 00", 1),
        ("01 10 00 66 00 01 02 00 00", 2),  # read only
        ("01 10 00 64 00 02 04 00 00 FF FF", 3),
    ],
)
def test_a_no_is_a_modbus_exception(request_hex, code):
    asked = bytes.fromhex(request_hex)
    assert say(unit(), frame(asked)) == frame(bytes((1, asked[1] | 0x80, code)))


def test_neighbouring_blocks_are_read_together_and_a_part_where_allowed():
    device = unit()
    say(device, write_many_request(1, 100, b"\x00\x00\x00\x2a"))
    assert say(device, frame(bytes.fromhex("01 03 00 64 00 03")))[3:-2] == b"\x00\x00\x00\x2a\x00\x07"
    assert say(device, frame(bytes.fromhex("01 04 00 65 00 01")))[3:-2] == b"\x00\x2a"


def test_part_of_a_block_is_written_over_the_rest():
    device = unit()
    assert say(device, write_many_request(1, 101, b"\x00\x09")) == frame(bytes.fromhex("01 10 00 65 00 01"))
    assert say(device, frame(bytes.fromhex("01 03 00 64 00 02")))[3:-2] == b"\x00\x00\x00\x09"


def test_a_broadcast_is_obeyed_in_silence():
    device = unit()
    assert say(device, write_many_request(0, 100, b"\x00\x00\x00\x05")) == b""
    assert say(device, frame(bytes.fromhex("01 03 00 64 00 02")))[3:-2] == b"\x00\x00\x00\x05"


def test_a_bad_crc_is_not_answered():
    assert say(unit(), READ_PMC1[:-1] + b"\x00") == b""


class Sleeper(ModbusUnit):
    """Wakes once."""

    def __init__(self, address: int, wake_at: float | None) -> None:
        super().__init__(address)
        self.add(0, 1, lambda now: bytes((0, address)))
        self.wake_at = wake_at
        self.cycled = 0

    def wake(self, now: float):
        self.wake_at = None
        return [Send(0.0, bytes((self.address,)))]

    def power_cycle(self, now: float):
        self.cycled += 1
        return []

    def snapshot(self):
        return {"cycled": self.cycled}

    def restore(self, saved):
        self.cycled = saved["cycled"]


def test_on_a_shared_line_only_the_addressed_device_answers():
    line = SharedLine({"one": Sleeper(1, None), "two": Sleeper(2, None)})
    assert say(line, frame(bytes.fromhex("02 03 00 00 00 01")))[3:-2] == b"\x00\x02"
    assert say(line, frame(bytes.fromhex("03 03 00 00 00 01"))) == b""


def test_a_shared_line_wakes_only_who_is_due():
    line = SharedLine({"one": Sleeper(1, 10.0), "two": Sleeper(2, 20.0)})
    assert line.wake_at == 10.0
    assert [action.data for action in line.wake(10.0)] == [b"\x01"]
    assert line.wake_at == 20.0


def test_power_of_one_device_leaves_its_neighbour():
    line = SharedLine({"one": Sleeper(1, None), "two": Sleeper(2, None)})
    line.power_cycle_one("two", 0.0)
    assert line.snapshot() == {"one": {"cycled": 0}, "two": {"cycled": 1}}
    other = SharedLine({"one": Sleeper(1, None), "two": Sleeper(2, None)})
    other.restore(line.snapshot())
    assert other.devices["two"].cycled == 1
