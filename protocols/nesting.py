"""Steps inside steps: where each list of them stands in the file, and all of them one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from protocols import step_forms
from protocols.models import Document
from protocols.source import Loc
from protocols.step_forms import AnyStep

Placed = tuple[Loc, AnyStep]


def inside(step: AnyStep) -> Iterator[tuple[Loc, tuple[AnyStep, ...]]]:
    """The lists of steps a step has, each with its place in the step."""
    match step:
        case step_forms.IfStep():
            yield ("then",), step.then
            yield ("else",), step.otherwise
        case step_forms.RepeatStep(repeat=repeat):
            yield ("repeat", "do"), repeat.do
        case step_forms.TogetherStep(together=branches):
            for i, branch in enumerate(branches):
                yield ("together", i, "do"), branch.do
        case _:
            return


def flat(steps: tuple[AnyStep, ...], loc: Loc = ()) -> Iterator[Placed]:
    """Every step of a list, those inside others after the one they stand in; `loc` = the place of the list."""
    for i, step in enumerate(steps):
        yield (*loc, i), step
        for place, inner in inside(step):
            yield from flat(inner, (*loc, i, *place))


def all_steps(document: Document) -> Iterator[Placed]:
    """Every step of a protocol, in the order of the file."""
    for i, stage in enumerate(document.stages):
        yield from flat(stage.do, ("stages", i, "do"))
        for key, operations in (("operations", stage.operations), ("together", stage.together)):
            for j, operation in enumerate(operations):
                yield from flat(operation.do, ("stages", i, key, j, "do"))
