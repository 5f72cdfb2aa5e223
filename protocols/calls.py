"""Protocols that call others: beside the file or those that ship, and checked before anything is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from protocols.faults import Fault, ProtocolInvalid
from protocols.models import Document
from protocols.nesting import all_steps
from protocols.protocol import Protocol
from protocols.source import Loc
from protocols.step_forms import CallStep

DEEPEST = 3
"""Protocols inside protocols; deeper than this nobody can read what a run will do."""

Find = Callable[[str], Protocol | None]
"""A protocol by its name, calls and all; None when there is none."""


def with_callees(protocol: Protocol, find: Find, above: tuple[str, ...]) -> Protocol:
    """The protocol with everything it calls; raises ProtocolInvalid at the calling step. `above` = who calls it."""
    callees: dict[str, Protocol] = {}
    faults: list[Fault] = []
    for loc, step in calls(protocol.document):
        place = (*loc, "call")
        why, right = refused(protocol, step, find, (*above, protocol.name), callees)
        if why:
            faults.append(protocol.source.fault(place, why, right))
    if faults:
        raise ProtocolInvalid(faults)
    return replace(protocol, callees=callees) if callees else protocol


def calls(document: Document) -> Iterator[tuple[Loc, CallStep]]:
    for loc, step in all_steps(document):
        if isinstance(step, CallStep):
            yield loc, step


def refused(
    protocol: Protocol, step: CallStep, find: Find, line: tuple[str, ...], callees: dict[str, Protocol]
) -> tuple[str, str]:
    """Why a protocol cannot be called here, and what would be right; ("", "") and an entry in `callees` when it can."""
    if step.call in line:
        return f"calls itself: {' > '.join((*line, step.call))}", "take the call out"
    if len(line) > DEEPEST:
        return f"calls nested deeper than {DEEPEST}: {' > '.join(line)}", "write the steps out"
    try:
        found = callees.get(step.call) or find(step.call)
        if found is None:
            return f"no protocol is called {step.call!r}", "a name of the library, or of a file beside this one"
        found.bound(step.settings)
    except ProtocolInvalid as error:
        inner = error.faults[0]  # only the innermost place is told
        told = inner.reason.startswith("in ")
        return inner.reason if told else f"in {inner.file}, line {inner.line}: {inner.reason}", inner.right
    if why := timed(found.document):
        return f"{step.call} has times of its own ({why}), and runs when its turn comes", "call one without times"
    here = {need for vessel in protocol.document.vessels.values() for need in vessel.needs}
    missing = {need for vessel in found.document.vessels.values() for need in vessel.needs} - here
    if missing:
        return f"{step.call} needs {', '.join(sorted(missing))}, which no vessel here names", "add it to the needs"
    callees[step.call] = found
    return "", ""


def timed(document: Document) -> str:
    """The first stage or operation with a time; "" when there is none."""
    for stage in document.stages:
        for name, scheduled in (
            (stage.stage, stage),
            *((operation.operation, operation) for operation in (*stage.operations, *stage.together)),
        ):
            if scheduled.at is not None or scheduled.every is not None or scheduled.days is not None:
                return name
    return ""
