"""INHECO incubators and incubator shakers seen from the cable: a stack of units behind one port."""

from simulators.devices.inheco_incubator.stack import InhecoIncubator, InhecoIncubatorShaker

__all__ = ["InhecoIncubator", "InhecoIncubatorShaker"]
