"""Entries that the controller's own reading refuses hold up no others; acts on accounts outlive a kill."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from api.socket_client import address
from api.web.controller_link import ControllerLink
from api.web.delivery import hand_over, offer
from api.web.problems import Problem
from api.web.security.access import NAME, Access
from api.web.security.act import OUTCOMES, REASON, WORD, Act
from api.web.security.settings import Settings
from api.web.service import Service
from controller import requests
from controller.ipc import LONGEST, failure, understood
from tests.api.web.security.house import API, CHEAP, PASSWORD, House, Wall, kind, whole
from tests.api.web.security.test_tokens import make

pytestmark = pytest.mark.real_time


class Door:
    """The controller's reading of requests on a socket, without a bench behind it."""

    def __init__(self) -> None:
        self.trail: list[requests.Note] = []
        self.most = 1_000
        """Requests it answers before it hangs up on everybody."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (line := await reader.readline()) and self.most:
            self.most -= 1
            asked = understood(line)
            if isinstance(asked, requests.Audit):
                self.trail += asked.entries
                said: dict[str, Any] = {"id": 1, "ok": len(asked.entries)}
            else:
                said = failure(0, "bad request", str(asked))
            writer.write(json.dumps(said).encode() + b"\n")
        writer.close()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door()
    async with await asyncio.start_unix_server(made.talk, address(tmp_path), limit=LONGEST):
        yield made


def entry(object: str, **more: str) -> dict[str, str]:
    return {**asdict(Act("sign-in", "", actor="kim")), "object": object, **more}


@pytest.mark.req("AT-01")
async def test_a_refused_entry_is_replaced_and_the_others_are_taken(door: Door, tmp_path: Path) -> None:
    waiting = [entry("before"), entry("x" * 201), entry("y", outcome="maybe"), entry("after")]
    await offer(ControllerLink(tmp_path), waiting)
    assert waiting == []
    assert [(note.action, note.object, note.actor) for note in door.trail] == [
        ("sign-in", "before", "kim"),
        ("entry not taken", "api", "kim"),
        ("entry not taken", "api", "kim"),
        ("sign-in", "after", "kim"),
    ]
    assert "at most 200 characters" in door.trail[1].reason and "sign-in" in door.trail[1].reason


async def test_when_the_controller_goes_in_the_middle_only_what_it_did_not_take_waits(
    door: Door, tmp_path: Path
) -> None:
    waiting = [entry("before"), entry("x" * 201), entry("after")]
    door.most = 2
    with pytest.raises(Problem, match="does not answer"):
        await offer(ControllerLink(tmp_path), waiting)
    assert [each["object"] for each in waiting] == ["x" * 201, "after"]


async def test_every_act_is_within_what_the_controller_takes(door: Door, tmp_path: Path) -> None:
    """The longest of every field, of characters that become the longest in JSON, twenty at once, in one request."""
    long = "\U0001f600" * 600 + "\ud800"
    acts = [asdict(Act(long, long, long, long, long, outcome, long, long)) for outcome in (*OUTCOMES, *["done"] * 17)]
    acts[0]["object"] = asdict(Act("a", "b\ud800c"))["object"]
    door.most = 1
    await offer(ControllerLink(tmp_path), acts)
    assert len(door.trail) == requests.MOST_ENTRIES
    assert door.trail[0].object == "b?c"
    assert (len(door.trail[1].object), len(door.trail[1].reason)) == (WORD, REASON)


def house(folder: Path) -> House:
    wall = Wall()
    return whole(Settings(folder, hash_cost=CHEAP, wall=wall), wall)


def killed(service: House) -> None:
    """Nothing of what an orderly end does; only this process's own handles are given back."""
    here: Service = service.app.state.service
    here.records.close()
    service.gate.close()


ACTS = ["account made", "role change", "password reset", "account disabled", "token made", "token revoked"]


async def every_act(service: House) -> None:
    async with service.signed_in("admin") as admin:
        for path, body in (
            ("/users", {"user": "kim", "name": "Kim", "role": "viewer"}),
            ("/users/kim/role", {"role": "operator"}),
            ("/users/kim/password", {"password": PASSWORD}),
            ("/users/kim/disable", {}),
        ):
            answer = await admin.post(API + path, json=body)
            assert answer.is_success, answer.text
        made = await make(admin, "viewer")
        assert (await admin.delete(f"{API}/tokens/{made['id']}")).is_success


@pytest.mark.req("AT-01")
async def test_acts_on_accounts_and_tokens_come_to_the_trail_although_the_service_was_killed(
    door: Door, tmp_path: Path
) -> None:
    first = house(tmp_path)
    await every_act(first)
    killed(first)
    second = house(tmp_path)
    door.most = 0
    with pytest.raises(Problem):
        await hand_over(second.app.state.service)
    door.most = 1_000
    await hand_over(second.app.state.service)
    await hand_over(second.app.state.service)
    assert [(note.action, note.actor, note.outcome) for note in door.trail] == [(act, "admin", "done") for act in ACTS]
    assert all(note.reason.startswith("delivered later:") for note in door.trail)
    killed(second)


async def test_what_is_delivered_at_once_is_not_called_late_and_is_delivered_once(door: Door, tmp_path: Path) -> None:
    service = house(tmp_path)
    await every_act(service)
    await hand_over(service.app.state.service)
    killed(service)
    again = house(tmp_path)
    await hand_over(again.app.state.service)
    assert [note.action for note in door.trail] == ["sign-in", *ACTS]
    assert not any(note.reason.startswith("delivered later") for note in door.trail)
    killed(again)


@pytest.mark.req("AT-01")
async def test_an_act_whose_entry_cannot_be_kept_is_not_done(tmp_path: Path) -> None:
    service = house(tmp_path)
    async with service.signed_in("admin") as admin:
        with closing(sqlite3.connect(tmp_path / NAME)) as file, file:
            file.execute("DROP TABLE outbox")
        answer = await admin.post(f"{API}/users", json={"user": "kim", "name": "Kim", "role": "viewer"})
    assert (answer.status_code, kind(answer)) == (500, "fault")
    assert service.gate.access.user("kim") is None
    killed(service)


async def test_accounts_of_the_release_before_are_taken_over(tmp_path: Path) -> None:
    Access(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / NAME)) as file, file:
        file.execute("DROP TABLE outbox")
        file.execute("PRAGMA user_version = 1")
    access = Access(tmp_path)
    access.post("entry")
    assert access.posted(2) == [(1, "entry")]
    access.close()
