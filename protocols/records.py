"""Plans, runs, events and effects as JSON and back: what the ledger stores and old ledgers must still read.

`as_json` gives a plain dict, compact: values equal to a field's default are left out. `v` is the version of this
format, `t` names the class where more than one could stand. New fields need a default; then old records stay readable.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from protocols import effects, events
from protocols.expressions.tree import Expression
from protocols.plan import Plan, Work
from protocols.run import Run

VERSION = 1
"""Of the records this program writes."""
ACCEPTED = frozenset({1})
"""Versions it carries on; a record of another is refused, never guessed at (DX-04)."""

Record = Plan | Run | events.Event | effects.Effect
Json = dict[str, Any]

_TAGGED: dict[str, type] = {
    cls.__name__: cls
    for cls in (Plan, Run, *get_args(events.Event), *get_args(effects.Effect), *get_args(Work), *get_args(Expression))
}


class UnknownRecord(Exception):
    """A record of a version or kind that this program does not know."""


def as_json(record: Record) -> Json:
    """The record as a dict of JSON values; equal records give equal dicts."""
    return {"v": VERSION, **_encode_class(record)}


def from_json(data: Json) -> Record:
    """The record back again; raises UnknownRecord when `v`, `t` or a field is not known here."""
    if data.get("v") not in ACCEPTED:
        known = ", ".join(str(version) for version in sorted(ACCEPTED))
        raise UnknownRecord(f"a record of journal version {data.get('v')!r}; this program carries on version {known}")
    return cast(Record, _decode_tagged({key: value for key, value in data.items() if key != "v"}))


def _encode(value: Any) -> Any:
    match value:
        case StrEnum():
            return str(value)
        case float() if not math.isfinite(value):
            return str(value)  # "above 90 %" has no upper end, and JSON no infinity
        case tuple():
            return [_encode(item) for item in cast("tuple[Any, ...]", value)]
        case dict():
            return {key: _encode(item) for key, item in cast("dict[str, Any]", value).items()}
        case _ if dataclasses.is_dataclass(value):
            return _encode_class(value)
        case _:
            return value


def _encode_class(value: Any) -> Json:
    cls = cast("type[Any]", type(value))
    coded: Json = {"t": cls.__name__} if cls.__name__ in _TAGGED else {}
    for name, default in _fields(cls):
        item = getattr(value, name)
        if default is dataclasses.MISSING or item != default:
            coded[name] = _encode(item)
    return coded


@functools.cache
def _fields(cls: type) -> tuple[tuple[str, Any], ...]:
    """(name, default) of the fields a constructor takes; MISSING where there is none."""
    return tuple(
        (f.name, f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default)
        for f in dataclasses.fields(cls)
        if f.init
    )


def _decode_tagged(data: Json) -> Any:
    cls = _TAGGED.get(str(data.get("t")))
    if cls is None:
        raise UnknownRecord(f"a record of unknown kind {data.get('t')!r}")
    return _decode_class(cls, data)


def _decode_class(cls: type, data: Json) -> Any:
    decoders = _decoders(cls)
    data = {key: value for key, value in data.items() if key != "t"}
    unknown = data.keys() - decoders.keys()
    if unknown:
        raise UnknownRecord(f"a record {cls.__name__} with unknown field {min(unknown)!r}")
    return cls(**{name: decoders[name](value) for name, value in data.items()})


@functools.cache
def _decoders(cls: type) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(cls)
    return {name: _decoder(hints[name]) for name, _ in _fields(cls)}


def _decoder(hint: Any) -> Callable[[Any], Any]:
    """How to read a value of this type; plain JSON values are taken as they are."""
    args = get_args(hint)
    match get_origin(hint):
        case origin if origin is tuple:
            inner = _decoder(args[0])
            return lambda value: tuple(inner(item) for item in value)
        case origin if origin is dict:
            inner = _decoder(args[1])
            return lambda value: {key: inner(item) for key, item in value.items()}
        case origin if origin is types.UnionType:
            return _union(args)
        case origin if origin is Literal:
            return _as_is
        case _ if hint is float:
            return float
        case _ if dataclasses.is_dataclass(hint):
            return functools.partial(_decode_class, cast(type, hint))
        case _ if isinstance(hint, type) and issubclass(hint, StrEnum):
            return hint
        case _:
            return _as_is


def _union(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    """A union is X | None, plain values, or classes told apart by their tag."""
    some = [arg for arg in args if arg is not types.NoneType]
    if len(some) == 1:
        inner = _decoder(some[0])
        return lambda value: None if value is None else inner(value)
    if not all(dataclasses.is_dataclass(arg) for arg in some):
        return _as_is
    return _decode_tagged


def _as_is(value: Any) -> Any:
    return value
