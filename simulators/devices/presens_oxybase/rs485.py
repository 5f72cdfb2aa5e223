"""OXYBase RS485: Modbus RTU. Guesses where the sheet has a question mark: the unit can be read (option
`unit_readable`), the readout holds floats and zeros beside the oxygen, a unit not named is exception 03; after power-up
the probe does not measure until it is given an interval; settings are kept in flash.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event
from simulators.core.surroundings import Immersion

START_UP_S = 5.0
PERCENT_VOL, MG_L, DEGC = 0x10, 0x80, 0x04
MG_L_PER_PERCENT = 0.32
"""Oxygen in water at 37 °C, mg/L for one percent in the gas; rounded, for the unit switch only."""


@dataclass(slots=True)
class State:
    """Times in bench seconds; `interval_s` 0 = not measuring."""

    unit: int = PERCENT_VOL
    dry: int = 0
    compensation_cel: float | None = None
    interval_s: int = 0
    sample: int = -1
    percent: float = 0.0
    flash_writes: int = 0
    powered_at: float = -math.inf


def words(form: str, *values: float) -> bytes:
    """Register bytes of 32-bit values, low word first and high byte first in a word."""
    little = struct.pack("<" + form, *values)
    return b"".join(little[at + 1 : at + 2] + little[at : at + 1] for at in range(0, len(little), 2))


def numbers(form: str, data: bytes) -> tuple[float, ...]:
    little = b"".join(data[at + 1 : at + 2] + data[at : at + 1] for at in range(0, len(data), 2))
    return struct.unpack("<" + form, little)


class OxyBaseRs485(ModbusUnit):
    """Options: `serial`, `firmware`, `unit_readable` (yes, no), `unit` it leaves the factory with (16 or 128)."""

    def __init__(
        self,
        immersion: Immersion,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(address or 1)
        options = options or {}
        self.immersion, self.seed = immersion, seed
        self.state = State(unit=int(options.get("unit", PERCENT_VOL)))
        readable = options.get("unit_readable", "yes") == "yes"
        for register, text in ((1031, options.get("firmware", "OXYB0104")), (1063, options.get("serial", "SACD0042"))):
            self.add(register, 8, lambda now, text=str(text): self._text(text))
        unit: Callable[[float], bytes] | None = (lambda now: words("I", self.state.unit)) if readable else None
        self.add(2089, 2, unit, self._set_unit)
        self.add(2091, 2, lambda now: words("f", self._shown(now)))
        self.add(2409, 4, None, self._set_temperature)
        self.add(3497, 4, None, self._set_interval)
        self.add(4897, 12, lambda now: bytes(16) + words("f", self._shown(now)) + bytes(4))
        self.add(5703, 2, lambda now: words("I", self.state.dry), self._set_medium)

    # -- the Simulator seam that ModbusUnit leaves open

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        if now - self.state.powered_at < START_UP_S and isinstance(event, Bytes):
            return []
        return super().receive(event, now)

    def power_cycle(self, now: float) -> list[Action]:
        s = self.state
        s.interval_s, s.sample, s.percent, s.powered_at = 0, -1, 0.0, now
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved))

    # -- registers

    @staticmethod
    def _text(text: str) -> bytes:
        data = text.encode("ascii").ljust(16, b"\0")
        return b"".join(data[at + 1 : at + 2] + data[at : at + 1] for at in range(0, 16, 2))

    def _shown(self, now: float) -> float:
        """The last sample in the unit chosen; 0 before the first."""
        s = self.state
        if s.interval_s and (sample := int(now // s.interval_s)) != s.sample:
            s.sample = sample
            s.percent = 0.2095 * self.immersion.liquid(now).do_percent
            if self.seed is not None:
                s.percent += 0.02 * noise(self.seed, sample)
        return s.percent * (MG_L_PER_PERCENT if s.unit == MG_L else 1.0)

    def _set_unit(self, data: bytes, now: float) -> None:
        (unit,) = numbers("I", data)
        if unit not in (PERCENT_VOL, MG_L):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.unit = int(unit)
        self.state.flash_writes += 1

    def _set_temperature(self, data: bytes, now: float) -> None:
        unit, cel = numbers("If", data)
        if unit != DEGC or not math.isfinite(cel):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.compensation_cel = cel

    def _set_interval(self, data: bytes, now: float) -> None:
        switch, seconds = numbers("II", data)
        if switch not in (0, 1) or (switch and not seconds):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.interval_s = int(seconds) if switch else 0

    def _set_medium(self, data: bytes, now: float) -> None:
        (dry,) = numbers("I", data)
        if dry not in (0, 1):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.dry = int(dry)
