"""What the API process asks of the controller: in whose name, entries for the trail under a quota, scans, keys."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from controller import ipc
from controller.asked import LOCAL, scoped
from controller.ipc import MOST_PEERS, reply
from controller.keys import QUOTA as KEPT
from controller.keys import REUSED, answer_row
from controller.store.changes import AuditEntry
from controller.trail import QUOTA
from tests.controller.quick import FILL, WAIT, QuickLab
from tests.runs.lab import TESTER

ANNA = {"name": "anna", "role": "operator", "authenticated_by": "password", "client": "10.0.0.7"}
BEN = {**ANNA, "name": "ben"}


async def ask(lab: QuickLab, do: str, **fields: Any) -> Any:
    return await reply(lab.controller, json.dumps({"id": 5, "do": do, **fields}).encode(), TESTER)


@pytest.mark.req("AT-02")
async def test_an_act_is_recorded_in_the_name_of_the_person_behind_it(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    await ask(lab, "command", run="run-1", cause="hold", why="foam", actor=ANNA)
    entry = next(row.fields for row in reversed(lab.ledger.audit()) if row.fields["new"] == "HOLDING")
    told = {name: entry[name] for name in ("actor", "role", "authenticated_by", "client")}
    assert told == {"actor": "anna", "role": "operator", "authenticated_by": "password", "client": "10.0.0.7"}
    refused = await ask(lab, "command", run="run-1", cause="resume", actor=ANNA)
    assert refused["error"]["type"] == "conflict"
    last = lab.ledger.audit()[-1]
    assert (last.actor, last.outcome, last.fields["client"]) == ("anna", "refused", "10.0.0.7")


async def test_without_a_name_it_is_whoever_opened_the_socket(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    await ask(lab, "hold")
    assert any(row.actor == TESTER.name and row.fields["new"] == "HOLDING" for row in lab.ledger.audit())


def note(number: int = 0, **more: str) -> dict[str, str]:
    return {"action": "sign-in", "object": f"u{number}", "actor": "", "outcome": "failed", **more}


async def test_the_services_entries_are_in_the_trail(lab: QuickLab) -> None:
    await lab.up()
    done = await ask(lab, "audit", entries=[note(reason="user or password is not right", client="10.0.0.9")])
    assert done["ok"] == {"written": 1}
    last = lab.ledger.audit()[-1]
    assert (last.action, last.object_id, last.outcome) == ("sign-in", "u0", "failed")
    assert last.fields["client"] == "10.0.0.9"


async def test_entries_beyond_the_quota_are_counted_in_one(lab: QuickLab) -> None:
    await lab.up()
    before, _ = lab.ledger.head()
    for _ in range(10):
        await ask(lab, "audit", entries=[note(number) for number in range(20)])
    assert lab.ledger.head()[0] - before == QUOTA + 1
    await asyncio.sleep(61.0)
    await ask(lab, "audit", entries=[note()])
    counted = [row.fields["reason"] for row in lab.ledger.audit(before) if row.action == "audit quota"]
    assert [reason.split()[0] for reason in counted] == ["more", "140"]


@pytest.mark.parametrize(
    "entries",
    [[note()] * 21, [{**note(), "colour": "red"}], [{"action": "x" * 201, "actor": ""}], [note(outcome="odd")], "x"],
)
async def test_entries_not_as_described_are_refused(lab: QuickLab, entries: object) -> None:
    await lab.up()
    before = lab.ledger.head()
    assert (await ask(lab, "audit", entries=entries))["error"]["type"] == "bad request"
    assert lab.ledger.head() == before


@pytest.mark.req("UI-20")
async def test_scans_are_counted_also_when_no_device_answers(lab: QuickLab) -> None:
    await lab.up()
    first = (await ask(lab, "snapshot"))["ok"]["scan"]
    for device in ("incubator", "ph_probe", "do_probe", "pump_in", "pump_out", "balance"):
        lab.bench.inject(f"silence@{device}", lab.now)
    await asyncio.sleep(60.0)
    later = (await ask(lab, "snapshot"))["ok"]["scan"]
    assert later["count"] >= first["count"] + 6
    assert 0 <= later["age_s"] <= 3 * later["period_s"]
    assert later["period_s"] == 10.0


@pytest.mark.req("SM-03")
async def test_a_key_of_one_act_is_refused_for_another(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    assert (await ask(lab, "command", run="run-1", cause="hold", key="k"))["ok"] == {"state": "HOLDING"}
    task = {"run": "run-1", "path": "secret/step"}
    for other in ({"do": "command", "run": "run-1", "cause": "restart"}, {"do": "start", "protocol": WAIT},
                  {"do": "answer", **task}, {"do": "claim", **task, "whom": "me"}):  # fmt: skip
        error = (await ask(lab, **other, key="k"))["error"]
        assert error == {"type": "KeyReused", "text": REUSED}
    assert lab.engine.run.state in ("HOLDING", "HELD")
    assert len(lab.ledger.runs()) == 1


@pytest.mark.req("SM-03")
async def test_what_is_asked_is_compared_to_the_letter(lab: QuickLab) -> None:
    await lab.up()
    started: dict[str, Any] = {"do": "start", "protocol": WAIT, "unit": "reactor", "start": lab.now, "key": "s"}
    first = await ask(lab, **started)
    assert first["ok"] == {"run": "run-1"}
    others: tuple[dict[str, Any], ...] = (
        {"protocol": WAIT + "\n"},
        {"unit": None},
        {"set": {"a": "1"}},
        {"start": lab.now + 1.0},
    )
    assert [(await ask(lab, **{**started, **other}))["error"]["type"] for other in others] == ["KeyReused"] * 4
    assert await ask(lab, **started) == first
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    answered: dict[str, Any] = {"do": "answer", "run": "run-1", "path": lab.runs.tasks()[0]["path"], "key": "a"}
    wrong = await ask(lab, **answered, entries={"clear": "yes"})
    assert wrong["error"]["type"] == "unusable"
    assert (await ask(lab, **answered, entries={"clear": True}))["error"]["type"] == "KeyReused"
    assert await ask(lab, **answered, entries={"clear": "yes"}) == wrong
    assert (await ask(lab, **{**answered, "key": "b"}, entries={"clear": True}))["ok"] == {"state": "answered"}


@pytest.mark.req("SM-03")
async def test_a_key_belongs_to_its_person(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    hold = {"do": "command", "run": "run-1", "cause": "hold", "key": "k"}
    restart = {**hold, "cause": "restart"}
    assert (await ask(lab, **hold, actor=ANNA))["ok"] == {"state": "HOLDING"}
    await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    assert (await ask(lab, **restart, actor=BEN))["ok"] == {"state": "RESTARTING"}
    await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    assert (await ask(lab, **hold, actor=ANNA))["ok"] == {"state": "HOLDING"}
    assert lab.engine.run.state == "RUNNING"
    assert (await ask(lab, **restart, actor=ANNA))["error"]["type"] == "KeyReused"
    assert (await ask(lab, **hold))["ok"] == {"state": "HOLDING"}, "nobody's name: a key of its own"
    await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)


async def test_answers_of_a_ledger_of_before_are_found(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    row = answer_row("old", "run-1", lab.now, {"asked": "hold run-1", "state": "HOLDING"})
    await lab.ledger.commit([row], [AuditEntry("run held", "run", "run-1", "anna", "operator")])
    assert (await ask(lab, "command", run="run-1", cause="hold", key="old", actor=ANNA))["ok"] == {"state": "HOLDING"}
    assert lab.engine.run.state == "RUNNING"


@pytest.mark.req("SM-03", "AC-08")
@pytest.mark.parametrize(
    "act",
    [
        {"do": "command", "run": "run-1", "cause": "hold"},
        {"do": "command", "run": "run-1", "cause": "stop"},
        {"do": "command", "run": "run-1", "cause": "abort"},
        {"do": "hold", "unit": "reactor"},
        {"do": "stop_pumps"},
    ],
    ids=lambda act: act.get("cause", act["do"]),
)
async def test_no_key_refuses_what_makes_things_safer(lab: QuickLab, act: dict[str, Any]) -> None:
    await lab.poured(WAIT)
    assert "error" in await ask(lab, "command", run="run-1", cause="resume", key="k")
    before = lab.ledger.answer(scoped("k", LOCAL))
    assert "ok" in await ask(lab, **act, key="k")
    assert lab.engine.run.state != "RUNNING"
    assert lab.ledger.answer(scoped("k", LOCAL)) == before


@pytest.mark.req("SM-03")
async def test_a_hold_that_was_refused_is_done_when_it_is_possible(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    hold = {"do": "command", "run": "run-1", "cause": "hold", "state_seen": "PAUSED", "key": "k"}
    assert (await ask(lab, **hold))["error"]["type"] == "conflict"
    await ask(lab, "command", run="run-1", cause="pause")
    await lab.until(lambda: lab.engine.run.state == "PAUSED", 300.0)
    assert (await ask(lab, **hold))["ok"] == {"state": "HOLDING"}


@pytest.mark.req("AC-08")
async def test_pumps_that_did_not_confirm_are_stopped_again_for_the_same_key(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    lab.bench.inject("silence@pump_out", lab.now)
    first = (await ask(lab, "stop_pumps", key="s"))["ok"]["stopped"]
    assert "pump_out NOT CONFIRMED" in first[1]
    lab.bench.clear_faults()
    both = ["pump_in", "pump_out"]
    assert await lab.until(lambda: lab.controller.bench.keepers["pump_out"].ready, 300.0)
    assert (await ask(lab, "stop_pumps", key="s"))["ok"]["stopped"] == both
    before = lab.ledger.head()
    assert (await ask(lab, "stop_pumps", key="s"))["ok"]["stopped"] == both
    assert lab.ledger.head() == before, "confirmed: nothing more is done"
    assert lab.runs.keys._asked == {}  # pyright: ignore[reportPrivateUsage]


@pytest.mark.req("SM-03", "SEC-22")
async def test_refusals_kept_in_a_minute_are_limited_and_the_rest_is_counted(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    begun = lab.ledger.head()[0]
    empty = {"do": "claim", "run": "run-9", "path": "no", "whom": "me"}
    for number in range(75):
        answer = await ask(lab, **empty, key=f"k{number}", actor=(ANNA, BEN)[number % 2])
        assert answer["error"]["type"] == "conflict"
    kept = [row for row in lab.ledger.audit(begun) if row.action == "request refused"]
    assert len(kept) == KEPT
    await asyncio.sleep(61.0)
    await ask(lab, **empty, key="later")
    counted = [row.fields["reason"] for row in lab.ledger.audit(begun) if row.action == "refusal quota"]
    assert [reason.split()[0] for reason in counted] == ["15"]
    assert lab.ledger.answer(scoped("later", LOCAL)) is not None


@pytest.mark.req("SM-03", "DS-05")
async def test_a_decision_is_taken_once_for_its_key(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 2.0)
    lab.bench.power_cycle("pump_in", lab.now)
    await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    decided = {"run": "run-1", "path": "feed/fill", "answer": "nothing", "volume_ml": 2.0, "key": "d"}
    first, second = await asyncio.gather(ask(lab, "decide", **decided), ask(lab, "decide", **decided))
    assert first["ok"] == second["ok"]
    assert [row.event["t"] for row in lab.ledger.events("run-1")].count("Decision") == 1


@pytest.mark.req("SM-03")
async def test_two_starts_at_once_make_one_run(lab: QuickLab) -> None:
    await lab.up()
    same = await asyncio.gather(*(ask(lab, "start", protocol=WAIT, key="s") for _ in range(3)))
    assert [answer["ok"] for answer in same] == [{"run": "run-1"}] * 3
    other = await asyncio.gather(ask(lab, "start", protocol=WAIT), ask(lab, "start", protocol=WAIT, key="t"))
    assert all("error" in answer for answer in other)
    assert len(lab.ledger.runs()) == 1


@pytest.mark.req("AC-08", "DX-06")
async def test_pumps_stop_with_a_key_also_when_nothing_can_be_recorded(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    lab.break_disk()
    assert (await ask(lab, "stop_pumps", key="s", actor=ANNA))["ok"]["stopped"] == ["pump_in", "pump_out"]
    assert await lab.still()


# --- the socket itself


@pytest.mark.real_time
@pytest.mark.req("SEC-22")
async def test_a_peer_that_never_reads_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipc, "SLOW_S", 0.2)
    reader, writer = await asyncio.open_unix_connection(path, limit=1024)
    writer.write(b'{"do": "snapshot"}\n' * 400)
    await asyncio.sleep(0)
    other_reader, other = await asyncio.open_unix_connection(path)
    other.write(b'{"do": "hello"}\n')
    assert "ok" in json.loads(await other_reader.readline())
    await until_dropped(reader)
    writer.close()
    other.close()


async def until_dropped(reader: asyncio.StreamReader) -> None:
    """Reads only after the other end has given up: what was on its way comes, then the end."""
    await asyncio.sleep(1.0)
    total = 0
    try:
        while part := await reader.read(1 << 16):
            total += len(part)
    except ConnectionError:
        pass
    assert total < 400 * 3000


@pytest.mark.real_time
async def test_more_connections_than_it_takes_are_told_so(path: Path) -> None:
    pairs = [await asyncio.open_unix_connection(path) for _ in range(MOST_PEERS)]
    for _, writer in pairs:
        writer.write(b'{"do": "hello"}\n')
    for reader, _ in pairs:
        assert "ok" in json.loads(await reader.readline())
    reader, writer = await asyncio.open_unix_connection(path)
    assert json.loads(await reader.readline())["error"]["type"] == "busy"
    assert await reader.read() == b""
    for _, each in [*pairs, (reader, writer)]:
        each.close()


@pytest.mark.req("SM-03")
async def test_a_key_that_was_refused_is_refused_again_in_the_same_words_and_acts_on_nothing(lab: QuickLab) -> None:
    """Each request is refused, then made possible, then asked again: nothing moves; a new key does it."""
    await lab.poured(WAIT)
    hold: dict[str, Any] = {"do": "command", "run": "run-1", "cause": "hold", "actor": ANNA}
    stale = await ask(lab, **hold, state_seen="HELD", key="k1")
    assert (stale["error"]["type"], stale["state"]) == ("conflict", "RUNNING")
    resume = {"do": "command", "run": "run-1", "cause": "resume"}
    early = await ask(lab, **resume, key="k2")
    assert early["error"]["type"] == "conflict"
    await ask(lab, "command", run="run-1", cause="pause")
    await lab.until(lambda: lab.engine.run.state == "PAUSED", 300.0)
    assert await ask(lab, **resume, key="k2") == early
    assert lab.engine.run.state == "PAUSED"
    assert (await ask(lab, "command", run="run-1", cause="pause", key="k2"))["error"]["type"] == "KeyReused"
    refused = [row for row in lab.ledger.audit() if row.action == "request refused"]
    assert [(row.object_id, row.actor, row.outcome) for row in refused] == [
        ("k1", "anna", "refused"),
        ("k2", TESTER.name, "refused"),
    ]
    assert await ask(lab, **resume, key="k3") == {"id": 5, "ok": {"state": "RUNNING"}}


@pytest.mark.req("SM-03", "INV-22")
async def test_a_refusal_outlives_the_controller(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    start = {"do": "start", "protocol": WAIT, "key": "second"}
    refused = await ask(lab, **start)
    assert refused["error"]["text"] == "reactor has a run; reset it when it has ended"
    empty = {"do": "answer", "run": "run-1", "path": "no/such/task", "key": "third"}
    assert (unknown := await ask(lab, **empty))["error"]["type"] == "conflict"
    await lab.kill()
    await lab.up()
    await lab.until(lambda: lab.engine.run.state == "RUNNING", 300.0)
    for cause, state in (("abort", "ABORTED"), ("reset", "IDLE")):
        engine = lab.engine
        await ask(lab, "command", run="run-1", cause=cause)
        await lab.until(lambda engine=engine, state=state: engine.run.state == state, 300.0)
    assert await ask(lab, **start) == refused
    assert await ask(lab, **empty) == unknown
    assert len(lab.ledger.runs()) == 1
