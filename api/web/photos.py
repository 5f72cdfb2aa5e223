"""Photos on their way to the disk and back: streamed, never whole in memory, few at a time (SEC-11, SEC-12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from api.web.problems import Problem

if TYPE_CHECKING:
    from controller.store.pictures import Picture
    from controller.store.rows import PhotoRow

AT_ONCE = 4
PART_BYTES = 1 << 16
LEFT_AFTER_S = 3600.0
"""A part not touched for so long belongs to an upload that a crash cut off."""
SPARE_BYTES = 1 << 30
"""Left free on the disk: the ledger needs it more than a photo."""
TYPES = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
TYPE_OF = {kind: type for type, kind in TYPES.items()}
ALONE = "default-src 'none'; sandbox"
"""Content policy of a picture opened by itself."""


class Photos:
    """Of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._free = AT_ONCE
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="photos")

    def close(self) -> None:
        self._worker.shutdown(wait=True)

    @asynccontextmanager
    async def stored(self, declared: str, body: AsyncIterator[bytes]) -> AsyncGenerator[Picture]:
        """The picture in `body`, on the disk while inside; where the inside refuses it, its file goes again.

        Raises Problem: wrong-type, not-a-picture, disk-full, busy."""
        from controller.store.pictures import file_of

        picture = await self._receive(declared, body)
        try:
            yield picture
        except Problem as problem:
            if problem.kind != "outcome-not-known":
                file_of(self.data, picture.photo, picture.kind).unlink(missing_ok=True)
            raise

    async def _receive(self, declared: str, body: AsyncIterator[bytes]) -> Picture:
        from controller.store.pictures import Incoming, NoPicture

        kind = TYPES.get(declared.partition(";")[0].strip().lower())
        if kind is None:
            raise Problem("wrong-type", f"send a picture as one of {', '.join(TYPES)}")
        with self._turn():
            try:
                self._room()
                with Incoming(self.data) as coming:
                    async for part in body:
                        coming.take(part)
                    picture = await asyncio.get_running_loop().run_in_executor(self._worker, coming.finish)
            except NoPicture as error:
                raise Problem("not-a-picture", str(error)) from None
            except ClientDisconnect:
                raise Problem("bad-request", "the photo did not come to its end") from None
            except OSError as error:
                raise Problem("disk-full", f"the photo could not be stored: {error.strerror}") from None
        if picture.kind != kind:
            self.drop(picture)
            raise Problem("not-a-picture", f"it was sent as {kind} and is {picture.kind}")
        return picture

    def drop(self, picture: Picture) -> None:
        """Forget a file that is not on record."""
        from controller.store.pictures import file_of

        file_of(self.data, picture.photo, picture.kind).unlink(missing_ok=True)

    @contextmanager
    def _turn(self) -> Generator[None]:
        if self._free < 1:
            raise Problem("busy", f"{AT_ONCE} photos are being sent already; try again in a moment")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    def _room(self) -> None:
        import shutil

        if shutil.disk_usage(self.data).free < SPARE_BYTES:
            raise Problem("disk-full", "the disk of the controller is nearly full: no photos are taken")

    def sweep(self, now: float) -> None:
        """Remove what uploads left that a crash cut off; `now` UTC s."""
        from controller.store.pictures import leftovers

        for path in leftovers(self.data, now - LEFT_AFTER_S):
            path.unlink(missing_ok=True)

    def answer(self, row: PhotoRow) -> StreamingResponse:
        """The picture as an attachment under a name of ours. Raises Problem where its file is gone."""
        from controller.store.pictures import file_of

        path = file_of(self.data, row.photo, row.kind)
        if not path.is_file():
            raise Problem("not-found", "this photo is on record, and its file is gone: tell your administrator")
        headers = {
            "content-disposition": f'attachment; filename="{row.run_id}-{row.photo[:8]}.{row.kind}"',
            "content-length": str(path.stat().st_size),
            "content-security-policy": ALONE,
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(parts(path), media_type=TYPE_OF[row.kind], headers=headers)


async def parts(path: Path) -> AsyncGenerator[bytes]:
    """A file, part by part; the loop has its turn between two."""
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            yield part
