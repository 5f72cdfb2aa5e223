"""What must not come through: foreign name, foreign page, forged, not JSON, too large, too many, unknown fields."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from api.web.security.guard import CONTENT_POLICY
from api.web.security.who import Role
from tests.api.web.security.house import API, OWN, PASSWORD, House, kind, sign_in
from tests.api.web.security.sockets import knock

ACT = f"{API}/act"


@pytest.mark.req("SEC-08")
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8620", "127.0.0.1.evil.example", "10.0.0.5:8620", ""])
async def test_a_name_that_is_not_ours_is_refused_even_with_a_good_session(house: House, host: str) -> None:
    async with house.signed_in("operator") as client:
        for path in (f"{API}/see", f"{API}/health", "/"):
            assert kind(await client.get(path, headers={"host": host})) == "foreign-host"


@pytest.mark.req("SEC-08")
@pytest.mark.parametrize("host", ["localhost:8620", "LOCALHOST", "127.0.0.1:9", "[::1]:8620"])
async def test_every_name_of_this_machine_is_ours_with_any_port(house: House, host: str) -> None:
    async with house.visitor() as client:
        assert (await client.get("/", headers={"host": host})).text == "page"


@pytest.mark.req("SEC-06")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "https://127.0.0.1:8620"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
    ],
)
async def test_a_change_from_a_foreign_page_is_refused(house: House, headers: dict[str, str]) -> None:
    async with house.signed_in("operator") as client:
        assert kind(await client.post(ACT, headers=headers)) == "foreign-origin"
        assert kind(await sign_in_from(client, headers)) == "foreign-origin"


async def sign_in_from(client: Any, headers: dict[str, str]) -> Any:
    sent = {"user": "operator", "password": PASSWORD}
    return await client.post(f"{API}/session", json=sent, headers=headers)


@pytest.mark.req("SEC-06")
async def test_a_change_from_our_own_page_is_taken(house: House) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.post(ACT, headers={"origin": OWN, "sec-fetch-site": "same-origin"})
        assert answer.status_code == 200


@pytest.mark.req("SEC-06")
@pytest.mark.parametrize("value", [None, "", "1", "0" * 64, "ü"])
async def test_a_change_without_the_anti_forgery_value_of_the_session_is_refused(
    house: House, value: str | None
) -> None:
    async with house.signed_in("operator") as client:
        del client.headers["x-osteon"]
        headers = {} if value is None else {"x-osteon": value.encode()}
        assert kind(await client.post(ACT, headers=headers)) == "forged"  # pyright: ignore[reportArgumentType]


@pytest.mark.req("SEC-06")
async def test_the_anti_forgery_value_of_another_session_does_not_serve(house: House) -> None:
    async with house.signed_in("operator", "one") as one, house.signed_in("operator", "two") as two:
        assert kind(await one.post(ACT, headers={"x-osteon": two.headers["x-osteon"]})) == "forged"


@pytest.mark.req("SEC-06")
async def test_sign_in_needs_the_header_that_a_foreign_form_cannot_set(house: House) -> None:
    async with house.visitor() as client:
        answer = await client.post(f"{API}/session", json={"user": "admin", "password": PASSWORD})
        assert kind(answer) == "forged"


@pytest.mark.req("SEC-06")
@pytest.mark.parametrize("kind_sent", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_anything_but_json_is_refused(house: House, kind_sent: str) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.post(ACT, content=b"{}", headers={"content-type": kind_sent})
        assert (answer.status_code, kind(answer)) == (415, "not-json")


@pytest.mark.req("SEC-06")
@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PROPFIND"])
async def test_other_methods_and_preflights_are_refused_and_nothing_allows_other_origins(
    house: House, method: str
) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.request(method, ACT)
        assert kind(answer) == "wrong-method"
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert (await client.post("/")).status_code == 405


@pytest.mark.req("SEC-06")
async def test_reading_never_changes_anything(house: House) -> None:
    async with house.signed_in("operator") as client:
        assert (await client.get(ACT)).status_code == 405


@pytest.mark.req("SEC-11")
async def test_a_body_of_one_mebibyte_passes_and_one_byte_more_does_not(house: House) -> None:
    async with house.signed_in("operator") as client:
        json = {"content-type": "application/json"}
        assert (await client.post(ACT, content=b"1" * (1 << 20), headers=json)).json() == {"bytes": 1 << 20}
        answer = await client.post(ACT, content=b"1" * ((1 << 20) + 1), headers=json)
        assert (answer.status_code, kind(answer)) == (413, "too-large")


@pytest.mark.req("SEC-11")
async def test_of_somebody_not_signed_in_only_little_is_read(house: House) -> None:
    async with house.visitor() as client:
        sent = {"user": "admin", "password": "x" * 20_000}
        answer = await client.post(f"{API}/session", json=sent, headers={"x-osteon": "1"})
    assert (answer.status_code, kind(answer)) == (413, "too-large")


@pytest.mark.req("SEC-04")
async def test_a_socket_outside_the_api_is_refused(house: House) -> None:
    assert (await knock(house.guard, "/", origin=OWN))[0] == 405


@pytest.mark.real_time
@pytest.mark.req("SEC-04", "SEC-07")
async def test_a_real_server_refuses_a_handshake_with_the_status_and_the_problem(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        address = f"127.0.0.1:{port.getsockname()[1]}"
        config = uvicorn.Config(
            house.guard,
            loop="asyncio",
            ws="websockets-sansio",
            lifespan="off",
            log_level="warning",
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[port]))
        for origin, status in ((f"http://{address}", 401), (None, 401), ("https://evil.example", 401)):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://{address}{API}/stream", origin=origin)  # pyright: ignore[reportArgumentType]
            assert refused.value.response.status_code == status
            assert b"urn:osteon:problem:not-signed-in" in refused.value.response.body
        server.should_exit = True
        await serving


@pytest.mark.req("SEC-11")
async def test_a_body_of_unknown_length_is_cut_off_at_the_limit(house: House) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"1" * 65_536

    async with house.signed_in("operator") as client:
        answer = await client.post(ACT, content=endless(), headers={"content-type": "application/json"})
    assert kind(answer) == "too-large"
    assert sent < 3 << 20


@pytest.mark.req("SEC-11")
async def test_a_body_that_drips_is_given_up(house: House) -> None:
    async def dripping() -> Any:
        while True:
            await asyncio.sleep(1.0)
            yield b"1"

    async with house.signed_in("operator") as client:
        answer = await client.post(ACT, content=dripping(), headers={"content-type": "application/json"})
    assert (answer.status_code, kind(answer)) == (408, "too-slow")


@pytest.mark.req("SEC-11")
async def test_beyond_the_limit_of_connections_the_next_is_told_to_come_back(house_with: Any) -> None:
    house = house_with(connections=3)
    await house.add("operator", Role.OPERATOR)
    door = asyncio.Event()

    async def held() -> Any:
        await door.wait()
        yield b"{}"

    async with house.signed_in("operator") as client:
        headers = {"content-type": "application/json"}
        waiting = [asyncio.create_task(client.post(ACT, content=held(), headers=headers)) for _ in range(3)]
        await asyncio.sleep(0.1)
        answer = await client.get(f"{API}/see")
        assert (answer.status_code, kind(answer)) == (503, "too-many-connections")
        door.set()
        assert [each.status_code for each in await asyncio.gather(*waiting)] == [200] * 3
        assert (await client.get(f"{API}/see")).status_code == 200


@pytest.mark.req("SEC-11")
async def test_strangers_whose_bodies_never_come_keep_nobody_out_who_is_signed_in(house_with: Any) -> None:
    house = house_with(connections=8)
    await house.add("operator", Role.OPERATOR)
    door = asyncio.Event()

    async def held() -> Any:
        await door.wait()
        yield b"{}"

    async with house.signed_in("operator") as client, house.visitor() as stranger:
        headers = {"content-type": "application/json", "x-osteon": "1"}
        waiting = [
            asyncio.create_task(stranger.post(f"{API}/session", content=held(), headers=headers)) for _ in range(20)
        ]
        await asyncio.sleep(0.1)
        assert (await client.post(ACT, json={})).status_code == 200
        door.set()
        told = [(await each).status_code for each in waiting]
    assert told.count(503) == 18


async def test_unknown_fields_and_lax_types_are_refused_and_nothing_is_made(house: House) -> None:
    async with house.signed_in("admin") as client:
        new = {"user": "kim", "name": "K", "role": "viewer"}
        for wrong in ({"is_admin": True}, {"name": 3}, {"role": "chief"}, {"password": ["x"]}):
            answer = await client.post(f"{API}/users", json={**new, **wrong})
            assert (answer.status_code, kind(answer)) == (422, "invalid")
    assert house.gate.access.user("kim") is None


@pytest.mark.req("SEC-11")
@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 16_000, b'{"user": NaN', b"nul"])
async def test_bodies_that_are_no_json_are_a_bad_request(house: House, body: bytes) -> None:
    async with house.visitor() as client:
        headers = {"x-osteon": "1", "content-type": "application/json"}
        answer = await client.post(f"{API}/session", content=body, headers=headers)
        assert (answer.status_code, kind(answer)) == (400, "bad-request")


@pytest.mark.req("SEC-11")
@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "\\uffff", "a" * 7_000])
async def test_odd_text_is_no_fault_of_the_program(house: House, text: str) -> None:
    async with house.visitor() as client:
        headers = {"x-osteon": "1", "content-type": "application/json"}
        for body in (f'{{"user": "{text}", "password": "x"}}', f'{{"user": "admin", "password": "{text}"}}'):
            answer = await client.post(f"{API}/session", content=body.encode(), headers=headers)
            assert answer.status_code in (401, 422)


@pytest.mark.req("SEC-03")
async def test_forwarded_headers_log_nobody_in_and_name_no_address(house: House) -> None:
    forwarded = {
        "x-forwarded-for": "10.9.9.9",
        "forwarded": "for=10.9.9.9",
        "x-real-ip": "10.9.9.9",
        "x-forwarded-user": "admin",
        "remote-user": "admin",
        "x-forwarded-host": "localhost",
    }
    async with house.visitor() as client:
        assert (await client.get(f"{API}/see", headers=forwarded)).status_code == 401
        await client.post(
            f"{API}/session", json={"user": "admin", "password": "wrong"}, headers={**forwarded, "x-osteon": "1"}
        )
    assert [act["client"] for act in house.audited() if act["action"] == "sign-in"] == ["127.0.0.1"]


@pytest.mark.req("SEC-03")
@pytest.mark.parametrize("peer", ["127.0.0.1", "192.168.1.7", "::1"])
async def test_no_address_is_let_in_by_itself(house: House, peer: str) -> None:
    async with house.visitor(peer) as client:
        assert kind(await client.get(f"{API}/see")) == "not-signed-in"


@pytest.mark.req("SEC-06")
async def test_a_deciding_header_sent_twice_is_refused(house: House) -> None:
    async with house.signed_in("operator") as client:
        twice = [("origin", OWN), ("origin", "https://evil.example")]
        assert kind(await client.post(ACT, headers=twice)) == "bad-request"


@pytest.mark.req("SEC-07")
@pytest.mark.parametrize("denial", [True, False])
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:9000"])
async def test_a_socket_from_a_foreign_page_does_not_open(house: House, origin: str | None, denial: bool) -> None:
    async with house.signed_in("viewer") as client:
        cookie = {"cookie": f"osteon_session={client.cookies['osteon_session']}"}
    named = {} if origin is None else {"origin": origin}
    status, _ = await knock(house.guard, f"{API}/stream", denial, **cookie, **named)
    assert status == 403


@pytest.mark.req("SEC-07")
async def test_a_socket_opens_for_our_page_with_a_session_and_for_a_token_without_origin(house: House) -> None:
    async with house.signed_in("viewer") as client:
        cookie = f"osteon_session={client.cookies['osteon_session']}"
        made = await client.post(f"{API}/tokens", json={"label": "wall", "role": "viewer", "days": None})
    greeting = (101, [{"hello": "viewer"}])
    assert await knock(house.guard, f"{API}/stream", origin=OWN, cookie=cookie) == greeting
    assert await knock(house.guard, f"{API}/stream", authorization=f"Bearer {made.json()['token']}") == greeting
    assert (await knock(house.guard, f"{API}/stream", host="evil.example", origin=OWN, cookie=cookie))[0] == 421


@pytest.mark.req("SEC-15")
async def test_every_answer_carries_the_security_headers(house: House) -> None:
    async with house.signed_in("operator") as client:
        for answer in (
            await client.get("/"),
            await client.get(f"{API}/see"),
            await client.post(f"{API}/broken"),
            await client.get("/nothing"),
            await client.get("/", headers={"host": "evil.example"}),
        ):
            assert answer.headers["content-security-policy"] == CONTENT_POLICY
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "no-referrer"
        assert (await client.get(f"{API}/see")).headers["cache-control"] == "no-store"
    assert "unsafe" not in CONTENT_POLICY
    assert "frame-ancestors 'none'" in CONTENT_POLICY
    assert "http:" not in CONTENT_POLICY


@pytest.mark.req("SEC-18")
async def test_a_fault_answers_with_a_correlation_id_only_and_logs_no_secret(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.signed_in("operator") as client:
        secret = client.cookies["osteon_session"]
        with caplog.at_level(logging.DEBUG):
            answer = await client.post(f"{API}/broken", json={"password": "hush hush hush"})
    assert (answer.status_code, kind(answer)) == (500, "fault")
    assert set(answer.json()) == {"type", "title", "status", "detail", "correlation"}
    assert answer.json()["correlation"] in caplog.text
    assert "RuntimeError at house.py:" in caplog.text
    for hidden in ("hush", secret, client.headers["x-osteon"]):
        assert hidden not in answer.text + caplog.text


@pytest.mark.req("SEC-18")
async def test_passwords_and_tokens_appear_in_no_error_log_or_audit_entry(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = "Tr0ub4dor&3-hidden-hidden"
    with caplog.at_level(logging.DEBUG):
        async with house.visitor() as client, house.signed_in("admin") as admin:
            answers = [
                await sign_in(client, "admin", hidden),
                await sign_in(client, hidden, "typed into the wrong field"),
                await sign_in(client, "admin", hidden, extra=hidden),
                await client.post(
                    f"{API}/session", json={"user": "a", "password": [hidden]}, headers={"x-osteon": "1"}
                ),
                await client.post(f"{API}/session", content=hidden, headers={"x-osteon": "1"}),
                await client.get(f"{API}/see", headers={"authorization": f"Bearer osteon_{hidden}"}),
                await admin.post(
                    f"{API}/users", json={"user": "x!", "name": "X", "role": "viewer", "password": hidden}
                ),
            ]
    assert [answer.status_code for answer in answers] == [401, 401, 422, 422, 415, 401, 422]
    told = "".join(answer.text for answer in answers) + caplog.text + str(house.audited())
    assert hidden not in told


async def test_refusals_and_sign_ins_reach_the_audit_desk_with_person_and_address(house: House) -> None:
    async with house.signed_in("viewer") as client, house.visitor("10.1.1.1") as stranger:
        await client.post(ACT)
        await sign_in(stranger, "viewer", "wrong wrong wrong")
        await stranger.get(f"{API}/see")
        await client.delete(f"{API}/session")
    told = [(act["action"], act["actor"], act["outcome"], act["reason"], act["client"]) for act in house.audited()]
    assert ("sign-in", "viewer", "done", "", "127.0.0.1") in told
    assert ("request", "viewer", "refused", "not-allowed", "127.0.0.1") in told
    assert ("sign-in", "", "failed", "user or password is not right", "10.1.1.1") in told
    assert ("sign-out", "viewer", "done", "", "127.0.0.1") in told


async def test_a_flood_of_refusals_becomes_one_entry_that_counts_them(house: House) -> None:
    async with house.signed_in("viewer") as client:
        house.audited()
        for _ in range(100):
            await client.post(ACT)
    told = house.audited()[1:]
    refused = [act for act in told if act["action"] == "request"]
    assert len(refused) < 61
    assert [act["reason"].split()[0] for act in told if act["action"] == "many refusals"] == [str(100 - len(refused))]
