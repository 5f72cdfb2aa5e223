"""The files of the dashboard: only those that are there, kept in memory, compressed once, never held older than they
are by a browser. One round of small answers decides how soon a page is useful (UI-130)."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

INDEX = "index.html"
LEAST = 600
"""Bytes below which compressing gains nothing."""
CHECK = {"cache-control": "no-cache", "vary": "accept-encoding"}
"""A browser asks each time whether its copy is the newest: pages of two versions never mix (UI-27)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One file as it was at `changed` (ns)."""

    changed: int
    plain: bytes
    packed: bytes | None
    headers: Mapping[str, str]

    @classmethod
    def of(cls, path: Path, changed: int) -> Kept:
        plain = path.read_bytes()
        packed = gzip.compress(plain, 6, mtime=0) if len(plain) >= LEAST else None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        coded = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
        tag = f'W/"{hashlib.sha256(plain).hexdigest()[:20]}"'
        return cls(changed, plain, packed, {"content-type": coded, "etag": tag, **CHECK})

    def answer(self, asked: Headers) -> Response:
        if self.headers["etag"] in asked.get("if-none-match", ""):
            return Response(status_code=304, headers={**CHECK, "etag": self.headers["etag"]})
        if self.packed is not None and "gzip" in asked.get("accept-encoding", ""):
            return Response(self.packed, headers={**self.headers, "content-encoding": "gzip"})
        return Response(self.plain, headers=self.headers)


class Files:
    """Those of one folder, by the names they had when the process began: no other path leads anywhere."""

    def __init__(self, folder: Path) -> None:
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        self._paths = {f"/{name}": folder / name for name in names}
        self._paths["/"] = folder / INDEX
        self._kept: dict[Path, Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._paths.get(scope["path"])
        if path is None:
            raise HTTPException(404)
        await self._newest(path).answer(Headers(scope=scope))(scope, receive, send)

    def _newest(self, path: Path) -> Kept:
        """From memory; from the disk at first and when the file has changed."""
        try:
            changed = path.stat().st_mtime_ns
            kept = self._kept.get(path)
            if kept is None or kept.changed != changed:
                kept = self._kept[path] = Kept.of(path, changed)
        except FileNotFoundError:
            raise HTTPException(404) from None
        return kept
