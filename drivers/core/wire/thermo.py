"""Telegrams of the Thermo touch-screen incubators, `?:aaaa:bb:payload:cc` and CR, for both ends of the cable (pure).

Payloads hold colons, so the length bb decides where one ends. Hex digits are small letters only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

READ, WRITE = "?", "!"
"""A write and every answer begin alike."""
END = b"\r"

Check = Callable[[bytes], int]
"""The check sum of everything before it, the colon in front of it included."""


class Telegram(NamedTuple):
    kind: str
    address: str
    """Four hex digits."""
    payload: str


def inverted_xor(data: bytes) -> int:
    """Exclusive-or of all bytes, inverted (HERAcell i, VIOS, STERI-CYCLE, Isotemp)."""
    value = 0xFF
    for byte in data:
        value ^= byte
    return value


def _step(value: int) -> int:
    for _ in range(8):
        value = (value << 1 ^ 0x07 if value & 0x80 else value << 1) & 0xFF
    return value


_STEPS = bytes(map(_step, range(256)))


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial 0x07, start 0 (VIOS CR)."""
    value = 0
    for byte in data:
        value = _STEPS[value ^ byte]
    return value


def build(telegram: Telegram, check: Check) -> bytes:
    """The bytes of a telegram with its CR; raises ValueError when the payload is too long or no ASCII."""
    if len(telegram.payload) > 0xFF:
        raise ValueError(f"a telegram holds at most 255 characters, not {len(telegram.payload)}")
    body = f"{telegram.kind}:{telegram.address}:{len(telegram.payload):02x}:{telegram.payload}:".encode("ascii")
    return body + f"{check(body):02x}".encode("ascii") + END


_FORM = re.compile(rb"([?!]):([0-9a-f]{4}):([0-9a-f]{2}):(.*):([0-9a-f]{2})", re.DOTALL)


def parse(line: bytes, check: Check) -> Telegram | None:
    """The telegram at the end of `line` (without CR), whatever stands before it; None when there is no good one.

    An answer to a write may name a length and hold nothing (`!:aaaa:bb::cc`).
    """
    at = -1
    while (
        at := min((found for found in (line.find(b"?:", at + 1), line.find(b"!:", at + 1)) if found >= 0), default=-1)
    ) >= 0:
        match = _FORM.fullmatch(line, at)
        if match is None:
            continue
        kind, address, length, payload, given = match.groups()
        if int(given, 16) != check(line[at:-2]) or not payload.isascii():
            continue
        if len(payload) == int(length, 16) or (not payload and kind == b"!"):
            return Telegram(kind.decode(), address.decode(), payload.decode())
    return None
