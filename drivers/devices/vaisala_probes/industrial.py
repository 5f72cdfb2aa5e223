"""Vaisala Industrial Protocol of GMP251 and GMP252: words on the service cable, 19200 8N1, sheet vaisala-gmp25x.md.

Only what the sheet prints is used: `send`, `addr` and `s`. The replies of `env`, `snum`, `vers`, `errs` and `?` are not
known (?), so compensation is set over Modbus or by a person. There is no check sum in the default format.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, Refused, WrongDevice
from drivers.core.registers import Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.core.wire import ascii as text

END = b"\r\n"
LONGEST = 512
WIDTH = 6
"""Characters of the value in the default format `6.0 "CO2=" CO2 " " U3 #r #n` (V); a lost one is seen by it."""
NAME, UNIT = b"CO2=", b" ppm"
ECHOES = (b"", b"s", b"send", b"addr")
"""Lines that are our own words coming back: whether the probe echoes is not known (?)."""
_ADDRESS = re.compile(rb"Address *: *(\d{1,3})$")


class VaisalaGmp25xText(Device):
    """CO2 alone, in ppm. A probe whose output format was changed is refused by name: give it `form /`."""

    table: ClassVar[Table] = registers.load("vaisala_probes", "industrial.csv")
    model = "vaisala_gmp25x_text"
    maker = "Vaisala"
    kind = "gas sensor"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    evidence = "VHX"
    not_sought = (
        "its line has to be cleared with a single CR first, which other devices on an unknown cable take as a command"
    )
    timeout_s = 2.0

    co2 = Signal()
    address_number = Signal()

    async def identify(self) -> Identity:
        """A measurement line names the gas, not the model: type GMP25x, no serial number. Raises WrongDevice.

        One CR clears what stands in the probe's buffer (V); it is sent with the first word.
        """
        try:
            await self._say(b"\rsend\r", _measurement)
        except BadFrame as error:
            raise WrongDevice(str(error)) from error
        return Identity(self.maker, "GMP25x")

    async def prepare(self) -> None:
        """End the continuous output (`s`), so that a line comes only when asked for; the next one shows it heard."""
        await self._say(b"s\rsend\r", _measurement)

    async def read(self, name: str) -> Reading:
        """Ask for one signal. A value that is no number is BAD; another format than the default is BadFrame."""
        if name == "co2":
            return self._judged(await self._say(b"send\r", _measurement))
        return self.good(int(await self._say(b"addr\r", _address_of)))

    async def write(self, name: str, value: Value) -> Reading:
        """Refused: the sheet does not know what the probe answers to `env`, so nothing could be checked."""
        raise Refused("read only", f"{name} cannot be set over the text protocol: use the Modbus model")

    async def _say(self, words: bytes, parse: Callable[[bytearray], bytes | None]) -> bytes:
        return await self.line.query(words, parse, timeout_s=self.timeout_s, retries=1)

    def _judged(self, field: bytes) -> Reading:
        row = self.table["co2"]
        assert row.low is not None
        assert row.high is not None
        try:
            value = float(field)
        except ValueError:
            return self.bad(f"the probe printed {field.decode('latin-1').strip()!r} instead of a number")
        if not row.low <= value <= row.high:
            return self.bad(f"{value:g} ppm cannot be true ({row.low:g} to {row.high:g})")
        return Reading(value, asyncio.get_running_loop().time(), Quality.GOOD)


def _take(buffer: bytearray) -> bytes | None:
    line = text.take_line(buffer, END)
    if line is None and len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} bytes without a line end")
    return line


def _measurement(buffer: bytearray) -> bytes | None:
    """The six characters between `CO2=` and ` ppm` of the first whole line; what stands in front is an echo.

    Raises BadFrame for a line of another format.
    """
    while (line := _take(buffer)) is not None:
        if line.rpartition(b"\r")[2] in ECHOES:
            continue
        at = line.rfind(NAME)
        field = line[at + len(NAME) : -len(UNIT)]
        if at < 0 or not line.endswith(UNIT) or len(field) != WIDTH:
            raise BadFrame(f"not a line of the default format (`form /` brings it back): {line[:60]!r}")
        return field
    return None


def _address_of(buffer: bytearray) -> bytes | None:
    """The number in `Address : 5`; measurement lines in front of it are left out."""
    while (line := _take(buffer)) is not None:
        if (found := _ADDRESS.search(line)) is not None:
            return found[1]
        if line.rpartition(b"\r")[2] not in ECHOES and not line.endswith(UNIT):
            raise BadFrame(f"not an address: {line[:60]!r}")
    return None
