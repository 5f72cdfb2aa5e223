"""What no single key of a protocol can know: names that must exist, schedules that must make sense, RM-07."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import time
from typing import cast

from drivers.core.units import convert, parse_quantity, unit
from protocols import step_forms
from protocols.expressions.reading import ExpressionFault, condition
from protocols.expressions.scope import Scope
from protocols.expressions.tree import Expression, measured, written
from protocols.faults import nearest
from protocols.fields import Environment, Form
from protocols.models import Document, Every, Scheduled, Timing
from protocols.moments import clock, moment
from protocols.naming import scope
from protocols.nesting import flat, inside
from protocols.plan import SetPoint
from protocols.quantities import PATHS, ROLES, quantity
from protocols.source import Loc
from protocols.step_forms import AnyStep, ControlStep, PlainStep
from protocols.tree import duration

Found = Iterator[tuple[Loc, str, str]]
"""(place, what is wrong, what would be right)"""

FLUID = (
    step_forms.ExchangeStep,
    step_forms.DoseStep,
    step_forms.FillStep,
    step_forms.WithdrawStep,
    step_forms.PrimeStep,
    step_forms.RinseStep,
)


def found(document: Document) -> Found:
    """Every fault of a document whose single keys are in order."""
    yield from _parameters(document)
    already_set: set[str] = set()
    for name, vessel in document.vessels.items():
        for i, role in enumerate(vessel.needs):
            if role not in (*ROLES, *PATHS):
                place: Loc = ("vessels", name, "needs", i)
                yield place, f"no capability is called {role!r}", nearest(role, (*ROLES, *PATHS))
    yield from _holding(document)
    names = scope(document, {})
    for i, stage in enumerate(document.stages):
        loc: Loc = ("stages", i)
        given = {"do": stage.do, "operations": stage.operations, "together": stage.together}
        parts = [key for key, value in given.items() if value]
        if len(parts) != 1:
            yield loc, "a stage has exactly one of: do, operations, together", ""
        if "do" not in parts and _forms_of_schedule(stage):
            yield loc, "a stage of operations has no time of its own", "write the time at each operation"
        yield from _scheduled(document, names, stage, stage.do, loc, already_set)
        for key, operations in (("operations", stage.operations), ("together", stage.together)):
            yield from _twice((op.operation for op in operations), (*loc, key), "operation")
            for j, operation in enumerate(operations):
                yield from _only_if(names, operation.only_if, (*loc, key, j, "only if"))
                if operation.independent and key == "operations":
                    place = (*loc, key, j, "independent")
                    yield place, "nothing runs beside it: these operations follow each other", "put it under 'together'"
                yield from _scheduled(document, names, operation, operation.do, (*loc, key, j), already_set)
    yield from _twice((stage.stage for stage in document.stages), ("stages",), "stage")


def _holding(document: Document) -> Found:
    known = {point.role for point in document.environment.hold.points()}
    for point in document.on_hold.set.points():
        if point.role in known:
            yield ("on hold", "set"), f"{point.role} stands in 'environment: hold' as well", "write it once"
    for i, rule in enumerate(document.on_alarm):
        if rule.priority is None and rule.about is None:
            yield ("on alarm", i), "says of no alarm", "add a priority, or about: words of the alarm"


def _parameters(document: Document) -> Found:
    for name, parameter in document.parameters.items():
        loc: Loc = ("parameters", name, "default")
        if parameter.options is not None:
            if parameter.range is not None:
                yield ("parameters", name, "range"), "a parameter has a range or options, not both", ""
            if parameter.default not in parameter.options:
                right = nearest(parameter.default, parameter.options)
                yield loc, f"{parameter.default!r} is none of its options", right
            yield from _twice(parameter.options, ("parameters", name, "options"), "option")
            continue
        try:
            number, symbol = parse_quantity(parameter.default)
        except ValueError as error:
            yield loc, str(error), ""
            continue
        limits = parameter.range
        if limits is None:
            continue
        if unit(symbol).dimension != unit(limits.unit).dimension:
            yield ("parameters", name, "range"), f"{limits.unit or 'a number'} does not fit {parameter.default}", ""
        elif not limits.low <= convert(number, symbol, limits.unit) <= limits.high:
            yield loc, f"{parameter.default} is outside its own range", f"{limits.low:g}..{limits.high:g} {limits.unit}"


def _twice(names: Iterable[str], loc: Loc, what: str) -> Found:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name.casefold() in seen:
            yield (*loc, i), f"a second {what} called {name!r}", "names are keys of the record: give it another"
        seen.add(name.casefold())


def _forms_of_schedule(scheduled: Scheduled) -> list[str]:
    """Which ways of giving times are used."""
    days = scheduled.days is not None or scheduled.on is not None
    return [
        name
        for name, used in (
            ("every", scheduled.every is not None),
            ("days", days),
            ("at", scheduled.at is not None and not days),
        )
        if used
    ]


def _scheduled(
    document: Document, names: Scope, scheduled: Scheduled, steps: tuple[AnyStep, ...], loc: Loc, already_set: set[str]
) -> Found:
    """One operation: its times, its late rule, its steps."""
    yield from _times(scheduled, loc)
    moves_fluid = moves(steps)
    timing = scheduled.timing
    if moves_fluid and scheduled.repeats and timing.never_closer_than is scheduled.never_closer_than is None:
        yield loc, "repeated fluid steps need 'never closer than'", "for example half the interval"
    if moves_fluid and _forms_of_schedule(scheduled) in (["at"], ["days"]) and timing.window is None:
        yield loc, "fluid steps at a time need a window (late rule)", "for example 'window: ±30 min'"
    if timing.window == "same working day" and moves_fluid:
        yield loc, "'same working day' is for hand steps", "give osteon a window such as ±2 h"
    if _forms_of_schedule(scheduled) and timing.window is None and (why := _timed(document, timing, steps)):
        right = "write a 'window' such as ±15 min: how much later is as good, nobody else can know"
        yield loc, f"{why}, and a timed step has no window of itself", right
    yield from _steps(document, names, steps, (*loc, "do"), already_set)


def _timed(document: Document, timing: Timing, steps: tuple[AnyStep, ...]) -> str:
    """What makes an operation one whose author must choose how late it may be; "" when nothing does (DX-31)."""
    if timing.timed is not None:
        return "it says 'timed: yes'"
    used = (name for _, step in flat(steps) for name in used_by(step))
    named = (name for name in used if name in document.materials and document.materials[name].timed is not None)
    return next((f"{name} is 'timed: yes'" for name in named), "")


def used_by(form: Form) -> Iterator[str]:
    """Materials that a step names: what it is filled `of`, and the `lots` a person writes down."""
    for name in type(form).model_fields:
        value = cast("object", getattr(form, name))
        if name == "of" and isinstance(value, str):
            yield value
        for item in cast("tuple[object, ...]", value if isinstance(value, tuple) else (value,)):
            if isinstance(item, Form):
                yield from used_by(item)
            elif name == "lots":
                yield str(item)


def moves(steps: tuple[AnyStep, ...]) -> bool:
    """Whether osteon moves fluid in any of these steps."""
    return any(isinstance(step, FLUID) for _, step in flat(steps))


def _steps(document: Document, names: Scope, steps: tuple[AnyStep, ...], loc: Loc, already_set: set[str]) -> Found:
    """A list of steps. What only some of its ways set is not known to be set after them."""
    for k, step in enumerate(steps):
        if not isinstance(step, ControlStep):
            yield from _step(document, step, (*loc, k), already_set)
            continue
        yield from _control(names, step, (*loc, k))
        before = set(already_set)
        for place, inner in inside(step):
            within = set(before)
            yield from _steps(document, names, inner, (*loc, k, *place), within)
            already_set -= _sets(inner)


def _sets(steps: tuple[AnyStep, ...]) -> set[str]:
    found = (step.set.points() for _, step in flat(steps) if isinstance(step, step_forms.SetStep))
    return {point.role for points in found for point in points}


def _control(names: Scope, step: ControlStep, loc: Loc) -> Found:
    """A step around others: its condition can be read, its rounds are bounded, its branches have names of their own."""
    match step:
        case step_forms.IfStep():
            yield from _condition(names, step.condition, (*loc, "if"))
        case step_forms.RepeatStep(repeat=repeat):
            if repeat.until is not None:
                yield from _condition(names, repeat.until, (*loc, "repeat", "until"))
            if repeat.every is None and moves(repeat.do):
                yield (*loc, "repeat"), "rounds that move fluid need 'every'", "every: 12 h"
            if repeat.never_closer_than is not None and repeat.never_closer_than > (repeat.every or 0.0):
                yield (*loc, "repeat", "never closer than"), "is longer than 'every'", ""
        case step_forms.TogetherStep(together=branches):
            yield from _twice((branch.branch for branch in branches), (*loc, "together"), "branch")
        case step_forms.CallStep():
            return


def _only_if(names: Scope, text: str | None, loc: Loc) -> Found:
    """What decides whether the plan has an operation is known when the plan is made."""
    if text is None:
        return
    tree = yield from _condition(names, text, loc)
    if tree is not None and (measured(tree) or written(tree)):
        yield loc, "only parameters can decide this: the plan is made before anything is known", "a step 'if:' inside"


def _condition(names: Scope, text: str, loc: Loc) -> Generator[tuple[Loc, str, str], None, Expression | None]:
    """The condition, or its fault."""
    try:
        return condition(text, names)
    except ExpressionFault as fault:
        yield loc, fault.reason, fault.right
        return None


def _times(scheduled: Scheduled, loc: Loc) -> Found:
    forms = _forms_of_schedule(scheduled)
    if len(forms) > 1:
        yield loc, f"gives its time twice: {' and '.join(forms)}", "use one of at, every, days"
        return
    match forms:
        case ["at"]:
            yield from _reads(moment, scheduled.at, (*loc, "at"))
        case ["days"]:
            if scheduled.days is None:
                yield (*loc, "on"), "weekdays need the culture days they cover", "days: 16..25"
            if scheduled.at is None:
                yield loc, "days need a time of day", "at: 10:00"
            else:
                yield from _reads(clock, scheduled.at, (*loc, "at"))
        case ["every"]:
            assert scheduled.every is not None
            for key in scheduled.timing_outside():
                yield loc, f"beside 'every', {key!r} has no effect", f"write it inside: every: {{…, {key}: …}}"
            if (scheduled.every.until is None) == (scheduled.every.times is None):
                yield (*loc, "every"), "must end: give exactly one of until, times", ""
            yield from _every(scheduled.every, (*loc, "every"))
        case _:
            pass
    timing, where = scheduled.timing, (*loc, "every") if scheduled.every else loc
    late_s = timing.late_by_at_most
    if late_s is not None and isinstance(timing.window, float) and late_s < timing.window:
        reason = f"is shorter than the window (±{duration(timing.window)}), in which it is on time"
        yield (*where, "late by at most"), reason, "it counts from the planned time: a longer one, or leave it out"


def _every(every: Every, loc: Loc) -> Found:
    """Occurrences there are, and none that its own rule leaves out."""
    closest = every.never_closer_than
    if closest is not None and closest > every.interval:
        reason = f"is longer than the interval ({duration(every.interval)}): occurrences would be left out by rule"
        yield (*loc, "never closer than"), reason, "for example half the interval"
    first, last = every.start, every.until
    if last is not None and (first.after_s is None) == (last.after_s is None):
        begin = (first.after_s or 0.0, first.day, first.clock or time(0, 0))
        if (last.after_s or 0.0, last.day, last.clock or time(23, 59)) < begin:
            yield (*loc, "until"), "lies before 'from': it would never happen", "a later time"


def _reads(read: Callable[[str], object], value: str | None, loc: Loc) -> Found:
    try:
        read(value or "")
    except ValueError as error:
        yield loc, str(error), ""


def _ramps(points: tuple[SetPoint, ...], step: PlainStep, loc: Loc, already_set: set[str]) -> Found:
    """A ramp has a value to start from, and the time that it takes."""
    for point in points:
        if point.over_s and point.role not in already_set:
            yield (
                loc,
                f"{point.role} has no set point before this ramp to start from",
                "set it at once in a step before",
            )
        if step.at_most is not None and point.over_s >= step.at_most:
            yield loc, f"the ramp takes longer than 'at most' allows ({duration(step.at_most)})", "leave 'at most' out"


def _step(document: Document, step: PlainStep, loc: Loc, already_set: set[str]) -> Found:
    """One step: what it names exists, and it is bounded (RM-07)."""
    match step:
        case step_forms.SetStep(set=environment):
            if not environment.points():
                yield (*loc, "set"), "sets nothing", f"name one of: {', '.join(Environment.model_fields)}"
            yield from _ramps(environment.points(), step, (*loc, "set"), already_set)
            already_set.update(point.role for point in environment.points())
        case step_forms.WaitStep(wait=wait):
            if wait.until is not None and wait.at_most is None and step.at_most is None:
                yield (*loc, "wait"), "waiting for a condition needs a limit (RM-07)", "at most: 4 h"
            for condition in wait.until or ():
                if condition.tolerance is not None and condition.role not in already_set:
                    reason = f"{condition.role} has no set point before this wait"
                    yield (*loc, "wait", "until"), reason, f"{condition.role} within … of …"
        case step_forms.ExchangeStep(exchange=work):
            yield from _vessel(document, work.vessel, (*loc, "exchange", "in"), ("medium in", "medium out"))
            yield from _material(document, work.then_add.of, (*loc, "exchange", "then add", "of"))
        case step_forms.DoseStep(dose=work):
            yield from _vessel(document, work.vessel, (*loc, "dose", "into"), ("medium in",))
            yield from _material(document, work.of, (*loc, "dose", "of"))
        case step_forms.FillStep(fill=work):
            yield from _vessel(document, work.vessel, (*loc, "fill", "into"), ("medium in",))
            yield from _material(document, work.of, (*loc, "fill", "of"))
        case step_forms.RinseStep(rinse=work):
            yield from _material(document, work.of, (*loc, "rinse", "of"))
        case step_forms.WithdrawStep(withdraw=work):
            yield from _vessel(document, work.vessel, (*loc, "withdraw", "from"), ("medium out",))
            if (work.volume is None) == (work.to_level is None):
                yield (*loc, "withdraw"), "withdraws a volume or to a level: give one of them", "volume: 10 mL"
            if (work.to_level is None) != (work.at_most is None):
                yield (*loc, "withdraw"), "'to level' and 'at most' go together (RM-07)", "at most: 24 mL"
        case step_forms.PerfuseStep(perfuse=flow) | step_forms.RecirculateStep(recirculate=flow):
            verb = "perfuse" if isinstance(step, step_forms.PerfuseStep) else "recirculate"
            yield from _vessel(document, flow.vessel, (*loc, verb, "in"), ("perfusion",))
            point = SetPoint("perfusion", flow.at.value, ROLES["perfusion"], flow.at.over_s)
            yield from _ramps((point,), step, (*loc, verb), already_set)
            already_set.add("perfusion")
        case step_forms.PrimeStep(prime=work):
            yield from _material(document, work.of, (*loc, "prime", "of"))
        case step_forms.HandStep():
            yield from _by_hand(document, step, loc)
        case step_forms.SampleStep():
            yield from _vessel(document, step.vessel, (*loc, "from"), ())
            vessel = document.vessels.get(step.vessel)
            if vessel is not None and vessel.by_osteon:  # wells and pellets are counted, not measured
                yield from _reads(quantity("mL"), step.take, (*loc, "take"))
            yield from _by_hand(document, step, loc)
    if isinstance(step, FLUID) and step.at_most is None:
        yield loc, "a fluid step needs a maximum duration (RM-07)", "on a line of its own: 'at most: 2 h'"


def _by_hand(document: Document, step: step_forms.ByHand, loc: Loc) -> Found:
    for i, lot in enumerate(step.lots):
        yield from _material(document, lot, (*loc, "lots", i))
    for name, form in step.write_down.items():
        if form.options is not None and form.model_fields_set != {"options"}:
            yield (*loc, "write down", name), "one of several words has no kind, unit or limits", "options only"
        yield from _scanned(document, step, form, (*loc, "write down", name))
    for i, move in enumerate(step.moves):
        yield from _moved(document, move, (*loc, "moves", i))
    for i, act in enumerate(step.acts):
        here: Loc = (*loc, "acts", i)
        match act:
            case step_forms.Pour(into=vessel):
                yield from _vessel(document, vessel, (*here, "into"), ())
            case step_forms.Take(vessel=vessel):
                yield from _vessel(document, vessel, (*here, "from"), ())
            case step_forms.Stir(vessel=vessel):
                yield from _vessel(document, vessel, (*here, "in"), ())
            case step_forms.Harvest(harvest=vessel):
                yield from _vessel(document, vessel, (*here, "harvest"), ())
            case step_forms.Renew(of=of):
                yield from _material(document, of, (*here, "of"))
            case _:
                pass


def _scanned(document: Document, step: step_forms.ByHand, form: step_forms.EntryForm, loc: Loc) -> Found:
    """A scan names something of this protocol that carries a label, and nothing else."""
    if form.scan is None:
        return
    if form.model_fields_set != {"scan"}:
        yield loc, "a scan has no kind, unit, limits or words", "scan only"
    known = [*document.vessels, *document.materials, "donor"]
    if isinstance(step, step_forms.SampleStep):
        known.append("sample")
    if form.scan not in known:
        yield (*loc, "scan"), f"nothing with a label is called {form.scan!r}", nearest(form.scan, known)


def _moved(document: Document, move: step_forms.Move, loc: Loc) -> Found:
    """Vessels that exist, each once; shares that are not more than there is."""
    for i, name in enumerate(move.source):
        yield from _vessel(document, name, (*loc, "from", i), ())
    yield from _twice(move.source, (*loc, "from"), "vessel")
    for name, share in move.into.items():
        yield from _vessel(document, name, (*loc, "into", name), ())
        if share <= 0:
            yield (*loc, "into", name), "a share is more than 0 %", ""
    total = sum(move.into.values())
    if total > 100 + 1e-6:
        yield (*loc, "into"), f"the shares are {total:g} % together", "100 % at most; what is left over is discarded"


def _vessel(document: Document, name: str, loc: Loc, needs: tuple[str, ...]) -> Found:
    vessel = document.vessels.get(name)
    if vessel is None:
        yield loc, f"no vessel is called {name!r}", nearest(name, document.vessels)
        return
    missing = [need for need in needs if need not in vessel.needs]
    if missing:
        yield loc, f"{name} does not name what this step needs: {', '.join(missing)}", f"vessels.{name}.needs"


def _material(document: Document, name: str, loc: Loc) -> Found:
    if name not in document.materials:
        yield loc, f"no material is called {name!r}", nearest(name, document.materials)
