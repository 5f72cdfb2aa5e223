"""Memmert incubators seen from the cable: AtmoWEB over a chamber (datasheet memmert-atmoweb.md).

Requests are read as far as the device can care for: method, path and query; header fields are passed over. Answers have
no Content-Length, no line end after the body, and the connection closes (R). Spacing of everything but the single read,
and every figure marked X, is derived.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Close, Event, Opened, Send
from simulators.core.surroundings import Air, Chamber

ANSWER_S = 0.05
"""Time to answer (X; the sheet has none)."""
HEADER = b"HTTP/1.1 200 OK\r\nContent-Type: Unknown\r\nServer: Memmert\r\n\r\n"
"""Recorded (R)."""
LONGEST_REQUEST = 8192
BLANK_LINES = (b"\r\n\r\n", b"\n\n")
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nServer: Memmert\r\n\r\n"
"""What the device says to what is no HTTP: ?"""
PROGRAMS = ("Test100",)

SET_POINTS = {
    "TempSet": 37.0, "AlTempHi": 39.0, "AlTempLo": 35.0,
    "CO2Set": 5.0, "AlCO2Hi": 7.0, "AlCO2Lo": 3.0,
    "O2Set": 20.9, "AlO2Hi": 25.0, "AlO2Lo": 0.0,
    "HumSet": 93.0, "AlHumHi": 100.0, "AlHumLo": 80.0,
    "FanSet": 100.0,
}  # fmt: skip
"""As delivered (X)."""
RANGES = {
    "TempSet": (20.0, 50.0), "AlTempHi": (20.0, 55.0), "AlTempLo": (15.0, 50.0),
    "CO2Set": (0.0, 20.0), "AlCO2Hi": (0.0, 25.0), "AlCO2Lo": (0.0, 20.0),
    "O2Set": (1.0, 20.9), "AlO2Hi": (0.0, 25.0), "AlO2Lo": (0.0, 25.0),
    "HumSet": (40.0, 97.0), "AlHumHi": (0.0, 100.0), "AlHumLo": (0.0, 100.0),
    "FanSet": (10.0, 100.0),
}  # fmt: skip
"""TempSet from the sheet's example (X), the rest ours (X)."""
AT_PANEL = {"cel": "TempSet", "co2": "CO2Set", "o2": "O2Set"}
SWITCHES = ("SwASet", "SwBSet", "SwCSet", "SwDSet", "DoorLock", "LightDay", "LightUV", "HornSet", "FlapSet", "LightLED")
O2_OFF_FROM = 20.9
"""Nitrogen can only lower oxygen: with the set point of ambient air control has no work, so it counts as off (X)."""
RPM_PER_PERCENT = 12.5
"""FanRead 1250 was seen in one example (?); taken as 1/min at 100 %."""
ABSENT = (
    "Temp2Read", "Temp3Read", "Temp4Read", "VacRead", "VacSet", "VacSet_Range", "AlVacHi", "AlVacLo",
    "AlVacHi_Range", "AlVacLo_Range", "InfoVac", "GasType",
)  # fmt: skip
"""Known to AtmoWEB, not on this device: answered N/A."""
MEASURED = {"Temp1Read": 0, "CO2Read": 1, "O2Read": 2, "HumRead": 3}
"""Where each stands in `Air`."""
NOISE = {"Temp1Read": 0.03, "CO2Read": 0.03, "O2Read": 0.05, "HumRead": 0.3}
"""Standard deviations when a seed is given (X)."""


@dataclass(slots=True)
class State:
    """What the incubator remembers without power, and the count of its noise."""

    set_points: dict[str, float] = field(default_factory=lambda: dict(SET_POINTS))
    switches: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SWITCHES, 0.0))
    mode: str = "Manual"
    program: str = ""
    """Started by writing its name (X)."""
    draws: int = 0


