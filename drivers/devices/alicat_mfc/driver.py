"""Alicat mass-flow controllers in ASCII, sheet alicat-mfc.md. 19200 8N1, up to 26 units a line."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import Refused, WireError
from drivers.core.line import Line
from drivers.core.signals import Reading, Value
from drivers.devices.alicat_mfc import words
from drivers.devices.alicat_mfc.meter import AlicatMeter

SOURCE_EVERY_S = 60.0
SOURCES = {"S": "serial", "U": "unsaved", "A": "analog"}


class AlicatMfcOld(AlicatMeter):
    """MC, MCS, MCR with firmware before 10v05: gas, tare, hold and lock in the form with `$$`."""

    table = registers.load("alicat_mfc", "commands_old.csv")
    model = "alicat_mfc_old"
    kind = "flow controller"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "set point 0: the controller closes its valve (normally closed on MC); hold closed where it can"
    watchdog = "none in the sheet: it keeps its last set point without us, so a gas needs a valve that closes by itself"
    model_numbers = re.compile(r"MC[A-Z]*-.*")
    firmware_before = (10, 5)

    flow_setpoint = Signal()
    valve_held = Signal()

    async def write(self, name: str, value: Value) -> Reading:
        """As the meter, and the flow set point in mL/min (standard). Raises OutOfRange, Refused, WireError."""
        if name != "flow_setpoint":
            return await super().write(name, value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refused("no number", f"{value!r} is no flow")
        await self.know_columns()
        await self._check_source()
        words.check_flow(name, value, self.full_scale_ml_min())
        scale = self.full_scale
        column = next((column for column in self.columns if column.signal == name), None)
        if scale is None or column is None or column.unit != scale.unit:
            raise Refused(
                "set point", f"unit {self.talk.unit}: no set point of mass flow: loop variable must be 37 (L)"
            )
        await self._check_gas(value)
        asked = f"{value / words.STANDARD[scale.unit]:.{scale.decimals}f}"
        await self.talk.ask(self.command(name) + asked, self.own_frame)
        frame = await self.frame()
        shown = frame.numbers[name]
        if shown is None or abs(shown - float(asked)) > 0.5 * 10.0**-scale.decimals:
            told = "not told" if shown is None else f"{shown:g} {scale.unit}"
            raise Refused("read-back", f"unit {self.talk.unit}: its set point is {told} after {asked} was written")
        return self.readings(frame)[name]

    async def _check_gas(self, value: float) -> None:
        """Nothing flows by the table of another gas than the place is for; a set point of 0 is never refused for it."""
        wanted = self.options.get("gas")
        if value and wanted is not None and (gas := (await self.frame()).gas) != wanted:
            raise Refused(
                "gas", f"unit {self.talk.unit} is set to {gas}, this place is for {wanted}: set its gas first"
            )

    async def _check_source(self) -> None:
        """Nothing to ask on this firmware: a set point from elsewhere shows in the read-back."""

    async def hold_valve(self) -> None:
        """Hold the valve where it is, until `release_valve`; seen by status HLD. Raises Refused, WireError."""
        await self._hold("hold_valve", True)

    async def close_valve(self) -> None:
        """Hold the valve closed, until `release_valve`; Refused by a dialect without it (use set point 0)."""
        await self._hold("hold_closed", True)

    async def release_valve(self) -> None:
        """Let the controller have its valve again: flow goes back to the set point."""
        await self._hold("release_valve", False)

    async def _hold(self, name: str, held: bool) -> None:
        await self.know_columns()
        await self.talk.ask(self.command(name), self.own_frame)
        if ("HLD" in (await self.frame()).words) is not held:
            raise Refused("read-back", f"unit {self.talk.unit}: {name} had no effect on status HLD")


class AlicatMfc(AlicatMfcOld):
    """MC, MCS, MCR with firmware 10v05 or later."""

    table = registers.load("alicat_mfc", "commands.csv")
    model = "alicat_mfc"
    firmware_from = (10, 5)
    firmware_before = (999, 0)
    seldom: ClassVar[Mapping[str, float]] = {"setpoint_source": SOURCE_EVERY_S}

    setpoint_source = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._source_due = -math.inf

    async def prepare(self) -> None:
        await super().prepare()
        self._source_due = -math.inf

    async def poll(self) -> dict[str, Reading]:
        """The data frame; where the set point comes from is asked every minute."""
        readings = await super().poll()
        now = asyncio.get_running_loop().time()
        if now >= self._source_due:
            try:
                readings["setpoint_source"] = self.good(await self._source())
                self._source_due = now + SOURCE_EVERY_S
            except WireError as error:
                readings["setpoint_source"] = self.bad(str(error))
        return readings

    async def read(self, name: str) -> Reading:
        if name == "setpoint_source":
            return self.good(await self._source())
        return self.readings(await self.frame())[name]

    async def write(self, name: str, value: Value) -> Reading:
        """As before, and where the set point comes from: serial (kept over power loss), unsaved, analog."""
        if name != "setpoint_source":
            return await super().write(name, value)
        code = next((code for code, source in SOURCES.items() if source == value), None)
        if code is None:
            raise Refused("source", f"{value!r} is none of {', '.join(SOURCES.values())}")
        if await self._source() != value:
            await self.talk.ask(f"{self.command(name)} {code}", _source)
        reading = await self.read(name)
        if reading.value != value:
            raise Refused("read-back", f"unit {self.talk.unit}: set point source is {reading.value}, not {value}")
        return reading

    async def _source(self) -> str:
        return await self.talk.ask(self.command("setpoint_source"), _source, retries=1)

    async def _check_source(self) -> None:
        if await self._source() == "analog":
            raise Refused("analog", f"unit {self.talk.unit} takes its set point from the analog input: set its source")


def _source(text: str) -> str | None:
    return SOURCES.get(text.strip())
