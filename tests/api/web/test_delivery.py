"""Entries that the controller's own reading refuses hold up no others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from api.socket_client import address
from api.web.controller_link import ControllerLink
from api.web.delivery import offer
from api.web.problems import Problem
from api.web.security.act import OUTCOMES, REASON, WORD, Act
from controller import requests
from controller.ipc import LONGEST, failure, understood

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
