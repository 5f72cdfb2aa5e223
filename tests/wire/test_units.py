"""Units, with pint as the independent oracle."""

from __future__ import annotations

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.core import units
from drivers.core.units import UNITS, UnknownUnit, WrongDimension, convert, convert_difference, parse_quantity

PINT = {
    "Cel": "degC", "[degF]": "degF", "K": "kelvin", "K/min": "kelvin/minute", "K/h": "kelvin/hour",
    "m3": "meter**3", "mm[Hg]": "mmHg", "[psi]": "psi", "[ppm]": "ppm", "cm2": "cm**2", "d": "day",
    "mL/d": "mL/day", "g/m3": "gram/meter**3", "%": "percent", "": "dimensionless",
}  # fmt: skip
OWN = {"[pH]", "{cells}", "{cells}/mL", "{cells}/cm2", "nmol/min/mg"}
ORACLE = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
PAIRS = [(a, b) for a in UNITS for b in UNITS if UNITS[a].dimension == UNITS[b].dimension and not {a, b} & OWN]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_conversion_is_pints(source: str, target: str):
    for value in (0.0, 1.0, 37.0, -5.5):
        theirs = ORACLE.Quantity(value, PINT.get(source, source)).to(PINT.get(target, target)).magnitude
        assert convert(value, source, target) == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_different_dimensions_are_never_converted():
    for source, target in (("Cel", "mL"), ("g", "mL"), ("[pH]", ""), ("mL/min", "mL"), ("mg/L", "mmol/L")):
        with pytest.raises(WrongDimension):
            convert(1, source, target)
        with pytest.raises(WrongDimension):
            convert_difference(1, source, target)


def test_every_alias_leads_to_a_symbol_and_is_none_itself():
    for alias, symbol in units.ALIASES.items():
        assert symbol in UNITS
        assert alias not in UNITS


@pytest.mark.parametrize(
    ("text", "value", "symbol"),
    [
        ("37.0 degC", 37.0, "Cel"), ("5 %", 5, "%"), ("150 uL", 150, "uL"), ("150 µL", 150, "uL"),
        ("150 \u03bcL", 150, "uL"), ("72 h", 72, "h"), ("0.5 mL/min", 0.5, "mL/min"), ("10 mM", 10, "mmol/L"),
        ("50uM", 50, "umol/L"), ("60 rpm", 60, "1/min"), ("-20 °C", -20, "Cel"), ("3e5 cells", 3e5, "{cells}"),
        (".5 mL", 0.5, "mL"), ("7.4 pH", 7.4, "[pH]"), ("7 d", 7, "d"), ("24", 24, ""), ("30 min", 30, "min"),
    ],
)  # fmt: skip
def test_a_quantity_is_a_number_and_a_unit(text: str, value: float, symbol: str):
    assert parse_quantity(text) == (value, symbol)


def test_a_quantity_can_be_wanted_in_a_unit():
    assert parse_quantity("150 uL", "mL") == (pytest.approx(0.15), "mL")
    assert parse_quantity("2 h", "min") == (pytest.approx(120), "min")
    with pytest.raises(WrongDimension):
        parse_quantity("2 h", "mL")


def test_a_difference_of_temperatures_has_no_offset():
    assert units.parse_difference("0.2 K", "degC") == (pytest.approx(0.2), "Cel")
    assert units.parse_difference("0.36 degF", "Cel") == (pytest.approx(0.2), "Cel")


@pytest.mark.parametrize("text", ["", "warm", "37,0 degC", "five %", "1 2", "--1 mL", "1..5 mL", "nan mL", "inf K"])
def test_what_is_no_quantity_is_refused(text: str):
    with pytest.raises(ValueError, match=r"no unit|not a number"):
        parse_quantity(text)


def test_an_unknown_unit_is_named():
    with pytest.raises(UnknownUnit, match="furlong"):
        parse_quantity("3 furlong")


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same(pair: tuple[str, str], value: float):
    source, target = pair
    there = convert(value, source, target)
    assert convert(there, target, source) == pytest.approx(value, rel=1e-9, abs=1e-6)
