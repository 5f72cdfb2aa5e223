"""Vaisala probes seen from the cable; sheet vaisala-gmp25x.md."""

from simulators.devices.vaisala_probes.co2 import VaisalaGmp251, VaisalaGmp252
from simulators.devices.vaisala_probes.humidity import VaisalaHmp
from simulators.devices.vaisala_probes.industrial import VaisalaGmp25xText

__all__ = ["VaisalaGmp25xText", "VaisalaGmp251", "VaisalaGmp252", "VaisalaHmp"]
