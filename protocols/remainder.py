"""What is left of a file once everything its form refuses is taken out: so that one reading finds every fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

Loc = tuple[str | int, ...]
ROUNDS = 6
"""Taking out a part may leave its surroundings incomplete; deeper than this the file is not worth guessing about."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """`data` without the parts at `removed`, places of the whole file.

    `stand_ins` by key take the place of what a part cannot be without.
    """

    whole: dict[str, Any]
    stand_ins: Mapping[str, Any]
    removed: frozenset[Loc] = frozenset()

    @property
    def data(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self._copy(self.whole, ()))

    def place(self, loc: Loc) -> Loc:
        """A place of `data` as a place of the whole file: there the removed items count."""
        value: Any = self.whole
        found: Loc = ()
        for part in loc:
            if isinstance(part, int) and isinstance(value, list):
                kept = [key for key, _ in self._kept(value, found)]
                part = kept[part] if part < len(kept) else part
            found, value = (*found, part), _inside(value, part)
        return found

    def follows(self, loc: Loc, reason: str) -> bool:
        """Whether a fault at `loc` of the whole file may only come from what was removed: around, in it, or named."""
        if any(loc[: len(gone)] == gone or gone[: len(loc)] == loc for gone in self.removed):
            return True
        words = set(_words(reason))
        return any(not words.isdisjoint(_names(self.whole, gone)) for gone in self.removed)

    def _copy(self, value: Any, loc: Loc) -> Any:
        if isinstance(value, dict):
            gone = {key: stands for key, stands in self.stand_ins.items() if (*loc, key) in self.removed}
            return {key: self._copy(item, (*loc, key)) for key, item in self._kept(value, loc)} | gone
        if isinstance(value, list):
            return [self._copy(item, (*loc, key)) for key, item in self._kept(value, loc)]
        return value

    def _kept(self, value: Any, loc: Loc) -> Iterator[tuple[str | int, Any]]:
        return ((key, item) for key, item in _items(value) if (*loc, key) not in self.removed)


def remainder(
    whole: dict[str, Any], invalid: Callable[[dict[str, Any]], list[Loc]], stand_ins: Mapping[str, Any] | None = None
) -> Remainder | None:
    """The largest part that `invalid` has no complaint about; None when nothing stands without what is wrong."""
    rest = Remainder(whole, stand_ins or {})
    for _ in range(ROUNDS):
        wrong = [rest.place(loc) for loc in invalid(rest.data)]
        places = {loc if loc[-1:] and loc[-1] in rest.stand_ins else _existing(whole, loc) for loc in wrong}
        if not places:
            return rest
        if () in places or places <= rest.removed:
            return None
        rest = Remainder(whole, rest.stand_ins, rest.removed | places)
    return None


def _existing(whole: Any, loc: Loc) -> Loc:
    """The parts of a place that lead somewhere: what is missing is a fault of what it is missing from."""
    found: Loc = ()
    for part in loc:
        if part in (inside := dict(_items(whole))):
            found, whole = (*found, part), inside[part]
    return found


def _inside(value: Any, part: str | int) -> Any:
    return dict(_items(value)).get(part)


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        yield from enumerate(cast("list[Any]", value))


def _names(value: Any, gone: Loc) -> Iterator[str]:
    """Words that stand in a removed part, its own name among them: others may speak of it."""
    for part in gone:
        value = _inside(value, part)
    if isinstance(gone[-1], str):
        yield gone[-1]
    yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _words(value)
    for key, item in _items(value):
        yield str(key)
        yield from _texts(item)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text)
