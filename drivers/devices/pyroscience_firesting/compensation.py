"""The first three settings registers in words: what the meter corrects its values for (pure)."""

from __future__ import annotations

from drivers.core import units
from drivers.core.signals import Value

SENSOR = -300_000
"""Temperature: the value of the Pt100; less N = the optical temperature of channel N (V)."""
INTERNAL = -1
"""Pressure: the internal sensor (V, S)."""


def temperature_text(raw: int) -> str:
    """`sensor`, `optical 2` or `37.0 Cel`."""
    if raw == SENSOR:
        return "sensor"
    return f"optical {SENSOR - raw}" if SENSOR - 16 <= raw < SENSOR else f"{raw / 1000} Cel"


def pressure_text(raw: int) -> str:
    """`sensor` or `1013.25 hPa`."""
    return "sensor" if raw == INTERNAL else f"{raw / 1000} hPa"


def temperature(value: Value) -> int | float:
    """The register (int) of `sensor` and `optical 2`, else a temperature in Cel (float); raises ValueError."""
    if isinstance(value, str):
        word, _, rest = value.strip().partition(" ")
        if word == "sensor" and not rest:
            return SENSOR
        if word == "optical" and rest.isdecimal() and 1 <= int(rest) <= 16:
            return SENSOR - int(rest)
    return _number(value, "Cel")


def pressure(value: Value) -> int | float:
    """The register (int) of `sensor`, else a pressure in hPa (float); raises ValueError."""
    return INTERNAL if isinstance(value, str) and value.strip() == "sensor" else _number(value, "hPa")


def _number(value: Value, unit: str) -> float:
    if isinstance(value, str):
        number, symbol = units.parse_quantity(value)
        return units.convert(number, symbol, unit) if symbol else number
    if value is None or isinstance(value, bool):
        raise ValueError(f"{value!r} is neither a number nor a word such as sensor")
    return float(value)
