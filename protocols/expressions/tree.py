"""An expression after checking: plain data, every quantity already in the unit it is compared in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Operator = Literal["or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/"]
Named = Literal["min", "max", "mean", "abs", "round"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A number in the unit of its surroundings, a word, or yes/no."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Written:
    """What people wrote down last under this name, times `factor` for the unit it is compared in."""

    name: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The live value of a role of the unit, in the unit of the role, times `factor`."""

    role: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Operation:
    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negation:
    """`not` of a truth, `-` of a number."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Function:
    name: Named
    arguments: tuple[Expression, ...]


Expression = Constant | Written | Measured | Operation | Negation | Function


def nodes(expression: Expression) -> Iterator[Expression]:
    """The expression and everything in it."""
    yield expression
    match expression:
        case Operation(left=left, right=right):
            yield from nodes(left)
            yield from nodes(right)
        case Negation(of=of):
            yield from nodes(of)
        case Function(arguments=arguments):
            for argument in arguments:
                yield from nodes(argument)
        case _:
            pass


def measured(expression: Expression) -> tuple[str, ...]:
    """The roles whose live values it needs, each once, in the order of the text."""
    return tuple(dict.fromkeys(node.role for node in nodes(expression) if isinstance(node, Measured)))


def written(expression: Expression) -> tuple[str, ...]:
    """The entries it needs, each once, in the order of the text."""
    return tuple(dict.fromkeys(node.name for node in nodes(expression) if isinstance(node, Written)))
