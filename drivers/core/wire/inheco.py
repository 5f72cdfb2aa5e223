"""Inheco frames: requests with length and CRC-8, replies in pieces without one (pure, for both ends of the cable).

Source: datasheet inheco-incubator-shaker.md, "Framing" (P). DIP = the stack's address, 0 to 15.
"""

from __future__ import annotations

import re

from drivers.core.errors import BadFrame

REQUEST, TEXT, REPLY, STATUS, END = 0x30, 0xC0, 0xB0, 0x20, 0x60
LONGEST = 512
"""Bytes without an end after which this is no reply; the longest of the sheet is a serial number."""
SHORTEST, LONGEST_REQUEST = 5, 66
"""Bytes of a request: three of header and one of CRC around at least one character and at most 62."""


def _step(crc: int) -> int:
    """Eight bits: bit 0 first, ((crc xor 0x18) >> 1) or 0x80 where it is 1, else crc >> 1."""
    for _ in range(8):
        crc = ((crc ^ 0x18) >> 1) | 0x80 if crc & 1 else crc >> 1
    return crc


_STEPS = tuple(map(_step, range(256)))


def crc8(data: bytes | bytearray) -> int:
    """CRC-8 of the sheet: start 0xA1, reflected polynomial 0x8C, no final exclusive-or."""
    crc = 0xA1
    for byte in data:
        crc = _STEPS[crc ^ byte]
    return crc


def request(dip: int, text: bytes) -> bytes:
    """Length - 1, 0x30 + DIP, 0xC0 + length of the text, the text, CRC-8."""
    body = bytes((len(text) + 3, REQUEST + dip, TEXT + len(text))) + text
    return body + bytes((crc8(body),))


def take_request(buffer: bytearray) -> tuple[int, bytes, bool] | None:
    """Take the first frame out of `buffer` with all before it: DIP, text, whether the CRC is right; None = not yet."""
    while len(buffer) >= 3:
        size = buffer[0] + 1
        shape = SHORTEST <= size <= LONGEST_REQUEST and buffer[1] >> 4 == REQUEST >> 4
        if shape and buffer[2] == TEXT + size - 4:
            if len(buffer) < size:
                return None
            frame = bytes(buffer[:size])
            del buffer[:size]
            return frame[1] - REQUEST, frame[3:-1], crc8(frame[:-1]) == frame[-1]
        del buffer[0]
    return None


def reply(dip: int, data: bytes, error: int, piece: int = 0) -> bytes:
    """Pieces of the data (`piece` characters, 0 = all) behind 0xB0 + DIP, then once more that, 0x20 + error, 0x60."""
    head = bytes((REPLY + dip,))
    size = piece or len(data) or 1
    pieces = b"".join(head + data[at : at + size] for at in range(0, len(data), size))
    return pieces + head + bytes((STATUS + error, END))


class ReplyTaker:
    """A parser for one whole reply of the stack at `dip`: data and error. Anything before or between its pieces is
    BadFrame, and so are pieces of unequal length, the last apart (X): no check sum would show what is missing."""

    def __init__(self, dip: int) -> None:
        self._head = bytes((REPLY + dip,))
        head = re.escape(self._head)
        self._end = re.compile(head + rb"[\x20-\x2f]\x60")
        self._whole = re.compile(rb"(?:" + head + rb"[\x20-\x7e]+)*")
        self._piece = 0
        """The longest piece seen so far: a shorter one in front of another is what is left of one."""

    def __call__(self, buffer: bytearray) -> tuple[bytes, int] | None:
        found = self._end.search(buffer)
        if found is None:
            if len(buffer) > LONGEST:
                raise BadFrame(f"{len(buffer)} bytes without an end")
            return None
        body, error = bytes(buffer[: found.start()]), buffer[found.end() - 2] - STATUS
        del buffer[: found.end()]
        pieces = body.split(self._head)[1:]
        longest = max(map(len, pieces), default=0)
        if not self._whole.fullmatch(body) or any(len(piece) < max(longest, self._piece) for piece in pieces[:-1]):
            raise BadFrame(f"not a whole reply: {body.hex(' ')}")
        self._piece = max(longest, self._piece)
        return b"".join(pieces), error
