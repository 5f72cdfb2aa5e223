"""A token for one unit sees and touches nothing of another: every route is asked, also those added later."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.web.one_unit import narrowed
from api.web.security.rights import Right, Row, table
from api.web.security.settings import Settings
from api.web.security.who import Role
from api.web.service import Service
from controller.clock import Clock
from controller.store.changes import AuditEntry, Insert
from controller.store.ledger import Ledger
from controller.store.pictures import file_of
from protocols import records
from protocols.loading import load
from protocols.planning import plan
from tests.api.web.security.house import API, CHEAP, House, Wall, kind, whole
from tests.api.web.security.sockets import knock
from tests.api.web.security.test_tokens import bearer, make
from tests.api.web.service.pictures import picture, reading

pytestmark = pytest.mark.real_time

START = 1_767_567_600.0
PROTOCOL = Path(__file__).parents[3] / "protocols" / "exchanges.yaml"
OWN = {"unit": "own", "device": "probe_own", "signal": "probe_own.ph", "run": "run-own", "key": "key-own",
       "batch": "b/own"}  # fmt: skip
FOREIGN = {name: value.replace("own", "alien") for name, value in OWN.items()}
GENERAL = {"name": "exchanges", "user": "u", "token": "1", "id": "1", "alarm": "alarm-alien", "lot": "L-1",
           "photo": "0" * 32}  # fmt: skip
"""Parts of addresses that lead to nothing of a unit, and one alarm of the other unit."""


def two_units() -> dict[str, Any]:
    """A bench with two units; everything of the second has "alien" in its name."""
    shown = picture(START + 50_000.0)
    units: dict[str, Any] = {}
    for unit in ("own", "alien"):
        shown["devices"] += [
            {"name": f"{kind}_{unit}", "condition": "ready", "why": "", "readings": {"ph": reading()}, "model": "m",
             "verified": True, "identity": None, "since": None, "poll_s": 1.0} for kind in ("probe", "pump")
        ]  # fmt: skip
        units[unit] = {
            "roles": {"ph": f"probe_{unit}.ph"}, "owners": {}, "stays_on": [],
            "vessel": {"kind": "stirred", "min_ml": 60, "max_ml": 150, "level_ml": 72, "evaporation_ml_day": 0.3},
            "paths": {"medium in": {"pump": f"pump_{unit}"}},
        }  # fmt: skip
        shown["runs"].append(
            {"run": f"run-{unit}", "unit": unit, "protocol": f"p-{unit}", "state": "RUNNING", "commands": [],
             "volume": {"ml": 90.0}, "steps": []}
        )  # fmt: skip
        shown["tasks"].append({"run": f"run-{unit}", "path": f"task/{unit}", "title": f"task {unit}"})
        shown["alarms"] += [
            alarm(f"alarm-{unit}", f"device:probe_{unit}", None),
            alarm(f"a-{unit}", "x", f"run-{unit}"),
        ]
        shown["events"].append({"utc": "", "actor": unit, "action": "x", "object": unit, "run": f"run-{unit}"})
    shown["devices"] = shown["devices"][1:]
    return {**shown, "units": units, "zone": "UTC", "bench": "two", "version": "1"}


def alarm(name: str, key: str, run: str | None) -> dict[str, Any]:
    return {
        "alarm_id": name, "key": key, "priority": "low", "text": f"text {name}", "advice": "", "state": "UNACK",
        "raised_at": START + 1.0, "acked_at": None, "acked_by": "", "cleared_at": None, "run_id": run,
    }  # fmt: skip


async def fill_ledger(folder: Path) -> None:
    ledger = Ledger.open(folder, Clock.of_bench("UTC", seed=1), "0.1", installation="i")
    await ledger.new_epoch(pid=7)
    text = PROTOCOL.read_text("utf-8")
    made = records.as_json(plan(load(text), START, "UTC", {}))
    for unit in ("own", "alien"):
        run = {"run_id": f"run-{unit}", "unit": unit, "name": f"p-{unit}", "created_at": START, "state": "RUNNING",
               "plan": made}  # fmt: skip
        row = {"key": f"key-{unit}", "run_id": run["run_id"], "at": START, "answer": {"state": "HOLDING", "in": unit}}
        alarms = [alarm(f"alarm-{unit}", f"device:probe_{unit}", None), alarm(f"a-{unit}", "x", f"run-{unit}")]
        batch = {"batch": f"b/{unit}", "kind": "bank", "run_id": run["run_id"], "at": START}
        changes = [
            Insert("runs", run),
            Insert("answers", row),
            Insert("batches", batch),
            *(Insert("alarms", each) for each in alarms),
        ]
        await ledger.commit(changes, [AuditEntry("test", "run", "r", "tester")])
    file = file_of(folder, GENERAL["photo"], "png")
    file.parent.mkdir()
    file.write_bytes(b"a picture")
    photo = {"photo": GENERAL["photo"], "run_id": "run-own", "path": "task/own", "at": START, "kind": "png", "bytes": 9}
    await ledger.commit([Insert("photos", photo)], [AuditEntry("test", "run", "r", "tester")])
    lot = {"lot": "L-1", "material": "medium", "received_at": START, "state": "open"}
    uses = [{"run_id": f"run-{unit}", "path": "x", "material": "medium", "lot": "L-1", "at": START}
            for unit in ("own", "alien")]  # fmt: skip
    edge = {"parent": "b/alien", "child": "b/both", "share": 0.5}
    both = {"batch": "b/both", "kind": "bank", "run_id": "run-own", "at": START + 1.0}
    rows = [Insert("materials", lot), *(Insert("lot_uses", use) for use in uses)]
    await ledger.commit(
        [*rows, Insert("batches", both), Insert("batch_edges", edge)], [AuditEntry("test", "lot", "L-1", "tester")]
    )
    ledger.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    await fill_ledger(tmp_path)
    wall = Wall()
    made = whole(Settings(tmp_path, hash_cost=CHEAP, wall=wall), wall)
    await made.add("admin", Role.ADMIN)
    service: Service = made.app.state.service
    service.feed.take(two_units())
    yield made
    service.records.close()
    made.gate.close()


@asynccontextmanager
async def script(house: House, role: str = "supervisor", **more: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a token, for the unit `own` unless told otherwise."""
    async with house.signed_in("supervisor") as owner:
        made = await make(owner, role, **{"unit": "own", **more})
    async with house.visitor() as client:
        client.headers.update(bearer(made))
        yield client


