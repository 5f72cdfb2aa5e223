"""Sessions in browsers: the cookie, rotation, idling, the absolute limit, and everything that ends one."""

from __future__ import annotations

from typing import Any

import pytest

from api.web.security.access import NAME, digest
from api.web.security.who import Role
from tests.api.web.security.house import API, PASSWORD, House, kind, sign_in

SESSION = f"{API}/session"


@pytest.mark.req("SEC-05")
async def test_the_cookie_is_long_random_http_only_and_strict(house: House) -> None:
    async with house.visitor() as client:
        answer = await sign_in(client, "admin")
    assert answer.status_code == 200
    name, _, rest = answer.headers["set-cookie"].partition("=")
    secret, *flags = rest.split("; ")
    assert (name, len(secret) >= 43) == ("osteon_session", True)
    assert flags == ["Path=/", "HttpOnly", "SameSite=Strict"]


@pytest.mark.req("SEC-05")
async def test_under_tls_the_cookie_is_bound_to_host_and_tls(house_with: Any, tmp_path: Any) -> None:
    house = house_with(certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")
    await house.add("admin", Role.ADMIN)
    async with house.visitor() as client:
        answer = await sign_in(client, "admin")
    assert answer.headers["set-cookie"].startswith("__Host-osteon_session=")
    assert answer.headers["set-cookie"].endswith("; Secure")
    assert "strict-transport-security" in answer.headers


@pytest.mark.req("SEC-05")
async def test_signing_in_again_rotates_the_session(house: House) -> None:
    async with house.signed_in("admin") as client:
        first = client.cookies["osteon_session"]
        await sign_in(client, "admin")
        assert client.cookies["osteon_session"] != first
        client.cookies.set("osteon_session", first, domain="127.0.0.1", path="/")
    async with house.visitor(cookie=f"osteon_session={first}") as client:
        assert (await client.get(SESSION)).status_code == 401


@pytest.mark.req("SEC-05")
async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    async with house.signed_in("admin") as client:
        secret = client.cookies["osteon_session"]
        assert (await client.delete(SESSION)).status_code == 204
    async with house.visitor(cookie=f"osteon_session={secret}") as client:
        assert kind(await client.get(SESSION)) == "not-signed-in"


@pytest.mark.req("AC-05")
async def test_after_idling_a_session_only_looks_until_a_new_sign_in(house: House) -> None:
    async with house.signed_in("operator") as client:
        assert (await client.post(f"{API}/act")).status_code == 200
        house.wall.now += 15 * 60 + 1
        assert (await client.get(f"{API}/see")).status_code == 200
        assert kind(await client.post(f"{API}/act")) == "view-only"
        assert (await client.post(f"{SESSION}/touch")).json()["view_only"] is True, "touching does not wake it"
        assert (await client.get(SESSION)).json()["role"] == "viewer"
        client.headers["x-osteon"] = (await sign_in(client, "operator")).json()["csrf"]
        assert (await client.post(f"{API}/act")).status_code == 200


@pytest.mark.req("AC-05")
async def test_only_acts_keep_a_session_awake_not_what_a_page_fetches_by_itself(house: House) -> None:
    async with house.signed_in("operator", "busy") as busy, house.signed_in("operator", "lazy") as lazy:
        for _ in range(4):
            house.wall.now += 10 * 60
            await busy.post(f"{SESSION}/touch")
            await lazy.get(f"{API}/see")
        assert (await busy.post(f"{API}/act")).status_code == 200
        assert kind(await lazy.post(f"{API}/act")) == "view-only"


@pytest.mark.req("SEC-05", "AC-05")
async def test_the_absolute_limit_ends_even_a_busy_session(house: House) -> None:
    async with house.signed_in("operator") as client:
        for _ in range(12 * 6 - 1):
            house.wall.now += 600
            assert (await client.post(f"{SESSION}/touch")).status_code == 200
        house.wall.now += 601
        assert kind(await client.post(f"{SESSION}/touch")) == "not-signed-in"


@pytest.mark.req("SEC-05")
@pytest.mark.parametrize("end", ["disable", "role", "password"])
async def test_what_an_administrator_changes_ends_the_persons_sessions_at_once(house: House, end: str) -> None:
    body = {"disable": {}, "role": {"role": "viewer"}, "password": {}}[end]
    async with house.signed_in("operator") as person, house.signed_in("admin") as admin:
        assert (await person.get(SESSION)).status_code == 200
        assert (await admin.post(f"{API}/users/operator/{end}", json=body)).status_code == 200
        assert kind(await person.get(SESSION)) == "not-signed-in"


@pytest.mark.req("SEC-05")
async def test_a_new_password_ends_every_other_session_and_rotates_the_own(house: House) -> None:
    async with house.signed_in("operator") as here, house.signed_in("operator") as elsewhere:
        before = here.cookies["osteon_session"]
        sent = {"password": PASSWORD, "new_password": "quite another walrus"}
        answer = await here.post(f"{SESSION}/password", json=sent)
        assert answer.status_code == 200
        assert here.cookies["osteon_session"] != before
        here.headers["x-osteon"] = answer.json()["csrf"]
        assert (await here.post(f"{API}/act")).status_code == 200
        assert kind(await elsewhere.get(SESSION)) == "not-signed-in"


@pytest.mark.req("SEC-05")
async def test_the_file_holds_no_secret_of_a_session_only_its_hash(house: House) -> None:
    async with house.signed_in("operator") as client:
        secret = client.cookies["osteon_session"]
    kept = b"".join(path.read_bytes() for path in house.settings.data.glob(f"{NAME}*"))
    assert digest(secret).encode() in kept
    assert secret.encode() not in kept
    assert PASSWORD.encode() not in kept


async def test_files_of_the_gate_are_readable_by_their_owner_only(house: House) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in house.settings.data.iterdir()}
    assert NAME in modes
    assert set(modes.values()) == {0o600}


async def test_one_person_has_at_most_twenty_sessions_and_the_newest_stay(house: House) -> None:
    async with house.signed_in("admin") as first:
        for _ in range(20):
            house.wall.now += 1
            async with house.visitor() as more:
                await sign_in(more, "admin")
                last = more.cookies["osteon_session"]
        assert (await first.get(SESSION)).status_code == 401
    async with house.visitor(cookie=f"osteon_session={last}") as client:
        assert (await client.get(SESSION)).status_code == 200
