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
    "tecan_cavro_xcalibur": "drivers.devices.tecan_cavro.driver:TecanCavroXCalibur",
    "tecan_cavro_xcalibur_dt": "drivers.devices.tecan_cavro.driver:TecanCavroXCaliburDt",
    "tecan_cavro_xlp6000": "drivers.devices.tecan_cavro.driver:TecanCavroXlp6000",
    "tecan_cavro_xp3000": "drivers.devices.tecan_cavro.driver:TecanCavroXp3000",
    "vici_universal": "drivers.devices.vici_valve.driver:ViciUniversal",
    "vici_universal_rs485": "drivers.devices.vici_valve.driver:ViciUniversalRs485",
    "vici_microelectric": "drivers.devices.vici_valve.driver:ViciMicroelectric",
    "harvard_11_elite": "drivers.devices.harvard_pump.driver:Harvard11Elite",
    "harvard_phd_ultra": "drivers.devices.harvard_pump.driver:HarvardPhdUltra",
    "harvard_33_dds": "drivers.devices.harvard_pump.driver:Harvard33Dds",
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
