"""How the pump writes its answers and wants its parameters: fixed widths, no sign, rounded to four digits (M)."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal

from drivers.core.errors import BadFrame
from drivers.core.registers import Row
from drivers.core.signals import Value

ROTATIONS = {"J": "clockwise", "K": "counter-clockwise"}
REASONS = {
    "C": "the number of cycles is 0",
    "R": "the flow is too high or 0",
    "V": "the volume is too high or 0",
}
DIAMETERS_MM = (
    0.13, 0.19, 0.25, 0.38, 0.44, 0.51, 0.57, 0.64, 0.76, 0.89, 0.95, 1.02, 1.09,
    1.14, 1.22, 1.30, 1.42, 1.52, 1.65, 1.75, 1.85, 2.06, 2.29, 2.54, 2.79, 3.17,
)  # fmt: skip

FORMS = {
    "flag": re.compile(r"[01]"),
    "addressing": re.compile(r"[012]"),
    "count": re.compile(r"\d{10}", re.ASCII),
    "discrete": re.compile(r"\d{1,4}", re.ASCII),
    "rpm": re.compile(r"\d{1,3}\.\d\d", re.ASCII),
    "volume": re.compile(r"(\d{4})E([+-]\d)", re.ASCII),
    "time": re.compile(r"\d{1,8}", re.ASCII),
    "mode": re.compile(r"[LMOGQNP]"),
    "rotation": re.compile(r"[JK]"),
    "mm": re.compile(r"(\d\.\d\d) mm", re.ASCII),
    "flow": re.compile(r"(\d+\.?\d*) ml/min", re.ASCII),
    "trip": re.compile(r"(\d+(?:\.\d+)?) (ul|ml|l|liters?)", re.ASCII),
    "reason": re.compile(r"[CRV](?: \d{4}E[+-]\d)?", re.ASCII),
    "text": re.compile(r"[ -~]{1,40}"),
}
"""Full answers by the table's `form`. The words for uL and L of the trip volume are not known (?): any other is bad."""

TRIP_UNITS = {
    "ul": Decimal("0.001"),
    "ml": Decimal(1),
    "l": Decimal(1000),
    "liter": Decimal(1000),
    "liters": Decimal(1000),
}


def value(row: Row, text: str) -> Value:
    """What an answer in the row's form is worth in the row's unit; raises BadFrame."""
    match = FORMS[row.extra["form"]].fullmatch(text)
    if match is None:
        raise BadFrame(f"{row.name}: {text!r} is no answer to {row.command!r}")
    match row.extra["form"]:
        case "flag" | "addressing":
            return text == "1"
        case "rotation":
            return ROTATIONS[text]
        case "mode" | "reason" | "text":
            return text
        case "volume":
            return float(Decimal(match[1]).scaleb(int(match[2]) - 3) * _scale(row))
        case "trip":
            return float(Decimal(match[1]) * TRIP_UNITS[match[2]])
        case "mm" | "flow":
            return float(match[1])
        case _:
            return float(Decimal(text) * _scale(row))


def resolution_ml(text: str) -> float:
    """The last digit of a trip volume; raises BadFrame."""
    match = FORMS["trip"].fullmatch(text)
    if match is None:
        raise BadFrame(f"{text!r} is no trip volume")
    decimals = len(match[1].partition(".")[2])
    return float(TRIP_UNITS[match[2]].scaleb(-decimals))


def parameter(row: Row, wanted: float | bool) -> str:
    """`wanted` in the row's unit as the pump takes it; raises ValueError when it cannot be written."""
    match row.extra.get("write"):
        case "flag":
            return "1" if wanted else "0"
        case "discrete":
            return _padded(row, wanted, 4)
        case "rpm":
            return f"{_fits(row, round(_exact(wanted) * 100), 6):06d}"
        case "time":
            return _padded(row, wanted, 8)
        case "volume":
            return volume(wanted)
        case _:
            raise ValueError(f"{row.name} cannot be written")


def volume(wanted: float) -> str:
    """Volume 2: four digits cut, never rounded up, and a power of ten: 0.0013 -> 1300-3 (M's examples, N, H)."""
    exact = _exact(wanted)
    if not exact > 0:
        raise ValueError(f"{wanted:g} cannot be written: the pump takes 0.000000001 to 9999000000")
    power = exact.adjusted()
    digits = int(exact.scaleb(3 - power).to_integral_value(ROUND_DOWN))
    if not -9 <= power <= 9:
        raise ValueError(f"{wanted:g} cannot be written with one digit of power")
    return f"{digits:04d}{power:+d}"


def worth(written: str) -> float:
    """What a Volume 2 text says."""
    return float(Decimal(written[:4]).scaleb(int(written[4:]) - 3))


def _exact(number: float) -> Decimal:
    """A float without its binary dust."""
    return Decimal(repr(round(float(number), 12)))


def _scale(row: Row) -> Decimal:
    return _exact(row.scale)


def _padded(row: Row, wanted: float, width: int) -> str:
    return f"{_fits(row, round(_exact(wanted) / _scale(row)), width):0{width}d}"


def _fits(row: Row, whole: int, width: int) -> int:
    if not 0 <= whole < 10**width:
        raise ValueError(f"{row.name}: {whole} does not fit into {width} digits")
    return whole
