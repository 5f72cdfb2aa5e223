"""Photos over HTTP: streamed to the disk within limits, told by their bytes, given back as attachments (SEC-12)."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.requests import ClientDisconnect

from api.commands.runs_photo import photo
from api.refusal import Refusal
from api.web.security.who import Role
from controller.store.verify import verify
from tests.api.web.bench import served
from tests.api.web.security.house import API, House, kind
from tests.controller.quick import QuickLab
from tests.controller.test_photos import PNG, STEP

MOST = 200_000


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    """A run that waits for a photo."""
    made = QuickLab(tmp_path / "data")
    await made.up()
    await made.start(STEP)
    assert await made.until(lambda: bool(made.runs.tasks()), 600.0)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def house(lab: QuickLab) -> AsyncIterator[House]:
    async with served(lab, photo_bytes=MOST) as made:
        yield made


def where(lab: QuickLab, what: str = "photos") -> str:
    return f"{API}/runs/run-1/tasks/{what}?path={lab.runs.tasks()[0]['path']}"


async def send(client: Any, lab: QuickLab, content: Any = PNG, type: str = "image/png", key: str = "k") -> Any:
    return await client.post(where(lab), content=content, headers={"content-type": type, "idempotency-key": key})


def files(lab: QuickLab) -> list[str]:
    folder = lab.folder / "photos"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.req("SEC-12", "SEC-06")
async def test_a_photo_is_stored_under_our_name_and_comes_back_as_an_attachment(lab: QuickLab, house: House) -> None:
    async with house.signed_in("operator") as client:
        sent = await send(client, lab)
        assert sent.status_code == 201, sent.text
        photo = sent.json()["photo"]
        assert (await send(client, lab)).json() == {"photo": photo}, "sent twice, kept once"
        assert files(lab) == [f"{photo}.png"]
        (row,) = (await client.get(f"{API}/runs/run-1/photos")).json()
        assert (row["by"], row["bytes"], row["path"]) == ("operator", len(PNG), lab.runs.tasks()[0]["path"])
        back = await client.get(f"{API}/runs/run-1/photos/{photo}")
        assert back.content == PNG and back.headers["content-type"] == "image/png"
        assert back.headers["content-disposition"] == f'attachment; filename="run-1-{photo[:8]}.png"'
        assert back.headers["x-content-type-options"] == "nosniff"
        assert back.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert kind(await client.get(f"{API}/runs/run-2/photos/{photo}")) == "not-found"
        assert kind(await client.get(f"{API}/runs/run-1/photos/{'0' * 32}")) == "not-found"
        assert (await client.get(f"/photos/{photo}.png")).status_code == 404, "no served folder has it"
    async with house.visitor() as stranger:
        assert kind(await stranger.get(f"{API}/runs/run-1/photos/{photo}")) == "not-signed-in"
        assert kind(await stranger.post(where(lab), content=PNG, headers={"x-osteon": "1"})) == "not-signed-in"
    assert verify(lab.folder).ok


@pytest.mark.req("SEC-12", "SEC-11")
async def test_what_is_no_picture_too_large_or_cut_off_leaves_nothing(lab: QuickLab, house: House) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield PNG
        raise ClientDisconnect  # the phone lost its network

    async def long() -> AsyncIterator[bytes]:
        """Its length is not said before."""
        yield PNG
        for _ in range(10):
            yield bytes(MOST // 4)

    async with house.signed_in("operator") as client:
        assert kind(await send(client, lab, b"<svg onload='x'/>" * 9, "image/png", "1")) == "not-a-picture"
        assert kind(await send(client, lab, PNG, "image/jpeg", "2")) == "not-a-picture"
        assert kind(await send(client, lab, PNG, "image/svg+xml", "3")) == "wrong-type"
        assert kind(await send(client, lab, bytes(MOST + 1), "image/png", "4")) == "too-large"
        assert kind(await send(client, lab, long(), "image/png", "5")) == "too-large"
        assert kind(await send(client, lab, cut(), "image/png", "6")) == "bad-request"
        assert kind(await send(client, lab, b"", "image/png", "7")) == "not-a-picture"
        elsewhere = where(lab).replace("hand", "other")
        head = {"content-type": "image/png", "idempotency-key": "8"}
        assert kind(await client.post(elsewhere, content=PNG, headers=head)) == "run-conflict"
    assert files(lab) == [] and lab.ledger.photos() == []


@pytest.mark.req("SEC-12", "AC-02")
async def test_a_photo_needs_the_right_to_act_and_a_foreign_page_sends_none(lab: QuickLab, house: House) -> None:
    head = {"content-type": "image/png", "idempotency-key": "k"}
    async with house.signed_in(Role.VIEWER) as client:
        assert kind(await client.post(where(lab), content=PNG, headers=head)) == "not-allowed"
    async with house.signed_in(Role.OPERATOR) as client:
        assert kind(await client.post(where(lab), content=PNG, headers={**head, "x-osteon": "no"})) == "forged"
        away = {**head, "origin": "https://evil.example"}
        assert kind(await client.post(where(lab), content=PNG, headers=away)) == "foreign-origin"
    assert files(lab) == []


@pytest.mark.req("SEC-12")
async def test_what_a_crash_cut_off_is_swept_away_and_what_is_under_way_is_not(lab: QuickLab, house: House) -> None:
    folder = lab.folder / "photos"
    folder.mkdir()
    for name, at in (("old.part", 1000.0), ("new.part", 9000.0), ("whole.png", 1000.0)):
        (folder / name).write_bytes(PNG)
        os.utime(folder / name, (at, at))
    house.app.state.service.photos.sweep(now=10_000.0)
    assert files(lab) == ["new.part", "whole.png"]


@pytest.mark.req("SEC-12")
async def test_a_file_of_this_machine_is_taken_like_one_over_http(
    lab: QuickLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def ask(data: Path, do: str, **fields: Any) -> dict[str, Any]:
        asked.update(fields)
        if fields["run"] != "run-1":
            raise Refusal("there is no such run")
        return {"photo": fields["photo"]}

    monkeypatch.setattr("api.commands.runs_photo.ask", ask)
    good, bad = tmp_path / "a.jpg", tmp_path / "b.jpg"
    good.write_bytes(PNG)
    bad.write_bytes(b"<svg/>")
    words = {"data": lab.folder, "path": "look/hand", "json": False}
    assert photo(argparse.Namespace(**words, id="run-1", file=good)) == 0
    kept = [f"{asked['photo']}.png"]
    assert (asked["kind"], asked["bytes"]) == ("png", len(PNG)) and files(lab) == kept
    for run, file, told in (
        ("run-2", good, "no such run"),
        ("run-1", bad, "no picture"),
        ("run-1", tmp_path, "directory"),
    ):
        with pytest.raises(Refusal, match=told):
            photo(argparse.Namespace(**words, id=run, file=file))
    assert files(lab) == kept
