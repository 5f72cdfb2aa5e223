"""The live channel in virtual time: what is sent, how often, and to whom no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from starlette.websockets import WebSocketDisconnect

from tests.api.web.service.pictures import Client, merged, picture, reading


@asynccontextmanager
async def open_stream(folder: Path) -> AsyncIterator[Client]:
    """A client, and a bench whose picture comes 20 times a second until the end."""
    client = Client(folder)
    client.feed.take(picture(1000.0))

    async def live() -> None:
        with suppress(WebSocketDisconnect):
            await client.live()

    living = asyncio.create_task(live())
    yield client
    client.reads.set()
    client.leave()
    await asyncio.wait([living])
    assert client.feed.listeners == 0


async def pictures(client: Client, seconds: float, step_s: float = 0.05) -> None:
    for number in range(int(seconds / step_s)):
        client.feed.take(picture(1000.0 + number, temperature=reading(37.0 + number / 100)))
        await asyncio.sleep(step_s)


@pytest.mark.req("UI-24")
async def test_the_whole_picture_comes_first_and_changes_lead_to_the_picture_now(tmp_path: Path) -> None:
    async with open_stream(tmp_path) as client:
        await pictures(client, 3.0)
        await asyncio.sleep(0.5)
        kinds = [message["type"] for _, message in client.heard]
        assert kinds[0] == "snapshot"
        shown = client.heard[0][1]["snapshot"]
        for _, message in client.of("change"):
            shown = merged(shown, message["changes"])
        assert shown == client.feed.snapshot
        numbers = [message["seq"] for _, message in client.of("change")]
        assert numbers == sorted(set(numbers))


async def test_changes_come_at_most_five_times_a_second(tmp_path: Path) -> None:
    async with open_stream(tmp_path) as client:
        await pictures(client, 10.0)
        times = [at for at, _ in client.of("change")]
        assert 30 <= len(times) <= 51
        assert min(after - before for before, after in pairwise(times)) >= 0.199


async def test_nothing_new_is_not_told(tmp_path: Path) -> None:
    async with open_stream(tmp_path) as client:
        for _ in range(40):
            client.feed.take(picture(1000.0))
            await asyncio.sleep(0.05)
        assert client.of("change") == []


@pytest.mark.req("UI-20")
async def test_a_heartbeat_comes_every_two_seconds_with_scans_and_their_age(tmp_path: Path) -> None:
    async with open_stream(tmp_path) as client:
        await pictures(client, 21.0)
        times = [at for at, _ in client.of("heartbeat")]
        assert len(times) >= 10
        assert max(after - before for before, after in pairwise(times)) <= 2.3
        last = client.of("heartbeat")[-1][1]
        assert last["scan"]["count"] >= 1300
        assert last["scan"]["age_s"] is not None
        assert (last["controller"], last["scanning"], last["ledger"], last["epoch"]) == ("ok", True, "ok", 1)


@pytest.mark.req("UI-21")
async def test_a_controller_whose_scans_are_old_is_not_scanning_though_it_answers(tmp_path: Path) -> None:
    async with open_stream(tmp_path) as client:
        stalled = {**picture(), "scan": {"count": 7, "age_s": 31.0, "period_s": 10.0}}
        client.feed.take(stalled)
        await asyncio.sleep(2.5)
        last = client.of("heartbeat")[-1][1]
        assert (last["controller"], last["scanning"]) == ("ok", False)


@pytest.mark.req("SEC-07")
async def test_a_slow_reader_is_dropped_and_told_to_come_again(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.feed.take(picture())
    living = asyncio.create_task(client.live())
    await asyncio.sleep(1.0)
    client.reads.clear()
    feeding = asyncio.create_task(pictures(client, 30.0))
    await asyncio.sleep(5.4)
    client.reads.set()
    await asyncio.wait_for(living, 5.0)
    assert client.heard[-1][1] == {"type": "resync"}
    assert client.closed == 4008
    assert client.feed.listeners == 0
    feeding.cancel()


@pytest.mark.req("SEC-07")
async def test_a_reader_that_never_reads_again_is_dropped_all_the_same(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.feed.take(picture())
    living = asyncio.create_task(client.live())
    await asyncio.sleep(1.0)
    client.reads.clear()
    client.feed.take(picture(1001.0))
    await asyncio.wait_for(living, 20.0)
    assert client.feed.listeners == 0


@pytest.mark.req("SEC-07")
async def test_a_stream_ends_with_its_session(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.feed.take(picture())
    living = asyncio.create_task(client.live())
    await asyncio.sleep(1.0)
    client.gate.signed_in = False
    await asyncio.wait_for(living, 3.0)
    assert client.closed == 4401


@pytest.mark.req("SEC-07")
async def test_a_client_that_talks_is_hung_up_on(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.feed.take(picture())
    living = asyncio.create_task(client.live())
    for _ in range(30):
        client.say('{"do": "hold"}')
    await asyncio.wait_for(living, 3.0)
    assert client.closed == 4408
