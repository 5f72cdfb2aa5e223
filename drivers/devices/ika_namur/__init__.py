"""IKA stirrers, hotplates, shakers and thermoshakers, and Heidolph hotplates: NAMUR commands."""

from drivers.devices.ika_namur.driver import (
    IkaEurostar,
    IkaKs4000,
    IkaMatrixOrbital,
    IkaMicrostar,
    IkaRctDigital,
    IkaRetControlVisc,
)
from drivers.devices.ika_namur.heidolph import HeidolphMrHeiTec

__all__ = [
    "HeidolphMrHeiTec",
    "IkaEurostar",
    "IkaKs4000",
    "IkaMatrixOrbital",
    "IkaMicrostar",
    "IkaRctDigital",
    "IkaRetControlVisc",
]
