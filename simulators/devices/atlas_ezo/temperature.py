"""EZO-RTD: a platinum resistor, three scales, a memory that logs by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from simulators.core.surroundings import Immersion
from simulators.devices.atlas_ezo.circuit import EzoCircuit, Handler, Lines, number

CEL_NOISE = 0.005
"""Standard deviation with a seed; ours."""
SCALES = "ckf"
MEMORY = 50
"""Values kept; ours."""


class AtlasEzoRtd(EzoCircuit):
    """Option besides those of every circuit: `probe` = 0: none is plugged in."""

    place: Immersion
    kind = "RTD"
    firmware = "2.01"
    reading_s: ClassVar[float] = 0.6
    teaching_s: ClassVar[float] = 0.6
    first_settings: ClassVar[Mapping[str, float]] = {"scale": 0.0, "log": 0.0, "recall": 0.0}

    def own(self) -> dict[str, Handler]:
        return {"S": self._s, "D": self._d, "M": self._m}

    def _cel(self, now: float) -> float:
        return self.place.liquid(now).cel + self.state.points.get("off", 0.0)

    def reading(self, now: float) -> str:
        if not float(self.options.get("probe", 1)):
            return "-1023.000"
        cel = self._cel(now) + self.jitter(CEL_NOISE)
        if math.isnan(cel):
            return "-1023.000"
        return f"{self._scaled(cel):.3f}"

    def _scaled(self, cel: float) -> float:
        return (cel, cel + 273.15, cel * 1.8 + 32)[int(self.state.settings["scale"])]

    def teach(self, words: list[str], now: float) -> bool:
        if len(words) != 1 or (shown := number(words[0])) is None:
            return False
        zero, one = self._scaled(0.0), self._scaled(1.0)
        self.state.points["off"] = (shown - zero) / (one - zero) - self.place.liquid(now).cel
        return True

    def _s(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?S,{SCALES[int(self.state.settings['scale'])]}"]
        if len(words) != 1 or len(words[0]) != 1 or words[0].lower() not in SCALES:
            return None
        self.state.settings["scale"] = float(SCALES.index(words[0].lower()))
        return []

    def _d(self, words: list[str], now: float) -> Lines | None:
        """The logger's interval in tens of seconds (X)."""
        if words == ["?"]:
            return [f"?D,{self.state.settings['log']:.0f}"]
        if len(words) != 1 or not words[0].isdecimal() or int(words[0]) > 32000:
            return None
        self.state.settings["log"] = float(words[0])
        return []

    def _m(self, words: list[str], now: float) -> Lines | None:
        """`M` recalls one value after the other, with its number."""
        log, settings = self.state.log, self.state.settings
        match [word.lower() for word in words]:
            case ["?"]:
                return [f"?M,{len(log)}"]
            case ["clear"]:
                log.clear()
                return []
            case ["all"]:
                return [",".join(f"{value:.2f}" for value in log)] if log else None
            case [] if log:
                at = int(settings["recall"]) % len(log)
                settings["recall"] = at + 1.0
                return [f"{at + 1},{log[at]:.2f}"]
            case _:
                return None

    def log_now(self, now: float) -> None:
        """What the logger does every `D` x 10 s; the test's clock does it here."""
        self.state.log = [*self.state.log, self._scaled(self._cel(now))][-MEMORY:]
