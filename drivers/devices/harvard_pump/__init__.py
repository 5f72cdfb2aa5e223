"""Harvard Apparatus syringe pumps: Pump 11 Elite, PHD ULTRA, Pump 33 DDS."""

from drivers.devices.harvard_pump.driver import Harvard11Elite, Harvard33Dds, HarvardPhdUltra
from drivers.devices.harvard_pump.pump import HarvardPump

__all__ = ["Harvard11Elite", "Harvard33Dds", "HarvardPhdUltra", "HarvardPump"]
