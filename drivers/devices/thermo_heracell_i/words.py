"""What the incubator's codes mean (V)."""

from __future__ import annotations

ERRORS = {
    "?0": "the telegram arrived damaged",
    "?1": "unknown to this incubator",
    "?2": "fault of the internal memory",
    "?3": "outside the incubator's limits",
}
DISINFECTION = (
    "not active", "initialisation", "waiting, door was open", "waiting for the door to be closed", "start", "heating",
    "holding", "condensation", "cooling down", "drying", "waiting for release", "cancelled",
)  # fmt: skip
AUTO_START = (
    *DISINFECTION[:6], "reverse voltage adjustment", "waiting 1", "tolerance band", "stable humidity",
    "reverse voltage", "waiting 2", "offset", "check", "release", "cancelled",
)  # fmt: skip
CYLINDER = {0x01: "A active", 0x02: "B active", 0x10: "pressure A ok", 0x20: "pressure B ok"}
PERIODIC, LAST = 0x01, 0xFF
EVENTS = {
    0x02: "all set values changed", 0x10: "temperature set value changed", 0x11: "CO2 set value changed",
    0x12: "O2 set value changed",
    0x20: "new temperature error", 0x21: "new CO2 error", 0x22: "new O2 error", 0x2F: "new system error",
    0x30: "power reset", 0x31: "door opened", 0x32: "door closed",
    **{0x40 + n: f"calibration event {n}" for n in range(3)},
    **{0x50 + n: f"auto-start event {n}" for n in range(4)}, **{0x60 + n: f"disinfection event {n}" for n in range(4)},
    **{0x70 + n: f"gas monitor event {n}" for n in range(3)},
    0x90: "low humidity began", 0x91: "low humidity ended", 0xE0: "log deleted",
}  # fmt: skip


def cylinder(bits: int) -> str:
    """The changeover in words; raises ValueError for bits nobody knows."""
    if bits & ~0x33:
        raise ValueError(f"{bits:02x} is no state of a gas cylinder changeover")
    return "; ".join(word for bit, word in CYLINDER.items() if bits & bit) or "none active, no pressure"
