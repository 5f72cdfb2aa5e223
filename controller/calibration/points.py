"""What one point of a calibration is, as it stands in the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Point:
    """One comparison: what the reference says, what the device showed before and after. Units are the signal's."""

    name: str
    """A point of the device's own procedure ("buffer 1", "air"), `compare`, or `dose`."""
    signal: str
    unit: str
    reference: float | None
    shown: float | None
    after: float | None
    at: float
    by: str
    lot: str = ""
    """Lot of the buffer or gas, number of the reference thermometer, serial number of the balance."""
    expires: str = ""
    """Day until which the reference is good, 2027-01-31."""
    asked_ml: float | None = None
    counted_ml: float | None = None
    note: str = ""

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Point:
        return cls(**row)
