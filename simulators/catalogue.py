"""Model name -> simulator: one line each, imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
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
    "pyroscience_firesting_pro_o2": Entry("simulators.devices.pyroscience_firesting:FireStingProO2", "immersion"),
    "pyroscience_firesting_pro_ph": Entry("simulators.devices.pyroscience_firesting:FireStingProPh", "immersion"),
    "pyroscience_firesting_pro_temperature": Entry(
        "simulators.devices.pyroscience_firesting:FireStingProTemperature", "immersion"
    ),
    "pyroscience_pico_o2": Entry("simulators.devices.pyroscience_firesting:PicoO2", "immersion"),
    "pyroscience_pico_ph": Entry("simulators.devices.pyroscience_firesting:PicoPh", "immersion"),
    "pyroscience_firesting_o2": Entry("simulators.devices.pyroscience_firesting:FireStingO2", "immersion"),
    "pyroscience_firesting_o2_old": Entry("simulators.devices.pyroscience_firesting:FireStingO2Old", "immersion"),
    "presens_oxybase_rs232": Entry("simulators.devices.presens_oxybase:OxyBaseRs232", "immersion"),
    "presens_oxybase_rs485": Entry("simulators.devices.presens_oxybase:OxyBaseRs485", "immersion", address=1),
    "ika_rct_digital": Entry("simulators.devices.ika_namur:RctDigital", "stirred bath"),
    "ika_ret_control_visc": Entry("simulators.devices.ika_namur:RetControlVisc", "stirred bath"),
    "ika_eurostar": Entry("simulators.devices.ika_namur:Eurostar", "stirred bath"),
    "ika_microstar": Entry("simulators.devices.ika_namur:Microstar", "stirred bath"),
    "ika_ks_4000": Entry("simulators.devices.ika_namur:Ks4000", "stirred bath"),
    "ika_matrix_orbital": Entry("simulators.devices.ika_namur:MatrixOrbital", "stirred bath"),
    "heidolph_mr_hei_tec": Entry("simulators.devices.ika_namur:HeidolphMrHeiTec", "stirred bath"),
    "thermo_cytomat_2": Entry("simulators.devices.thermo_cytomat:ThermoCytomat2", "chamber"),
    "thermo_cytomat_2c_425": Entry("simulators.devices.thermo_cytomat:ThermoCytomat2C425", "chamber"),
    "thermo_cytomat_6000": Entry("simulators.devices.thermo_cytomat:ThermoCytomat6000", "chamber"),
    "liconic_stx": Entry("simulators.devices.liconic_stx:LiconicStx", "chamber"),
    "heraeus_cytomat": Entry("simulators.devices.liconic_stx:HeraeusCytomat", "chamber"),
    "inheco_incubator": Entry("simulators.devices.inheco_incubator:InhecoIncubator", "chamber", address=2),
    "inheco_incubator_shaker": Entry("simulators.devices.inheco_incubator:InhecoIncubatorShaker", "chamber", address=2),
    "alicat_mfc": Entry("simulators.devices.alicat_mfc:AlicatMfc", "gas line", address=1),
    "alicat_mfc_old": Entry("simulators.devices.alicat_mfc:AlicatMfcOld", "gas line", address=1),
    "alicat_meter": Entry("simulators.devices.alicat_mfc:AlicatMeter", "gas line", address=1),
    "alicat_mfc_modbus": Entry("simulators.devices.alicat_mfc:AlicatMfcModbus", "gas line", address=1),
    "bronkhorst_el_flow": Entry("simulators.devices.bronkhorst_propar:BronkhorstElFlow", "gas line", address=128),
    "bronkhorst_el_flow_ascii": Entry(
        "simulators.devices.bronkhorst_propar:BronkhorstElFlowAscii", "gas line", address=128
    ),
    "gss_sprintir": Entry("simulators.devices.gss_co2:GssSprintir", "chamber"),
    "gss_explorir_m": Entry("simulators.devices.gss_co2:GssExplorirM", "chamber"),
    "gss_cozir_a": Entry("simulators.devices.gss_co2:GssCozirA", "chamber"),
    "atlas_ezo_ph": Entry("simulators.devices.atlas_ezo:AtlasEzoPh", "immersion"),
    "atlas_ezo_do": Entry("simulators.devices.atlas_ezo:AtlasEzoDo", "immersion"),
    "atlas_ezo_rtd": Entry("simulators.devices.atlas_ezo:AtlasEzoRtd", "immersion"),
    "atlas_ezo_ec": Entry("simulators.devices.atlas_ezo:AtlasEzoEc", "immersion"),
    "atlas_ezo_orp": Entry("simulators.devices.atlas_ezo:AtlasEzoOrp", "immersion"),
    "atlas_ezo_co2": Entry("simulators.devices.atlas_ezo:AtlasEzoCo2", "room"),
    "sartorius_sbi": Entry("simulators.devices.sartorius_sbi:SartoriusBalance", "pan"),
    "vaisala_gmp251": Entry("simulators.devices.vaisala_probes:VaisalaGmp251", "chamber", address=240),
    "vaisala_gmp252": Entry("simulators.devices.vaisala_probes:VaisalaGmp252", "room", address=240),
    "vaisala_hmp": Entry("simulators.devices.vaisala_probes:VaisalaHmp", "chamber", address=240),
    "vaisala_gmp25x_text": Entry("simulators.devices.vaisala_probes:VaisalaGmp25xText", "chamber"),
    "binder_mb1": Entry("simulators.devices.binder_mb:BinderMb1", "chamber", address=1),
    "binder_mb2": Entry("simulators.devices.binder_mb:BinderMb2", "chamber", address=1),
    "binder_cb_mb1": Entry("simulators.devices.binder_mb:BinderCbMb1", "chamber", address=1),
    "binder_cb_mb2": Entry("simulators.devices.binder_mb:BinderCbMb2", "chamber", address=1),
    "thermo_heracell_i": Entry("simulators.devices.thermo_heracell_i:ThermoHeracellI", "chamber"),
    "thermo_vios_cr": Entry("simulators.devices.thermo_heracell_i:ThermoViosCr", "chamber"),
    "tecan_cavro_xcalibur": Entry("simulators.devices.tecan_cavro:TecanCavroXCalibur", "barrel"),
    "tecan_cavro_xcalibur_dt": Entry("simulators.devices.tecan_cavro:TecanCavroXCalibur", "barrel"),
    "tecan_cavro_xlp6000": Entry("simulators.devices.tecan_cavro:TecanCavroXlp6000", "barrel"),
    "tecan_cavro_xp3000": Entry("simulators.devices.tecan_cavro:TecanCavroXp3000", "barrel"),
    "vici_universal": Entry("simulators.devices.vici_valve:ViciUniversal", "selector"),
    "vici_universal_rs485": Entry("simulators.devices.vici_valve:ViciUniversalRs485", "selector", address=1),
    "vici_microelectric": Entry("simulators.devices.vici_valve:ViciMicroelectric", "selector"),
    "harvard_11_elite": Entry("simulators.devices.harvard_pump:Harvard11Elite", "barrel"),
    "harvard_phd_ultra": Entry("simulators.devices.harvard_pump:HarvardPhdUltra", "barrel"),
    "harvard_33_dds": Entry("simulators.devices.harvard_pump:Harvard33Dds", "barrel"),
    "ismatec_reglo_icc": Entry("simulators.devices.ismatec_reglo_icc:IsmatecRegloIcc", "tube", address=1),
    "watlow_f4t": Entry("simulators.devices.watlow_f4t_ez_zone:WatlowF4t", "chamber", address=1),
    "watlow_f4t_humidity": Entry("simulators.devices.watlow_f4t_ez_zone:WatlowF4t", "chamber", address=1),
    "watlow_f4t_scpi": Entry("simulators.devices.watlow_f4t_ez_zone:WatlowF4tScpi", "chamber"),
    "watlow_ez_zone": Entry("simulators.devices.watlow_f4t_ez_zone:WatlowEzZone", "chamber", address=1),
    "watlow_ez_zone_standard_bus": Entry(
        "simulators.devices.watlow_f4t_ez_zone:WatlowEzZoneStandardBus", "chamber", address=1
    ),
    "sst_luminox_lox02": Entry("simulators.devices.sst_luminox:SstLuminoxLox02", "chamber"),
    "sst_luminox_lox01": Entry("simulators.devices.sst_luminox:SstLuminoxLox01", "chamber"),
    "masterflex_ls": Entry("simulators.devices.masterflex_ls:MasterflexLs", "tube", address=1),
    "masterflex_ls_usb": Entry("simulators.devices.masterflex_ls:MasterflexLsUsb", "tube", address=1),
    "watson_marlow_520": Entry("simulators.devices.watson_marlow:WatsonMarlow520", "tube", address=1),
    "watson_marlow_530": Entry("simulators.devices.watson_marlow:WatsonMarlow530", "tube", address=1),
    "watson_marlow_505": Entry("simulators.devices.watson_marlow:WatsonMarlow505", "tube", address=1),
    "watson_marlow_323": Entry("simulators.devices.watson_marlow:WatsonMarlow323", "tube", address=1),
    "julabo_corio_cd": Entry("simulators.devices.julabo_circulator:JulaboCorioCd", "bath"),
    "julabo_corio_cp": Entry("simulators.devices.julabo_circulator:JulaboCorioCp", "bath"),
    "julabo_magio": Entry("simulators.devices.julabo_circulator:JulaboMagio", "bath"),
    "julabo_dyneo": Entry("simulators.devices.julabo_circulator:JulaboDyneo", "bath"),
    "prominent_dfxa": Entry("simulators.devices.prominent_dfxa:ProminentDfxa", "tube", address=20),
    "memmert_incubator": Entry("simulators.devices.memmert_atmoweb:MemmertIncubator", "chamber", "http"),
}


def entry(model: str) -> Entry:
    """Raises ValueError naming what there is."""
    try:
        return SIMULATORS[model]
    except KeyError:
        near = [name for name in SIMULATORS if model.lower() in name] or get_close_matches(model.lower(), SIMULATORS, 3)
        hint = f"did you mean {' or '.join(near[:3])}?" if near else f"there are {', '.join(SIMULATORS)}"
        raise ValueError(f"no simulator is called {model!r}; {hint}") from None


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
