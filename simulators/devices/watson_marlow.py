"""Watson-Marlow case pumps seen from the cable; sheet watson-marlow-505-720.md.

Guesses where the sheet has a question mark (all X): commands are not answered; an answer ends with CR (option
`terminator` = cr | crlf | none); a command with a bad argument, in lower case or for another pump is ignored, a blank
around number and parameter passed over; DO and GO are ignored while the rotor turns; ST ends a dose for good; the count
does not take drip off, has ten digits and is kept without power (option `count` = kept | lost), as are speed and
direction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.core.simulator import Action, Bytes, Event, Send
from simulators.core.surroundings import Tube
from simulators.core.text import TextUnit

TERMINATORS = {"cr": b"\r", "crlf": b"\r\n", "none": b""}
COMMAND = re.compile(r"(#|\d{1,2}) ?([A-Z]{2}) ?(.*)", re.ASCII)
COUNT_DIGITS = 10


@dataclass(slots=True)
class State:
    """Times in s; `pulses` counts on without regard to direction."""

    rpm: float = 20.0
    clockwise: bool = True
    running: bool = False
    pulses: float = 0.0
    since: float = 0.0
    left: float | None = None
    """Pulses the dose still has to go, None = no end."""
    drip: int = 0
    keys_off: bool = False
    """Stopped at its own keys: nothing is heard until somebody starts it there."""


class WatsonMarlowPump(TextUnit):
    """One pump. `type` and the other facts of its status string come from the model, or from options of that name."""

    bits = 11  # 8N2
    type: ClassVar[str] = "520Du"
    pumphead: ClassVar[str] = "520R"
    tube_text: ClassVar[str] = "9.6MM"
    ml_per_rev: ClassVar[float] = 15.84
    pulses_per_rev: ClassVar[int] = 10982
    fastest_rpm: ClassVar[float] = 220.0
    slowest_rpm: ClassVar[float] = 0.1
    whole_rpm: ClassVar[bool] = False
    echoes: ClassVar[bool] = False
    most_drip: ClassVar[int] = 11000
    doses: ClassVar[bool] = True

    def __init__(
        self,
        tube: Tube,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: the pump has no noise."""
        super().__init__(9600, 0.01)
        options = options or {}
        self.tube = tube
        self.number = address or 1
        self.terminator = TERMINATORS[str(options.get("terminator", "cr"))]
        self.echo = str(options.get("echo", "on" if self.echoes else "off")) == "on"
        self.keeps_count = options.get("count", "kept") == "kept"
        self.type_text = str(options.get("type", self.type))
        self.head_text = str(options.get("pumphead", self.pumphead))
        self.per_rev_ml = float(options.get("ml_per_rev", self.ml_per_rev))
        self.per_rev_pulses = float(options.get("pulses_per_rev", self.pulses_per_rev))
        self.state = State()

    # -- time

    @property
    def wake_at(self) -> float | None:
        s = self.state
        if not s.running or s.left is None:
            return None
        return s.since + s.left / self._pulses_per_s()

    def wake(self, now: float) -> list[Action]:
        due = self.wake_at
        if due is not None and now >= due - 1e-9:
            self._count(due)
            self._rest(due)
            if self.state.drip:
                seconds = self.state.drip / self._pulses_per_s()
                self.tube.run(due, -self._ml_min(), due + seconds)
        else:
            self._count(now)
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        actions = super().receive(event, now)
        if self.echo and isinstance(event, Bytes) and event.data:
            actions.insert(0, Send(len(event.data) * self.bits / self.baud, event.data))
        return actions

    def restarted(self, now: float) -> list[Action]:
        self.wake(now)
        old = self.state
        if old.running:
            self._rest(now)
        self.state = State(old.rpm, old.clockwise, pulses=old.pulses if self.keeps_count else 0.0)
        return []

    def stop_key(self, now: float) -> None:
        """Somebody presses stop at the pump: an emergency stop, and the serial line is off."""
        self.wake(now)
        self._rest(now)
        self.state.keys_off = True

    def release(self) -> None:
        """Somebody sets the pump back to remote control."""
        self.state.keys_off = False

    # -- commands

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        self.wake(now)
        match = COMMAND.fullmatch(text.decode("latin-1").strip())
        if match is None or self.state.keys_off:
            return b""
        number, command, parameter = match.groups()
        if number != "#" and int(number) != self.number:
            return b""
        answer = self._answer(command, parameter, now)
        return answer + self.terminator if answer and number != "#" else b""

    def _answer(self, command: str, parameter: str, now: float) -> bytes:
        s = self.state
        match command, parameter:
            case "RS", "":
                return self._status()
            case "RT", "" if self.doses:
                return b"%d" % self._shown_count()
            case "ZY", "":
                return b"1" if s.running else b"0"
            case "GO", "":
                self._run(None, now)
            case "ST", "":
                self._rest(now)
            case "SP", _:
                self._set_speed(parameter, now)
            case "SI" | "SD", "":
                self._turn_at(s.rpm + (1.0 if command == "SI" else -1.0), now)
            case "RR" | "RL" | "RC", "":
                s.clockwise = not s.clockwise if command == "RC" else command == "RR"
                self._turn_at(s.rpm, now)
            case "DO", _ if self.doses:
                self._dose(parameter, now)
            case "TC", "" if self.doses:
                s.pulses = 0.0
            case _:
                pass
        return b""

    def _status(self) -> bytes:
        s = self.state
        rpm = f"{s.rpm:.0f}" if self.whole_rpm and s.rpm == int(s.rpm) else f"{s.rpm:.1f}"
        turn, running = "CW" if s.clockwise else "CCW", int(s.running)
        if not self.doses:
            return f"{self.type_text} {rpm} {turn} {running} !".encode()
        return (
            f"{self.type_text} {self.per_rev_ml:g} {self.head_text} {self.tube_text} {rpm} {turn} "
            f"P/N {self.number} {self._shown_count()} {running} !"
        ).encode()

    def _set_speed(self, parameter: str, now: float) -> None:
        form = r"\d{1,3}" if self.whole_rpm else r"\d{1,3}(\.\d)?"
        if re.fullmatch(form, parameter, re.ASCII):
            self._turn_at(float(parameter), now)

    def _turn_at(self, rpm: float, now: float) -> None:
        s = self.state
        if not self.slowest_rpm <= rpm <= self.fastest_rpm:
            return
        s.rpm = rpm
        if s.running:
            self._run(s.left, now, anew=True)

    def _dose(self, parameter: str, now: float) -> None:
        match = re.fullmatch(r"(\d{1,10})(?:, ?(\d{1,5}))?", parameter, re.ASCII)
        if match is None or not int(match[1]) or int(match[2] or 0) > self.most_drip or self.state.running:
            return
        self.state.drip = int(match[2] or 0)
        self._run(float(match[1]), now)

    # -- the rotor

    def _run(self, pulses: float | None, now: float, anew: bool = False) -> None:
        s = self.state
        if s.running and not anew:
            return
        s.running, s.since, s.left = True, now, pulses
        if pulses is None:
            s.drip = 0
        due = self.wake_at
        self.tube.run(now, self._ml_min(), math.inf if due is None else due)

    def _rest(self, now: float) -> None:
        s = self.state
        if s.running:
            s.running, s.left = False, None
            self.tube.halt(now)

    def _count(self, now: float) -> None:
        s = self.state
        if s.running and now > s.since:
            moved = self._pulses_per_s() * (now - s.since)
            if s.left is not None:
                moved = min(moved, s.left)
                s.left -= moved
            s.pulses += moved
            s.since = now

    def reset_totals(self, now: float) -> None:
        """The tachometer count is gone, as by TC."""
        self._count(now)
        self.state.pulses = 0.0

    def near_roll_over(self, now: float, ml: float) -> None:
        """The count has ten digits and begins anew."""
        self._count(now)
        self.state.pulses = 10.0**COUNT_DIGITS - ml / self.per_rev_ml * self.per_rev_pulses

    def _pulses_per_s(self) -> float:
        return self.state.rpm / 60 * self.per_rev_pulses

    def _ml_min(self) -> float:
        return self.state.rpm * self.per_rev_ml * (1 if self.state.clockwise else -1)

    def _shown_count(self) -> int:
        return int(self.state.pulses + 1e-3) % 10**COUNT_DIGITS


class WatsonMarlow520(WatsonMarlowPump):
    """520Du; option `type` = 620Du or 720Du makes it one of those."""

    fastest_rpm = 360.0


class WatsonMarlow530(WatsonMarlowPump):
    type, pumphead, pulses_per_rev = "530Du", "520R", 10892


class WatsonMarlow505(WatsonMarlowPump):
    """The 220 rpm version; with option pulses_per_rev = 800 the other."""

    type, pumphead, tube_text, ml_per_rev, pulses_per_rev = "505Di", "505l", "1.6mm", 0.7, 1280
    whole_rpm, echoes, most_drip, slowest_rpm, fastest_rpm = True, True, 255, 1.0, 350.0


class WatsonMarlow323(WatsonMarlowPump):
    """No count and no dose."""

    type, ml_per_rev, doses, whole_rpm, echoes = "323Du", 1.0, False, True, True
    slowest_rpm, fastest_rpm = 3.0, 400.0
