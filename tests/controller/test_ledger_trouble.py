"""Records that cannot be written or trusted: the environment runs on, no fluid moves, and a person is told."""

from __future__ import annotations

import asyncio

import pytest

from controller.controller import Controller
from controller.errors import RunConflict
from controller.ipc import reply
from controller.store.errors import DirectoryTaken, LedgerFault
from controller.store.reader import NAME
from drivers.core.signals import Quality
from protocols.states import Cause
from tests.controller.quick import FILL, WAIT, QuickLab
from tests.runs.lab import TESTER


async def environment_lives(lab: QuickLab) -> None:
    """Over the next minutes the incubator is polled as ever, with good values."""
    before = lab.controller.latest.get("incubator.temperature")
    await asyncio.sleep(120.0)
    after = lab.controller.latest.get("incubator.temperature")
    assert after.quality is Quality.GOOD
    assert after.at > before.at + 100.0
    assert lab.life is not None
    assert not lab.life.task.done()


# --- a disk that fails while a run is under way


async def test_a_broken_disk_in_mid_stroke_stops_the_fluid_and_keeps_the_environment(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    lab.break_disk()
    with pytest.raises(LedgerFault, match="could not be written"):
        await lab.runs.command(lab.engine.run_id, Cause.PAUSE, TESTER)
    await asyncio.sleep(5.0)
    assert await lab.still("fill", 60.0)
    sent = len(lab.runs_sent())
    await environment_lives(lab)
    assert len(lab.runs_sent()) == sent
    assert lab.controller.latest.get("incubator.temperature_setpoint").value == 37.0


async def test_a_broken_disk_at_the_result_of_a_stroke_lets_no_further_stroke_begin(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    lab.break_disk()
    await asyncio.sleep(300.0)
    assert len(lab.runs_sent()) == 1, "the drawing stroke came to its end, the delivering one never began"
    assert "could not be written" in lab.runs.fault
    assert lab.controller.state == "environment only"
    told = await reply(lab.controller, b'{"id": 1, "do": "hello"}', TESTER)
    assert "restart osteon and verify" in told["ok"]["damaged"]
    await environment_lives(lab)


async def test_after_a_broken_disk_stopping_still_works_and_nothing_starts(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 1.0)
    lab.break_disk()
    await asyncio.sleep(300.0)
    assert await asyncio.wait_for(lab.controller.quiet(None, TESTER), 30.0) == ["pump_in", "pump_out"]
    with pytest.raises((RunConflict, LedgerFault)):
        await asyncio.wait_for(lab.runs.command("run-1", Cause.HOLD, TESTER), 30.0)
    with pytest.raises((RunConflict, LedgerFault)):
        await asyncio.wait_for(lab.start(FILL), 30.0)


async def test_a_device_that_comes_and_goes_after_a_broken_disk_does_not_end_the_controller(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    lab.break_disk()
    lab.bench.inject("silence@do_probe:for_s=200", lab.now)
    lab.bench.power_cycle("pump_in", lab.now)
    await asyncio.sleep(400.0)
    assert lab.controller.bench.keepers["do_probe"].ready
    await environment_lives(lab)


async def test_the_next_start_takes_over_what_a_broken_disk_left_open(lab: QuickLab) -> None:
    await lab.poured()
    await lab.moving("fill", 7.0)
    lab.break_disk()
    await asyncio.sleep(300.0)
    await lab.kill()
    await lab.up()
    assert await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 900.0), lab.engine.run
    assert lab.judge() == []
    assert float(lab.truth()["fill_delivered_ml"]) == pytest.approx(6.0, abs=0.05)


# --- a ledger that cannot be trusted at start


def tear(lab: QuickLab) -> None:
    """The middle of the file is gone, as after a failing disk."""
    path = lab.folder / NAME
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data) - 4096, 4096):
        data[page : page + 2048] = bytes(2048)
    path.write_bytes(data)
    for name in (f"{NAME}-wal", f"{NAME}-shm"):
        (lab.folder / name).unlink(missing_ok=True)


def cut_tail(lab: QuickLab) -> None:
    """The ledger is gone; its anchors know it was there."""
    for path in lab.folder.glob(f"{NAME}*"):
        path.unlink()


@pytest.mark.parametrize("damage", [tear, cut_tail])
async def test_a_damaged_ledger_leaves_the_environment_running_and_says_what_to_do(lab: QuickLab, damage) -> None:
    await lab.poured(WAIT)
    assert lab.life is not None
    lab.controller.stop()
    await asyncio.wait_for(lab.life.task, 60.0)
    damage(lab)
    lab.wire.clear()
    await lab.up()
    assert lab.controller.state == "environment only"
    assert "osteon verify" in lab.controller.damaged
    assert "no fluid moves" in lab.controller.damaged
    await environment_lives(lab)
    assert lab.runs_sent() == []
    refused = await reply(lab.controller, b'{"id": 7, "do": "start", "protocol": "x"}', TESTER)
    assert refused["id"] == 7
    assert refused["error"]["type"] == "conflict"
    assert "osteon verify" in refused["error"]["text"]
    assert await lab.controller.quiet(None, TESTER) == ["pump_in", "pump_out"]
    shown = await reply(lab.controller, b'{"do": "snapshot"}', TESTER)
    assert "osteon verify" in shown["ok"]["damaged"]
    assert shown["ok"]["runs"] == []


# --- two controllers


@pytest.mark.req("DX-05", "INV-12")
async def test_a_second_controller_on_the_same_folder_ends_and_touches_nothing(lab: QuickLab) -> None:
    await lab.up()
    made = len(lab.links_made)
    lab.wire.clear()
    dialled: list[str] = []

    def link(name: str, url: str):
        inner = lab.bench.open_link(name)
        inner.dial = lambda: dialled.append(name)  # type: ignore[method-assign]
        return inner

    second = Controller(lab.settings, lab.folder, link, lab.controller.clock, installation="lab-1")
    before = (lab.folder / NAME).stat().st_mtime_ns, lab.ledger.head()
    with pytest.raises(DirectoryTaken, match="is in use by process"):
        await second.run()
    assert ((lab.folder / NAME).stat().st_mtime_ns, lab.ledger.head()) == before
    assert dialled == []
    assert len(lab.links_made) == made
    assert not second.up.is_set()
