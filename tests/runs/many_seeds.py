"""`python -m tests.runs.many_seeds [FIRST LAST]`: seeds of SIM-05 (a) on all processors, with progress and counts.

A seed that breaks a rule is printed with the shortest list of its blows that breaks any (SIM-03), and kept by adding
it to `KEPT` in test_seeds.py.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing import get_context

from simulators.shrinking import shortest
from tests.runs import seeds
from tests.runs.seeds import Seen

PROGRESS_EVERY = 100


@dataclass
class Tally:
    """What many seeds came to."""

    states: Counter[str] = field(default_factory=Counter[str])
    hits: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    broken: dict[int, tuple[tuple[str, ...], list[str]]] = field(
        default_factory=dict[int, tuple[tuple[str, ...], list[str]]]
    )
    """Seed -> the rules it broke, and the shortest list of blows that breaks any."""

    def add(self, seen: Seen) -> None:
        self.states[seen.state] += 1
        for text in seen.hits:
            name, _, phase = text.partition(" | ")
            self.hits[name, phase] += 1
        if seen.rules:
            few = shortest(seen.blows, lambda some: bool(seeds.play(seen.seed, some).rules))
            print(f"seed {seen.seed}: {seen.rules}; shortest: {few}", flush=True)
            self.broken[seen.seed] = seen.rules, few

    def table(self) -> str:
        """Seeds in which a fault was there during a phase; a dot = none (SIM-08)."""
        names = sorted({name for name, _ in self.hits})
        phases = sorted({phase for _, phase in self.hits})
        wide = max(map(len, names), default=0)
        lines = [f"{n:>3} {phase}" for n, phase in enumerate(phases, start=1)]
        lines.append(" " * wide + "".join(f"{n:>6}" for n in range(1, len(phases) + 1)))
        for name in names:
            counts = (self.hits[name, phase] for phase in phases)
            lines.append(f"{name:<{wide}}" + "".join(f"{count or '.':>6}" for count in counts))
        return "\n".join(lines)


def tally(numbers: Iterable[int], *, processes: int = 1, progress: Callable[[int, Tally], None] | None = None) -> Tally:
    """Play these seeds, many in a process."""
    found = Tally()

    def take(all_seen: Iterable[Seen]) -> None:
        for count, seen in enumerate(all_seen, start=1):
            found.add(seen)
            if progress is not None and count % PROGRESS_EVERY == 0:
                progress(count, found)

    if processes == 1:
        take(map(seeds.play, numbers))
    else:
        with get_context("spawn").Pool(processes, maxtasksperchild=500) as pool:
            take(pool.imap(seeds.play, numbers, chunksize=5))
    return found


def told(count: int, found: Tally) -> None:
    print(f"{count} seeds: {dict(sorted(found.states.items()))}, {len(found.broken)} broke a rule", flush=True)


def main(words: list[str]) -> int:
    first, last = (int(words[0]), int(words[1])) if words else (0, 200)
    found = tally(range(first, last), processes=os.cpu_count() or 1, progress=told)
    told(last - first, found)
    print(found.table())
    return 1 if found.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
