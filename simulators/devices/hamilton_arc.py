"""Hamilton Arc pH and DO sensors seen from the cable: a register image over an immersion; sheet hamilton-arc-ph-do.md.

Guesses where the sheet has a question mark: a part of a block is answered with exception 02, a wrong level or password
with 03; a new address acts after the next power-up; the DO sensor's limits are 0 to 300 %-sat. Not built yet:
calibration, moving averages (a value is the latest sample), SMC channels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, cast

from simulators.core.modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import Immersion, Liquid

NEW_VALUE_S = 3.0
"""M for pH; taken for DO as well."""
USER, ADMINISTRATOR, SPECIALIST = 0x03, 0x0C, 0x30
PASSWORDS = {USER: 0, ADMINISTRATOR: 18111978, SPECIALIST: 16021966}
DEGC, PERCENT_VOL, PERCENT_SAT, MG_L, PH, MV = 1 << 2, 1 << 4, 1 << 5, 1 << 7, 1 << 12, 1 << 21
MV_PER_PH = -414.0028 / 7
"""From the manual's limits of the mV range."""
MG_L_SATURATED = 6.7
"""Oxygen in water at 37 °C under air, mg/L; rounded, for the unit switch only."""
CEL_NOISE = 0.01
"""Standard deviation of the temperature when a seed is given; ours."""
LOWEST_CEL, HIGHEST_CEL = -20.0, 130.0


@dataclass(slots=True)
class State:
    """Everything the sensor remembers. `level` and `sample` are volatile; times in bench seconds."""

    unit: int
    level: int = USER
    address: int = 1
    baud_code: int = 4
    quality: float = 100.0
    offset: float = 0.0
    """Added to what is shown, in pH or % saturation: a wrong calibration."""
    status: int = 0
    """Bits of the measurement status word that are on besides those of warnings, errors and temperature."""
    warnings: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    errors: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    power_ups: int = 1
    flash_writes: int = 0
    hours: float = 0.0
    powered_at: float | None = None
    began_at: float | None = None
    """First power-up ever, from which drift counts."""
    sample: int = -1
    """Number of the 3 s slot since 1970 that is shown."""
    cel: float = 25.0
    value: float = 0.0


def numbers(form: str, *values: float) -> bytes:
    """Register bytes of 32-bit values, low word first: little-endian with the bytes of every register exchanged."""
    return exchanged(struct.pack("<" + form, *values))


def exchanged(data: bytes) -> bytes:
    out = bytearray(len(data))
    out[0::2], out[1::2] = data[1::2], data[0::2]
    return bytes(out)


