"""Which passwords may be used, how they are kept, and how often one may guess."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.web.security import passwords
from api.web.security.passwords import Hasher, check
from api.web.security.refused import Refused
from api.web.security.settings import HashCost, Settings
from api.web.security.who import Role
from tests.api.web.security.house import API, PASSWORD, House, kind, sign_in

MINUTE_S = 60.0


@pytest.mark.req("AC-03")
@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "x" * 129,
        "aaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "987654321098",
        "abcdefghijkl",
        "password1234!",
        "Password-2024!",
        "passwordpassword",
        "qwertyuiop123",
        "Cell Culture 2025",
        "  1234 password  ",
        "kim.operator",
        "kim.operator!1",
        "Kim Operator!",
    ],
)
def test_short_common_and_simple_passwords_are_refused(password: str) -> None:
    with pytest.raises(Refused) as refused:
        check(password, "kim.operator", "Kim Operator")
    assert refused.value.kind == "weak-password"
    assert password.strip() not in str(refused.value)


@pytest.mark.req("AC-03")
@pytest.mark.parametrize(
    "password", [PASSWORD, "naïve Füße 漢字 mix", "x7!k" * 3 + "\N{SNOWMAN}", "wx, 9 zz" * 16, "'; --  \x00\n\"<b>"]
)
def test_any_characters_make_a_password_of_12_to_128(password: str) -> None:
    check(password, "kim", "Kim")


@pytest.mark.req("AC-03")
def test_the_list_of_common_passwords_has_hundreds() -> None:
    assert len(passwords.common()) > 300


@pytest.mark.req("AC-03")
def test_the_hash_is_memory_hard_at_the_numbers_of_the_rfc() -> None:
    cost = HashCost()
    assert (cost.rounds, cost.memory_kib, cost.lanes) == (3, 65_536, 4)


@pytest.mark.req("AC-03")
async def test_a_password_is_kept_as_argon2id_and_letters_count_however_typed(house: House) -> None:
    await house.add("ana", Role.VIEWER, "caf\N{LATIN SMALL LETTER E WITH ACUTE} at seven")
    kept = house.gate.access.user("ana")
    assert kept is not None
    assert kept.hash.startswith("$argon2id$")
    async with house.visitor() as client:
        assert (await sign_in(client, "ana", "cafe\N{COMBINING ACUTE ACCENT} at seven")).status_code == 200


@pytest.mark.req("AC-03")
async def test_a_password_given_by_an_administrator_serves_once_to_choose_another(house: House) -> None:
    async with house.signed_in("admin") as admin, house.visitor() as kim:
        made = await admin.post(f"{API}/users", json={"user": "kim", "name": "K. Kim", "role": "operator"})
        given = made.json()["password"]
        assert kind(await sign_in(kim, "kim", given)) == "password-change-needed"
        assert kind(await sign_in(kim, "kim", given, new_password=given)) == "weak-password"
        assert kind(await sign_in(kim, "kim", given, new_password="short")) == "weak-password"
        assert (await sign_in(kim, "kim", given, new_password=PASSWORD)).status_code == 200
        assert kind(await sign_in(kim, "kim", given)) == "wrong-sign-in"
        assert (await sign_in(kim, "kim", PASSWORD)).status_code == 200


@pytest.mark.req("AC-03")
async def test_the_last_five_passwords_are_not_used_again(house: House) -> None:
    user = house.gate.accounts.find("admin")
    for number in range(5):
        user = await house.gate.accounts.set_password(user, f"walrus number {number} of 5x")
        with pytest.raises(Refused, match="used before"):
            await house.gate.accounts.set_password(user, "walrus number 0 of 5x")
    with pytest.raises(Refused, match="used before"):
        await house.gate.accounts.set_password(user, "walrus number 4 of 5x")
    await house.gate.accounts.set_password(user, PASSWORD)


@pytest.mark.req("AC-03")
async def test_a_site_may_set_a_maximum_age_and_none_is_set_by_default(house_with: Any) -> None:
    house = house_with(password_age_s=90 * 86_400.0)
    await house.add("kim", Role.VIEWER)
    house.wall.now += 91 * 86_400
    async with house.visitor() as client:
        assert kind(await sign_in(client, "kim")) == "password-change-needed"
        assert (await sign_in(client, "kim", PASSWORD, new_password="a newer walrus, glass")).status_code == 200
    assert Settings(house.settings.data).password_age_s is None


async def test_a_hash_of_another_cost_is_made_anew_at_sign_in(house_with: Any) -> None:
    await house_with().add("kim", Role.VIEWER)
    costlier = house_with(hash_cost=HashCost(2, 16, 1))
    async with costlier.visitor() as client:
        assert (await sign_in(client, "kim")).status_code == 200
        assert "m=16,t=2" in costlier.gate.accounts.find("kim").hash
        assert (await sign_in(client, "kim")).status_code == 200


@pytest.mark.real_time
async def test_hashes_wait_in_a_short_queue_and_leave_the_loop_free() -> None:
    hasher = Hasher(HashCost(1, 8_192, 1), queue=3)
    turns, done = 0, False

    async def count() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    outcomes = await asyncio.gather(*(hasher.hash(PASSWORD) for _ in range(10)), return_exceptions=True)
    done = True
    await counting
    hasher.close()
    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert (len(refused), {each.kind for each in refused}) == (6, {"busy"})
    assert turns > 5


@pytest.mark.req("AC-04")
async def test_five_wrong_passwords_in_15_minutes_lock_the_account_for_15(house: House) -> None:
    async with house.visitor() as client:
        for _ in range(5):
            assert kind(await sign_in(client, "admin", "wrong")) == "wrong-sign-in"
            house.wall.now += MINUTE_S
        answer = await sign_in(client, "admin")
        assert (answer.status_code, kind(answer)) == (429, "locked-out")
        assert answer.json()["retry_after_s"] == 14 * 60
        house.wall.now += 14 * MINUTE_S - 1
        assert kind(await sign_in(client, "admin")) == "locked-out"
        house.wall.now += 2
        assert (await sign_in(client, "admin")).status_code == 200
    assert [act["object"] for act in house.audited() if act["action"] == "account locked"] == ["admin"]


@pytest.mark.req("AC-04")
async def test_four_wrong_ones_and_a_right_one_lock_nothing_nor_do_five_in_a_longer_time(house: House) -> None:
    async with house.visitor() as client:
        for _ in range(3):
            for _ in range(4):
                await sign_in(client, "admin", "wrong")
            assert (await sign_in(client, "admin")).status_code == 200
        for _ in range(8):
            house.wall.now += 4 * MINUTE_S
            assert kind(await sign_in(client, "admin", "wrong")) == "wrong-sign-in"


@pytest.mark.req("AC-04")
async def test_a_lock_leaves_other_accounts_and_open_sessions_alone(house: House) -> None:
    async with house.signed_in("operator") as working, house.visitor("10.0.0.9") as attacker:
        for _ in range(6):
            answer = await sign_in(attacker, "operator", "wrong")
        assert kind(answer) == "locked-out"
        assert (await working.post(f"{API}/act")).status_code == 200
        assert (await sign_in(attacker, "admin")).status_code == 200


@pytest.mark.req("AC-04")
async def test_an_address_that_tries_many_accounts_is_slowed_down_and_others_are_not(house: House) -> None:
    async with house.visitor("10.0.0.9") as attacker, house.visitor("10.0.0.8") as other:
        for number in range(20):
            assert kind(await sign_in(attacker, f"guess{number}", "wrong")) == "wrong-sign-in"
        answer = await sign_in(attacker, "admin")
        assert (answer.status_code, kind(answer)) == (429, "locked-out")
        assert "retry-after" in answer.headers
        assert (await sign_in(other, "admin")).status_code == 200


@pytest.mark.req("AC-04")
async def test_many_guesses_at_once_do_not_slip_past_the_count(house: House) -> None:
    async with house.visitor() as client:
        answers = await asyncio.gather(*(sign_in(client, "admin", f"guess {n}") for n in range(12)))
    kinds = [kind(answer) for answer in answers]
    assert (kinds.count("wrong-sign-in"), kinds.count("locked-out")) == (5, 7)


@pytest.mark.req("AC-04")
async def test_unknown_disabled_and_wrong_look_the_same(house: House) -> None:
    await house.add("gone", Role.VIEWER)
    house.gate.accounts.disable("gone")
    async with house.visitor() as client:
        told = []
        for user, password in (("nobody", PASSWORD), ("gone", PASSWORD), ("admin", "wrong")):
            answer = await sign_in(client, user, password)
            told.append((answer.status_code, {**answer.json(), "correlation": ""}))
    assert told[0] == told[1] == told[2]


@pytest.mark.req("AC-04")
async def test_wrong_guesses_when_changing_the_password_count_as_well(house: House) -> None:
    async with house.signed_in("operator") as client:
        sent = {"password": "wrong", "new_password": "quite another walrus"}
        kinds = [kind(await client.post(f"{API}/session/password", json=sent)) for _ in range(6)]
    assert kinds == ["wrong-sign-in"] * 5 + ["locked-out"]


def test_passwords_made_here_are_long_and_differ() -> None:
    made = {passwords.made() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        check(each)
