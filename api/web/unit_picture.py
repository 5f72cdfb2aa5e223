"""One unit as its page shows it, put together from the controller's picture. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Snapshot = Mapping[str, Any]


def unit_picture(unit: str, shown: Snapshot, condition: str) -> dict[str, Any]:
    facts = shown["units"][unit]
    readings = readings_of(shown)
    run = next((run for run in shown["runs"] if run["unit"] == unit), None)
    name = run["run"] if run else None
    roles: Mapping[str, str] = facts["roles"]
    return {
        "unit": unit,
        "bench": shown["bench"],
        "now": shown["now"],
        "controller": condition,
        "roles": [role(name, roles, readings, facts["owners"]) for name in roles if not name.endswith(" set")],
        "vessel": facts["vessel"],
        "volume": volume(run, facts["vessel"]),
        "paths": facts["paths"],
        "pumps": [pump(path, facts["paths"][path], shown) for path in facts["paths"]],
        "stays_on": facts["stays_on"],
        "run": run,
        "tasks": [task for task in shown["tasks"] if task["run"] == name],
        "alarms": [alarm for alarm in shown["alarms"] if alarm["run_id"] in (None, name)],
    }


def readings_of(shown: Snapshot) -> dict[str, Mapping[str, Any]]:
    """By "device.signal"."""
    return {
        f"{device['name']}.{signal}": reading
        for device in shown["devices"]
        for signal, reading in device["readings"].items()
    }


def role(
    name: str, roles: Mapping[str, str], readings: Mapping[str, Mapping[str, Any]], owners: Mapping[str, str]
) -> dict[str, Any]:
    signal, output = roles[name], roles.get(f"{name} set")
    return {
        "role": name,
        "signal": signal,
        "reading": readings.get(signal),
        "set_point": None if output is None else readings.get(output),
        "set_signal": output,
        "owner": owners.get(output, "") if output else "",
        "limits": limits(signal, readings),
    }


def limits(signal: str, readings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """The alarm limits that the device itself holds for this signal, where it has such."""
    low, high = readings.get(f"{signal}_alarm_low"), readings.get(f"{signal}_alarm_high")
    values = [None if each is None or each["quality"] == "bad" else each["value"] for each in (low, high)]
    if values == [None, None]:
        return None
    return {"low": values[0], "high": values[1], "source": f"alarm limits of {signal.partition('.')[0]}"}


def volume(run: Mapping[str, Any] | None, vessel: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the vessel holds by the books, and what it may hold (mL)."""
    return None if run is None else {**run["volume"], "low": vessel["min_ml"], "high": vessel["max_ml"]}


def pump(path: str, facts: Mapping[str, Any], shown: Snapshot) -> dict[str, Any]:
    device = next((device for device in shown["devices"] if device["name"] == facts["pump"]), None)
    return {
        "path": path,
        "pump": facts["pump"],
        "condition": device["condition"] if device else "lost",
        "why": device["why"] if device else "",
        "readings": device["readings"] if device else {},
    }
