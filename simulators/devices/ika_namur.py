"""IKA stirrers, hotplates and shakers, and Heidolph hotplates, seen from the cable: NAMUR; sheet ika-namur.md.

Guesses where the sheet has a question mark: one decimal in every number; an `@` command is answered with its value; an
unknown command with silence (option `unknown` = status: the next STATUS then says -84); a value out of range changes
nothing; what IN_TYPE, IN_SOFTWARE, IN_VERSION, IN_SOFTWARE_ID and IN_MODE say; after a power cut nothing runs and the
set points are kept; a motor changes by 200 rpm/s; Heidolph echoes OUT_SP too and does not hear a command that comes
less than 0.1 s after another; a plate hotter than the safety temperature switches its heater off when it is next
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action
from simulators.core.surroundings import StirredBath
from simulators.core.text import TextUnit

RPM_PER_S = 200.0
WATCHDOG_S = (20, 1500)
PLATE_ABOVE_K = 8.0
"""How much hotter a heating plate is than what stands on it; ours."""
NO_SENSOR = 999.9
COMMAND = re.compile(r"(IN_PV|IN_SP|OUT_SP|START|STOP)_(\d{1,2})(?: +(-?\d+(?:\.\d+)?))?")
AT_COMMAND = re.compile(r"(OUT_SP_12|OUT_SP_42|OUT_WD1|OUT_WD2)@(\d+(?:\.\d+)?)")


@dataclass(slots=True)
class State:
    """What the device remembers; set points by channel number as text. Times in bench seconds."""

    name: str
    set_points: dict[str, float]
    heating: bool = False
    stirring: bool = False
    rpm_from: float = 0.0
    rpm_to: float = 0.0
    rpm_since: float = 0.0
    remote: bool = False
    watchdog: int = 0
    """Mode that is armed; 0 = none."""
    watchdog_s: float = 0.0
    watchdog_at: float | None = None
    """When it expires."""
    watchdog_cel: float = 0.0
    watchdog_rpm: float = 0.0
    event: str = ""
    """What the display shows: PC 1, PC 2, E 3; "" = nothing."""
    error: int = 0
    """Code that STATUS tells once."""
    connection_check: bool = False
    mode: str = ""
    """Last letter of the mode that was chosen; "" = as delivered."""
    draws: int = 0
    heard_at: float = field(default=-1e9)


class Namur(TextUnit):
    """Options: `name`; `blank` = yes: replies end with blank CR LF; `unknown` = silence or status."""

    ends = b"\n"
    bits = 10  # 7E1
    longest = 160
    state: State

    first_name: ClassVar[str]
    set_points: ClassVar[Mapping[str, float]]
    ranges: ClassVar[Mapping[str, tuple[float, float]]]
    """Set points that can be written."""
    temperatures: ClassVar[Mapping[str, str]]
    """PV channel -> bath or plate."""
    others: ClassVar[Mapping[str, float]] = {}
    """PV channels that always say the same."""
    heat: ClassVar[str] = ""
    """Set point channel of the temperature; "" = does not heat."""
    heaters: ClassVar[tuple[str, ...]] = ()
    """START channels of the heater."""
    motor: ClassVar[str] = "4"
    speed: ClassVar[tuple[str, str]] = ("4", "4")
    """PV and SP channel."""
    torque: ClassVar[str] = ""
    loses_speed: ClassVar[bool] = False
    has_status: ClassVar[bool] = False
    has_watchdog: ClassVar[bool] = True
    modes: ClassVar[tuple[str, ...]] = ()
    """Commands that choose an operating mode (hotplates) or a direction (overhead stirrers); without a reply."""
    extra_texts: ClassVar[Mapping[str, str]] = {
        "IN_SOFTWARE": "3;10/2018;1.2.3", "IN_VERSION": "1.2.3", "IN_SOFTWARE_ID": "3;1.2.3",
    }  # fmt: skip

    def __init__(
        self,
        place: StirredBath,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(9600)
        options = options or {}
        self.place, self.seed = place, seed
        self.end = b" \r\n" if options.get("blank", "no") == "yes" else b"\r\n"
        self.unknown = str(options.get("unknown", "silence"))
        self.state = State(str(options.get("name", self.first_name)), dict(self.set_points))

    # -- the line

    @property
    def wake_at(self) -> float | None:
        return self.state.watchdog_at

    def wake(self, now: float) -> list[Action]:
        at = self.state.watchdog_at
        if at is not None and now >= at:
            self._expire(now)
        return []

    def message(self, text: bytes, now: float) -> bytes:
        self.wake(now)
        command = text.strip(b" \r").decode("latin-1")
        if not command or not self._heard(now):
            return b""
        answer = self.answer(command, now)
        if answer is None:
            if self.unknown == "status":
                self.state.error = -84
            return b""
        return answer.encode("latin-1") + self.end if answer else b""

    def _heard(self, now: float) -> bool:
        return True

    def answer(self, command: str, now: float) -> str | None:
        """The reply; "" = none, None = the device does not know the command."""
        s = self.state
        if command == "IN_NAME":
            return s.name
        if command == "IN_TYPE" and self.first_name:
            return self.first_name
        if command in self.extra_texts:
            return self.extra_texts[command]
        if command in self.modes:
            s.mode = command[-1]
            return ""
        if command == "IN_MODE" and "OUT_MODE_1" in self.modes:
            return s.mode or "1"
        if command == "RESET":
            self._stop_all(now)
            s.remote, s.event = False, ""
            return ""
        if command == "STATUS" and self.has_status:
            return self.status()
        if command.startswith("OUT_NAME ") and len(command) > 9:
            s.name = command[9:].strip()[:10].strip()
            return ""
        if self.has_watchdog and (found := AT_COMMAND.fullmatch(command)) is not None:
            return self._at(found[1], found[2], now)
        found = COMMAND.fullmatch(command)
        if found is None:
            return None
        verb, channel, value = found.groups()
        if verb in ("IN_PV", "IN_SP") and value is None:
            number = self.measured(channel, now) if verb == "IN_PV" else self.set_point(channel)
            return None if number is None else self.number(command, channel, number)
        if verb == "OUT_SP" and value is not None:
            return self.set(channel, float(value), now)
        if verb in ("START", "STOP") and value is None:
            return self.switch(channel, verb == "START", now)
        return None

    def set_point(self, channel: str) -> float | None:
        return self.state.set_points.get(channel)

    def number(self, command: str, channel: str, value: float) -> str:
        return f"{value:.1f} {channel}"

    def status(self) -> str:
        s = self.state
        if s.error:
            code, s.error = s.error, 0
            return str(code)
        return "S0" if not s.remote else "S1" if s.heating or s.stirring else "S2"

    # -- measuring

    def measured(self, channel: str, now: float) -> float | None:
        if channel == self.speed[0]:
            return self._shaken(self.rpm(now), 0.5) if self.state.rpm_to else self.rpm(now)
        if channel == self.torque:
            return self.place.torque_ncm(now)
        if channel in self.others:
            return self.others[channel]
        where = self.temperatures.get(channel)
        if where is None:
            return None
        cel = self.place.bath_cel(now)
        if where == "plate":
            cel = self._plate(cel)
            self._guard(cel, now)
        return self._shaken(cel, 0.05)

    def _plate(self, bath_cel: float) -> float:
        s = self.state
        return bath_cel + PLATE_ABOVE_K if s.heating and bath_cel < s.set_points[self.heat] else bath_cel

    def _guard(self, plate_cel: float, now: float) -> None:
        s = self.state
        if s.heating and plate_cel > s.set_points.get("3", 1e9):
            s.heating, s.event = False, "E 3"
            self.place.heat_to(now, None)

    def _shaken(self, value: float, deviation: float) -> float:
        if self.seed is None:
            return value
        self.state.draws += 1
        return value + deviation * noise(self.seed, self.state.draws)

    def rpm(self, now: float) -> float:
        """The speed on its way from one to the next."""
        s = self.state
        way = s.rpm_to - s.rpm_from
        done = RPM_PER_S * (now - s.rpm_since)
        return s.rpm_to if done >= abs(way) else s.rpm_from + (done if way > 0 else -done)

    # -- acting

    def set(self, channel: str, value: float, now: float) -> str | None:
        s = self.state
        if channel not in self.ranges:
            return None
        s.remote = True
        low, high = self.ranges[channel]
        if not low <= value <= high:
            s.error = -86
            return ""
        if channel == self.speed[1] and self.loses_speed and not s.stirring:
            return ""
        s.set_points[channel] = value
        self._apply(now)
        return ""

    def switch(self, channel: str, on: bool, now: float) -> str | None:
        s = self.state
        if channel == self.motor:
            if on and self.loses_speed and not s.stirring:
                s.set_points[self.speed[1]] = 0.0
            s.stirring = on
        elif channel in self.heaters:
            s.heating = on
        else:
            return None
        s.remote = True
        self._apply(now)
        return ""

    def knob(self, channel: str, value: float, now: float) -> None:
        """Somebody turns a knob at the device."""
        self.state.set_points[channel] = value
        self._apply(now)

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return tuple(name for name, channel in self._knobs().items() if channel in self.state.set_points)

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person turns the knob of `cel` or `rpm`."""
        channel = self._knobs()[name]
        low, high = self.ranges.get(channel, (value, value))
        self.knob(channel, min(max(value, low), high), now)

    def _knobs(self) -> dict[str, str]:
        return {"rpm": self.speed[1], "cel": self.heat or ""}

    def _apply(self, now: float) -> None:
        s = self.state
        wanted = s.set_points[self.speed[1]] if s.stirring else 0.0
        if wanted != s.rpm_to:
            s.rpm_from, s.rpm_to, s.rpm_since = self.rpm(now), wanted, now
            self.place.turn(now, wanted)
        if self.heat:
            self.place.heat_to(now, s.set_points[self.heat] if s.heating else None)

    def _stop_all(self, now: float) -> None:
        self.state.heating = self.state.stirring = False
        self._apply(now)

    # -- watchdog

    def _at(self, command: str, text: str, now: float) -> str | None:
        s, value = self.state, float(text)
        if command == "OUT_SP_12":
            s.watchdog_cel = value
        elif command == "OUT_SP_42":
            s.watchdog_rpm = value
        elif command == "OUT_WD2" and value == 0:
            if s.watchdog != 1:  # there is no known way to call off mode 1
                s.watchdog, s.watchdog_at = 0, None
            s.event = ""
        elif WATCHDOG_S[0] <= value <= WATCHDOG_S[1]:
            s.watchdog, s.watchdog_s, s.watchdog_at = int(command[-1]), value, now + value
        else:
            s.error = -86
            return ""
        s.remote = True
        return text

    def _expire(self, now: float) -> None:
        s = self.state
        s.watchdog_at = None
        s.event = f"PC {s.watchdog}"
        if s.watchdog == 1:
            self._stop_all(now)
        else:
            s.set_points[self.speed[1]] = s.watchdog_rpm
            if self.heat:
                s.set_points[self.heat] = s.watchdog_cel
            self._apply(now)

    def restarted(self, now: float) -> list[Action]:
        s = self.state
        s.watchdog, s.watchdog_at, s.event, s.error, s.remote = 0, None, "", 0, False
        s.connection_check = False
        self._stop_all(now)
        s.rpm_from, s.rpm_since = 0.0, now
        return []


