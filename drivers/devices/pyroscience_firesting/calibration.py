"""What a meter can be taught, and where it keeps it."""

from __future__ import annotations

from drivers.core.calibration import CalibrationPoint

OXYGEN_CALIBRATION = {
    "phase_zero_deg": (0, 1e3),
    "phase_air_deg": (1, 1e3),
    "temperature_zero_cel": (2, 1e3),
    "temperature_air_cel": (3, 1e3),
    "pressure_hpa": (4, 1e3),
    "humidity_percent": (5, 1e3),
    "f": (6, 1e3),
    "m": (7, 1e3),
    "frequency_hz": (8, 1.0),
    "tt": (9, 1e5),
    "kt": (10, 1e5),
    "background_mv": (11, 1e3),
    "background_phase_deg": (12, 1e3),
    "ksv": (14, 1e6),
    "temperature_offset_k": (17, 1e3),
    "air_percent_o2": (18, 1e3),
}
"""Register and divisor of the oxygen calibration (S); the order is not confirmed for firmware 4 (X)."""

TEMPERATURE_POINT = (-10.0, 100.0)
"""Cel; limits of ours, the sheet names none."""
OXYGEN_POINTS = {
    "air": CalibrationPoint(
        "dissolved_oxygen", "Cel", *TEMPERATURE_POINT,
        what="sensor in water-saturated air or air-saturated water, reading steady; the reference is the temperature "
        "there (none: the meter's own Pt100), the pressure is the meter's own",
    ),
    "dry_air": CalibrationPoint(
        "dissolved_oxygen", "Cel", *TEMPERATURE_POINT,
        what="sensor in dry air from a bottle, reading steady; reference and pressure as for air",
    ),
    "zero": CalibrationPoint(
        "dissolved_oxygen", "Cel", *TEMPERATURE_POINT,
        what="sensor in oxygen-free liquid or nitrogen, reading steady; the reference is the temperature there",
    ),
    "background": CalibrationPoint("signal_intensity", "", what="fibre without a sensor spot in front of it"),
    "no_background": CalibrationPoint("signal_intensity", "", what="forgets the background; nothing to prepare"),
}  # fmt: skip
PH_POINTS = {
    "low_ph": CalibrationPoint("ph", "[pH]", 0, 14, "sensor in the low buffer, reading steady"),
    "high_ph": CalibrationPoint("ph", "[pH]", 0, 14, "sensor in the high buffer, reading steady"),
    "offset": CalibrationPoint("ph", "[pH]", 0, 14, "the pH of the medium measured by other means, reading steady"),
}
PH_ORDER = ("low_ph", "high_ph", "offset")
"""N of the pH calibration command: 0, 1, 2 (V)."""
