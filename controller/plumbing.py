"""What pumps, valves and loops of a bench file must be to each other: a bed is never stopped by a slip of the pen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING

from drivers.core.fluid import Direction

if TYPE_CHECKING:
    from controller.settings import DeviceSettings, UnitSettings

Where = tuple[int | str, ...]
FLOW = "perfusion set"


def of_loop(unit: UnitSettings, pumps: Set[str], loops: Set[str]) -> Iterator[tuple[Where, str]]:
    """`pumps` move fluid, `loops` are those of them with option use = "recirculate"."""
    if unit.loop and unit.loop not in pumps:
        yield ("loop",), f"{unit.loop} moves no fluid"
    elif unit.loop and unit.loop not in loops:
        yield ("loop",), f'{unit.loop} would be stopped at every start; give it options = {{ use = "recirculate" }}'
    elif not unit.loop and unit.vessel.kind == "perfusion":
        yield ("vessel", "kind"), "a perfused bed needs the pump of its loop: loop = its name, below the unit's own"
    flow = unit.roles.get(FLOW, "").partition(".")[0]
    if flow and flow != unit.loop:
        yield ("roles", FLOW), f"is the flow of {unit.loop or 'the loop'}: say loop = {flow!r}, or name that pump here"
    for name, path in unit.paths.items():
        if path.pump in loops:
            yield ("paths", name, "pump"), f"{path.pump} is there to recirculate, and gives no doses"


def of_ways(unit: UnitSettings, devices: Sequence[DeviceSettings]) -> Iterator[tuple[Where, str]]:
    """What passes through a pump is delivered, never drawn."""
    drawing = {each.name for each in devices if each.options.get("stroke") == Direction.DRAW}
    for name, path in unit.paths.items():
        if path.pump in drawing:
            yield (
                ("paths", name, "pump"),
                f'{path.pump} only draws: turn it with forward = "draw", not with stroke',
            )


def of_valves(units: Sequence[UnitSettings]) -> Iterator[tuple[Where, str]]:
    """A valve turns for one pump only: another could be in mid-stroke."""
    pump_of: dict[str, str] = {}
    for number, unit in enumerate(units):
        for name, path in unit.paths.items():
            if path.valve and pump_of.setdefault(path.valve, path.pump) != path.pump:
                where = ("units", number, "paths", name, "valve")
                yield where, f"{path.valve} turns for {pump_of[path.valve]} already, which may be in mid-stroke"
