"""What is wrong with a protocol file: where, what, and what would be right. All of it at once, not just the first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.core.errors import OsteonError


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file. Line and column count from 1."""

    file: str
    line: int
    column: int
    field: str
    reason: str
    right: str = ""

    def __str__(self) -> str:
        right = f" ({self.right})" if self.right else ""
        field = f"{self.field}: " if self.field else ""
        return f"{self.file}:{self.line}:{self.column}: {field}{self.reason}{right}"


class ProtocolInvalid(OsteonError):
    """A protocol that cannot be used; `faults` holds every fault in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: (fault.line, fault.column, fault.reason))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant: "did you mean …?", or else the list of what is known."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else ""
