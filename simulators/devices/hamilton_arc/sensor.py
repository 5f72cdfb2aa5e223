"""Both sensors: what is measured, how it is taught, and the image of its registers (sheet hamilton-arc-ph-do.md)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, cast

from simulators.core.modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusError
from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import Immersion, Liquid
from simulators.devices.hamilton_arc.memory import SPECIALIST, USER, Memory, Remembering
from simulators.devices.hamilton_arc.words import as_float, exchanged, numbers

NEW_VALUE_S = 3.0
"""M for pH; taken for DO as well."""
DEGC, PERCENT_VOL, PERCENT_SAT, MG_L, PH, MV = 1 << 2, 1 << 4, 1 << 5, 1 << 7, 1 << 12, 1 << 21
MV_PER_PH = -414.0028 / 7
"""From the manual's limits of the mV range."""
MG_L_SATURATED = 6.7
"""Oxygen in water at 37 °C under air, mg/L; rounded, for the unit switch only."""
STEADY_S = 180.0
"""The sensor judges the past three minutes (M)."""
LARGEST_STEP = 0.5
"""Change from one sample to the next that counts as not steady: ours, well above noise and drift."""
LOWEST_GAIN, HIGHEST_GAIN = 0.85, 1.10
"""Of the healthy gain; ours (X), the manual only says "too low" and "too high"."""
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
    changed_at: float = -1e18
    """When a reading last jumped by more than the drift limit."""
    taught: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    """CP1, CP2: done, value, what the raw measurement was."""
    verdict: int = 0
    """Calibration status of CP1 and CP2."""
    intercept: float = 0.0
    gain: float = 1.0
    """Raw measurement = intercept + gain x shown, as the sensor believes."""
    product: int = 0
    """Status bits of CP6."""
    product_at: float = 0.0
    product_offset: float = 0.0
    taught_when: list[list[float]] = field(default_factory=lambda: [[298.15, 0.0, 0.0, 0.0] for _ in range(3)])
    """CP1, CP2, CP6: temperature in K, how often, at which operating hour, and what electrode or luminophore gave."""
    external_cel: float | None = None
    """Of a DO sensor: the temperature it was given from outside, until its power goes off."""
    memory: Memory = field(default_factory=Memory)


