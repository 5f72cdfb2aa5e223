"""The machine does what the table of safety-and-records 3.2 says, for every state and every cause."""

from __future__ import annotations

import pytest

from protocols import machine
from protocols.machine import NotAllowed
from protocols.plan import Interruption, Pause
from protocols.run import Active, Run
from protocols.states import ALLOWED, COMMANDS, Cause, RunState, after
from tests.protocols.answering import START, command, one, started

# Typed from the page, row by row: Start Pause Resume Hold Restart Stop Abort Reset done | recovered expired
PAGE = """
IDLE        RUNNING .       .       .       .          .        .        .    .        | IDLE       .
RUNNING     .       PAUSING .       HOLDING .          STOPPING ABORTING .    COMPLETE | RESTARTING .
PAUSING     .       .       .       HOLDING .          STOPPING ABORTING .    PAUSED   | RESTARTING HOLDING
PAUSED      .       .       RUNNING HOLDING .          STOPPING ABORTING .    .        | PAUSED     .
HOLDING     .       .       .       .       .          STOPPING ABORTING .    HELD     | HELD       HELD
HELD        .       .       .       .       RESTARTING STOPPING ABORTING .    .        | HELD       .
RESTARTING  .       .       .       HOLDING .          STOPPING ABORTING .    RUNNING  | RESTARTING HOLDING
STOPPING    .       .       .       .       .          .        ABORTING .    STOPPED  | STOPPING   STOPPED
STOPPED     .       .       .       .       .          .        ABORTING IDLE .        | STOPPED    .
ABORTING    .       .       .       .       .          .        .        .    ABORTED  | ABORTING   ABORTED
ABORTED     .       .       .       .       .          .        .        IDLE .        | ABORTED    .
COMPLETE    .       .       .       .       .          .        .        IDLE .        | COMPLETE   .
"""
CAUSES = (*COMMANDS, Cause.DONE, Cause.RECOVERED, Cause.EXPIRED)


def page() -> dict[tuple[RunState, Cause], RunState | None]:
    table: dict[tuple[RunState, Cause], RunState | None] = {}
    for line in PAGE.strip().splitlines():
        state, *cells = line.replace("|", " ").split()
        assert len(cells) == len(CAUSES)
        for cause, cell in zip(CAUSES, cells, strict=True):
            table[RunState(state), cause] = None if cell == "." else RunState(cell)
    return table


PAIRS = [(state, cause) for state in RunState for cause in Cause]
PLAN = one(Pause(3600.0), interruption=Interruption.RESUME)


def run_in(state: RunState, cause: Cause) -> Run:
    """A run in `state` on which `cause` can act: not begun when IDLE, finished when COMPLETE or about to be."""
    if state is RunState.IDLE:
        return Run()
    if state is RunState.COMPLETE or (state is RunState.RUNNING and cause is Cause.DONE):
        return Run(state, START, finished={"run": "done", "a": "done"})
    if state in (RunState.STOPPED, RunState.ABORTED):
        return Run(state, START, finished={"run": "cancelled", "a": "cancelled"})
    return Run(state, START, active={"run": Active(START, "0"), "a": Active(START)})


@pytest.mark.req("SM-01")
def test_the_table_in_code_is_the_table_of_the_page():
    typed = page()
    assert {pair: after(*pair) for pair in PAIRS} == typed
    assert len(ALLOWED) == sum(target is not None for target in typed.values())


@pytest.mark.req("SM-01")
@pytest.mark.parametrize(("state", "cause"), PAIRS, ids=lambda value: str(value))
def test_the_machine_goes_where_the_page_says_and_refuses_the_rest(state: RunState, cause: Cause):
    expected = page()[state, cause]
    run = run_in(state, cause)
    if expected is None and cause in COMMANDS:
        with pytest.raises(NotAllowed, match=r"possible now: |archived"):
            machine.step(PLAN, run, command(cause, START + 1))
        return
    after_it, _ = machine.step(PLAN, run, command(cause, START + 1))
    assert after_it.state is (expected or state)


def test_a_late_done_does_not_complete_a_run_that_has_work_left():
    run, _ = started(PLAN)
    assert machine.step(PLAN, run, command(Cause.DONE, START + 1))[0].state is RunState.RUNNING


def test_an_archived_run_is_not_started_again():
    run, _ = started(PLAN)
    for i, cause in enumerate((Cause.ABORT, Cause.DONE, Cause.RESET)):
        run, _ = machine.step(PLAN, run, command(cause, START + 1 + i))
    assert run.state is RunState.IDLE
    assert run.finished == {"a": "cancelled", "run": "cancelled"}
    with pytest.raises(NotAllowed, match="archived"):
        machine.step(PLAN, run, command(Cause.START, START + 9))
