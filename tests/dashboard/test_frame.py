"""The frame of every page, what a value looks like, and what never appears."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.dashboard.conftest import Server
from tests.dashboard.pixels import coloured

UNIT, RUN = "#/units/reactor", "#/runs/run-1"
LEFT = "net::ERR_ABORTED"
"""A request under way when the page was left."""
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.req("UI-01", "UI-06")
def test_the_top_bar_and_the_simulated_strip_are_on_every_page(page: Page, server: Server) -> None:
    server.mood(alarms=[["low", "Humidity low"]])
    for address in ("#/", UNIT, RUN, "#/tasks", "#/alarms"):
        page.goto(server.url + address)
        bar = page.locator(".topbar")
        expect(bar).to_contain_text("stirred-100")
        expect(bar).to_contain_text("Connected")
        expect(bar.locator(".clock")).to_contain_text(re.compile(r"Wed 21 Jan \d\d:\d\d:\d\d UTC\+9"))
        expect(bar.locator("[data-count=tasks]")).to_have_text(re.compile(r"Tasks\s*1"))
        expect(bar.locator("[data-count=alarms] .symbol.low")).to_be_visible()
        expect(bar).to_contain_text("Demo person · supervisor")
        assert bar.get_by_label("Unit").locator("option").all_inner_texts() == ["Overview", "reactor"]
        expect(bar.get_by_role("button", name="Menu")).to_be_visible()
        expect(page.locator("[data-strip=simulated]")).to_contain_text("SIMULATED DEVICES - no real equipment")
        page.mouse.wheel(0, 3000)
        box = bar.bounding_box()
        assert box is not None and box["y"] == 0
        expect(page.locator("[data-strip=simulated]")).to_be_in_viewport()


@pytest.mark.req("SEC-01")
def test_an_insecure_connection_is_said_on_every_page(page: Page, server: Server) -> None:
    server.mood(insecure=True)
    for address in ("#/", UNIT, RUN, "#/tasks", "#/alarms"):
        page.goto(server.url + address)
        expect(page.locator(".strip", has_text="INSECURE CONNECTION")).to_be_visible()


@pytest.mark.req("UI-13")
def test_a_value_has_its_unit_its_set_point_and_its_limits(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    value = page.locator(".values [data-role=temperature]")
    expect(value).to_contain_text(re.compile(r"37\.\d\d °C\s*\(SP 37\.00, 36\.50 to 37\.50\)"))
    expect(value.locator("svg.bar .needle")).to_have_count(1)


@pytest.mark.req("UI-12", "UI-26")
def test_stale_bad_manual_and_substituted_values_each_look_different(page: Page, server: Server) -> None:
    sick = {
        "incubator.temperature": "stale",
        "incubator.co2": "bad",
        "incubator.o2": "manual",
        "incubator.humidity": "substituted",
    }
    server.mood(bad=sick, values={"ph_probe.ph": 7.8})
    page.goto(server.url + UNIT)
    values = page.locator(".values")
    expect(values.locator("[data-role=temperature]")).to_have_attribute("data-quality", "stale")
    expect(values.locator("[data-role=temperature] .age")).to_have_text(re.compile(r"1 min 3\d s old"))
    assert "repeating-linear-gradient" in values.locator("[data-role=temperature]").evaluate(
        "each => getComputedStyle(each).backgroundImage"
    )
    expect(values.locator("[data-role=co2]")).to_contain_text("---")
    expect(values.locator("[data-role=co2]")).to_contain_text("no answer from the device")
    expect(values.locator("[data-role=o2] .badge")).to_have_text("M")
    expect(values.locator("[data-role=humidity] .badge")).to_have_text("S")
    expect(values.locator("[data-role=ph] .beyond")).to_be_visible()


@pytest.mark.req("B19", "UI-132", "SEC-15")
def test_hostile_names_are_text(page: Page, server: Server) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    server.mood(protocol=HOSTILE, tasks=[HOSTILE], alarms=[["high", HOSTILE]])
    for address, where in (
        ("#/", ".card .batch"),
        (UNIT, ".head"),
        ("#/tasks", ".task h3"),
        ("#/alarms", ".alarm-row .text"),
        (RUN, ".head"),
    ):
        page.goto(server.url + address)
        expect(page.locator(where).first).to_contain_text(HOSTILE)
        expect(page.locator(".banner")).to_contain_text(HOSTILE)
        assert page.locator("img").count() == 0
    assert dialogs == []


@pytest.mark.req("B29")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_normal_overview_has_no_pixel_of_an_alarm_colour(
    page: Page, context: BrowserContext, server: Server, theme: str
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(server.url)
    expect(page.locator(".card .spark path").first).to_have_attribute("d", re.compile("M"))
    assert coloured(context, page.screenshot(full_page=True)) == 0
    server.mood(alarms=[["critical", "Temperature high"]])
    expect(page.locator(".banner .symbol.critical")).to_be_visible()
    page.emulate_media(reduced_motion="reduce")
    assert coloured(context, page.screenshot(full_page=True)) > 100, "the count itself must see an alarm"


@pytest.mark.req("B24", "SEC-15")
def test_without_internet_every_page_is_whole(page: Page, context: BrowserContext, server: Server) -> None:
    asked: list[str] = []
    context.route(
        lambda url: not url.startswith(server.url), lambda route: (asked.append(route.request.url), route.abort())
    )
    failed: list[str] = []
    page.on("requestfailed", lambda request: None if request.failure == LEFT else failed.append(request.url))
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    for address, sign in (
        ("#/", ".card .spark"),
        (UNIT, ".chart canvas"),
        (RUN, ".timeline [data-bar]"),
        ("#/tasks", ".task"),
    ):
        page.goto(server.url + address)
        expect(page.locator(sign).first).to_be_visible()
    page.goto(f"{server.url}equipment.html")
    expect(page.locator("h1")).to_contain_text("At the equipment")
    assert asked == [] and failed == []


def test_signing_in_tells_no_more_than_needed_and_opens_the_address_asked_for(
    page: Page, server: Server, complaints: list[str]
) -> None:
    server.mood(signed_in=False)
    page.goto(server.url + UNIT)
    page.get_by_label("User").fill("demo")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("user or password is not right")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".unit h1")).to_have_text("reactor")
    complaints[:] = [each for each in complaints if "401" not in each]


def test_the_theme_is_chosen_and_kept(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Menu").click()
    page.get_by_label("Dark").check()
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") == "rgb(28, 32, 36)"
    page.reload()
    expect(page.locator(".card")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("#/", UNIT, RUN, "#/tasks", "#/alarms"):
        page.goto(server.url + address)
        expect(page.locator(".bottombar")).to_be_visible()
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    server.mood(scanning=False, alarms=[["critical", "Temperature high"], ["low", "Humidity low"]])
    page.goto(server.url + UNIT)
    expect(page.locator(".bar-wide.blind")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.locator("[data-command]").all():
        box = button.bounding_box()
        assert box is not None and box["height"] >= 44
