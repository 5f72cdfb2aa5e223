"""An Alicat on Modbus RTU; sheet alicat-mfc.md, numbers from 1. Half a 32-bit value gets exception 02 (X)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.simulator import Action
from simulators.core.surroundings import GasLine
from simulators.devices.alicat_mfc.body import GAS_NAMES, FlowBody, Sensed, State

OK, BAD_ID, BAD_SETTING, UNSUPPORTED, MIX_INDEX, MIX_GAS, MIX_PERCENT = 0, 32769, 32770, 32771, 32772, 32773, 32774
BIT = {"POV": 6, "OVR": 7, "HLD": 8, "ADC": 9, "EXH": 10, "OPL": 11, "TMF": 12, "aborted": 13}


class AlicatMfcModbus(FlowBody, ModbusUnit):
    """MC series with the Modbus option; options as those of the body."""

    def __init__(
        self,
        place: GasLine,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        ModbusUnit.__init__(self, address or 1)
        self.set_up(place, seed, options or {})
        self.state.address = self.address
        self.mix = bytes(20)
        self.seen: tuple[float, Sensed] | None = None
        self.add(999, 2, lambda now: struct.pack(">HH", *self.state.command), self._command)
        self.add(1009, 2, lambda now: struct.pack(">f", self.state.set_point), self._set_point)
        self.add(1049, 10, lambda now: self.mix, self._take_mix, whole=False)
        self.add(1199, 1, lambda now: self.state.gas.to_bytes(2, "big"), self._gas)
        self.add(1200, 2, lambda now: self._flags(now).to_bytes(4, "big"))
        self.add(1202, 2, lambda now: struct.pack(">f", self._now(now).psi))
        self.add(1204, 2, lambda now: struct.pack(">f", self._now(now).cel))
        self.add(1206, 2, lambda now: struct.pack(">f", self._now(now).volumetric))
        self.add(1208, 2, lambda now: struct.pack(">f", self._now(now).mass))

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def power_cycle(self, now: float) -> list[Action]:
        self.lose_power(now)
        self.address, self.seen, self.mix = self.state.address, None, bytes(20)
        self.forget_received()
        return []

    def snapshot(self) -> dict[str, object]:
        return {"state": asdict(self.state), "mix": self.mix.hex(), "address": self.address}

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved["state"]))
        self.mix, self.address, self.seen = bytes.fromhex(str(saved["mix"])), cast("int", saved["address"]), None

    def _now(self, now: float) -> Sensed:
        """One look a moment, so that the values of one reply belong together."""
        if self.seen is None or self.seen[0] != now:
            self.seen = now, self.sense(now)
        return self.seen[1]

    def _flags(self, now: float) -> int:
        sensed = self._now(now)
        flags = 0
        for word in self.status_words(sensed):
            match word:
                case "TOV":
                    flags |= 1 if sensed.cel > 0 else 2
                case "VOV":
                    flags |= 4 if sensed.volumetric > 0 else 8
                case "MOV":
                    flags |= 16 if sensed.mass >= 0 else 32
                case _:
                    flags |= 1 << BIT[word] if word in BIT else 0
        return flags

    # -- writing

    def _set_point(self, data: bytes, now: float) -> None:
        value = struct.unpack(">f", data)[0]
        if not math.isfinite(value):
            raise ModbusError(ILLEGAL_VALUE)
        self.take_set_point(value, now)
        self.seen = None

    def _gas(self, data: bytes, now: float) -> None:
        number = int.from_bytes(data, "big")
        if not self.has_gas(number):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.gas = number

    def _take_mix(self, data: bytes, now: float) -> None:
        self.mix = data

    def _command(self, data: bytes, now: float) -> None:
        number, argument = struct.unpack(">HH", data)
        self.state.command = [number, self._do(number, argument, now)]
        self.seen = None

    def _do(self, number: int, argument: int, now: float) -> int:
        """Command IDs of the sheet; PID terms and loop settings are taken and forgotten."""
        match number, argument:
            case 1, gas if self.has_gas(gas):
                self.state.gas = gas
            case 2, index:
                return self._make_mix(index)
            case 3, index if str(index) in self.state.mixes and index != self.state.gas:
                del self.state.mixes[str(index)]
            case 3, _:
                return MIX_INDEX
            case 4, 1:
                self.tare_pressure(now)
            case 4, 2:
                self.tare_flow(now)
            case 4, 0:
                return UNSUPPORTED
            case 5, 0:
                self.state.total = 0.0
            case 6, 0 | 1 | 2:
                self.hold_valve(("", "closed", "position")[argument], now)
            case 6, 3:
                return UNSUPPORTED
            case 7, 0 | 1:
                self.state.locked = bool(argument)
            case 12, 0:
                self.state.saved_set_point = self.state.set_point
            case 11, 0 | 1 | 2 | 3 | 4:
                self.state.loop_variable = (37, 36, 39, 34, 38)[argument]
            case (8 | 9 | 10, _) | (13, 1 | 2) | (14, 0 | 1 | 2):
                pass
            case 32767, address if 1 <= address <= 247:
                self.state.address = self.address = address
            case (1 | 4 | 5 | 6 | 7 | 11 | 12 | 13 | 14 | 32767, _):
                return BAD_SETTING
            case _:
                return BAD_ID
        return OK

    def _make_mix(self, index: int) -> int:
        cells = struct.unpack(">10H", self.mix)
        parts = [(gas, percent) for gas, percent in zip(cells[::2], cells[1::2], strict=True) if percent]
        if index and not 236 <= index <= 255:
            return MIX_INDEX
        if any(gas not in GAS_NAMES for gas, _ in parts):
            return MIX_GAS
        if sum(percent for _, percent in parts) != 10000 or not 2 <= len(parts) <= 5:
            return MIX_PERCENT
        number = index or next(free for free in range(255, 235, -1) if str(free) not in self.state.mixes)
        self.state.mixes[str(number)] = f"Mix{number}"
        return OK
