"""What an open or doubtful stroke came to, judged by evidence alone: the table of DS-04, the continuity of DS-06."""

from __future__ import annotations

from dataclasses import dataclass

from controller.run.intents import Intent, State
from drivers.core.fluid import Direction, Totals


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen after the fence. Weights g; `density_g_ml` turns them into mL."""

    identity: str
    totals: Totals | None
    """None = the counters could not be read."""
    unbroken: bool
    """This controller watched the whole stroke: every poll answered, no alarm of the device (then no doubt at all)."""
    totals_survive_power_loss: bool = False
    weight_g: float | None = None
    density_g_ml: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    moved_ml: float | None
    evidence: str


def continuous(intent: Intent, seen: Evidence) -> tuple[bool, str]:
    """Whether the counter now is the counter then. A baseline of zero proves nothing (DS-06)."""
    if seen.totals is None:
        return False, "counters not readable"
    if seen.identity != intent.identity:
        return False, f"another device answers: {seen.identity}, not {intent.identity}"
    back = intent.resolution_ml
    if (
        seen.totals.drawn_ml < intent.drawn_before_ml - back
        or seen.totals.delivered_ml < intent.delivered_before_ml - back
    ):
        return False, "a counter stands below its baseline: the device lost power"
    if seen.unbroken:
        return True, "watched without a break"
    if seen.totals_survive_power_loss:
        return True, "this counter survives power loss"
    if max(intent.drawn_before_ml, intent.delivered_before_ml) > back:  # a smaller one could not be seen to fall
        return True, "counter not below a baseline above zero"
    return False, "the baseline was zero, which proves nothing"


def judge(intent: Intent, seen: Evidence) -> Verdict:
    """Measured volume and state of one stroke; "unknown" when neither counter nor witness can prove it."""
    proved, how = continuous(intent, seen)
    if proved and seen.totals is not None:
        step = max(intent.resolution_ml, seen.totals.resolution_ml)
        return by_volume(intent, max(0.0, seen.totals.of(intent.stroke) - intent.before()), step, f"counter; {how}")
    if intent.stroke is Direction.DELIVER and intent.witness_before is not None and seen.weight_g is not None:
        risen = (seen.weight_g - intent.witness_before) / seen.density_g_ml
        if risen >= -0.1:
            return by_volume(intent, max(0.0, risen), 0.05, f"witness {intent.witness}; {how}")
        how = f"{how}; the witness fell by {-risen:.2f} mL"
    return Verdict("unknown", None, how)


def by_volume(intent: Intent, moved_ml: float, step_ml: float, evidence: str) -> Verdict:
    slack = max(intent.tolerance_ml, 2 * step_ml)
    text = f"{moved_ml:.3f} of {intent.target_ml:.3f} mL by {evidence}"
    if moved_ml > intent.target_ml + slack:
        return Verdict("over", moved_ml, text)
    if moved_ml >= intent.target_ml - slack:
        return Verdict("done", moved_ml, text)
    if moved_ml <= step_ml / 2:
        return Verdict("cancelled", 0.0, f"nothing moved: {text}")
    return Verdict("partial", moved_ml, text)
