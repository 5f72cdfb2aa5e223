"""EZO-DO: a galvanic probe. mg/L follows from the saturation at the temperature, salinity and pressure that are set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from simulators.core.surroundings import Immersion
from simulators.devices.atlas_ezo.circuit import EzoCircuit, Handler, Lines, number, shortest

PPT_PER_US = 35.0 / 53000.0
"""Sea water has 35 ppt and 53 mS/cm; linear, which is near enough here."""
PERCENT_NOISE = 0.05
"""Standard deviation with a seed; ours."""
LEAST_SPAN = 1.0
"""Percent between both points, however a person taught them: `Cal` and `Cal,0` in one liquid are both taken."""


def saturation_mg_l(cel: float, ppt: float, kpa: float) -> float:
    """Oxygen in water under moist air (Benson and Krause's equation as APHA prints it; linear in pressure)."""
    k = cel + 273.15
    fresh = -139.34411 + 1.575701e5 / k - 6.642308e7 / k**2 + 1.243800e10 / k**3 - 8.621949e11 / k**4
    return math.exp(fresh - ppt * (1.7674e-2 - 10.754 / k + 2140.7 / k**2)) * kpa / 101.3


class AtlasEzoDo(EzoCircuit):
    """Options besides those of every circuit: `air_percent`, `zero_percent`: what an untaught probe shows there."""

    place: Immersion
    kind = "D.O."
    firmware = "1.98"
    first_cel = 20.0
    reading_s: ClassVar[float] = 0.6
    teaching_s: ClassVar[float] = 1.3
    first_settings: ClassVar[Mapping[str, float]] = {"uS": 0.0, "ppt": -1.0, "kPa": 101.3, "mg": 1.0, "%": 0.0}

    def own(self) -> dict[str, Handler]:
        return {"T": self.compensation, "RT": self.compensated_reading, "S": self._s, "P": self._p, "O": self._o}

    def _current(self, now: float) -> float:
        """What the probe gives, in percent of what a perfect one gives in air."""
        air, zero = float(self.options.get("air_percent", 100)), float(self.options.get("zero_percent", 0))
        return zero + self.place.liquid(now).do_percent * (air - zero) / 100

    def reading(self, now: float) -> str:
        points, settings = self.state.points, self.state.settings
        air, zero = points.get("air", 100.0), points.get("zer", 0.0)
        span = max(air - zero, LEAST_SPAN)
        percent = max(0.0, (self._current(now) - zero) / span * 100 + self.jitter(PERCENT_NOISE))
        ppt = settings["ppt"] if settings["ppt"] >= 0 else settings["uS"] * PPT_PER_US
        mg_l = percent / 100 * saturation_mg_l(self.state.t_cel, ppt, settings["kPa"])
        shown = {"mg": f"{mg_l:.2f}", "%": f"{percent:.1f}"}
        return ",".join(text for output, text in shown.items() if settings[output]) or "no output"

    def teach(self, words: list[str], now: float) -> bool:
        if words not in ([], ["0"]):
            return False
        self.state.points["zer" if words else "air"] = self._current(now)
        return True

    def _s(self, words: list[str], now: float) -> Lines | None:
        settings = self.state.settings
        if words == ["?"]:
            salty = settings["ppt"] >= 0
            return [f"?S,{shortest(settings['ppt'])},ppt" if salty else f"?S,{settings['uS']:.0f},\xb5S"]
        if not words or (value := number(words[0])) is None or words[1:] not in ([], ["ppt"]) or value < 0:
            return None
        settings["ppt"] = value if words[1:] else -1.0
        if not words[1:]:
            settings["uS"] = value
        return []

    def _p(self, words: list[str], now: float) -> Lines | None:
        if words == ["?"]:
            return [f"?,P,{shortest(self.state.settings['kPa'])}"]
        if len(words) != 1 or (kpa := number(words[0])) is None or kpa <= 0:
            return None
        self.state.settings["kPa"] = kpa
        return []

    def _o(self, words: list[str], now: float) -> Lines | None:
        """The answer names % before mg, unlike the reading."""
        settings = self.state.settings
        if words == ["?"]:
            return [",".join(["?,O", *(output for output in ("%", "mg") if settings[output])])]
        if len(words) != 2 or words[0].lower() not in ("mg", "%") or words[1] not in ("0", "1"):
            return None
        settings[words[0].lower()] = float(words[1])
        return []
