"""The value of an expression; None where something it needs is not known (unknown is not no)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from protocols.expressions.tree import (
    Constant,
    Expression,
    Function,
    Measured,
    Named,
    Negation,
    Operation,
    Operator,
    Written,
)

Value = float | str | bool | None
Values = Mapping[str, Value]

ORDER: dict[Operator, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NOISE = 1e-9
"""Relative: 0.1 + 0.2 is 0.3, and 80 % reached is 80 %."""


def truth(expression: Expression, written: Values, measured: Values) -> bool | None:
    """Yes, no, or not known. Never raises for a checked expression."""
    value = _value(expression, written, measured)
    return value if isinstance(value, bool) else None


def _value(expression: Expression, written: Values, measured: Values) -> Value:
    match expression:
        case Constant(value=value):
            return value
        case Written(name=name, factor=factor):
            return _scaled(written.get(name), factor)
        case Measured(role=role, factor=factor):
            return _scaled(measured.get(role), factor)
        case Negation(of=of):
            value = _value(of, written, measured)
            if isinstance(value, bool):
                return not value
            return -value if isinstance(value, float) else None
        case Operation(operator=sign, left=left, right=right):
            return _operation(sign, _value(left, written, measured), _value(right, written, measured))
        case Function(name=name, arguments=arguments):
            numbers = [_value(each, written, measured) for each in arguments]
            return _function(name, [float(each) for each in numbers if isinstance(each, float)], len(numbers))


def _scaled(value: Value, factor: float) -> Value:
    if isinstance(value, bool | str) or value is None:
        return value
    return _finite(float(value) * factor)


def _operation(sign: Operator, left: Value, right: Value) -> Value:
    if sign in ("and", "or"):
        decides = sign == "or"
        if left is decides or right is decides:
            return decides
        return None if left is None or right is None else not decides
    if left is None or right is None:
        return None
    if isinstance(left, float) and isinstance(right, float):
        return _of_numbers(sign, left, right)
    return left == right if sign == "=" else left != right


def _of_numbers(sign: Operator, left: float, right: float) -> Value:
    match sign:
        case "+":
            return _finite(left + right)
        case "-":
            return _finite(left - right)
        case "*":
            return _finite(left * right)
        case "/":
            return None if right == 0 else _finite(left / right)
        case _:
            same = math.isclose(left, right, rel_tol=NOISE)
            if sign in ("=", "!="):
                return same == (sign == "=")
            return "=" in sign if same else ORDER[sign](left, right)


def _function(name: Named, numbers: list[float], wanted: int) -> Value:
    """Of known numbers only: the mean of what is there would hide what is not."""
    if len(numbers) < wanted or not numbers:
        return None
    match name:
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
        case "mean":
            return _mean(numbers)
        case "abs":
            return abs(numbers[0])
        case "round":
            return float(round(numbers[0]))


def _mean(numbers: list[float]) -> float:
    """Never beyond the largest of them: a sum that is no number any more is taken in shares."""
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:
        return math.fsum(each / len(numbers) for each in numbers)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
