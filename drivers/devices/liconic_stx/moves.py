"""Plate moves of the STX and the legacy Cytomat: cassette and level into data memory, then one relay, sent once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused
from drivers.core.fluid import never
from drivers.core.line import Line
from drivers.core.plates import MoveFailed, PlateStore

LOOK_S = 0.2
"""Poll RD 1915 each 0.2 s (sheet)."""
MOVE_LIMIT_S = 60.0
ACTIVATE_LIMIT_S = 15.0
INIT_LIMIT_S = 120.0
"""The sheet has none; ours (X)."""
SETTLE_S = 2.0
"""So long a sensor may lag behind the ready flag, or the flag behind the command (ours, X)."""


class StxMoves(PlateStore):
    """The verbs. Cassettes and levels count from 1, and so do slots: cassette by cassette."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.wide = False
        """This controller has shown a number of five digits; from then on another width is a damaged reply."""
        self._moving = asyncio.Lock()
        self._active_on = -1
        """The dialling on which handling was activated."""

    # -- verbs

    async def initialise(self) -> None:
        """ST 1900, then ST 1801, and wait until it is ready."""
        await self._alone("initialise", INIT_LIMIT_S)
        self._active_on = -1
        async with self._moving:
            await self._activate()

    async def plate_to_slot(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        await self._plate("plate_to_slot", slot, before=True, after=False, unless=unless)

    async def plate_to_station(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        await self._plate("plate_to_station", slot, before=False, after=True, unless=unless)

    async def gate_to(self, is_open: bool, *, unless: Callable[[], bool] = never) -> None:
        """Open or close the gate. No relay tells where it is: ready again without an error is all that is known."""
        await self._alone("gate_to_open" if is_open else "gate_to_closed", MOVE_LIMIT_S, unless)

    async def end_access(self) -> None:
        """Close after a plate has been taken or brought; every plate move does it by itself."""
        await self._alone("end_access", MOVE_LIMIT_S)

    # -- how

    async def _plate(
        self, name: str, slot: int, before: bool | None, after: bool | None, unless: Callable[[], bool]
    ) -> None:
        """One plate move; `before` and `after` are what the station's sensor must say, None = not concerned."""
        cassette, level = self._place(name, slot)
        self._check_free(name)
        async with self._moving:
            await self._activate()
            await self._ready_for(name, before)
            for memory, number in (
                ("cassette", cassette),
                ("pitch_steps", self._pitch(name)),
                ("levels_per_cassette", self._levels(name)),
                ("level", level),
            ):
                await self._remember(name, memory, number)
            if unless():
                raise Refused("stopped", f"{name} was not sent: it is no longer wanted")
            await self._start(name)
            await self._follow(name, MOVE_LIMIT_S, after)
            if after is None:  # the gate had no part in it
                return
            try:
                await self._start("end_access")
            except Refused as error:
                raise MoveFailed(error.code, f"{name} is done, but its access was not ended: {error}") from error
            await self._follow("end_access", MOVE_LIMIT_S, None)  # the plate may be fetched already

    async def _alone(self, name: str, limit_s: float, unless: Callable[[], bool] = never) -> None:
        """A move without a plate."""
        self._check_free(name)
        async with self._moving:
            if name == "initialise":
                await self._open()
            else:
                await self._activate()
                await self._ready_for(name, None)
            if unless():
                raise Refused("stopped", f"{name} was not sent: it is no longer wanted")
            await self._start(name)
            await self._follow(name, limit_s, None)

    def _check_free(self, name: str) -> None:
        if self._moving.locked():
            raise Refused("busy", f"{name} was not sent: this program is still waiting for another move")

    async def _activate(self) -> None:
        """ST 1801 once a connection, before the first move, and wait until it is ready (PH)."""
        if self._active_on == self.line.dialled and self.line.link.is_open:
            return
        await self._open()
        await self._start("activate")
        await self._follow("activate", ACTIVATE_LIMIT_S, None)
        self._active_on = self.line.dialled

    async def _ready_for(self, name: str, station: bool | None) -> None:
        if trouble := await self._trouble():
            raise Refused("error", f"{name} was not sent: an error stands: {trouble}; look inside, then initialise")
        if not await self._relay("ready"):
            raise Refused("busy", f"{name} was not sent: the device is still busy")
        if station is not None and await self._relay("station_occupied") is not station:
            what = "occupied" if not station else "empty"
            raise Refused(f"station {what}", f"{name} was not sent: the transfer station is {what}")

    async def _remember(self, name: str, memory: str, number: int) -> None:
        """Write a data memory where it differs, and read it back: a wrong pitch drives a shovel into a plate."""
        if await self._number(memory) == number:
            return
        await self._write(memory, str(number))
        if (kept := await self._number(memory)) != number:
            raise Refused(f"kept {kept}", f"{name} was not sent: {memory} reads {kept} instead of {number}")

    async def _follow(self, name: str, limit_s: float, station: bool | None) -> None:
        """Look until it is ready and the station's sensor says so; a look that fails is not the end of the move.

        Whether a device in trouble ever becomes ready is not known (?): the error flag is asked either way. One that
        stood before (initialise, activate) counts only when it outlasts the move.
        """
        loop = asyncio.get_running_loop()
        until, settled = loop.time() + limit_s, None
        while True:
            await asyncio.sleep(LOOK_S)
            seen = None
            last = loop.time() > until
            try:
                ready = await self._relay("ready")
                if (ready or last or name not in ("initialise", "activate")) and (trouble := await self._trouble()):
                    raise MoveFailed("error", f"{name}: {trouble}")
                if ready:
                    seen = station is None or await self._relay("station_occupied") is station
                    settled = loop.time() if settled is None else settled
                    if seen:
                        return
                else:
                    settled = None
            except (NoAnswer, BadFrame, Refused):
                pass  # a Refused from here would say that nothing moved
            if settled is not None and seen is False and loop.time() - settled > SETTLE_S:
                what = "empty" if station else "occupied"
                raise MoveFailed(f"station {what}", f"{name} ended without an error, but the station is {what}")
            if last:
                raise NoAnswer(f"{name}: not known to have ended within {limit_s:g} s")

    def _place(self, name: str, slot: int) -> tuple[int, int]:
        levels, cassettes = self._levels(name), int(self.options.get("cassettes", 99))
        self._pitch(name)
        if not 1 <= slot <= levels * cassettes:
            raise OutOfRange("slot", slot, "", 1, levels * cassettes, "options cassettes and levels")
        cassette, level = divmod(slot - 1, levels)
        return cassette + 1, level + 1

    def _levels(self, name: str) -> int:
        levels = int(self.options.get("levels", 0))
        if levels < 1:
            raise Refused("levels", f"{name} was not sent: say with option levels how many sites a cassette has")
        return levels

    def _pitch(self, name: str) -> int:
        if "pitch_steps" in self.options:
            return int(self.options["pitch_steps"])
        raise Refused("pitch_steps", f"{name} was not sent: say with option pitch_steps how far apart the sites are")

    # -- the line: what the driver does with it

    async def _open(self) -> None:
        raise NotImplementedError

    async def _relay(self, name: str) -> bool:
        raise NotImplementedError

    async def _number(self, name: str) -> int:
        raise NotImplementedError

    async def _write(self, name: str, digits: str) -> None:
        raise NotImplementedError

    async def _start(self, name: str) -> None:
        """ST, exactly once; returns when it is accepted."""
        raise NotImplementedError

    async def _trouble(self) -> str:
        """The error that stands, in words; "" = none, or none that this model tells."""
        raise NotImplementedError
