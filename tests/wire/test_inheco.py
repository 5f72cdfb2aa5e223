"""Inheco frames: the sheet's own, pieces, garbage, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.core.errors import BadFrame
from drivers.core.wire import inheco

SHEET = {
    b"T00RTS": "09 32 C6 54 30 30 52 54 53 46",
    b"T01RTS": "09 32 C6 54 30 31 52 54 53 C9",
    b"T00RDA0,1": "0C 32 C9 54 30 30 52 44 41 30 2C 31 BE",
    b"T00AID": "09 32 C6 54 30 30 41 49 44 93",
    b"T00STT370": "0C 32 C9 54 30 30 53 54 54 33 37 30 39",
    b"T00SHE1": "0A 32 C7 54 30 30 53 48 45 31 4B",
    b"T00RAT1": "0A 32 C7 54 30 30 52 41 54 31 62",
    b"T00RDS": "09 32 C6 54 30 30 52 44 53 AA",
    b"T00AOD": "09 32 C6 54 30 30 41 4F 44 39",
    b"T00SSP30,30,100,100,90": "19 32 D6 54 30 30 53 53 50 33 30 2C 33 30 2C 31 30 30 2C 31 30 30 2C 39 30 75",
    b"T00ASEND": "0B 32 C8 54 30 30 41 53 45 4E 44 63",
}
TEXT = st.binary(min_size=1, max_size=62)
DATA = st.binary(max_size=60).map(lambda data: bytes(0x20 + byte % 0x40 for byte in data))


@pytest.mark.parametrize("text", SHEET, ids=bytes.decode)
def test_the_sheets_requests(text: bytes):
    frame = bytes.fromhex(SHEET[text])
    assert inheco.request(2, text) == frame
    assert inheco.take_request(bytearray(frame)) == (2, text, True)


@given(TEXT, st.integers(0, 15))
def test_a_request_is_found_when_it_is_whole_and_its_crc_tells_damage(text: bytes, dip: int):
    frame = inheco.request(dip, text)
    buffer = bytearray(frame[:-1])
    assert inheco.take_request(buffer) is None
    buffer += frame[-1:] + b"\x09"
    assert inheco.take_request(buffer) == (dip, text, True)
    assert bytes(buffer) == b"\x09"
    damaged = frame[:-1] + bytes((frame[-1] ^ 4,))
    assert inheco.take_request(bytearray(damaged)) == (dip, text, False)


def test_what_is_no_request_goes_by():
    buffer = bytearray(b"\xff\x00\x41" + bytes.fromhex(SHEET[b"T00RTS"]))
    assert inheco.take_request(buffer) == (2, b"T00RTS", True)


@given(DATA, st.integers(0, 15), st.integers(0, 15), st.integers(0, 9))
def test_a_reply_comes_whole_whatever_its_pieces(data: bytes, dip: int, error: int, piece: int):
    frame = inheco.reply(dip, data, error, piece)
    take = inheco.ReplyTaker(dip)
    for cut in range(len(frame)):
        assert take(bytearray(frame[:cut])) is None
    buffer = bytearray(frame + b"\xb2")
    assert take(buffer) == (data, error)
    assert bytes(buffer) == b"\xb2"


def test_the_sheets_replies():
    take = inheco.ReplyTaker(2)
    assert take(bytearray.fromhex("B2 33 36 39 B2 20 60")) == (b"369", 0)
    assert take(bytearray.fromhex("B2 20 60")) == (b"", 0)
    assert take(bytearray.fromhex("B2 28 60")) == (b"", 8)


@pytest.mark.parametrize(
    "damaged",
    [
        "33 36 39 B2 20 60",
        "FF B2 33 B2 20 60",
        "B2 B2 33 B2 20 60",
        "B2 81 B2 20 60",
        "B2 33 B2 33 36 39 B2 20 60",
        "B2 33 36 B2 33 B2 33 B2 20 60",
    ],
)
def test_a_reply_that_is_not_whole_is_none(damaged: str):
    with pytest.raises(BadFrame, match="not a whole reply"):
        inheco.ReplyTaker(2)(bytearray.fromhex(damaged))


def test_what_is_left_of_a_reply_in_front_of_another_is_known_once_a_longer_piece_was_seen():
    take = inheco.ReplyTaker(2)
    joined = "B2 33 36 39 B2 33 36 39 B2 20 60"
    assert take(bytearray.fromhex(joined)) == (b"369369", 0)
    assert take(bytearray.fromhex("B2 49 53 30 34 31 39 30 B2 20 60")) == (b"IS04190", 0)
    with pytest.raises(BadFrame, match="not a whole reply"):
        take(bytearray.fromhex(joined))


def test_another_stacks_reply_and_endless_noise_are_none():
    assert inheco.ReplyTaker(2)(bytearray.fromhex("B3 31 B3 20 60")) is None
    with pytest.raises(BadFrame, match="without an end"):
        inheco.ReplyTaker(2)(bytearray(600))
