"""The steps a protocol may have, each known by the word it begins with (RM-03: a step type is code)."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag

from protocols.fields import (
    CellsPerMl,
    Conditions,
    Duration,
    EntryUnit,
    EnvironmentRamped,
    Flow,
    FlowRamped,
    Form,
    Interrupted,
    Numbers,
    Percent,
    Rounds,
    Text,
    Turns,
    Volume,
    YesNo,
)  # fmt: skip
from protocols.quantities import rounds


class Step(Form):
    """What every step may say (RM-07)."""

    called: Text | None = None
    source: Text | None = None
    at_most: Duration | None = Field(default=None, alias="at most")
    if_interrupted: Interrupted | None = Field(default=None, alias="if interrupted")


class SetStep(Step):
    set: EnvironmentRamped


class WaitFor(Form):
    until: Conditions | None = None
    for_s: Duration = Field(alias="for")
    at_most: Duration | None = Field(default=None, alias="at most")
    count_downtime: YesNo = Field(default=True, alias="count downtime")


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


class Split(Form):
    """A dose in parts: each is a dose of its own, all of them together never more than the whole."""

    into: Annotated[int, BeforeValidator(rounds), Field(ge=2, le=100)]
    every: Duration


class SplitFluid(FluidInto):
    split: Split | None = None


class DoseStep(Step):
    dose: SplitFluid


class FillStep(Step):
    fill: FluidInto


class PrimeStep(Step):
    prime: Fill


class RinseWork(Fill):
    times: Annotated[int, BeforeValidator(rounds), Field(ge=1, le=20)] = 1


class RinseStep(Step):
    """Push fluid through the line into the cup, so many times: what was in the line before is gone."""

    rinse: RinseWork


class WithdrawWork(Form):
    """A volume; or down to a level, and then never more than `at most`."""

    vessel: Text = Field(alias="from")
    volume: Volume | None = None
    to_level: Volume | None = Field(default=None, alias="to level")
    at_most: Volume | None = Field(default=None, alias="at most")
    at: Flow


class WithdrawStep(Step):
    withdraw: WithdrawWork


class Flowing(Form):
    vessel: Text = Field(alias="in")
    at: FlowRamped


class PerfuseStep(Step):
    """Medium turns in a closed loop through the bed; nothing is dosed by it."""

    perfuse: Flowing


class RecirculateStep(Step):
    """The same loop, where it mixes a reservoir and no bed is in it."""

    recirculate: Flowing


def _entry(value: object) -> object:
    """Short forms: `text`, `yes/no`, `photo`, `scan`, a list of words to choose from, or just the unit of a number."""
    if value in ("text", "yes/no", "photo", "scan"):
        return {"kind": value}
    if isinstance(value, list):
        return {"options": cast("list[object]", value)}
    return {"unit": value} if isinstance(value, str) else value


class EntryForm(Form):
    """One thing written down: a number with its unit, a text, yes/no, a photo, one of `options`, or a label scanned:
    `scan` names what carries it (a vessel, a material, donor, sample)."""

    kind: Literal["number", "text", "yes/no", "photo", "scan"] = "number"
    unit: EntryUnit = ""
    limits: Numbers | None = None
    warn: Numbers | None = None
    options: tuple[Text, ...] | None = Field(default=None, min_length=2, max_length=50)
    scan: Text | None = None


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
STEPS = (
    "set", "wait", "exchange", "dose", "fill", "withdraw", "prime", "rinse", "perfuse", "recirculate", "hand", "sample",
    "if", "repeat", "together", "call",
)  # fmt: skip


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


def one_or_more(value: object) -> object:
    """`flasks` is the list [flasks]."""
    return [value] if isinstance(value, str) else value


def _shares(value: object) -> object:
    """`plates`, `[plates, bank]` (equal parts), or each with its share: {plates: 75 %, bank: 25 %}."""
    names = one_or_more(value)
    if isinstance(names, list) and all(isinstance(name, str) for name in cast("list[object]", names)):
        parts = cast("list[str]", names)
        return {name: f"{100 / len(parts)!r} %" for name in parts}
    return value


Names = Annotated[tuple[Text, ...], BeforeValidator(one_or_more), Field(min_length=1, max_length=50)]
Origin = Literal["isolation", "passage", "bank", "spheroid batch", "differentiation", "combination", "release"]


class Move(Form):
    """Living material from vessels (several: a pool) into vessels (several: a split), with what is kept of it.

    Lineage and the cell budget read it; the volumes are said by the acts.
    """

    move: Text
    """What: cells, spheroids, tissue."""
    source: Names = Field(alias="from")
    into: Annotated[dict[Text, Percent], BeforeValidator(_shares), Field(min_length=1, max_length=50)]
    kept: Percent = Field(default=100.0, alias="yield", gt=0, le=100)
    becomes: Origin | None = None
    """The batch that comes of it; without it the batch stays the same."""


class ByHand(Step):
    """What hand steps and samples share."""

    write_down: Entries = Field(default_factory=dict[str, EntryForm], alias="write down")
    acts: tuple[Act, ...] = ()
    moves: tuple[Move, ...] = ()
    lots: tuple[Text, ...] = ()
    sign: Literal["operator", "supervisor", "two persons"] = "operator"
    may_be_done_by: Names | None = Field(default=None, alias="may be done by")
    """Machines that may claim the task through the API, such as a liquid handler."""
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


class Control(Form):
    """Steps around other steps."""

    called: Text | None = None
    source: Text | None = None


class IfStep(Control):
    """One of two ways, by what is measured, written down, or set as a parameter."""

    condition: Text = Field(alias="if")
    then: tuple[AnyStep, ...] = Field(min_length=1)
    otherwise: tuple[AnyStep, ...] = Field(default=(), alias="else")


class Repeat(Form):
    """Rounds of the same steps, begun `every` so long, until a condition holds after one; at most so many."""

    do: tuple[AnyStep, ...] = Field(min_length=1)
    at_most: Rounds = Field(alias="at most")
    until: Text | None = None
    every: Duration | None = None
    never_closer_than: Duration | None = Field(default=None, alias="never closer than")


class RepeatStep(Control):
    repeat: Repeat


class Branch(Form):
    branch: Text
    independent: YesNo = False
    """A question of this branch holds this branch only (SM-04)."""
    do: tuple[AnyStep, ...] = Field(min_length=1)


class TogetherStep(Control):
    """Branches side by side; over when all of them are."""

    together: tuple[Branch, ...] = Field(min_length=2, max_length=20)


class CallStep(Control):
    """All steps of another protocol, in their order, with these values of its parameters."""

    call: Text
    settings: dict[Text, Text] = Field(default_factory=dict[str, str], alias="with")


PlainStep = (
    SetStep | WaitStep | ExchangeStep | DoseStep | FillStep | WithdrawStep | PrimeStep | RinseStep | PerfuseStep
    | RecirculateStep | HandStep | SampleStep
)  # fmt: skip
"""Steps that do one thing."""
ControlStep = IfStep | RepeatStep | TogetherStep | CallStep


AnyStep = Annotated[
    Annotated[SetStep, Tag("<set>")]
    | Annotated[WaitStep, Tag("<wait>")]
    | Annotated[ExchangeStep, Tag("<exchange>")]
    | Annotated[DoseStep, Tag("<dose>")]
    | Annotated[FillStep, Tag("<fill>")]
    | Annotated[WithdrawStep, Tag("<withdraw>")]
    | Annotated[PrimeStep, Tag("<prime>")]
    | Annotated[RinseStep, Tag("<rinse>")]
    | Annotated[PerfuseStep, Tag("<perfuse>")]
    | Annotated[RecirculateStep, Tag("<recirculate>")]
    | Annotated[HandStep, Tag("<hand>")]
    | Annotated[SampleStep, Tag("<sample>")]
    | Annotated[IfStep, Tag("<if>")]
    | Annotated[RepeatStep, Tag("<repeat>")]
    | Annotated[TogetherStep, Tag("<together>")]
    | Annotated[CallStep, Tag("<call>")],
    _named_by(STEPS),
]
