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
    "atlas_ezo_ph": "drivers.devices.atlas_ezo.driver:AtlasEzoPh",
    "atlas_ezo_do": "drivers.devices.atlas_ezo.driver:AtlasEzoDo",
    "atlas_ezo_rtd": "drivers.devices.atlas_ezo.driver:AtlasEzoRtd",
    "atlas_ezo_ec": "drivers.devices.atlas_ezo.driver:AtlasEzoEc",
    "atlas_ezo_orp": "drivers.devices.atlas_ezo.driver:AtlasEzoOrp",
    "atlas_ezo_co2": "drivers.devices.atlas_ezo.driver:AtlasEzoCo2",
    "sartorius_sbi": "drivers.devices.sartorius_sbi.driver:SartoriusBalance",
    "julabo_corio_cd": "drivers.devices.julabo_circulator.driver:JulaboCorioCd",
    "julabo_corio_cp": "drivers.devices.julabo_circulator.driver:JulaboCorioCp",
    "julabo_magio": "drivers.devices.julabo_circulator.driver:JulaboMagio",
    "julabo_dyneo": "drivers.devices.julabo_circulator.driver:JulaboDyneo",
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
