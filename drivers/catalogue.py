"""Which models there are, one explicit line each: model -> class. Nothing is imported before it is asked for."""

from __future__ import annotations

import sys
from hashlib import sha256
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

from drivers.core.device import Device
from drivers.core.errors import OsteonError
from drivers.own import BadDriver, check

MODELS = {
    "memmert_ico": "drivers.devices.memmert_atmoweb.driver:MemmertIco",
    "hamilton_arc_ph": "drivers.devices.hamilton_arc.driver:HamiltonArcPh",
    "hamilton_arc_do": "drivers.devices.hamilton_arc.driver:HamiltonArcDo",
    "new_era_ne1000": "drivers.devices.new_era_ne1000.driver:NewEraNe1000",
    "mettler_toledo_mt_sics": "drivers.devices.mettler_toledo_mt_sics.driver:MettlerToledoBalance",
    "pyroscience_firesting_pro_o2": "drivers.devices.pyroscience_firesting.driver:PyroScienceFireStingProO2",
    "pyroscience_firesting_pro_ph": "drivers.devices.pyroscience_firesting.driver:PyroScienceFireStingProPh",
    "pyroscience_firesting_pro_temperature": "drivers.devices.pyroscience_firesting.driver:PyroScienceFireStingProTemp",
    "pyroscience_pico_o2": "drivers.devices.pyroscience_firesting.driver:PyroSciencePicoO2",
    "pyroscience_pico_ph": "drivers.devices.pyroscience_firesting.driver:PyroSciencePicoPh",
    "pyroscience_firesting_o2": "drivers.devices.pyroscience_firesting.older:PyroScienceFireStingO2",
    "pyroscience_firesting_o2_old": "drivers.devices.pyroscience_firesting.older:PyroScienceFireStingO2Old",
    "presens_oxybase_rs232": "drivers.devices.presens_oxybase.driver:PreSensOxyBaseRs232",
    "presens_oxybase_rs485": "drivers.devices.presens_oxybase.rs485:PreSensOxyBaseRs485",
    "ika_rct_digital": "drivers.devices.ika_namur.driver:IkaRctDigital",
    "ika_ret_control_visc": "drivers.devices.ika_namur.driver:IkaRetControlVisc",
    "ika_eurostar": "drivers.devices.ika_namur.driver:IkaEurostar",
    "ika_microstar": "drivers.devices.ika_namur.driver:IkaMicrostar",
    "ika_ks_4000": "drivers.devices.ika_namur.driver:IkaKs4000",
    "ika_matrix_orbital": "drivers.devices.ika_namur.driver:IkaMatrixOrbital",
    "heidolph_mr_hei_tec": "drivers.devices.ika_namur.heidolph:HeidolphMrHeiTec",
    "thermo_cytomat_2": "drivers.devices.thermo_cytomat.driver:ThermoCytomat2",
    "thermo_cytomat_2c_425": "drivers.devices.thermo_cytomat.driver:ThermoCytomat2C425",
    "thermo_cytomat_6000": "drivers.devices.thermo_cytomat.driver:ThermoCytomat6000",
    "liconic_stx": "drivers.devices.liconic_stx.driver:LiconicStx",
    "heraeus_cytomat": "drivers.devices.liconic_stx.driver:HeraeusCytomat",
    "inheco_incubator": "drivers.devices.inheco_incubator.driver:InhecoIncubator",
    "inheco_incubator_shaker": "drivers.devices.inheco_incubator.driver:InhecoIncubatorShaker",
    "alicat_mfc": "drivers.devices.alicat_mfc.driver:AlicatMfc",
    "alicat_mfc_old": "drivers.devices.alicat_mfc.driver:AlicatMfcOld",
    "alicat_meter": "drivers.devices.alicat_mfc.meter:AlicatMeter",
    "alicat_mfc_modbus": "drivers.devices.alicat_mfc.over_modbus:AlicatMfcModbus",
    "bronkhorst_el_flow": "drivers.devices.bronkhorst_propar.driver:BronkhorstElFlow",
    "bronkhorst_el_flow_ascii": "drivers.devices.bronkhorst_propar.driver:BronkhorstElFlowAscii",
    "gss_sprintir": "drivers.devices.gss_co2.driver:GssSprintir",
    "gss_explorir_m": "drivers.devices.gss_co2.driver:GssExplorirM",
    "gss_cozir_a": "drivers.devices.gss_co2.driver:GssCozirA",
    "atlas_ezo_ph": "drivers.devices.atlas_ezo.driver:AtlasEzoPh",
    "atlas_ezo_do": "drivers.devices.atlas_ezo.driver:AtlasEzoDo",
    "atlas_ezo_rtd": "drivers.devices.atlas_ezo.driver:AtlasEzoRtd",
    "atlas_ezo_ec": "drivers.devices.atlas_ezo.driver:AtlasEzoEc",
    "atlas_ezo_orp": "drivers.devices.atlas_ezo.driver:AtlasEzoOrp",
    "atlas_ezo_co2": "drivers.devices.atlas_ezo.driver:AtlasEzoCo2",
    "sartorius_sbi": "drivers.devices.sartorius_sbi.driver:SartoriusBalance",
    "vaisala_gmp251": "drivers.devices.vaisala_probes.driver:VaisalaGmp251",
    "vaisala_gmp252": "drivers.devices.vaisala_probes.driver:VaisalaGmp252",
    "vaisala_hmp": "drivers.devices.vaisala_probes.humidity:VaisalaHmp",
    "vaisala_gmp25x_text": "drivers.devices.vaisala_probes.industrial:VaisalaGmp25xText",
    "binder_mb1": "drivers.devices.binder_mb.driver:BinderMb1",
    "binder_mb2": "drivers.devices.binder_mb.driver:BinderMb2",
    "binder_cb_mb1": "drivers.devices.binder_mb.driver:BinderCbMb1",
    "binder_cb_mb2": "drivers.devices.binder_mb.driver:BinderCbMb2",
    "thermo_heracell_i": "drivers.devices.thermo_heracell_i.driver:ThermoHeracellI",
    "thermo_vios_cr": "drivers.devices.thermo_heracell_i.driver:ThermoViosCr",
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
    "ismatec_reglo_icc": "drivers.devices.ismatec_reglo_icc.driver:IsmatecRegloIcc",
    "watlow_f4t": "drivers.devices.watlow_f4t_ez_zone.driver:WatlowF4t",
    "watlow_f4t_humidity": "drivers.devices.watlow_f4t_ez_zone.driver:WatlowF4tHumidity",
    "watlow_f4t_scpi": "drivers.devices.watlow_f4t_ez_zone.scpi:WatlowF4tScpi",
    "watlow_ez_zone": "drivers.devices.watlow_f4t_ez_zone.ez_zone:WatlowEzZone",
    "watlow_ez_zone_standard_bus": "drivers.devices.watlow_f4t_ez_zone.standard_bus:WatlowEzZoneStandardBus",
    "sst_luminox_lox02": "drivers.devices.sst_luminox.driver:SstLuminoxLox02",
    "sst_luminox_lox01": "drivers.devices.sst_luminox.driver:SstLuminoxLox01",
    "masterflex_ls": "drivers.devices.masterflex_ls.driver:MasterflexLs",
    "masterflex_ls_usb": "drivers.devices.masterflex_ls.usb:MasterflexLsUsb",
    "watson_marlow_520": "drivers.devices.watson_marlow.driver:WatsonMarlow520",
    "watson_marlow_530": "drivers.devices.watson_marlow.driver:WatsonMarlow530",
    "watson_marlow_505": "drivers.devices.watson_marlow.driver:WatsonMarlow505",
    "watson_marlow_323": "drivers.devices.watson_marlow.driver:WatsonMarlow323",
    "julabo_corio_cd": "drivers.devices.julabo_circulator.driver:JulaboCorioCd",
    "julabo_corio_cp": "drivers.devices.julabo_circulator.driver:JulaboCorioCp",
    "julabo_magio": "drivers.devices.julabo_circulator.driver:JulaboMagio",
    "julabo_dyneo": "drivers.devices.julabo_circulator.driver:JulaboDyneo",
    "prominent_dfxa": "drivers.devices.prominent_dfxa.driver:ProminentDfxa",
    "memmert_incubator": "drivers.devices.memmert_atmoweb.driver:MemmertIncubator",
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


class BadFolder(OsteonError):
    """A folder of own drivers that cannot be used, and why."""


def include(folder: Path) -> list[str]:
    """Add a laboratory's own models, and return their names; may be repeated.

    `<folder>/catalogue.py` has a MODELS of the same shape as ours, with paths from the folder:
    `"borealis_co2": "borealis_co2.driver:BorealisCo2"`. Its code runs as ours does: only name a folder you trust.
    Raises BadFolder when there is no such file, a name is one of ours, or a driver in it cannot be used.
    """
    place = folder.resolve()
    if not (place / "catalogue.py").is_file():
        raise BadFolder(f"{folder}: no catalogue.py in it; it lists the models there, see drivers/README.md")
    package = f"osteon_own_{sha256(str(place).encode()).hexdigest()[:12]}"
    if package not in sys.modules:
        spec = ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        sys.modules[package] = module_from_spec(spec)
    try:
        own = dict(vars(import_module(f"{package}.catalogue"))["MODELS"])
    except KeyError:
        raise BadFolder(f"{place / 'catalogue.py'}: it has no MODELS; see drivers/README.md") from None
    except Exception as error:  # whatever a stranger's file does wrong, it is that file's fault
        raise BadFolder(f"{place / 'catalogue.py'}: {error}") from error
    paths = {str(model): f"{package}.{path}" for model, path in own.items()}
    for model, path in paths.items():
        if MODELS.get(model, path) != path:
            raise BadFolder(f"{place / 'catalogue.py'}: there is a model {model} already; give yours another name")
        try:
            check(model, package, str(own[model]), place)
        except BadDriver as error:
            raise BadFolder(f"{folder}: {model}: {error}") from error
    MODELS.update(paths)
    return list(paths)
