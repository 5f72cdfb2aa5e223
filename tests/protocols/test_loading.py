"""A protocol file is right, or every fault of it is named with line, column, field, reason and what would be right."""

from __future__ import annotations

import pytest

import protocols
from protocols import ProtocolInvalid
from protocols.loading import MAX_BYTES, read
from protocols.plan import SetEnvironment, SetPoint
from tests.protocols.answering import COMPRESSED

HEADER = """\
protocol: small
version: 1.0
title: Small
status: rehearsal
species: none
vessels:
  reactor: {kind: stirred, needs: [temperature, medium in, medium out]}
  flasks: {kind: flask, count: 6}
materials:
  medium: {recipe: water, keeps: no}
parameters:
  fill volume: {default: 18 mL, range: 5..20 mL, source: A}
"""
STAGES = "stages:\n  - stage: One\n    do:\n"


def load(*steps: str, header: str = HEADER, stages: str = STAGES) -> protocols.Protocol:
    return protocols.load(header + stages + "".join(f"      - {step}\n" for step in steps), name="small.yaml")


def faults(*args: str, **texts: str) -> list[str]:
    with pytest.raises(ProtocolInvalid) as caught:
        load(*args, **texts)
    return [str(fault) for fault in caught.value.faults]


def operation(text: str) -> str:
    return "stages:\n  - stage: One\n    operations:\n      - operation: Op\n" + "".join(
        f"        {line}\n" for line in text.splitlines()
    )


def test_texts_stay_texts_so_no_and_1_0_mean_what_was_written():
    protocol = load("hand: Look")
    assert protocol.version == "1.0"
    assert protocol.document.materials["medium"].keeps == "no"


def test_a_protocol_names_capabilities_and_no_devices():
    assert load("hand: Look").needs == {"reactor": ("temperature", "medium in", "medium out")}


@pytest.mark.req("RM-03")
@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("set: {stirring: 60 mL}", "(write it in rpm)"),
        ("{sample: S, from: reactor, take: 1 mL, due: 7}", "7 has no unit, write for example '7 h'"),
        ("withdraw: {from: reactor, to level: 72 mL}", "withdraw.at: is missing (for example at: 1 mL/min)"),
        (
            "exchange: {in: reactor, withdraw: {to level: 72 mL, at: 1 mL/min},"
            " then add: {volume: 18 mL, of: medium, at: 1 mL/min}}",
            "withdraw.at most: is missing (for example at most: 24 mL)",
        ),
        ("repeat: {do: [{wait: 1 h}]}", "repeat.at most: is missing (for example at most: 3 rounds)"),
        ("repeat: {do: [{wait: 1 h}], at most: 2000}", "2000 is more than 1000, the most that is possible here"),
        ("hand: ''", "a text is expected here, and it is empty"),
    ],
)
def test_a_message_says_what_would_be_right(step: str, says: str):
    found = faults(step)
    assert any(says in fault for fault in found), found


def test_the_words_of_the_validation_library_reach_nobody():
    header = HEADER.replace("count: 6", "count: six") + "day 0: Montag\n"
    stages = operation("every: {interval: 1 d, from: day 1, times: 0}\ndo: [{hand: x}]")
    found = faults(header=header, stages=stages)
    assert len(found) == 3
    assert "flasks.count: 'six' is no whole number, write for example 6" in found[0]
    assert "day 0: 'Montag' is not possible here (one of 'Mon', " in found[1]
    assert "times: 0 is less than 1, the least that is possible here" in found[2]


def test_a_name_in_braces_that_is_nothing_is_one_fault():
    (found,) = faults("{fill: {into: reactor, volume: {fil volume}, of: medium, at: 1 mL/min}, at most: 1 h}")
    assert "no parameter or vessel is called 'fil volume' (did you mean 'fill volume'?)" in found


@pytest.mark.req("RM-02", "RM-05")
@pytest.mark.req("SEC-13")
@pytest.mark.parametrize("text", ["x" * 5000, "a\0b", "[" * 5000])
def test_a_text_that_names_no_file_is_a_fault_in_words(text: str):
    with pytest.raises(ProtocolInvalid):
        protocols.load(text)