class HamiltonArc(Remembering):
    """What both sensors share. Options: `serial`, `text` (swapped or plain), `drift_per_day` (pH or % saturation),
    `raw_intercept` and `raw_gain` (what the sensor truly measures: mV at pH 7 and mV a pH; % and % a %)."""

    firmware: ClassVar[str]
    part: ClassVar[str]
    name: ClassVar[str]
    units: ClassVar[Mapping[int, tuple[float, float]]]
    """Units of PMC1 and the limits in each."""
    first_unit: ClassVar[int]
    noise: ClassVar[float]
    healthy: ClassVar[tuple[float, float]]
    """Intercept and gain of a new sensor, and what it was taught in the factory."""
    standards: ClassVar[tuple[float, ...]]
    automatic_zero: ClassVar[bool]
    """Whether 0.0 is a value, not the search for a standard."""
    least_apart: ClassVar[float]
    widest_intercept: ClassVar[float]
    zero: ClassVar[float]
    """Where the raw measurement is `intercept`."""

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
        intercept, gain = self.healthy
        self.raw_intercept = float(options.get("raw_intercept", intercept))
        self.raw_gain = float(options.get("raw_gain", gain))
        self.state = State(self.first_unit, address=address, intercept=intercept, gain=gain)
        self.writes: dict[tuple[int, int], Callable[[tuple[int, ...], float], None]] = {
            (2089, 2): self._select_unit,
            (4287, 4): self._take_level,
            (4095, 2): self._set_address,
            (4101, 2): self._set_baud,
            (5161, 2): lambda values, now: self._teach(0, values, now),
            (5193, 2): lambda values, now: self._teach(1, values, now),
            (5321, 2): self._assign,
            (5339, 2): self._product_command,
        }
        self._offer()

    def _offer(self) -> None:
        """The image, by wire address = printed number less one."""
        for register, text in (
            (1024, "2010-04-28"), (1032, self.firmware), (1280, self.part), (1312, self.serial), (2080, self.name),
        ):  # fmt: skip
            self.add(register - 1, 8, lambda now, text=text: self.text(text))
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
        self.add(5157, 6, lambda now: self._point(0))
        self.add(5189, 6, lambda now: self._point(1))
        self.add(5317, 6, lambda now: numbers("IIf", self.state.product, self.first_unit, 0.0))
        self.add(5447, 6, lambda now: numbers("fff", self.state.intercept, self.state.gain, 0.0))
        self.add(5119, 2, lambda now: numbers("I", 0x23))
        self.add(5339, 2, lambda now: numbers("I", 0))
        for at, (limits, when, values) in enumerate(((5152, 5164, 5520), (5184, 5196, 5528), (5312, 5324, 5560))):
            most = self.units[self.first_unit][1] if at == 2 else 0.0
            self.add(limits - 1, 6, lambda now, most=most: numbers("Iff", self.first_unit, 0.0, most))
            self.add(when - 1, 8, lambda now, at=at: self._when(at))
            self.add(values - 1, 8, lambda now, at=at: self._measured_then(at))
        self.offer_memory(f"{self.part.split('/')[0]}-{self.serial}", is_ph=self.first_unit == PH)

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
        s.level, s.sample, s.external_cel = USER, -1, None
        self.address = s.address
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        state = State(**cast("dict[str, Any]", saved))
        state.memory = Memory(**cast("dict[str, Any]", saved["memory"]))
        self.state = state

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
            looked, s.sample = s.sample >= 0, sample
            if s.began_at is None:
                s.began_at = now
            liquid = self.immersion.liquid(now)
            s.cel = liquid.cel if s.external_cel is None else s.external_cel
            if LOWEST_CEL <= liquid.cel <= HIGHEST_CEL:
                before = s.value if looked else None
                s.value = self._believed(self.shown(liquid)) + s.offset + s.product_offset
                s.value += self.drift_per_day * (now - s.began_at) / 86400
                if before is not None and abs(s.value - before) > LARGEST_STEP:
                    s.changed_at = now
                if self.seed is not None:
                    s.value += self.noise * noise(self.seed, 2 * sample)
                    s.cel += CEL_NOISE * noise(self.seed, 2 * sample + 1)
        return s

    def _raw(self, true: float) -> float:
        """What electrode or luminophore gives, at 25 °C."""
        return self.raw_intercept + self.raw_gain * (true - self.zero)

    def _believed(self, true: float) -> float:
        s = self.state
        if (s.intercept, s.gain) == (self.raw_intercept, self.raw_gain):
            return true
        return self.zero + (self._raw(true) - s.intercept) / s.gain

    # -- calibration

    def _may(self) -> None:
        if self.state.level == USER:
            raise ModbusError(ILLEGAL_VALUE)
        self.worn()

    def worn(self) -> None:
        self.state.flash_writes += 1

    def level(self) -> int:
        return self.state.level

    @property
    def memory(self) -> Memory:
        return self.state.memory

    def recall_factory(self) -> None:
        """Interfaces, calibration and passwords as delivered (M); the address acts after the next power-up."""
        s = self.state
        s.unit, s.address, s.baud_code = self.first_unit, 1, 4
        s.taught, s.verdict, (s.intercept, s.gain) = State(0).taught, 0, self.healthy
        s.product, s.product_offset, s.sample = 0, 0.0, -1
        self.forget_settings()

    def _when(self, which: int) -> bytes:
        cel, times, hour, _ = self.state.taught_when[which]
        return numbers("IfIf", 1 << 1, cel, int(times), hour)

    def _measured_then(self, which: int) -> bytes:
        """For administrators and specialists only (M)."""
        s = self.state
        if s.level == USER:
            raise ModbusError(ILLEGAL_VALUE)
        value = s.taught[which][1] if which < 2 else s.product_at
        return numbers("ffff", value, s.taught_when[which][3], s.taught_when[which][0], 0.0)

    def _note(self, which: int, now: float) -> None:
        """Where and when a point was taken."""
        s = self.state
        raw = self._raw(self.shown(self.immersion.liquid(now)))
        s.taught_when[which] = [s.cel + 273.15, s.taught_when[which][1] + 1, self._hours(now), raw]

    def _point(self, which: int) -> bytes:
        """CP1 and CP2 carry the same word (M)."""
        return numbers("IIf", self.state.verdict, self.first_unit, self.state.taught[which][1])

    def _teach(self, which: int, values: tuple[int, ...], now: float) -> None:
        """Judge the past three minutes at once; the write itself is answered normally whatever comes out (M)."""
        wanted = as_float(values[0])
        self._may()
        s = self._sample(now)
        true = self.shown(self.immersion.liquid(now))
        bits = 0
        if not wanted and not self.automatic_zero:
            near = min(self.standards, key=lambda each: abs(each - s.value))
            bits |= (abs(near - s.value) > 1.0) << 1
            wanted = near
        bits |= (s.cel < 5) << 2 | (s.cel > 50) << 3 | (now - s.changed_at < STEADY_S) << 7
        points = [list(point) for point in s.taught]
        points[which] = [1.0, round(wanted, 4), self._raw(true)]
        intercept, gain = self._line_through(points, which)
        if points[0][0] and points[1][0] and abs(points[0][1] - points[1][1]) < self.least_apart:
            bits |= 1
        elif not bits:
            bits |= self._beyond(intercept, gain)
        shift = 8 * which
        s.verdict = s.verdict & ~(0xFF << shift) | bits << shift
        if not bits:
            s.taught, s.intercept, s.gain = points, intercept, gain
            s.product, s.product_offset, s.sample = 0, 0.0, -1
            self._note(which, now)

    def _line_through(self, points: list[list[float]], which: int) -> tuple[float, float]:
        """Intercept and gain by both points, or by one and the gain there is."""
        s, (_, at, raw) = self.state, points[which]
        other = points[1 - which]
        gain = s.gain
        if other[0] and other[1] != at:
            gain = (raw - other[2]) / (at - other[1])
        return raw - gain * (at - self.zero), gain

    def _beyond(self, intercept: float, gain: float) -> int:
        """Bits 5 and 6: too low, too high."""
        good_intercept, good_gain = self.healthy
        low = gain / good_gain < LOWEST_GAIN or intercept - good_intercept < -self.widest_intercept
        high = gain / good_gain > HIGHEST_GAIN or intercept - good_intercept > self.widest_intercept
        return low << 5 | high << 6

    def _product_command(self, values: tuple[int, ...], now: float) -> None:
        """1 keep the reading now, 2 cancel, 3 switch off, 4 switch on again (needs one that was assigned)."""
        s = self._sample(now)
        if values[0] not in (1, 2, 3, 4) or (values[0] == 4 and not s.product & 1 << 28):
            raise ModbusError(ILLEGAL_VALUE)
        self._may()
        match values[0]:
            case 1:
                s.product_at, s.product = s.value, 1 << 27
                self._note(2, now)
            case 2:
                s.product, s.product_offset, s.sample = 0, 0.0, -1
            case 3:
                s.product &= ~(1 << 26)
            case _:
                s.product |= 1 << 26

    def _assign(self, values: tuple[int, ...], now: float) -> None:
        """The true value of the reading that was kept; it only adds an offset (M)."""
        s = self.state
        wanted = as_float(values[0])
        self._may()
        if not s.product & 1 << 27:
            s.product = 0x0A000000
            return
        s.product_offset += round(wanted, 4) - s.product_at
        s.product, s.sample = 0x14000000, -1

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
        if self.memory.passwords.get(str(level)) != password:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.level = level

    def _set_address(self, values: tuple[int, ...], now: float) -> None:
        if not 1 <= values[0] <= 32:
            raise ModbusError(ILLEGAL_VALUE)
        self._configure()
        self.state.address = values[0]

    def _set_baud(self, values: tuple[int, ...], now: float) -> None:
        if not 2 <= values[0] <= 7:
            raise ModbusError(ILLEGAL_VALUE)
        self._configure()
        self.state.baud_code = values[0]


