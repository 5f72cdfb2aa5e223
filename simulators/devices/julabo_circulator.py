"""JULABO circulators seen from the cable: lines ended by CR, silence where something is set (julabo-circulator.md).

Guesses (X): `-09` is what a command in manual mode leaves behind; after power loss the device stands still and is where
it was, remote or manual (`autostart` = 1: it goes on); commands within 0.2 s of a setting one are lost; an alarm is
taken away at the panel only. Power is in proportion to the distance from the set point, 100 % at 5 K.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import Bath
from simulators.core.text import TextUnit

DEAF_S = 0.2
"""Programs pause about 0.25 s after a command that sets something (L)."""
WATCHDOG_S = 30.0
PERCENT_PER_K = 20.0
CEL_NOISE = 0.01
"""Standard deviation with a seed; ours."""
STATES = ("00 MANUAL STOP", "01 MANUAL START", "02 REMOTE STOP", "03 REMOTE START")
REJECTIONS = {
    -8: "INVALID COMMAND",
    -9: "COMMAND NOT ALLOWED IN CURRENT OPERATING MODE",
    -10: "VALUE TOO SMALL",
    -11: "VALUE TOO LARGE",
    -13: "VALUE EXCEEDS TEMPERATURE LIMITS",
}
ALARMS = {
    -1: "LOW LEVEL ALARM", -3: "EXCESS TEMPERATURE WARNING", -4: "LOW TEMPERATURE WARNING",
    -5: "WORKING SENSOR ALARM", -6: "SENSOR DIFFERENCE ALARM", -14: "EXCESS TEMPERATURE PROTECTION ALARM",
    -15: "EXTERNAL SENSOR ALARM", -33: "SAFETY SENSOR ALARM", -38: "EXTERNAL SENSOR NOT AVAILABLE",
    -40: "LOW LEVEL WARNING", -41: "HIGH LEVEL WARNING", -60: "INTERNAL ALARM", -1501: "SERIAL WATCHDOG ALARM",
}  # fmt: skip
"""The codes are the sheet's (L), the words ours (X): exact texts of alarm lines are an open question there."""
WARNINGS = (-3, -4, -40, -41)
"""These do not stop the unit (X)."""


@dataclass(slots=True)
class State:
    """What the circulator remembers. `rejected` is said once, by the next status."""

    set_cel: float = 25.0
    running: bool = False
    remote: bool = True
    rejected: int = 0
    alarm: int = 0
    excess_cel: float = 120.0
    high_cel: float = 200.0
    low_cel: float = -30.0
    pump_stage: int = 2
    deaf_until: float = 0.0
    fed_at: float = 0.0
    """When the watchdog was last fed."""
    draws: int = 0


