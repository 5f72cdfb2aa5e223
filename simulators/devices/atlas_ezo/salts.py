"""EZO-EC and EZO-ORP. The sheet has little of them: form of a reading, words of `Cal,?` and units are ours (X)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from simulators.core.surroundings import Immersion
from simulators.devices.atlas_ezo.circuit import EzoCircuit, Handler, Lines, number, shortest

PER_KELVIN = 0.019
"""Conductivity of salt water grows by about 1.9 % a degree."""
OUTPUTS = ("EC", "TDS", "S", "SG")


class AtlasEzoEc(EzoCircuit):
    """Option besides those of every circuit: `cell`, the true cell constant of the probe in 1/cm."""

    place: Immersion
    kind = "EC"
    firmware = "2.16"
    reading_s: ClassVar[float] = 0.6
    teaching_s: ClassVar[float] = 1.2
    first_settings: ClassVar[Mapping[str, float]] = {"K": 1.0, "EC": 1.0, "TDS": 0.0, "S": 0.0, "SG": 0.0}

    def own(self) -> dict[str, Handler]:
        return {"T": self.compensation, "RT": self.compensated_reading, "K": self._k, "O": self._o}

    def _raw(self, now: float) -> float:
        """uS/cm before anything was taught."""
        us_cm = self.place.liquid(now).ms_cm * 1000
        return us_cm / float(self.options.get("cell", 1.0)) * self.state.settings["K"]

    def reading(self, now: float) -> str:
        points = self.state.points
        raw = self._raw(now) - points.get("dry", 0.0)
        factor = points["hi1"] if "hi1" in points else points.get("on1", points.get("lo1", 1.0))
        us_cm = max(0.0, raw * factor / self._warmth())
        us_cm *= 1 + self.jitter(2e-4)
        shown = {
            "EC": f"{us_cm:.2f}" if us_cm < 100 else f"{us_cm:.1f}" if us_cm < 1000 else f"{us_cm:.0f}",
            "TDS": f"{us_cm * 0.54:.0f}",
            "S": f"{us_cm * 35 / 53000:.2f}",
            "SG": f"{1 + us_cm * 5e-7:.3f}",
        }
        return ",".join(text for output, text in shown.items() if self.state.settings[output]) or "no output"

    def taught(self) -> int:
        return sum(name in self.state.points for name in ("one", "low", "hig"))

    def teach(self, words: list[str], now: float) -> bool:
        points = self.state.points
        if words == ["dry"]:
            points.clear()
            points["dry"] = 0.0
            return True
        if "dry" not in points or not words or (us_cm := number(words[-1])) is None or us_cm <= 0:
            return False
        match words[:-1]:
            case []:
                which = "one"
            case ["low"]:
                which = "low"
            case ["high"] if "low" in points:
                which = "hig"
            case _:
                return False
        points[which] = us_cm
        points[which[:2] + "1"] = us_cm * self._warmth() / max(self._raw(now), 1e-9)
        return True

    def _warmth(self) -> float:
        """Conductivity at the temperature that is set over that at 25 °C; a line has no place for deep cold."""
        return max(0.01, 1 + PER_KELVIN * (self.state.t_cel - 25))

    def _k(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?K,{shortest(self.state.settings['K'])}"]
        if len(words) != 1 or (cell := number(words[0])) is None or not 0.1 <= cell <= 10:
            return None
        self.state.settings["K"] = cell
        return []

    def _o(self, words: list[str], now: float) -> Lines | None:
        settings = self.state.settings
        if words == ["?"]:
            return [",".join(["?,O", *(output for output in OUTPUTS if settings[output])])]
        if len(words) != 2 or words[0].upper() not in OUTPUTS or words[1] not in ("0", "1"):
            return None
        settings[words[0].upper()] = float(words[1])
        return []


class AtlasEzoOrp(EzoCircuit):
    """Option besides those of every circuit: `offset_mv` of the electrode."""

    place: Immersion
    kind = "ORP"
    firmware = "1.97"
    reading_s: ClassVar[float] = 0.8
    teaching_s: ClassVar[float] = 0.9

    def _raw(self, now: float) -> float:
        return self.place.liquid(now).redox_mv + float(self.options.get("offset_mv", 0))

    def reading(self, now: float) -> str:
        mv = self._raw(now) + self.state.points.get("off", 0.0) + self.jitter(0.1)
        return "-1019.9" if math.isnan(mv) else f"{mv:.1f}"  # a broken probe is at the end of its scale; ours

    def teach(self, words: list[str], now: float) -> bool:
        if len(words) != 1 or (mv := number(words[0])) is None:
            return False
        self.state.points["off"] = mv - self._raw(now)
        return True