def test_a_loaded_protocol_cannot_be_changed_and_has_a_fingerprint():
    protocol = load("hand: Look")
    with pytest.raises(AttributeError):
        protocol.text = "other"  # type: ignore[misc]
    assert len(protocol.sha256) == 64
    assert protocol.sha256 != load("hand: Look twice").sha256


def test_every_fault_is_reported_at_once_with_line_and_column():
    found = faults(
        "set: {temprature: 37.0 degC}",
        "wait: 10 mL",
        "fill: {into: reactr, volume: 18 mL, of: medium, at: 1 mL/min}",
        "hnad: Look",
    )
    assert found == [
        "small.yaml:16:15: stages[1].do[1].set.temprature: nothing is called 'temprature' here "
        "(did you mean 'temperature'?)",
        "small.yaml:17:15: stages[1].do[2].wait.for: mL measures volume, s measures time (write it in h)",
        "small.yaml:18:9: stages[1].do[3]: a fluid step needs a maximum duration (RM-07) "
        "(on a line of its own: 'at most: 2 h')",
        "small.yaml:18:22: stages[1].do[3].fill.into: no vessel is called 'reactr' (did you mean 'reactor'?)",
        "small.yaml:19:9: stages[1].do[4]: must say exactly one of: set, wait, exchange, dose, fill, "
        "withdraw, prime, rinse, perfuse, recirculate, hand, sample, if, repeat, together, call (did you mean 'hand'?)",
    ]
    nothing_false = ["set: {temperature: 37 mL}", "wait: {until: temperature within 0.2 K, for: 1 min, at most: 1 h}"]
    assert len(faults(*nothing_false)) == 1  # the wait is not told that its set point is missing
    assert len(faults("fill: {into: reactr, volume: 18 mL, of: mediun, at: 1 mL/min}")) == 3  # vessel, medium, RM-07


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("set: {temperature: 37.0}", "has no unit"),
        ("set: {temperature: 37 mL}", "measures volume"),
        ("set: {temperature: warm}", "not a number with a unit"),
        ("set: {temperature: }", "is expected here"),
        ("set: {}", "sets nothing"),
        ("wait: {until: temperature within 0.2 K of 37 degC, for: 1 min}", "needs a limit (RM-07)"),
        ("wait: {until: temperature within 0.2 K, for: 1 min, at most: 1 h}", "no set point before"),
        ("wait: {until: temperture above 3 degC, for: 1 min, at most: 1 h}", "did you mean 'temperature'?"),
        ("wait: {until: hot, for: 1 min, at most: 1 h}", "is no condition"),
        ("wait: 0 s", "must be more than 0"),
        ("wait: [1, 2]", "a mapping with keys is expected"),
        ("wait: {at most: 1 h}", "is missing"),
        ("fill: {into: reactor, volume: 1 mL, of: medium, at: 1 mL/min}", "needs a maximum duration (RM-07)"),
        ("prime: {volume: 1 mL, of: wine, at: 1 mL/min}", "no material is called 'wine' (known: medium)"),
        ("prime: {volume: {fil volume}, of: medium, at: 1 mL/min}", "(did you mean 'fill volume'?)"),
        ("fill: {into: flasks, volume: 1 mL, of: medium, at: 1 mL/min}", "does not name what this step needs"),
        ("hand: Look\n        sign: boss", "'boss' is not possible here (one of 'operator', 'supervisor' or"),
        ("hand: Look\n        acts: [{poor: 1 mL}]", "must say exactly one of: pour, take"),
        ("hand: Look\n        acts: [{pour: 1 mL, into: sink, of: x}]", "no vessel is called 'sink'"),
        ("hand: Look\n        acts: [{take: 1 mL, from: sink}]", "no vessel is called 'sink'"),
        ("hand: Look\n        acts: [{stir: 9 rpm, in: sink}]", "no vessel is called 'sink'"),
        ("hand: Look\n        acts: [{harvest: sink}]", "no vessel is called 'sink'"),
        ("hand: Look\n        acts: [{renew: 1 mL, of: wine}]", "no material is called 'wine'"),
        ("hand: Look\n        acts: pour", "a list is expected here"),
        ("hand: Look\n        lots: [wine]", "no material is called 'wine'"),
        ("hand: Look\n        write down: {a: {limits: 5..3}}", "the lower end comes first"),
        ("hand: Look\n        write down: {a: {limits: many}}", "is not a range"),
        ("hand: Look\n        write down: {a: a unit that is far too long to be one}", "is no unit known here"),
        ("hand: ''", "and it is empty"),
        ("sample: S\n        from: reactor\n        take: some\n        results: {}\n        due: 1 d", "not a number"),
        ("sample: S\n        from: sink\n        take: 1 mL\n        results: {}\n        due: 1 d", "no vessel"),
        ("Look", "must say exactly one of"),
    ],
)
def test_what_is_wrong_with_a_step_is_said_in_words(step: str, says: str):
    found = faults(step)
    assert any(says in fault for fault in found), found
    assert all(fault.startswith("small.yaml:1") for fault in found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("at: noon\ndo: [{hand: Look}]", "is no time of a protocol"),
        ("at: day 3 25:00\ndo: [{hand: Look}]", "is no time of day"),
        ("days: 1..3\ndo: [{hand: Look}]", "days need a time of day"),
        ("days: [1, 2]\nat: day 3\ndo: [{hand: Look}]", "is no time of day"),
        ("days: 1..x\nat: 10:00\ndo: [{hand: Look}]", "is not a range"),
        ("on: [Mon]\nat: 10:00\ndo: [{hand: Look}]", "need the culture days they cover"),
        ("on: [Moonday]\ndays: 1..3\nat: 10:00\ndo: [{hand: Look}]", "'Moonday' is not possible here"),
        ("every: {interval: 24 h, from: day 1 09:00}\ndo: [{hand: Look}]", "exactly one of until, times"),
        ("every: {interval: 24 h, from: day 1 09:00, times: 2}\nat: day 3\ndo: [{hand: Look}]", "its time twice"),
        (
            "every: {interval: 24 h, from: day 1, times: 2}\nif later: skip\ndo: [{hand: Look}]",
            "'if later' has no effect",
        ),
        ("every: {interval: 24 h, from: then, times: 2}\ndo: [{hand: Look}]", "is no time of a protocol"),
        ("every: {interval: 1 d, from: start, times: 2, window: wide}\ndo: [{hand: Look}]", "not a number with a unit"),
        (
            "every: {interval: 24 h, from: day 2 09:00, until: day 1 09:00}\ndo: [{hand: Look}]",
            "lies before 'from': it would never happen",
        ),
        (
            "every: {interval: 24 h, from: day 1, times: 2, never closer than: 30 h}\ndo: [{hand: Look}]",
            "longer than the interval (24 h)",
        ),
        ("at: day 3 09:00\nwindow: ±2 h\nlate by at most: 1 h\ndo: [{hand: Look}]", "shorter than the window (±2 h)"),
        ("do: []", "at least 1 item must stand here"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said_in_words(text: str, says: str):
    found = faults(stages=operation(text))
    assert any(says in fault for fault in found), found


FILL = "do: [{fill: {into: reactor, volume: 1 mL, of: medium, at: 1 mL/min}, at most: 10 min}]"


@pytest.mark.req("RM-07")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("at: day 3 09:00\n" + FILL, "need a window (late rule)"),
        ("at: day 3 09:00\nwindow: same working day\n" + FILL, "is for hand steps"),
        ("every: {interval: 1 d, from: day 1 09:00, times: 2}\n" + FILL, "need 'never closer than'"),
    ],
)
def test_fluid_steps_have_a_late_rule_and_a_least_interval(text: str, says: str):
    assert any(says in fault for fault in faults(stages=operation(text)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stages:\n  - stage: One\n", "exactly one of: do, operations, together"),
        ("stages:\n  - stage: One\n    do: [{hand: x}]\n  - stage: one\n    do: [{hand: x}]\n", "a second stage"),
        (
            "stages:\n  - stage: One\n    at: day 1\n    together: [{operation: A, do: [{hand: x}]}]\n",
            "no time of its own",
        ),
        (
            "stages:\n  - stage: One\n    together:\n"
            "      - {operation: A, do: [{hand: x}]}\n      - {operation: A, do: [{hand: x}]}\n",
            "a second operation",
        ),
        ("stages: []\n", "at least 1 item must stand here"),
        ("stages:\n", "is empty"),
        ("", "stages: is missing"),
    ],
)
def test_what_is_wrong_with_stages_is_said_in_words(text: str, says: str):
    found = faults(stages=text)
    assert any(says in fault for fault in found), found


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("status: rehearsal", "status: validated", "'validated' is not possible here (only 'rehearsal')"),
        ("protocol: small", "protocol: no spaces", "a name has letters, digits and - only"),
        ("default: 18 mL", "default: 25 mL", "25 mL is outside its own range (5..20 mL)"),
        ("default: 18 mL", "default: much", "not a number with a unit"),
        ("5..20 mL", "5..20 degC", "Cel does not fit 18 mL"),
        ("source: A}", "sauce: A}", "(did you mean 'source'?)"),
        ("temperature, medium", "temprature, medium", "no capability is called 'temprature'"),
        ("kind: flask", "kind: bucket", "'bucket' is not possible here"),
        ("count: 6", "count: six", "no whole number"),
    ],
)
def test_what_is_wrong_with_the_header_is_said_in_words(old: str, new: str, says: str):
    found = faults("hand: Look", header=HEADER.replace(old, new))
    assert any(says in fault for fault in found), found


