"""Asking one channel: requests built from the table only, answers told from the messages between them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from drivers.core import registers
from drivers.core.errors import BadFrame, NoAnswer, Refused
from drivers.core.line import Line
from drivers.core.peristaltic import Peristaltic
from drivers.core.registers import Row
from drivers.core.signals import Value
from drivers.devices.ismatec_reglo_icc import events, words
from drivers.devices.ismatec_reglo_icc.events import Ear


class Spoken(Peristaltic):
    """The language of a channel, without what is done with it."""

    table = registers.load("ismatec_reglo_icc", "commands.csv")

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for a channel or pump address that cannot be."""
        super().__init__(line, address, options)
        self.channel = int(float(self.options.get("channel", 1)))
        if not 1 <= self.channel <= 4:
            raise ValueError(f"channel {self.channel} is outside 1 to 4")
        if not 1 <= address <= 8:
            raise ValueError(f"pump address {address} is outside 1 to 8")
        self.ear = Ear(self.channel)
        self._pump_head = "1"
        """In front of the whole pump's commands: `0` was found not to be answered, `1` was (H); in legacy addressing
        it is the pump's own number."""
        line.listen(lambda data: self.ear.hear(data, self._now()))

    @property
    def _name(self) -> str:
        return f"channel {self.channel}"

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _address_channels(self) -> None:
        """Make the first character of a request the channel: asked as pump 1, then as the pump's own address."""
        for head in dict.fromkeys(("1", str(self.address))):
            self._pump_head = head
            try:
                said = await self._exchange(f"{head}~\r", is_status=False, retries=1)
            except NoAnswer:
                continue
            except Refused:  # an overload refuses everything (E)
                await self._status("clear_overload")
                said = await self._exchange(f"{head}~\r", is_status=False, retries=1)
            self._pump_head = "1"
            if said == "1":
                return
            await self._exchange(f"{head}~1\r", is_status=True)
            if await self._value("channel_addressing"):
                return
            raise Refused("~", f"{self._name}: channel addressing does not read back as on")
        self._pump_head = "1"
        raise NoAnswer(f"{self._name}: no pump answers as 1 or as {self.address}")

    async def _set(self, name: str, wanted: float | bool) -> Value:
        """Send one set value once, hold its echo and the reading read back against it. Raises Refused, WireError."""
        row = self.table[name]
        try:
            written = words.parameter(row, wanted)
        except ValueError as error:
            raise Refused("digits", f"{self._name}: {error}") from error
        echoes = row.extra["form"] == "volume"
        said = await self._exchange(f"{self._head(row)}{row.command}{written}\r", is_status=not echoes)
        expected = words.worth(written) if echoes else wanted
        if not echoes and said != "*":
            raise Refused(said, f"{self._name}: {name} {written} was not taken")
        found = words.value(row, said) if echoes else await self._value(name)
        if found == expected and echoes:
            found = await self._value(name)
        if not _same(found, expected):
            raise Refused("read-back", f"{self._name}: {name} reads {found!r} after {written} was written")
        return found

    async def _act(self, name: str) -> None:
        said = await self._status(name)
        if said != "*":
            raise Refused(said, f"{self._name}: {name} was not carried out")

    async def _status(self, name: str, retries: int = 0) -> str:
        """A command answered by one of `* # + -`."""
        row = self.table[name]
        return await self._exchange(f"{self._head(row)}{row.command}\r", is_status=True, retries=retries)

    async def _answer(self, name: str) -> str:
        row = self.table[name]
        return await self._exchange(f"{self._head(row)}{row.command}\r", is_status=False, retries=1)

    async def _value(self, name: str) -> Value:
        return words.value(self.table[name], await self._answer(name))

    async def _number(self, name: str) -> float:
        value = await self._value(name)
        assert isinstance(value, float)
        return value

    async def _model(self) -> str:
        """The model, asked as 1 and as the pump's own number; the head that was answered is kept."""
        heads = dict.fromkeys(("1", str(self.address)))
        for head in heads:
            self._pump_head = head
            try:
                return await self._text("model")
            except NoAnswer:
                if head == list(heads)[-1]:
                    raise
        raise AssertionError("there is at least one head")

    async def _text(self, name: str) -> str:
        return str(await self._value(name)).strip()

    def _head(self, row: Row) -> str:
        return str(self.channel) if row.extra["reach"] == "channel" else self._pump_head

    async def _exchange(self, request: str, *, is_status: bool, retries: int = 0) -> str:
        def parse(buffer: bytearray) -> str | None:
            reply = events.take_reply(buffer, self.ear.in_mid_message(self._now()), is_status)
            if reply is None:
                return None
            if is_status and reply not in "*#+-":
                raise BadFrame(f"{self._name}: {reply!r} is no status")
            if not is_status and reply == "#":
                raise Refused("#", f"{self._name}: {request.strip()!r} was not carried out")
            if not (reply.isascii() and reply.isprintable()):
                raise BadFrame(f"{self._name}: {reply!r} is no answer")
            return reply

        return await self._ask(request.encode("ascii"), parse, retries)


def _same(found: Value, wanted: float | bool) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return isinstance(found, float) and abs(found - wanted) <= 0.0005 * max(1e-6, abs(wanted))
