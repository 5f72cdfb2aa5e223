"""What somebody sees whose token is for one unit: that unit, its devices, runs, tasks and alarms; nothing of another
unit (SEC-10). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

Snapshot = Mapping[str, Any]


def narrowed(shown: Snapshot, unit: str) -> Snapshot:
    """The picture of the bench with one unit in it."""
    own, others = devices_of(shown, unit), foreign_devices(shown, unit)
    runs = [run for run in shown["runs"] if run["unit"] == unit]
    names = {run["run"] for run in runs}
    return {
        **shown,
        "units": {name: facts for name, facts in shown["units"].items() if name == unit},
        "devices": [device for device in shown["devices"] if device["name"] in own],
        "runs": runs,
        "tasks": [task for task in shown["tasks"] if task["run"] in names],
        "alarms": [alarm for alarm in shown["alarms"] if concerns(alarm["run_id"], alarm["key"], names, others)],
        "events": [event for event in shown["events"] if event["run"] in names],
    }


def concerns(run: str | None, key: str, runs: Set[str], foreign: Set[str]) -> bool:
    """Alarms of these runs; of those without a run all but the ones whose key names a foreign device."""
    return run in runs if run is not None else foreign.isdisjoint(key.replace(".", ":").split(":"))


def foreign_devices(shown: Snapshot, unit: str) -> set[str]:
    """Devices that belong to other units only, or to none."""
    return {device["name"] for device in shown["devices"]} - devices_of(shown, unit)


def devices_of(shown: Snapshot, unit: str) -> set[str]:
    """Devices behind the roles and paths of a unit; none where there is no such unit."""
    facts = shown["units"].get(unit, {"roles": {}, "paths": {}, "loop": ""})
    roles = {signal.partition(".")[0] for signal in facts["roles"].values()}
    paths = {path.get(part, "") for path in facts["paths"].values() for part in ("pump", "valve")}
    return (roles | paths | {facts.get("loop", "")}) - {""}
