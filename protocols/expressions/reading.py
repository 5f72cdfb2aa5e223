"""From `confluence >= 80 % and not contaminated` to a checked tree. Every rule of the grammar is one method.

    truth      = both {"or" both}
    both       = one {"and" one}
    one        = "not" one | comparison
    comparison = sum [("<" | "<=" | ">" | ">=" | "=" | "!=") sum | "above" sum | "below" sum
                     | "between" sum "and" sum | "is" ["not"] sum]
    sum        = product {("+" | "-") product}
    product    = factor {("*" | "/") factor}
    factor     = "-" factor | "(" truth ")" | function "(" sum {"," sum} ")" | quantity | 'word' | yes | no | name

Names are those of the scope and no others; there is no attribute, no item, no power, no text formatting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from drivers.core.units import UnknownUnit, convert, unit
from protocols.expressions.scope import NUMBER, TRUTH, Kind, Scope
from protocols.expressions.tree import (
    Constant,
    Expression,
    Function,
    Measured,
    Named,
    Negation,
    Operation,
    Operator,
    Written,
)
from protocols.faults import nearest

LONGEST, DEEPEST, MOST_NODES = 500, 20, 100
FUNCTIONS: dict[str, tuple[Named, int]] = {
    "min": ("min", 10), "max": ("max", 10), "mean": ("mean", 10), "abs": ("abs", 1), "round": ("round", 1),
}  # fmt: skip
"""Name -> (function, most arguments)."""
SIGNS: dict[str, Operator] = {
    "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "!=": "!=", "≠": "!=", "==": "=", "<": "<", ">": ">", "=": "=",
    "above": ">", "below": "<",
}  # fmt: skip
KEYWORDS = ("and", "or", "not", "is", "above", "below", "between", "yes", "no", "measured", "written")

_NUMBER = re.compile(r"(?:\d{1,15}(?:\.\d{1,15})?)(?:[eE][+-]?\d{1,3})?")
_UNIT = re.compile(r"[A-Za-zµμ°%℃\[{][^\s()<>=!+*,'\"]*")
_WORD = re.compile(r"[^\W\d_][\w-]*")
_QUOTED = re.compile(r"'([^'\\{}]{1,100})'|\"([^\"\\{}]{1,100})\"")

Typed = tuple[Expression, Kind]


class ExpressionFault(ValueError):
    """What is wrong with an expression, in words; `right` = what would be right."""

    def __init__(self, reason: str, right: str = "") -> None:
        super().__init__(reason)
        self.reason, self.right = reason, right


def condition(text: str, scope: Scope) -> Expression:
    """A decision: an expression that is yes or no. Raises ExpressionFault."""
    tree, kind = _Reader(text, scope).whole()
    if kind.what != "truth":
        raise ExpressionFault(f"{text!r} is {kind}, and a decision is yes or no", "compare it: '… >= 80 %'")
    return tree


class _Reader:
    def __init__(self, text: str, scope: Scope) -> None:
        if len(text) > LONGEST:
            raise ExpressionFault(f"longer than {LONGEST} characters", "split the decision into several")
        self.text, self.scope, self.names = text, scope, scope.names
        self.at, self.depth, self.count = 0, 0, 0

    def whole(self) -> Typed:
        found = self.truth()
        self._blank()
        if self.at < len(self.text):
            raise self._fault(f"{self._rest()!r} is not understood here")
        return found

    def truth(self) -> Typed:
        return self._chain("or", lambda: self._chain("and", self.one))

    def _chain(self, word: Operator, part: Callable[[], Typed]) -> Typed:
        tree, kind = part()
        while self._keyword(word):
            self._is_truth(kind, word)
            right, other = part()
            self._is_truth(other, word)
            tree = self._node(Operation(word, tree, right))
        return tree, kind

    def one(self) -> Typed:
        if self._keyword("not"):
            with_depth = self._deeper(self.one)
            self._is_truth(with_depth[1], "not")
            return self._node(Negation(with_depth[0])), TRUTH
        return self.comparison()

    def comparison(self) -> Typed:
        left = self.sum()
        if self._keyword("between"):
            low = self.sum()
            if not self._keyword("and"):
                raise self._fault("'between' needs two bounds", "between 60 % and 80 %")
            high = self.sum()
            above, below = self._compared(">=", left, low), self._compared("<=", left, high)
            return self._node(Operation("and", above, below)), TRUTH
        if self._keyword("is"):
            sign: Operator = "!=" if self._keyword("not") else "="
            return self._compared(sign, left, self.sum(words=left[1].words)), TRUTH
        found = self._sign()
        return left if found is None else (self._compared(found, left, self.sum(words=left[1].words)), TRUTH)

    def sum(self, words: tuple[str, ...] = ()) -> Typed:
        left = self.product(words)
        while (sign := self._one_of("+-")) is not None:
            right = self.product(())
            if "temperature" in (left[1].dimension, right[1].dimension):
                raise self._fault("temperatures are compared, not added", "temperature > 37.5 degC")
            tree = Operation("+" if sign == "+" else "-", *self._alike(left, right))
            left = self._node(tree), left[1]
        return left

    def product(self, words: tuple[str, ...]) -> Typed:
        left = self.factor(words)
        while (sign := self._one_of("*/")) is not None:
            right = self.factor(())
            self._are_numbers(left[1], right[1])
            if sign == "/" and left[1].unit and left[1].dimension == right[1].dimension:
                left = self._node(Operation("/", *self._alike(left, right))), NUMBER
            elif right[1].unit in ("", "%"):
                part = right[0] if not right[1].unit else self._node(Operation("/", right[0], Constant(100.0)))
                left = self._node(Operation("*" if sign == "*" else "/", left[0], part)), left[1]
            elif sign == "*" and not left[1].unit:
                left = self._node(Operation("*", left[0], right[0])), right[1]
            else:
                raise self._fault(f"{left[1]} {sign} {right[1]} has no unit here", "use a plain number as the factor")
        return left

    def factor(self, words: tuple[str, ...] = ()) -> Typed:
        self._blank()
        if self._one_of("-") is not None:
            tree, kind = self._deeper(self.factor)
            self._are_numbers(kind)
            return self._node(Negation(tree)), kind
        if self._one_of("(") is not None:
            found = self._deeper(self.truth)
            self._close()
            return found
        if match := _NUMBER.match(self.text, self.at):
            return self._quantity(match)
        if match := _QUOTED.match(self.text, self.at):
            self.at = match.end()
            return self._node(Constant(match[1] or match[2])), Kind("word")
        for word in sorted(words, key=len, reverse=True):
            if self._literally(word):
                return self._node(Constant(word)), Kind("word", words=words)
        return self._name()

    def _quantity(self, match: re.Match[str]) -> Typed:
        number = float(match[0])
        if not math.isfinite(number):
            raise self._fault(f"{match[0]} is too large")
        self.at = match.end()
        self._blank()
        symbol = _UNIT.match(self.text, self.at)
        if symbol is None or symbol[0] in KEYWORDS:
            return self._node(Constant(number)), NUMBER
        try:
            found = unit(symbol[0]).symbol
        except UnknownUnit as error:
            own = {kind.unit for kind in self.scope.written.values()}
            if symbol[0] not in own:
                raise ExpressionFault(f"no unit is called {symbol[0]!r}", str(error).partition("(")[2][:-1]) from error
            found = symbol[0]
        self.at = symbol.end()
        return self._node(Constant(number)), Kind("number", found)

    def _name(self) -> Typed:
        for word, value in (("yes", True), ("no", False)):
            if self._literally(word):
                return self._node(Constant(value)), TRUTH
        for word, (name, most) in FUNCTIONS.items():
            if self._literally(word, "("):
                return self._function(name, most)
        which = next((word for word in ("measured", "written") if self._keyword(word)), "")
        self._blank()
        for name in self.names:
            if self._literally(name):
                return self._named(name, which)
        word = _WORD.match(self.text, self.at)
        if word is None:
            if self._rest():
                right = "'>=' and '<=' have the '=' behind" if self.text[: self.at].rstrip().endswith("=") else ""
                raise self._fault(f"{self._rest()!r} is not understood here", right)
            raise self._fault("ends too early", "a name, a number or a comparison is missing at its end")
        if word[0] in ("and", "or", "not", "is", "above", "below", "between"):
            raise self._fault(f"a name, a number or a comparison is missing before {word[0]!r}")
        options = (each for kind, _ in self.scope.fixed.values() for each in kind.words)
        raise self._fault(f"nothing is called {word[0]!r} here", nearest(word[0], (*self.names, *options)))

    def _named(self, name: str, which: str) -> Typed:
        in_written, in_measured = name in self.scope.written, name in self.scope.measured
        if name in self.scope.fixed and not which:
            kind, value = self.scope.fixed[name]
            return self._node(Constant(value)), kind
        if which == "written" and not in_written:
            raise self._fault(f"no step has {name!r} written down")
        if which == "measured" and not in_measured:
            raise self._fault(f"{name!r} is not measured")
        if in_written and in_measured and not which:
            raise self._fault(f"{name!r} is written down and measured", f"say 'measured {name}' or 'written {name}'")
        if in_written and which != "measured":
            return self._node(Written(name)), self.scope.written[name]
        return self._node(Measured(name)), self.scope.measured[name]

    def _function(self, name: Named, most: int) -> Typed:
        parts = [self._deeper(self.sum)]
        while self._one_of(",") is not None:
            parts.append(self._deeper(self.sum))
        self._close()
        if len(parts) > most:
            raise self._fault(f"{name} takes {most} value{'s' if most > 1 else ''}")
        first = parts[0]
        arguments = [self._alike(first, part)[1] for part in parts]
        return self._node(Function(name, tuple(arguments))), first[1]

    # ---- kinds ----------------------------------------------------------------------------------------

    def _compared(self, sign: Operator, left: Typed, right: Typed) -> Expression:
        if left[1].what == right[1].what == "number":
            return self._node(Operation(sign, *self._alike(left, right)))
        if left[1].what != right[1].what or sign not in ("=", "!="):
            truth = "truth" in (left[1].what, right[1].what)
            right_way = "write the name alone, or 'not' before it" if truth else ""
            raise self._fault(f"{left[1]} cannot be compared with {right[1]} by {sign!r}", right_way)
        for (tree, _), kind in ((left, right[1]), (right, left[1])):
            if isinstance(tree, Constant) and kind.words and tree.value not in kind.words:
                raise self._fault(f"{tree.value!r} is none of its words", nearest(str(tree.value), kind.words))
        return self._node(Operation(sign, left[0], right[0]))

    def _alike(self, left: Typed, right: Typed) -> tuple[Expression, Expression]:
        """Both numbers in the unit of the left one."""
        (tree, kind), (other, its) = left, right
        self._are_numbers(kind, its)
        if kind.unit == "[pH]" and its == NUMBER and isinstance(other, Constant):
            return tree, other
        for (one, of), beside in ((left, its), (right, kind)):
            if isinstance(one, Constant) and of == NUMBER and beside.unit == "%":
                raise self._fault("a plain number beside a percentage", f"write '{one.value:g} %'")
        if kind.dimension != its.dimension:
            need = f"write for example '5 {kind.unit}'" if its == NUMBER and kind.unit else ""
            raise self._fault(f"{kind} and {its} measure different things", need)
        if kind.of and its.of and kind.of != its.of:
            raise self._fault(f"{kind.of} and {its.of} are different percentages")
        if kind.unit == its.unit:
            return tree, other
        return tree, self._converted(other, its.unit, kind.unit)

    def _converted(self, tree: Expression, source: str, target: str) -> Expression:
        if isinstance(tree, Constant) and isinstance(tree.value, float):
            return Constant(convert(tree.value, source, target))
        if unit(source).offset != unit(target).offset:
            raise self._fault(f"a value in {source} cannot stand beside one in {target}", "use one unit for both")
        factor = convert(1.0, source, target)
        match tree:
            case Written(name=name, factor=before):
                return Written(name, before * factor)
            case Measured(role=role, factor=before):
                return Measured(role, before * factor)
            case _:
                return self._node(Operation("*", tree, Constant(factor)))

    def _is_truth(self, kind: Kind, word: str) -> None:
        if kind.what != "truth":
            raise self._fault(f"{word!r} joins what is yes or no, and here stands {kind}", "compare it: '… >= 80 %'")

    def _are_numbers(self, *kinds: Kind) -> None:
        for kind in kinds:
            if kind.what != "number":
                raise self._fault(f"a number is expected, and here stands {kind}")

    # ---- text -----------------------------------------------------------------------------------------

    def _blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _rest(self) -> str:
        rest = self.text[self.at :].strip()
        return rest if len(rest) <= 30 else f"{rest[:30]}…"

    def _literally(self, word: str, then: str = "") -> bool:
        """Take this word, if it stands here as a whole."""
        self._blank()
        end = self.at + len(word)
        if not self.text.startswith(word, self.at) or (end < len(self.text) and _joins(self.text[end])):
            return False
        if then:
            while end < len(self.text) and self.text[end].isspace():
                end += 1
            if not self.text.startswith(then, end):
                return False
            end += len(then)
        self.at = end
        return True

    def _keyword(self, word: str) -> bool:
        return self._literally(word)

    def _sign(self) -> Operator | None:
        self._blank()
        for text, sign in SIGNS.items():
            if text.isalpha() and text.isascii():
                if self._literally(text):
                    return sign
            elif self.text.startswith(text, self.at):
                self.at += len(text)
                return sign
        return None

    def _one_of(self, characters: str) -> str | None:
        self._blank()
        if self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1
            return self.text[self.at - 1]
        return None

    def _close(self) -> None:
        if self._one_of(")") is None:
            raise self._fault("a ')' is missing")

    def _deeper(self, rule: Callable[[], Typed]) -> Typed:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault(f"nested deeper than {DEEPEST} levels")
        found = rule()
        self.depth -= 1
        return found

    def _node(self, node: Expression) -> Expression:
        self.count += 1
        if self.count > MOST_NODES:
            raise self._fault(f"more than {MOST_NODES} parts", "split the decision into several")
        return node

    def _fault(self, reason: str, right: str = "") -> ExpressionFault:
        return ExpressionFault(f"{self.text!r}: {reason}", right)


def _joins(character: str) -> bool:
    """Whether a character would go on with a word."""
    return character.isalnum() or character in "_-."
