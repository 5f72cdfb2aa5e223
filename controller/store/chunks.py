"""Packing of samples: up to 512 of one signal in one compressed blob, bit for bit what was recorded. Pure.

Layout of a blob, zlib over: head (little endian: layout version, value codec, time width, value width, count, first
time ms, first value, divisor), time deltas of deltas, value deltas, quality bytes. Widths are bytes an integer.
Codecs: integers n with value = n / divisor (1, 10, 100 …: readings with decimals), the bits of a 32-bit float, or
64-bit floats as byte planes. A sample without a value has quality + 16 and repeats the number before it.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

SIZE = 512
"""Samples in a full chunk."""
LAYOUT = 1
HEAD = struct.Struct("<BBBBHqqd")
INTEGERS, FLOAT32, FLOAT64 = 1, 2, 3
DIVISORS = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
NO_VALUE = 16
GOOD = 0
LEVEL = 6
MOST = 1 << 52
"""Greatest number that stands for a decimal."""
WIDTHS = ((1, "b"), (2, "h"), (4, "i"), (8, "q"))
TYPECODE = dict(WIDTHS)


class Sample(NamedTuple):
    """One recorded sample: UTC in ms since 1970, value (None = the device gave none), quality number."""

    at_ms: int
    value: float | None
    quality: int


Plain = tuple[int, float | None, int]
"""A sample as a bare tuple, which is made three times faster."""


class Header(NamedTuple):
    """What is known of a chunk without unpacking it; min, max and mean are of good values only, None without any."""

    first_ms: int
    last_ms: int
    samples: int
    good: int
    low: float | None
    high: float | None
    mean: float | None


def header(samples: Sequence[Plain]) -> Header:
    good = [value for _, value, quality in samples if quality == GOOD and value is not None and value == value]
    times = [sample[0] for sample in samples]
    if not good:
        return Header(min(times), max(times), len(samples), 0, None, None, None)
    return Header(min(times), max(times), len(samples), len(good), min(good), max(good), math.fsum(good) / len(good))


def pack(samples: Sequence[Plain], divisor: float = 100.0) -> tuple[bytes, float]:
    """One blob, and the divisor that fitted, worth trying first next time; 0 = the values are no decimals."""
    times = [sample[0] for sample in samples]
    deltas = [b - a for a, b in pairwise(times)]
    second = deltas[:1] + [b - a for a, b in pairwise(deltas)]
    time_width, time_bytes = narrow(second)
    values, qualities = _filled(samples)
    codec, first, divisor, width, value_bytes = _values(values, divisor)
    head = HEAD.pack(LAYOUT, codec, time_width, width, len(times), times[0], first, divisor)
    return zlib.compress(b"".join((head, time_bytes, value_bytes, qualities)), LEVEL), divisor


def unpack(blob: bytes) -> list[Sample]:
    """The samples of a blob. ValueError when it is none, or of a newer layout."""
    try:
        raw = zlib.decompress(blob)
        layout, codec, time_width, width, count, first_ms, first, divisor = HEAD.unpack_from(raw)
    except (zlib.error, struct.error) as error:
        raise ValueError(f"not a chunk of samples: {error}") from error
    if layout != LAYOUT:
        raise ValueError(f"a chunk of layout {layout}; this program reads {LAYOUT}")
    steps = count - 1
    at = HEAD.size
    second = widen(raw[at : at + steps * time_width], time_width)
    at += steps * time_width
    size = 8 * count if codec == FLOAT64 else steps * width
    values = _restored(codec, first, divisor, width, raw[at : at + size])
    qualities = raw[at + size :]
    times = accumulate(accumulate(second), initial=first_ms)
    return [
        Sample(ms, value if quality < NO_VALUE else None, quality % NO_VALUE)
        for ms, value, quality in zip(times, values, qualities, strict=True)
    ]


def narrow(numbers: Sequence[int]) -> tuple[int, bytes]:
    """Integers in the smallest width that holds them all, little endian."""
    low, high = (min(numbers), max(numbers)) if numbers else (0, 0)
    for width, code in WIDTHS:
        if -(1 << (8 * width - 1)) <= low and high < 1 << (8 * width - 1):
            return width, _little(array(code, numbers)).tobytes()
    raise OverflowError(f"a step from {low} to {high} does not fit 64 bits")


def widen(raw: bytes, width: int) -> array[int]:
    return _little(array(TYPECODE[width], raw))


def _little(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _filled(samples: Sequence[Plain]) -> tuple[list[float], bytes]:
    """Values without holes, and the quality byte of each."""
    given = [value for _, value, _ in samples if value is not None]
    if len(given) == len(samples):
        return given, bytes([sample[2] for sample in samples])
    values, qualities, last = list[float](), bytearray(), 0.0
    for _, value, quality in samples:
        if value is None:
            values.append(last)
            qualities.append(quality + NO_VALUE)
        else:
            last = value
            values.append(value)
            qualities.append(quality)
    return values, bytes(qualities)


def _values(values: list[float], hint: float) -> tuple[int, int, float, int, bytes]:
    """Codec, first number, divisor, width and bytes of the values: the first codec that gives every bit back."""
    numbers = _decimals(values, hint)
    if numbers is not None:
        width, raw = narrow([b - a for a, b in pairwise(numbers[0])])
        return INTEGERS, numbers[0][0], numbers[1], width, raw
    bits = _float32(values)
    if bits is not None:
        width, raw = narrow([b - a for a, b in pairwise(bits)])
        return FLOAT32, bits[0], 0.0, width, raw
    raw = struct.pack(f"<{len(values)}d", *values)
    return FLOAT64, 0, 0.0, 8, b"".join(raw[plane::8] for plane in range(8))


def _decimals(values: list[float], hint: float) -> tuple[list[int], float] | None:
    """Integers n and a divisor with n / divisor = value for all values; None when there is none."""
    for divisor in (hint, *DIVISORS) if hint else DIVISORS:
        first = values[0]
        if not abs(first) < 1e12 or round(first * divisor) / divisor != first:
            continue
        try:
            numbers = [round(value * divisor) for value in values]
        except (ValueError, OverflowError):
            return None
        if [number / divisor for number in numbers] == values and min(numbers) >= -MOST and max(numbers) <= MOST:
            zero = any(value == 0 and math.copysign(1.0, value) < 0 for value in values) if 0 in numbers else False
            return None if zero else (numbers, divisor)
    return None


def _float32(values: list[float]) -> list[int] | None:
    """The bits of the values as 32-bit floats; None when a value needs more bits."""
    form = f"<{len(values)}"
    try:
        raw = struct.pack(form + "f", *values)
    except OverflowError:
        return None
    if struct.pack(form + "d", *struct.unpack(form + "f", raw)) != struct.pack(form + "d", *values):
        return None
    return list(struct.unpack(form + "i", raw))


def _restored(codec: int, first: int, divisor: float, width: int, raw: bytes) -> Sequence[float]:
    if codec == FLOAT64:
        count = len(raw) // 8
        planes = [raw[plane * count : (plane + 1) * count] for plane in range(8)]
        return struct.unpack(f"<{count}d", bytes(byte for group in zip(*planes, strict=True) for byte in group))
    numbers = list(accumulate(widen(raw, width), initial=first))
    if codec == INTEGERS:
        return [number / divisor for number in numbers]
    return struct.unpack(f"<{len(numbers)}f", struct.pack(f"<{len(numbers)}i", *numbers))
