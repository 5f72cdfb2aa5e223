"""Steps around other steps as nodes of the plan: every way and every round spelled out, each with its own path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from protocols import step_forms
from protocols.expressions.evaluating import truth
from protocols.expressions.reading import condition
from protocols.expressions.scope import Scope
from protocols.expressions.tree import Expression, measured, written
from protocols.faults import ProtocolInvalid
from protocols.paths import slugs
from protocols.plan import Node
from protocols.source import Loc
from protocols.step_forms import AnyStep, ControlStep

Do = Callable[[tuple[AnyStep, ...], str, Loc, int], tuple[Node, ...]]
"""Nodes of a list of steps: (steps, path of what they stand in, place of the list, culture day)."""
Call = Callable[[str, Mapping[str, str], str, Loc], tuple[Node, ...]]
"""Nodes of another protocol: (name, values of its parameters, path and place of the calling step)."""

CLOSEST_OF_INTERVAL = 0.5
"""Rounds that move fluid and do not say how near they may come: never closer than half their interval (our default)."""


class Control:
    """Makes nodes of control steps; `do` and `call` make the nodes of what stands inside."""

    def __init__(self, scope: Scope, do: Do, call: Call) -> None:
        self.scope, self.do, self.call = scope, do, call

    def node(self, step: ControlStep, path: str, loc: Loc, day: int) -> Node | None:
        """The node of one step; None when a parameter has decided that nothing of it is done."""
        match step:
            case step_forms.IfStep():
                return self._choice(step, path, loc, day)
            case step_forms.RepeatStep():
                return self._rounds(step, path, loc, day)
            case step_forms.TogetherStep(together=branches):
                names = [branch.branch for branch in branches]
                children = tuple(
                    Node(
                        f"{path}/{slug}",
                        branch.branch,
                        "sequence",
                        self.do(branch.do, f"{path}/{slug}", place, day),
                        independent=branch.independent,
                    )
                    for i, (branch, slug) in enumerate(zip(branches, slugs(names), strict=True))
                    if (place := (*loc, "together", i, "do"))
                )
                return Node(path, step.called or f"Together: {', '.join(names)}", "parallel", children)
            case step_forms.CallStep(call=name, settings=settings):
                try:
                    return Node(path, step.called or name, "sequence", self.call(name, settings, path, loc))
                except ProtocolInvalid as error:
                    raise ValueError(f"{name}: {error.faults[0].reason}") from error

    def _choice(self, step: step_forms.IfStep, path: str, loc: Loc, day: int) -> Node | None:
        tree = condition(step.condition, self.scope)
        ways = {name: (steps, (*loc, name)) for name, steps in (("then", step.then), ("else", step.otherwise))}
        if not (measured(tree) or written(tree)):  # parameters alone: the plan knows
            steps, place = ways["then" if truth(tree, {}, {}) else "else"]
            if not steps:
                return None
            return Node(path, step.called or f"As {step.condition}", "sequence", self.do(steps, path, place, day))
        children = tuple(
            Node(
                f"{path}/{name}", f"{name} ({step.condition})", "sequence", self.do(steps, f"{path}/{name}", place, day)
            )
            for name, (steps, place) in ways.items()
        )
        return Node(path, step.called or f"If {step.condition}", "choice", children, condition=tree)

    def _rounds(self, step: step_forms.RepeatStep, path: str, loc: Loc, day: int) -> Node:
        repeat = step.repeat
        tree: Expression | None = None if repeat.until is None else condition(repeat.until, self.scope)
        until = "" if repeat.until is None else f" until {repeat.until}"
        title = step.called or f"Repeat{until}, at most {repeat.at_most} rounds"
        children = tuple(
            self._round(repeat, f"{path}/{i + 1}", i, (*loc, "repeat", "do"), day) for i in range(repeat.at_most)
        )
        return Node(path, title, "rounds", children, condition=tree)

    def _round(self, repeat: step_forms.Repeat, path: str, index: int, place: Loc, day: int) -> Node:
        node = Node(path, f"Round {index + 1}", "sequence", self.do(repeat.do, path, place, day))
        if repeat.every is None:
            return node
        closest_s = repeat.never_closer_than or CLOSEST_OF_INTERVAL * repeat.every
        key = path.rpartition("/")[0]
        return replace(node, after_s=index * repeat.every, spacing_key=key, min_interval_s=closest_s)
