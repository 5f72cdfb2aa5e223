"""Telegrams of the Thermo incubators: check sums printed in the manuals, lengths, garbage."""

from __future__ import annotations

import pytest

from drivers.core.wire import thermo
from drivers.core.wire.thermo import Telegram, crc8, inverted_xor

PRINTED = (
    "?:0010:00::c1", "?:0011:00::c0", "?:0012:00::c3", "?:3010:00::c2",
    "!:0010:11:31.07.10;01:02:23:e2", "!:0011:08:31.07.10:d2",
)  # fmt: skip
"""V: printed in the Isotemp manual."""


@pytest.mark.parametrize("line", PRINTED)
def test_the_printed_telegrams_have_the_inverted_xor(line: str):
    found = thermo.parse(line.encode(), inverted_xor)
    assert found is not None
    assert thermo.build(found, inverted_xor) == line.encode() + b"\r"


@pytest.mark.parametrize("line", ["!:0012:08:01:02:23:dc"])
def test_the_misprinted_one_does_not_fit(line: str):
    assert thermo.parse(line.encode(), inverted_xor) is None


@pytest.mark.parametrize("line", ["?:0001:00::a2", "?:0005:00::06", "?:0010:00::54", "?:2010:00::a6", "?:2400:00::35"])
def test_the_sheets_telegrams_with_a_crc(line: str):
    assert thermo.parse(line.encode(), crc8) == Telegram("?", line[2:6], "")
    assert thermo.parse(line.encode(), inverted_xor) is None


def test_the_first_query_of_the_sheet_byte_by_byte():
    sheet = bytes.fromhex("3F 3A 30 30 30 31 3A 30 30 3A 3A 63 31 0D")
    assert thermo.build(Telegram("?", "0001", ""), inverted_xor) == sheet


def test_garbage_in_front_costs_nothing_and_capitals_are_no_telegram():
    assert thermo.parse(b"\x00?:!:zz?:0001:00::c1", inverted_xor) == Telegram("?", "0001", "")
    line = b"?:000A:00::"
    assert thermo.parse(line + f"{inverted_xor(line):02x}".encode(), inverted_xor) is None


def test_a_length_that_does_not_fit_is_no_telegram_but_an_answer_may_hold_nothing():
    for body, good in ((b"!:0005:03:?1:", False), (b"!:2410:08::", True), (b"?:2410:08::", False)):
        line = body + f"{inverted_xor(body):02x}".encode()
        assert (thermo.parse(line, inverted_xor) is not None) is good


def test_a_payload_has_at_most_255_characters():
    with pytest.raises(ValueError, match="255"):
        thermo.build(Telegram("!", "2400", "0" * 256), inverted_xor)
