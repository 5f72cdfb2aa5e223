"""The instrument behind a ProPar interface: its parameters, control modes and flow. Sheet bronkhorst-propar.md."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from simulators.core.noise import noise
from simulators.core.surroundings import GasLine

LONE = 0x80
CHAR, INTEGER, FLOAT, STRING = 0x00, 0x20, 0x40, 0x60
VALUE = 6
UNLOCK, LOCK = 64, 82
LEAST_CAPACITY, MOST_CAPACITY = 1e-3, 1e6
"""Ours (X)."""
HIGHEST_SHARE = 41942 / 32000
NOISE = 2e-4
"""Standard deviation of the flow over capacity when a seed is given (X)."""
CURVE = {5: 0.0, 6: 1.0, 7: 0.0, 8: 0.0}
"""Process 1, parameters 5 to 8: four secured floats of the manual's write example."""
Write = Callable[[bytes, float], None]


@dataclass(slots=True)
class State:
    """The first block is kept over power loss."""

    node: int = 3
    capacity: float = 500.0
    unit: str = "mln/min"
    fluid: str = "Air"
    user_tag: str = "USERTAG"
    io_status: int = 0
    curve: list[float] = field(default_factory=lambda: list(CURVE.values()))
    fluid_index: int = 0
    alarm_limits: list[int] = field(default_factory=lambda: [0, 32000])
    """Minimum and maximum as measured."""
    alarm_mode: int = 0

    set_point: float = 0.0
    """In the capacity unit."""
    mode: int = 0
    slope: int = 0
    alarms: int = 0
    unlocked: bool = False
    stopped: bool = False
    """The interface was told to stop; only power brings it back."""
    counted: float = 0.0
    counted_at: float | None = None
    draws: int = 0


class No(Exception):
    """Raised to answer with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02X}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of the instrument: how it is read and written, and whether it is locked by process 0, parameter 10."""

    kind: int
    read: Callable[[float], Any] | None
    write: Write | None = None
    secured: bool = False


