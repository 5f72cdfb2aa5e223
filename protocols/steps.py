"""One step of the file as one node of the plan, with its bound, its interruption rule and its words (RM-07)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import assert_never

from drivers.core.units import parse_quantity
from protocols import step_forms
from protocols.models import Document
from protocols.plan import (
    Dose,
    Entry,
    Exchange,
    Hand,
    HandAct,
    Interruption,
    Move,
    Node,
    Pause,
    SetEnvironment,
    SetPoint,
    WaitUntil,
    Withdraw,
    Within,
    Work,
)
from protocols.quantities import ROLES, Condition
from protocols.step_forms import AnyStep, ByHand, EntryForm, PlainStep
from protocols.tree import duration

SET_AT_MOST_S = 600.0
"""Writing and reading back set points; reaching them is a wait."""
RAMP_SLACK = 1.2
PAUSE_SLACK_S = 60.0
CUP = "priming cup"
_COUNTED = re.compile(r"(\d+(?:\.\d+)?(?:e\d+)?) (wells|cells)")
"""What is taken of a plate or a flask."""


class Steps:
    """Turns steps into nodes in the order of the file; remembers set points, so that `within 0.2 K` has a target."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.set_points: dict[str, float] = {}

    def of(self, document: Document) -> Steps:
        """For another protocol that goes on in the same environment."""
        other = Steps(document)
        other.set_points = self.set_points
        return other

    @staticmethod
    def kind(step: AnyStep) -> str:
        """The word a step begins with; part of its path."""
        match step:
            case step_forms.SetStep():
                return "set"
            case step_forms.WaitStep():
                return "wait"
            case step_forms.ExchangeStep():
                return "exchange"
            case step_forms.DoseStep():
                return "dose"
            case step_forms.FillStep():
                return "fill"
            case step_forms.PrimeStep():
                return "prime"
            case step_forms.WithdrawStep():
                return "withdraw"
            case step_forms.RinseStep():
                return "rinse"
            case step_forms.PerfuseStep():
                return "perfuse"
            case step_forms.RecirculateStep():
                return "recirculate"
            case step_forms.HandStep():
                return "hand"
            case step_forms.SampleStep():
                return "sample"
            case step_forms.IfStep():
                return "if"
            case step_forms.RepeatStep():
                return "repeat"
            case step_forms.TogetherStep():
                return "together"
            case step_forms.CallStep(call=name):
                return name
            case _:
                assert_never(step)

    def node(self, step: PlainStep, path: str, day: int) -> Node:
        """The node of one step; `day` replaces {day} in texts."""
        work, title, max_s, rule = self._work(step)
        if step.if_interrupted is not None:
            rule = Interruption(step.if_interrupted.replace(" ", "_"))
        if isinstance(work, Hand):
            work = _dated(work, day)
        title = (step.called or title).replace("{day}", str(day))
        node = Node(path, title, "step", work=work, max_s=step.at_most or max_s, interruption=rule)
        match step:
            case step_forms.DoseStep(dose=step_forms.SplitFluid(split=step_forms.Split(into=parts, every=every_s))):
                return _in_parts(node, parts, every_s)
            case step_forms.RinseStep(rinse=step_forms.RinseWork(times=times)) if times > 1:
                rinses = [replace(node, path=f"{path}/{i + 1}", title=f"{title} {i + 1}") for i in range(times)]
                return Node(path, title, "sequence", tuple(rinses))
            case _:
                return node

    def _work(self, step: PlainStep) -> tuple[Work, str, float, Interruption]:
        """(work, title, longest time if the step names none, interruption rule if the step names none)."""
        match step:
            case step_forms.SetStep(set=environment):
                points = environment.points()
                self.set_points.update((point.role, point.value) for point in points)
                values = ", ".join(f"{point.role} {point.value:g} {point.unit}{_over(point)}" for point in points)
                work = SetEnvironment(points)
                return work, f"Set {values}", _set_at_most(work), Interruption.RESUME
            case step_forms.WaitStep(wait=wait):
                if wait.until is None:
                    return (
                        Pause(wait.for_s, wait.count_downtime),
                        "Wait",
                        wait.for_s + PAUSE_SLACK_S,
                        Interruption.RESUME,
                    )
                conditions = tuple(self._within(condition) for condition in wait.until)
                title = f"Wait for {', '.join(c.role for c in wait.until)}"
                return WaitUntil(conditions, wait.for_s), title, wait.at_most or 0.0, Interruption.RESUME
            case step_forms.ExchangeStep(exchange=work):
                return _exchange(work), f"Exchange medium in {work.vessel}", 0.0, Interruption.FINISH_NOW
            case step_forms.DoseStep(dose=work) | step_forms.FillStep(fill=work):
                purpose = "dose" if isinstance(step, step_forms.DoseStep) else "fill"
                dose = Dose(work.vessel, work.volume, work.at, work.of, purpose=purpose)
                return dose, f"{purpose.capitalize()} {work.vessel}", 0.0, Interruption.RECONCILE
            case step_forms.PrimeStep(prime=work):
                dose = Dose(CUP, work.volume, work.at, work.of, purpose="prime")
                return dose, "Prime the fill line", 0.0, Interruption.RECONCILE
            case step_forms.RinseStep(rinse=work):
                dose = Dose(CUP, work.volume, work.at, work.of, purpose="rinse")
                return dose, f"Rinse the fill line with {work.of}", 0.0, Interruption.RECONCILE
            case step_forms.WithdrawStep(withdraw=work):
                level_ml, volume_ml = work.to_level, work.volume or work.at_most or 0.0
                out = Withdraw(work.vessel, volume_ml, work.at, level_ml)
                what = f"{volume_ml:g} mL" if level_ml is None else f"to {level_ml:g} mL"
                return out, f"Withdraw {what} from {work.vessel}", 0.0, Interruption.RECONCILE
            case step_forms.PerfuseStep(perfuse=flow) | step_forms.RecirculateStep(recirculate=flow):
                point = SetPoint("perfusion", flow.at.value, ROLES["perfusion"], flow.at.over_s)
                self.set_points["perfusion"] = point.value
                verb = "Perfuse" if isinstance(step, step_forms.PerfuseStep) else "Recirculate"
                title = f"{verb} {flow.vessel} at {point.value:g} mL/min{_over(point)}"
                work = SetEnvironment((point,))
                return work, title, _set_at_most(work), Interruption.RESUME
            case step_forms.HandStep():
                return self._hand(step, step.hand), step.hand, step.overdue, Interruption.RESUME
            case step_forms.SampleStep():
                title = f"Sample {step.sample}: {step.take} from {step.vessel}"
                return self._sample(step, title), title, step.overdue, Interruption.RESUME
            case _:
                assert_never(step)

    def _within(self, condition: Condition) -> Within:
        """A condition with its range; one without a target is about the last set point before it."""
        like = ROLES[condition.role]
        if condition.tolerance is None:
            return Within(condition.role, like, condition.low, condition.high)
        target = self.set_points.get(condition.role)
        if target is None:
            raise ValueError(f"{condition.role} has no set point before this wait")
        return Within(condition.role, like, target - condition.tolerance, target + condition.tolerance)

    def _hand(self, step: ByHand, instruction: str) -> Hand:
        return Hand(
            instruction=instruction,
            entries=tuple(self._labelled(_entry(name, form), form) for name, form in step.write_down.items()),
            acts=tuple(self._placed(self._act(act)) for act in step.acts),
            lots=step.lots,
            sign=step.sign,
            out_of_incubator_s=step.out_of_incubator or 0.0,
            overdue_s=step.overdue,
            takes_s=step.takes,
            moves=tuple(_move(move) for move in step.moves),
            actors=step.may_be_done_by or (),
        )

    def _labelled(self, entry: Entry, form: EntryForm) -> Entry:
        """A scan with the label that it expects (RM-10)."""
        if form.scan is None:
            return entry
        vessel = self.document.vessels.get(form.scan)
        if vessel is not None:
            return replace(entry, label=vessel.label, of=form.scan, count=vessel.count)
        if form.scan in ("donor", "sample"):
            return replace(entry, label=form.scan)
        return replace(entry, label="bottle", of=form.scan)

    def _sample(self, step: step_forms.SampleStep, title: str) -> Hand:
        hand = self._hand(step, step.called or title)
        if self.document.vessels[step.vessel].by_osteon:
            taken = HandAct("take", step.vessel, parse_quantity(step.take, "mL")[0])
            hand = replace(hand, acts=(taken, *hand.acts))
        elif counted := _COUNTED.fullmatch(step.take):
            used = HandAct("sample", step.vessel, value=float(counted[1]), fluid=counted[2])
            hand = replace(hand, acts=(self._placed(used), *hand.acts))
        results = tuple(_entry(name, form) for name, form in step.results.items())
        return replace(hand, sample=step.sample, results=results, results_due_s=step.due)

    def _placed(self, act: HandAct) -> HandAct:
        vessel = self.document.vessels.get(act.vessel)
        if vessel is None or vessel.by_osteon:
            return act
        return replace(act, elsewhere=True, kind=vessel.kind, dishes=(vessel.count or 1) * (vessel.wells or 1))

    def _act(self, act: step_forms.Act) -> HandAct:
        match act:
            case step_forms.Pour():
                return HandAct("pour", act.into, act.pour, act.of, cells_per_ml=act.cells or 0.0)
            case step_forms.Take():
                return HandAct("take", act.vessel, act.take)
            case step_forms.Renew():
                return HandAct("renew", volume_ml=act.renew, fluid=act.of)
            case step_forms.Hang():
                return HandAct(f"line_{act.line.replace(' ', '_')}")
            case step_forms.Stir():
                return HandAct("stir", act.vessel, value=act.stir)
            case step_forms.Door():
                return HandAct("door", duration_s=act.door)
            case step_forms.Harvest():
                return HandAct("harvest", act.harvest)
            case _:
                assert_never(act)


