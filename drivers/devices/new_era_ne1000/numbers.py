"""The pump's numbers: at most four digits and three decimals, no sign (M); ours are cut, never rounded up."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

ML_PER_UNIT = {"ML": Decimal(1), "UL": Decimal("0.001")}
ML_MIN_PER_UNIT = {"MM": Decimal(1), "UM": Decimal("0.001"), "UH": Decimal("0.001") / 60}
"""Units a rate is written in, the first that loses least; the pump also knows MH."""

_SHOWN = re.compile(r"(\d*\.?\d*)([A-Z]*)", re.ASCII)


class Number(NamedTuple):
    """What to send, and what it is worth in mL or mL/min."""

    text: str
    unit: str
    worth: float


def four_digits(value: Decimal) -> str:
    """`value` (0 to 9999) cut to what the pump takes: 1.2345 -> 1.234, 123.45 -> 123.4; raises ValueError outside."""
    if not 0 <= value < 10000:
        raise ValueError(f"{value} does not fit into four digits")
    decimals = 3 if value < 10 else 2 if value < 100 else 1 if value < 1000 else 0
    text = f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def volume(ml: float, unit: str) -> Number:
    """`ml` in the pump's own volume unit (ML or UL); raises ValueError when it is too large or would become 0."""
    return _number(exact(ml), unit, ML_PER_UNIT[unit])


def rate(ml_min: float) -> Number:
    """`ml_min` in the unit that loses least; raises ValueError when none can hold it."""
    asked, best = exact(ml_min), None
    for unit, worth in ML_MIN_PER_UNIT.items():
        try:
            found = _number(asked, unit, worth)
        except ValueError:
            continue
        if best is None or found.worth > best.worth + 1e-12:
            best = found
    if best is None:
        raise ValueError(f"{ml_min:g} mL/min cannot be written with four digits")
    return best


def shown(text: str) -> tuple[Decimal | None, str]:
    """A set value as the pump shows it, in a form that can be compared: `1.500MM` -> (1.5, MM), `01` -> (1, "")."""
    match = _SHOWN.fullmatch(text)
    if match is None:
        return None, text
    digits, unit = match.groups()
    return (Decimal(digits) if digits.strip(".") else None), unit


def exact(value: float) -> Decimal:
    """A float without its binary dust: 0.1 + 0.2 is 0.3."""
    return Decimal(repr(round(value, 9)))


def _number(value: Decimal, unit: str, worth: Decimal) -> Number:
    text = four_digits(value / worth)
    if not Decimal(text):
        raise ValueError(f"{value} cannot be written in {unit} with three decimals")
    return Number(text, unit, float(Decimal(text) * worth))
