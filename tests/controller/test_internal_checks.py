"""Internal checks stay on (SIM-11): in the fluid path they hold the run, in the environment path they alarm."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest

from controller.errors import Broken
from controller.run.effects import Carrier
from protocols.effects import ApplyPoints
from protocols.plan import Dose, Node, SetPoint
from protocols.run import Run
from tests.controller.quick import EXCHANGE, FILL, QuickLab
from tests.runs.lab import TESTER

pytestmark = [pytest.mark.req("SIM-11")]


async def test_a_failed_check_in_the_fluid_path_sends_nothing_and_holds_the_run(lab: QuickLab) -> None:
    """No file gives a volume that is no number; here the plan in memory is spoiled, as a fault of ours would."""
    await lab.up()
    engine = await lab.start(FILL)
    spoil(engine.plan.nodes)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    await lab.runs.answer(engine.run_id, lab.runs.tasks()[0]["path"], {"clear": True}, TESTER)
    assert await lab.until(lambda: engine.run.state == "HELD", 600.0)
    assert "internal check failed" in engine.run.why
    assert lab.runs_sent() == []
    assert lab.ledger.doses() == []


def spoil(nodes: dict[str, Node]) -> None:
    for path, node in nodes.items():
        if isinstance(node.work, Dose):
            nodes[path] = replace(node, work=replace(node.work, volume_ml=math.nan))


async def test_a_failed_check_in_the_environment_path_alarms_and_leaves_the_output(lab: QuickLab) -> None:
    await lab.up()
    engine = await lab.start(EXCHANGE)
    assert await lab.until(lambda: bool(engine.run.finished), 600.0)
    before = lab.controller.latest.get("incubator.temperature_setpoint").value
    carrier = Carrier(engine.run_id, engine.site, engine.doors, lambda event, by=TESTER: None)
    async with asyncio.TaskGroup() as group:
        carrier.begin(group)
        carrier.want((ApplyPoints("", (SetPoint("temperature", math.nan, "Cel"),)),), Run())
    assert [row["priority"] for row in engine.doors.alarms.open()] == ["critical"]
    await asyncio.sleep(30.0)
    assert lab.controller.latest.get("incubator.temperature_setpoint").value == before


async def test_a_set_point_that_is_no_number_is_never_written(lab: QuickLab) -> None:
    await lab.up()
    engine = await lab.start(EXCHANGE)
    with pytest.raises(Broken):
        await engine.doors.outputs.set(
            "incubator.temperature_setpoint", math.inf, "Cel", by=TESTER, owner=engine.run_id
        )
