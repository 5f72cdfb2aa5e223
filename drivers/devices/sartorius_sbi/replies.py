"""What an SBI balance says: lines of 16 or 22 characters, the end included, without a check sum.

The fixed width is the only protection: a line of another length, or a value that is not right aligned in its nine
places, is a damaged reply. A digit changed into another digit cannot be seen by anybody.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from drivers.core.errors import BadFrame
from drivers.core.wire import ascii

END = b"\r\n"
LONGEST = 256
"""Bytes without a line end after which this is no balance."""
WIDTH, WIDTH_WITH_CODE, CODE = 14, 20, 6
"""Characters of a line without its end; of the code in front of the longer one."""

GRAMS = {"g": 1.0, "mg": 1e-3, "kg": 1e3}
"""Units converted; anything else is refused by name."""
SHOWN = {"": "displayed", "N": "net", "G": "gross"}
"""Codes that are a weight; every other code is refused by name."""
TROUBLES = {
    "High": "overload: more on the pan than the balance can weigh",
    "Low": "underload: pan missing or lifted",
    "Cal.Int.": "the balance adjusts itself",
    "Cal.Ext.": "the balance is being adjusted with an external weight",
    "OFF": "the balance is switched off at its face plate",
    "APP.ERR": "the balance's application cannot show this (APP.ERR)",
    "DIS.ERR": "the balance's display cannot show this (DIS.ERR)",
    "PRT.ERR": "the balance cannot print this (PRT.ERR)",
}
ADJUSTING = ("Cal.Int.", "Cal.Ext.")

_VALUE = re.compile(r"([+\- ])( *(?:0|[1-9]\d*)(?:[.,]\d+)?) (.{3})")
_ERROR = re.compile(r"Err ?\d{1,3}")
_TEXT = re.compile(r"[!-~](?:[ -~]{0,38}[!-~])?")


class Weighed(NamedTuple):
    """One line: the number as shown, its unit ("" = not standing still), net or gross, or why there is no number."""

    number: float | None
    unit: str = ""
    shown: str = ""
    why: str = ""
    adjusting: bool = False
    digit: float = 0.0
    """The last place shown, in the unit shown."""


def take_line(buffer: bytearray) -> str | None:
    """Take the first line out of `buffer`; None when there is none yet. Raises BadFrame for an endless one."""
    line = ascii.take_line(buffer, END)
    if line is None:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without a line end")
        return None
    return line.decode("latin-1")


def weighed(line: str) -> Weighed | None:
    """What a line says about the pan; None when it is not a line of that kind."""
    if len(line) == WIDTH_WITH_CODE:
        code, line = line[:CODE].rstrip(" "), line[CODE:]
    elif len(line) == WIDTH:
        code = ""
    else:
        return None
    word = line.strip(" ")
    if word in TROUBLES or _ERROR.fullmatch(word):
        if code not in ("", "Stat"):
            return None
        return Weighed(None, why=TROUBLES.get(word, f"the balance reports {word}"), adjusting=word in ADJUSTING)
    found = _VALUE.fullmatch(line)
    if found is None or len(found[2]) != 9 or (found[3] != found[3].strip(" ").ljust(3)):
        return None
    sign, digits, unit = found.groups()
    if code not in SHOWN:
        return Weighed(None, why=f"the balance shows {code!r}, not a net or gross weight")
    digits = digits.strip(" ").replace(",", ".")
    value, digit = float(digits), 10.0 ** -len(digits.partition(".")[2])
    return Weighed(-value if sign == "-" else value, unit.strip(" "), SHOWN[code], digit=digit)


def text(line: str) -> str | None:
    """A model, serial number or version: one printable line that is no weight; None for anything else."""
    word = line.strip(" ")
    return word if _TEXT.fullmatch(word) and weighed(line) is None else None
