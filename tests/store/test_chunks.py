from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.store.chunks import Sample, header, pack, unpack
from controller.store.gaps import Gap, holes, overlaps

START = 1_767_567_600_000
decimals = st.integers(-100_000, 100_000).map(lambda number: number / 100)
single = st.floats(width=32, allow_nan=False)
double = st.floats(allow_nan=False)
values = st.one_of(
    st.lists(st.one_of(st.none(), decimals), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), single), min_size=1, max_size=40),
    st.lists(st.one_of(st.none(), double), min_size=1, max_size=40),
)


@settings(max_examples=60, deadline=None)
@given(
    values,
    st.lists(st.integers(-(10**13), 10**13), min_size=40, max_size=40),
    st.lists(st.integers(0, 4), min_size=40, max_size=40),
)
def test_what_goes_in_comes_out_bit_for_bit(numbers, times, qualities):
    samples = [
        Sample(START + at, value, quality) for at, value, quality in zip(times, numbers, qualities, strict=False)
    ]
    back = unpack(pack(samples)[0])
    assert back == samples
    assert [math.copysign(1, s.value) for s in back if s.value == 0] == [
        math.copysign(1, s.value) for s in samples if s.value == 0
    ]


def test_readings_with_decimals_take_two_bytes():
    samples = [Sample(START + 10_000 * n + n % 13, round(37 + 0.01 * ((n * 7919) % 9), 2), 0) for n in range(512)]
    blob, divisor = pack(samples)
    assert divisor == 100.0 and len(blob) <= 2.1 * 512
    assert pack(samples, divisor=0.0)[1] == 100.0


def test_the_decimal_places_are_found():
    for value, divisor in ((37.0, 100.0), (37.125, 1000.0), (0.1234, 10_000.0), (7.03125e-7, 0.0)):
        blob, found = pack([Sample(START, value, 0), Sample(START + 1, value, 0)])
        assert found == divisor and unpack(blob)[1].value == value


def test_the_header_counts_good_values_only():
    samples = [Sample(2, 1.0, 0), Sample(1, 9.0, 2), Sample(3, None, 0), Sample(4, 2.0, 0), Sample(5, math.nan, 0)]
    assert header(samples) == (1, 5, 5, 2, 1.0, 2.0, 1.5)
    assert header([Sample(7, None, 2)]) == (7, 7, 1, 0, None, None, None)


def test_not_a_number_survives():
    (back,) = unpack(pack([Sample(1, math.nan, 2)])[0])
    assert back.value is not None and math.isnan(back.value) and back.quality == 2


def test_what_is_no_chunk_is_refused():
    import zlib

    head = zlib.decompress(pack([Sample(1, 1.0, 0)])[0])
    for blob in (b"", b"garbage", zlib.compress(b"short"), zlib.compress(b"\x09" + head[1:])):
        with pytest.raises(ValueError, match="chunk"):
            unpack(blob)
    assert struct.calcsize("<BBBBHqqd") == 30


@pytest.mark.req("INV-19")
def test_a_hole_nobody_explained_is_seen():
    times = [0.0, 10.0, 20.0, 100.0, 110.0]
    assert holes(times, [], 30) == [(20.0, 100.0)]
    assert holes(times, [Gap("t", 20.0, 95.0, "restart")], 30) == []
    assert holes(times, [Gap("t", 20.0, 40.0, "a"), Gap("t", 40.0, 65.0, "b")], 30) == [(65.0, 100.0)]
    assert holes(times, [Gap("t", 55.0, 95.0, "late")], 30) == [(20.0, 100.0)]
    assert overlaps(times, [Gap("t", 15.0, 95.0, "x")]) == [20.0]
    assert overlaps(times, [Gap("t", 20.0, 100.0, "x")]) == []
