"""PyroScience optical meters seen from the cable; sheet pyroscience-firesting-pico.md."""

from simulators.devices.pyroscience_firesting.older import FireStingO2, FireStingO2Old
from simulators.devices.pyroscience_firesting.unified import (
    FireStingProO2,
    FireStingProPh,
    FireStingProTemperature,
    PicoO2,
    PicoPh,
)

__all__ = [
    "FireStingO2",
    "FireStingO2Old",
    "FireStingProO2",
    "FireStingProPh",
    "FireStingProTemperature",
    "PicoO2",
    "PicoPh",
]
