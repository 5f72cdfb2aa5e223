"""The list of requirement IDs is sound, and every marked ID is on it."""

from __future__ import annotations

import ast

from tests import requirements_report


def test_every_id_is_defined_once_with_a_short_title() -> None:
    lines = (requirements_report.ROOT / "docs" / "requirements.txt").read_text().splitlines()
    names = [line.split(" ", 1)[0] for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names))
    assert all(0 < len(title.split()) <= 10 for title in requirements_report.defined().values())


def test_every_marked_id_is_on_the_list() -> None:
    tests, benchmarks = requirements_report.where()
    assert (tests.keys() | benchmarks.keys()) <= requirements_report.defined().keys()


def test_marks_on_functions_and_modules_and_benchmark_tuples_are_found() -> None:
    test = ast.parse('pytestmark = pytest.mark.req("DS-01")\n@pytest.mark.req("DS-02", "DS-03")\ndef test_x(): ...')
    assert list(requirements_report.ids_marked(test)) == ["DS-01", "DS-02", "DS-03"]
    assert list(requirements_report.ids_declared(ast.parse('REQ = ("DX-11",)'))) == ["DX-11"]
