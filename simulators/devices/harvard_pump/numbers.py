"""Numbers with units as a Harvard pump takes and shows them (sheet harvard-11-elite-phd.md)."""

from __future__ import annotations

import math
import re

ML_OF = {"m": 1.0, "u": 1e-3, "n": 1e-6, "p": 1e-9}
MINUTES_OF = {"h": 60.0, "m": 1.0, "s": 1 / 60}
NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z/%]*)\s*", re.ASCII | re.IGNORECASE)


def volume_text(ml: float) -> str:
    """`1.234 ml`, `12.5 ul`: five digits in the unit that fits."""
    unit = next((unit for unit, worth in ML_OF.items() if ml >= worth), "m" if ml == 0 else "p")
    return f"{_digits(ml / ML_OF[unit])} {unit}l"


def rate_text(ml_min: float) -> str:
    unit = next((unit for unit, worth in ML_OF.items() if ml_min >= worth), "p")
    return f"{_digits(ml_min / ML_OF[unit])} {unit}l/min"


def _digits(value: float) -> str:
    text = f"{value:.{max(0, 4 - (math.floor(math.log10(value)) if value else 0))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_number(text: str) -> float | None:
    found = NUMBER.fullmatch(text)
    return None if found is None else float(found[1])


def volume_of(text: str) -> float | None:
    """`2.5 m`, `10.0 ml`: the unit may be cut."""
    found = NUMBER.fullmatch(text)
    if found is None or found[2].lower() not in ("m", "ml", "u", "ul", "n", "nl", "p", "pl"):
        return None
    return float(found[1]) * ML_OF[found[2][0].lower()]


def rate_of(text: str) -> float | None:
    """`1.0000000000 m/m`, `3.2 ul/min`."""
    found = NUMBER.fullmatch(text)
    if found is None or re.fullmatch(r"[munp]l?/(h|hr|m|min|s|sec)", found[2].lower()) is None:
        return None
    volume, _, time = found[2].lower().partition("/")
    return float(found[1]) * ML_OF[volume[0]] / MINUTES_OF[time[0]]


def time_text(seconds: float) -> str:
    """`150 sec`, `01:02:03` from an hour on."""
    if seconds < 3600:
        return f"{_digits(seconds)} sec"
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def time_of(text: str) -> float | None:
    """Seconds of `90`, `90 sec`, `1.5 m` or `00:01:30`."""
    if clock := re.fullmatch(r"(\d{1,2}):([0-5]\d):([0-5]\d)", text, re.ASCII):
        return int(clock[1]) * 3600.0 + int(clock[2]) * 60 + int(clock[3])
    found = NUMBER.fullmatch(text)
    if found is None or found[2].lower() not in ("", "s", "sec", "m", "min", "h", "hr"):
        return None
    return float(found[1]) * 60 * MINUTES_OF[found[2][:1].lower() or "s"]
