"""Sartorius balances that speak SBI."""

from drivers.devices.sartorius_sbi.driver import SartoriusBalance

__all__ = ["SartoriusBalance"]
