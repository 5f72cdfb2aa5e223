"""Watlow Standard Bus: frames of BACnet MS/TP without a token, for both ends of the cable (pure).

`55 FF`, type, destination, source, length (2 bytes, high first), header CRC-8, data, data CRC-16 low byte first.
Both CRCs are those of BACnet (ASHRAE 135, clause 9 and annex G) and go out complemented.
"""

from __future__ import annotations

from typing import NamedTuple

PREAMBLE = b"\x55\xff"
REQUEST, REPLY = 0x05, 0x06
HEAD = 8
LONGEST = 501
"""Data bytes of the longest MS/TP frame."""


class Frame(NamedTuple):
    """One frame with good CRCs."""

    type: int
    destination: int
    source: int
    data: bytes


def header_crc(data: bytes) -> int:
    """CRC-8, x8 + x7 + 1 reflected, from 0xFF, complemented."""
    value = 0xFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0x81 if value & 1 else value >> 1
    return ~value & 0xFF


def data_crc(data: bytes) -> int:
    """CRC-16, x16 + x12 + x5 + 1 reflected (0x8408), from 0xFFFF, complemented."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
    return ~value & 0xFFFF


def frame(kind: int, destination: int, source: int, data: bytes) -> bytes:
    """The bytes of one frame; `data` must not be empty."""
    head = bytes((kind, destination, source)) + len(data).to_bytes(2, "big")
    return PREAMBLE + head + bytes((header_crc(head),)) + data + data_crc(data).to_bytes(2, "little")


def take(buffer: bytearray) -> Frame | None:
    """Take the first whole frame with good CRCs out of `buffer`, with all before it; None = not there yet."""
    at = buffer.find(PREAMBLE)
    while at >= 0:
        head = bytes(buffer[at + 2 : at + HEAD])
        if len(head) == HEAD - 2 and header_crc(head[:5]) == head[5]:
            size = int.from_bytes(head[3:5], "big")
            end = at + HEAD + size + 2
            if 0 < size <= LONGEST and end <= len(buffer):
                data, crc = bytes(buffer[at + HEAD : end - 2]), bytes(buffer[end - 2 : end])
                if data_crc(data) == int.from_bytes(crc, "little"):
                    del buffer[:end]
                    return Frame(head[0], head[1], head[2], data)
        at = buffer.find(PREAMBLE, at + 1)
    if len(buffer) > 2 * LONGEST:
        del buffer[:-LONGEST]
    return None
