"""Masterflex L/S drives: the satellite protocol of the computerised drives, and the USB protocol of the newer ones."""

from drivers.devices.masterflex_ls.driver import MasterflexLs
from drivers.devices.masterflex_ls.usb import MasterflexLsUsb

__all__ = ["MasterflexLs", "MasterflexLsUsb"]
