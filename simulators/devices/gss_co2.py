"""GSS CO2 sensors seen from the cable: stream and commands over chamber air; sheet gss-co2-sprintir.md.

Ours where the sheet is silent: `?` and nothing behind it; the filter lags by its number of measurements, automatic by
one second; a zero shifts the reading and a span stretches it; `P` echoes its numbers; before 1.2 s after power-up a
reading is 0; the raw fields D and d of the stream mask do not exist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Send
from simulators.core.surroundings import Chamber
from simulators.core.text import TextUnit

FIRST_VALID_S = 1.2
"""After power-up (Z)."""
COMMAND_MODE, STREAMING, POLLING = 0, 1, 2
FIELDS = {4096: "H", 64: "T", 4: "Z", 2: "z"}
"""Stream mask and letter, in the order of the line: Z before z (V), H and T before both (X)."""
MOST = 65535
"""Largest number a command takes; ours (X), C limits the filter to it."""
NOISE = 0.002
"""Standard deviation of an unfiltered reading, share of it, when a seed is given (X)."""


@dataclass(slots=True)
class State:
    """The first block is kept over power loss; ppm, and times in bench seconds."""

    mode: int = STREAMING
    filter: int = 16
    mask: int = 6
    compensation: int = 8192
    auto_zero: str = "1.0 8.0"
    fresh_air_ppm: float = 400.0
    offset_ppm: float = 0.0
    """What is added to the truth: drift, and what zeroes made of it."""
    gain: float = 1.0
    taught: int = 33000

    raw_ppm: float = 0.0
    filtered_ppm: float = 0.0
    measured_at: float | None = None
    valid_from: float = 0.0
    next_line_at: float | None = 0.0
    draws: int = 0


class GssCo2(TextUnit):
    """Options: `multiplier`, `offset_ppm`, `serial`, `leading_blank` (yes), `mode`, `auto_zero` (on)."""

    ends: ClassVar[bytes] = b"\n"
    lines_per_s: ClassVar[float] = 2.0
    has_climate: ClassVar[bool] = False

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(9600, processing_s=0.02)
        options = options or {}
        self.chamber = chamber
        self.seed = seed
        self.multiplier = int(float(options.get("multiplier", 10)))
        self.serial = str(options.get("serial", "124584"))
        self.blank = " " if options.get("leading_blank", "yes") == "yes" else ""
        self.factory_offset = float(options.get("offset_ppm", 0.0))
        self.state = State(mode=int(float(options.get("mode", STREAMING))), offset_ppm=self.factory_offset)
        if options.get("auto_zero", "on") == "off":
            self.state.auto_zero = "0"
        if self.state.mode != STREAMING:
            self.state.next_line_at = None
        self.commands: dict[str, Callable[[list[float], float], str | None]] = {
            "K": self._set_mode, "Z": self._filtered, "z": self._unfiltered, ".": self._multiplier,
            "A": self._set_filter, "a": self._filter, "M": self._set_mask, "G": self._zero_fresh_air,
            "U": self._zero_nitrogen, "u": self._factory_zero, "X": self._span, "F": self._fine_tune,
            "P": self._fresh_air, "S": self._set_compensation, "s": self._compensation, "Y": self._identity,
            "*": self._dump, "@": self._auto_zero, "Q": self._fields, "T": self._temperature, "H": self._humidity,
        }  # fmt: skip

    # -- the cable

    @property
    def wake_at(self) -> float | None:
        return self.state.next_line_at

    def wake(self, now: float) -> list[Action]:
        """One line of the stream."""
        s = self.state
        if s.next_line_at is None or now < s.next_line_at:
            return []
        s.next_line_at = now + 1 / self.lines_per_s
        fields = self._fields([], now)
        return [Send(0.0, self._line(fields))] if fields else []

    def restarted(self, now: float) -> list[Action]:
        """The mode is the one used before (V)."""
        s = self.state
        s.valid_from, s.measured_at = now + FIRST_VALID_S, None
        s.next_line_at = s.valid_from if s.mode == STREAMING else None
        return []

    def message(self, text: bytes, now: float) -> bytes:
        """CR LF ends a command; a line without its CR is none."""
        found = re.fullmatch(r"([A-Za-z.*@])(?: ?([\d. ]+))?\r", text.decode("latin-1"))
        if found is None or (found[1] in "TH" and not self.has_climate):
            return b"?\r\n"
        command = self.commands.get(found[1])
        try:
            numbers = [float(cell) for cell in (found[2] or "").split()]
        except ValueError:
            return b"?\r\n"
        fits = all(each <= MOST for each in numbers)
        answer = command(numbers, now) if command is not None and fits else None
        return b"?\r\n" if answer is None else self._line(answer)

    def _line(self, text: str) -> bytes:
        return "".join(f"{self.blank}{each}\r\n" for each in text.split("\n")).encode("ascii")

    # -- measuring

    def _measure(self, now: float) -> State:
        """A new value when somebody looks; none in command mode, where readings are stale."""
        s = self.state
        if (s.mode == COMMAND_MODE and s.measured_at is not None) or now < s.valid_from:
            return s
        ppm = (self.chamber.air(now).co2_percent * 1e4 + s.offset_ppm) * s.gain * s.compensation / 8192
        if self.seed is not None:
            s.draws += 1
            ppm *= 1 + NOISE * noise(self.seed, s.draws)
        tau_s = s.filter / self.lines_per_s if s.filter else 1.0
        elapsed_s = math.inf if s.measured_at is None else now - s.measured_at
        s.raw_ppm = max(0.0, ppm)
        s.filtered_ppm += (s.raw_ppm - s.filtered_ppm) * (1 - math.exp(-elapsed_s / tau_s))
        s.measured_at = now
        return s

    def _count(self, letter: str, ppm: float) -> str:
        return f"{letter} {min(round(ppm / self.multiplier), 99999):05d}"

    def _filtered(self, numbers: list[float], now: float) -> str | None:
        return None if numbers else self._count("Z", self._measure(now).filtered_ppm)

    def _unfiltered(self, numbers: list[float], now: float) -> str | None:
        return None if numbers else self._count("z", self._measure(now).raw_ppm)

    def _temperature(self, numbers: list[float], now: float) -> str:
        cel = self.chamber.air(now).cel
        return f"T {0 if math.isnan(cel) else round(cel * 10 + 1000):05d}"  # a broken sensor's 0 is ours

    def _humidity(self, numbers: list[float], now: float) -> str:
        rh = self.chamber.air(now).rh_percent
        return f"H {0 if math.isnan(rh) else round(rh * 10):05d}"

    def _fields(self, numbers: list[float], now: float) -> str:
        said: list[str] = []
        for mask, letter in FIELDS.items():
            if self.state.mask & mask and (letter in "Zz" or self.has_climate):
                said.append(self.commands[letter]([], now) or "")
        return " ".join(said)

    def _multiplier(self, numbers: list[float], now: float) -> str:
        return f". {self.multiplier:05d}"

    # -- settings

    def _set_mode(self, numbers: list[float], now: float) -> str | None:
        if len(numbers) != 1 or numbers[0] not in (COMMAND_MODE, STREAMING, POLLING):
            return None
        s = self.state
        self._measure(now)
        s.mode = int(numbers[0])
        s.next_line_at = now + 1 / self.lines_per_s if s.mode == STREAMING else None
        return f"K {s.mode:05d}"

    def _set_filter(self, numbers: list[float], now: float) -> str | None:
        if len(numbers) != 1 or numbers[0] > 65535:
            return None
        self._measure(now)
        self.state.filter = int(numbers[0])
        return f"A {self.state.filter:05d}"

    def _filter(self, numbers: list[float], now: float) -> str | None:
        return None if numbers else f"a {self.state.filter:05d}"

    def _set_mask(self, numbers: list[float], now: float) -> str | None:
        if len(numbers) != 1 or numbers[0] > 65535:
            return None
        self.state.mask = int(numbers[0])
        return f"M {self.state.mask:05d}"

    def _set_compensation(self, numbers: list[float], now: float) -> str | None:
        if len(numbers) != 1 or numbers[0] < 1:
            return None
        self.state.compensation = int(numbers[0])
        return f"S {self.state.compensation:05d}"

    def _compensation(self, numbers: list[float], now: float) -> str:
        return f"s {self.state.compensation:05d}"

    def _auto_zero(self, numbers: list[float], now: float) -> str | None:
        if numbers == [0]:
            self.state.auto_zero = "0"
        elif len(numbers) == 2:
            self.state.auto_zero = f"{numbers[0]:.1f} {numbers[1]:.1f}"
        elif numbers:
            return None
        return f"@ {self.state.auto_zero}"

    def _identity(self, numbers: list[float], now: float) -> str:
        return f"Y,Oct 18 2013,14:02:10,AL19\nB {self.serial} 00000"

    def _dump(self, numbers: list[float], now: float) -> str:
        s = self.state
        return f"* mode {s.mode}\n* filter {s.filter}\n* mask {s.mask}\n* compensation {s.compensation}"

    def _fresh_air(self, numbers: list[float], now: float) -> str | None:
        """`P 10` is the high byte and `P 11` the low one of the fresh-air value in counts (X)."""
        if len(numbers) != 2 or numbers[0] not in (10, 11) or numbers[1] > 255:
            return None
        counts = int(self.state.fresh_air_ppm / self.multiplier)
        high, low = divmod(counts, 256)
        high, low = (int(numbers[1]), low) if numbers[0] == 10 else (high, int(numbers[1]))
        self.state.fresh_air_ppm = float((256 * high + low) * self.multiplier)
        return f"P {int(numbers[0])} {int(numbers[1])}"

    # -- zero and span: at once, and stored

    def _teach(self, letter: str, ppm: float, now: float) -> str:
        """Shift so that the gas that is there reads `ppm`."""
        s = self.state
        s.offset_ppm = ppm / (s.gain * s.compensation / 8192) - self.chamber.air(now).co2_percent * 1e4
        return self._number(letter, now)

    def _number(self, letter: str, now: float) -> str:
        s = self.state
        s.measured_at = None
        self._measure(now)
        s.taught = 20000 + (s.taught * 31 + round(abs(s.offset_ppm))) % 20000
        return f"{letter} {s.taught:05d}"

    def _zero_fresh_air(self, numbers: list[float], now: float) -> str:
        return self._teach("G", self.state.fresh_air_ppm, now)

    def _zero_nitrogen(self, numbers: list[float], now: float) -> str:
        return self._teach("U", 0.0, now)

    def _factory_zero(self, numbers: list[float], now: float) -> str:
        self.state.offset_ppm, self.state.gain = self.factory_offset, 1.0
        return self._number("u", now)

    def _span(self, numbers: list[float], now: float) -> str | None:
        s = self._measure(now)
        if len(numbers) != 1 or numbers[0] < 1 or s.raw_ppm < self.multiplier:
            return None
        s.gain *= numbers[0] * self.multiplier / s.raw_ppm
        return self._number("X", now)

    def _fine_tune(self, numbers: list[float], now: float) -> str | None:
        if len(numbers) != 2:
            return None
        s = self.state
        s.offset_ppm += (numbers[1] - numbers[0]) * self.multiplier / (s.gain * s.compensation / 8192)
        return self._number("F", now)


class GssSprintir(GssCo2):
    """20 lines a second (K, V)."""

    lines_per_s = 20.0


class GssExplorirM(GssCo2):
    """About 2 lines a second, as CozIR."""


class GssCozirA(GssCo2):
    """About 2 lines a second, with temperature and humidity."""

    has_climate = True
