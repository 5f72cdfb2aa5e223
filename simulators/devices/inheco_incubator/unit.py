"""One unit of a stack: heater, drawer, plate, shaker, and the words it knows (datasheet inheco-incubator-shaker.md)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from simulators.core.noise import noise
from simulators.core.surroundings import Chamber, Hatch, Shaken

DRAWER_S, INIT_S, SLOW_S, STABLE_S, SELF_TEST_S = 4.0, 6.0, 3.0, 2.0, 60.0
"""How long things take (X; the self test up to 500 s, P)."""
ROOM_CEL, ROOM_CO2_PERCENT = 22.0, 0.04
"""What a heater that is off leads to (X); there is no gas supply."""
LIMIT = 850
"""0.1 degC: max 85 degC default (P)."""
BOOST_FROM = 20
"""0.1 degC below the target from which the booster helps (X)."""
NOISE_CEL = 0.05
NOT_STABLE = 12345
OK, BAD_COMMAND, BAD_OPERAND, NOT_INITIALISED, NOT_NOW, DRAWER = 0, 2, 3, 7, 8, 9


@dataclass(slots=True)
class State:
    """Target and shaker settings survive a power loss (X); the rest does not."""

    kind: int = 1
    initialised: bool = True
    plate_known: bool = True
    target: int = 370
    heating: bool = True
    highest: int = 370
    plate: bool = True
    drawer_open: bool = False
    drawer_goal: bool = False
    drawer_at: float = 0.0
    """When the drawer reaches its goal."""
    busy_until: float = 0.0
    """End of an initialisation or a self test; what comes during an initialisation is done behind it (X)."""
    tested_until: float = 0.0
    cycles: int = 120
    shaker: list[int] = field(default_factory=lambda: [20, 20, 100, 100, 90])
    """Stored: amplitude x, y, frequency x, y, phase."""
    active: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0])
    """Taken over at the start."""
    shaking: bool = False
    shaken_since: float = 0.0
    slow_until: float = 0.0
    faults: int = 0
    """What the self test finds."""
    reset_told: bool = True
    draws: int = 0


class Unit:
    """`answer` gives data and error of one command, and when the answer comes."""

    def __init__(self, place: Chamber, state: State, seed: int | None, serial: str) -> None:
        self.place, self.state, self.seed, self.serial = place, state, seed, serial
        self.handed_over = False

    def advance(self, now: float) -> None:
        state = self.state
        if not self.handed_over:
            self.hand_over(now)
        if state.drawer_open is not state.drawer_goal and now >= state.drawer_at:
            state.drawer_open = state.drawer_goal
            state.plate_known = not state.drawer_open
            state.cycles += 1
            if isinstance(self.place, Hatch):
                self.place.open_hatch(state.drawer_at, state.drawer_open)

    @property
    def wake_at(self) -> float | None:
        return self.state.drawer_at if self.state.drawer_open is not self.state.drawer_goal else None

    def power_cycle(self, now: float) -> None:
        state = self.state
        self.advance(now)
        state.drawer_goal = state.drawer_open  # it stops where it is: at the end it has not left
        state.initialised = state.plate_known = state.heating = state.reset_told = False
        state.busy_until = state.tested_until = 0.0
        self._shake(now, False)
        state.slow_until = 0.0
        self.hand_over(now)

    def hand_over(self, now: float) -> None:
        self.handed_over = True
        cel = self.state.target / 10 if self.state.heating else ROOM_CEL
        self.place.set_points(now, cel, ROOM_CO2_PERCENT, None)

    def answer(self, command: str, now: float) -> tuple[str, int, float]:
        self.advance(now)
        if command[:1] == "R":
            data = self._question(command[1:], now)
            return ("", BAD_COMMAND, 0.0) if data is None else (str(data), OK, 0.0)
        if command == "AID":
            return "", self._initialise(now), 0.0
        if not re.fullmatch(r"(STT-?\d+|SHE\d|SSP-?\d+(,-?\d+){4}|AOD|ACD|ASEND|ASE0|AQS)", command):
            known = command[:3] in ("STT", "SHE", "SSP")
            return "", BAD_OPERAND if known else BAD_COMMAND, 0.0
        if command[:3] in ("SSP", "ASE") and self.state.kind not in (1, 3):
            return "", BAD_COMMAND, 0.0
        if not self.state.initialised:
            return "", NOT_INITIALISED, 0.0
        if now < self.state.tested_until:
            return "", NOT_NOW, 0.0
        if command == "AQS":
            if self.state.shaking or now < self.state.busy_until:
                return "", NOT_NOW, 0.0
            self.state.busy_until = self.state.tested_until = now + SELF_TEST_S
            return str(self.state.faults), OK, SELF_TEST_S
        return "", self._act(command, now), 0.0

    # -- questions

    def _question(self, name: str, now: float) -> str | int | None:
        state = self.state
        match name:
            case "TS":
                return state.kind
            case "FV0":
                return "IncShak_V2.11 09/2014"
            case "FV2":
                return self.serial
            case "CM" | "CD":
                return "2025-03-14"
            case "DC1":
                return 4321
            case "DC2":
                return state.cycles
            case "EE":
                ready = state.initialised and now >= state.busy_until
                return (0 if ready else 1) + (0 if state.plate_known else 2)
            case "DS":
                return int(state.drawer_open)
            case "LW":
                return int(state.plate)
            case "DM":
                return 300
            case "HE":
                return self._heater(now)
            case "TT":
                return state.target
            case "AT1" | "AT2" | "AT3":
                return self._cel(now)
            case "MT":
                return LIMIT
            case "MT1":
                return state.highest
            case "DT":
                return state.target - self._cel(now)
            case "PC1":
                return "12.5"
            case "PC2":
                return "0.8"
            case _ if state.kind in (1, 3):
                return self._shaker_question(name, now)
            case _:
                return None

    def _heater(self, now: float) -> int:
        state = self.state
        return 0 if not state.heating else 2 if state.target - self._cel(now) > BOOST_FROM else 1

    def _cel(self, now: float) -> int:
        cel = self.place.air(now).cel
        if self.seed is not None:
            self.state.draws += 1
            cel += NOISE_CEL * noise(self.seed, self.state.draws)
        shown = 0 if math.isnan(cel) else round(10 * cel)  # a broken sensor's 0 is ours
        self.state.highest = max(self.state.highest, shown)
        return shown

    def _shaker_question(self, name: str, now: float) -> int | None:
        state = self.state
        if name == "SE":
            return 1 if state.shaking else 2 if now < state.slow_until else 0
        if not re.fullmatch(r"[AF][XY][01]|[A][XY]2|PS[01]", name):
            return None
        at = {"AX": 0, "AY": 1, "FX": 2, "FY": 3, "PS": 4}[name[:2]]
        if name[2] == "0":
            return state.shaker[at]
        if not state.shaking:
            return 0
        return NOT_STABLE if now < state.shaken_since + STABLE_S else state.active[at]

    # -- deeds

    def _initialise(self, now: float) -> int:
        state = self.state
        state.heating = False
        self._shake(now, False)
        self._drawer(now, False)
        state.initialised = state.plate_known = True
        state.busy_until = now + INIT_S
        self.hand_over(now)
        return OK

    def _act(self, command: str, now: float) -> int:
        state, word, numbers = self.state, command[:3], [int(each) for each in re.findall(r"-?\d+", command)]
        match word:
            case "STT":
                if not 0 <= numbers[0] <= LIMIT:
                    return BAD_OPERAND
                state.target = numbers[0]
                self.hand_over(now)
            case "SHE":
                if numbers[0] > 1:
                    return BAD_OPERAND
                state.heating = numbers[0] == 1
                self.hand_over(now)
            case "SSP":
                amplitudes, frequencies, phase = numbers[:2], numbers[2:4], numbers[4]
                right = all(0 <= each <= 30 for each in amplitudes) and all(66 <= each <= 300 for each in frequencies)
                if not right or not 0 <= phase <= 360:
                    return BAD_OPERAND
                state.shaker = numbers
            case "AOD" | "ACD":
                if state.shaking or now < state.slow_until:
                    return NOT_NOW
                self._drawer(now, word == "AOD")
            case _ if command == "ASEND":
                if state.drawer_open or state.drawer_goal:
                    return DRAWER
                self._shake(now, True)
            case _:
                self._shake(now, False)
        return OK

    def _drawer(self, now: float, is_open: bool) -> None:
        state = self.state
        if state.drawer_goal is not is_open:
            state.drawer_goal = is_open
            now = max(now, state.busy_until)
            state.drawer_at = now + DRAWER_S if state.drawer_open is not is_open else now

    def _shake(self, now: float, on: bool) -> None:
        state = self.state
        if on and not state.shaking:
            state.active, state.shaken_since = list(state.shaker), now
        elif state.shaking and not on:
            state.slow_until = now + SLOW_S
        state.shaking = on
        if isinstance(self.place, Shaken) and state.kind in (1, 3):
            self.place.shake(now, 1, state.active[2] * 6.0 if on else 0.0, state.active[0] / 10)
