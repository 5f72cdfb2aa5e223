"""The local socket: each request, and every way to ask wrongly; an answer always comes, and nothing breaks."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from api import question
from controller.clock import Clock
from controller.controller import Controller
from controller.ipc import LONGEST, reply
from controller.settings import parse
from drivers.core.link import open_link
from protocols.states import Cause
from tests.controller.quick import FILL, TOML, WAIT, QuickLab
from tests.runs.lab import TESTER

# --- each request, in virtual time


async def ask(lab: QuickLab, do: str, **fields: Any) -> Any:
    """The "ok" of an answer."""
    answer = await reply(lab.controller, json.dumps({"id": 5, "do": do, **fields}).encode(), TESTER)
    assert answer["id"] == 5
    assert "ok" in answer, answer
    json.dumps(answer)
    return answer["ok"]


async def refused(lab: QuickLab, do: str, **fields: Any) -> dict[str, Any]:
    answer = await reply(lab.controller, json.dumps({"id": 5, "do": do, **fields}).encode(), TESTER)
    assert "error" in answer, answer
    assert answer["error"]["text"]
    json.dumps(answer)
    return answer


async def test_a_run_from_start_to_reset_over_the_socket(lab: QuickLab) -> None:
    lab.boot()
    assert (await ask(lab, "hello"))["state"] == "starting"
    assert (await refused(lab, "runs"))["error"]["text"].startswith("the controller is starting")
    await lab.until(lab.controller.up.is_set, 60.0)
    assert (await ask(lab, "hello"))["pid"] == os.getpid()
    started = await ask(lab, "start", protocol=FILL, key="k")
    assert started == {"run": "run-1"}
    await asyncio.sleep(5.0)
    (task,) = await ask(lab, "tasks")
    done = await ask(lab, "answer", run="run-1", path=task["path"], entries={"clear": True}, by="simulated operator")
    assert done == {"state": "answered"}
    await lab.moving("fill", 1.0)
    assert (await ask(lab, "run", run="run-1"))["state"] == "RUNNING"
    assert await ask(lab, "hold", unit="reactor") == {"states": {"run-1": "HOLDING"}}
    await lab.until(lambda: lab.engine.run.state == "HELD", 60.0)
    assert [row["state"] for row in await ask(lab, "doses", run="run-1")] == ["partial"]
    assert await ask(lab, "stop_pumps") == {"stopped": ["pump_in", "pump_out"]}
    assert await ask(lab, "command", run="run-1", cause="restart", state_seen="HELD") == {"state": "RESTARTING"}
    await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    assert await ask(lab, "command", run="run-1", cause="abort") == {"state": "ABORTING"}
    await lab.until(lambda: lab.engine.run.state == "ABORTED", 60.0)
    assert await ask(lab, "command", run="run-1", cause="reset") == {"state": "IDLE"}
    (row,) = await ask(lab, "runs")
    assert (row["run_id"], row["state"]) == ("run-1", "IDLE")
    assert await ask(lab, "shutdown") == {"stopping": True}
    assert lab.life is not None
    await asyncio.wait_for(lab.life.task, 60.0)


@pytest.mark.req("UI-75")
async def test_a_question_is_decided_and_an_alarm_acknowledged_over_the_socket(lab: QuickLab) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 2.0)
    lab.bench.power_cycle("pump_in", lab.now)
    await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    shown = await ask(lab, "snapshot")
    (step,) = [each for each in shown["runs"][0]["steps"] if each["question"]]
    assert step["options"] == ["delivered", "nothing", "skip"]
    evidence = step["evidence"]
    (stroke,) = evidence["strokes"]
    assert (stroke["stroke"], stroke["device"], stroke["moved_ml"]) == ("draw", "pump_in", None)
    assert stroke["counter_before_ml"] is not None and stroke["why"], "what is known, and why it is in doubt"
    most = {each["answer"]: each["worst_ml"] for each in evidence["answers"]}
    held = shown["runs"][0]["volume"]
    assert most["skip"] == pytest.approx(held["ml"] + 3 * held["sigma_ml"], abs=0.1)
    assert most["nothing"] == pytest.approx(most["skip"] + stroke["asked_ml"], abs=0.1), "done again"
    assert evidence["max_ml"] == lab.settings.units[0].vessel.max_ml
    told = "\n".join(question.lines("run-1", step))
    assert f"at worst {most['nothing']:g} of {evidence['max_ml']:g} mL then" in told
    assert f"osteon runs decide run-1 {step['path']} nothing" in told
    stale = {"run": "run-1", "path": step["path"], "answer": "nothing", "question": "An earlier one. What is true?"}
    assert (await refused(lab, "decide", **stale))["error"]["text"] == (
        "another question is open there now, or none: look again"
    )
    assert [row.state for row in lab.ledger.doses("run-1") if row.path == step["path"]][-1] == "unknown"
    seen = {"question": step["question"]}
    decided = await ask(lab, "decide", run="run-1", path=step["path"], answer="skip", why="tried enough", **seen)
    assert decided == {"state": "HELD"}
    for alarm in shown["alarms"]:
        assert await ask(lab, "acknowledge", alarm=alarm["alarm_id"]) == {"acknowledged": alarm["alarm_id"]}
    assert (await refused(lab, "acknowledge", alarm="alarm-99"))["error"]["type"] == "conflict"


async def test_a_question_before_a_step_has_begun_is_shown_with_its_answers(lab: QuickLab) -> None:
    """Asked of an operation that comes too late: nothing of it is under way yet, and its path is needed to decide."""
    late = WAIT.replace("    do:", "    at: start + 30 min\n    window: ±5 min\n    do:")
    await lab.up()
    await lab.start(late)
    await asyncio.sleep(600.0)
    await lab.kill()
    await asyncio.sleep(3600.0)
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    (step,) = (await ask(lab, "run", run="run-1"))["steps"]
    assert "late. Run it now, run it and shift the later ones, or skip it?" in step["question"]
    assert step["options"] == ["run", "shift", "skip"]
    assert step["evidence"]["strokes"] == []
    assert [each["worst_ml"] for each in step["evidence"]["answers"]] == [None] * 3, "no fluid flows in this one"
    await ask(lab, "decide", run="run-1", path=step["path"], answer="skip")
    assert (await ask(lab, "run", run="run-1"))["steps"] == []


async def test_refusals_have_a_kind_and_a_sentence(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    again = await refused(lab, "start", protocol=WAIT)
    assert (again["error"]["type"], again["error"]["text"]) == (
        "conflict",
        "reactor has a run; reset it when it has ended",
    )
    seen = await refused(lab, "command", run="run-1", cause="hold", state_seen="HELD")
    assert (seen["error"]["type"], seen["state"]) == ("conflict", "RUNNING")
    assert (await refused(lab, "run", run="run-7"))["error"]["type"] == "conflict"
    nowhere = await refused(lab, "stop_pumps", unit="nowhere")
    assert (nowhere["error"]["type"], nowhere["faults"]) == ("unusable", ["no unit 'nowhere'; there is reactor"])
    broken = await refused(lab, "start", protocol=WAIT.replace("wait: 2 h", "wait: 2 parsecs"), unit="nowhere")
    assert broken["error"]["type"] == "unusable"
    assert not lab.controller.bench.keepers["pump_in"].why
    assert lab.life is not None
    assert not lab.life.task.done()


async def test_a_protocol_with_faults_comes_back_with_all_of_them(lab: QuickLab) -> None:
    await lab.up()
    bad = WAIT.replace("wait: 2 h", "wait: 2 parsecs").replace("species: none", "species: none\ncolour: red")
    answer = await refused(lab, "start", protocol=bad)
    assert answer["error"]["type"] == "ProtocolInvalid"
    assert "colour" in answer["error"]["text"]
    assert "parsecs" in answer["error"]["text"]
    unknown = await refused(lab, "start", protocol=WAIT, set={"fill volume": "1 mL"})
    assert unknown["error"]["text"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{",
        b"null",
        b"[]",
        b'"hello"',
        b'{"id": 1}',
        b'{"id": 1, "do": "dance"}',
        b'{"id": 1, "do": "hello", "colour": "red"}',
        b'{"id": "one", "do": "hello"}',
        b'{"id": 1, "do": "command", "run": "run-1"}',
        b'{"id": 1, "do": "command", "run": "run-1", "cause": "explode"}',
        b'{"id": 1, "do": "answer", "run": 1, "path": "x"}',
        b'{"id": 1, "do": "answer", "run": "run-1", "path": "x", "entries": {"a": [1]}}',
        b'{"id": 1, "do": "start", "protocol": 5}',
        b'\xff\xfe{"do": "hello"}',
        b'{"id": 1, "do": "hello"' * 200,
    ],
)
async def test_a_bad_line_gets_an_answer_and_changes_nothing(tmp_path: Path, line: bytes) -> None:
    asleep = Controller(parse(TOML), tmp_path, lambda name, url: open_link(url), Clock.of_bench("UTC", 1))
    answer = await reply(asleep, line, TESTER)
    assert answer["error"]["type"] == "bad request"
    assert answer["error"]["text"]
    json.dumps(answer)


@pytest.mark.parametrize(
    "fields",
    [
        '"start": 1e300',
        '"start": -1e300',
        '"start": NaN',
        '"set": {"x": "1"}',
        '"unit": ""',
        '"set": {"": ""}',
        '"key": "k"',
    ],
)
async def test_a_start_with_odd_values_gets_an_answer(lab: QuickLab, fields: str) -> None:
    await lab.up()
    line = json.dumps({"id": 1, "do": "start", "protocol": WAIT})[:-1] + f", {fields}}}"
    answer = await reply(lab.controller, line.encode(), TESTER)
    assert ("ok" in answer) != ("error" in answer)
    json.dumps(answer)


@pytest.mark.parametrize("volume", ["-1", "NaN", "null"])
async def test_a_decision_with_an_odd_amount_is_refused(lab: QuickLab, volume: str) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 2.0)
    lab.bench.power_cycle("pump_in", lab.now)
    await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    line = '{"id": 1, "do": "decide", "run": "run-1", "path": "feed/fill", "answer": "delivered", "volume_ml": %s}'
    answer = await reply(lab.controller, (line % volume).encode(), TESTER)
    assert "error" in answer, answer
    assert lab.ledger.doses()[0].state == "unknown"


async def test_what_is_not_a_command_of_a_person_is_refused(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    for cause in ("done", "recovered", "expired", "start"):
        assert (await refused(lab, "command", run="run-1", cause=cause))["error"]["type"] == "conflict"


@pytest.mark.req("INV-29")
async def test_a_snapshot_is_plain_json_with_everything_a_view_needs(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    await asyncio.sleep(60.0)
    lab.bench.inject("silence@do_probe", lab.now)
    await asyncio.sleep(120.0)
    shown = json.loads(json.dumps(await ask(lab, "snapshot")))
    assert (shown["bench"], shown["state"], shown["damaged"], shown["simulated"]) == (
        "stirred-100",
        "running",
        "",
        True,
    )
    devices = {device["name"]: device for device in shown["devices"]}
    assert set(devices) == {"incubator", "ph_probe", "do_probe", "pump_in", "pump_out", "balance"}
    cel = devices["incubator"]["readings"]["temperature"]
    assert (cel["unit"], cel["quality"]) == ("Cel", "good")
    assert cel["age_s"] <= 10.0
    lost = devices["do_probe"]
    assert lost["condition"] == "lost"
    assert lost["readings"]["dissolved_oxygen"]["value"] is None
    assert lost["readings"]["dissolved_oxygen"]["why"]
    (run,) = shown["runs"]
    assert (run["run"], run["unit"], run["state"], run["done"]) == ("run-1", "reactor", "RUNNING", 3)
    assert run["steps"][0]["work"] == "Pause"
    assert run["steps"][0]["until"] > lab.now
    assert run["next"] == {"at": run["steps"][0]["until"], "title": f"{run['steps'][0]['title']} ends"}
    assert run["volume"]["ml"] == pytest.approx(90.0, abs=0.1)
    assert [alarm["key"] for alarm in shown["alarms"]] == ["device:do_probe"]
    assert shown["events"][-1]["action"] == "alarm raised"
    assert shown["tasks"] == []


LOOK = """
  - stage: Later
    operations:
      - operation: Look at it
        at: day 0 14:00
        window: 4 h
        if later: run
        do: [{hand: Look}]
