"""What the status registers of the probes mean, in words (V, H)."""

from __future__ import annotations

DEVICE = {1: "critical error", 2: "error", 4: "warning"}
"""GMP 2049; sums are allowed."""
CONDEMNS = ~4
"""A warning does not condemn a value; any other bit does, an unknown one too."""
CO2 = {2: "reading not reliable", 256: "measurement not ready"}
"""GMP 2050; both of them during start-up. Anything but 0 condemns the CO2 value."""
GMP_ERRORS = {
    0x1: "program memory CRC", 0x2: "parameter memory CRC", 0x10: "low supply voltage", 0x20: "internal 30 V",
    0x40: "low RX signal", 0x80: "internal 8 V", 0x100: "RX signal cut", 0x1000: "out of measurement range",
    0x2000: "sensor heater", 0x4000: "IR temperature", 0x8000: "FPI slope", 0x10000: "internal 2.5 V",
    0x20000: "internal 1.7 V", 0x40000: "low IR current",
}  # fmt: skip
"""GMP 2052, newer guide."""
HMP_ERRORS = {
    0x1: "temperature measurement", 0x2: "humidity measurement", 0x4: "humidity sensor", 0x8: "capacitance reference",
    0x10: "ambient temperature out of range", 0x800000: "heater failure",
}  # fmt: skip
"""HMP 516."""
HMP_VALUE = {
    1: "not available", 2: "not reliable", 4: "under range", 8: "over range", 0x20: "locked", 0x80: "sensor failure",
    0x100: "not ready",
}  # fmt: skip
"""HMP 520 to 522, newer guide."""
HMP_DEVICE = {1: "critical error", 2: "error", 4: "warning", 8: "notification", 0x10: "calibration mode"}
"""HMP 523, newer guide."""
UNAVAILABLE = 0x8000
"""What an integer register of an HMP shows when it has nothing to say (H)."""


def spelled(value: int, names: dict[int, str], what: str) -> str:
    """The bits of `value` in words, `ok` when none is set; an unknown bit by its number."""
    found = [names.get(1 << bit, f"{what} bit {bit}") for bit in range(32) if value >> bit & 1]
    return "; ".join(found) or "ok"
