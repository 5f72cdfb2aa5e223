"""Frames of Cavro pumps: OEM blocks with an XOR check sum, and DT lines without one (pure, for both ends).

What the text in them means is not shared: a driver and a simulator read it each in their own way.
"""

from __future__ import annotations

STX = 0x02
ETX = 0x03
DT_END = b"\x03\r\n"
"""What ends an answer in the DT protocol."""


def check_sum(block: bytes | bytearray) -> int:
    """XOR of all bytes from STX to ETX, both included."""
    found = 0
    for byte in block:
        found ^= byte
    return found


def oem_block(body: bytes) -> bytes:
    """STX body ETX check sum; of a command `body` = address, sequence byte, text; of an answer `0`, status, text."""
    block = b"\x02" + body + b"\x03"
    return block + bytes((check_sum(block),))


def sequence_byte(number: int, repeated: bool = False) -> int:
    """0 0 1 1 REP SQ2 SQ1 SQ0: 0x31 to 0x37 the first time, 0x39 to 0x3F when the block is sent again."""
    return 0x30 | (0x08 if repeated else 0) | number & 0x07


def take_oem_block(buffer: bytearray) -> bytes | None:
    """Take the first whole block with a good check sum out of `buffer` with all before it; None = not there yet.

    The check sum may be any byte, STX and ETX too. A second STX begins anew: the block before it lost its end.
    """
    end = buffer.find(ETX)
    while 0 <= end < len(buffer) - 1:
        begin = buffer.rfind(STX, 0, end)
        if begin >= 0 and check_sum(buffer[begin : end + 1]) == buffer[end + 1]:
            body = bytes(buffer[begin + 1 : end])
            del buffer[: end + 2]
            return body
        end = buffer.find(ETX, end + 1)
    if STX not in buffer:
        buffer.clear()
    return None


def take_dt_answer(buffer: bytearray) -> bytes | None:
    """Take the first `/0 … ETX CR LF` out of `buffer` with all before it; its status and text; None = not there yet."""
    end = buffer.find(DT_END)
    while end >= 0:
        begin = buffer.rfind(b"/0", 0, end)
        body = bytes(buffer[begin + 2 : end])
        del buffer[: end + len(DT_END)]
        if begin >= 0:
            return body
        end = buffer.find(DT_END)
    return None
