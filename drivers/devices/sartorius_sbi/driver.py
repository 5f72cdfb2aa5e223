"""Sartorius balance over SBI, 9600 8O1 (datasheet sartorius-sbi.md). Set its output to SBI, "manual without stability".

Everything but a print and a question is silent: what was asked for is proved by reading again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, Refused, WireError
from drivers.core.line import Line, Parse
from drivers.core.registers import Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.sartorius_sbi.replies import GRAMS, Weighed, take_line, text, weighed

T = TypeVar("T")

SILENCE_S = 0.2
"""How long a command without a reply is given to say something after all (X)."""
ADJUST_BEGINS_S = 10.0
ADJUST_ENDS_S = 300.0
"""How long an internal adjustment takes is not in the sheet: more than any balance needs (X)."""
ZERO_DIGITS = 5
"""How far from zero a balance may be right after taring: drift and draught (X)."""
FILTERS = {"very stable": "K", "stable": "L", "unstable": "M", "very unstable": "N"}
"""What the place is like (L)."""


class SartoriusBalance(Device):
    """Weighs a reservoir. Nothing is changed at connect: tare, zero and unit are the laboratory's."""

    table: ClassVar[Table] = registers.load("sartorius_sbi", "commands.csv")
    model = "sartorius_sbi"
    maker = "Sartorius"
    kind = "balance"
    default_url = "serial:///dev/ttyUSB0?baud=9600&bits=8&parity=O&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "a balance only measures; nothing to make safe"
    evidence = "SULX"
    option_names = ("unit",)
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "internal": CalibrationPoint("weight", "", what="empty pan, no draught: the balance adjusts itself"),
    }
    timeout_s = 2.0  # "well below 1 s" without stability; programs wait 0.15 s (S), 1 s (U), 3 s (L)
    quiet_s = 0.02

    weight = Signal()
    stable = Signal()
    shown = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Option `unit`: g, mg or kg, what a balance shows that never stands still (then it shows no unit)."""
        super().__init__(line, address, options)
        told = str(self.options.get("unit", ""))
        if told and told not in GRAMS:
            raise ValueError(f"{self.model}: unit {told!r} is not one of {', '.join(GRAMS)}")
        self._told = told
        self._unit = told
        """The unit last shown; a moving weight comes without one (L, S)."""

    async def identify(self) -> Identity:
        """A line about the pan proves SBI; then model, serial number and software in plain text.

        A balance set to print after stability, or in its other protocol (xBPI), does not answer.
        """
        await self._weigh()
        kind = await self._text("x1_")
        return Identity(self.maker, kind, await self._text_if_known("x2_"), await self._text_if_known("x3_"))

    async def prepare(self) -> None:
        """Forget the unit: it may have been changed while nobody listened."""
        self._unit = self._told

    async def read(self, name: str) -> Reading:
        return (await self._look())[name]

    async def poll(self) -> dict[str, Reading]:
        """All of it in one print; raises WireError when there is no usable line."""
        return await self._look()

    async def write(self, name: str, value: Value) -> Reading:
        """Nothing a balance shows can be set; there are `tare` and `zero`."""
        raise Refused("read only", f"{name} of a balance cannot be set")

    async def tare(self) -> float:
        """Take the present load as tare; then the weight (g), read again, has to be near zero, or Refused."""
        return await self._to_zero("U")

    async def zero(self) -> float:
        """Take the present load as zero; then the weight (g), read again, has to be near zero, or Refused."""
        return await self._to_zero("V")

    async def set_filter(self, place: str) -> None:
        """Say what the place is like: very stable, stable, unstable, very unstable. Cannot be read back (L)."""
        if place not in FILTERS:
            raise Refused("no such filter", f"a filter is one of {', '.join(FILTERS)}, not {place!r}")
        await self._tell(FILTERS[place])

    async def lock_keys(self, locked: bool) -> None:
        """Lock or unlock the keys of the balance. Cannot be read back (L)."""
        await self._tell("O" if locked else "R")

    async def beep(self) -> None:
        """Beep once, so that a person finds this balance (U)."""
        await self._tell("Q")

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Internal adjustment: it has to show that it began, and a weight afterwards."""
        if point not in self.calibration_points:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r}; there is internal")
        loop = asyncio.get_running_loop()
        await self._tell("Z")
        begins_by, ends_by = loop.time() + ADJUST_BEGINS_S, loop.time() + ADJUST_ENDS_S
        began = False
        while True:
            try:
                seen = await self._weigh()
            except NoAnswer:
                if loop.time() > ends_by:
                    raise
                continue
            if seen.adjusting:
                began = True
            elif began:
                if seen.number is None:
                    raise Refused("adjustment", f"the adjustment ended without a weight: {seen.why}")
                return {}
            if loop.time() > (ends_by if began else begins_by):
                what = "still adjusts itself" if began else "did not begin to adjust itself: is the pan empty?"
                raise Refused("adjustment", f"the balance {what}")
            await asyncio.sleep(0.5)

    # -- one exchange

    async def _look(self) -> dict[str, Reading]:
        seen = await self._weigh()
        at = asyncio.get_running_loop().time()
        why = seen.why
        if not why and not self._unit:
            why = "the balance moves and has not shown its unit yet (option unit says it)"
        if not why and self._unit not in GRAMS:
            why = f"the balance shows {self._unit!r}: set it to g"
        if why or seen.number is None:
            return dict.fromkeys(self.specs(), Reading(None, at, Quality.BAD, why))
        return {
            "weight": Reading(round(seen.number * GRAMS[self._unit], 9), at, Quality.GOOD),
            "stable": Reading(bool(seen.unit), at, Quality.GOOD),
            "shown": Reading(seen.shown, at, Quality.GOOD),
        }

    async def _weigh(self) -> Weighed:
        """The first line about the pan. A line of another kind is damaged, or belongs to another device."""

        def parse(buffer: bytearray) -> Weighed | None:
            line = take_line(buffer)
            if line is None:
                return None
            seen = weighed(line)
            if seen is None:
                raise BadFrame(f"not a line of an SBI balance: {line!r}")
            return seen

        seen = await self._ask("P", parse)
        if seen.unit:
            self._unit = seen.unit
        return seen

    async def _ask(self, command: str, parse: Parse[T]) -> T:
        return await self.line.query(_bytes(command), parse, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)

    async def _text(self, command: str) -> str:
        """A line of plain text; lines about the pan came unasked (print key, automatic print)."""

        def parse(buffer: bytearray) -> str | None:
            while (line := take_line(buffer)) is not None:
                if weighed(line) is not None:
                    continue
                found = text(line)
                if found is None:
                    raise BadFrame(f"not a text of an SBI balance: {line!r}")
                return found
            return None

        return await self._ask(command, parse)

    async def _text_if_known(self, command: str) -> str:
        """The same; "" when nothing comes: a balance is silent to what it does not know."""
        try:
            return await self._text(command)
        except NoAnswer:
            return ""

    async def _tell(self, command: str) -> None:
        """Send a command whose answer is silence, once; lines about the pan may come meanwhile."""

        def parse(buffer: bytearray) -> None:
            while (line := take_line(buffer)) is not None:
                if weighed(line) is None:
                    raise BadFrame(f"{line!r} came where an SBI balance is silent")

        try:
            await self.line.query(_bytes(command), parse, timeout_s=SILENCE_S, quiet_s=self.quiet_s)
        except NoAnswer:
            return

    async def _to_zero(self, command: str) -> float:
        """Send T, U or V and see that the balance shows about zero; up to five looks, while it settles."""
        await self._tell(command)
        trouble: WireError = NoAnswer(f"{self.line.name}: no weight after ESC {command}")
        for _ in range(5):
            seen = await self._weigh()
            if seen.number is not None and seen.unit in GRAMS:
                if abs(seen.number) <= ZERO_DIGITS * seen.digit:
                    return round(seen.number * GRAMS[seen.unit], 9)
                trouble = Refused(f"ESC {command}", f"the balance shows {seen.number:g} {seen.unit} afterwards")
            else:
                trouble = Refused(f"ESC {command}", seen.why or "the load does not stand still")
            await asyncio.sleep(1.0)
        raise trouble


def _bytes(command: str) -> bytes:
    return b"\x1b" + command.encode("ascii") + b"\r\n"
