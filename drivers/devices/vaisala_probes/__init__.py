"""Vaisala probes: GMP251 and GMP252 CO2, HMP humidity; Modbus RTU and the text protocol."""

from drivers.devices.vaisala_probes.driver import VaisalaGmp251, VaisalaGmp252
from drivers.devices.vaisala_probes.humidity import VaisalaHmp
from drivers.devices.vaisala_probes.industrial import VaisalaGmp25xText

__all__ = ["VaisalaGmp25xText", "VaisalaGmp251", "VaisalaGmp252", "VaisalaHmp"]
