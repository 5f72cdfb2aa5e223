"""Command strings of a Cavro pump: letters with numbers, taken apart and judged (sheet cavro-xcalibur.md, M)."""

from __future__ import annotations

import re

Step = list["str | list[int]"]
"""[letter, numbers]: JSON-able."""

PIECE = re.compile(r"([A-Za-z])((?:\d+(?:,\d+)*)?)", re.ASCII)
MOVES = "AaPpDd"
VALVE = "IOBE"
RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "Z": ((0, 40), (0, 9), (0, 9)), "Y": ((0, 40), (0, 9), (0, 9)), "W": ((0, 40),), "w": ((0, 9), (0, 9)), "z": (),
    "A": ((0, 48000),), "a": ((0, 48000),), "P": ((0, 48000),), "p": ((0, 48000),), "D": ((0, 48000),),
    "d": ((0, 48000),), "I": ((1, 9),), "O": ((1, 9),), "B": (), "E": (), "N": ((0, 2),), "V": ((5, 6000),),
    "v": ((50, 1000),), "c": ((50, 2700),), "S": ((0, 40),), "L": ((1, 20),), "K": ((0, 31),), "k": ((0, 80),),
    "C": ((0, 25),), "M": ((0, 30000),), "g": (), "G": ((0, 30000),), "H": ((0, 2),), "J": ((0, 7),),
    "s": ((0, 14),), "e": ((0, 14),), "U": ((1, 99),), "X": (),
}  # fmt: skip
"""Letter -> what its numbers may be. The ends of A, P and D are judged by the pump, which knows where it stands."""
WITHOUT_NUMBER = "ZYWwIOgGH"
"""Letters whose numbers may be left out."""


def take_apart(text: str) -> list[Step] | None:
    """The steps of `text`; None when it is no command string."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = PIECE.match(text, at)
        if found is None:
            return None
        letter, numbers = found.groups()
        steps.append([letter, [int(each) for each in numbers.split(",")] if numbers else []])
        at = found.end()
    return steps


def judge(steps: list[Step], ports: int, finest: int) -> int:
    """Error code of a string as a whole: 2 unknown letter, 3 bad number, 4 bad place of s or e, 0 = none.

    `ports` of a distribution valve, 0 = none; `finest` = the largest number of N.
    """
    for at, step in enumerate(steps):
        letter, numbers = str(step[0]), values(step)
        if letter not in RANGES or (letter in "BE" and ports):
            return 2
        ranges = RANGES[letter]
        if len(numbers) > len(ranges) or (not numbers and ranges and letter not in WITHOUT_NUMBER):
            return 3
        if any(not low <= number <= high for number, (low, high) in zip(numbers, ranges, strict=False)):
            return 3
        if letter == "N" and numbers[0] > finest:
            return 3
        if letter in "IO" and (bool(numbers) != bool(ports) or any(number > ports for number in numbers)):
            return 3
        if (letter == "s" and at > 0) or (letter == "e" and at < len(steps) - 1):
            return 4
    return 0


def values(step: Step) -> list[int]:
    numbers = step[1]
    assert isinstance(numbers, list)
    return numbers
