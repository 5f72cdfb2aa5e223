"""Decisions: a grammar of our own: what one says is checked for kind and unit, and nothing else can be said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.expressions import Kind, Scope, condition, measured, truth, written
from protocols.expressions.reading import DEEPEST, LONGEST, ExpressionFault
from protocols.expressions.scope import ROLE_KINDS
from protocols.expressions.tree import nodes

ARMS = ("differentiated", "undifferentiated")
SCOPE = Scope(
    {"arm": (Kind("word", words=ARMS), "differentiated"), "fill volume": (Kind("number", "mL"), 18.0)},
    {
        "confluence": Kind("number", "%"),
        "clear": Kind("truth"),
        "cells": Kind("number", "{cells}"),
        "wells with one body": Kind("number", "%"),
        "wells": Kind("number"),
        "ph": Kind("number", "[pH]"),
    },
    ROLE_KINDS,
)
WRITTEN = {"confluence": 85.0, "clear": True, "cells": 3e6, "wells with one body": 92.0, "wells": 60.0, "ph": 7.31}
MEASURED = {"co2": 5.0, "ph": 7.4, "temperature": 37.2, "humidity": 95.0}

ESCAPES = (
    "().__class__.__bases__[0].__subclasses__()",
    "__import__('os').system('true')",
    "confluence.__class__",
    "cells.real > 1",
    "WRITTEN['clear']",
    "clear[0]",
    "eval('1') > 0",
    "exec('x')",
    "open('/etc/passwd')",
    "getattr(clear, 'x')",
    "globals()",
    "lambda: clear",
    "(lambda: 1)() > 0",
    "[x for x in (1,)]",
    "{1: 2}",
    "f'{clear}'",
    "'{clear.__class__}' = 'x'",
    "'%s' % clear",
    "9**9**9 > 1",
    "9^9 > 1",
    "1 << 99 > 1",
    "clear; clear",
    "clear := yes",
    "clear if clear else clear",
    "clear\nimport os",
    "_clear",
    "__builtins__",
    "max(__builtins__, 1) > 0",
    "type(clear) = 1",
    "str(1) = '1'",
    "`id` = 1",
    "$(id) = 1",
    "${clear}",
    "{{clear}}",
    "0x10 > 1",
    "1_000 > 1",
    "1e999 > 1",
    "@clear",
    "clear ? 1 : 2",
    "await clear",
    "yield",
    "not",
    "",
    " ",
    "\x00",
    "clear\u200band clear",
    "cleаr",  # a Cyrillic letter
)


def says(text: str) -> bool | None:
    return truth(condition(text, SCOPE), WRITTEN, MEASURED)


def fault(text: str) -> ExpressionFault:
    with pytest.raises(ExpressionFault) as caught:
        condition(text, SCOPE)
    return caught.value


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("confluence >= 80 %", True),
        ("confluence ≥ 86 %", False),
        ("confluence between 60 % and 80 % or clear", True),
        ("not (clear and confluence < 80 %)", True),
        ("clear is not yes", False),
        ("arm is differentiated", True),
        ("arm is not undifferentiated", True),
        ("arm = 'differentiated'", True),
        ("temperature above 37 degC and co2 below 6 %", True),
        ("cells / 2 > 1e6 cells", True),
        ("cells * 80 % >= 2.4e6 cells", True),
        ("fill volume = 18000 uL", True),
        ("cells / 1e6 cells = 3", True),
        ("measured ph > 7.3 and written ph < 7.35", True),
        ("measured ph - written ph > 0.05 pH", True),
        ("max(confluence, wells with one body, 10 %) = 92 %", True),
        ("mean(confluence, wells with one body) > 88 %", True),
        ("abs(-3) = 3 and round(2.6) = 3 and min(2, 1) = 1", True),
        ("0.1 + 0.2 = 0.3", True),
        ("wells with one body > 90 % and wells = 60", True),
        ("1 / 0 > 1", None),
        ("1 / 0 > 1 or clear", True),
        ("humidity > 90 % and o2 < 19 %", None),
        ("o2 < 19 % and not clear", False),
    ],
)
def test_what_a_decision_says_is_yes_no_or_not_known(text: str, answer: bool | None):
    assert says(text) is answer


@pytest.mark.parametrize(
    ("text", "reason", "right"),
    [
        ("confluense >= 80 %", "nothing is called 'confluense' here", "did you mean 'confluence'?"),
        ("confluence >= 80", "a plain number beside a percentage", "write '80 %'"),
        ("confluence => 80 %", "'> 80 %' is not understood here", "have the '=' behind"),
        ("confluence >= and 80 %", "is missing before 'and'", ""),
        ("confluence >= 80 mL", "measure different things", ""),
        ("confluence", "a decision is yes or no", "compare it"),
        ("clear and confluence", "'and' joins what is yes or no", "compare it"),
        ("co2 > humidity", "vol-% and % relative humidity are different percentages", ""),
        ("arm is diferentiated", "nothing is called 'diferentiated' here", "did you mean 'differentiated'?"),
        ("arm = 'diferentiated'", "none of its words", "did you mean 'differentiated'?"),
        ("arm > 3", "cannot be compared", ""),
        ("temperature + 1 degC > 37 degC", "compared, not added", "temperature > 37.5 degC"),
        ("ph > 7.2", "written down and measured", "'measured ph' or 'written ph'"),
        ("confluence >= 80 furlongs", "no unit is called 'furlongs'", ""),
        ("(clear", "a ')' is missing", ""),
        ("clear clear", "'clear' is not understood here", ""),
        ("confluence between 60 %", "needs two bounds", "between 60 % and 80 %"),
        ("abs(1, 2) = 1", "takes 1 value", ""),
        ("cells * cells > 1", "has no unit here", ""),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(text: str, reason: str, right: str):
    found = fault(text)
    assert reason in found.reason
    assert right in found.right


@pytest.mark.req("SEC-14")
@pytest.mark.parametrize("text", ESCAPES)
def test_no_known_escape_of_an_evaluator_can_be_said(text: str):
    fault(text)


@pytest.mark.req("SEC-14")
def test_an_expression_is_bounded_in_length_depth_and_parts():
    assert "longer than" in fault("clear or " * LONGEST).reason
    assert "nested deeper" in fault("(" * (DEEPEST + 1) + "clear" + ")" * (DEEPEST + 1)).reason
    assert "nested deeper" in fault("not " * (DEEPEST + 1) + "clear").reason
    assert "more than 100 parts" in fault("+".join("1" * 60) + " > 1").reason


@pytest.mark.req("SEC-14")
@settings(max_examples=300)
@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from([*"()+-*/<>=,.'", *SCOPE.names, "and", "or", "not", "is", "80 %", "3"]), max_size=12
    ).map(" ".join)
)
def test_any_text_is_a_checked_tree_or_a_fault_in_words(text: str):
    try:
        tree = condition(text, SCOPE)
    except ExpressionFault as refused:
        assert refused.reason
        return
    assert truth(tree, WRITTEN, MEASURED) in (True, False, None)
    assert truth(tree, {}, {}) in (True, False, None)
    assert len(list(nodes(tree))) <= 100


@pytest.mark.req("SEC-14")
def test_numbers_as_large_as_they_get_have_a_mean_and_no_decision_raises():
    assert truth(condition("mean(1e308, 1e308, 1.5e308) > 1e308", SCOPE), {}, {}) is True
    huge = dict.fromkeys(WRITTEN, -1.7e308)
    assert truth(condition("mean(wells, wells, wells) < 1", SCOPE), huge, {}) is True


def test_a_tree_tells_what_it_needs():
    tree = condition("confluence > 80 % and co2 > 4 % and clear and co2 < 6 %", SCOPE)
    assert measured(tree) == ("co2",)
    assert written(tree) == ("confluence", "clear")