class HamiltonArc(ModbusUnit):
    """What both sensors share. Options: `serial`, `text` (swapped or plain), `drift_per_day` (pH or % saturation)."""

    firmware: ClassVar[str]
    part: ClassVar[str]
    name: ClassVar[str]
    units: ClassVar[Mapping[int, tuple[float, float]]]
    """Units of PMC1 and the limits in each."""
    first_unit: ClassVar[int]
    noise: ClassVar[float]

    def __init__(
        self,
        immersion: Immersion,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        address = address or 1  # 0 is everybody on a Modbus line; 1 is the factory setting
        super().__init__(address)
        options = options or {}
        self.immersion = immersion
        self.seed = seed
        self.serial = str(options.get("serial", f"{1000 + address:07d}"))
        self.swapped = options.get("text", "swapped") == "swapped"
        self.drift_per_day = float(options.get("drift_per_day", 0.0))
        self.state = State(self.first_unit, address=address)
        self.writes: dict[tuple[int, int], Callable[[tuple[int, ...], float], None]] = {
            (2089, 2): self._select_unit,
            (4287, 4): self._take_level,
            (4095, 2): self._set_address,
        }
        self._offer()

    def _offer(self) -> None:
        """The image, by wire address = printed number less one."""
        for register, text in (
            (1024, "2010-04-28"), (1032, self.firmware), (1280, self.part), (1312, self.serial), (2080, self.name),
        ):  # fmt: skip
            self.add(register - 1, 8, lambda now, text=text: self._text(text))
        self.add(2047, 2, lambda now: numbers("I", 0x66E1 if self.state.level == SPECIALIST else 0x06E1))
        self.add(2087, 2, lambda now: numbers("I", sum(self.units)))
        self.add(2089, 10, self._pmc1)
        self.add(2407, 2, lambda now: numbers("I", DEGC))
        self.add(2409, 10, self._pmc6)
        self.add(4095, 2, lambda now: numbers("I", self.state.address))
        self.add(4097, 4, lambda now: numbers("II", 1, 32))
        self.add(4101, 2, lambda now: numbers("I", self.state.baud_code))
        self.add(4103, 4, lambda now: numbers("II", 2, 7))
        self.add(4287, 4, lambda now: numbers("II", self.state.level, 0))
        self.add(4675, 6, lambda now: numbers("fff", self._hours(now), 0.0, 0.0))
        self.add(4681, 6, lambda now: numbers("III", self.state.power_ups, 0, self.state.flash_writes))
        self.add(4735, 8, lambda now: numbers("IIII", *self.state.warnings))
        self.add(4799, 8, lambda now: numbers("IIII", *self.state.errors))
        self.add(4871, 2, lambda now: numbers("f", self.state.quality))

    # -- the Simulator seam that ModbusUnit leaves open

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def power_cycle(self, now: float) -> list[Action]:
        """The level falls to U and the first sample is new; settings, counters and faults stay."""
        s = self.state
        s.hours, s.powered_at = self._hours(now), now
        s.power_ups += 1
        s.level, s.sample = USER, -1
        self.address = s.address
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved))

    # -- what is measured

    def shown(self, liquid: Liquid) -> float:
        """The quantity of PMC1 in its own first unit."""
        raise NotImplementedError

    def in_unit(self, value: float) -> float:
        """`value` in the unit PMC1 is set to."""
        raise NotImplementedError

    def _sample(self, now: float) -> State:
        """Take a new value once every 3 s, when somebody looks; outside the measuring range the last one is frozen."""
        s = self.state
        sample = int(now // NEW_VALUE_S)
        if sample != s.sample:
            s.sample = sample
            if s.began_at is None:
                s.began_at = now
            liquid = self.immersion.liquid(now)
            s.cel = liquid.cel
            if LOWEST_CEL <= liquid.cel <= HIGHEST_CEL:
                s.value = self.shown(liquid) + s.offset + self.drift_per_day * (now - s.began_at) / 86400
                if self.seed is not None:
                    s.value += self.noise * noise(self.seed, 2 * sample)
                    s.cel += CEL_NOISE * noise(self.seed, 2 * sample + 1)
        return s

    def _status(self) -> int:
        s = self.state
        outside = not LOWEST_CEL <= s.cel <= HIGHEST_CEL
        return s.status | outside * 3 | any(s.warnings) << 3 | any(s.errors) << 4

    def _pmc1(self, now: float) -> bytes:
        s = self._sample(now)
        return numbers("IfIff", s.unit, self.in_unit(s.value), self._status(), *self.units[s.unit])

    def _pmc6(self, now: float) -> bytes:
        s = self._sample(now)
        return numbers("IfIff", DEGC, s.cel, self._status(), LOWEST_CEL, HIGHEST_CEL)

    def _hours(self, now: float) -> float:
        s = self.state
        if s.powered_at is None:
            s.powered_at = now
        return s.hours + (now - s.powered_at) / 3600

    def _text(self, text: str) -> bytes:
        data = text.encode("ascii").ljust(16, b"\0")
        return exchanged(data) if self.swapped else data

    # -- what can be written

    def write_span(self, start: int, data: bytes, now: float) -> None:
        """A write is known by its start and length: two registers at 2090 select the unit of the ten read there."""
        write = self.writes.get((start, len(data) // 2))
        if write is None:
            raise ModbusError(ILLEGAL_ADDRESS)
        write(struct.unpack(f"<{len(data) // 4}I", exchanged(data)), now)

    def _configure(self) -> None:
        """Only a specialist may; each time costs the flash one of its 100 000 writes."""
        if self.state.level != SPECIALIST:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.flash_writes += 1

    def _select_unit(self, values: tuple[int, ...], now: float) -> None:
        if values[0] not in self.units:
            raise ModbusError(ILLEGAL_VALUE)
        self._configure()
        self.state.unit = values[0]

    def _take_level(self, values: tuple[int, ...], now: float) -> None:
        level, password = values
        if PASSWORDS.get(level) != password:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.level = level

    def _set_address(self, values: tuple[int, ...], now: float) -> None:
        if not 1 <= values[0] <= 32:
            raise ModbusError(ILLEGAL_VALUE)
        self._configure()
        self.state.address = values[0]


class HamiltonArcPh(HamiltonArc):
    """Polilyte Plus Arc 120: pH, or the glass voltage in mV."""

    firmware = "EPHUM011"
    part = "242111/01"
    name = "pH"
    units: ClassVar[Mapping[int, tuple[float, float]]] = {PH: (0.0, 14.0), MV: (-414.0028, 414.0028)}
    first_unit = PH
    noise = 0.003

    def shown(self, liquid: Liquid) -> float:
        return liquid.ph

    def in_unit(self, value: float) -> float:
        return value if self.state.unit == PH else MV_PER_PH * (value - 7.0)


class HamiltonArcDo(HamiltonArc):
    """VisiFerm DO Arc: oxygen in % saturation, or %-vol or mg/l."""

    firmware = "ODOUM102"
    part = "243100/01"
    name = "DO"
    units: ClassVar[Mapping[int, tuple[float, float]]] = {
        PERCENT_SAT: (0.0, 300.0),
        PERCENT_VOL: (0.0, 62.85),
        MG_L: (0.0, 3 * MG_L_SATURATED),
    }
    first_unit = PERCENT_SAT
    noise = 0.1

    def shown(self, liquid: Liquid) -> float:
        return max(0.0, liquid.do_percent)

    def in_unit(self, value: float) -> float:
        return value * {PERCENT_SAT: 1.0, PERCENT_VOL: 0.2095, MG_L: MG_L_SATURATED / 100}[self.state.unit]
