"""What an OXYBase RS232 says: a data line ended by CR, a settings answer ended by CR CR."""

from __future__ import annotations

import re

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import ascii

FIELDS = "NAPTOE"
LONGEST = 256
"""Bytes without an end after which this is no OXYBase; a data line has under 50."""

_LETTERED = re.compile(rb"N(-?\d{1,9});A(-?\d{1,9});P(-?\d{1,9});T(-?\d{1,9});O(-?\d{1,9});E(-?\d{1,9})")
_PLAIN = re.compile(rb"(-?\d{1,9});(-?\d{1,9});(-?\d{1,9});(-?\d{1,9});(-?\d{1,9});(-?\d{1,9})")
_NO = re.compile(rb"\?|err|unknown|invalid", re.IGNORECASE)


def data(buffer: bytearray) -> dict[str, int] | None:
    """The first data line, with its letters or without (both are seen, P), by letter. Other lines are dropped; a line
    that begins or ends like one and is none is a broken one."""
    while (line := ascii.take_line(buffer, b"\r")) is not None:
        line = line.strip(b"\n")
        while line and line[0] > 0x7F:
            line = line[1:]
        found = _LETTERED.fullmatch(line) or _PLAIN.fullmatch(line)
        if found is not None:
            return dict(zip(FIELDS, map(int, found.groups()), strict=True))
        if b";" in line:
            raise BadFrame(f"not a data line: {line!r}")
    if len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} bytes without CR")
    return None


def taken(buffer: bytearray) -> str | None:
    """The text in front of CR CR, whatever it is: the wording is not published. Raises Refused for one that says no."""
    text = ascii.take_line(buffer, b"\r\r")
    if text is None:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without CR CR")
        return None
    text = text.rpartition(b"\r")[2]  # in front of it a data line may have come unasked
    if _NO.search(text):
        raise Refused("text", f"the probe answered {text.decode('latin-1')!r}")
    return text.decode("latin-1")


def anything(buffer: bytearray) -> str | None:
    """Whatever the probe says to a command whose answer is not published."""
    line = ascii.take_line(buffer, b"\r")
    return None if line is None else line.decode("latin-1")
