"""Changes of a running batch: one occurrence skipped, moved or repeated, or other values (RM-05, UI-51).

Only the future changes: what has begun or is over keeps its path, its work and its times. Each change gives a whole new
plan, which the journal keeps with the event, so that a replay needs no rule of today to know what was changed then.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from protocols.events import Amended
from protocols.plan import Dose, Fluid, Node, Plan
from protocols.run import Run
from protocols.tree import duration

AGAIN = "again"


class CannotAmend(ValueError):
    """Why this change is not possible, in words."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A changed plan, the occurrences that are left out, and what is said of it in words."""

    plan: Plan
    skip: tuple[str, ...]
    said: str


def skipped(plan: Plan, run: Run, path: str) -> Amendment:
    """One future step or occurrence left out."""
    node = future(plan, run, path)
    return Amendment(plan, (path,), f"skip {node.title or path}")


def moved(plan: Plan, run: Run, path: str, due: float) -> Amendment:
    """One future occurrence at another time (UTC s); it keeps its place in the order of its operation."""
    node = future(plan, run, path)
    if node.due is None:
        timed = next((above for above in plan.upward(path) if plan.nodes[above].due is not None), "")
        hint = f"; the occurrence it belongs to is {timed}" if timed else ": it begins when its turn comes"
        raise CannotAmend(f"{path} has no time of its own{hint}")
    if due <= run.looked:
        raise CannotAmend(f"{path} cannot be moved into the past")
    planned = due - shifted(plan, run, path)
    before, after = neighbours(plan, path)
    if before is not None and before.path not in run.finished and planned <= (before.due or 0.0):
        raise CannotAmend(f"{path} would come before {before.path}: move or skip that one first")
    if after is not None and planned >= (after.due or planned + 1):
        raise CannotAmend(f"{path} would come after {after.path}: move or skip that one first")
    shift = planned - node.due
    said = f"move {node.title or path} {duration(abs(shift))} {'later' if shift > 0 else 'earlier'}"
    return Amendment(changed(plan, path, lambda old: replace(old, due=planned, amended=True)), (), said)


def repeated(plan: Plan, run: Run, path: str, due: float) -> Amendment:
    """One finished step or occurrence once more at `due`, as a new occurrence with a key of its own (INV-13)."""
    node = plan.nodes.get(path)
    if node is None or path not in run.finished:
        raise CannotAmend(f"{path} is not over: only what is over can be done once more")
    parent = plan.parents.get(path)
    if parent is None or plan.nodes[parent].kind not in ("sequence", "parallel") or parent in run.finished:
        raise CannotAmend(f"{parent or path} is over or has no room for one more: write a note, or start another run")
    if due <= run.looked:
        raise CannotAmend("a repetition lies in the future")
    number = 1 + sum(child.path.startswith(f"{path}-{AGAIN}-") for child in plan.nodes[parent].children)
    planned = due - shifted(plan, run, path)
    copy = spaced(plan, run, renamed(replace(node, due=planned), path, f"{path}-{AGAIN}-{number}"), parent)
    copy = replace(copy, amended=True, title=f"{node.title or path}, once more")

    def insert(old: Node) -> Node:
        at = next((i for i, child in enumerate(old.children) if follows(run, child, planned)), len(old.children))
        return replace(old, children=(*old.children[:at], copy, *old.children[at:]))

    return Amendment(changed(plan, parent, insert), (), f"do {node.title or path} once more")


def revalued(plan: Plan, run: Run, fresh: Plan) -> Amendment:
    """Other parameter values: `fresh` is the protocol planned anew with them; what has begun stays as it was."""
    values = [
        f"{name}: {plan.parameters.get(name)} to {value}"
        for name, value in fresh.parameters.items()
        if value != plan.parameters.get(name)
    ]
    if not values:
        raise CannotAmend("these are the values the run has already")
    lost = [path for path in (*run.active, *run.finished) if path not in fresh.nodes and AGAIN not in path]
    if lost:
        raise CannotAmend(f"the new values would take away what has begun: {lost[0]}")
    root = merged(plan.root, fresh.root, run)
    return Amendment(replace(plan, root=root, parameters=fresh.parameters), (), f"set {'; '.join(values)}")


def event(amendment: Amendment, at: float, by: str, why: str) -> Amended:
    return Amended(at, by, f"{amendment.said}: {why}", amendment.skip, amendment.plan)


def violations(plan: Plan, amendment: Amendment, run: Run) -> tuple[str, ...]:
    """What the changed plan would break that the plan before did not: the distances of occurrences."""
    found = dict.fromkeys((*distances(amendment.plan, run, amendment.skip), *unspaced(plan, amendment)))
    return tuple(text for text in found if text not in dict.fromkeys(distances(plan, run, ())))


def distances(plan: Plan, run: Run, skip: tuple[str, ...]) -> Iterable[str]:
    """Occurrences of one operation nearer to each other, or further apart, than its rules allow."""
    keys: dict[str, list[Node]] = {}
    for node in plan.nodes.values():
        if node.spacing_key and node.due is not None and node.path not in run.finished and node.path not in skip:
            keys.setdefault(node.spacing_key, []).append(node)
    for key, nodes in keys.items():
        last = run.last_fluid.get(key)
        for node in sorted(nodes, key=lambda each: each.due or 0.0):
            due = (node.due or 0.0) + shifted(plan, run, node.path)
            if last is not None and due - last < node.min_interval_s:
                text = f"{duration(due - last)} after the one before; never closer than {duration(node.min_interval_s)}"
                yield f"{node.title or node.path}: {text}"
            if last is not None and 0 < node.max_interval_s < due - last:
                limit = f"never further apart than {duration(node.max_interval_s)}"
                yield f"{node.title or node.path}: {duration(due - last)} after the one before; {limit}"
            last = due


