"""One fault as it is written and read, and the time it is there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulators.core.faults.table import COMMON, FAULTS, READ, SET, Entry, Kind, Where

SHARES = ("fraction", "share")
SIGNED = frozenset((*READ, *SET, "grams"))
"""What may be below 0; nothing else may."""
ABOVE_ZERO = ("every", "every_s", "nth", "tau_h")
ENDLESS = ("after_s", "for_s", "at_s", "at", "for")


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault as asked for: name, device ("" = all that can), parameters."""

    name: str
    target: str
    parameters: Mapping[str, float]

    @property
    def text(self) -> str:
        """As it was written, for logs and reports."""
        at = f"@{self.target}" if self.target else ""
        return self.name + at + "".join(f":{key}={value:.12g}" for key, value in self.parameters.items())

    @property
    def entry(self) -> Entry:
        return FAULTS[self.name]

    @property
    def where(self) -> Where:
        return self.entry.where

    @property
    def is_wire(self) -> bool:
        """Whether the device's cable plays it."""
        return self.where in (Where.WIRE, Where.STROKE)

    @property
    def values(self) -> dict[str, float]:
        """Every parameter, with the defaults of those not written."""
        return {**COMMON, **self.entry.parameters, **self.parameters}

    def span(self, began: float) -> tuple[float, float]:
        """Bench time of begin and end when it was put in at `began`."""
        values = self.values
        starts = began + values["after_s"]
        return starts, starts + values["for_s"]


class Timed(Protocol):
    @property
    def starts(self) -> float: ...
    @property
    def ends(self) -> float: ...


def active(fault: Timed, now: float) -> bool:
    return fault.starts <= now < fault.ends


def parse(text: str) -> FaultSpec:
    """Read `name@target:key=value`; raises ValueError naming what is unknown and what there is."""
    head, *rest = text.strip().split(":")
    name, _, target = head.partition("@")
    if name not in FAULTS:
        raise ValueError(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
    known = {**COMMON, **FAULTS[name].parameters}
    parameters: dict[str, float] = {}
    for item in rest:
        key, equals, value = item.partition("=")
        if key not in known:
            raise ValueError(f"fault {name} has no parameter {key!r}; it has {', '.join(known)}")
        try:
            parameters[key] = float(value if equals else "nothing")
        except ValueError:
            raise ValueError(f"fault {name}: {item!r} is not {key}=number") from None
        _check(name, item, key, parameters[key])
    if FAULTS[name].kind is Kind.PEOPLE and target:
        raise ValueError(f"fault {name} is a person's: it has no target, write {name} alone")
    return FaultSpec(name, target, parameters)


def _check(name: str, item: str, key: str, value: float) -> None:
    """Raise ValueError for a number that this parameter cannot have."""
    if key in SHARES and not 0.0 <= value <= 1.0:
        raise ValueError(f"fault {name}: {item!r} is no share, 0 to 1")
    if math.isnan(value) or (key not in SIGNED and value < 0.0):
        raise ValueError(f"fault {name}: {item!r} is not {key}=number, 0 or more")
    if key in ABOVE_ZERO and value == 0.0:
        raise ValueError(f"fault {name}: {item!r} is not {key}=number above 0")
    if math.isinf(value) and key not in ENDLESS:
        raise ValueError(f"fault {name}: {item!r} is not a finite number")


def listed() -> str:
    """Every fault by kind, for a terminal."""
    lines: list[str] = []
    for kind in Kind:
        lines += ["", f"{kind}:"] if lines else [f"{kind}:"]
        for name, entry in FAULTS.items():
            if entry.kind is kind:
                lines.append(f"  {name:<19}{entry.does}{_written(entry.parameters)}")
    lines += ["", "Written name@device:key=value:key=value; every fault also knows after_s=0 and for_s (for ever)."]
    return "\n".join(lines)


def _written(parameters: Mapping[str, float]) -> str:
    if not parameters:
        return ""
    if READ.keys() <= parameters.keys():
        more = {key: value for key, value in parameters.items() if key not in READ}
        return f"; of {', '.join(READ)}{_written(more)}"
    known = {key: value for key, value in parameters.items() if math.isfinite(value)}
    return f" ({', '.join(f'{key}={known[key]:g}' if key in known else key for key in parameters)})"
