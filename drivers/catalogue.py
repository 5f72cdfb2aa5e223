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
    "alicat_mfc": "drivers.devices.alicat_mfc.driver:AlicatMfc",
    "alicat_mfc_old": "drivers.devices.alicat_mfc.driver:AlicatMfcOld",
    "alicat_meter": "drivers.devices.alicat_mfc.meter:AlicatMeter",
    "alicat_mfc_modbus": "drivers.devices.alicat_mfc.over_modbus:AlicatMfcModbus",
    "bronkhorst_el_flow": "drivers.devices.bronkhorst_propar.driver:BronkhorstElFlow",
    "bronkhorst_el_flow_ascii": "drivers.devices.bronkhorst_propar.driver:BronkhorstElFlowAscii",
    "gss_sprintir": "drivers.devices.gss_co2.driver:GssSprintir",
    "gss_explorir_m": "drivers.devices.gss_co2.driver:GssExplorirM",
    "gss_cozir_a": "drivers.devices.gss_co2.driver:GssCozirA",
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
