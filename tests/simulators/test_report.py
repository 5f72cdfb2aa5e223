"""The page that tells a rehearsed culture's story: whole, self-contained, true to what was recorded."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from simulators import rehearsal
from simulators.report.chart import POINTS, Chart, Line, thinned
from simulators.report.findings import limited, warnings
from simulators.report.recording import Recording

COMPRESSED = Path("tests/protocols/compressed.yaml")


class Page(HTMLParser):
    """What a browser would fetch, the headings, and whether every element is closed."""

    VOID = ("meta", "path", "circle")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.headings: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        self.fetched += [tag] if tag in ("script", "link", "img", "iframe") else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in self.VOID or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[rehearsal.Result, str]:
    file = tmp_path_factory.mktemp("report") / "report.html"
    result = rehearsal.rehearse(COMPRESSED, seed=3, report=file)
    return result, file.read_text("utf-8")


def test_the_page_is_one_file_that_fetches_nothing_and_says_that_it_is_simulated(told) -> None:
    page = Page(told[1])
    assert page.open == []
    assert page.fetched == []
    assert "http" not in told[1]
    assert "Not a validated or clinical protocol" in told[1]


def test_it_shows_chamber_culture_exchanges_by_both_witnesses_hand_work_and_numbers(told) -> None:
    result, text = told
    assert Page(text).headings == [
        "What limited the culture",
        "The chamber",
        "The culture in reactor",
        "Exchanges, by both witnesses",
        "Work by hand",
        "What happened",
        "Numbers behind this page",
    ]
    for dose in result.doses:
        assert f"{dose.path} {dose.part}" in text
    assert result.event_log_digest in text
    assert "from memory (M)" in text


def test_looking_for_a_report_changes_nothing_of_the_run(told) -> None:
    assert rehearsal.rehearse(COMPRESSED, seed=3).event_log_digest == told[0].event_log_digest


def test_same_seed_same_page(told, tmp_path: Path) -> None:
    rehearsal.rehearse(COMPRESSED, seed=3, report=tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text("utf-8") == told[1]


def recorded(**columns: list[float]) -> Recording:
    found = Recording(0.0)
    for row, _ in enumerate(next(iter(columns.values()))):
        vessel = {name: values[row] for name, values in columns.items() if name not in ("co2_percent", "probe")}
        chamber = {"co2_percent": columns["co2_percent"][row]} if "co2_percent" in columns else {}
        shown = {"flask/ph": columns["probe"][row]} if "probe" in columns else {}
        found.add(86_400.0 * row, {"chamber": chamber, "flask": vessel}, shown)
    return found


def test_what_limited_the_culture_is_told_with_its_hours_and_first_day() -> None:
    hungry = recorded(glucose=[5.0, 3.0, 1.5, 1.0, 1.2, 4.0], lactate=[0.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    assert limited(hungry) == ["flask: glucose below 2 mM (A) for 48 h, first on day 2.0"]
    assert limited(recorded(glucose=[5.0, 4.0])) == [
        "Nothing was outside its limits: the culture was limited by time alone."
    ]
    assert limited(recorded(bacteria_million_ml=[0.1, 20.0, 900.0])) == [
        "flask: contaminated, turbid to the eye (C) for 24 h, first on day 1.0"
    ]
    assert limited(recorded(viability=[95.0, 70.0, 60.0])) == ["flask: viability fell to 60 %, below 80 % from day 1.0"]


def test_a_reader_is_warned_of_rich_bicarbonate_evaporation_and_a_drifting_probe() -> None:
    (dmem,) = warnings(recorded(bicarbonate_mm=[44.0, 44.0], co2_percent=[5.0, 5.0]))
    assert "44 mM bicarbonate under 5 % CO2 stand at pH 7.68" in dmem
    assert warnings(recorded(bicarbonate_mm=[44.0, 44.0], co2_percent=[10.0, 10.0])) == []
    (dry,) = warnings(recorded(osmolality=[290.0, 300.0, 335.0]))
    assert "rose by 16 % until day 2.0" in dry
    (probe,) = warnings(recorded(ph=[7.4, 7.4], probe=[7.41, 7.52]))
    assert "off by +0.12 on day 1.0" in probe


def test_a_thinned_line_keeps_its_extremes() -> None:
    points = [(float(x), 1.0 if x != 4321 else 9.0) for x in range(10_000)]
    kept = thinned(points)
    assert len(kept) <= 2 * POINTS
    assert (4321.0, 9.0) in kept
    assert kept == sorted(kept)


def test_a_gap_is_a_gap_and_a_line_without_values_is_not_named() -> None:
    svg = Chart("pH", "", [0, 1, 2, 3], [Line("true", [7.0, None, 7.1, 7.2]), Line("probe", [None] * 4)]).svg()
    assert svg.count('class="line l1"') == 2
    assert "probe" not in svg
    assert Chart("pH", "", [0, 1], [Line("true", [None, None])]).svg() == ""
