"""How long nobody was in control, whether it was planned, and what is done about it (DX-10, DX-13)."""

from __future__ import annotations

import asyncio
import tomllib

import pytest

from controller.restart import Outage
from controller.settings import Settings, parse
from drivers.core.errors import OsteonError
from protocols.states import Cause
from tests.controller.quick import FILL, TOML, WAIT, QuickLab
from tests.runs.lab import TESTER


async def stopped(lab: QuickLab) -> None:
    assert lab.life is not None
    lab.controller.stop()
    await asyncio.wait_for(lab.life.task, 120.0)


@pytest.mark.req("DX-13")
async def test_the_first_start_of_all_is_no_outage(lab: QuickLab) -> None:
    await lab.up()
    assert lab.ledger.outages() == []
    assert lab.controller.alarms.open() == []


@pytest.mark.req("DX-13")
async def test_a_crash_leaves_an_outage_record_with_its_length_and_an_alarm(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    await asyncio.sleep(100.0)
    died = lab.now
    await lab.kill()
    await asyncio.sleep(900.0)
    await lab.up()
    (outage,) = lab.ledger.outages()
    assert outage.gap_s >= 900.0
    assert outage.last_known_at is not None
    assert outage.last_known_at <= died
    assert outage.detail == {"planned": False, "open_doses": []}
    assert outage.decision == "runs go on by their rules"
    (alarm,) = lab.controller.alarms.open()
    assert alarm["key"] == "restart:2"
    assert "without control" in alarm["text"]


@pytest.mark.req("DX-13")
async def test_a_planned_end_is_an_outage_without_an_alarm(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    await stopped(lab)
    await asyncio.sleep(900.0)
    await lab.up()
    (outage,) = lab.ledger.outages()
    assert outage.detail["planned"] is True
    assert lab.controller.alarms.open() == []


@pytest.mark.req("DX-13")
async def test_the_outage_record_names_the_doses_left_open(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    await lab.kill()
    await lab.up()
    assert lab.ledger.outages()[0].detail["open_doses"] == ["run-1/feed/fill#fill.draw.1"]


@pytest.mark.req("DX-13")
async def test_every_crash_has_its_own_record_and_epoch(lab: QuickLab) -> None:
    await lab.up()
    for _ in range(3):
        await lab.kill()
        await asyncio.sleep(60.0)
        await lab.up()
    assert [row.epoch for row in lab.ledger.outages()] == [2, 3, 4]
    assert lab.ledger.epoch == 4


async def test_a_crash_after_a_planned_end_is_told_from_it(lab: QuickLab) -> None:
    await lab.up()
    await stopped(lab)
    await lab.up()
    await lab.kill()
    await lab.up()
    assert [row.detail["planned"] for row in lab.ledger.outages()] == [True, False]


def test_a_clock_that_went_backwards_gives_no_negative_gap() -> None:
    assert Outage(100.0, 40.0, planned=False).gap_s == 0.0


@pytest.mark.req("DX-10")
async def test_a_start_stops_pumps_and_writes_no_set_point_before_runs_are_resumed(lab: QuickLab) -> None:
    """The order of DX-10, as the cables saw it: identify and stop first; fluid never."""
    await lab.poured(FILL)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    await lab.until(lambda: lab.engine.run.state == "HELD", 120.0)
    await asyncio.sleep(30.0)
    await lab.kill()
    lab.wire.clear()
    lab.boot()
    await lab.until(lab.controller.up.is_set, 60.0)
    settings = [data for _, link, data in lab.wire if link == "incubator" and b"/atmoweb?TempSet=3" in data]
    pumps = [data for _, link, data in lab.wire if link == "pumps"]
    assert settings == [], "the incubator keeps what it has"
    for address in (b"0", b"1"):
        own = [data for data in pumps if data[2:3] == address]
        stop = next(i for i, data in enumerate(own) if b"STP" in data)
        assert any(b"VER" in data for data in own[:stop])
    assert not any(b"RUN" in data for data in pumps)


@pytest.mark.req("DX-10", "DX-11")
async def test_the_environment_is_polled_although_reconciliation_cannot_end(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    await lab.kill()
    lab.bench.inject("silence@pump_in", lab.now)
    booted = lab.now
    lab.boot()
    await asyncio.sleep(30.0)
    reading = lab.controller.latest.get("incubator.temperature")
    assert reading.quality.value == "good"
    assert reading.at > booted
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 300.0)
    assert lab.ledger.open_doses(), "never assumed"


CHANGES = {
    "another unit": [('name = "reactor"', 'name = "vat"')],
    "another path": [('units.paths."medium in"', 'units.paths."feed in"')],
    "another pump": [("pump_in", "pump_new")],
    "a pump become a balance": [
        (
            'name = "pump_in"\nmodel = "new_era_ne1000"\nlink = "pumps"\naddress = 0\npoll_s = 30\n'
            "options = { diameter_mm = 26.7, capacity_ml = 60, watchdog_s = 100 }",
            'name = "pump_in"\nmodel = "mettler_toledo_mt_sics"\nlink = "pumps"\naddress = 0\npoll_s = 30',
        )
    ],
}


@pytest.mark.req("DX-10", "EQ-07", "INV-01")
@pytest.mark.parametrize("change", CHANGES)
async def test_a_bench_file_that_no_longer_fits_a_run_moves_nothing_and_keeps_the_environment(
    lab: QuickLab, change: str
) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 2.0)
    await lab.kill()
    text = TOML
    for before, after in CHANGES[change]:
        assert before in text
        text = text.replace(before, after)
    lab.settings = Settings.model_validate(tomllib.loads(text))  # the check of the file is not what keeps it safe
    sent = len(lab.runs_sent())
    await lab.up()
    await asyncio.sleep(300.0)
    assert lab.life is not None
    assert not lab.life.task.done()
    assert lab.controller.latest.get("incubator.temperature").quality == "good"
    assert len(lab.runs_sent()) == sent
    texts = " ".join(str(alarm["text"]) for alarm in lab.controller.alarms.open())
    held = [engine.run.state for engine in lab.runs.engines.values()]
    assert held == ["HELD"] or (held == [] and "run-1 is not carried on" in texts)
    with pytest.raises(OsteonError):
        await lab.runs.start(WAIT, by=TESTER)
    lab.settings = parse(TOML)
    await lab.kill()
    await lab.up()
    assert "run-1" in lab.runs.engines, "with the bench file put back it goes on"
    assert lab.judge() == []
