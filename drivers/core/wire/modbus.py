"""Modbus RTU frames for function codes 3, 4, 6 and 16, for both ends of the cable (pure).

Source: Modbus over Serial Line V1.02 and Modbus Application Protocol V1.1b3. Both ends hunt for a good frame by sliding
one byte at a time, so garbage, an echo or a broken frame in front never costs the good frame behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from drivers.core.errors import BadFrame, Refused

READ_HOLDING = 3
READ_INPUT = 4
WRITE_ONE = 6
WRITE_MANY = 16
FAILED = 0x80
"""Added to the function code of a reply that says no."""

MOST_READ = 125
"""Registers one read may ask for (the byte count has 8 bits and a frame 256 bytes)."""
MOST_WRITTEN = 123

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, not done yet",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}


def _table() -> tuple[int, ...]:
    """One CRC step a byte value: reflected polynomial 0xA001."""
    steps: list[int] = []
    for step in range(256):
        for _ in range(8):
            step = (step >> 1) ^ 0xA001 if step & 1 else step >> 1
        steps.append(step)
    return tuple(steps)


_STEPS = _table()


_PAIRS = tuple(
    (_STEPS[(_STEPS[pair & 0xFF] ^ (pair >> 8)) & 0xFF]) ^ (_STEPS[pair & 0xFF] >> 8) for pair in range(65536)
)
"""The same for two bytes at once, first byte low: half the time for 10 ms at start."""


def crc(data: bytes | bytearray) -> int:
    """CRC-16/MODBUS: start 0xFFFF, reflected, no final exclusive-or. 0 over a whole frame with its own CRC."""
    pairs, value = _PAIRS, 0xFFFF
    words: tuple[int, ...] = struct.unpack_from(f"<{len(data) >> 1}H", data)
    for pair in words:
        value = pairs[value ^ pair]
    if len(data) & 1:
        value = (value >> 8) ^ _STEPS[(value ^ data[-1]) & 0xFF]
    return value


def frame(body: bytes) -> bytes:
    """`body` (address, function, payload) with its CRC behind it, low byte first."""
    return body + crc(body).to_bytes(2, "little")


# --- our end: questions, and what the answer must look like


def read_request(address: int, function: int, start: int, count: int) -> bytes:
    """Ask for `count` registers from wire address `start`; `function` is READ_HOLDING or READ_INPUT."""
    if function not in (READ_HOLDING, READ_INPUT) or not 1 <= count <= MOST_READ:
        raise ValueError(f"function {function} cannot read {count} registers (3 or 4, 1 to {MOST_READ} registers)")
    return frame(struct.pack(">BBHH", address, function, start, count))


def write_one_request(address: int, register: int, value: int) -> bytes:
    """Write one 16-bit `value` (0 to 65535) with function 6."""
    return frame(struct.pack(">BBHH", address, WRITE_ONE, register, value))


def write_many_request(address: int, start: int, data: bytes) -> bytes:
    """Write the registers in `data` (two bytes each, as they go on the wire) with function 16."""
    count, odd = divmod(len(data), 2)
    if odd or not 1 <= count <= MOST_WRITTEN:
        raise ValueError(f"{len(data)} bytes are not 1 to {MOST_WRITTEN} whole registers")
    return frame(struct.pack(">BBHHB", address, WRITE_MANY, start, count, len(data)) + data)


def reply_parser(request: bytes) -> Callable[[bytearray], bytes | None]:
    """Make the parser for the answer to `request` (made once, used for every exchange).

    It returns the register bytes of a read and b"" for a write, and takes the frame out of the buffer; None = not
    complete yet. Raises Refused for an exception reply, BadFrame when a whole reply came whose CRC is wrong.
    """
    address, function = request[0], request[1]
    if function in (READ_HOLDING, READ_INPUT):
        size = 2 * int.from_bytes(request[4:6], "big")
        head, length = bytes((address, function, size)), size + 5
    else:  # a write is answered with the first six bytes of the request
        head, length = bytes(request[:6]), 8
    read_from = 3 if function in (READ_HOLDING, READ_INPUT) else 6
    refusal = bytes((address, function | FAILED))
    width = len(head)

    def parse(buffer: bytearray) -> bytes | None:
        if len(buffer) == length and buffer.startswith(head) and not crc(buffer):
            data = bytes(buffer[read_from:-2])
            buffer.clear()
            return data
        return hunt(buffer)

    def hunt(buffer: bytearray) -> bytes | None:
        first, broken = len(buffer), ""
        for at in range(len(buffer)):
            rest = buffer[at : at + length]
            if rest.startswith(head):
                need = length
            elif rest.startswith(refusal):
                need = 5
            else:
                if head.startswith(rest[:width]) or refusal.startswith(rest[:2]):
                    first = min(first, at)  # may become a frame
                continue
            if len(rest) < need:
                first = min(first, at)
            elif crc(rest[:need]):
                echo = buffer[at : at + len(request)]  # a two-wire adapter repeats what was sent
                if len(request) <= need or not request.startswith(echo):
                    broken = rest[:need].hex(" ")
                elif len(echo) < len(request):
                    first = min(first, at)
            else:
                del buffer[: at + need]
                if need == 5:
                    code = rest[2]
                    raise Refused(f"{code:02d}", f"address {address}: {EXCEPTIONS.get(code, 'unknown exception')}")
                return bytes(rest[read_from:-2])
        if broken and first >= len(buffer):
            raise BadFrame(f"address {address}: a reply with a wrong CRC: {broken}")
        if not broken:
            del buffer[:first]
        return None

    return parse


# --- the device's end: questions taken apart, answers built


class Request(NamedTuple):
    """One request as a device sees it. `data` holds the register bytes of a write, b"" for a read."""

    address: int
    function: int
    start: int
    quantity: int
    data: bytes = b""


def take_request(buffer: bytearray) -> Request | None:
    """Take the first whole request with a good CRC out of `buffer`, with everything before it; None = not there yet.

    Requests with other function codes come back too (with start and quantity as far as they have any), so that a device
    can answer "illegal function".
    """
    size = len(buffer)
    for at in range(size - 3):
        function = buffer[at + 1]
        if function <= WRITE_ONE and function:
            need = 8
        elif function in (15, WRITE_MANY):
            if at + 7 > size:
                continue
            need = 9 + buffer[at + 6]
        else:
            need = size - at
        if at + need > size or crc(buffer[at : at + need]):
            continue
        found = bytes(buffer[at : at + need])
        del buffer[: at + need]
        if need < 8:
            return Request(found[0], function, 0, 0, found[2:-2])
        start, count = struct.unpack_from(">HH", found, 2)
        if function == WRITE_ONE:
            return Request(found[0], function, start, 1, found[4:6])
        return Request(found[0], function, start, count, found[7:-2] if function in (15, WRITE_MANY) else b"")
    if size > 512:  # twice the longest frame: nothing at the front can still become one
        del buffer[:-256]
    return None


def read_reply(request: Request, data: bytes) -> bytes:
    """Answer a read with the register bytes `data`."""
    return frame(bytes((request.address, request.function, len(data))) + data)


def write_reply(request: Request) -> bytes:
    """Confirm a write: function 6 is answered with the value, function 16 with the count."""
    head = struct.pack(">BBH", request.address, request.function, request.start)
    return frame(head + (request.data if request.function == WRITE_ONE else request.quantity.to_bytes(2, "big")))


def refusal(request: Request, code: int) -> bytes:
    """Say no with exception `code` (see EXCEPTIONS)."""
    return frame(bytes((request.address, request.function | FAILED, code)))
