"""A plan on paper: calendar file, work sheets, labels, and the protocol to be read."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

import protocols
from api import cli
from api.printed.ics import escaped, folded, ics
from api.printed.label_sheet import label_sheet
from api.printed.reading import reading
from api.printed.sheets import NOT_VALIDATED, sheets
from protocols.calendar import calendar
from protocols.labels import labels
from protocols.loading import library
from tests.protocols.answering import START, shipped_plan
from tests.protocols.test_loading import HEADER, load, operation

LONG = "adsc-osteo-spheroid-28d"


@pytest.fixture(scope="module")
def plan():
    return shipped_plan()


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_every_hand_task_is_an_event_with_a_stable_uid_and_an_alarm(plan) -> None:
    rows = calendar(plan)
    text = ics(plan, rows)
    uids = [line for line in unfolded(text) if line.startswith("UID:")]
    assert len(set(uids)) == len(uids) == len(rows.hand_rows)
    assert text.count("BEGIN:VALARM") == len(uids) > 30
    assert ics(shipped_plan(), rows) == text
    assert "DTSTART:20260104T230000Z" in text  # 08:00 in Tokyo


def test_no_line_of_the_calendar_file_is_longer_than_75_octets(plan) -> None:
    lines = ics(plan, calendar(plan)).encode().split(b"\r\n")
    assert max(map(len, lines)) == 75
    assert lines[-1] == b""
    assert "".join(part.removeprefix(" ") if n else part for n, part in enumerate(folded("µ" * 200))) == "µ" * 200


def test_text_cannot_break_out_of_its_line() -> None:
    assert escaped("a;b,c\\d\r\nEND:VCALENDAR") == "a\\;b\\,c\\\\d\\nEND:VCALENDAR"


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pages = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe")
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        self.pages += ("class", "page") in attrs
        if tag not in ("meta", "br", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    assert page.open == []
    return page


def test_work_sheets_have_a_page_for_each_working_day_that_says_what_it_is_not(plan) -> None:
    rows = calendar(plan)
    html = sheets(plan, rows)
    days = {row.local.date() for row in rows.hand_rows}
    assert read(html).pages == len(days) == html.count(f">{NOT_VALIDATED}<")
    assert html.count("Done by, date") == len(rows.hand_rows)
    assert "lot of osteogenic medium" in html
    assert "viability (%, 0 to 100, expected 80 to 100)" in html


def test_what_a_protocol_says_is_text_and_no_markup() -> None:
    evil = load('hand: "<script>alert(1)</script>"\n        sign: two persons')
    plan = protocols.plan(evil, START, "UTC")
    html = sheets(plan, calendar(plan))
    assert "&lt;script&gt;" in html
    assert "Second person, date" in html
    read(html)
    read(label_sheet("<b>", labels(load("hand: Look", header=HEADER.replace("flasks:", '"<i>":')), plan)))


def test_labels_are_codes_with_their_text(plan) -> None:
    made = labels(protocols.load(LONG), plan)
    html = label_sheet(LONG, made)
    read(html)
    assert html.count("<svg") == len(made)
    assert all(label.code in html for label in made)


@pytest.mark.req("UI-85")
@pytest.mark.parametrize("name", library())
def test_every_protocol_that_ships_can_be_read_at_the_bench(name: str) -> None:
    protocol = protocols.load(name)
    text = reading(protocol)
    assert max(map(len, text.splitlines())) <= 100
    assert all(stage.stage in text for stage in protocol.document.stages)
    assert not set("{}[]") & set(text)


@pytest.mark.req("UI-85")
def test_late_and_interruption_rules_are_read_in_words() -> None:
    words = " ".join(reading(protocols.load(LONG)).split())
    assert (
        "Every 24 h from day 17 at 09:00 until day 27 at 09:00. Within 2 h of it is on time; "
        "later than that the run holds and asks; never sooner than 12 h after the last one." in words
    )
    assert "withdraw to the 72 mL level (at most 24 mL, 3 mL/min), then add 18 mL of osteogenic medium" in words
    assert "after an outage it is finished at once" in words
    assert "after an outage osteon finds out what was delivered, and gives only the rest" in words
    assert "take 70 µL from each well of the plates" in words


@pytest.mark.req("UI-85")
def test_who_answers_late_and_what_belongs_to_an_arm_is_read_in_words() -> None:
    words = " ".join(reading(protocols.load(LONG)).split())
    assert "Inoculate the reactor Only if form is spheroid. On day 16" in words
    assert "1) If reactor clear is no:" in words
    assert "8 % of the cells of the flasks into the plates, 82 % into the microwells (a new spheroid batch)" in words
    assert "Take 3·10⁵ cells from the flasks. Label it ALP-I7." in words
    rules = "at: day 1 10:00\nif later: ask\nrecommended: shift\nif nobody answers: skip after 4 h\nanchor: interval"
    words = " ".join(reading(load(stages=operation(f"{rules}\ndo: [{{hand: Look}}]"))).split())
    assert "Later than that the run holds and asks; recommended then: do it late and shift what follows" in words
    assert "if nobody answers within 4 h, it is left out; when it was late, what follows comes as much later" in words
    words = " ".join(reading(load("hand: Look\n        may be done by: [robot]")).split())
    assert "May be done by robot, or by a person." in words


@pytest.mark.req("UI-85")
def test_fluid_steps_of_every_kind_are_sentences() -> None:
    text = reading(
        load(
            "withdraw: {from: reactor, to level: 72 mL, at most: 20 mL, at: 1 mL/min}\n        at most: 1 h",
            "rinse: {volume: 2 mL, of: medium, at: 1 mL/min, times: 3 times}\n        at most: 1 h",
            "dose: {into: reactor, volume: 6 mL, of: medium, at: 1 mL/min, split: {into: 3 times, every: 1 h}}\n"
            "        at most: 4 h",
        )
    )
    words = " ".join(text.split())
    assert "Withdraw down to the 72 mL level, at most 20 mL from the reactor at 1 mL/min" in words
    assert "Rinse the fill line with 2 mL of medium at 1 mL/min, 3 times;" in words
    assert "Dose 2 mL of medium into the reactor at 1 mL/min, the first of 3 equal parts, one every 1 h;" in words


@pytest.mark.req("RM-08")
def test_the_dry_run_names_times_volumes_tasks_and_what_is_unwise(capsys, tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.html" for name in ("ics", "sheets", "labels")}
    words = [f"--{name}={path}" for name, path in files.items()]
    assert cli.main(["plan", LONG, "--start", "2026-01-05T08:00", "--json", *words]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert all(path.stat().st_size > 1000 for path in files.values())
    assert [row["when"] for row in facts["rows"]] == sorted(row["when"] for row in facts["rows"])
    assert {"fluid": "osteogenic medium", "day": 14, "volume_ml": 80.0} in facts["fluids"]
    assert facts["out_of_hours"] == 0
    assert [batch["volume_ml"] for batch in facts["media"]] == [2125, 580, 295, 290]
    assert {warning["kind"] for warning in facts["warnings"]} == {"ascorbate", "two-tasks"}
    assert facts["cells"][0]["short"] is False


def test_the_plan_is_printed_for_a_person_with_its_best_start(capsys) -> None:
    assert cli.main(["plan", "spheroid-formation", "--best-start"]) == 0
    said = capsys.readouterr().out
    assert "Best start: " in said
    assert "Medium to prepare" in said
    assert "Rehearsal, not a validated or clinical protocol." in said
    assert cli.main(["plan", "spheroid-formation", "--read"]) == 0
    assert "Set temperature 37 °C, co2 5 %" in said
    assert "BY HAND" in capsys.readouterr().out
