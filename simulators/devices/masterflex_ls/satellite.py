"""Masterflex L/S computerised drive seen from the cable; sheet masterflex-ls.md part A.

Guesses where the sheet has a question mark (all X): the drive powers up in local control and takes commands in it too;
`V` replaces what is left to go (option `v` = replaces | adds); the cumulative count is kept without power (option
`count` = kept | lost) and counts backward turns too; ENQ is answered `STX P?1 CR` without a number, `STX Pnn I xxxxx
CR` after a key was pressed, and not at all otherwise; CAN forgets the line; digits two and three of the status are 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Tube
from simulators.devices.masterflex_ls.rotor import Rotor

STX, ENQ, ACK, NAK, CAN, CR = 0x02, 0x05, 0x06, 0x15, 0x18, 0x0D
SECONDS_PER_CHARACTER = 10 / 4800  # 7O1
PROCESSING_S = 0.01
LONGEST = 64
FASTEST_RPM = 600.0
IDLE, TO_GO, RUNNING, STOPPED_LOCALLY = 1, 2, 3, 4
INVALID_COMMAND, INVALID_DATA = 4, 5
ONE = re.compile(
    r"\s*(?:(S)([+-])(\d{1,4}(?:\.\d{1,2})?)|(V)(\d{1,5}(?:\.\d{1,2})?)|(U)(\d\d)|([BO])([01])([01])"
    r"|(G0|Z0|[ACEGHIKLRSZ]))",
    re.ASCII,
)


@dataclass(slots=True)
class State:
    """`number` 0 = none yet. `fault` = 5, 6 or 7 as in the status, 0 = none."""

    number: int = 0
    remote: bool = False
    to_go: float = 0.0
    """Revolutions that `G` would run; below 0 after an overshoot."""
    bounded: bool = False
    local_stop: bool = False
    fault: int = 0
    error: int = 0
    key: str = "0"
    calls: bool = False
    """RTS: the drive wants to be asked."""
    aux_input: bool = False
    outputs: str = "00"
    numbered_at: float = 0.0
    """When it got its number: a line that numbers a nearer drive is not passed on to this one."""


class MasterflexLs:
    """One drive. `behind` = drives nearer to the computer: they are numbered first, this one waits for it."""

    def __init__(
        self,
        tube: Tube,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` and `address` are taken for symmetry: no noise, and the number comes over the cable."""
        options = options or {}
        self.tube = tube
        self.ml_per_rev = float(options.get("ml_per_rev", 0.8))
        self.adds = options.get("v", "replaces") == "adds"
        self.keeps_count = options.get("count", "kept") == "kept"
        self.nak_g0 = options.get("g0", "ack") == "nak"
        self.overshoot = float(options.get("overshoot_rev", 0.0))
        self.behind: list[MasterflexLs] = []
        self.state = State(int(float(options.get("number", 0))))
        self.rotor = Rotor()
        self.received = bytearray()

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        return self.rotor.due()

    def wake(self, now: float) -> list[Action]:
        due = self.rotor.due()
        if due is None or now < due - 1e-9:
            self.rotor.count(now)
            return []
        self.rotor.count(due)
        self.rotor.rest(self.tube, due)
        self.state.bounded, self.state.to_go = False, -self.overshoot
        if self.overshoot:
            seconds = self.overshoot / self.rotor.rpm * 60
            ml_min = self.rotor.rpm * self.ml_per_rev
            self.rotor.turned += self.overshoot
            self.tube.run(due, ml_min if self.rotor.clockwise else -ml_min, due + seconds)
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        self.wake(now)
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self.received.clear()
            return []
        actions: list[Action] = []
        for byte in event.data:
            byte &= 0x7F
            if byte == CR:
                line = bytes(self.received)
                self.received.clear()
                actions += self._line(line, now)
            elif byte == CAN:
                self.received.clear()
            elif byte in (STX, ACK, ENQ):
                self.received[:] = bytes((byte,))
                if byte == ENQ:
                    actions += self._called(now)
            elif self.received:
                self.received.append(byte)
        if len(self.received) > LONGEST:
            self.received.clear()
        return actions

    def power_cycle(self, now: float) -> list[Action]:
        self.wake(now)
        self.rotor.rest(self.tube, now)
        self.received.clear()
        self.state = State()
        self.rotor.to_go = None
        if not self.keeps_count:
            self.rotor.turned = 0.0
        return []

    def snapshot(self) -> dict[str, object]:
        return {"state": asdict(self.state), "rotor": asdict(self.rotor), "received": self.received.hex()}

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved["state"]))
        self.rotor = Rotor(**cast("dict[str, Any]", saved["rotor"]))
        self.received = bytearray.fromhex(str(saved["received"]))

    # -- at the drive itself

    def stop_key(self, now: float) -> None:
        """Somebody presses stop/start while the drive turns."""
        self.wake(now)
        if self.rotor.running:
            self._halt(now)
            self.state.local_stop = True
        self.state.key, self.state.calls = "1", True

    def fail(self, fault: int, now: float) -> None:
        """5 = no motor feedback, 6 = overload, 7 = excessive feedback: the drive stops."""
        self.wake(now)
        self._halt(now)
        self.state.fault = fault

    def stall(self, now: float) -> list[Action]:
        """The rotor is blocked: overload, if it turns at all."""
        self.wake(now)
        if self.rotor.running:
            self.fail(6, now)
        return []

    def reset_totals(self, now: float) -> None:
        """The cumulative revolutions are gone, as by Z0."""
        self.wake(now)
        self.rotor.turned = 0.0

    def near_roll_over(self, now: float, ml: float) -> None:
        """The counter of revolutions begins anew after 9,999,999.99."""
        self.wake(now)
        self.rotor.turned = 1e7 - ml / self.ml_per_rev

    # -- lines

    def _called(self, now: float) -> list[Action]:
        """ENQ: whoever has no number says so, the nearest first; whoever wants service says its status."""
        s = self.state
        if not s.number:
            return self._say(b"\x02P?1\r", 1) if self._is_next(now) else []
        if s.calls:
            s.calls = False
            return self._say(self._status(), 1)
        return []

    def _line(self, line: bytes, now: float) -> list[Action]:
        text = line[1:].decode("ascii")
        match = re.fullmatch(r"P(\d\d)(.*)", text)
        if not line or match is None:
            return []
        number, commands = int(match[1]), match[2].rstrip()
        s = self.state
        if not s.number:
            if commands or not 1 <= number <= 89 or not self._is_next(now):
                return []
            s.number, s.numbered_at = number, now
            return self._say(bytes((ACK,)), len(line) + 1)
        if number not in (s.number, 99):
            return []
        if line[0] == ACK:
            s.key = "0"
            return []
        if line[0] != STX or not commands:
            return []
        reply = self._commands(commands, now)
        return [] if number == 99 else self._say(reply, len(line) + 1)

    def _is_next(self, now: float) -> bool:
        return all(other.state.number and other.state.numbered_at < now for other in self.behind)

    def _say(self, data: bytes, asked: int) -> list[Action]:
        if not data:
            return []
        return [Send(PROCESSING_S + (asked + len(data)) * SECONDS_PER_CHARACTER, data)]

    def _commands(self, text: str, now: float) -> bytes:
        """Several commands may be joined; the answer is that of the last, or NAK at the first that is not taken."""
        at, reply = 0, bytes((NAK,))
        while at < len(text):
            match = ONE.match(text, at)
            if match is None:
                self.state.error = INVALID_COMMAND
                return bytes((NAK,))
            parts = [part for part in match.groups() if part is not None]
            reply = self._do(parts[0], parts[1:], now)
            if reply == bytes((NAK,)) and parts[0] != "G0":
                return reply
            at = match.end()
        return reply

    def _do(self, word: str, data: list[str], now: float) -> bytes:
        s, rotor = self.state, self.rotor
        taken = True
        match word:
            case "A":
                return b"\x02A%d\r" % s.aux_input
            case "C":
                return b"\x02C%010.2f\r" % (rotor.turned % 1e7)
            case "E":
                return b"\x02E%s\r" % self._shown_to_go()
            case "I":
                status = self._status()
                s.error = 0
                return status
            case "K":
                return b"\x02K%s\r" % s.key.encode()
            case "S" if not data:
                return b"\x02S%s%06.1f\r" % (b"+" if rotor.clockwise else b"-", rotor.rpm)
            case "S":
                taken = self._speed(data[0] == "+", float(data[1]), now)
            case "V":
                s.to_go = float(data[0]) + (s.to_go if self.adds else 0.0)
            case "U":
                taken = 1 <= int(data[0]) <= 89
                s.number = int(data[0]) if taken else s.number
            case "B" | "O":
                s.outputs = "".join(data)
            case "L" | "R":
                s.remote = word == "R"
            case "G":
                self._go(s.to_go, now)
            case "G0":
                self._go(None, now)
                taken = not self.nak_g0
            case "H":
                self._halt(now)
            case "Z":
                s.to_go = 0.0
                if rotor.running and s.bounded:
                    self._halt(now)
                    s.to_go = 0.0
            case _:  # Z0
                rotor.turned = 0.0
        if not taken and word != "G0":
            s.error = INVALID_DATA
        return bytes((ACK if taken else NAK,))

    def _shown_to_go(self) -> bytes:
        left = self.rotor.to_go if self.rotor.running and self.state.bounded else self.state.to_go
        return b"%08.2f" % (left or 0.0)

    def _status(self) -> bytes:
        s = self.state
        doing = IDLE
        if self.rotor.running:
            doing = RUNNING
        elif s.fault:
            doing = s.fault
        elif s.local_stop:
            doing = STOPPED_LOCALLY
        elif s.to_go > 0:
            doing = TO_GO
        return b"\x02P%02dI%d00%d%d\r" % (s.number, s.remote, doing, s.error)

    # -- motion

    def _speed(self, clockwise: bool, rpm: float, now: float) -> bool:
        rpm = round(rpm, 1)
        if not 0 < rpm <= FASTEST_RPM or (self.rotor.running and clockwise is not self.rotor.clockwise):
            return False
        self.rotor.clockwise, self.rotor.rpm = clockwise, rpm
        if self.rotor.running:
            self.rotor.run(self.tube, now, self.rotor.to_go, self.ml_per_rev)
        return True

    def _go(self, revolutions: float | None, now: float) -> None:
        s = self.state
        if self.rotor.running or (revolutions is not None and revolutions <= 0):
            return
        s.local_stop, s.fault, s.bounded = False, 0, revolutions is not None
        self.rotor.run(self.tube, now, revolutions, self.ml_per_rev)

    def _halt(self, now: float) -> None:
        s = self.state
        if self.rotor.running:
            self.rotor.rest(self.tube, now)
            if s.bounded:
                s.to_go = self.rotor.to_go or 0.0
            s.bounded = False
