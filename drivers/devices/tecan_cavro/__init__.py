"""Tecan Cavro syringe pumps with a valve: XCalibur, XLP 6000, XP 3000."""

from drivers.devices.tecan_cavro.driver import (
    TecanCavroXCalibur,
    TecanCavroXCaliburDt,
    TecanCavroXlp6000,
    TecanCavroXp3000,
)
from drivers.devices.tecan_cavro.pump import TecanCavro

__all__ = ["TecanCavro", "TecanCavroXCalibur", "TecanCavroXCaliburDt", "TecanCavroXlp6000", "TecanCavroXp3000"]
