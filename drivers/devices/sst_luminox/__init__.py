"""SST LuminOx oxygen sensors over UART."""

from drivers.devices.sst_luminox.driver import SstLuminoxLox01, SstLuminoxLox02

__all__ = ["SstLuminoxLox01", "SstLuminoxLox02"]
