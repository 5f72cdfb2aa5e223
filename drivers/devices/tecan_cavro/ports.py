"""Ports of the pump's valve by name or number: what turns it there, and what it then says (M)."""

from __future__ import annotations

from typing import NamedTuple

LETTERS = {"input": "I", "output": "O", "bypass": "B", "extra": "E"}
MOST = 9
"""Ports of the largest distribution valve (M)."""


class Port(NamedTuple):
    name: str
    turns: str
    """Command that turns the valve there; a distribution valve goes clockwise."""
    report: str
    """Answer to ?6 when it is there."""


def port(wanted: float | str) -> Port:
    """`input`, `output`, `bypass`, `extra`, or the number of a distribution valve's port; raises ValueError."""
    text = f"{wanted:g}" if isinstance(wanted, (int, float)) else wanted.strip().lower().removesuffix(".0")
    if text in LETTERS:
        return Port(text, LETTERS[text], LETTERS[text].lower())
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST:
        number = str(int(text))
        return Port(number, f"I{number}", number)
    raise ValueError(f"{wanted!r} is no port: {', '.join(LETTERS)}, or a number from 1 to {MOST}")


def name(report: str) -> str:
    """The port's name from the answer to ?6."""
    return next((word for word, letter in LETTERS.items() if letter.lower() == report), report)
