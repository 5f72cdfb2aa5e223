"""The dashboard's files: whole, compressed where the browser takes it, never older than they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from api.web.app import DASHBOARD
from api.web.files import Files

IMPORTED = re.compile(r'^import (?:.*? from )?"(\.[^"]+)"', re.MULTILINE)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    (tmp_path / "parts").mkdir()
    (tmp_path / "index.html").write_text("<p>page</p>")
    (tmp_path / "parts" / "long.js").write_text("// word\n" * 200)
    app = Starlette(routes=[Mount("/", Files(tmp_path))])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://here") as found:
        yield found


async def test_a_file_is_compressed_for_who_takes_it_and_the_same_for_everybody(client: httpx2.AsyncClient) -> None:
    packed = await client.get("/parts/long.js", headers={"accept-encoding": "gzip, br"})
    plain = await client.get("/parts/long.js", headers={"accept-encoding": "identity"})
    assert packed.text == plain.text == "// word\n" * 200
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < 200
    assert packed.headers["content-type"].startswith("text/javascript")
    assert packed.headers["vary"] == "accept-encoding"


@pytest.mark.real_time
async def test_a_browser_asks_each_time_and_gets_a_changed_file(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    first = await client.get("/")
    assert first.text == "<p>page</p>" and first.headers["cache-control"] == "no-cache"
    again = {"if-none-match": first.headers["etag"]}
    assert (await client.get("/", headers=again)).status_code == 304
    (tmp_path / "index.html").write_text("<p>newer</p>")
    assert (await client.get("/", headers=again)).text == "<p>newer</p>"


@pytest.mark.parametrize("path", ["/parts", "/parts/", "/parts/..%2findex.html", "/none.js"])
async def test_only_what_is_there_is_served(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


def test_every_module_of_the_page_is_asked_for_at_once() -> None:
    """A module that is found only inside another one costs a round more before the first view (UI-130)."""
    announced = re.findall(r'modulepreload" href="([^"]+)"', (DASHBOARD / "index.html").read_text())
    assert set(announced) == {path.relative_to(DASHBOARD).as_posix() for path in needed(DASHBOARD / "app.js", set())}


def needed(module: Path, found: set[Path]) -> set[Path]:
    """What a module imports at its begin, and what that imports."""
    for name in IMPORTED.findall(module.read_text()):
        path = (module.parent / name).resolve()
        if path not in found:
            found.add(path)
            needed(path, found)
    return found
