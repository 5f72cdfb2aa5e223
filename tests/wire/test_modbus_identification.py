"""Function 43/14: a vendor's printed frames, pymodbus as the second witness, streams in parts, and damage."""

from __future__ import annotations

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import modbus, modbus_identification

BASIC = bytes.fromhex("F0 2B 0E 01 00 0D A2")
BASIC_REPLY = bytes.fromhex(
    "F0 2B 0E 01 83 00 00 03 00 07 56 61 69 73 61 6C 61 01 06 47 4D 50 32 35 32 02 05 31 2E 32 2E 33 9B A4"
)
TEXTS = {0: "Vaisala", 1: "GMP252", 2: "1.2.3"}


def asked(frame: bytes) -> modbus.Request:
    buffer = bytearray(frame)
    found = modbus.take_request(buffer)
    assert found is not None
    assert not buffer
    return found


def test_request_and_reply_are_the_sheets():
    assert modbus_identification.request(240, modbus_identification.BASIC) == BASIC
    assert modbus_identification.reply(asked(BASIC), TEXTS, 0x83) == BASIC_REPLY
    buffer = bytearray(BASIC_REPLY)
    found = modbus_identification.reply_parser(BASIC)(buffer)
    assert found is not None
    assert (found.texts, found.next_object, buffer) == (TEXTS, None, b"")


def test_pymodbus_asks_and_answers_in_the_same_bytes():
    framer = FramerRTU(DecodePDU(False))
    theirs = framer.buildFrame(ReadDeviceInformationRequest(read_code=1, object_id=0, dev_id=240))
    assert theirs == BASIC
    answer = ReadDeviceInformationResponse(
        read_code=1, information={number: text.encode() for number, text in TEXTS.items()}, dev_id=240
    )
    found = modbus_identification.reply_parser(BASIC)(bytearray(framer.buildFrame(answer)))
    assert found is not None
    assert found.texts == TEXTS


def test_a_long_stream_comes_in_parts_that_say_where_to_go_on():
    objects = dict.fromkeys((0, 1, 2, 3), "x" * 100)
    request = modbus_identification.request(1, modbus_identification.EXTENDED)
    reply = modbus_identification.reply(asked(request), objects, 0x83)
    assert reply is not None
    first = modbus_identification.reply_parser(request)(bytearray(reply))
    assert first is not None
    assert (sorted(first.texts), first.next_object) == ([0, 1], 2)
    request = modbus_identification.request(1, modbus_identification.EXTENDED, 2)
    reply = modbus_identification.reply(asked(request), objects, 0x83)
    assert reply is not None
    second = modbus_identification.reply_parser(request)(bytearray(reply))
    assert second is not None
    assert (sorted(second.texts), second.next_object) == ([2, 3], None)


def test_one_object_alone_and_one_that_is_not_there():
    request = modbus_identification.request(240, modbus_identification.INDIVIDUAL, 1)
    assert modbus_identification.reply(asked(request), {0: "Vaisala"}, 0x83) is None
    reply = modbus_identification.reply(asked(request), TEXTS, 0x83)
    assert reply is not None
    found = modbus_identification.reply_parser(request)(bytearray(b"\xf0\x2b" + reply))
    assert found is not None
    assert found.texts == {1: "GMP252"}


def test_a_no_is_refused_a_broken_frame_is_bad_and_a_part_is_not_there_yet():
    parse = modbus_identification.reply_parser(BASIC)
    with pytest.raises(Refused, match="illegal function"):
        parse(bytearray(modbus.refusal(asked(BASIC), 1)))
    for length in range(len(BASIC_REPLY)):
        assert parse(bytearray(BASIC_REPLY[:length])) is None
    broken = bytearray(BASIC_REPLY)
    broken[12] ^= 1
    with pytest.raises(BadFrame, match="wrong CRC"):
        parse(broken)
    with pytest.raises(BadFrame, match="no identification"):
        parse(bytearray(2000))
