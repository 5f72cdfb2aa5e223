"""EZO-pH: a glass electrode of 59.16 mV per pH at 25 °C, compensated for the temperature that is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simulators.core.surroundings import Immersion
from simulators.devices.atlas_ezo.circuit import EzoCircuit, Handler, Lines, number

MV_PER_PH = 59.16
AT_KELVIN = 298.15
PH_NOISE = 0.003
"""Standard deviation with a seed; ours."""


class AtlasEzoPh(EzoCircuit):
    """Options besides those of every circuit: `slope_percent` and `offset_mv` of the electrode."""

    place: Immersion
    kind = "pH"
    firmware = "2.16"
    reading_s: ClassVar[float] = 0.8
    teaching_s: ClassVar[float] = 0.9
    first_settings: ClassVar[Mapping[str, float]] = {"ext": 0.0}

    def own(self) -> dict[str, Handler]:
        return {"T": self.compensation, "RT": self.compensated_reading, "SLOPE": self._slope, "PHEXT": self._ext}

    def _mv(self, now: float) -> float:
        """What the electrode gives, as if the liquid had 25 °C by the temperature that is set."""
        liquid = self.place.liquid(now)
        slope = MV_PER_PH * (liquid.cel + 273.15) / AT_KELVIN * float(self.options.get("slope_percent", 100)) / 100
        mv = -slope * (liquid.ph - 7) + float(self.options.get("offset_mv", 0))
        return mv * AT_KELVIN / (self.state.t_cel + 273.15)

    def _curve(self) -> tuple[float, float, float, float]:
        """pH and mV of the middle, mV per pH on the acid and on the basic side."""
        points = self.state.points
        mid, mid_mv = points.get("mid", 7.0), points.get("mi1", 0.0)
        acid = (points["lo1"] - mid_mv) / (mid - points["low"]) if points.keys() >= {"low", "lo1"} else None
        base = (mid_mv - points["hi1"]) / (points["hig"] - mid) if points.keys() >= {"hig", "hi1"} else None
        return mid, mid_mv, acid or base or MV_PER_PH, base or acid or MV_PER_PH

    def reading(self, now: float) -> str:
        mid, mid_mv, acid, base = self._curve()
        above = self._mv(now) - mid_mv
        ph = mid - above / (acid if above > 0 else base) + self.jitter(PH_NOISE)
        low, high = (-1.6, 15.6) if self.state.settings["ext"] else (0.0, 14.0)
        return f"{min(high, max(low, ph)):.3f}"

    def makes_sense(self, points: Mapping[str, float]) -> bool:
        mid = points.get("mid", 7.0)
        return points.get("low", mid - 1) < mid < points.get("hig", mid + 1)

    def taught(self) -> int:
        return sum(name in self.state.points for name in ("mid", "low", "hig"))

    def teach(self, words: list[str], now: float) -> bool:
        if len(words) != 2 or words[0] not in ("mid", "low", "high") or (ph := number(words[1])) is None:
            return False
        points, which = self.state.points, words[0][:3]
        if which == "mid":
            points.clear()
        elif "mid" not in points or not (ph < points["mid"] if which == "low" else ph > points["mid"]):
            return False
        points[which], points[which[:2] + "1"] = ph, self._mv(now)
        return True

    def _slope(self, words: list[str], now: float) -> Lines | None:
        if words != ["?"]:
            return None
        mid, mid_mv, acid, base = self._curve()
        offset = mid_mv + (mid - 7) * (acid if mid < 7 else base)
        return [f"?Slope,{acid / MV_PER_PH * 100:.1f},{base / MV_PER_PH * 100:.1f},{offset + 0.0:.2f}"]

    def _ext(self, words: list[str], now: float) -> Lines | None:
        answer = self.flag("pHext", bool(self.state.settings["ext"]), words)
        if answer == []:
            self.state.settings["ext"] = float(words[0])
        return answer
