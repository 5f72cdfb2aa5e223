"""Vaisala HMP humidity and temperature probes on Modbus RTU, sheet vaisala-gmp25x.md, registers of HMP1 to HMP9."""

from __future__ import annotations

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import Refused, WireError
from drivers.core.signals import Quality, Reading
from drivers.devices.vaisala_probes import words
from drivers.devices.vaisala_probes.probe import VaisalaProbe

MEASURED = (
    "humidity", "temperature", "dew_point", "frost_point", "frost_point_1atm", "dew_point_1atm",
    "absolute_humidity", "mixing_ratio", "wet_bulb", "water",
)  # fmt: skip
OWN_STATUS = {"humidity": "humidity_status", "temperature": "temperature_status", "dew_point": "dew_point_status"}
"""The value registers with a status of their own in the newer guide."""


class VaisalaHmp(VaisalaProbe):
    """Relative humidity, temperature and what follows from them."""

    model = "vaisala_hmp"
    kind = "humidity probe"
    table = registers.load("vaisala_probes", "humidity.csv")
    evidence = "VHX"
    product_begins = "HMP"
    """The product code of an HMP is not printed in the sheet (X): another one is told by name."""

    humidity = Signal()
    temperature = Signal()
    dew_point = Signal()
    frost_point = Signal()
    frost_point_1atm = Signal()
    dew_point_1atm = Signal()
    absolute_humidity = Signal()
    mixing_ratio = Signal()
    wet_bulb = Signal()
    water = Signal()
    pressure = Signal()
    heated_temperature = Signal()
    device_status = Signal()

    async def set_address(self, address: int) -> None:
        """Refused: the sheet has no register for it (769 is the pressure of an HMP)."""
        raise Refused("unknown", f"the datasheet of {self.model} names no register for the address")

    async def poll(self) -> dict[str, Reading]:
        """Every signal; BAD where an error is active, the output is locked, or a value's own status says so."""
        readings = await super().poll()
        status = readings["device_status"]
        if isinstance(status.value, int):
            why = await self._why(status.value)
            readings["device_status"] = status._replace(value=why or "ok")
        else:
            why = f"the status is not known: {status.why}"
        own = await self._own_status() if readings["pressure"].quality is Quality.GOOD else {}
        for name in MEASURED:
            if bad := why or own.get(name, ""):
                readings[name] = self.condemned(readings[name], bad)
        return readings

    async def read(self, name: str) -> Reading:
        if name in MEASURED or name == "device_status":
            return (await self.poll())[name]
        return await super().read(name)

    async def _why(self, status: int) -> str:
        """What registers 513 (1 = no errors) and 514 (1 = data available) say against the values; "" = nothing."""
        no_errors, online = status >> 16, status & 0xFFFF
        if no_errors == 1:
            return "" if online == 1 else f"output locked (online status {online})"
        try:
            value = await self.read_row(self.table["error_bits"])
        except WireError as error:
            return f"error active ({error})"
        assert isinstance(value, int)
        return f"error active: {words.spelled(value, words.HMP_ERRORS, 'error')}"

    async def _own_status(self) -> dict[str, str]:
        """What each value's own status says against it; {} where the probe has no such registers (older guide).

        Read with the hash in front of it, as six registers: a reply names no register, and with a length of its own at
        the end of a poll no late copy of it is taken for another answer.
        """
        rows = tuple(self.table[name] for name in ("security_hash", *OWN_STATUS.values(), "device_status_bits"))
        block = self.block(rows[0].wire, 6, rows)
        try:
            data = await self.ask(block)
        except Refused:
            return {}
        except WireError as error:
            return dict.fromkeys(MEASURED, f"the status of the values is not known: {error}")
        *own, device = (int.from_bytes(data[at : at + 2], "big") for at in range(4, 12, 2))
        said = {
            name: words.spelled(value, words.HMP_VALUE, "status")
            for name, value in zip(OWN_STATUS, own, strict=True)
            if value not in (0, words.UNAVAILABLE)
        }
        if device not in (0, words.UNAVAILABLE) and device & 0b10011:
            return dict.fromkeys(MEASURED, words.spelled(device, words.HMP_DEVICE, "device status")) | said
        return said
