"""UCUM symbols: factor, offset, dimension, everyday spellings. About forty, and no more than a bench needs.

Value in the dimension's basic unit = (value + offset) x factor. Sources: UCUM 2.1 and the SI brochure (9th edition);
1 psi, 1 atm and 1 mm[Hg] by their definitions. `[pH]`, `%` and counts have no other unit to convert to.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import NamedTuple


class Unit(NamedTuple):
    symbol: str
    dimension: str
    factor: float = 1.0
    offset: float = 0.0


class UnknownUnit(ValueError):
    """The text is neither a symbol of the table nor an everyday spelling of one."""


class WrongDimension(ValueError):
    """The units measure different things."""


_ALL = (
    Unit("", "number"),
    Unit("%", "number", 0.01),
    Unit("[ppm]", "number", 1e-6),
    Unit("Cel", "temperature", 1.0, 273.15),
    Unit("[degF]", "temperature", 5 / 9, 459.67),
    Unit("K", "temperature"),
    Unit("K/min", "temperature rate", 1 / 60),
    Unit("K/h", "temperature rate", 1 / 3600),
    Unit("[pH]", "pH"),
    Unit("L", "volume"),
    Unit("mL", "volume", 1e-3),
    Unit("uL", "volume", 1e-6),
    Unit("m3", "volume", 1e3),
    Unit("L/min", "volume flow", 1 / 60),
    Unit("mL/min", "volume flow", 1e-3 / 60),
    Unit("uL/min", "volume flow", 1e-6 / 60),
    Unit("mL/h", "volume flow", 1e-3 / 3600),
    Unit("uL/h", "volume flow", 1e-6 / 3600),
    Unit("mL/d", "volume flow", 1e-3 / 86400),
    Unit("kg", "mass", 1e3),
    Unit("g", "mass"),
    Unit("mg", "mass", 1e-3),
    Unit("ug", "mass", 1e-6),
    Unit("g/L", "mass concentration"),
    Unit("mg/L", "mass concentration", 1e-3),
    Unit("g/m3", "mass concentration", 1e-3),
    Unit("g/kg", "mass fraction", 1e-3),
    Unit("mg/mL", "mass concentration"),
    Unit("ug/mL", "mass concentration", 1e-3),
    Unit("g/mL", "mass concentration", 1e3),
    Unit("mol/L", "amount concentration"),
    Unit("mmol/L", "amount concentration", 1e-3),
    Unit("umol/L", "amount concentration", 1e-6),
    Unit("nmol/L", "amount concentration", 1e-9),
    Unit("Pa", "pressure"),
    Unit("hPa", "pressure", 1e2),
    Unit("kPa", "pressure", 1e3),
    Unit("bar", "pressure", 1e5),
    Unit("mm[Hg]", "pressure", 133.322387415),
    Unit("[psi]", "pressure", 6894.757293168361),
    Unit("atm", "pressure", 101325.0),
    Unit("s", "time"),
    Unit("min", "time", 60.0),
    Unit("h", "time", 3600.0),
    Unit("d", "time", 86400.0),
    Unit("ms", "time", 1e-3),
    Unit("Hz", "rate"),
    Unit("1/min", "rate", 1 / 60),
    Unit("1/h", "rate", 1 / 3600),
    Unit("N.m", "torque"),
    Unit("N.cm", "torque", 1e-2),
    Unit("m", "length"),
    Unit("cm", "length", 1e-2),
    Unit("mm", "length", 1e-3),
    Unit("um", "length", 1e-6),
    Unit("cm2", "area", 1e-4),
    Unit("deg", "angle"),
    Unit("mS/cm", "conductivity", 0.1),
    Unit("uS/cm", "conductivity", 1e-4),
    Unit("mV", "voltage", 1e-3),
    Unit("V", "voltage"),
    Unit("nmol/min/mg", "specific activity"),
    Unit("{cells}", "cells"),
    Unit("{cells}/mL", "cell concentration"),
    Unit("{cells}/cm2", "cell density"),
)
UNITS = {unit.symbol: unit for unit in _ALL}

ALIASES = {
    "degC": "Cel", "°C": "Cel", "℃": "Cel", "C": "Cel", "degF": "[degF]", "°F": "[degF]", "kelvin": "K",
    "l": "L", "ml": "mL", "ul": "uL", "µL": "uL", "µl": "uL", "cm3": "mL", "m^3": "m3", "cm^2": "cm2", "cm²": "cm2",
    "l/min": "L/min", "ml/min": "mL/min", "µL/min": "uL/min", "ul/min": "uL/min", "µl/min": "uL/min",
    "ml/h": "mL/h", "µL/h": "uL/h", "mL/day": "mL/d", "ml/d": "mL/d",
    "µg": "ug", "g/l": "g/L", "mg/l": "mg/L", "mg/ml": "mg/mL", "µg/mL": "ug/mL", "ug/ml": "ug/mL", "µg/ml": "ug/mL",
    "g/m^3": "g/m3", "g/m³": "g/m3",
    "M": "mol/L", "mM": "mmol/L", "uM": "umol/L", "µM": "umol/L", "nM": "nmol/L", "µmol/L": "umol/L",
    "mbar": "hPa", "mmHg": "mm[Hg]", "psi": "[psi]",
    "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "rpm": "1/min", "/min": "1/min", "/h": "1/h",
    "µm": "um", "µS/cm": "uS/cm", "pH": "[pH]", "ppm": "[ppm]", "percent": "%", "1": "",
    "cells": "{cells}", "cell": "{cells}", "cells/mL": "{cells}/mL", "cells/ml": "{cells}/mL",
    "cells/cm2": "{cells}/cm2", "cells/cm²": "{cells}/cm2",
}  # fmt: skip
"""Everyday spellings. `C` means degrees Celsius: nobody doses coulombs."""

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*")


def unit(text: str) -> Unit:
    """The unit that `text` names, by symbol or everyday spelling; raises UnknownUnit."""
    name = text.strip().replace("\u03bc", "\u00b5")  # Greek mu and the micro sign look the same
    found = UNITS.get(ALIASES.get(name, name))
    if found is None:
        alike = next((known for known in (*UNITS, *ALIASES) if known.casefold() == name.casefold()), "")
        right = f"did you mean {alike!r}?" if alike else f"for example: {', '.join(list(UNITS)[1:16])} …"
        raise UnknownUnit(f"{text!r} is no unit known here ({right})")
    return found


def convert(value: float, source: str, target: str) -> float:
    """`value` in `source` expressed in `target`; raises UnknownUnit, WrongDimension. K and Cel are 273.15 apart."""
    one, other = unit(source), unit(target)
    if one.dimension != other.dimension:
        raise WrongDimension(f"{source} measures {one.dimension}, {target} measures {other.dimension}")
    if one is other:
        return value
    return (value + one.offset) * (one.factor / other.factor) - other.offset


def convert_difference(value: float, source: str, target: str) -> float:
    """A difference between two values: as `convert`, with no offsets, so 1 Cel = 1 K = 1.8 [degF]."""
    one, other = unit(source), unit(target)
    if one.dimension != other.dimension:
        raise WrongDimension(f"{source} measures {one.dimension}, {target} measures {other.dimension}")
    return value * (one.factor / other.factor)


def parse_quantity(text: str, like: str | None = None) -> tuple[float, str]:
    """`"37.0 degC"` -> (37.0, "Cel"): the value and the canonical symbol, the value as written.

    With `like` the value comes in that unit, and WrongDimension is raised when it cannot. A text without a number
    raises ValueError; a number without a unit has the unit "".
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, such as 37.0 degC")
    value, found = float(match[1]), unit(match[2] or "")
    if not isfinite(value):
        raise ValueError(f"{text!r} is larger than any number")
    if like is None:
        return value, found.symbol
    return convert(value, found.symbol, like), unit(like).symbol


def parse_difference(text: str, like: str) -> tuple[float, str]:
    """`"0.2 K"`, `"0.2 degC"` -> (0.2, "Cel" or whatever `like` is): a tolerance in the unit of the thing compared."""
    value, symbol = parse_quantity(text)
    return convert_difference(value, symbol, like), unit(like).symbol
