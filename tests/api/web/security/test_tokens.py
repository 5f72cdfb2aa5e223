"""API tokens: shown once, kept as a hash, never more than their owner, for a time, revocable, and they cannot sign."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from api.web.security.access import NAME
from api.web.security.who import Role
from tests.api.web.security.house import API, House, kind

DAY_S = 86_400.0


async def make(client: httpx2.AsyncClient, role: str = "operator", **more: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/tokens", json={"label": "script", "role": role, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {made['token']}"}


@pytest.mark.req("SEC-09")
async def test_a_token_is_shown_once_and_kept_as_a_hash(house: House) -> None:
    async with house.signed_in("operator") as client, house.visitor() as script:
        made = await make(client)
        listed = await client.get(f"{API}/tokens")
        assert (await script.post(f"{API}/act", headers=bearer(made))).status_code == 200, "needs no forgery header"
    assert made["token"] not in listed.text
    assert made["token"].encode() not in b"".join(p.read_bytes() for p in house.settings.data.glob(f"{NAME}*"))
    assert made["token"] not in str(house.audited())


@pytest.mark.req("SEC-09")
@pytest.mark.parametrize(
    ("owner", "asked", "given"),
    [
        ("viewer", "viewer", True),
        ("viewer", "operator", False),
        ("operator", "operator", True),
        ("operator", "supervisor", False),
        ("supervisor", "operator", True),
        ("supervisor", "admin", False),
        ("admin", "viewer", True),
        ("admin", "operator", False),
        ("admin", "supervisor", False),
    ],
)
async def test_a_token_carries_at_most_its_owners_role(house: House, owner: str, asked: str, given: bool) -> None:
    async with house.signed_in(owner) as client:
        answer = await client.post(f"{API}/tokens", json={"label": "x", "role": asked})
        assert answer.status_code == (201 if given else 403)
    assert len(house.gate.access.tokens()) == given


@pytest.mark.req("SEC-09")
async def test_when_the_owner_loses_a_right_so_does_the_token_at_once(house: House) -> None:
    async with house.signed_in("supervisor") as client, house.visitor() as script:
        made = await make(client, "supervisor")
        assert (await script.post(f"{API}/decide", headers=bearer(made))).status_code == 200
        house.gate.accounts.set_role("supervisor", Role.OPERATOR)
        assert kind(await script.post(f"{API}/decide", headers=bearer(made))) == "not-allowed"
        assert (await script.post(f"{API}/act", headers=bearer(made))).status_code == 200
        house.gate.accounts.disable("supervisor")
        assert kind(await script.post(f"{API}/act", headers=bearer(made))) == "not-signed-in"


@pytest.mark.req("SEC-09")
async def test_a_token_expires(house: House) -> None:
    async with house.signed_in("operator") as client, house.visitor() as script:
        made = await make(client, days=30)
        house.wall.now += 30 * DAY_S - 1
        assert (await script.get(f"{API}/see", headers=bearer(made))).status_code == 200
        house.wall.now += 2
        assert kind(await script.get(f"{API}/see", headers=bearer(made))) == "not-signed-in"


@pytest.mark.req("SEC-09", "AC-05")
async def test_only_a_viewing_token_for_a_wall_screen_may_have_no_end(house: House) -> None:
    async with house.signed_in("operator") as client, house.visitor() as screen:
        endless = {"label": "wall", "role": "operator", "days": None}
        assert kind(await client.post(f"{API}/tokens", json=endless)) == "invalid"
        made = await make(client, "viewer", days=None)
        house.wall.now += 3000 * DAY_S
        assert (await screen.get(f"{API}/see", headers=bearer(made))).status_code == 200
        assert kind(await screen.post(f"{API}/act", headers=bearer(made))) == "not-allowed"


@pytest.mark.req("SEC-09")
async def test_a_token_is_listed_and_revoked_by_its_owner_or_an_administrator_only(house: House) -> None:
    async with house.signed_in("operator") as one, house.signed_in("operator", "two") as two, house.visitor() as script:
        first, second = await make(one), await make(one)
        assert [each["id"] for each in (await one.get(f"{API}/tokens")).json()] == [first["id"], second["id"]]
        assert (await two.get(f"{API}/tokens")).json() == []
        assert kind(await two.delete(f"{API}/tokens/{first['id']}")) == "not-found"
        assert (await one.delete(f"{API}/tokens/{first['id']}")).status_code == 204
        assert kind(await script.get(f"{API}/see", headers=bearer(first))) == "not-signed-in"
        assert kind(await one.delete(f"{API}/tokens/{first['id']}")) == "not-found"
        async with house.signed_in("admin") as admin:
            assert (await admin.delete(f"{API}/tokens/{second['id']}")).status_code == 204
        assert kind(await script.get(f"{API}/see", headers=bearer(second))) == "not-signed-in"


@pytest.mark.req("SEC-09")
async def test_a_token_cannot_sign_nor_make_tokens_nor_change_accounts_or_passwords(house: House) -> None:
    async with house.signed_in("supervisor") as client, house.signed_in("admin") as admin, house.visitor() as script:
        assert (await client.post(f"{API}/sign")).status_code == 200
        headers = bearer(await make(client, "supervisor"))
        assert kind(await script.post(f"{API}/sign", headers=headers)) == "not-allowed"
        again = await script.post(f"{API}/tokens", json={"label": "x", "role": "viewer"}, headers=headers)
        assert kind(again) == "not-allowed"
        change = {"password": "x", "new_password": "y"}
        answer = await script.post(f"{API}/session/password", json=change, headers=headers)
        assert kind(answer) == "not-allowed"
        headers = bearer(await make(admin, "admin"))
        assert kind(await script.get(f"{API}/users", headers=headers)) == "not-allowed"


@pytest.mark.req("SEC-09")
async def test_a_token_of_one_unit_acts_on_that_unit_only(house: House) -> None:
    async with house.signed_in("operator") as client, house.visitor() as script:
        headers = bearer(await make(client, unit="reactor"))
        assert (await script.post(f"{API}/units/reactor/act", headers=headers)).json()["unit"] == "reactor"
        assert kind(await script.post(f"{API}/units/other/act", headers=headers)) == "not-allowed"
        assert kind(await script.post(f"{API}/act", headers=headers)) == "not-allowed", "nobody knows for which unit"
        assert (await script.get(f"{API}/see", headers=headers)).status_code == 200


@pytest.mark.req("SEC-09")
async def test_a_view_only_session_makes_no_tokens(house: House) -> None:
    async with house.signed_in("operator") as client:
        house.wall.now += 1_000
        answer = await client.post(f"{API}/tokens", json={"label": "x", "role": "viewer", "days": None})
    assert kind(answer) == "view-only"


async def test_a_wrong_token_is_refused_even_beside_a_good_cookie(house: House) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.get(f"{API}/see", headers={"authorization": "Bearer osteon_wrong"})
    assert kind(answer) == "not-signed-in"
