"""What a JULABO circulator says: one line a question, ended by CR LF (L) or LF (V), without a check sum."""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.core.errors import BadFrame
from drivers.core.wire import ascii

LONGEST = 256
"""Bytes without a line end after which this is no circulator."""

STATES = {0: "MANUAL STOP", 1: "MANUAL START", 2: "REMOTE STOP", 3: "REMOTE START"}
REMOTE = (2, 3)
REJECTED = {
    -8: "it does not know this command",
    -9: "not allowed in its present operating mode",
    -10: "the value is too small for it",
    -11: "the value is too large for it",
    -13: "the value is beyond its temperature limits",
}
"""Said once, by the status after the command it did not take (L)."""
CONDEMNED = {
    "temperature": (-5, -6),
    "safety_temperature": (-6, -33),
    "external_temperature": (-15, -38),
}
"""Alarms about the sensor a signal comes from (L)."""

_STATUS = re.compile(r"(-?\d{2,4}) ([!-~](?:[ -~]{0,78}[!-~])?)")
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,3})?")
_VERSION = re.compile(r"JULABO ([ -~]{2,40}?)(?: VERSION ([ -~]{1,20}))?", re.IGNORECASE)


class Status(NamedTuple):
    """The code and the device's own words. 0 to 3 are states, REJECTED and all other negative ones are troubles."""

    code: int
    words: str

    @property
    def text(self) -> str:
        return self.words.lower() if self.code >= 0 else f"{self.code:03d} {self.words}"


def take_line(buffer: bytearray) -> str | None:
    """Take the first line out of `buffer`; None when there is none yet. Raises BadFrame for an endless one."""
    line = ascii.take_line(buffer, b"\n")
    if line is None:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without a line end")
        return None
    return line.removesuffix(b"\r").decode("latin-1").strip(" ")


def status(line: str) -> Status:
    """Raises BadFrame when it is no status; a state has to come in its own words."""
    found = _STATUS.fullmatch(line)
    if found is not None:
        code, words = int(found[1]), found[2]
        if code < 0 or STATES.get(code) == words.upper():
            return Status(code, words)
    raise BadFrame(f"not the status of a circulator: {line!r}")


def number(line: str) -> str | None:
    """The line when it is a number; None for words such as a missing sensor's."""
    return line if _NUMBER.fullmatch(line) else None


def version(line: str) -> tuple[str, str]:
    """Device and version of `JULABO CORIO CD-200F VERSION 1.0`; raises BadFrame for anything else."""
    found = _VERSION.fullmatch(line)
    if found is None or line.upper().count("JULABO") != 1:
        raise BadFrame(f"not the name of a JULABO circulator: {line!r}")
    return found[1], found[2] or ""
