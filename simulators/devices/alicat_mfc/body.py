"""The flow body inside an Alicat, whatever it speaks: sensors, gas tables, valve, set point, totalizer.

Ours where the sheet is silent: standard conditions 25 °C and 1013.25 hPa (option `standard_cel`); over range begins at
110 % of full scale, outside -10 to 60 °C and above 160 psia; a held valve lets through what it did; the display keeps
its digits over range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from simulators.core.noise import noise
from simulators.core.surroundings import GasLine

PSI_PER_BAR = 14.503774
ATMOSPHERE_PSI = 14.696
OVER = 1.1
NOISE = 2e-4
"""Standard deviation of the flow over full scale when a seed is given (X)."""
GAS_NAMES: Mapping[int, tuple[str, str]] = {
    0: ("Air", "Air"), 1: ("Ar", "Argon"), 2: ("CH4", "Methane"), 3: ("CO", "Carbon Monoxide"),
    4: ("CO2", "Carbon Dioxide"), 5: ("C2H6", "Ethane"), 6: ("H2", "Hydrogen"), 7: ("He", "Helium"),
    8: ("N2", "Nitrogen"), 9: ("N2O", "Nitrous Oxide"), 10: ("Ne", "Neon"), 11: ("O2", "Oxygen"),
    12: ("C3H8", "Propane"), 13: ("nC4H10", "normal-Butane"), 14: ("C2H2", "Acetylene"), 15: ("C2H4", "Ethylene"),
    16: ("iC4H10", "iso-Butane"), 17: ("Kr", "Krypton"), 18: ("Xe", "Xenon"), 19: ("SF6", "Sulfur Hexafluoride"),
    20: ("C-25", "C-25"), 21: ("C-10", "C-10"), 22: ("C-8", "C-8"), 23: ("C-2", "C-2"), 24: ("C-75", "C-75"),
    25: ("He-25", "He-25"), 26: ("He-75", "He-75"), 27: ("A1025", "A1025"), 28: ("Star29", "Star29"),
    29: ("P-5", "P-5"), 140: ("C-15", "C-15"), 141: ("C-20", "C-20"), 142: ("C-50", "C-50"), 143: ("He-50", "He-50"),
    144: ("He-90", "He-90"), 206: ("P-10", "P-10"), 210: ("D-2", "D-2"),
}  # fmt: skip


@dataclass(slots=True)
class State:
    """The first block is kept over power loss. Flows in the device's flow unit, times in bench seconds."""

    gas: int = 0
    mixes: dict[str, str] = field(default_factory=dict[str, str])
    """Number -> short name of the user's own mixes."""
    unit_id: str = "A"
    address: int = 1
    streaming: bool = False
    stream_ms: int = 50
    locked: bool = False
    source: str = "S"
    saved_set_point: float = 0.0
    loop_variable: int = 37
    ramp: float = 0.0
    ramp_time: int = 4
    ramp_on: list[int] = field(default_factory=lambda: [1, 1, 0, 0])
    tare: float = 0.0
    pressure_tare: float = 0.0
    total: float = 0.0

    set_point: float = 0.0
    hold: str = ""
    """"" = the controller has the valve, position, closed."""
    words: list[str] = field(default_factory=list[str])
    """Status words that are on besides those that come from the gas itself."""
    dashed: list[str] = field(default_factory=list[str])
    """Values that print as dashes."""
    counted_at: float | None = None
    next_frame_at: float | None = None
    draws: int = 0
    command: list[int] = field(default_factory=lambda: [0, 0])
    """Modbus: last command ID and its result."""


BROKEN_CEL, BROKEN_BAR = 150.0, 15.0
"""What a broken sensor shows: beyond what the device can measure (ours)."""


class Sensed(NamedTuple):
    """What the device measures: psia, °C, and both flows in its unit."""

    psi: float
    cel: float
    volumetric: float
    mass: float


