"""New Era NE-1000 syringe pump seen from the cable; sheet new-era-ne1000.md.

The pump's own parser, phases, counters, alarms and watchdog, over a `Barrel` that the plant moves. Guesses where the
sheet has a question mark: a safe packet other than SAF is ignored in basic mode; STP at rest answers `?NA`; a bad one
is answered `?COM` only when its first digits are our address; packets for other pumps of the chain do not restart our
watchdog; DIS is cut, not rounded, to four digits, and stays at 9999 when it overflows.
"""

from __future__ import annotations

import math
from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Barrel

STX, CR, ETX = 0x02, 0x0D, 0x03
SECONDS_PER_BYTE = 10 / 19200  # 8N1
TURNAROUND_S = 0.002
INTER_BYTE_S = 0.5
LONGEST_BASIC = 64
ML_MIN_PER = {"MM": 1.0, "MH": 1 / 60, "UM": 1e-3, "UH": 1e-3 / 60}
PHASES = 41
SPEED_CM_MIN = (0.004205 / 60, 5.1005)  # NE-1000 plunger, evidence L
DIRECTIONS = ("INF", "WDR")
UPPER = bytes(range(256)).upper()
SPACES_AND_CONTROLS = bytes(byte for byte in range(256) if not 0x20 < byte < 0x7F)


@dataclass(slots=True)
class Phase:
    """One line of the Pumping Program; `volume` counts in the pump's volume unit, 0 = continuous."""

    fun: str = "RAT"
    rate: float = 1.0
    rate_unit: str = "MM"
    volume: float = 0.0
    direction: str = "INF"


@dataclass(slots=True)
class PumpState:
    """The first block is non-volatile, the rest is lost with the power. Volumes in mL, times in bench seconds."""

    watchdog_s: int = 0
    diameter_mm: float = 14.43
    volume_unit: str = "ML"
    phases: dict[str, Phase] = field(default_factory=dict[str, Phase])

    selected: int = 1
    prompt: str = "S"
    alarm: str = "R"
    running_phase: int = 1
    remaining_ml: float | None = None  # None = continuous
    moving_since: float = 0.0
    ml_min: float = 0.0
    infused_ml: float = 0.0
    withdrawn_ml: float = 0.0
    heard_at: float | None = None
    received: str = ""
    received_at: float = 0.0


def safe_packet(body: bytes) -> bytes:
    """STX, length counting itself, body, CRC-16-CCITT of the body from 0, ETX."""
    return bytes((STX, len(body) + 4)) + body + crc_hqx(body, 0).to_bytes(2, "big") + bytes((ETX,))


def four_digits(value: float) -> str:
    """`value` cut to four digits as the display shows it: 1.250, 12.50, 125.0, 1250."""
    for decimals, below in ((3, 10), (2, 100), (1, 1000)):
        if value < below - 0.5e-6:
            scale = 10**decimals
            return f"{math.floor(value * scale + 1e-6) / scale:.{decimals}f}"
    return f"{min(math.floor(value + 1e-6), 9999)}."


def number(text: str) -> float | None:
    """At most four digits and a point, at most three decimals, no sign; None when it is anything else."""
    whole, _, decimals = text.partition(".")
    digits = whole + decimals
    if not digits.isascii() or not digits.isdigit() or len(digits) > 4 or len(decimals) > 3:
        return None
    return float(text)


