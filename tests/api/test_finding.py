"""`osteon device find` and `osteon init` on real pseudo-terminals, as a laboratory's first hour."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.test_device_commands import osteon, simulated_on_a_port


def test_find_names_what_is_plugged_in_and_says_what_is_not(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    with simulated_on_a_port("mettler_toledo_mt_sics", port):
        done = osteon("device", "find", str(port), str(tmp_path / "ttyUSB1"))
        listed = json.loads(osteon("device", "find", str(port), "--json").stdout)
    assert done.returncode == 0
    assert "mettler_toledo_mt_sics at address 0 (Mettler Toledo ML4002E" in done.stdout
    assert "ttyUSB1: " in done.stdout
    assert "no such port" in done.stdout
    assert listed[0]["found"][0]["url"] == f"serial://{port}?baud=9600&parity=N&stopbits=1"


def test_nothing_found_is_exit_code_1() -> None:
    done = osteon("device", "find", "tcp://127.0.0.1:9")
    assert done.returncode == 1
    assert "nothing listens" in done.stdout


def test_init_writes_a_file_that_explains_itself_and_never_over_another(tmp_path: Path) -> None:
    port, file = tmp_path / "ttyUSB0", tmp_path / "bench.toml"
    with simulated_on_a_port("mettler_toledo_mt_sics", port):
        first = osteon("init", str(port), "--write", str(file))
        again = osteon("init", str(port), "--write", str(file))
    assert first.returncode == 0, first.stderr
    assert again.returncode == 1
    assert "exists" in again.stderr
    text = file.read_text()
    assert 'model = "mettler_toledo_mt_sics"' in text
    assert "# signals: weight [g]" in text
    checked = osteon("check", str(file))
    assert checked.returncode == 1
    assert "units" in checked.stderr + checked.stdout  # the one thing a person must add
    head, _, unit = text.partition("# [[units]]")
    filled = "[[units]]" + unit.replace("\n# [", "\n[").replace("\n# ", "\n").split('\n"temperature"')[0]
    file.write_text(head + filled + '\n"waste weight" = "balance_1.weight"\n')
    whole = osteon("check", str(file))
    assert whole.returncode == 0, whole.stdout + whole.stderr
