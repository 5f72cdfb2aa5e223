"""The published JSON Schema: current, accepting what ships, refusing what an editor can know to be wrong."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from protocols import library, loading, schema

SCHEMA = schema.schema()
TYPES = {"string": str, "array": list, "object": dict, "null": type(None), "boolean": bool, "number": (int, float)}


def fits(rule: dict[str, Any], value: Any) -> bool:
    """Whether a value as an editor reads it fits the part of JSON Schema that ours uses."""
    if "$ref" in rule and not fits(SCHEMA["$defs"][rule["$ref"].removeprefix("#/$defs/")], value):
        return False
    kinds = rule.get("type", list(TYPES))
    if not isinstance(value, tuple(TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))):
        return False
    if ("enum" in rule and value not in rule["enum"]) or ("const" in rule and value != rule["const"]):
        return False
    if "anyOf" in rule and not any(fits(each, value) for each in rule["anyOf"]):
        return False
    if "oneOf" in rule and sum(fits(each, value) for each in rule["oneOf"]) != 1:
        return False
    if isinstance(value, list):
        if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", 10_000):
            return False
        return "items" not in rule or all(fits(rule["items"], each) for each in value)
    if isinstance(value, dict):
        known = rule.get("properties", {})
        more = rule.get("additionalProperties", {})
        if not rule.get("minProperties", 0) <= len(value) <= rule.get("maxProperties", 10_000):
            return False
        if any(name not in value for name in rule.get("required", ())) or (more is False and set(value) - set(known)):
            return False
        return all(fits(known.get(name, more or {}), each) for name, each in value.items())
    return True


class Editor(yaml.SafeLoader):
    """YAML 1.2, as editors read it: numbers are numbers, and of yes, no, on, true only the last is a truth."""


Editor.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if not tag.endswith(("bool", "timestamp"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Any:
    return yaml.load(text, Loader=Editor)


def test_the_committed_schema_is_the_one_of_the_forms():
    assert schema.COMMITTED.read_text("utf-8") == schema.text(), "make format writes it anew"


@pytest.mark.parametrize("name", library())
def test_every_protocol_that_ships_fits_the_schema(name: str):
    assert fits(SCHEMA, read(loading.shipped(name) or ""))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("status: rehearsal", "status: validated"),
        ("- set: {temperature", "- sett: {temperature"),
        ("kind: stirred", "kind: bucket"),
        ("species: rat", "animal: rat"),
        ("takes: 60 min", "takes: [60 min]"),
    ],
)
def test_what_an_editor_can_know_to_be_wrong_does_not_fit(old: str, new: str):
    text = loading.shipped("spheroid-first-28d") or ""
    assert old in text
    assert not fits(SCHEMA, read(text.replace(old, new)))
