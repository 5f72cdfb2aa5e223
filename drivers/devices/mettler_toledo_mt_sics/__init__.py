"""Mettler Toledo balances that speak MT-SICS."""

from drivers.devices.mettler_toledo_mt_sics.driver import MettlerToledoBalance

__all__ = ["MettlerToledoBalance"]
