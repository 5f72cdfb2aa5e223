"""What a hand step may ask for and say: entries of every kind, moves between vessels, who may do it."""

from __future__ import annotations

import pytest

import protocols
from protocols import ProtocolInvalid
from protocols.plan import Entry, Hand, Move
from protocols.records import as_json, from_json
from tests.protocols.answering import START

HEAD = """\
protocol: small
version: 1.0
title: Small
status: rehearsal
species: none
vessels:
  flasks: {kind: flask, count: 4, volume: 35 mL}
  plates: {kind: plate, wells: 60, volume: 150 uL}
  bank: {kind: flask, count: 10, volume: 1 mL}
materials:
  medium: {recipe: water, keeps: 7 d at 4 degC}
stages:
  - stage: One
    do:
      - hand: Detach, pool and seed
"""


def hand(*lines: str) -> Hand:
    protocol = protocols.load(HEAD + "".join(f"        {line}\n" for line in lines))
    made = protocols.plan(protocol, START, "UTC")
    assert from_json(as_json(made)) == made
    work = made.nodes["one/hand"].work
    assert isinstance(work, Hand)
    return work


def faults(*lines: str) -> str:
    with pytest.raises(ProtocolInvalid) as caught:
        hand(*lines)
    return "\n".join(map(str, caught.value.faults))


def test_an_entry_is_a_number_a_text_a_yes_a_photo_a_label_or_one_of_several_words():
    work = hand(
        "write down: {label: scan, view: photo, shape: [round, loose, none], who: text, ok: yes/no, slope: '%'}"
    )
    assert work.entries == (
        Entry("label", "scan"),
        Entry("view", "photo"),
        Entry("shape", "choice", options=("round", "loose", "none")),
        Entry("who", "text"),
        Entry("ok", "yes_no"),
        Entry("slope", "number", "%"),
    )


@pytest.mark.req("RM-10")
def test_a_scan_names_what_carries_the_label():
    work = hand("write down: {a: {scan: plates}, b: {scan: medium}, c: {scan: donor}}")
    assert [(each.kind, each.label, each.of, each.count) for each in work.entries] == [
        ("scan", "plate", "plates", 1), ("scan", "bottle", "medium", 0), ("scan", "donor", "", 0)
    ]  # fmt: skip
    assert "did you mean 'plates'" in faults("write down: {a: {scan: plate}}")
    assert "nothing with a label is called 'sample'" in faults("write down: {a: {scan: sample}}")
    assert "a scan has no kind" in faults("write down: {a: {scan: plates, unit: mL}}")


def test_a_choice_has_nothing_but_its_words():
    assert "one of several words has no kind" in faults("write down: {shape: {options: [round, loose], unit: '%'}}")


def test_one_word_is_no_choice():
    assert "write down.shape.options: at least 2 items must stand here" in faults("write down: {shape: [round]}")


def test_a_decision_reads_the_word_that_was_chosen():
    more = ["write down: {shape: [round, loose]}", "- if: shape is round", "  then: [{wait: 10 s}]"]
    text = HEAD + f"        {more[0]}\n" + "".join(f"      {line}\n" for line in more[1:])
    assert protocols.plan(protocols.load(text), START, "UTC").nodes["one/if"].condition is not None
    with pytest.raises(ProtocolInvalid, match="none of its words"):
        protocols.load(text.replace("is round", "is 'square'"))


def test_vessels_are_split_and_pooled_with_a_yield():
    work = hand(
        "moves:",
        "  - {move: cells, from: flasks, into: {plates: 75 %, bank: 20 %}, yield: 80 %, becomes: passage}",
        "  - {move: cells, from: [flasks, bank], into: [plates, flasks]}",
    )
    assert work.moves == (
        Move("cells", ("flasks",), ("plates", "bank"), (0.75, 0.2), 0.8, "passage"),
        Move("cells", ("flasks", "bank"), ("plates", "flasks"), (0.5, 0.5)),
    )


@pytest.mark.parametrize(
    ("move", "says"),
    [
        ("{move: cells, from: flask, into: plates}", "did you mean 'flasks'"),
        ("{move: cells, from: flasks, into: plate}", "did you mean 'plates'"),
        ("{move: cells, from: flasks, into: {plates: 75 %, bank: 50 %}}", "the shares are 125 % together"),
        ("{move: cells, from: flasks, into: {plates: 0 %}}", "more than 0 %"),
        ("{move: cells, from: [flasks, flasks], into: plates}", "a second vessel called 'flasks'"),
        (
            "{move: cells, from: flasks, into: plates, yield: 120 %}",
            "120 is more than 100, the most that is possible here",
        ),
        ("{move: cells, from: flasks, into: plates, becomes: batch}", "'spheroid batch'"),
        ("{move: cells, from: flasks, into: plates, yields: 80 %}", "did you mean 'yield'"),
        ("{move: cells, from: flasks, into: []}", "into"),
    ],
)
def test_what_is_wrong_with_a_move_is_said_in_words(move: str, says: str):
    assert says in faults(f"moves: [{move}]")


def test_a_machine_may_be_named_that_does_it_instead():
    assert hand("may be done by: liquid handler").actors == ("liquid handler",)
    assert hand("may be done by: [liquid handler, robot]").actors == ("liquid handler", "robot")
    assert hand("sign: two persons").sign == "two persons"
