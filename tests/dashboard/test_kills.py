"""Controller and service killed again and again under an open page, judged by the page and by the world."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from simulators.world_client import WorldClient
from tests.dashboard.conftest import Complaints
from tests.dashboard.demo import Demo
from tests.dashboard.eye import Eye, Seen
from tests.dashboard.screenshots import sign_in
from tests.runs.judge import judge
from tests.runs.processes import exchanges
from tests.runs.witness import Witness

KILLS = 10
"""Of each of the two; a bottle of 900 mL lasts for them."""
PATIENCE_MS = 120_000
LATEST_MS = 1300
"""A kill comes at most so long after an exchange was seen under way."""


@pytest.mark.campaign
@pytest.mark.timeout(1800)
@pytest.mark.req("B4", "UI-21", "UI-22", "UI-24", "DX-10", "INV-01", "SEC-22")
def test_killed_again_and_again_the_page_stays_truthful_and_the_run_agrees_with_the_world(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place, chance = tmp_path_factory.mktemp("k"), Random(1)
    protocol = place / "protocol.yaml"
    protocol.write_text(exchanges(20 * KILLS).replace("interval: 20 min", "interval: 1 h"), "utf-8")
    seen: dict[str, list[Seen]] = {"controller": [], "api": []}
    with (
        Demo(place / "d", more=("--protocol", str(protocol))) as demo,
        WorldClient(demo.folder / "world.sock", role="observer") as world,
    ):
        truth = Witness(demo.folder)
        truth.eye = world
        page, eye = opened(browser, demo)
        for victim in KILLS * ["controller", "api"]:
            in_exchange(page, truth, round(chance.uniform(0, LATEST_MS)))
            seen[victim].append(eye.kill(demo.pid(victim)))
            truth.deaths += victim == "controller"
            print(f"{victim}: {seen[victim][-1]}", flush=True)
        end(page, truth)
        judge(truth, None, Counter())
    for victim, kills in seen.items():
        said = sorted(each.said_after_s for each in kills)
        print(f"{victim}: {len(kills)} kills, told within {said[0]:.1f} to {said[-1]:.1f} s (goal 6 s)")
    assert {each.link for each in seen["controller"]} == {"blind"}
    assert {each.link for each in seen["api"]} == {"lost"}


def opened(browser: Browser, demo: Demo) -> tuple[Page, Eye]:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    Complaints().watch(page, demo.url)
    page.goto(demo.url)
    sign_in(page, demo.user, demo.password)
    page.goto(f"{demo.url}#/units/reactor")
    expect(page.locator(".values [data-quality=good]").first).to_be_visible()
    return page, Eye(page)


def in_exchange(page: Page, truth: Witness, then_ms: int) -> None:
    """Wait for an exchange, settling on the way what a person has to; and a little longer."""
    for _ in range(PATIENCE_MS // 100):
        run = going_on(truth)
        if any(step["work"] == "Exchange" for step in run["steps"]):
            page.wait_for_timeout(then_ms)
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no exchange came: {run}")


def going_on(truth: Witness) -> dict[str, Any]:
    """The run; one that is held gets its answers from the truth and goes on."""
    (run,) = truth.ask("snapshot")["runs"]
    if run["state"] == "HELD":
        truth.decide(run)
        truth.ask("command", run=run["run"], cause="restart", why="looked at it")
    return run


def end(page: Page, truth: Witness) -> None:
    """Let the exchange under way come to its end, and stop the run."""
    for cause, state in (("pause", "PAUSED"), ("stop", "STOPPED")):
        for _ in range(PATIENCE_MS // 100):
            run = going_on(truth)
            if run["state"] == state:
                break
            if run["state"] in ("RUNNING", "PAUSED"):
                truth.ask("command", run=run["run"], cause=cause, why="enough")
            page.wait_for_timeout(100)
        else:
            raise AssertionError(f"the run is {run['state']}, not {state}")