class FlowBody:
    """Options: `full_scale` and `unit` (SCCM, SLPM), `gas` (number), `standard_cel`, `zero_offset` (in the unit)."""

    state: State
    controls: ClassVar[bool] = True
    """Whether it has a valve, and a set point for it."""

    def set_up(self, place: GasLine, seed: int | None, options: Mapping[str, float | str]) -> None:
        self.place = place
        self.seed = seed
        self.full_scale = float(options.get("full_scale", 500.0))
        self.unit = str(options.get("unit", "SCCM"))
        self.ml_min_per_unit = {"SCCM": 1.0, "SLPM": 1000.0, "NLPM": 1000.0}[self.unit]
        standard_cel = 0.0 if self.unit.startswith("N") else float(options.get("standard_cel", 25.0))
        self.standard_per_normal = (273.15 + standard_cel) / 273.15
        self.zero_offset = float(options.get("zero_offset", 0.0))
        self.clips = options.get("over_range", "clip") == "clip"
        self.state = State(gas=int(float(options.get("gas", 0))))

    def sense(self, now: float) -> Sensed:
        """The gas as the device sees it now; counts the totalizer on the way."""
        s = self.state
        stream = self.place.stream(now)
        if math.isnan(stream.normal_ml_min):  # a broken sensor is at the end of its scale; ours
            stream = stream._replace(normal_ml_min=1.3 * self.full_scale * self.ml_min_per_unit)
        if math.isnan(stream.cel):
            stream = stream._replace(cel=BROKEN_CEL)
        if math.isnan(stream.bar):
            stream = stream._replace(bar=BROKEN_BAR)
        true = stream.normal_ml_min * self.standard_per_normal / self.ml_min_per_unit
        mass = true + self.zero_offset - s.tare
        if self.seed is not None:
            s.draws += 1
            mass += NOISE * self.full_scale * noise(self.seed, s.draws)
        if s.counted_at is not None:
            s.total += mass * (now - s.counted_at) / 60
        s.counted_at = now
        normal_to_here = (273.15 + stream.cel) / 273.15 * 1.01325 / stream.bar
        volumetric = mass / self.standard_per_normal * normal_to_here
        return Sensed(stream.bar * PSI_PER_BAR - s.pressure_tare, stream.cel, volumetric, mass)

    def status_words(self, sensed: Sensed) -> list[str]:
        """What the device says behind the gas."""
        s = self.state
        found = {
            "TOV": not -10 <= sensed.cel <= 60,
            "VOV": abs(sensed.volumetric) > OVER * self.full_scale,
            "MOV": abs(sensed.mass) > OVER * self.full_scale,
            "POV": sensed.psi > 160,
            "HLD": bool(s.hold),
            "LCK": s.locked,
        }
        return [word for word, on in found.items() if on] + [word for word in s.words if not found.get(word)]

    # -- acting

    def drive(self, now: float) -> None:
        """The controller's loop has its valve, unless it is held."""
        s = self.state
        if s.hold:
            return
        self.place.drive(now, s.set_point * self.ml_min_per_unit / self.standard_per_normal)

    def take_set_point(self, value: float, now: float) -> None:
        """Out of range it is clipped, or ignored as older firmware does (option over_range)."""
        s = self.state
        if not 0 <= value <= self.full_scale:
            if not self.clips:
                return
            value = min(max(value, 0.0), self.full_scale)
        if s.source == "A":
            return
        s.set_point = value
        if s.source == "S":
            s.saved_set_point = value
        self.drive(now)

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return ("ml_min",) if self.controls else ()

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person sets the flow, `ml_min` at standard conditions."""
        self.take_set_point(value / self.ml_min_per_unit, now)

    def hold_valve(self, how: str, now: float) -> None:
        """`closed`, `position`, or "" to give it back to the controller."""
        s = self.state
        if how == "closed":
            self.place.drive(now, 0.0)
        elif how == "position":
            self.place.drive(now, self.place.stream(now).normal_ml_min)
        s.hold = how
        self.drive(now)

    def tare_flow(self, now: float) -> None:
        stream = self.place.stream(now)
        true = stream.normal_ml_min * self.standard_per_normal / self.ml_min_per_unit
        self.state.tare = true + self.zero_offset

    def tare_pressure(self, now: float) -> None:
        """To the barometer inside."""
        self.state.pressure_tare = self.place.stream(now).bar * PSI_PER_BAR - ATMOSPHERE_PSI

    def gas_name(self) -> str:
        s = self.state
        return GAS_NAMES[s.gas][0] if s.gas in GAS_NAMES else s.mixes[str(s.gas)]

    def has_gas(self, number: int) -> bool:
        return number in GAS_NAMES or str(number) in self.state.mixes

    def turn_knob(self, value: float, now: float) -> None:
        """A person sets another set point at the front panel; nothing happens while the buttons are locked."""
        if not self.state.locked:
            self.take_set_point(value, now)

    def lose_power(self, now: float) -> None:
        """A hold ends, the set point is the saved one (X for old firmware); the flow starts again by itself."""
        s = self.state
        s.hold, s.set_point, s.counted_at = "", s.saved_set_point, None
        self.place.drive(now, s.set_point * self.ml_min_per_unit / self.standard_per_normal)