# Parameters


def test_parameters_stand_in_quantities_and_texts_and_can_be_set():
    protocol = load(
        "hand: Pour {fill volume} into {flasks}",
        "prime: {volume: {fill volume}, of: medium, at: 1 mL/min}\n        at most: 1 h",
    )
    assert protocol.document.stages[0].do[0].hand == "Pour 18 mL into flasks"
    bound = protocol.bound({"fill volume": "12000 uL"})
    assert bound.document.stages[0].do[1].prime.volume == pytest.approx(12.0)
    assert bound.parameters == {"fill volume": "12000 uL"}
    assert protocol.bound({}) is protocol
    assert bound.sha256 == protocol.sha256


def test_every_fluid_verb_is_bounded_and_says_what_it_lacks():
    ends = "\n        at most: 1 h"
    found = faults(
        "withdraw: {from: reactor, at: 1 mL/min}" + ends,
        "withdraw: {from: reactor, to level: 72 mL, at: 1 mL/min}" + ends,
        "withdraw: {from: reactor, volume: 5 mL, at: 1 mL/min}",
        "recirculate: {in: flasks, at: 1 mL/min}",
    )
    found += faults(
        "rinse: {volume: 1 mL, of: medium, at: 1 mL/min, times: 30}" + ends,
        "dose: {into: reactor, volume: 5 mL, of: medium, at: 1 mL/min, split: {into: 1, every: 1 h}}" + ends,
        "perfuse: {in: reactor, at: 0 mL/min}",
    )
    says = "\n".join(found)
    for words in (
        "withdraws a volume or to a level: give one of them",
        "'to level' and 'at most' go together",
        "a fluid step needs a maximum duration",
        "rinse.times",
        "dose.split.into",
        "0 mL/min must be more than 0",
        "flasks does not name what this step needs: perfusion",
    ):
        assert words in says, found


