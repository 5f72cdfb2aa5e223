"""Watlow Standard Bus frames: published bytes, both check sums, and frames hunted out of noise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.core.wire import watlow_standard_bus as bus

REQUEST = bytes.fromhex("55 FF 05 10 00 00 06 E8 01 03 01 04 01 01 E3 99")
REPLY = bytes.fromhex("55 FF 06 00 10 00 0B 88 02 03 01 04 01 01 08 42 C5 33 33 56 C9")


def test_the_published_frames_are_made_and_read():
    assert bus.frame(bus.REQUEST, 0x10, 0, bytes.fromhex("010301040101")) == REQUEST
    buffer = bytearray(REPLY + REQUEST)
    assert bus.take(buffer) == bus.Frame(bus.REPLY, 0, 0x10, bytes.fromhex("0203010401010842C53333"))
    assert bus.take(buffer) == bus.Frame(bus.REQUEST, 0x10, 0, bytes.fromhex("010301040101"))
    assert not buffer


def test_the_check_sums_are_bacnets():
    """ASHRAE 135 annex G: the header 00 10 05 00 00 has 8C; the data 01 22 30 has 10 BD on the wire."""
    assert bus.header_crc(bytes.fromhex("0010050000")) == 0x8C
    assert bus.data_crc(bytes.fromhex("012230")).to_bytes(2, "little") == bytes.fromhex("10BD")


def test_any_flipped_bit_costs_the_frame_and_never_changes_it():
    for bit in range(8 * len(REPLY)):
        spoilt = bytearray(REPLY)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert bus.take(spoilt) is None


@given(st.binary(max_size=30), st.integers(0, len(REPLY) - 1))
def test_a_frame_behind_noise_or_behind_a_cut_one_is_found(noise: bytes, cut: int):
    buffer = bytearray(noise.replace(b"\x55", b"") + REPLY[:cut] + REPLY)
    found = bus.take(buffer)
    assert found is not None
    assert found.data == REPLY[8:-2]


def test_endless_noise_is_forgotten():
    buffer = bytearray(b"\x55\xff" * 2000)
    assert bus.take(buffer) is None
    assert len(buffer) <= 2 * bus.LONGEST
