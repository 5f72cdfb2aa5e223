"""Modbus RTU frames: against the standard's and the sheet's own bytes, against pymodbus, and against garbage."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
)

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import modbus

ADDRESS = st.integers(1, 247)
WORD = st.integers(0, 0xFFFF)
READS = st.sampled_from((modbus.READ_HOLDING, modbus.READ_INPUT))
REGISTERS = st.lists(WORD, min_size=1, max_size=60)

PH = bytes.fromhex("01 03 08 29 00 0A 16 65")  # Hamilton pH Arc: read PMC1
PH_REPLY = bytes.fromhex("01 03 14 10 00 00 00 CD 0C 40 80 00 00 00 00 00 00 00 00 00 00 41 60 77 0D")


def pack(registers: list[int]) -> bytes:
    return b"".join(register.to_bytes(2, "big") for register in registers)


def slow_crc(data: bytes) -> int:
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


@given(st.binary(max_size=300))
def test_the_crc_is_the_standards_bit_by_bit_and_pymodbus_agrees(data: bytes):
    assert modbus.crc(data) == slow_crc(data)
    assert modbus.crc(data) == int.from_bytes(FramerRTU.compute_CRC(data).to_bytes(2, "big"), "little")
    assert modbus.crc(modbus.frame(data)) == 0


def test_the_sheets_worked_examples():
    assert modbus.frame(bytes.fromhex("01 03 00 00 00 0A")).hex(" ") == "01 03 00 00 00 0a c5 cd"
    assert modbus.read_request(1, 3, 2089, 10) == PH
    assert modbus.reply_parser(PH)(bytearray(PH_REPLY)) == PH_REPLY[3:-2]
    level = bytes.fromhex("00 30 00 00 79 CE 00 F4")
    request = modbus.write_many_request(1, 4287, level)
    assert request == bytes.fromhex("01 10 10 BF 00 04 08 00 30 00 00 79 CE 00 F4 97 E7")
    assert modbus.reply_parser(request)(bytearray.fromhex("01 10 10 BF 00 04 F4 EE")) == b""


@given(ADDRESS, READS, WORD, REGISTERS)
def test_reads_are_what_pymodbus_sends_and_understands(address: int, function: int, start: int, registers: list[int]):
    kind = ReadHoldingRegistersRequest if function == modbus.READ_HOLDING else ReadInputRegistersRequest
    request = modbus.read_request(address, function, start, len(registers))
    theirs = FramerRTU(DecodePDU(True))
    assert request == theirs.buildFrame(kind(address=start, count=len(registers), dev_id=address))
    question = modbus.take_request(bytearray(request))
    assert question == modbus.Request(address, function, start, len(registers))
    reply = modbus.read_reply(question, pack(registers))
    used, pdu = FramerRTU(DecodePDU(False)).handleFrame(reply, address, 0)
    assert used == len(reply)
    assert pdu.registers == registers
    assert modbus.reply_parser(request)(bytearray(reply)) == pack(registers)


@given(ADDRESS, WORD, WORD)
def test_writing_one_register_is_what_pymodbus_sends(address: int, register: int, value: int):
    request = modbus.write_one_request(address, register, value)
    theirs = FramerRTU(DecodePDU(True))
    assert request == theirs.buildFrame(WriteSingleRegisterRequest(address=register, registers=[value], dev_id=address))
    question = modbus.take_request(bytearray(request))
    assert question == modbus.Request(address, 6, register, 1, pack([value]))
    assert modbus.write_reply(question) == request
    assert modbus.reply_parser(request)(bytearray(request)) == b""


@given(ADDRESS, WORD, REGISTERS)
def test_writing_many_registers_is_what_pymodbus_sends_and_confirms(address: int, start: int, registers: list[int]):
    request = modbus.write_many_request(address, start, pack(registers))
    ours = FramerRTU(DecodePDU(True))
    assert request == ours.buildFrame(WriteMultipleRegistersRequest(address=start, registers=registers, dev_id=address))
    question = modbus.take_request(bytearray(request))
    assert question == modbus.Request(address, 16, start, len(registers), pack(registers))
    confirmed = FramerRTU(DecodePDU(False)).buildFrame(
        WriteMultipleRegistersResponse(address=start, count=len(registers), dev_id=address)
    )
    assert modbus.write_reply(question) == confirmed
    assert modbus.reply_parser(request)(bytearray(confirmed)) == b""


def test_a_frame_built_by_pymodbus_is_read():
    built = FramerRTU(DecodePDU(False)).buildFrame(ReadHoldingRegistersResponse(registers=[1, 2], dev_id=9))
    assert modbus.reply_parser(modbus.read_request(9, 3, 0, 2))(bytearray(built)) == pack([1, 2])


@given(st.binary(max_size=40), st.binary(max_size=10))
def test_garbage_around_a_frame_does_not_cost_the_frame(before: bytes, behind: bytes):
    buffer = bytearray(before + PH_REPLY + behind)
    assert modbus.reply_parser(PH)(buffer) == PH_REPLY[3:-2]
    assert buffer == behind
    buffer = bytearray(before + PH + behind)
    if before.isascii() and 0x01 not in before:
        assert modbus.take_request(buffer) is not None


def test_a_broken_frame_or_an_echo_in_front_does_not_cost_the_good_one():
    parse = modbus.reply_parser(PH)
    broken = PH_REPLY[:-1] + b"\x00"
    assert parse(bytearray(broken + PH_REPLY)) == PH_REPLY[3:-2]
    assert parse(bytearray(PH + PH_REPLY)) == PH_REPLY[3:-2]


@given(st.binary(max_size=80))
def test_garbage_never_becomes_a_number(data: bytes):
    parse = modbus.reply_parser(PH)
    with contextlib.suppress(BadFrame):
        assert parse(bytearray(data)) is None


@given(st.integers(0, len(PH_REPLY) * 8 - 1))
def test_one_flipped_bit_never_becomes_a_number(bit: int):
    data = bytearray(PH_REPLY)
    data[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(BadFrame):
        assert modbus.reply_parser(PH)(data) is None


@given(st.lists(st.integers(1, len(PH_REPLY) - 1), max_size=5), st.binary(max_size=12))
def test_a_reply_in_pieces_is_the_same_reply(cuts: list[int], noise: bytes):
    parse, buffer = modbus.reply_parser(PH), bytearray()
    data = noise + PH_REPLY
    edges = sorted({0, *cuts, len(data)})
    answers = []
    for begin, end in itertools.pairwise(edges):
        buffer += data[begin:end]
        answers.append(parse(buffer))
    assert answers[-1] == PH_REPLY[3:-2]
    assert not any(answers[:-1])


def test_a_whole_reply_with_a_wrong_crc_is_a_bad_frame():
    with pytest.raises(BadFrame, match="wrong CRC"):
        modbus.reply_parser(PH)(bytearray(PH_REPLY[:-1] + b"\x00"))


def test_another_devices_reply_and_a_reply_of_another_length_are_not_the_answer():
    parse = modbus.reply_parser(PH)
    assert parse(bytearray(modbus.frame(b"\x02" + PH_REPLY[1:-2]))) is None
    assert parse(bytearray(modbus.frame(bytes.fromhex("01 03 04 00 00 42 C8")))) is None


def test_a_refusal_says_the_exception_in_words():
    with pytest.raises(Refused, match="illegal data address") as caught:
        modbus.reply_parser(PH)(bytearray.fromhex("01 83 02 C0 F1"))
    assert caught.value.code == "02"
    with pytest.raises(Refused, match="unknown exception"):
        modbus.reply_parser(PH)(bytearray(modbus.frame(b"\x01\x83\x77")))
    assert modbus.refusal(modbus.Request(1, 3, 0, 1), 2) == bytes.fromhex("01 83 02 C0 F1")


def test_requests_with_other_functions_are_seen_too():
    coils = modbus.frame(bytes.fromhex("01 01 00 00 00 08"))
    identify = modbus.frame(bytes.fromhex("01 2B 0E 01 00"))
    slave_id = modbus.frame(bytes.fromhex("01 11"))
    assert modbus.take_request(bytearray(coils)) == modbus.Request(1, 1, 0, 8)
    assert modbus.take_request(bytearray(identify)) == modbus.Request(1, 0x2B, 0, 0, b"\x0e\x01\x00")
    assert modbus.take_request(bytearray(slave_id)) == modbus.Request(1, 0x11, 0, 0)
    long = modbus.frame(bytes.fromhex("01 17 00 00 00 01 00 00 00 01 02 00 05"))
    assert modbus.take_request(bytearray(long)) == modbus.Request(1, 0x17, 0, 1)


def test_two_requests_in_one_read_are_two_requests():
    buffer = bytearray(PH + PH)
    assert modbus.take_request(buffer) == modbus.take_request(buffer)
    assert modbus.take_request(buffer) is None
    assert buffer == b""


def test_half_a_request_waits_and_endless_noise_does_not_fill_the_memory():
    assert modbus.take_request(bytearray(PH[:-1])) is None
    assert modbus.take_request(bytearray(b"\x01\x10\x00\x00")) is None
    noise = bytearray(b"\xff" * 600)
    assert modbus.take_request(noise) is None
    assert len(noise) == 256


def test_what_cannot_be_asked_is_refused_before_it_is_sent():
    for function, count in ((3, 0), (3, 126), (5, 1)):
        with pytest.raises(ValueError, match="cannot read"):
            modbus.read_request(1, function, 0, count)
    for data in (b"", b"odd", bytes(2 * 124)):
        with pytest.raises(ValueError, match="whole registers"):
            modbus.write_many_request(1, 0, data)


@pytest.mark.parametrize("cut", range(1, 13))
def test_an_echo_of_a_long_write_that_comes_first_is_not_taken_for_a_broken_reply(cut: int):
    request = bytes.fromhex("01 10 15 81 00 02 04 00 00 42 14 F8 3C")
    reply = bytes.fromhex("01 10 15 81 00 02 15 EC")
    parse, buffer = modbus.reply_parser(request), bytearray()
    for part in (request[:cut], request[cut:]):
        buffer += part
        assert parse(buffer) is None
    buffer += reply
    assert parse(buffer) == b""
    assert not buffer