class HamiltonArcPh(HamiltonArc):
    """Polilyte Plus Arc 120: pH, or the glass voltage in mV."""

    firmware = "EPHUM011"
    part = "242111/01"
    name = "pH"
    units: ClassVar[Mapping[int, tuple[float, float]]] = {PH: (0.0, 14.0), MV: (-414.0028, 414.0028)}
    first_unit = PH
    noise = 0.003
    healthy = (0.0, MV_PER_PH)
    standards = (4.01, 7.0, 9.21, 10.01)
    zero = 7.0
    automatic_zero = False
    least_apart = 1.0
    widest_intercept = 60.0

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
    healthy = (0.0, 1.0)
    standards = (100.0,)
    zero = 0.0
    automatic_zero = True
    least_apart = 20.0
    widest_intercept = 10.0

    def __init__(
        self,
        immersion: Immersion,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(immersion, address, seed, options)
        self.writes[(2409, 4)] = self._external

    def _external(self, values: tuple[int, ...], now: float) -> None:
        """A temperature measured elsewhere: unit and value (M for VisiFerm, frame O). Who may is not in the sheet."""
        unit, word = values
        cel = as_float(word)
        if unit != DEGC or not LOWEST_CEL <= cel <= HIGHEST_CEL:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.external_cel, self.state.sample = cel, -1

    def shown(self, liquid: Liquid) -> float:
        return max(0.0, liquid.do_percent)

    def in_unit(self, value: float) -> float:
        return value * {PERCENT_SAT: 1.0, PERCENT_VOL: 0.2095, MG_L: MG_L_SATURATED / 100}[self.state.unit]
