"""EZO-CO2: 0 to 10,000 ppm in air, warm after 10 s; what it says before that is ours (X)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simulators.core.surroundings import Room
from simulators.devices.atlas_ezo.circuit import EzoCircuit, Handler, Lines, number

PPM_NOISE = 3.0


class AtlasEzoCo2(EzoCircuit):
    """Options besides those of every circuit: `zero_ppm` and `gain`: by how much an untaught sensor errs."""

    place: Room
    kind = "CO2"
    firmware = "1.00"
    reading_s: ClassVar[float] = 1.0
    teaching_s: ClassVar[float] = 0.9
    warm_up_s = 10.0
    first_settings: ClassVar[Mapping[str, float]] = {"t": 0.0, "alarm": 0.0}

    def own(self) -> dict[str, Handler]:
        return {"ALARM": self._alarm, "O": self._o}

    def _raw(self, now: float) -> float:
        ppm = self.place.air(now).co2_percent * 1e4
        return ppm * float(self.options.get("gain", 1.0)) + float(self.options.get("zero_ppm", 0.0))

    def reading(self, now: float) -> str:
        points = self.state.points
        ppm = (self._raw(now) - points.get("zer", 0.0)) * points.get("hig", 1.0) + self.jitter(PPM_NOISE)
        cold = max(0.0, self.state.warm_at - now) / self.warm_up_s
        shown = f"{min(10000.0, max(0.0, ppm * (1 - cold))):.0f}"
        return f"{shown},{self.place.air(now).cel:.3f}" if self.state.settings["t"] else shown

    def taught(self) -> int:
        """0 as from the factory, 1 zero, 2 high, 3 both (L)."""
        return ("zer" in self.state.points) + 2 * ("hig" in self.state.points)

    def teach(self, words: list[str], now: float) -> bool:
        if len(words) != 1 or (ppm := number(words[0])) is None or ppm < 0:
            return False
        if ppm == 0:
            self.state.points["zer"] = self._raw(now)
        else:
            self.state.points["hig"] = ppm / max(self._raw(now) - self.state.points.get("zer", 0.0), 1.0)
        return True

    def _alarm(self, words: list[str], now: float) -> Lines | None:
        if len(words) != 1 or (ppm := number(words[0])) is None:
            return None
        self.state.settings["alarm"] = ppm
        return []

    def _o(self, words: list[str], now: float) -> Lines | None:
        if len(words) != 2 or words[0].lower() != "t" or words[1] not in ("0", "1"):
            return None
        self.state.settings["t"] = float(words[1])
        return []
