"""Whole rehearsals: the same seed gives the same bytes, faults end in a hold that says why, 28 days end COMPLETE."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.store.reader import Reader
from controller.store.verify import verify
from protocols.states import RunState
from simulators.rehearsal import Result, rehearse, shipped_bench
from tests.runs.lab import COMPRESSED

pytestmark = [pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bench, polled every five minutes (200 s where a pump or the balance is asked): the same acts in a
    seventh of the time. The pumps' watchdog, 100 s as shipped, must outlast their poll."""
    text = shipped_bench().read_text("utf-8")
    for shipped, slower in (("poll_s = 10", "poll_s = 300"), ("poll_s = 30", "poll_s = 200"), ("_s = 100", "_s = 250")):
        assert shipped in text
        text = text.replace(shipped, slower)
    path = tmp_path_factory.mktemp("coarse") / "bench.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory, coarse: Path) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("healthy")
    return rehearse(COMPRESSED, bench=coarse, seed=7, data=folder), folder


def test_a_healthy_rehearsal_completes_and_both_witnesses_agree(healthy: tuple[Result, Path]) -> None:
    result, folder = healthy
    assert result.complete, result.why
    assert not result.deviations
    withdrawals = [dose for dose in result.doses if dose.part == "withdraw"]
    assert len(withdrawals) == 3
    for dose in withdrawals:
        assert dose.counter_ml is not None
        assert dose.balance_ml is not None
        assert abs(dose.counter_ml - dose.balance_ml) < 0.4
    assert verify(folder).ok


@pytest.mark.req("INV-01", "INV-03", "SIM-02")
def test_what_the_ledger_says_is_what_truly_flowed(healthy: tuple[Result, Path]) -> None:
    result, folder = healthy
    with Reader.open_read_only(folder) as ledger:
        rows = ledger.doses()
    into = sum(row.moved_ml or 0.0 for row in rows if row.stroke == "deliver" and row.fluid_path == "medium in")
    assert into == pytest.approx(float(result.truth["fill_delivered_ml"]), rel=0.02)
    weighed = sum(dose.balance_ml or 0.0 for dose in result.doses if dose.part == "withdraw")
    assert weighed == pytest.approx(float(result.truth["waste_delivered_ml"]), rel=0.02)


@pytest.mark.req("SIM-01", "INV-25")
def test_the_same_seed_gives_the_same_event_log_under_another_hash_seed(
    healthy: tuple[Result, Path], coarse: Path
) -> None:
    result, _ = healthy
    protocol = ROOT / "tests" / "protocols" / "compressed.yaml"
    command = [
        sys.executable,
        "-m",
        "simulators",
        "rehearse",
        str(protocol),
        "--bench",
        str(coarse),
        "--seed",
        "7",
        "--json",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout)["event_log_digest"] == result.event_log_digest


@pytest.mark.req("SIM-01")
def test_another_seed_gives_another_event_log(healthy: tuple[Result, Path], coarse: Path) -> None:
    assert rehearse(COMPRESSED, bench=coarse, seed=8).event_log_digest != healthy[0].event_log_digest


@pytest.mark.req("DS-13")
def test_a_leaking_check_valve_holds_the_run_at_the_first_exchange_and_says_why(coarse: Path) -> None:
    result = rehearse(COMPRESSED, bench=coarse, seed=7, faults=["check-valve"])
    assert result.state == RunState.HELD
    assert "counter 17.9 mL, balance 15." in result.why or "witnesses differ" in result.why
    assert [dose.part for dose in result.doses if dose.path.startswith("culture")] == ["withdraw"]


@pytest.mark.req("SM-05")
def test_an_absent_person_ends_in_a_hold_that_names_the_task(coarse: Path) -> None:
    result = rehearse(COMPRESSED, bench=coarse, seed=7, faults=["absent-person"])
    assert result.state == RunState.HELD
    assert "overdue" in result.why


def test_a_late_person_delays_the_run_and_is_recorded(coarse: Path) -> None:
    result = rehearse(COMPRESSED, bench=coarse, seed=7, faults=["late-person:hours=2"])
    assert result.state in (RunState.COMPLETE, RunState.HELD)
    assert result.alarms


@pytest.mark.req("SIM-10")
@pytest.mark.parametrize("case", (Path(__file__).parent / "kept_seeds.txt").read_text("utf-8").split("\n")[1:-1])
def test_a_seed_that_once_failed_still_holds(case: str) -> None:
    """Each line of kept_seeds.txt: seed, faults (or -), the states in which it may end."""
    seed, faults, states = case.split()[:3]
    result = rehearse(COMPRESSED, seed=int(seed), faults=[] if faults == "-" else faults.split(","))
    assert result.state in states.split("|"), result.why


def check_28_days(result: Result) -> None:
    assert result.complete, result.why
    assert result.days == pytest.approx(28.2, abs=0.5)
    withdrawals = [dose for dose in result.doses if dose.part == "withdraw"]
    fills = [dose for dose in result.doses if dose.part == "fill" and "exchange" in dose.path]
    assert len(withdrawals) == len(fills) == 11
    assert result.hand_steps > 25
    assert not [text for text in result.alarms if text.startswith("critical")]


def test_28_days_complete_with_eleven_exchanges(coarse: Path) -> None:
    check_28_days(rehearse("adsc-osteo-spheroid-28d", bench=coarse, seed=1))


@pytest.mark.campaign
@pytest.mark.timeout(3600)  # two whole runs at full rate, on a machine that may be busy
@pytest.mark.req("SIM-01")
def test_28_days_at_full_rate_twice_give_the_same_event_log() -> None:
    first, second = (rehearse("adsc-osteo-spheroid-28d", seed=1) for _ in range(2))
    check_28_days(first)
    assert first.event_log_digest == second.event_log_digest
    print(f"{first.compression:,.0f} x real time, digest {first.event_log_digest}")
