"""New Era NE-1000 syringe pump."""

from drivers.devices.new_era_ne1000.driver import NewEraNe1000

__all__ = ["NewEraNe1000"]
