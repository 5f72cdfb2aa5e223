"""Tecan Cavro XCalibur, XLP 6000 and XP 3000 seen from the cable; sheet cavro-xcalibur.md.

Both protocols with lock-in, repeat rule, buffer, command strings with loops, timed moves over a `Barrel`. When the
place also has `connect` (a `Selector`), the valve is part of it: input is port 1, output 2, extra 3, bypass and turning
0, of a distribution valve the number. Guesses where the sheet has a question mark: a damaged block is not answered; the
repetition of a report is answered like the report; ramps of speed are left out; a turn of the valve takes 0.25 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, cast

from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Barrel
from simulators.devices.tecan_cavro import cable, strings
from simulators.devices.tecan_cavro.mechanics import Mechanics, PumpState
from simulators.devices.tecan_cavro.strings import Step, values

ANSWER_S = 0.003
"""Answers begin within 5 ms (M)."""
CLEARED_BY_NEXT = (2, 3, 4, 11, 15)


class TecanCavroXCalibur(Mechanics):
    """3000 increments a stroke; options syringe_ml (5), valve_ports (0 = input, output, bypass, extra), initialised
    (1 = by whoever used it before us), power_up_error (1 = Q says error 7 at once, 0 = only a move does), sync_byte."""

    late_errors: ClassVar[bool] = False
    """A move out of range is taken and error 3 said at Q."""
    firmware: ClassVar[str] = "733085 Rev B"
    configuration: ClassVar[str] = "XCalibur 9600 RS232 OEM"
    voltage: ClassVar[str] = "255"
    dt_locks: ClassVar[bool] = False
    """After DT it does not hear OEM any more; every model does not hear DT after OEM (M)."""
    finest: ClassVar[int] = 1
    """Largest number of `N`."""

    def __init__(
        self,
        barrel: Barrel,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: this pump has no noise."""
        options = options or {}
        super().__init__(
            barrel, float(options.get("syringe_ml", 5.0)), int(float(options.get("valve_ports", 0))),
            initialised=bool(float(options.get("initialised", 1))),
        )  # fmt: skip
        self.address = address
        self.error_7_at_once = bool(float(options.get("power_up_error", 1)))
        self.sync = bool(float(options.get("sync_byte", 0)))
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
        heard = "" if self.state.protocol == "dt" and not self.dt_locks else self.state.protocol
        for command in cable.take(self._rx, self.address, heard):
            self.state.protocol = "oem" if command.oem else "dt"
            data = self._take(command, now)
            self._advance(now)
            if not command.for_all:
                frame = cable.answer(command.oem, self._status(command.text), data, self.sync)
                actions.append(Send(ANSWER_S + (command.size + len(frame)) * 10 / self.state.baud, frame))
            self._told(command.text)
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

    def stall(self, now: float) -> list[Action]:
        """As `overload`: the pump says nothing by itself."""
        self.overload(now)
        return []

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

    def _status(self, asked: str) -> int:
        error = 0 if self._kept_for_q(asked) else self._error_now()
        return 0x40 | (0 if self.busy else 0x20) | error

    def _error_now(self) -> int:
        s = self.state
        if s.error:
            return s.error
        return 7 if not s.initialised and self.error_7_at_once and s.doing != "home" else 0

    def _kept_for_q(self, asked: str) -> bool:
        """Whether the error is one that this model says at Q only."""
        return self.late_errors and self.state.error == 3 and asked not in ("Q", "QR", "?29")

    def _told(self, asked: str) -> None:
        """Errors that the next valid command clears are said once."""
        if self.state.error in CLEARED_BY_NEXT and not self._kept_for_q(asked):
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
        if text in ("T", "TR"):
            self._terminate(now)
            if text == "TR":  # the R goes on with what was just terminated (M)
                self._resume(now)
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
        error = 2 if steps is None else strings.judge(steps, self.ports, self.finest)
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


class TecanCavroXlp6000(TecanCavroXCalibur):
    """6000 increments a stroke (L); a bad operand is said at Q only (M3, L); `*` is the supply voltage (M6)."""

    full_stroke = 6000
    late_errors = True
    dt_locks = True  # M6
    finest = 2  # L
    firmware = "734237 Rev C"
    configuration = "XLP 6000 9600 RS232"
    voltage = "241"


class TecanCavroXp3000(TecanCavroXCalibur):
    """3000 increments a stroke; a bad operand is said at Q only (M3)."""

    late_errors = True
    firmware = "730367 Rev A"
    configuration = "XP 3000 9600 RS232"
