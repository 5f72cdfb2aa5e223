"""What an Inheco unit says, in ASCII inside its frames (datasheet inheco-incubator-shaker.md, one source: P)."""

from __future__ import annotations

import re

from drivers.core.errors import BadFrame, Refused
from drivers.core.plates import MoveFailed

TYPES = {
    0: "Incubator MP", 1: "Incubator Shaker MP", 2: "Incubator DWP", 3: "Incubator Shaker DWP",
}  # fmt: skip
"""Answer to RTS."""
SHAKERS = (1, 3)
ERRORS = {
    1: "reset detected", 2: "invalid command", 3: "invalid operand", 4: "protocol error", 5: "reserved",
    6: "time-out from device", 7: "not initialised: initialise it first", 8: "not executable now",
    9: "drawer not in end position", 10: "unexpected labware status", 13: "drawer not perfectly closed",
    14: "floor ID error", 15: "time-out of a sub device",
}  # fmt: skip
NOT_DONE = (2, 3, 4, 5, 7, 8)
"""Errors after which nothing was done for sure; after any other a command may have been begun."""
RESET = 1
NOT_STABLE = 12345
SELF_TEST = {0: "drawer", 10: "main heater line"}
"""Bits of AQS that the sheet names; the others are told by number."""
SHAKER_STATES = ("off", "on", "slowing down")

_WHOLE = re.compile(r"[+-]?\d{1,9}")
_DECIMAL = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,6})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TEXT = re.compile(r"[\x20-\x7e]{1,100}")


def refuse(error: int, command: str) -> None:
    """Raise Refused unless a question was answered without an error."""
    if error:
        raise Refused(f"error {error}", f"{command}: the unit says: {ERRORS.get(error, 'an unknown error')}")


def refuse_or_fail(error: int, command: str) -> None:
    """The same for what acts: MoveFailed where something may have begun."""
    if error and error not in NOT_DONE:
        raise MoveFailed(f"error {error}", f"{command}: the unit says: {ERRORS.get(error, 'an unknown error')}")
    refuse(error, command)


def whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise BadFrame(f"not a whole number: {text!r}")
    return int(text)


def decimal(text: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise BadFrame(f"not a number: {text!r}")
    return float(text)


def one_of(text: str, many: int) -> int:
    """A digit below `many`; raises BadFrame."""
    if len(text) != 1 or not text.isdecimal() or int(text) >= many:
        raise BadFrame(f"not one of 0 to {many - 1}: {text!r}")
    return int(text)


def date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise BadFrame(f"not a date: {text!r}")
    return text


def words(text: str) -> str:
    """Firmware or serial number."""
    if not _TEXT.fullmatch(text):
        raise BadFrame(f"not a text: {text!r}")
    return text.strip()


def tested(bits: int) -> tuple[str, ...]:
    """What a self test found wrong; empty = nothing."""
    return tuple(SELF_TEST.get(bit, f"bit {bit}") for bit in range(11) if bits >> bit & 1)
