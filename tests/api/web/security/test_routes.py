"""The table route x role, made from the routes themselves, and walked in full."""

from __future__ import annotations

import re
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Mount

from api.web.files import Files
from api.web.security.rights import OPEN, READING, ROLES, Right, Row, allows, table, within
from api.web.security.settings import Settings
from api.web.security.who import Role
from tests.api.web.security.house import API, CHEAP, House, Wall, kind, whole
from tests.api.web.security.sockets import knock


def rows(app: FastAPI) -> list[Row]:
    return [row for row in table(app.routes) if row.path.startswith("/api")]


def address(row: Row) -> str:
    """A path that matches the row."""
    return re.sub(r"{id(:\w+)?}", "7", re.sub(r"{(?!id)[^}]*}", "nobody", row.path))


@pytest.mark.req("SEC-04")
async def test_every_route_declares_a_right_or_is_listed_as_open(each_house: House) -> None:
    found = rows(each_house.app)
    assert len(found) > 15
    assert [row for row in found if row.right is None and not row.open] == []
    assert [row for row in found if row.right is not None and row.open] == []


@pytest.mark.req("SEC-04")
async def test_no_route_answers_without_sign_in_unless_listed(each_house: House) -> None:
    async with each_house.visitor() as client:
        for row in rows(each_house.app):
            if row.method == "WEBSOCKET":
                status, _ = await knock(each_house.guard, address(row), origin="http://127.0.0.1:8620")
            else:
                status = (await client.request(row.method, address(row), headers={"x-osteon": "1"})).status_code
            assert (status == 401) is not row.open, row


@pytest.mark.req("SEC-04")
async def test_a_route_that_was_forgotten_is_closed_and_the_walk_finds_it(each_house: House) -> None:
    @each_house.app.get("/api/v1/forgotten")
    async def forgotten() -> str:
        return "secret"

    async with each_house.visitor() as client:
        assert (await client.get(f"{API}/forgotten")).status_code == 401
    assert [row.path for row in rows(each_house.app) if row.right is None and not row.open] == [f"{API}/forgotten"]


@pytest.mark.req("SEC-04")
@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc", "/api", "/api/v1/health/", "/api/v2/x"])
async def test_api_pages_and_unknown_addresses_need_sign_in(each_house: House, path: str) -> None:
    async with each_house.visitor() as client:
        assert kind(await client.get(path)) == "not-signed-in"


@pytest.mark.req("AC-02")
@pytest.mark.parametrize("role", Role)
async def test_each_role_reaches_exactly_the_routes_of_the_table(each_house: House, role: Role) -> None:
    """Refused for lack of a right where the table says so; elsewhere other things may be wrong, the right is not."""
    await each_house.add("nobody", Role.VIEWER)
    for row in rows(each_house.app):
        if row.open or (row.path.endswith("/session") and row.method == "DELETE"):
            continue
        async with each_house.signed_in(role, f"a-{role}") as client:
            if row.method == "WEBSOCKET":
                cookie = f"osteon_session={client.cookies['osteon_session']}"
                status, got = await knock(each_house.guard, address(row), origin="http://127.0.0.1:8620", cookie=cookie)
                lacks = status == 403 and got[0]["type"].endswith("not-allowed")
            else:
                answer = await client.request(row.method, address(row))
                lacks = answer.status_code == 403 and "has no right" in answer.json()["detail"]
            assert lacks is not row.admits(role), (role, row)


@pytest.mark.req("AC-02")
async def test_the_check_is_behind_the_page_a_forged_call_of_a_viewer_changes_nothing(house: House) -> None:
    async with house.signed_in("viewer") as client:
        answer = await client.post(f"{API}/users", json={"user": "mole", "name": "M", "role": "admin"})
    assert kind(answer) == "not-allowed"
    assert house.gate.access.user("mole") is None


@pytest.mark.req("AC-01")
def test_administrators_have_no_process_rights_and_nobody_else_administers() -> None:
    assert {right for right in Right if allows(Role.ADMIN, right)} == {Right.SEE, Right.OWN, Right.ADMINISTER}
    assert ROLES[Right.ADMINISTER] == {Role.ADMIN}


def test_roles_contain_each_other_as_the_table_says() -> None:
    contained = {(a, b) for a in Role for b in Role if a != b and within(a, b)}
    viewer, operator, supervisor, admin, machine = Role
    expected = {(viewer, other) for other in (operator, supervisor, admin, machine)} | {(operator, supervisor)}
    expected |= {(machine, operator), (machine, supervisor)}
    assert contained == expected


def test_what_is_open_only_reads_or_signs_in() -> None:
    assert {path for method, path in OPEN if method not in READING} == {f"{API}/session", f"{API}/setup"}


async def test_mounted_apps_are_files_only(each_house: House) -> None:
    mounts = [route.path for route in each_house.app.routes if isinstance(route, Mount)]
    assert [path for path in mounts if path.startswith("/api")] == []
    files = [route.app for route in each_house.app.routes if isinstance(route, Mount)]
    assert all(isinstance(app, Files) for app in files)


@pytest.mark.real_time
@pytest.mark.parametrize(
    "path", ["/../access.sqlite", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/passwd", "/vendor/../../app.py"]
)
async def test_files_outside_the_dashboard_are_not_served(each_house: House, path: str) -> None:
    async with each_house.visitor() as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.req("AC-02")
async def test_stopping_a_run_is_refused_to_an_operator_and_nothing_else_is_asked(tmp_path: Path) -> None:
    wall = Wall()
    house = whole(Settings(tmp_path, hash_cost=CHEAP, wall=wall), wall)
    async with house.signed_in("operator") as client:
        sent = {"cause": "stop", "state_seen": "RUNNING", "why": "no reason at all"}
        answer = await client.post(f"{API}/runs/r1/commands", json=sent, headers={"idempotency-key": "k" * 32})
    assert kind(answer) == "not-allowed"
    house.gate.close()


async def test_no_route_and_no_dependency_waits_for_a_thread(each_house: House) -> None:
    """A plain function would be run in a thread pool: dear, and not seen by other kinds of time."""
    plain = [call for route in iter_route_contexts(each_house.app.routes) for call in calls(route) if not waits(call)]
    assert plain == []


def calls(route: RouteContext) -> list[Any]:
    def of(dependant: Any) -> list[Any]:
        return [dependant.call, *(call for each in dependant.dependencies for call in of(each))]

    dependant = getattr(route.original_route, "dependant", None)
    return of(dependant) if dependant else []


def waits(call: Any) -> bool:
    return iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)
