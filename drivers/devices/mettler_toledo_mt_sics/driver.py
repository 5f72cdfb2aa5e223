"""Mettler Toledo balance over MT-SICS, 9600 8N1 or a serial server (datasheet mettler-toledo-mt-sics.md)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Identity, Quality, Reading
from drivers.devices.mettler_toledo_mt_sics.replies import (
    WEIGHT_TROUBLES,
    Weighed,
    quoted_text,
    refuse_general_error,
    take_line,
    weighed,
)

STABLE_TIMEOUT_S = 60.0
"""S, T and Z wait for stability inside the balance, about 30 s at most: "use 60 s" (E, P)."""

ADJUST_S = 300.0
"""An internal adjustment takes 1 to 3 minutes."""
GENERAL_CODES = ("ES", "ET", "EL")

_CAPACITY = re.compile(r"\s+\d+(?:\.\d+)?\s*m?k?g$")


class MettlerToledoBalance(Device):
    """Weighs a reservoir. Nothing is changed at connect but the host unit (gram): the tare is the laboratory's."""

    table: ClassVar[Table] = registers.load("mettler_toledo_mt_sics", "commands.csv")
    model = "mettler_toledo_mt_sics"
    maker = "Mettler Toledo"
    kind = "balance"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "a balance only measures; nothing to make safe"
    evidence = "VEPLJX"
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "internal": CalibrationPoint("weight", "", what="empty pan, no draught: the balance adjusts itself (C3)"),
    }
    timeout_s = 2.0  # "normally well under 1 s but occasionally > 1 s: use 2 s" (E)

    weight = Signal()
    stable = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.padded = False
        """This balance has shown the vendor's field of 10 characters; from then on another width is a damaged reply."""
        self.restarted = False
        """The balance announced a power-on since the last weight: its zero may have moved."""
        line.listen(self._overhear)

    async def identify(self) -> Identity:
        """I4 serial number, I2 type and capacity, I3 software; raises WrongDevice when I4 is not understood."""
        try:
            serial = await self._text("I4")
        except Refused as error:
            if error.code not in GENERAL_CODES:
                raise  # it knows the command, and is busy
            raise WrongDevice(f"{self.model}: what answers does not know I4, so it is no MT-SICS balance") from error
        kind = await self._text_if_known("I2")
        kind = _CAPACITY.sub("", kind) or await self._text_if_known("I11")
        return Identity(self.maker, kind, serial, await self._text_if_known("I3"))

    async def prepare(self) -> None:
        """Ask for grams (P sends this at start); a balance without the command is judged by the unit it shows."""
        try:
            await self.line.query(b"M21 0 0\r\n", self._answer_to(b"M21"), timeout_s=self.timeout_s)
        except Refused:
            return

    async def read(self, name: str) -> Reading:
        return (await self._look())[name]

    async def poll(self) -> dict[str, Reading]:
        """Weight and stability in one exchange; raises WireError when there is no usable reply."""
        return await self._look()

    async def stable_weight(self) -> Reading:
        """Wait in the balance until it stands still (S, up to 60 s; the line is taken meanwhile)."""
        return self._readings(await self.line.query(b"S\r\n", self._weight, timeout_s=STABLE_TIMEOUT_S))["weight"]

    async def zero(self) -> None:
        """Take the present load as zero when it stands still; raises Refused when it does not."""
        await self.line.query(b"Z\r\n", self._answer_to(b"Z"), timeout_s=STABLE_TIMEOUT_S)

    async def tare(self) -> float:
        """Take the present load as tare when it stands still, and return it (g); raises Refused when it does not."""
        rest = await self.line.query(b"T\r\n", self._answer_to(b"T"), timeout_s=STABLE_TIMEOUT_S)
        return self._tare(b"T " + rest)

    async def tare_weight(self) -> float:
        """The tare in the balance's memory (g)."""
        rest = await self.line.query(b"TA\r\n", self._answer_to(b"TA"), timeout_s=self.timeout_s, retries=1)
        return self._tare(b"TA " + rest)

    async def clear_tare(self) -> None:
        await self.line.query(b"TAC\r\n", self._answer_to(b"TAC"), timeout_s=self.timeout_s)

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Internal adjustment, sent once: `C3 B` = it has begun, `C3 A` = done, `C3 I` = Refused."""
        if point not in self.calibration_points:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r}; there is internal")
        if reference is not None:
            raise Refused("no reference", "an internal adjustment takes no number")
        await self.line.query(b"C3\r\n", self._adjusted, timeout_s=ADJUST_S)
        return {}

    def _adjusted(self, buffer: bytearray) -> bool | None:
        while (line := take_line(buffer)) is not None:
            match line:
                case b"C3 A":
                    return True
                case b"C3 I" | b"C3 L":
                    raise Refused(line.decode(), f"{WEIGHT_TROUBLES[line[3:]]}; is the pan empty?")
                case _:
                    refuse_general_error(line)
                    self._notice(line)
        return None

    async def _look(self) -> dict[str, Reading]:
        return self._readings(await self.line.query(b"SI\r\n", self._weight, timeout_s=self.timeout_s, retries=1))

    def _readings(self, answer: Weighed) -> dict[str, Reading]:
        at = asyncio.get_running_loop().time()
        why = answer.why
        if self.restarted:
            self.restarted, why = False, "the balance has just restarted: its zero and tare may have moved"
        if why:
            bad = Reading(None, at, Quality.BAD, why)
            return {"weight": bad, "stable": bad}
        return {"weight": Reading(answer.grams, at, Quality.GOOD), "stable": Reading(answer.stable, at, Quality.GOOD)}

    def _weight(self, buffer: bytearray) -> Weighed | None:
        """The first line with ID S; other lines came unasked (print key, door, power-on) and are dropped."""
        while (line := take_line(buffer)) is not None:
            if line.startswith(b"S "):
                answer = weighed(line)
                if answer.padded:
                    self.padded = True
                elif self.padded and answer.grams is not None:
                    raise BadFrame(f"the weight field is not 10 characters wide: {line!r}")
                return answer
            refuse_general_error(line)
            self._notice(line)
        return None

    def _answer_to(self, ident: bytes) -> Callable[[bytearray], bytes | None]:
        """A parser for `<ident> <status> …` that returns what follows the ID, and raises Refused on I, L, + and -."""

        def parse(buffer: bytearray) -> bytes | None:
            while (line := take_line(buffer)) is not None:
                if line.startswith(ident + b" "):
                    rest = line[len(ident) + 1 :]
                    if rest in WEIGHT_TROUBLES:
                        raise Refused(line.decode("latin-1"), WEIGHT_TROUBLES[rest])
                    if rest[:1] not in (b"A", b"S", b"D") or rest[1:2] not in (b"", b" "):
                        raise BadFrame(f"not an answer to {ident.decode()}: {line!r}")
                    return rest
                refuse_general_error(line)
                self._notice(line)
            return None

        return parse

    def _tare(self, line: bytes) -> float:
        """Grams of `T S <w> <u>` or `TA A <w> <u>`; raises BadFrame or Refused when there is no weight in it."""
        answer = weighed(b"S S" + line[line.index(b" ") + 2 :])
        if answer.grams is None:
            raise Refused(line.decode("latin-1"), answer.why)
        if self.padded and not answer.padded:
            raise BadFrame(f"the weight field is not 10 characters wide: {line!r}")
        return answer.grams

    async def _text(self, command: str) -> str:
        """The text of an inquiry: `I4` -> `I4 A "0123456789"`."""

        def parse(buffer: bytearray) -> str | None:
            while (line := take_line(buffer)) is not None:
                if (found := quoted_text(line)) is not None and found[0] == command:
                    return found[1]
                if line.startswith(command.encode() + b" "):
                    if (trouble := line[len(command) + 1 :]) in WEIGHT_TROUBLES:
                        raise Refused(line.decode("latin-1"), WEIGHT_TROUBLES[trouble])
                    raise BadFrame(f"not an answer to {command}: {line!r}")
                refuse_general_error(line)
            return None

        return await self.line.query(command.encode() + b"\r\n", parse, timeout_s=self.timeout_s, retries=1)

    async def _text_if_known(self, command: str) -> str:
        """The same; "" when the balance does not know the command."""
        try:
            return await self._text(command)
        except Refused:
            return ""

    def _notice(self, line: bytes) -> None:
        """An unasked `I4 A "…"` is what a balance says after power-on."""
        if line.startswith(b"I4 A "):
            self.restarted = True

    def _overhear(self, data: bytes) -> None:
        """Bytes that came between two requests."""
        for line in data.split(b"\r\n"):
            self._notice(line)
