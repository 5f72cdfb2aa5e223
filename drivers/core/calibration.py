"""What a device can be taught, point by point, by its own procedure; the record of it is the controller's business."""

from __future__ import annotations

from dataclasses import dataclass


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
