"""The F4T's SCPI port (5025): one command a line, LF behind it; the chamber and its loops are those of the Modbus port.

Guesses where the sheet has a question mark: numbers come with two decimals; a question about what is not there and a
command nobody knows are not answered; a value outside the limits is left; upper and lower case are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar, cast

from drivers.core.units import convert
from simulators.core.modbus import ModbusError
from simulators.core.simulator import Action
from simulators.core.surroundings import Chamber
from simulators.core.text import TextUnit
from simulators.devices.watlow_f4t_ez_zone.f4t import CELSIUS, FAHRENHEIT, OFF, ON, WatlowF4t

RAMPS: Mapping[str, tuple[str, ...]] = {
    "RACTION": ("OFF", "STARTUP", "SETPOINT", "BOTH"),
    "RSCALE": ("HOURS", "MINUTES"),
    "RRATE": (),
    "RTIME": (),
}
"""Ramping: words that are taken; () = a number. It is kept and does nothing."""
PROGRAMS = {"START": (16562, 1782), "STOP": (16566, 148), "PAUSE": (16566, 146), "RESUME": (16564, 147)}
"""State -> the register and code that do the same over Modbus."""
_LINE = re.compile(r":?([A-Z0-9:*]+)(\?)?(?:\s+(.+))?", re.ASCII)
_UNIT_GLUED = re.compile(r"(:?UNITS?:TEMPERATURE)([CF])", re.ASCII)
"""One program leaves the blank out."""


class WatlowF4tScpi(TextUnit):
    """Options as of the Modbus port, network_unit for the unit here."""

    ends: ClassVar[bytes] = b"\n"

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(baud=1_000_000)
        self.controller = WatlowF4t(chamber, 1, seed, options)
        self.controller.on_network = True
        self.ramps: dict[str, str] = {}

    def message(self, text: bytes, now: float) -> bytes:
        line = _UNIT_GLUED.sub(r"\1 \2", text.decode("latin-1").strip().upper())
        found = _LINE.fullmatch(line)
        if found is None:
            return b""
        path, asked, value = found.groups()
        if asked:
            said = None if value else self._tell(path.split(":"), now)
            return b"" if said is None else said.encode() + b"\n"
        with suppress(ModbusError, ValueError, OverflowError):  # what is not taken has no reply either
            self._take(path.split(":"), value or "", now)
        return b""

    # -- questions

    def _tell(self, path: list[str], now: float) -> str | None:
        state = self.controller.follow(now)
        match path:
            case ["*IDN"]:
                return f"WATLOW,{self.controller.part},0123456789,04.07.0000"
            case ["SOURCE", loop, "PVALUE" | "SPOINT" as what] if (number := self._loop(loop)) is not None:
                value = self.controller.value(number, now) if what == "PVALUE" else state.loops[number].set_point
                return f"{self._degrees(value, number):.2f}"
            case ["SOURCE", loop, "RACTION" | "RRATE" | "RTIME" | "RSCALE" as what] if self._loop(loop) is not None:
                return self.ramps.get(loop + what, "OFF" if what == "RACTION" else "HOURS" if what == "RSCALE" else "0")
            case ["UNIT" | "UNITS", "TEMPERATURE"]:
                return "F" if state.network_unit == FAHRENHEIT else "C"
            case [output, "STATE" | "NAME" as what] if (number := self._output(output)) is not None:
                on = state.events[number] == ON
                return f'"OUTPUT {number + 1}"' if what == "NAME" else "ON" if on else "OFF"
            case ["PROGRAM", "NAME"]:
                return f'"PROFILE {state.to_start}"'
            case _:
                return None

    # -- settings

    def _take(self, path: list[str], value: str, now: float) -> None:
        """Raises ModbusError, ValueError or OverflowError for what is not taken."""
        state = self.controller.follow(now)
        match path:
            case ["SOURCE", loop, "SPOINT"] if (number := self._loop(loop)) is not None:
                wanted = self._plain(float(value), number)
                if state.loops[number].low <= wanted <= state.loops[number].high:
                    state.loops[number].set_point = wanted
                    self.controller.follow(now)
            case ["SOURCE", loop, what] if what in RAMPS and self._loop(loop) is not None:
                if value in RAMPS[what] or (not RAMPS[what] and float(value) >= 0):
                    self.ramps[loop + what] = value
            case ["UNIT" | "UNITS", "TEMPERATURE"] if value in ("C", "F"):
                state.network_unit = FAHRENHEIT if value == "F" else CELSIUS
            case [output, "STATE"] if (number := self._output(output)) is not None and value in ("ON", "OFF"):
                state.events[number] = ON if value == "ON" else OFF
            case ["PROGRAM", "NUMBER"]:
                self.controller.write_span(16558, int(value).to_bytes(2, "big"), now)
            case ["PROGRAM", "SELECTED", "STATE"] if value in PROGRAMS:
                register, code = PROGRAMS[value]
                self.controller.write_span(register, code.to_bytes(2, "big"), now)
            case _:
                pass

    def _loop(self, word: str) -> int | None:
        found = re.fullmatch(r"CLOOP([1-4])", word)
        return int(found[1]) - 1 if found is not None and int(found[1]) <= self.controller.loops else None

    def _output(self, word: str) -> int | None:
        found = re.fullmatch(r"OUTPUT([1-8])", word)
        return int(found[1]) - 1 if found is not None else None

    def _degrees(self, value: float, number: int) -> float:
        fahrenheit = not number and self.controller.state.network_unit == FAHRENHEIT
        return convert(value, "Cel", "[degF]") if fahrenheit else value

    def _plain(self, value: float, number: int) -> float:
        fahrenheit = not number and self.controller.state.network_unit == FAHRENHEIT
        return convert(value, "[degF]", "Cel") if fahrenheit else value

    # -- the Simulator seam

    def restarted(self, now: float) -> list[Action]:
        return self.controller.power_cycle(now)

    def snapshot(self) -> dict[str, object]:
        received = self.received.decode("latin-1")
        return {"controller": self.controller.snapshot(), "ramps": dict(self.ramps), "received": received}

    def restore(self, saved: dict[str, object]) -> None:
        self.controller.restore(cast("dict[str, object]", saved["controller"]))
        self.ramps = dict(cast("dict[str, str]", saved["ramps"]))
        self.received = bytearray(str(saved["received"]).encode("latin-1"))
