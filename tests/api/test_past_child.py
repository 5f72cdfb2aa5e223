"""When a demo folder gets a past, how far its job is, and that the service and the terminal say so."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from api import past_child
from api.commands import demo
from api.past_child import Progress
from api.terminal import picture, unled
from api.web.controller_link import ControllerLink
from api.web.feed import Feed


def begun(data: Path, *, day: float = 7.31, of: float = 16.3) -> None:
    past_child.work(data).mkdir()
    (past_child.work(data) / "progress.json").write_text(json.dumps({"day": day, "of": of}))


def test_only_a_folder_without_a_culture_gets_a_past_or_one_whose_past_waits_to_be_handed_over(tmp_path: Path) -> None:
    assert past_child.possible(tmp_path)
    (tmp_path / "ledger.db").touch()
    assert not past_child.possible(tmp_path)
    past_child.work(tmp_path).mkdir()
    (past_child.work(tmp_path) / "world.json").touch()
    assert past_child.possible(tmp_path)
    (tmp_path / "world.json").touch()
    assert not past_child.possible(tmp_path)


def test_what_an_interrupted_job_left_is_forgotten_and_a_folder_it_did_not_make_is_not(tmp_path: Path) -> None:
    begun(tmp_path)
    past_child.forget(tmp_path)
    assert past_child.work(tmp_path).exists()
    (past_child.work(tmp_path) / "rehearsal").touch()
    past_child.forget(tmp_path)
    assert not past_child.work(tmp_path).exists()


def test_a_day_asked_for_where_a_past_waits_to_be_handed_over_is_not_ignored_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argparse.Namespace(protocol=demo.PROTOCOL, bench=demo.BENCH, day=None, seed=1)
    assert len(demo.past(tmp_path, tmp_path / "bench.toml", asked)) == 1
    asked.day = 3.0
    assert len(demo.past(tmp_path, tmp_path / "bench.toml", asked)) == 1
    assert capsys.readouterr().out == ""
    past_child.work(tmp_path).mkdir()
    (past_child.work(tmp_path) / "world.json").touch()
    assert len(demo.past(tmp_path, tmp_path / "bench.toml", asked)) == 1, "the move goes on"
    assert "--day is for a fresh start" in capsys.readouterr().out
    (tmp_path / "world.json").touch()
    assert demo.past(tmp_path, tmp_path / "bench.toml", asked) == []
    assert "--day is for a fresh start" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{", '{"day": 1}', '{"day": "x", "of": 2}'])
def test_a_torn_word_about_progress_is_no_word(tmp_path: Path, text: str) -> None:
    assert past_child.progress(tmp_path) is None
    past_child.work(tmp_path).mkdir()
    (past_child.work(tmp_path) / "progress.json").write_text(text)
    assert past_child.progress(tmp_path) is None


def test_the_service_says_what_the_start_is_doing(tmp_path: Path) -> None:
    assert Feed(ControllerLink(tmp_path)).doing == ""
    begun(tmp_path)
    assert Feed(ControllerLink(tmp_path)).doing == "rehearsing the first 16 days: day 7.3"


def test_the_terminal_shows_a_bar_and_a_log_shows_whole_days(tmp_path: Path) -> None:
    begun(tmp_path, day=8.2, of=16.4)
    (first, *_) = picture(tmp_path, [], 120, 30)
    assert first.text.strip() == f"[{'#' * 20}{'.' * 20}] rehearsing the first 16 days: day 8.2"
    assert unled(tmp_path, "waiting") == "rehearsing the first 16 days: day 8"


def test_a_short_past_is_told_in_tenths_of_a_day() -> None:
    assert Progress(0.14, 0.5).words() == "rehearsing the first 0.5 days: day 0.1"
