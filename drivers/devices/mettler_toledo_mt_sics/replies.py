"""What an MT-SICS balance says, line by line: `<ID> <status> <rest>`, ended by CR LF, without a checksum.

On a cable without parity a lost character is the likely damage (`100.00` becomes `10.00`). The vendor's weight field is
always 10 characters wide, right aligned (V), so a balance that has once shown that width is held to it: a shorter or
longer field is a damaged reply. A digit changed into another digit cannot be seen by anybody.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import ascii

END = b"\r\n"
FIELD_WIDTH = 10
"""Characters of a weight including sign and decimal point (V)."""
HANDSHAKE = b"\x11\x13"
"""Xon and Xoff, the usual factory handshake (L): may come between any two characters and belong to none."""
LONGEST = 512
"""Bytes without a line end after which this is no balance; the longest line of the sheet is under 100."""

GENERAL_ERRORS = {
    b"ES": "the balance does not know this command (syntax error)",
    b"ET": "the balance received damaged characters (transmission error)",
    b"EL": "the balance cannot carry out this command now (logical error)",
}
WEIGHT_TROUBLES = {
    b"I": "not executable now: busy, warming up or not stable in time",
    b"L": "parameter wrong or command not allowed",
    b"+": "overload: more on the pan than the balance can weigh",
    b"-": "underload: pan missing or lifted",
}
GRAMS = {b"g": 1.0, b"mg": 1e-3, b"kg": 1e3}
"""Units converted; anything else is refused by name."""

MODULE_ERRORS = {
    1: "boot", 2: "brand", 3: "checksum", 9: "option", 10: "EEPROM", 11: "mismatch",
    12: "hot plug", 14: "module mismatch", 15: "adjustment needed",
}  # fmt: skip
"""`S S Error <n><b|t>` of weigh modules (P)."""

_WEIGHT = re.compile(rb"S ([SD])( +[+-]?(?:0|[1-9]\d*)(?:\.\d+)?) +(\S{1,5}) *")
_TROUBLE = re.compile(rb"S ([I+L-])")
_MODULE_ERROR = re.compile(rb"S [SD] +Error +(\d+)([bt])")
_TEXT = re.compile(rb'(\w+) A "([^"]*)"')


class Weighed(NamedTuple):
    """One weight: grams and stability, or the reason why there is none."""

    grams: float | None
    stable: bool
    why: str = ""
    padded: bool = False
    """The field had the vendor's width of 10 characters."""


def take_line(buffer: bytearray) -> bytes | None:
    """Take the first complete line out of `buffer`, without its end; None when there is none yet."""
    line = ascii.take_line(buffer, END)
    if line is None and len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} bytes without a line end")
    return line if line is None else line.translate(None, HANDSHAKE)


def refuse_general_error(line: bytes) -> None:
    """Raise Refused when the line is ES, ET or EL: they answer whatever was asked."""
    if line in GENERAL_ERRORS:
        raise Refused(line.decode(), GENERAL_ERRORS[line])


def weighed(line: bytes) -> Weighed:
    """What a line with ID S means. Raises BadFrame when it is not a weight, a status or a module error."""
    found = _WEIGHT.fullmatch(line)
    if found is not None:
        status, field, unit = found.groups()
        factor = GRAMS.get(unit)
        # One blank separates status and field; the rest of the blanks belong to the field.
        padded = len(field) == FIELD_WIDTH + 1
        if factor is None:
            return Weighed(
                None, False, f"the balance shows {unit.decode('latin-1')!r}, not g: set its host unit to g", padded
            )
        return Weighed(float(field) * factor, status == b"S", padded=padded)
    if (found := _TROUBLE.fullmatch(line)) is not None:
        return Weighed(None, False, f"{WEIGHT_TROUBLES[found[1]]} ({line.decode()})")
    if (found := _MODULE_ERROR.fullmatch(line)) is not None:
        part = "electronics" if found[2] == b"b" else "terminal"
        return Weighed(
            None, False, f"error {int(found[1])} of the {part}: {MODULE_ERRORS.get(int(found[1]), 'unknown')}"
        )
    raise BadFrame(f"not a weight: {line!r}")


def quoted_text(line: bytes) -> tuple[str, str] | None:
    """ID and text of a line `I4 A "0123456789"`; None for any other line."""
    found = _TEXT.fullmatch(line)
    return (found[1].decode(), found[2].decode("latin-1")) if found else None
