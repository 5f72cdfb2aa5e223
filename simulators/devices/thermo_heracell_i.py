"""Thermo HERAcell i, VIOS and STERI-CYCLE i incubators seen from the cable: telegrams over a chamber; sheet
thermo-heracell-i.md.

Guesses where the sheet has a question mark: the newest logger entry comes first (option `log_order` = oldest turns it
round); a damaged telegram is answered with the address it seems to have; a write to what can only be read is `?1`; the
auto-start status is as long as its pattern (30 characters, the sheet prints 25). Addresses 2010, 2020, 2030 answer only
with option `unverified` (X), set points can be written only at the addresses of option `profile`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from drivers.core import registers
from drivers.core.registers import Row
from drivers.core.wire import thermo
from drivers.core.wire.thermo import Telegram
from simulators.core.noise import noise
from simulators.core.simulator import Action, Event
from simulators.core.surroundings import Chamber
from simulators.core.text import TextUnit

BEGINS = datetime(2026, 11, 24, 14, 30)
MOST_ENTRIES = 2000
"""Of the logger ring; ours."""
BLOCK = 7
PERIODIC, LAST = 0x01, 0xFF
DAMAGED, UNKNOWN, OUTSIDE = "?0", "?1", "?3"
SET_EVENTS = {"temperature_setpoint": 0x10, "co2_setpoint": 0x11, "o2_setpoint": 0x12}
AT_PANEL = {"cel": "temperature_setpoint", "co2": "co2_setpoint", "o2": "o2_setpoint"}
LOOPS = {"2010": "temperature_setpoint", "2020": "co2_setpoint", "2030": "o2_setpoint"}
NOISE = (0.03, 0.03, 0.05, 0.3)
"""Standard deviations of temperature, CO2, O2, rH when a seed is given; ours."""
_CAPITAL = re.compile(rb"[?!]:[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:")


@dataclass(slots=True)
class State:
    """All of it survives a power failure. Entries are as they go on the wire, the oldest first; times bench seconds."""

    set_points: dict[str, float] = field(
        default_factory=lambda: {"temperature_setpoint": 37.0, "co2_setpoint": 5.0, "o2_setpoint": 20.9}
    )
    entries: list[str] = field(default_factory=list[str])
    errors: str = ""
    began_at: float | None = None
    """When the clock stood at BEGINS."""
    next_at: float = 0.0
    pointer: int = 0
    """Entries already told by 2400 and 2401."""
    told: int = 0
    """Where the last block began, for 2402."""
    interval_s: float = 60.0
    door_open: bool = False
    disinfection: int = 0
    disinfection_until: float = 0.0
    auto_start: int = 0
    co2_cylinder: int = 0x11
    o2_cylinder: int = 0x11
    draws: int = 0


class ThermoHeracellI(TextUnit):
    """Options: `unverified` (1 = the recalled addresses answer), `profile` (the file the driver takes), `log_order`
    (newest or oldest first), `baud`, `dialect` (heracell, or isotemp: the refrigerator's clock and addresses)."""

    state: State
    check: ClassVar[thermo.Check] = staticmethod(thermo.inverted_xor)

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        options = options or {}
        super().__init__(int(float(options.get("baud", 9600))), processing_s=0.02)
        self.chamber, self.seed = chamber, seed
        self.unverified = bool(float(options.get("unverified", 0)))
        self.newest_first = options.get("log_order", "newest") == "newest"
        self.isotemp = options.get("dialect", "heracell") == "isotemp"
        path = str(options.get("profile", ""))
        self.places: list[Row] = list(registers.parse(Path(path).read_text("utf-8"), path).values()) if path else []
        self.state = State()
        self._handed_over = False

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        """The next entry of the logger, once the incubator has been looked at."""
        return None if self.state.began_at is None else self.state.next_at

    def wake(self, now: float) -> list[Action]:
        self._advance(now)
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        self._advance(now)
        return super().receive(event, now)

    def restarted(self, now: float) -> list[Action]:
        self._advance(now)
        self._log(0x30, now)
        self._handed_over = False
        return []

    def restore(self, saved: dict[str, object]) -> None:
        super().restore(saved)
        self._handed_over = False

    # -- at the panel

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return tuple(AT_PANEL)

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person changes a set point, by its name here or as cel, co2, o2."""
        name = AT_PANEL.get(name, name)
        self.state.set_points[name] = value
        self._log(SET_EVENTS[name], now)
        self._hand_over(now)

    def disinfect(self, now: float, hours: float = 25.0) -> None:
        """A person starts the disinfection run: it is shown, the chamber is left alone."""
        s = self.state
        s.disinfection, s.disinfection_until = 5, now + 3600 * hours
        self._log(0x60, now)

    # -- time

    def clock(self, now: float) -> datetime:
        began_at = self.state.began_at
        return BEGINS + timedelta(seconds=0.0 if began_at is None else now - began_at)

    def _advance(self, now: float) -> None:
        """Write what the logger was to write until now, and see the door."""
        s = self.state
        if not self._handed_over:
            self._hand_over(now)
        if s.began_at is None:
            s.began_at, s.next_at = now, now
        if now - s.next_at > MOST_ENTRIES * s.interval_s:
            s.next_at = now
        while now >= s.next_at:
            self._log(PERIODIC, s.next_at, now)
            s.next_at += s.interval_s
        if (door := self.chamber.air(now).door_open) != s.door_open:
            s.door_open = door
            self._log(0x31 if door else 0x32, now)
        if s.disinfection and now >= s.disinfection_until:
            s.disinfection = 0
            self._log(0x63, now)

    def _log(self, event: int, at: float, seen_at: float = 0.0) -> None:
        """16 bytes: event, date and time, device status, four values (the air as it is at `seen_at`)."""
        when = self.clock(at)
        values = (0, 0, 0, 0)
        if event == PERIODIC:
            air = self.chamber.air(seen_at)
            true = [air.cel, air.co2_percent, air.o2_percent, air.rh_percent]
            for channel, spread in enumerate(NOISE):
                if self.seed is not None:
                    self.state.draws += 1
                    true[channel] += spread * noise(self.seed, self.state.draws)
            values = tuple(0 if math.isnan(value) else round(10 * value) for value in true)
        elif event in SET_EVENTS.values():
            values = (*(round(10 * value) for value in self.state.set_points.values()), 0)
        head = bytes((event, when.day, when.month, when.year % 100, when.hour, when.minute, 0, 0))
        tail = b"".join((value & 0xFFFF).to_bytes(2, "big") for value in values)
        self.state.entries.append((head + tail).hex())
        del self.state.entries[:-MOST_ENTRIES]

    def _hand_over(self, now: float) -> None:
        self._handed_over = True
        cel, co2, o2 = self.state.set_points.values()
        self.chamber.set_points(now, cel, co2, o2 if o2 < 20.9 else None)

    # -- telegrams

    def message(self, text: bytes, now: float) -> bytes:
        text = text.removeprefix(b"\n")
        telegram = thermo.parse(text, type(self).check)
        if telegram is None or not text.startswith(telegram.kind.encode()):
            seen = _CAPITAL.match(text)
            return self._answer(text[2:6].decode().lower(), DAMAGED) if seen else b""
        if telegram.kind == "!":
            return self._answer(telegram.address, self._take(telegram.address, telegram.payload, now))
        return self._answer(telegram.address, self._tell(telegram.address, now))

    def _answer(self, address: str, payload: str) -> bytes:
        return thermo.build(Telegram("!", address, payload), type(self).check)

    def _tell(self, address: str, now: float) -> str:
        s, when = self.state, self.clock(now)
        if self.isotemp:
            known = {"0001": "50111927", "0010": f"{when:%d.%m.%y;%H:%M:%S}", "3010": "+004.00;+004.10;+004.00;+004.20"}
            return known.get(address, UNKNOWN)
        match address:
            case "0001":
                return "50111927"
            case "0010":
                return f"{when:%H:%M:%S;%d:%m:%y}"
            case "0011":
                return f"{when:%d:%m:%y}"
            case "0012":
                return f"{when:%H:%M:%S}"
            case "2010" | "2020" | "2030" if self.unverified:
                return self._three(address, now)
            case "2100":
                left = max(0, round((s.disinfection_until - now) / 60)) if s.disinfection else 0
                return f"{s.disinfection:02X};+{left // 60:03d}:{left % 60:02d};24.11.26;14:30"
            case "2105":
                return f"{s.auto_start:02X};05.0;+000:00;24.11.26;14:30"
            case "2140":
                return f"{s.co2_cylinder:02x}"
            case "2141":
                return f"{s.o2_cylinder:02x}"
            case "2300":
                return s.errors
            case "2301":
                return ""
            case "2400":
                s.pointer = 0
                return self._block()
            case "2401":
                return self._block()
            case "2402":
                s.pointer = s.told
                return self._block()
            case "2410":
                whole = round(s.interval_s)
                return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
            case _:
                return self._tell_place(address)

    def _block(self) -> str:
        """The next seven entries; the mark `ff` follows the last one."""
        s = self.state
        in_order = s.entries[::-1] if self.newest_first else s.entries
        chosen = [*in_order, f"{LAST:02x}" + "0" * 30][s.pointer : s.pointer + BLOCK]
        s.told = s.pointer
        s.pointer += len(chosen)
        return "".join(chosen)

    def _three(self, address: str, now: float) -> str:
        """Set, actual, reference (X)."""
        air = self.chamber.air(now)
        actual = {"2010": air.cel, "2020": air.co2_percent, "2030": air.o2_percent}[address]
        actual = 0.0 if math.isnan(actual) else actual  # of a broken sensor; ours
        return ";".join(f"{value:+07.2f}" for value in (self.state.set_points[LOOPS[address]], actual, actual))

    def _tell_place(self, address: str) -> str:
        """What a profile says is there: its field among as many as are needed."""
        for row in self.places:
            if row.extra["read"] == address:
                value = spelled(row.extra["format"], self.state.set_points[row.name])
                return ";".join([*(["+000.00"] * (int(row.extra["field"]) - 1)), value])
        return UNKNOWN

    def _take(self, address: str, payload: str, now: float) -> str:
        """A write: only where a profile allows it."""
        for row in self.places:
            if row.extra["write"] == address:
                try:
                    value = float(payload)
                except ValueError:
                    return DAMAGED
                if len(payload) != len(row.extra["format"]):
                    return DAMAGED
                if not (row.low or 0.0) <= value <= (row.high or 0.0):
                    return OUTSIDE
                self.set_at_panel(row.name, value, now)
                return ""
        return UNKNOWN


def spelled(form: str, value: float) -> str:
    """`value` in the form +000.00 or 00.0."""
    digits = form.lstrip("+")
    text = f"{value:0{len(digits)}.{len(digits.partition('.')[2])}f}"
    return f"+{text}" if form.startswith("+") else text


class ThermoViosCr(ThermoHeracellI):
    """The clean-room VIOS: CRC-8 instead of the exclusive-or."""

    check: ClassVar[thermo.Check] = staticmethod(thermo.crc8)
