"""What the controller says: lines that end with CR LF, no check sum, no word of what was asked (liconic-stx.md)."""

from __future__ import annotations

import re

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire.ascii import take_line

ERRORS = {
    b"E0": "undefined relay or memory",
    b"E1": "invalid command, or communication not opened by CR",
    b"E2": "firmware lost",
    b"E3": "hardware",
    b"E4": "unauthorised access, write protected, or base unit",
    b"E5": "unauthorised access, write protected, or base unit",
}
"""(PH, texts P; the sheet has one text for E4 and E5.)"""
TROUBLES = {
    1: "general", 7: "gate not open", 8: "gate not closed", 9: "lift positioning", 10: "user access",
    11: "slot not reachable", 12: "undefined level", 13: "export while a plate is on the station", 14: "lift init",
    15: "plate already on shovel", 16: "no plate on shovel", 17: "no recovery",
}  # fmt: skip
"""Last two digits of DM200 (P)."""
SEQUENCES = {0: "", 1: "import: ", 2: "export: ", 3: "remove: ", 4: "bar code: ", 5: "place: ", 6: "set: ", 7: "get: "}
"""Hundreds of DM200 (P). In 1 and 2 the last two digits are a step of the sequence."""
STEPS_BY_MM = {
    5: 377, 11: 582, 12: 617, 17: 788, 22: 959, 23: 994, 24: 1028, 27: 1131, 44: 1713, 53: 2021, 66: 2467, 104: 3563,
}  # fmt: skip
"""Motor steps by site height in mm (P); the unit on legacy units is unknown."""

LONGEST = 64
_NUMBER = re.compile(rb"\d{1,5}")


def take(buffer: bytearray) -> bytes | None:
    """The next line; raises Refused for `En`, BadFrame when no end comes."""
    line = take_line(buffer)
    if line is None:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without a line end")
        return None
    if line in ERRORS:
        raise Refused(line.decode(), f"the controller says: {ERRORS[line]}")
    return line


def ok(buffer: bytearray) -> bool | None:
    return _exactly(buffer, b"OK")


def opened(buffer: bytearray) -> bool | None:
    return _exactly(buffer, b"CC")


def relay(buffer: bytearray) -> bool | None:
    """`0` or `1`."""
    line = take(buffer)
    if line is None:
        return None
    if line not in (b"0", b"1"):
        raise BadFrame(f"not a relay: {line!r}")
    return line == b"1"


def number(buffer: bytearray) -> bytes | None:
    """The digits of a data memory. Their width is known for error codes only (five); a sign is unknown (?)."""
    line = take(buffer)
    if line is None:
        return None
    if not _NUMBER.fullmatch(line):
        raise BadFrame(f"not a number of up to five digits: {line!r}")
    return line


def trouble(code: int) -> str:
    """`00013 export while a plate is on the station`, or `none`."""
    if not code:
        return "none"
    sequence, last = divmod(code, 100)
    where = SEQUENCES.get(sequence)
    if where is None:
        return f"{code:05d} unknown to the sheet"
    what = f"step {last}" if sequence in (1, 2) else TROUBLES.get(last, "unknown to the sheet")
    return f"{code:05d} {where}{what}"


def _exactly(buffer: bytearray, word: bytes) -> bool | None:
    line = take(buffer)
    if line is None:
        return None
    if line != word:
        raise BadFrame(f"not {word.decode()}: {line!r}")
    return True
