"""A schedule of faults from a seed: a few kinds of those that the bench can have, anywhere, at any time (SIM-03).

Each run draws how many kinds it has, and which: all at once would hide as much as they find.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random

from simulators.bench import Config, SimulatedBench
from simulators.core.faults.spec import FaultSpec, parse
from simulators.core.faults.table import FAULTS, READ, SET, Entry, Kind, Where

RANDOM = "random"
"""In a list of faults: as this module chooses."""
SHARE_OF_KINDS = (0.02, 0.25)
LASTS_S: Mapping[Kind, tuple[float, float]] = {
    Kind.LINK: (1.0, 300.0),
    Kind.DEVICE: (10.0, 7200.0),
    Kind.PLANT: (600.0, 86400.0),
    Kind.PEOPLE: (3600.0, 86400.0),
}
"""Between these, the short ones as often as the long ones."""
BY: Mapping[str, float] = {
    "cel": 1.0, "co2": 1.0, "o2": 2.0, "rh": 10.0, "hpa": 30.0, "ph": 0.3, "do": 20.0, "ms_cm": 2.0, "redox": 50.0,
    "g": 2.0, "ml_min": 5.0, "ncm": 5.0,
}  # fmt: skip
"""How far a sensor may be off at most."""
AT_PANEL: Mapping[str, tuple[float, float]] = {
    "cel": (30.0, 40.0), "co2": (0.0, 10.0), "o2": (2.0, 20.0), "rpm": (0.0, 200.0), "ml_min": (0.0, 20.0),
}  # fmt: skip
WHOLE = ("frozen", "not-a-number")
"""All that a device feels at once."""
FROM_THE_START = ("roll-over",)
"""A counter near its end got there before the run."""
NEVER = ("absent-person", "port-moves")
"""Not by chance: a run would only wait for ever."""


def expanded(faults: Sequence[str], config: Config, seed: int, span_s: float) -> list[str]:
    """The list with `random` written out."""
    found: list[str] = []
    for text in faults:
        found += random_faults(config, seed, span_s) if text == RANDOM else [text]
    return found


def random_faults(config: Config, seed: int, span_s: float) -> list[str]:
    """Faults as they are written, each possible on this bench, beginning within `span_s`; the same for a seed."""
    chance = Random(f"{seed} faults")  # noqa: S311 - chance, not secrecy
    bench = SimulatedBench(config)
    share = chance.uniform(*SHARE_OF_KINDS)
    found: list[str] = []
    for name, entry in FAULTS.items():
        if name in NEVER or chance.random() > share:
            continue
        targets = [spec for spec in _anywhere(bench, name, entry, chance) if _can(bench, spec)]
        if not targets:
            continue
        spec = chance.choice(targets)
        times = {"after_s": 0.0 if name in FROM_THE_START else round(chance.uniform(0.0, span_s), 1)}
        if entry.where is not Where.STROKE:
            low, high = LASTS_S[entry.kind]
            times["for_s"] = round(math.exp(chance.uniform(math.log(low), math.log(high))), 1)
        found.append(FaultSpec(name, spec.target, {**times, **spec.parameters}).text)
    return found


def _anywhere(bench: SimulatedBench, name: str, entry: Entry, chance: Random) -> list[FaultSpec]:
    """The fault at every device, possible there or not; of the plant and of people once."""
    if entry.where is Where.PERSON:
        return [FaultSpec(name, "", {})]
    if entry.where is Where.PLANT:
        outgoing = "out" in entry.parameters and chance.random() < 0.5
        known = name in bench.surroundings.known_troubles
        return [FaultSpec(name, "", {"out": 1.0} if outgoing else {})] if known else []
    found: list[FaultSpec] = []
    for device in bench.link_of:
        if READ.keys() <= entry.parameters.keys() and name not in WHOLE:
            found += [FaultSpec(name, device, {key: round(chance.uniform(-by, by), 3)}) for key, by in BY.items()]
        elif SET.keys() <= entry.parameters.keys():
            found += [FaultSpec(name, device, {key: round(chance.uniform(*AT_PANEL[key]), 1)}) for key in SET]
        else:
            found.append(FaultSpec(name, device, {}))
    return found


def _can(bench: SimulatedBench, spec: FaultSpec) -> bool:
    if not spec.target:
        return True
    try:
        bench.check(parse(spec.text), spec.target)
    except ValueError:
        return False
    return True
