"""Calibration of an Arc sensor: as administrator the value is written once and the sensor's own verdict read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.core import registers
from drivers.core.errors import Refused
from drivers.core.wire import modbus
from drivers.devices.hamilton_arc.words import Level

if TYPE_CHECKING:
    from drivers.devices.hamilton_arc.driver import HamiltonArc

VERDICTS = (
    "the two points differ by less than 1 pH",
    "no buffer of the selected set matches",
    "temperature too low",
    "temperature too high",
    "temperature unstable",
    "offset or slope too low",
    "offset or slope too high",
    "reading unstable",
)
"""Bits of one point's group in the calibration status word (M, pH)."""
CP6 = {24: "out of the calibration range", 25: "out of range", 30: "unit of point 2 wrong", 31: "unit of point 1 wrong"}
INITIAL, ASSIGNED, ACTIVE = 27, 28, 26


async def teach(sensor: HamiltonArc, point: int, reference: float) -> None:
    """Calibrate point 1 or 2 at `reference`. The write is answered normally also when it fails (M): the status says.

    Raises Refused with the sensor's reasons.
    """
    status = await within_level(sensor, f"cp{point}_start", reference, f"cp{point}_status")
    if group := status >> 8 * (point - 1) & 0xFF:
        why = "; ".join(text for bit, text in enumerate(VERDICTS) if group >> bit & 1)
        raise Refused(f"0x{status:08X}", f"address {sensor.address}: the sensor did not take point {point}: {why}")


async def product(sensor: HamiltonArc, row: str, value: float) -> int:
    """One step of the product calibration (CP6); returns its status. Raises Refused when it was rejected."""
    status = await within_level(sensor, row, value, "cp6_status")
    if why := "; ".join(text for bit, text in CP6.items() if status >> bit & 1):
        raise Refused(f"0x{status:08X}", f"address {sensor.address}: {why}")
    return status


async def within_level(sensor: HamiltonArc, row: str, value: float, status: str) -> int:
    """Write `row` once as administrator and read `status`; the level falls back to user whatever happens."""
    await sensor.set_level(Level.ADMINISTRATOR)
    try:
        asked = sensor.table[row]
        await sensor.tell(modbus.write_many_request(sensor.address, asked.wire, registers.encode(asked, value)))
        found = await sensor.read_row(sensor.table[status])
        if not isinstance(found, int):
            raise Refused("no number", f"address {sensor.address}: {status} is {found}")
        return found
    finally:
        await sensor.set_level(Level.USER)
