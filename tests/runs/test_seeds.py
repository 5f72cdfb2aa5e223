"""Compressed seeds of SIM-05 (a): every kind of step, faults, power losses, deaths and people by chance, judged by the
invariants at each scan and at the end. 200 with `make seeds`, 5,000 in the campaign; a few with each run of the tests.
"""

from __future__ import annotations

import pytest

from protocols.loading import load
from protocols.plan import Dose, Plan
from protocols.planning import plan
from simulators.bench import START
from tests.runs import seeds
from tests.runs.every_kind import EVERY_KIND
from tests.runs.invariants import Watching
from tests.runs.many_seeds import Tally, tally, told

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.req(
        "SIM-05", "SIM-03", "SIM-08", "SIM-10", "INV-01", "INV-02", "INV-03", "INV-04", "INV-05", "INV-06", "INV-07",
        "INV-13", "INV-14", "INV-15", "INV-26", "INV-31", "INV-33",
    ),
]  # fmt: skip
KEPT = (70,)
"""Seeds that once broke a rule. 70: a leak in a fill, within what 72 mL poured by hand leave unsure."""
FEW, BATCH = 8, 250


def planned() -> Plan:
    return plan(load(EVERY_KIND), START, "UTC")


def test_without_faults_every_step_is_done_and_no_rule_is_broken() -> None:
    seen = seeds.play(1, [])
    assert (seen.state, seen.rules) == ("COMPLETE", ())


def test_the_same_seed_comes_to_the_same_end() -> None:
    assert seeds.play(11) == seeds.play(11)


@pytest.mark.parametrize("first", [0, 100])
def test_a_few_seeds_break_no_rule(first: int) -> None:
    found = tally((*range(first, first + FEW), *KEPT))
    told(FEW + len(KEPT), found)
    assert found.broken == {}


@pytest.mark.campaign
@pytest.mark.parametrize("first", range(0, 5000, BATCH))
def test_five_thousand_seeds_break_no_rule(first: int) -> None:
    found = tally(range(first, first + BATCH))
    told(BATCH, found)
    print(found.table())
    assert found.broken == {}


def test_the_protocol_of_the_seeds_has_every_kind_of_step_of_a_stirred_bench() -> None:
    nodes = planned().nodes.values()
    works = {type(node.work).__name__ for node in nodes if node.work is not None}
    assert works >= {"SetEnvironment", "WaitUntil", "Pause", "Exchange", "Dose", "Hand", "Withdraw"}
    assert {node.kind for node in nodes} == {"sequence", "parallel", "step", "choice", "rounds"}
    purposes = {node.work.purpose for node in nodes if isinstance(node.work, Dose)}
    assert purposes == {"fill", "prime", "dose", "rinse"}


def test_a_seed_that_breaks_a_rule_is_told_with_the_shortest_list_of_its_blows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that a death breaks: of all the blows of the seed only that one is left."""

    def strict(seed: int, blows: list[str] | None = None) -> seeds.Seen:
        chosen = blows_with_a_kill if blows is None else blows
        killed = any(blow.startswith("kill") for blow in chosen)
        return seeds.Seen(seed, tuple(chosen), "COMPLETE", ("a death",) if killed else ())

    blows_with_a_kill = ["silence@balance:for_s=2", "late-person", "kill@100.0:2.0", "power@400.0:pump_in"]
    monkeypatch.setattr(seeds, "play", strict)
    found = Tally()
    found.add(strict(5))
    assert found.broken == {5: (("a death",), ["kill@100.0:2.0"])}
    assert "seed 5" in capsys.readouterr().out


# --- the judge itself


def watching() -> Watching:
    return Watching(60.0, 150.0, 45.0)


def truth(vessel_ml: float, into_ml: float = 0.0, overflow: bool = False) -> dict[str, float | bool]:
    return {"vessel_ml": vessel_ml, "fill_delivered_ml": into_ml, "overflow": overflow}


@pytest.mark.parametrize(
    ("scans", "rule"),
    [
        ([(0.0, truth(152.0))], "INV-04"),
        ([(0.0, truth(90.0, overflow=True))], "INV-04"),
        ([(0.0, truth(90.0)), (10.0, truth(50.0))], "INV-05"),
        ([(0.0, truth(90.0)), (3000.0, truth(90.0, 47.0))], "INV-06"),
    ],
)
def test_a_scan_sees_a_limit_passed(scans: list[tuple[float, dict[str, float | bool]]], rule: str) -> None:
    watch = watching()
    for at, seen in scans:
        watch.scan(at, seen, exchanging=False, exposure_s=600.0)
    assert [text.split(":")[0] for text in watch.faults] == [rule]


def test_a_vessel_may_stand_drained_within_an_exchange_and_no_longer_than_its_exposure() -> None:
    watch = watching()
    for at, ml in ((0.0, 90.0), (10.0, 50.0), (600.0, 50.0)):
        watch.scan(at, truth(ml), exchanging=True, exposure_s=600.0)
    assert watch.faults == []
    watch.scan(700.0, truth(50.0), exchanging=True, exposure_s=600.0)
    assert len(watch.faults) == 1


def test_a_cap_is_by_the_hour_and_not_for_ever() -> None:
    watch = watching()
    for at, into in ((0.0, 0.0), (3000.0, 40.0), (4000.0, 40.0), (6800.0, 80.0)):
        watch.scan(at, truth(90.0, into), exchanging=False, exposure_s=600.0)
    assert watch.faults == []
