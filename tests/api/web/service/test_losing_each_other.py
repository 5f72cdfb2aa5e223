"""The API killed, frozen, flooded; the controller killed, frozen: control goes on, pages hear the truth (SEC-22)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from api.socket_client import address
from tests.api.web.service.place import API, WAIT_S, Place, freeze, heard, thaw, until
from tests.controller.quick import WAIT

pytestmark = [pytest.mark.real_time, pytest.mark.xdist_group("service-losses")]


@contextmanager
def control_goes_on(place: Place) -> Iterator[None]:
    """What happens inside leaves the same controller scanning, and the world exchanging bytes with it."""
    epoch, before = place.hello()["epoch"], place.scans()
    truth = float(place.eye.truth()["at"])
    yield
    until(lambda: place.scans() > before + 20, "20 scans more")
    assert float(place.eye.truth()["at"]) > truth
    assert place.hello()["epoch"] == epoch
    assert place.ask("snapshot")["alarms"] == []


@pytest.mark.req("SEC-22")
def test_a_killed_api_leaves_control_alone_and_a_new_one_takes_the_session_up(place: Place) -> None:
    with place.page() as page, control_goes_on(place):
        place.api.kill()
        place.api.wait(WAIT_S)
        until(lambda: place.scans() > 0, "the controller answers by itself")
        place.api = place.start_api()
        page.client.base_url = place.url + API
        until(lambda: place.health() == "ok", "the new one hears the controller")
        assert page.get("/session")["user"] == "demo"
        assert page.get("/units")[0]["unit"] == "reactor"


@pytest.mark.req("SEC-22")
def test_a_frozen_api_leaves_control_alone(place: Place) -> None:
    with place.page() as page, page.stream() as stream:
        heard(stream, "heartbeat")
        freeze(place.api)
        try:
            with control_goes_on(place):
                assert place.health() == ""
        finally:
            thaw(place.api)
        heard(stream, "change")
        assert place.health() == "ok"


@pytest.mark.req("SEC-22")
def test_a_flood_of_connections_leaves_control_alone_and_the_api_comes_back(place: Place) -> None:
    host, port = place.url.removeprefix("http://").split(":")
    with control_goes_on(place), ExitStack() as open_ones:
        for _ in range(200):
            one = open_ones.enter_context(socket.create_connection((host, int(port)), timeout=WAIT_S))
            one.sendall(b"GET /api/v1/units HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    with (
        control_goes_on(place),
        ThreadPoolExecutor(10) as pool,
        httpx2.Client(base_url=place.url + API, timeout=WAIT_S) as client,
    ):
        statuses = set(pool.map(lambda _: client.get("/units").status_code, range(500)))
        assert statuses <= {401, 503}
    until(lambda: place.health() == "ok", "the API answers again")


@pytest.mark.req("SEC-22")
def test_peers_that_never_read_leave_control_alone(place: Place) -> None:
    with ExitStack() as open_ones, control_goes_on(place):
        for _ in range(20):
            one = open_ones.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            one.connect(address(place.data))
            one.setblocking(False)
            try:
                while True:
                    one.send(b'{"do": "snapshot"}\n' * 200)
            except BlockingIOError:
                continue


@pytest.mark.req("SEC-22", "UI-21")
def test_a_frozen_controller_is_told_from_a_lost_connection_and_shows_nothing_as_current(place: Place) -> None:
    with place.page() as page, page.stream() as stream:
        count = heard(stream, "heartbeat")["scan"]["count"]
        freeze(place.controller)
        try:
            beat = heard(stream, "heartbeat", lambda beat: not beat["scanning"])
            assert beat["controller"] == "silent"
            assert heard(stream, "heartbeat")["scan"]["age_s"] >= beat["scan"]["age_s"] > 0
            assert place.health() == "controller silent"
            roles = page.get("/units/reactor")["roles"]
            assert {role["reading"]["quality"] for role in roles} <= {"stale", "bad"}
            assert any("no word from the controller" in role["reading"]["why"] for role in roles)
        finally:
            thaw(place.controller)
        beat = heard(stream, "heartbeat", lambda beat: beat["scanning"])
        assert beat["scan"]["count"] > count
        until(lambda: page.get("/units/reactor")["roles"][0]["reading"]["quality"] == "good", "values are current")


@pytest.mark.req("UI-25", "DX-04")
def test_a_command_under_way_when_the_controller_dies_has_an_unknown_outcome_found_by_its_key(place: Place) -> None:
    with place.page() as page, page.stream() as stream:
        assert page.post("/runs", {"protocol": WAIT}, "kill-start", 201) == {"run": "run-1"}
        freeze(place.controller)
        before = connections(place)
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(page.command, "hold", "RUNNING", "lost-hold", 504)
            until(lambda: connections(place) > before, "the command stands in the controller's socket")
            threading.Event().wait(0.2)
            place.controller.kill()
            answer = held.result(WAIT_S)
        place.controller.wait(WAIT_S)
        assert answer["type"].endswith("outcome-not-known")
        assert answer["key"] == "lost-hold"
        heard(stream, "heartbeat", lambda beat: beat["controller"] == "away" and not beat["scanning"])
        assert place.health() == "controller away"
        away = page.command("hold", "RUNNING", "no-one", 503)
        assert away["type"].endswith("controller-away")
        place.controller = place.start_controller()
        heard(stream, "heartbeat", lambda beat: beat["controller"] == "ok" and beat["scanning"])
        page.get("/commands/lost-hold", 404)
        assert page.get("/commands/kill-start")["answer"]["run"] == "run-1"
        until(lambda: page.state() == "RUNNING", "the run came through its restart checks")
        assert len(page.get("/runs/run-1/timeline")["outages"]) == 1


@pytest.mark.req("AT-01")
def test_acts_of_the_service_reach_the_trail_although_both_ended_in_between(place: Place) -> None:
    """The controller ends first, as at an orderly end of `osteon serve`. At least once: an entry the controller took
    in its last moment, its answer lost, comes again."""
    for process in (place.controller, place.api):
        sign_in_wrongly(place)
        process.terminate()
        process.wait(WAIT_S)
    place.controller = place.start_controller()
    place.api = place.start_api()
    until(lambda: place.health() == "ok", "the new service hears the new controller")
    until(lambda: wrong_sign_ins(place) >= 2, "both are in the trail")
    until(lambda: not (place.data / "audit-waiting.jsonl").exists(), "nothing waits any more")


@pytest.mark.req("AT-01")
def test_a_very_long_address_reaches_the_trail_and_holds_up_nothing_behind_it(place: Place) -> None:
    before = wrong_sign_ins(place)
    for length in (195, 196, 200, 4000):
        path = f"{API}/{'x' * (length - len(API) - 1)}"
        assert httpx2.post(place.url + path, headers={"X-Osteon": "1"}, timeout=WAIT_S).status_code == 401
    sign_in_wrongly(place)
    until(lambda: wrong_sign_ins(place) == before + 1, "what came after is in the trail")
    with place.ledger() as ledger:
        told = [row.object_id for row in ledger.audit() if row.object_id.startswith(f"POST {API}/xx")]
    assert [len(each) for each in told] == [200, 200, 200, 200]
    assert [each.endswith("…") for each in told] == [False, True, True, True]


@pytest.mark.req("AT-01")
def test_a_token_made_just_before_the_api_is_killed_stands_in_the_trail(place: Place) -> None:
    with place.page() as page:
        freeze(place.controller)
        try:
            made = page.post("/tokens", {"label": "killed", "role": "viewer", "days": 1}, status=201)
            place.api.kill()
            place.api.wait(WAIT_S)
        finally:
            thaw(place.controller)
    place.api = place.start_api()
    until(lambda: f"token {made['id']}" in tokens_made(place), "the next service has delivered it")


def tokens_made(place: Place) -> list[str]:
    with place.ledger() as ledger:
        return [row.object_id for row in ledger.audit() if row.action == "token made"]


def sign_in_wrongly(place: Place) -> None:
    who = {"user": "demo", "password": "not the password"}
    answer = httpx2.post(f"{place.url}{API}/session", json=who, headers={"X-Osteon": "1"}, timeout=WAIT_S)
    assert answer.status_code == 401


def wrong_sign_ins(place: Place) -> int:
    with place.ledger() as ledger:
        return sum((row.action, row.outcome) == ("sign-in", "failed") for row in ledger.audit())


def connections(place: Place) -> int:
    """Connections at the controller's end of its socket, whoever opened them."""
    name = str(place.data / "controller.sock")
    return sum(line.endswith(name) for line in Path("/proc/net/unix").read_text().splitlines())
