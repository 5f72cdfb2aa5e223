"""What is typed after `osteon hands` is an act spelled right, or a sentence that says how to spell it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulators import by_hand
from simulators.by_hand import Asked, asked
from tests.simulators.small_bench import TEXT

OSTEON = (sys.executable, "-m", "api.cli")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("dip ph_probe ph=4.01", Asked("dip", {"device": "ph_probe", "ph": 4.01})),
        (
            "pour 90 cells_per_ml=3000 unit=reactor",
            Asked("pour", {"ml": 90.0, "cells_per_ml": 3000.0, "unit": "reactor"}),
        ),
        ("fault drop@balance:every=2", Asked("fault", {"text": "drop@balance:every=2"})),
        ("look", Asked("look")),
    ],
)
def test_acts_spelled_right(words: str, meant: Asked) -> None:
    assert asked(words.split()) == meant


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("juggle", "nobody can 'juggle'; there are dip, put-back"),
        ("dip", "dip what? Write: dip DEVICE"),
        ("dip ph=4", "dip what?"),
        ("dip ph_probe 4.01", "'4.01' does not belong here; write: dip DEVICE [ph=N]"),
        ("pour -3", "ml is a number, not '-3'"),
        ("pour nan", "ml is a number, not 'nan'"),
        ("stir 1e9", "rpm is a number"),
        ("put-back ph_probe ph=4", "'ph=4' does not belong here"),
    ],
)
def test_acts_spelled_wrong_say_how_to_spell_them(words: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        asked(words.split())
    assert str(refused.value).startswith(said)


def test_where_no_world_is_a_sentence_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand.main(["--world", str(tmp_path / "world.sock"), "look"]) == 1
    assert "no simulated bench is running" in capsys.readouterr().err
    assert by_hand.main(["--world", str(tmp_path / "world.sock")]) == 0
    listed = capsys.readouterr().out
    assert [name for name in by_hand.ACTS if name not in listed] == []


@pytest.mark.real_time
def test_a_person_pours_and_looks_from_a_terminal(tmp_path: Path) -> None:
    bench, socket = tmp_path / "bench.toml", tmp_path / "world.sock"
    bench.write_text(TEXT, "utf-8")
    line = (sys.executable, "-m", "simulators", "world", "--bench", bench, "--socket", socket)
    world = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    try:
        assert world.stdout is not None and world.stdout.readline().startswith("ready")

        def osteon(*words: str) -> subprocess.CompletedProcess[str]:
            more = ("--data", str(tmp_path))
            return subprocess.run([*OSTEON, "hands", *words, *more], capture_output=True, text=True, check=False)

        assert osteon("pour", "90").stdout == "done\n"
        assert "volume_ml        90" in osteon("look").stdout
        nobody = osteon("dip", "ghost", "ph=4")
        assert (nobody.returncode, "'ghost' is no probe in liquid" in nobody.stderr) == (1, True)
        assert osteon("fault", "earthquake").returncode == 1
    finally:
        world.send_signal(signal.SIGTERM)
        world.communicate(timeout=30)
