"""LiCONiC STX and legacy Heraeus Cytomat seen from the cable: a controller's relays and data memory (liconic-stx.md).

`CR` opens the communication, else `E1`; a cable plugged in again counts as the break that closes it. `OK` = accepted.
After a move that failed an STX does not become ready, as P looks at the error flag only when that did not come in
time; it moves again after ST 1900 (X).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Event, Opened
from simulators.core.surroundings import Chamber, Hatch, Shaken
from simulators.core.text import TextUnit

ACTIVATE_S, INIT_S, GATE_S, MOVE_S = 1.0, 30.0, 3.0, 15.0
"""How long handling takes; the sheet has only limits (15 s, none, none, 60 s); ours (X)."""
PICK, GIVE = 0.5, 0.9
"""When a plate is taken and set down, as parts of a move (X)."""
SHAKEN_MM = 1.5
"""(X)"""
READY, PLATE_READY, ERROR, STATION, SECOND, SHOVEL = "1915", "1914", "1814", "1813", "1807", "1812"
DM_SET = {"890": 370, "893": 930, "894": 500, "895": 0}
"""Set points as delivered: 0.1 degC, 0.1 %, 0.01 %, 0.01 % (X)."""
NOISE = {"982": 0.3, "983": 3.0, "984": 3.0, "985": 3.0}
"""In raw steps (X)."""
PROTECTED = ("200", "982", "983", "984", "985")
N2_PERCENT = 100.0


@dataclass(slots=True)
class State:
    """Relays by number, data memories by number, plates by cassette and level ("2/7")."""

    opened: bool = False
    active: bool = False
    relays: dict[str, bool] = field(default_factory=dict[str, bool])
    memory: dict[str, int] = field(default_factory=dict[str, int])
    plates: list[str] = field(default_factory=list[str])
    station: bool = False
    shovel: bool = False
    sensor_on: bool = False
    gate: bool = False
    trouble: int = 0
    fails_with: int = 0
    deed: str = ""
    """The handling that goes on, the site it goes to, when it began and when it ends."""
    site: str = ""
    since: float = 0.0
    until: float = 0.0
    halfway: bool = False
    draws: int = 0


class LiconicStx(TextUnit):
    """Options: cassettes, levels (how many there are), plates ("1/1,2/7"), station (1 = a plate waits there), climate
    (nc = none of its memories), co2, n2 (0 = not there), fail (DM200 code of the next plate move), width (5 = numbers
    are padded, 0 = plain), protected (1 = climate cannot be written: E4)."""

    bits = 11
    shaker_relay: ClassVar[str] = "1913"
    tells_errors: ClassVar[bool] = True
    switches: ClassVar[tuple[str, ...]] = ("1912", "1913", "1910")
    actions: ClassVar[Mapping[str, tuple[str, float]]] = {
        "1801": ("activate", ACTIVATE_S),
        "1900": ("initialise", INIT_S),
        "1901": ("open", GATE_S),
        "1902": ("close", GATE_S),
        "1903": ("close", GATE_S),
        "1904": ("import", MOVE_S),
        "1905": ("export", MOVE_S),
        "1908": ("pick", MOVE_S),
        "1909": ("place", MOVE_S),
    }

    def __init__(
        self, place: Chamber, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(baud=9600, processing_s=0.02)
        options = options or {}
        self.place, self.seed = place, seed
        self.cassettes, self.levels = int(options.get("cassettes", 2)), int(options.get("levels", 22))
        self.width = int(options.get("width", 5))
        self.protected = bool(float(options.get("protected", 0)))
        self.absent: set[str] = set()
        if options.get("climate", "ic") == "nc":
            self.absent |= {*DM_SET, "982", "983", "984", "985"}
        for name, numbers in (("co2", ("894", "984")), ("n2", ("895", "985"))):
            if not float(options.get(name, 1)):
                self.absent |= set(numbers)
        self.state = State(
            plates=[site for site in str(options.get("plates", "1/1")).split(",") if site],
            station=bool(float(options.get("station", 0))),
            fails_with=int(options.get("fail", 0)),
            memory=dict(DM_SET) | {"0": 1, "5": 1, "23": 0, "25": 0, "39": 100},
            relays=dict.fromkeys((*self.switches, self.shaker_relay), False),
            active=True,
        )
        self._handed_over = False

    # -- the seam

    @property
    def wake_at(self) -> float | None:
        state = self.state
        if not state.deed:
            return None
        return state.until if state.halfway else state.since + PICK * (state.until - state.since)

    def wake(self, now: float) -> list[Action]:
        self._advance(now)
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Opened):
            self.state.opened = False
        return super().receive(event, now)

    def restarted(self, now: float) -> list[Action]:
        """Handling stops where it is and is not active; set points are kept, and an STX keeps its pitch (X)."""
        state = self.state
        state.deed, state.opened, state.active, state.sensor_on, state.trouble = "", False, False, False, 0
        for relay in state.relays:
            state.relays[relay] = False
        self._shake(now)
        self._hand_over(now)
        return []

    def restore(self, saved: dict[str, object]) -> None:
        super().restore(saved)
        self._handed_over = False

    # -- commands

    def message(self, text: bytes, now: float) -> bytes:
        if not self._handed_over:
            self._hand_over(now)
        self._advance(now)
        return self._answer(text.decode("latin-1").strip("\n\0"), now).encode("latin-1") + b"\r\n"

    def _answer(self, line: str, now: float) -> str:
        if line == "CR":
            self.state.opened = True
            return "CC"
        if not self.state.opened:
            return "E1"
        if found := re.fullmatch(r"(ST|RS|RD) (\d{4})", line):
            word, relay = found[1], found[2]
            return self._read_relay(relay) if word == "RD" else self._set_relay(relay, word == "ST", now)
        if found := re.fullmatch(r"RD DM(\d{1,3})", line):
            value = self._memory(found[1], now)
            return "E0" if value is None else f"{value:0{self.width or 1}d}"
        if found := re.fullmatch(r"WR DM(\d{1,3}) (\d{1,5})", line):
            return self._write(found[1], int(found[2]), now)
        return "E1"

    def _read_relay(self, relay: str) -> str:
        state = self.state
        shown = dict(state.relays) | {
            READY: not state.deed and state.active and not (self.tells_errors and state.trouble),
            STATION: state.station,
        }
        if self.tells_errors:
            shown |= {ERROR: bool(state.trouble), SECOND: False, PLATE_READY: state.station and not state.deed}
            shown[SHOVEL] = state.shovel and state.sensor_on
        return "E0" if relay not in shown else "1" if shown[relay] else "0"

    def _set_relay(self, relay: str, on: bool, now: float) -> str:
        state = self.state
        if relay in state.relays:
            state.relays[relay] = on
            if relay == self.shaker_relay:
                self._shake(now)
            return "OK"
        if relay == "1911" and self.tells_errors:
            state.sensor_on = on
            return "OK"
        action = self.actions.get(relay)
        if action is None:
            return "E0"
        stands = not state.active or (self.tells_errors and state.trouble)
        if on and not state.deed and (not stands or relay in ("1801", "1900")):
            state.deed, state.site = action[0], f"{state.memory['0']}/{state.memory['5']}"
            state.since, state.until, state.halfway = now, now + action[1], False
        return "OK"  # acceptance only: what comes in mid-move has no effect (X)

    def _memory(self, number: str, now: float) -> int | None:
        state = self.state
        if number in self.absent:
            return None
        if number == "200":
            return state.trouble if self.tells_errors else None
        if number not in NOISE:
            return state.memory.get(number)
        air = self.place.air(now)
        n2 = max(0.0, N2_PERCENT - air.o2_percent - air.co2_percent)
        steps = {
            "982": 10 * air.cel,
            "983": 10 * air.rh_percent,
            "984": 100 * air.co2_percent,
            "985": 100 * n2,
        }[number]
        if self.seed is not None:
            state.draws += 1
            steps += NOISE[number] * noise(self.seed, state.draws)
        return 0 if math.isnan(steps) else max(0, round(steps))  # a broken sensor's 0 is ours

    def _write(self, number: str, value: int, now: float) -> str:
        if number in self.absent or (number not in self.state.memory and number not in PROTECTED):
            return "E0"
        if number in PROTECTED or (self.protected and number in DM_SET):
            return "E4"
        self.state.memory[number] = value
        if number in DM_SET:
            self._hand_over(now)
        if number == "39":
            self._shake(now)
        return "OK"

    # -- what happens

    def _advance(self, now: float) -> None:
        state = self.state
        if state.deed and not state.halfway and now >= state.since + PICK * (state.until - state.since):
            state.halfway = True
            self._halfway(now)
        if state.deed and now >= state.until:
            deed, state.deed = state.deed, ""
            self._end(deed, now)

    def _halfway(self, now: float) -> None:
        """The plate is taken up; a move that cannot be ends in its code (P)."""
        state, deed = self.state, self.state.deed
        if deed not in ("import", "export", "pick", "place"):
            return
        base = {"import": 100, "export": 200, "pick": 700, "place": 500}[deed]
        cassette, level = map(int, state.site.split("/"))
        if state.fails_with:
            state.trouble, state.fails_with = state.fails_with, 0
        elif not (1 <= cassette <= self.cassettes and 1 <= level <= self.levels):
            state.trouble = 12
        elif self.place.air(now).door_open:
            state.trouble = 10
        elif deed == "export" and state.station:
            state.trouble = 13
        elif deed in ("export", "pick", "import") and state.shovel:
            state.trouble = 15
        elif deed in ("export", "pick") and state.site not in state.plates:
            state.trouble = base + (5 if deed == "export" else 16)
        elif deed == "import" and not state.station:
            state.trouble = base + 5
        elif deed == "place" and (not state.shovel or state.site in state.plates):
            state.trouble = base + 16 if not state.shovel else base + 11
        else:
            if deed in ("export", "pick"):
                state.plates.remove(state.site)
            elif deed == "import":
                state.station = False
            state.shovel = True
            if deed in ("import", "export"):
                self._open_gate(now, True)
            return
        state.deed = ""

    def _end(self, deed: str, now: float) -> None:
        state = self.state
        match deed:
            case "activate":
                state.active = True
            case "initialise":
                state.active, state.trouble = True, 0
                self._open_gate(now, False)
            case "open" | "close":
                self._open_gate(now, deed == "open")
            case "export":
                state.station, state.shovel = True, False
            case "import" if state.site in state.plates:
                state.trouble = 105
            case "import" | "place":
                state.plates.append(state.site)
                state.shovel = False
            case _:
                pass

    def _open_gate(self, now: float, is_open: bool) -> None:
        self.state.gate = is_open
        if isinstance(self.place, Hatch):
            self.place.open_hatch(now, is_open)

    def _shake(self, now: float) -> None:
        if isinstance(self.place, Shaken):
            on = self.state.relays[self.shaker_relay]
            self.place.shake(now, 1, self.state.memory["39"] * 6.0 if on else 0.0, SHAKEN_MM)

    def _hand_over(self, now: float) -> None:
        """Oxygen is held by nitrogen: what is left beside it and CO2."""
        self._handed_over = True
        points = self.state.memory
        n2 = points["895"] / 100
        o2 = None if not n2 else max(0.0, N2_PERCENT - n2 - points["894"] / 100)
        self.place.set_points(now, points["890"] / 10, points["894"] / 100, o2)


class HeraeusCytomat(LiconicStx):
    """No climate memories, no error flag, shaker at relay 1607; pitch and positions are lost without power (H)."""

    shaker_relay = "1607"
    tells_errors = False
    switches = ()
    actions: ClassVar[Mapping[str, tuple[str, float]]] = {
        relay: action for relay, action in LiconicStx.actions.items() if relay not in ("1908", "1909")
    }

    def __init__(
        self, place: Chamber, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(place, address, seed, options)
        self.absent |= {*DM_SET, *NOISE, "39"}

    def restarted(self, now: float) -> list[Action]:
        self.state.memory |= {"23": 0, "25": 0}
        return super().restarted(now)
