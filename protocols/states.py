"""The states of a run and every way from one to another: one table (SM-01). API, buttons and tests are made from it."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    IDLE = "IDLE"
    RUNNING = "RUNNING"
    PAUSING = "PAUSING"
    PAUSED = "PAUSED"
    HOLDING = "HOLDING"
    HELD = "HELD"
    RESTARTING = "RESTARTING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    ABORTING = "ABORTING"
    ABORTED = "ABORTED"
    COMPLETE = "COMPLETE"


class Cause(StrEnum):
    """Eight commands of people (the first eight; HOLD also comes from rules) and three internal causes."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    RESTART = "restart"
    STOP = "stop"
    ABORT = "abort"
    RESET = "reset"
    DONE = "done"
    RECOVERED = "recovered"
    EXPIRED = "expired"


ENDED = frozenset({RunState.COMPLETE, RunState.STOPPED, RunState.ABORTED})
"""States from which a run goes on no more."""
COMMANDS = (Cause.START, Cause.PAUSE, Cause.RESUME, Cause.HOLD, Cause.RESTART, Cause.STOP, Cause.ABORT, Cause.RESET)

_S, _C = RunState, Cause

ALLOWED: dict[tuple[RunState, Cause], RunState] = {
    (_S.IDLE, _C.START): _S.RUNNING,
    (_S.RUNNING, _C.PAUSE): _S.PAUSING,
    (_S.RUNNING, _C.HOLD): _S.HOLDING,
    (_S.RUNNING, _C.STOP): _S.STOPPING,
    (_S.RUNNING, _C.ABORT): _S.ABORTING,
    (_S.RUNNING, _C.DONE): _S.COMPLETE,
    (_S.PAUSING, _C.HOLD): _S.HOLDING,
    (_S.PAUSING, _C.STOP): _S.STOPPING,
    (_S.PAUSING, _C.ABORT): _S.ABORTING,
    (_S.PAUSING, _C.DONE): _S.PAUSED,
    (_S.PAUSED, _C.RESUME): _S.RUNNING,
    (_S.PAUSED, _C.HOLD): _S.HOLDING,
    (_S.PAUSED, _C.STOP): _S.STOPPING,
    (_S.PAUSED, _C.ABORT): _S.ABORTING,
    (_S.HOLDING, _C.STOP): _S.STOPPING,
    (_S.HOLDING, _C.ABORT): _S.ABORTING,
    (_S.HOLDING, _C.DONE): _S.HELD,
    (_S.HELD, _C.RESTART): _S.RESTARTING,
    (_S.HELD, _C.STOP): _S.STOPPING,
    (_S.HELD, _C.ABORT): _S.ABORTING,
    (_S.RESTARTING, _C.HOLD): _S.HOLDING,
    (_S.RESTARTING, _C.STOP): _S.STOPPING,
    (_S.RESTARTING, _C.ABORT): _S.ABORTING,
    (_S.RESTARTING, _C.DONE): _S.RUNNING,
    (_S.STOPPING, _C.ABORT): _S.ABORTING,
    (_S.STOPPING, _C.DONE): _S.STOPPED,
    (_S.STOPPED, _C.ABORT): _S.ABORTING,
    (_S.STOPPED, _C.RESET): _S.IDLE,
    (_S.ABORTING, _C.DONE): _S.ABORTED,
    (_S.ABORTED, _C.RESET): _S.IDLE,
    (_S.COMPLETE, _C.RESET): _S.IDLE,
    # after a crash or restart of the controller (SM-08): never straight back to RUNNING
    (_S.RUNNING, _C.RECOVERED): _S.RESTARTING,
    (_S.PAUSING, _C.RECOVERED): _S.RESTARTING,
    (_S.RESTARTING, _C.RECOVERED): _S.RESTARTING,
    (_S.PAUSED, _C.RECOVERED): _S.PAUSED,
    (_S.HOLDING, _C.RECOVERED): _S.HELD,
    (_S.HELD, _C.RECOVERED): _S.HELD,
    (_S.STOPPING, _C.RECOVERED): _S.STOPPING,
    (_S.ABORTING, _C.RECOVERED): _S.ABORTING,
    (_S.COMPLETE, _C.RECOVERED): _S.COMPLETE,
    (_S.STOPPED, _C.RECOVERED): _S.STOPPED,
    (_S.ABORTED, _C.RECOVERED): _S.ABORTED,
    (_S.IDLE, _C.RECOVERED): _S.IDLE,
    # time limits of SM-02
    (_S.PAUSING, _C.EXPIRED): _S.HOLDING,
    (_S.RESTARTING, _C.EXPIRED): _S.HOLDING,
    (_S.HOLDING, _C.EXPIRED): _S.HELD,
    (_S.STOPPING, _C.EXPIRED): _S.STOPPED,
    (_S.ABORTING, _C.EXPIRED): _S.ABORTED,
}


def commands(state: RunState) -> list[str]:
    """What a person can ask of a run in `state`."""
    return [cause.value for cause in COMMANDS if (state, cause) in ALLOWED]


def after(state: RunState, cause: Cause) -> RunState | None:
    """Where `cause` leads from `state`; None when the table does not list it (the caller refuses)."""
    return ALLOWED.get((state, cause))
