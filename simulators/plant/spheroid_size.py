"""How cells become a spheroid and how large it is (plant-models §5, §7). µm, hours, cells.

aggregated: f = 1 - exp(-t / t_a);   R(t) = R_∞ + (R_0 - R_∞) exp(-t / t_c),  R_0 = 1.5 R_∞;  later 1 %/day is lost
size law:   R_∞ = 176 µm (N / 15 000)^0.50, so larger ones are looser
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array


def final_radius_um(cells: Values) -> Array:
    """After compaction."""
    return p.SIZE_RADIUS_UM * (array(cells) / p.SIZE_CELLS) ** p.SIZE_POWER


def density(cells: Values) -> Array:
    """Cells per m³ of a compacted spheroid: 6.6·10¹⁴ of 15 000 cells, 3.3·10¹⁴ of 60 000."""
    return array(cells) / (4 / 3 * np.pi * (1e-6 * final_radius_um(cells)) ** 3)


def aggregated(hours: Values) -> Array:
    """Share of the cells in the body."""
    return 1 - np.exp(-np.maximum(array(hours), 0.0) / p.AGGREGATION_H)


def radius_um(cells: Values, hours: Values) -> Array:
    """Of the body, `hours` after forming."""
    hours = np.maximum(array(hours), 0.0)
    loosely = 1 + (p.LOOSE_AT_FIRST - 1) * np.exp(-hours / p.COMPACTION_H)
    later = np.maximum(0.0, hours - p.COMPACT_AFTER_H) / 24
    return final_radius_um(cells) * loosely * np.exp(-p.RADIUS_LOSS_PER_DAY * later)


def growing_radius_um(days: Values) -> Array:
    """A growing spheroid (melanoma 983b, 5000 cells): flat at first, then a straight line. Not for ADSC."""
    late = (array(days) - p.GROWING_FROM_D) / p.GROWING_TURN_D
    return p.GROWING_START_UM + p.GROWING_UM_PER_DAY * p.GROWING_TURN_D * np.logaddexp(0.0, late)


@dataclass(frozen=True, slots=True)
class Formed:
    """What a person sees in each well: bodies, the share of cells in the main one, roundness (Feret ratio)."""

    bodies: Array
    share: Array
    roundness: Array

    @property
    def one_body(self) -> Array:
        """Wells with exactly one body, 1 or 0."""
        return (self.bodies == 1).astype(np.float64)


def formed(wells: int, seed: int) -> Formed:
    """Draw the fate of each well: incomplete aggregation, two bodies, satellites, or one round body."""
    chance = np.random.default_rng(seed)
    fate = chance.random(wells)
    loose = fate < p.LOOSE_WELLS
    two = ~loose & (fate < p.LOOSE_WELLS + p.TWIN_WELLS)
    satellites = ~loose & ~two & (fate < p.LOOSE_WELLS + p.TWIN_WELLS + p.SATELLITE_WELLS)
    bodies = np.where(two, 2, np.where(satellites, 3, 1)).astype(np.float64)
    share = np.where(loose, 0.6, np.where(two, 0.5, np.where(satellites, 0.9, 1.0)))
    usual = np.where(loose, 0.6, np.where(two, 0.7, p.ROUNDNESS))
    return Formed(bodies, share, np.clip(chance.normal(usual, p.ROUNDNESS_SD), 0.3, 1.0))
