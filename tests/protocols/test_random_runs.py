"""Random protocols under random events, people's changes and restarts: what holds for every run, and that each ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols import amending, deciding, machine
from protocols.amending import Amendment, CannotAmend
from protocols.effects import Effect, Transfer
from protocols.events import (
    Advanced,
    Answered,
    Command,
    ConditionMet,
    Decision,
    Event,
    Looked,
    ModeSet,
    PointsSet,
    TimeCame,
    TransferEnded,
)
from protocols.faults import ProtocolInvalid
from protocols.machine import NotAllowed
from protocols.plan import Fluid, Hand, Pause, Plan, SetEnvironment
from protocols.records import as_json, from_json
from protocols.run import Run
from protocols.states import ENDED, Cause, RunState
from protocols.tree import due, first_part
from tests.protocols.answering import START
from tests.protocols.random_protocols import SETTINGS, planned, texts

OUTCOMES = ("done", "done", "done", "short", "over", "unknown", "differ", "refused", "failed")
AHEAD_S = (0.0, 1.0, 60.0, 600.0, 5000.0, 40_000.0)
CAUSES = (*[Cause.HOLD, Cause.DONE, Cause.RESTART, Cause.RECOVERED, Cause.PAUSE, Cause.RESUME] * 3, *Cause)
KINDS = (*["fit"] * 12, *["time"] * 6, *["command"] * 2, *["amend"] * 3, "mode", "mode", "late", "restart")
UNFIT = RunState.RUNNING, RunState.PAUSING, RunState.RESTARTING
"""States in which a unit worked by hand never is."""
MOVES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 10_000), st.sampled_from(AHEAD_S)), min_size=20, max_size=60
)


@dataclass
class Trial:
    """A run with what is remembered of it beside the machine: what ever began, and when fluid began to move."""

    text: str
    plan: Plan
    run: Run = field(default_factory=Run)
    at: float = START
    events: list[Event] = field(default_factory=list)
    states: list[Run] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)
    fed: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Spacing key -> the occurrence that moved fluid last, and when its last stroke was asked for."""

    def feed(self, event: Event) -> None:
        """One event, and everything that must be true after it; a refused one leaves the run as it was."""
        before, self.at = self.run, event.at
        event = from_json(as_json(event))  # type: ignore[assignment]
        plan = machine.plan_after(self.plan, event)
        try:
            self.run, effects = machine.step(self.plan, self.run, event)
        except NotAllowed:
            assert self.run is before
            return
        self.plan = plan
        self.events.append(event)
        self.states.append(self.run)
        self.in_order(before, event)
        self.kept(before, event)
        self.spaced(before, effects)

    def in_order(self, before: Run, event: Event) -> None:
        """INV-13: nothing starts twice, or before what stands in front of it is over."""
        now = self.run
        new = now.active.keys() - before.active.keys()
        assert not new & self.begun, "a key began twice"
        self.begun |= new
        for node in self.plan.nodes.values():
            if node.kind in ("sequence", "rounds", "choice"):
                active = [i for i, child in enumerate(node.children) if child.path in now.active]
                assert len(active) <= 1, f"{node.path}: two at once"
                if active and node.kind != "choice":
                    assert all(child.path in now.finished for child in node.children[: active[0]])
        for path in new:
            when = due(now, self.plan, self.plan.nodes[path])
            assert when is None or when <= now.looked, f"{path} began before its time"
        if before.mode == "step":
            steps = {path for path in new if self.plan.nodes[path].kind == "step"}
            let = {event.path} if isinstance(event, Advanced) else set[str]()
            assert isinstance(event, ModeSet) or steps <= let

    def kept(self, before: Run, event: Event) -> None:
        """INV-14, INV-33, SM-05, SM-06: dispositions stay, states are those that people and the table allow."""
        now = self.run
        assert before.finished.items() <= now.finished.items(), "a disposition changed"
        assert not now.active.keys() & now.finished.keys()
        known = self.plan.nodes.keys()
        assert now.active.keys() | now.finished.keys() <= known, "what has begun is not in the plan any more"
        for path, active in now.active.items():
            assert self.plan.parents.get(path, path) in {*now.active, path}
            holds = active.question and not self.plan.waits_alone(path)
            assert not holds or now.state not in (RunState.RUNNING, RunState.RESTARTING)
        for path in now.finished:
            assert all(child.path in now.finished for child in self.plan.nodes[path].children), f"{path} lost a step"
        if now.state in (RunState.STOPPING, RunState.ABORTING) and before.state is not now.state:
            assert isinstance(event, Command)
            assert event.cause in (Cause.STOP, Cause.ABORT)
        if now.state in ENDED:
            assert now.finished.keys() == known
        assert now.mode != "manual" or now.state not in UNFIT, "a run goes on while a person works the unit by hand"
        time = machine.next_time(self.plan, now)
        assert time is None or time > now.looked, f"{time}, {now.looked}, {now}"

    def spaced(self, before: Run, effects: tuple[Effect, ...]) -> None:
        """INV-15: strokes of two occurrences are as far apart as the rule says; none while nothing may move."""
        if self.run.state not in (RunState.RUNNING, RunState.PAUSING):
            assert not [each for each in machine.wanted(self.plan, self.run) if isinstance(each, Transfer)]
        for transfer in effects:
            if not isinstance(transfer, Transfer):
                continue
            again = transfer.path in before.active and before.state is not RunState.RUNNING
            if transfer.part != first_part(self.plan.nodes[transfer.path]) and not again:
                continue
            spaced = [self.plan.nodes[path] for path in self.plan.upward(transfer.path)]
            for node in {node.spacing_key: node for node in reversed(spaced) if node.spacing_key}.values():
                last, when = self.fed.get(node.spacing_key, ("", 0.0))
                if last not in ("", node.path):
                    assert self.at - when >= node.min_interval_s, f"{node.path} too close to {last}"
                self.fed[node.spacing_key] = (node.path, self.at)

    # Events that fit

    def event(self, kind: str, choice: int, ahead_s: float) -> Event:
        at = self.at + ahead_s
        match kind:
            case "fit" if (found := self.fitting(at, choice)) is not None:
                return found
            case "time":
                time = machine.next_time(self.plan, self.run)
                return TimeCame(at if time is None else max(self.at, time))
            case "late":
                return self.late(at, choice)
            case "mode":
                return ModeSet(at, "Ann", ("auto", "step", "manual")[choice % 3])
            case "restart":
                return Command(at, Cause.RECOVERED, "engine", gap_s=ahead_s)
            case "amend":
                return self.amendment(at, choice)
            case _:
                return Command(at, CAUSES[choice % len(CAUSES)], "Ann")

    def fitting(self, at: float, choice: int, outcome: str = "") -> Event | None:
        """An answer to something that is open; None when nothing is. With an `outcome`, one on which all is well."""
        run, plan = self.run, self.plan
        found: list[Event] = [Advanced(at, "Ann", path) for path in run.waiting if run.mode == "step"]
        if run.hold_task:
            found.append(Answered(at, run.hold_task, "Ann", {}))
        for path, active in sorted(run.active.items()):
            node = plan.nodes[path]
            if active.question:
                answer = active.options[0 if outcome else choice % len(active.options)]
                found.append(Decision(at, path, "Ann", answer, 18.0, "seen"))
            elif isinstance(node.work, Fluid):
                what = outcome or OUTCOMES[choice % len(OUTCOMES)]
                found.append(TransferEnded(at, path, active.part, what, 18.0, 18.0))  # type: ignore[arg-type]
            elif isinstance(node.work, Hand):
                found.append(Answered(at, path, "Ann", {"clear": bool(choice % 2)}))
            elif node.condition is not None and deciding.waits(node, active):
                found.append(Looked(at, path, {"temperature": None if choice % 5 == 0 else 36.0 + choice % 3}))
            elif isinstance(node.work, SetEnvironment):
                found.append(PointsSet(at, path, "" if outcome or choice % 4 else "no answer"))
            elif node.kind == "step" and not isinstance(node.work, Pause):
                found.append(ConditionMet(at, path))
        return found[choice % len(found)] if found else None

    def late(self, at: float, choice: int) -> Event:
        """What comes of a step that is over, or has not begun."""
        paths = sorted(self.plan.nodes)
        path = paths[choice % len(paths)]
        return (
            PointsSet(at, path),
            ConditionMet(at, path),
            TransferEnded(at, path, "fill", "done", 1.0, 1.0),
            Answered(at, path, "Ann", {}),
            Decision(at, path, "Ann", "skip"),
            Looked(at, path, {}),
            Advanced(at, "Ann", path),
        )[choice % 7]

    def amendment(self, at: float, choice: int) -> Event:
        """A change that the doors would let through; time, when there is none to be made."""
        try:
            made = self.changed(at, choice)
        except (CannotAmend, ProtocolInvalid):
            return TimeCame(at)
        event = amending.event(made, at, "Ann", "because")
        assert from_json(as_json(event)) == event
        return event

    def changed(self, at: float, choice: int) -> Amendment:
        plan, run, kind, n = self.plan, self.run, choice % 4, choice // 4
        ahead = sorted(path for path in plan.nodes if path not in run.active and path not in run.finished)
        timed = [path for path in ahead if plan.nodes[path].due is not None]
        over = sorted(run.finished)
        if kind == 0 and ahead:
            return amending.skipped(plan, run, ahead[n % len(ahead)])
        if kind == 1 and timed:
            path = timed[n % len(timed)]
            when = at + (60.0, 1800.0, 5000.0, 9000.0)[n % 4]
            made = amending.moved(plan, run, path, when)
            assert due(run, made.plan, made.plan.nodes[path]) == pytest.approx(when)
            return made
        if kind == 2 and over:
            return amending.repeated(plan, run, over[n % len(over)], at + (60.0, 2000.0, 9000.0)[n % 3])
        values = SETTINGS[n % len(SETTINGS)]
        return amending.revalued(plan, run, planned(self.text, **{**plan.parameters, **values}))

    # Its end

    def finish(self) -> None:
        """From wherever it is: people answer and decide, the mode is auto, and the run comes to its end."""
        for _ in range(40 + 12 * len(self.plan.nodes)):
            run = self.run
            if run.state in ENDED or (run.state is RunState.IDLE and run.finished):
                return
            self.feed(self.onward())
        pytest.fail(f"stuck in {self.run.state}: {self.run.why}; {sorted(self.run.active)}")

    def onward(self) -> Event:
        run, at = self.run, self.at + 1.0
        asked = [(path, active.options[0]) for path, active in run.active.items() if active.question]
        match run.state:
            case RunState.HOLDING | RunState.STOPPING | RunState.ABORTING | RunState.RESTARTING:
                return Command(at, Cause.DONE, "engine")
            case _ if run.mode != "auto":
                return ModeSet(at, "Ann", "auto")
            case RunState.IDLE:
                return Command(at, Cause.START, "Ann")
            case RunState.HELD if asked:
                return Decision(at, asked[0][0], "Ann", asked[0][1], 18.0)
            case RunState.HELD:
                return Command(at, Cause.RESTART, "Ann")
            case RunState.PAUSED:
                return Command(at, Cause.RESUME, "Ann")
            case _:
                found = self.fitting(at, 1, "done")
                if found is None and run.state is RunState.PAUSING:
                    return Command(at, Cause.DONE, "engine")
                time = machine.next_time(self.plan, run)
                return found or TimeCame(at if time is None else max(at, time))

    def replay(self) -> None:
        """DX-01: the journal, read back, gives the same state after each of its events."""
        run, plan = Run(), planned(self.text)
        for event, state in zip(self.events, self.states, strict=True):
            run, _ = machine.step(plan, run, event)
            plan = machine.plan_after(plan, event)
            assert run == state
        assert plan == self.plan
        assert from_json(as_json(run)) == run
        assert from_json(as_json(plan)) == plan


def every_rule(text: str, moves: list[tuple[str, int, float]]) -> None:
    try:
        trial = Trial(text, planned(text))
    except ProtocolInvalid:
        return
    trial.feed(Command(START, Cause.START, "Ann"))
    for kind, choice, ahead_s in moves:
        trial.feed(trial.event(kind, choice, ahead_s))
    trial.finish()
    trial.replay()


@pytest.mark.req("INV-13", "INV-14", "INV-15", "INV-33", "SM-06", "SM-09", "RM-05", "DX-01")
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(texts(), MOVES)
def test_random_runs_keep_every_rule(text: str, moves: list[tuple[str, int, float]]) -> None:
    every_rule(text, moves)


@pytest.mark.campaign
@pytest.mark.req("INV-13", "INV-14", "INV-15", "INV-33", "SM-06", "SM-09", "RM-05", "DX-01")
@settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts(), MOVES)
def test_many_random_runs_keep_every_rule(text: str, moves: list[tuple[str, int, float]]) -> None:
    every_rule(text, moves)
