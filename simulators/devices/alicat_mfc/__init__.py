"""Alicat meters and controllers seen from the cable; sheet alicat-mfc.md."""

from simulators.devices.alicat_mfc.over_modbus import AlicatMfcModbus
from simulators.devices.alicat_mfc.text_unit import AlicatMeter, AlicatMfc, AlicatMfcOld

__all__ = ["AlicatMeter", "AlicatMfc", "AlicatMfcModbus", "AlicatMfcOld"]
