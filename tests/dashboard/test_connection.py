"""What the page says when it is not connected, and when the controller does not scan."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.dashboard.conftest import Server

UNIT = "#/units/reactor"
LIMIT_MS = 6500
"""Detection after 5 s, the page says so within 1 s more; the rest is this machine's."""


def opened(context: BrowserContext, server: Server) -> Page:
    page = context.new_page()
    page.goto(server.url + UNIT)
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good")
    expect(page.locator("[data-command=hold]")).to_be_enabled()
    return page


def says_lost(page: Page) -> None:
    """All that UI-22 and UI-23 ask for."""
    bar = page.locator(".bar-wide.lost")
    expect(bar).to_be_visible(timeout=LIMIT_MS)
    expect(bar).to_contain_text(
        re.compile(r"Connection to the controller lost at \d\d:\d\d:\d\d \(\d+ s ago\)\. Values below are old\.")
    )
    expect(page.locator("[data-link]")).to_have_attribute("data-link", "lost")
    expect(page.locator(".values [data-quality=good]")).to_have_count(0)
    expect(page.locator(".values [data-role=temperature] .age")).to_contain_text("old")
    assert page.locator("[data-command]:enabled").count() == 0
    expect(page.locator(".commands")).to_contain_text("Off: this page has no connection to the controller.")
    expect(page.locator("[data-next]")).to_contain_text(re.compile(r"planned for .* not confirmed"))
    expect(page).to_have_title("Connection lost")
    expect(page.locator("#icon")).to_have_attribute("href", "icons/lost.svg")


def test_a_start_that_takes_long_says_what_it_does_and_shows_the_run_when_there_is_one(
    context: BrowserContext, server: Server
) -> None:
    server.mood(rehearsing="rehearsing the first 16 days: day 7.3")
    page = context.new_page()
    page.goto(server.url + UNIT)
    expect(page.locator("[data-doing]")).to_have_text("The demo is starting: rehearsing the first 16 days: day 7.3.")
    server.mood(rehearsing="")
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good")


@pytest.mark.req("B4", "UI-21", "UI-22", "UI-23", "UI-24")
def test_a_killed_server_is_said_and_its_return_too(context: BrowserContext, own_server: Server) -> None:
    page = opened(context, own_server)
    page.get_by_role("button", name="I will do it").click()
    page.locator("input[name=glucose]").fill("4.2")
    own_server.kill()
    says_lost(page)
    clock = page.locator(".clock b").inner_text()
    expect(page.locator("input[name=glucose]")).to_have_value("4.2")
    page.wait_for_timeout(1200)
    assert page.locator(".clock b").inner_text() == clock, "the bench's clock stands still while nothing is heard"
    own_server.start()
    own_server.mood(alarms=[["high", "Probe not answering"]])
    expect(page.locator(".bar-wide.restored")).to_contain_text(
        re.compile(r"Connection restored at \d\d:\d\d:\d\d after .* 1 new alarm: +Probe not answering"), timeout=12_000
    )
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good")
    expect(page.locator("[data-command=hold]")).to_be_enabled()
    expect(page).to_have_title("(1) reactor - Running")


@pytest.mark.req("B5", "UI-21", "UI-22")
def test_a_frozen_server_is_a_lost_connection(context: BrowserContext, own_server: Server) -> None:
    page = opened(context, own_server)
    own_server.freeze()
    says_lost(page)
    own_server.thaw()
    expect(page.locator(".bar-wide.restored")).to_be_visible(timeout=12_000)


@pytest.mark.req("B6", "UI-20", "UI-21")
def test_a_controller_that_does_not_scan_is_another_message(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good")
    server.mood(scanning=False)
    expect(page.locator(".bar-wide.blind")).to_contain_text(
        "Controller not scanning: the last scan of the devices was 47 s ago"
    )
    expect(page.locator(".bar-wide.lost")).to_have_count(0)
    expect(page.locator(".values [data-quality=good]")).to_have_count(0)
    expect(page).to_have_title("Not scanning")
    server.mood(scanning=True)
    expect(page.locator(".bar-wide.blind")).to_have_count(0)


@pytest.mark.req("UI-25")
def test_a_command_whose_answer_was_lost_is_looked_up_and_never_sent_again(
    context: BrowserContext, own_server: Server
) -> None:
    page = opened(context, own_server)
    own_server.mood(cut_answers=True)
    page.locator("[data-command=hold]").click()
    expect(page.locator(".outcomes li")).to_have_attribute("data-phase", "sending")
    context.set_offline(True)
    own_server.freeze()
    expect(page.locator(".outcomes li")).to_contain_text("Outcome not known - checking", timeout=12_000)
    own_server.thaw()
    context.set_offline(False)
    expect(page.locator(".outcomes li")).to_have_attribute("data-phase", "confirmed", timeout=15_000)
    assert len(own_server.posts("/commands")) == 1


@pytest.mark.req("UI-26")
def test_missing_history_is_a_gap_and_never_a_joined_line(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    told = [(0, 1), (10, 1), (20, None), (30, 2), (100, 3), (110, 3)]
    buckets = [[at, value, value, value] for at, value in told]
    ask = "async (buckets) => (await import('/parts/chart.js')).columns(buckets, [[101, 109]])"
    rows = page.evaluate(ask, buckets)
    assert rows[0] == sorted(rows[0])
    mean = dict(zip(rows[0], rows[2], strict=True))
    assert mean[20] is None, "an empty bucket"
    assert None in [value for at, value in mean.items() if 30 < at < 100], "no samples for seven steps"
    assert None in [value for at, value in mean.items() if 100 < at < 110], "a recorded gap"
