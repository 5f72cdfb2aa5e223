"""F4T on Modbus in a climate chamber: loop 1 temperature, loop 2 % relative humidity, profiles, events, alarms.

Guesses: registers nobody documents are exception 02, a set point outside the limits 03 (X); an enumeration stands in
the first register of its slot, the second is 0; with a broken sensor the last value stays and alarm 1 says `error`; on
the serial line a request too soon after the last one is not heard (option pause_s; the sheet asks for 30 ms); remaining
times are whole seconds. Humidity has no actuator in the seam: its loop only shows. Cascades are not built. Profiles are
steps of (°C, seconds) in `state.profiles`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from drivers.core.units import convert
from drivers.core.wire.modbus import READ_HOLDING, READ_INPUT, WRITE_MANY, WRITE_ONE
from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event
from simulators.core.surroundings import Chamber
from simulators.devices.watlow_f4t_ez_zone.oven import CEL_AT_FULL_POWER, ROOM_CEL, Oven, power

AUTO, MANUAL, OFF, ON = 10, 54, 62, 63
NO_ALARM, ALARM_ERROR = 61, 28
CELSIUS, FAHRENHEIT = 15, 30
START, PAUSE, RESUME, TERMINATE = 1782, 146, 147, 148
NOT_STARTED, RUNNING, COMPLETE, TERMINATED = 251, 149, 252, 253
KEY_DOWN, KEY_UP = 1457, 1456
EVENTS = (16594, 16596, 16598, 16600, 16822, 16824, 16826, 16828)
QUANTITIES = (1540, 1538)
CEL_NOISE, RH_NOISE = 0.02, 0.2
"""Standard deviations when a seed is given (ours)."""
PAUSE_S = 0.03
HEARD_FROM = 2 / 3
"""Part of the pause after which a request is heard: the ports of a PC are that uneven."""
CLOCK = ("hour", "minute", "second", "month", "day", "year")


@dataclass(slots=True)
class Loop:
    """One control loop, in °C or % relative humidity."""

    set_point: float
    low: float
    high: float
    mode: int = AUTO
    manual: float = 0.0


@dataclass(slots=True)
class State:
    """All of it is kept without power, a running profile apart (X)."""

    loops: list[Loop] = field(default_factory=lambda: [Loop(37.0, -20.0, 95.0), Loop(93.0, 0.0, 98.0)])
    unit: int = CELSIUS
    """Of communication on the serial port."""
    network_unit: int = CELSIUS
    events: list[int] = field(default_factory=lambda: [OFF] * 12)
    clock_ahead_s: float = 0.0
    """How far its clock was set ahead of the bench's."""
    alarms: list[int] = field(default_factory=lambda: [NO_ALARM] * 4)
    limit: list[int] = field(default_factory=lambda: [NO_ALARM, 59, NO_ALARM])
    """Status, fail and error of limit 1."""
    broken: bool = False
    """The temperature sensor: the last value stays."""
    last_cel: float = 0.0
    profiles: list[list[list[float]]] = field(default_factory=lambda: [[[37.0, 3600.0], [25.0, 3600.0]]])
    to_start: int = 1
    step_to_start: int = 1
    profile: int = 0
    step: int = 0
    profile_state: int = NOT_STARTED
    left_s: float = 0.0
    """Of the current step, counted from `since`."""
    since: float = 0.0


