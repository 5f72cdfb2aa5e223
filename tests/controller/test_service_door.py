"""What the API process asks of the controller: in whose name, entries for the trail under a quota, scans, keys."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from controller import ipc
from controller.ipc import MOST_PEERS, reply
from controller.trail import QUOTA
from tests.controller.quick import FILL, WAIT, QuickLab
from tests.runs.lab import TESTER

ANNA = {"name": "anna", "role": "operator", "authenticated_by": "password", "client": "10.0.0.7"}


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
    held = {"run": "run-1", "cause": "hold", "key": "k"}
    assert (await ask(lab, "command", **held))["ok"] == {"state": "HOLDING"}
    for other in ({"do": "command", **held, "cause": "abort"}, {"do": "hold", "unit": "reactor", "key": "k"},
                  {"do": "stop_pumps", "key": "k"}, {"do": "start", "protocol": WAIT, "key": "k"}):  # fmt: skip
        assert (await ask(lab, **other))["error"]["type"] == "KeyReused"
    assert lab.engine.run.state in ("HOLDING", "HELD")


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
    hold = {"do": "command", "run": "run-1", "cause": "hold", "actor": ANNA}
    stale = await ask(lab, **hold, state_seen="HELD", key="k1")
    assert (stale["error"]["type"], stale["state"]) == ("conflict", "RUNNING")
    resume = {"do": "command", "run": "run-1", "cause": "resume"}
    early = await ask(lab, **resume, key="k2")
    assert early["error"]["type"] == "conflict"
    await ask(lab, "command", run="run-1", cause="pause")
    await lab.until(lambda: lab.engine.run.state == "PAUSED", 300.0)
    assert await ask(lab, **hold, state_seen="PAUSED", key="k1") == stale
    assert await ask(lab, **resume, key="k2") == early
    assert lab.engine.run.state == "PAUSED"
    assert (await ask(lab, "command", run="run-1", cause="abort", key="k2"))["error"]["type"] == "KeyReused"
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
