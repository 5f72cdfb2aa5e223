"""A tube as a row of plugs of liquid and air: what enters at one end pushes the same volume out of the other."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tube:
    """`plugs` from the pump's end to the far end, each [1 = liquid or 0 = air, mL]; their sum never changes."""

    plugs: list[list[float]] = field(default_factory=lambda: [[0.0, 4.0]])

    @property
    def liquid_ml(self) -> float:
        return sum(ml for liquid, ml in self.plugs if liquid)

    def copy(self) -> Tube:
        return Tube([list(plug) for plug in self.plugs])

    def push_from_pump(self, liquid_ml: float, air_ml: float) -> tuple[float, float]:
        """Liquid, then air, in at the pump's end; (liquid, air) out at the far end."""
        for kind, ml in ((1.0, liquid_ml), (0.0, air_ml)):
            if ml > 0.0:
                if self.plugs and self.plugs[0][0] == kind:
                    self.plugs[0][1] += ml
                else:
                    self.plugs.insert(0, [kind, ml])
        return self._out(-1, liquid_ml + air_ml)

    def push_from_far_end(self, liquid_ml: float, air_ml: float) -> tuple[float, float]:
        """Liquid, then air, in at the far end; (liquid, air) out at the pump's end."""
        for kind, ml in ((1.0, liquid_ml), (0.0, air_ml)):
            if ml > 0.0:
                if self.plugs and self.plugs[-1][0] == kind:
                    self.plugs[-1][1] += ml
                else:
                    self.plugs.append([kind, ml])
        return self._out(0, liquid_ml + air_ml)

    def bubble(self, ml: float, end: int) -> float:
        """Air in the place of what stands at one end (0 the pump's, -1 the far one); the liquid that was there, mL."""
        liquid, air = self._out(end, ml)
        self.plugs.insert(0 if end == 0 else len(self.plugs), [0.0, liquid + air])
        return liquid

    def _out(self, end: int, ml: float) -> tuple[float, float]:
        liquid = air = 0.0
        while ml > 1e-12 and self.plugs:
            plug = self.plugs[end]
            part = min(ml, plug[1])
            if plug[0]:
                liquid += part
            else:
                air += part
            ml -= part
            plug[1] -= part
            if plug[1] <= 1e-12:
                self.plugs.pop(end)
        return liquid, air
