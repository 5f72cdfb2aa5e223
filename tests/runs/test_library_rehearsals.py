"""Every protocol that ships runs to its end under the real controller: as a time-lapse, and whole in the campaign."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import protocols
from protocols.plan import Hand, Plan
from simulators.arms import compare, every, order
from simulators.bench import START
from simulators.comparing import table
from simulators.core.faults import parse
from simulators.rehearsal import Result, rehearse, shipped_bench
from tests.runs.seeds import LYING

pytestmark = [pytest.mark.timeout(600)]
FORMS = ("spheroid", "single cell")
PERFUSED = ("perfusion-osteogenic-21d",)
SEVERAL = ("adsc-osteo-spheroid-28d", "spheroid-first-28d", "undifferentiated-control-28d")
"""Those with arms, whose culture is looked at too."""
SELDOM = {
    "stirred-100": (("poll_s = 10", "poll_s = 600"), ("poll_s = 30", "poll_s = 200"), ("_s = 100", "_s = 250")),
    "perfusion-4": (("poll_s = 30", "poll_s = 90"),),  # a loop that stands still is told within minutes
}
"""The benches that ship, polled less often; the pumps' watchdog outlasts their poll."""


def bench_of(name: str) -> Path:
    return shipped_bench("perfusion-4" if name in PERFUSED else "stirred-100")


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seldom")
    for name, changes in SELDOM.items():
        text = shipped_bench(name).read_text("utf-8")
        for shipped, slower in changes:
            assert shipped in text
            text = text.replace(shipped, slower)
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


def in_order(result: Result) -> None:
    assert result.complete, (result.protocol, result.why, result.alarms)
    assert not result.deviations
    assert not [text for text in result.alarms if text.startswith("critical")]


