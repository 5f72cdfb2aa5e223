"""What befalls a device at one moment: power, motor, counters, panel, memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, cast

from simulators.core.faults.spec import FaultSpec
from simulators.core.simulator import Action, Simulator

Rebuild = Callable[[bool], Simulator]


class Stalls(Protocol):
    def stall(self, now: float) -> list[Action] | None:
        """The motor cannot turn: as the sheet says the device stops, and what it says by itself."""
        ...


class Counts(Protocol):
    def reset_totals(self, now: float) -> None:
        """Its counters of delivered volume are at zero."""
        ...

    def near_roll_over(self, now: float, ml: float) -> None:
        """Its counters stand `ml` before they begin anew, or before what they can show."""
        ...


class HasPanel(Protocol):
    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set there, of `cel`, `co2`, `o2`, `rpm`, `ml_min`."""
        ...

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person sets one of `panel`; what is out of its range is taken as the device's own panel takes it."""
        ...


def check(spec: FaultSpec, simulator: Simulator) -> None:
    """Raises ValueError where this device cannot have the fault."""
    needs = spec.entry.needs
    if needs and not hasattr(simulator, needs):
        raise ValueError(f"fault {spec.text}: {type(simulator).__name__} has no such trouble ({needs})")
    if spec.name == "panel-change":
        can = cast("HasPanel", simulator).panel
        if not can:
            raise ValueError(f"fault {spec.text}: {type(simulator).__name__} has nothing to set")
        if not _set(spec) or not _set(spec).keys() <= set(can):
            raise ValueError(f"fault {spec.text}: say what is set there, of {', '.join(can)}; e.g. {can[0]}=35")


def _set(spec: FaultSpec) -> dict[str, float]:
    values = spec.values
    return {name: values[name] for name in spec.entry.parameters if not math.isnan(values[name])}


def strike(
    spec: FaultSpec, simulator: Simulator, rebuild: Rebuild | None, now: float
) -> tuple[Simulator, list[Action]]:
    """The device afterwards, and what it says by itself."""
    match spec.name:
        case "power-cycle":
            return simulator, simulator.power_cycle(now)
        case "stall":
            return simulator, cast("Stalls", simulator).stall(now) or []
        case "totalizer-reset":
            cast("Counts", simulator).reset_totals(now)
        case "roll-over":
            cast("Counts", simulator).near_roll_over(now, spec.values["ml"])
        case "panel-change":
            for name, value in _set(spec).items():
                cast("HasPanel", simulator).set_at_panel(name, value, now)
        case _:
            if rebuild is None:
                raise ValueError(f"fault {spec.text}: nobody here can build it anew")
            simulator.power_cycle(now)  # what it did ends with its power
            simulator = rebuild(spec.name == "replaced")
            return simulator, simulator.power_cycle(now)
    return simulator, []
