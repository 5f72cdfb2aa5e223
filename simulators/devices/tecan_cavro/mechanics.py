"""Plunger, valve and the string that drives them, step by step (sheet cavro-xcalibur.md)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, cast

from simulators.core.surroundings import Barrel
from simulators.devices.tecan_cavro import strings
from simulators.devices.tecan_cavro.strings import Step, values

VALVE_S = 0.25
HOME_PULSES_S = 500.0
"""Speed of an initialisation (M)."""
HOME_EXTRA_S = 1.0
"""Overdrive, backing off and the valve (X)."""
SPEED_CODES = {0: 6000, 11: 1400, 17: 200, 40: 10}
PORT_OF = {"i": 1, "o": 2, "e": 3, "b": 0}
MOST_STEPS = 200
BREATH_S = 0.1
"""Steps without duration in one go: an endless loop of them (`gG0`) takes a breath here, so that it costs little."""
FASTEST_CHANGE = 1024
"""Top speed that can be given while the plunger moves, pulses/s (M)."""


@dataclass(slots=True)
class PumpState:
    """The first block is kept without power, the rest is lost with it. Places in increments of mode N0."""

    initialisations: int = 17
    plunger_moves: int = 4321
    valve_moves: int = 998
    programs: dict[str, str] = field(default_factory=dict[str, str])
    baud: int = 9600
    next_baud: int = 9600
    plunger: float = 0.0

    protocol: str = ""
    initialised: bool = False
    error: int = 0
    valve: str = "i"
    fine: bool = False
    start_speed: int = 900
    top_speed: int = 1400
    cutoff_speed: int = 900
    slope: int = 14
    backlash: int = 12
    gap: int = 50
    cutoff_increments: int = 0
    outputs: int = 0
    valve_moves_told: int = 0
    loaded: str = ""
    last: str = ""
    steps: list[Step] = field(default_factory=list[Step])
    at: int = 0
    loops: list[list[int]] = field(default_factory=list[list[int]])
    doing: str = ""
    """plunger, quiet (a lower-case move), home, valve, delay, breath; "" = nothing."""
    halted: bool = False
    began: float = 0.0
    until: float = 0.0
    started_at: float = 0.0
    goal: float = 0.0
    valve_goal: str = ""
    block: int = -1
    received: str = ""


class Mechanics:
    """What moves, and what is remembered of it."""

    full_stroke: ClassVar[int] = 3000

    def __init__(self, barrel: Barrel, syringe_ml: float, ports: int, initialised: bool) -> None:
        """`ports` of a distribution valve; 0 = input, output, bypass, extra."""
        self.barrel = barrel
        self.connect = cast("Callable[[float, int], None] | None", getattr(barrel, "connect", None))
        self.syringe_ml, self.ports = syringe_ml, ports
        self.valve_stuck = False
        """A fault: the valve turns, and stands where it stood."""
        self.state = PumpState(valve="1" if ports else "i", initialised=initialised)

    @property
    def busy(self) -> bool:
        return self.state.doing not in ("", "quiet")

    @property
    def scale(self) -> int:
        return 8 if self.state.fine else 1

    def _end_of(self, step: Step) -> float | None:
        """Where a move ends in increments of N0; None = outside."""
        letter, here = str(step[0]).upper(), self.state.plunger
        number = (values(step) or [0])[0] / self.scale
        end = number if letter == "A" else here + number if letter == "P" else here - number
        most = self.full_stroke * (1.05 if letter == "P" else 1.0)
        return end if -1e-6 <= end <= most + 1e-6 else None

    def _run(self, now: float) -> None:
        """Carry out steps until one takes time, the string ends or something fails."""
        s, spent = self.state, 0
        while s.steps and not s.doing and not s.halted:
            if s.at >= len(s.steps):
                s.steps, s.at = [], 0
                return
            spent += 1
            if spent > MOST_STEPS:
                s.doing, s.began, s.until = "breath", now, now + BREATH_S
                return
            step = s.steps[s.at]
            self._one(str(step[0]), values(step), step, now)

    def _one(self, letter: str, numbers: list[int], step: Step, now: float) -> None:
        s, number = self.state, (numbers or [0])[0]
        if letter in "ZYW":
            self._home(now, turns=letter != "W")
        elif letter in strings.MOVES:
            self._move(letter, step, now)
        elif letter in strings.VALVE:
            self._turn(str(number) if numbers else letter.lower(), now)
        elif letter == "M":
            s.doing, s.began, s.until = "delay", now, now + number / 1000
        elif letter == "g":
            s.loops.append([s.at + 1, -1])
            s.at += 1
        elif letter == "G":
            self._loop(number)
        elif letter == "H":
            s.halted = True
            s.at += 1
        elif letter == "e":
            s.steps, s.at, s.loops = strings.take_apart(s.programs.get(str(number), "")) or [], 0, []
        else:
            self._set(letter, number)
            s.at += 1

    def _set(self, letter: str, number: int) -> None:
        s = self.state
        match letter:
            case "V":
                s.top_speed = number
            case "S":
                s.top_speed = SPEED_CODES.get(number) or max(10, round(6000 * 0.86**number))
            case "v":
                s.start_speed = number
            case "c":
                s.cutoff_speed = number
            case "L":
                s.slope = number
            case "K":
                s.backlash = number
            case "k":
                s.gap = number
            case "C":
                s.cutoff_increments = number
            case "N":
                s.fine = number > 0
            case "J":
                s.outputs = number
            case "U":
                s.next_baud = {41: 9600, 47: 38400}.get(number, s.next_baud)
            case "z":
                s.initialised, s.error = True, 0
            case "w":
                s.valve, s.error = "1" if self.ports else "i", 0
            case _:
                pass

    def _loop(self, times: int) -> None:
        s = self.state
        if not s.loops:
            s.loops.append([0, -1])
        loop = s.loops[-1]
        if loop[1] < 0:
            loop[1] = times if times else 1 << 30
        loop[1] -= 1
        if loop[1] > 0:
            s.at = loop[0]
        else:
            s.loops.pop()
            s.at += 1

    def _home(self, now: float, turns: bool) -> None:
        """Plunger to the stop, valve to its output (where the content goes) and then to its input."""
        s = self.state
        s.initialisations += 1
        s.initialised, s.error = False, 0
        seconds = s.plunger * 2 / HOME_PULSES_S
        s.doing, s.began, s.until = "home", now, now + seconds + HOME_EXTRA_S
        s.started_at, s.goal = s.plunger, 0.0
        if turns:
            self._lead_to(str(self.ports) if self.ports else "o", now)
            s.valve_goal = "1" if self.ports else "i"
        if seconds:
            self.barrel.run(now, self._ml(s.plunger) / seconds * 60, now + seconds)

    def _move(self, letter: str, step: Step, now: float) -> None:
        s = self.state
        end = self._end_of(step)
        if not s.initialised or end is None or s.valve == "b":
            self._fail(now, 7 if not s.initialised else 3 if end is None else 11)
            return
        s.plunger_moves += 1
        s.doing, s.began, s.started_at, s.goal = "plunger" if letter.isupper() else "quiet", now, s.plunger, end
        self._drive(now)

    def _drive(self, now: float) -> None:
        s = self.state
        way = s.goal - s.started_at
        seconds = abs(way) * 2 / s.top_speed
        s.began, s.until = now, now + seconds
        if seconds:
            self.barrel.run(now, -math.copysign(self._ml(s.top_speed / 2), way) * 60, s.until)

    def _change_speed(self, pulses: int, now: float) -> None:
        s = self.state
        if not 5 <= pulses <= FASTEST_CHANGE:
            s.error = 3
            return
        s.top_speed = pulses
        if s.doing == "plunger":
            s.started_at = self._place(now)
            self.barrel.halt(now)
            self._drive(now)

    def _turn(self, to: str, now: float) -> None:
        s = self.state
        if not s.initialised:
            self._fail(now, 7)
            return
        if s.error == 10:
            s.error = 0
        s.valve_moves += 1
        s.doing, s.began, s.until, s.valve_goal = "valve", now, now + VALVE_S, to
        if self.connect is not None:
            self.connect(now, 0)

    def _lead_to(self, port: str, now: float) -> None:
        s = self.state
        if not self.valve_stuck:
            s.valve = port
        if self.connect is not None:
            self.connect(now, int(s.valve) if s.valve.isdigit() else PORT_OF[s.valve])

    def _advance(self, now: float) -> None:
        """Finish what was over by `now`, and go on with the string."""
        s = self.state
        while s.doing and now >= s.until:
            at, doing = s.until, s.doing
            s.doing = ""
            if doing in ("plunger", "quiet", "home"):
                s.plunger = s.goal
                self.barrel.halt(at)
            if doing == "home":
                s.initialised = True
            if doing == "valve" or (doing == "home" and s.valve_goal):
                self._lead_to(s.valve_goal, at)
                s.valve_goal = ""
            s.at += doing != "breath"
            self._run(at)

    def _place(self, now: float) -> float:
        s = self.state
        if s.doing not in ("plunger", "quiet", "home"):
            return s.plunger
        seconds = s.until - s.began - (HOME_EXTRA_S if s.doing == "home" else 0.0)
        part = min(1.0, (now - s.began) / seconds) if seconds > 0 else 1.0
        return s.started_at + (s.goal - s.started_at) * part

    def _stop_plunger(self, now: float) -> None:
        s = self.state
        if s.doing in ("plunger", "quiet", "home"):
            s.plunger = self._place(now)
            self.barrel.halt(now)

    def _fail(self, now: float, error: int) -> None:
        """Stop and forget the string (M)."""
        self._stop_plunger(now)
        s = self.state
        s.doing, s.steps, s.loaded, s.error = "", [], "", error

    def _ml(self, increments: float) -> float:
        return increments / self.full_stroke * self.syringe_ml
