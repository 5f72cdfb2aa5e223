"""The rehearsed past of a demo: handed over whole, begun anew when interrupted, refused where there can be none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from controller.clock import Clock
from controller.controller import Controller
from controller.settings import load
from controller.store.reader import Reader
from controller.store.verify import verify
from protocols.states import RunState
from simulators import past
from simulators.bench import SimulatedBench, read
from simulators.core.time import VirtualLoop
from simulators.demo import installation
from simulators.operator import Operator
from simulators.rehearsal import shipped_bench

COMPRESSED = Path(__file__).parents[1] / "protocols" / "compressed.yaml"
DAY = 0.1
"""Into the protocol's third hour: the vessel is filled, three exchanges are ahead."""
SEED = 3


def line(data: Path, *, day: float = DAY, protocol: Path | str = COMPRESSED) -> list[str]:
    words = ("--bench", shipped_bench(), "--data", data, "--work", data / "past", "--protocol", protocol)
    return [*map(str, words), "--day", str(day), "--seed", str(SEED)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a past; only read from."""
    data = tmp_path_factory.mktemp("made")
    assert past.main(line(data)) == 0
    return data


def world(data: Path) -> tuple[dict[str, Any], SimulatedBench]:
    """The state file, and a bench that has become what it says."""
    saved = json.loads((data / "world.json").read_text("utf-8"))
    bench = SimulatedBench(read(shipped_bench()), seed=SEED)
    bench.restore(saved["bench"])
    return saved, bench


def test_a_past_is_whole_verifiable_and_says_that_it_was_rehearsed(made: Path) -> None:
    assert not (made / "past").exists()
    assert verify(made).ok
    with Reader.open_read_only(made) as ledger:
        told = [(row.action, row.actor) for row in ledger.audit()]
        answered = {task.answered_by for task in ledger.tasks("run-1") if task.state == "answered"}
        assert not ledger.alarms() and not ledger.deviations("run-1") and not ledger.open_doses()
    assert ("run created", "rehearsal") in told
    assert told[-2:] == [("past rehearsed", "rehearsal"), ("controller.stopped", "osteon")]
    assert answered == {"simulated operator"}


def test_the_worlds_truth_is_what_the_records_say_was_moved(made: Path) -> None:
    saved, bench = world(made)
    with Reader.open_read_only(made) as ledger:
        into = sum(
            row.moved_ml or 0.0 for row in ledger.doses() if row.stroke == "deliver" and row.fluid_path == "medium in"
        )
        start = ledger.runs()[0].created_at
    assert into > 18.0
    assert float(bench.truth(saved["now"])["fill_delivered_ml"]) == pytest.approx(into, rel=0.02)
    assert DAY * 86_400 <= saved["now"] - start < DAY * 86_400 + 3600


def test_the_next_controller_goes_on_with_the_same_run_to_its_end_without_a_question_or_an_alarm(
    made: Path, tmp_path: Path
) -> None:
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    saved, bench = world(tmp_path)
    settings = load(shipped_bench())
    before = bench.truth(saved["now"])["vessel_ml"]

    async def go_on() -> None:
        controller = Controller(
            settings,
            tmp_path,
            lambda name, url: bench.open_link(name),
            Clock.of_bench(settings.bench.zone, 0),
            installation=installation(settings),
            flush_s=3600.0,
        )
        bench.switch_on()
        living = asyncio.create_task(controller.run())
        await controller.up.wait()
        assert controller.runs is not None and controller.alarms is not None
        engine = controller.runs.engine("run-1")
        assert engine.run.state in (RunState.RESTARTING, RunState.RUNNING)
        assert bench.truth(asyncio.get_running_loop().time())["vessel_ml"] == pytest.approx(before, abs=0.01)
        runs = controller.runs

        async def give(task: Any, entries: Any, by: str) -> None:
            await runs.answer(task["run"], task["path"], entries, past.REHEARSER)

        person = asyncio.create_task(Operator(bench.person, runs.tasks, give).work())
        while not engine.ended:
            assert engine.run.state is not RunState.HELD, engine.run.why
            await asyncio.sleep(60.0)
        person.cancel()
        controller.stop()
        await living
        bench.switch_off()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(float(saved["now"]))) as runner:
        runner.run(go_on())
    assert verify(tmp_path).ok
    with Reader.open_read_only(tmp_path) as ledger:
        (run,) = ledger.runs()
        assert run.state == "COMPLETE"
        assert not ledger.alarms() and not ledger.deviations("run-1")
        strokes = [row for row in ledger.doses() if row.part == "withdraw" and row.stroke == "deliver"]
    assert len(strokes) >= 3


def test_an_interrupted_past_is_begun_anew_and_only_what_the_job_made_is_thrown_away(tmp_path: Path) -> None:
    work = tmp_path / "past"
    past.begin(work)
    (work / "ledger.db").write_bytes(b"half a ledger")
    (tmp_path / "access.sqlite").write_bytes(b"accounts")
    assert past.main(line(tmp_path, day=0.01)) == 0
    assert not work.exists()
    assert verify(tmp_path).ok
    assert (tmp_path / "access.sqlite").read_bytes() == b"accounts"


def test_an_interrupted_hand_over_goes_on_where_it_was(made: Path, tmp_path: Path) -> None:
    work = tmp_path / "past"
    past.begin(work)
    for path in made.iterdir():
        (work / path.name).write_bytes(path.read_bytes())
    (work / "history.db").rename(tmp_path / "history.db")
    assert past.main(line(tmp_path, protocol="no such protocol")) == 0
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in made.iterdir()}
    assert verify(tmp_path).ok


@pytest.mark.parametrize(
    ("day", "protocol", "word"),
    [(2.0, COMPRESSED, "last step on day 0"), (1.0, "no-such-protocol", "no-such-protocol")],
)
def test_a_past_that_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], day: float, protocol: Path | str, word: str
) -> None:
    assert past.main(line(tmp_path, day=day, protocol=protocol)) == 1
    said = capsys.readouterr().err
    assert word in said and "Traceback" not in said
    assert not (tmp_path / "world.json").exists()


def test_a_folder_of_that_name_which_no_job_made_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "past").mkdir()
    (tmp_path / "past" / "thesis.txt").write_text("precious")
    assert past.main(line(tmp_path)) == 1
    assert "no demo made" in capsys.readouterr().err
    assert (tmp_path / "past" / "thesis.txt").read_text() == "precious"