def unspaced(plan: Plan, amendment: Amendment) -> Iterable[str]:
    """New steps that move fluid where no rule keeps a distance from the step before (INV-15)."""
    for path, node in amendment.plan.nodes.items():
        if path in plan.nodes or not isinstance(node.work, Fluid):
            continue
        if not any(amendment.plan.nodes[above].min_interval_s > 0 for above in amendment.plan.upward(path)):
            yield f"{node.title or path}: moves fluid, and no 'never closer than' stands at it"


def shifted(plan: Plan, run: Run, path: str) -> float:
    """How much later than its plan says a node is due by now, s: `Node.due` of a changed plan is without it."""
    return run.shifted.get(plan.parents.get(path, ""), 0.0)


def spaced(plan: Plan, run: Run, copy: Node, parent: str) -> Node:
    """The copy, as far from other doses as what it stands in: a step done once more is a dose of its own (INV-15)."""
    rule = next((plan.nodes[above] for above in plan.upward(parent) if plan.nodes[above].min_interval_s > 0), None)
    if copy.spacing_key or rule is None or not any(isinstance(each.work, Fluid) for each in below(copy)):
        return copy
    ahead = next((each for each in below(rule) if isinstance(each.work, Fluid) and each.path not in run.finished), None)
    if ahead is not None:
        raise CannotAmend(f"{ahead.path} of the same occurrence is still to come: wait until it is over, or skip it")
    return replace(copy, spacing_key=rule.spacing_key, min_interval_s=rule.min_interval_s)


def below(node: Node) -> Iterator[Node]:
    """The node and everything in it."""
    yield node
    for child in node.children:
        yield from below(child)


# ---- trees -------------------------------------------------------------------------------------------------------


def future(plan: Plan, run: Run, path: str) -> Node:
    """The node, if nothing of it has begun. Raises CannotAmend."""
    node = plan.nodes.get(path)
    if node is None:
        near = difflib.get_close_matches(path, plan.nodes, n=1, cutoff=0.6)
        right = f"did you mean {near[0]!r}?" if near else "what is ahead, with its path: 'osteon runs show RUN'"
        raise CannotAmend(f"no step of this run is called {path!r} ({right})")
    if path in run.finished:
        raise CannotAmend(f"{path} is over ({run.finished[path]})")
    if path in run.active:
        raise CannotAmend(f"{path} has begun: decide about it, or hold the run")
    return node


def neighbours(plan: Plan, path: str) -> tuple[Node | None, Node | None]:
    """The timed nodes before and after one in its sequence."""
    siblings = plan.nodes[plan.parents[path]].children
    if plan.nodes[plan.parents[path]].kind != "sequence":
        return None, None
    index = [node.path for node in siblings].index(path)
    before = [node for node in siblings[:index] if node.due is not None]
    after = [node for node in siblings[index + 1 :] if node.due is not None]
    return before[-1] if before else None, after[0] if after else None


def changed(plan: Plan, path: str, change: Callable[[Node], Node]) -> Plan:
    """The plan with one node changed."""
    wanted = set(plan.upward(path))

    def walk(node: Node) -> Node:
        if node.path == path:
            return change(node)
        if node.path not in wanted:
            return node
        return replace(node, children=tuple(walk(child) for child in node.children))

    return replace(plan, root=walk(plan.root))


def renamed(node: Node, path: str, new: str) -> Node:
    """The node and everything below it under another path; parts of a split dose get a cap of their own (DS-10)."""
    children = tuple(renamed(child, path, new) for child in node.children)
    work = node.work
    if isinstance(work, Dose) and f"{work.split_of}/".startswith(f"{path}/"):
        work = replace(work, split_of=new + work.split_of.removeprefix(path))
    return replace(node, path=new + node.path.removeprefix(path), work=work, children=children)


def follows(run: Run, child: Node, due: float) -> bool:
    """Whether a child of a sequence comes after something new at `due`: it has not begun, and is later or untimed."""
    begun = child.path in run.finished or child.path in run.active
    return not begun and (child.due is None or child.due > due)


def merged(old: Node, new: Node, run: Run) -> Node:
    """`new`, with what has begun or is over as it was, and at the times that people have given to the rest."""
    if old.path in run.finished or (old.path in run.active and (old.kind == "step" or old.kind != new.kind)):
        return old
    before = {child.path: child for child in old.children}
    fresh = {child.path for child in new.children}
    begun = run.finished.keys() | run.active.keys()
    lost = [child for child in old.children if child.path not in fresh and (child.path in begun or child.amended)]
    too_late = missed(old, new, run)
    children = [
        merged(before[child.path], child, run) if child.path in before else child
        for child in new.children
        if child.path not in too_late
    ]
    for child in lost:
        earlier = set(before_of(old, child))
        at = 1 + max((i for i, each in enumerate(children) if each.path in earlier), default=-1)
        children.insert(at, child)
    kept = old.path in run.active or old.amended
    return replace(new, due=old.due if kept else new.due, amended=old.amended, children=tuple(children))


def missed(old: Node, new: Node, run: Run) -> set[str]:
    """What only the new values bring, at places that a sequence has passed: its turn was before they came (INV-13)."""
    if old.kind not in ("sequence", "rounds") or old.path not in run.active:
        return set()
    passed = {
        child.path
        for child in takewhile(lambda each: each.path in run.finished or each.path in run.active, old.children)
    }
    last = max((i for i, child in enumerate(new.children) if child.path in passed), default=-1)
    return {child.path for child in new.children[:last]} - {child.path for child in old.children}


def before_of(node: Node, child: Node) -> list[str]:
    """The paths of the children that stand before one."""
    paths = [each.path for each in node.children]
    return paths[: paths.index(child.path)]
