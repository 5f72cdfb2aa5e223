"""From a protocol and a start to a plan: every occurrence spelled out, every time in UTC. Pure: no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from protocols.control import Control
from protocols.expressions.evaluating import truth
from protocols.expressions.reading import condition
from protocols.faults import Fault, ProtocolInvalid
from protocols.models import Operation, Scheduled, Stage
from protocols.moments import Calendar
from protocols.naming import scope
from protocols.occurrences import Occurrence, occurrences
from protocols.paths import slugs
from protocols.plan import AlarmRule, Hand, Node, Plan
from protocols.protocol import Protocol
from protocols.source import Loc
from protocols.step_forms import AnyStep, ControlStep
from protocols.steps import Steps

MOST_STEPS = 100_000
"""Steps of one plan, rounds and calls spelled out (our bound: some seconds to plan, below 200 MB)."""


class _TooLong(Exception):
    """Raised at the step that goes beyond `MOST_STEPS`; ends the planning, however many rounds are around it."""


def plan(protocol: Protocol, start_utc: float, zone: str, settings: Mapping[str, str] | None = None) -> Plan:
    """Bind a protocol to a start (UTC s), a site zone and parameter values.

    Raises ProtocolInvalid when a value does not fit, or a step would be due before the start.
    """
    bound = protocol.bound(settings or {})
    try:
        calendar = Calendar(start_utc, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ProtocolInvalid([Fault(bound.source.file, 1, 1, "", f"no time zone {zone!r}")]) from error
    stages = _Stages(bound, calendar, Steps(bound.document), {})
    try:
        root = Node("run", bound.document.title, "sequence", stages.nodes())
    except _TooLong as error:
        reason, right = f"more than {MOST_STEPS} steps with all rounds spelled out", "fewer rounds inside rounds"
        raise ProtocolInvalid([Fault(bound.source.file, error.args[0], 1, "", reason, right)]) from error
    if stages.faults:
        raise ProtocolInvalid(stages.faults)
    defaults = bound.document.environment
    return Plan(
        protocol=bound.name,
        version=bound.version,
        start=start_utc,
        zone=zone,
        root=root,
        end_points=defaults.end.points(),
        hold_points=(*defaults.hold.points(), *bound.document.on_hold.set.points()),
        parameters=dict(bound.parameters),
        called=stages.called,
        hold_task=Hand(task) if (task := bound.document.on_hold.task) else None,
        alarm_rules=tuple(
            AlarmRule(rule.priority or "", rule.about or "", rule.do == "hold") for rule in bound.document.on_alarm
        ),
    )


class _Stages:
    """Builds the tree stage > operation > occurrence > step; collects occurrences that lie before the start."""

    def __init__(
        self,
        protocol: Protocol,
        calendar: Calendar,
        steps: Steps,
        called: dict[str, str],
        line: int | None = None,
        above: _Stages | None = None,
    ) -> None:
        self.protocol, self.calendar, self.steps, self.called = protocol, calendar, steps, called
        self.at_line = line
        """Of the calling step, which is where a reader of the file finds what another protocol does."""
        self.control = Control(scope(protocol.document, protocol.parameters), self._do, self._call)
        self.faults: list[Fault] = []
        self.made: list[int] = [0] if above is None else above.made
        """Steps made so far, counted over all protocols called."""

    def nodes(self, prefix: str = "") -> tuple[Node, ...]:
        stages = self.protocol.document.stages
        return tuple(
            self._stage(stage, f"{prefix}{path}", ("stages", i))
            for i, (stage, path) in enumerate(zip(stages, slugs([s.stage for s in stages]), strict=True))
        )

    def _stage(self, stage: Stage, path: str, loc: Loc) -> Node:
        if stage.do:
            return self._operation(stage, stage.do, stage.stage, path, loc)
        key = "together" if stage.together else "operations"
        operations: Sequence[Operation] = stage.together or stage.operations
        children = tuple(
            replace(
                self._operation(operation, operation.do, operation.operation, f"{path}/{slug}", (*loc, key, j)),
                independent=operation.independent,
            )
            for j, (operation, slug) in enumerate(
                zip(operations, slugs([o.operation for o in operations]), strict=True)
            )
            if self._belongs(operation)
        )
        kind = "parallel" if stage.together else "sequence"
        return Node(path, stage.stage, kind, children, line=self._line(loc))

    def _belongs(self, operation: Operation) -> bool:
        """Whether the parameters want this operation; the checks have seen that they alone decide."""
        if operation.only_if is None:
            return True
        return bool(truth(condition(operation.only_if, self.control.scope), {}, {}))

    def _operation(self, scheduled: Scheduled, do: tuple[AnyStep, ...], title: str, path: str, loc: Loc) -> Node:
        """An operation without a time is a sequence of steps; with times, a sequence of occurrences."""
        line = self._line(loc)
        found = occurrences(scheduled, self.calendar)
        if found is None:
            day = self.calendar.day(self.calendar.start)
            return Node(path, title, "sequence", self._do(do, path, (*loc, "do"), day), line=line)
        if not found:
            self.faults.append(
                self.protocol.source.fault(
                    loc, "is never due: no day fits its rule", "other 'days', or other weekdays in 'on'"
                )
            )
        if found and found[0].due < self.calendar.start:
            local = self.calendar.local(found[0].due)
            reason = f"is first due {local:%Y-%m-%d %H:%M}, before the start of the run"
            self.faults.append(self.protocol.source.fault(loc, reason, "start earlier, or give it a later time"))
        children = tuple(self._occurrence(scheduled, o, do, title, path, i, loc) for i, o in enumerate(found, 1))
        return Node(path, title, "sequence", children, line=line)

    def _occurrence(
        self, scheduled: Scheduled, when: Occurrence, do: tuple[AnyStep, ...], title: str, path: str, i: int, loc: Loc
    ) -> Node:
        day = self.calendar.day(when.due)
        closest_s = scheduled.timing.never_closer_than
        node = Node(
            path=f"{path}/{i}",
            title=f"{title}, day {day}",
            kind="sequence",
            children=self._do(do, f"{path}/{i}", (*loc, "do"), day),
            due=when.due,
            late=when.late,
            line=self._line(loc),
        )
        apart_s = scheduled.timing.never_further_apart_than
        if closest_s is None and apart_s is None:
            return node
        return replace(node, spacing_key=path, min_interval_s=closest_s or 0.0, max_interval_s=apart_s or 0.0)

    def _do(self, steps: tuple[AnyStep, ...], path: str, loc: Loc, day: int) -> tuple[Node, ...]:
        """The nodes of a list of steps that stands at `loc`; day replaces {day} in texts."""
        kinds = slugs([self.steps.kind(step) for step in steps])
        nodes: list[Node] = []
        for k, (step, kind) in enumerate(zip(steps, kinds, strict=True)):
            place = (*loc, k)
            self.made[0] += 1
            if self.made[0] > MOST_STEPS:
                raise _TooLong(self._line(place))
            try:
                if isinstance(step, ControlStep):
                    node = self.control.node(step, f"{path}/{kind}", place, day)
                else:
                    node = self.steps.node(step, f"{path}/{kind}", day)
            except ValueError as error:
                self.faults.append(self.protocol.source.fault(place, str(error)))
                continue
            if node is not None:
                nodes.append(replace(node, line=self._line(place)))
        return tuple(nodes)

    def _call(self, name: str, settings: Mapping[str, str], path: str, loc: Loc) -> tuple[Node, ...]:
        """The nodes of another protocol under the path of the step that calls it. Raises ProtocolInvalid."""
        callee = self.protocol.callees[name].bound(settings)
        self.called[name] = callee.sha256
        stages = _Stages(callee, self.calendar, self.steps.of(callee.document), self.called, self._line(loc), self)
        nodes = stages.nodes(f"{path}/")
        if stages.faults:
            raise ProtocolInvalid(stages.faults)
        return nodes

    def _line(self, loc: Loc) -> int:
        return self.protocol.source.line(loc) if self.at_line is None else self.at_line
