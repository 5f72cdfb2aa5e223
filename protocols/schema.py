"""The JSON Schema of a protocol file, made from the forms: editors complete and explain keys by it.

Values are texts with units to osteon, so where a form has a number the schema takes any scalar, or a `{parameter}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from protocols.models import Document

COMMITTED = Path(__file__).parent / "protocol.schema.json"
VALUE: dict[str, Any] = {"x-value": True}
"""Stands for #/$defs/value until the schema is made: pydantic keeps the list of definitions itself."""
_REF = {"$ref": "#/$defs/value"}
DEFS: dict[str, Any] = {
    "value": {
        "description": "A text, or a quantity with its unit such as 18 mL, or a parameter such as {fill volume}.",
        "anyOf": [{"type": ["string", "number", "boolean"]}, {"$ref": "#/$defs/parameter"}],
    },
    "parameter": {
        "description": "{name}: the value of a parameter.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"type": "null"},
    },
}


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a protocol file."""
    made = Document.model_json_schema(schema_generator=_Written)
    made = cast("dict[str, Any]", _cleaned(made))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "osteon protocol",
        "$defs": {**DEFS, **made["$defs"]},
    }


def text() -> str:
    """The schema as the committed file has it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


class _Written(GenerateJsonSchema):
    """Forms as people write them."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return dict(VALUE)

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return dict(VALUE)

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return dict(VALUE)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return dict(VALUE)

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """A form that has short ways of writing takes a value too."""
        function = schema["function"]["function"]
        inner = self.generate_inner(schema["schema"])
        if getattr(function, "__name__", "") == "_remember" or inner == VALUE:
            return inner
        if "enum" in inner:  # a word that may be written otherwise: Monday for Mon
            return {"anyOf": [inner, {"type": "string"}]}
        return {"anyOf": [dict(VALUE), inner, *([_LIST] if "$ref" in inner else [])]}


_LIST = {"type": "array", "items": VALUE}
"""An entry may be a list of words."""


def _cleaned(made: object) -> object:
    """Without defaults, which are in our units, and titles, which are the names again; with references to values."""
    match made:
        case {"x-value": True}:
            said = cast("dict[str, object]", made).get("description")
            return {**_REF, **({} if said is None else {"description": said})}
        case dict():
            inside = _written_out(cast("dict[str, Any]", made))
            return {
                key: _each(value) if key in ("properties", "$defs") else _cleaned(value)
                for key, value in inside.items()
                if key not in ("default", "discriminator", "title")
            }
        case list():
            return [_cleaned(item) for item in cast("list[object]", made)]
        case _:
            return made


def _written_out(rule: dict[str, Any]) -> dict[str, Any]:
    """What may be left out is left out, not written as null."""
    ways: list[dict[str, Any]] = rule.get("anyOf", [])
    if len(ways) != 2 or ways[1] != {"type": "null"}:
        return rule
    return {**(dict(_REF) if ways[0] == VALUE else ways[0]), **{key: rule[key] for key in rule if key != "anyOf"}}


def _each(named: object) -> dict[str, object]:
    """Of a mapping whose keys are names of ours."""
    return {name: _cleaned(value) for name, value in cast("dict[str, object]", named).items()}
