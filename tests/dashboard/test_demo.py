"""The page on the real thing: `osteon demo` with its world, its controller and its service, killed where it says so."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.conftest import Complaints
from tests.dashboard.demo import Demo
from tests.dashboard.screenshots import sign_in

SAID_MS = 7000
"""The page says so within 6 s; the rest is this machine's."""
BACK_MS = 30_000

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo")) as found:
        yield found


@pytest.fixture(scope="module")
def signed_in(browser: Browser, demo: Demo) -> Iterator[tuple[Page, Complaints]]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    page, complaints = context.new_page(), Complaints()
    complaints.watch(page, demo.url)
    page.goto(demo.url)
    sign_in(page, demo.user, demo.password)
    complaints[:] = [each for each in complaints if "401" not in each]
    yield page, complaints
    context.close()


@pytest.fixture
def page(signed_in: tuple[Page, Complaints]) -> Page:
    return signed_in[0]


@pytest.mark.req("B2", "UI-06", "UI-52")
def test_the_run_moves_under_the_eyes_and_the_console_stays_silent(
    page: Page, demo: Demo, signed_in: tuple[Page, Complaints]
) -> None:
    page.goto(f"{demo.url}#/runs/run-1?view=week")
    expect(page.locator("[data-strip=simulated]")).to_contain_text(re.compile(r"time runs at \d+ x \(reached\)"))
    line = page.locator(".nowline")
    for _ in range(3):
        at = int(line.get_attribute("data-now") or 0)
        expect(line).not_to_have_attribute("data-now", str(at))
        assert int(line.get_attribute("data-now") or 0) > at
        told = next(run for run in demo.snapshot()["runs"])
        expect(page.locator("[data-next]")).to_contain_text(told["next"]["title"])
    expect(page.locator("[data-lane=tasks]").first).to_be_visible()
    assert signed_in[1] == []


@pytest.mark.req("UI-13", "UI-123")
def test_the_unit_shows_living_values_and_charts(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}#/units/reactor")
    value = page.locator(".values [data-role=temperature]")
    expect(value).to_have_attribute("data-quality", "good")
    expect(value).to_contain_text(re.compile(r"\d\d\.\d\d °C"))
    expect(page.locator("[data-chart=temperature] .summary")).to_contain_text(re.compile(r"mean \d\d\.\d\d °C, min"))


@pytest.mark.req("B10", "UI-45", "UI-46", "UI-82")
def test_hold_stop_pumps_and_restart(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}#/units/reactor")
    expect(page.locator(".commands")).to_contain_text("Temperature, CO₂ continue")
    page.locator("[data-command=hold]").click()
    expect(page.locator(".head .state")).to_have_attribute("data-state", "HELD")
    expect(page.locator(".outcomes li").first).to_contain_text(re.compile(r"Hold run-1: +Confirmed"))
    assert demo.snapshot()["runs"][0]["state"] == "HELD"
    page.locator("[data-command=stop-pumps]").click()
    for pump in ("pump_in", "pump_out"):
        expect(page.locator(".outcomes")).to_contain_text(re.compile(rf"{pump}: stopped, confirmed \d\d:\d\d:\d\d"))
    page.locator("[data-command=restart]").click()
    page.get_by_role("button", name="Restart run-1").click()
    expect(page.locator(".head .state")).to_have_attribute("data-state", "RUNNING")
    assert demo.snapshot()["runs"][0]["state"] == "RUNNING"


@pytest.mark.req("B4", "UI-21", "UI-22", "UI-24")
def test_the_service_killed_is_said_and_comes_back_by_itself(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}#/units/reactor")
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good")
    os.kill(demo.pid("api"), signal.SIGKILL)
    expect(page.locator(".bar-wide.lost")).to_be_visible(timeout=SAID_MS)
    assert page.locator("[data-command]:enabled").count() == 0
    expect(page.locator(".bar-wide.restored")).to_contain_text("Connection restored", timeout=BACK_MS)
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good", timeout=BACK_MS)


@pytest.mark.req("B6", "UI-20", "UI-21")
def test_the_controller_frozen_is_not_scanning_while_the_page_is_connected(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}#/units/reactor")
    expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "good", timeout=BACK_MS)
    frozen = demo.pid("controller")
    os.kill(frozen, signal.SIGSTOP)
    try:
        expect(page.locator(".bar-wide.blind")).to_contain_text("Controller not scanning", timeout=SAID_MS)
        expect(page.locator("[data-link]")).to_have_attribute("data-link", "blind")
        expect(page.locator(".values [data-quality=good]")).to_have_count(0)
    finally:
        os.kill(frozen, signal.SIGCONT)
    expect(page.locator(".bar-wide.blind")).to_have_count(0, timeout=BACK_MS)


def test_the_dashboard_asks_for_no_more_than_it_serves() -> None:
    """No file of the page names an address elsewhere."""
    folder = Path(__file__).parents[2] / "api" / "web" / "dashboard"
    own = [path for path in folder.rglob("*") if path.suffix in (".js", ".css", ".html") and "vendor" not in path.parts]
    assert own and not [path for path in own if re.search(r"https?://(?!www\.w3\.org)", path.read_text())]
