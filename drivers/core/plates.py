"""Plate stores: automated incubators that bring plates from numbered slots to a station and back, never twice."""

from __future__ import annotations

from collections.abc import Callable

from drivers.core.device import Device, Signal
from drivers.core.errors import WireError
from drivers.core.fluid import never


class MoveFailed(WireError):
    """The device took a move and says itself that it did not end well: a person must look where the plate is."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code


class PlateStore(Device):
    """Slots are counted from 1 through the whole store.

    A verb names the state it brings about, checks by the device's own sensors that it can (else Refused, and nothing
    moved), sends its one command once, waits until the device is at rest and reads back that the state is there.
    `unless` is asked right before that command: True = it is not sent (DX-06). Raises OutOfRange and Refused when
    nothing moved for sure, MoveFailed when it moved and did not arrive, any other WireError when that is unknown.
    Which slots are full no device of this kind can see: that is the inventory of whoever asks.
    """

    station_occupied = Signal()
    """A plate is on the transfer station, by its own sensor."""

    async def initialise(self) -> None:
        """Bring the handler to its reference; may take minutes."""
        raise NotImplementedError

    async def plate_to_station(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        """Bring the plate of `slot` to the empty transfer station."""
        raise NotImplementedError

    async def plate_to_slot(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        """Bring the plate on the transfer station to the empty `slot`."""
        raise NotImplementedError
