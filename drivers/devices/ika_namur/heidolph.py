"""Heidolph MR Hei-Tec and Hei-PLATE Mix'n'Heat hotplate stirrers: other channels, every command echoed (V)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import WrongDevice
from drivers.core.registers import Table
from drivers.core.signals import Identity
from drivers.devices.ika_namur import replies
from drivers.devices.ika_namur.device import SELDOM_S, Namur


class HeidolphMrHeiTec(Namur):
    """The answers to OUT_SP are not documented; set points are read back whatever comes. Its connection check (CC_ON)
    shows an error after 10 s of silence and is left off."""

    table: ClassVar[Table] = registers.load("ika_namur", "heidolph.csv")
    model = "heidolph_mr_hei_tec"
    maker = "Heidolph"
    option_names: ClassVar[tuple[str, ...]] = ()
    asked_twice = True
    evidence = "V"
    names = ()
    watchdog = "connection check CC_ON, which only shows an error: not used"
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("sample_safety_temperature", "plate_safety_temperature", "safety_delta"), SELDOM_S
    )

    temperature = Signal()
    sample_safety_temperature = Signal()
    plate_temperature = Signal()
    plate_safety_temperature = Signal()
    temperature_set_point = Signal()
    safety_delta = Signal()
    speed = Signal()
    speed_set_point = Signal()
    stirring = Signal()
    device_status = Signal()
    heating = Signal()

    async def identify(self) -> Identity:
        """It has no name: the echo of `STATUS`, and of the plate's temperature, which IKA devices do not have."""
        text = await self._ask("STATUS", replies.take)
        if self._status(text) is None:
            raise WrongDevice(f"{self.line.name}: {text!r} is not how a Heidolph hotplate answers STATUS")
        await self._number("IN_PV_3")
        if self._shapes["IN_PV_3"] != "echo":
            raise WrongDevice(f"{self.line.name}: what answers does not repeat the question, so it is no Heidolph")
        return Identity(self.maker, "MR Hei-Tec")

    async def _text(self, command: str) -> str:
        return await self._ask(command, replies.take)

    def _status(self, text: str) -> str | None:
        return replies.status(text, heidolph=True)
