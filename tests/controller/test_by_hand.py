"""Fluid moved by hand goes through the ledger like any dose: bounded, once a key, in the books, ended by a hold."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from controller.batches import Begun
from controller.by_hand import UNDER_WAY, ByHand, Move
from controller.errors import RunConflict, Unusable
from protocols.states import Cause
from simulators.agreement import given_twice
from tests.controller.quick import FILL, TOML, WAIT, QuickLab
from tests.runs.lab import TESTER

IN = Move("medium in", 6.0, 6.0)
WHY = "the level is low"


def by_hand(lab: QuickLab) -> ByHand:
    assert lab.controller.by_hand is not None
    return lab.controller.by_hand


async def up(lab: QuickLab) -> None:
    await lab.up()
    lab.bench.surroundings.hands.pour(lab.now, 90.0)
    await lab.runs.measure(None, 90.0, TESTER, why="poured in by hand")


@pytest.mark.req("DS-11", "INV-03")
async def test_a_move_without_a_run_is_two_intents_and_stands_in_the_books(lab: QuickLab) -> None:
    await up(lab)
    told = await by_hand(lab).move("reactor", IN, TESTER, why=WHY, key="k")
    assert (told["outcome"], told["measured_ml"]) == ("done", pytest.approx(6.0, abs=0.05))
    assert [(row.stroke, row.state, row.part) for row in lab.ledger.doses()] == [
        ("draw", "done", "fill"),
        ("deliver", "done", "fill"),
    ]
    await by_hand(lab).move("reactor", Move("medium in", 2.0, 6.0, to="cup"), TESTER, why="fill the line")
    await lab.start(FILL)
    assert lab.engine.volume().ml == pytest.approx(96.0, abs=0.2), "what was moved by hand, and nothing of the cup"
    assert [entry.action for entry in lab.ledger.audit() if "by hand" in entry.action].count("moved by hand") == 2


@pytest.mark.req("DS-11", "DS-12")
async def test_a_repeated_key_moves_nothing_more_even_after_a_kill_in_the_stroke(lab: QuickLab) -> None:
    await up(lab)
    told = await by_hand(lab).move(None, IN, TESTER, why=WHY, key="k")
    assert await by_hand(lab).move(None, IN, TESTER, why=WHY, key="k") == told
    assert len(lab.ledger.doses()) == 2
    moving = asyncio.ensure_future(by_hand(lab).move(None, IN, TESTER, why=WHY, key="k2"))
    await lab.moving("fill", 7.0)
    await lab.kill()
    moving.cancel()
    await lab.up()
    assert await lab.until(lambda: not lab.ledger.open_doses(), 300.0), "measured by itself after the restart (DS-04)"
    before = lab.pump_moves("fill")
    again = await by_hand(lab).move(None, IN, TESTER, why=WHY, key="k2")
    assert again["outcome"] == UNDER_WAY
    assert lab.pump_moves("fill") == before
    assert not given_twice(lab.throughput(), lab.ledger.doses())


@pytest.mark.req("DS-11", "SM-06")
async def test_a_unit_with_a_run_is_moved_by_hand_only_when_it_is_held_in_mode_manual(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    with pytest.raises(RunConflict, match="in the hands of run-1: set its mode to manual"):
        await by_hand(lab).move(None, IN, TESTER, why=WHY)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    with pytest.raises(RunConflict, match="manual"):
        await by_hand(lab).move(None, IN, TESTER, why=WHY)
    await lab.runs.set_mode("run-1", "manual", TESTER)
    told = await by_hand(lab).move(None, IN, TESTER, why=WHY)
    assert (told["run"], told["outcome"]) == ("run-1", "done")
    assert lab.engine.volume().ml == pytest.approx(96.0, abs=0.2)


@pytest.mark.req("DS-11")
async def test_stop_pumps_ends_a_move_by_hand_and_what_flowed_is_on_record(lab: QuickLab) -> None:
    await up(lab)
    moving = asyncio.ensure_future(by_hand(lab).move(None, Move("medium in", 20.0, 6.0), TESTER, why=WHY))
    await lab.moving("fill", 22.0)
    await lab.controller.quiet("reactor", TESTER)
    told = await moving
    assert told["outcome"] == "ended early"
    assert await lab.still("fill")
    assert not given_twice(lab.throughput(), lab.ledger.doses())
    assert any("moved by hand" in alarm["text"] for alarm in lab.controller.alarms.open())


@pytest.mark.req("DS-11", "DS-07", "INV-04")
async def test_a_move_by_hand_keeps_every_limit(tmp_path) -> None:
    toml = TOML.replace("[units.roles]", "[units.caps.all]\nhour_ml = 8\n[units.roles]")
    lab = QuickLab(tmp_path / "data", bench_toml=toml, plant_toml=TOML)
    try:
        await up(lab)
        hand = by_hand(lab)
        assert (await hand.move(None, IN, TESTER, why=WHY))["outcome"] == "done"
        told = await hand.move(None, IN, TESTER, why=WHY)
        assert told["outcome"] == "refused"
        assert "8 mL is the cap" in told["why"]
        for wanted, says in (
            (Move("medium in", 99.0, 6.0), "more than one stroke"),
            (Move("nowhere", 1.0, 6.0), "no fluid path"),
            (Move("medium out", 1.0, 6.0, to="cup"), "only 'medium in'"),
        ):
            with pytest.raises(Unusable, match=says):
                await hand.move(None, wanted, TESTER, why=WHY)
        with pytest.raises(Unusable, match="say why"):
            await hand.move(None, IN, TESTER, why="")
        told = await hand.move(None, Move("medium out", 50.0, 6.0), TESTER, why=WHY)
        assert "60 mL is the limit" in told["why"]
        assert sum(row.moved_ml or 0 for row in lab.ledger.doses() if row.stroke == "deliver") == pytest.approx(
            6.0, abs=0.1
        )
    finally:
        await lab.close()


async def in_hand(lab: QuickLab) -> asyncio.Future[dict[str, object]]:
    """A run held in mode manual, and 20 mL on their way by hand."""
    await lab.poured(WAIT)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    await lab.runs.set_mode("run-1", "manual", TESTER)
    moving = asyncio.ensure_future(by_hand(lab).move(None, Move("medium in", 20.0, 6.0), TESTER, why=WHY))
    await lab.moving("fill", 22.0)
    return moving


@pytest.mark.req("DX-06", "DS-11", "SM-06")
@pytest.mark.parametrize("cause", [Cause.HOLD, Cause.STOP, Cause.ABORT])
async def test_what_stops_a_run_ends_what_is_moved_by_hand_there(lab: QuickLab, cause: Cause) -> None:
    moving = await in_hand(lab)
    with contextlib.suppress(RunConflict):  # a held run is not held again, and what moves stops all the same
        await lab.runs.command("run-1", cause, TESTER)
    assert (await moving)["outcome"] == "ended early"
    assert lab.pump_moves("fill") < 25.0
    assert not given_twice(lab.throughput(), lab.ledger.doses())


@pytest.mark.req("INV-10", "SM-06")
async def test_a_run_does_not_go_on_while_fluid_is_moved_by_hand(lab: QuickLab) -> None:
    moving = await in_hand(lab)
    await lab.runs.set_mode("run-1", "auto", TESTER)
    with pytest.raises(RunConflict, match="being moved by hand"):
        await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert (await moving)["outcome"] == "done"
    assert await lab.runs.command("run-1", Cause.RESTART, TESTER) == "RESTARTING"


@pytest.mark.req("DS-11", "INV-10", "RM-10")
async def test_a_unit_is_a_runs_from_the_moment_its_start_is_written_down(lab: QuickLab) -> None:
    await up(lab)
    await lab.runs.batches.add("D", "donor", TESTER, parents={})
    await lab.runs.batches.add("B", "isolation", TESTER, parents={"D": 0.5})
    assert lab.disk is not None
    lab.disk.slow_s = 3.0
    starting = asyncio.ensure_future(lab.runs.start(FILL, by=TESTER, batch=Begun("B")))
    await asyncio.sleep(1.0)
    with pytest.raises(RunConflict, match="run-1, which begins just now"):
        await by_hand(lab).move(None, IN, TESTER, why=WHY)
    with pytest.raises(RunConflict, match="run-1 has reactor"):
        await lab.runs.lines.clear("reactor", TESTER, why="wiped and looked at")
    assert lab.runs.busy_units() == {"reactor"}
    assert await starting == "run-1"
    assert lab.runs.lines.donor("reactor") == "D"
    assert lab.ledger.doses() == []
