"""Rehearsals beside one another: in the order given, and what one of them refuses is refused in the same words."""

from __future__ import annotations

import pickle

import pytest

from controller.errors import RunConflict, Unusable
from controller.settings import BenchInvalid
from controller.settings import parse as parse_bench
from drivers.core.errors import OsteonError
from protocols.faults import ProtocolInvalid
from protocols.loading import load
from simulators.side_by_side import side_by_side


def test_the_order_is_that_of_the_work_and_each_end_is_told() -> None:
    ended: list[int] = []
    assert side_by_side(lambda a, b: a - b, [(5, 1), (3, 2)], 1, ended.append) == [4, 1]
    assert ended == [1, 2]


def refusals() -> list[OsteonError]:
    found: list[OsteonError] = [Unusable(["no output", "no pump"]), RunConflict("it is HELD", "HELD")]
    for kind, read in ((ProtocolInvalid, lambda: load("protocol: x\n")), (BenchInvalid, lambda: parse_bench("x = 1"))):
        with pytest.raises(kind) as caught:
            read()
        found.append(caught.value)
    return found


@pytest.mark.parametrize("refusal", refusals(), ids=lambda each: type(each).__name__)
def test_a_refusal_comes_from_another_process_as_it_was(refusal: OsteonError) -> None:
    again = pickle.loads(pickle.dumps(refusal))
    assert type(again) is type(refusal)
    assert str(again) == str(refusal) and vars(again) == vars(refusal)
