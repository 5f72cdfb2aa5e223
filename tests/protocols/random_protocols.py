"""Random protocols as text: stages, times, branches, choices, rounds, hands fluid, and values that change the plan."""

from __future__ import annotations

import functools
import json
from typing import Any

from hypothesis import strategies as st

import protocols
from protocols.plan import Plan
from tests.protocols.answering import START

Json = dict[str, Any]
FEED: Json = {"fill": {"into": "reactor", "volume": "{volume}", "of": "medium", "at": "1 mL/min"}, "at most": "1 h"}
EXCHANGE: Json = {
    "exchange": {
        "in": "reactor",
        "withdraw": {"to level": "72 mL", "at most": "24 mL", "at": "5 mL/min"},
        "then add": {"volume": "{volume}", "of": "medium", "at": "10 mL/min"},
        "drained at most": "45 min",
    },
    "at most": "60 min",
}
SPLIT: Json = {
    "dose": {
        "into": "reactor",
        "volume": "6 mL",
        "of": "medium",
        "at": "1 mL/min",
        "split": {"into": "2 times", "every": "2 h"},
    },
    "at most": "1 h",
}
LOOK: Json = {"hand": "Look", "write down": {"clear": "yes/no"}, "overdue": "2 h"}
FLUID = (FEED, EXCHANGE, SPLIT)
PLAIN: tuple[Json, ...] = (
    LOOK,
    {"wait": "10 min"},
    {"wait": {"for": "40 min", "count downtime": "no"}},
    {"set": {"temperature": "37.5 degC"}},
    {"wait": {"until": "temperature within 0.5 K of 37 degC", "for": "5 min", "at most": "2 h"}},
)
HEAD: Json = {
    "protocol": "random",
    "version": "1.0",
    "title": "Random",
    "status": "rehearsal",
    "species": "none",
    "parameters": {
        "volume": {"default": "5 mL", "range": "1..9 mL", "source": "A"},
        "arm": {"default": "a", "options": ["a", "b"], "source": "A"},
    },
    "vessels": {"reactor": {"kind": "stirred", "needs": ["temperature", "medium in", "medium out"]}},
    "materials": {"medium": {"recipe": "water", "keeps": "7 d at 4 degC"}},
}
YES_NO = st.sampled_from(["yes", "no"])
SETTINGS = ({"arm": "b"}, {"arm": "a"}, {"volume": "3 mL"}, {"volume": "5 mL"}, {"arm": "b", "volume": "8 mL"})


@st.composite
def step(draw, depth: int = 2) -> Json:
    kind = draw(st.sampled_from(["plain"] * 4 + (["if", "arm", "repeat", "every", "together"] if depth else [])))
    inner = st.lists(step(depth - 1), min_size=1, max_size=2) if depth else st.nothing()
    match kind:
        case "if":
            condition = draw(st.sampled_from(["clear", "temperature above 37 degC"]))
            return {"if": condition, "then": draw(inner), "else": draw(inner)}
        case "arm":
            return {"if": "arm is b", "then": draw(inner), "else": draw(st.one_of(st.just([]), inner))}
        case "repeat":
            until = draw(st.sampled_from([{}, {"until": "clear"}]))
            return {"repeat": {"do": [LOOK, draw(st.sampled_from(PLAIN))], "at most": "2 rounds", **until}}
        case "every":
            return {"repeat": {"do": [FEED], "every": "2 h", "at most": "3 rounds"}}
        case "together":
            names = ("Left", "Right")
            return {"together": [{"branch": name, "do": draw(inner), "independent": draw(YES_NO)} for name in names]}
        case _:
            return draw(st.sampled_from(PLAIN))


@st.composite
def timing(draw, index: int) -> Json:
    """Of an operation: what follows its name; some only one arm has."""
    rules = {"window": "±20 min", "if later": draw(st.sampled_from(["ask", "run", "skip"]))}
    if rules["if later"] == "ask" and draw(st.booleans()):
        rules["if nobody answers"] = draw(st.sampled_from(["run after 1 h", "skip after 1 h"]))
    rules["anchor"] = draw(st.sampled_from(["calendar", "interval"]))
    match draw(st.sampled_from(["every", "every", "at", "turn"])):
        case "every":
            hours = draw(st.sampled_from([1, 4]))
            every = {
                "interval": f"{hours} h", "from": f"start + {60 * (index + 1)} min", "times": draw(st.integers(1, 4)),
                "never closer than": f"{draw(st.sampled_from([20, 50]))} min", **rules,
            }  # fmt: skip
            before, fluid = draw(st.lists(st.sampled_from(PLAIN), max_size=1)), draw(st.sampled_from(FLUID))
            return {"every": every, "do": [*before, fluid, *draw(STEPS)]}
        case "at":
            return {"at": f"start + {120 * (index + 1)} min", "do": draw(STEPS), **rules}
        case _:
            return {"do": draw(STEPS)}


STEPS = st.lists(st.one_of(st.sampled_from(PLAIN), step()), min_size=1, max_size=2)


@st.composite
def texts(draw) -> str:
    stages: list[Json] = []
    for i in range(draw(st.integers(1, 3))):
        match draw(st.sampled_from(["do", "operations", "together", "timed"])):
            case "do":
                stages.append({"stage": f"S{i}", "do": draw(STEPS)})
            case "timed":
                stages.append({"stage": f"S{i}", **draw(timing(i))})
            case key:
                operations = [{"operation": f"O{j}", **draw(timing(i))} for j in range(draw(st.integers(1, 3)))]
                for operation in operations[draw(st.integers(0, 1)) :]:
                    if draw(st.booleans()):
                        operation["only if"] = "arm is b"
                        break
                if key == "together":
                    operations[0]["independent"] = draw(YES_NO)
                stages.append({"stage": f"S{i}", key: operations})
    rest: Json = draw(
        st.sampled_from([{}, {"on hold": {"task": "Look"}}, {"on alarm": [{"priority": "high", "do": "hold"}]}])
    )
    return json.dumps({**HEAD, **rest, "stages": [{"stage": "First", "do": [LOOK]}, *stages]}, indent=1)


def planned(text: str, **settings: str) -> Plan:
    return protocols.plan(loaded(text), START, "Asia/Tokyo", settings)


loaded = functools.lru_cache(protocols.load)
