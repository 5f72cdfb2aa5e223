"""The status string, the one answer whose end is known: it stops with `!` (M)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.core.errors import BadFrame

LONG = re.compile(
    r"(?P<type>\d{3}\w*) +(?P<ml>\d+(?:\.\d+)?) +(?P<head>\S+) +(?P<tube>\S+(?: [mM]{2})?) +(?P<rpm>\d+(?:\.\d+)?)"
    r" +(?P<turn>C?CW) +P/N +(?P<number>\d{1,2}) +(?P<count>\d{1,10}) +(?P<running>[01]) *!",
    re.ASCII,
)
"""How fields are padded is not known: examples only are printed (M)."""
SHORT = re.compile(r"(?P<type>323\w*) +(?P<rpm>\d+(?:\.\d+)?) +(?P<turn>C?CW) +(?P<running>[01]) *!", re.ASCII)
"""Of the 323: no pump number and no count in it (M)."""
LONGEST = 240


@dataclass(frozen=True, slots=True)
class Status:
    """One status. Of a 323 only type, speed, direction and running are true; the rest is 0 or ""."""

    type: str
    rpm: float
    clockwise: bool
    running: bool
    number: int = 0
    count: int = 0
    ml_per_rev: float = 0.0
    pumphead: str = ""
    tube: str = ""


def take(buffer: bytearray) -> str | None:
    """Take everything up to the first `!` out of `buffer` and return its last line; None = not complete yet.

    What stands before a CR is our own echo or the end of an earlier answer. Raises BadFrame for what is no text.
    """
    end = buffer.find(b"!")
    if end < 0:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without the ! of a status")
        return None
    text = bytes(buffer[: end + 1]).replace(b"\n", b"\r").rsplit(b"\r", 1)[-1]
    del buffer[: end + 1]
    if not (text.isascii() and text.decode("ascii").isprintable()):
        raise BadFrame(f"{text!r} is no status")
    return text.decode("ascii").strip()


def read(text: str) -> Status:
    """Raises BadFrame for anything but a whole status."""
    if match := LONG.fullmatch(text):
        return Status(
            match["type"],
            float(match["rpm"]),
            match["turn"] == "CW",
            match["running"] == "1",
            int(match["number"]),
            int(match["count"]),
            float(match["ml"]),
            match["head"],
            match["tube"],
        )
    if match := SHORT.fullmatch(text):
        return Status(match["type"], float(match["rpm"]), match["turn"] == "CW", match["running"] == "1")
    raise BadFrame(f"{text!r} is no status")
