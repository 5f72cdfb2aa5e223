"""What a payload means, by signal; ValueError for a payload that means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from drivers.core.signals import Value
from drivers.devices.thermo_heracell_i import words
from drivers.devices.thermo_heracell_i.log import Entry

RUN_STATUS = re.compile(r"([0-9A-Fa-f]{2});\+(\d{3}):([0-5]\d);\d\d\.\d\d\.\d\d;\d\d:\d\d", re.ASCII)
_START = re.compile(r"([0-9A-Fa-f]{2})(?:;\d{1,2}\.\d)?;\+\d{3}:\d\d;\d\d\.\d\d\.\d\d;\d\d:\d\d", re.ASCII)
"""25 bytes are printed beside a pattern of 30 (V): with its CO2 field or without."""
_TIME = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)", re.ASCII)


def _status(pattern: re.Pattern[str], codes: tuple[str, ...]) -> Callable[[str], str]:
    def meaning(said: str) -> str:
        match = pattern.fullmatch(said)
        if match is None or int(match[1], 16) >= len(codes):
            raise ValueError(f"{said!r} is no status of a run")
        return codes[int(match[1], 16)]

    return meaning


def _remaining(said: str) -> float:
    match = RUN_STATUS.fullmatch(said)
    if match is None:
        raise ValueError(f"{said!r} is no status of a run")
    return 60.0 * int(match[2]) + int(match[3])


def _cylinder(said: str) -> str:
    if len(said) != 2:
        raise ValueError(f"{said!r} is no state of a changeover")
    return words.cylinder(int(said, 16))


def _errors(said: str) -> str:
    if len(said) > 241 or not said.isprintable():
        raise ValueError("the error log makes no sense")
    return said


def seconds(said: str) -> float:
    match = _TIME.fullmatch(said)
    seconds = 0 if match is None else 3600 * int(match[1]) + 60 * int(match[2]) + int(match[3])
    if not seconds:
        raise ValueError(f"{said!r} is no logging interval")
    return float(seconds)


def event_in_words(entry: Entry) -> str:
    return words.EVENTS.get(entry.event, f"event {entry.event:02x}")


MEANINGS: Mapping[str, Callable[[str], Value]] = {
    "disinfection": _status(RUN_STATUS, words.DISINFECTION),
    "disinfection_remaining": _remaining,
    "auto_start": _status(_START, words.AUTO_START),
    "co2_cylinder": _cylinder,
    "o2_cylinder": _cylinder,
    "error_log": _errors,
    "logging_interval": seconds,
}
