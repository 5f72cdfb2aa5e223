"""A late copy of a Modbus reply: what it does to a driver that asks twice for equally much, and how it is noticed."""

from __future__ import annotations

from drivers.core.line import Line
from drivers.core.modbus_surplus import Surplus
from drivers.core.wire import modbus
from simulators.core.hosts import MemoryHost
from simulators.devices.watlow_f4t_ez_zone import WatlowEzZone
from simulators.standalone import StillChamber

ASKED = modbus.read_request(1, modbus.READ_HOLDING, 0, 2)
REPLY = modbus.frame(bytes.fromhex("0103041122 3344"))
OTHER = modbus.frame(bytes.fromhex("010302000A"))


def watch() -> Surplus:
    return Surplus(Line(MemoryHost(WatlowEzZone(StillChamber(), 1)).link()), 1)


def test_one_reply_to_one_question_leaves_nothing_over():
    surplus = watch()
    begun = surplus.answers
    parse = surplus.around(modbus.reply_parser(ASKED))
    buffer = bytearray()
    for byte in b"\x00\x01\x03" + REPLY:
        buffer.append(byte)
        reply = parse(buffer)
    assert reply == bytes.fromhex("11223344")
    assert not surplus.since(begun)


def test_a_reply_of_another_length_in_front_is_noticed():
    surplus = watch()
    begun = surplus.answers
    assert surplus.around(modbus.reply_parser(ASKED))(bytearray(OTHER + REPLY)) == bytes.fromhex("11223344")
    assert surplus.since(begun)


def test_the_same_when_it_comes_alone_first():
    surplus = watch()
    begun = surplus.answers
    parse = surplus.around(modbus.reply_parser(ASKED))
    buffer = bytearray(OTHER)
    assert parse(buffer) is None
    buffer += REPLY
    assert parse(buffer) is not None
    assert surplus.since(begun)


def test_a_copy_behind_the_reply_is_noticed_when_the_line_hears_it():
    surplus = watch()
    begun = surplus.answers
    buffer = bytearray(REPLY + REPLY)
    surplus.around(modbus.reply_parser(ASKED))(buffer)
    assert not surplus.since(begun)
    surplus.hear(bytes(buffer))
    assert surplus.since(begun)
    assert not surplus.since(surplus.answers)


def test_what_waited_before_the_first_question_and_what_others_say_does_not_count():
    surplus = watch()
    begun = surplus.answers
    surplus.hear(REPLY)
    assert not surplus.since(begun)
    surplus.around(modbus.reply_parser(ASKED))(bytearray(REPLY))
    surplus.hear(modbus.frame(bytes.fromhex("0203041122 3344")) + b"noise" + REPLY[:-1])
    assert not surplus.since(begun)


def test_writes_and_refusals_are_replies_too():
    surplus = watch()
    written = modbus.frame(bytes.fromhex("011000010002"))
    refused = modbus.frame(bytes.fromhex("018302"))
    assert surplus.frames(written + refused + REPLY) == [8, 13, 22]
