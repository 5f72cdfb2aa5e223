"""PreSens OXYBase with RS232: ASCII, 19200 8N1, one probe a line; sheet presens-oxybase.md part A."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, Refused, WireError
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.presens_oxybase import lines

SETTINGS = ("mmwr0000", "mode0001", "tmpa", "oxyu0001")
"""Nothing into the flash; measure when asked; compensate by the internal NTC; oxygen in %."""
SETTINGS_EVERY_S = 60.0
"""The data line does not say its unit and a short power cut cannot be seen, so the probe is told again."""
SAME_PHASE_DEG = 0.5
LEAP = 2.0
"""The same phase with twice or half the oxygen: the unit or the calibration was changed at the probe."""
SETTLING_S = 2.0
"""Scripts wait 1 to 2 s for a new data line (P)."""
ZERO_PERCENT = 0.5
AIR_PERCENT = (18.0, 21.5)
"""What a freshly calibrated probe must show: 20.95 % dry, less in humid air at 37 °C and in thin air."""


class PreSensOxyBaseRs232(Device):
    """Oxygen in %, temperature and phase. Identity, error codes and the answers to calz and calh are not published."""

    table: ClassVar[Table] = registers.load("presens_oxybase", "commands.csv")
    model = "presens_oxybase_rs232"
    maker = "PreSens"
    kind = "probe"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    answer_s = 0.7
    evidence = "PX"
    timeout_s = 3.0  # scripts wait 1 to 2 s for a data line (P)
    quiet_s = 0.05
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "zero": CalibrationPoint("oxygen", "", what="probe in oxygen-free liquid or nitrogen, reading steady"),
        "air": CalibrationPoint("oxygen", "", what="probe in air or air-saturated water, reading steady"),
    }

    oxygen = Signal()
    temperature = Signal()
    phase = Signal()
    amplitude = Signal()
    error_code = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._settings_due = -math.inf
        self._last: tuple[float, float] | None = None
        """Phase and oxygen last believed."""

    async def identify(self) -> Identity:
        """One data line in the probe's own form is all it tells of itself; a serial number cannot be asked for."""
        await self._measured()
        return Identity(self.maker, "OXYBase WR-RS232")

    async def prepare(self) -> None:
        """Query mode, NTC and % oxygen, not kept in flash. Each is confirmed by its CR CR; none can be read back."""
        for command in SETTINGS:
            await self._tell(command)
        self._settings_due = asyncio.get_running_loop().time() + SETTINGS_EVERY_S
        self._last = None

    async def read(self, name: str) -> Reading:
        return (await self.poll())[name]

    async def poll(self) -> dict[str, Reading]:
        """One data line; once a minute, and after any trouble, the settings in front of it. Raises WireError."""
        if asyncio.get_running_loop().time() >= self._settings_due:
            await self.prepare()
        try:
            counts = await self._measured()
        except WireError:
            self._settings_due = -math.inf
            raise
        return self._readings(counts)

    async def write(self, name: str, value: Value) -> Reading:
        raise Refused("read only", f"{name} of a probe cannot be set")

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Teach the present signal as zero or air, into flash, and see whether the probe then shows it.

        The answer to `calz` and `calh` is not published, so the reading is the only proof: Refused when it is not near.
        """
        if point not in self.calibration_points:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r}; there are zero, air")
        if reference is not None:
            raise Refused("no reference", f"calibration {point!r} takes no number")
        await self.prepare()
        await self._tell("mmwr0001")
        command = "calz" if point == "zero" else "calh"
        with contextlib.suppress(NoAnswer):
            await self.line.query(
                command.encode() + b"\r", lines.anything, timeout_s=self.timeout_s, quiet_s=self.quiet_s
            )
        await self._tell("mmwr0000")
        await asyncio.sleep(SETTLING_S)
        self._last = None
        shown = (await self.poll())["oxygen"]
        low, high = (-ZERO_PERCENT, ZERO_PERCENT) if point == "zero" else AIR_PERCENT
        if not isinstance(shown.value, (int, float)) or not low <= shown.value <= high:
            told = shown.why or f"{shown.value} %"
            raise Refused("read-back", f"after {command} the probe shows {told} and not {low:g} to {high:g} %")
        return {}

    def _readings(self, counts: Mapping[str, int]) -> dict[str, Reading]:
        now = asyncio.get_running_loop().time()
        readings: dict[str, Reading] = {}
        for name, spec in self.specs().items():
            row = self.table[name]
            value = counts[row.extra["letter"]] / round(1 / row.scale)
            if name == "error_code":
                readings[name] = Reading(value, now, Quality.GOOD)
            elif counts["E"]:
                why = f"the probe reports error {counts['E']}, which its datasheet does not explain"
                readings[name] = Reading(None, now, Quality.BAD, why)
            elif (spec.low is not None and value < spec.low) or (spec.high is not None and value > spec.high):
                readings[name] = Reading(None, now, Quality.BAD, f"the probe sent {value:g}, which is no {name}")
            else:
                readings[name] = Reading(value, now, Quality.GOOD)
        return self._doubted(readings, now)

    def _doubted(self, readings: dict[str, Reading], now: float) -> dict[str, Reading]:
        """Oxygen that leaps while the phase stands still is of another unit: not believed, and the unit set again."""
        oxygen, phase = readings["oxygen"].value, readings["phase"].value
        if not isinstance(oxygen, (int, float)) or not isinstance(phase, (int, float)):
            self._settings_due = -math.inf
            return readings
        if self._last is not None and abs(phase - self._last[0]) < SAME_PHASE_DEG:
            before, more, less = self._last[1], max(oxygen, self._last[1]), min(oxygen, self._last[1])
            if more > 2 and more > LEAP * less:
                self._settings_due = -math.inf
                why = f"{before:g} became {oxygen:g} at the same phase: another unit at the probe; it is set again"
                readings["oxygen"] = Reading(None, now, Quality.BAD, why)
                return readings
        self._last = (phase, oxygen)
        return readings

    async def _measured(self) -> dict[str, int]:
        return await self.line.query(b"data\r", lines.data, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)

    async def _tell(self, command: str) -> None:
        """One setting; sent again once when its CR CR did not come, as it does the same twice."""
        try:
            await self.line.query(
                command.encode() + b"\r", lines.taken, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s
            )
        except (BadFrame, NoAnswer, LinkLost, Refused):
            self._settings_due = -math.inf
            raise
