"""How the unit of a run is worked: by itself, step by step at a person's word, or by hand (SM-06)."""

from __future__ import annotations

from protocols.draft import Draft, NotAllowed
from protocols.events import Advanced, ModeSet
from protocols.states import ENDED, RunState


def chosen(draft: Draft, event: ModeSet) -> None:
    """Into manual the run is held first; out of it the run stays held until a person restarts it."""
    if draft.state in ENDED or draft.state is RunState.IDLE:
        raise NotAllowed(f"the run is {draft.state}: its unit has no mode")
    if draft.mode == event.mode:
        raise NotAllowed(f"the mode is {event.mode} already")
    draft.mode = event.mode
    draft.deviate("", f"{event.by} set the mode to {event.mode}{': ' + event.why if event.why else ''}")
    if event.mode == "manual":
        draft.hold(f"manual control by {event.by}")


def advanced(draft: Draft, event: Advanced) -> None:
    """One waiting step may begin."""
    if draft.mode != "step":
        raise NotAllowed(f"the mode is {draft.mode}: steps do not wait for anybody")
    if draft.state is not RunState.RUNNING or event.path not in draft.waiting:
        waiting = ", ".join(draft.waiting) or "none"
        raise NotAllowed(f"{event.path} does not wait to begin; waiting: {waiting}")
    draft.let = event.path
