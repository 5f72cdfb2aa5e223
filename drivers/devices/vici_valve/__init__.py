"""VICI Valco selection valve actuators: universal (RS-232, RS-485) and microelectric."""

from drivers.devices.vici_valve.driver import (
    ViciMicroelectric,
    ViciUniversal,
    ViciUniversalRs485,
    ViciValve,
)

__all__ = ["ViciMicroelectric", "ViciUniversal", "ViciUniversalRs485", "ViciValve"]
