"""Selection valves: part of a fluid path. They move no fluid, but a wrong position sends a dose elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from drivers.core.device import Device
from drivers.core.fluid import never


class SelectionValve(Device):
    """One common port led to one of `positions` ports. Moves are states, not toggles: asking twice is harmless."""

    kind = "valve"

    @property
    def positions(self) -> int:
        """How many ports there are, counted from 1, as read at `prepare`."""
        raise NotImplementedError

    async def position(self) -> int | None:
        """Where it stands by its own encoder; None while it turns, or when it does not know. Raises WireError."""
        raise NotImplementedError

    async def go_to(self, position: int, *, unless: Callable[[], bool] = never) -> None:
        """Turn to `position` and return when the valve itself says it is there; nothing is sent when it already is.

        `unless` is asked right before the one command that turns it: True = it is not sent (DX-06). Raises OutOfRange,
        Refused when it did not turn for sure, any other WireError when where it stands is unknown.
        """
        raise NotImplementedError