def fill(path: str, parts: Mapping[str, str]) -> str:
    return re.sub(r":\w+}", "}", path).format(**{**GENERAL, **parts})


def rows(house: House) -> list[Row]:
    return [row for row in table(house.app.routes) if row.path.startswith(API) and not row.open]


@pytest.mark.req("SEC-10")
async def test_no_reading_route_shows_anything_of_another_unit(house: House) -> None:
    """Asked for its own things every route answers; asked for the other unit's it refuses; no answer names any."""
    answered = 0
    async with script(house) as client:
        for row in rows(house):
            if row.method not in ("GET", "HEAD") or row.right in (Right.ADMINISTER, Right.OWN):
                continue
            own = await client.request(row.method, fill(row.path, OWN))
            if row.path.startswith((f"{API}/signals", f"{API}/protocols/")):
                assert own.status_code in (200, 404, 503), row  # no history in this folder; no such protocol
            else:
                assert own.status_code == 200, (row, own.text)
            assert "alien" not in own.text, row
            answered += own.status_code == 200
            if (address := fill(row.path, FOREIGN)) != fill(row.path, OWN):
                other = await client.request(row.method, address)
                assert other.status_code in (403, 404), (row, other.text)
                shown = other.text.replace(address, "").replace("-alien", "").replace("_alien", "")
                assert other.status_code == 403 or "there is no" in shown, row
        past = await client.get(f"{API}/alarms", params={"past": True})
        assert (await client.get(f"{API}/batches/b/both/touched")).status_code == 403, (
            "its mother was on the other unit"
        )
        assert (await client.get(f"{API}/materials/L-1/batches")).json() == ["b/own", "b/both"]
    assert answered >= 12
    assert [each["alarm_id"] for each in past.json()] == ["alarm-own", "a-own"]


