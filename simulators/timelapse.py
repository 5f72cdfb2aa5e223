"""A plan whose waiting is cut short: the same acts in the same order, weeks in hours; cells live the whole time.

Between two moments of the plan stays as much time as what is due at the first needs. Tolerances and limits are left as
they are, shortest distances shrink with the time between. What cells do is told by the clock of the whole plan
(`Timelapse.whole`); what pumps, gas and people do is told by the bench's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from protocols.plan import Dose, Exchange, Fluid, Hand, Node, Pause, Plan, SetEnvironment, WaitUntil, Withdraw, Work

HAND_S = 1500.0
"""A simulated person answers within 20 minutes."""
PAUSE_S, WAIT_S, STROKES_S, SET_S = 600.0, 300.0, 600.0, 60.0
RAMP_SLACK = 1.2
"""A step of a ramp waits until the one before is read back."""
BETWEEN_S, APART_S = 300.0, 3600.0
"""Between two moments, and between rounds without a time of their own, at least."""


@dataclass(frozen=True, slots=True)
class Timelapse:
    """Moments of the plan as it is written and, in the same order, when they come (UTC s); both rise."""

    written: tuple[float, ...]
    comes: tuple[float, ...]

    def short(self, written: float) -> float:
        """When a moment of the plan comes."""
        return _between(self.written, self.comes, written)

    def whole(self, now: float) -> float:
        """The moment of the plan that comes `now`."""
        return _between(self.comes, self.written, now)


def _between(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """Straight from point to point; before the first and after the last as time goes."""
    i = bisect_right(xs, x)
    if i == 0:
        return ys[0] + x - xs[0]
    if i == len(xs):
        return ys[-1] + x - xs[-1]
    return ys[i - 1] + (x - xs[i - 1]) * (ys[i] - ys[i - 1]) / (xs[i] - xs[i - 1])


def cut_short(plan: Plan, rounds: int | None = None) -> tuple[Plan, Timelapse]:
    """The plan with its waiting cut short, and its two clocks.

    `rounds`: of an operation of the pumps that comes again and again only so many are left, the last one among them.
    """
    plan = _fewer(plan, rounds)
    lead_s, moments = _moments(plan.root)
    written, comes, busy = [plan.start], [plan.start], plan.start + lead_s
    for due, needs_s in sorted(moments):
        if due > written[-1]:
            comes.append(min(comes[-1] + due - written[-1], max(busy, comes[-1] + BETWEEN_S)))
            written.append(due)
        busy = max(busy, comes[-1] + needs_s)
    lapse = Timelapse(tuple(written), tuple(comes))
    return by_clock(plan, lapse), lapse


def by_clock(plan: Plan, lapse: Timelapse, rounds: int | None = None) -> Plan:
    """A plan by the clocks of another of the same start: what a person changes under way moves no moment."""
    plan = _fewer(plan, rounds)
    return replace(plan, root=_cut(plan.root, lapse, _shrinks(plan, lapse)))


def _fewer(plan: Plan, rounds: int | None) -> Plan:
    return plan if rounds is None else replace(plan, root=_thinned(plan.root, rounds))


def _thinned(node: Node, rounds: int) -> Node:
    children = node.children
    if len(children) > rounds and all(child.due is not None and _moves_fluid(child) for child in children):
        children = (*children[: rounds - 1], children[-1])
    return replace(node, children=tuple(_thinned(child, rounds) for child in children))


def _moves_fluid(node: Node) -> bool:
    return isinstance(node.work, Fluid) or any(_moves_fluid(child) for child in node.children)


def _moments(node: Node) -> tuple[float, list[tuple[float, float]]]:
    """(what it needs before anything in it that has a time, [(time, what it needs from then on), …])."""
    lead, found = (0.0 if node.work is None else _work_s(node.work)), list[tuple[float, float]]()
    for child in node.children:
        needs_s, more = _moments(child)
        if node.kind in ("parallel", "choice"):
            lead = max(lead, needs_s)
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + needs_s)
        else:
            lead += needs_s
        found += more
        found.sort()
    return (lead, found) if node.due is None else (0.0, [(node.due, lead), *found])


def _work_s(work: Work) -> float:
    match work:
        case Hand():
            return HAND_S
        case Pause(for_s=for_s):
            return min(for_s, PAUSE_S)
        case WaitUntil():
            return 2 * WAIT_S
        case Withdraw() as work:
            return STROKES_S + 120 * work.volume_ml / work.rate_ml_min
        case Exchange() as work:
            minutes = work.at_most_ml / work.out_rate_ml_min + work.fill_ml / work.fill_rate_ml_min
            return 2 * STROKES_S + 120 * minutes  # each is drawn, then delivered
        case Dose() as work:
            return STROKES_S + 120 * work.volume_ml / work.rate_ml_min
        case SetEnvironment() as work:
            return SET_S + RAMP_SLACK * min(work.over_s, PAUSE_S)


def _shrinks(plan: Plan, lapse: Timelapse) -> dict[str, float]:
    """How much the shortest distance of occurrences that must not be too close has shrunk, by their key."""
    dues: dict[str, list[float]] = {}
    for node in plan.nodes.values():
        if node.spacing_key and node.due is not None:
            dues.setdefault(node.spacing_key, []).append(node.due)
    shrunk = {
        key: [(lapse.short(b) - lapse.short(a)) / (b - a) for a, b in pairwise(sorted(each)) if b > a]
        for key, each in dues.items()
    }
    return {key: min(each, default=1.0) for key, each in shrunk.items()}


def _cut(node: Node, lapse: Timelapse, shrinks: Mapping[str, float], share: float = 1.0) -> Node:
    """`share`: how much the distances among it and its like, which have no time of their own, have shrunk."""
    match node.work:
        case Pause(for_s=for_s) as pause:
            work: Work | None = replace(pause, for_s=min(for_s, PAUSE_S))
        case WaitUntil(for_s=for_s) as wait:
            work = replace(wait, for_s=min(for_s, WAIT_S))
        case SetEnvironment(points=points):
            work = SetEnvironment(tuple(replace(point, over_s=min(point.over_s, PAUSE_S)) for point in points))
        case other:
            work = other
    apart_s = min((child.after_s for child in node.children if child.after_s > 0), default=0.0)
    inside = min(1.0, APART_S / apart_s) if apart_s else 1.0
    return replace(
        node,
        work=work,
        due=None if node.due is None else lapse.short(node.due),
        after_s=node.after_s * share,
        min_interval_s=node.min_interval_s * shrinks.get(node.spacing_key, share),
        children=tuple(_cut(child, lapse, shrinks, inside) for child in node.children),
    )
