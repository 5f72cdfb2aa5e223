"""The protocol file as it must be: header, stages, operations and their times. Unknown keys are refused.

All values arrive as text (see `protocols.loading`); quantities become floats in the unit of their field.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from protocols.fields import (
    Area,
    CellsPerCm2,
    Concentration,
    Duration,
    Environment,
    Form,
    IfLater,
    NoAnswer,
    Numbers,
    Percent,
    Text,
    Volume,
    Weekday,
    When,
    Window,
    YesNo,
    read_days,
    read_weekday,
)
from protocols.step_forms import AnyStep


class Parameter(Form):
    """A value a laboratory may change within `range`, or one of `options` (words); named in texts as {name}."""

    default: Text
    range: Numbers | None = None
    options: tuple[Text, ...] | None = Field(default=None, min_length=2, max_length=50)
    source: Text


ML_PER_CM2 = 0.2
"""Medium over a layer: 35 mL on 175 cm2 (C); gives the area of a flask whose file does not say it."""


class Vessel(Form):
    """Flasks and plates are served by hand; stirred and perfusion vessels by osteon, through what they `need`."""

    kind: Literal["flask", "plate", "stirred", "perfusion"]
    count: int = Field(default=1, ge=1, le=1000)
    wells: int | None = Field(default=None, ge=1, le=1536)
    volume: Volume | None = None
    needs: tuple[Text, ...] = ()
    area: Area | None = None
    """Growth area of one flask; without it 5 cm2 for each mL of `volume`."""
    retention: Literal["screen", "settling"] | None = None
    """What keeps spheroids in a stirred vessel when medium leaves it."""
    source: Text | None = None

    @property
    def growth_area_cm2(self) -> float:
        """Of one flask."""
        return self.area or (self.volume or 0.0) / ML_PER_CM2

    @property
    def by_osteon(self) -> bool:
        return self.kind in ("stirred", "perfusion")

    @property
    def label(self) -> Literal["vessel", "plate", "flask"]:
        """The kind of label it carries."""
        if self.by_osteon:
            return "vessel"
        return "plate" if self.kind == "plate" else "flask"


class Material(Form):
    recipe: Text
    keeps: Text
    hangs: Duration | None = None
    """Longest time in a bottle at the bench; without it as long as it keeps."""
    bicarbonate: Concentration | None = None
    timed: Literal["yes"] | None = None
    """An inducer, an enzyme: operations with it have no window of osteon's own."""
    base_ascorbate: Literal["yes", "no"] | None = Field(default=None, alias="base ascorbate")
    """Whether the base medium itself holds ascorbic acid, as most αMEM does."""
    source: Text | None = None


class Growth(Form):
    """How cells on flasks are expected to grow, for the cell budget."""

    doubling_time: Duration = Field(default=1.54 * 86400, alias="doubling time")
    """A: 0.45 a day, as the simulated plant has it; 1 to 3 d are customary, 5.1 d were read for human ADSC (R)."""
    confluent: CellsPerCm2 = 4e4
    """A."""
    detached: Percent = 80.0
    """Share of the cells that detachment gives, % (D, culture-protocols §4)."""
    source: Text | None = None

    @property
    def share(self) -> float:
        return self.detached / 100


class Defaults(Form):
    """Set points kept while a run is held, and after its end."""

    hold: Environment = Environment()
    end: Environment = Environment()


class OnHold(Form):
    """What a hold does beside keeping everything still: set points, and one task for a person each time."""

    set: Environment = Environment()
    task: Text | None = None


class OnAlarm(Form):
    """Of which alarms the run holds by itself; the first line that fits an alarm counts."""

    priority: Literal["critical", "high", "low"] | None = None
    about: Text | None = None
    """Words that stand in the text of the alarm."""
    do: Literal["hold", "go on"]


class Timing(Form):
    """How exact a planned time is (DX-30)."""

    window: Window | None = None
    late_by_at_most: Duration | None = Field(default=None, alias="late by at most")
    if_later: IfLater = Field(default="ask", alias="if later")
    no_answer: NoAnswer | None = Field(default=None, alias="if nobody answers")
    anchor: Literal["calendar", "interval"] = "calendar"
    recommended: Literal["run", "shift", "skip"] | None = None
    timed: Literal["yes"] | None = None
    """An inducer, an enzyme, an exposure whose length counts: how late it may be is the author's to say (DX-31)."""
    never_closer_than: Duration | None = Field(default=None, alias="never closer than")
    never_further_apart_than: Duration | None = Field(default=None, alias="never further apart than")


class Every(Timing):
    interval: Duration
    start: When = Field(alias="from")
    until: When | None = None
    times: int | None = Field(default=None, ge=1, le=10000)


class Scheduled(Timing):
    """No time (when its turn comes), one time (`at: day 11 10:00`), `every`, or weekdays/days with `at: 10:00`."""

    at: Text | None = None
    every: Every | None = None
    on: tuple[Annotated[Weekday, BeforeValidator(read_weekday)], ...] | None = None
    days: Annotated[tuple[int, ...] | None, BeforeValidator(read_days)] = None

    @property
    def timing(self) -> Timing:
        return self.every or self

    def timing_outside(self) -> list[str]:
        """Keys of timing written beside `every`, whose own are the ones that count."""
        if self.every is None:
            return []
        return [field.alias or name for name, field in Timing.model_fields.items() if name in self.model_fields_set]

    @property
    def repeats(self) -> bool:
        return self.every is not None or self.days is not None


class Operation(Scheduled):
    operation: Text
    only_if: Text | None = Field(default=None, alias="only if")
    """A condition of parameters alone: the plan has the operation or not (an arm of a study)."""
    independent: YesNo = False
    """Of operations together: a question of this one holds this one only (SM-04)."""
    do: tuple[AnyStep, ...] = Field(min_length=1)
    source: Text | None = None


class Stage(Scheduled):
    """Steps of its own (`do`), or operations one after the other, or operations `together`."""

    stage: Text
    do: tuple[AnyStep, ...] = ()
    operations: tuple[Operation, ...] = ()
    together: tuple[Operation, ...] = ()
    source: Text | None = None


def _name(value: str) -> str:
    if not all(c.isalnum() or c in "-_." for c in value):
        raise ValueError("a name has letters, digits and - only")
    return value


class Document(Form):
    protocol: Annotated[Text, AfterValidator(_name)]
    version: Text
    title: Text
    status: Literal["rehearsal"]
    about: Text | None = None
    species: Text
    day_0: Annotated[Weekday, BeforeValidator(read_weekday)] | None = Field(default=None, alias="day 0")
    sources: dict[Text, Text] = Field(default_factory=dict[str, str])
    parameters: dict[Text, Parameter] = Field(default_factory=dict[str, Parameter])
    vessels: dict[Text, Vessel] = Field(default_factory=dict[str, Vessel])
    materials: dict[Text, Material] = Field(default_factory=dict[str, Material])
    growth: Growth = Growth()
    environment: Defaults = Defaults()
    on_hold: OnHold = Field(default=OnHold(), alias="on hold")
    on_alarm: tuple[OnAlarm, ...] = Field(default=(), alias="on alarm", max_length=50)
    stages: tuple[Stage, ...] = Field(min_length=1)
