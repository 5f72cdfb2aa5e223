"""What must be under way in a state, read from the state alone; a restarted engine asks for exactly this again."""

from __future__ import annotations

from protocols import deciding, ramps
from protocols.effects import ApplyPoints, Effect, Look, OpenTask, QuietMovers, Recheck, Transfer, Watch
from protocols.expressions.tree import measured
from protocols.holding import TITLE
from protocols.limits import fluid_steps
from protocols.plan import Dose, Exchange, Fluid, Hand, Node, Plan, SetEnvironment, SetPoint, WaitUntil, Withdraw
from protocols.run import Active, Run
from protocols.settling import PROTOCOL_VALUES
from protocols.states import RunState

HOLD_VALUES = frozenset({RunState.HOLDING, RunState.HELD})
END_VALUES = frozenset({RunState.STOPPING, RunState.STOPPED, RunState.COMPLETE})
SPENT = "spent medium"
TASKS_OPEN = PROTOCOL_VALUES | HOLD_VALUES


def of_state(plan: Plan, run: Run) -> tuple[Effect, ...]:
    """What the state itself wants: movers quiet, or a check before going on."""
    match run.state:
        case RunState.HOLDING | RunState.STOPPING | RunState.ABORTING:
            return (QuietMovers(),)
        case RunState.PAUSING if not fluid_steps(plan, run):
            return (QuietMovers(wait_for_transfer=True),)
        case RunState.RESTARTING:
            return (Recheck(),)
        case _:
            return ()


def of_nodes(plan: Plan, run: Run) -> tuple[Effect, ...]:
    """Set points to keep, and the effect of each active step that may go on in this state."""
    effects: list[Effect] = []
    points = _points(plan, run)
    if points:
        effects.append(ApplyPoints("", points))
    for path, active in run.active.items():
        node = plan.nodes[path]
        if active.question:
            continue
        if node.condition is not None and run.state is RunState.RUNNING and deciding.waits(node, active):
            effects.append(Look(path, active.part, measured(node.condition)))
        if node.work is not None:
            effect = _of_step(run.state, node, active)
            if effect is not None:
                effects.append(effect)
    if run.hold_task and plan.hold_task is not None:
        effects.append(OpenTask(run.hold_task, TITLE, plan.hold_task, run.since))
    return tuple(effects)


def _points(plan: Plan, run: Run) -> tuple[SetPoint, ...]:
    """Set points that no active step is just setting: the protocol's, its hold values, or its end values (P1)."""
    if run.state in END_VALUES:
        return plan.end_points
    if run.state not in TASKS_OPEN:
        return ()
    held = run.state in HOLD_VALUES
    setters = dict(run.keeps)
    for path, active in run.active.items():
        if path in plan.place and (active.start or not active.question):
            for point in _set_by(plan.nodes[path]):
                if point.role not in setters or plan.place[setters[point.role]] < plan.place[path]:
                    setters[point.role] = path
    points = ramps.in_force(plan, setters, run.stood)
    for role, path in setters.items():
        work, active = plan.nodes[path].work, run.active.get(path)
        if active is None or not isinstance(work, SetEnvironment):
            continue
        if not held and not active.question:
            del points[role]
        elif active.start:
            there = ramps.confirmed(work, active) if active.question else ramps.reached(work, active)
            points.update((role, point) for point in there if point.role == role)
    if held:
        points.update((point.role, point) for point in plan.hold_points)
    return tuple(points.values())


def _set_by(node: Node) -> tuple[SetPoint, ...]:
    return node.work.points if isinstance(node.work, SetEnvironment) else ()


def _of_step(state: RunState, node: Node, active: Active) -> Effect | None:
    """The effect of one active step in this state; None where the state does not let it go on."""
    match node.work:
        case SetEnvironment() as work if state in PROTOCOL_VALUES:
            if work.over_s <= 0:
                return ApplyPoints(node.path, work.points)
            part = active.part.removesuffix(ramps.SET)
            return ApplyPoints(node.path, ramps.reached(work, active), part) if active.start else None
        case Hand() as hand if state in TASKS_OPEN:
            return OpenTask(node.path, node.title, hand, active.since)
        case WaitUntil(conditions=conditions, for_s=for_s) if state in (RunState.RUNNING, RunState.PAUSING):
            return Watch(node.path, conditions, for_s)
        case Exchange() | Dose() | Withdraw() as fluid if state in (RunState.RUNNING, RunState.PAUSING):
            return _transfer(node.path, active.part, fluid)
        case _:
            return None


def _transfer(path: str, part: str, work: Fluid) -> Transfer:
    """The transfer of the present part."""
    match work:
        case Dose():
            return Transfer(
                path, part, work.path, "volume", work.volume_ml, work.rate_ml_min, work.fluid, work.vessel,
                split_of=work.split_of, split_cap_ml=work.split_cap_ml,
            )  # fmt: skip
        case Withdraw():
            mode = "volume" if work.to_level_ml is None else "level"
            return Transfer(
                path, part, work.path, mode, work.volume_ml, work.rate_ml_min, SPENT, work.vessel,
                to_level_ml=work.to_level_ml,
            )  # fmt: skip
        case Exchange() if part == "withdraw":
            return Transfer(
                path, part, work.out_path, "level", work.at_most_ml, work.out_rate_ml_min, SPENT, work.vessel,
                to_level_ml=work.to_level_ml,
            )  # fmt: skip
        case Exchange():
            return Transfer(
                path, part, work.in_path, "volume", work.fill_ml, work.fill_rate_ml_min, work.fluid, work.vessel
            )
