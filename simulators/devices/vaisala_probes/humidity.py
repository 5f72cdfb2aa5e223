"""HMP probe in chamber air. What follows from humidity and temperature is worked out with the Magnus formula (Sonntag
1990, over water and over ice); the newer guide's status registers are there unless `guide` = older.

Guesses: gaps between the documented registers of a block are unavailable values (the family's rule); the
product code is HMP7 (X).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import Chamber
from simulators.devices.vaisala_probes.image import NOT_A_NUMBER, Probe, Setting, floats, words

SAMPLE_S = 1.0
"""X."""
HUMIDITY_NOISE, CEL_NOISE = 0.1, 0.01
"""Standard deviations when a seed is given (X)."""
ATM_HPA = 1013.25
WATER, ICE = (6.112, 17.62, 243.12), (6.112, 22.46, 272.62)
"""hPa, 1, °C of the Magnus formula."""
SETTINGS = (
    Setting(0x300, "f", "pressure", 500, 1100),
    Setting(0x302, "f", "heated_temperature", -40, 180),
)
HEATER_FAILURE = 0x800000
UNAVAILABLE = 0x8000


@dataclass(slots=True)
class State:
    """What the probe remembers."""

    values: dict[str, float] = field(default_factory=lambda: {"pressure": ATM_HPA, "heated_temperature": 25.0})
    errors: int = 0
    locked: bool = False
    calibrating: bool = False


def saturated_hpa(cel: float, over: tuple[float, float, float] = WATER) -> float:
    first, second, third = over
    return first * math.exp(second * cel / (third + cel))


def point_cel(hpa: float, over: tuple[float, float, float] = WATER) -> float:
    """Temperature at which `hpa` of water vapour saturates."""
    first, second, third = over
    log = math.log(max(hpa, 1e-9) / first)
    return third * log / (second - log)


def frost_cel(hpa: float) -> float:
    """Dew point, or frost point below 0 °C."""
    dew = point_cel(hpa)
    return dew if dew >= 0 else point_cel(hpa, ICE)


def wet_bulb_cel(cel: float, vapour_hpa: float, pressure_hpa: float) -> float:
    """Psychrometer of Sprung (0.000662 /K): where evaporation balances, found by halving."""
    low, high = point_cel(vapour_hpa), cel
    for _ in range(60):
        middle = (low + high) / 2
        if saturated_hpa(middle) - 0.000662 * pressure_hpa * (cel - middle) > vapour_hpa:
            high = middle
        else:
            low = middle
    return (low + high) / 2


class VaisalaHmp(Probe):
    """Options besides those of every probe: guide (newer or older)."""

    settings = SETTINGS
    product = "HMP7"
    name = "HMP7 Humidity and Temperature Probe"

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(chamber, address, seed, options)
        self.state = State()
        self.values = self.state.values
        self.add(0x0000, 22, self._values, whole=False)
        self.add(0x0200, 2, lambda now: words(not self.state.errors, not self.state.locked), whole=False)
        self.add(0x0202, 1, lambda now: words(UNAVAILABLE), whole=False)
        self.add(0x0203, 2, lambda now: words(self.state.errors & 0xFFFF, self.state.errors >> 16), whole=False)
        self.add(0x0205, 2, lambda now: words(*self._hash()), whole=False)
        if (options or {}).get("guide", "newer") == "newer":
            self.add(0x0207, 4, lambda now: self._newer_status(), whole=False)
        self.add(0x0300, 4, lambda now: self.stored(0x0300, 4), whole=False)
        self.add(0x1F00, 7, lambda now: bytes.fromhex("CFC7 E666 C2F6") + b"-123.45\0", whole=False)

    def power_cycle(self, now: float) -> list[Action]:
        """Settings are kept (X)."""
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return {**asdict(self.state), "address": self.address}

    def restore(self, saved: dict[str, object]) -> None:
        fields = dict(cast("dict[str, Any]", saved))
        self.address = fields.pop("address")
        self.state = State(**fields)
        self.values = self.state.values

    def _values(self, now: float) -> bytes:
        """Registers 1 to 22; nothing is documented of 5 and 6."""
        measured = self._measured(now)
        return measured[:8] + NOT_A_NUMBER + measured[8:]

    def _measured(self, now: float) -> bytes:
        """Ten floats; not a number while the output is locked or the sensor that is needed is broken."""
        air = self.chamber.air(now)
        humidity, cel = air.rh_percent, air.cel
        if self.seed is not None:
            sample = int(now // SAMPLE_S)
            humidity += HUMIDITY_NOISE * noise(self.seed, 2 * sample)
            cel += CEL_NOISE * noise(self.seed, 2 * sample + 1)
        errors = self.state.errors
        if self.state.locked or errors & 0x11:
            cel = math.nan
        if self.state.locked or errors & ~(HEATER_FAILURE | 0x11):
            humidity = math.nan
        if math.isnan(cel) or math.isnan(humidity):
            return floats(humidity, cel, *[math.nan] * 8)
        pressure = self.values["pressure"]
        vapour = saturated_hpa(cel) * humidity / 100
        dry = max(pressure - vapour, 1e-6)
        at_1atm = vapour * ATM_HPA / pressure
        return floats(
            humidity,
            cel,
            point_cel(vapour),
            frost_cel(vapour),
            frost_cel(at_1atm),
            point_cel(at_1atm),
            216.679 * vapour / (cel + 273.15),
            621.9907 * vapour / dry,
            wet_bulb_cel(cel, vapour, pressure),
            1e6 * vapour / dry,
        )

    def _newer_status(self) -> bytes:
        s = self.state
        locked = 0x20 if s.locked else 0
        cel = 0x80 if s.errors & 0x1 else 0x8 if s.errors & 0x10 else 0
        humidity = 0x80 if s.errors & 0xE else 0
        device = (2 if s.errors & ~HEATER_FAILURE else 0) | (4 if s.errors & HEATER_FAILURE else 0)
        device |= 0x10 if s.calibrating else 0
        return words(humidity | locked, cel | locked, humidity | cel | locked, device)

    def _hash(self) -> tuple[int, int]:
        """Another figure after any change of a setting; how the probe makes it is not known."""
        value = 0
        for byte in floats(*self.values.values()):
            value = (value * 31 + byte) & 0xFFFFFFFF
        return value & 0xFFFF, value >> 16
