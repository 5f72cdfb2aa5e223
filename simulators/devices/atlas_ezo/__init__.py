"""Atlas Scientific EZO circuits seen from their UART (datasheet atlas-ezo.md)."""

from simulators.devices.atlas_ezo.gas import AtlasEzoCo2
from simulators.devices.atlas_ezo.oxygen import AtlasEzoDo
from simulators.devices.atlas_ezo.ph import AtlasEzoPh
from simulators.devices.atlas_ezo.salts import AtlasEzoEc, AtlasEzoOrp
from simulators.devices.atlas_ezo.temperature import AtlasEzoRtd

__all__ = ["AtlasEzoCo2", "AtlasEzoDo", "AtlasEzoEc", "AtlasEzoOrp", "AtlasEzoPh", "AtlasEzoRtd"]
