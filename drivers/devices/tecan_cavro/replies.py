"""What the pump says: a status byte with an error code, and what was asked for (M)."""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.core.errors import BadFrame

ERRORS = {
    1: "error 1: initialisation failed",
    2: "error 2: invalid command",
    3: "error 3: invalid operand",
    4: "error 4: invalid command sequence",
    5: "error 5: fluid detection",  # XP 3000 (L)
    6: "error 6: EEPROM failure, call the service",
    7: "error 7: not initialised, the plunger position is unknown",
    9: "error 9: plunger overload",
    10: "error 10: valve overload",
    11: "error 11: plunger move not allowed with the valve in bypass",
    15: "error 15: command overflow, sent while it moved",
}
NOT_EXECUTED = frozenset({2, 3, 4, 7, 11, 15})
"""Said as the answer to a command: that command was not executed, for sure."""
NOT_INITIALISED = 7
OVERFLOW = 15

Pattern = re.Pattern[str]
NOTHING = re.compile(r"", re.ASCII)
NUMBER = re.compile(r"\d{1,6}", re.ASCII)
PORT = re.compile(r"[iobe]|[1-9]", re.ASCII)
FLAG = re.compile(r"[01]", re.ASCII)
TEXT = re.compile(r"[ -~]{1,80}", re.ASCII)
EXPECTED = {"number": NUMBER, "port": PORT, "flag": FLAG, "status": NOTHING}
"""By the `type` of a row."""


class Answer(NamedTuple):
    """One answer; `ready` counts in the answer to Q only (M)."""

    ready: bool
    error: int
    data: str


def answer(body: bytes) -> Answer:
    """Status byte 0 1 X 0 e3 e2 e1 e0, then the text; raises BadFrame."""
    if not body or body[0] & 0xD0 != 0x40:
        raise BadFrame(f"{body.hex(' ')} does not begin with a status byte")
    return Answer(bool(body[0] & 0x20), body[0] & 0x0F, body[1:].decode("latin-1"))


def in_words(error: int) -> str:
    return ERRORS.get(error, f"error {error}: not described in the manual")
