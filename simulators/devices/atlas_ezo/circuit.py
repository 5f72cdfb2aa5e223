"""What every EZO circuit does on its UART: commands of any case ended by CR, response codes, readings by itself.

Guesses (X): `*RS`, `*RE` come half a second after power; a command that comes while another is worked on waits;
continuous mode is on again after power loss (`continuous_kept` = 1: as it was left); an unknown name reads as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.text import TextUnit
from simulators.devices.atlas_ezo.strings import pack, unpack

ABSOLUTE_ZERO = -273.15
WAKING_S = 0.1
"""How long the rest of the characters that wake a circuit may take to come; they are lost with the first (V)."""
OTHER_S = 0.3
"""Every command but a reading and a calibration (V)."""
BOOT_S = 0.5
BAUDS = (300, 1200, 2400, 9600, 19200, 38400, 57600, 115200)


@dataclass(slots=True)
class State:
    """What the circuit remembers. Times in bench seconds."""

    continuous: int = 1
    """Seconds between readings by itself; 0 = off."""
    codes: bool = True
    led: bool = True
    locked: bool = False
    name: str = ""
    baud: int = 9600
    cause: str = "P"
    volts: float = 5.038
    t_cel: float = 25.0
    points: dict[str, float] = field(default_factory=dict[str, float])
    """What was taught, by name."""
    settings: dict[str, float] = field(default_factory=dict[str, float])
    """Settings of the kind of circuit: salinity, pressure, outputs …"""
    log: list[float] = field(default_factory=list[float])
    asleep: bool = False
    deaf_until: float = 0.0
    """What woke it up is thrown away up to its end mark, or until then."""
    silent: bool = False
    """Switched to I2C: nothing on the UART any more."""
    next_at: float | None = None
    busy_until: float = 0.0
    warm_at: float = 0.0
    exported: int = 0
    imported: list[str] = field(default_factory=list[str])
    draws: int = 0


Lines = list[str]
Handler = Callable[[list[str], float], "Lines | None"]
"""Arguments and time in; the lines before `*OK` out, None = `*ER`."""


class EzoCircuit(TextUnit):
    """Options: `continuous_kept`, `sleep_says` (`ok` first, or `sl` first: F and L differ), `name`."""

    kind: ClassVar[str]
    firmware: ClassVar[str]
    first_cel: ClassVar[float] = 25.0
    reading_s: ClassVar[float]
    teaching_s: ClassVar[float]
    warm_up_s: ClassVar[float] = 0.0
    first_settings: ClassVar[Mapping[str, float]] = {}

    def __init__(
        self, place: Any, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(9600, OTHER_S)
        self.options = options or {}
        self.place = place
        self.seed = seed
        self.state = State(
            t_cel=self.first_cel, settings=dict(self.first_settings), name=str(self.options.get("name", ""))
        )
        self._after: Lines = []
        self._before: Lines = []
        self.handlers: dict[str, Handler] = {
            "R": self._r, "C": self._c, "I": self._i, "STATUS": self._status, "NAME": self._name, "L": self._l,
            "FIND": self._find, "CAL": self._cal, "EXPORT": self._export, "IMPORT": self._import,
            "SLEEP": self._sleep, "BAUD": self._baud, "I2C": self._i2c, "PLOCK": self._plock,
            "FACTORY": self._factory, "*OK": self._codes, **self.own(),
        }  # fmt: skip

    def own(self) -> dict[str, Handler]:
        """Commands of this kind of circuit."""
        return {}

    def reading(self, now: float) -> str:
        raise NotImplementedError

    def teach(self, words: list[str], now: float) -> bool:
        """One calibration point; False = `*ER`."""
        raise NotImplementedError

    def makes_sense(self, points: Mapping[str, float]) -> bool:
        """Whether an imported calibration can be one of this kind of circuit."""
        return True

    def taught(self) -> int:
        """The number `Cal,?` answers."""
        return len(self.state.points)

    # -- the cable

    @property
    def wake_at(self) -> float | None:
        state = self.state
        return state.next_at if state.continuous and not state.asleep and not state.silent else None

    def wake(self, now: float) -> list[Action]:
        """A reading by itself."""
        at = self.wake_at
        if at is None or now < at:
            return []
        self.state.next_at = at + self.state.continuous
        return self._send([self.reading(now)], 0.0)

    def receive(self, event: Event, now: float) -> list[Action]:
        state = self.state
        if state.next_at is None:
            state.next_at = now + max(1, state.continuous)
        if state.silent:
            return []
        if state.asleep and isinstance(event, Bytes) and event.data:
            state.asleep, state.deaf_until = False, now + WAKING_S
            state.next_at = now + max(1, state.continuous)
            return [*self._send(["*WA"], 0.01), *self.receive(event, now)]
        if state.deaf_until and isinstance(event, Bytes):
            _, end, rest = event.data.partition(b"\r")
            if now < state.deaf_until and not end:
                return []
            heard = event.data if now >= state.deaf_until else rest
            state.deaf_until = 0.0
            event = Bytes(heard)
        if isinstance(event, Opened):
            state.busy_until = min(state.busy_until, now)
        return super().receive(event, now)

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        name, *words = text.decode("latin-1").split(",")
        name = name.strip().upper()
        state = self.state
        handler = None if name == "I2C" and state.locked else self.handlers.get(name)
        self._before, self._after = [], []
        lines = handler(words, now) if handler else None
        if lines is None:
            lines = ["*ER"]
        else:
            coded = state.codes and "*DONE" not in lines and "*Pending" not in lines
            lines = [*lines, *self._before, *(["*OK"] if coded else []), *self._after]
        state.busy_until = max(now, state.busy_until) + self._takes_s(name, words)
        return self._send(lines, state.busy_until - now, len(text) + 1)

    def _takes_s(self, name: str, words: list[str]) -> float:
        if name in ("R", "RT"):
            return self.reading_s
        return self.teaching_s if name == "CAL" and words != ["?"] else OTHER_S

    def _send(self, lines: Lines, after_s: float, asked: int = 0) -> list[Action]:
        data = "".join(line + "\r" for line in lines).encode("latin-1")
        return [Send(after_s + (asked + len(data)) * self.bits / self.state.baud, data)] if data else []

    # -- power

    def restarted(self, now: float) -> list[Action]:
        return self.start_anew("P", now)

    def start_anew(self, cause: str, now: float) -> list[Action]:
        """Come back after power off (P), a brown out (B), a watchdog reset (W) or a command (S)."""
        state = self.state
        state.cause, state.t_cel, state.asleep = cause, self.first_cel, False
        if not float(self.options.get("continuous_kept", 0)):
            state.continuous = 1
        state.warm_at, state.busy_until = now + self.warm_up_s, now + BOOT_S
        state.next_at = now + BOOT_S + max(1, state.continuous)
        return [] if state.silent else self._send(["*RS", "*RE"], BOOT_S)

    def supply(self, volts: float) -> list[Action]:
        """The supply becomes `volts`; the circuit complains where it is too high or too low."""
        self.state.volts = volts
        return self._send(["*OV"] if volts >= 5.5 else ["*UV"] if volts <= 3.1 else [], 0.0)

    # -- commands of every circuit

    def _r(self, words: list[str], now: float) -> Lines | None:
        return None if words else [self.reading(now)]

    def _c(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?C,{self.state.continuous}"]
        if len(words) != 1 or not words[0].isdecimal() or int(words[0]) > 99:
            return None
        self.state.continuous = int(words[0])
        self.state.next_at = now + max(1, self.state.continuous)
        return []

    def _i(self, words: list[str], now: float) -> Lines | None:
        return None if words else [f"?i,{self.kind},{self.firmware}"]

    def _status(self, words: list[str], now: float) -> Lines | None:
        return None if words else [f"?Status,{self.state.cause},{self.state.volts:.3f}"]

    def _name(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?Name,{self.state.name}"]
        if len(words) != 1 or len(words[0]) > 16:
            return None
        self.state.name = words[0]
        return []

    def _l(self, words: list[str], now: float) -> Lines | None:
        answer = self.flag("L", self.state.led, words)
        if answer == [] and words:
            self.state.led = words == ["1"]
        return answer

    def _find(self, words: list[str], now: float) -> Lines | None:
        self.state.continuous = 0
        return []

    def _cal(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?Cal,{self.taught()}"]
        lower = [word.lower() for word in words]
        if lower == ["clear"]:
            self.state.points.clear()
            return []
        return [] if self.teach(lower, now) else None

    def _export(self, words: list[str], now: float) -> Lines | None:
        strings = pack(self.state.points)
        if words == ["?"]:
            self.state.exported = 0
            return [f"{len(strings)},{sum(map(len, strings))}"]
        if words:
            return None
        at = self.state.exported
        self.state.exported = at + 1 if at < len(strings) else 0
        return [strings[at]] if at < len(strings) else ["*DONE"]

    def _import(self, words: list[str], now: float) -> Lines | None:
        if len(words) != 1 or not 0 < len(words[0]) <= 12:
            return None
        state = self.state
        state.imported.append(words[0])
        try:
            whole = unpack(state.imported)
        except ValueError:
            state.imported = []
            return None
        if whole is None:
            return []
        state.imported = []
        if not self.makes_sense(whole):
            return None
        state.points = whole
        self.start_anew("S", now)
        return ["*Pending", "*RE"]

    def _sleep(self, words: list[str], now: float) -> Lines | None:
        self.state.asleep = True
        if self.options.get("sleep_says", "ok") == "sl":
            self._before = ["*SL"]
        else:
            self._after = ["*SL"]
        return []

    def _baud(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?Baud,{self.state.baud}"]
        if len(words) != 1 or not words[0].isdecimal() or int(words[0]) not in BAUDS:
            return None
        self.state.baud = int(words[0])
        return []

    def _i2c(self, words: list[str], now: float) -> Lines | None:
        if len(words) != 1 or not words[0].isdecimal() or not 1 <= int(words[0]) <= 127:
            return None
        self.state.silent = True
        self._after = ["*RS", "*RE"]
        return []

    def _plock(self, words: list[str], now: float) -> Lines | None:
        answer = self.flag("Plock", self.state.locked, words)
        if answer == [] and words:
            self.state.locked = words == ["1"]
        return answer

    def _factory(self, words: list[str], now: float) -> Lines | None:
        state = self.state
        state.points.clear()
        state.led = state.codes = True
        state.settings = dict(self.first_settings)
        self.start_anew("S", now)
        state.continuous = 1
        self._after = ["*RS", "*RE"]
        return []

    def _codes(self, words: list[str], now: float) -> Lines | None:
        answer = self.flag("*OK", self.state.codes, words)
        if answer == [] and words:
            self.state.codes = words == ["1"]
        return answer

    # -- pieces for the kinds of circuit

    def flag(self, name: str, on: bool, words: list[str]) -> Lines | None:
        """The answer of an on/off setting: its state, nothing for a legal new one, None for anything else."""
        if words == ["?"]:
            return [f"?{name},{int(on)}"]
        return [] if words in (["0"], ["1"]) else None

    def compensation(self, words: list[str], now: float) -> Lines | None:
        """`T`: compared with 1 decimal, kept with what it was given."""
        if words == ["?"]:
            return [f"?T,{shortest(self.state.t_cel)}"]
        if len(words) != 1 or (cel := number(words[0])) is None or cel <= ABSOLUTE_ZERO:
            return None
        self.state.t_cel = cel
        return []

    def compensated_reading(self, words: list[str], now: float) -> Lines | None:
        """`RT,n`: set and read."""
        return None if words == ["?"] or self.compensation(words, now) is None else [self.reading(now)]

    def jitter(self, size: float) -> float:
        """Noise of standard deviation `size` when there is a seed."""
        if self.seed is None:
            return 0.0
        self.state.draws += 1
        return noise(self.seed, self.state.draws) * size


def number(text: str) -> float | None:
    """A plain decimal number; None for anything else."""
    digits = text.removeprefix("-").replace(".", "", 1)
    return float(text) if digits.isascii() and digits.isdecimal() else None


def shortest(value: float) -> str:
    """At least one decimal, at most three."""
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text
