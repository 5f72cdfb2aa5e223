"""What a device can be taught, point by point, by its own procedure; the record of it is the controller's business."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.core.errors import OutOfRange, Refused


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """One point of a device's own calibration, offered by name in `Device.calibration_points`."""

    signal: str
    """The signal it changes."""
    unit: str
    """UCUM unit of the reference; "" where the point takes no number (air, zero)."""
    low: float | None = None
    """Smallest and largest reference the device takes; None = the datasheet names none."""
    high: float | None = None
    what: str = ""
    """What a person does first, in words: "probe in the low buffer, reading steady"."""

    def within(self, reference: float | None, set_by: str) -> float:
        """The reference to write, 0 where the point takes none; raises OutOfRange, Refused when it is missing."""
        if not self.unit:
            return 0.0
        if reference is None:
            raise Refused("no reference", f"this point needs its reference in {self.unit}")
        if (self.low is not None and reference < self.low) or (self.high is not None and reference > self.high):
            raise OutOfRange(self.signal, reference, self.unit, self.low, self.high, set_by)
        return reference
