"""Lines of a GSS sensor: which of them answer a command, and which are its stream. No check sum anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire.ascii import take_line

LONGEST = 256
"""Characters without CR LF that can be no line."""
STREAM = re.compile(r"(?:[A-Za-z] \d{5})(?: [A-Za-z] \d{5})+")
"""Several fields in one line: nobody asked for it (V)."""
ONE = re.compile(r"([A-Za-z.]) (\d{5})")
AUTO_ZERO = re.compile(r"@ (\d+(?:\.\d+)?)(?: (\d+(?:\.\d+)?))?")
FIRMWARE = re.compile(r"Y,([A-Z][a-z]{2} +\d{1,2} \d{4}),\d\d:\d\d:\d\d,(\S+)")
SERIAL = re.compile(r"B (\d+) (\d{5})")

Parse = Callable[[bytearray], "int | None"]


def next_line(buffer: bytearray) -> str | None:
    """The next line without its leading blank; None = not whole yet. Raises Refused for `?`, BadFrame for noise."""
    while (line := take_line(buffer)) is not None:
        if not line:
            continue
        if line.lstrip().startswith(b"?"):  # the first byte (Z), or behind the blank of a reply; the rest: ?
            raise Refused("?", "the sensor does not know this command")
        if any(byte > 0x7E or byte < 0x20 for byte in line):
            raise BadFrame(f"a line with odd characters: {line!r}")
        return line.decode("ascii").removeprefix(" ").rstrip()
    if len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} characters without a line end")
    return None


def number(letter: str) -> Parse:
    """The five digits behind `letter`. Stream lines and answers to other letters are dropped."""

    def parse(buffer: bytearray) -> int | None:
        while (text := next_line(buffer)) is not None:
            if STREAM.fullmatch(text):
                continue
            if match := ONE.fullmatch(text):
                if match[1] == letter:
                    return int(match[2])
                continue
            if text.startswith(letter):
                raise BadFrame(f"not five digits behind {letter}: {text!r}")
            if not (AUTO_ZERO.fullmatch(text) or FIRMWARE.fullmatch(text) or SERIAL.fullmatch(text)):
                raise BadFrame(f"no line of such a sensor: {text!r}")
        return None

    return parse


def auto_zero(buffer: bytearray) -> str | None:
    """`off`, or both intervals in days as the sensor prints them: `1.0 8.0`."""
    while (text := next_line(buffer)) is not None:
        if match := AUTO_ZERO.fullmatch(text):
            if match[2] is not None:
                return f"{match[1]} {match[2]}"
            if float(match[1]) == 0:
                return "off"
            raise BadFrame(f"one interval of two: {text!r}")
        if not (STREAM.fullmatch(text) or ONE.fullmatch(text)):
            raise BadFrame(f"not an answer to @: {text!r}")
    return None


def identity() -> Callable[[bytearray], tuple[str, str] | None]:
    """Firmware with its date, and serial number, of the two lines of `Y`; the stream may run between them."""
    firmware = ""

    def parse(buffer: bytearray) -> tuple[str, str] | None:
        nonlocal firmware
        while (text := next_line(buffer)) is not None:
            if match := FIRMWARE.fullmatch(text):
                firmware = f"{match[2]} ({match[1]})"
            elif (match := SERIAL.fullmatch(text)) and firmware:
                return firmware, match[1]
            elif not (STREAM.fullmatch(text) or ONE.fullmatch(text)):
                raise BadFrame(f"not an answer to Y: {text!r}")
        return None

    return parse
