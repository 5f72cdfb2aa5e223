"""Bronkhorst flow controllers seen from the cable; sheet bronkhorst-propar.md."""

from simulators.devices.bronkhorst_propar.interface import BronkhorstElFlow, BronkhorstElFlowAscii

__all__ = ["BronkhorstElFlow", "BronkhorstElFlowAscii"]
