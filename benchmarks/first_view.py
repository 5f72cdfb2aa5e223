"""From the address to the first useful view in Chromium with its processor slowed 4 times: signed in, living values.

Floor: the same page opened again in the same round with nothing slowed. Goal: 2 s (dashboard.md UI-130).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.figures import Figure, Options, median
from tests.dashboard.browser import launch
from tests.dashboard.demo import Demo
from tests.dashboard.screenshots import sign_in

REQ = ("UI-130",)
GOAL_S, SLOWED = 2.0, 4
VIEWS = {
    "overview": ("#/", ".card .value[data-quality=good]"),
    "unit": ("#/units/reactor", ".values .value[data-quality=good]"),
}
LIVING = "(living) => document.querySelector(living) && performance.now() / 1000"


def figures(options: Options) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="o") as name, Demo(Path(name) / "d") as demo, sync_playwright() as drive:
        browser = launch(drive)
        cookies = signed_in(browser, demo)
        for view, (address, living) in VIEWS.items():
            rounds = [
                [seconds(browser, cookies, demo.url + address, living, slowed) for slowed in (SLOWED, 1)]
                for _ in range(options.rounds)
            ]
            slow, quick = (median(list(each)) for each in zip(*rounds, strict=True))
            yield Figure(
                f"{view}, processor slowed {SLOWED} x", slow, "s", f"at most {GOAL_S:g} s", slow <= GOAL_S, quick,
                "s with nothing slowed",
            )  # fmt: skip
        browser.close()


def signed_in(browser: Browser, demo: Demo) -> list[dict[str, object]]:
    """The cookies of a session."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.url)
    sign_in(page, demo.user, demo.password)
    cookies = [dict(each) for each in context.cookies()]
    context.close()
    return cookies


def seconds(browser: Browser, cookies: list[dict[str, object]], url: str, living: str, slowed: int) -> float:
    """From the begin of the navigation, with nothing in the cache, until a living value is drawn."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies(cookies)  # pyright: ignore[reportArgumentType]
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.goto(url, wait_until="commit")
    took = page.wait_for_function(LIVING, arg=living, polling="raf").json_value()
    context.close()
    return float(took)
