"""GMP251 and GMP252 in chamber air. Guesses where the sheet has a question mark: registers between the documented
ones of a block are unavailable values (the family's rule), beyond it exception 02; line settings act after the
next power-up; the error register is there (newer guide).

No lag of its own (the chamber's sensors have one). A compensation for another pressure than the true one shifts the
reading in proportion; humidity and oxygen shift it only with the option `cross_sensitivity`: the size is not known.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, cast

from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import Air, Chamber
from simulators.devices.vaisala_probes.image import NOT_A_NUMBER, Probe, Setting, floats, words

SAMPLE_S = 2.0
"""Measurement interval (X)."""
WARM_UP_S = 30.0
"""Several tens of seconds (X)."""
BAUDS = (4800, 9600, 19200, 38400, 57600, 115200)
HUMIDITY_PER_PERCENT, OXYGEN_PER_PERCENT = 2e-4, 5e-4
"""Shift of the reading by uncompensated gas, as a fraction (X); with the option `cross_sensitivity` = 1."""
NOISE = 0.002
"""Standard deviation as a fraction of the reading when a seed is given (X)."""
CRITICAL_ERRORS, OUT_OF_RANGE = 0x3, 0x1000
EEPROM = ("power_up_pressure", "power_up_temperature", "power_up_humidity", "power_up_oxygen")
GIVEN = ("given_pressure", "given_temperature", "given_humidity", "given_oxygen")
FACTORY: Mapping[str, float] = {
    "power_up_pressure": 1013.25, "power_up_temperature": 25.0, "power_up_humidity": 0.0, "power_up_oxygen": 0.0,
    "given_pressure": 1013.25, "given_temperature": 25.0, "given_humidity": 0.0, "given_oxygen": 0.0,
    "address": 240, "speed": 2, "parity": 0, "stop_bits": 2, "pressure_on": 1, "temperature_on": 2, "humidity_on": 0,
    "oxygen_on": 0, "filter": 100,
}  # fmt: skip
"""Defaults of the guide (V)."""
RANGES = ((500, 1100), (-40, 80), (0, 100), (0, 100))
SETTINGS = (
    *(Setting(0x200 + 2 * k, "f", name, *RANGES[k % 4]) for k, name in enumerate((*EEPROM, *GIVEN))),
    Setting(0x300, "H", "address", 1, 247),
    Setting(0x301, "H", "speed", 0, 5),
    Setting(0x302, "H", "parity", 0, 2),
    Setting(0x303, "H", "stop_bits", 1, 2),
    Setting(0x304, "H", "pressure_on", 0, 1),
    Setting(0x305, "H", "temperature_on", 0, 2),
    Setting(0x306, "H", "humidity_on", 0, 1),
    Setting(0x307, "H", "oxygen_on", 0, 1),
    Setting(0x308, "H", "filter", 0, 100),
)


@dataclass(slots=True)
class State:
    """What the probe remembers; `values` is kept without power, the given compensation values are copied anew."""

    values: dict[str, float] = field(default_factory=lambda: dict(FACTORY))
    eeprom_writes: int = 0
    ready_at: float = 0.0
    """CO2 is measured from then on."""
    cold: bool = False
    """Power came on and nobody has looked yet: the warm-up counts from the first look."""
    errors: int = 0
    warning: bool = False
    sample: int | None = None
    """Number of the interval whose value is shown."""
    ppm: float = 0.0
    cel: float = 25.0


class VaisalaGmp25x(Probe):
    """Options besides those of every probe: start (warm or cold), cross_sensitivity, error_register (on or off)."""

    settings = SETTINGS
    top_ppm: ClassVar[float]
    """Above it the reading is out of range."""

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(chamber, address, seed, options)
        options = options or {}
        self.cross_sensitivity = float(options.get("cross_sensitivity", 0.0))
        self.state = State(cold=options.get("start", "warm") == "cold")
        self.state.values["address"] = self.address
        self.values = self.state.values
        self.add(0x0000, 16, lambda now: self._measured(now) + 5 * NOT_A_NUMBER, whole=False)
        self.add(0x0100, 2, self._whole_numbers, whole=False)
        self.add(0x0200, 16, lambda now: self.stored(0x0200, 16), whole=False)
        self.add(0x0300, 9, lambda now: self.stored(0x0300, 9), whole=False)
        self.add(0x0800, 2, lambda now: words(self._device_status(now), self._co2_status(now)), whole=False)
        if options.get("error_register", "on") == "on":
            self.add(0x0802, 3, lambda now: words(0) + self._error_bits(now), whole=False)

    def power_cycle(self, now: float) -> list[Action]:
        """The given values are copied from EEPROM, line settings act, and the optics have to become warm."""
        s = self.state
        for stored, given in zip(EEPROM, GIVEN, strict=True):
            s.values[given] = s.values[stored]
        s.sample, s.cold, s.ready_at = None, False, now + WARM_UP_S
        self.address, self.baud = int(s.values["address"]), BAUDS[int(s.values["speed"])]
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return {**asdict(self.state), "address": self.address, "baud": self.baud}

    def restore(self, saved: dict[str, object]) -> None:
        fields = dict(cast("dict[str, Any]", saved))
        self.address, self.baud = fields.pop("address"), fields.pop("baud")
        self.state = State(**fields)
        self.values = self.state.values

    def taken(self, setting: Setting, now: float) -> None:
        if setting.name in EEPROM:
            self.state.eeprom_writes += 1

    # -- what is measured

    def ready(self, now: float) -> bool:
        s = self.state
        if s.cold:
            s.cold, s.ready_at = False, now + WARM_UP_S
        return now >= s.ready_at

    def look(self, now: float) -> State:
        """Take a new value once an interval, when somebody looks; the filter weighs it against the last one."""
        s = self.state
        sample = int(now // SAMPLE_S)
        if sample == s.sample or not self.ready(now):
            return s
        air = self.chamber.air(now)
        ppm = 1e4 * air.co2_percent * self._shift(air)
        if self.seed is not None:
            ppm *= 1 + NOISE * noise(self.seed, sample)
        if s.sample is None:
            s.ppm = ppm
        else:
            before = ppm if math.isnan(s.ppm) else s.ppm  # nothing to weigh against behind a broken sensor
            s.ppm = ppm - (ppm - before) * (1 - s.values["filter"] / 100) ** (sample - s.sample)
        s.sample, s.cel = sample, air.cel
        return s

    def _shift(self, air: Air) -> float:
        """What the true air and the compensation together make of the reading; 1 = right."""
        v = self.state.values
        pressure = v["given_pressure"] if v["pressure_on"] else 1013.25
        humidity = air.rh_percent - (v["given_humidity"] if v["humidity_on"] else 0.0)
        oxygen = air.o2_percent - (v["given_oxygen"] if v["oxygen_on"] else 0.0)
        gas = HUMIDITY_PER_PERCENT * humidity + OXYGEN_PER_PERCENT * oxygen
        return air.pressure_hpa / pressure * (1 - self.cross_sensitivity * gas)

    def shown(self, now: float) -> float | None:
        """ppm; None while starting."""
        return self.look(now).ppm if self.ready(now) else None

    def _temperature(self, now: float) -> float:
        self.look(now)
        if not self.ready(now):
            self.state.cel = self.chamber.air(now).cel
        return self.state.cel

    def _measured(self, now: float) -> bytes:
        ppm, cel = self.shown(now), self._temperature(now)
        v = self.state.values
        in_use = (25.0, v["given_temperature"], cel)[int(v["temperature_on"])]
        return floats(float("nan") if ppm is None else ppm, in_use, cel)

    def _whole_numbers(self, now: float) -> bytes:
        """0 where there is no value (one transcription of the guide; 0x8000 in sister products)."""
        ppm = self.shown(now) or 0.0
        return struct.pack(">hh", *(max(-32768, min(32767, round(each))) for each in (ppm, ppm / 10)))

    # -- how it is

    def _errors(self, now: float) -> int:
        ppm = self.shown(now)
        return self.state.errors | (OUT_OF_RANGE if ppm is not None and ppm > self.top_ppm else 0)

    def _error_bits(self, now: float) -> bytes:
        value = self._errors(now)
        return words(value & 0xFFFF, value >> 16)

    def _device_status(self, now: float) -> int:
        errors = self._errors(now)
        critical, error = bool(errors & CRITICAL_ERRORS), bool(errors & ~CRITICAL_ERRORS)
        return critical | error << 1 | self.state.warning << 2

    def _co2_status(self, now: float) -> int:
        if not self.ready(now):
            return 2 + 256
        return 2 if self._device_status(now) & 3 else 0


class VaisalaGmp251(VaisalaGmp25x):
    """0 to 20 % (X)."""

    product = "GMP251"
    name = "GMP251 Carbon Dioxide Probe"
    top_ppm = 250_000.0


class VaisalaGmp252(VaisalaGmp25x):
    """0 to 10 000 ppm, readable to 30 000 (X)."""

    product = "GMP252"
    name = "GMP252 Carbon Dioxide Probe"
    top_ppm = 30_000.0
