"""Labels of a plan (RM-10): what carries one, and the text of its 2D code, which a scan gives back.

`osteon:bottle:<owner>:<name>:<n>`: the kind; the run, or the plan before there is one; the name as the protocol has it;
and which of several, from 1. Name and owner are percent-encoded, so the text is plain ASCII and reads back exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from protocols.moments import Calendar
from protocols.plan import Hand, Plan
from protocols.protocol import Protocol

Kind = Literal["donor", "flask", "plate", "vessel", "bottle", "sample"]
KINDS: tuple[Kind, ...] = get_args(Kind)
BY_NAME: dict[str, Kind] = {kind: kind for kind in KINDS}
PREFIX = "osteon"


@dataclass(frozen=True, slots=True)
class Label:
    """One thing of a run that carries a code."""

    kind: Kind
    owner: str
    """Run id, or `plan_id` of a plan that is not started."""
    name: str
    n: int = 1
    note: str = ""
    """For the person: what it holds, or when it is due. Not part of the code."""

    @property
    def code(self) -> str:
        """The text of the 2D code."""
        return f"{PREFIX}:{self.kind}:{quote(self.owner, safe='')}:{quote(self.name, safe='')}:{self.n}"


def read(code: str) -> Label:
    """The label of a scanned text; raises ValueError in words when it is none of ours."""
    parts = code.strip().split(":")
    if len(parts) != 5 or parts[0] != PREFIX:
        raise ValueError(f"{code[:80]!r} is no label of osteon")
    kind = BY_NAME.get(parts[1])
    if kind is None:
        raise ValueError(f"{code[:80]!r}: {parts[1]!r} is no kind of label ({', '.join(KINDS)})")
    owner, name, n = unquote(parts[2]), unquote(parts[3]), parts[4]
    if not owner or not name or not n.isascii() or not n.isdecimal() or len(n) > 6 or int(n) < 1:
        raise ValueError(f"{code[:80]!r} is a damaged label of osteon: scan it again or type it")
    return Label(kind, owner, name, int(n))


def plan_id(plan: Plan) -> str:
    """A short stable name of a plan: the same protocol, version, start and values give the same."""
    return _plan_id(plan.protocol, plan.version, plan.start, plan.zone, plan.parameters)


def recorded_plan_id(plan: Mapping[str, Any]) -> str:
    """The same of a plan as it is on record, without making a plan of it."""
    return _plan_id(plan["protocol"], plan["version"], plan["start"], plan["zone"], plan.get("parameters", {}))


def _plan_id(protocol: str, version: str, start: float, zone: str, parameters: Mapping[str, str]) -> str:
    facts = json.dumps([protocol, version, start, zone, sorted(parameters.items())])
    return f"p-{hashlib.sha256(facts.encode()).hexdigest()[:10]}"


def labels(protocol: Protocol, plan: Plan, owner: str = "") -> tuple[Label, ...]:
    """Every label a plan needs, in the order they are stuck on: donor, vessels, then bottles and samples by date."""
    return tuple(_labels(protocol, plan, owner or plan_id(plan)))


def _labels(protocol: Protocol, plan: Plan, owner: str) -> Iterator[Label]:
    yield Label("donor", owner, "donor", note="one donor per unit")
    for name, vessel in protocol.document.vessels.items():
        wells = f"{vessel.wells} wells" if vessel.wells else ""
        for n in range(1, vessel.count + 1):
            yield Label(vessel.label, owner, name, n, wells)
    days = Calendar(plan.start, ZoneInfo(plan.zone))
    seen: dict[tuple[Kind, str], int] = {}
    due = plan.start
    for node in plan.nodes.values():
        due = node.due if node.due is not None else due
        if not isinstance(node.work, Hand):
            continue
        for what, name in _carriers(node.work):
            seen[what, name] = n = seen.get((what, name), 0) + 1
            yield Label(what, owner, name, n, f"day {days.day(due)}, {days.local(due):%a %d %b}")


def makers(plan: Plan, kind: Kind, name: str) -> tuple[str, ...]:
    """The paths of the hand steps that make the bottles or samples of this name: the n-th makes label n."""
    return tuple(
        path
        for path, node in plan.nodes.items()
        if isinstance(node.work, Hand)
        for made in _carriers(node.work)
        if made == (kind, name)
    )


def _carriers(hand: Hand) -> Iterator[tuple[Kind, str]]:
    """What a hand step makes that needs a label: a bottle hung, a sample taken."""
    for act in hand.acts:
        if act.act == "renew":
            yield "bottle", act.fluid
    if hand.sample:
        yield "sample", hand.sample
