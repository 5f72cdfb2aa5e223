"""Reading ledger and history: beside the loop, one question after another."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.web.problems import Problem
from api.web.records import NEEDED, Records
from api.web.security.settings import Settings
from controller.store import migrations
from tests.api.web.security.house import API, CHEAP, House, Wall, kind, whole

pytestmark = pytest.mark.real_time


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    wall = Wall()
    made = whole(Settings(tmp_path, hash_cost=CHEAP, wall=wall), wall)
    yield made
    made.app.state.service.records.close()
    made.gate.close()


async def test_a_long_read_holds_up_nobody_who_reads_nothing(house: House) -> None:
    free = threading.Event()
    async with house.signed_in("viewer") as client:
        long = asyncio.create_task(house.app.state.service.read(lambda _: free.wait(60)))
        behind = asyncio.create_task(client.get(f"{API}/runs"))
        assert (await client.get(f"{API}/session")).status_code == 200
        assert not long.done() and not behind.done()
        free.set()
        assert await long
        assert kind(await behind) == "starting", "there are no records yet, and the reader's thread says so"


async def test_records_are_read_in_one_thread_only_and_closed_there(tmp_path: Path) -> None:
    records = Records(tmp_path)
    names = [await records.ask(lambda: threading.current_thread().name) for _ in range(2)]
    assert names == ["records_0", "records_0"]
    with pytest.raises(Problem):
        await records.ask(records.history)
    records.close()


async def test_what_reading_takes_is_imported_when_somebody_has_come(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.warm()
    records.warm()
    import sys

    assert await records.ask(lambda: all(name in sys.modules for name in NEEDED))
    records.close()


def test_records_of_an_older_program_are_starting_until_the_controller_has_brought_them_up_to_date(
    tmp_path: Path,
) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as old:
        first = migrations.STEPS[0]
        for statement in migrations.statements((migrations.FOLDER / first.file).read_text("utf-8")):
            old.execute(statement)
        old.execute("INSERT INTO meta (key, value) VALUES ('schema_version', '1')")
    records = Records(tmp_path)
    with pytest.raises(Problem, match="up to date") as told:
        records.ledger()
    assert told.value.status == 503
    with sqlite3.connect(tmp_path / "ledger.db") as today:
        migrations.migrate(today, 1)
    assert records.ledger().runs() == []
    records.close()
