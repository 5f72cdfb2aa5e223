"""What the pump says: text lines and a prompt that nothing ends (M); the 11 Elite puts its address before both (F)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from drivers.core.errors import BadFrame
from drivers.core.fluid import Motion

MOTIONS = {
    ":": Motion.STOPPED,
    ">": Motion.MOVING,
    "<": Motion.MOVING,
    "*": Motion.STOPPED,
    "T*": Motion.STOPPED,
}
STALLED = "*"
STALL = "the motor stalled: look at syringe and line, then acknowledge it at the pump"
TARGET = "T*"
NOT_SET = "target volume not set"
XON_XOFF = bytes((0x11, 0x13))
LONGEST = 600

PROMPT = re.compile(rb"\n(\d{1,2})?(T\*|[:><*])\Z")
PROMPTS_ONLY = re.compile(rb"(?:[\r\n]*(?:\d{1,2})?(?:T\*|[:><*]))*[\r\n]*")
"""A prompt said by itself, as when the target was reached: no displaced answer."""
FLAGS = re.compile(r"(\d+) (\d+) (\d+) ([iIwW])([IW.])([S.])([T.])([IW])([T.]?)", re.ASCII)


class Reply(NamedTuple):
    lines: tuple[str, ...]
    prompt: str


class Status(NamedTuple):
    """The raw status (M): rate and volume of the present direction, and flags."""

    ml_min: float
    ml: float
    infuses: bool
    moving: bool
    """Upper case direction (C, U)."""
    limit: str
    stalled: bool
    trigger: bool


Parser = Callable[[bytearray], Reply | None]


def parser(address: int, least: int) -> Parser:
    """A parser for replies with at least `least` text lines: `\\n00:` alone may be the beginning of one.

    Raises BadFrame on what is no reply, or one of another address.
    """

    def parse(buffer: bytearray) -> Reply | None:
        data = bytes(byte for byte in buffer if byte not in XON_XOFF)
        found = PROMPT.search(data)
        if found is None:
            if len(data) > LONGEST:
                raise BadFrame(f"{len(data)} bytes without a prompt")
            return None
        echoed = found[1]
        if echoed is not None and int(echoed) != address:
            raise BadFrame(f"pump {address}: an answer of pump {int(echoed)}")
        lines = _lines(data[: found.start()], echoed)
        if len(lines) < least:
            return None
        buffer.clear()
        return Reply(tuple(lines), found[2].decode("ascii"))

    return parse


def _lines(data: bytes, echoed: bytes | None) -> list[str]:
    """Text lines in front of the prompt; prompts among them are passed over. Raises BadFrame."""
    first, *rest = data.split(b"\n")
    if first.rstrip(b"\r") not in (b"", b"T*"):  # T* glued to the first line was seen (F)
        raise BadFrame(f"{data!r} does not begin with a line feed")
    lines: list[str] = []
    for line in rest:
        if not line.endswith(b"\r"):
            if PROMPTS_ONLY.fullmatch(line) is None:
                raise BadFrame(f"{line!r} has no end")
            continue
        text = line[:-1].decode("latin-1")
        if not text.isascii() or not (text.isprintable() or not text):
            raise BadFrame(f"{text!r} is no text")
        if echoed is not None:
            if not line.startswith(echoed):
                raise BadFrame(f"{text!r} does not begin with the address")
            text = re.sub(r"\A(?:T\*|[:><*])?", "", text[len(echoed) :])
        if text.strip():
            lines.append(text.strip())
    return lines


def status(text: str) -> Status | None:
    """`16666666667 150 2500000000000 i...I`: fL/s, time, fL, flags; None = it is none."""
    found = FLAGS.fullmatch(text)
    if found is None:
        return None
    limit = {"I": "infuse", "W": "withdraw", ".": "none"}[found[5]]
    return Status(
        float(found[1]) * 60e-12,
        float(found[3]) * 1e-12,
        found[4] in "iI",
        found[4].isupper(),
        limit,
        found[6] == "S",
        found[7] == "T",
    )
