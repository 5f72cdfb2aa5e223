"""Anything at all in a protocol file: listed faults with their place, never a traceback, in bounded time."""

from __future__ import annotations

import random

import pytest

from protocols import ProtocolInvalid, library, loading

TEXTS = {name: loading.shipped(name) or "" for name in library()}
PIECES = (
    "", " ", "\n", ":", "- ", "{", "}", "[", "]", '"', "'", "#", "&a", "*a", "!!python/object:os.system", "|", ">",
    "0", "-1", "1e999", "nan", "..", "5 %", "37 degC", "mL", "day 99 99:99", "{day}", "{x}", "µ", "\u0000", "\u2028",
    "~", "\t", "if: 1", "do: []", "at most: 0 s", "null", "yes", "- repeat: {do: [], at most: 99999 rounds}",
    "together: []", "__class__",
)  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """A few blows: a piece put in, a stretch cut or doubled, a line moved, two values exchanged."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        line, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[at + chance.randint(1, 40) :]
            case 2:
                text = text[:at] + text[max(0, at - chance.randint(1, 60)) :]
            case 3:
                lines.insert(other, lines.pop(line))
                text = "\n".join(lines)
            case 4:
                key, colon, _ = lines[line].partition(":")
                lines[line] = f"{key}{colon} {chance.choice(PIECES)}"
                text = "\n".join(lines)
            case _:
                lines[line] = " " * chance.randint(0, 3) + lines[line]
                text = "\n".join(lines)
    return text


def told(text: str) -> int:
    """How many faults a text has; 0 when it is in order. Anything but a listed fault is raised."""
    try:
        loading.load(f"{text}\n", name="mutated.yaml")
    except ProtocolInvalid as error:
        for fault in error.faults:
            assert fault.line >= 1
            assert fault.column >= 1
            assert fault.reason
            assert "Traceback" not in fault.reason
        return len(error.faults)
    return 0


def blows(count: int, seed: int) -> int:
    """Of `count` mutations, how many were refused."""
    chance = random.Random(seed)
    names = sorted(TEXTS, key=lambda name: len(TEXTS[name]))[:6]
    return sum(told(mutated(TEXTS[chance.choice(names)], chance)) > 0 for _ in range(count))


@pytest.mark.req("SEC-13")
def test_mutations_of_what_ships_give_listed_faults_and_never_a_traceback():
    refused = blows(120, seed=7)
    assert 30 < refused < 120  # both sides are reached: some blows hit a comment or a text


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(10))
def test_many_mutations_of_what_ships_give_listed_faults(seed: int):
    assert blows(2000, seed=1000 + seed) > 500


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1]\nb: *a",
        "x: " + "[" * 5000,
        "{" * 5000,
        "- " * 3000,
        "protocol: \x07",
        "protocol: [\n" + "  {a: b},\n" * 20000 + "]",
        "? {a: b}\n: c",
        "stages:\n" + "  - stage: S\n    do: [{wait: 1 s}]\n" * 5000,
        "---\na: b\n---\nc: d",
        "%YAML 9.9\n---\nprotocol: x",
        "protocol: x\nstages: 1\nparameters: 2\nvessels: 3\nmaterials: [4]",
        "parameters: {a: {default: {b: {c: d}}}}\nstages: [[[[]]]]",
        "\ufeffprotocol: x",
    ],
)
@pytest.mark.req("SEC-13")
def test_what_is_no_protocol_is_refused_with_its_place(text: str):
    assert told(text) > 0
