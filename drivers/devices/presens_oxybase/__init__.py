"""PreSens OXYBase oxygen probes: RS232 (ASCII) and RS485 (Modbus RTU)."""

from drivers.devices.presens_oxybase.driver import PreSensOxyBaseRs232
from drivers.devices.presens_oxybase.rs485 import PreSensOxyBaseRs485

__all__ = ["PreSensOxyBaseRs232", "PreSensOxyBaseRs485"]
