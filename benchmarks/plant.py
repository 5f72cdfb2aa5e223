"""Twenty-eight days of a plate without wires: chamber, gas, water, pH, oxygen, 96 spheroids with their fate.

The plate is exchanged on Monday, Wednesday and Friday with the chamber's door open, as a person does it. Processor
time of one core; the floor is the same number of steps of as many bare array operations as a step cannot do without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.figures import Figure, Options, median
from simulators.plant import chamber
from simulators.plant.chamber import settled
from simulators.plant.dishes import Gas
from simulators.plant.medium import OSTEOGENIC, fresh_medium
from simulators.plant.plate import STEP_S, Plate

GOAL_S = 15.0
DAYS = 28
DOOR_S = 120.0


def month() -> float:
    """Processor seconds of the whole plant."""
    begun = time.process_time()
    air, now = settled(37.0, 0.05), 0.0
    plate = Plate.seed(medium=OSTEOGENIC, wells=np.ones(96))
    fresh = fresh_medium(5.066, OSTEOGENIC)
    for step in range(round(DAYS * 86_400 / STEP_S)):
        day, second = divmod(now, 86_400.0)
        served = day % 7 in (0, 2, 4) and 36_000 <= second < 36_000 + DOOR_S
        air.door_open = served
        if served and step:
            plate.exchange(0.070, 0.075, fresh)
        for part in range(round(STEP_S / 60)):
            chamber.step(air, now + 60.0 * part, 60.0)
        plate.advance(STEP_S, Gas(air.co2, air.o2, air.rh, air.air_cel))
        now += STEP_S
    assert plate.spheroids.calcium_ug.mean() > 0.5
    assert max(abs(left) for left in plate.wells.residuals().values()) < 1e-6
    return time.process_time() - begun


def bare() -> float:
    """As many steps of: ten layers through their modes and back, five rounds of a Newton step, ten sums."""
    begun = time.process_time()
    layer, vectors, wells = np.ones((96, 10)), np.eye(10), np.linspace(1.0, 2.0, 96)
    for _ in range(round(DAYS * 86_400 / STEP_S)):
        layer = (layer @ vectors) * 1.0 @ vectors.T
        for _ in range(5):
            wells = wells - 0.0 * 10**wells
        for _ in range(10):
            wells = wells + 0.0
    return time.process_time() - begun


def figures(options: Options) -> Iterator[Figure]:
    ours, floor = median([month() for _ in range(options.rounds)]), median([bare() for _ in range(options.rounds)])
    yield Figure(
        "28 days of 96 wells", ours, "s", f"under {GOAL_S:g} s on one core", ours < GOAL_S, floor, "of bare arrays"
    )
