"""Set points on their way: a ramp is a row of small steps, each set, read back and on record before the next (INV-09).

Where a ramp stands follows from its ends and the number of steps taken, and steps are taken while the run is RUNNING
only: in a hold, a pause or an outage it stays where it is, and goes on from there. So nothing ever moves faster than
the protocol says, and no step comes twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocols.plan import Plan, SetEnvironment, SetPoint
from protocols.run import Active

STEPS_AT_MOST = 100
"""Each is a write to the device and a record."""
STEP_AT_LEAST_S = 10.0
SET = "+"


def steps(work: SetEnvironment) -> int:
    """Into how many steps its longest ramp is cut."""
    return max(1, min(STEPS_AT_MOST, int(work.over_s / STEP_AT_LEAST_S)))


def step_s(work: SetEnvironment) -> float:
    return work.over_s / steps(work)


def number(active: Active) -> int:
    """The step it is at; 0 = its start."""
    return int(active.part.removesuffix(SET) or 0)


def points(work: SetEnvironment, start: tuple[SetPoint, ...], taken: int) -> tuple[SetPoint, ...]:
    """The set points after so many steps, from `start` at 0 to their ends; what has no ramp is at its end at once."""
    began = {point.role: point.value for point in start}
    run_s = taken * step_s(work)
    done = taken >= steps(work)
    found: list[SetPoint] = []
    for end in work.points:
        value = end.value
        if not done and run_s < end.over_s and end.role in began:
            value = began[end.role] + (end.value - began[end.role]) * run_s / end.over_s
        found.append(SetPoint(end.role, value, end.unit))
    return tuple(found)


def reached(work: SetEnvironment, active: Active) -> tuple[SetPoint, ...]:
    """The set points of the step it is at, read back or not."""
    return points(work, active.start, number(active))


def confirmed(work: SetEnvironment, active: Active) -> tuple[SetPoint, ...]:
    """The set points of the last step that was read back."""
    taken = number(active) - (0 if active.part.endswith(SET) else 1)
    return points(work, active.start, max(0, taken))


def in_force(plan: Plan, keeps: Mapping[str, str], stood: Mapping[str, tuple[SetPoint, ...]]) -> dict[str, SetPoint]:
    """Role -> the set point that its step gave it (`keeps`), or at which a ramp was left (`stood`)."""
    found: dict[str, SetPoint] = {}
    for role, path in keeps.items():
        work = plan.nodes[path].work
        if isinstance(work, SetEnvironment):
            last = stood.get(path) or points(work, (), steps(work))
            found.update((role, point) for point in last if point.role == role)
    return found


def next_step(work: SetEnvironment, active: Active) -> float | None:
    """When the next step is due; None while the present one is not read back."""
    if active.question or not active.part.endswith(SET):
        return None
    return active.since + step_s(work)