class RctDigital(Namur):
    first_name = "RCT digital"
    set_points: ClassVar[Mapping[str, float]] = {"1": 25.0, "3": 360.0, "4": 300.0}
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"1": (0, 310), "4": (0, 1500)}
    temperatures: ClassVar[Mapping[str, str]] = {"1": "bath", "2": "plate"}
    others: ClassVar[Mapping[str, float]] = {"5": 100.0}
    heat, heaters = "1", ("1",)
    modes = ("SET_MODE_A", "SET_MODE_B", "SET_MODE_D")


class RetControlVisc(RctDigital):
    first_name = "IKARET"
    set_points: ClassVar[Mapping[str, float]] = {
        "1": 25.0, "2": 25.0, "3": 360.0, "4": 300.0, "54": 30.0, "55": 0.0, "56": 0.0,
    }  # fmt: skip
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "1": (0, 310), "2": (0, 310), "4": (0, 1500), "54": (0, 1800), "55": (0, 1800), "56": (0, 1800),
    }  # fmt: skip
    """54 sensor time-out, 55 and 56 cycle, s (P; ranges ours)."""
    temperatures: ClassVar[Mapping[str, str]] = {"1": "bath", "2": "plate", "7": "bath"}
    others: ClassVar[Mapping[str, float]] = {"5": 100.0, "80": 7.0, "90": 0.0}


