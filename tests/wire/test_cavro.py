"""OEM blocks and DT lines of Cavro pumps: the sheet's frames, pieces, garbage, flipped bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.core.wire import cavro

TEXT = st.binary(max_size=40).map(lambda data: bytes(0x20 | byte & 0x5F for byte in data))
SHEET = {  # the rule is M; the check sums were computed when the sheet was written
    b"11ZR": "02 31 31 5A 52 03 09",
    b"13Q": "02 31 33 51 03 52",
    b"12A3000R": "02 31 32 41 33 30 30 30 52 03 12",
    b"1:A3000R": "02 31 3A 41 33 30 30 30 52 03 1A",
    b"0`3000": "02 30 60 33 30 30 30 03 52",
    b"15V100IP1500OD1500R": "02 31 35 56 31 30 30 49 50 31 35 30 30 4F 44 31 35 30 30 52 03 22",
    b"0O": "02 30 4F 03 7E",
}


@pytest.mark.parametrize("body", SHEET, ids=bytes.decode)
def test_the_sheets_blocks(body: bytes):
    frame = bytes.fromhex(SHEET[body])
    assert cavro.oem_block(body) == frame
    assert cavro.take_oem_block(bytearray(b"\xff" + frame)) == body


def test_the_sequence_byte_has_a_bit_for_again():
    assert [cavro.sequence_byte(number) for number in (1, 7)] == [0x31, 0x37]
    assert [cavro.sequence_byte(number, repeated=True) for number in (1, 2, 7)] == [0x39, 0x3A, 0x3F]


@given(TEXT, st.binary(max_size=12).map(lambda noise: bytes(byte for byte in noise if byte != 3)))
def test_garbage_in_front_does_not_cost_the_block_and_what_follows_stays(body: bytes, noise: bytes):
    buffer = bytearray(noise + cavro.oem_block(body) + b"rest")
    assert cavro.take_oem_block(buffer) == body
    assert buffer == b"rest"


@given(TEXT, st.data())
def test_a_flipped_bit_never_gives_the_block(body: bytes, data: st.DataObject):
    frame = bytearray(cavro.oem_block(body))
    bit = data.draw(st.integers(0, len(frame) * 8 - 1))
    frame[bit // 8] ^= 1 << bit % 8
    assert cavro.take_oem_block(frame) != body


@given(TEXT)
def test_a_block_in_single_bytes_is_the_same_block(body: bytes):
    buffer, found = bytearray(), []
    for byte in cavro.oem_block(body):
        buffer.append(byte)
        found.append(cavro.take_oem_block(buffer))
    assert found == [None] * (len(found) - 1) + [body]


def test_noise_without_a_beginning_is_not_kept():
    buffer = bytearray(b"\x03noise")
    assert cavro.take_oem_block(buffer) is None
    assert buffer == b""


def test_a_dt_answer_is_status_and_text_and_may_have_a_sync_byte_in_front():
    buffer = bytearray.fromhex("FF 2F 30 40 03 0D 0A 2F 30 60 33 30 30 30 03 0D")
    assert cavro.take_dt_answer(buffer) == b"@"
    assert cavro.take_dt_answer(buffer) is None
    buffer += b"\n"
    assert cavro.take_dt_answer(buffer) == b"`3000"
    assert cavro.take_dt_answer(bytearray(b"noise\x03\r\n/0@\x03\r\n")) == b"@"
