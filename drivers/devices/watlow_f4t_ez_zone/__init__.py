"""Watlow F4T chamber controllers and EZ-ZONE PM / RM controllers."""

from drivers.devices.watlow_f4t_ez_zone.driver import WatlowF4t, WatlowF4tHumidity
from drivers.devices.watlow_f4t_ez_zone.ez_zone import WatlowEzZone
from drivers.devices.watlow_f4t_ez_zone.scpi import WatlowF4tScpi
from drivers.devices.watlow_f4t_ez_zone.standard_bus import WatlowEzZoneStandardBus

__all__ = ["WatlowEzZone", "WatlowEzZoneStandardBus", "WatlowF4t", "WatlowF4tHumidity", "WatlowF4tScpi"]
