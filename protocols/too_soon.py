"""Given times that cannot be kept: what stands before them is not done by then, however well all goes."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from protocols.calendar import step_row
from protocols.moments import Calendar as Days
from protocols.plan import Node, Plan


@dataclass(frozen=True, slots=True)
class TooSoon:
    """UTC s: when it is due, and the earliest end of what stands before it. `path`: of what is due."""

    path: str
    title: str
    due: float
    earliest: float
    before: str
    """Title of what stands before it."""


def too_soon(plan: Plan) -> tuple[TooSoon, ...]:
    """In the order of the plan. What may be left out, by a decision, counts as left out; what is within its window is
    on time."""
    layout = _Layout(Days(plan.start, ZoneInfo(plan.zone)))
    layout.end(plan.root, plan.start, "the start")
    return tuple(layout.found)


class _Layout:
    def __init__(self, days: Days) -> None:
        self.days = days
        self.found: list[TooSoon] = []

    def end(self, node: Node, earliest: float, before: str) -> float:
        """The earliest end of a node that may begin at `earliest`, when `before` has ended."""
        at = earliest
        if node.due is not None:
            window_s = node.late.window_s if node.late else 0.0
            if node.due + window_s < earliest - 1:
                self.found.append(TooSoon(node.path, node.title, node.due, earliest, before))
            at = max(earliest, node.due)
        match node.kind:
            case "sequence":
                for child in node.children:
                    at = self.end(child, at, before)
                    before = child.title
                return at
            case "parallel":
                return max([self.end(child, at, before) for child in node.children], default=at)
            case "choice":
                return min([self.end(child, at, before) for child in node.children], default=at)
            case "rounds":
                for child in node.children if node.condition is None else node.children[:1]:
                    at = self.end(child, max(at, earliest + child.after_s), before)
                return at
            case "step":
                return at + step_row(node, at, self.days)[1]
