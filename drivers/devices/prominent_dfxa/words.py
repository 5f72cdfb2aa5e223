"""What the pump's bits and numbers mean."""

from __future__ import annotations

RUNNING, ERROR = 1 << 0, 1 << 5
"""Bits of register 1000 (X: from the PROFINET table)."""
EXTERNAL_STOP, MANUAL, CONTACT, BATCH, ANALOGUE = range(5)
MODES = ("external stop", "manual", "contact", "batch", "analogue")
GO = 0x5555
CONTACT_MEMORY = 2
ALWAYS_OFF, ALWAYS_ON, AS_BEFORE = range(3)

ERRORS = {
    0: "configuration", 1: "supply voltage low", 2: "supply voltage high", 3: "feed tank empty", 4: "hose ruptured",
    5: "metering monitor", 6: "position", 7: "temperature", 8: "initialisation", 9: "drive", 10: "invalid parameter",
    16: "batch memory overflow", 17: "input current low", 18: "input current high", 22: "internal CAN",
    23: "hardware version", 24: "power unit data", 25: "power unit initialisation", 26: "speed control", 27: "fan",
    28: "motor connection", 29: "motor status", 30: "motor blocked", 31: "position sensor",
}  # fmt: skip
"""Register 1002: 17 and up M, below X (from gamma/ X)."""
WARNINGS = {
    0: "feed tank low", 1: "hose ruptured", 2: "metering monitor", 3: "metering volume", 4: "invalid parameter",
    12: "invalid volume", 13: "temperature", 15: "speed deviation",
}  # fmt: skip
"""Register 1006 (M)."""


def named(value: int, names: dict[int, str], what: str) -> str:
    """The bits of `value` in words; "" when there are none."""
    return "; ".join(names.get(bit, f"{what} bit {bit}") for bit in range(32) if value >> bit & 1)
