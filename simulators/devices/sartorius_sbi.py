"""Sartorius balance seen from the cable: SBI over a pan (datasheet sartorius-sbi.md).

A command is ESC and a letter, or ESC, a small letter, a number and `_`; CR and LF behind it are passed over. Guesses
(X): what comes while a print is worked on is ignored; an internal adjustment takes 20 s and needs an empty pan; a
restart takes 3 s and says nothing; taring and zeroing take what is on the pan at once, moving or not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Pan

ESC = "\x1b"
PROCESSING_S = 0.05
"""Programs that wait 0.15 s get their reply (S); the figure is ours (X)."""
LOOK_S = 0.3
"""Time between looks while waiting for stability (X)."""
ADJUST_S = 20.0
START_S = 3.0
STABLE_DIGITS_PER_S = 1.0
"""A reading that changes by less than this many digits a second counts as standing still (X)."""
EMPTY_G = 1.0
UNDERLOAD_G = -20.0
NOISE_DIGITS = 0.3
"""Standard deviation of a reading in digits when a seed is given (X)."""
CHARACTER_S = 11 / 9600
"""Start, eight data bits, parity, stop."""


@dataclass(slots=True)
class State:
    """What the balance remembers; times in bench seconds."""

    zero_g: float = 0.0
    tare_g: float = 0.0
    unit: str = "g"
    filter: str = "L"
    locked: bool = False
    off: bool = False
    """Switched off at the face plate."""
    beeps: int = 0
    adjusting_until: float = 0.0
    dark_until: float = 0.0
    printing: bool = False
    look_at: float | None = None
    auto_at: float | None = None
    seen_g: float = 0.0
    seen_at: float = 0.0
    draws: int = 0
    received: str = ""


class SartoriusBalance:
    """0.01 g and 5100 g by default.

    Options: model, serial, resolution_g, capacity_g, form (22 or 16 characters), code (N or G), comma (1 = decimal
    comma), output (now, or stable: a print waits until the pan stands still), auto_s (prints by itself), power_on
    (zero = taken anew, keep), protocol (sbi or xbpi: then nothing here is answered).
    """

    UNITS: ClassVar[dict[str, float]] = {"g": 1.0, "kg": 1e-3, "mg": 1e3}

    def __init__(
        self, pan: Pan, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        self.options = options or {}
        self.pan = pan
        self.seed = seed
        self.resolution_g = float(self.options.get("resolution_g", 0.01))
        self.capacity_g = float(self.options.get("capacity_g", 5100.0))
        self.auto_s = float(self.options.get("auto_s", 0.0))
        self.state = State()
        self.keys: dict[str, Callable[[float], None]] = {
            "T": self._tare, "U": self._tare, "V": self._zero, "Z": self._adjust, "S": self._restart,
            "O": self._lock, "R": self._unlock, "Q": self._beep,
        }  # fmt: skip

    # -- the cable

    @property
    def wake_at(self) -> float | None:
        due = [at for at in (self.state.look_at, self.state.auto_at) if at is not None]
        return min(due) if due else None

    def receive(self, event: Event, now: float) -> list[Action]:
        state = self.state
        if self.auto_s and state.auto_at is None:
            state.auto_at = now + self.auto_s
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                state.received = ""
            return []
        actions: list[Action] = []
        for character in event.data.decode("latin-1"):
            actions += self._take(character, now)
        return actions

    def wake(self, now: float) -> list[Action]:
        state = self.state
        actions: list[Action] = []
        if state.auto_at is not None and now >= state.auto_at:
            state.auto_at = now + self.auto_s
            actions += self._say(self._line(self.pan.weight_g(now), True, now), 0.0) if now >= state.dark_until else []
        if state.look_at is not None and now >= state.look_at:
            actions += self._look(now)
        return actions

    def power_cycle(self, now: float) -> list[Action]:
        """Tare is lost, the zero point taken anew unless it is kept by option."""
        state = self.state
        state.received, state.printing, state.look_at = "", False, None
        state.tare_g, state.adjusting_until, state.off, state.locked = 0.0, 0.0, False, False
        state.dark_until = now + START_S
        if self.options.get("power_on", "zero") == "zero":
            state.zero_g = self.pan.weight_g(now)
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        fields: dict[str, Any] = dict(saved)
        self.state = State(**fields)

    # -- the front panel

    def show_in(self, unit: str) -> None:
        """A person chooses g, kg or mg."""
        self.state.unit = unit

    def switch(self, on: bool) -> None:
        """A person switches the face plate on or off."""
        self.state.off = not on

    # -- commands

    def _take(self, character: str, now: float) -> list[Action]:
        """One character: ESC begins, a capital letter or `_` ends, CR and LF are nothing."""
        state = self.state
        if character == ESC:
            state.received = ESC
            return []
        if not state.received:
            return []
        if character in "\r\n" or len(state.received) > 8:
            state.received = ""
            return []
        state.received += character
        command = state.received[1:]
        if not (command.endswith("_") or (len(command) == 1 and command.isupper())):
            return []
        state.received = ""
        if now < state.dark_until or self.options.get("protocol", "sbi") != "sbi":
            return []
        return self._obey(command, now)

    def _obey(self, command: str, now: float) -> list[Action]:
        state = self.state
        if command in ("P", "kP_"):
            if not state.printing:
                state.printing, state.look_at = True, now + PROCESSING_S
                state.seen_g, state.seen_at = self.pan.weight_g(now), now
            return []
        if command in "KLMN":
            state.filter = command
        elif command in self.keys:
            self.keys[command](now)
        texts = {
            "x1_": str(self.options.get("model", "QUINTIX5102-1S")),
            "x2_": str(self.options.get("serial", "37454321")),
            "x3_": "00-37-09",
            "x4_": "01-62-05",
            "x5_": str(self.options.get("user", "")),
        }
        return self._say(texts[command], PROCESSING_S + 6 * CHARACTER_S) if command in texts else []

    def _tare(self, now: float) -> None:
        if now >= self.state.adjusting_until and not self._trouble(self.pan.weight_g(now), now):
            self.state.tare_g = self.pan.weight_g(now) - self.state.zero_g

    def _zero(self, now: float) -> None:
        if now >= self.state.adjusting_until and not self._trouble(self.pan.weight_g(now), now):
            self.state.zero_g, self.state.tare_g = self.pan.weight_g(now), 0.0

    def _adjust(self, now: float) -> None:
        if abs(self.pan.weight_g(now)) <= EMPTY_G and not self.state.off:
            self.state.adjusting_until = now + ADJUST_S
            self.state.zero_g, self.state.tare_g = self.pan.weight_g(now), 0.0

    def _restart(self, now: float) -> None:
        self.power_cycle(now)

    def _lock(self, now: float) -> None:
        self.state.locked = True

    def _unlock(self, now: float) -> None:
        self.state.locked = False

    def _beep(self, now: float) -> None:
        self.state.beeps += 1

    # -- lines

    def _look(self, now: float) -> list[Action]:
        """The second look at the pan: what changed between the two says whether it stands still."""
        state = self.state
        gross_g = self.pan.weight_g(now)
        still = abs(gross_g - state.seen_g) / max(now - state.seen_at, 1e-6) < STABLE_DIGITS_PER_S * self.resolution_g
        state.seen_g, state.seen_at = gross_g, now
        if not still and self.options.get("output", "now") == "stable" and not self._trouble(gross_g, now):
            state.look_at = now + LOOK_S
            return []
        state.printing, state.look_at = False, None
        return self._say(self._line(gross_g, still, now), 4 * CHARACTER_S)

    def _trouble(self, gross_g: float, now: float) -> str:
        """The fourteen characters in place of a weight, or nothing."""
        if self.state.off:
            return "      OFF     "
        if math.isnan(gross_g):
            return "   Err 241    "  # the number is ours (X)
        if now < self.state.adjusting_until:
            return "   Cal.Int.   "
        if gross_g > self.capacity_g + 9 * self.resolution_g:
            return "      High    "
        return "      Low     " if gross_g < UNDERLOAD_G else ""

    def _line(self, gross_g: float, still: bool, now: float) -> str:
        body, code = self._trouble(gross_g, now), "Stat"
        if not body:
            code = str(self.options.get("code", "N"))
            factor = self.UNITS[self.state.unit]
            decimals = max(0, round(-math.log10(self.resolution_g * factor)))
            net_g = gross_g - self.state.zero_g - self.state.tare_g + self._noise()
            shown = round(round(net_g / self.resolution_g) * self.resolution_g * factor, decimals)
            # Every published line has a sign; that of zero is ours (X)
            sign = "-" if shown < 0 else "+"
            digits = f"{abs(shown):.{decimals}f}"
            if self.options.get("comma"):
                digits = digits.replace(".", ",")
            body = f"{sign}{digits:>9} {self.state.unit if still else '':3}"
        return body if int(self.options.get("form", 22)) == 16 else f"{code:6}{body}"

    def _noise(self) -> float:
        """Grams."""
        if self.seed is None:
            return 0.0
        self.state.draws += 1
        return noise(self.seed, self.state.draws) * NOISE_DIGITS * self.resolution_g

    def _say(self, line: str, after_s: float) -> list[Action]:
        data = line.encode("latin-1") + b"\r\n"
        return [Send(after_s + len(data) * CHARACTER_S, data)]
