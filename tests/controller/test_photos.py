"""Photos on record: an entry names a picture of its own task, and `verify` notices one that is gone or another."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import pytest_asyncio

from controller.actors import Actor
from controller.store.pictures import HEAD, Incoming, NoPicture, Picture, file_of, kind_of
from controller.store.verify import verify
from tests.controller.quick import HEAD as PROTOCOL
from tests.controller.quick import QuickLab
from tests.controller.test_materials import ask

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
STEP = (
    PROTOCOL
    + """
  - stage: Look
    do:
      - hand: Take a picture
        write down: {view: photo}
      - hand: Take another
        write down: {view: photo}
"""
)


def stored(lab: QuickLab, content: bytes = PNG) -> Picture:
    with Incoming(lab.folder) as coming:
        coming.take(content)
        return coming.finish()


async def add(lab: QuickLab, picture: Picture, key: str = "") -> Any:
    path = lab.runs.tasks()[0]["path"]
    facts = {"photo": picture.photo, "kind": picture.kind, "bytes": picture.bytes, "sha256": picture.sha256}
    return await ask(lab, "add_photo", run="run-1", path=path, key=key, **facts)


async def answer(lab: QuickLab, view: str) -> Any:
    return await ask(lab, "answer", run="run-1", path=lab.runs.tasks()[0]["path"], entries={"view": view})


@pytest_asyncio.fixture
async def waiting(lab: QuickLab) -> QuickLab:
    await lab.up()
    await lab.start(STEP)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    return lab


@pytest.mark.req("SEC-12")
async def test_an_entry_takes_a_photo_of_its_own_task_and_no_other(waiting: QuickLab) -> None:
    assert "is no photo of this task" in (await answer(waiting, "../ledger.db"))["text"]
    picture = stored(waiting)
    assert "is no photo of this task" in (await answer(waiting, picture.photo))["text"], "not on record yet"
    assert await add(waiting, picture, "k1") == await add(waiting, stored(waiting), "k1") == {"photo": picture.photo}
    (row,) = waiting.ledger.photos("run-1")
    assert (row.by, row.bytes, row.sha256, row.kind) == ("anna", len(PNG), picture.sha256, "png")
    assert await answer(waiting, picture.photo) == {"state": "answered"}
    assert await waiting.until(lambda: [each["title"] for each in waiting.runs.tasks()] == ["Take another"], 600.0)
    assert "is no photo of this task" in (await answer(waiting, picture.photo))["text"], "that was the step before"
    (task,) = waiting.runs.tasks()
    person = Actor("simulated operator", "simulated", "simulated person")
    said = {"view": "photo of view"}
    assert await waiting.runs.answer("run-1", task["path"], said, person) == "answered", "it has no camera"


@pytest.mark.req("SEC-12")
async def test_what_lies_nowhere_or_belongs_to_no_open_task_is_not_put_on_record(waiting: QuickLab) -> None:
    picture = stored(waiting)
    file_of(waiting.folder, picture.photo, "png").unlink()
    assert "is not there" in (await add(waiting, picture))["text"]
    odd = Picture("../../ledger", "png", 1, "")
    assert "no name of a picture" in (await add(waiting, odd))["text"]
    facts = {"photo": picture.photo, "kind": "png", "bytes": 1, "sha256": ""}
    assert "no open task" in (await ask(waiting, "add_photo", run="run-1", path="x", **facts))["text"]
    assert waiting.ledger.photos() == []


@pytest.mark.req("SEC-12", "AT-06")
async def test_verify_notices_a_photo_that_is_missing_or_altered(waiting: QuickLab) -> None:
    picture = stored(waiting)
    await add(waiting, picture)
    stored(waiting)  # a file without a record counts for nothing
    folder, file = waiting.ledger.folder, file_of(waiting.folder, picture.photo, "png")
    assert verify(folder).ok
    entry = next(each.seq for each in waiting.ledger.audit() if each.action == "photo taken")
    file.write_bytes(PNG[:-1] + b"\1")
    (altered,) = verify(folder).findings
    assert (altered.seq, "its picture was altered" in altered.text) == (entry, True)
    file.unlink()
    (missing,) = verify(folder).findings
    assert "cannot be read" in missing.text
    await waiting.kill()
    shutil.copy(folder / "ledger.db", copy := folder.parent / "copy.db")
    report = verify(copy)
    assert report.ok and any("1 pictures could not be looked at" in note for note in report.notes)


@pytest.mark.req("SEC-12")
@pytest.mark.parametrize(
    "content",
    [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a" + bytes(20), b"RIFF\0\0\0\0WAVE", b"", b"\x89PNG"],
)
def test_the_bytes_say_what_it_is_and_nothing_else_is_kept(content: bytes, tmp_path: Any) -> None:
    with pytest.raises(NoPicture), Incoming(tmp_path) as coming:
        coming.take(content[:3])
        coming.take(content[3:])
        coming.finish()
    assert list((tmp_path / "photos").iterdir()) == []
    assert kind_of(b"RIFF\0\0\0\0WEBP"[:HEAD]) == "webp" and kind_of(b"\xff\xd8\xff\xe0") == "jpeg"
