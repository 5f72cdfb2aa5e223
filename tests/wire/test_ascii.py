"""Lines and packets: the vendor's own frames, pieces, garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.core.wire import ascii as text

BODY = st.binary(max_size=60)
SHEET = {  # New Era, safe mode; the first is the vendor's own
    b"SAF0": "02 08 53 41 46 30 55 43 03",
    b"0SAF5": "02 09 30 53 41 46 35 09 08 03",
    b"0RAT1.5MM": "02 0D 30 52 41 54 31 2E 35 4D 4D 5C 7F 03",
    b"00SI2.500W0.000ML": "02 15 30 30 53 49 32 2E 35 30 30 57 30 2E 30 30 30 4D 4C 6C D2 03",
    b"00A?T": "02 09 30 30 41 3F 54 05 40 03",
}


def test_a_line_is_taken_when_its_end_is_there():
    buffer = bytearray(b"S S 1.0 g\r")
    assert text.take_line(buffer) is None
    buffer += b"\nES\r\n"
    assert text.take_line(buffer) == b"S S 1.0 g"
    assert text.take_line(buffer) == b"ES"
    assert text.take_line(buffer) is None
    assert text.take_line(bytearray(b"0RUN\r"), b"\r") == b"0RUN"


@pytest.mark.parametrize("body", SHEET, ids=bytes.decode)
def test_the_sheets_safe_packets(body: bytes):
    frame = bytes.fromhex(SHEET[body])
    assert text.safe_packet(body) == frame
    assert text.take_safe_packet(bytearray(frame)) == body


@given(BODY)
def test_a_safe_packet_carries_any_bytes(body: bytes):
    buffer = bytearray(text.safe_packet(body) + b"rest")
    assert text.take_safe_packet(buffer) == body
    assert buffer == b"rest"


@given(BODY, st.binary(max_size=30))
def test_garbage_in_front_does_not_cost_the_safe_packet(body: bytes, noise: bytes):
    found = text.take_safe_packet(bytearray(noise + text.safe_packet(body)))
    assert found == body


@given(BODY, st.data())
def test_a_flipped_bit_never_gives_a_safe_packet(body: bytes, data: st.DataObject):
    frame = bytearray(text.safe_packet(body))
    bit = data.draw(st.integers(0, len(frame) * 8 - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert text.take_safe_packet(frame) != body


@given(BODY)
def test_a_safe_packet_in_single_bytes_is_the_same_packet(body: bytes):
    buffer, found = bytearray(), []
    for byte in text.safe_packet(body):
        buffer.append(byte)
        found.append(text.take_safe_packet(buffer))
    assert found[-1] == body
    assert found[:-1] == [None] * (len(found) - 1)


def test_noise_without_a_beginning_is_not_kept():
    buffer = bytearray(b"noise")
    assert text.take_safe_packet(buffer) is None
    assert buffer == b""
    buffer = bytearray(b"noise\x02")
    assert text.take_safe_packet(buffer) is None
    assert buffer == b"\x02"


def test_a_safe_packet_has_a_longest_body():
    assert len(text.safe_packet(bytes(251))) == 256
    with pytest.raises(ValueError, match="251"):
        text.safe_packet(bytes(252))


def test_a_packet_begins_at_the_last_stx_and_ends_at_etx():
    assert text.packet(b"00S") == bytes.fromhex("02 30 30 53 03")
    buffer = bytearray(b"\x03x\x0200\x0200S\x03\x0200")
    assert text.take_packet(buffer) == b"00S"
    assert text.take_packet(buffer) is None
    buffer += b"I\x03"
    assert text.take_packet(buffer) == b"00I"
    assert text.take_packet(bytearray(b"no\x03")) is None
