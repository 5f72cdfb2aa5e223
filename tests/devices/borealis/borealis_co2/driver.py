"""Borealis CO2 probe: three registers and a serial number."""

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.modbus_device import ModbusDevice
from drivers.core.signals import Identity


class BorealisCo2(ModbusDevice):
    model, maker, kind = "borealis_co2", "Borealis", "gas sensor"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    default_address = 7
    table = registers.beside(__file__)
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only"
    evidence = "M"
    checksum = True

    co2 = Signal()
    temperature = Signal()
    alarm_limit = Signal()

    async def identify(self) -> Identity:
        return Identity(self.maker, "CO2 probe", str(await self.read_row(self.table["serial"])))
