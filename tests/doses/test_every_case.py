"""The exhaustive check of safety-and-records 6.3 over the real ledger, stroke and transfer code, at byte level.

2,040 cases = 17 deaths of the controller (none; each side of each durable boundary and of the handing over of the
starting frame; along the stroke and the fence; three of a second controller that settles what the first left)
x 6 moments of the pump's power loss (one of them: none) x 5 fates of the starting frame (delivered, lost, late, twice,
unacknowledged) x 4 times away (0.05 s to 1 min). The pump bounds each move, refuses a start while it moves, and its
counter survives. A frame is late by up to 2.4 s; the fence's quiet time is 2.5 s.

Correct: never more than target + tolerance; "done" is true within tolerance; less has a record that is true or doubted.
A part of the cases is played with every change, all of them in the campaign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from controller.run.doses import Doses
from protocols.events import Outcome
from tests.doses.case import ALARM_READ, DEATHS, FATES, Case, End, every, play, template
from tests.doses.pump import ProofPump
from tests.doses.variants import SHORT_S, AssumeDone, NoFence, RetryOnRestart

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.req("DS-01", "DS-02", "DS-03", "DS-04", "DS-06", "INV-01", "INV-02", "SIM-09"),
]
FEW = 17
"""Every 17th case is played with each change: a prime to all but the number of deaths, which vary slowest."""
VARIANTS: dict[str, tuple[type[Doses], float]] = {
    "no fence": (NoFence, ProofPump.fence_quiet_s),
    "a fence shorter than the latency": (Doses, SHORT_S),
    "retry on restart": (RetryOnRestart, ProofPump.fence_quiet_s),
    "assume done": (AssumeDone, ProofPump.fence_quiet_s),
}
CONSUMED = (*DEATHS, ALARM_READ)
SETTLED: set[Outcome] = {"done", "short"}
"""What a counter that survives comes to. Short: the rest was too small for a stroke, and a person is told."""
BIG_ML = 7.5
"""A counter that has run on over earlier doses."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("ledger") / "made")


def played(
    cases: Iterable[Case], made: Path, kind: type[Doses] = Doses, quiet_s: float = ProofPump.fence_quiet_s
) -> Iterator[tuple[Case, End]]:
    with TemporaryDirectory(prefix="osteon-doses-") as folder:
        for case in cases:
            yield case, play(case, made, Path(folder) / "case", kind, quiet_s)


def wrong(cases: Iterable[Case], made: Path) -> tuple[Counter[str], list[tuple[Case, list[str]]]]:
    """How the cases ended, and those that broke a rule."""
    ends, found = Counter[str](), list[tuple[Case, list[str]]]()
    for case, end in played(cases, made):
        ends[f"{end.outcome} after {end.lives} lives"] += 1
        if faults := end.faults():
            found.append((case, faults))
    print(f"{sum(ends.values())} cases, {len(found)} wrong: {dict(sorted(ends.items()))}")
    return ends, found


def outcomes(ends: Counter[str]) -> set[str]:
    return {text.split()[0] for text in ends}


def test_the_product_has_2040_cases() -> None:
    assert len(set(every())) == 2040


def test_a_part_of_the_cases_is_given_once_and_recorded_truly(made: Path) -> None:
    ends, found = wrong(islice(every(), None, None, FEW), made)
    assert found == []
    assert sum(ends.values()) == 120
    assert outcomes(ends) <= SETTLED


@pytest.mark.req("EQ-05")
def test_a_pump_that_loses_power_while_it_is_connected_is_made_ready_again(made: Path) -> None:
    """The alarm met by the very poll that follows `prepare` was once taken for dealt with: refused for ever."""
    ((_, end),) = played([Case("before the intent", "while away", "delivered", 1.0)], made)
    assert (end.outcome, end.faults()) == ("done", [])


@pytest.mark.campaign
def test_all_2040_cases_are_given_once_and_recorded_truly(made: Path) -> None:
    ends, found = wrong(every(), made)
    assert found == []
    assert sum(ends.values()) == 2040
    assert outcomes(ends) <= SETTLED


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_planted_variant_is_caught(made: Path, variant: str) -> None:
    """By the first of the cases that tells it; the campaign counts them all."""
    deaths = ("after the bytes", "moved 10 %", "moved 90 %")
    likely = (case for case in every(deaths) if case.fate in ("late", "delivered"))
    caught = next(((case, f) for case, end in played(likely, made, *VARIANTS[variant]) if (f := end.faults())), None)
    assert caught is not None
    print(variant, *caught)


@pytest.mark.campaign
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_planted_variant_is_caught_and_counted(made: Path, variant: str) -> None:
    found = Counter(fault for _, end in played(every(), made, *VARIANTS[variant]) for fault in end.faults())
    print(f"{variant}: {dict(found)} in 2040 cases")
    assert found


@pytest.mark.parametrize("before_ml", [0.0, BIG_ML])
def test_a_counter_that_forgets_is_doubted_and_never_dosed_twice(made: Path, before_ml: float) -> None:
    """The counter is lost with the power; one more death: as the alarm that tells of it is read (DS-06)."""
    cases = islice(every(CONSUMED, survives=False, before_ml=before_ml), 3, None, 3 * FEW)
    judge_forgetful(made, (*cases, *consumed(before_ml)))


@pytest.mark.campaign
@pytest.mark.parametrize("before_ml", [0.0, BIG_ML])
def test_a_counter_that_forgets_is_doubted_in_all_2160_cases(made: Path, before_ml: float) -> None:
    judge_forgetful(made, every(CONSUMED, survives=False, before_ml=before_ml))


def consumed(before_ml: float) -> Iterator[Case]:
    """The kill between the reading of the power-up alarm and the commit, for each fate of the command."""
    for fate in FATES:
        yield Case(ALARM_READ, "in the stroke", fate, 1.0, survives=False, before_ml=before_ml)


def judge_forgetful(made: Path, cases: Iterable[Case]) -> None:
    ends, found = wrong(cases, made)
    assert found == []
    assert {"done", "unknown"} <= outcomes(ends) <= SETTLED | {"unknown"}
