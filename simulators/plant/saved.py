"""States of arrays as JSON-able data and back, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Dataclasses as mappings, arrays as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value.tolist() if isinstance(value, np.ndarray) else value


def rebuilt(kind: type[T], saved: Mapping[str, Any]) -> T:
    """The state that `plain` took apart."""
    return kind(**{name: _value(hint, saved[name]) for name, hint in _hints(kind).items()})


def _value(hint: Any, value: Any) -> Any:
    if is_dataclass(hint):
        return rebuilt(cast("type[Any]", hint), value)
    return np.asarray(value, dtype=np.float64) if get_origin(hint) is np.ndarray else value


@lru_cache(maxsize=32)
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
