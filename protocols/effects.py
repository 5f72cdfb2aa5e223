"""What a run wants done. Effects are derived from the state alone (`machine.wanted`), so a restart can ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.plan import Hand, SetPoint, Within


@dataclass(frozen=True, slots=True)
class ApplyPoints:
    """Bring the unit's set points to these values; answer with PointsSet (path "" = values to keep: no answer)."""

    path: str
    points: tuple[SetPoint, ...]
    part: str = ""
    """Of a ramp: which of its steps; the answer names it again."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Tell when all conditions held for `for_s` without a break; answer with ConditionMet."""

    path: str
    conditions: tuple[Within, ...]
    for_s: float


@dataclass(frozen=True, slots=True)
class Look:
    """Tell the present values of these roles; answer with Looked."""

    path: str
    part: str
    """Rounds ask after each of them."""
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Move fluid along a path; may be asked again after a restart: the dose ledger knows what was already moved.

    mode "level": draw at most `volume_ml`, deliver until the witness is flat; mode "volume": exactly `volume_ml`.
    Answer with TransferEnded(path, part).
    """

    path: str
    part: str
    """withdraw, fill, prime or dose; with `path` the stable key of the transfer."""
    fluid_path: str
    mode: Literal["level", "volume"]
    volume_ml: float
    rate_ml_min: float
    fluid: str
    vessel: str
    to_level_ml: float | None = None
    split_of: str = ""
    """Of a part of a dose: the path of the whole, and the volume of the whole."""
    split_cap_ml: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenTask:
    """Put a task before a person; repeated opening is the same task. Answer with Answered."""

    path: str
    title: str
    hand: Hand
    due: float


@dataclass(frozen=True, slots=True)
class CloseTask:
    """The task is no longer wanted (cancelled, skipped)."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class QuietMovers:
    """Stop and fence every fluid mover of the unit, reconcile open intents; answer with Command(done).

    Used by HOLDING, STOPPING, ABORTING and PAUSING (which first lets a bounded transfer end)."""

    wait_for_transfer: bool = False


@dataclass(frozen=True, slots=True)
class Recheck:
    """Check devices, open questions and environment before going on; answer with Command(done) or Command(hold)."""


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise an alarm row; `key` is stable so that it is raised once."""

    key: str
    priority: Literal["critical", "high", "low"]
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Deviate:
    """Record a deviation: something happened otherwise than planned."""

    path: str
    text: str


Effect = ApplyPoints | Watch | Look | Transfer | OpenTask | CloseTask | QuietMovers | Recheck | Raise | Deviate
