"""What the desk says about a protocol sent to it: its faults, its warnings, its plan. For the planner's thread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.plan_facts import facts, warning_facts, worked_out
from api.web.problems import Problem
from protocols.faults import Fault, ProtocolInvalid
from protocols.loading import Protocol, load, shipped
from protocols.planning import plan
from protocols.starting import best_start
from protocols.unwise import unwise

STEPS_AT_MOST = 2000
"""A best start plans a protocol a hundred times: not one longer than this."""
SOURCE_NAME = "protocol.yaml"


def checked(given: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """Every fault, or every warning."""
    try:
        protocol = opened(given, settings)
    except ProtocolInvalid as error:
        return {"in_order": False, "faults": [fault_facts(each) for each in error.faults], "warnings": []}
    return {
        "in_order": True,
        "name": protocol.name,
        "version": protocol.version,
        "sha256": protocol.sha256,
        "faults": [],
        "warnings": [warning_facts(each) for each in unwise(protocol)],
    }


def planned(given: str, settings: Mapping[str, str], start: float, zone: str, *, best: bool) -> dict[str, Any]:
    """Everything `osteon plan --json` gives. Raises Problem invalid with every fault."""
    try:
        protocol = opened(given, settings)
        found = None
        if best:
            found = best_start(lambda at: plan(protocol, at, zone), first_day(protocol, start, zone), zone)
            if found is None:
                raise Problem("invalid", f"{protocol.name}: no start in the week from then fits")
            start = found.chosen.start
        return facts(worked_out(protocol, plan(protocol, start, zone), best=found))
    except ProtocolInvalid as error:
        found_faults = [fault_facts(each) for each in error.faults]
        raise Problem("invalid", str(error.faults[0]), faults=found_faults) from None


def first_day(protocol: Protocol, start: float, zone: str) -> date:
    """The local date the week begins with; raises Problem invalid for a protocol that is too long to try."""
    try:
        steps = sum(node.kind == "step" for node in plan(protocol, start, zone).nodes.values())
    except ProtocolInvalid:  # not from this hour, but perhaps from another: of the same length
        steps = 0
    if steps > STEPS_AT_MOST:
        raise Problem("invalid", f"{steps} steps are too many to look for the best start; name a start")
    return datetime.fromtimestamp(start, ZoneInfo(zone)).date()


def opened(given: str, settings: Mapping[str, str]) -> Protocol:
    """A protocol by its text, or by the name of one that ships; never a file of this machine."""
    text = given if "\n" in given else shipped(given)
    if text is None:
        reason = f"no protocol {given[:100]!r} ships with osteon; send its text instead"
        raise ProtocolInvalid([Fault(given[:100], 1, 1, "", reason)])
    return load(text, f"{given}.yaml" if "\n" not in given else SOURCE_NAME).bound(settings)


def fault_facts(each: Fault) -> dict[str, Any]:
    return {"file": each.file, "line": each.line, "column": each.column, "field": each.field,
            "reason": each.reason, "right": each.right}  # fmt: skip
