"""ProPar framing: both forms, stuffing, errors, garbage, cuts."""

from __future__ import annotations

import pytest

from drivers.core.wire import propar
from drivers.core.wire.propar import MALFORMED, Frame

STUFFED = bytes.fromhex("10 02 10 10 03 0E 04 F1 63 71 63 00 81 20 01 20 21 40 21 40 10 03")
"""Recorded (R): sequence 0x10 is doubled."""


def test_ascii_frames_of_the_manual():
    assert propar.ascii_frame(3, bytes.fromhex("0101213E80")) == b":06030101213E80\r\n"
    buffer = bytearray(b"noise:06030201213E80\r\n:0105\r\n")
    assert propar.take_ascii(buffer) == Frame(3, bytes.fromhex("0201213E80"))
    assert propar.take_ascii(buffer) == Frame(0, b"", 0, 5)
    assert propar.take_ascii(buffer) is None
    assert propar.ascii_error(4) == b":0104\r\n"


@pytest.mark.parametrize(
    "text", [b":0603020121\r", b":06030201213e80\r", b":0\r", b":\r", b":00\r", b":06 30201213E80\r"]
)
def test_ascii_frames_of_wrong_length_or_digits_are_malformed(text: bytes):
    assert propar.take_ascii(bytearray(text)) == MALFORMED


def test_a_second_colon_begins_anew_and_an_endless_frame_is_forgotten():
    assert propar.take_ascii(bytearray(b":0603:0403000005\r\n")) == Frame(3, bytes.fromhex("000005"))
    endless = bytearray(b":" + b"0" * 700)
    assert propar.take_ascii(endless) is None
    assert not endless
    assert propar.take_ascii(bytearray(b"\r\n\r\n")) is None


def test_binary_frames_are_stuffed_and_unstuffed():
    data = bytes.fromhex("04 F1 63 71 63 00 81 20 01 20 21 40 21 40")
    assert propar.binary_frame(0x10, 3, data) == STUFFED
    assert propar.take_binary(bytearray(STUFFED)) == Frame(3, data, 0x10)
    frame = propar.binary_frame(0x11, 3, bytes.fromhex("01 01 21 10 10"))
    assert frame == bytes.fromhex("10 02 11 03 05 01 01 21 10 10 10 10 10 03")
    assert propar.take_binary(bytearray(frame)) == Frame(3, bytes.fromhex("01 01 21 10 10"), 0x11)


def test_binary_error_frames_have_length_zero_and_a_code():
    frame = propar.binary_error(7, 3, 9)
    assert frame == bytes.fromhex("10 02 07 03 00 09 10 03")
    assert propar.take_binary(bytearray(frame)) == Frame(3, b"", 7, 9)


@pytest.mark.parametrize(
    "noise", ["", "FF 80", "10", "10 10", "10 03", "10 02 55", "10 02 01 10 44", "10 02 01 02 05 10 03"]
)
def test_a_good_binary_frame_behind_noise_is_found(noise: str):
    good = bytes.fromhex("10 02 02 03 05 02 01 20 3E 80 10 03")
    buffer = bytearray(bytes.fromhex(noise) + good)
    assert propar.take_binary(buffer) == Frame(3, bytes.fromhex("02 01 20 3E 80"), 2)
    assert not buffer


def test_a_binary_frame_comes_together_byte_by_byte_and_no_part_of_it_is_one():
    buffer, found = bytearray(), []
    for byte in STUFFED:
        buffer.append(byte)
        found.append(propar.take_binary(buffer))
    assert found[:-1] == [None] * (len(STUFFED) - 1)
    assert found[-1] is not None


def test_too_long_is_said_and_an_endless_binary_frame_is_forgotten():
    with pytest.raises(ValueError, match="254"):
        propar.ascii_frame(1, bytes(255))
    with pytest.raises(ValueError, match="255"):
        propar.binary_frame(1, 1, bytes(256))
    endless = bytearray(b"\x10\x02" + bytes(700))
    assert propar.take_binary(endless) is None
    assert not endless
    assert propar.take_binary(bytearray(bytes.fromhex("10 02 01 02 10 03"))) is None
