"""The protocols that ship load, plan anywhere, and say what they are."""

from __future__ import annotations

import pytest

import protocols
from drivers.catalogue import MODELS
from protocols.expressions import truth
from protocols.plan import Dose, Exchange, Hand, Pause, Plan
from tests.protocols.answering import START


@pytest.mark.parametrize("name", protocols.library())
def test_each_says_that_it_is_a_rehearsal_and_no_clinical_protocol(name: str):
    protocol = protocols.load(name)
    assert protocol.name == name
    assert protocol.document.status == "rehearsal"
    assert "not a validated or clinical protocol" in protocol.text.splitlines()[0]
    assert "not a validated or clinical protocol" in (protocol.document.about or "")


@pytest.mark.req("RM-01")
@pytest.mark.parametrize("name", protocols.library())
def test_each_names_capabilities_and_never_ports_or_devices(name: str):
    text = protocols.load(name).text
    for word in ("tcp://", "serial", "/dev/", "COM1", "http://", "register", *MODELS):
        assert word not in text


@pytest.mark.req("RM-02")
@pytest.mark.parametrize("name", protocols.library())
def test_a_run_gets_a_frozen_copy_with_concrete_values(name: str):
    protocol = protocols.load(name)
    changed, parameter = next((n, p) for n, p in protocol.document.parameters.items() if p.range is not None)
    assert parameter.range is not None
    lowest = f"{parameter.range.low:g} {parameter.range.unit}"
    plan = protocols.plan(protocol, START, "Europe/Berlin", {changed: lowest})
    assert (plan.protocol, plan.version) == (name, protocol.version)
    assert plan.parameters[changed] == lowest
    assert protocol.parameters[changed] == parameter.default != lowest
    with pytest.raises(AttributeError):
        plan.version = "2"  # type: ignore[misc]


MARKS = ("R", "C", "M", "A", "D")


@pytest.mark.parametrize("name", protocols.library())
def test_every_parameter_material_and_source_says_how_sure_it_is(name: str):
    document = protocols.load(name).document
    for sure in (
        *(each.source for each in document.parameters.values()),
        *(each.source for each in document.materials.values()),
        *(each.source for each in document.vessels.values()),
        *document.sources.values(),
    ):
        assert sure is not None
        assert sure.split(",")[0].split(":")[0].split(" ")[0].split("/")[0].rstrip(";") in MARKS, sure


def test_all_protocols_that_the_interface_names_ship():
    assert set(protocols.library()) >= {
        "adsc-isolation-expansion", "spheroid-formation", "adsc-osteo-spheroid-28d", "spheroid-first-28d",
        "undifferentiated-control-28d", "btcp-combination", "release-quality-control", "perfusion-osteogenic-21d",
        "sensor-calibration", "line-set-install-and-leak-test", "incubator-decontamination",
    }  # fmt: skip


@pytest.mark.parametrize("name", protocols.library())
def test_no_hand_step_without_an_end_and_every_lot_is_a_material(name: str):
    """What a person is asked for says what to write down, or is a sample; a step without either proves nothing."""
    plan = protocols.plan(protocols.load(name), START, "Asia/Tokyo")
    hands = [node for node in plan.nodes.values() if isinstance(node.work, Hand)]
    assert hands
    for node in hands:
        assert isinstance(node.work, Hand)
        assert node.work.entries or node.work.lots or node.work.sample or node.work.acts, node.path


def test_the_reactor_is_made_ready_as_the_page_says(shipped: Plan):
    base = "induction-and-the-reactor-made-ready/line-set-leak-test-and-medium-hold/1"
    works = {path.rpartition("/")[2]: node.work for path, node in shipped.nodes.items() if path.startswith(f"{base}/")}
    assert works["wait"] == Pause(1800.0)
    assert isinstance(works["prime"], Dose)
    assert works["prime"].volume_ml == 10.0
    assert works["fill"].volume_ml + works["fill-2"].volume_ml == 70.0  # type: ignore[union-attr]
    assert works["wait-2"] == Pause(48 * 3600.0)


def test_the_exchange_is_the_bench_s_own(shipped: Plan):
    work = shipped.nodes["maturation/exchange-in-the-reactor/1/exchange"].work
    assert work == Exchange("reactor", 72.0, 24.0, 3.0, 18.0, 1.0, "osteogenic medium", max_exposure_s=3600.0)
    occurrence = shipped.nodes["maturation/exchange-in-the-reactor/1"]
    assert occurrence.late is not None
    assert (occurrence.late.tolerance_s, occurrence.late.after, occurrence.min_interval_s) == (7200, "ask", 43200)


def test_the_acts_at_the_reactor_are_all_there(shipped: Plan):
    acts = [
        (act.act, act.volume_ml)
        for node in shipped.nodes.values()
        if isinstance(node.work, Hand)
        for act in node.work.acts
        if act.act not in ("door", "stir", "line_to_cup", "line_to_vessel") and not act.elsewhere
    ]
    assert acts == [
        ("renew", 250.0),
        ("pour", 20.0),
        *[("take", 1.0)] * 5,
        ("renew", 250.0),
        ("take", 1.0),
        ("harvest", 0.0),
    ]


@pytest.mark.parametrize("name", ["adsc-osteo-spheroid-28d", "spheroid-first-28d", "undifferentiated-control-28d"])
def test_a_reactor_that_is_not_clear_is_not_inoculated_before_a_supervisor_has_signed(name: str):
    plan = protocols.plan(protocols.load(name), START, "Asia/Tokyo")
    (gate,) = [node for node in plan.nodes.values() if node.kind == "choice" and "inoculate" in node.path]
    parent = plan.nodes[plan.parents[gate.path]]
    assert parent.children[0] is gate, "asked before the pouring"
    assert isinstance(work := gate.children[0].children[0].work, Hand)
    assert work.sign == "supervisor"
    assert gate.condition is not None
    assert truth(gate.condition, {"reactor clear": False}, {}) is True
    assert truth(gate.condition, {"reactor clear": True}, {}) is False
    assert truth(gate.condition, {}, {}) is None, "not looked at: a person is asked"
