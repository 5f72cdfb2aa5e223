"""The command: exit codes, one sentence for each refusal, `--help` with an example."""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api import cli
from api.commands.device_dispense import rate_ml_min, volume_ml
from api.processes import Record
from api.refusal import Refusal
from api.simulators_child import bench_file
from api.socket_client import ask
from api.table import table


@contextmanager
def answering(data: Path, **replies: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """A controller's socket that gives `replies` by their "do"; yields what was asked."""
    heard: list[dict[str, Any]] = []
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(data / "controller.sock"))
    server.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as line:
                request = json.loads(line.readline())
                heard.append(request)
                if request["do"] == "stop":
                    return
                line.write(json.dumps({"id": request["id"], **replies[request["do"]]}).encode() + b"\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield heard
    finally:
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(data / "controller.sock"))
            last.sendall(b'{"do": "stop"}\n')
        thread.join()
        server.close()


def sentence(captured: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr: exactly one line."""
    error = captured.readouterr().err
    assert error.count("\n") == 1, error
    return error.strip()


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_every_command_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    assert f"example: osteon {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["list", "read", "set", "dispense"])
def test_every_device_command_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["device", verb, "--help"])
    assert f"example: osteon device {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["demo", "--speed", "0"],
        ["demo", "--day", "-1"],
        ["demo", "--day", "nan"],
        ["check"],
        ["serve"],
        ["device"],
        ["--wrong"],
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2


def test_no_command_shows_the_commands_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    said = capsys.readouterr().err
    assert all(verb in said for verb in cli.COMMANDS)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["serve", "--bench", "missing.toml"], "missing.toml"),
        (["hold"], "no controller runs"),
        (["stop-pumps"], "no controller runs"),
        (["runs", "list"], "no controller runs"),
        (["verify", "nowhere"], "nowhere"),
        (["device", "read", "hamilton_arc_phh", "tcp://127.0.0.1:9"], "did you mean hamilton_arc_ph"),
        (["device", "read", "hamilton_arc_ph", "carrier-pigeon://x"], "osteon: carrier-pigeon://x: a link is"),
        (["device", "read", "hamilton_arc_ph", "127.0.0.1:9"], "write tcp://127.0.0.1:9"),
        (["device", "read", "hamilton_arc_ph", "ttyUSB9"], "neither a serial port here nor a URL"),
        (["device", "read", "hamilton_arc_ph", "/dev/no-such-port"], "no such port"),
        (["device", "read", "hamilton_arc_ph", "serial:///dev/x?baud=fast"], "such as baud=9600"),
        (["device", "find", "127.0.0.1:9"], "write tcp://127.0.0.1:9"),
        (["device", "find", "tcp://127.0.0.1:9", "--addresses", "8-1"], "8-1 does not go from a smaller"),
        (["device", "find", "tcp://127.0.0.1:9", "--addresses", "1-100000"], "up to 255"),
        (["init", "--write", "no/such/folder.toml"], "there is no such folder"),
        (["init", "--write", "new.toml", "--model", "memmert_ico", "http://127.0.0.1:9"], "nothing was written"),
        (["login"], "--password-stdin"),
        (["device", "read", "hamilton_arc_ph", "tcp://127.0.0.1:9", "--signal", "phh"], "did you mean ph?"),
        (["device", "set", "hamilton_arc_ph", "tcp://127.0.0.1:9", "ph", "7"], "can only be read"),
        (["device", "dispense", "hamilton_arc_ph", "tcp://127.0.0.1:9", "--volume", "1mL"], "moves no fluid"),
        (["demo", "--bench", "no-such-bench"], "stirred-100"),
        (["check", "some.txt"], "some.txt:1:1"),
    ],
)
def test_a_refusal_is_exit_code_1_and_one_sentence_that_names_what(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 1
    assert says in sentence(capsys)


def test_check_lists_every_fault_of_every_file_with_its_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text('[bench]\nname = "x"\nzone = "Mars/Base"\nlamp = 1\n[links]\n')
    assert cli.main(["check", str(bench), str(tmp_path / "none.yaml")]) == 1
    said = capsys.readouterr().err
    assert f"{bench}:" in said
    assert "lamp" in said
    assert "none.yaml:1:1" in said


def test_check_accepts_the_bench_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(bench_file("stirred-100"))]) == 0
    assert "in order" in capsys.readouterr().out


def test_warnings_are_told_with_their_place_and_refuse_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "undifferentiated-control-28d"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("undifferentiated-control-28d.yaml:")
    assert ": warning: αMEM usually holds 0.28 mM ascorbic acid" in said.err
    assert "in order, 2 warnings" in said.out
    assert cli.main(["check", "--json", "undifferentiated-control-28d"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {fact["severity"] for fact in facts} == {"warning"}
    assert {fact["kind"] for fact in facts} == {"ascorbate", "two-tasks"}


def test_hold_needs_no_sign_in_and_says_what_goes_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with answering(tmp_path, hold={"ok": {"states": {"run-1": "HOLDING"}}}) as heard:
        assert cli.main(["hold", "reactor", "--data", str(tmp_path)]) == 0
    assert heard[0]["do"] == "hold"
    assert heard[0]["unit"] == "reactor"
    assert "run-1: HOLDING" in capsys.readouterr().out


def test_a_pump_that_does_not_confirm_its_stop_is_exit_code_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with answering(tmp_path, stop_pumps={"ok": {"stopped": ["pump_in", "pump_out NOT CONFIRMED: no answer"]}}):
        assert cli.main(["stop-pumps", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "pump_in stopped" in said.out
    assert "not every pump" in said.err


def test_a_command_carries_the_state_seen_and_a_key_of_its_own(tmp_path: Path) -> None:
    replies = {"run": {"ok": {"state": "HELD"}}, "command": {"ok": {"state": "RESTARTING"}}}
    with answering(tmp_path, **replies) as heard:
        assert cli.main(["runs", "restart", "run-1", "--data", str(tmp_path), "--why", "filter changed"]) == 0
        assert cli.main(["runs", "restart", "run-1", "--data", str(tmp_path)]) == 0
    commands = [each for each in heard if each["do"] == "command"]
    assert commands[0]["state_seen"] == "HELD"
    assert commands[0]["why"] == "filter changed"
    assert commands[0]["key"] != commands[1]["key"]


def test_the_data_folder_may_stand_before_or_behind_the_verb(tmp_path: Path) -> None:
    with answering(tmp_path, tasks={"ok": []}) as heard:
        assert cli.main(["runs", "--data", str(tmp_path), "tasks"]) == 0
        assert cli.main(["runs", "tasks", "--data", str(tmp_path)]) == 0
    assert [each["do"] for each in heard][:2] == ["tasks", "tasks"]


def test_open_alarms_are_listed_with_the_number_that_acknowledges_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    alarm = {"alarm_id": "a-7", "priority": "high", "state": "UNACK", "raised_at": 1767571200.0, "text": "door open"}
    with answering(tmp_path, snapshot={"ok": {"alarms": [alarm]}}, acknowledge={"ok": {}}):
        assert cli.main(["runs", "alarms", "--data", str(tmp_path)]) == 0
        assert cli.main(["runs", "acknowledge", "a-7", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "a-7    high      UNACK  2026-01-05 00:00:00  door open" in said
    assert "a-7 acknowledged" in said


def test_the_controllers_no_is_passed_on_as_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with answering(tmp_path, run={"error": {"type": "conflict", "text": "there is no live run 'run-9'"}}):
        assert cli.main(["runs", "show", "run-9", "--data", str(tmp_path)]) == 1
    assert sentence(capsys) == "osteon: there is no live run 'run-9'"


def test_a_controller_that_hangs_up_is_reported(tmp_path: Path) -> None:
    (tmp_path / "controller.sock").touch()
    with pytest.raises(Refusal, match="no controller runs"):
        ask(tmp_path, "hello")


def test_a_fresh_demo_does_not_clear_a_folder_it_did_not_make(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    assert cli.main(["demo", "--fresh", "--data", str(tmp_path)]) == 1
    assert "no demo made" in sentence(capsys)
    assert (tmp_path / "thesis.txt").exists()


def test_a_fresh_demo_does_not_clear_the_data_of_a_running_controller(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from api.processes import born

    sleeper = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        (tmp_path / "world.json").write_text("{}")
        Record(sleeper.pid, born(sleeper.pid), ("x",)).write(tmp_path / "controller.pid")
        assert cli.main(["demo", "--fresh", "--data", str(tmp_path)]) == 1
        assert f"pid {sleeper.pid}" in sentence(capsys)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_device_list_is_read_by_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["device", "list", "--json"]) == 0
    listed = {each["model"]: each for each in json.loads(capsys.readouterr().out)}
    assert listed["new_era_ne1000"]["doses_provable"] is True
    assert listed["hamilton_arc_ph"]["doses_provable"] is None


@pytest.mark.parametrize(("text", "ml"), [("1.5mL", 1.5), ("150 uL", 0.15), ("0.002 L", 2.0)])
def test_a_volume_is_read_with_its_unit(text: str, ml: float) -> None:
    assert volume_ml(text) == pytest.approx(ml)


@pytest.mark.parametrize("text", ["1.5", "mL", "0 mL", "-1 mL", "1.5 bar", "1..5 mL"])
def test_a_volume_without_unit_or_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        volume_ml(text)


def test_a_rate_is_read_with_its_unit() -> None:
    assert rate_ml_min("60 mL/h") == pytest.approx(1.0)
    with pytest.raises(argparse.ArgumentTypeError):
        rate_ml_min("1 mL")


def test_a_table_is_aligned() -> None:
    assert table(("a", "b"), [("long", "x"), ("s", "")]) == "A     B\nlong  x\ns"


@pytest.mark.parametrize("words", [["simulate", "no_such_model", "--pty", "p", "--tcp", "127.0.0.1:0"]])
def test_a_simulated_device_is_on_one_cable_only(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
