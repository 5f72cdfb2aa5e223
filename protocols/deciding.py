"""Decisions of a run: which way a choice goes, whether rounds are over. What is not known is asked of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from protocols.draft import Draft
from protocols.expressions.evaluating import truth
from protocols.expressions.tree import measured, written
from protocols.plan import Node
from protocols.run import Active

ASKED, OVER = "?", "over"
"""Parts of rounds: the condition is asked after round n ("n?"); no further round."""


def waits(node: Node, active: Active) -> bool:
    """Whether a choice, or rounds after one of them, wait for the answer of their condition."""
    match node.kind:
        case "choice":
            return not active.part
        case "rounds":
            return active.part.endswith(ASKED)
        case _:
            return False


def settled(draft: Draft, node: Node) -> bool:
    """Whether a node can go on without its condition being asked; decides at once where nothing live is needed."""
    if waits(node, draft.active[node.path]) and node.condition is not None and not measured(node.condition):
        decide(draft, node, {})
    active = draft.active[node.path]
    return not active.question and not waits(node, active)


def decide(draft: Draft, node: Node, values: Mapping[str, float | None]) -> None:
    """Answer the condition with these live values and what was written down; a person answers what is not known."""
    assert node.condition is not None  # planning gave every choice one, and only rounds with one are asked
    answer = truth(node.condition, draft.written, values)
    if answer is not None:
        apply(draft, node, answer)
        return
    unknown = [role for role in measured(node.condition) if values.get(role) is None]
    unknown += [name for name in written(node.condition) if name not in draft.written]
    text = f"{node.title}: not known ({', '.join(unknown) or 'no number comes of it'})"
    draft.alarm(f"{node.path}:unknown", "high", text, "Look for yourself, then say yes or no.")
    draft.ask(node.path, f"{text}. Is it so?", ("yes", "no"))


def apply(draft: Draft, node: Node, answer: bool) -> None:
    """Go the way of a yes or a no; the steps of the other way are skipped by rule (INV-14)."""
    active = draft.active[node.path]
    if node.kind == "choice":
        yes, no = node.children
        draft.active[node.path] = replace(active, part="then" if answer else "else", since=draft.at)
        draft.drop(no if answer else yes, "skipped by rule", node.title)
        return
    done = int(active.part.removesuffix(ASKED)) + 1
    if answer:
        draft.active[node.path] = replace(active, part=OVER, since=draft.at)
        for child in node.children[done:]:
            draft.drop(child, "skipped by rule", node.title)
    elif done < len(node.children):
        draft.active[node.path] = replace(active, part=str(done), since=draft.at)
    else:
        text = f"{node.title}: not so after {done} rounds"
        draft.alarm(f"{node.path}:rounds", "high", text, "Accept it as it is, or stop the run.")
        draft.ask(node.path, f"{text}. Go on as it is?", ("accept",))
