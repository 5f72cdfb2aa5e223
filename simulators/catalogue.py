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
    "atlas_ezo_ph": Entry("simulators.devices.atlas_ezo:AtlasEzoPh", "immersion"),
    "atlas_ezo_do": Entry("simulators.devices.atlas_ezo:AtlasEzoDo", "immersion"),
    "atlas_ezo_rtd": Entry("simulators.devices.atlas_ezo:AtlasEzoRtd", "immersion"),
    "atlas_ezo_ec": Entry("simulators.devices.atlas_ezo:AtlasEzoEc", "immersion"),
    "atlas_ezo_orp": Entry("simulators.devices.atlas_ezo:AtlasEzoOrp", "immersion"),
    "atlas_ezo_co2": Entry("simulators.devices.atlas_ezo:AtlasEzoCo2", "room"),
    "sartorius_sbi": Entry("simulators.devices.sartorius_sbi:SartoriusBalance", "pan"),
    "julabo_corio_cd": Entry("simulators.devices.julabo_circulator:JulaboCorioCd", "bath"),
    "julabo_corio_cp": Entry("simulators.devices.julabo_circulator:JulaboCorioCp", "bath"),
    "julabo_magio": Entry("simulators.devices.julabo_circulator:JulaboMagio", "bath"),
    "julabo_dyneo": Entry("simulators.devices.julabo_circulator:JulaboDyneo", "bath"),
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
