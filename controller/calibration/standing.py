"""What a device's calibrations are worth now: valid, due, failed or never, read from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from controller.settings import CalibrationSettings
from controller.store.rows import CalibrationRow

AUTOCLAVE = "autoclave"


@dataclass(frozen=True, slots=True)
class Standing:
    """`good` decides where a calibration is required; `text` is what a person reads. Times UTC s."""

    good: bool
    text: str
    at: float | None = None
    due: float | None = None
    autoclaved: int = 0
    """Cycles since the device was first known."""
    open: str = ""
    """The calibration under way, and whose it is."""
    begun: float = 0.0
    """When that was begun."""


def standing(rows: Sequence[CalibrationRow], settings: CalibrationSettings, now: float, identity: str = "") -> Standing:
    """`rows` of one device in the order they were begun. A refused attempt after the last accepted one counts against
    the device: it was tried, and it failed. `identity` = who answers now; "" = not known."""
    cycles = sum(row.kind == AUTOCLAVE for row in rows)
    real = [row for row in rows if row.kind != AUTOCLAVE]
    opened = next((row for row in real if row.state == "open"), None)
    worth = _worth([row for row in real if row.state in ("accepted", "refused")], settings, now, identity)
    if opened is None:
        return replace(worth, autoclaved=cycles)
    said = f"{opened.calibration_id} of {opened.begun_by}"
    return replace(worth, autoclaved=cycles, open=said, begun=opened.begun_at)


def _worth(ended: Sequence[CalibrationRow], settings: CalibrationSettings, now: float, identity: str) -> Standing:
    if not ended:
        return Standing(False, "never calibrated")
    last = ended[-1]
    if last.state == "refused":
        return Standing(False, f"failed {day(last.ended_at)}: {last.why}", last.ended_at)
    if identity and last.identity and last.identity != identity:
        text = f"the calibration of {day(last.ended_at)} was of another device ({last.identity})"
        return Standing(False, text, last.ended_at)
    due = None if settings.every_days is None else (last.ended_at or 0.0) + settings.every_days * 86_400
    if due is not None and now >= due:
        return Standing(False, f"expired {day(due)}", last.ended_at, due)
    text = f"calibrated {day(last.ended_at)}" + ("" if due is None else f", due {day(due)}")
    return Standing(True, text, last.ended_at, due)


def day(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
