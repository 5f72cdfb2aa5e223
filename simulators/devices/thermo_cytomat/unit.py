"""The Cytomat's command line, 9600 8N1: `<type>:<command> <parameters>` CR (datasheet thermo-cytomat-heracell.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from simulators.core.noise import noise
from simulators.core.simulator import Action, Send
from simulators.core.surroundings import Chamber
from simulators.core.text import TextUnit
from simulators.devices.thermo_cytomat.handling import GATE_S, INIT_S, MOVE_S, SHAKER_S, Handling, State

SET_POINTS = {"it": 37.0, "ic": 5.0, "ih": 93.0, "io": 20.9}
"""As delivered (X)."""
LIMITS = {"it": (0.0, 60.0), "ic": (0.0, 20.0)}
"""What the device takes is unknown (?); ours (X)."""
O2_OFF_FROM = 20.9
"""Nitrogen can only lower oxygen: with the set point of room air there is nothing to control (X)."""
NOISE = {"it": 0.03, "ic": 0.03, "ih": 0.3, "io": 0.05}
HIGHEST_SPEED = 1500
"""rpm (X)."""
ACTION = {"ts": 0x8E, "st": 0x67, "in": 0x20}
"""A plausible action register in mid-move (X); others show 00."""
PLATE_MOVES = ("ts", "st", "sw", "ws", "tw", "wt", "wh", "hw", "hs", "sh")
WITH_SLOT = ("ts", "st", "sw", "ws", "hs", "sh")


class ThermoCytomat2(TextUnit):
    """Acts on a chamber; it also opens the chamber's hatch and shakes, where the chamber has these.

    Options: slots (how many there are), plates ("1,2" = the full slots), station (1 = a plate waits there), shakers
    (0 to 2), swap (0 = no swap station), o2, humidity (0 = not measured), fail (error code in hex that the next plate
    move ends with), spurious (every n-th command is answered `er 01` although it is idle), reply_end (cr or crlf),
    lower (1 = hex digits in lower case), periodic_s (it tells temperature and CO2 by itself that often; form X).
    """

    def __init__(
        self, place: Chamber, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(baud=9600, processing_s=0.02)
        options = options or {}
        self.place, self.seed = place, seed
        self.size = int(options.get("slots", 42))
        self.shakers = int(options.get("shakers", 2))
        self.has_swap = bool(float(options.get("swap", 1)))
        self.absent = {code for code, name in (("io", "o2"), ("ih", "humidity")) if not float(options.get(name, 1))}
        self.spurious = int(options.get("spurious", 0))
        self.end = b"\r\n" if options.get("reply_end", "cr") == "crlf" else b"\r"
        self.lower = bool(float(options.get("lower", 0)))
        self.periodic_s = float(options.get("periodic_s", 0))
        self.state = State(
            say_at=0.0,
            slots=[int(number) for number in str(options.get("plates", "1")).split(",") if number],
            station=bool(float(options.get("station", 0))),
            next_error=int(str(options.get("fail", "0")), 16),
            set_points=dict(SET_POINTS),
        )
        self.handling = Handling(self.state, place, self.size)
        self._handed_over = False

    # -- the seam

    @property
    def wake_at(self) -> float | None:
        times = [self.state.deeds[0][0]] if self.state.deeds else []
        times += [self.state.say_at] if self.periodic_s and self._handed_over else []
        return min(times, default=None)

    def wake(self, now: float) -> list[Action]:
        self.handling.advance(now)
        if not self.periodic_s or now < self.state.say_at:
            return []
        self.state.say_at = now + self.periodic_s
        said = f"T {self._measured('it', now):.1f} C {self._measured('ic', now):.1f}"
        return [Send(0.0, said.encode() + self.end)]

    def restarted(self, now: float) -> list[Action]:
        """Set points are kept (X)."""
        self.handling.advance(now)
        self.handling.power_cycle(now)
        self._hand_over(now)
        return []

    def restore(self, saved: dict[str, object]) -> None:
        super().restore(saved)
        self.state.deeds = [(float(at), str(deed)) for at, deed in cast("list[list[Any]]", self.state.deeds)]
        self.handling = Handling(self.state, self.place, self.size)
        self._handed_over = False

    def message(self, text: bytes, now: float) -> bytes:
        if not self._handed_over:
            self._hand_over(now)
        self.handling.advance(now)
        line = text.removeprefix(b"\n").decode("latin-1")
        if not line:
            return b""
        self.state.commands += 1
        said = self._answer(line, now)
        return said.encode("latin-1") + self.end

    # -- commands

    def _answer(self, line: str, now: float) -> str:
        if self.spurious and self.state.commands % self.spurious == 0:
            return "er 01"
        found = re.fullmatch(r"([a-z]{2}):([a-z][a-z0-9+-])(?: (.*))?", line)
        if found is None:
            return "er 03" if ":" not in line else "er 02"
        kind, command, parameters = found[1], found[2], (found[3] or "").split(" ") if found[3] else []
        if kind == "ch":
            data = self._status(command, parameters, now)
            return f"{command} {data}" if data is not None else "er 02"
        if kind not in ("mv", "ll", "se", "rs"):
            return "er 02"
        if self.state.deeds:
            return "er 01"
        error = {"mv": self._plate, "ll": self._low_level, "se": self._setting, "rs": self._reset}[kind](
            command, parameters, now
        )
        if error:
            return f"er {error}"
        self.handling.advance(now)
        return f"ok {self._hex(self.handling.overview(now))}"

    def _status(self, command: str, parameters: list[str], now: float) -> str | None:
        state = self.state
        match command:
            case "bs":
                return self._hex(self.handling.overview(now))
            case "be":
                return self._hex(state.error)
            case "bw":
                return self._hex(state.warning)
            case "ba":
                return self._hex(state.action if state.deeds else 0)
            case "sw" if self.has_swap:
                return f"{state.swap}{int(state.station)}{int(state.user_side)}"
            case "it" | "ic" | "ih" | "io" if command not in self.absent:
                return f"{state.set_points[command]:+05.1f} {self._measured(command, now):+05.1f}"
            case "pb" if parameters in (["20"], ["21"]):
                shaker = int(parameters[0]) - 19
                return f"{state.shaker_speed[shaker - 1]:04d}" if shaker <= self.shakers else None
            case _:
                return None  # ch:ts and ch:as too: what they say is unknown (?)

    def _plate(self, command: str, parameters: list[str], now: float) -> str:
        if command == "sn":
            return self._scan(parameters, now)
        if command not in PLATE_MOVES:
            return "02"
        slot = 0
        if command in WITH_SLOT:
            numbers = self._slot(parameters)
            if numbers is None:
                return "04"
            slot = numbers
            if not 1 <= slot <= self.size:
                return "05"
        elif parameters:
            return "04"
        error = self.handling.plate(now, command, slot)
        if not error:
            self.state.action = ACTION.get(command, 0)
        return error

    def _scan(self, parameters: list[str], now: float) -> str:
        """Bar codes of the slots from … to; where the codes come out is unknown (?)."""
        if len(parameters) != 2 or not all(re.fullmatch(r"\d{3}", each) for each in parameters):
            return "04"
        if not 1 <= int(parameters[0]) <= int(parameters[1]) <= self.size:
            return "05"
        self.handling.begin(now, [(MOVE_S, "")])
        return ""

    def _slot(self, parameters: list[str]) -> int | None:
        """Three digits, counted from 001."""
        return int(parameters[0]) if len(parameters) == 1 and re.fullmatch(r"\d{3}", parameters[0]) else None

    def _low_level(self, command: str, parameters: list[str], now: float) -> str:
        begin, one = self.handling.begin, parameters[0] if len(parameters) == 1 else ""
        match command:
            case "it" | "ic":
                if not re.fullmatch(r"\d\d\.\d", one):
                    return "04"
                low, high = LIMITS[command]
                if not low <= float(one) <= high:
                    return "04"
                self.state.set_points[command] = float(one)
                self._hand_over(now)
            case "in" if not parameters:
                begin(now, [(INIT_S, "initialised")])
                self.state.action = ACTION["in"]
            case "wp" if not parameters:
                begin(now, [(GATE_S, "")])
            case "sp" if one in ("001", "002"):
                begin(now, [(GATE_S, "expose" if one == "002" else "unexpose")])
            case "h-" | "h+" | "dp" | "xp" if re.fullmatch(r"\d{3}", one):
                if not (0 if command == "dp" else 1) <= int(one) <= self.size:  # 000 = the transfer station
                    return "05"
                begin(now, [(GATE_S, "")])
            case "gp" if one in ("001", "002"):
                if one == "001" and self.state.exposed:
                    return "12"
                begin(now, [(GATE_S, "open" if one == "002" else "close")])
            case "tp" if one in ("001", "002"):
                if not self.has_swap:
                    return "02"
                if self.state.swap != int(one):
                    begin(now, [(GATE_S, f"swap {int(one)}")])
            case "vi" if self.shakers and not parameters:
                begin(now, [(SHAKER_S, "still 1"), (SHAKER_S, "still 2")])
            case "va" | "vd":
                return self._shaker(command, parameters, now)
            case "in" | "wp" | "gp" | "tp" | "sp" | "h-" | "h+" | "dp" | "xp":
                return "04"
            case _:
                return "02"
        return ""

    def _shaker(self, command: str, parameters: list[str], now: float) -> str:
        """`61` without shakers (O)."""
        if not self.shakers:
            return "61"
        if parameters and (len(parameters) > 1 or not re.fullmatch(r"00[12]", parameters[0])):
            return "04"
        wanted = [int(parameters[0])] if parameters else list(range(1, self.shakers + 1))
        if wanted[0] > self.shakers:
            return "61"
        word = "shake" if command == "va" else "still"
        self.handling.begin(now, [(SHAKER_S, f"{word} {shaker}") for shaker in wanted])
        return ""

    def _setting(self, command: str, parameters: list[str], now: float) -> str:
        match command:
            case "pb":
                return self._shaker_speed(parameters, now)
            case "ns" if not parameters:
                self.handling.power_cycle(now)
            case "cs" if len(parameters) == 2 and all(re.fullmatch(r"\d{3}", each) for each in parameters):
                pass  # the pitch of a stacker shows nowhere
            case "c1" | "c2":
                pass  # what they put out is unknown (?); see option periodic_s
            case "ns" | "cs":
                return "04"
            case _:
                return "02"
        return ""

    def _shaker_speed(self, parameters: list[str], now: float) -> str:
        if not self.shakers:
            return "61"
        if len(parameters) != 2 or parameters[0] not in ("20", "21") or not re.fullmatch(r"\d{4}", parameters[1]):
            return "04"
        shaker, speed = int(parameters[0]) - 19, int(parameters[1])
        if speed > HIGHEST_SPEED or shaker > self.shakers:
            return "04"
        self.state.shaker_speed[shaker - 1] = speed
        if self.state.shaker_on[shaker - 1]:
            self.handling.shake(now, shaker, True)
        return ""

    def _reset(self, command: str, parameters: list[str], now: float) -> str:
        if command != "be" or parameters:
            return "02"
        self.state.error = 0
        return ""

    # -- climate

    def _measured(self, command: str, now: float) -> float:
        air = self.place.air(now)
        value = {"it": air.cel, "ic": air.co2_percent, "ih": air.rh_percent, "io": air.o2_percent}[command]
        if self.seed is not None:
            self.state.draws += 1
            value += NOISE[command] * noise(self.seed, self.state.draws)
        return value

    def _hand_over(self, now: float) -> None:
        if not self._handed_over:
            self._handed_over, self.state.say_at = True, now + self.periodic_s
        points = self.state.set_points
        controls_o2 = "io" not in self.absent and points["io"] < O2_OFF_FROM
        self.place.set_points(now, points["it"], points["ic"], points["io"] if controls_o2 else None)

    def _hex(self, value: int) -> str:
        return f"{value:02x}" if self.lower else f"{value:02X}"


class ThermoCytomat6000(ThermoCytomat2):
    """C6000, C6002, 5C, 2C-450 shake: told commands with CR LF (P). The LF is passed over, as on every model."""


class ThermoCytomat2C425(ThermoCytomat2):
    """Slots are told as rack and site, both from 00 (P). Further option: sites_per_rack."""

    def __init__(
        self, place: Chamber, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(place, address, seed, options)
        self.sites = int((options or {}).get("sites_per_rack", 21))

    def _slot(self, parameters: list[str]) -> int | None:
        if len(parameters) != 2 or not all(re.fullmatch(r"\d\d", each) for each in parameters):
            return None
        rack, site = map(int, parameters)
        return rack * self.sites + site + 1 if site < self.sites else 0
