"""Tecan Cavro XCalibur, XLP 6000 and XP 3000 seen from the cable; sheet cavro-xcalibur.md.

Both protocols with lock-in, repeat rule, buffer, command strings with loops, timed moves over a `Barrel`. When the
place also has `connect` (a `Selector`), the valve is part of it: input is port 1, output 2, extra 3, bypass and turning
0, of a distribution valve the number. Guesses where the sheet has a question mark: a damaged block is not answered; the
repetition of a report is answered like the report; ramps of speed are left out; a turn of the valve takes 0.25 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, cast

from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Barrel
from simulators.devices.tecan_cavro import cable, strings
from simulators.devices.tecan_cavro.strings import Step, values

ANSWER_S = 0.003
"""Answers begin within 5 ms (M)."""
VALVE_S = 0.25
HOME_PULSES_S = 500.0
"""Speed of an initialisation (M)."""
HOME_EXTRA_S = 1.0
"""Overdrive, backing off and the valve (X)."""
SPEED_CODES = {0: 6000, 11: 1400, 17: 200, 40: 10}
PORT_OF = {"i": 1, "o": 2, "e": 3, "b": 0}
MOST_STEPS = 500
"""Steps without duration in one go: an endless loop of them takes a breath here."""
CLEARED_BY_NEXT = (2, 3, 4, 11, 15)


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


class TecanCavroXCalibur:
    """3000 increments a stroke; options syringe_ml (5), valve_ports (0 = input, output, bypass, extra), initialised
    (1 = by whoever used it before us), power_up_error (1 = Q says error 7 at once, 0 = only a move does), sync_byte."""

    full_stroke: ClassVar[int] = 3000
    late_errors: ClassVar[bool] = False
    """A move out of range is taken and error 3 said at Q."""
    firmware: ClassVar[str] = "733085 Rev B"
    configuration: ClassVar[str] = "XCalibur 9600 RS232 OEM"
    voltage: ClassVar[str] = "255"

    def __init__(
        self,
        barrel: Barrel,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: this pump has no noise."""
        options = options or {}
        self.barrel = barrel
        self.connect = cast("Callable[[float, int], None] | None", getattr(barrel, "connect", None))
        self.address = address
        self.syringe_ml = float(options.get("syringe_ml", 5.0))
        self.ports = int(float(options.get("valve_ports", 0)))
        self.error_7_at_once = bool(float(options.get("power_up_error", 1)))
        self.sync = bool(float(options.get("sync_byte", 0)))
        self.valve_stuck = False
        """A fault: the valve turns, and stands where it stood."""
        self.state = PumpState(valve="1" if self.ports else "i")
        self.state.initialised = bool(float(options.get("initialised", 1)))
        self._rx = bytearray()

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        return self.state.until if self.state.doing else None

    def receive(self, event: Event, now: float) -> list[Action]:
        self._advance(now)
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self._rx.clear()
            return []
        self._rx += event.data
        actions: list[Action] = []
        for command in cable.take(self._rx, self.address, self.state.protocol):
            self.state.protocol = "oem" if command.oem else "dt"
            data = self._take(command, now)
            self._advance(now)
            if not command.for_all:
                frame = cable.answer(command.oem, self._status(data), data, self.sync)
                actions.append(Send(ANSWER_S + (command.size + len(frame)) * 10 / self.state.baud, frame))
            self._told()
        return actions

    def wake(self, now: float) -> list[Action]:
        self._advance(now)
        return []

    def power_cycle(self, now: float) -> list[Action]:
        self._advance(now)
        self._stop_plunger(now)
        s = self.state
        self.state = PumpState(
            s.initialisations, s.plunger_moves, s.valve_moves, s.programs, s.next_baud, s.next_baud, s.plunger,
            valve=s.valve,
        )  # fmt: skip
        self._rx.clear()
        return []

    def overload(self, now: float) -> None:
        """The plunger meets a wall: it stops with error 9, the string is forgotten; nothing happens at rest."""
        self._advance(now)
        if self.state.doing in ("plunger", "quiet", "home"):
            self._fail(now, 9)

    def push_plunger(self, increments: float) -> None:
        """Somebody moves the plunger by hand; no counter knows of it."""
        self.state.plunger = min(max(self.state.plunger + increments, 0.0), float(self.full_stroke))

    def snapshot(self) -> dict[str, object]:
        self.state.received = self._rx.hex()
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = PumpState(**cast("dict[str, Any]", saved))
        self._rx[:] = bytes.fromhex(self.state.received)

    # -- commands

    @property
    def busy(self) -> bool:
        return self.state.doing not in ("", "quiet")

    @property
    def scale(self) -> int:
        return 8 if self.state.fine else 1

    def _status(self, data: str) -> int:
        return 0x40 | (0 if self.busy else 0x20) | self._error_now()

    def _error_now(self) -> int:
        s = self.state
        if s.error:
            return s.error
        return 7 if not s.initialised and self.error_7_at_once and s.doing != "home" else 0

    def _told(self) -> None:
        """Errors that the next valid command clears are said once."""
        if self.state.error in CLEARED_BY_NEXT:
            self.state.error = 0

    def _take(self, command: cable.Command, now: float) -> str:
        """Carry out one command; the data of its answer."""
        s, text = self.state, command.text
        report = text[:-1] if len(text) > 1 and text.endswith("R") else text
        if (told := self._report(report, now)) is not None:
            s.block = command.number if command.oem else s.block
            return told
        again = command.oem and command.repeated and command.number == s.block
        s.block = command.number if command.oem else s.block
        if not again:
            self._do(text, now)
        return ""

    def _report(self, question: str, now: float) -> str | None:
        """The answer to a report; None = it is none."""
        s = self.state
        match question:
            case "Q" | "?29":
                return ""
            case "?" | "?4":
                return str(round(self._place(now) * self.scale))
            case "?1":
                return str(s.start_speed)
            case "?2":
                return str(s.top_speed)
            case "?3":
                return str(s.cutoff_speed)
            case "?6":
                return s.valve
            case "?10" | "F":
                return "1" if s.loaded or s.steps else "0"
            case "?12":
                return str(s.backlash)
            case "?13" | "?14":
                return "1"
            case "?15":
                return str(s.initialisations)
            case "?16":
                return str(s.plunger_moves)
            case "?17":
                return str(s.valve_moves)
            case "?18" | "%":
                since, s.valve_moves_told = s.valve_moves - s.valve_moves_told, s.valve_moves
                return str(since)
            case "?20" | "#":
                return "A55A"
            case "?22" | "*":
                return self.voltage
            case "?23" | "&":
                return self.firmware
            case "?24":
                return str(s.gap)
            case "?76":
                return self.configuration
            case _:
                return None

    def _do(self, text: str, now: float) -> None:
        s = self.state
        if text == "T":
            self._terminate(now)
            return
        if self.busy:
            if text.startswith("V") and text[1:].removesuffix("R").isdigit():
                self._change_speed(int(text[1:].removesuffix("R")), now)
                return
            s.error = 15
            return
        if s.error in (1, 6, 9) and text[:1] not in ("Z", "Y", "W"):
            return  # only an initialisation clears these; the answer says the error again
        runs, text = text.endswith("R"), text.removesuffix("R")
        if not text:
            self._resume(now) if runs else self._refuse(2)
            return
        if text == "X":
            text = s.last
        steps = strings.take_apart(text)
        error = 2 if steps is None else strings.judge(steps, self.ports)
        if steps and not error and not self.late_errors:
            error = self._judge_first(steps[0])
        if error and error != 3:
            self._refuse(error)
        elif error:
            s.steps, s.loaded, s.error = [], "", 3
        elif steps and steps[0][0] == "s":
            s.programs[str(values(steps[0])[0])] = text[len(str(values(steps[0])[0])) + 1 :]
        elif not runs:
            s.loaded, s.steps = text, []
        else:
            self._begin(text, steps or [], now)

    def _refuse(self, error: int) -> None:
        self.state.steps, self.state.loaded, self.state.error = [], "", error

    def _judge_first(self, step: Step) -> int:
        """An XCalibur refuses at once what it can see at once (M)."""
        letter = str(step[0])
        if letter in strings.MOVES + strings.VALVE and not self.state.initialised:
            return 7
        if letter in strings.MOVES:
            if self.state.valve == "b":
                return 11
            if self._end_of(step) is None:
                return 3
        return 0

    def _end_of(self, step: Step) -> float | None:
        """Where a move ends in increments of N0; None = outside."""
        letter, here = str(step[0]).upper(), self.state.plunger
        number = (values(step) or [0])[0] / self.scale
        end = number if letter == "A" else here + number if letter == "P" else here - number
        most = self.full_stroke * (1.05 if letter == "P" else 1.0)
        return end if -1e-6 <= end <= most + 1e-6 else None

    def _begin(self, text: str, steps: list[Step], now: float) -> None:
        s = self.state
        s.last, s.loaded, s.steps, s.at, s.loops, s.halted, s.error = text, "", steps, 0, [], False, 0
        self._run(now)

    def _resume(self, now: float) -> None:
        """R alone: a loaded string, or one that was halted or terminated."""
        s = self.state
        if s.loaded:
            steps = strings.take_apart(s.loaded) or []
            error = 0 if self.late_errors or not steps else self._judge_first(steps[0])
            if error:
                self._refuse(error)
            else:
                self._begin(s.loaded, steps, now)
        elif s.steps:
            s.halted = False
            self._run(now)

    def _terminate(self, now: float) -> None:
        """T: plunger and delay stop where they are, a turning valve ends its turn; the string stays for R."""
        s = self.state
        if s.doing == "valve":
            s.halted = True
            return
        if s.doing:
            self._stop_plunger(now)
            s.doing, s.halted = "", True

    # -- running a string

    def _run(self, now: float) -> None:
        """Carry out steps until one takes time, the string ends or something fails."""
        s, spent = self.state, 0
        while s.steps and not s.doing and not s.halted:
            if s.at >= len(s.steps):
                s.steps, s.at = [], 0
                return
            spent += 1
            if spent > MOST_STEPS:
                s.doing, s.began, s.until = "breath", now, now + 0.01
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
        if not 5 <= pulses <= 6000:
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


class TecanCavroXlp6000(TecanCavroXCalibur):
    """6000 increments a stroke (L); a bad operand is said at Q only (M3, L); `*` is the supply voltage (M6)."""

    full_stroke = 6000
    late_errors = True
    firmware = "734237 Rev C"
    configuration = "XLP 6000 9600 RS232"
    voltage = "241"


class TecanCavroXp3000(TecanCavroXCalibur):
    """3000 increments a stroke; a bad operand is said at Q only (M3)."""

    late_errors = True
    firmware = "730367 Rev A"
    configuration = "XP 3000 9600 RS232"
