"""VICI multiposition actuators, sheet vici-valve.md: text, 9600 8N1, position by the actuator's own encoder.

Whether a turn is answered depends on generation and reply mode, so a turn is proved by `CP` alone, seen twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import never
from drivers.core.line import Line
from drivers.core.signals import Identity, Reading, Value
from drivers.core.valve import SelectionValve
from drivers.devices.vici_valve import replies

LOOK_S = 0.1
"""Poll CP every 100 ms (sheet, Timing)."""
TURN_S = 8.0
"""A full turn takes below 3 s (X)."""
ECHO_S = 0.3
"""How long the echo of a turn is waited for; whether there is one depends on the reply mode (H, M)."""
QUIET_S = 0.01
SETTINGS, SETTINGS_EVERY_S = ("ports", "actuations", "direction", "mode"), 600.0
MULTIPOSITION = 3


class ViciValve(SelectionValve):
    """What both generations do. Options: `positions` (ports of the rotor; the actuator must say the same), `id` (one
    character, where the ID is `0`; else `address` 1 to 35 = `1` to `9`, `A` to `Z`, and 0 = no ID), `version_lines`
    (lines of `VR` to wait for: 5 by F; fewer are taken after the time-out; 0 = not asked)."""

    maker = "VICI Valco"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "the valve stands at a port and stays there; it turns only when told"
    timeout_s = 0.5
    option_names = ("positions", "id", "version_lines")
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(SETTINGS, SETTINGS_EVERY_S)
    not_sought = "its questions are CP and NP, and an Alicat with the letter C or N would take them for a tare"
    type_name: ClassVar[str]
    prefix: ClassVar[str] = ""
    """In front of the ID."""
    read_value: ClassVar[replies.Read]

    port = Signal()
    ports = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for an ID that no actuator can have."""
        super().__init__(line, address, options)
        self.own = str(self.options["id"]).removesuffix(".0") if "id" in self.options else _character(address)
        if len(self.own) > 1 or not (self.own + "0").isalnum():
            raise ValueError(f"id {self.own!r} is not one of 0 to 9 and A to Z")
        self.wanted_positions = int(float(self.options.get("positions", 0)))
        self.version_lines = int(float(self.options.get("version_lines", 5)))
        self._count = 0

    @property
    def positions(self) -> int:
        return self._count or self.wanted_positions

    # -- who and how it is

    async def identify(self) -> Identity:
        """Mode, position and version; there is no serial number. Raises WrongDevice."""
        await self._check_kind()
        version = await self._version() if self.version_lines else ""
        return Identity(self.maker, self.type_name, "", version)

    async def prepare(self) -> None:
        """Read the number of ports; raises Refused when it is not what the option says (NP is never set by itself)."""
        count = await self._number("NP")
        if count < 2 or (self.wanted_positions and count != self.wanted_positions):
            raise Refused(
                f"NP{count}",
                f"{self.model}: the actuator counts {count} ports instead of {self.wanted_positions or 'two or more'}: "
                "it would stop between ports; set its NP to the rotor's",
            )
        self._count = count

    async def position(self) -> int | None:
        """By CP; None when it says 0, between two ports. Raises BadFrame when it is no port of this rotor."""
        found = await self._number("CP")
        if self.positions and found > self.positions:
            raise BadFrame(f"{self.model}: position {found} of {self.positions}")
        return found or None

    async def go_to(self, position: int, *, unless: Callable[[], bool] = never) -> None:
        """Send GO once and look at CP until it has said the port twice; nothing is sent when it is there already.

        Raises OutOfRange; Refused when it still stands where it stood; NoAnswer or BadFrame when nobody knows.
        """
        if not self._count:
            await self.prepare()
        if not 1 <= position <= self._count:
            raise OutOfRange("position", position, "", 1, self._count, "the actuator's NP")
        before = await self.position()
        if before == position:
            return
        if unless():
            raise Refused("stopped", f"{self.model}: a stop came before the valve was turned")
        said = await self._told(f"GO{position}")
        await self._arrive(position, before, said)

    async def read(self, name: str) -> Reading:
        row = self.table[name]
        if name == "port":
            found = await self.position()
            return self.bad("the valve stands between two ports") if found is None else self.good(found)
        if row.type == "word":
            word = await self._value(row.command)
            if word not in replies.DIRECTIONS:
                raise BadFrame(f"{self.model}: {row.command}{word} is no direction")
            return self.good(replies.DIRECTIONS[word])
        found = await self._number(row.command)
        try:
            self.check_limits(name, found)
        except OutOfRange as error:
            raise BadFrame(f"{self.model}: {error}") from error
        return self.good(found)

    async def poll(self) -> dict[str, Reading]:
        """One question a signal; after the first that nobody answers the rest is not asked."""
        readings: dict[str, Reading] = {}
        silent = ""
        for name in self.turns.due(self.specs()):
            try:
                readings[name] = self.bad(silent) if silent else await self.read(name)
            except WireError as error:
                silent = str(error) if isinstance(error, NoAnswer) else ""
                readings[name] = self.bad(str(error))
        self.turns.took(readings)
        return readings

    async def write(self, name: str, value: Value) -> Reading:
        """Turn the valve, or set the number of ports or the direction; read back."""
        row = self.table[name]
        if not row.spec.writable:
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        if row.type == "word":
            letter = next((key for key, word in replies.DIRECTIONS.items() if word == value), "")
            if not letter:
                raise Refused("value", f"{value!r} is none of {', '.join(replies.DIRECTIONS.values())}")
            return await self._set(name, letter, value)
        if not isinstance(value, (int, float)) or value != value or value != round(value):
            raise Refused("value", f"{name}: {value!r} is no whole number")
        self.check_limits(name, value)
        if name == "port":
            await self.go_to(round(value))
            return await self.read(name)
        reading = await self._set(name, str(round(value)), float(round(value)))
        self._count = round(value)
        return reading

    # -- steps

    async def _set(self, name: str, text: str, wanted: Value) -> Reading:
        """Write when it differs, and see it."""
        if (await self.read(name)).value == wanted:
            return self.good(wanted)
        said = await self._told(f"{self.table[name].extra['sets']}{text}")
        found = await self.read(name)
        if found.value != wanted:
            raise Refused("read-back", f"{self.model}: {name} is {found.value} after {text} was set{_words(said)}")
        return found

    async def _arrive(self, position: int, before: int | None, said: str) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + TURN_S  # also after an error text: that it stays can only be seen
        there, last = 0, before
        while True:
            await asyncio.sleep(LOOK_S)
            last = await self.position()
            there = there + 1 if last == position else 0
            if there == 2:
                return
            if loop.time() > until:
                break
        if last == before and last is not None:
            raise Refused("stuck", f"{self.model}: it still stands at {last} and not at {position}{_words(said)}")
        raise NoAnswer(f"{self.model}: after its time it says {last or 'nothing'}, not {position}{_words(said)}")

    async def _told(self, command: str) -> str:
        """Send once what may be echoed, answered with an error text, or not answered at all; what it said."""

        def parse(buffer: bytearray) -> str | None:
            lines = replies.take_lines(buffer)
            return lines[0] if lines else None

        try:
            said = await self.line.query(self._request(command), parse, timeout_s=ECHO_S, quiet_s=QUIET_S)
        except (NoAnswer, BadFrame):
            return ""
        return "" if command in (said, replies.without(self.own, said)) else said

    async def _value(self, command: str) -> str:
        parse = replies.answer_to(command, self.own, type(self).read_value)
        return await self.line.query(
            self._request(command), parse, timeout_s=self.timeout_s, retries=1, quiet_s=QUIET_S
        )

    async def _number(self, command: str) -> int:
        value = await self._value(command)
        if not value.isdigit():
            raise BadFrame(f"{self.model}: {command}{value} is no number: the actuator is in a two position mode")
        return int(value)

    async def _version(self) -> str:
        """The lines of VR in one, as many as came in time: how many there are is not documented."""
        lines: list[str] = []

        def parse(buffer: bytearray) -> str | None:
            lines.extend(replies.take_lines(buffer))
            if not all(line.isascii() and line.isprintable() for line in lines):
                raise BadFrame(f"{self.model}: {lines!r} is no version")
            return " ".join(lines[: self.version_lines]) if len(lines) >= self.version_lines else None

        try:
            return await self.line.query(self._request("VR"), parse, timeout_s=self.timeout_s, quiet_s=QUIET_S)
        except NoAnswer:
            return " ".join(lines)

    async def _check_kind(self) -> None:
        raise NotImplementedError

    def _request(self, command: str) -> bytes:
        return f"{self.prefix if self.own else ''}{self.own}{command}\r".encode("ascii")


