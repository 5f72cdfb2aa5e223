"""The text protocol of a GMP251 in chamber air: commands that end with CR, lines that end with CR LF.

Where the sheet does not know the reply of a command (env, snum, vers, errs, ?, help, time ...) nothing is said, and
nothing to an unknown word. While starting the value is six stars (X). The POLL mode needs `open` first (its reply: ?).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event, Send
from simulators.core.surroundings import Chamber
from simulators.core.text import TextUnit

DEFAULT_FORMAT = '6.0 "CO2=" CO2 " " U3 #r #n'
WARM_UP_S = 30.0
SAMPLE_S = 2.0
NOISE = 0.002
UNITS: Mapping[str, float] = {"s": 1.0, "min": 60.0, "h": 3600.0}
_ITEM = re.compile(r'"[^"]*"|\S+')


@dataclass(slots=True)
class State:
    """`format`, `interval_s`, `mode` and `address` are kept without power; the rest is not."""

    format: str = DEFAULT_FORMAT
    interval_s: float = 2.0
    interval_text: str = "2 S"
    mode: str = "stop"
    address: int = 0
    delay_ms: float = 0.0
    next_at: float | None = None
    """When the next unasked line is due; None = not in continuous output."""
    started: bool = False
    """Somebody has been heard: a probe built in RUN mode streams from then on."""
    connected: bool = True
    ready_at: float = 0.0


class VaisalaGmp25xText(TextUnit):
    """Options: mode (stop, run or poll), echo (on or off), interval_s, format."""

    ends: ClassVar[bytes] = b"\r\x1b"

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(baud=19200)
        options = options or {}
        self.chamber, self.seed = chamber, seed
        self.echo = options.get("echo", "off") == "on"
        self.state = State(
            format=str(options.get("format", DEFAULT_FORMAT)),
            mode=str(options.get("mode", "stop")),
            interval_s=float(options.get("interval_s", 2.0)),
            address=address,
        )
        self.state.connected = self.state.mode != "poll"

    # -- speaking unasked

    @property
    def wake_at(self) -> float | None:
        return self.state.next_at

    def wake(self, now: float) -> list[Action]:
        s = self.state
        if s.next_at is None or now < s.next_at:
            return []
        s.next_at += s.interval_s
        return [Send(0.0, self.line(now))]

    def restarted(self, now: float) -> list[Action]:
        s = self.state
        s.ready_at = now + WARM_UP_S
        s.connected = s.mode != "poll"
        s.next_at = now + s.interval_s if s.mode == "run" else None
        return []

    # -- answering

    def receive(self, event: Event, now: float) -> list[Action]:
        if type(event) is Bytes and b"\x1b" in event.data:
            self.state.next_at = None  # Esc ends the output as `s` does, whatever stands before it
        return super().receive(event, now)

    def message(self, text: bytes, now: float) -> bytes:
        if not self.state.started:
            self.state.started = True
            if self.state.mode == "run":
                self.state.next_at = now + self.state.interval_s
        reply = self._reply(text.decode("latin-1").strip(), now)
        return text + b"\r\n" * bool(text) + reply if self.echo else reply

    def _reply(self, text: str, now: float) -> bytes:
        s = self.state
        word, _, rest = text.partition(" ")
        word, rest = word.lower(), rest.strip()
        if not s.connected:
            if word == "open" and rest == str(s.address):
                s.connected = True
            return b""
        match word:
            case "send":
                return self.line(now)
            case "r":
                s.next_at = now + s.interval_s
                return b""
            case "s":
                s.next_at = None
                return b""
            case "intv":
                return self._interval(rest)
            case "form":
                return self._form(rest)
            case "addr":
                if rest.isdecimal() and int(rest) <= 254:
                    s.address = int(rest)
                return f"Address : {s.address}\r\n".encode()
            case "close":
                s.connected = s.mode != "poll"
                return b"line closed\r\n"
            case "smode":
                if rest.lower() in ("run", "stop", "poll", "modbus"):
                    s.mode = rest.lower()
                return f"Serial mode : {s.mode.upper()}\r\n".encode()
            case _:
                return b""

    def _interval(self, rest: str) -> bytes:
        s = self.state
        number, _, unit = rest.partition(" ")
        if number.isdecimal() and unit.lower() in UNITS and int(number):
            s.interval_s, s.interval_text = int(number) * UNITS[unit.lower()], f"{number} {unit.upper()}"
        return f"Output interval: {s.interval_text}\r\n".encode()

    def _form(self, rest: str) -> bytes:
        if not rest:
            return self.state.format.encode("latin-1") + b"\r\n"
        self.state.format = DEFAULT_FORMAT if rest == "/" else rest
        return b"OK\r\n"

    # -- a measurement line

    def line(self, now: float) -> bytes:
        """One line in the format: `x.y` number format, texts, quantities, `Ux` unit, `cs4` check sum, #t #r #n #nnn."""
        air = self.chamber.air(now)
        ppm = 1e4 * air.co2_percent
        if self.seed is not None:
            ppm *= 1 + NOISE * noise(self.seed, int(now // SAMPLE_S))
        quantities = {"co2": (ppm, "ppm"), "co2%": (ppm / 1e4, "%"), "tcomp": (air.cel, "'C")}
        quantities |= {"pcomp": (1013.25, "hPa"), "o2comp": (0.0, "%"), "rhcomp": (0.0, "%RH")}
        out, unit, width, decimals = "", "", 6, 0
        for item in _ITEM.findall(self.state.format):
            low = item.lower()
            if item[0] == '"':
                out += item.strip('"')
            elif low in quantities:
                value, unit = quantities[low]
                waiting = now < self.state.ready_at and low.startswith("co2")
                out += "*" * width if waiting else f"{value:{width}.{decimals}f}"
            elif re.fullmatch(r"\d+\.\d+", item):
                width, decimals = (int(each) for each in item.split("."))
            elif re.fullmatch(r"u\d+", low):
                out += f"{unit:<{int(low[1:])}}"
            elif low == "cs4":
                out += f"{sum(out.encode('latin-1')) & 0xFF:02X}"
            elif low == "addr":
                out += str(self.state.address)
            elif item[0] in "#\\":
                out += {"t": "\t", "r": "\r", "n": "\n"}.get(low[1:], chr(int(low[1:]) if low[1:].isdecimal() else 63))
        return out.encode("latin-1", "replace")
