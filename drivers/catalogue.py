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
    "thermo_cytomat_2": "drivers.devices.thermo_cytomat.driver:ThermoCytomat2",
    "thermo_cytomat_2c_425": "drivers.devices.thermo_cytomat.driver:ThermoCytomat2C425",
    "thermo_cytomat_6000": "drivers.devices.thermo_cytomat.driver:ThermoCytomat6000",
    "liconic_stx": "drivers.devices.liconic_stx.driver:LiconicStx",
    "heraeus_cytomat": "drivers.devices.liconic_stx.driver:HeraeusCytomat",
    "inheco_incubator": "drivers.devices.inheco_incubator.driver:InhecoIncubator",
    "inheco_incubator_shaker": "drivers.devices.inheco_incubator.driver:InhecoIncubatorShaker",
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
