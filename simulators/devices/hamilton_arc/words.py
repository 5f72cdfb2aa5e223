"""How values and texts stand in the registers of an Arc sensor: low word first, the second character of two first."""

from __future__ import annotations

import math
import struct

from simulators.core.modbus import ILLEGAL_VALUE, ModbusError


def numbers(form: str, *values: float) -> bytes:
    """Register bytes of 32-bit values, low word first: little-endian with the bytes of every register exchanged."""
    return exchanged(struct.pack("<" + form, *values))


def exchanged(data: bytes) -> bytes:
    out = bytearray(len(data))
    out[0::2], out[1::2] = data[1::2], data[0::2]
    return bytes(out)


def as_float(word: int) -> float:
    """The float in an unsigned 32-bit value; raises ModbusError for what is no number."""
    (value,) = struct.unpack("<f", struct.pack("<I", word))
    if not math.isfinite(value):
        raise ModbusError(ILLEGAL_VALUE)
    return value
