"""A compressed run watched on the real page from its start to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.dashboard.conftest import Complaints
from tests.dashboard.demo import Demo
from tests.dashboard.screenshots import sign_in

COMPRESSED = Path(__file__).parents[1] / "protocols" / "compressed.yaml"
SPEED = 1800
LOOK_MS = 200
LOOKS = 1500
"""Five minutes; the run has six hours of bench time, and hand steps that the simulated person answers after 12 s."""

SEEN = """
() => ({
  now: Number(document.querySelector(".nowline")?.dataset.now ?? 0),
  next: document.querySelector("[data-next]")?.innerText ?? "",
  state: document.querySelector(".head .state")?.dataset.state ?? "",
})
"""


def told(demo: Demo) -> tuple[str, str]:
    """State and title of what comes next, from the controller itself."""
    (run,) = demo.snapshot()["runs"]
    return run["state"], (run["next"] or {}).get("title", "")


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.req("B2", "UI-52")
def test_a_whole_run_is_watched_to_its_end_with_the_next_action_right_and_a_silent_console(
    browser: Browser, tmp_path: Path
) -> None:
    complaints, looks, titles = Complaints(), list[dict[str, Any]](), set[str]()
    with Demo(tmp_path / "d", speed=SPEED, more=("--protocol", str(COMPRESSED))) as demo:
        demo.wait()
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        complaints.watch(page, demo.url)
        page.goto(demo.url)
        sign_in(page, demo.user, demo.password)
        complaints[:] = [each for each in complaints if "401" not in each]
        page.goto(f"{demo.url}#/runs/run-1?view=run")
        expect(page.locator(".nowline")).to_be_attached()
        for _ in range(LOOKS):
            state, title = told(demo)
            if state == "COMPLETE":
                break
            assert state != "HELD", demo.snapshot()["runs"][0]["why"]
            if title:
                titles.add(title)
                try:
                    expect(page.locator("[data-next]")).to_contain_text(title, timeout=2000)
                except AssertionError:  # the run went on meanwhile
                    assert told(demo)[1] != title, f"the page does not say {title!r}"
            looks.append(page.evaluate(SEEN))
            page.wait_for_timeout(LOOK_MS)
        expect(page.locator(".head .state")).to_have_attribute("data-state", "COMPLETE")
        assert told(demo)[0] == "COMPLETE"
    times = [each["now"] for each in looks if each["now"]]
    assert times == sorted(times) and len(set(times)) > 0.8 * len(times), "the now-line moves, and never back"
    assert {"exchange" in each.lower() for each in titles} == {True, False}, titles
    assert complaints == []
    page.context.close()
