"""The kinds of values a protocol file has, each read from text into one unit; and the form of its mappings."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from protocols import moments, quantities
from protocols.moments import Moment
from protocols.plan import SetPoint
from protocols.quantities import ROLES, Condition, Range, Target

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Duration = Annotated[float, BeforeValidator(quantities.amount("s"))]
Volume = Annotated[float, BeforeValidator(quantities.amount("mL"))]
Flow = Annotated[float, BeforeValidator(quantities.amount("mL/min"))]
Celsius = Annotated[float, BeforeValidator(quantities.quantity("Cel"))]
Percent = Annotated[float, BeforeValidator(quantities.quantity("%"))]
PercentRamped = Annotated[Target, BeforeValidator(quantities.ramped("%"))]
FlowRamped = Annotated[Target, BeforeValidator(quantities.ramped("mL/min", positive=True))]
Turns = Annotated[float, BeforeValidator(quantities.quantity("1/min"))]
CellsPerMl = Annotated[float, BeforeValidator(quantities.amount("{cells}/mL"))]
Rounds = Annotated[int, BeforeValidator(quantities.rounds), Field(ge=1, le=1000)]
CellsPerCm2 = Annotated[float, BeforeValidator(quantities.amount("{cells}/cm2"))]
Area = Annotated[float, BeforeValidator(quantities.amount("cm2"))]
Concentration = Annotated[float, BeforeValidator(quantities.amount("mmol/L"))]
Numbers = Annotated[Range, BeforeValidator(quantities.number_range)]
Conditions = Annotated[tuple[Condition, ...], BeforeValidator(quantities.conditions)]
When = Annotated[Moment, BeforeValidator(moments.moment)]
Window = Annotated[float | Literal["same working day"], BeforeValidator(quantities.window)]
EntryUnit = Annotated[str, BeforeValidator(quantities.entry_unit)]
YesNo = Annotated[bool, BeforeValidator(quantities.yes_no)]
NoAnswer = Annotated[tuple[Literal["hold", "run", "skip"], float], BeforeValidator(quantities.no_answer)]
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Interrupted = Literal["resume", "reconcile", "finish now", "ask"]
IfLater = Literal["ask", "run", "skip"]


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def read_weekday(value: object) -> object:
    """`Monday`, `Mon` and `monday` are the same."""
    if not isinstance(value, str) or len(value) < len("Mon"):
        return value
    return next((day[:3] for day in DAYS if day.startswith(value.capitalize())), value)


def read_days(value: object) -> object:
    """`16..25` or `[16, 18, 21]`: culture days."""
    if isinstance(value, str):
        span = quantities.number_range(value)
        return tuple(range(int(span.low), int(span.high) + 1))
    return value


class Form(BaseModel):
    """A mapping of the file: these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

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
    perfusion: Flow | None = None
    """Through the bed; a closed loop, so no volume of it is a dose. Never 0: a bed that stands still is anoxic."""

    def points(self) -> tuple[SetPoint, ...]:
        values: dict[str, float | None] = {role: getattr(self, role) for role in type(self).model_fields}
        return tuple(SetPoint(role, value, ROLES[role]) for role, value in values.items() if value is not None)


class EnvironmentRamped(Form):
    """Set points of a step: each at once, or as a ramp `37 degC over 2 h` from the set point in force."""

    temperature: Annotated[Target, BeforeValidator(quantities.ramped("Cel"))] | None = None
    co2: PercentRamped | None = None
    o2: PercentRamped | None = None
    humidity: PercentRamped | None = None
    stirring: Annotated[Target, BeforeValidator(quantities.ramped("1/min"))] | None = None
    perfusion: FlowRamped | None = None
    """Through the bed; a closed loop, so no volume of it is a dose. Never 0: a bed that stands still is anoxic."""

    def points(self) -> tuple[SetPoint, ...]:
        targets: dict[str, Target | None] = {role: getattr(self, role) for role in type(self).model_fields}
        return tuple(SetPoint(r, t.value, ROLES[r], t.over_s) for r, t in targets.items() if t is not None)
