"""The first start: no accounts, one token, one page. And where the service may listen at all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.refusal import Refusal
from api.web.security import demo
from api.web.security.demo_password import new_password
from api.web.security.settings import Settings, check_bind
from api.web.security.who import Role
from tests.api.web.security.house import API, PASSWORD, House, kind, sign_in
from tests.api.web.security.sockets import knock

SETUP = f"{API}/setup"
FIRST = {"user": "chief", "name": "C. Chief", "password": PASSWORD}
HEADERS = {"x-osteon": "1"}


@pytest.mark.req("SEC-02")
async def test_there_is_no_account_at_first_and_only_the_set_up_page_answers(empty_house: House) -> None:
    assert empty_house.gate.access.users() == []
    async with empty_house.visitor() as client:
        assert (await client.get(SETUP)).json() == {"needed": True}
        assert (await client.get("/")).status_code == 200, "the page itself is a file"
        for method, path in (
            ("GET", "see"),
            ("POST", "session"),
            ("GET", "session"),
            ("GET", "users"),
            ("POST", "act"),
        ):
            assert kind(await client.request(method, f"{API}/{path}", headers=HEADERS)) == "set-up-needed"
    assert (await knock(empty_house.guard, f"{API}/stream", origin="http://127.0.0.1:8620"))[0] == 403


@pytest.mark.req("SEC-02")
async def test_the_token_makes_one_administrator_once(empty_house: House) -> None:
    token = empty_house.gate.setup.issue()
    file = empty_house.settings.data / "setup-token"
    assert file.read_text().strip() == token
    assert file.stat().st_mode & 0o777 == 0o600
    async with empty_house.visitor() as client:
        made = await client.post(SETUP, json={"token": token, **FIRST}, headers=HEADERS)
        assert (made.status_code, made.json()["role"]) == (201, "admin")
        again = await client.post(SETUP, json={"token": token, **FIRST, "user": "second"}, headers=HEADERS)
        assert kind(again) == "set-up-refused"
        assert (await client.get(SETUP)).json() == {"needed": False}
        assert (await sign_in(client, "chief")).json()["role"] == "admin"
    assert not file.exists()
    assert empty_house.gate.setup.issue() is None
    assert [user.user for user in empty_house.gate.access.users()] == ["chief"]


@pytest.mark.req("SEC-02")
async def test_two_at_once_with_the_same_token_make_one_account(empty_house: House) -> None:
    token = empty_house.gate.setup.issue()
    async with empty_house.visitor() as client:
        sent = [{"token": token, **FIRST, "user": user} for user in ("one", "two")]
        answers = await asyncio.gather(*(client.post(SETUP, json=each, headers=HEADERS) for each in sent))
    assert sorted(answer.status_code for answer in answers) == [201, 403]
    assert len(empty_house.gate.access.users()) == 1


@pytest.mark.req("SEC-02")
async def test_a_wrong_token_makes_nothing_and_a_weak_password_does_not_use_the_token_up(empty_house: House) -> None:
    token = empty_house.gate.setup.issue()
    async with empty_house.visitor() as client:
        wrong = await client.post(SETUP, json={"token": "guess", **FIRST}, headers=HEADERS)
        weak = await client.post(SETUP, json={"token": token, **FIRST, "password": "short"}, headers=HEADERS)
        assert (kind(wrong), kind(weak)) == ("set-up-refused", "weak-password")
        assert empty_house.gate.access.users() == []
        assert (await client.post(SETUP, json={"token": token, **FIRST}, headers=HEADERS)).status_code == 201


@pytest.mark.req("SEC-02")
async def test_the_token_lives_an_hour_and_a_restart_within_it_keeps_it(empty_house: House) -> None:
    token = empty_house.gate.setup.issue()
    empty_house.wall.now += 3599
    assert empty_house.gate.setup.issue() == token
    empty_house.wall.now += 2
    async with empty_house.visitor() as client:
        late = await client.post(SETUP, json={"token": token, **FIRST}, headers=HEADERS)
        assert kind(late) == "set-up-refused"
    assert empty_house.gate.setup.issue() != token


@pytest.mark.req("SEC-01")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "bench.example", ""])
def test_beyond_loopback_needs_tls_or_an_explicit_word(tmp_path: Path, host: str) -> None:
    with pytest.raises(Refusal, match="insecure-lan"):
        check_bind(Settings(tmp_path, host=host))
    check_bind(Settings(tmp_path, host=host, certificate=tmp_path / "c", key=tmp_path / "k"))
    insecure = Settings(tmp_path, host=host, insecure_lan=True)
    check_bind(insecure)
    assert insecure.insecure


@pytest.mark.req("SEC-01")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_is_the_default_and_needs_nothing(tmp_path: Path, host: str) -> None:
    assert Settings(tmp_path).host == "127.0.0.1"
    check_bind(Settings(tmp_path, host=host))
    assert not Settings(tmp_path, host=host).insecure


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="both"):
        check_bind(Settings(tmp_path, certificate=tmp_path / "c"))


@pytest.mark.req("SEC-01")
async def test_an_insecure_service_says_so_to_every_page(house_with: Any) -> None:
    house = house_with(host="192.168.1.5", insecure_lan=True, names=("bench",))
    async with house.signed_in("viewer") as client:
        assert (await client.get(f"{API}/session", headers={"host": "bench"})).json()["insecure"] is True


@pytest.mark.req("SEC-02")
async def test_the_demo_user_has_a_new_password_at_each_start_and_a_restart_of_the_api_keeps_it(
    empty_house: House,
) -> None:
    first = new_password(empty_house.settings.data)
    await demo.install(empty_house.gate)
    async with empty_house.visitor() as client:
        answer = await sign_in(client, "demo", first)
        assert answer.json()["role"] == Role.SUPERVISOR
        await demo.install(empty_house.gate)
        assert (await client.get(f"{API}/session")).status_code == 200
        second = new_password(empty_house.settings.data)
        await demo.install(empty_house.gate)
        assert second != first
        assert (await client.get(f"{API}/session")).status_code == 401
        assert kind(await sign_in(client, "demo", first)) == "wrong-sign-in"
        assert (await sign_in(client, "demo", second)).status_code == 200
    assert (empty_house.settings.data / "demo-password").stat().st_mode & 0o777 == 0o600


@pytest.mark.req("SEC-02")
async def test_the_demo_user_is_for_loopback_only(house_with: Any) -> None:
    house = house_with(host="0.0.0.0", insecure_lan=True)
    new_password(house.settings.data)
    with pytest.raises(Refusal, match="this machine only"):
        await demo.install(house.gate)
    assert house.gate.access.users() == []
