"""One channel of the pump: its settings, its counters and its rollers over a tube."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from simulators.core.surroundings import Tube

DIAMETERS = (
    13, 19, 25, 38, 44, 51, 57, 64, 76, 89, 95, 102, 109,
    114, 122, 130, 142, 152, 165, 175, 185, 206, 229, 254, 279, 317,
)  # fmt: skip
"""Inner diameters, mm x 100 (M)."""
KNOWN_FLOW = {13: 0.11, 102: 6.3, 130: 10.0, 152: 13.0, 206: 20.0, 317: 35.0}
"""mL/min at 100 rpm with 8 rollers (M); in between on a straight line of the logarithms, ours."""
FASTEST_RPM, SLOWEST_RPM = 100.0, 0.1
ROLLERS = 8
PUMPING, PAUSING, AT_REST, CALIBRATING, WAITING = "A", "B", "C", "D", "E"
GOING = (PUMPING, PAUSING, CALIBRATING)
COMPLETE, CALIBRATED = "A", "B"


@cache
def flow_at_full_speed(diameter: int) -> float:
    below = max(known for known in KNOWN_FLOW if known <= diameter)
    above = min(known for known in KNOWN_FLOW if known >= diameter)
    if below == above:
        return KNOWN_FLOW[below]
    part = math.log(diameter / below) / math.log(above / below)
    return KNOWN_FLOW[below] * (KNOWN_FLOW[above] / KNOWN_FLOW[below]) ** part


@dataclass(slots=True)
class Channel:
    """Settings first, then the counters, then what is going on. Times in s, volumes in mL, `until` None = no end."""

    mode: str = "L"
    clockwise: bool = True
    rpm: float = 10.0
    flow: float = 1.0
    volume: float = 0.0
    run_s: float = 0.0
    pause_s: float = 0.0
    cycles: int = 0
    by_flow: bool = False
    back_steps: int = 0
    diameter: int = 206
    calibration: float = 1.0
    calibration_clockwise: bool = True
    calibration_target: float = 1.0
    calibration_measured: float = 0.0
    calibration_s: float = 60.0
    calibrated_at_s: float = 0.0
    """Reading of `total_s` at the last calibration."""
    rollers: int = ROLLERS
    steps_low: int = 0
    steps_high: int = 0
    """The two words of the roller steps, only kept."""

    total_ml: float = 0.0
    total_rev: float = 0.0
    total_s: float = 0.0
    trip_ml: float = 0.0

    doing: str = AT_REST
    since: float = 0.0
    until: float | None = None
    ml_min: float = 0.0
    cycle_ml: float = 0.0
    cycles_left: int = 0
    paused_s: float = 0.0
    """Left of a dose that was paused: the next start goes on with it (X), a stop forgets it."""

    @property
    def full_flow(self) -> float:
        """mL/min at 100 rpm as calibrated."""
        return flow_at_full_speed(self.diameter) * self.calibration

    def rate(self) -> float:
        """mL/min that a start in the present mode would turn at."""
        if self.mode == "G":
            return self.volume / self.run_s * 60 if self.run_s else 0.0
        if self.mode == "M" or (self.mode != "L" and self.by_flow):
            return self.flow
        return self.full_flow * self.rpm / FASTEST_RPM

    def why_not(self) -> str:
        """C, R or V when a start is not possible, "" when it is."""
        if self.mode in "QP" and self.cycles < 1:
            return "C"
        if self.mode in "OGQ" and self.volume <= 0:
            return "V"
        return "" if 0 < self.rate() <= self.full_flow * 1.0001 else "R"

    def start(self, tube: Tube, now: float) -> None:
        if self.paused_s:
            self._go(tube, now, self.paused_s)
            return
        self.cycles_left = self.cycles if self.mode in "QP" else 1
        self.ml_min = self.rate()
        self._cycle(tube, now)

    def pause(self, tube: Tube, now: float) -> None:
        """Rest in mid-dose; in the modes without an end that is a stop (M)."""
        self.count(now)
        left = self.until - now if self.doing == PUMPING and self.until is not None else 0.0
        if left <= 0:
            self.stop(tube, now)
            return
        tube.halt(now)
        self.doing, self.until, self.since, self.paused_s = AT_REST, None, now, left

    def calibrate(self, tube: Tube, now: float) -> None:
        """Turn until the target should have come out, in the time that is set for it."""
        self.ml_min = self.calibration_target / self.calibration_s * 60
        self.doing, self.since, self.cycle_ml, self.cycles_left = CALIBRATING, now, 0.0, 1
        self.until = now + self.calibration_s
        tube.run(now, self.ml_min if self.calibration_clockwise else -self.ml_min, self.until)

    def _cycle(self, tube: Tube, now: float) -> None:
        seconds = math.inf
        if self.mode in "OQG":
            seconds = self.volume / self.ml_min * 60
        elif self.mode in "NP":
            seconds = self.run_s
        self.cycle_ml = 0.0
        self._go(tube, now, seconds)

    def _go(self, tube: Tube, now: float, seconds: float) -> None:
        self.doing, self.since, self.paused_s = PUMPING, now, 0.0
        self.until = now + seconds if seconds < math.inf else None
        tube.run(now, self.ml_min if self.clockwise else -self.ml_min, now + seconds)

    def count(self, now: float) -> None:
        """Bring the counters up to `now`."""
        if self.doing not in (PUMPING, CALIBRATING) or now <= self.since:
            return
        seconds = now - self.since
        moved = self.ml_min * seconds / 60
        self.total_ml += moved
        self.trip_ml += moved
        self.cycle_ml += moved
        self.total_s += seconds
        self.total_rev += moved / self.full_flow * FASTEST_RPM
        self.since = now

    def advance(self, tube: Tube, now: float) -> str:
        """Live until `now`; the cause when the channel came to its own end, else ""."""
        while self.until is not None and now >= self.until:
            at = self.until
            if self.doing == PAUSING:
                self._cycle(tube, at)
                continue
            self.count(at)
            if self.doing == CALIBRATING:
                tube.halt(at)
                self.doing, self.until = WAITING, None
                return CALIBRATED
            self.cycles_left -= 1
            if self.cycles_left > 0:
                tube.halt(at)
                self.doing, self.since, self.until = PAUSING, at, at + self.pause_s
                continue
            self.stop(tube, at)
            return COMPLETE
        self.count(now)
        return ""

    def stop(self, tube: Tube, now: float) -> None:
        """Come to rest, with the back steps that are set: each a roller's way, at the same speed."""
        self.count(now)
        was, self.doing, self.until, self.since, self.paused_s = self.doing, AT_REST, None, now, 0.0
        tube.halt(now)
        if was == PUMPING and self.back_steps:
            back_ml = self.back_steps * self.full_flow / FASTEST_RPM / ROLLERS
            tube.run(now, -self.ml_min if self.clockwise else self.ml_min, now + back_ml / self.ml_min * 60)
