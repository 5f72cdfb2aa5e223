"""What an actuator says: short replies `CP03` (M, W), or longer text that ends in the number (X)."""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.core.errors import BadFrame
from drivers.core.wire import ascii as text_wire

Read = Callable[[str, str], str | None]
"""(command, line) -> the value as text; None = this line is no answer to that command."""

LONGEST = 200
SHORT = re.compile(r"([A-Z]{2,3}) *=? *(\d{1,5}|[A-Z])", re.ASCII)
LONG = {
    "CP": re.compile(r"position\s+is\s*=?\s*\"?(\d{1,2}|[AB])\"?", re.ASCII | re.IGNORECASE),
    "NP": re.compile(r"[A-Za-z ]*\bpositions?\b[A-Za-z ]*=?\s*(\d{1,2})|NP\s*=?\s*(\d{1,2})", re.ASCII | re.IGNORECASE),
}
DIRECTIONS = {"F": "forward", "R": "reverse", "A": "automatic"}


def short(command: str, line: str) -> str | None:
    """`CP03` -> `03`."""
    found = SHORT.fullmatch(line)
    return found[2] if found is not None and found[1] == command else None


def long(command: str, line: str) -> str | None:
    """`Position is  = 3` -> `3`."""
    form = LONG.get(command)
    found = form.fullmatch(line.strip()) if form is not None else None
    return next(filter(None, found.groups()), None) if found is not None else None


def take_lines(buffer: bytearray) -> list[str]:
    """Every whole line in `buffer`, without CR, LF and blanks around; raises BadFrame when it never ends.

    An actuator ends its lines with CR, LF or both (DEL, M).
    """
    lines: list[str] = []
    buffer[:] = buffer.replace(b"\n", b"\r")
    while (line := text_wire.take_line(buffer, b"\r")) is not None:
        if text := line.decode("latin-1").strip():
            lines.append(text)
    if len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} bytes without a line end")
    return lines


def answer_to(command: str, own: str, read: Read) -> Callable[[bytearray], str | None]:
    """A parser for the value of `command`; `own` is our ID, which may stand in front (X). Echoes are passed over."""

    def parse(buffer: bytearray) -> str | None:
        for line in take_lines(buffer):
            forms = (line, without(own, line))
            for text in forms:
                if (value := read(command, text)) is not None:
                    return value
            if not any(map(is_echo, forms)):
                raise BadFrame(f"{line!r} is no answer to {command}")
        return None

    return parse


def without(own: str, line: str) -> str:
    """`line` less our ID in front of it; an ID may also be a letter that a command begins with."""
    return line.removeprefix("/").removeprefix(own) if own and line.removeprefix("/").startswith(own) else line


def is_echo(line: str) -> bool:
    """Whether it may be the late echo of a command that turns or sets (IFM1, H)."""
    return re.fullmatch(r"(GO|CW|CC|HM|IFM|NP|SM)\w{0,2}", line, re.ASCII) is not None
