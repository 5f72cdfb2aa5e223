"""Which models there are, one explicit line each: model -> class. Nothing is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module

from drivers.core.device import Device

MODELS = {
    "memmert_ico": "drivers.devices.memmert_atmoweb.driver:MemmertIco",
    "hamilton_arc_ph": "drivers.devices.hamilton_arc.driver:HamiltonArcPh",
    "hamilton_arc_do": "drivers.devices.hamilton_arc.driver:HamiltonArcDo",
    "new_era_ne1000": "drivers.devices.new_era_ne1000.driver:NewEraNe1000",
    "mettler_toledo_mt_sics": "drivers.devices.mettler_toledo_mt_sics.driver:MettlerToledoBalance",
    "binder_mb1": "drivers.devices.binder_mb.driver:BinderMb1",
    "binder_mb2": "drivers.devices.binder_mb.driver:BinderMb2",
    "binder_cb_mb1": "drivers.devices.binder_mb.driver:BinderCbMb1",
    "binder_cb_mb2": "drivers.devices.binder_mb.driver:BinderCbMb2",
    "thermo_heracell_i": "drivers.devices.thermo_heracell_i.driver:ThermoHeracellI",
    "thermo_vios_cr": "drivers.devices.thermo_heracell_i.driver:ThermoViosCr",
    "prominent_dfxa": "drivers.devices.prominent_dfxa.driver:ProminentDfxa",
}


class UnknownModel(LookupError):
    """No such model in the catalogue."""


def find(model: str) -> type[Device]:
    """The driver class of `model`; raises UnknownModel with the names there are."""
    if model not in MODELS:
        raise UnknownModel(f"{model}: no such model; there are {', '.join(sorted(MODELS))}")
    module, _, name = MODELS[model].partition(":")
    found: object = vars(import_module(module))[name]
    assert isinstance(found, type)
    assert issubclass(found, Device)
    return found