class Eurostar(Namur):
    first_name = "EUROSTAR 60"
    set_points: ClassVar[Mapping[str, float]] = {"4": 100.0, "5": 60.0, "6": 2000.0, "8": 30.0}
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "4": (30, 2000), "5": (0, 200), "6": (30, 2000), "8": (30, 2000),
    }  # fmt: skip
    temperatures: ClassVar[Mapping[str, str]] = {"3": "bath"}
    torque = "5"
    modes = ("OUT_MODE_1", "OUT_MODE_2")


class Microstar(Eurostar):
    """A speed written while it stands is lost, and START_4 begins at 0 (P, H)."""

    first_name = "Microstar C"
    loses_speed = True


class Ks4000(Namur):
    first_name = "KS 4000"
    set_points: ClassVar[Mapping[str, float]] = {
        "1": 37.0, "2": 37.0, "3": 90.0, "4": 100.0, "6": 50.0, "50": 0.0, "52": 0.0,
    }  # fmt: skip
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "1": (0, 80), "2": (0, 80), "4": (0, 500), "6": (0, 500), "50": (-5, 5), "52": (-5, 5),
    }  # fmt: skip
    temperatures: ClassVar[Mapping[str, str]] = {"1": "bath", "2": "bath"}
    heat, heaters = "2", ("1", "2")
    has_status = True

    def set_point(self, channel: str) -> float | None:
        """The watchdog's safe set points are told too, as channels 12 and 42 (V)."""
        state = self.state
        return {"12": state.watchdog_cel, "42": state.watchdog_rpm}.get(channel, super().set_point(channel))

    def measured(self, channel: str, now: float) -> float | None:
        """The offsets of the two sensors are added to what they show."""
        cel = super().measured(channel, now)
        offset = {"1": "50", "2": "52"}.get(channel)
        return cel if cel is None or offset is None else cel + self.state.set_points[offset]


