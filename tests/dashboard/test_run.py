"""The run's page: bars planned and actual, the now-line, what one occurrence was, the list with the same content."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard import picture
from tests.dashboard.conftest import Server

RUN = "#/runs/run-1"


@pytest.mark.req("UI-50")
def test_an_occurrence_tells_planned_actual_amounts_evidence_and_who(page: Page, server: Server) -> None:
    page.goto(f"{server.url}{RUN}?view=week")
    page.locator("[data-bar='reactor/exchange/15']").click()
    box = page.locator("dialog")
    for text in (
        "Medium exchange, day 15",
        "Tue 20 Jan 09:00:00 to",
        "6 min late",
        "done",
        "18.00",
        "17.94",
        "pump counter and balance agree",
    ):
        expect(box).to_contain_text(text)
    page.keyboard.press("Escape")
    page.locator("[data-bar='hand/15']").focus()
    page.keyboard.press("Enter")
    expect(box).to_contain_text("simulated person")
    expect(box).to_contain_text("glucose: 4.1")
    page.get_by_role("link", name="Charts of this time").click()
    expect(page.locator(".unit")).to_contain_text("Not live: around Tue 20 Jan 10:12")
    page.get_by_role("button", name="Go to live").click()
    expect(page).to_have_url(re.compile("units/reactor$"))


@pytest.mark.req("UI-52")
def test_the_next_action_has_countdown_and_time_together(page: Page, server: Server) -> None:
    page.goto(server.url + RUN)
    expect(page.locator("[data-next]")).to_contain_text(
        re.compile(r"Medium exchange 10 of 12\s*in 23:\d\d:\d\d \(Thu 22 Jan 09:00 UTC\+9\)")
    )


def test_planned_is_outlined_actual_filled_and_outages_hatched(page: Page, server: Server) -> None:
    page.goto(server.url + RUN)
    one = page.locator("[data-bar='reactor/exchange/12']")
    expect(one.locator("rect.planned")).to_have_count(1)
    expect(one.locator("rect.actual")).to_have_count(1)
    expect(page.locator("[data-bar='reactor/exchange/20'] rect.actual")).to_have_count(0)
    expect(page.locator("rect.outage")).to_have_attribute("fill", "url(#hatch)")
    expect(page.locator("[data-lane=holds]")).to_have_count(1)


@pytest.mark.req("B2")
def test_the_now_line_moves_with_the_bench(page: Page, server: Server) -> None:
    server.mood(speed=3600.0)
    page.goto(f"{server.url}{RUN}?view=run")
    line = page.locator(".nowline")
    first, drawn = int(line.get_attribute("data-now") or 0), line.locator("path").get_attribute("d")
    expect(line.locator("path")).not_to_have_attribute("d", drawn or "")
    page.wait_for_timeout(1500)
    assert int(line.get_attribute("data-now") or 0) - first > 3600


def test_a_date_of_another_year_says_so(page: Page, server: Server) -> None:
    page.goto(server.url + RUN)
    expect(page.locator(".clock")).to_be_visible()
    ask = "async (t) => (await import('/format.js')).moment(t)"
    assert page.evaluate(ask, picture.NOW) == "Wed 21 Jan 09:30"
    assert page.evaluate(ask, picture.NOW - 30 * 86_400) == "Mon 22 Dec 2025 09:30"


def test_the_list_has_what_the_bars_have(page: Page, server: Server) -> None:
    page.goto(f"{server.url}{RUN}?as=list")
    expect(page.locator("tbody tr", has_text="Medium exchange, day 12")).to_contain_text("18.00 / 17.94")
    page.get_by_role("button", name="Medium exchange, day 12").click()
    expect(page.locator("dialog")).to_be_visible()


def test_zoom_and_go_to_now_are_in_the_address(page: Page, server: Server) -> None:
    page.goto(server.url + RUN)
    page.get_by_role("button", name="Zoom in").click()
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    page.reload()
    expect(page.locator(".timeline")).to_be_visible()
    page.get_by_role("button", name="Day", exact=True).click()
    expect(page).to_have_url(re.compile("view=day"))
