"""The names an expression may use, and what kind of value stands behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.core.units import UnknownUnit, parse_quantity, unit
from protocols.quantities import ROLES

PERCENT_OF = {"co2": "vol-%", "o2": "vol-%", "humidity": "% relative humidity", "dissolved oxygen": "% air saturation"}
"""Percentages that a dimension check cannot tell apart."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value is: a number with its unit (`of` tells percentages apart), a word (one of `words`), or yes/no."""

    what: Literal["number", "word", "truth"]
    unit: str = ""
    of: str = ""
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.what:
            case "truth":
                return "yes or no"
            case "word":
                return "a word"
            case "number":
                return self.of or (f"a number in {self.unit}" if self.unit else "a plain number")

    @property
    def dimension(self) -> str:
        """Of a number; entries may have units of their own, which fit only themselves."""
        try:
            return unit(self.unit).dimension
        except UnknownUnit:
            return f"{self.unit} itself"


TRUTH = Kind("truth")
NUMBER = Kind("number")


@dataclass(frozen=True, slots=True)
class Scope:
    """`fixed`: parameters with their values; `written`: entries of hand steps; `measured`: roles of the unit."""

    fixed: Mapping[str, tuple[Kind, float | str]] = field(default_factory=dict[str, "tuple[Kind, float | str]"])
    written: Mapping[str, Kind] = field(default_factory=dict[str, Kind])
    measured: Mapping[str, Kind] = field(default_factory=dict[str, Kind])

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, longest first: so that `pH slope` is not read as `pH`."""
        return tuple(sorted({*self.fixed, *self.written, *self.measured}, key=lambda name: (-len(name), name)))


ROLE_KINDS: dict[str, Kind] = {role: Kind("number", symbol, PERCENT_OF.get(role, "")) for role, symbol in ROLES.items()}


def of_parameter(value: str, options: tuple[str, ...] | None) -> tuple[Kind, float | str]:
    """The kind and value of a parameter; raises ValueError when it is no quantity and has no options."""
    if options is not None:
        return Kind("word", words=options), value
    number, symbol = parse_quantity(value)
    return Kind("number", symbol), number
