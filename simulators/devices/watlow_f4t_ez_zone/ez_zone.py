"""EZ-ZONE PM or RM on Modbus RTU, or several of them behind an RUI gateway, 5000 registers apart.

Guesses: registers nobody documents are exception 02, a set point outside 10 to 220 is 03 (X); with a broken sensor the
last value stays and register 362 says `open`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from drivers.core.units import convert
from drivers.core.wire.modbus import READ_HOLDING, READ_INPUT, WRITE_MANY, WRITE_ONE
from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import Chamber
from simulators.devices.watlow_f4t_ez_zone.oven import Oven, power

NO_ERROR, SENSOR_OPEN = 61, 65
LOWEST, HIGHEST = 10.0, 220.0
"""As W limits it, in the unit of the controller."""
THERMOCOUPLE = 95
"""Code of the sensor type (ours)."""
CEL_NOISE = 0.02
ZONE = 5000


@dataclass(slots=True)
class Zone:
    """What one controller remembers, without power too; °C."""

    set_point: float = 37.0
    offset: float = 0.0
    filter: float = 0.5
    error: int = NO_ERROR
    last_cel: float = 0.0


class ZoneControl:
    """One loop in one chamber."""

    def __init__(self, chamber: Chamber, seed: int | None) -> None:
        self.oven, self.seed, self.state = Oven(chamber), seed, Zone()

    def value(self, now: float) -> float:
        """°C as shown."""
        self.oven.heat_to(now, self.state.set_point)
        if self.state.error == NO_ERROR:
            spread = 0.0 if self.seed is None else CEL_NOISE * noise(self.seed, int(now))
            self.state.last_cel = self.oven.air(now).cel + self.state.offset + spread
        return self.state.last_cel

    def set(self, cel: float, now: float) -> None:
        self.state.set_point = cel
        self.oven.heat_to(now, cel)

    def output(self, now: float) -> float:
        return power(self.state.set_point, self.value(now))

    def restore(self, saved: dict[str, Any]) -> None:
        self.state = Zone(**saved)
        self.oven.forget()


class WatlowEzZone(ModbusUnit):
    """One zone a chamber. Options: unit (C or F), word_order (high_first or low_first), zones (of a gateway with one
    chamber: so many in it)."""

    functions = frozenset((READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY))

    def __init__(
        self,
        chamber: Chamber | Sequence[Chamber],
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(address or 1, baud=9600)
        options = options or {}
        self.fahrenheit = options.get("unit") == "F"
        self.swapped = options.get("word_order") == "low_first"
        chambers = [*chamber] if isinstance(chamber, Sequence) else [chamber] * int(float(options.get("zones", 1)))
        self.zones = [ZoneControl(each, None if seed is None else seed + k) for k, each in enumerate(chambers)]
        for k, zone in enumerate(self.zones):
            self._offer(zone, ZONE * k)

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return ("cel",)

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person sets `cel` of the first zone."""
        self.zones[0].set(min(max(value, LOWEST), HIGHEST), now)

    def _offer(self, zone: ZoneControl, at: int) -> None:
        def degrees(cel: float) -> float:
            return convert(cel, "Cel", "[degF]") if self.fahrenheit else cel

        def set_point(value: float, now: float) -> None:
            if not LOWEST <= value <= HIGHEST:
                raise ModbusError(ILLEGAL_VALUE)
            zone.set(convert(value, "[degF]", "Cel") if self.fahrenheit else value, now)

        def offset(value: float, now: float) -> None:
            zone.state.offset = value / 1.8 if self.fahrenheit else value

        self._float(360 + at, lambda now: degrees(zone.value(now)))
        self._word(362 + at, lambda now: zone.state.error)
        self._word(368 + at, lambda now: THERMOCOUPLE)
        self._float(382 + at, lambda now: zone.state.offset * (1.8 if self.fahrenheit else 1.0), offset)
        for number, value in ((386, 0.5), (388, 0.0), (390, 100.0), (392, -200.0), (394, 1372.0)):
            self._float(number + at, lambda now, value=value: value)
        self._float(1904 + at, zone.output)
        self._float(2160 + at, lambda now: degrees(zone.state.set_point), set_point)

    def _float(self, at: int, get: Callable[[float], float], put: Callable[[float, float], None] | None = None) -> None:
        def turned(data: bytes) -> bytes:
            return data[2:] + data[:2] if self.swapped else data

        def write(data: bytes, now: float) -> None:
            assert put is not None
            put(struct.unpack(">f", turned(data))[0], now)

        self.add(at, 2, lambda now: turned(struct.pack(">f", get(now))), write if put else None, whole=False)

    def _word(self, at: int, get: Callable[[float], int]) -> None:
        self.add(at, 2, lambda now: struct.pack(">HH", get(now), 0), whole=False)

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def power_cycle(self, now: float) -> list[Action]:
        """Everything is kept (X)."""
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return {"zones": [asdict(zone.state) for zone in self.zones]}

    def restore(self, saved: dict[str, object]) -> None:
        for zone, each in zip(self.zones, cast("list[dict[str, Any]]", saved["zones"]), strict=True):
            zone.restore(each)
