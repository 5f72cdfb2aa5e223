"""Model name -> simulator: one line each, imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from simulators.core.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the class is, and which of the surroundings it sits in, by its name in `simulators.standalone.PLACES`."""

    path: str
    place: str
    scheme: str = "tcp"
    """What its TCP port speaks: tcp = the bytes of the serial cable, http."""
    address: int = 0
    """The number it leaves the factory with."""


SIMULATORS: Mapping[str, Entry] = {
    "memmert_ico": Entry("simulators.devices.memmert_atmoweb:MemmertIco", "chamber", "http"),
    "hamilton_arc_ph": Entry("simulators.devices.hamilton_arc:HamiltonArcPh", "immersion", address=1),
    "hamilton_arc_do": Entry("simulators.devices.hamilton_arc:HamiltonArcDo", "immersion", address=1),
    "new_era_ne1000": Entry("simulators.devices.new_era_ne1000:NewEraNe1000", "barrel"),
    "mettler_toledo_mt_sics": Entry("simulators.devices.mettler_toledo_mt_sics:MettlerToledoBalance", "pan"),
    "binder_mb1": Entry("simulators.devices.binder_mb:BinderMb1", "chamber", address=1),
    "binder_mb2": Entry("simulators.devices.binder_mb:BinderMb2", "chamber", address=1),
    "binder_cb_mb1": Entry("simulators.devices.binder_mb:BinderCbMb1", "chamber", address=1),
    "binder_cb_mb2": Entry("simulators.devices.binder_mb:BinderCbMb2", "chamber", address=1),
    "thermo_heracell_i": Entry("simulators.devices.thermo_heracell_i:ThermoHeracellI", "chamber"),
    "thermo_vios_cr": Entry("simulators.devices.thermo_heracell_i:ThermoViosCr", "chamber"),
    "prominent_dfxa": Entry("simulators.devices.prominent_dfxa:ProminentDfxa", "tube", address=20),
}


def entry(model: str) -> Entry:
    """Raises ValueError naming what there is."""
    try:
        return SIMULATORS[model]
    except KeyError:
        raise ValueError(f"no simulator is called {model!r}; there are {', '.join(SIMULATORS)}") from None


def build(
    model: str,
    place: object,
    *,
    address: int = 0,
    seed: int | None = None,
    options: Mapping[str, float | str] | None = None,
) -> Simulator:
    """The simulator of `model` in `place`; `seed` None = no noise, no drift. Raises ValueError for an unknown model."""
    module, name = entry(model).path.split(":")
    make = cast("Callable[..., Simulator]", vars(import_module(module))[name])
    return make(place, address=address, seed=seed, options=options or {})
