"""An Alicat on a line of text: unit ID, data frame, tables, streaming. Sheet alicat-mfc.md.

Ours where the sheet has a question mark: the widths of the tables; an ID change and the end of streaming are answered
with a data frame under the new ID; a unit that streams goes on after power loss; pressure tare needs a barometer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from simulators.core.simulator import Action, Send
from simulators.core.surroundings import GasLine
from simulators.core.text import TextUnit
from simulators.devices.alicat_mfc.body import GAS_NAMES, FlowBody

NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+))"
UNIT_CODES = {"SCCM": 12, "SLPM": 7, "NLPM": 17}
"""12 and 7 are in the sheet's examples (L, N); the other is ours."""
VOLUMETRIC = {"SCCM": "CCM", "SLPM": "LPM", "NLPM": "LPM"}
TIMES = {3: "ms", 4: "s", 5: "min", 6: "h", 7: "d"}
Answer = Callable[[re.Match[str], float], "str | None"]


class AlicatMeter(FlowBody, TextUnit):
    """M series with firmware 10v20. Options of the body, and: `serial`, `firmware`, `totalizer`, `barometer` (yes)."""

    baud_rate: ClassVar[int] = 19200
    controls: ClassVar[bool] = False
    signed: ClassVar[bool] = True
    firmware: ClassVar[str] = "10v20.0-R24"
    model_number: ClassVar[str] = "M"

    def __init__(
        self,
        place: GasLine,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        TextUnit.__init__(self, self.baud_rate, processing_s=0.005)
        options = options or {}
        self.set_up(place, seed, options)
        self.state.unit_id = chr(64 + (address or 1))
        self.state.address = address or 1
        self.serial = str(options.get("serial", "521641"))
        self.software = str(options.get("firmware", self.firmware))
        found = re.match(r"(\d+)v(\d+)", self.software)
        assert found is not None
        self.version = int(found[1]), int(found[2])
        self.totalizes = options.get("totalizer", "no") == "yes"
        self.barometer = options.get("barometer", "yes") == "yes"
        self.decimals = 2 if self.full_scale >= 100 else 3
        self.commands = [(re.compile(pattern), since, answer) for pattern, since, answer in self._commands()]

    # -- the cable

    @property
    def wake_at(self) -> float | None:
        return self.state.next_frame_at

    def wake(self, now: float) -> list[Action]:
        """One frame of the stream, without a unit ID (V)."""
        s = self.state
        if s.next_frame_at is None or now < s.next_frame_at:
            return []
        s.next_frame_at = now + s.stream_ms / 1000
        return [Send(0.0, self._frame(now)[2:].encode() + b"\r")]

    def restarted(self, now: float) -> list[Action]:
        self.lose_power(now)
        self.state.next_frame_at = now + 1.0 if self.state.streaming else None
        return []

    def message(self, text: bytes, now: float) -> bytes:
        """Case does not matter (V); NUL and other control characters make no command."""
        asked = text.decode("latin-1")
        s = self.state
        if s.streaming:
            stop = re.fullmatch(r"@@[= ]\s*([A-Za-z])", asked)
            if stop is None:
                return b""
            s.streaming, s.next_frame_at, s.unit_id = False, None, stop[1].upper()
            return (self._frame(now) + "\r").encode()
        if asked[:1].upper() != s.unit_id:
            return b""
        said = self._answer(asked[1:].removeprefix("$$"), now)
        return b"" if said is None else (said + "\r").encode("latin-1")

    def _answer(self, command: str, now: float) -> str | None:
        """The reply; None = silence, `?` = not understood (L, N)."""
        for pattern, since, answer in self.commands:
            found = pattern.fullmatch(command) or pattern.fullmatch(command.upper())
            if found is not None and self.version >= since:
                return answer(found, now)
        return "?"

    # -- what it says

    def _number(self, value: float, signal: str = "", signed: bool = True) -> str:
        if signal in self.state.dashed:
            return "-" * 7
        text = f"{value:+0{7}.{self.decimals}f}"
        return text if signed else text[1:]

    def _frame(self, now: float) -> str:
        s, sensed = self.state, self.sense(now)
        cells = [
            s.unit_id,
            f"{sensed.psi:+07.2f}" if "pressure" not in s.dashed else "-" * 7,
            f"{sensed.cel:+07.2f}" if "temperature" not in s.dashed else "-" * 7,
            self._number(sensed.volumetric, "volumetric"),
            self._number(sensed.mass, "mass"),
        ]
        if self.controls:
            cells.append(self._number(s.set_point, "set point", self.signed))
        if self.totalizes:
            cells.append(f"{s.total:+011.{self.decimals}f}")
        cells.append(f"{self.gas_name():>6}")
        return " ".join([*cells, *self.status_words(sensed)])

    def _flow(self, value: float) -> str:
        return f"{value:+0{7}.{self.decimals}f}"

    def _manufacturer(self, found: re.Match[str], now: float) -> str:
        name = f"{self.model_number}-{self.full_scale:g}{self.unit}-D"
        facts = [
            "ALICAT SCIENTIFIC", "www.example.invalid", "Ph   000-000-0000", "info@example.invalid",
            f"Model Number {name}", f"Serial Number {self.serial}", "Date Manufactured 01/01/2025",
            "Date Calibrated   01/01/2025", "Calibrated By     XX", f"Software Revision {self.software}",
        ]  # fmt: skip
        which = found[1]
        chosen = range(10) if which == "*" else [int(which)]
        return "\r".join(f"{self.state.unit_id}  M{number:02d} {facts[number]}" for number in chosen)

    def _column_table(self, found: re.Match[str], now: float) -> str:
        """The canonical form of firmware 6v and later; the widths are ours."""
        flow = f"{7}/{self.decimals}"
        rows = [
            ("700", "Unit ID", "string", "1", ""),
            ("002", "Abs Press", "s decimal", "7/2", "010 02 PSIA"),
            ("003", "Flow Temp", "s decimal", "7/2", "002 02 `C"),
            ("004", "Volu Flow", "s decimal", flow, f"012 02 {VOLUMETRIC[self.unit]}"),
            ("005", "Mass Flow", "s decimal", flow, f"012 02 {self.unit}"),
        ]
        if self.controls:
            rows.append(("037", "Mass Flow Setpt", "s decimal", flow, f"012 02 {self.unit}"))
        if self.totalizes:
            rows.append(("009", "Totalizer", "s decimal", f"11/{self.decimals}", f"012 02 {self.unit[:-1]}"))
        rows.append(("703", "Gas", "string", "6", ""))
        rows += [("701", "*Error", "string", "3", word) for word in ("TOV", "VOV", "MOV", "POV", "ADC")]
        rows += [("702", "*Status", "string", "3", word) for word in ("HLD", "LCK", "OVR")]
        unit = self.state.unit_id
        lines = [f"{unit} D00 ID_ NAME______________________ TYPE_______ WIDTH NOTES___________________"]
        for number, (statistic, name, kind, width, notes) in enumerate(rows, 1):
            lines.append(f"{unit} D{number:02d} {statistic} {name:<26} {kind:<11} {width:>5} {notes}".rstrip())
        return "\r".join([*lines, ""])

    def _gas_table(self, found: re.Match[str], now: float) -> str:
        names = {number: short for number, (short, _) in GAS_NAMES.items()}
        names |= {int(number): name for number, name in self.state.mixes.items()}
        return "\r".join(f"{self.state.unit_id} G{number:02d} {name:>8}" for number, name in sorted(names.items()))

    # -- what it does

    def _commands(self) -> list[tuple[str, tuple[int, int], Answer]]:
        """Pattern behind the unit ID, the firmware it came with, and what it does."""
        always, six, seven, nine, ten = (0, 0), (6, 0), (7, 11), (9, 0), (10, 5)
        return [
            ("", always, lambda found, now: self._frame(now)),
            (r"(\d+)", always, self._legacy_set_point),
            ("S" + NUMBER, always, self._set_point),
            ("LS(?:" + NUMBER + ")?", nine, self._load_set_point),
            (r"G\s*(\d+)", always, self._gas),
            (r"GS(?:\s*(\d+)(?:\s+1)?)?", ten, self._gas_and_name),
            (r"W\s*46=(\d+)", always, self._write_gas_register),
            (r"R\s*46", always, lambda found, now: self._register(46, self.state.gas)),
            (r"W\s*122=(\d+)", always, self._write_loop_variable),
            (r"R\s*122", always, lambda found, now: self._register(122, self.state.loop_variable)),
            (r"(?:W\s*91=|NCS )\s*(\d+)", always, self._stream_interval),
            (r"VE", always, lambda found, now: f"{self.state.unit_id}   {self.software} Jan  9 2025,15:04:07"),
            (r"\?\?M(\*|\d)", always, self._manufacturer),
            (r"\?\?D\*", six, self._column_table),
            (r"\?\?G\*", always, self._gas_table),
            ("V", always, self._tare_flow),
            ("P", always, lambda found, now: "?"),
            ("PC", always, self._tare_absolute),
            ("T", always, self._reset_total),
            ("HP|H", always, lambda found, now: self._hold("position", now)),
            ("HC", always, lambda found, now: self._hold("closed", now)),
            ("C", always, lambda found, now: self._hold("", now)),
            ("([LU])", always, self._lock),
            (r"@[= ]?\s*([A-Z@])", always, self._change_id),
            (r"SR(?:" + NUMBER + r"\s+(\d))?", seven, self._ramp),
            (r"LSRC(?:((?:\s+[01]){4}))?", ten, self._ramp_cases),
            (r"LSS(?:\s*([SUA]))?", ten, self._source),
            (r"FPF\s*(\d+)", six, self._full_scale),
            (r"(?:GM|gm)\s+(\S{1,6})\s+(\d+)((?:\s+\d+(?:\.\d+)?\s+\d+){2,5})", always, self._mix),
            (r"GD\s*(\d+)", always, self._delete_mix),
        ]

    def _legacy_set_point(self, found: re.Match[str], now: float) -> str | None:
        return self._take(int(found[1]) / 64000 * self.full_scale, now)

    def _set_point(self, found: re.Match[str], now: float) -> str | None:
        return self._take(float(found[1]), now)

    def _take(self, value: float, now: float) -> str | None:
        """A meter has no set point and says nothing (L)."""
        if not self.controls:
            return None
        self.take_set_point(round(value, self.decimals), now)
        return self._frame(now)

    def _load_set_point(self, found: re.Match[str], now: float) -> str | None:
        if not self.controls:
            return None
        if found[1] is not None:
            self.take_set_point(round(float(found[1]), self.decimals), now)
        shown = self._flow(self.state.set_point)
        return f"{self.state.unit_id} {shown} {shown} {UNIT_CODES[self.unit]} {self.unit}"

    def _gas(self, found: re.Match[str], now: float) -> str:
        if not self.has_gas(int(found[1])):
            return "?"
        self.state.gas = int(found[1])
        return self._frame(now)

    def _gas_and_name(self, found: re.Match[str], now: float) -> str:
        if found[1] is not None:
            if not self.has_gas(int(found[1])):
                return "?"
            self.state.gas = int(found[1])
        number = self.state.gas
        short, long = GAS_NAMES.get(number, (self.gas_name(), self.gas_name()))
        return f"{self.state.unit_id} {number} {short} {long}"

    def _register(self, number: int, value: int) -> str:
        return f"{self.state.unit_id}   {number:03d} = {value}"

    def _write_gas_register(self, found: re.Match[str], now: float) -> str:
        if self.has_gas(int(found[1]) & 0x1FF):
            self.state.gas = int(found[1]) & 0x1FF
        return self._register(46, self.state.gas)

    def _write_loop_variable(self, found: re.Match[str], now: float) -> str:
        if int(found[1]) in (34, 36, 37, 38, 39):
            self.state.loop_variable = int(found[1])
        return self._register(122, self.state.loop_variable)

    def _stream_interval(self, found: re.Match[str], now: float) -> str:
        self.state.stream_ms = max(1, int(found[1]))
        return self._register(91, self.state.stream_ms)

    def _tare_flow(self, found: re.Match[str], now: float) -> str:
        self.tare_flow(now)
        return self._frame(now)

    def _tare_absolute(self, found: re.Match[str], now: float) -> str:
        if not self.barometer:
            return "?"
        self.tare_pressure(now)
        return self._frame(now)

    def _reset_total(self, found: re.Match[str], now: float) -> str:
        if not self.totalizes:
            return "?"
        self.sense(now)
        self.state.total = 0.0
        return self._frame(now)

    def _hold(self, how: str, now: float) -> str | None:
        if not self.controls:
            return None
        self.hold_valve(how, now)
        return self._frame(now)

    def _lock(self, found: re.Match[str], now: float) -> str:
        self.state.locked = found[1] == "L"
        return self._frame(now)

    def _change_id(self, found: re.Match[str], now: float) -> str | None:
        s = self.state
        if found[1] == "@":
            s.streaming, s.next_frame_at = True, now + s.stream_ms / 1000
            return None
        s.unit_id = found[1]
        return self._frame(now)

    def _ramp(self, found: re.Match[str], now: float) -> str:
        s = self.state
        if found[1] is not None:
            if int(found[2]) not in TIMES:
                return "?"
            s.ramp, s.ramp_time = float(found[1]), int(found[2])
        return f"{s.unit_id} {s.ramp:.7f} {UNIT_CODES[self.unit]} {s.ramp_time} {self.unit}/{TIMES[s.ramp_time]}"

    def _ramp_cases(self, found: re.Match[str], now: float) -> str:
        if found[1]:
            self.state.ramp_on = [int(cell) for cell in found[1].split()]
        return f"{self.state.unit_id} {' '.join(map(str, self.state.ramp_on))}"

    def _source(self, found: re.Match[str], now: float) -> str:
        if found[1]:
            self.state.source = found[1]
        return f"{self.state.unit_id} {self.state.source}"

    def _full_scale(self, found: re.Match[str], now: float) -> str:
        if int(found[1]) != 5:
            return "?"
        return f"{self.state.unit_id} {self._flow(self.full_scale)} {UNIT_CODES[self.unit]} {self.unit}"

    def _mix(self, found: re.Match[str], now: float) -> str:
        """2 to 5 gases, 100 % in all, number 236 to 255 or the next free one from 255 down (V)."""
        cells = found[3].split()
        parts = [(float(percent), int(gas)) for percent, gas in zip(cells[::2], cells[1::2], strict=True)]
        s, number = self.state, int(found[2])
        if not number:
            number = next((free for free in range(255, 235, -1) if str(free) not in s.mixes), 0)
        wrong_gas = any(gas not in GAS_NAMES for _, gas in parts)
        if wrong_gas or not 236 <= number <= 255 or abs(sum(percent for percent, _ in parts) - 100) > 1e-6:
            return "?"
        s.mixes[str(number)] = found[1]
        made_of = " ".join(f"{percent:.2f}% {GAS_NAMES[gas][0]}" for percent, gas in parts)
        return f"{s.unit_id} {number} {made_of}"

    def _delete_mix(self, found: re.Match[str], now: float) -> str:
        if found[1] not in self.state.mixes or int(found[1]) == self.state.gas:
            return "?"
        del self.state.mixes[found[1]]
        return f"{self.state.unit_id} {found[1]}"


class AlicatMfc(AlicatMeter):
    """MC series with firmware 10v20."""

    controls = True
    model_number = "MC"


class AlicatMfcOld(AlicatMfc):
    """MC series with firmware 8v30: set point without a sign, no LS, GS, LSRC, LSS."""

    signed = False
    firmware = "8v30.0-R24"