@pytest.mark.req("RM-06")
def test_the_protocol_of_the_how_to_runs_on_the_demo_bench(benches: Path, tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-protocol.md").read_text("utf-8")
    written = tmp_path / "three-days.yaml"
    written.write_text(page.partition("```yaml\n")[2].partition("```")[0], "utf-8")
    result = rehearse(str(written), bench=benches / "stirred-100.toml", seed=1, time_lapse=True, rounds=2)
    in_order(result)
    assert [each.name for each in result.samples] == ["R-1", "R-2"]


BESIDE = """\
protocol: side-by-side
version: "1"
title: Side by side
status: rehearsal
species: none
vessels:
  reactor: {kind: stirred, needs: [temperature]}
stages:
  - stage: Both
    together:
      - operation: Boil
        independent: yes
        do:
          - wait: {until: temperature above 60 degC, for: 1 min, at most: 10 min}
      - operation: Rest
        do:
          - wait: 30 min
"""


@pytest.mark.req("SM-04")
@pytest.mark.parametrize("attended", [True, False])
def test_a_question_of_an_independent_branch_ends_a_rehearsal_only_when_nothing_else_is_left(
    attended: bool, benches: Path
):
    result = rehearse(BESIDE, bench=benches / "stirred-100.toml", seed=1, attended=attended)
    assert result.complete is attended
    assert result.days * 1440 >= 30
    assert attended or "not finished within 10 min" in result.why


def perhaps(plan: Plan, path: str) -> bool:
    """Whether a step stands in a way that may not be taken, or in a round after the first."""
    above = plan.parents.get(path)
    if above is None:
        return False
    node = plan.nodes[above]
    return node.kind == "choice" or (node.kind == "rounds" and node.children[0].path != path) or perhaps(plan, above)


def last(result: Result, sample: str) -> dict[str, float]:
    return next(each.values for each in reversed(result.samples) if each.name == sample)


@pytest.mark.parametrize("name", [name for name in protocols.library() if name not in SEVERAL])
def test_each_completes_as_a_time_lapse(name: str, benches: Path) -> None:
    result = rehearse(name, bench=benches / bench_of(name).name, seed=1, time_lapse=True, rounds=2)
    in_order(result)
    plan = protocols.plan(protocols.load(name), START, "Asia/Tokyo")
    always = [path for path, node in plan.nodes.items() if isinstance(node.work, Hand) and not perhaps(plan, path)]
    assert result.hand_steps == len(always)


def test_the_arms_of_the_study_end_in_the_right_order(benches: Path) -> None:
    """ALP and calcium of differentiated cells above those of the others, in spheroids and in single cells."""
    arms = compare(
        "adsc-osteo-spheroid-28d", every("adsc-osteo-spheroid-28d"),
        bench=benches / "stirred-100.toml", seed=1, time_lapse=True, rounds=2, processes=1,
    )  # fmt: skip
    by_name = {arm.name: arm for arm in arms}
    assert list(by_name) == [f"{medium} medium, {form}" for medium in ("osteogenic", "growth") for form in FORMS]
    for arm in arms:
        assert arm.complete, arm.why
        assert not arm.deviations
    for form, sample in zip(FORMS, ("wells-I21", "cells-I21"), strict=True):
        induced, naive = by_name[f"osteogenic medium, {form}"], by_name[f"growth medium, {form}"]
        assert induced.sample == naive.sample == sample
        assert induced.found["alp activity"] >= 2 * naive.found["alp activity"] > 0
        assert induced.true["calcium"] > naive.true["calcium"] == 0.0
    assert order(arms, "alp activity").startswith("osteogenic medium")
    assert order(arms, "calcium").endswith("growth medium, spheroid = growth medium, single cell")
    shown = table(arms)
    assert "scaffold alone" in shown
    assert "not detected" in shown, "the matrix is lost on I7: calcium is reported, not required"
    assert "no figure\nhere is, or agrees with" in shown


def test_spheroids_first_forms_on_d7_induces_from_d9_and_mineralises_by_i21(benches: Path) -> None:
    result = rehearse("spheroid-first-28d", bench=benches / "stirred-100.toml", seed=1, time_lapse=True, rounds=2)
    in_order(result)
    days = {each.name: each.day for each in result.samples}
    assert days["wells-I21"] == pytest.approx(30.1, abs=0.3)
    assert days["R-D28"] == pytest.approx(28.1, abs=0.3)
    control = last(result, "wells-I21-control")
    assert last(result, "wells-D16")["calcium"] == 0.0, "I7: too early for mineral"
    assert last(result, "wells-I21")["calcium"] > 0.2 > control["calcium"] == 0.0
    assert last(result, "wells-I21")["alp activity"] >= 2 * control["alp activity"]


def test_the_control_stays_undifferentiated_to_its_end(benches: Path) -> None:
    result = rehearse(
        "undifferentiated-control-28d", bench=benches / "stirred-100.toml", seed=1, time_lapse=True, rounds=2
    )
    in_order(result)
    end = last(result, "wells-I21")
    assert end["calcium"] == 0.0
    assert end["alp activity"] < 30.0, "20 nmol/min/mg are those of naive cells"
    assert result.truth["bottle_phosphate_mm"] == 0.0


FAULTS = (
    "wrong-entry",
    "door-left-open",
    "late-person",
    "drop@DEVICE:every=25",
    "flip@DEVICE:every=40",
    "delay@DEVICE:every=30",
    "silence@balance",
    "stall",
    "check-valve",
    "air-in-line",
    "leak",
    "pinched",
    "contamination",
    "random",
)
"""The fault set: people, bytes lost on every cable (a first stroke in doubt is a question, DS-06), pumps, bacteria."""
NOT_IN_BEDS = ("check-valve", "contamination")
"""The plant of the perfused beds does not know them."""
IN_THE_SUITE = (
    ("btcp-combination", "door-left-open"),
    ("adsc-isolation-expansion", "late-person"),
    ("undifferentiated-control-28d", "check-valve"),
    ("undifferentiated-control-28d", "drop@DEVICE:every=25"),
)
"""One protocol a fault that reaches it; all of them in the campaign."""


def faults_of(name: str, fault: str) -> list[str]:
    devices = tomllib.loads(bench_of(name).read_text("utf-8"))["devices"]
    return [fault.replace("DEVICE", each["name"]) for each in devices] if "DEVICE" in fault else [fault]


def attended(name: str, fault: str, bench: Path) -> Result:
    """To its end: whoever is called to a held run mends what is broken, tells what is true and lets it go on.

    Pumps and ledger agree, but for faults with which more or less flows than a counter tells: those are noticed, as
    soon as something is withdrawn. A fill has no witness of its own on this bench."""
    faults = faults_of(name, fault)
    result = rehearse(name, bench=bench, seed=1, faults=faults, time_lapse=True, rounds=2, attended=True)
    assert result.complete, (name, fault, result.state, result.why, result.alarms)
    assert result.looks == 0 or result.alarms, "whoever came was called"
    lying = any(parse(each).name in LYING for each in result.faults)
    noticed = (result.deviations and result.alarms) or not any(dose.part == "withdraw" for dose in result.doses)
    assert not result.apart or (lying and noticed), (name, fault, result.apart)
    return result


@pytest.mark.req("SM-09", "INV-01", "INV-02", "INV-26")
@pytest.mark.parametrize(("name", "fault"), IN_THE_SUITE)
def test_with_somebody_on_duty_a_protocol_completes_under_a_fault(name: str, fault: str, benches: Path) -> None:
    attended(name, fault, benches / bench_of(name).name)


def test_a_hold_nobody_comes_to_stays_a_hold_with_its_reason(benches: Path) -> None:
    bench = benches / "stirred-100.toml"
    result = rehearse(
        "undifferentiated-control-28d", bench=bench, seed=1, faults=["check-valve"], time_lapse=True, rounds=2
    )
    assert result.state == "HELD"
    assert "two witnesses differ" in result.why
    assert any(text.startswith("high") and "two witnesses differ" in text for text in result.alarms)
    assert result.looks == 0


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", protocols.library())
def test_each_completes_under_every_fault_of_the_set(name: str, benches: Path) -> None:
    bench = benches / bench_of(name).name
    for fault in (each for each in FAULTS if not (name in PERFUSED and each in NOT_IN_BEDS)):
        result = attended(name, fault, bench)
        print(f"{name}, {fault}: held {result.looks} times, {len(result.deviations)} deviations; {result.apart}")


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", protocols.library())
def test_each_completes_at_its_full_length(name: str) -> None:
    result = rehearse(name, bench=bench_of(name), seed=1)
    in_order(result)
    print(f"{name}: {result.days:.1f} d in {result.wall_s:.0f} s, {result.hand_steps} tasks, {len(result.doses)} doses")


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_the_arms_at_full_length_end_in_the_right_order_too() -> None:
    arms = compare("adsc-osteo-spheroid-28d", every("adsc-osteo-spheroid-28d"), seed=1)
    assert [arm.complete for arm in arms] == [True] * 4
    induced, naive = arms[:2], arms[2:]
    for one, other in zip(induced, naive, strict=True):
        assert one.found["alp activity"] >= 2 * other.found["alp activity"]
        assert one.true["calcium"] > other.true["calcium"]
    print(table(arms))
