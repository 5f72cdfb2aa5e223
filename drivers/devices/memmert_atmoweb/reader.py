"""The incubator's almost-JSON, read without ever guessing a number.

The recorded body is JSON without braces and with a trailing comma (`"Temp1Read": 28.7,`); other firmware sends
a complete object, typographic quotes, unquoted keys in ranges and unquoted words (datasheet: "Reply: HTTP 200, almost
JSON"). The body ends where the connection closes, so a cut-off reply looks like a shorter one. Therefore a bare number
or word counts only when something ends it: a comma, a brace or a bracket. Numbers are plain decimals; exponents and
leading zeros are not numbers of this device.
"""

from __future__ import annotations

import re

from drivers.core.errors import BadFrame

Answer = float | str | dict[str, "Answer"] | list["Answer"]

LONGEST = 65_536
"""Bytes; all parameters of the sheet together are under 3,000."""
DEEPEST = 4

_FLAT = re.compile(r'(?:\s*+"\w++": *+(?:-?+(?:0|[1-9]\d*+)(?:\.\d++)?+|"[^"\\]*+"),)++\s*+', re.ASCII)
_ITEM = re.compile(r'"(\w++)": *+(?:"([^"\\]*+)"|([-\d.]++)),', re.ASCII)
"""The recorded form: numbers and quoted words, each ended by a comma. Possessive, so that a look at it costs 5 µs."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_SPACE = re.compile(r"\s*", re.ASCII)
_BARE = re.compile(r"[\w./:+-]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_QUOTED = re.compile(r'"([^"\\]*)"')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″", '"'))


def read(body: bytes) -> dict[str, Answer]:
    """Everything the reply says, by parameter name: float, text, range object or list. Raises BadFrame."""
    if len(body) > LONGEST:
        raise BadFrame(f"{len(body)} bytes of reply, more than this device can mean")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    if _FLAT.fullmatch(text):
        items = _ITEM.findall(text)
        answers: dict[str, Answer] = {name: float(digits) if digits else word for name, word, digits in items}
        if len(answers) == len(items):
            return answers
    return _Reader(text.translate(_QUOTES)).members()


def number(answer: Answer) -> float | None:
    """The number an answer carries, also when it came as text (`"1"`); None when it is none."""
    if isinstance(answer, float):
        return answer
    if isinstance(answer, str) and _NUMBER.fullmatch(answer.strip()):
        return float(answer)
    return None


class _Reader:
    """Reads one body from left to right; every way out but the end is a BadFrame that shows the place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def members(self) -> dict[str, Answer]:
        """The outer level: either brace may be there or not."""
        opened = self.take("{")
        answers = self.pairs(1)
        if not self.take("}") and opened and self.text.rstrip()[-1] != ",":
            raise self.broken("the reply is cut off")
        self.take(",")
        if self.peek():
            raise self.broken("something follows the end")
        if not answers:
            raise self.broken("nothing in the reply")
        return answers

    def pairs(self, depth: int) -> dict[str, Answer]:
        """`name: value` until a closing brace or the end."""
        found: dict[str, Answer] = {}
        while self.peek() not in ("", "}"):
            name = self.name()
            if not self.take(":"):
                raise self.broken(f"no colon after {name}")
            value = self.value(depth)
            if found.setdefault(name, value) != value:
                raise self.broken(f"{name} comes twice with different values")
            if not self.take(",") and self.peek() not in ("", "}"):
                raise self.broken(f"no comma after {name}")
        return found

    def name(self) -> str:
        """A parameter name, quoted or bare."""
        if self.peek() != '"':
            return self.match(_NAME)
        name = self.quoted()
        if not _NAME.fullmatch(name):
            raise self.broken("no parameter name")
        return name

    def value(self, depth: int) -> Answer:
        if depth > DEEPEST:
            raise self.broken("nested too deep")
        match self.peek():
            case "{":
                return self.range(depth)
            case "[":
                return self.list(depth)
            case '"':
                return self.quoted()
            case _:
                word = self.match(_BARE)
        if self.peek() not in (",", "}", "]"):
            raise self.broken("the reply is cut off, or a value does not end")
        return float(word) if _NUMBER.fullmatch(word) else word

    def range(self, depth: int) -> dict[str, Answer]:
        self.take("{")
        found = self.pairs(depth + 1)
        if not self.take("}"):
            raise self.broken("the reply is cut off")
        return found

    def list(self, depth: int) -> list[Answer]:
        self.take("[")
        found: list[Answer] = []
        while self.peek() not in ("", "]"):
            found.append(self.value(depth + 1))
            if not self.take(",") and self.peek() != "]":
                raise self.broken("no comma in a list")
        if not self.take("]"):
            raise self.broken("the reply is cut off")
        return found

    def quoted(self) -> str:
        found = _QUOTED.match(self.text, self.at)
        if found is None:
            raise self.broken("a quote is never closed")
        self.at = found.end()
        return found[1]

    def match(self, word: re.Pattern[str]) -> str:
        found = word.match(self.text, self.at)
        if found is None:
            raise self.broken("no name and no value")
        self.at = found.end()
        return found[0]

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        blank = _SPACE.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> bool:
        """Step over `character` when it comes next."""
        if self.peek() != character:
            return False
        self.at += 1
        return True

    def broken(self, why: str) -> BadFrame:
        return BadFrame(f"{why} (character {self.at} of {self.text[:120]!r})")
