"""What an EZO circuit says: lines ended by CR without a check sum, data first, then a response code.

Readings of the continuous mode and codes about power, start and sleep come unasked between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire import ascii

END = b"\r"
LONGEST = 256
"""Bytes without a line end after which this is no EZO circuit; its longest line is under 100."""

OK, REFUSED, ASLEEP_NO_MORE, DONE = "*OK", "*ER", "*WA", "*DONE"
RESTART, READY, SLEEPING, OVER_VOLTAGE, UNDER_VOLTAGE = "*RS", "*RE", "*SL", "*OV", "*UV"
NEWS = (RESTART, READY, SLEEPING, OVER_VOLTAGE, UNDER_VOLTAGE)
"""Codes that come unasked (V)."""
ANY_READING = re.compile(r"-?\d+(?:\.\d+)?(?:,-?\d+(?:\.\d+)?)*|no output")
"""What continuous mode says by itself."""


class End(Enum):
    """When an answer is whole."""

    CODE = auto()
    """Data, then `*OK`."""
    ONLY_CODE = auto()
    """`*OK` alone."""
    READING = auto()
    """Data, then `*OK`; a second reading without it means that the circuit talks by itself."""


def take_line(buffer: bytearray) -> str | None:
    """Take the first line out of `buffer`; None when there is none yet. Raises BadFrame for an endless one."""
    line = ascii.take_line(buffer, END)
    if line is None:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without a line end")
        return None
    return line.decode("latin-1")


def refuse(command: str, code: str) -> None:
    """Raise for the codes that say no, whatever was asked."""
    if code == REFUSED:
        raise Refused(REFUSED, f"the circuit did not take {command!r}: unknown to it, or a value it does not like")
    if code == ASLEEP_NO_MORE:
        raise BadFrame(f"the circuit was asleep and {command!r} only woke it up")


@dataclass(slots=True)
class Answer:
    """Collects the lines that belong to one command; a parser for `Line.query`, whose result is itself."""

    command: str
    is_data: Callable[[str], bool]
    end: End
    notice: Callable[[str], None]
    """Told every line that came unasked."""
    data: str | None = None
    talks: bool = False
    """Readings came without being asked for."""
    _odd: str = ""

    def __call__(self, buffer: bytearray) -> Answer | None:
        while (line := take_line(buffer)) is not None:
            if self._ends(line):
                return self
        return None

    def _ends(self, line: str) -> bool:
        code = line.upper()
        if code == OK:
            if self.end is End.ONLY_CODE or self.data is not None:
                return True
            if self._odd:
                raise BadFrame(f"not an answer to {self.command!r}: {self._odd!r}")
            return False  # belongs to an earlier command
        refuse(self.command, code)
        if code in NEWS:
            self.notice(code)
        elif self.is_data(line):
            self.talks = self.end is End.READING and self.data is not None
            self.data = line
            return self.talks
        elif self.end is not End.READING and ANY_READING.fullmatch(line):
            self.notice(line)
        else:
            self._odd = line
        return False
