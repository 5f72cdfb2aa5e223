"""Liquid with what is dissolved in it, taken in parts and poured together: nothing is lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, fields

from simulators.plant.medium import Medium


@dataclass(slots=True)
class Mix:
    """mL, and µmol of each solute; `o2` too, `osmoles` in µosmol."""

    ml: float = 0.0
    glucose: float = 0.0
    lactate: float = 0.0
    sid: float = 0.0
    carbon: float = 0.0
    o2: float = 0.0
    osmoles: float = 0.0
    calcium: float = 0.0
    phosphate: float = 0.0
    supplements: float = 0.0

    @classmethod
    def of(cls, medium: Medium, ml: float) -> Mix:
        """`ml` of a medium (its figures are mM)."""
        m = medium
        return cls(
            ml, m.glucose * ml, m.lactate * ml, m.sid * ml, m.carbon * ml, m.o2 * ml, m.osmolality * ml,
            m.calcium * ml, m.phosphate * ml, m.supplements * ml,
        )  # fmt: skip

    def add(self, other: Mix, sign: float = 1.0) -> None:
        """Pour `other` in; `sign` -1 takes exactly that away."""
        for name in SOLUTES:
            setattr(self, name, getattr(self, name) + sign * getattr(other, name))
        self.ml += sign * other.ml

    def take(self, ml: float) -> Mix:
        """Take `ml` of the well-mixed liquid, or all there is."""
        share = min(1.0, ml / self.ml) if self.ml > 0.0 else 0.0
        part = Mix(self.ml * share, *(getattr(self, name) * share for name in SOLUTES))
        self.add(part, -1.0)
        return part


SOLUTES = tuple(field.name for field in fields(Mix) if field.name != "ml")
