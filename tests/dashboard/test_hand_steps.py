"""Hand steps on the real thing at 600 x: taken over with a click, handed to the simulated person, left to them."""

from __future__ import annotations

import os
import re
import signal
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from api.web.drafts import Drafts
from controller.store.reader import Reader
from simulators.patience import PART
from simulators.world_client import WorldClient
from tests.api.web.service.place import until
from tests.controller.quick import HEAD
from tests.dashboard.conftest import Complaints
from tests.dashboard.demo import Demo
from tests.dashboard.screenshots import sign_in

THREE = (
    HEAD
    + """
  - stage: By hand
    do:
      - hand: Pour 90 mL of medium into {reactor}
        acts: [{pour: 90 mL, into: reactor, of: medium}]
        write down: {clear: yes/no, weight: {unit: g, limits: 80..100}, vessel: {scan: reactor}, view: photo}
      - hand: Look at it
        write down: {colour: text}
      - hand: Look once more
      - wait: 2 h
"""
)


PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def tasks(demo: Demo) -> list[dict[str, Any]]:
    """None while the controller is away."""
    try:
        return demo.snapshot()["tasks"]
    except (OSError, ValueError, KeyError):
        return []


@pytest.mark.timeout(120)
def test_a_hand_step_is_taken_over_answered_and_the_next_ones_are_left_to_the_simulated_person(
    browser: Browser, tmp_path: Path
) -> None:
    protocol = tmp_path / "three.yaml"
    protocol.write_text(THREE)
    context, complaints = browser.new_context(viewport={"width": 1280, "height": 900}), Complaints()
    context.set_default_timeout(15_000)
    with Demo(tmp_path / "d", more=["--protocol", str(protocol)]) as demo:
        page = context.new_page()
        complaints.watch(page, demo.url)
        page.goto(demo.url)
        sign_in(page, demo.user, demo.password)
        page.goto(f"{demo.url}#/tasks")
        task = page.locator(".task")
        page.get_by_role("button", name="I will do it").click()
        expect(task).to_have_attribute("data-claimed", "demo")
        with WorldClient(demo.folder / "world.sock", "observer") as eye:
            assert eye.truth()["by_hand_in_ml"] == 90.0, "the person at the bench has poured, once, and left the answer"
        os.kill(demo.pid("controller"), signal.SIGKILL)
        until(lambda: [each["claimed_by"] for each in tasks(demo)] == ["demo"], "the claim is there after the kill")
        expect(page.locator("[data-link]")).to_have_attribute("data-link", "connected")
        page.locator("select[name=clear]").select_option("yes")
        page.locator("input[name=weight]").fill("88.5")
        page.locator("input[name=vessel]").fill("osteon:bottle:run-1:medium:1")
        expect(task).to_contain_text("expected reactor 1, read bottle medium 1")
        page.locator("input[name=vessel]").fill("osteon:vessel:run-1:reactor:1")
        page.locator("input[name=vessel]").press("Enter")
        expect(task.locator("h3")).to_contain_text("Pour")  # a hand scanner's Enter signs nothing
        page.locator("input[name=view]").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": PIXEL})
        photo = page.locator("[data-photo] img")
        expect(photo).to_be_visible()
        until(lambda: photo.evaluate("image => image.naturalWidth") == 1, "the page shows what it sent")
        kept = Drafts(demo.folder)
        until(
            lambda: "view" in kept.get("demo", "run-1", tasks(demo)[0]["path"]).entries, "the draft is with the service"
        )
        page.evaluate("localStorage.clear()")
        page.reload()
        expect(page.locator("input[name=weight]")).to_have_value("88.5")
        expect(photo).to_be_visible()
        page.get_by_role("button", name="Done, record it").click()
        expect(task.locator("h3")).to_have_text("Look at it")
        page.get_by_role("button", name="Answer for me").click()
        expect(task.locator("h3")).to_have_text("Look once more")
        expect(task).to_contain_text(re.compile(r"The simulated person answers in \d+ s"))
        (last,) = demo.snapshot()["tasks"]
        assert last["due"] < last["answers_at"] <= last["due"] + (last["alarm_at"] - last["due"]) / PART
        with WorldClient(demo.folder / "world.sock", "observer") as eye:
            assert eye.truth()["by_hand_in_ml"] == 90.0
        with Reader.open_read_only(demo.folder) as ledger:
            rows = {row.title: (row.claimed_by, row.answered_by, row.entries) for row in ledger.tasks("run-1")}
            (picture,) = ledger.photos("run-1")
        assert kept.get("demo", "run-1", picture.path).at is None, "recorded: no draft is left"
        kept.close()
    written = {"clear": True, "weight": 88.5, "vessel": "osteon:vessel:run-1:reactor:1", "view": picture.photo}
    assert rows.pop("Pour 90 mL of medium into reactor") == ("demo", "demo", written)
    assert {title: row[:2] for title, row in rows.items()} == {
        "Look at it": ("simulated operator", "simulated operator"),
        "Look once more": ("", ""),
    }
    assert [each for each in complaints if "401" not in each] == []
    context.close()
