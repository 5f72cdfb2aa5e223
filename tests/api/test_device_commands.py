"""`osteon device` against `osteon simulate`: two programs and a TCP port between them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

OSTEON = (sys.executable, "-m", "api.cli")


def simulated(model: str, *words: str) -> AbstractContextManager[str]:
    """A device on a free port of TCP."""
    return served(model, "--tcp", "127.0.0.1:0", *words)


def simulated_on_a_port(model: str, path: Path, *words: str) -> AbstractContextManager[str]:
    """A device on a pseudo-terminal."""
    return served(model, "--pty", str(path), *words)


@contextmanager
def served(*words: str) -> Iterator[str]:
    """What `osteon simulate` was told; yields its URL. It must end on SIGTERM with 0."""
    line = [*OSTEON, "simulate", *words]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline().split()
        assert ready[0] == "ready"
        yield ready[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


def osteon(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*OSTEON, *words], capture_output=True, text=True, check=False)


def answer(*words: str) -> dict[str, object]:
    done = osteon(*words, "--json")
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_a_probe_is_identified_and_read_with_unit_and_quality() -> None:
    with simulated("hamilton_arc_ph", "--set", "ph=7.21") as url:
        found = answer("device", "read", "hamilton_arc_ph", url)
    assert found["model"] == "hamilton_arc_ph"
    assert found["identity"]["maker"] == "Hamilton"  # type: ignore[index]
    assert found["signals"]["ph"] == {"value": pytest.approx(7.21), "unit": "[pH]", "quality": "good"}  # type: ignore[index]


def test_a_set_point_is_written_within_limits_and_read_back() -> None:
    with simulated("memmert_ico") as url:
        found = answer("device", "set", "memmert_ico", url, "temperature_setpoint", "36.5")
        refused = osteon("device", "set", "memmert_ico", url, "temperature_setpoint", "99")
    assert found == {"signal": "temperature_setpoint", "value": 36.5, "unit": "Cel", "quality": "good"}
    assert refused.returncode == 1
    assert "99 Cel is outside" in refused.stderr


def test_a_dose_by_hand_goes_through_the_dose_ledger_and_is_measured() -> None:
    with simulated("new_era_ne1000") as url:
        options = ("--option", "diameter_mm=26.7", "--rate", "20mL/min")
        found = answer("device", "dispense", "new_era_ne1000", url, "--volume", "300 uL", *options)
    assert found["asked_ml"] == 0.3
    assert found["measured_ml"] == pytest.approx(0.3, abs=0.01)
    assert found["outcome"] == "done"
    assert found["evidence"]


def test_a_pump_that_is_not_there_is_one_sentence_and_exit_code_1() -> None:
    with simulated("hamilton_arc_ph") as url:
        pass
    gone = osteon("device", "read", "hamilton_arc_ph", url)
    assert gone.returncode == 1
    assert gone.stderr.startswith("osteon: ")
    assert gone.stderr.count("\n") == 1


def test_another_device_at_the_url_is_named_as_what_it_is() -> None:
    with simulated("mettler_toledo_mt_sics") as url:
        done = osteon("device", "read", "hamilton_arc_ph", url)
    assert done.returncode == 1
    assert url.removeprefix("tcp://") in done.stderr


def test_a_modbus_device_is_read_over_the_networks_own_header() -> None:
    with served("hamilton_arc_ph", "--modbus-tcp", "127.0.0.1:0", "--set", "ph=7.21") as url:
        assert url.startswith("modbus-tcp://")
        found = answer("device", "read", "hamilton_arc_ph", url)
    assert found["signals"]["ph"]["value"] == pytest.approx(7.21)  # type: ignore[index]


def test_a_device_that_does_not_answer_is_told_with_what_to_look_at() -> None:
    with simulated("hamilton_arc_ph") as url:
        done = osteon("device", "read", "hamilton_arc_ph", url, "--address", "3")
    assert done.returncode == 1
    assert "no answer within 1 s; asked was number 3; is it on, is that its number (--address)" in done.stderr


def test_a_port_may_be_named_by_its_path_alone(tmp_path: Path) -> None:
    with simulated_on_a_port("mettler_toledo_mt_sics", tmp_path / "port", "--set", "weight=12.3"):
        found = answer("device", "read", "mettler_toledo_mt_sics", str(tmp_path / "port"), "--signal", "weight")
    assert found["signals"] == {"weight": {"value": 12.3, "unit": "g", "quality": "good"}}


def test_a_rate_beyond_what_was_computed_for_the_syringe_is_told_in_few_digits() -> None:
    size = ("--option", "diameter_mm=26.7", "--option", "capacity_ml=60")
    with simulated("new_era_ne1000") as url:
        done = osteon("device", "dispense", "new_era_ne1000", url, "--volume", "5mL", "--rate", "500mL/min", *size)
    assert "rate: 500 mL/min is outside 0.000392398 to 28.5578 mL/min" in done.stdout


def test_a_volume_in_an_unknown_unit_is_told_with_the_units_there_are() -> None:
    done = osteon("device", "dispense", "new_era_ne1000", "tcp://127.0.0.1:9", "--volume", "5ml")
    assert done.returncode == 2
    assert "write it with its unit (mL, uL, µL, L)" in done.stderr