class JulaboCirculator(TextUnit):
    """Options: remote (0 = manual), watchdog (1 = active), decimals, line_end (crlf or lf), autostart, external (0 = no
    Pt100), low_cel and high_cel (limits of the set point)."""

    family: ClassVar[str]
    known: ClassVar[frozenset[str]]
    """Questions this family answers."""

    def __init__(
        self, bath: Bath, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(baud=4800, processing_s=0.05)
        self.options = options or {}
        self.bath = bath
        self.seed = seed
        self.state = State(remote=bool(float(self.options.get("remote", 1))))
        self.lowest_cel = float(self.options.get("low_cel", -30.0))
        self.highest_cel = float(self.options.get("high_cel", 200.0))
        self.watched = bool(float(self.options.get("watchdog", 0)))
        self.decimals = int(float(self.options.get("decimals", 2)))
        self.end = b"\n" if self.options.get("line_end", "crlf") == "lf" else b"\r\n"

    # -- what happens by itself

    @property
    def wake_at(self) -> float | None:
        return self.state.fed_at + WATCHDOG_S if self.watched and self.state.running else None

    def wake(self, now: float) -> list[Action]:
        """The serial watchdog bites."""
        at = self.wake_at
        if at is not None and now >= at:
            self.trip(-1501, now)
        return []

    def trip(self, code: int, now: float) -> None:
        """An alarm: all but the warnings stop the unit."""
        self.state.alarm = code
        if code not in WARNINGS:
            self.state.running = False
            self.bath.heat_to(now, None)

    def restarted(self, now: float) -> list[Action]:
        self.state.rejected = self.state.alarm = 0
        self._run(self.state.running and bool(float(self.options.get("autostart", 0))), now)
        return []

    # -- the panel

    def acknowledge(self) -> None:
        """A person takes an alarm away."""
        self.state.alarm = 0

    def take_over(self, remote: bool) -> None:
        """A person switches remote control on or off."""
        self.state.remote = remote

    # -- the cable

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        state = self.state
        if now < state.deaf_until:
            return b""
        if state.running and self.bath.bath_cel(now) > state.excess_cel:
            self.trip(-14, now)
        word, _, value = text.decode("latin-1").strip().lower().partition(" ")
        value = value.strip()
        if word in self.known:
            return self._answer(word, now).encode("latin-1") + self.end if not value else self._reject(-8)
        if word not in ("out_sp_00", "out_mode_05"):
            return self._reject(-8)
        state.deaf_until = now + DEAF_S
        if not state.remote:
            return self._reject(-9)
        return self._set_point(value, now) if word == "out_sp_00" else self._mode(value, now)

    def _reject(self, code: int) -> bytes:
        self.state.rejected = code
        return b""

    def _set_point(self, value: str, now: float) -> bytes:
        digits = value.removeprefix("-").replace(".", "", 1)
        if not (digits.isascii() and digits.isdecimal()):
            return self._reject(-8)
        cel = float(value)
        if cel > self.highest_cel or cel < self.lowest_cel:
            return self._reject(-11 if cel > self.highest_cel else -10)
        if not self.state.low_cel <= cel <= self.state.high_cel:
            return self._reject(-13)
        self.state.set_cel, self.state.fed_at = cel, now
        self._run(self.state.running, now)
        return b""

    def _mode(self, value: str, now: float) -> bytes:
        if value not in ("0", "1"):
            return self._reject(-8)
        if value == "1" and self.state.alarm and self.state.alarm not in WARNINGS:
            return self._reject(-9)
        self.state.fed_at = now
        self._run(value == "1", now)
        return b""

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return ("cel",)

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person sets `cel` at the device, within the limits set there."""
        self.state.set_cel = min(max(value, self.state.low_cel), self.state.high_cel)
        self._run(self.state.running, now)

    def _run(self, on: bool, now: float) -> None:
        self.state.running = on
        self.bath.heat_to(now, self.state.set_cel if on else None)

    def _answer(self, word: str, now: float) -> str:
        state = self.state
        match word:
            case "version":
                return f"JULABO {self.family} VERSION 1.0"
            case "status":
                return self._status()
            case "in_pv_00":
                return self._number(self._felt(now))
            case "in_pv_01":
                return f"{self._power(now):.1f}"
            case "in_pv_02":
                there = float(self.options.get("external", 1))
                return self._number(self._felt(now)) if there else "---.--"
            case "in_pv_03":
                return self._number(self.bath.bath_cel(now))
            case "in_pv_04":
                return self._number(state.excess_cel)
            case "in_sp_00":
                return self._number(state.set_cel)
            case "in_sp_03":
                return self._number(state.high_cel)
            case "in_sp_04":
                return self._number(state.low_cel)
            case "in_sp_07":
                return str(state.pump_stage)
            case _:
                return str(int(state.running))

    def _status(self) -> str:
        state: State = self.state
        if state.rejected:
            code, state.rejected = state.rejected, 0
            return f"{code:03d} {REJECTIONS[code]}"
        if state.alarm:
            return f"{state.alarm:03d} {ALARMS[state.alarm]}"
        return STATES[2 * state.remote + state.running]

    def _power(self, now: float) -> float:
        if not self.state.running:
            return 0.0
        return max(-100.0, min(100.0, PERCENT_PER_K * (self.state.set_cel - self.bath.bath_cel(now)))) + 0.0

    def _felt(self, now: float) -> float:
        """The bath, with noise when there is a seed."""
        cel = self.bath.bath_cel(now)
        if self.seed is None:
            return cel
        self.state.draws += 1
        return cel + noise(self.seed, self.state.draws) * CEL_NOISE

    def _number(self, value: float) -> str:
        return f"{value:.{self.decimals}f}"


CORIO_CD = frozenset({"version", "status", "in_pv_00", "in_pv_01", "in_pv_03", "in_pv_04", "in_sp_00", "in_mode_05"})
CORIO_CP = CORIO_CD | {"in_sp_03", "in_sp_04"}
MAGIO = CORIO_CP | {"in_pv_02", "in_sp_07"}


class JulaboCorioCd(JulaboCirculator):
    family = "CORIO CD-200F"
    known = CORIO_CD


class JulaboCorioCp(JulaboCirculator):
    family = "CORIO CP-200F"
    known = CORIO_CP


class JulaboMagio(JulaboCirculator):
    family = "MAGIO MS-310F"
    known = MAGIO


class JulaboDyneo(JulaboCirculator):
    family = "DYNEO DD-200F"
    known = MAGIO
