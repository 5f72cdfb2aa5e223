"""Atlas Scientific EZO circuits."""

from drivers.devices.atlas_ezo.driver import (
    AtlasEzoCo2,
    AtlasEzoDo,
    AtlasEzoEc,
    AtlasEzoOrp,
    AtlasEzoPh,
    AtlasEzoRtd,
)

__all__ = ["AtlasEzoCo2", "AtlasEzoDo", "AtlasEzoEc", "AtlasEzoOrp", "AtlasEzoPh", "AtlasEzoRtd"]
