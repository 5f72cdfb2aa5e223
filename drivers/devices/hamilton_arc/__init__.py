"""Hamilton Arc sensors: EasyFerm / Polilyte pH and VisiFerm DO."""

from drivers.devices.hamilton_arc.driver import HamiltonArcDo, HamiltonArcPh

__all__ = ["HamiltonArcDo", "HamiltonArcPh"]