"""


async def next_of(lab: QuickLab) -> dict[str, Any] | None:
    (run,) = (await ask(lab, "snapshot"))["runs"]
    return run["next"]


@pytest.mark.req("UI-52")
async def test_what_comes_next_is_a_step_or_the_end_of_a_pause_and_never_a_limit_or_an_alarm(lab: QuickLab) -> None:
    """A held run has a moment at which nobody has answered, a hand step one at which it is overdue: not plans."""
    await lab.poured(WAIT + "      - hand: Look about\n" + LOOK)
    pause = await next_of(lab)
    assert pause is not None and pause["title"].endswith(" ends") and pause["at"] > lab.now
    assert await lab.until(lambda: bool(lab.runs.tasks()), 3 * 3600.0)
    look = await next_of(lab)
    assert look is not None and look["title"] == "Look at it, day 0" and look["at"] > lab.now
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 600.0)
    assert await next_of(lab) == look
    await asyncio.sleep(8 * 3600.0)
    assert lab.engine.run.state == "HELD" and await next_of(lab) == look, "it is late, and says so"


# --- the socket itself, on the ordinary loop


@pytest.mark.real_time
async def test_many_requests_on_one_connection_are_answered_in_order(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    for number in range(3):
        writer.write(json.dumps({"id": number, "do": "hello"}).encode() + b"\n")
    writer.write(b"nonsense\n")
    answers = [json.loads(await reader.readline()) for _ in range(4)]
    assert [answer["id"] for answer in answers] == [0, 1, 2, 0]
    assert answers[2]["ok"]["bench"] == "stirred-100"
    assert answers[3]["error"]["type"] == "bad request"
    writer.close()


@pytest.mark.real_time
@pytest.mark.req("AC-08")
async def test_only_its_owner_may_open_the_socket(path: Path) -> None:
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.real_time
async def test_a_line_too_long_ends_that_connection_and_no_other(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(b"x" * (LONGEST + 10) + b"\n")
        assert await reader.read() == b""
    except ConnectionError:
        pass
    writer.close()
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b'{"do": "hello"}\n')
    assert "ok" in json.loads(await reader.readline())
    writer.close()


@pytest.mark.real_time
async def test_a_client_that_goes_away_in_mid_request_harms_nobody(path: Path) -> None:
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(b'{"do": "snap')
    writer.close()
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b'{"do": "snapshot"}\n')
    assert json.loads(await reader.readline())["ok"]["runs"] == []
    writer.close()


@pytest.mark.real_time
async def test_a_crowd_and_a_peer_that_never_reads_delay_nobody_and_not_the_end(path: Path) -> None:
    """From Python 3.12 on a server waits for its connections: a view left open would hold the controller's end."""
    serving = next(task for task in asyncio.all_tasks() if "LocalSocket.serve" in repr(task.get_coro()))
    deaf_reader, deaf = await asyncio.open_unix_connection(path, limit=1024)
    crowd = [await asyncio.open_unix_connection(path) for _ in range(200)]
    deaf_reader._transport.pause_reading()
    for _ in range(2000):
        deaf.write(b'{"do": "snapshot"}\n')
    nested = b'{"do": "start", "protocol": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    reader, writer = crowd[0]
    writer.write(nested)
    assert json.loads(await reader.readline())["error"]["type"] == "bad request"
    writer.write(b'{"do": "hello"}\n')
    assert "ok" in json.loads(await reader.readline())
    reader, _ = crowd[-1]
    assert json.loads(await reader.readline())["error"]["type"] == "busy", "a crowd is told, not kept waiting"
    serving.cancel()
    done, _ = await asyncio.wait([serving], timeout=20.0)
    assert done
    for _, writer in [*crowd, (deaf_reader, deaf)]:
        writer.transport.abort()


async def test_a_field_that_cannot_be_so_is_told_in_one_sentence(lab: QuickLab) -> None:
    lab.boot()
    answer = await refused(lab, "calibrate", step="weigh", device="pump_out", doses=0)
    assert answer["error"]["text"] == "calibrate.doses: Input should be greater than or equal to 1"
