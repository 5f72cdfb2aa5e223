"""INHECO incubators and incubator shakers, MP and DWP, up to six in a stack behind one port."""

from drivers.devices.inheco_incubator.driver import InhecoIncubator, InhecoIncubatorShaker

__all__ = ["InhecoIncubator", "InhecoIncubatorShaker"]
