"""The first minutes of a real bench: `osteon serve`, its token, the first administrator; in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.api.test_serve import bench, serving, until  # noqa: F401  bench is a fixture
from tests.dashboard.conftest import Complaints

TOKEN, ADDRESS = re.compile(r"set-up token (\S+)"), re.compile(r"page at (\S+)")
PASSWORD = "brisk walrus under glass"


@pytest.mark.req("SEC-02", "AC-03")
def test_the_first_administrator_is_made_with_the_printed_token_and_only_once(
    context: BrowserContext,
    bench: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with serving(bench, data) as serve:
        assert serve.stdout is not None
        said = ""
        while not TOKEN.search(said):
            said += (line := serve.stdout.readline())
            assert line, said
        url, token = ADDRESS.findall(said)[0].rstrip("/") + "/", TOKEN.findall(said)[0]
        page, complaints = context.new_page(), Complaints()
        complaints.watch(page, url)
        page.goto(url)
        expect(page.get_by_role("heading", name="First set-up")).to_be_visible()
        fields = {
            "Set-up token": "not-the-token-that-was-printed",
            "Name of the person": "Chief",
            "User": "chief",
            "Password": "short",
        }
        for label, text in fields.items():
            page.get_by_label(label).fill(text)
        create, trouble = page.get_by_role("button", name="Create the account"), page.get_by_role("alert")
        create.click()
        expect(trouble).to_be_visible()
        page.get_by_label("Set-up token").fill(token)
        create.click()
        expect(trouble).to_contain_text("12")
        page.get_by_label("Password").fill(PASSWORD)
        create.click()
        expect(page.locator(".topbar")).to_contain_text("Chief · admin")
        expect(page.locator(".card[data-unit=reactor]")).to_be_visible()
        until(lambda: not (data / "setup-token").exists())
        page.goto(f"{url}#/units/reactor")
        expect(page.locator(".values [data-role=temperature]")).to_have_attribute("data-quality", "bad")
        expect(page.locator(".commands .why")).to_contain_text("Your role (admin) has no right to this.")
        again = page.request.post(
            f"{url}api/v1/setup",
            data={"token": token, "user": "second", "name": "Second", "password": PASSWORD},
            headers={"X-Osteon": "1"},
        )
        assert again.status == 403 and again.json()["type"].endswith("set-up-refused")
        assert not [each for each in complaints if not re.search("40[13]|422", each)], complaints
