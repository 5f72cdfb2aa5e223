"""Whether a unit can do what a plan asks: every missing thing at once, before anything starts (RM-06)."""

from __future__ import annotations

from collections.abc import Iterator

from controller.bench import Bench
from controller.run import pace, unattended
from controller.settings import UnitSettings
from drivers.core.fluid import FluidMover
from protocols.expressions import measured
from protocols.plan import Dose, Exchange, Node, Plan, SetEnvironment, SetPoint, WaitUntil, Withdraw


def failures(plan: Plan, unit: UnitSettings, bench: Bench) -> list[str]:
    """Sentences, one for each thing this unit lacks; empty when the run may start."""
    found: dict[str, None] = {}
    for node in plan.nodes.values():
        for text in of_node(node, unit, bench):
            found[text] = None
    found |= dict.fromkeys(unattended.failures(plan, unit, bench))
    found |= dict.fromkeys(pace.failures(plan, unit))
    for point in (*plan.end_points, *plan.hold_points):
        for text in of_point(point, unit, bench):
            found[text] = None
    return list(found)


def of_point(point: SetPoint, unit: UnitSettings, bench: Bench) -> Iterator[str]:
    """A set point needs an output, and must lie within the limits of its device's table."""
    output = unit.roles.get(f"{point.role} set")
    if output is None:
        yield no_output(unit, point.role)
        return
    name, _, signal = output.partition(".")
    spec = bench.device(name).specs()[signal]
    low = float("-inf") if spec.low is None else spec.low
    high = float("inf") if spec.high is None else spec.high
    if point.unit == spec.unit and not low <= point.value <= high:
        yield f"{point.role} {point.value:g} {point.unit} is outside {low:g} to {high:g} {spec.unit} of {output}"


def no_output(unit: UnitSettings, role: str) -> str:
    otherwise = "; or a person sets it: acts: [{stir: 90 rpm, in: …}]" if role == "stirring" else ""
    return f"{unit.name} has no output for {role!r} (role {role + ' set'!r} in the bench file{otherwise})"


def of_node(node: Node, unit: UnitSettings, bench: Bench) -> Iterator[str]:
    for role in () if node.condition is None else measured(node.condition):
        if role not in unit.roles:
            yield f"{unit.name} measures no {role!r} (roles in the bench file)"
    match node.work:
        case SetEnvironment(points=points):
            for point in points:
                yield from of_point(point, unit, bench)
        case WaitUntil(conditions=conditions):
            for condition in conditions:
                if condition.role not in unit.roles:
                    yield f"{unit.name} measures no {condition.role!r} (roles in the bench file)"
        case Exchange() as work:
            yield from of_path(work.out_path, work.at_most_ml, unit, bench, witnessed=True)
            yield from of_path(work.in_path, work.fill_ml, unit, bench)
            if abs(work.to_level_ml - unit.vessel.level_ml) > 0.5:
                yield of_level(node, work.to_level_ml, unit)
            if work.to_level_ml + work.fill_ml > unit.vessel.max_ml:
                yield f"{node.path} fills above {unit.vessel.max_ml:g} mL"
        case Withdraw(to_level_ml=level_ml) as work:
            yield from of_path(work.path, work.volume_ml, unit, bench, witnessed=level_ml is not None)
            if level_ml is not None and abs(level_ml - unit.vessel.level_ml) > 0.5:
                yield of_level(node, level_ml, unit)
        case Dose() as work:
            yield from of_path(work.path, work.volume_ml, unit, bench)
            path = unit.paths.get(work.path)
            if work.to_cup and path and path.valve and not path.prime_position:
                yield f"{work.path!r} of {unit.name} has no prime_position: {path.valve} would lead it into the vessel"
        case _:
            pass


def of_level(node: Node, level_ml: float, unit: UnitSettings) -> str:
    ends = f"the dip tube of {unit.name} ends at {unit.vessel.level_ml:g} mL"
    return f"{node.path} withdraws to {level_ml:g} mL, but {ends}"


def of_path(name: str, volume_ml: float, unit: UnitSettings, bench: Bench, *, witnessed: bool = False) -> Iterator[str]:
    path = unit.paths.get(name)
    if path is None:
        yield f"{unit.name} has no fluid path {name!r}"
        return
    if witnessed and not path.witness:
        yield f"the path {name!r} of {unit.name} has no second witness"
    device = bench.device(path.pump)
    if not isinstance(device, FluidMover):
        yield f"{path.pump} moves no fluid"
    elif not device.bounded:
        yield f"{path.pump} cannot bound a dose by itself, and is not used without a person (EQ-02)"
    elif volume_ml > device.capacity_ml and (device.through or not path.valve or device.capacity_ml <= 0):
        yield f"{volume_ml:g} mL is more than one stroke of {path.pump} ({device.capacity_ml:g} mL)"
