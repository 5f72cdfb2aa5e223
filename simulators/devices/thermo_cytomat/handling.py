"""The store behind the commands: plates, handler, gate, station, and how long a movement takes (thermo-cytomat-…md).

A movement is a list of deeds, each at its moment; the overview register is what the sensors show just then.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.core.surroundings import Chamber, Hatch, Shaken

MOVE_S = 12.0
"""One plate move; P waits up to 60 s, for ch:ts 120 s. The figure is ours (X)."""
INIT_S = 40.0
"""Initialisation "can take minutes" (O, P); ours (X)."""
GATE_S = 3.0
SHAKER_S = 2.0
BUSY, READY, WARNING, ERROR, HANDLER, GATE, DOOR, STATION = (1 << bit for bit in range(8))
FIRST, REACH, TAKE, PART, GIVE, LAST = 0.15, 0.3, 0.4, 0.5, 0.85, 1.0
"""When things happen in a plate move, as parts of its time (X)."""
SHAKEN_MM = 1.5
"""Amplitude of a tower shaker (X)."""


@dataclass(slots=True)
class State:
    """All that a Cytomat remembers. What stands on the shovel or on the station is just a plate."""

    slots: list[int] = field(default_factory=list[int])
    """Numbers of the full slots."""
    station: bool = False
    handler: bool = False
    exposed: bool = False
    gate: bool = False
    swap: int = 1
    user_side: bool = False
    error: int = 0
    warning: int = 0
    next_error: int = 0
    """The next plate move ends in this error, before it has taken its plate."""
    action: int = 0
    deeds: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """What is still to happen, and when."""
    set_points: dict[str, float] = field(default_factory=dict[str, float])
    shaker_speed: list[int] = field(default_factory=lambda: [200, 200])
    shaker_on: list[bool] = field(default_factory=lambda: [False, False])
    commands: int = 0
    draws: int = 0
    say_at: float = 0.0
    """When it says something by itself, if it does."""


class Handling:
    """Carries out movements on `state`; deeds that are due happen in `advance`."""

    def __init__(self, state: State, place: Chamber, size: int) -> None:
        self.state, self.place, self.size = state, place, size

    def overview(self, now: float) -> int:
        state = self.state
        busy = bool(state.deeds)
        shown = (state.station, self.place.air(now).door_open, state.gate, state.handler, state.error, state.warning)
        bits = (STATION, DOOR, GATE, HANDLER, ERROR, WARNING)
        return (BUSY if busy else READY) | sum(bit for bit, on in zip(bits, shown, strict=True) if on)

    def advance(self, now: float) -> None:
        deeds = self.state.deeds
        while deeds and deeds[0][0] <= now:
            at, deed = deeds.pop(0)
            self._do(at, deed)

    def begin(self, now: float, steps: list[tuple[float, str]]) -> None:
        self.state.deeds = [(now + after_s, deed) for after_s, deed in steps]
        self.advance(now)

    def plate(self, now: float, command: str, slot: int) -> str:
        """Begin `mv:<command>`; an `er` code when it cannot be, "" when it was taken."""
        state = self.state
        source, goal = command
        if source == "t" and not state.station:
            return "31"
        if goal == "t" and state.station:
            return "32"
        if source in "wh" and not state.handler:
            return "22"
        if source not in "wh" and state.handler:
            return "21"
        if (source == "h") is not state.exposed:
            return "12" if state.exposed else "11"
        if self.place.air(now).door_open:
            self.begin(now, [(INIT_S, "warning 9")])
            return ""
        steps: list[tuple[float, str]] = []
        outside = source == "t" or goal in "th"
        if source in "ts":
            if source == "t":
                steps += [(FIRST, "open"), (REACH, "take station"), (TAKE, "close")]
            else:
                steps += [(REACH, f"take {slot}")]
        if outside and goal in "th":
            steps += [(PART, "open")]
        match goal:
            case "t":
                steps += [(GIVE, "give station"), (LAST, "close")]
            case "s":
                steps += [(GIVE, f"give {slot}"), (LAST, "unexpose")]
            case "h":
                steps += [(GIVE, "expose"), (LAST, "")]
            case _:
                steps += [(GIVE, "unexpose"), (LAST, "close")]
        if source == "h" and goal == "s":
            steps += [(LAST, "close")]
        if state.next_error:
            steps = [(LAST, f"error {state.next_error}")]
            state.next_error = 0
        self.begin(now, [(part * MOVE_S, deed) for part, deed in steps])
        return ""

    def power_cycle(self, now: float) -> None:
        """A movement stops where it is; it initialises by itself, and a restart clears the registers (sheet)."""
        state = self.state
        state.error = state.warning = state.next_error = 0
        for shaker in (1, 2):
            self.shake(now, shaker, False)
        self.begin(now, [(INIT_S, "initialised")])

    def shake(self, now: float, shaker: int, on: bool) -> None:
        state = self.state
        state.shaker_on[shaker - 1] = on
        if isinstance(self.place, Shaken):
            self.place.shake(now, shaker, state.shaker_speed[shaker - 1] if on else 0.0, SHAKEN_MM)

    def _do(self, at: float, deed: str) -> None:
        state = self.state
        word, _, rest = deed.partition(" ")
        match word:
            case "open" | "close":
                state.gate = word == "open"
                if isinstance(self.place, Hatch):
                    self.place.open_hatch(at, state.gate)
            case "take" if rest == "station":
                state.station, state.handler = False, True
            case "take":
                if int(rest) not in state.slots:
                    self._fail(0x02)
                else:
                    state.slots.remove(int(rest))
                    state.handler = True
            case "give" if rest == "station":
                state.station, state.handler = True, False
            case "give":
                if int(rest) in state.slots:
                    self._fail(0x03)
                else:
                    state.slots.append(int(rest))
                    state.handler = state.exposed = False
            case "expose" | "unexpose":
                state.exposed = word == "expose"
            case "swap":
                state.swap = int(rest)
                state.station, state.user_side = state.user_side, state.station
            case "shake" | "still":
                self.shake(at, int(rest), word == "shake")
            case "error":
                self._fail(int(rest))
            case "warning":
                state.warning = int(rest)
            case "initialised":
                state.warning, state.exposed = 0, False
                if state.gate:
                    self._do(at, "close")
            case _:
                pass

    def _fail(self, code: int) -> None:
        """The movement ends here."""
        self.state.error = code
        self.state.deeds.clear()
