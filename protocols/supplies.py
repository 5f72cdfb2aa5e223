"""Medium a plan needs: every draw on it, and the batches to prepare, split by shelf life, with a reserve."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from protocols.calendar import Calendar
from protocols.models import Material
from protocols.moments import Calendar as Days
from protocols.plan import Hand, Plan
from protocols.quantities import amount

RESERVE = 0.1
"""Share prepared beyond the planned volume: what stays in pipettes, bottles and lines (A)."""
DAY_S = 86400.0
_KEEPS = re.compile(r"(?P<time>[0-9.]+ *[a-z]+)(?: +at +(?P<where>.+))?")


@dataclass(frozen=True, slots=True)
class Draw:
    """Medium taken from its stock at one moment."""

    at: float
    fluid: str
    ml: float
    path: str
    until: float
    """Last moment it is used: for a bottle that hangs, the last draw from it."""
    bottle: bool = False
    hung_ml: float = 0.0
    """Of a bottle: what is drawn while it hangs."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Medium to prepare at one time."""

    fluid: str
    day: int
    prepare_by: datetime
    planned_ml: float
    volume_ml: float
    """With the reserve, rounded up to 5 mL."""
    used_until: datetime
    keeps: str
    keeps_s: float | None
    path: str
    """The step that needs it first."""

    @property
    def too_old(self) -> bool:
        """Whether its last use comes after its shelf life, however late it is prepared."""
        return self.keeps_s is not None and self.used_until > good_until(self.prepare_by, self.keeps_s)


def good_until(made: datetime, life_s: float) -> datetime:
    """The end of a shelf life; one of days ends with its last day, as the date on a label does."""
    end = made + timedelta(seconds=life_s)
    return end if life_s < DAY_S else end.replace(hour=23, minute=59, second=59)


def shelf_life_s(keeps: str) -> float | None:
    """`7 d at 4 degC` in seconds; None where the text gives no time (`as the maker says`)."""
    match = _KEEPS.fullmatch(keeps.strip())
    if match is None:
        return None
    try:
        return amount("s")(match["time"])
    except ValueError:
        return None


def draws(plan: Plan, calendar: Calendar) -> list[Draw]:
    """Every draw on a stock of medium, in the order of time: pours by hand, bottles hung, doses without a bottle."""
    hung = {bottle.fluid for bottle in calendar.bottles}
    bottles = iter(calendar.bottles)
    found: list[Draw] = []
    for row in calendar.rows:
        work = plan.nodes[row.path].work
        if isinstance(work, Hand):
            for act in work.acts:
                if act.act == "renew":
                    bottle = next(bottles)
                    until = max(bottle.last_used, row.at)
                    found.append(Draw(row.at, act.fluid, act.volume_ml, row.path, until, True, bottle.used_ml))
                elif act.act == "pour":
                    ml = act.volume_ml * max(1, act.dishes)
                    found.append(Draw(row.at, act.fluid, ml, row.path, row.at))
        elif row.in_ml and row.fluid not in hung:
            found.append(Draw(row.at, row.fluid, row.in_ml, row.path, row.at))
    return sorted(found, key=lambda draw: draw.at)


def batches(plan: Plan, calendar: Calendar, materials: Mapping[str, Material]) -> tuple[Batch, ...]:
    """What to prepare, by date. A medium made from another one draws on that one too."""
    days = Days(plan.start, ZoneInfo(plan.zone))
    taken = [draw for draw in draws(plan, calendar) if draw.fluid in materials]
    found: list[Batch] = []
    for fluid in _made_last_first(materials):
        material = materials[fluid]
        own = sorted((draw for draw in taken if draw.fluid == fluid), key=lambda draw: draw.at)
        made = [_batch(fluid, material.keeps, part, days) for part in _split(own, shelf_life_s(material.keeps), days)]
        found += made
        if (of := made_of(material.recipe, materials)) and of != fluid:
            for batch in made:
                at = batch.prepare_by.timestamp()
                taken.append(Draw(at, of, batch.volume_ml, batch.path, at))
    return tuple(sorted(found, key=lambda batch: (batch.prepare_by, batch.fluid)))


def made_of(recipe: str, materials: Mapping[str, Material]) -> str:
    """The material a recipe begins with (`growth medium + …`); "" when it begins with none."""
    first = recipe.partition("+")[0].strip().casefold()
    return next((name for name in materials if name.casefold() == first), "")


def _made_last_first(materials: Mapping[str, Material]) -> list[str]:
    """Materials with those made of others before what they are made of; a ring of recipes keeps the file's order."""
    order: list[str] = []

    def enter(name: str, above: tuple[str, ...]) -> None:
        if name in order or name in above:
            return
        for other, material in materials.items():
            if made_of(material.recipe, materials) == name:
                enter(other, (*above, name))
        order.append(name)

    for name in materials:
        enter(name, ())
    return order


def _split(own: list[Draw], keeps_s: float | None, days: Days) -> Iterator[list[Draw]]:
    """Draws that one batch can serve: its last use is within the shelf life, counted from its first."""
    part: list[Draw] = []
    for draw in own:
        if part and keeps_s is not None and days.local(draw.until) > good_until(days.local(part[0].at), keeps_s):
            yield part
            part = []
        part.append(draw)
    if part:
        yield part


def _batch(fluid: str, keeps: str, part: list[Draw], days: Days) -> Batch:
    planned_ml = sum(draw.ml for draw in part)
    first = part[0]
    return Batch(
        fluid=fluid,
        day=days.day(first.at),
        prepare_by=days.local(first.at),
        planned_ml=planned_ml,
        volume_ml=5 * ceil(round(planned_ml * (1 + RESERVE) / 5, 9)),
        used_until=days.local(max(draw.until for draw in part)),
        keeps=keeps,
        keeps_s=shelf_life_s(keeps),
        path=first.path,
    )
