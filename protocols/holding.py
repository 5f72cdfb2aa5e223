"""What a protocol says about holds: alarms at which the run holds by rule, and the task that each hold opens."""

from __future__ import annotations

from protocols.draft import Draft
from protocols.effects import CloseTask, Raise
from protocols.states import RunState

TASK = "on hold"
"""Its tasks have the paths "on hold/1", "on hold/2": no step of a plan has a blank in its path."""
TITLE = "While the run is held"
BY_RULE = "held by the protocol's rule for alarms"


def at_alarms(draft: Draft) -> None:
    """Hold at the first alarm raised so far that the protocol wants the run held at (SM-09)."""
    for note in draft.notes:
        if isinstance(note, Raise) and draft.plan.holds_at(note.priority, note.text):
            draft.hold(f"{note.text} ({BY_RULE})")
            return


def task(draft: Draft, before: RunState) -> None:
    """Open the task of a hold once it has come to rest; close it, if nobody answered, when the run leaves the hold."""
    if draft.state is RunState.HELD and before is not RunState.HELD and draft.plan.hold_task is not None:
        draft.held += 1
        draft.hold_task = f"{TASK}/{draft.held}"
    elif draft.state is not RunState.HELD and draft.hold_task:
        draft.notes.append(CloseTask(draft.hold_task, f"the run is {draft.state}"))
        draft.hold_task = ""
