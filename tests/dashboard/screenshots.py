"""Every page of a running demo as pictures, in both themes and at phone size: `python -m tests.dashboard.screenshots`.

Starts `osteon demo` in a folder of its own unless --url names a server that runs; then --password is needed.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.dashboard.browser import launch
from tests.dashboard.demo import Demo

PLACES = {"wide": (1440, 900), "phone": (390, 844)}
PAINT_MS = 1500


def pictures(browser: Browser, url: str, user: str, password: str, folder: Path) -> None:
    """One PNG for each page, theme and size."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for size, (width, height) in PLACES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
            page = context.new_page()
            page.goto(url)
            expect(page.get_by_label("Password")).to_be_visible()
            page.screenshot(path=folder / f"sign-in-{theme}-{size}.png")
            sign_in(page, user, password)
            for name, address in addresses(page).items():
                page.goto(url + address)
                page.wait_for_timeout(PAINT_MS)
                page.screenshot(path=folder / f"{name}-{theme}-{size}.png", full_page=size == "phone")
            context.close()


def sign_in(page: Page, user: str, password: str) -> None:
    page.get_by_label("User").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".card").first).to_be_visible(timeout=20_000)


def addresses(page: Page) -> dict[str, str]:
    unit = page.locator(".card").first.get_attribute("data-unit") or ""
    run = (page.locator(".card .batch").first.inner_text().split("·")[-1]).strip()
    return {"overview": "#/", "unit": f"#/units/{unit}", "run": f"#/runs/{run}", "run-week": f"#/runs/{run}?view=week",
            "run-list": f"#/runs/{run}?as=list", "tasks": "#/tasks", "alarms": "#/alarms"}  # fmt: skip


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.dashboard.screenshots", description=__doc__)
    asked.add_argument("--to", type=Path, default=Path("build/screenshots"))
    asked.add_argument("--url")
    asked.add_argument("--user", default="demo")
    asked.add_argument("--password", default="")
    asked.add_argument("--after", type=float, default=20.0, metavar="SECONDS", help="how long the demo runs first")
    options = asked.parse_args()
    with ExitStack() as stack:
        way = (options.url, options.user, options.password)
        if options.url is None:
            demo = stack.enter_context(Demo(Path(stack.enter_context(tempfile.TemporaryDirectory())), day=None))
            demo.wait()
            way = (demo.url, demo.user, demo.password)
            Event().wait(options.after)
        pictures(launch(stack.enter_context(sync_playwright())), *way, options.to)
    print(f"{len(list(options.to.glob('*.png')))} pictures in {options.to}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