class Instrument:
    """Options: capacity, unit, fluid, serial, `default_mode` (digital, analog), `analog_percent`, `bidirectional`."""

    def __init__(
        self,
        place: GasLine,
        address: int = LONE,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        options = options or {}
        self.place = place
        self.seed = seed
        self.lone = address in (0, LONE)
        self.serial = str(options.get("serial", "M6212345A"))
        self.analog_percent = float(options.get("analog_percent", 0.0))
        self.bidirectional = options.get("bidirectional", "no") == "yes"
        self.state = State(
            node=3 if self.lone else address,
            capacity=float(options.get("capacity", 500.0)),
            unit=str(options.get("unit", "mln/min")),
            fluid=str(options.get("fluid", "Air")),
            io_status=64 if options.get("default_mode", "digital") == "analog" else 0,
        )
        self.state.mode = self.default_mode()
        self.parameters = self._parameters()

    def now_state(self) -> State:
        return self.state

    def _parameters(self) -> dict[tuple[int, int], Parameter]:
        s = self.now_state  # restore puts another state in its place
        known: dict[tuple[int, int], Parameter] = {
            (0, 0): Parameter(STRING, lambda now: f"7{self.serial}"),
            (0, 1): Parameter(CHAR, lambda now: s().node),
            (0, 3): Parameter(CHAR, lambda now: 0),
            (0, 10): Parameter(CHAR, None, self._init_reset),
            (0, 18): Parameter(CHAR, lambda now: 1),
            (1, 0): Parameter(INTEGER, self._measure),
            (1, 1): Parameter(INTEGER, lambda now: round(s().set_point / s().capacity * 32000), self._set_raw),
            (1, 2): Parameter(INTEGER, lambda now: s().slope, self._set_slope),
            (1, 4): Parameter(CHAR, lambda now: s().mode, self._set_mode),
            (1, 13): Parameter(FLOAT, lambda now: s().capacity, self._set_capacity, secured=True),
            (1, 16): Parameter(CHAR, lambda now: s().fluid_index, self._set_fluid_index),
            (1, 17): Parameter(STRING, lambda now: s().fluid.ljust(10)),
            (1, 20): Parameter(CHAR, lambda now: s().alarms),
            (1, 31): Parameter(STRING, lambda now: s().unit),
            (33, 0): Parameter(FLOAT, self._flow),
            (33, 3): Parameter(FLOAT, lambda now: s().set_point, self._set_flow),
            (33, 7): Parameter(FLOAT, lambda now: self.place.stream(now).cel),
            (33, 8): Parameter(FLOAT, lambda now: self.place.stream(now).bar),
            (33, 22): Parameter(FLOAT, lambda now: 0.0),
            (104, 1): Parameter(FLOAT, self._counter),
            (113, 1): Parameter(STRING, lambda now: "DMFC"),
            (113, 2): Parameter(STRING, lambda now: "F-201CV-500-AAD-33-V"),
            (113, 3): Parameter(STRING, lambda now: self.serial),
            (113, 5): Parameter(STRING, lambda now: "V1.35"),
            (113, 6): Parameter(STRING, lambda now: s().user_tag, self._set_tag),
            (114, 1): Parameter(FLOAT, self._valve),
            (114, 11): Parameter(CHAR, lambda now: s().io_status, self._set_io_status, secured=True),
            (97, 1): Parameter(INTEGER, lambda now: s().alarm_limits[1], partial(self._set_alarm_limit, 1)),
            (97, 2): Parameter(INTEGER, lambda now: s().alarm_limits[0], partial(self._set_alarm_limit, 0)),
            (97, 3): Parameter(CHAR, lambda now: s().alarm_mode, self._set_alarm_mode),
            (113, 4): Parameter(STRING, lambda now: "STANDARD"),
        }
        for at, number in enumerate(CURVE):
            known[(1, number)] = Parameter(FLOAT, partial(self._curve, at), partial(self._set_curve, at), secured=True)
        return known

    def _curve(self, at: int, now: float) -> float:
        return self.state.curve[at]

    def _set_curve(self, at: int, data: bytes, now: float) -> None:
        self.state.curve[at] = struct.unpack(">f", data)[0]

    def _flow(self, now: float) -> float:
        """In the capacity unit; counts the totaliser on the way."""
        s = self.state
        flow = self.place.stream(now).normal_ml_min / self._ml_min()
        if math.isnan(flow):
            flow = HIGHEST_SHARE * s.capacity  # a broken sensor is at the end of its scale; ours
        if self.seed is not None:
            s.draws += 1
            flow += NOISE * s.capacity * noise(self.seed, s.draws)
        if s.counted_at is not None:
            s.counted += flow * (now - s.counted_at) / 60
        s.counted_at = now
        return flow

    def _measure(self, now: float) -> int:
        raw = round(self._flow(now) / self.state.capacity * 32000)
        if raw < 0:
            return 65536 + max(raw, -23593) if self.bidirectional else 0
        return min(raw, 41942)

    def _counter(self, now: float) -> float:
        self._flow(now)
        return self.state.counted

    def _valve(self, now: float) -> bytes:
        """A long behind the type bits of a float; open as far as gas is asked for (ours)."""
        share = min(1.0, self._wanted(now) / (1.3107 * self.state.capacity))
        return int(share * 16777215).to_bytes(4, "big")

    def _ml_min(self) -> float:
        return {"mln/min": 1.0, "ln/min": 1000.0}.get(self.state.unit, 1.0)

    def _wanted(self, now: float) -> float:
        """What the control mode makes of it, in the capacity unit."""
        s = self.state
        match s.mode:
            case 0 | 18:
                return s.set_point
            case 1:
                return self.analog_percent / 100 * s.capacity
            case 7:
                return s.capacity
            case 8:
                return 1.3107 * s.capacity
            case 4 | 20:
                return self.place.stream(now).normal_ml_min / self._ml_min()
            case _:
                return 0.0

    def drive(self, now: float) -> None:
        self.place.drive(now, self._wanted(now) * self._ml_min())

    def default_mode(self) -> int:
        return 1 if self.state.io_status & 64 else 0

    def _set_raw(self, data: bytes, now: float) -> None:
        raw = int.from_bytes(data, "big")
        if raw > 32000:
            raise No(VALUE)
        self.state.set_point = raw / 32000 * self.state.capacity
        self.drive(now)

    def _set_flow(self, data: bytes, now: float) -> None:
        value = struct.unpack(">f", data)[0]
        if not 0 <= value <= self.state.capacity:
            raise No(VALUE)
        self.state.set_point = value
        self.drive(now)

    def _set_slope(self, data: bytes, now: float) -> None:
        self.state.slope = int.from_bytes(data, "big")

    def _set_mode(self, data: bytes, now: float) -> None:
        if data[0] not in (0, 1, 3, 4, 7, 8, 9, 12, 18, 20, 22):
            raise No(VALUE)
        self.state.mode = data[0]
        self.drive(now)

    def _set_capacity(self, data: bytes, now: float) -> None:
        """Numbers no flow can have are refused; a set point in % stays what it was (X)."""
        value = struct.unpack(">f", data)[0]
        if not LEAST_CAPACITY <= value <= MOST_CAPACITY:
            raise No(VALUE)
        s = self.state
        s.set_point, s.capacity = s.set_point / s.capacity * value, value
        self.drive(now)

    def _set_fluid_index(self, data: bytes, now: float) -> None:
        if data[0]:  # fluid 1 is the only one these have
            raise No(VALUE)
        self.state.fluid_index = data[0]

    def _set_io_status(self, data: bytes, now: float) -> None:
        self.state.io_status = data[0]

    def _set_alarm_limit(self, which: int, data: bytes, now: float) -> None:
        raw = int.from_bytes(data, "big")
        if raw > 32000:
            raise No(VALUE)
        self.state.alarm_limits[which] = raw

    def _set_alarm_mode(self, data: bytes, now: float) -> None:
        """0 off, 1 minimum and maximum (X); the alarms themselves are set by `alarms`."""
        self.state.alarm_mode = data[0]

    def _set_tag(self, data: bytes, now: float) -> None:
        self.state.user_tag = data.decode("latin-1")

    def _init_reset(self, data: bytes, now: float) -> None:
        if data[0] not in (UNLOCK, LOCK):
            raise No(VALUE)
        self.state.unlocked = data[0] == UNLOCK
