"""The pages about the language: every example can be loaded, every word is in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import protocols
from protocols import schema, unwise
from tests.protocols.answering import START

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "protocol-file.md").read_text("utf-8")
HOW_TO = (DOCS / "how-to" / "write-a-protocol.md").read_text("utf-8")


def examples(page: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


HEAD, *PARTS = examples(REFERENCE)


def whole(part: str) -> str:
    """A part of the page under its header: stages as they are, steps in a stage."""
    if part.startswith("- stage"):
        return f"{HEAD}\nstages:\n{part}"
    return f"{HEAD}\nstages:\n  - stage: One\n    do:\n" + "".join(f"      {line}\n" for line in part.splitlines())


@pytest.mark.parametrize("part", ["- wait: 10 min\n", *PARTS])
def test_every_example_of_the_reference_loads_and_plans(part: str):
    for arm in ("differentiated", "undifferentiated"):
        assert protocols.plan(protocols.load(whole(part)), START, "UTC", {"arm": arm}).nodes


@pytest.mark.req("RM-03")
def test_every_word_of_the_language_is_in_the_reference():
    made = schema.schema()
    forms = [made, *made["$defs"].values()]
    words = {word for form in forms for word in form.get("properties", {})}
    words |= {
        str(word) for form in forms for spec in form.get("properties", {}).values() for word in spec.get("enum", ())
    }
    assert len(words) > 100
    assert sorted(word for word in words if not re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", REFERENCE)) == []


def test_the_protocol_of_the_how_to_is_in_order_and_lasts_three_days():
    (text,) = examples(HOW_TO)
    protocol = protocols.load(text)
    plan = protocols.plan(protocol, START, "UTC")
    assert max(node.due or 0.0 for node in plan.nodes.values()) - START < 3.5 * 86400
    assert not [each.reason for each in unwise.unwise(protocol)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("volume: 10 mL", "volume: 10", "has no unit, write for example '10 mL'"),
        ("of: medium, at: 5", "of: medum, at: 5", "no material is called 'medum' (did you mean 'medium'?)"),
        ("        at most: 30 min\n", "", "a fluid step needs a maximum duration (RM-07)"),
        ("- wait: {", "- wiat: {", "must say exactly one of: set, wait, "),
        ("        lots: [medium]", "       lots: [medium]", "not YAML: "),
    ],
)
def test_the_mistakes_of_the_how_to_are_told_as_it_says(old: str, new: str, says: str):
    (text,) = examples(HOW_TO)
    with pytest.raises(protocols.ProtocolInvalid) as caught:
        protocols.load(text.replace(old, new, 1))
    told = [str(fault) for fault in caught.value.faults]
    assert any(says in each for each in told), told
    assert all(re.match(r"protocol\.yaml:\d+:\d+: ", each) for each in told)