class ViciUniversal(ViciValve):
    """Universal actuator in multiposition mode (AM3), short replies (LG0); turns are echoed after IFM1."""

    model = "vici_universal"
    type_name = "universal actuator"
    table = registers.load("vici_valve", "commands.csv")
    evidence = "MHWX"
    read_value = staticmethod(replies.short)

    actuations = Signal()
    direction = Signal()
    mode = Signal()

    async def prepare(self) -> None:
        """Reply mode 1, so that a turn is answered (H); it cannot be asked, and setting it again does no harm."""
        await super().prepare()
        await self._told("IFM1")

    async def _check_kind(self) -> None:
        """A port as a number is the proof; the mode is a second one where it is told."""
        try:
            await self._number("CP")
        except BadFrame as error:
            raise WrongDevice(f"{self.line.name}: {error}; is it set to long replies? LG0 sets short ones") from error
        try:
            mode = await self._number("AM")
        except (NoAnswer, BadFrame):
            return
        if mode != MULTIPOSITION:
            raise WrongDevice(f"{self.line.name}: mode AM{mode} is a two position valve, not a selection valve (AM3)")


class ViciUniversalRs485(ViciUniversal):
    """The same on RS-485: `/` stands in front of the ID (H); every actuator has one."""

    model = "vici_universal_rs485"
    prefix = "/"
    default_address = 1

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        if not self.own:
            raise ValueError(f"{self.model}: an actuator on RS-485 has an ID: address 1 to 35, or option id")


class ViciMicroelectric(ViciValve):
    """Microelectric multiposition actuator: turns are not answered (X), the position comes in words (X)."""

    model = "vici_microelectric"
    type_name = "microelectric actuator"
    table = registers.load("vici_valve", "microelectric.csv")
    evidence = "MHWX"
    read_value = staticmethod(replies.long)

    async def _check_kind(self) -> None:
        """The position must come in words; a universal actuator with short replies is the wrong device."""
        try:
            await self._number("CP")
        except BadFrame as error:
            raise WrongDevice(f"{self.line.name}: {error}; the texts of this generation are not documented") from error


def _character(address: int) -> str:
    """0 = no ID, 1 to 9, then A to Z."""
    if not 0 <= address <= 35:
        raise ValueError(f"address {address} is outside 0 (no ID) to 35 (ID Z)")
    return "" if address == 0 else str(address) if address < 10 else chr(ord("A") + address - 10)


def _words(said: str) -> str:
    return f"; it said {said!r}" if said else ""
