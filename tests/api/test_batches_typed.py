"""Batches on the command line: what is sent for what is typed, and what is told of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api import cli
from tests.api.test_cli import answering
from tests.controller.quick import WAIT

CHILD = {"into": "plates", "batch": "B-1/plates", "kind": "spheroid batch", "parents": {"B-1": 0.75}, "kept": 0.8}
TASK: dict[str, Any] = {
    "run": "run-1", "path": "form/hand", "title": "Form", "instruction": "Form", "claimed_by": "", "entries": [],
    "lots": [], "out_of_incubator_s": 0.0, "moves": [{"becomes": "spheroid batch"}],
}  # fmt: skip


def told(data: Path, capsys: pytest.CaptureFixture[str], words: list[str], **replies: Any) -> tuple[Any, str]:
    """What the last request was, and what was printed."""
    with answering(data, **{do: {"ok": ok} for do, ok in replies.items()}) as heard:
        assert cli.main([*words, "--data", str(data)]) == 0
    (data / "controller.sock").unlink()
    return heard[-2], capsys.readouterr().out


def test_a_start_names_the_batch_and_what_it_comes_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wait.yaml"
    file.write_text(WAIT)
    words = ["runs", "start", str(file), "--batch", "S-1", "--from", "P3=0.5", "--from", "P4", "--kind", "passage"]
    sent, _ = told(tmp_path, capsys, words, start={"run": "run-1"})
    assert (sent["batch"], sent["parents"], sent["kind"]) == ("S-1", {"P3": 0.5, "P4": 1.0}, "passage")
    assert cli.main([*words, "--from", "P5=half", "--data", str(tmp_path)]) == 1
    assert "NAME=SHARE" in capsys.readouterr().err


def test_a_task_tells_what_it_makes_and_an_answer_may_say_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = told(tmp_path, capsys, ["runs", "tasks"], tasks=[{**TASK, "makes": [CHILD]}, {**TASK, "makes": []}])
    assert "makes the spheroid batch B-1/plates in plates, of B-1" in out
    assert "makes no batch: the run was started without --batch" in out
    words = [
        "runs",
        "answer",
        "run-1",
        "form/hand",
        "--batch",
        "plates=SB-7",
        "--share",
        "plates=0.5",
        "--kept",
        "dish=0.9",
    ]
    sent, _ = told(tmp_path, capsys, words, answer={"state": "answered"})
    assert sent["batches"] == {"plates": {"batch": "SB-7", "share": 0.5}, "dish": {"kept": 0.9}}


def test_a_batch_is_shown_with_what_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    family = {
        "batch": "B-1/plates", "kind": "spheroid batch", "run_id": "run-1", "by": "anna",
        "parents": [{"batch": "B-1", "share": None}], "children": [], "ancestors": ["B-1"], "descendants": [],
        "releases": [],
        "made": {"title": "Form", "into": "plates", "kept": 0.8},
    }  # fmt: skip
    _, out = told(tmp_path, capsys, ["batches", "show", "B-1/plates"], batch=family)
    assert "written by anna, by 'Form' in plates, 80 % arrived" in out and "parents: B-1 (?)" in out
    readings = {"run": "run-1", "signals": ["probe.ph"], "from": 0.0, "to": None}
    _, out = told(
        tmp_path, capsys, ["batches", "touched", "B"], touched={"batch": "B", "doses": [{}, {}], "readings": [readings]}
    )
    assert "doses: 2" in out and "probe.ph, 1970-01-01 00:00" in out and "to now" in out
