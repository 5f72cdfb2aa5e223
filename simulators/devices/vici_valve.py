"""VICI multiposition actuators seen from the cable; sheet vici-valve.md.

Guesses where the sheet has a question mark: CP says the last port until the next is reached; a command that is not
understood is answered `Bad command`; IFM1 answers itself; a microelectric actuator says `Position is  = 3` and
`NP = 10`; one step takes 0.2 s; what DEL sets ends commands too. In the two position modes A is port 1 and B port 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.core.simulator import Action, Send
from simulators.core.surroundings import Selector
from simulators.core.text import TextUnit

LEARN_S = 8.0
"""LRN takes up to 15 s (H)."""
STEP_S = 0.2
"""0.1 to 0.3 s a step (X)."""
COUNTS = 65536
ENDS = {1: b"\r", 2: b"\n", 3: b"\r\n"}


@dataclass(slots=True)
class ValveState:
    """Kept without power, but for what is below the blank line."""

    ports: int = 10
    port: int = 1
    ident: str = ""
    mode: int = 3
    reply_mode: int = 0
    long: bool = False
    delimiter: int = 1
    direction: str = "A"
    count: int = 1234
    baud: int = 9600
    delay_ms: int = 500
    """Of a timed toggle."""

    goal: int = 1
    step: int = 0
    """+1 clockwise, -1 counter-clockwise, 0 = it stands."""
    next_at: float = 0.0
    back_at: float | None = None
    """When a timed toggle turns back."""


class ViciUniversal(TextUnit):
    """Options: ports (10), id (one character), long (1 = LG1)."""

    state: ValveState
    prefix: ClassVar[str] = ""
    universal: ClassVar[bool] = True

    def __init__(
        self,
        place: Selector,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: there is no noise."""
        super().__init__(9600, 0.01)
        options = options or {}
        self.place = place
        own = "" if not address else str(address) if address < 10 else chr(55 + address)
        self.state = ValveState(
            ports=int(float(options.get("ports", 10))),
            ident=str(options.get("id", own)),
            long=not self.universal or bool(float(options.get("long", 0))),
        )
        self.stuck = False
        """A fault: the motor hums, the valve stays."""

    # -- time

    @property
    def wake_at(self) -> float | None:
        s = self.state
        return s.next_at if s.step else s.back_at

    def wake(self, now: float) -> list[Action]:
        s = self.state
        while (at := self.wake_at) is not None and at <= now:
            if not s.step:
                s.back_at = None
                self._turn(3 - s.port, 1, at)
                continue
            if not self.stuck:
                s.port = (s.port - 1 + s.step) % self._ports_now + 1
                s.count = (s.count + 1) % COUNTS
            s.next_at = at + STEP_S
            if s.port == s.goal or self.stuck:
                s.step, s.goal = 0, s.port
                self.place.connect(at, s.port)
        return []

    def restarted(self, now: float) -> list[Action]:
        """Without power it stands where it is, on its way between two ports too; it leads to the nearer one."""
        s = self.state
        if s.step:
            self.place.connect(now, s.port)
        s.step, s.goal, s.back_at = 0, s.port, None
        return []

    def turn_by_hand(self, port: int, now: float) -> None:
        """The manual controller."""
        self._turn(port, 1, now)

    # -- commands

    @property
    def ends(self) -> bytes:  # pyright: ignore[reportIncompatibleVariableOverride]
        return ENDS[self.state.delimiter]

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        """One line; blanks fall away, and what is for another ID is not heard."""
        self.wake(now)
        s = self.state
        line = text.decode("latin-1").upper().replace(" ", "").strip("\r\n")
        if line.startswith("*"):
            self._do(line[1:], now)
            return b""
        start = self.prefix + s.ident if s.ident else ""
        if not line.startswith(start) or not line[len(start) :]:
            return b""
        end = ENDS[s.delimiter]
        if line[len(start) :] == "LRN" and self.universal and s.mode == 1:
            self._turn(1, -1, now)
            return [Send(LEARN_S, b"CPA" + end)]
        said = self._do(line[len(start) :], now)
        return b"".join(each.encode("latin-1") + ENDS[s.delimiter] for each in said)

    def _do(self, command: str, now: float) -> list[str]:
        """The lines of the answer."""
        found = re.fullmatch(r"(GO|CW|CC|HM|CP|NP|SM|CNT|AM|ID|SB|IFM|LG|DEL|STAT|VR|TO|TT|DT)(.*)", command)
        if found is None or not self._knows(found[1]):
            return ["Bad command"]
        word, argument = found.groups()
        handlers: dict[str, Callable[[str, float], list[str]]] = {
            "GO": self._go, "CW": self._go_round, "CC": self._go_back, "HM": self._home, "NP": self._ports,
            "SM": self._direction, "ID": self._ident, "TO": self._toggle, "TT": self._toggle_and_back,
        }  # fmt: skip
        if word in handlers:
            return handlers[word](argument, now)
        return self._setting(word, argument)

    def _knows(self, word: str) -> bool:
        if word in ("TO", "TT", "DT"):
            return self._two_positions
        if word in ("HM", "NP") and self._two_positions:
            return False
        return self.universal or word in ("GO", "CW", "CC", "CP", "NP", "SM", "ID", "SB", "STAT", "VR")

    @property
    def _two_positions(self) -> bool:
        return self.universal and self.state.mode != 3

    @property
    def _ports_now(self) -> int:
        return 2 if self._two_positions else self.state.ports

    def _shown(self) -> str:
        """The port, as a letter where there are two positions."""
        return "AB"[self.state.port - 1] if self._two_positions else f"{self.state.port}"

    def _setting(self, word: str, argument: str) -> list[str]:
        s = self.state
        match word, argument:
            case "CP", "":
                return [
                    f"Position is  = {self._shown()}" if s.long else f"CP{self._shown():0>{2 - self._two_positions}}"
                ]
            case "CNT", "":
                return [f"CNT{s.count:05d}"]
            case "CNT", number if number.isdigit() and int(number) < COUNTS:
                s.count = int(number)
            case "AM", "":
                return [f"AM{s.mode}"]
            case "AM", "1" | "2" | "3":
                s.mode = int(argument)
                s.port = s.goal = min(s.port, self._ports_now)
            case "DT", "":
                return [f"DT{s.delay_ms:04d}"]
            case "DT", number if number.isdigit():
                s.delay_ms = int(number)
            case "SB", "":
                return [f"SB{s.baud}"]
            case "IFM", "0" | "1" | "2":
                s.reply_mode = int(argument)
            case "LG", "0" | "1":
                s.long = argument == "1"
            case "DEL", "1" | "2" | "3":
                s.delimiter = int(argument)
            case "SB", number if number.isdigit():
                s.baud = int(number)
            case "STAT", "":
                return [f"Position is  = {self._shown()}", f"NP = {s.ports}", f"SM = {s.direction}"]
            case "VR", "":
                return ["I-PD-AMHX88RD1", "VICI", "Universal" if self.universal else "Microelectric", "V1.0", "Sep 9"]
            case _:
                return ["Bad command"]
        return self._echo(word + argument)

    def _echo(self, command: str) -> list[str]:
        if not self.universal or self.state.reply_mode == 0:
            return []
        return [command] if self.state.reply_mode == 1 else [command, f"Position is  = {self._shown()}"]

    def _ports(self, argument: str, now: float) -> list[str]:
        s = self.state
        if not argument:
            return [f"NP = {s.ports}" if s.long else f"NP{s.ports:02d}"]
        if not argument.isdigit() or not 2 <= int(argument) <= 96:
            return ["Bad command"]
        s.ports = int(argument)
        s.port = s.goal = min(s.port, s.ports)
        return self._echo("NP" + argument)

    def _direction(self, argument: str, now: float) -> list[str]:
        if not argument:
            return [f"SM = {self.state.direction}" if self.state.long else f"SM{self.state.direction}"]
        if argument not in ("F", "R", "A"):
            return ["Bad command"]
        self.state.direction = argument
        return self._echo("SM" + argument)

    def _ident(self, argument: str, now: float) -> list[str]:
        s = self.state
        if not argument:
            return [f"ID{s.ident}" if s.ident else "ID not used"]
        if argument == "*":
            s.ident = ""
        elif len(argument) == 1 and (argument.isdigit() or (self.universal and "A" <= argument <= "Z")):
            s.ident = argument
        else:
            return ["Bad command"]
        return self._echo("ID" + argument)

    # -- turning

    def _go(self, argument: str, now: float) -> list[str]:
        s = self.state
        goal = self._goal(argument, 1)
        if goal is None:
            return [f"GO{argument} = Bad command"]
        ahead = (goal - s.port) % self._ports_now
        way = {"F": 1, "R": -1}.get(s.direction, 1 if ahead <= self._ports_now - ahead else -1)
        self._turn(goal, way, now)
        return self._echo("GO" + argument)

    def _go_round(self, argument: str, now: float) -> list[str]:
        return self._to("CW", argument, 1, now)

    def _go_back(self, argument: str, now: float) -> list[str]:
        return self._to("CC", argument, -1, now)

    def _to(self, word: str, argument: str, way: int, now: float) -> list[str]:
        goal = self._goal(argument, way)
        if goal is None:
            return ["Bad command"]
        self._turn(goal, way, now)
        return self._echo(word + argument)

    def _home(self, argument: str, now: float) -> list[str]:
        self._turn(1, 1, now)
        return [f"HM{self.state.goal}"] if self.state.reply_mode else []

    def _toggle(self, argument: str, now: float) -> list[str]:
        self._turn(3 - self.state.port, 1, now)
        return self._echo("TO")

    def _toggle_and_back(self, argument: str, now: float) -> list[str]:
        self._turn(3 - self.state.port, 1, now)
        self.state.back_at = now + STEP_S + self.state.delay_ms / 1000
        return self._echo("TT")

    def _goal(self, argument: str, way: int) -> int | None:
        """The port asked for; without a number the next one that way."""
        s = self.state
        if not argument:
            return (s.port - 1 + way) % self._ports_now + 1
        if self._two_positions:
            return {"A": 1, "B": 2}.get(argument)
        return int(argument) if argument.isdigit() and 1 <= int(argument) <= s.ports else None

    def _turn(self, goal: int, way: int, now: float) -> None:
        s = self.state
        s.goal = goal
        if goal == s.port and not s.step:
            return
        s.step, s.next_at = way, now + STEP_S
        self.place.connect(now, 0)


class ViciUniversalRs485(ViciUniversal):
    """On RS-485 `/` stands in front of the ID (H)."""

    prefix = "/"


class ViciMicroelectric(ViciUniversal):
    """EMH, EMT: long replies, no echo of a turn (X)."""

    universal = False
