"""Results of samples and the release of a batch by them (RM-11)."""

from __future__ import annotations

import asyncio

import pytest

from controller.actors import Actor
from controller.errors import RunConflict, Unusable
from controller.releases import standing
from controller.results import expected
from controller.store.verify import verify
from protocols.states import Cause
from tests.controller.quick import QuickLab
from tests.runs.lab import TESTER

ANN, BOB = Actor("Ann", "supervisor", "test"), Actor("Bob", "supervisor", "test")
CONTROL = """
protocol: control
version: "1"
title: Control
status: rehearsal
species: none
vessels:
  plates: {kind: plate, wells: 6, volume: 1 mL}
environment:
  hold: {temperature: 37 degC}
  end: {temperature: 37 degC}
stages:
  - stage: Samples
    do:
      - sample: QC
        from: plates
        take: 1 well
        results:
          viability: {unit: "%", limits: 0..100, warn: 80..100}
          sterility negative: yes/no
        due: 2 h
        takes: 5 min
"""


@pytest.fixture
async def sampled(lab: QuickLab) -> QuickLab:
    """A run on batch B whose one sample was taken."""
    await lab.up()
    await lab.runs.batches.add("D", "donor", TESTER, parents={})
    await lab.start(CONTROL)
    await lab.runs.batches.add("B", "spheroid batch", TESTER, run="run-1", parents={"D": 0.5})
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    with pytest.raises(Unusable, match=r"no sample 'QC' has been taken in run-1; taken: none yet"):
        await lab.runs.results.add("run-1", "QC", "viability", 90.0, TESTER)
    await lab.runs.answer("run-1", lab.runs.tasks()[0]["path"], {}, TESTER)
    return lab


def states(lab: QuickLab) -> dict[str, str]:
    return {each.name: each.state for each in expected(lab.ledger, "run-1")}


@pytest.mark.req("RM-11")
async def test_a_result_is_pending_then_within_or_out_and_a_correction_keeps_what_was_read(sampled: QuickLab) -> None:
    results, now = sampled.runs.results, sampled.controller.clock.now()
    assert states(sampled) == {"viability": "pending", "sterility negative": "pending"}
    (first, _) = expected(sampled.ledger, "run-1")
    assert first.due == pytest.approx(now + 7200.0, abs=60.0)
    assert not first.told(now)["late"] and first.told(now + 9000.0)["late"]
    assert await results.add("run-1", "QC", "viability", 71.0, TESTER, method="trypan blue", key="k") == (
        "out of specification"
    )
    assert await results.add("run-1", "QC", "viability", 71.0, TESTER, method="trypan blue", key="k") == (
        "out of specification"
    )
    with pytest.raises(RunConflict, match=r"on record already: 71\.0 %\. Ask for a retest, or correct it"):
        await results.add("run-1", "QC", "viability", 91.0, TESTER)
    assert await results.add("run-1", "QC", "viability", 91.0, TESTER, why="wrong dilution noted") == "within"
    assert await results.add("run-1", "QC", "sterility negative", False, TESTER) == "out of specification"
    rows = [row for row in sampled.ledger.sample_results("run-1") if row.name == "viability"]
    assert [(row.number, row.value, row.by) for row in rows] == [(1, 71.0, "tester"), (2, 91.0, "tester")]
    said = [entry for entry in sampled.ledger.audit() if entry.action.startswith("result")]
    assert [entry.action for entry in said][:2] == ["result out of specification", "result within"]
    assert verify(sampled.folder).ok


@pytest.mark.req("RM-11")
@pytest.mark.parametrize(
    ("sample", "name", "value", "unit", "says"),
    [
        ("QC", "viability", 120.0, "", "outside"),
        ("QC", "viability", "much", "", "is a number in %"),
        ("QC", "viability", 0.9, "1", "written down in %, not in 1"),
        ("QC", "vitality", 90.0, "", "no result 'vitality'; it has viability, sterility negative"),
        ("QD", "viability", 90.0, "", "taken: QC"),
        ("QC", "sterility negative", 1.0, "", "is yes or no"),
    ],
)
async def test_a_result_that_cannot_be_is_refused_with_the_reason(
    sampled: QuickLab, sample: str, name: str, value: object, unit: str, says: str
) -> None:
    with pytest.raises(Unusable, match=says):
        await sampled.runs.results.add("run-1", sample, name, value, TESTER, unit=unit)
    assert sampled.ledger.sample_results("run-1") == []


