"""Values age while nobody hears from the controller: what is shown as current is at most 3 sample periods old (INV-29).

Pure. Ages in a picture are bench seconds; how long ago it came is wall seconds, which are the same on a real bench. In
paced time a wall second is many bench seconds, so there only a controller that is not heard makes values old.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNHEARD_S = 3.0
"""A picture older than this shows no current value at all."""
AGAIN_S = 1.0
"""Old ages are counted on in steps of this."""


def aged(snapshot: Mapping[str, Any], since_s: float, condition: str) -> tuple[Mapping[str, Any], float]:
    """The picture with its values as old as they are now, and for how many seconds that holds."""
    unheard = condition in ("away", "silent") or since_s > UNHEARD_S
    paced = snapshot.get("speed") is not None
    if not unheard and paced:
        return snapshot, UNHEARD_S - since_s
    left_s = UNHEARD_S - since_s
    devices: list[Mapping[str, Any]] = []
    touched = False
    for device in snapshot["devices"]:
        readings: dict[str, Any] = {}
        for name, each in device["readings"].items():
            readings[name] = each
            if each["quality"] != "good" or each["age_s"] is None:
                continue
            remains_s = each["stale_after_s"] - each["age_s"] - since_s
            if unheard or remains_s < 0:
                touched = True
                readings[name] = stale(each, since_s, unheard, paced)
            else:
                left_s = min(left_s, remains_s)
        devices.append({**device, "readings": readings})
    if not touched:
        return snapshot, left_s
    return {**snapshot, "devices": devices}, AGAIN_S if unheard else min(AGAIN_S, max(0.05, left_s))


def stale(reading: Mapping[str, Any], since_s: float, unheard: bool, paced: bool) -> dict[str, Any]:
    age_s = reading["age_s"] + (0.0 if paced else since_s)
    why = f"no word from the controller for {since_s:.0f} s" if unheard else f"{age_s:.0f} s old"
    return {**reading, "quality": "stale", "why": why, "age_s": round(age_s, 1)}
