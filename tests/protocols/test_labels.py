"""Labels with a 2D code: stable texts that a scan reads back (RM-10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import protocols
from protocols.labels import KINDS, Label, labels, plan_id, read
from protocols.plan import Plan
from tests.protocols.answering import START


@pytest.mark.req("RM-10")
def test_every_thing_of_the_plan_has_a_label_of_its_own(shipped: Plan) -> None:
    made = labels(protocols.load("adsc-osteo-spheroid-28d"), shipped, "B-0142")
    assert {label.kind for label in made} == set(KINDS)
    assert len({label.code for label in made}) == len(made)
    assert [label.code for label in made if label.kind == "bottle"] == [
        "osteon:bottle:B-0142:osteogenic%20medium:1",
        "osteon:bottle:B-0142:osteogenic%20medium:2",
    ]
    assert sum(label.kind == "flask" for label in made) == 6 + 2  # two for the arm of single cells
    assert "osteon:sample:B-0142:R-D16:1" in {label.code for label in made}


def test_a_label_tells_the_person_when_its_bottle_is_hung(shipped: Plan) -> None:
    made = labels(protocols.load("adsc-osteo-spheroid-28d"), shipped)
    assert [label.note.split(",")[0] for label in made if label.kind == "bottle"] == ["day 14", "day 21"]


def test_the_same_plan_has_the_same_id_and_another_start_another(shipped: Plan) -> None:
    again = protocols.plan(protocols.load("adsc-osteo-spheroid-28d"), shipped.start, shipped.zone)
    later = protocols.plan(protocols.load("adsc-osteo-spheroid-28d"), START + 7 * 86400, shipped.zone)
    assert plan_id(again) == plan_id(shipped) != plan_id(later)


@pytest.mark.req("RM-10")
@given(st.sampled_from(KINDS), st.text(min_size=1), st.text(min_size=1), st.integers(1, 999_999))
def test_what_is_printed_is_what_a_scan_gives_back(kind: str, owner: str, name: str, n: int) -> None:
    label = Label(kind, owner, name, n)
    assert label.code.isascii()
    assert read(label.code + "\r\n") == label


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("4006381333931", "no label of osteon"),
        ("osteon:box:r1:medium:1", "no kind of label"),
        ("osteon:bottle:r1:medium:0", "damaged"),
        ("osteon:bottle:r1::1", "damaged"),
        ("osteon:bottle:r1:medium:²", "damaged"),
        ("osteon:bottle:r1:medium:1:2", "no label of osteon"),
    ],
)
def test_a_foreign_or_damaged_code_is_refused_in_words(code: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(code)
