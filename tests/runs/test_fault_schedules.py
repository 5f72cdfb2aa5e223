"""Whole rehearsals with faults: of plant and people one by one, and of every kind by chance from the seed (SIM-03).

No dose is given twice, none is lost unnoticed. A fill has no witness of its own on this bench: what a pump counted and
did not move is noticed at the next withdrawal, which finds the level too low; so the last fill of a run is set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from controller.store.reader import Reader
from controller.store.verify import verify
from protocols.states import RunState
from simulators.agreement import given_twice, lost
from simulators.core.faults import FAULTS, parse
from simulators.core.faults.table import Kind
from simulators.rehearsal import Result, rehearse, shipped_bench
from simulators.rehearsing import main as at_the_terminal
from simulators.shrinking import shortest
from tests.runs.lab import COMPRESSED

pytestmark = [pytest.mark.timeout(1800), pytest.mark.req("SIM-03", "SIM-04", "INV-01", "INV-02", "INV-25", "INV-26")]
LYING_PUMPS = ("stuck-on",)
"""A device that goes on after it says that it has stopped: more flows than anybody was told."""
EXCHANGES = 12_600.0
"""Seconds after the start at which the first is due."""
CASES = (
    "check-valve", "check-valve-fill", "screen-clogs", "spheroids-in-waste", "pinched", "vent-blocks",
    "tube-on-balance", "worn-tube", "contamination", f"check-valve:after_s={EXCHANGES + 1000:g}",
    f"screen-clogs:after_s={EXCHANGES + 1000:g}", "pinched:out=1", "pinched:share=0.5",
    f"pinched:after_s={EXCHANGES - 600:g}:for_s=3000", f"bubble:ml=3:after_s={EXCHANGES - 600:g}",
    f"bubble:ml=3:out=1:after_s={EXCHANGES - 600:g}", f"bottle-swapped:after_s={EXCHANGES - 600:g}",
    f"bottle-swapped:waste=1:after_s={EXCHANGES + 90:g}", f"bottle-swapped:waste=1:after_s={EXCHANGES + 200:g}",
    "late-person", "late-person:hours=1", "absent-person", "absent-person:after_s=7200:for_s=9000", "wrong-entry",
    "wrong-lot", "door-left-open", "wrong-bottle:dmem=1", "forgotten-clamp",
)  # fmt: skip


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bench, polled seldom, as in test_rehearsals."""
    text = shipped_bench().read_text("utf-8")
    for shipped, slower in (("poll_s = 10", "poll_s = 300"), ("poll_s = 30", "poll_s = 200"), ("_s = 100", "_s = 250")):
        text = text.replace(shipped, slower)
    path = tmp_path_factory.mktemp("coarse") / "bench.toml"
    path.write_text(text, "utf-8")
    return path


def played(bench: Path, seed: int, faults: Sequence[str]) -> tuple[Result, list[str]]:
    """The rehearsal, and the rules it broke."""
    with TemporaryDirectory(prefix="osteon-faults-") as folder:
        result = rehearse(COMPRESSED, bench=bench, seed=seed, faults=faults, data=Path(folder))
        return result, broken(result, Path(folder))


def broken(result: Result, folder: Path) -> list[str]:
    with Reader.open_read_only(folder) as ledger:
        rows = ledger.doses()
    found: list[str] = []
    names = {parse(text).name for text in result.faults}
    if not names & set(LYING_PUMPS):
        found += [f"given twice: {text}" for text in given_twice(result.moved, rows)]
    noticed = result.state == RunState.HELD or result.alarms or result.deviations
    last = max((row.intended_at for row in rows if row.part == "fill"), default=0.0)
    unseen = sum(row.moved_ml or 0.0 for row in rows if row.part == "fill" and last - row.intended_at < 600.0) / 2
    if not noticed:
        found += [f"lost unnoticed: {text}" for text in lost(result.moved, rows, unseen)]
    if result.truth["overflow"]:
        found.append("the vessel ran over")
    if result.state not in (RunState.COMPLETE, RunState.HELD):
        found.append(f"stuck: {result.state}")
    if result.state == RunState.HELD and not (result.why and result.alarms):
        found.append("held without a word or an alarm")
    if not (report := verify(folder)).ok:
        found.append(report.text())
    return found


def test_every_fault_of_plant_and_people_is_rehearsed():
    mine = {name for name, entry in FAULTS.items() if entry.kind in (Kind.PLANT, Kind.PEOPLE)}
    assert {parse(text).name for text in CASES} == mine


@pytest.mark.parametrize("fault", CASES)
def test_a_fault_of_plant_or_people_gives_no_dose_twice_and_loses_none_unnoticed(coarse: Path, fault: str):
    _, rules = played(coarse, 7, [fault])
    assert rules == []


def failing(bench: Path, seeds: range) -> dict[int, tuple[list[str], list[str]]]:
    """Seed -> the rules its schedule broke, and the shortest list of faults that breaks any."""
    found: dict[int, tuple[list[str], list[str]]] = {}
    for seed in seeds:
        result, rules = played(bench, seed, ["random"])
        if rules:
            few = shortest(result.faults, lambda some, seed=seed: bool(played(bench, seed, some)[1]))
            print(f"seed {seed}: {rules}; shortest: {','.join(few)}")
            found[seed] = rules, few
    return found


def test_faults_by_chance_break_no_rule(coarse: Path):
    assert failing(coarse, range(5)) == {}


@pytest.mark.campaign
def test_many_faults_by_chance_break_no_rule(coarse: Path):
    assert failing(coarse, range(1000, 1400)) == {}


def test_the_same_seed_and_faults_give_the_same_bytes(coarse: Path):
    first, second = (rehearse(COMPRESSED, bench=coarse, seed=2, faults=["random", "vent-blocks"]) for _ in range(2))
    assert first.faults == second.faults and len(first.faults) > 1
    assert first.event_log_digest == second.event_log_digest
    assert first.truth == second.truth


def test_a_failing_run_is_shrunk_to_what_does_it(coarse: Path, capsys: pytest.CaptureFixture[str]):
    faults = "wrong-lot,vent-blocks,check-valve,drift@ph_probe:ph=0.1,silence@balance:for_s=2"
    protocol = Path(__file__).parent.parent / "protocols" / "compressed.yaml"
    words = [str(protocol), "--bench", str(coarse), "--seed", "7", "--faults", faults, "--shrink"]
    assert at_the_terminal(words) == 1
    told = capsys.readouterr().out
    assert f"faults: {faults}" in told
    assert told.splitlines()[-1] == "seed 7, shortest list that fails: check-valve"
