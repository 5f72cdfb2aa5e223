"""PreSens OXYBase oxygen probes seen from the cable; sheet presens-oxybase.md."""

from simulators.devices.presens_oxybase.rs232 import OxyBaseRs232
from simulators.devices.presens_oxybase.rs485 import OxyBaseRs485

__all__ = ["OxyBaseRs232", "OxyBaseRs485"]