@pytest.mark.req("RM-11")
async def test_a_missing_result_blocks_the_release_and_not_the_run(sampled: QuickLab) -> None:
    results, releases = sampled.runs.results, sampled.runs.releases
    assert await sampled.until(lambda: sampled.engine.ended, 600.0)
    assert sampled.engine.run.state == "COMPLETE", "pending results hold no run"
    with pytest.raises(Unusable, match="a supervisor releases, and tester is operator"):
        await releases.sign("B", "preliminary", TESTER)
    with pytest.raises(Unusable, match="there is nothing to release it by"):
        await releases.sign("B", "preliminary", ANN)
    await results.add("run-1", "QC", "viability", 71.0, TESTER)
    with pytest.raises(Unusable, match="B has no preliminary release"):
        await releases.sign("B", "final", ANN)
    with pytest.raises(Unusable, match="QC viability is out of specification: name it"):
        await releases.sign("B", "preliminary", ANN)
    assert await releases.sign("B", "preliminary", ANN, why="viability low: used for the method only") == "preliminary"
    with pytest.raises(Unusable, match="QC sterility negative is pending"):
        await releases.sign("B", "final", ANN, why="viability low")
    await results.add("run-1", "QC", "sterility negative", True, TESTER)
    assert await results.again("run-1", "QC", "viability", TESTER, why="stain had expired") == "retest"
    with pytest.raises(Unusable, match="QC viability is retest"):
        await releases.sign("B", "final", ANN, why="viability low")
    await results.add("run-1", "QC", "viability", 93.0, TESTER)
    assert await releases.sign("B", "final", ANN, key="a") == "waits for a second person"
    assert standing(sampled.ledger, "B") == "waits for a second person"
    with pytest.raises(Unusable, match="Ann has signed already"):
        await releases.sign("B", "final", ANN, key="b")
    assert await releases.sign("B", "final", BOB) == "final"
    preliminary, final = sampled.ledger.releases("B")
    assert preliminary.facts["results"]["out of specification"] == ["QC viability"]
    assert (final.by, final.second_by, final.facts["results"]) == (
        "Ann",
        "Bob",
        {"within": ["QC viability", "QC sterility negative"]},
    )
    with pytest.raises(RunConflict, match="released already"):
        await releases.sign("B", "rejected", ANN, why="second thoughts")
    assert verify(sampled.folder).ok


@pytest.mark.req("RM-11")
async def test_what_never_comes_is_said_by_a_supervisor_and_named_and_a_rejected_batch_ends(sampled: QuickLab) -> None:
    results, releases = sampled.runs.results, sampled.runs.releases
    with pytest.raises(Unusable, match="a supervisor leaves a result out"):
        await results.leave_out("run-1", "QC", "viability", TESTER, why="the tube broke")
    assert await results.leave_out("run-1", "QC", "viability", ANN, why="the tube broke") == "not done"
    with pytest.raises(Unusable, match="QC viability is not done: name it"):
        await releases.sign("B", "preliminary", ANN)
    with pytest.raises(Unusable, match="needed to reject"):
        await releases.sign("B", "rejected", ANN)
    assert await releases.sign("B", "rejected", ANN, why="the tube broke") == "rejected"
    with pytest.raises(Unusable, match="'B' is rejected: nothing more is made of it"):
        await sampled.runs.batches.add("C", "combination", TESTER, parents={"B": 0.5})


@pytest.mark.req("RM-11")
async def test_two_persons_sign_the_same_results(sampled: QuickLab) -> None:
    results, releases = sampled.runs.results, sampled.runs.releases
    await results.add("run-1", "QC", "viability", 93.0, TESTER)
    await results.add("run-1", "QC", "sterility negative", True, TESTER)
    assert await releases.sign("B", "preliminary", ANN) == "preliminary"
    assert await sampled.until(lambda: sampled.engine.ended, 600.0)
    assert await releases.sign("B", "final", ANN) == "waits for a second person"
    await results.add("run-1", "QC", "viability", 50.0, TESTER, why="wrong dilution noted")
    assert await releases.sign("B", "final", BOB, why="viability low: method only") == "waits for a second person"
    assert await releases.sign("B", "final", ANN, why="viability low: method only") == "final"
    held = sampled.ledger.releases("B")[-1]
    assert (held.by, held.second_by) == ("Bob", "Ann")
    assert held.facts["results"]["out of specification"] == ["QC viability"]


@pytest.mark.req("RM-11")
async def test_a_sample_still_to_be_taken_blocks_the_final_release(lab: QuickLab) -> None:
    await lab.up()
    await lab.runs.batches.add("D", "donor", TESTER, parents={})
    later = CONTROL[CONTROL.index("      - sample: QC") :].replace("QC", "LATE")
    await lab.start(CONTROL + later)
    await lab.runs.batches.add("B", "spheroid batch", TESTER, run="run-1", parents={"D": 0.5})
    for sample in ("QC", "LATE"):
        assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
        if sample == "LATE":
            with pytest.raises(Unusable, match="sample LATE of run-1 is still to be taken"):
                await lab.runs.releases.sign("B", "final", ANN)
        await lab.runs.answer("run-1", lab.runs.tasks()[0]["path"], {}, TESTER)
        await lab.runs.results.add("run-1", sample, "viability", 93.0, TESTER)
        await lab.runs.results.add("run-1", sample, "sterility negative", True, TESTER)
        if sample == "QC":
            assert await lab.runs.releases.sign("B", "preliminary", ANN) == "preliminary"
    assert await lab.runs.releases.sign("B", "final", ANN) == "waits for a second person"


