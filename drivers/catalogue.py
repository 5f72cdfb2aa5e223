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
    "vaisala_gmp251": "drivers.devices.vaisala_probes.driver:VaisalaGmp251",
    "vaisala_gmp252": "drivers.devices.vaisala_probes.driver:VaisalaGmp252",
    "vaisala_hmp": "drivers.devices.vaisala_probes.humidity:VaisalaHmp",
    "vaisala_gmp25x_text": "drivers.devices.vaisala_probes.industrial:VaisalaGmp25xText",
    "watlow_f4t": "drivers.devices.watlow_f4t_ez_zone.driver:WatlowF4t",
    "watlow_f4t_humidity": "drivers.devices.watlow_f4t_ez_zone.driver:WatlowF4tHumidity",
    "watlow_ez_zone": "drivers.devices.watlow_f4t_ez_zone.ez_zone:WatlowEzZone",
    "watlow_ez_zone_standard_bus": "drivers.devices.watlow_f4t_ez_zone.standard_bus:WatlowEzZoneStandardBus",
    "sst_luminox_lox02": "drivers.devices.sst_luminox.driver:SstLuminoxLox02",
    "sst_luminox_lox01": "drivers.devices.sst_luminox.driver:SstLuminoxLox01",
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
