"""OXYBase WR-RS232: ASCII. Guesses where the sheet has a question mark: a setting is answered with its own text, calz
and calh with one CR, an unknown command with nothing; mode0000 sends a line a second; units other than % and torr are
not taken; settings changed while mmwr is off are lost with the power.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event, Send
from simulators.core.surroundings import Immersion
from simulators.core.text import TextUnit

START_UP_S = 4.0
"""From power-on until the first command is answered (P)."""
MEASURE_S = 0.5
"""Scripts wait 1 to 2 s for a data line (P); the figure is ours."""
EVERY_S = 1.0
AIR_PERCENT = 20.95
TORR_PER_PERCENT = 7.6
PERCENT, TORR = 1, 3
ZERO_DEG, SHEET_DEG, SHEET_PERCENT = 53.0, 27.41, 20.87
"""The phase in nitrogen is ours; the other pair is the sheet's derived example."""


def phase_deg(percent: float) -> float:
    """Stern-Volmer through the two points above."""
    zero = math.tan(math.radians(ZERO_DEG))
    quenching = (zero / math.tan(math.radians(SHEET_DEG)) - 1) / SHEET_PERCENT
    return math.degrees(math.atan(zero / (1 + quenching * max(0.0, percent))))


@dataclass(slots=True)
class State:
    """`saved_…`, `zero` and `high` are flash, and `saved_zero` and `saved_high` what is left of them after a cut."""

    mode: int = 1
    unit: int = PERCENT
    saves: bool = True
    """mmwr: settings and calibration go to flash."""
    saved_mode: int = 1
    saved_unit: int = PERCENT
    zero: float = 0.0
    high: float = AIR_PERCENT
    """What the signal truly is, in %, where 0 and 20.95 % are shown."""
    saved_zero: float = 0.0
    saved_high: float = AIR_PERCENT
    error: int = 0
    amplitude: int = 25431
    powered_at: float = -math.inf
    next_at: float | None = None
    measured: int = 0


class OxyBaseRs232(TextUnit):
    """Options: `letters` (yes, no), `number` of the probe, `unit` it leaves the factory with (1 %, 3 torr), `mode`."""

    ends = b"\r"

    def __init__(
        self,
        immersion: Immersion,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(19200)
        options = options or {}
        self.immersion, self.seed = immersion, seed
        self.letters = options.get("letters", "yes") == "yes"
        self.number = int(options.get("number", 0))
        unit, mode = int(options.get("unit", PERCENT)), int(options.get("mode", 1))
        self.state: State = State(mode=mode, unit=unit, saved_mode=mode, saved_unit=unit)
        self.settings = {"mode": (0, 1), "oxyu": (PERCENT, TORR), "mmwr": (0, 1), "pcco": (0,), "tmpa": ()}

    # -- the line

    @property
    def wake_at(self) -> float | None:
        return self.state.next_at

    def receive(self, event: Event, now: float) -> list[Action]:
        s = self.state
        if now - s.powered_at < START_UP_S and isinstance(event, Bytes):
            return []
        actions = super().receive(event, now)
        if s.mode == 0 and s.next_at is None:
            s.next_at = now + EVERY_S
        return actions

    def wake(self, now: float) -> list[Action]:
        """A line unasked, in mode0000."""
        s = self.state
        if s.next_at is None or now < s.next_at:
            return []
        if s.mode != 0:
            s.next_at = None
            return []
        s.next_at = now + EVERY_S
        return self.reply(self.data(now) + b"\r")

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        command = text.lstrip(b"\n").decode("latin-1")
        name, digits = command[:4], command[4:]
        if command == "data":
            answer = self.reply(self.data(now) + b"\r", len(text) + 1)
            return [Send(each.delay_s + MEASURE_S, each.data) for each in answer if isinstance(each, Send)]
        if command in ("calz", "calh"):
            self._teach(command, now)
            return b"\r"
        if name in self.settings and self._take(name, digits):
            return command.encode("latin-1") + b"\r\r"
        return b""

    def _take(self, name: str, digits: str) -> bool:
        s, allowed = self.state, self.settings[name]
        if not allowed:
            return not digits
        if len(digits) != 4 or not digits.isdecimal() or int(digits) not in allowed:
            return False
        value = int(digits)
        match name:
            case "mode":
                s.mode = value
            case "oxyu":
                s.unit = value
            case "mmwr":
                s.saves = bool(value)
            case _:
                pass
        if s.saves:
            s.saved_mode, s.saved_unit = s.mode, s.unit
        return True

    def _teach(self, command: str, now: float) -> None:
        s, true = self.state, self._true_percent(now)
        if command == "calz":
            s.zero = true
        else:
            s.high = true
        if s.saves:
            s.saved_zero, s.saved_high = s.zero, s.high

    def restarted(self, now: float) -> list[Action]:
        s = self.state
        s.mode, s.unit, s.saves = s.saved_mode, s.saved_unit, True
        s.zero, s.high = s.saved_zero, s.saved_high
        s.powered_at = now
        s.next_at = now + START_UP_S if s.mode == 0 else None
        return []

    # -- measuring

    def _true_percent(self, now: float) -> float:
        return AIR_PERCENT * self.immersion.liquid(now).do_percent / 100

    def data(self, now: float) -> bytes:
        """N number; A amplitude; P phase; T temperature; O oxygen in the unit chosen; E error."""
        s, true = self.state, self._true_percent(now)
        if self.seed is not None:
            s.measured += 1
            true += 0.02 * noise(self.seed, s.measured)
        shown = AIR_PERCENT * (true - s.zero) / (s.high - s.zero) if s.high != s.zero else 0.0
        if s.unit == TORR:
            shown *= TORR_PER_PERCENT
        cel = self.immersion.liquid(now).cel
        error = s.error
        if math.isnan(cel) or math.isnan(shown):  # which number a broken sensor gives is not in the sheet (X)
            true, cel, shown, error = 0.0, 0.0, 0.0, error or 1
        values = (
            self.number,
            s.amplitude,
            round(100 * phase_deg(true)),
            round(100 * cel),
            round(100 * shown),
            error,
        )
        names = "NAPTOE" if self.letters else ("",) * 6
        return ";".join(f"{name}{value}" for name, value in zip(names, values, strict=True)).encode()