class MemmertIco:
    """Set points act on the chamber's loops; measurements come from its air.

    Options: variant, out_of_range (clamp, ignore, error), mode, o2 (0 = no O2 module), unknown, serial, type.
    `variant`: fragment = as recorded; json = a complete object; bare = unquoted N/A and unquoted keys in ranges.
    """

    kind: ClassVar[str] = "ICO105"
    VARIANTS: ClassVar[tuple[str, ...]] = ("fragment", "json", "bare")

    def __init__(
        self, chamber: Chamber, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        options = options or {}
        self.chamber = chamber
        self.seed = seed
        self.variant = str(options.get("variant", "fragment"))
        self.out_of_range = str(options.get("out_of_range", "clamp"))
        if self.variant not in self.VARIANTS:
            raise ValueError(f"variant {self.variant!r} is none of {', '.join(self.VARIANTS)}")
        if self.out_of_range not in ("clamp", "ignore", "error"):
            raise ValueError(f"out_of_range {self.out_of_range!r} is none of clamp, ignore, error")
        self.unknown = str(options.get("unknown", "unknown"))
        self.serial = str(options.get("serial", "F225.0042"))
        self.texts = {
            "DevType": str(options.get("type", self.kind)),
            "SN": self.serial,
            "SWRev": "3.0.1",
            "RC": "Write",
            "ProgDuration": "-00:00:01",
            "ProgRemain": "-00:00:01",
            "Time": "12:00:00", "TimeZone": "+01:00", "TimeDST": "0",
            "Info": "", "InfoTemp": "", "InfoHum": "", "InfoMsg": "",
        }  # fmt: skip
        self.absent = {*ABSENT, *self.lacking()}
        if not float(options.get("o2", 1)):
            names = ("O2Set", "AlO2Hi", "AlO2Lo")
            self.absent |= {"O2Read", *names, *(f"{name}_Range" for name in names)}
        self.state = State(mode=str(options.get("mode", "Manual")))
        self._handed_over = False
        self._listening = False
        self._received = bytearray()
        self._targets: dict[bytes, list[tuple[str, str | None]]] = {}
        """Requests already taken apart: a poll is the same bytes each time."""

    @classmethod
    def lacking(cls) -> tuple[str, ...]:
        """Parameters of AtmoWEB that this kind of device has not, beside those no incubator has."""
        return ()

    # -- the cable ---------------------------------------------------------------------------------------------------

    @property
    def wake_at(self) -> float | None:
        return None

    def receive(self, event: Event, now: float) -> list[Action]:
        """One request a connection; answered, then closed."""
        if not self._handed_over:
            self._hand_over(now)
        if not isinstance(event, Bytes):
            self._listening = isinstance(event, Opened)
            self._received.clear()
            return []
        if not self._listening:
            return []  # the answer is on its way: what else comes is not read any more
        query = None if self._received else self._targets.get(event.data)
        if query is None:
            self._received += event.data
            if len(self._received) > LONGEST_REQUEST:
                return self._answer(BAD_REQUEST)
            if not any(blank in self._received for blank in BLANK_LINES):
                return []
            try:
                query = self._parse(bytes(self._received))
            except ValueError:
                return self._answer(BAD_REQUEST)
        if not query:
            return self._answer(b"HTTP/1.1 404 Not Found\r\nServer: Memmert\r\n\r\n")  # ?
        return self._answer(HEADER + self._body(query, now).encode())

    def wake(self, now: float) -> list[Action]:
        return []

    def power_cycle(self, now: float) -> list[Action]:
        """Set points, limits and mode are kept (X); a standing connection breaks."""
        self._listening = False
        self._hand_over(now)
        return [Close(0.0)]

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        fields: dict[str, Any] = dict(saved)
        self.state = State(**fields)
        self._handed_over = False

    # -- HTTP --------------------------------------------------------------------------------------------------------

    def _parse(self, request: bytes) -> list[tuple[str, str | None]]:
        """Names and values of a whole request, [] for what is not AtmoWEB's; raises ValueError for what is no HTTP."""
        method, target, version = request.splitlines()[0].decode("ascii").split(" ")
        if not version.startswith("HTTP/"):
            raise ValueError(version)
        path, _, query = target.partition("?")
        pairs: list[tuple[str, str | None]] = []
        if method == "GET" and path == "/atmoweb":
            for part in filter(None, query.split("&")):
                name, _, value = part.partition("=")
                pairs.append((name, unquote_plus(value) if value else None))
        if len(self._targets) > 64:
            self._targets.clear()
        self._targets[request] = pairs
        return pairs

    def _answer(self, data: bytes) -> list[Action]:
        self._listening = False
        self._received.clear()
        return [Send(ANSWER_S, data), Close(ANSWER_S)]

    def _body(self, query: list[tuple[str, str | None]], now: float) -> str:
        """`"Name": value,` for each parameter, in their order; no line end."""
        air = self.chamber.air(now)
        parts = [
            f'"{name}": {self._value(name, air) if value is None else self._write(name, value, air, now)}'
            for name, value in query
        ]
        return "{" + ", ".join(parts) + "}" if self.variant == "json" else ", ".join(parts) + ","

    # -- parameters --------------------------------------------------------------------------------------------------

    def _value(self, name: str, air: Air) -> str:
        """The value of one parameter as it stands in the body."""
        if name in self.absent:
            return self._word("N/A")
        points = self.state.set_points
        point = points.get(name)
        if point is not None:
            return f"{point:.1f}" if name != "FanSet" else f"{point:.0f}"
        place = MEASURED.get(name)
        if place is not None:
            return self._measured(name, air[place])
        match name:
            case "FanRead":
                return f"{RPM_PER_PERCENT * points['FanSet']:.0f}"
            case "DoorOpen":
                return "1" if air.door_open else "0"
            case "CurOp":
                return f'"{self.state.mode}"'
            case "ProgList":
                return json.dumps(PROGRAMS)
            case "ProgCurrent" | "ProgStart":
                return f'"{self.state.program}"'
            case _ if name in self.texts:
                return f'"{self.texts[name]}"'
            case _ if name in self.state.switches:
                return f"{self.state.switches[name]:.0f}"
            case _ if name.endswith("_Range") and name[:-6] in RANGES:
                low, high = RANGES[name[:-6]]
                return (
                    f"{{min: {low:.1f}, max: {high:.1f}}}"
                    if self.variant == "bare"
                    else f'{{"min": {low:.1f}, "max": {high:.1f}}}'
                )
            case _:
                return self._word(self.unknown)

    def _write(self, name: str, text: str, air: Air, now: float) -> str:
        """Take a value and answer with it. Outside Manual it is answered and has no effect, as the sheet warns."""
        state = self.state
        if name == "ProgStart":
            if text not in PROGRAMS:
                return self._word("N/D")  # ?
            state.program, state.mode = text, "Program"
            return self._value(name, air)
        if name in self.absent or (name not in state.set_points and name not in state.switches):
            return self._value(name, air)
        try:
            value = float(text)
        except ValueError:
            return self._word("N/D")  # ?
        if value != value or abs(value) > 1e6:
            return self._word("N/D")
        if name in state.switches:
            state.switches[name] = value
            return self._value(name, air)
        low, high = RANGES[name]
        if not low <= value <= high:
            if self.out_of_range == "error":
                return self._word("N/A")  # ?
            if self.out_of_range == "ignore":
                return self._value(name, air)
            value = min(max(value, low), high)
        value = round(value, 1)
        if state.mode != "Manual":
            return f"{value:.1f}"
        state.set_points[name] = value
        self._hand_over(now)
        return self._value(name, air)

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return tuple(name for name, point in AT_PANEL.items() if point not in self.absent)

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person sets cel, co2 or o2 at the device; outside its range the panel takes nothing (X)."""
        point = AT_PANEL[name]
        low, high = RANGES[point]
        if low <= value <= high:
            self.state.set_points[point] = round(value, 1)
            self._hand_over(now)

    def _hand_over(self, now: float) -> None:
        """Give the chamber's loops their set points. Humidity has no seam: the water pan does what it does."""
        self._handed_over = True
        points = self.state.set_points
        controls_o2 = "O2Set" not in self.absent and points["O2Set"] < O2_OFF_FROM
        self.chamber.set_points(now, points["TempSet"], points["CO2Set"], points["O2Set"] if controls_o2 else None)

    def _word(self, word: str) -> str:
        return word if self.variant == "bare" else f'"{word}"'

    def _measured(self, name: str, value: float) -> str:
        """One decimal (R for Temp1Read); of a broken sensor N/A (X)."""
        if math.isnan(value):
            return self._word("N/A")
        if self.seed is not None:
            self.state.draws += 1
            value += NOISE[name] * noise(self.seed, self.state.draws)
        return f"{max(value, 0.0):.1f}" if name != "Temp1Read" else f"{value:.1f}"


class MemmertIncubator(MemmertIco):
    """IPP: holds a temperature; neither gas nor humidity, no fan, no door contact. The chamber's CO2 is let alone."""

    kind = "IPP30plus"

    @classmethod
    def lacking(cls) -> tuple[str, ...]:
        points = [name for name in SET_POINTS if name not in ("TempSet", "AlTempHi", "AlTempLo")]
        return *points, *(f"{name}_Range" for name in points), "CO2Read", "O2Read", "HumRead", "FanRead", "DoorOpen"

    def _hand_over(self, now: float) -> None:
        self._handed_over = True
        self.chamber.set_points(now, self.state.set_points["TempSet"], 0.0, None)