class WatlowF4t(ModbusUnit):
    """Options: part, word_order (low_first or high_first), unit (C or F), network_unit (the same for Modbus TCP; else
    that of the serial port), humidity (0 = no loop 2), pause_s."""

    functions = frozenset((READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY))

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(address or 1, baud=38400)
        options = options or {}
        self.oven, self.seed = Oven(chamber), seed
        self.part = str(options.get("part", "F4T1L2EAA2C1AAA"))
        self.swapped = options.get("word_order", "low_first") == "low_first"
        self.loops = 2 if float(options.get("humidity", 1)) else 1
        self.pause_s = float(options.get("pause_s", PAUSE_S))
        units = [FAHRENHEIT if options.get(name, options.get("unit")) == "F" else CELSIUS
                 for name in ("unit", "network_unit")]  # fmt: skip
        self.state = State(unit=units[0], network_unit=units[1])
        self._free_at = 0.0
        """Until then, after a request, nothing is heard."""
        self._offer()

    def _offer(self) -> None:
        for number in range(self.loops):
            self._offer_loop(number, 160 * number)
        for number, register in enumerate(EVENTS):
            self._word(register, self._getter("events", number), self._switch(number))
        for number in range(len(EVENTS), 12):
            at = 20 * (number - len(EVENTS))
            self._word(6844 + at, self._getter("events", number))
            self._word(6850 + at, lambda now: KEY_UP, self._key(number))
        for number in range(len(self.state.alarms)):
            self._word(1356 + 100 * number, lambda now, k=number: self._alarm(k))
        for number, register in enumerate((11250, 11264, 11288)):
            self._word(register, self._getter("limit", number))
        for number, part in enumerate(CLOCK):
            self._word(
                14664 + 2 * number, lambda now, part=part: getattr(self._clock(now), part), self._set_clock(part)
            )
        self.add(16, 15, lambda now: b"".join(bytes((0, each)) for each in self.part.encode().ljust(15, b"\0")[:15]),
                 whole=False)  # fmt: skip
        self._word(16558, lambda now: self.state.to_start, self._choose)
        self._word(16560, lambda now: self.state.step_to_start, self._choose_step)
        self._word(16562, lambda now: 0, self._start)
        self._word(16564, lambda now: 0, self._resume)
        self._word(16566, lambda now: 0, self._pause_or_end)
        self._word(16568, lambda now: self.follow(now).profile_state)
        self._word(16588, lambda now: self.follow(now).profile)
        self._word(16590, lambda now: self.follow(now).step)
        self._word(16570, lambda now: round(self._left_s(now)))
        self._word(16622, lambda now: round(self._left_s(now) + self._later_s()))
        for register, name in ((14080, "unit"), (6730, "network_unit")):
            self._word(register, lambda now, name=name: getattr(self.state, name), self._set_unit(name))

    def _offer_loop(self, number: int, at: int) -> None:
        """The registers of one loop; temperatures in the unit of communication."""

        def loop() -> Loop:
            return self.state.loops[number]

        def degrees(cel: float) -> float:
            return convert(cel, "Cel", "[degF]") if not number and self._fahrenheit() else cel

        def cel(degrees: float) -> float:
            return convert(degrees, "[degF]", "Cel") if not number and self._fahrenheit() else degrees

        def set_point(value: float, now: float) -> None:
            if not loop().low - 1e-4 <= cel(value) <= loop().high + 1e-4:
                raise ModbusError(ILLEGAL_VALUE)
            loop().set_point = cel(value)
            self.follow(now)

        def limit(name: str) -> Callable[[float, float], None]:
            return lambda value, now: setattr(loop(), name, cel(value))

        def manual(value: float, now: float) -> None:
            if not 0 <= value <= 100:
                raise ModbusError(ILLEGAL_VALUE)
            loop().manual = value
            self.follow(now)

        def mode(value: int, now: float) -> None:
            if value not in (AUTO, MANUAL, OFF):
                raise ModbusError(ILLEGAL_VALUE)
            loop().mode = value
            self.follow(now)

        self._float(2820 + at, lambda now: degrees(self.value(number, now)))
        self._float(2782 + at, lambda now: degrees(self._followed(now, number).set_point), set_point)
        self._float(2810 + at, lambda now: degrees(self._followed(now, number).set_point))
        self._float(2774 + at, lambda now: degrees(loop().low), limit("low"))
        self._float(2776 + at, lambda now: degrees(loop().high), limit("high"))
        self._float(2784 + at, lambda now: loop().manual, manual)
        self._float(2808 + at, lambda now: self.output(number, now))
        self._word(2730 + at, lambda now: loop().mode, mode)
        self._word(2814 + at, lambda now: loop().mode)
        self._word(16536 + 2 * number, lambda now: QUANTITIES[number])

    # -- registers

    def _float(self, at: int, get: Callable[[float], float], put: Callable[[float, float], None] | None = None) -> None:
        def read(now: float) -> bytes:
            data = struct.pack(">f", get(now))
            return data[2:] + data[:2] if self.swapped else data

        def write(data: bytes, now: float) -> None:
            assert put is not None
            put(struct.unpack(">f", data[2:] + data[:2] if self.swapped else data)[0], now)

        self.add(at, 2, read, write if put else None, whole=False)

    def _word(self, at: int, get: Callable[[float], int], put: Callable[[int, float], None] | None = None) -> None:
        """One register of a slot of two."""

        def write(data: bytes, now: float) -> None:
            assert put is not None
            put(int.from_bytes(data[:2], "big"), now)

        self.add(at, 2, lambda now: struct.pack(">HH", get(now), 0), write if put else None, whole=False)

    def _getter(self, name: str, number: int) -> Callable[[float], int]:
        return lambda now: getattr(self.state, name)[number]

    def _switch(self, number: int) -> Callable[[int, float], None]:
        def put(value: int, now: float) -> None:
            if value not in (ON, OFF):
                raise ModbusError(ILLEGAL_VALUE)
            self.state.events[number] = value

        return put

    def _key(self, number: int) -> Callable[[int, float], None]:
        """The key of an event: pressed, it turns the event over."""

        def put(value: int, now: float) -> None:
            if value not in (KEY_DOWN, KEY_UP):
                raise ModbusError(ILLEGAL_VALUE)
            if value == KEY_DOWN:
                self.state.events[number] = OFF if self.state.events[number] == ON else ON

        return put

    def _set_unit(self, name: str) -> Callable[[int, float], None]:
        def put(value: int, now: float) -> None:
            if value not in (CELSIUS, FAHRENHEIT):
                raise ModbusError(ILLEGAL_VALUE)
            setattr(self.state, name, value)

        return put

    def _fahrenheit(self) -> bool:
        """Of the port that is asked."""
        return (self.state.network_unit if self.on_network else self.state.unit) == FAHRENHEIT

    def _clock(self, now: float) -> datetime:
        return datetime.fromtimestamp(now + self.state.clock_ahead_s, UTC)

    def _set_clock(self, part: str) -> Callable[[int, float], None]:
        def put(value: int, now: float) -> None:
            before = self._clock(now)
            try:
                after = before.replace(**{part: value})  # pyright: ignore[reportArgumentType]
            except ValueError as error:
                raise ModbusError(ILLEGAL_VALUE) from error
            self.state.clock_ahead_s += (after - before).total_seconds()

        return put

    # -- the Simulator seam

    def receive(self, event: Event, now: float) -> list[Action]:
        if type(event) is Bytes and self.pause_s and not self.on_network and now < self._free_at:
            return []
        actions = super().receive(event, now)
        if actions:
            self._free_at = now + HEARD_FROM * self.pause_s
        return actions

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def power_cycle(self, now: float) -> list[Action]:
        s = self.follow(now)
        if s.profile_state in (RUNNING, PAUSE):
            s.profile_state = TERMINATED
        self.forget_received()
        self._free_at = now
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        fields = dict(cast("dict[str, Any]", saved))
        fields["loops"] = [Loop(**each) for each in fields["loops"]]
        self.state = State(**fields)
        self.oven.forget()

    # -- the chamber

    def follow(self, now: float) -> State:
        """Let the profile go on to `now` and hand the chamber what the loop wants."""
        s = self.state
        while s.profile_state == RUNNING and now - s.since >= s.left_s:
            s.since += s.left_s
            steps = s.profiles[s.profile - 1]
            if s.step >= len(steps):
                s.profile_state = COMPLETE
                break
            s.step += 1
            s.loops[0].set_point, s.left_s = steps[s.step - 1]
        if s.profile_state == RUNNING:
            s.loops[0].set_point = s.profiles[s.profile - 1][s.step - 1][0]  # overwrites what was written meanwhile
        loop = s.loops[0]
        match loop.mode:
            case 10:
                self.oven.heat_to(now, loop.set_point)
            case 54:
                self.oven.heat_to(now, ROOM_CEL + (CEL_AT_FULL_POWER - ROOM_CEL) * loop.manual / 100)
            case _:
                self.oven.heat_to(now, None)
        return s

    def _followed(self, now: float, number: int) -> Loop:
        return self.follow(now).loops[number]

    def value(self, number: int, now: float) -> float:
        """°C or % relative humidity, as the sensor shows it."""
        s = self.follow(now)
        air = self.oven.air(now)
        spread = 0.0 if self.seed is None else noise(self.seed, 2 * int(now) + number)
        if number:
            return air.rh_percent + RH_NOISE * spread
        if not s.broken:
            s.last_cel = air.cel + CEL_NOISE * spread
        return s.last_cel

    def output(self, number: int, now: float) -> float:
        loop = self.state.loops[number]
        if loop.mode == OFF:
            return 0.0
        return loop.manual if loop.mode == MANUAL else power(loop.set_point, self.value(number, now))

    def _alarm(self, number: int) -> int:
        return ALARM_ERROR if self.state.broken and not number else self.state.alarms[number]

    # -- profiles

    def _left_s(self, now: float) -> float:
        """Of the current step."""
        s = self.follow(now)
        if s.profile_state == RUNNING:
            return s.left_s - (now - s.since)
        return s.left_s if s.profile_state == PAUSE else 0.0

    def _later_s(self) -> float:
        """Of the steps behind the current one."""
        s = self.state
        if s.profile_state not in (RUNNING, PAUSE):
            return 0.0
        return sum(seconds for _, seconds in s.profiles[s.profile - 1][s.step :])

    def _choose(self, value: int, now: float) -> None:
        if not 1 <= value <= len(self.state.profiles):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.to_start = value

    def _choose_step(self, value: int, now: float) -> None:
        self.state.step_to_start = value

    def _start(self, value: int, now: float) -> None:
        s = self.follow(now)
        steps = s.profiles[s.to_start - 1]
        if value != START or s.profile_state in (RUNNING, PAUSE) or not 1 <= s.step_to_start <= len(steps):
            raise ModbusError(ILLEGAL_VALUE)
        s.profile, s.step, s.since, s.profile_state = s.to_start, s.step_to_start, now, RUNNING
        s.left_s = steps[s.step - 1][1]
        self.follow(now)

    def _pause_or_end(self, value: int, now: float) -> None:
        s = self.follow(now)
        if value == PAUSE and s.profile_state == RUNNING:
            s.left_s, s.profile_state = s.left_s - (now - s.since), PAUSE
        elif value == TERMINATE and s.profile_state in (RUNNING, PAUSE):
            s.profile_state = TERMINATED
        elif value not in (PAUSE, TERMINATE):
            raise ModbusError(ILLEGAL_VALUE)

    def _resume(self, value: int, now: float) -> None:
        s = self.follow(now)
        if value != RESUME:
            raise ModbusError(ILLEGAL_VALUE)
        if s.profile_state == PAUSE:
            s.since, s.profile_state = now, RUNNING
