"""Looks at an open page ten times a second and judges afterwards: did it ever show an old value as a current one?"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

LATEST_S = 30.0
"""The page must say so within 6 s (UI-21, UI-22); a busy machine gets five times that (architecture section 8)."""
BACK_MS = 90_000

LOOK = """
() => {
  const count = (what) => document.querySelectorAll(what).length;
  window.eye = { born: performance.timeOrigin, looks: [] };
  setInterval(() => window.eye.looks.push({
    at: performance.now() / 1000,
    link: document.querySelector("[data-link]")?.dataset.link ?? "",
    bar: count(".bar-wide.lost") + count(".bar-wide.blind"),
    good: count(".values [data-quality=good]"),
    acts: count("[data-command]:enabled"),
    clock: document.querySelector(".clock")?.innerText ?? "",
  }), 100);
}
"""
WELL = """
(killed) => {
  const after = window.eye.looks.filter((each) => each.at > killed);
  const last = after[after.length - 1];
  return after.some((each) => each.link !== "connected") && last.link === "connected" && last.good > 0;
}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page did after a kill, s of wall time."""

    said_after_s: float
    back_after_s: float
    link: str
    """What it said: lost, or blind (controller not scanning)."""


class Eye:
    """On one page that shows a unit and is never loaded again."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(LOOK)
        self._born = page.evaluate("window.eye.born")

    def kill(self, pid: int) -> Seen:
        """Kill -9, wait until the page lives again; raises AssertionError when it was not truthful in between."""
        killed = self._page.evaluate("performance.now() / 1000")
        os.kill(pid, signal.SIGKILL)
        self._page.wait_for_function(WELL, arg=killed, timeout=BACK_MS)
        looks = [each for each in self._page.evaluate("window.eye.looks") if each["at"] > killed]
        assert self._page.evaluate("window.eye.born") == self._born, "the page was loaded again"
        return judged(killed, looks)


def judged(killed: float, looks: list[dict[str, Any]]) -> Seen:
    """Quiet until it said so, then nothing old as current until it was back."""
    first = next(number for number, each in enumerate(looks) if each["link"] != "connected")
    dark = [each for each in looks[first:] if each["link"] != "connected"]
    said, back = looks[first]["at"] - killed, dark[-1]["at"] - killed
    assert said < LATEST_S
    for each in dark:
        assert each["good"] == 0, f"an old value as current: {each}"
        assert each["bar"] == 1, f"not told across the page: {each}"
        assert each["link"] != "lost" or each["acts"] == 0, f"a button that reaches nobody: {each}"
    assert looks[-1]["clock"] != looks[0]["clock"], "the bench's clock did not go on"
    return Seen(said, back, looks[first]["link"])
