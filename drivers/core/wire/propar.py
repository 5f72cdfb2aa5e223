"""ProPar frames in ASCII and in enhanced binary, for both ends of the cable (pure).

Source: Bronkhorst 9.17.027 "RS232 interface with FLOW-BUS protocol" as told in bronkhorst-propar.md (V). No check sum
in either. In ASCII LEN counts the node and the data, in binary the data only. What the data mean is not shared here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DLE, STX, ETX = 0x10, 0x02, 0x03
LONGEST = 600
"""Bytes kept of a frame without an end: LEN has 8 bits, and each byte may be two on the cable."""
_HEX = re.compile(rb"(?:[0-9A-F]{2})+")


class Frame(NamedTuple):
    """One frame. `error` > 0: an error frame with that code; -1: a frame whose length or digits are wrong (ASCII)."""

    node: int
    data: bytes
    sequence: int = 0
    error: int = 0


MALFORMED = Frame(0, b"", 0, -1)


def ascii_frame(node: int, data: bytes) -> bytes:
    """`:` LEN NODE DATA in capital hex, CR LF; raises ValueError when the data are longer than 254 bytes."""
    if len(data) > 254:
        raise ValueError(f"a frame holds at most 254 bytes, not {len(data)}")
    return b":" + bytes((len(data) + 1, node)).hex().upper().encode() + data.hex().upper().encode() + b"\r\n"


def ascii_error(code: int) -> bytes:
    """The interface's own error frame: length 1 and no node."""
    return f":01{code:02X}\r\n".encode("ascii")


def take_ascii(buffer: bytearray) -> Frame | None:
    """Take the first frame that has an end (CR; a LF behind it is skipped) with all before it; None = not there yet."""
    end = buffer.find(b"\r")
    while end >= 0:
        begin = buffer.rfind(b":", 0, end)
        body = bytes(buffer[begin + 1 : end])
        del buffer[: end + 1]
        if begin >= 0:
            return _ascii_body(body)
        end = buffer.find(b"\r")
    begin = buffer.rfind(b":")
    del buffer[: begin if begin >= 0 else len(buffer)]
    if len(buffer) > LONGEST:
        buffer.clear()
    return None


def _ascii_body(body: bytes) -> Frame:
    if not _HEX.fullmatch(body):
        return MALFORMED
    raw = bytes.fromhex(body.decode("ascii"))
    if raw[0] != len(raw) - 1 or len(raw) < 2:
        return MALFORMED
    if raw[0] == 1:
        return Frame(0, b"", 0, raw[1])
    return Frame(raw[1], raw[2:])


def binary_frame(sequence: int, node: int, data: bytes) -> bytes:
    """DLE STX SEQ NODE LEN DATA DLE ETX, every DLE between them doubled."""
    if len(data) > 255:
        raise ValueError(f"a frame holds at most 255 bytes, not {len(data)}")
    return _wrap(bytes((sequence, node, len(data))) + data)


def binary_error(sequence: int, node: int, code: int) -> bytes:
    """LEN 0 followed by the error code."""
    return _wrap(bytes((sequence, node, 0, code)))


def _wrap(body: bytes) -> bytes:
    return bytes((DLE, STX)) + body.replace(b"\x10", b"\x10\x10") + bytes((DLE, ETX))


def take_binary(buffer: bytearray) -> Frame | None:
    """Take the first good frame with all before it; None = not there yet. Broken ones are ignored, as the sheet says.

    DLE STX inside a frame begins anew: the frame before it lost its end.
    """
    body: bytearray | None = None
    begin = at = 0
    while at + 1 < len(buffer):
        if buffer[at] != DLE:
            if body is not None:
                body.append(buffer[at])
            at += 1
            continue
        following = buffer[at + 1]
        if following == STX:
            body, begin = bytearray(), at
        elif body is not None and following == DLE:
            body.append(DLE)
        elif body is not None and following == ETX and (frame := _binary_body(bytes(body))) is not None:
            del buffer[: at + 2]
            return frame
        else:
            at += 1 if body is None else 2  # outside a frame, the second of two DLE may begin one
            body = None
            continue
        at += 2
    if body is not None:
        del buffer[:begin]
    else:
        del buffer[: -1 if buffer.endswith(b"\x10") else len(buffer)]
    if len(buffer) > LONGEST:
        buffer.clear()
    return None


def _binary_body(body: bytes) -> Frame | None:
    if len(body) < 3:
        return None
    sequence, node, length = body[:3]
    data = body[3:]
    if length == 0 and len(data) == 1:
        return Frame(node, b"", sequence, data[0])
    return Frame(node, data, sequence) if len(data) == length else None
