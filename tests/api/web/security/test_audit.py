"""Audit entries on their way to the controller outlive the end of the service, and an absence of the controller."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from api.web.app import lifespan
from api.web.security.audit import LEFT_FILE, MOST, Act, Desk
from api.web.security.settings import Settings
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
    assert [acts[0]["object"], len(acts)] == ["u3", MOST - 2]
    assert "7 further entries" in acts[-1]["reason"]
    found.delivered(tmp_path)
    assert not path.exists()
