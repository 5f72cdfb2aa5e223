"""A protocol as a person would read it at the bench: stages, days, steps in sentences, rules in words (UI-85)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from api.printed.words import act_words, condition_words, entry_words, move_words, plain, span, unit_words, volume
from protocols import step_forms
from protocols.models import Document, Scheduled, Timing, Vessel
from protocols.moments import Moment, moment
from protocols.plan import (
    Dose,
    Exchange,
    Hand,
    Interruption,
    Pause,
    SetEnvironment,
    SetPoint,
    WaitUntil,
    Withdraw,
    Within,
)
from protocols.protocol import Protocol
from protocols.step_forms import AnyStep
from protocols.steps import Steps

WIDTH = 98
SAID = "Rehearsal, not a validated or clinical protocol."
"""Stands above it already."""
ROLES = {"co2": "CO2", "o2": "oxygen", "ph": "pH", "stirring": "stirrer"}
VERBS = {
    "prime": "Prime the fill line with",
    "rinse": "Rinse the fill line with",
    "fill": "Fill",
    "dose": "Dose",
}
OUTAGE = {
    Interruption.RESUME: "after an outage it goes on",
    Interruption.RECONCILE: "after an outage osteon finds out what was delivered, and gives only the rest",
    Interruption.FINISH_NOW: "after an outage it is finished at once",
    Interruption.ASK: "after an outage a person decides",
}
LATER = {
    "ask": "later than that the run holds and asks",
    "run": "later than that it is still done, and recorded as late",
    "skip": "later than that it is left out, and recorded",
}
RECOMMENDED = {"run": "do it late", "shift": "do it late and shift what follows", "skip": "leave it out"}
NOBODY = {"hold": "the run stays held", "run": "it is done late", "skip": "it is left out"}


def reading(protocol: Protocol) -> str:
    """The whole protocol as text; names in braces are already values."""
    document = protocol.document
    lines = [document.title, "=" * len(document.title), ""]
    lines += wrapped(f"{document.protocol}, version {document.version}. Species: {document.species}.")
    lines += ["REHEARSAL, NOT A VALIDATED OR CLINICAL PROTOCOL.", ""]
    if about := (document.about or "").removeprefix(SAID).strip():
        lines += [*wrapped(about), ""]
    lines += [*_things(protocol), *_kept(document)]
    steps = Steps(document)
    for number, stage in enumerate(document.stages, 1):
        head = f"{number}. {stage.stage}"
        lines += ["", head, "-" * len(head)]
        if stage.do:
            lines += [*_schedule(stage, ""), *_steps(stage.do, steps, "  ")]
        if stage.together:
            lines += wrapped("These go on side by side, each at its own time.")
        for letter, operation in enumerate(stage.together or stage.operations):
            lines += ["", f"  {number}{_letter(letter)}  {operation.operation}"]
            if operation.only_if:
                lines += wrapped(f"Only if {condition_words(operation.only_if)}.", "      ")
            lines += [*_schedule(operation, "      "), *_steps(operation.do, steps, "      ")]
    return plain("\n".join(line.rstrip() for line in lines)) + "\n"


def wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    indent = " " * len(first) if rest is None else rest
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=first, subsequent_indent=indent) or [first]


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f".{number + 1}"


def _things(protocol: Protocol) -> Iterator[str]:
    document = protocol.document
    if document.vessels:
        yield "Vessels"
        for name, vessel in document.vessels.items():
            yield from wrapped(f"{name}: {_vessel(vessel)}", "  ", "    ")
    if document.materials:
        yield "Materials"
        for name, material in document.materials.items():
            keeps = f"keeps {material.keeps}" if material.keeps[:1].isdigit() else f"shelf life: {material.keeps}"
            yield from wrapped(f"{name}: {material.recipe}; {keeps}", "  ", "    ")
    if protocol.parameters:
        yield "Values that may be set"
        for name, value in protocol.parameters.items():
            form = document.parameters[name]
            limits = form.range
            allowed = f" ({limits.low:g} to {limits.high:g})" if limits else ""
            allowed = f" (one of {', '.join(form.options)})" if form.options else allowed
            yield from wrapped(f"{name}: {value}{allowed}", "  ", "    ")


def _vessel(vessel: Vessel) -> str:
    size = f" of {volume(vessel.volume)}" if vessel.volume else ""
    if vessel.by_osteon:
        screen = ", a screen keeps the spheroids" if vessel.retention == "screen" else ""
        return f"{vessel.kind} vessel{size}, served by osteon{screen}"
    many = f"{vessel.count} {vessel.kind}s" if vessel.count > 1 else f"1 {vessel.kind}"
    wells = f" with {vessel.wells} wells" if vessel.wells else ""
    return f"{many}{wells}{size}{' each' if size and (vessel.wells or vessel.count > 1) else ''}, served by hand"


def _kept(document: Document) -> Iterator[str]:
    hold, end = _points(document.environment.hold.points()), _points(document.environment.end.points())
    if hold:
        yield from wrapped(f"While the run is held: {hold}.")
    if on_hold := _points(document.on_hold.set.points()):
        yield from wrapped(f"Beside that, while held: {on_hold}.")
    if document.on_hold.task:
        yield from wrapped(f"At each hold a person is asked: {document.on_hold.task}.")
    for rule in document.on_alarm:
        which = f"of {rule.priority} priority " if rule.priority else ""
        about = f"about {rule.about!r} " if rule.about else ""
        does = "holds" if rule.do == "hold" else "is not held by the lines below"
        yield from wrapped(f"At an alarm {which}{about}the run {does}.")
    if end:
        yield from wrapped(f"After its end: {end}.")


def _points(points: Sequence[SetPoint]) -> str:
    return ", ".join(
        f"{_role(point.role)} {_value(point.value, point.unit)}"
        + (f" over {span(point.over_s)}, evenly from its present set point" if point.over_s else "")
        for point in points
    )


def _role(role: str) -> str:
    return ROLES.get(role, role)


def _value(value: float, unit: str) -> str:
    return f"{value:.6g} {unit_words(unit)}".rstrip()


def _schedule(scheduled: Scheduled, indent: str) -> list[str]:
    """When, how exactly, and what happens if it is late."""
    when = _when(scheduled)
    if not when:
        return []
    return wrapped(f"{when}. {_exactly(scheduled.timing, by_clock=True)}".strip(), indent)


def _when(scheduled: Scheduled) -> str:
    if scheduled.every is not None:
        every = scheduled.every
        begin = f"Every {span(every.interval)} from {_moment(every.start)}"
        if every.times is not None:
            return f"{begin}, {every.times} times"
        return f"{begin} until {_moment(every.until)}" if every.until else begin
    if scheduled.days is not None:
        days = _days(scheduled.days)
        only = f", only on {_and(list(scheduled.on))}" if scheduled.on else ""
        return f"On {days} at {scheduled.at}{only}"
    return f"{_moment(moment(scheduled.at), begin=True)}" if scheduled.at else ""


def _days(days: Sequence[int]) -> str:
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"days {days[0]} to {days[-1]}"
    return f"day{'s' if len(days) > 1 else ''} {_and([str(day) for day in days])}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _moment(at: Moment, *, begin: bool = False) -> str:
    if at.after_s is not None:
        words = f"{span(at.after_s)} after the start" if at.after_s else "the start"
        return (f"At {words}" if not at.after_s else words) if begin else words
    clock = f" at {at.clock:%H:%M}" if at.clock else ""
    return f"{'On d' if begin else 'd'}ay {at.day}{clock}"


def _exactly(timing: Timing, *, by_clock: bool) -> str:
    told: list[str] = []
    if timing.window == "same working day":
        told.append("any time the same working day will do")
    elif isinstance(timing.window, float):
        told.append(f"within {span(timing.window)} of it is on time")
    if timing.late_by_at_most is not None:
        told.append(f"up to {span(timing.late_by_at_most)} late it is done and recorded as late")
    if by_clock:
        told.append(LATER[timing.if_later])
    if timing.recommended:
        told.append(f"recommended then: {RECOMMENDED[timing.recommended]}")
    if timing.no_answer is not None:
        what, after_s = timing.no_answer
        nobody = f"if nobody answers within {span(after_s)}, " if after_s else "if nobody answers, "
        told.append(nobody + NOBODY[what])
    if timing.anchor == "interval":
        told.append("when it was late, what follows comes as much later")
    if timing.timed:
        told.append("its time counts: what is late here was longer in contact")
    if timing.never_closer_than is not None:
        told.append(f"never sooner than {span(timing.never_closer_than)} after the last one")
    if timing.never_further_apart_than is not None:
        told.append(f"an alarm before it is more than {span(timing.never_further_apart_than)} after the last one")
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _steps(do: Sequence[AnyStep], steps: Steps, indent: str) -> list[str]:
    lines: list[str] = []
    for number, step in enumerate(do, 1):
        lines += _step(step, steps, indent, f"{number}) ")
    return lines


def _step(step: AnyStep, steps: Steps, indent: str, number: str) -> list[str]:
    inner = indent + " " * len(number)
    match step:
        case step_forms.IfStep():
            lines = wrapped(f"If {condition_words(step.condition)}:", indent + number)
            lines += _steps(step.then, steps, inner)
            if step.otherwise:
                lines += [f"{inner}otherwise:", *_steps(step.otherwise, steps, inner)]
            return lines
        case step_forms.RepeatStep(repeat=repeat):
            often = f" every {span(repeat.every)}" if repeat.every else ""
            until = f" until {condition_words(repeat.until)}" if repeat.until else ""
            head = f"Repeat{often}{until}, at most {repeat.at_most} times:"
            return [*wrapped(head, indent + number), *_steps(repeat.do, steps, inner)]
        case step_forms.TogetherStep(together=branches):
            lines = wrapped("Side by side:", indent + number)
            for branch in branches:
                lines += [f"{inner}{branch.branch}:", *_steps(branch.do, steps, f"{inner}  ")]
            return lines
        case step_forms.CallStep():
            given = f", with {', '.join(f'{k} {v}' for k, v in step.settings.items())}" if step.settings else ""
            return wrapped(f"Everything of the protocol {step.call}{given}.", indent + number)
        case _:
            node = steps.node(step, "step", 0)
            while node.work is None:  # a dose in parts, a rinse done more than once
                node = node.children[0]
            return [line for n, text in enumerate(_plain(step, node.work, node.max_s, node.interruption))
                    for line in wrapped(text, indent + number if n == 0 else inner)]  # fmt: skip


def _plain(step: step_forms.PlainStep, work: object, max_s: float, rule: Interruption) -> Iterator[str]:
    """One step that does one thing: its sentence, then what belongs to it."""
    called = f"{step.called}: " if step.called and not isinstance(work, Hand) else ""
    match work:
        case SetEnvironment(points=points) if isinstance(step, step_forms.PerfuseStep | step_forms.RecirculateStep):
            flow = step.perfuse if isinstance(step, step_forms.PerfuseStep) else step.recirculate
            verb = "Perfuse" if isinstance(step, step_forms.PerfuseStep) else "Recirculate in"
            (point,) = points
            over = f", evenly over {span(point.over_s)}" if point.over_s else ""
            yield f"{called}{verb} the {flow.vessel} at {_value(point.value, point.unit)}{over}."
        case SetEnvironment(points=points):
            yield f"{called}Set {_points(points)}."
        case Pause(for_s=for_s):
            yield f"{called}Wait {span(for_s)}; {OUTAGE[rule]}."
        case WaitUntil(conditions=conditions, for_s=for_s):
            held = f"for {span(for_s)} without a break"
            limit = f"; longer than {span(max_s)} the run holds and asks" if max_s else ""
            yield f"{called}Wait until {_and([_within(c) for c in conditions])} {held}{limit}."
        case Exchange():
            yield (
                f"{called}Exchange in the {work.vessel}: withdraw to the {volume(work.to_level_ml)} level "
                f"(at most {volume(work.at_most_ml)}, {work.out_rate_ml_min:g} mL/min), then add "
                f"{volume(work.fill_ml)} of {work.fluid} at {work.fill_rate_ml_min:g} mL/min. "
                f"Never drained longer than {span(work.max_exposure_s)}; "
                f"takes {span(max_s)} at most; {OUTAGE[rule]}."
            )
        case Dose():
            verb = VERBS[work.purpose]
            into = "" if work.to_cup else f" into the {work.vessel}"
            rate = f"at {work.rate_ml_min:g} mL/min{_parts(step)}"
            yield (
                f"{called}{verb} {volume(work.volume_ml)} of {work.fluid}{into} {rate}; "
                f"takes {span(max_s)} at most; {OUTAGE[rule]}."
            )
        case Withdraw():
            level = "" if work.to_level_ml is None else f" down to the {volume(work.to_level_ml)} level, at most"
            yield (
                f"{called}Withdraw{level} {volume(work.volume_ml)} from the {work.vessel} at "
                f"{work.rate_ml_min:g} mL/min; takes {span(max_s)} at most; {OUTAGE[rule]}."
            )
        case Hand() as hand:
            yield from _hand(step, hand)
        case _:
            yield f"{called or type(work).__name__}; takes {span(max_s)} at most; {OUTAGE[rule]}."


def _parts(step: step_forms.PlainStep) -> str:
    match step:
        case step_forms.DoseStep(dose=step_forms.SplitFluid(split=step_forms.Split(into=parts, every=every_s))):
            return f", the first of {parts} equal parts, one every {span(every_s)}"
        case step_forms.RinseStep(rinse=step_forms.RinseWork(times=times)) if times > 1:
            return f", {times} times"
        case _:
            return ""


def _within(condition: Within) -> str:
    role, unit = _role(condition.role), unit_words(condition.unit)
    low, high = condition.low, condition.high
    if high == float("inf"):
        return f"{role} is above {low:.6g} {unit}".rstrip()
    if low == float("-inf"):
        return f"{role} is below {high:.6g} {unit}".rstrip()
    return f"{role} is {low:.6g} to {high:.6g} {unit}".rstrip()


def _hand(step: step_forms.PlainStep, hand: Hand) -> Iterator[str]:
    """What the person does, writes down and signs."""
    if isinstance(step, step_forms.SampleStep):
        what = f"Take {step.take} from the {step.vessel}" + (f": {step.called}" if step.called else "")
        name = step.sample.replace("{day}", "<day>")
        yield f"BY HAND, {span(hand.takes_s)}: {what}. Label it {name}."
        results = "; ".join(entry_words(entry) for entry in hand.results)
        yield f"Results within {span(hand.results_due_s)}: {results}. The run does not wait for them."
    elif isinstance(step, step_forms.HandStep):
        yield f"BY HAND, {span(hand.takes_s)}: {step.hand.rstrip('.').replace('{day}', '<day>')}."
    said = len(hand.acts) - len(step.acts) if isinstance(step, step_forms.SampleStep) else 0  # in the sentence above
    acts = [act_words(act) for act in hand.acts[said:] if act.act != "door"]
    if acts:
        yield f"That is: {'; '.join(acts)}."
    if hand.moves:
        yield f"What goes where: {'; '.join(move_words(move) for move in hand.moves)}."
    if hand.actors:
        yield f"May be done by {' or '.join(hand.actors)}, or by a person."
    if hand.out_of_incubator_s:
        yield f"At most {span(hand.out_of_incubator_s)} out of the incubator."
    if hand.entries:
        yield f"Write down: {'; '.join(entry_words(entry) for entry in hand.entries)}."
    if hand.lots:
        yield f"Scan the lot{'s' if len(hand.lots) > 1 else ''} of {_and(list(hand.lots))}."
    people = {"supervisor": "Signed by a supervisor. ", "two persons": "Signed by two persons. "}.get(hand.sign, "")
    yield f"{people}If it is not done within {span(hand.overdue_s)}, the run holds."
