"""What a PyroScience meter says: the command with its parameters, then whole numbers, then CR; or `#ERRO code`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import ascii

END = b"\r"
LONGEST = 512
"""Bytes without CR after which this is no such meter; the longest reply of the sheet is under 200."""

ERRORS: Mapping[int, str] = {
    -1: "the meter does not take this command (general error)",
    -2: "the meter has no such channel",
    -11: "no such register or memory address",
    -12: "the meter's memory is locked",
    -13: "the meter could not write its flash: save again",
    -14: "the meter could not erase its flash",
}
"""Codes of `#ERRO` (V); further ones exist (X)."""

STATUS: Mapping[int, str] = {
    0: "automatic amplification is active",
    1: "signal low",
    2: "detector saturated",
    3: "reference too low",
    4: "reference too high",
    5: "sample temperature sensor faulty",
    7: "humidity in the housing above 90 %",
    8: "case temperature sensor faulty",
    9: "pressure sensor faulty",
    10: "humidity sensor faulty",
}
"""Bits of result register 0 (V; 8 to 10 H)."""
ERROR_BITS = frozenset((2, 4, 5, 8, 9, 10))

_ERROR = re.compile(rb"#ERRO (-?\d{1,5})")
_NUMBERS = re.compile(rb"(?: -?\d{1,20})*")


def numbers(command: str, least: int, most: int | None = None) -> Callable[[bytearray], tuple[int, ...] | None]:
    """A parser for the answer to `command`: its echo, then `least` (to `most`) whole numbers, which it returns.

    Lines that are no answer to it are dropped. Raises Refused for `#ERRO`, BadFrame for an echo with something else
    behind it.
    """
    echo = command.encode("ascii")
    most = least if most is None else most

    def parse(buffer: bytearray) -> tuple[int, ...] | None:
        while (line := ascii.take_line(buffer, END)) is not None:
            at = line.rfind(echo)  # the last: in front of it may stand the beginning of a reply that was cut off
            if at < 0:
                if (error := _ERROR.search(line)) is not None and line.endswith(error[0]):
                    code = int(error[1])
                    raise Refused(
                        f"#ERRO {code}", f"{command}: {ERRORS.get(code, 'an error the datasheet leaves out')}"
                    )
                continue
            rest = line[at + len(echo) :]
            if rest[:1] not in (b"", b" ", b":"):
                continue  # the answer to a longer number
            if b":" in rest:
                raise Refused(
                    "crc",
                    "the meter adds a check sum whose rule is not published: set its crcEnable (settings register 7) "
                    "to 0 with the maker's software",
                )
            if not _NUMBERS.fullmatch(rest):
                raise BadFrame(f"not an answer to {command}: {line!r}")
            found = tuple(map(int, rest.split()))
            if not least <= len(found) <= most:
                raise BadFrame(f"{len(found)} numbers instead of {least} in the answer to {command}: {line!r}")
            return found
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without CR")
        return None

    return parse


def awake(buffer: bytearray) -> bool | None:
    """The lone CR with which a meter answers after deep sleep."""
    line = ascii.take_line(buffer, END)
    if line is None:
        return None
    if line:
        raise BadFrame(f"not a lone CR: {line!r}")
    return True


def bits(status: int) -> list[int]:
    return [bit for bit in range(status.bit_length()) if status >> bit & 1]


def status_words(status: int) -> str:
    """Every bit that is on in words; "good" for none. Bits the sheet has not named are numbered."""
    return "; ".join(STATUS.get(bit, f"status bit {bit}") for bit in bits(status)) or "good"
