"""Thermo HERAcell i, VIOS and STERI-CYCLE i CO2 incubators."""

from drivers.devices.thermo_heracell_i.driver import ThermoHeracellI, ThermoViosCr

__all__ = ["ThermoHeracellI", "ThermoViosCr"]
