"""The working copy of a run while one event is decided; `Draft.run()` freezes it again. Lives for one `step` only."""

from __future__ import annotations

from dataclasses import replace

from protocols import ramps
from protocols.effects import CloseTask, Deviate, Effect, Raise
from protocols.events import Mode
from protocols.plan import Fluid, Hand, Node, Plan, SetEnvironment
from protocols.run import Active, Disposition, Run
from protocols.states import Cause, RunState, after


class NotAllowed(Exception):
    """The table does not list this, or the node does not wait for it; the run is unchanged. Says why in words."""


class Draft:
    """A run being changed by one event at `at`; `notes` collects alarms, deviations and closed tasks."""

    __slots__ = (
        "active",
        "at",
        "finished",
        "held",
        "hold_task",
        "keeps",
        "last_fluid",
        "let",
        "mode",
        "notes",
        "plan",
        "shifted",
        "since",
        "state",
        "stood",
        "waiting",
        "why",
        "written",
    )

    def __init__(self, plan: Plan, run: Run, at: float) -> None:
        self.plan, self.at = plan, at
        self.state, self.since, self.why = run.state, run.since, run.why
        self.active, self.finished, self.last_fluid = dict(run.active), dict(run.finished), dict(run.last_fluid)
        self.written, self.keeps, self.shifted, self.stood = run.written, run.keeps, run.shifted, run.stood
        self.held, self.hold_task = run.held, run.hold_task
        self.mode: Mode = run.mode
        self.let = ""
        """In mode step: the step that a person lets begin with this event."""
        self.waiting = list(run.waiting)
        """In mode step: found anew by each walk; where nothing is walked, those of before."""
        self.notes: list[Effect] = []

    def run(self, looked: float) -> Run:
        """The run as it is now; `looked` = up to when time limits were acted upon."""
        return Run(
            state=self.state,
            since=self.since,
            why=self.why,
            active=self.active,
            finished=self.finished,
            last_fluid=self.last_fluid,
            written=self.written,
            keeps=self.keeps,
            stood=self.stood,
            shifted=self.shifted,
            mode=self.mode,
            waiting=tuple(self.waiting),
            held=self.held,
            hold_task=self.hold_task,
            looked=looked,
        )

    def enter(self, state: RunState, why: str) -> None:
        """Go to `state` now. Callers take `state` from the table of `protocols.states`."""
        self.state, self.since, self.why = state, self.at, why
        if state is RunState.RUNNING:  # a ramp goes on from where it stood: the time between is not made up for
            for path, active in self.active.items():
                if active.start:
                    self.active[path] = replace(active, since=self.at)

    def hold(self, why: str) -> None:
        """Hold by rule, where the table lists it; in a state that already rests nothing changes (SM-09)."""
        state = after(self.state, Cause.HOLD)
        if state is not None:
            self.enter(state, why)

    def ask(self, path: str, question: str, options: tuple[str, ...]) -> None:
        """Open a question on an active node: the run, or only its independent branch, waits for a person's decision."""
        self.active[path] = replace(self.active[path], question=question, options=options, asked=self.at)
        if not self.plan.waits_alone(path):
            self.hold(question)

    def asks(self) -> list[str]:
        """Paths of the open questions that hold the run."""
        return [path for path, each in self.active.items() if each.question and not self.plan.waits_alone(path)]

    def alarm(self, key: str, priority: str, text: str, advice: str) -> None:
        """Note an alarm; `key` is stable, so that it is raised once."""
        match priority:
            case "critical" | "high" | "low":
                self.notes.append(Raise(key, priority, text, advice))
            case _:
                raise ValueError(f"no such priority: {priority}")

    def deviate(self, path: str, text: str) -> None:
        self.notes.append(Deviate(path, text))

    def stamp(self, node: Node) -> None:
        """Remember when fluid last began to move for every spacing key this step counts for (INV-15)."""
        if not isinstance(node.work, Fluid):
            return
        for path in self.plan.upward(node.path):
            if key := self.plan.nodes[path].spacing_key:
                self.last_fluid[key] = self.at

    def shift(self, node: Node, by_s: float) -> None:
        """What is still to come beside `node` is due so much later (anchor: interval)."""
        parent = self.plan.parents.get(node.path, "")
        self.shifted = {**self.shifted, parent: self.shifted.get(parent, 0.0) + by_s}

    def finish(self, node: Node, disposition: Disposition | None = None) -> None:
        """Move a node from active to finished; without a disposition it is done, done late or partial."""
        active = self.active.pop(node.path, Active(self.at))
        earned: Disposition = "partial" if active.partial else "done late" if active.late else "done"
        self.finished[node.path] = disposition or earned
        self.keep(node)

    def keep(self, node: Node) -> None:
        """The roles that a done step set have its values from now on, unless a later step of the plan set them."""
        done = self.finished.get(node.path, "").startswith("done") or node.path in self.stood
        if not isinstance(node.work, SetEnvironment) or not done:
            return
        place = self.plan.place
        mine = [point.role for point in node.work.points]
        later = {role for role in mine if role in self.keeps and place[self.keeps[role]] > place[node.path]}
        self.keeps = {**self.keeps, **{role: node.path for role in mine if role not in later}}

    def drop(self, node: Node, disposition: Disposition, why: str) -> None:
        """Give `node` and everything unfinished below it a disposition without doing it (INV-14)."""
        if node.path in self.finished:
            return
        for child in node.children:
            self.drop(child, disposition, why)
        if isinstance(node.work, Hand) and node.path in self.active:
            self.notes.append(CloseTask(node.path, why))
        if isinstance(node.work, SetEnvironment) and (active := self.active.get(node.path)) and active.start:
            self.stood = {**self.stood, node.path: ramps.confirmed(node.work, active)}
        self.finish(node, disposition)
