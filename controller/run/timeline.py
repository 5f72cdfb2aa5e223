"""What happened in the order of its times, and what it comes to up to any of them: a sum that never begins anew."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
Item = TypeVar("Item")
Sum = TypeVar("Sum")


class Timeline(Generic[Owner, Item, Sum]):
    """Items by time (s), of one time by owner and then as given; owners can be ordered. `add(sum, item) -> sum`.

    Every prefix is summed once, in the order in which a list of all would be, so that the result is the same to the
    last bit. What is put in or replaced costs as many additions as there are items behind it: few, near the end.
    """

    def __init__(self, empty: Sum, add: Callable[[Sum, Item], Sum]) -> None:
        self._add = add
        self._keys: list[tuple[float, Owner, int]] = []
        self._items: list[Item] = []
        self._sums: list[Sum] = [empty]
        """`_sums[n]` = of the first n items; as many as were asked for since the last change."""
        self._of: dict[Owner, list[tuple[float, Owner, int]]] = {}

    def put(self, owner: Owner, items: Sequence[tuple[float, Item]]) -> None:
        """The items of `owner`, each with its time, instead of those it had."""
        for key in self._of.pop(owner, ()):
            index = bisect_left(self._keys, key)
            del self._keys[index], self._items[index], self._sums[index + 1 :]
        for number, (at, item) in enumerate(items):
            key = (at, owner, number)
            index = bisect_left(self._keys, key)
            self._keys.insert(index, key)
            self._items.insert(index, item)
            del self._sums[index + 1 :]
            self._of.setdefault(owner, []).append(key)

    def until(self, at: float) -> Sum:
        """Of all items at this time or before."""
        wanted = bisect_right(self._keys, at, key=itemgetter(0))
        while len(self._sums) <= wanted:
            self._sums.append(self._add(self._sums[-1], self._items[len(self._sums) - 1]))
        return self._sums[wanted]
