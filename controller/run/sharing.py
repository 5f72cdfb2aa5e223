"""Whether a plan leaves alone what units share: the first run sets a chamber, others start if they agree (RM-12)."""

from __future__ import annotations

from collections.abc import Iterator

from controller.outputs import Outputs
from controller.settings import UnitSettings
from protocols.plan import Plan, SetEnvironment, SetPoint


def failures(plan: Plan, unit: UnitSettings, outputs: Outputs) -> Iterator[str]:
    """Sentences, one for each set point or end value that would move what another live run keeps."""
    found: dict[str, None] = {}
    for point in points(plan):
        output = unit.roles.get(f"{point.role} set", "")
        if output and (why := outputs.against(output, "", point.value, point.unit)):
            found[f"{point.role} {point.value:g} {point.unit} of {unit.name} cannot be: {why}"] = None
    yield from found


def points(plan: Plan) -> Iterator[SetPoint]:
    """Every set point a plan may ask for: of its steps, of a hold, of its end."""
    for node in plan.environment:
        if isinstance(node.work, SetEnvironment):
            yield from node.work.points
    yield from plan.hold_points
    yield from plan.end_points
