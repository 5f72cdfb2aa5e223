"""What moves in a Cytomat: plates, gate, swap station, shakers. Every command is sent once and followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused
from drivers.core.fluid import never
from drivers.core.line import Line
from drivers.core.plates import MoveFailed, PlateStore
from drivers.core.registers import Row, Table
from drivers.devices.thermo_cytomat import words

BUSY, ERROR = 1 << 0, 1 << 3
SENSORS = {"station": 1 << 7, "gate": 1 << 5, "handler": 1 << 4}
LOOK_S = 0.5
"""Poll ch:bs each 0.5 to 1 s while it moves (sheet)."""
AGAIN_S = 0.1
TIMES = 10
"""After er 01 or er 02 a question is asked up to ten times at 0.1 s: idle devices say these now and then (P)."""
SPURIOUS = ("er 01", "er 02")


class CytomatMoves(PlateStore):
    """The verbs, each one row of moves.csv."""

    end: ClassVar[bytes] = b"\r"
    moves: ClassVar[Table] = registers.load("thermo_cytomat", "moves.csv")

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._moving = asyncio.Lock()

    # -- verbs

    async def initialise(self) -> None:
        """Bring the handler to its reference, up to 300 s. A latched error must be reset before."""
        await self.move("initialise")

    async def plate_to_slot(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        await self.move("plate_to_slot", slot, unless=unless)

    async def plate_to_station(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        await self.move("plate_to_station", slot, unless=unless)

    async def gate_to(self, is_open: bool, *, unless: Callable[[], bool] = never) -> None:
        """Open or close the automatic gate; nothing is sent when it already is so."""
        if bool(words.register(await self._ask("ch:bs")) & SENSORS["gate"]) is not is_open:
            await self.move("gate_to_open" if is_open else "gate_to_closed", unless=unless)

    async def swap_to(self, position: int, *, unless: Callable[[], bool] = never) -> None:
        """Turn the swap station's side 1 or 2 to the gate; nothing is sent when it already is there."""
        if position not in (1, 2):
            raise OutOfRange("swap_position", position, "", 1, 2, f"the datasheet of {self.model}")
        if words.swap(await self._ask("ch:sw"))[0] == position:
            return
        await self.move(f"swap_to_{position}", unless=unless)
        try:
            found = words.swap(await self._ask("ch:sw"))[0]
        except Refused as error:
            raise MoveFailed(error.code, "where the swap station turned cannot be read") from error
        if found != position:
            raise MoveFailed(f"position {found}", f"the swap station did not turn to {position}")

    async def shake(self, shaker: int, is_on: bool) -> None:
        """Start or stop shaker 1 or 2. Accepted and without error is all that can be known: no reply tells it turns."""
        if shaker not in (1, 2):
            raise OutOfRange("shaker", shaker, "", 1, 2, f"the datasheet of {self.model}")
        await self.move(f"shaker_{shaker}_{'start' if is_on else 'stop'}")

    async def reset_errors(self) -> None:
        """Clear the latched error register, and see that it is clear; raises Refused when the error comes back."""
        await self._set("rs:be")
        if words.register(await self._ask("ch:bs")) & ERROR:
            code = words.register(await self._ask("ch:be"))
            raise Refused(f"error {code:02X}", f"the error stays: {words.named(code, words.ERRORS)}")

    async def move(self, name: str, slot: int | None = None, *, unless: Callable[[], bool] = never) -> None:
        """Carry out one row of moves.csv; see PlateStore for what is raised when."""
        row = self.moves[name]
        command = row.command
        if row.extra.get("slot"):
            command += f" {self._checked(slot)}"
        elif slot is not None:
            raise Refused("slot", f"{name} takes no slot")
        if self._moving.locked():
            raise Refused("busy", f"{name} was not sent: this program is still waiting for another move")
        async with self._moving:
            self._ready_for(row, words.register(await self._ask("ch:bs")))
            if unless():
                raise Refused("stopped", f"{name} was not sent: it is no longer wanted")
            await self._once(command)
            await self._follow(row)

    def slot_text(self, slot: int) -> str:
        """Three digits, counted from 001 through all stackers (O, P)."""
        return f"{slot:03d}"

    # -- before, during, after

    def _checked(self, slot: int | None) -> str:
        high = int(self.options.get("slots", 999))
        if slot is None or not 1 <= slot <= high:
            by = "option slots" if "slots" in self.options else "three digits"
            raise OutOfRange("slot", 0 if slot is None else slot, "", 1, high, by)
        return self.slot_text(slot)

    def _ready_for(self, row: Row, overview: int) -> None:
        """Raise Refused, with nothing sent, when the device's own sensors stand against the move."""
        if overview & BUSY:
            raise Refused("busy", f"{row.name} was not sent: the Cytomat is still busy")
        if overview & ERROR:
            raise Refused("error", f"{row.name} was not sent: an error is latched; look inside, then reset_errors")
        if wrong := _other_than(row.extra.get("needs", ""), overview):
            raise Refused(wrong, f"{row.name} was not sent: {wrong}")

    async def _follow(self, row: Row) -> None:
        """Look until bit 0 is 0; a look that fails is not the end of the move."""
        loop = asyncio.get_running_loop()
        limit_s = float(row.extra["limit_s"])
        until = loop.time() + limit_s
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                overview = words.register(await self._ask("ch:bs"))
                if not overview & BUSY:
                    break
            except (NoAnswer, BadFrame, Refused):
                pass  # a Refused from here would say that nothing moved
            if loop.time() > until:
                raise NoAnswer(f"{row.name}: not known to have ended within {limit_s:g} s")
        if overview & ERROR:
            raise MoveFailed("error register", f"{row.name}: {await self._error()}")
        if wrong := _other_than(row.extra.get("leaves", ""), overview):
            raise MoveFailed(wrong, f"{row.name} ended without an error, but {wrong}")

    async def _error(self) -> str:
        try:
            return words.named(words.register(await self._ask("ch:be")), words.ERRORS)
        except Refused as error:
            return f"which error is not told: {error}"

    # -- the line

    async def _ask(self, command: str, only: bool = False) -> bytes:
        """The data of a `ch:` question. `only` = any other printable line is BadFrame, for `identify`."""
        parse = _only(command) if only else words.answer_to(command)
        for left in range(TIMES - 1, -1, -1):
            try:
                return await self.line.query(
                    command.encode() + self.end, parse, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s
                )
            except Refused as error:
                if error.code not in SPURIOUS or not left:
                    raise
                await asyncio.sleep(AGAIN_S)
        raise AssertionError("a loop over at least one try")

    async def _set(self, command: str) -> None:
        """A setting that may be said twice: after er 01 or er 02 nothing was taken, so it is said again."""
        for left in range(TIMES - 1, -1, -1):
            try:
                await self._once(command)
                return
            except Refused as error:
                if error.code not in SPURIOUS or not left:
                    raise
                await asyncio.sleep(AGAIN_S)

    async def _once(self, command: str) -> None:
        """Exactly one send; returns when it is accepted."""
        await self.line.query(
            command.encode() + self.end, words.accepted, timeout_s=self.timeout_s, quiet_s=self.quiet_s
        )


def _other_than(wanted: str, overview: int) -> str:
    """The first sensor of `station+ handler-` that says otherwise, in words; "" = all as wanted."""
    for item in wanted.split():
        sensor, on = item[:-1], item[-1] == "+"
        if bool(overview & SENSORS[sensor]) is not on:
            states = ("closed", "open") if sensor == "gate" else ("empty", "occupied")
            return f"{sensor} {states[not on]}"
    return ""


def _only(command: str) -> Callable[[bytearray], bytes | None]:
    head = command[3:5].encode() + b" "

    def parse(buffer: bytearray) -> bytes | None:
        while (line := words.take(buffer)) is not None:
            words.refuse(line)
            if line.startswith(head) and words.register(line[len(head) :].strip()) >= 0:
                return line[len(head) :].strip()
            if line.isascii() and line.decode().isprintable():
                raise BadFrame(f"not an answer to {command}: {line!r}")
        return None

    return parse
