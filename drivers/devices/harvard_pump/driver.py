"""The models of the family and how each is known: Pump 11 Elite, PHD ULTRA, Pump 33 DDS."""

from __future__ import annotations

from drivers.core import registers
from drivers.devices.harvard_pump.pump import HarvardPump


class Harvard11Elite(HarvardPump):
    """Pump 11 Elite: address and status character before every line (F)."""

    model = "harvard_11_elite"
    type_name = "Pump 11 Elite"
    version_words = "11 ELITE"
    table = registers.load("harvard_pump", "commands.csv")


class HarvardPhdUltra(HarvardPump):
    """PHD ULTRA; what `ver` says beyond the name is not in the sheet."""

    model = "harvard_phd_ultra"
    type_name = "PHD ULTRA"
    version_words = "PHD ULTRA"
    table = registers.load("harvard_pump", "ultra.csv")
    keeps_memory = True


class Harvard33Dds(HarvardPump):
    """Pump 33 DDS by the same commands; how its second syringe is addressed is not in the sheet."""

    model = "harvard_33_dds"
    type_name = "Pump 33 DDS"
    version_words = "33 DDS"
    table = registers.load("harvard_pump", "ultra.csv")
