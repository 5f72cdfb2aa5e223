"""What the sensor's bit fields mean, in words (M). The error bits are the pH sensor's; those of DO are unknown."""

from __future__ import annotations

from enum import Enum

STATUS = (
    "temperature outside the measurement range, the value is frozen",
    "temperature outside the operating range",
    "calibration status not zero",
    "warning not zero",
    "error not zero",
)
CONDEMNS = 0b10011
"""Status bits that make a value BAD. A calibration remark or a warning ("calibration recommended") does not: with a
product calibration in use the calibration status is never zero."""

UNITS = (
    "none", "K", "degC", "degF", "%-vol", "%-sat", "ug/l", "mg/l", "g/l", "uS/cm", "mS/cm", "1/cm", "pH", "mV/pH",
    "kOhm", "MOhm", "pA", "nA", "uA", "mA", "uV", "mV", "V", "mbar", "Pa", "Ohm", "%/degC", "degree",
    "bit 28", "bit 29", "bit 30", "special",
)  # fmt: skip

COMPLAINTS: dict[str, dict[int, str]] = {
    "calibration_warnings": {0: "calibration recommended", 1: "last calibration not successful"},
    "measurement_errors": {
        5: "glass resistance too high",
        6: "glass resistance too low",
        7: "reference resistance too high",
        8: "reference resistance too low",
        15: "aux potential too high",
        16: "aux potential too low",
        17: "aux resistance too high",
        18: "aux resistance too low",
        25: "temperature sensor defective",
    },
    "calibration_errors": {1: "sensor failure, quality below 15 %"},
    "hardware_errors": {24: "internal communication error"},
}


class Level(Enum):
    """Operator levels: code and factory password, as published in the vendor's manual."""

    USER = (0x03, 0)
    ADMINISTRATOR = (0x0C, 18111978)
    SPECIALIST = (0x30, 16021966)


def bits(value: int) -> list[int]:
    return [bit for bit in range(32) if value >> bit & 1]


def status(value: int) -> str:
    """`good`, or what the status word says."""
    if not value:
        return "good"
    return "; ".join(STATUS[bit] if bit < len(STATUS) else f"status bit {bit}" for bit in bits(value))


def unit(value: int) -> str:
    """The name of a unit register's one bit, or the number when it is not one bit."""
    found = bits(value)
    return UNITS[found[0]] if len(found) == 1 else f"unit code 0x{value:08X}"


def complaints(field: str, value: int, known: bool) -> list[str]:
    """The bits of a warning or error field in words; by number where this sensor's meaning is not `known`."""
    names = COMPLAINTS.get(field, {}) if known else {}
    return [names.get(bit, f"{field.replace('_', ' ')} bit {bit}") for bit in bits(value)]
