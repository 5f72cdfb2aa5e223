"""Watlow EZ-ZONE PM and RM on Modbus RTU, one zone each, sheet watlow-f4t-ezzone.md.

The sheet has no register for the mode, the unit or the identity: the unit is an option, and a device is known by the
state of its first input only.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality, Reading
from drivers.devices.watlow_f4t_ez_zone import words
from drivers.devices.watlow_f4t_ez_zone.controller import WatlowController

MOST_ZONES = 13
"""5000 registers a zone: the thirteenth is the last below 65 536."""
MEASURED = ("temperature",)


class WatlowEzZone(WatlowController):
    """Options: zone (of an RUI gateway, 5000 registers apart), unit (C or F, as the controller has it), word_order."""

    model = "watlow_ez_zone"
    kind = "temperature controller"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    """9600 8N1: X."""
    table = registers.load("watlow_f4t_ez_zone", "ez_zone.csv", counts_from=0)
    quiet_s = 0.004
    """3.5 characters of 10 bits at 9600 baud."""
    word_order = "high_first"
    option_names = ("zone", "unit", "word_order")
    not_sought = (
        "the sheet names no register in which an EZ-ZONE says what it is; another Modbus device could give its answer"
    )

    temperature = Signal()
    input_error = Signal()
    temperature_setpoint = Signal()
    output = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.numbers = {"zone": self.number_option("zone", 1, MOST_ZONES)}
        if self.options.get("unit", "C") not in ("C", "F"):
            raise ValueError(f"{self.model}: unit is C or F, not {self.options['unit']!r}")

    async def identify(self) -> Identity:
        """Value and error of input 1; raises WrongDevice when they cannot be those of an EZ-ZONE."""
        try:
            error = int(await self.ask_number("input_error"))
            value = await self.read("temperature")
        except Refused as no:
            raise WrongDevice(f"{self.line.name} address {self.address}: no input 1 where an EZ-ZONE has it") from no
        if error not in words.WORDS or (error == words.NONE and value.quality is Quality.BAD):
            raise WrongDevice(
                f"{self.line.name} address {self.address}: input 1 has error code {error} and value {value.value}"
                f"{value.why and f' ({value.why})'}: not an EZ-ZONE, or not this zone or word order"
            )
        return Identity(self.maker, "EZ-ZONE")

    async def fahrenheit(self) -> bool:
        return self.options.get("unit", "C") == "F"

    async def poll(self) -> dict[str, Reading]:
        return await self._judged(await super().poll())

    async def read(self, name: str) -> Reading:
        readings = {name: await super().read(name)}
        if name in MEASURED:
            readings["input_error"] = await super().read("input_error")
        return (await self._judged(readings))[name]

    async def _judged(self, readings: dict[str, Reading]) -> dict[str, Reading]:
        error = readings.get("input_error")
        for name in readings:
            if await self.fahrenheit():
                readings[name] = self.in_celsius(name, readings[name])
            if name in MEASURED and error is not None and error.value != "none":
                readings[name] = self.condemned(readings[name], f"input 1: {error.value or error.why}")
        return readings

    async def calibration(self) -> Mapping[str, float]:
        """What is added to the input (K); the sheet does not say whether it may be written."""
        offset = await self.ask_number("input_offset")
        return {"input_offset [K]": offset / 1.8 if await self.fahrenheit() else offset}
