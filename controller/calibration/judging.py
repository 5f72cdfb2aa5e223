"""Whether a calibration may be accepted, and why not: pure comparisons with limits (settings.CalibrationSettings).

The default limits are ours (A): round figures that makers and laboratories commonly use, no datasheet's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from controller.calibration.points import Point
from controller.settings import CalibrationSettings

NERNST_MV_PH = 59.16
"""mV a pH at 25 °C (plant-models.md AF-32)."""
SAMPLE = "sample value"
"""The point of a one-point correction; it needs no second one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`new` is what will be in force; `reasons` is empty when it may be accepted."""

    reasons: tuple[str, ...]
    new: Mapping[str, float]

    @property
    def good(self) -> bool:
        return not self.reasons


def judge(points: Sequence[Point], taught: Mapping[str, float], limits: CalibrationSettings) -> Verdict:
    """`taught`: what the device says it was taught, after the last point."""
    if not points:
        return Verdict(("no point was taken",), {})
    kinds = {point.name for point in points}
    if kinds == {"dose"}:
        return of_doses(points, limits)
    if kinds == {"compare"}:
        return of_comparisons(points, limits)
    if "compare" in kinds or "dose" in kinds:
        return Verdict(("points of different procedures; begin one calibration for each",), {})
    reasons = (*of_own_points(points, limits), *of_taught(taught, limits))
    return Verdict(reasons, dict(taught))


def of_own_points(points: Sequence[Point], limits: CalibrationSettings) -> Iterator[str]:
    """Enough points, and a device that shows what it was just taught."""
    last = {point.name: point for point in points}
    if len(last) < 2 and not any(name.startswith("sample") for name in last):
        yield f"only {', '.join(last)} was taken; a slope needs two different points"
    for point in last.values():
        if point.reference is None or point.after is None:
            continue
        off, most = abs(point.after - point.reference), allowed(point.unit, limits)
        if most is not None and off > most:
            yield f"{point.name}: shows {point.after:.4g} {point.unit} after it was taught {point.reference:.4g}"


def of_taught(taught: Mapping[str, float], limits: CalibrationSettings) -> Iterator[str]:
    """Slope against Nernst and offset, whichever way the device tells them."""
    slopes = {name: value for name, value in taught.items() if name.endswith("slope_percent")}
    if "slope_mv_ph" in taught:
        slopes["slope"] = 100 * abs(taught["slope_mv_ph"]) / NERNST_MV_PH
    for name, percent in slopes.items():
        if not limits.slope_low_percent <= percent <= limits.slope_high_percent:
            yield (
                f"{name.replace('_', ' ')} {percent:.1f} % of Nernst, {limits.slope_low_percent:g} to "
                f"{limits.slope_high_percent:g} % are allowed: clean, refill or replace the probe"
            )
    offset = taught.get("offset_mv")
    if offset is not None and abs(offset) > limits.offset_mv:
        yield f"offset {offset:.1f} mV, {limits.offset_mv:g} mV are allowed: clean or replace the probe"


def of_comparisons(points: Sequence[Point], limits: CalibrationSettings) -> Verdict:
    """One or more readings against a reference: the mean difference."""
    differences = [p.reference - p.shown for p in points if p.reference is not None and p.shown is not None]
    if len(differences) < len(points):
        return Verdict(("a point has no good reading of the device",), {})
    offset, unit = fmean(differences), points[0].unit
    most = allowed(unit, limits)
    reasons = (
        (f"differs by {offset:+.3g} {unit} from the reference, {most:g} {unit} are allowed",)
        if most is not None and abs(offset) > most
        else ()
    )
    return Verdict(reasons, {f"{points[0].signal} offset": offset})


def of_doses(points: Sequence[Point], limits: CalibrationSettings) -> Verdict:
    """Doses weighed: what truly moved for each mL the pump counted, and how far the doses scatter."""
    gains = [p.reference / p.counted_ml for p in points if p.reference is not None and p.counted_ml]
    if len(gains) < max(3, len(points)):
        return Verdict(("at least three doses must be weighed",), {})
    gain = fmean(gains)
    spread = 100 * stdev(gains) / gain if gain > 0 else 100.0
    reasons: list[str] = []
    if abs(gain - 1) * 100 > limits.gain_percent:
        less = "less" if gain < 1 else "more"
        reasons.append(
            f"moves {abs(gain - 1) * 100:.1f} % {less} than it counts, {limits.gain_percent:g} % are allowed: "
            "look for a worn tube, a leaking valve or a wrong size in its settings"
        )
    if spread > limits.spread_percent:
        reasons.append(f"the doses scatter by {spread:.1f} %, {limits.spread_percent:g} % are allowed")
    return Verdict(tuple(reasons), {"gain": gain, "spread_percent": spread})


def allowed(unit: str, limits: CalibrationSettings) -> float | None:
    """Largest difference that may be accepted, in this unit; None = no limit is known for it."""
    return {
        "[pH]": limits.ph,
        "Cel": limits.temperature_k,
        "%": limits.percent,
        "g": limits.weight_g,
    }.get(unit)
