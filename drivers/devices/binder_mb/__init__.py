"""BINDER chambers and CO2 incubators with MB1 or MB2 controller."""

from drivers.devices.binder_mb.driver import BinderCbMb1, BinderCbMb2, BinderMb1, BinderMb2

__all__ = ["BinderCbMb1", "BinderCbMb2", "BinderMb1", "BinderMb2"]
