"""The register image every Vaisala probe has: settings that are taken or silently left, and an identification."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from drivers.core.wire import modbus_identification
from drivers.core.wire.modbus import READ_HOLDING, READ_INPUT, WRITE_MANY, Request, refusal
from simulators.core.modbus import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.simulator import Action
from simulators.core.surroundings import Chamber

NOT_A_NUMBER = bytes.fromhex("00007FC0")
"""Low word first; printed for a sister product, X here."""
CONFORMITY = 0x83
"""Extended identification, stream and individual access (X)."""


class Setting(NamedTuple):
    """One field that can be written: wire address, f = float or H = word, where it is kept, and what it takes."""

    wire: int
    form: str
    name: str
    low: float
    high: float

    @property
    def registers(self) -> int:
        return 2 if self.form == "f" else 1


def floats(*values: float) -> bytes:
    """Register bytes of binary32 values, low word first; what is not finite comes as the guide's quiet NaN."""
    out = b""
    for value in values:
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        out += struct.pack(">HH", low, high) if math.isfinite(value) else NOT_A_NUMBER
    return out


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


class Probe(ModbusUnit):
    """Address 240 unless told otherwise. Options: serial, function_04 (on or off; public programs read with 04)."""

    settings: ClassVar[tuple[Setting, ...]]
    product: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[str] = "1.2.3"

    def __init__(
        self, chamber: Chamber, address: int, seed: int | None, options: Mapping[str, float | str] | None
    ) -> None:
        address = address or 240  # 0 is everybody on a Modbus line
        super().__init__(address)
        options = options or {}
        self.chamber, self.seed = chamber, seed
        self.values: dict[str, float] = {}
        """Settings by name, as stored."""
        self.objects = {
            0: "Vaisala",
            1: self.product,
            2: self.version,
            3: "http://www.vaisala.com/",
            4: self.name,
            128: str(options.get("serial", f"K{710040 + (address - 240) % 248:07d}")),
            129: "2020-01-31",
            130: "Vaisala/HEL",
        }
        reading = {READ_HOLDING, READ_INPUT} if options.get("function_04", "on") == "on" else {READ_HOLDING}
        self.functions = frozenset({*reading, WRITE_MANY})
        self._by_wire = {each.wire + k: each for each in self.settings for k in range(each.registers)}

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def answer(self, request: Request, now: float) -> bytes:
        if request.function != modbus_identification.ENCAPSULATED or request.address != self.address:
            return super().answer(request, now)
        kind = request.data[:1]
        if kind != bytes((modbus_identification.IDENTIFICATION,)):
            return refusal(request, ILLEGAL_FUNCTION)
        return modbus_identification.reply(request, self.objects, CONFORMITY) or refusal(request, ILLEGAL_ADDRESS)

    def stored(self, first: int, count: int) -> bytes:
        """Register bytes of the settings from wire address `first` on."""
        out, at = b"", first
        while at < first + count:
            each = self._by_wire[at]
            value = self.values[each.name]
            out += floats(value) if each.form == "f" else words(int(value))
            at += each.registers
        return out

    def write_span(self, start: int, data: bytes, now: float) -> None:
        """Take every field that lies whole in the span and is in its range; the others stay, and nobody is told (V)."""
        count = len(data) // 2
        if not count:
            raise ModbusError(ILLEGAL_VALUE)
        if any(register not in self._by_wire for register in range(start, start + count)):
            raise ModbusError(ILLEGAL_ADDRESS)
        for each in dict.fromkeys(self._by_wire[register] for register in range(start, start + count)):
            skip = 2 * (each.wire - start)
            if skip < 0 or skip + 2 * each.registers > len(data):
                continue  # half a float (X: left alone)
            part = data[skip : skip + 2 * each.registers]
            value = struct.unpack(">f", part[2:] + part[:2])[0] if each.form == "f" else int.from_bytes(part, "big")
            if math.isfinite(value) and each.low <= value <= each.high:
                self.values[each.name] = value
                self.taken(each, now)

    def taken(self, setting: Setting, now: float) -> None:
        """A field was stored."""
