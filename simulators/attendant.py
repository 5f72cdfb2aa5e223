"""A person on duty at a simulated bench: when a run is held they look, mend what is broken, tell what is true, restart.

What they tell of a stroke in doubt is what truly moved: they see syringe and bottle.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from controller.actors import Actor
from controller.run.engine import Engine
from controller.runs import Runs
from controller.store.reader import Reader
from controller.store.rows import DoseRow
from drivers.core.errors import OsteonError
from drivers.core.fluid import Direction
from protocols.states import Cause, RunState
from simulators.bench import SimulatedBench

LOOKS_AFTER_S = 900.0
"""So long after the alarm they stand at the bench."""
TRIES = 6
"""So often they restart a run that comes no further; then it needs more than a person can mend here."""
VISIBLE_ML = 0.05


class Attendant:
    """One person for all runs of a bench."""

    def __init__(self, bench: SimulatedBench, by: Actor) -> None:
        self.bench, self.by = bench, by
        self._came_to: dict[str, tuple[int, int]] = {}
        """Run -> steps over when it was restarted last, and how often since then."""

    def gives_up(self, engine: Engine) -> bool:
        """Whether the run was restarted so often in vain that they leave it held."""
        over, tries = self._came_to.get(engine.run_id, (0, 0))
        return over == len(engine.run.finished) and tries >= TRIES

    async def look(self, engine: Engine, runs: Runs, ledger: Reader, now: float) -> None:
        """Mend the bench, answer what the run asks, let it go on."""
        self.bench.clear_faults(now)
        await self.answer(engine, runs, ledger, now)
        over, tries = self._came_to.get(engine.run_id, (0, 0))
        again = over == len(engine.run.finished)
        self._came_to[engine.run_id] = len(engine.run.finished), tries + 1 if again else 1
        if engine.run.state is not RunState.RUNNING:  # only a branch of it waited
            await command(engine, runs, Cause.RESUME if engine.run.state is RunState.PAUSED else Cause.RESTART, self.by)

    async def answer(self, engine: Engine, runs: Runs, ledger: Reader, now: float) -> None:
        """Every open question, by what is true."""
        for path, active in list(engine.run.active.items()):
            if active.question:
                answer, ml = self._true_answer(ledger.doses(), path, active.options, now)
                with suppress(OsteonError):  # the run sees the question again, and so do they
                    await runs.decide(engine.run_id, path, answer, self.by, volume_ml=ml)

    def _true_answer(
        self, rows: Sequence[DoseRow], path: str, options: Sequence[str], now: float
    ) -> tuple[str, float | None]:
        row = next((row for row in rows if row.path == path and row.state == "unknown"), None)
        if row is None:
            return _of_a_doubt([each for each in rows if each.path == path], options)
        moved = round(max(0.0, self._moved(row, [each for each in rows if each.device == row.device], now)), 2)
        if row.stroke == Direction.DRAW or moved < VISIBLE_ML:
            return "nothing", moved if moved >= VISIBLE_ML else None
        return "delivered", moved

    def _moved(self, row: DoseRow, rows: Sequence[DoseRow], now: float) -> float:
        """What the stroke in doubt moved, mL: the rest of what its pump moved, or holds, less all that is on record."""
        true = self.bench.throughput(now)[row.device]
        drawn, delivered = (
            sum(each.moved_ml or 0.0 for each in rows if each.stroke == stroke)
            for stroke in (Direction.DRAW, Direction.DELIVER)
        )
        if not drawn and row.stroke == Direction.DELIVER:  # a hose: it holds nothing
            return min(true.delivered_ml - delivered, row.target_ml or 0.0)
        held = drawn - delivered
        return true.held_ml - held if row.stroke == Direction.DRAW else held - true.held_ml


def _of_a_doubt(rows: Sequence[DoseRow], options: Sequence[str]) -> tuple[str, float | None]:
    """Counter and balance do not agree, or something else is to be decided: what was weighed, or to go on."""
    weighed = [
        row.witness_after - row.witness_before
        for row in rows
        if row.witness_after is not None and row.witness_before is not None
    ]
    if "delivered" in options and weighed:
        return "delivered", round(max(0.0, sum(weighed)), 2)
    return next((each for each in ("accept", "skip", "run") if each in options), options[0]), None


async def command(engine: Engine, runs: Runs, cause: Cause, by: Actor) -> None:
    """A command, where the run takes it now."""
    if not engine.ended:
        with suppress(OsteonError):
            await runs.command(engine.run_id, cause, by)
