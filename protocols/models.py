"""The protocol file as it must be: every key, its type and its unit. Unknown keys are refused.

All values arrive as text (see `protocols.loading`); quantities become floats in the unit named here.
"""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    model_validator,
)

from protocols import moments, quantities
from protocols.moments import Moment
from protocols.plan import SetPoint
from protocols.quantities import ROLES, WEEKDAYS, Condition, Range

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Duration = Annotated[float, BeforeValidator(quantities.amount("s"))]
Volume = Annotated[float, BeforeValidator(quantities.amount("mL"))]
Flow = Annotated[float, BeforeValidator(quantities.amount("mL/min"))]
Celsius = Annotated[float, BeforeValidator(quantities.quantity("Cel"))]
Percent = Annotated[float, BeforeValidator(quantities.quantity("%"))]
Turns = Annotated[float, BeforeValidator(quantities.quantity("1/min"))]
CellsPerMl = Annotated[float, BeforeValidator(quantities.amount("{cells}/mL"))]
Numbers = Annotated[Range, BeforeValidator(quantities.number_range)]
Conditions = Annotated[tuple[Condition, ...], BeforeValidator(quantities.conditions)]
When = Annotated[Moment, BeforeValidator(moments.moment)]
Window = Annotated[float | Literal["same working day"], BeforeValidator(quantities.window)]
EntryUnit = Annotated[str, BeforeValidator(quantities.entry_unit)]
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Interrupted = Literal["resume", "reconcile", "finish now", "ask"]
IfLater = Literal["ask", "run", "skip"]


def _weekday(value: object) -> object:
    """`Monday` and `Mon` are the same."""
    return value[:3].capitalize() if isinstance(value, str) and value[:3].capitalize() in WEEKDAYS else value


def _days(value: object) -> object:
    """`16..25` or `[16, 18, 21]`: culture days."""
    if isinstance(value, str):
        span = quantities.number_range(value)
        return tuple(range(int(span.low), int(span.high) + 1))
    return value


