"""Watlow's enumerations, as far as the sheet prints them (E)."""

from __future__ import annotations

AUTO, MANUAL, OFF, ON = 10, 54, 62, 63
CELSIUS, FAHRENHEIT = 15, 30
NONE, RUNNING, PAUSE, RESUME, TERMINATE, TIMED_START, START = 61, 149, 146, 147, 148, 1783, 1782
TEMPERATURE, RELATIVE_HUMIDITY = 1540, 1538

WORDS = {
    AUTO: "auto", CELSIUS: "C", 27: "end", 28: "error", FAHRENHEIT: "F", 32: "fail", 37: "high", 53: "low",
    MANUAL: "manual", 59: "no", NONE: "none", OFF: "off", ON: "on", 65: "open", 88: "startup", 106: "yes",
    127: "shorted", 138: "ok", 140: "measurement error", PAUSE: "paused", RESUME: "resume", TERMINATE: "terminate",
    RUNNING: "running", 251: "not started", 252: "complete", 253: "terminated", RELATIVE_HUMIDITY: "relative humidity",
    TEMPERATURE: "temperature", 1617: "stale", 1667: "safe", START: "start", TIMED_START: "timed start",
}  # fmt: skip
MODES = {"auto": AUTO, "manual": MANUAL, "off": OFF}
INACTIVE = (88, NONE, 12)
"""States of an alarm in which it does not speak (E; 12 has no name there)."""
SENSOR = (28, 32, 65, 127, 140, 1617)
"""States of an alarm that say the sensor, not the chamber, is wrong: its value is not to be used (X: which of the
printed words these are)."""
LIMIT_AT_REST = (NONE, OFF, 59, 138, 1667)
"""none, off, no, ok, safe (X: which words a limit at rest shows is not printed)."""
PROFILE_HOLDS = (RUNNING, PAUSE, TIMED_START)
"""A set point written now would be overwritten by the profile."""


def word(code: int) -> str:
    return WORDS.get(code, f"code {code}")