@pytest.mark.req("SEC-10")
async def test_no_changing_route_touches_another_unit(house: House) -> None:
    """Every body is one that would do: what refuses is the unit."""
    bodies: dict[str, dict[str, Any]] = {
        "/runs": {"protocol": "adsc-osteo-spheroid-28d", "unit": "alien"},
        "/runs/{run}/commands": {"cause": "hold", "state_seen": "RUNNING"},
        "/runs/{run}/tasks/answer": {"path": "task/alien", "entries": {}},
        "/runs/{run}/tasks/draft": {"path": "task/alien", "entries": {}},
        "/runs/{run}/tasks/claim": {"path": "task/alien", "by": "me"},
        "/runs/{run}/amendments/preview": {"what": "skip", "path": "x"},
        "/runs/{run}/amendments": {"what": "skip", "path": "x", "why": "because"},
        "/units/{unit}/volume": {"ml": 80.0, "why": "weighed it"},
        "/runs/{run}/results": {"sample": "S-1", "name": "viability", "value": 90.0},
        "/units/{unit}/moves": {"path": "medium in", "volume_ml": 1.0, "rate_ml_min": 1.0, "why": "because"},
        "/runs/{run}/mode": {"mode": "step"},
        "/runs/{run}/advance": {"path": "x"},
        "/runs/{run}/decisions": {"path": "x", "answer": "skip", "why": "because"},
    }
    asked = 0
    async with script(house) as client:
        for row in rows(house):
            if row.method not in ("POST", "PUT", "PATCH", "DELETE") or row.right in (Right.ADMINISTER, Right.OWN):
                continue
            if row.path in (f"{API}/protocols/check", f"{API}/protocols/plan") or row.right is Right.SIGN:
                continue  # reckons and changes nothing; no token signs, whatever its unit
            body = bodies.get(row.path.removeprefix(API), {})
            headers = {"idempotency-key": "k" * 20}
            answer = await client.request(row.method, fill(row.path, FOREIGN), json=body, headers=headers)
            assert kind(answer) == "not-allowed", (row, answer.text)
            assert "unit own only" in answer.json()["detail"]
            asked += 1
    assert asked >= 7


@pytest.mark.req("SEC-10", "SEC-07")
async def test_the_stream_tells_of_the_own_unit_only(house: House) -> None:
    async with script(house) as client:
        status, heard = await knock(house.guard, f"{API}/stream", authorization=client.headers["authorization"])
    assert status == 101 and heard[0]["type"] == "snapshot"
    assert list(heard[0]["snapshot"]["units"]) == ["own"] and heard[0]["snapshot"]["runs"]
    assert "alien" not in json.dumps(heard)


async def test_changes_are_narrowed_too(house: House) -> None:
    feed = house.app.state.service.feed
    seen, _ = feed.whole("own")
    later = two_units()
    for device in later["devices"]:
        device["readings"]["ph"]["value"] = 5.0
    later["tasks"] = later["tasks"][:1]
    number = feed.seq
    feed.take(later)
    shown, text = feed.change(seen, number, "own")
    assert shown == narrowed(later, "own") and "alien" not in text and "probe_own" in text
    assert "probe_alien" in feed.change(two_units(), number)[1], "others see all of it"


async def test_a_token_for_all_units_sees_them_all(house: House) -> None:
    async with house.signed_in("supervisor") as client:
        answers = [await client.get(API + path) for path in ("/units", "/devices", "/runs", "/alarms", "/tasks")]
    assert all("alien" in answer.text and "own" in answer.text for answer in answers)


@pytest.mark.req("DS-12")
async def test_no_act_on_a_run_a_unit_or_a_device_goes_without_a_key(house: House) -> None:
    """Walked from the routes themselves: whatever may move fluid, or lead to it, carries an Idempotency-Key."""
    asked, without = 0, ("/amendments/preview", "/tasks/draft")
    async with script(house) as client:
        for row in rows(house):
            path = row.path.removeprefix(API)
            acts = row.method in ("POST", "PUT", "PATCH", "DELETE") and path.startswith(
                ("/runs", "/units", "/calibrations")
            )
            if not acts or path.endswith(without) or row.right is Right.SIGN:  # which a script has not
                continue
            answer = await client.request(row.method, fill(row.path, OWN), json={})
            assert kind(answer) in ("key-needed", "invalid"), (row, answer.text)
            named = {each["name"] for each in house.app.openapi()["paths"][row.path]["post"].get("parameters", [])}
            assert "Idempotency-Key" in named, row
            asked += 1
    assert asked >= 9
