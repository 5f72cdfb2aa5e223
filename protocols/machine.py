"""What a run does about one event: `step(plan, run, event) -> (run, effects)`. No clock, no I/O, no chance.

The same events give the same states and effects, today and in replay (DX-01).
"""

from __future__ import annotations

from protocols.effects import Effect
from protocols.events import Event
from protocols.plan import Plan
from protocols.run import Run


class NotAllowed(Exception):  # noqa: N818  the caller turns it into a refusal (409), not a fault
    """The table does not list this, or the node does not wait for it; the run is unchanged. Says why in words."""


def step(plan: Plan, run: Run, event: Event) -> tuple[Run, tuple[Effect, ...]]:
    """Decide about one event. Raises NotAllowed when a person's event is refused; late machine events are ignored."""
    raise NotImplementedError


def wanted(plan: Plan, run: Run) -> tuple[Effect, ...]:
    """The effects that must be under way in this state: what a restarted engine asks for again (idempotent)."""
    raise NotImplementedError


def next_time(plan: Plan, run: Run) -> float | None:
    """The next bench time (UTC s) at which TimeCame must be fed; None when only events matter."""
    raise NotImplementedError
