"""Thermo Cytomat automated incubators."""

from drivers.devices.thermo_cytomat.driver import ThermoCytomat2, ThermoCytomat2C425, ThermoCytomat6000

__all__ = ["ThermoCytomat2", "ThermoCytomat2C425", "ThermoCytomat6000"]
