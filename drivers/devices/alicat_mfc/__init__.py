"""Alicat mass-flow meters and controllers, in ASCII and over Modbus RTU."""

from drivers.devices.alicat_mfc.driver import AlicatMfc, AlicatMfcOld
from drivers.devices.alicat_mfc.meter import AlicatMeter
from drivers.devices.alicat_mfc.over_modbus import AlicatMfcModbus

__all__ = ["AlicatMeter", "AlicatMfc", "AlicatMfcModbus", "AlicatMfcOld"]