@pytest.mark.req("RM-11")
async def test_nothing_is_released_by_results_that_were_all_left_out(sampled: QuickLab) -> None:
    for name in ("viability", "sterility negative"):
        await sampled.runs.results.leave_out("run-1", "QC", name, ANN, why="the tube broke")
    with pytest.raises(Unusable, match="there is nothing to release it by"):
        await sampled.runs.releases.sign("B", "preliminary", ANN, why="viability, sterility negative: tube lost")


@pytest.mark.req("RM-11", "INV-31")
async def test_a_result_that_changes_after_the_release_is_a_deviation(sampled: QuickLab) -> None:
    results, releases = sampled.runs.results, sampled.runs.releases
    await results.add("run-1", "QC", "viability", 93.0, TESTER)
    await results.add("run-1", "QC", "sterility negative", True, TESTER)
    assert sampled.ledger.deviations("run-1") == []
    await releases.sign("B", "preliminary", ANN)
    await results.add("run-1", "QC", "sterility negative", False, TESTER, why="growth on day 13")
    (told,) = sampled.ledger.deviations("run-1")
    assert told.text == "QC sterility negative is out of specification, was within at the release of B"


async def both_results(lab: QuickLab) -> None:
    await lab.runs.results.add("run-1", "QC", "viability", 93.0, TESTER)
    await lab.runs.results.add("run-1", "QC", "sterility negative", True, TESTER)


@pytest.mark.req("RM-11")
async def test_what_comes_from_a_rejected_batch_is_released_only_where_it_is_named(sampled: QuickLab) -> None:
    releases = sampled.runs.releases
    await sampled.runs.batches.add("C", "combination", TESTER, parents={"B": 0.5})
    await both_results(sampled)
    await releases.sign("B", "rejected", ANN, why="grown over in the plate")
    with pytest.raises(Unusable, match="it comes from B, which is rejected"):
        await releases.sign("C", "preliminary", ANN)
    assert await releases.sign("C", "preliminary", ANN, why="left before B was spoiled") == "preliminary"
    assert sampled.ledger.releases("C")[0].facts["rejected"] == ["B"]


@pytest.mark.req("RM-11")
async def test_a_sample_that_nobody_took_is_named(lab: QuickLab) -> None:
    await lab.up()
    await lab.runs.batches.add("D", "donor", TESTER, parents={})
    await lab.start(CONTROL + CONTROL[CONTROL.index("      - sample") :].replace("QC", "LATE"))
    await lab.runs.batches.add("B", "spheroid batch", TESTER, run="run-1", parents={"D": 0.5})
    for taken in (True, False):
        assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
        if taken:
            await lab.runs.answer("run-1", lab.runs.tasks()[0]["path"], {}, TESTER)
    await both_results(lab)
    await lab.runs.command("run-1", Cause.STOP, ANN)
    assert await lab.until(lambda: lab.engine.ended, 600.0)
    with pytest.raises(Unusable, match="LATE was not taken: name it"):
        await lab.runs.releases.sign("B", "preliminary", ANN)
    assert await lab.runs.releases.sign("B", "preliminary", ANN, why="LATE: run stopped") == "preliminary"


@pytest.mark.req("RM-11")
async def test_a_result_on_its_way_to_the_disk_is_seen_by_the_next_and_by_a_release(sampled: QuickLab) -> None:
    results, releases = sampled.runs.results, sampled.runs.releases
    assert await sampled.until(lambda: sampled.engine.ended, 600.0)
    await both_results(sampled)
    await releases.sign("B", "preliminary", ANN)
    await releases.sign("B", "final", ANN)
    assert sampled.disk is not None
    sampled.disk.slow_s = 3.0
    again = asyncio.ensure_future(results.again("run-1", "QC", "viability", TESTER, why="stain had expired"))
    await asyncio.sleep(1.0)
    with pytest.raises(Unusable, match="QC viability is retest"):
        await releases.sign("B", "final", BOB)
    assert await again == "retest"
    one, two = await asyncio.gather(
        *(results.add("run-1", "QC", "viability", value, TESTER) for value in (90.0, 85.0)), return_exceptions=True
    )
    assert (one, type(two)) == ("within", RunConflict), "on record already"
