"""Texts of a protocol file as numbers in fixed units; each raises ValueError in words (dimension included)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from drivers.core.units import UnknownUnit, WrongDimension, convert, parse_difference, parse_quantity, unit
from protocols.faults import nearest

ROLES = {
    "temperature": "Cel",
    "co2": "%",
    "o2": "%",
    "humidity": "%",
    "stirring": "1/min",
    "perfusion": "mL/min",
    "ph": "[pH]",
    "dissolved oxygen": "%",
    "waste weight": "g",
}
"""What a protocol may name on a unit, and the unit of each; percentages: vol-%, relative humidity, air saturation."""
SHORTEST_RAMP_S, LONGEST_RAMP_S = 60.0, 90 * 86400.0
SHORTEST_ANSWER_S = 300.0
"""Longer than any hold takes to come to rest (SM-02)."""
PATHS = ("medium in", "medium out")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(.*)")
_WITHIN = re.compile(r"(?P<role>.+?) within (?P<tolerance>.+?)(?: of (?P<target>.+))?")
_BETWEEN = re.compile(r"(?P<role>.+?) between (?P<low>.+?) and (?P<high>.+)")
_ONE_SIDE = re.compile(r"(?P<role>.+?) (?P<side>above|below) (?P<bound>.+)")


EVERYDAY = {"s": "h", "Cel": "degC", "1/min": "rpm", "{cells}/mL": "cells/mL", "{cells}/cm2": "cells/cm2"}
"""Units as a person would write them in a file, where that is not how we calculate."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A role inside low..high, or, with `tolerance`, that close to its present set point. In the unit of the role."""

    role: str
    low: float = float("-inf")
    high: float = float("inf")
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A set point, reached at once or over so many seconds."""

    value: float
    over_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Range:
    """low..high in one unit; "" = plain numbers."""

    low: float
    high: float
    unit: str


def quantity(like: str) -> Callable[[object], float]:
    """A reader of quantities in `like`: `quantity("mL")("150 uL")` is 0.15. A number without a unit is refused."""

    def read(value: object) -> float:
        number, found = parse_quantity(_text(value))
        if not found and like:
            raise ValueError(f"{value} has no unit, write for example '{value} {EVERYDAY.get(like, like)}'")
        try:
            converted = convert(number, found, like)
        except WrongDimension as error:
            raise ValueError(f"{error} (write it in {EVERYDAY.get(like, like)})") from error
        if not isfinite(converted):
            raise ValueError(f"{value} is larger than any number")
        return converted

    return read


def amount(like: str) -> Callable[[object], float]:
    """As `quantity`, and more than zero: times, volumes and rates of a step."""
    read = quantity(like)

    def read_amount(value: object) -> float:
        number = read(value)
        if number <= 0:
            raise ValueError(f"{value} must be more than 0")
        return number

    return read_amount


def ramped(like: str, *, positive: bool = False) -> Callable[[object], Target]:
    """`37 degC`, or `37 degC over 2 h`: where to go, and in what time."""
    read = amount(like) if positive else quantity(like)

    def read_target(value: object) -> Target:
        end, over, time = _text(value).partition(" over ")
        if not over and (said := re.fullmatch(r"(.+?)\s+(?:over|in|within|during|for)\b\s*(.*)", end)):
            raise ValueError(f"{value!r} is no ramp, write '{said[1]} over {said[2] or '1 h'}'")
        if not over:
            return Target(read(value))
        over_s = amount("s")(time)
        if not SHORTEST_RAMP_S <= over_s <= LONGEST_RAMP_S:
            raise ValueError(f"{value!r}: a ramp takes 1 min to 90 d; shorter ones are just set")
        return Target(read(end), over_s)

    return read_target


def number_range(value: object) -> Range:
    """`5..50 %`, `10000..60000`: low and high in one unit."""
    match = _RANGE.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"{value!r} is not a range such as 5..50 %")
    low, high, symbol = float(match[1]), float(match[2]), unit(match[3]).symbol
    if not (isfinite(low) and isfinite(high)):
        raise ValueError(f"{value!r} is larger than any number")
    if low > high:
        raise ValueError(f"{value!r}: the lower end comes first")
    return Range(low, high, symbol)


def rounds(value: object) -> int:
    """`3 rounds`, `3 times`, `3`."""
    match = re.fullmatch(r"\s*(\d{1,6})(?:\s+(?:rounds?|times?))?\s*", _text(value))
    if match is None:
        raise ValueError(f"{value!r} is no number of rounds, write for example '3 rounds'")
    return int(match[1])


def window(value: object) -> float | str:
    """`±2 h`, `+/- 30 min` in seconds, or `same working day`."""
    text = _text(value).strip()
    if text == "same working day":
        return text
    return amount("s")(text.removeprefix("±").removeprefix("+/-").removeprefix("+-"))


def yes_no(value: object) -> bool:
    """`yes` or `no`."""
    text = _text(value).strip()
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is not possible here, write yes or no")
    return text == "yes"


def no_answer(value: object) -> tuple[str, float]:
    """`keep holding`, `run after 2 h`, `skip after 4 h`: what a late step does, and after how many seconds."""
    text = _text(value).strip()
    if text == "keep holding":
        return "hold", 0.0
    match = re.fullmatch(r"(run|skip) after (.+)", text)
    if match is None:
        raise ValueError(f"{text!r} is no rule, write 'keep holding', 'run after 2 h' or 'skip after 4 h'")
    after_s = amount("s")(match[2])
    if after_s < SHORTEST_ANSWER_S:
        raise ValueError(f"people need {SHORTEST_ANSWER_S / 60:g} min at least to answer")
    return match[1], after_s


def entry_unit(value: object) -> str:
    """The unit of something written down: the UCUM symbol where it is known, else the text as it stands."""
    text = _text(value).strip()
    try:
        return unit(text).symbol
    except UnknownUnit:
        if len(text) > 24 or not text.isprintable():
            raise
        return text


def conditions(value: object) -> tuple[Condition, ...]:
    """`temperature within 0.2 K and co2 within 0.2 % of 5 % and humidity above 90 %`, `ph between 7.2 and 7.5`."""
    parts: list[str] = []
    for part in re.split(r"\s+and\s+", _text(value).strip()):
        if parts and " between " in parts[-1] and " and " not in parts[-1]:
            parts[-1] += f" and {part}"
        else:
            parts.append(part)
    return tuple(_condition(part) for part in parts)


def _condition(text: str) -> Condition:
    if match := _BETWEEN.fullmatch(text):
        like = _unit_of(match["role"])
        return Condition(match["role"], _value(match["low"], like), _value(match["high"], like))
    if match := _WITHIN.fullmatch(text):
        like = _unit_of(match["role"])
        tolerance = parse_difference(match["tolerance"], like)[0]
        if match["target"] is None:
            return Condition(match["role"], tolerance=tolerance)
        target = _value(match["target"], like)
        return Condition(match["role"], target - tolerance, target + tolerance)
    if match := _ONE_SIDE.fullmatch(text):
        bound = _value(match["bound"], _unit_of(match["role"]))
        return Condition(match["role"], low=bound) if match["side"] == "above" else Condition(match["role"], high=bound)
    raise ValueError(f"{text!r} is no condition; write 'co2 within 0.2 % of 5 %', 'humidity above 90 %'")


def _value(text: str, like: str) -> float:
    """A bound of a condition; a pH needs no unit."""
    number, found = parse_quantity(text)
    return convert(number, like if not found and like == "[pH]" else found, like)


def _unit_of(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"nothing is called {role!r} here ({nearest(role, ROLES)})")
    return ROLES[role]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text such as '18 mL' is expected here")
    return value
