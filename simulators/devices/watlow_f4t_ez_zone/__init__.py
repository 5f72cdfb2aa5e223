"""Watlow F4T and EZ-ZONE controllers seen from the cable; sheet watlow-f4t-ezzone.md."""

from simulators.devices.watlow_f4t_ez_zone.ez_zone import WatlowEzZone
from simulators.devices.watlow_f4t_ez_zone.f4t import WatlowF4t
from simulators.devices.watlow_f4t_ez_zone.scpi import WatlowF4tScpi
from simulators.devices.watlow_f4t_ez_zone.standard_bus import WatlowEzZoneStandardBus

__all__ = ["WatlowEzZone", "WatlowEzZoneStandardBus", "WatlowF4t", "WatlowF4tScpi"]
