"""How fast set points may change on a unit: what the bench file allows, against what a plan asks for (INV-09)."""

from __future__ import annotations

from collections.abc import Iterator

from controller.settings import UnitSettings
from protocols.plan import Plan, SetEnvironment
from protocols.tree import duration

HOUR_S = 3600.0
SLACK = 1e-9


def failures(plan: Plan, unit: UnitSettings) -> Iterator[str]:
    """Sentences, one for each step that changes a set point faster than `fastest`, from what steps before it set.

    Free is what has nothing before it (the bench warms up as fast as it can), and what a hold or the end sets.
    """
    in_force: dict[str, float] = {}
    for node in plan.environment:
        if not isinstance(node.work, SetEnvironment):
            continue
        for point in node.work.points:
            before = in_force.get(point.role, point.value)
            in_force[point.role] = point.value
            fastest, change = unit.fastest.get(point.role), abs(point.value - before)
            if fastest is None or change <= SLACK or change * HOUR_S <= fastest * point.over_s * (1 + SLACK):
                continue
            asked = f"{point.role} from {before:g} to {point.value:g} {point.unit}"
            pace = f"over {duration(point.over_s)}" if point.over_s else "at once"
            needs = f"write 'over {duration(change / fastest * HOUR_S)}' or longer"
            yield f"{node.path}: {asked} {pace}, {unit.name} allows {fastest:g} {point.unit} an hour; {needs}"
