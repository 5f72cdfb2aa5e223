"""PyroScience optical meters: FireSting-PRO, Pico, FireStingO2, Piccolo2."""

from drivers.devices.pyroscience_firesting.driver import (
    PyroScienceFireStingProO2,
    PyroScienceFireStingProPh,
    PyroScienceFireStingProTemp,
    PyroSciencePicoO2,
    PyroSciencePicoPh,
)
from drivers.devices.pyroscience_firesting.older import PyroScienceFireStingO2, PyroScienceFireStingO2Old

__all__ = [
    "PyroScienceFireStingO2",
    "PyroScienceFireStingO2Old",
    "PyroScienceFireStingProO2",
    "PyroScienceFireStingProPh",
    "PyroScienceFireStingProTemp",
    "PyroSciencePicoO2",
    "PyroSciencePicoPh",
]