class MatrixOrbital(Namur):
    """Repeats the question in front of the number (H)."""

    first_name = "MATRIX ORBITAL"
    set_points: ClassVar[Mapping[str, float]] = {"2": 37.0, "4": 300.0}
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"2": (0, 100), "4": (0, 3000)}
    temperatures: ClassVar[Mapping[str, str]] = {"2": "bath"}
    heat, heaters = "2", ("2",)
    has_watchdog = False
    extra_texts: ClassVar[Mapping[str, str]] = {"IN_VERSION": "1.2.3", "IN_SOFTWARE_ID": "7;1.2.3"}

    def number(self, command: str, channel: str, value: float) -> str:
        return f"{command} {value:.1f}"


class HeidolphMrHeiTec(MatrixOrbital):
    """Other channels, and an echo for every command (V). Option `sensor` = no: 999.9 as the sample's temperature."""

    first_name = ""
    set_points: ClassVar[Mapping[str, float]] = {"1": 25.0, "2": 20.0, "3": 300.0}
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"1": (0, 300), "3": (0, 1400)}
    temperatures: ClassVar[Mapping[str, str]] = {"1": "bath", "2": "bath", "3": "plate", "4": "plate"}
    heat, heaters, motor, speed = "1", ("1",), "2", ("5", "3")
    has_status = True
    extra_texts: ClassVar[Mapping[str, str]] = {}
    MODES = ("IN_MODE_1", "IN_MODE_2", "IN_MODE_4")

    def __init__(
        self,
        place: StirredBath,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(place, address, seed, options)
        self.sensor = (options or {}).get("sensor", "yes") == "yes"

    def _heard(self, now: float) -> bool:
        soon = now - self.state.heard_at < 0.1 - 1e-6
        self.state.heard_at = now
        return not soon

    def measured(self, channel: str, now: float) -> float | None:
        return NO_SENSOR if channel == "1" and not self.sensor else super().measured(channel, now)

    def _guard(self, plate_cel: float, now: float) -> None:
        """Its set point 3 is the speed; the safety temperature is a difference, kept by the device (not simulated)."""

    def answer(self, command: str, now: float) -> str | None:
        if command in self.MODES:
            return f"{command} 0"
        if command in ("CC_ON", "CC_OFF", "PA_NEW", "PA_OLD"):
            self.state.connection_check = command == "CC_ON"
            return command
        if command == "IN_NAME" or command.startswith("OUT_NAME"):
            return None
        answer = super().answer(command, now)
        return command if answer == "" else answer

    def status(self) -> str:
        s = self.state
        return f"STATUS {0 if not s.remote else 1 if s.heating or s.stirring else 2}"
