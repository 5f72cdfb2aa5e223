"""The protocols that ship load, plan anywhere, and say what they are."""

from __future__ import annotations

import pytest

import protocols
from drivers.catalogue import MODELS
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
    plan = protocols.plan(protocol, START, "Europe/Berlin", {"fill volume": "17 mL"})
    assert (plan.protocol, plan.version) == (name, protocol.version)
    assert plan.parameters["fill volume"] == "17 mL"
    assert protocol.parameters["fill volume"] == "18 mL"
    with pytest.raises(AttributeError):
        plan.version = "2"  # type: ignore[misc]


def test_every_parameter_has_a_source(shipped: Plan):
    document = protocols.load(shipped.protocol).document
    assert all(parameter.source[0] in "RCMA" for parameter in document.parameters.values())
    assert shipped.parameters.keys() == document.parameters.keys()


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