def _over(point: SetPoint) -> str:
    return f" over {duration(point.over_s)}" if point.over_s else ""


def _set_at_most(work: SetEnvironment) -> float:
    """A ramp may be kept waiting by its device; then it ends so much later."""
    return SET_AT_MOST_S + RAMP_SLACK * work.over_s


def _in_parts(whole: Node, parts: int, every_s: float) -> Node:
    """A dose split: parts of equal volume, each with intents of its own, under the one cap of the whole (DS-10)."""
    dose = whole.work
    assert isinstance(dose, Dose)  # the form of the step has it so
    part = replace(dose, volume_ml=dose.volume_ml / parts, split_of=whole.path, split_cap_ml=dose.volume_ml)
    children = tuple(
        replace(
            whole,
            path=f"{whole.path}/{i + 1}",
            title=f"{whole.title}, {i + 1} of {parts}",
            work=part,
            after_s=i * every_s,
        )
        for i in range(parts)
    )
    return Node(whole.path, whole.title, "sequence", children)


def _exchange(work: step_forms.ExchangeWork) -> Exchange:
    out, into = work.withdraw, work.then_add
    return Exchange(
        vessel=work.vessel,
        to_level_ml=out.to_level,
        at_most_ml=out.at_most,
        out_rate_ml_min=out.at,
        fill_ml=into.volume,
        fill_rate_ml_min=into.at,
        fluid=into.of,
        max_exposure_s=work.drained_at_most,
    )


def _move(move: step_forms.Move) -> Move:
    shares = tuple(share / 100 for share in move.into.values())
    return Move(move.move, move.source, tuple(move.into), shares, move.kept / 100, move.becomes or "")


def _entry(name: str, form: EntryForm) -> Entry:
    kind = "choice" if form.options else "yes_no" if form.kind == "yes/no" else form.kind
    kind = "scan" if form.scan is not None else kind
    limits, warn = form.limits, form.warn
    return Entry(
        name=name,
        kind=kind,
        unit=form.unit,
        low=None if limits is None else limits.low,
        high=None if limits is None else limits.high,
        warn_low=None if warn is None else warn.low,
        warn_high=None if warn is None else warn.high,
        options=form.options or (),
    )


def _dated(hand: Hand, day: int) -> Hand:
    """{day} in the texts of a task replaced."""
    return replace(
        hand,
        instruction=hand.instruction.replace("{day}", str(day)),
        sample=hand.sample.replace("{day}", str(day)),
    )
