"""Audit entries on their way to the controller outlive the end of the service, and an absence of the controller."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from api.web.app import lifespan
from api.web.security.act import Act
from api.web.security.audit import MOST, Desk
from api.web.security.settings import Settings
from api.web.security.waiting import ASIDE, LEFT_FILE
from api.web.security.who import Role
from tests.api.web.security.house import CHEAP, House, Wall, sign_in, whole

pytestmark = pytest.mark.real_time


def house(folder: Path) -> House:
    wall = Wall()
    return whole(Settings(folder, hash_cost=CHEAP, wall=wall), wall)


@pytest.mark.req("AT-01")
async def test_what_no_controller_took_is_left_in_a_file_and_taken_up_by_the_next_service(tmp_path: Path) -> None:
    first = house(tmp_path)
    async with lifespan(first.app):
        await first.add("anna", Role.VIEWER)
        async with first.visitor("10.0.0.9") as client:
            await sign_in(client, "anna", "not her password")
    left = tmp_path / LEFT_FILE
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    assert "not her password" not in left.read_text()
    second = house(tmp_path)
    async with lifespan(second.app):
        second.gate.note("sign-in", "later")
        acts = second.audited()
        assert left.exists(), "nobody has taken them yet"
    assert [act["reason"].startswith("delivered later:") for act in acts] == [True, True, False]
    assert [(act["object"], act["outcome"], act["client"]) for act in acts] == [
        ("anna", "failed", "10.0.0.9"),
        ("POST /api/v1/session", "refused", "10.0.0.9"),
        ("later", "done", ""),
    ]


async def test_what_waits_is_bounded_and_what_was_not_kept_is_counted(tmp_path: Path) -> None:
    desk = Desk()
    for number in range(MOST + 7):
        desk.note(Act("sign-in", f"u{number}"), at=0.0)
    desk.leave(tmp_path)
    path = tmp_path / LEFT_FILE
    path.write_text("no entry\n[1]\n{}\n" + "\n".join(path.read_text().splitlines()[3:]))
    found = Desk()
    found.resume(tmp_path)
    acts = [act for _ in range(100) for act in found.take()]
    assert [acts[0]["object"], len(acts)] == ["u3", MOST - 1]
    assert "7 further entries" in acts[-2]["reason"]
    assert acts[-1]["reason"] == f"3 lines are no entries; set aside as {ASIDE}1; {MOST - 2} entries kept"
    found.delivered(tmp_path)
    assert not path.exists()


def spoil(path: Path, how: str) -> None:
    good = json.dumps({"action": "sign-in", "object": "kept"}).encode() + b"\n"
    lines = {
        "no UTF-8": good + b"\xff\xfe\n",
        "a null": good + b'{"action":5,"object":null}\n',
        "maybe": good + b'{"action":"a","object":"b","outcome":"maybe"}\n',
        "a field too many": good + b'{"action":"a","object":"b","id":"c"}\n',
        "deep": good + b"[" * 30_000 + b"\n",
        "many lines": good * (MOST + 200),
        "one long line": good + b"x" * 2_000_000,
    }
    if how == "a directory":
        (path / "within").mkdir(parents=True)
    elif how == "a pipe":
        os.mkfifo(path)
    elif how == "a link":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(lines[how])


def listed(folder: Path) -> list[str]:
    return os.listdir(folder)


@pytest.mark.parametrize(
    "how",
    ["no UTF-8", "a null", "maybe", "a field too many", "deep", "many lines", "one long line", "a directory", "a pipe",
     "a link"],
)  # fmt: skip
async def test_a_spoilt_file_is_set_aside_and_stops_neither_the_service_nor_the_trail(tmp_path: Path, how: str) -> None:
    path = tmp_path / LEFT_FILE
    spoil(path, how)
    service = house(tmp_path)
    async with lifespan(service.app):
        service.gate.note("sign-in", "later")
        acts = service.audited()
        assert f"{ASIDE}1" in listed(tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, "what was kept outlives this service too"
    whole = how not in ("a directory", "a pipe", "a link")
    assert [act["object"] for act in acts if act["action"] == "sign-in"][:1] == ["kept" if whole else "later"]
    last = "many refusals" if how == "many lines" else "sign-in"
    assert [act["action"] for act in acts][-2:] == ["audit file damaged", last]
    assert f"set aside as {ASIDE}1" in acts[-2]["reason"]
    assert len(acts) <= MOST + 102


async def test_a_file_that_cannot_be_written_at_the_end_does_not_stop_the_end(tmp_path: Path) -> None:
    service = house(tmp_path)
    async with lifespan(service.app):
        service.gate.note("sign-in", "anna")
        (tmp_path / LEFT_FILE).mkdir()
        (tmp_path / "audit-waiting.new").mkdir()
    assert not service.gate.audit.take()
