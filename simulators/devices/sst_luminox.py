"""LuminOx oxygen sensor seen from the cable: letters over chamber air; sheet sst-luminox-o2.md.

Guesses: the mode is 0 again after power-up; a line without CR is `E 02`, one of more than 32 characters `E 00`; in the
three seconds after power-up the values are 0 and the status 0001; the line of a LOX-01 is that of a LOX-02 without P
and %; queries are answered in mode 2 too, with the last values.
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

PERIOD_S = 1.0
START_UP_S = 3.0
LONGEST_COMMAND = 32
MOST_HPA, MOST_PERCENT = 300.0, 25.0
"""The range ends there: more oxygen shows no more."""
HPA_NOISE = 0.1
"""Standard deviation of the partial pressure when a seed is given (X)."""
STREAMING, POLLING, OFF = 0, 1, 2


@dataclass(slots=True)
class State:
    """Volatile but for nothing: the mode falls back to streaming."""

    mode: int = STREAMING
    next_at: float | None = None
    """When the next line of the stream is due."""
    ready_at: float = 0.0
    status: int = 0
    sample: int = -1
    """Number of the second whose values are shown."""
    oxygen_hpa: float = 0.0
    pressure_hpa: float = 1013.0
    cel: float = 0.0


class SstLuminoxLox02(TextUnit):
    """Options: serial (number), order (H = O T P % e, status = e before %), nul (1 = a stray NUL after power-up)."""

    ends: ClassVar[bytes] = b"\n"
    barometer: ClassVar[bool] = True

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(baud=9600)
        options = options or {}
        self.chamber, self.seed = chamber, seed
        self.serial = int(options.get("serial", 8117823))
        self.letters = "OTPe%" if options.get("order") == "status" else "OTP%e"
        if not self.barometer:
            self.letters = self.letters.replace("P", "").replace("%", "")
        self.nul = bool(float(options.get("nul", 0)))
        self.state = State()

    # -- the stream

    @property
    def wake_at(self) -> float | None:
        return self.state.next_at if self.state.mode == STREAMING else None

    def wake(self, now: float) -> list[Action]:
        s = self.state
        if s.mode != STREAMING or s.next_at is None or now < s.next_at:
            return []
        s.next_at = max(s.next_at + PERIOD_S, now)
        line = self.line(now)
        return [Send(len(line) * self.bits / self.baud, line)]

    def receive(self, event: Event, now: float) -> list[Action]:
        if self.state.next_at is None:
            self.state.next_at = now + PERIOD_S
        if isinstance(event, Bytes) and b"\n" not in event.data and len(self.received) + len(event.data) > 200:
            self.received.clear()
        return super().receive(event, now)

    def restarted(self, now: float) -> list[Action]:
        self.state = State(next_at=now + PERIOD_S, ready_at=now + START_UP_S, status=self.state.status)
        return [Send(0.01, b"\0")] if self.nul else []

    # -- answers

    def message(self, text: bytes, now: float) -> bytes:
        if len(text) > LONGEST_COMMAND:
            return b"E 00\r\n"
        if not text.endswith(b"\r"):
            return b"E 02\r\n"
        return self._answer(text[:-1].decode("latin-1"), now).encode() + b"\r\n"

    def _answer(self, text: str, now: float) -> str:
        match re.fullmatch(r"(.)(?: ?(\S+))?", text):
            case re.Match() as found:
                letter, argument = found[1], found[2]
            case _:
                return "E 01"
        if letter == "M":
            return self._mode(argument, now)
        if letter == "#":
            return self._about(argument)
        if argument is not None:
            return "E 03" if letter in self.letters else "E 01"
        if letter == "A":
            return self.line(now)[:-2].decode()
        return self.item(letter, now) if letter in self.letters else "E 01"

    def _mode(self, argument: str | None, now: float) -> str:
        s = self.state
        if argument is not None:
            if argument not in ("0", "1", "2", "00", "01", "02"):
                return "E 03"
            self._look(now)
            if s.mode != STREAMING and int(argument) == STREAMING:
                s.next_at = now + PERIOD_S
            s.mode = int(argument)
        return f"M {s.mode:02d}"

    def _about(self, argument: str | None) -> str:
        match argument:
            case "0":
                return "# 02024 00123"
            case "1":
                return f"# {self.serial // 65536:05d} {self.serial % 65536:05d}"
            case "2":
                return "# 00115"
            case _:
                return "E 03"

    # -- values

    def _look(self, now: float) -> None:
        """Measure once a second, unless off."""
        s = self.state
        sample = int(now // PERIOD_S)
        if sample == s.sample or s.mode == OFF:
            return
        air = self.chamber.air(now)
        s.sample, s.cel, s.pressure_hpa = sample, air.cel, air.pressure_hpa
        spread = 0.0 if self.seed is None else HPA_NOISE * noise(self.seed, sample)
        s.oxygen_hpa = min(MOST_HPA, max(0.0, air.o2_percent / 100 * air.pressure_hpa + spread))

    def item(self, letter: str, now: float) -> str:
        """One letter with its field: fixed width, zeros in front."""
        self._look(now)
        s = self.state
        starting = now < s.ready_at
        match letter:
            case "O":
                return f"O {0.0 if starting else s.oxygen_hpa:06.1f}"
            case "T":
                return f"T {s.cel:+05.1f}"
            case "P":
                return f"P {s.pressure_hpa:04.0f}"
            case "%":
                percent = 0.0 if starting else min(MOST_PERCENT, 100 * s.oxygen_hpa / s.pressure_hpa)
                return f"% {percent:06.2f}"
            case _:
                return f"e {s.status or starting:04d}"

    def line(self, now: float) -> bytes:
        return " ".join(self.item(letter, now) for letter in self.letters).encode() + b"\r\n"


class SstLuminoxLox01(SstLuminoxLox02):
    """Partial pressure only."""

    barometer = False
