"""Modbus function 43/14, "read device identification": objects of text by number, for both ends of the cable (pure).

Source: Modbus Application Protocol V1.1b3, 6.21. Request: address, 2B, 0E, access code, first object.
Reply: address, 2B, 0E, access code, conformity, more follows (00 or FF), next object, count, then number, length and
bytes of each object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire.modbus import EXCEPTIONS, FAILED, Request, crc, frame

ENCAPSULATED = 0x2B
IDENTIFICATION = 0x0E
BASIC, REGULAR, EXTENDED, INDIVIDUAL = 1, 2, 3, 4
"""Access codes: the stream up to objects 02, 7F and FF, or one object alone."""
LAST = {BASIC: 0x02, REGULAR: 0x7F, EXTENDED: 0xFF}
HEAD = 8
"""Bytes in front of the first object."""
MOST = 240
"""Bytes of objects that fit into one frame of 256."""


class Objects(NamedTuple):
    """What one reply says: texts by object number, and where to go on; `next_object` None = that was all."""

    texts: dict[int, str]
    next_object: int | None


def request(address: int, access: int, first: int = 0) -> bytes:
    """Ask device `address` for its objects from `first` on, or for that one alone (INDIVIDUAL)."""
    return frame(bytes((address, ENCAPSULATED, IDENTIFICATION, access, first)))


def reply_parser(asked: bytes) -> Callable[[bytearray], Objects | None]:
    """Make the parser for the answer to `asked`; it takes the frame out of the buffer, None = not complete yet.

    Raises Refused for an exception reply, BadFrame when a whole reply came whose CRC is wrong.
    """
    address = asked[0]
    head, refusal = bytes(asked[:4]), bytes((address, ENCAPSULATED | FAILED))

    def parse(buffer: bytearray) -> Objects | None:
        broken = ""
        for at in range(len(buffer)):
            rest = bytes(buffer[at : at + 256])
            if rest.startswith(refusal) and len(rest) >= 5:
                if not crc(rest[:5]):
                    del buffer[: at + 5]
                    raise Refused(
                        f"{rest[2]:02d}", f"address {address}: {EXCEPTIONS.get(rest[2], 'unknown exception')}"
                    )
                broken = rest[:5].hex(" ")
            elif rest.startswith(head):
                length = _length(rest)
                if length is None or len(rest) < length:
                    continue
                if not crc(rest[:length]):
                    del buffer[: at + length]
                    return _objects(rest[: length - 2])
                broken = rest[:length].hex(" ")
        if broken:
            raise BadFrame(f"address {address}: an identification with a wrong CRC: {broken}")
        if len(buffer) > 1024:
            raise BadFrame(f"address {address}: {len(buffer)} bytes and no identification among them")
        return None

    return parse


def _length(data: bytes) -> int | None:
    """Bytes of the whole frame, CRC included; None = its end cannot be seen yet."""
    if len(data) < HEAD:
        return None
    at = HEAD
    for _ in range(data[7]):
        if at + 2 > len(data):
            return None
        at += 2 + data[at + 1]
    return at + 2


def _objects(data: bytes) -> Objects:
    texts: dict[int, str] = {}
    at = HEAD
    for _ in range(data[7]):
        number, size = data[at], data[at + 1]
        texts[number] = data[at + 2 : at + 2 + size].decode("latin-1")
        at += 2 + size
    return Objects(texts, data[6] if data[5] else None)


def reply(asked: Request, objects: Mapping[int, str], conformity: int) -> bytes | None:
    """The device's answer, or None where it has no such object or the request is of another kind (exceptions 02, 03).

    As many objects as fit into one frame; a stream that begins at an unknown object begins at the first.
    """
    if len(asked.data) != 3 or asked.data[0] != IDENTIFICATION:
        return None
    access, first = asked.data[1], asked.data[2]
    if access == INDIVIDUAL:
        chosen = [first] if first in objects else []
    elif access in LAST:
        numbers = sorted(number for number in objects if number <= LAST[access])
        chosen = [number for number in numbers if number >= first] if first in numbers else numbers
    else:
        return None
    if not chosen:
        return None
    body, following = b"", None
    count = 0
    for number in chosen:
        text = objects[number].encode("latin-1")
        if len(body) + 2 + len(text) > MOST:
            following = number
            break
        body += bytes((number, len(text))) + text
        count += 1
    more = (0xFF, following) if following is not None else (0, 0)
    return frame(bytes((asked.address, ENCAPSULATED, IDENTIFICATION, access, conformity, *more, count)) + body)
