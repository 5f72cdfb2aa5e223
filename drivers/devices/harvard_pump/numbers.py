"""Numbers with units as the pump writes them: nl, ul, ml and hr, min, sec; ours are cut to four digits (pure)."""

from __future__ import annotations

import math
import re
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

ML = {"m": 1.0, "u": 1e-3, "n": 1e-6, "p": 1e-9}
PER_MIN = {"h": 1 / 60, "m": 1.0, "s": 60.0}
DIGITS = 4
"""Significant digits of what is sent: the fewest any reply of the sheet shows (26.02), so it reads back equal."""

NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
VOLUME = re.compile(rf"{NUMBER} ?([munp])l", re.ASCII | re.IGNORECASE)
RATE = re.compile(rf"{NUMBER} ?([munp])l/(hr|h|min|m|sec|s)", re.ASCII | re.IGNORECASE)
LIMITS = re.compile(r"(.+) to (.+)", re.ASCII)
LENGTH = re.compile(rf"{NUMBER} ?mm", re.ASCII)
PERCENT = re.compile(rf"{NUMBER} ?%", re.ASCII)


class Volume(NamedTuple):
    ml: float
    step_ml: float
    """What the last of at least four digits is worth; trailing zeros may have been cut off."""


def volume(text: str) -> Volume | None:
    """`1.234 ml`; None = it is none."""
    found = VOLUME.fullmatch(text)
    if found is None:
        return None
    worth = ML[found[2].lower()]
    value = float(found[1])
    decimals = len(found[1].partition(".")[2])
    most = DIGITS - 1 - (math.floor(math.log10(value)) if value else 0)
    return Volume(value * worth, 10.0 ** -max(decimals, most) * worth)


def rate(text: str) -> float | None:
    """`1 ml/min` in mL/min; None = it is none."""
    found = RATE.fullmatch(text)
    return None if found is None else float(found[1]) * ML[found[2].lower()] * PER_MIN[found[3][0].lower()]


def limits(text: str) -> tuple[float, float] | None:
    """`1.26 nl/min to 26.02 ml/min` in mL/min."""
    found = LIMITS.fullmatch(text)
    if found is None:
        return None
    low, high = rate(found[1].strip()), rate(found[2].strip())
    return None if low is None or high is None else (low, high)


def written(ml: float) -> tuple[str, str, float]:
    """Digits and unit letter for `ml` (or mL/min), cut to four digits, and what they are worth; raises ValueError."""
    exact = Decimal(repr(round(ml, 12)))
    worths = {unit: Decimal(repr(worth)) for unit, worth in ML.items()}
    unit, worth = next((each for each in worths.items() if exact >= each[1]), ("p", worths["p"]))
    value = exact / worth
    if value < 1 or value >= 10**DIGITS:
        raise ValueError(f"{ml:g} cannot be written with {DIGITS} digits in ml, ul, nl or pl")
    step = Decimal(1).scaleb(value.adjusted() + 1 - DIGITS)
    cut = value.quantize(step, ROUND_DOWN)
    text = f"{cut:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text, unit, float(cut * worth)


def close(one: float, other: float) -> bool:
    """Equal but for binary dust."""
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)
