"""A checked protocol and its parameter values; or every fault of the file at once, in words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from drivers.core.units import convert, parse_quantity
from protocols import checks
from protocols.faults import Fault, ProtocolInvalid, nearest
from protocols.models import Document
from protocols.quantities import number_range
from protocols.remainder import remainder
from protocols.source import Data, Loc, Source

_NAME = re.compile(r"\{([^{}]*)\}")
LATER = ("day",)
"""Names in braces that planning fills in, once for each occurrence."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol file that is in order; immutable (RM-05). `bound` gives it with other parameter values."""

    document: Document
    text: str = field(repr=False)
    source: Source = field(repr=False)
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    """The value of each parameter, as text with unit."""
    callees: dict[str, Protocol] = field(default_factory=dict[str, "Protocol"], repr=False)
    """The protocols it calls, by name."""

    @property
    def name(self) -> str:
        return self.document.protocol

    @property
    def version(self) -> str:
        return self.document.version

    @property
    def sha256(self) -> str:
        """Fingerprint of the exact text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """Vessel -> capabilities its unit must have; the protocol names no devices (RM-01)."""
        return {name: vessel.needs for name, vessel in self.document.vessels.items() if vessel.by_osteon}

    def bound(self, settings: Mapping[str, str]) -> Protocol:
        """The same protocol with these parameter values; raises ProtocolInvalid for unknown names or values."""
        if not settings:
            return self
        return replace(bind(self.text, self.source, settings), callees=self.callees)


def bind(text: str, source: Source, settings: Mapping[str, str]) -> Protocol:
    """Put parameter values into the text, validate it, check what no single field can know."""
    values = {name: str(spec["default"]) for name, spec in _forms(source.data, "parameters") if "default" in spec}
    faults = _settings(source, settings, values)
    values.update({name: value for name, value in settings.items() if name in values})
    words = {**values, **{name: name for name, _ in _forms(source.data, "vessels")}, **{n: f"{{{n}}}" for n in LATER}}
    data = {
        key: value if key == "parameters" else _filled(value, (key,), words, source, faults)
        for key, value in source.data.items()
    }
    forms: dict[int, list[str]] = {}
    try:
        document = Document.model_validate(data, context=forms)
    except ValidationError as error:
        details = error.errors(include_url=False)
        unknown = {fault.field for fault in faults}  # a name in braces that is nothing: its value cannot be right
        told = [(detail["type"], _fault(detail, source, data, forms)) for detail in details if not _follows(detail)]
        faults += [fault for kind, fault in told if not (kind == "value_error" and fault.field in unknown)]
        raise ProtocolInvalid([*faults, *_of_the_rest(data, source)]) from error
    faults += [source.fault(loc, reason, right) for loc, reason, right in checks.found(document)]
    if faults:
        raise ProtocolInvalid(faults)
    return Protocol(document, text, source, values)


def _of_the_rest(data: dict[str, Data], source: Source) -> list[Fault]:
    """Faults of what is in order by its form, where other parts are not."""

    def invalid(part: dict[str, Data]) -> list[Loc]:
        try:
            Document.model_validate(part, context={})
        except ValidationError as error:
            return [detail["loc"] for detail in error.errors(include_url=False) if not _follows(detail)]
        return []

    rest = remainder(data, invalid)
    if rest is None:
        return []
    found = checks.found(Document.model_validate(rest.data, context={}))
    faults = [(rest.place(loc), reason, right) for loc, reason, right in found]
    return [source.fault(loc, reason, right) for loc, reason, right in faults if not rest.follows(loc, reason)]


def _forms(data: dict[str, Data], key: str) -> list[tuple[str, dict[str, Data]]]:
    """The mappings under `key`, whatever else may be wrong with the file."""
    part = data.get(key)
    return [(name, spec) for name, spec in part.items() if isinstance(spec, dict)] if isinstance(part, dict) else []


def _settings(source: Source, settings: Mapping[str, str], values: dict[str, str]) -> list[Fault]:
    """What is wrong with values set from outside: unknown names, other dimension, out of range."""
    faults = [
        source.fault(("parameters",), f"no parameter {name!r} to set", nearest(name, values))
        for name in settings
        if name not in values
    ]
    for name, spec in _forms(source.data, "parameters"):
        value, limits, options = settings.get(name), spec.get("range"), spec.get("options")
        if value is None:
            continue
        if isinstance(options, list):
            words = [option for option in options if isinstance(option, str)]
            if value not in words:
                right = nearest(value, words)
                faults.append(source.fault(("parameters", name), f"{value!r} is none of its options", right))
        elif reason := outside(value, values.get(name, value), limits if isinstance(limits, str) else None):
            faults.append(source.fault(("parameters", name), reason))
    return faults


def outside(value: str, default: str, limits: str | None) -> str:
    """Why `value` cannot stand for a parameter with this default and range; "" when it can."""
    try:
        number, unit = parse_quantity(value)
        convert(number, unit, parse_quantity(default)[1])
        if limits is not None:
            span = number_range(limits)
            if not span.low <= convert(number, unit, span.unit) <= span.high:
                return f"{value} is outside {limits}"
    except ValueError as error:
        return f"{value}: {error}"
    return ""


def _filled(value: Data, loc: Loc, words: Mapping[str, str], source: Source, faults: list[Fault]) -> Data:
    """`value` with every {name} replaced; names that nothing has become faults."""
    match value:
        case str() if "{" in value:

            def word(match: re.Match[str]) -> str:
                name = match[1].strip()
                if name not in words:
                    right = nearest(name, words)
                    faults.append(source.fault(loc, f"no parameter or vessel is called {name!r}", right))
                return words.get(name, name)

            return _NAME.sub(word, value)
        case list():
            return [_filled(item, (*loc, i), words, source, faults) for i, item in enumerate(value)]
        case dict():
            return {key: _filled(item, (*loc, key), words, source, faults) for key, item in value.items()}
        case _:
            return value


def _fault(detail: ErrorDetails, source: Source, data: dict[str, Data], forms: dict[int, list[str]]) -> Fault:
    """One complaint of the validation as a fault of the file, in our words."""
    loc = tuple(part for part in detail["loc"] if not (isinstance(part, str) and part.startswith("<")))
    where = str(loc[-1]) if loc else ""
    match detail["type"]:
        case "extra_forbidden":
            right = nearest(where, forms.get(id(_at(data, loc[:-1])), []))
            return source.fault(loc, f"nothing is called {where!r} here", right, at_key=True)
        case "missing":
            return source.fault(loc, "is missing", _like(loc))
        case "value_error" | "which":
            reason = detail["msg"].removeprefix("Value error, ")
            right = _nearest_form(detail) if detail["type"] == "which" else ""
            return source.fault(loc, reason, right)
        case "literal_error":
            expected = str(detail.get("ctx", {}).get("expected", ""))
            right = f"one of {expected}" if " or " in expected else f"only {expected}"
            return source.fault(loc, f"{detail['input']!r} is not possible here", right)
        case _ if detail["input"] is None:
            return source.fault(loc, "is empty")
        case "model_type" | "dict_type":
            return source.fault(loc, "a mapping with keys is expected here")
        case "tuple_type":
            return source.fault(loc, "a list is expected here", "write [one, two] or a line with - for each")
        case _:
            return source.fault(loc, _in_our_words(detail))


EXAMPLES = {
    "to level": "to level: 72 mL", "at": "at: 1 mL/min", "volume": "volume: 18 mL",
    "of": "of: medium", "interval": "interval: 24 h", "from": "from: day 1 09:00", "due": "due: 7 d",
    "status": "status: rehearsal", "version": 'version: "1"',
}  # fmt: skip
"""What a key that is missing may look like."""
BOUNDS = {"withdraw": "at most: 24 mL", "repeat": "at most: 3 rounds"}
"""What `at most` bounds, by what it stands in."""


def _like(loc: Loc) -> str:
    """An example of the key that is missing at the end of `loc`; "" when we have none."""
    key, inside = str(loc[-1]) if loc else "", str(loc[-2]) if len(loc) > 1 else ""
    example = BOUNDS.get(inside, "") if key == "at most" else EXAMPLES.get(key, "")
    return f"for example {example}" if example else ""


def _plain(value: object) -> object:
    """100 for 100.0; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_our_words(detail: ErrorDetails) -> str:
    """What the validation says of numbers, texts and lists, as the other messages say it."""
    given = _plain(cast("object", detail["input"]))
    bound = {name: _plain(value) for name, value in detail.get("ctx", {}).items()}
    match detail["type"]:
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{given!r} is no whole number, write for example 6"
        case "float_parsing" | "float_type":
            return f"{given!r} is no number"
        case "less_than_equal":
            return f"{given} is more than {bound.get('le')}, the most that is possible here"
        case "greater_than_equal":
            return f"{given} is less than {bound.get('ge')}, the least that is possible here"
        case "less_than":
            return f"{given} must be less than {bound.get('lt')}"
        case "greater_than":
            return f"{given} must be more than {bound.get('gt')}"
        case "string_too_short":
            return "a text is expected here, and it is empty"
        case "string_too_long":
            return f"longer than {bound.get('max_length')} characters"
        case "string_type":
            return f"{given!r} is no text; put it in quotes"
        case "too_short":
            least = bound.get("min_length")
            return f"at least {least} item{'' if least == 1 else 's'} must stand here"
        case "too_long":
            return f"at most {bound.get('max_length')} items may stand here"
        case _:
            return detail["msg"]


def _follows(detail: ErrorDetails) -> bool:
    """Whether a complaint only follows from others: a list "too short" because its items are wrong."""
    given = cast("object", detail["input"])
    if detail["type"] != "too_short" or not isinstance(given, list):
        return False
    return len(cast("list[object]", given)) >= int(detail.get("ctx", {}).get("min_length", 0))


def _nearest_form(detail: ErrorDetails) -> str:
    """For a step that begins with no known word: the nearest one."""
    given = cast("object", detail["input"])
    if not isinstance(given, dict):
        return ""
    names = detail["msg"].partition(": ")[2].split(", ")
    keys = [str(key) for key in cast("dict[object, object]", given)]
    guesses = [guess for key in keys if (guess := nearest(key, names)).startswith("did you mean")]
    return guesses[0] if guesses else ""


def _at(data: Data, loc: Loc) -> Data:
    """What stands at `loc` of the data; None where nothing does."""
    for part in loc:
        match data:
            case dict() if isinstance(part, str):
                data = data.get(part)
            case list() if isinstance(part, int):
                data = data[part]
            case _:
                return None
    return data
