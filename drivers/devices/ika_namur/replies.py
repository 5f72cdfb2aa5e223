"""What a NAMUR device answers: `37.1 2`, `37.1`, or `IN_PV_2 37.1`; a line ends with LF, around it blanks and CR."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from drivers.core.errors import BadFrame
from drivers.core.wire import ascii

LONGEST = 160
"""Twice the 80 characters a line may have (V)."""

_NUMBER = re.compile(r"(-?\d{1,6}(?:\.\d{1,4})?)(?: (\d{1,2}))?")
_STATUS = re.compile(r"(?:STATUS )?(S[012]|[123]S|-\d{1,3})")
_HEIDOLPH_STATUS = re.compile(r"STATUS (-?\d{1,3})")

STATUS: Mapping[str, str] = {
    "1S": "operating mode A",
    "2S": "operating mode B",
    "3S": "operating mode C",
    "S0": "manual operation",
    "S1": "automatic operation started",
    "S2": "automatic operation stopped",
    "-83": "error: wrong parity",
    "-84": "error: unknown instruction",
    "-85": "error: wrong instruction sequence",
    "-86": "error: invalid rated value",
    "-87": "error: not enough storage",
}
HEIDOLPH_STATUS: Mapping[str, str] = {
    "0": "manual operation",
    "1": "remote operation started",
    "2": "remote operation stopped",
    "-1": "error: remote operation blocked",
}


class Answer(NamedTuple):
    """A number, and the shape it came in: echo, channel, or bare."""

    value: float
    shape: str


def take(buffer: bytearray) -> str | None:
    """The first line that is not empty, without blanks and CR around it; None = not complete yet.

    Bytes no 7-bit line can carry are noise in front. Raises BadFrame when no line ends within reason.
    """
    while (line := ascii.take_line(buffer, b"\n")) is not None:
        text = line.lstrip(bytes(range(0x7F, 0x100))).strip(b" \r")
        if text:
            return text.decode("latin-1")
    if len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} bytes without a line end")
    return None


def number(command: str) -> Callable[[bytearray], Answer | None]:
    """A parser for the number `command` asks for; another channel or another echo is no answer to it."""
    channel = command.rpartition("_")[2]

    def parse(buffer: bytearray) -> Answer | None:
        text = take(buffer)
        if text is None:
            return None
        shape = "bare"
        if text.startswith(command + " "):
            text, shape = text[len(command) + 1 :].lstrip(), "echo"
        found = _NUMBER.fullmatch(text)
        if found is None or (found[2] is not None and (shape == "echo" or found[2] != channel)):
            raise BadFrame(f"not an answer to {command}: {text!r}")
        return Answer(float(found[1]), "channel" if found[2] is not None else shape)

    return parse


def echoed(value: str) -> Callable[[bytearray], bool | None]:
    """A parser for the echo of an `@` command: the value, alone or behind something else (its format is uncertain)."""

    def parse(buffer: bytearray) -> bool | None:
        text = take(buffer)
        if text is None:
            return None
        words = re.split(r"[ @]", text)
        if not any(_NUMBER.fullmatch(word) and float(word) == float(value) for word in words):
            raise BadFrame(f"not the echo of {value}: {text!r}")
        return True

    return parse


def words(command: str) -> Callable[[bytearray], str | None]:
    """A parser for a text (`IN_NAME`), with or without the command in front."""

    def parse(buffer: bytearray) -> str | None:
        text = take(buffer)
        if text is None:
            return None
        if not text.isprintable() or not text.isascii():
            raise BadFrame(f"not an answer to {command}: {text!r}")
        return text.removeprefix(command).strip()

    return parse


def status(text: str, heidolph: bool = False) -> str | None:
    """The status in words; None when the datasheet has no such answer."""
    found = (_HEIDOLPH_STATUS if heidolph else _STATUS).fullmatch(text)
    if found is None:
        return None
    known = HEIDOLPH_STATUS if heidolph else STATUS
    return known.get(found[1], f"error: device error {found[1]}" if found[1].startswith("-") else None)
