"""Thermo Cytomat seen from the cable: the command line over a chamber and a store of plates."""

from simulators.devices.thermo_cytomat.unit import ThermoCytomat2, ThermoCytomat2C425, ThermoCytomat6000

__all__ = ["ThermoCytomat2", "ThermoCytomat2C425", "ThermoCytomat6000"]
