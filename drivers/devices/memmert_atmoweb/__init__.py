"""Memmert incubators with the AtmoWEB REST interface."""

from drivers.devices.memmert_atmoweb.driver import MemmertIco, MemmertIncubator

__all__ = ["MemmertIco", "MemmertIncubator"]