class NewEraNe1000:
    """One pump of a chain: answers its own address only."""

    def __init__(
        self,
        barrel: Barrel,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`options` and `seed` are taken for symmetry: this pump has no noise, and its settings come over the cable."""
        self.barrel = barrel
        self.address = address
        self.prefix = f"{address:02d}"
        self.state = PumpState()
        self._rx = bytearray()
        self._until = math.inf
        self._announced = math.inf
        """What `wake_at` said last."""

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        """The next end of a phase or of the watchdog's time; may be too early, as each packet puts the latter off:
        waking once for nothing is cheaper than a new alarm clock for every packet."""
        due = self._until
        s = self.state
        if s.watchdog_s and s.heard_at is not None and s.heard_at + s.watchdog_s < due:
            due = s.heard_at + s.watchdog_s
        if self._announced > due:
            self._announced = due
        return None if self._announced == math.inf else self._announced

    def receive(self, event: Event, now: float) -> list[Action]:
        actions = self.wake(now)
        if isinstance(event, Bytes):
            s = self.state
            if self._rx and now - s.received_at > INTER_BYTE_S and (s.watchdog_s or self._rx[0] == STX):
                self._rx.clear()
            s.received_at = now
            self._rx += event.data
            while self._rx and self._take(now, actions):
                pass
        elif isinstance(event, Opened):
            self._rx.clear()
        return actions

    def wake(self, now: float) -> list[Action]:
        s = self.state
        if now >= self._announced:
            self._announced = math.inf
        if s.watchdog_s and s.heard_at is not None and now >= s.heard_at + s.watchdog_s:
            elapsed_at, s.heard_at = s.heard_at + s.watchdog_s, None
            self._advance(elapsed_at)
            self._halt(elapsed_at, "S")
            return self._alarm("T")
        if now >= self._until:
            self._advance(now)
        return []

    def power_cycle(self, now: float) -> list[Action]:
        self._advance(now)
        self._halt(now, "S")
        s, fresh = self.state, PumpState()
        fresh.watchdog_s, fresh.diameter_mm, fresh.volume_unit, fresh.phases = (
            s.watchdog_s,
            s.diameter_mm,
            s.volume_unit,
            s.phases,
        )
        self.state = fresh
        self._rx.clear()
        return self._alarm("R")

    def stall(self, now: float) -> list[Action]:
        """The motor stalls: pump and program stop with alarm S; nothing happens at rest."""
        self._advance(now)
        if self.state.prompt not in "IWX":
            return []
        self._halt(now, "S")
        return self._alarm("S")

    def snapshot(self) -> dict[str, object]:
        self.state.received = self._rx.hex()
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = PumpState(**cast("dict[str, Any]", saved))
        rows = cast("dict[str, dict[str, Any]]", saved["phases"])
        self.state.phases = {key: Phase(**row) for key, row in rows.items()}
        self._rx[:] = bytes.fromhex(self.state.received)
        self._until = self._end_of_motion()

    # -- frames

    def _take(self, now: float, actions: list[Action]) -> bool:
        """Take one command off the buffer and answer it; False when it is not complete yet."""
        rx, basic = self._rx, not self.state.watchdog_s
        if rx[0] != STX:
            if basic:
                return self._take_line(now, actions)
            start = rx.find(STX)
            del rx[: start if start >= 0 else len(rx)]
            return bool(rx)
        if len(rx) < 2:
            return False
        size = rx[1] + 1
        if size < 5:
            del rx[0]
            return True
        if len(rx) < size:
            return False
        packet = bytes(rx[:size])
        del rx[:size]
        body = packet[2:-3]
        if packet[-1] != ETX or crc_hqx(body, 0) != int.from_bytes(packet[-3:-1], "big"):
            if not basic and self._split(body)[0] == self.address:
                actions.append(self._send(f"{self.state.prompt}?COM", size))
            return True
        address, command = self._split(body)
        if address == self.address and (not basic or command.startswith("SAF")):
            self._answer(command, size, now, actions)
        return True

    def _take_line(self, now: float, actions: list[Action]) -> bool:
        rx = self._rx
        end = rx.find(CR)
        if end < 0:
            if len(rx) > LONGEST_BASIC:
                rx.clear()
            return False
        line = bytes(rx[:end])
        del rx[: end + 1]
        address, command = self._split(line)
        if address == self.address:
            self._answer(command, end + 1, now, actions)
        return True

    @staticmethod
    def _split(body: bytes) -> tuple[int, str]:
        """Address (0 when left out, -1 for the whole chain) and command; spaces and control characters fall away."""
        text = body.translate(UPPER, SPACES_AND_CONTROLS).decode("ascii")
        if text.startswith("*"):
            return -1, text[1:]
        digits = 2 if text[:2].isdigit() else 1 if text[:1].isdigit() else 0
        return int(text[:digits] or "0"), text[digits:]

    def _answer(self, command: str, request_bytes: int, now: float, actions: list[Action]) -> None:
        """Do one valid command, unless an alarm is pending: then say the alarm instead, which acknowledges it."""
        s = self.state
        s.heard_at = now
        self._advance(now)
        if s.alarm:
            status, s.alarm = f"A?{s.alarm}", ""
        else:
            said = self._do(command, now)
            status = s.prompt + said
        actions.append(self._send(status, request_bytes))

    def _send(self, status: str, request_bytes: int = 0) -> Send:
        text = (self.prefix + status).encode("ascii")
        data = safe_packet(text) if self.state.watchdog_s else bytes((STX,)) + text + bytes((ETX,))
        return Send(TURNAROUND_S + (request_bytes + len(data)) * SECONDS_PER_BYTE, data)

    def _alarm(self, letter: str) -> list[Action]:
        """Raise an alarm; in safe mode it is also said at once, which does not acknowledge it."""
        self.state.alarm = letter
        return [self._send(f"A?{letter}")] if self.state.watchdog_s else []

    # -- commands

    def _do(self, command: str, now: float) -> str:
        """Carry out `command`; the data that follows the prompt in the reply."""
        if command == "":
            return ""
        word, argument = command[:3], command[3:]
        match word:
            case "DIS" if not argument:
                s, per_ml = self.state, 1.0 if self.state.volume_unit == "ML" else 1000.0
                infused, withdrawn = four_digits(s.infused_ml * per_ml), four_digits(s.withdrawn_ml * per_ml)
                return f"I{infused}W{withdrawn}{s.volume_unit}"
            case "VER" if not argument:
                return "NE1000V3.923"
            case "RUN":
                return self._run(argument, now)
            case "STP" if not argument:
                return self._stop(now)
            case "PUR" if not argument:
                return self._purge(now)
            case "SAF":
                return self._saf(argument)
            case "DIA":
                return self._dia(argument)
            case "PHN":
                return self._phn(argument)
            case "FUN":
                return self._fun(argument)
            case "RAT":
                return self._rat(argument, now)
            case "VOL":
                return self._vol(argument)
            case "DIR":
                return self._dir(argument)
            case "CLD":
                return self._cld(argument)
            case _:
                return "?"

    @property
    def moving(self) -> bool:
        return self.state.prompt in "IWX"

    def phase(self, index: int) -> Phase:
        return self.state.phases.setdefault(str(index), Phase())

    def _saf(self, argument: str) -> str:
        if not argument:
            return str(self.state.watchdog_s)
        if not argument.isdigit():
            return "?"
        if int(argument) > 255:
            return "?OOR"
        self.state.watchdog_s = int(argument)
        return ""

    def _dia(self, argument: str) -> str:
        s = self.state
        if not argument:
            return four_digits(s.diameter_mm)
        value = number(argument)
        if value is None or not 0.1 <= value <= 50.0:
            return "?OOR"
        if self.moving:
            return "?NA"
        s.diameter_mm = value
        s.volume_unit = "UL" if value <= 14.0 else "ML"
        s.infused_ml = s.withdrawn_ml = 0.0
        return ""

    def _phn(self, argument: str) -> str:
        if not argument:
            return f"{self.state.selected:02d}"
        if not argument.isdigit() or not 1 <= int(argument) <= PHASES:
            return "?OOR"
        if self.moving:
            return "?NA"
        self.state.selected = int(argument)
        return ""

    def _fun(self, argument: str) -> str:
        phase = self.phase(self.state.selected)
        if not argument:
            return phase.fun
        if argument not in ("RAT", "STP"):
            return "?"
        if self.moving:
            return "?NA"
        phase.fun = argument
        return ""

    def _rat(self, argument: str, now: float) -> str:
        s = self.state
        phase = self.phase(s.running_phase if self.moving else s.selected)
        if not argument:
            return four_digits(phase.rate) + phase.rate_unit
        unit = argument[-2:] if argument[-2:] in ML_MIN_PER else ""
        value = number(argument.removesuffix(unit) if unit else argument)
        unit = unit or phase.rate_unit
        if value is None or not self._turns(value * ML_MIN_PER[unit]):
            return "?OOR"
        if self.moving:
            if unit != phase.rate_unit or s.prompt == "X":
                return "?NA"
            phase.rate = value
            self._turn(now)
            return ""
        phase.rate, phase.rate_unit = value, unit
        return ""

    def _turns(self, ml_min: float) -> bool:
        area = math.pi * (self.state.diameter_mm / 20) ** 2
        low, high = SPEED_CM_MIN
        return low * area * 0.9999 <= ml_min <= high * area * 1.0001

    def _vol(self, argument: str) -> str:
        s = self.state
        phase = self.phase(s.selected)
        if not argument:
            return four_digits(phase.volume) + s.volume_unit
        if self.moving:
            return "?NA"
        if argument in ("UL", "ML"):
            s.volume_unit = argument
            return ""
        value = number(argument)
        if value is None:
            return "?OOR"
        phase.volume = value
        return ""

    def _dir(self, argument: str) -> str:
        phase = self.phase(self.state.running_phase if self.moving else self.state.selected)
        if not argument:
            return phase.direction
        if argument == "REV":
            argument = DIRECTIONS[1 - DIRECTIONS.index(phase.direction)]
        if argument not in DIRECTIONS:
            return "?"
        if self.moving:
            return "?NA"
        phase.direction = argument
        return ""

    def _cld(self, argument: str) -> str:
        if argument not in DIRECTIONS:
            return "?"
        if self.moving:
            return "?NA"
        if argument == "INF":
            self.state.infused_ml = 0.0
        else:
            self.state.withdrawn_ml = 0.0
        return ""

    # -- motion

    def _run(self, argument: str, now: float) -> str:
        s = self.state
        if self.moving:
            return "?NA"
        if argument and (not argument.isdigit() or not 1 <= int(argument) <= PHASES):
            return "?OOR"
        if s.prompt == "P" and not argument:
            self._turn(now)
            return ""
        s.running_phase = int(argument or "1")
        self._enter_phase(now)
        return ""

    def _stop(self, now: float) -> str:
        """The first STP pauses, the second stops and resets the program, at rest it is not applicable."""
        s = self.state
        if s.prompt == "S":
            return "?NA"
        if self.moving and s.prompt != "X":
            self._halt(now, "P")
        else:
            self._halt(now, "S")
        return ""

    def _purge(self, now: float) -> str:
        s = self.state
        if self.moving:
            return "?NA"
        s.prompt, s.remaining_ml, s.moving_since = "X", None, now
        direction = 1.0 if self.phase(s.selected).direction == "INF" else -1.0
        s.ml_min = direction * SPEED_CM_MIN[1] * math.pi * (s.diameter_mm / 20) ** 2
        self.barrel.run(now, s.ml_min, math.inf)
        return ""

    def _enter_phase(self, at: float) -> None:
        """Begin `running_phase`: RAT turns the screw, STP and the end of the list stop the program."""
        s = self.state
        phase = self.phase(s.running_phase) if s.running_phase <= PHASES else Phase("STP")
        if phase.fun == "STP":
            s.prompt, s.ml_min, self._until = "S", 0.0, math.inf
            return
        per_unit = 1.0 if s.volume_unit == "ML" else 1e-3
        s.remaining_ml = phase.volume * per_unit if phase.volume else None
        self._turn(at)

    def _turn(self, at: float) -> None:
        """Turn (on) at the running phase's rate until what remains of its volume is done."""
        s = self.state
        phase = self.phase(s.running_phase)
        s.prompt = "I" if phase.direction == "INF" else "W"
        s.ml_min = phase.rate * ML_MIN_PER[phase.rate_unit] * (1.0 if s.prompt == "I" else -1.0)
        s.moving_since = at
        self._until = self._end_of_motion()
        self.barrel.run(at, s.ml_min, self._until)

    def _end_of_motion(self) -> float:
        s = self.state
        if s.prompt not in "IW" or s.remaining_ml is None:
            return math.inf
        return s.moving_since + s.remaining_ml / abs(s.ml_min) * 60.0

    def _advance(self, now: float) -> None:
        """Count what the plunger did up to `now`, going through phases that ended meanwhile."""
        while self.moving:
            at = min(now, self._until)
            self._count(at)
            if now < self._until:
                return
            self.state.running_phase += 1
            self._enter_phase(at)

    def _count(self, at: float) -> None:
        s = self.state
        moved = abs(s.ml_min) * (at - s.moving_since) / 60.0
        if s.remaining_ml is not None:
            moved = s.remaining_ml if at >= self._until else min(moved, s.remaining_ml)
            s.remaining_ml -= moved
        s.moving_since = at
        if s.ml_min > 0:
            s.infused_ml += moved
        else:
            s.withdrawn_ml += moved

    def _halt(self, at: float, prompt: str) -> None:
        s = self.state
        if self.moving:
            self.barrel.halt(at)
        s.prompt, s.ml_min, self._until = prompt, 0.0, math.inf