class Form(BaseModel):
    """A mapping of the file: these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _remember(cls, value: object, info: ValidationInfo) -> object:
        """Note in the context which keys this mapping may have: a fault can then name the nearest."""
        forms = cast("dict[int, list[str]] | None", info.context)
        if forms is not None:
            forms[id(value)] = [field.alias or name for name, field in cls.model_fields.items()]
        return value


class Environment(Form):
    """Set points of the unit; percentages are vol-% (gases) and relative humidity."""

    temperature: Celsius | None = None
    co2: Percent | None = None
    o2: Percent | None = None
    humidity: Percent | None = None
    stirring: Turns | None = None

    def points(self) -> tuple[SetPoint, ...]:
        values = {
            "temperature": self.temperature,
            "co2": self.co2,
            "o2": self.o2,
            "humidity": self.humidity,
            "stirring": self.stirring,
        }
        return tuple(SetPoint(role, value, ROLES[role]) for role, value in values.items() if value is not None)


class Parameter(Form):
    """A value a laboratory may change within `range`; named in texts as {name}."""

    default: Text
    range: Numbers | None = None
    source: Text


class Vessel(Form):
    """Flasks and plates are served by hand; stirred and perfusion vessels by osteon, through what they `need`."""

    kind: Literal["flask", "plate", "stirred", "perfusion"]
    count: int = Field(default=1, ge=1, le=1000)
    wells: int | None = Field(default=None, ge=1, le=1536)
    volume: Volume | None = None
    needs: tuple[Text, ...] = ()
    source: Text | None = None

    @property
    def by_osteon(self) -> bool:
        return self.kind in ("stirred", "perfusion")


class Material(Form):
    recipe: Text
    keeps: Text
    source: Text | None = None


class Defaults(Form):
    """Set points kept while a run is held, and after its end."""

    hold: Environment = Environment()
    end: Environment = Environment()


class Step(Form):
    """What every step may say (RM-07)."""

    called: Text | None = None
    source: Text | None = None
    at_most: Duration | None = Field(default=None, alias="at most")
    if_interrupted: Interrupted | None = Field(default=None, alias="if interrupted")


class SetStep(Step):
    set: Environment


class WaitFor(Form):
    until: Conditions | None = None
    for_s: Duration = Field(alias="for")
    at_most: Duration | None = Field(default=None, alias="at most")


class WaitStep(Step):
    wait: Annotated[WaitFor, BeforeValidator(lambda value: {"for": value} if isinstance(value, str) else value)]


class Withdraw(Form):
    to_level: Volume = Field(alias="to level")
    at_most: Volume = Field(alias="at most")
    at: Flow


class Fill(Form):
    volume: Volume
    of: Text
    at: Flow


class ExchangeWork(Form):
    vessel: Text = Field(alias="in")
    withdraw: Withdraw
    then_add: Fill = Field(alias="then add")
    drained_at_most: Duration = Field(default=3600.0, alias="drained at most")


class ExchangeStep(Step):
    exchange: ExchangeWork


class FluidInto(Fill):
    vessel: Text = Field(alias="into")


class DoseStep(Step):
    dose: FluidInto


class FillStep(Step):
    fill: FluidInto


class PrimeStep(Step):
    prime: Fill


def _entry(value: object) -> object:
    """Short forms: `text`, `yes/no`, or just the unit of a number."""
    if value in ("text", "yes/no"):
        return {"kind": value}
    return {"unit": value} if isinstance(value, str) else value


class EntryForm(Form):
    """One thing written down: a number with its unit, a text, or yes/no."""

    kind: Literal["number", "text", "yes/no"] = "number"
    unit: EntryUnit = ""
    limits: Numbers | None = None
    warn: Numbers | None = None


Entries = dict[Text, Annotated[EntryForm, BeforeValidator(_entry)]]


class Pour(Form):
    pour: Volume
    into: Text
    of: Text
    cells: CellsPerMl | None = None


class Take(Form):
    take: Volume
    vessel: Text = Field(alias="from")


class Renew(Form):
    renew: Volume
    of: Text


class Hang(Form):
    """Where the end of the fill line hangs."""

    line: Literal["to cup", "to vessel"]


class Stir(Form):
    stir: Turns
    vessel: Text = Field(alias="in")


class Door(Form):
    door: Duration


class Harvest(Form):
    harvest: Text


ACTS = ("pour", "take", "renew", "line", "stir", "door", "harvest")
STEPS = ("set", "wait", "exchange", "dose", "fill", "prime", "hand", "sample")


def _named_by(names: tuple[str, ...]):
    """Which of the forms a mapping is: the one whose name it has as a key."""

    def name_of(value: object) -> str | None:
        found = [name for name in names if isinstance(value, dict) and name in value]
        return f"<{found[0]}>" if len(found) == 1 else None

    return Discriminator(
        name_of, custom_error_type="which", custom_error_message=f"must say exactly one of: {', '.join(names)}"
    )


Act = Annotated[
    Annotated[Pour, Tag("<pour>")]
    | Annotated[Take, Tag("<take>")]
    | Annotated[Renew, Tag("<renew>")]
    | Annotated[Hang, Tag("<line>")]
    | Annotated[Stir, Tag("<stir>")]
    | Annotated[Door, Tag("<door>")]
    | Annotated[Harvest, Tag("<harvest>")],
    _named_by(ACTS),
]


class ByHand(Step):
    """What hand steps and samples share."""

    write_down: Entries = Field(default_factory=dict[str, EntryForm], alias="write down")
    acts: tuple[Act, ...] = ()
    lots: tuple[Text, ...] = ()
    sign: Literal["operator", "supervisor", "two persons"] = "operator"
    out_of_incubator: Duration | None = Field(default=None, alias="out of incubator")
    takes: Duration = 900.0
    overdue: Duration = 12 * 3600.0


class HandStep(ByHand):
    hand: Text


class SampleStep(ByHand):
    """A sample now, its results later (RM-11)."""

    sample: Text
    vessel: Text = Field(alias="from")
    take: Text
    results: Entries
    due: Duration


AnyStep = Annotated[
    Annotated[SetStep, Tag("<set>")]
    | Annotated[WaitStep, Tag("<wait>")]
    | Annotated[ExchangeStep, Tag("<exchange>")]
    | Annotated[DoseStep, Tag("<dose>")]
    | Annotated[FillStep, Tag("<fill>")]
    | Annotated[PrimeStep, Tag("<prime>")]
    | Annotated[HandStep, Tag("<hand>")]
    | Annotated[SampleStep, Tag("<sample>")],
    _named_by(STEPS),
]


class Timing(Form):
    """How exact a planned time is (DX-30)."""

    window: Window | None = None
    late_by_at_most: Duration | None = Field(default=None, alias="late by at most")
    if_later: IfLater = Field(default="ask", alias="if later")
    never_closer_than: Duration | None = Field(default=None, alias="never closer than")


class Every(Timing):
    interval: Duration
    start: When = Field(alias="from")
    until: When | None = None
    times: int | None = Field(default=None, ge=1, le=10000)


class Scheduled(Timing):
    """No time (when its turn comes), one time (`at: day 11 10:00`), `every`, or weekdays/days with `at: 10:00`."""

    at: Text | None = None
    every: Every | None = None
    on: tuple[Annotated[Weekday, BeforeValidator(_weekday)], ...] | None = None
    days: Annotated[tuple[int, ...] | None, BeforeValidator(_days)] = None

    @property
    def timing(self) -> Timing:
        return self.every or self

    @property
    def repeats(self) -> bool:
        return self.every is not None or self.days is not None


class Operation(Scheduled):
    operation: Text
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
    day_0: Annotated[Weekday, BeforeValidator(_weekday)] | None = Field(default=None, alias="day 0")
    sources: dict[Text, Text] = Field(default_factory=dict[str, str])
    parameters: dict[Text, Parameter] = Field(default_factory=dict[str, Parameter])
    vessels: dict[Text, Vessel] = Field(default_factory=dict[str, Vessel])
    materials: dict[Text, Material] = Field(default_factory=dict[str, Material])
    environment: Defaults = Defaults()
    stages: tuple[Stage, ...] = Field(min_length=1)
