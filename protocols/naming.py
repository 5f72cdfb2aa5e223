"""What the decisions of a protocol may speak of: its parameters, what its steps have written down, what is measured."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.expressions.scope import ROLE_KINDS, TRUTH, Kind, Scope, of_parameter
from protocols.models import Document
from protocols.nesting import all_steps
from protocols.step_forms import ByHand, EntryForm


def scope(document: Document, values: Mapping[str, str]) -> Scope:
    """The names of a document with these values of its parameters; a parameter that is not in order is left out."""
    fixed: dict[str, tuple[Kind, float | str]] = {}
    for name, parameter in document.parameters.items():
        try:
            fixed[name] = of_parameter(values.get(name, parameter.default), parameter.options)
        except ValueError:
            continue  # reported where it stands
    needed = {need for vessel in document.vessels.values() for need in vessel.needs}
    return Scope(fixed, entries(document), {role: kind for role, kind in ROLE_KINDS.items() if role in needed})


def entries(document: Document) -> dict[str, Kind]:
    """Everything hand steps have written down, by name; the last of a name wins where two differ."""
    return {
        name: kind(form)
        for _, step in all_steps(document)
        if isinstance(step, ByHand)
        for name, form in step.write_down.items()
    }


def kind(form: EntryForm) -> Kind:
    if form.options is not None:
        return Kind("word", words=form.options)
    match form.kind:
        case "yes/no":
            return TRUTH
        case "number":
            return Kind("number", form.unit)
        case _:
            return Kind("word")
