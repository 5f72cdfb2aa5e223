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
    "ismatec_reglo_icc": Entry("simulators.devices.ismatec_reglo_icc:IsmatecRegloIcc", "tube", address=1),
    "masterflex_ls": Entry("simulators.devices.masterflex_ls:MasterflexLs", "tube", address=1),
    "masterflex_ls_usb": Entry("simulators.devices.masterflex_ls:MasterflexLsUsb", "tube", address=1),
    "watson_marlow_520": Entry("simulators.devices.watson_marlow:WatsonMarlow520", "tube", address=1),
    "watson_marlow_530": Entry("simulators.devices.watson_marlow:WatsonMarlow530", "tube", address=1),
    "watson_marlow_505": Entry("simulators.devices.watson_marlow:WatsonMarlow505", "tube", address=1),
    "watson_marlow_323": Entry("simulators.devices.watson_marlow:WatsonMarlow323", "tube", address=1),
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
