"""What a LuminOx says, line by line: letter, blank, a field of fixed width; without a check sum.

A lost character changes the width and is seen. A digit changed into another is seen only between oxygen, pressure and
partial pressure of a LOX-02, which have to fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import ascii as text

LONGEST = 512
STRIPPED = b"\0\r\n\t "
"""Stray bytes around a line, NUL after power-up among them (H)."""
ERRORS = {0: "receiver overflow", 1: "invalid command", 2: "invalid frame", 3: "invalid argument"}
ITEM = re.compile(rb"([OTPeM%]) ([+-]?\d+(?:\.\d+)?)")
"""One value as it stands alone or among others."""
WHOLE = re.compile(ITEM.pattern + rb"(?: " + ITEM.pattern + rb")+")
"""A line of the stream, or the answer to `A`: items in any order (H), one blank between."""
_ERROR = re.compile(rb"E 0?([0-3])")


def field(form: str) -> re.Pattern[bytes]:
    """`+2.1` = sign, two digits, point, one digit."""
    digits, _, decimals = form.lstrip("+").partition(".")
    pattern = (
        ("[+-]" if form.startswith("+") else "") + rf"\d{{{digits}}}" + (rf"\.\d{{{decimals}}}" if decimals else "")
    )
    return re.compile(pattern.encode())


def items(line: bytes) -> dict[str, bytes]:
    """Letter -> field of a line of several items; raises BadFrame when it is none or has a letter twice."""
    if not WHOLE.fullmatch(line):
        raise BadFrame(f"not a line of values: {line[:80]!r}")
    found = ITEM.findall(line)
    letters = {letter.decode(): value for letter, value in found}
    if len(letters) != len(found):
        raise BadFrame(f"a value twice in one line: {line[:80]!r}")
    return letters


def answer_to(pattern: re.Pattern[bytes]) -> Callable[[bytearray], bytes | None]:
    """A parser for the first line that is `pattern` as a whole; lines of the stream and answers to other letters are
    left out. Raises Refused for `E 0n`, BadFrame for anything else."""

    def parse(buffer: bytearray) -> bytes | None:
        while (line := text.take_line(buffer)) is not None:
            line = line.strip(STRIPPED)
            if pattern.fullmatch(line):
                return line
            if (error := _ERROR.fullmatch(line)) is not None:
                raise Refused(line.decode(), f"the sensor says: {ERRORS[int(error[1])]}")
            if line and not WHOLE.fullmatch(line) and not ITEM.fullmatch(line) and not line.startswith(b"# "):
                raise BadFrame(f"not a line of a LuminOx: {line[:80]!r}")
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without a line end")
        return None

    return parse
