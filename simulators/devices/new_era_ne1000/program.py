"""The pump's own program: phases, counters, and the screw that turns; what a command does, without its frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulators.core.surroundings import Barrel

ML_MIN_PER = {"MM": 1.0, "MH": 1 / 60, "UM": 1e-3, "UH": 1e-3 / 60}
PHASES = 41
SPEED_CM_MIN = (0.004205 / 60, 5.1005)  # NE-1000 plunger, evidence L
DIRECTIONS = ("INF", "WDR")
STICKY = "STK"


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
    direction: str = "INF"
    """It turned so last."""
    received: str = ""
    received_at: float = 0.0


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


class PumpProgram:
    """Carries out commands on `state` and turns the screw of `barrel`."""

    def __init__(self, barrel: Barrel) -> None:
        self.barrel = barrel
        self.state = PumpState()
        self.until = math.inf

    def carry_out(self, command: str, now: float) -> str:
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
                return self._dir(argument, now)
            case "CLD":
                return self._cld(argument)
            case _:
                return "?"

    @property
    def moving(self) -> bool:
        return self.state.prompt in "IWX"

    def phase(self, index: int) -> Phase:
        """As the pump leaves the factory a program has one phase: a client that knows of no others (N) sees it stop."""
        return self.state.phases.setdefault(str(index), Phase() if index == 1 else Phase("STP"))

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

    def _dir(self, argument: str, now: float) -> str:
        phase = self.phase(self.state.running_phase if self.moving else self.state.selected)
        if not argument:
            return phase.direction
        before = self._way(phase)
        if argument == "REV":
            argument = DIRECTIONS[1 - DIRECTIONS.index(before)]
        if argument not in (*DIRECTIONS, STICKY):
            return "?"
        if self.moving and (phase.volume or self.state.prompt == "X"):
            return "?NA"  # while pumping only if VOL is 0 (M)
        phase.direction = argument
        if self.moving:
            self._turn(now)
        return ""

    def _way(self, phase: Phase) -> str:
        """Direction of `phase`; STK goes on in the one it was last turning in."""
        return phase.direction if phase.direction != STICKY else self.state.direction

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
            self.halt(now, "P")
        else:
            self.halt(now, "S")
        return ""

    def _purge(self, now: float) -> str:
        s = self.state
        if self.moving:
            return "?NA"
        s.prompt, s.remaining_ml, s.moving_since = "X", None, now
        direction = 1.0 if self._way(self.phase(s.selected)) == "INF" else -1.0
        s.ml_min = direction * SPEED_CM_MIN[1] * math.pi * (s.diameter_mm / 20) ** 2
        self.barrel.run(now, s.ml_min, math.inf)
        return ""

    def _enter_phase(self, at: float) -> None:
        """Begin `running_phase`: RAT turns the screw, STP and the end of the list stop the program."""
        s = self.state
        phase = self.phase(s.running_phase) if s.running_phase <= PHASES else Phase("STP")
        if phase.fun == "STP":
            s.prompt, s.ml_min, self.until = "S", 0.0, math.inf
            return
        per_unit = 1.0 if s.volume_unit == "ML" else 1e-3
        s.remaining_ml = phase.volume * per_unit if phase.volume else None
        self._turn(at)

    def _turn(self, at: float) -> None:
        """Turn (on) at the running phase's rate until what remains of its volume is done."""
        s = self.state
        phase = self.phase(s.running_phase)
        s.direction = self._way(phase)
        s.prompt = "I" if s.direction == "INF" else "W"
        s.ml_min = phase.rate * ML_MIN_PER[phase.rate_unit] * (1.0 if s.prompt == "I" else -1.0)
        s.moving_since = at
        self.until = self.end_of_motion()
        self.barrel.run(at, s.ml_min, self.until)

    def reset_totals(self, now: float) -> None:
        """The accumulated volumes are gone, as after a change of the diameter."""
        self.advance(now)
        self.state.infused_ml = self.state.withdrawn_ml = 0.0

    def near_roll_over(self, now: float, ml: float) -> None:
        """The display ends at 9999 of its unit and stays there."""
        self.advance(now)
        end_ml = 9999.0 if self.state.volume_unit == "ML" else 9.999
        self.state.infused_ml = self.state.withdrawn_ml = max(0.0, end_ml - ml)

    def end_of_motion(self) -> float:
        s = self.state
        if s.prompt not in "IW" or s.remaining_ml is None:
            return math.inf
        return s.moving_since + s.remaining_ml / abs(s.ml_min) * 60.0

    def advance(self, now: float) -> None:
        """Count what the plunger did up to `now`, going through phases that ended meanwhile."""
        while self.moving:
            at = min(now, self.until)
            self._count(at)
            if now < self.until:
                return
            self.state.running_phase += 1
            self._enter_phase(at)

    def _count(self, at: float) -> None:
        s = self.state
        moved = abs(s.ml_min) * (at - s.moving_since) / 60.0
        if s.remaining_ml is not None:
            moved = s.remaining_ml if at >= self.until else min(moved, s.remaining_ml)
            s.remaining_ml -= moved
        s.moving_since = at
        if s.ml_min > 0:
            s.infused_ml += moved
        else:
            s.withdrawn_ml += moved

    def halt(self, at: float, prompt: str) -> None:
        s = self.state
        if self.moving:
            self.barrel.halt(at)
        s.prompt, s.ml_min, self.until = prompt, 0.0, math.inf