def test_a_loop_is_turned_by_a_set_point_and_is_no_dose():
    header = HEADER.replace("medium out]", "medium out, perfusion]")
    plan = protocols.plan(load("perfuse: {in: reactor, at: 0.2 mL/min}", header=header), 0.0, "UTC")
    assert plan.nodes["one/perfuse"].work == SetEnvironment((SetPoint("perfusion", 0.2, "mL/min"),))
    assert plan.nodes["one/perfuse"].title == "Perfuse reactor at 0.2 mL/min"


ARMS = HEADER.replace(
    "parameters:\n",
    "parameters:\n  arm: {default: differentiated, options: [differentiated, undifferentiated], source: A}\n",
)


def test_a_parameter_may_be_a_word_of_its_options():
    protocol = load("hand: Feed the {arm} arm", header=ARMS)
    assert protocol.bound({"arm": "undifferentiated"}).document.stages[0].do[0].hand == "Feed the undifferentiated arm"
    with pytest.raises(ProtocolInvalid, match=r"'undifferentiatd' is none of its options .did you mean 'undiff"):
        protocol.bound({"arm": "undifferentiatd"})
    (fault,) = faults("hand: Look", header=ARMS.replace("default: differentiated", "default: both"))
    assert "parameters.arm.default: 'both' is none of its options" in fault
    (fault,) = faults("hand: Look", header=ARMS.replace("arm: {", "arm: {range: 1..2, "))
    assert "a range or options, not both" in fault


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"fill volume": "25 mL"}, "25 mL is outside 5..20 mL"),
        ({"fill volume": "18 degC"}, "Cel measures temperature, mL measures volume"),
        ({"fill volume": "much"}, "not a number with a unit"),
        ({"fil volume": "18 mL"}, "no parameter 'fil volume' to set (did you mean 'fill volume'?)"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(settings: dict[str, str], says: str):
    with pytest.raises(ProtocolInvalid) as caught:
        load("hand: Look").bound(settings)
    assert says in str(caught.value)


# YAML


@pytest.mark.req("SEC-13")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\nb: *x\n", "y.yaml:2:4: aliases (*name) are not used"),
        ("a: 1\nb: 2\na: 3\n", "y.yaml:3:1: a: stands twice (first on line 1)"),
        ("a: !!python/object:os.system 1\n", "tags (tag:yaml.org,2002:python/object:os.system) are not used"),
        ("a: !!map {b: 1}\n", "tags ("),
        ("a: [1\n", "not YAML: "),
        ("a:\n  - b: 1\n - c: 2\n", "look at the indentation"),
        ("a:\n\t- b\n", "indent with spaces"),
        ("a: b: c\n", "needs quotes"),
        ("a: \x00\n", "not YAML: "),
        ("- a\n- b\n", "not a protocol (begin with 'protocol: name')"),
        ("? [a]\n: b\n", "a key must be a text"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", "nested deeper than 16 levels"),
        ("a: " + "x" * MAX_BYTES + "\n", "larger than 256 KiB"),
    ],
)
def test_yaml_that_is_no_plain_tree_of_texts_is_refused(text: str, says: str):
    with pytest.raises(ProtocolInvalid) as caught:
        read(text, "y.yaml")
    assert says in str(caught.value)


def test_a_parameter_in_braces_needs_no_quotes():
    assert read("a: {fill volume}\nb: {x: 1}\nc: {}\n", "y").data == {"a": "{fill volume}", "b": {"x": "1"}, "c": {}}


# Files


def test_a_path_a_text_and_a_shipped_name_can_be_loaded(tmp_path):
    assert protocols.load(COMPRESSED).name == "compressed"
    assert protocols.load(str(COMPRESSED)).source.file == str(COMPRESSED)
    assert protocols.load("adsc-osteo-spheroid-28d").name in protocols.library()
    assert protocols.load("adsc-osteo-spheroid-28d.yaml").source.file == "adsc-osteo-spheroid-28d.yaml"


def test_a_file_that_is_not_there_names_the_nearest_that_ships(tmp_path):
    with pytest.raises(ProtocolInvalid, match="did you mean 'adsc-osteo-spheroid-28d'"):
        protocols.load(tmp_path / "adsc-osteo-spheroid-28.yaml")
    (tmp_path / "x.yaml").write_bytes(b"protocol: \xff\n")
    with pytest.raises(ProtocolInvalid, match="not UTF-8"):
        protocols.load(tmp_path / "x.yaml")
