"""Watlow F4T chamber controller, Modbus RTU or TCP, sheet watlow-f4t-ezzone.md: loops, events, profiles, alarms.

Either port has a unit of communication of its own, so which register tells °C from °F depends on the link. Not built,
because the sheet leaves them open: events 9 to 12 (a key press turns them over), cascades, remaining times (no unit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Row
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.watlow_f4t_ez_zone import words
from drivers.devices.watlow_f4t_ez_zone.controller import WatlowController

PROFILE_WAIT_S = 5.0
"""Longest wait for a profile to change its state (X)."""
LOOPS, MOST_ALARMS, MOST_LIMITS = 4, 14, 6
"""Loops: the sheet. Alarms and limits a person may ask for: ours (X); those that are not there are left out."""
LIMIT_PARTS = ("status", "fail", "error")


class WatlowF4t(WatlowController):
    """Temperature of one loop.

    Options: loop (1 to 4), word_order, alarms and limits (how many to look for), part_begins (how the part number of
    this controller begins, when it is not F4T).
    """

    model = "watlow_f4t"
    kind = "chamber"
    default_url = "serial:///dev/ttyUSB0?baud=38400&parity=N&stopbits=1"
    table = registers.load("watlow_f4t_ez_zone", counts_from=0)
    quiet_s = 0.03
    """A pause of 30 ms after each request is needed (E)."""
    word_order = "low_first"
    option_names = ("loop", "word_order", "alarms", "limits", "part_begins")
    quantities: ClassVar[Mapping[str, int]] = {"temperature": words.TEMPERATURE}
    """What each loop of ours must measure, by `of`."""

    temperature = Signal()
    temperature_setpoint = Signal()
    temperature_active_setpoint = Signal()
    temperature_setpoint_low = Signal()
    temperature_setpoint_high = Signal()
    temperature_output = Signal()
    temperature_manual_output = Signal()
    temperature_mode = Signal()
    temperature_mode_active = Signal()
    event_1 = Signal()
    event_2 = Signal()
    event_3 = Signal()
    event_4 = Signal()
    event_5 = Signal()
    event_6 = Signal()
    event_7 = Signal()
    event_8 = Signal()
    profile_state = Signal()
    profile_number = Signal()
    profile_step = Signal()
    communication_unit = Signal()
    alarms = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.numbers = {"temperature": self.number_option("loop", 1, LOOPS)}
        self._asked = self.number_option("alarms", 4, MOST_ALARMS), self.number_option("limits", 1, MOST_LIMITS)
        self.on_network = line.link.url.startswith("modbus-tcp:")
        self._there: tuple[list[int], list[int]] | None = None
        """Numbers of the alarms and limits this controller has; None = not looked yet."""
        self._trouble_rows: list[Row] = []
        """Their states, under names of their own."""

    def wired(self, row: Row, number: int | None = None) -> Row:
        wired = super().wired(row, number)
        if row.name == "communication_unit" and self.on_network:
            return replace(wired, wire=self.table["network_unit"].wire)
        return wired

    async def identify(self) -> Identity:
        """The part number; raises WrongDevice when it does not begin with F4T (X) or is no text of one character a
        register. The sheet has no register for a serial number."""
        row = self.table["part_number"]
        begins = str(self.options.get("part_begins", "F4T"))
        try:
            data = await self.ask(self.block(row.wire, row.length, (row,)))
        except Refused as error:
            raise WrongDevice(f"{self.line.name} address {self.address}: no part number where an F4T has it") from error
        text = bytes(data[1::2]).split(b"\0", 1)[0].decode("latin-1").strip()
        if any(data[::2]) or not text.isascii() or not text.isprintable() or not text.startswith(begins):
            raise WrongDevice(f"{self.line.name} address {self.address}: part number {text!r} instead of {begins}…")
        return Identity(self.maker, text)

    async def prepare(self) -> None:
        """Nothing is written. Looks for alarms and limits, and that each loop measures what it is taken for."""
        self._there = None
        limit = await self.read("temperature_setpoint_high")
        if limit.quality is Quality.BAD:
            raise Refused("implausible", f"address {self.address}: the high limit of the set point: {limit.why}")
        await self._look()
        for of, quantity in self.quantities.items():
            found = int(await self.ask_number("quantity", self.numbers[of]))
            if found != quantity:
                raise WrongDevice(
                    f"{self.line.name} address {self.address}: loop {self.numbers[of]} measures "
                    f"{words.word(found)}, not {of}; see the options of {self.model}"
                )

    # -- reading

    async def fahrenheit(self) -> bool:
        found = int(await self.ask_number("communication_unit"))
        if found not in (words.CELSIUS, words.FAHRENHEIT):
            raise Refused(str(found), "the controller's unit of communication is neither C nor F")
        return found == words.FAHRENHEIT

    def rows_polled(self) -> list[Row]:
        """With the state of every alarm and limit that is there, by names of their own."""
        return super().rows_polled() + self._trouble_rows

    async def poll(self) -> dict[str, Reading]:
        """Every signal; the process values are BAD where an alarm says that a sensor is broken, or none can be read."""
        why = ""
        try:
            await self._look()
        except (NoAnswer, LinkLost) as error:
            return dict.fromkeys(self.specs(), self.bad(str(error)))
        except WireError as error:
            why = str(error)
        readings = await super().poll()
        states = [readings.pop(row.name) for row in self._trouble_rows]
        return self._judged(readings, *self._trouble(states, why))

    async def read(self, name: str) -> Reading:
        """A process value or the alarms come with everything that speaks against them."""
        if name == "alarms" or name in self.quantities:
            return (await self.poll())[name]
        readings = {name: await super().read(name)}
        if type(self).table[name].unit == "Cel":
            readings["communication_unit"] = await super().read("communication_unit")
        return self._judged(readings)[name]

    def _judged(
        self, readings: dict[str, Reading], alarms: Reading | None = None, broken: str = ""
    ) -> dict[str, Reading]:
        unit = readings.get("communication_unit")
        for name in readings:
            if type(self).table[name].unit == "Cel":
                if unit is None or unit.value not in ("C", "F"):
                    why = "not known" if unit is None else unit.why or f"{unit.value}"
                    readings[name] = self.condemned(readings[name], f"the unit of communication is {why}")
                elif unit.value == "F":
                    readings[name] = self.in_celsius(name, readings[name])
            if name in self.quantities and broken:
                readings[name] = self.condemned(readings[name], broken)
        if alarms is not None:
            readings["alarms"] = alarms
        return readings

    async def _look(self) -> None:
        """Which alarms and limits there are: a module that is not installed answers with an exception (E)."""
        if self._there is None:
            alarms, limits = self._asked
            self._there = await self._present("alarms", alarms), await self._present("limit_status", limits)
            asked = [("alarms", number) for number in self._there[0]]
            asked += [(f"limit_{part}", number) for number in self._there[1] for part in LIMIT_PARTS]
            rows = [(self.wired(self.table[name], number), f"{name} {number}") for name, number in asked]
            self._trouble_rows = [replace(row, name=name, extra={}) for row, name in rows]
            self._blocks = None

    async def _present(self, name: str, most: int) -> list[int]:
        found: list[int] = []
        for number in range(1, most + 1):
            try:
                await self.ask_number(name, number)
            except Refused:
                continue
            found.append(number)
        return found

    def _trouble(self, states: list[Reading], why: str) -> tuple[Reading, str]:
        """What alarms and limits say as the reading `alarms`, and what condemns the process values ("" = nothing)."""
        why = why or next((state.why for state in states if state.quality is Quality.BAD), "")
        if why:
            return self.bad(why), f"the state of the alarms is not known: {why}"
        said: list[str] = []
        broken = ""
        for row, state in zip(self._trouble_rows, states, strict=True):
            code = int(state.value or 0)
            kind, number = row.name.split()
            if kind == "alarms" and code not in words.INACTIVE:
                said.append(f"alarm {number}: {words.word(code)}")
                broken = said[-1] if code in words.SENSOR else broken
            elif kind != "alarms" and code not in words.LIMIT_AT_REST:
                said.append(f"limit {number} {kind.removeprefix('limit_')}: {words.word(code)}")
        return self.good("; ".join(said) or "none"), broken

    # -- writing

    async def may_write(self, row: Row, wanted: Value) -> None:
        """A set point must be within the controller's own limits, and no profile may run."""
        if not row.name.endswith("_setpoint"):
            return
        state = int(await self.ask_number("profile_state"))
        if state in words.PROFILE_HOLDS:
            raise Refused(
                words.word(state), f"{row.name} would be overwritten by the profile: end it first (terminate_profile)"
            )
        low, high = [await self.read(f"{row.name}_{end}") for end in ("low", "high")]
        for each in (low, high):
            if not isinstance(each.value, float):
                raise Refused("limits", f"the controller's limits of {row.name} cannot be read: {each.why}")
        assert isinstance(low.value, float)
        assert isinstance(high.value, float)
        await self.within(row, wanted, low.value, high.value)

    # -- profiles

    async def start_profile(self, number: int, step: int = 1) -> None:
        """Start profile `number` at `step`; each register is written once, then the state is read until it runs.

        Raises OutOfRange, Refused when one runs already or the controller does not start it, WireError.
        """
        for name, value in (("profile_to_start", number), ("step_to_start", step)):
            if not 1 <= value <= 0xFFFF:
                raise OutOfRange(name, value, "", 1, None, f"the datasheet of {self.model}")
        if (state := int(await self.ask_number("profile_state"))) in words.PROFILE_HOLDS:
            raise Refused(words.word(state), "a profile is on already: end it first (terminate_profile)")
        await self.write_row(self.table["profile_to_start"], number)
        await self.write_row(self.table["step_to_start"], step)
        await self._command("profile_start", words.START, (words.RUNNING, words.TIMED_START))

    async def pause_profile(self) -> None:
        await self._command("profile_end", words.PAUSE, (words.PAUSE,))

    async def resume_profile(self) -> None:
        await self._command("profile_resume", words.RESUME, (words.RUNNING,))

    async def terminate_profile(self) -> None:
        """End the profile; the set point stays where the profile left it."""
        await self._command("profile_end", words.TERMINATE, ())

    async def _command(self, name: str, code: int, until: tuple[int, ...]) -> None:
        """Write a command once and wait for the state (() = any in which no profile holds the set point)."""
        await self.write_row(self.table[name], code)
        give_up = self.now() + PROFILE_WAIT_S
        while True:
            state = int(await self.ask_number("profile_state"))
            if state in until or (not until and state not in words.PROFILE_HOLDS):
                return
            if self.now() > give_up:
                raise Refused(words.word(state), f"{words.word(code)} was acknowledged, the profile did not follow")
            await asyncio.sleep(0.5)


class WatlowF4tHumidity(WatlowF4t):
    """Temperature and relative humidity. Option humidity_loop: 2 unless told otherwise (E)."""

    model = "watlow_f4t_humidity"
    option_names = (*WatlowF4t.option_names, "humidity_loop")
    quantities: ClassVar[Mapping[str, int]] = {
        "temperature": words.TEMPERATURE,
        "humidity": words.RELATIVE_HUMIDITY,
    }

    humidity = Signal()
    humidity_setpoint = Signal()
    humidity_active_setpoint = Signal()
    humidity_setpoint_low = Signal()
    humidity_setpoint_high = Signal()
    humidity_output = Signal()
    humidity_mode = Signal()
    humidity_mode_active = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.numbers["humidity"] = self.number_option("humidity_loop", 2, LOOPS)
        if self.numbers["humidity"] == self.numbers["temperature"]:
            raise ValueError(f"{self.model}: loop and humidity_loop are the same")
