"""Mettler Toledo balance seen from the cable: MT-SICS over a pan (datasheet mettler-toledo-mt-sics.md).

One command at a time, as the manual asks: what comes while a command is worked on is ignored, except `@`, which
cancels. A command takes `PROCESSING_S`; the weight is looked at when it arrives and when it is answered, and the change
between the two looks says whether the reading stands still. S, T and Z go on looking until it does or give up (`I`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Pan

PROCESSING_S = 0.1
"""Replies come "normally well under 1 s"; polling SI at 10 Hz works (E). The figure itself is ours (X)."""
LOOK_S = 0.5
"""Time between looks while waiting for stability (X)."""
STABILITY_TIMEOUT_S = 30.0
"""About 30 s on an ML4002E (E)."""
STABLE_DIGITS_PER_S = 1.0
"""A reading that changes by less than this many digits a second counts as standing still (X)."""
UNDERLOAD_G = -20.0
"""Gross weight below which the pan must be off (X)."""
NOISE_DIGITS = 0.3
"""Standard deviation of a reading in digits when a seed is given (X)."""
STREAM_S = 0.25
"""Between two weights of SIR: about 4 a second (V, Ohaus)."""
CHANGE_G = 1.0
"""By how much a weight must change for SR to say it, where SR does not tell (X)."""
ADJUST_S = 60.0
"""Internal adjustment, 1 to 3 minutes."""
LOADED_G = 1.0
"""More on the pan than this, and no adjustment begins (X)."""
OVERLOAD_DIGITS = 9
"""Digits above the capacity that are still shown (X)."""


@dataclass(slots=True)
class State:
    """What the balance remembers; the noise is counted, so that a restored balance goes on with the same one."""

    zero_g: float = 0.0
    tare_g: float = 0.0
    name: str = ""
    host_unit: str = "g"
    draws: int = 0
    pending: str = ""
    """The command being worked on; "" = none."""
    since: float = 0.0
    patience_s: float = STABILITY_TIMEOUT_S
    look_at: float | None = None
    seen_g: float = 0.0
    seen_at: float = 0.0
    stream: str = ""
    """SIR, SIRU, SR or SNR: what goes on until it is ended; "" = nothing."""
    stream_at: float | None = None
    stream_change_g: float = CHANGE_G
    told_g: float | None = None
    """What SR said last."""
    door: int = 0
    adjusted_at: float | None = None
    """When the adjustment under way is over."""
    standby: bool = False


class MettlerToledoBalance:
    """0.01 g resolution and 4200 g by default (ML4002E).

    Options: resolution_g, capacity_g, serial, power_on (keep = the zero point stays, zero = taken anew), warm_up_s.
    """

    UNITS: ClassVar[dict[str, tuple[str, float]]] = {"0": ("g", 1.0), "1": ("kg", 1e-3), "3": ("mg", 1e3)}
    """Parameter of `M21 0 u`; only 0 = gram is in the sheet (P), the others are ours (X)."""

    def __init__(
        self, pan: Pan, address: int = 0, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> None:
        options = options or {}
        self.pan = pan
        self.seed = seed
        self.resolution_g = float(options.get("resolution_g", 0.01))
        self.decimals = max(0, round(-math.log10(self.resolution_g)))
        self.capacity_g = float(options.get("capacity_g", 4200.0))
        self.serial = str(options.get("serial", "B123456789"))
        self.zeroes_at_power_on = options.get("power_on", "keep") == "zero"
        self.warm_up_s = float(options.get("warm_up_s", 0.0))
        self.warm_at = 0.0
        self.state = State()
        self.received = bytearray()
        self.commands: dict[str, Callable[[float, bool], str | None]] = {
            "S": self._stable_weight, "SI": self._weight, "Z": self._zero, "ZI": self._zero_now,
            "T": self._tare, "TI": self._tare_now, "SU": self._stable_weight, "SIU": self._weight,
            "SC": self._stable_weight,
        }  # fmt: skip

    # -- the cable ---------------------------------------------------------------------------------------------------

    @property
    def wake_at(self) -> float | None:
        """The next look at the pan for a command or a stream, or the end of the adjustment."""
        state = self.state
        due = [at for at in (state.look_at, state.stream_at, state.adjusted_at) if at is not None]
        return min(due) if due else None

    def receive(self, event: Event, now: float) -> list[Action]:
        """Take command lines; a connection made or lost changes nothing but the half-received line."""
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self.received.clear()
            return []
        self.received += event.data
        answers: list[Action] = []
        while (end := self.received.find(b"\r\n")) >= 0:
            command = self.received[:end].decode("latin-1")
            del self.received[: end + 2]
            answers += self._take(command, now)
        del self.received[:-256]
        return answers

    def wake(self, now: float) -> list[Action]:
        """Look at the pan again for the command being worked on and for the stream; end the adjustment."""
        state = self.state
        said: list[Action] = []
        if state.adjusted_at is not None and now >= state.adjusted_at:
            state.adjusted_at = None
            said += [Send(0.0, b"C3 A\r\n")]
        if state.stream_at is not None and now >= state.stream_at:
            said += self._go_on(now)
        return said + self._look(now)

    def _look(self, now: float) -> list[Action]:
        state = self.state
        if state.look_at is None or now < state.look_at:
            return []
        gross_g = self.pan.weight_g(now)
        elapsed_s = max(now - state.seen_at, 1e-6)
        still = abs(gross_g - state.seen_g) / elapsed_s < STABLE_DIGITS_PER_S * self.resolution_g
        state.seen_g, state.seen_at = gross_g, now
        weighs = self._weighs(now)
        answer = self.commands[state.pending](gross_g, still) if weighs else None
        if answer is None and weighs and now - state.since < state.patience_s:
            state.look_at = now + min(LOOK_S, state.patience_s)
            return []
        if answer is None and weighs and state.pending == "SC":
            answer = self._weight(gross_g, still)
        answer = answer or f"{'S' if state.pending[0] == 'S' else state.pending} I"
        state.pending, state.look_at = "", None
        return [Send(0.0, answer.encode("latin-1") + b"\r\n")]

    def _weighs(self, now: float) -> bool:
        """Not while it warms up, adjusts itself or is switched to standby."""
        return now >= self.warm_at and self.state.adjusted_at is None and not self.state.standby

    def _go_on(self, now: float) -> list[Action]:
        """The stream's next look: SIR says every weight, SNR every stable one, SR a stable one that has changed."""
        state = self.state
        gross_g = self.pan.weight_g(now)
        still = abs(gross_g - state.seen_g) / STREAM_S < STABLE_DIGITS_PER_S * self.resolution_g
        state.seen_g, state.seen_at, state.stream_at = gross_g, now, now + STREAM_S
        if not self._weighs(now):
            return []
        if state.stream[:3] != "SIR" and not still:
            return []
        if state.stream == "SR":
            if state.told_g is not None and abs(gross_g - state.told_g) <= state.stream_change_g:
                return []
            state.told_g = gross_g
        return [Send(0.0, self._weight(gross_g, still).encode("latin-1") + b"\r\n")]

    def power_cycle(self, now: float) -> list[Action]:
        """Tare and the command being worked on are lost, the zero point by option; the serial number is announced."""
        state = self.state
        self.received.clear()
        self._cancel()
        state.tare_g, state.host_unit, state.standby = 0.0, "g", False
        if self.zeroes_at_power_on:
            state.zero_g = self.pan.weight_g(now)
        self.warm_at = now + self.warm_up_s
        return [Send(2.0, f'I4 A "{self.serial}"\r\n'.encode())]

    def snapshot(self) -> dict[str, object]:
        return {**asdict(self.state), "warm_at": self.warm_at, "received": self.received.decode("latin-1")}

    def restore(self, saved: dict[str, object]) -> None:
        fields: dict[str, Any] = dict(saved)
        self.warm_at = fields.pop("warm_at")
        self.received = bytearray(fields.pop("received").encode("latin-1"))
        self.state = State(**fields)

    # -- the commands ------------------------------------------------------------------------------------------------

    def _take(self, command: str, now: float) -> list[Action]:
        """Begin a command that needs the pan, or answer one that does not."""
        state = self.state
        if command == "@":
            self._cancel()
            state.tare_g = 0.0
            return self._say(f'I4 A "{self.serial}"')
        if state.pending:
            return []
        word, _, parameter = command.partition(" ")
        if word in self.commands and (parameter.isdecimal() if word == "SC" else command == word):
            if word[0] == "S":
                state.stream, state.stream_at = "", None
            state.pending, state.since, state.look_at = word, now, now + PROCESSING_S
            state.patience_s = int(parameter) / 1000 if parameter else STABILITY_TIMEOUT_S
            state.seen_g, state.seen_at = self.pan.weight_g(now), now
            return []
        match word, parameter:
            case (("SIR" | "SIRU" | "SNR" | "SR"), ""):
                return self._stream(word, CHANGE_G, now)
            case "SR", change if (change_g := self._grams(change)) is not None:
                return self._stream(word, change_g, now)
            case "SR", _:
                return self._say("S L")
            case "C3", "":
                return self._adjust(now)
            case "PWR", ("0" | "1"):
                return self._switch(parameter == "1", now)
            case _:
                return self._say(self._answer(command))

    def _cancel(self) -> None:
        """What is worked on, streamed or adjusted ends without a word."""
        state = self.state
        state.pending, state.look_at = "", None
        state.stream, state.stream_at = "", None
        state.adjusted_at = None

    def _stream(self, word: str, change_g: float, now: float) -> list[Action]:
        state = self.state
        state.stream, state.stream_at, state.stream_change_g, state.told_g = word, now + STREAM_S, change_g, None
        state.seen_g, state.seen_at = self.pan.weight_g(now), now
        return []

    def _adjust(self, now: float) -> list[Action]:
        """`C3 B` at once and `C3 A` when done; `C3 I` with a load on the pan."""
        if abs(self.pan.weight_g(now) - self.state.zero_g) > LOADED_G or not self._weighs(now):
            return self._say("C3 I")
        self.state.adjusted_at = now + ADJUST_S
        return self._say("C3 B")

    def _switch(self, on: bool, now: float) -> list[Action]:
        """Standby or on; after power-on the serial number is said too."""
        was, self.state.standby = self.state.standby, not on
        said = self._say("PWR A")
        greeting = Send(2.0, f'I4 A "{self.serial}"\r\n'.encode())
        return [*said, greeting] if on and was else said

    def _answer(self, command: str) -> str:
        """Commands that are answered from memory."""
        word, _, parameter = command.partition(" ")
        match word, parameter:
            case "I0", "":
                return self._list_of_commands()
            case "I1", "":
                return 'I1 A "01" "2.00" "2.00" "2.00" "1.0"'
            case "I2", "":
                return f'I2 A "ML4002E NewClassic {self.capacity_g:.{self.decimals}f} g"'
            case "I3", "":
                return 'I3 A "2.10 10.28.0.493.142"'
            case "I4", "":
                return f'I4 A "{self.serial}"'
            case "I5", "":
                return 'I5 A "12345678A"'
            case "I10", "":
                return f'I10 A "{self.state.name}"'
            case "I10", name:
                return self._rename(name)
            case "I11", "":
                return 'I11 A "ML4002E"'
            case "D", text:
                return "D A" if len(text) >= 2 and text[0] == text[-1] == '"' else "D L"
            case "DW", "":
                return "DW A"
            case "WS", "":
                return f"WS A {self.state.door}"
            case "WS", ("0" | "1" | "2"):
                self.state.door = int(parameter)
                return "WS A"
            case "WS", _:
                return "WS L"
            case "M28", "":
                return "M28 B 1 21.8\r\nM28 A 2 22.1"
            case "M21", unit:
                return self._choose_unit(unit)
            case "TAC", "":
                self.state.tare_g = 0.0
                return "TAC A"
            case "TA", "":
                return f"TA A {self._field(self.state.tare_g)}"
            case "TA", preset:
                return self._preset_tare(preset)
            case _:
                return "ES"

    def _list_of_commands(self) -> str:
        """`I0 B <level> "<command>"` for all but the last, which is `I0 A`."""
        levels = (
            (0, "I0 I1 I2 I3 I4 S SI SIR Z ZI @"),
            (1, "D DW SR T TA TAC TI"),
            (2, "C3 I10 I11 I5 M21 M28 PWR SC SIRU SIU SNR SU WS"),
        )
        lines = [f'I0 B {level} "{name}"' for level, names in levels for name in names.split()]
        lines[-1] = lines[-1].replace("B", "A", 1)
        return "\r\n".join(lines)

    def _rename(self, name: str) -> str:
        if len(name) < 2 or name[0] != '"' or name[-1] != '"' or len(name) > 22:
            return "I10 L"
        self.state.name = name[1:-1]
        return "I10 A"

    def _choose_unit(self, parameter: str) -> str:
        """`M21 0 u`: 0 is the host unit."""
        which, _, unit = parameter.partition(" ")
        if which != "0" or unit not in self.UNITS:
            return "M21 L"
        self.state.host_unit = self.UNITS[unit][0]
        return "M21 A"

    def _preset_tare(self, preset: str) -> str:
        """`TA <w> <u>`: plain decimals and grams only."""
        grams = self._grams(preset)
        if grams is None or grams > self.capacity_g:
            return "TA L"
        self.state.tare_g = grams
        return f"TA A {self._field(self.state.tare_g)}"

    @staticmethod
    def _grams(text: str) -> float | None:
        """`12.5 g`; None for anything else."""
        value, _, unit = text.partition(" ")
        return float(value) if unit == "g" and value.replace(".", "", 1).isdecimal() else None

    # -- weighing: gross weight and "stands still" in, the answer out; None = not yet ----------------------------------

    def _weight(self, gross_g: float, still: bool) -> str:
        if trouble := self._trouble(gross_g):
            return f"S {trouble}"
        net_g = gross_g - self.state.zero_g - self.state.tare_g + self._noise()
        return f"S {'S' if still else 'D'} {self._field(net_g)}"

    def _stable_weight(self, gross_g: float, still: bool) -> str | None:
        return self._weight(gross_g, still) if still or self._trouble(gross_g) else None

    def _zero(self, gross_g: float, still: bool) -> str | None:
        if trouble := self._trouble(gross_g):
            return f"Z {trouble}"
        if not still:
            return None
        self.state.zero_g, self.state.tare_g = gross_g, 0.0
        return "Z A"

    def _zero_now(self, gross_g: float, still: bool) -> str:
        if trouble := self._trouble(gross_g):
            return f"ZI {trouble}"
        self.state.zero_g, self.state.tare_g = gross_g, 0.0
        return f"ZI {'S' if still else 'D'}"

    def _tare(self, gross_g: float, still: bool) -> str | None:
        return self._tare_now(gross_g, still).replace("TI", "T", 1) if still or self._trouble(gross_g) else None

    def _tare_now(self, gross_g: float, still: bool) -> str:
        if trouble := self._trouble(gross_g):
            return f"TI {trouble}"
        self.state.tare_g = gross_g - self.state.zero_g
        return f"TI {'S' if still else 'D'} {self._field(self.state.tare_g)}"

    def _trouble(self, gross_g: float) -> str:
        """`+` overload, `-` underload, `I` not executable as with a broken cell, or nothing."""
        if math.isnan(gross_g):
            return "I"
        if gross_g > self.capacity_g + OVERLOAD_DIGITS * self.resolution_g:
            return "+"
        return "-" if gross_g < UNDERLOAD_G else ""

    def _field(self, grams: float) -> str:
        """Ten characters, right aligned, and the unit."""
        unit, factor = next(pair for pair in self.UNITS.values() if pair[0] == self.state.host_unit)
        decimals = max(0, self.decimals - round(math.log10(factor)))
        shown = round(round(grams / self.resolution_g) * self.resolution_g * factor, decimals) or 0.0
        return f"{shown:10.{decimals}f} {unit}"

    def _noise(self) -> float:
        """Grams."""
        if self.seed is None:
            return 0.0
        self.state.draws += 1
        return noise(self.seed, self.state.draws) * NOISE_DIGITS * self.resolution_g

    def _say(self, answer: str) -> list[Action]:
        return [Send(PROCESSING_S, answer.encode("latin-1") + b"\r\n")]
