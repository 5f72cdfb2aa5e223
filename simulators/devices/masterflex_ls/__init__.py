"""Masterflex L/S drives seen from the cable: satellite protocol and USB protocol."""

from simulators.devices.masterflex_ls.satellite import MasterflexLs
from simulators.devices.masterflex_ls.usb import MasterflexLsUsb

__all__ = ["MasterflexLs", "MasterflexLsUsb"]
