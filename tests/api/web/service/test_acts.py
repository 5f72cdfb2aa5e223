"""A run from the page: started, answered, held, restarted, looked at. Real controller, real HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.api.web.service.place import API, Page, Place, until
from tests.controller.quick import FILL as QUICK_FILL

FILL = QUICK_FILL.replace("wait: 2 h", "wait: 100 d").replace("takes: 5 min", "takes: 5 min\n        overdue: 20 d")
FILL = FILL.replace(
    "        takes: 5 min",
    "        moves: [{move: cells, from: reactor, into: reactor, becomes: passage}]\n        takes: 5 min",
)
BEGIN = {"protocol": FILL, "batch": "P-1", "parents": {"D": 0.5}}

pytestmark = [pytest.mark.real_time, pytest.mark.xdist_group("service-acts")]


@pytest.fixture(scope="module")
def started(place: Place) -> str:
    """A run that waits for its hand step."""
    with place.page() as page:
        assert "no batch 'D'" in page.post("/runs", BEGIN, "start-0", 422)["detail"]
        assert page.post("/batches", {"batch": "D", "kind": "donor"}, "donor-1", 201) == {"batch": "D"}
        assert page.post("/runs", BEGIN, "start-1", 201) == {"run": "run-1"}
        until(lambda: page.get("/tasks"), "the hand step is open")
    return "run-1"


def test_a_start_is_done_once_whoever_repeats_it(started: str, page: Page) -> None:
    assert page.post("/runs", BEGIN, "start-1", 201) == {"run": "run-1"}
    assert len(page.get("/runs")) == 1
    taken = page.post("/runs", {"protocol": FILL}, "start-2", 409)
    assert "reset it" in taken["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/runs", {"protocol": FILL}),
        ("/runs/run-1/commands", {"cause": "hold", "state_seen": "RUNNING"}),
        ("/runs/run-1/tasks/answer", {"path": "x", "entries": {}}),
        ("/runs/run-1/tasks/claim", {"path": "x", "by": "me"}),
        ("/runs/run-1/decisions", {"path": "x", "answer": "skip"}),
        ("/units/reactor/hold", {}),
        ("/units/reactor/stop-pumps", {}),
    ],
)
def test_what_may_move_fluid_needs_a_key(started: str, page: Page, path: str, body: dict[str, object]) -> None:
    assert page.post(path, body, status=400)["type"].endswith("key-needed")
    assert page.state() == "RUNNING"


@pytest.mark.parametrize(
    "body",
    [
        {"cause": "hold", "state_seen": "RUNNING", "colour": "red"},
        {"cause": "done", "state_seen": "SOMETHING"},
        {"cause": "hold"},
        {"cause": 1, "state_seen": "RUNNING"},
        {"cause": "hold", "state_seen": "RUNNING", "why": "x" * 501},
        [],
    ],
)
def test_a_command_not_as_described_is_refused_with_its_faults(started: str, page: Page, body: object) -> None:
    answer = page.client.post("/runs/run-1/commands", json=body, headers={"Idempotency-Key": "odd"})
    assert answer.status_code == 422
    assert answer.json()["faults"]
    assert page.get("/commands/odd", 404)["type"].endswith("unknown-key")


def test_a_path_of_this_machine_is_no_protocol(started: str, page: Page) -> None:
    assert "ships" in page.post("/runs", {"protocol": "/etc/passwd"}, "path-1", 422)["detail"]


@pytest.mark.req("SM-03")
def test_a_command_for_a_state_that_has_passed_is_refused_with_the_state_now(started: str, page: Page) -> None:
    answer = page.command("hold", "PAUSED", "stale-1", 409)
    assert answer["state"] == "RUNNING"
    assert answer["type"].endswith("run-conflict")
    again, looked_up = page.command("hold", "PAUSED", "stale-1", 409), page.get("/commands/stale-1", 409)
    assert again["detail"] == looked_up["detail"] == answer["detail"] and looked_up["state"] == "RUNNING"
    assert page.state() == "RUNNING"


def test_entries_that_cannot_be_used_come_back_with_every_fault(started: str, page: Page) -> None:
    (task,) = page.get("/tasks")
    answer = page.post(
        f"/runs/{started}/tasks/answer", {"path": task["path"], "entries": {"colour": "red"}}, "a-1", 422
    )
    assert len(answer["faults"]) == 2
    assert page.get("/tasks")


def test_a_hand_step_is_claimed_by_one_person_at_a_time(started: str, page: Page, place: Place) -> None:
    (task,) = page.get("/tasks")
    where, mine = f"/runs/{started}/tasks/claim", {"path": task["path"], "by": "me"}
    assert page.post(where, mine, "claim-1") == {"claimed_by": "demo"}
    assert page.get("/commands/claim-1")["answer"]["claimed_by"] == "demo"
    (row,) = page.get(f"/runs/{started}/tasks")
    assert row["claimed_by"] == "demo"
    until(lambda: page.get("/tasks")[0]["claimed_by"] == "demo", "every page shows who is on it")
    assert page.post(where, {**mine, "by": "anyone"}, "claim-2") == {"claimed_by": ""}
    anna = {"name": "anna", "role": "operator"}
    assert place.ask("claim", run=started, path=task["path"], whom="me", actor=anna, key="annas") == {
        "claimed_by": "anna"
    }
    assert page.get("/commands/annas", 404)["type"].endswith("unknown-key"), "another person's key"
    taken = page.post(where, mine, "claim-3", 409)
    assert taken["type"].endswith("run-conflict")
    assert "anna" in taken["detail"]
    assert page.post(where, mine, "claim-2", 409)["type"].endswith("key-reused")
    assert "no simulated person" in page.post(where, {**mine, "by": "simulated"}, "claim-4", 422)["detail"]
    assert page.post(where, {**mine, "by": "ben"}, "claim-5", 422)["faults"]
    assert page.post(where, {**mine, "path": "elsewhere"}, "claim-6", 409)["detail"].startswith("no open task")


@pytest.mark.req("AC-02")
def test_a_claim_is_refused_to_viewers_and_to_tokens_of_another_unit(started: str, page: Page, place: Place) -> None:
    (task,) = page.get("/tasks")
    for role, unit, why in (("viewer", None, "no right to"), ("operator", "cellar", "cellar only")):
        made = page.post("/tokens", {"label": f"{role} of {unit}", "role": role, "unit": unit}, status=201)
        with httpx2.Client(base_url=place.url + API, headers={"Authorization": f"Bearer {made['token']}"}) as other:
            body = {"path": task["path"], "by": "anyone"}
            answer = other.post(f"/runs/{started}/tasks/claim", json=body, headers={"Idempotency-Key": role})
        assert answer.status_code == 403
        assert why in answer.json()["detail"]
    assert page.get(f"/runs/{started}/tasks")[0]["claimed_by"] == "anna"


def test_a_hand_step_is_answered_by_the_person_who_signed_in(started: str, page: Page, place: Place) -> None:
    (task,) = page.get("/tasks")
    assert [(each["into"], each["batch"]) for each in task["makes"]] == [("reactor", "P-1/reactor")]
    said = {"reactor": {"batch": "P-1/second", "kept": 0.9}}
    body = {"path": task["path"], "entries": {"clear": True}, "batches": said}
    assert page.post(f"/runs/{started}/tasks/answer", body, "answer-1") == {"state": "answered"}
    assert page.post(f"/runs/{started}/tasks/answer", body, "answer-1") == {"state": "answered"}
    row = next(each for each in page.get(f"/runs/{started}/tasks") if each["path"] == task["path"])
    assert (row["state"], row["by"], row["entries"]) == ("answered", "demo", {"clear": True})
    assert row["claimed_by"] == "anna", "both are on record"
    with place.ledger() as ledger:
        entry = next(each.fields for each in reversed(ledger.audit()) if each.action == "run Answered")
    assert (entry["actor"], entry["role"], entry["authenticated_by"]) == ("demo", "supervisor", "password")
    assert entry["client"].startswith("127.0.0.1")
    what_touched_a_batch_is_one_question(started, page)


def what_touched_a_batch_is_one_question(started: str, page: Page) -> None:
    """The batch that the answered step made."""
    assert [each["batch"] for each in page.get("/batches")] == ["P-1/second", "P-1", "D"]
    assert page.get("/runs")[0]["batch"] == "P-1"
    child = page.get("/batches/P-1%2Fsecond")
    assert (child["parents"], child["made"]["kept"]) == ([{"batch": "P-1", "share": 1.0}], 0.9)
    assert child["ancestors"] == ["P-1", "D"]
    assert page.get("/batches/D")["descendants"] == ["P-1", "P-1/second"]
    found = page.get("/batches/P-1/second/touched")
    assert (found["runs"], [task["state"] for task in found["tasks"]]) == ([started], ["answered"])
    (readings,) = found["readings"]
    signal = next(name for name in readings["signals"] if name.endswith(".temperature"))
    assert page.get(f"/signals/{signal}/history?from={readings['from']}&to={readings['from'] + 60}")["signal"] == signal
    assert page.get("/batches/X/touched", 404)["detail"] == "there is no batch 'X'"
    assert page.get("/materials/X/batches", 404)["detail"] == "there is no lot 'X'"


@pytest.mark.req("SM-03")
def test_a_repeated_key_gets_the_first_answer_and_does_nothing(started: str, page: Page) -> None:
    assert page.command("hold", "RUNNING", "hold-1", why="foam") == {"state": "HOLDING"}
    until(lambda: page.state() == "HELD", "the run is held")
    assert page.command("restart", "HELD", "restart-1")["state"] == "RESTARTING"
    until(lambda: page.state() == "RUNNING", "the run goes on")
    assert page.command("hold", "RUNNING", "hold-1") == {"state": "HOLDING"}
    assert page.state() == "RUNNING"
    assert page.get("/commands/hold-1")["answer"]["state"] == "HOLDING"
    reused = page.command("pause", "RUNNING", "hold-1", 409)
    assert reused["type"].endswith("key-reused")
    assert page.state() == "RUNNING"


@pytest.mark.req("SM-03")
def test_many_at_once_with_one_key_have_one_effect(started: str, page: Page, place: Place) -> None:
    with place.page() as other, ThreadPoolExecutor(4) as pool:
        acts = [pool.submit(each.command, "pause", "RUNNING", "pause-1") for each in (page, other, page, other)]
        assert {act.result()["state"] for act in acts} <= {"PAUSING", "PAUSED"}
    with place.ledger() as ledger:
        assert [row.event.get("cause") for row in ledger.events("run-1")].count("pause") == 1
    until(lambda: page.state() == "PAUSED", "the run rests")
    page.command("resume", "PAUSED", "resume-1")


@pytest.mark.req("UI-45", "UI-46")
def test_hold_and_stop_pumps_of_a_unit_say_what_stood_still_and_what_goes_on(started: str, page: Page) -> None:
    held = page.post("/units/reactor/hold", {"why": "looked odd"}, "unit-hold-1")
    assert held == {"states": {"run-1": "HOLDING"}, "stays_on": ["temperature", "co2"]}
    assert page.get("/commands/unit-hold-1")["answer"]["state"] == "HOLDING"
    stopped = page.post("/units/reactor/stop-pumps", {}, "stop-1")
    assert [(pump["pump"], pump["confirmed"]) for pump in stopped["pumps"]] == [("pump_in", True), ("pump_out", True)]
    assert page.get("/commands/stop-1")["answer"]["stopped"] == ["pump_in", "pump_out"]
    until(lambda: page.state() == "HELD", "the run is held")
    assert page.post("/units/cellar/hold", {}, "unit-hold-2", 404)["detail"].endswith("there is reactor")


@pytest.mark.req("UI-133")
def test_the_commands_a_page_may_offer_come_from_the_state_table(started: str, page: Page) -> None:
    until(lambda: page.state() == "HELD", "the run is held")
    assert page.get("/runs/run-1")["commands"] == ["restart", "stop", "abort"]
    page.command("restart", "HELD", "restart-2")
    until(lambda: page.state() == "RUNNING", "the run goes on")


def test_a_unit_shows_values_set_points_limits_and_the_run(started: str, page: Page) -> None:
    unit = page.get("/units/reactor")
    roles = {role["role"]: role for role in unit["roles"]}
    assert roles["temperature"]["reading"]["unit"] == "Cel"
    assert roles["temperature"]["set_point"]["value"] is not None
    assert roles["temperature"]["owner"] == "run-1"
    assert (roles["temperature"]["limits"]["low"], roles["temperature"]["limits"]["high"]) == (35.0, 39.0)
    assert unit["run"]["run"] == "run-1"
    assert unit["volume"]["high"] == 150
    assert {pump["pump"] for pump in unit["pumps"]} == {"pump_in", "pump_out"}
    assert page.get("/units")[0]["state"] == unit["run"]["state"]


def test_devices_and_signals_are_listed(started: str, page: Page) -> None:
    devices = {device["name"]: device for device in page.get("/devices")}
    assert devices["incubator"]["model"] == "memmert_ico"
    assert devices["incubator"]["identity"]["serial"]
    names = {signal["name"] for signal in page.get("/devices/incubator/signals")}
    assert "incubator.temperature" in names
    assert page.get("/devices/oven/signals", 404)["status"] == 404


def test_history_keeps_to_its_budget_and_names_its_gaps(started: str, page: Page) -> None:
    until(lambda: len(page.get("/signals/incubator.temperature/history")["buckets"]) > 30, "samples are on disk")
    found = page.get("/signals/incubator.temperature/history", points=10)
    assert found["unit"] == "Cel"
    assert 2 <= len(found["buckets"]) <= 11
    assert all(low - 1e-9 <= mean <= high + 1e-9 for _, low, mean, high in found["buckets"] if mean is not None)
    assert found["gaps"] == []
    for bad in ({"points": 0}, {"points": 5001}, {"from": 10, "to": 5}, {"from": "soon"}, {"to": "nan"}, {"from": 0}):
        page.get("/signals/incubator.temperature/history", 422, **bad)
    page.get("/signals/incubator.colour/history", 404)


@pytest.mark.req("UI-50")
def test_a_timeline_has_planned_and_actual_bars_and_what_the_steps_recorded(started: str, page: Page) -> None:
    until(lambda: page.get("/runs/run-1/doses"), "a stroke is on record")
    line = page.get("/runs/run-1/timeline")
    assert [stage["title"] for stage in line["stages"]] == ["Seed", "Feed"]
    steps = {step["path"]: step for step in line["steps"]}
    hand = next(step for step in steps.values() if step["lane"] == "task")
    assert hand["task"]["by"] == "demo"
    assert hand["start"] <= hand["end"] <= line["now"]
    fill = next(step for step in steps.values() if step["lane"] == "dose")
    assert (fill["work"], fill["asked_ml"]) == ("Dose", 6.0)
    assert fill["doses"]
    wait = steps[max(steps)]
    assert all(step["planned_start"] <= step["planned_end"] for step in steps.values())
    assert wait["disposition"] is not None or wait["estimated_end"] >= line["now"]
    states = [state["state"] for state in line["states"]]
    assert {"RUNNING", "HOLDING", "HELD", "RESTARTING"} <= set(states)
    assert all(state["end"] is not None for state in line["states"][:-1])
    page.get("/runs/run-9/timeline", 404)


def test_what_the_service_did_and_refused_is_in_the_trail(started: str, page: Page, place: Place) -> None:
    page.get("/users", 403)

    def recorded(action: str, outcome: str) -> bool:
        with place.ledger() as ledger:
            rows = [row for row in ledger.audit() if row.actor == "demo" and row.outcome == outcome]
        assert place.password not in str(rows)
        return any(row.action == action or not action for row in rows)

    until(lambda: recorded("sign-in", "done"), "the sign-in is recorded")
    until(lambda: recorded("", "refused"), "the refusal is recorded")


def test_the_description_of_the_interface_is_complete(started: str, page: Page) -> None:
    described = page.get("/openapi.json")
    assert {"/api/v1/units/{unit}", "/api/v1/runs/{run}/commands", "/api/v1/commands/{key}"} <= set(described["paths"])
    assert described["components"]["schemas"]["CommandIn"]["properties"]["cause"]["examples"] == ["hold"]


@pytest.mark.req("SEC-04")
def test_the_short_way_to_live_values_is_no_way_round_the_guard(started: str, place: Place) -> None:
    for path in ("/units/reactor", "/units/cellar", "/units/reactor/"):
        assert httpx2.get(f"{place.url}{API}{path}").status_code == 401
    assert httpx2.get(f"{place.url}{API}/units/reactor", headers={"Host": "evil.example"}).status_code == 421
