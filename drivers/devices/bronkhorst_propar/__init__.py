"""Bronkhorst mass-flow controllers over ProPar."""

from drivers.devices.bronkhorst_propar.driver import BronkhorstElFlow, BronkhorstElFlowAscii

__all__ = ["BronkhorstElFlow", "BronkhorstElFlowAscii"]
