"""The models of the family and how each is known: Cavro XCalibur (OEM, DT), XLP 6000, XP 3000."""

from __future__ import annotations

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import WrongDevice
from drivers.devices.tecan_cavro import replies
from drivers.devices.tecan_cavro.framing import Dt
from drivers.devices.tecan_cavro.pump import TecanCavro


class TecanCavroXCalibur(TecanCavro):
    """XCalibur: 3000 increments a stroke; says errors 2, 3, 4 and 11 at once."""

    model = "tecan_cavro_xcalibur"
    type_name = "Cavro XCalibur"
    table = registers.load("tecan_cavro", "commands.csv")
    evidence = "MXS"
    checksum = True

    async def _check_model(self) -> None:
        """`*` is always 255 (M); an XLP 6000 says its supply voltage there (M6)."""
        found = (await self.talk.ask("*", replies.NUMBER)).data
        if found != "255":
            raise WrongDevice(f"{self.line.name}: * is {found} instead of the XCalibur's 255")


class TecanCavroXCaliburDt(TecanCavroXCalibur):
    """The same in the DT protocol, for a bench that speaks it already: no check sum, no repeat protection."""

    model = "tecan_cavro_xcalibur_dt"
    framing = Dt
    checksum = False
    not_sought = "a DT question locks an XLP 6000 to the DT protocol until its power goes off (M6)"


class TecanCavroXlp6000(TecanCavro):
    """XLP 6000: 6000 increments a stroke (L); says a bad operand at Q only. Its pulses a stroke are a guess (X)."""

    model = "tecan_cavro_xlp6000"
    type_name = "Cavro XLP 6000"
    table = registers.load("tecan_cavro", "xlp6000.csv")
    evidence = "MXS"
    checksum = True
    full_stroke = 6000

    supply_voltage = Signal()

    async def _check_model(self) -> None:
        """`*` is the supply voltage in tenths (M6), 24 V nominal; an XCalibur says 255 (M)."""
        found = int((await self.talk.ask("*", replies.NUMBER)).data)
        if not 150 <= found <= 300 or found == 255:
            raise WrongDevice(f"{self.line.name}: * is {found}, no supply voltage of an XLP 6000 in tenths of a volt")


class TecanCavroXp3000(TecanCavro):
    """XP 3000: 3000 increments a stroke; says a bad operand at Q only (M3). What else differs is not in the sheet."""

    model = "tecan_cavro_xp3000"
    type_name = "Cavro XP 3000"
    table = registers.load("tecan_cavro", "xp3000.csv")
    evidence = "MXS"
    checksum = True
