"""What Alicat's numbers and words stand for (datasheet alicat-mfc.md)."""

from __future__ import annotations

from drivers.core.errors import OutOfRange

GASES = {
    0: "Air", 1: "Ar", 2: "CH4", 3: "CO", 4: "CO2", 5: "C2H6", 6: "H2", 7: "He", 8: "N2", 9: "N2O", 10: "Ne",
    11: "O2", 12: "C3H8", 13: "nC4H10", 14: "C2H2", 15: "C2H4", 16: "iC4H10", 17: "Kr", 18: "Xe", 19: "SF6",
    20: "C-25", 21: "C-10", 22: "C-8", 23: "C-2", 24: "C-75", 25: "He-25", 26: "He-75", 27: "A1025", 28: "Star29",
    29: "P-5", 140: "C-15", 141: "C-20", 142: "C-50", 143: "He-50", 144: "He-90", 206: "P-10", 210: "D-2",
}  # fmt: skip
"""L and N; 4, 5, 7, 8, 10, 11, 12 and 206 also V. 236 to 255 are the user's own mixes."""
FIRST_MIX, LAST_MIX = 236, 255

STATUS = {
    "TOV": "temperature over range",
    "VOV": "volumetric flow over range",
    "MOV": "mass flow over range",
    "POV": "pressure over range",
    "P2O": "second pressure over range",
    "OPL": "over the pressure limit",
    "OVR": "totalizer rolled over",
    "TMF": "totalizer missed flow",
    "HLD": "valve held",
    "EXH": "exhaust valve open",
    "ADC": "converter error",
    "COM": "bus idle too long",
    "GTA": "autotune running",
    "LCK": "buttons locked",
    "VTM": "VTM (meaning not in the sheet)",
}
"""L; TOV, MOV, OVR and HLD also V. VTM is named for the BC series without a meaning."""

EVERYTHING = ("standard_flow", "volumetric_flow", "temperature", "pressure", "total")
CONDEMNS: dict[str, tuple[str, ...]] = {
    "TOV": ("temperature", "standard_flow"),
    "VOV": ("volumetric_flow", "standard_flow"),
    "MOV": ("standard_flow",),
    "POV": ("pressure", "standard_flow"),
    "OVR": ("total",),
    "TMF": ("total",),
    "ADC": EVERYTHING,
}
"""Which values a status word makes worthless. The mass flow is worked out from temperature, pressure and volumetric
flow, so each of them out of range takes it along."""

BITS = (
    "TOV", "TOV", "VOV", "VOV", "MOV", "MOV", "POV", "OVR", "HLD", "ADC", "EXH", "OPL", "TMF", "measurement aborted",
)  # fmt: skip
"""Modbus status bits 0 to 13; 0, 2, 4 = too high and 1, 3, 5 = too low (V)."""

RESULTS = {
    32769: "invalid command",
    32770: "invalid setting",
    32771: "not supported by this device",
    32772: "mix number",
    32773: "a gas of the mix",
    32774: "percentages of the mix",
}
"""What register 1001 says after a command; 0 = done (V)."""

STANDARD = {"SCCM": 1.0, "SLPM": 1000.0}
"""mL/min in one unit of standard flow."""
VOLUMETRIC = {"CCM": 1.0, "LPM": 1000.0}
"""X: the sheet does not print the labels of volumetric flow."""


def gas_number(name: str) -> int | None:
    """The number of a gas by its short name as the device prints it."""
    return next((number for number, gas in GASES.items() if gas == name), None)


def unit_letter(address: int) -> str:
    """Unit ID of a driver's address: 1 = A (as delivered) … 26 = Z; raises ValueError for another address."""
    if not 1 <= address <= 26:
        raise ValueError(f"address {address} is no unit ID: 1 to 26 stand for A to Z")
    return chr(64 + address)


def check_flow(name: str, ml_min: float, full_scale_ml_min: float) -> None:
    """Raise OutOfRange for a set point below 0 or above full scale."""
    if not 0 <= ml_min <= full_scale_ml_min:
        raise OutOfRange(name, ml_min, "mL/min", 0.0, full_scale_ml_min, "the device's own full scale")


def condemned(words: tuple[str, ...]) -> dict[str, str]:
    """Signal -> why its value is worthless."""
    return {name: STATUS.get(word, word) for word in words for name in CONDEMNS.get(word, ())}
