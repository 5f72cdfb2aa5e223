"""ProMinent DULCO flex Control DFXa hose metering pump."""

from drivers.devices.prominent_dfxa.driver import ProminentDfxa

__all__ = ["ProminentDfxa"]
