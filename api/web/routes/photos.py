"""Photos of hand steps: sent as the raw body of a request, listed, given back as attachments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.web.feed import compact
from api.web.models_hand import PhotoOut, PhotoRowOut, TaskPath
from api.web.routes.runs import JSON, Doer, Here, Key, Viewer, require_run, unit_of
from api.web.security.rights import require_unit

router = APIRouter(prefix="/runs/{run}", tags=["photos"])

Name = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
BODY = {"requestBody": {"required": True, "content": {
    f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("png", "jpeg", "webp")
}}}  # fmt: skip


@router.post("/tasks/photos", response_model=PhotoOut, status_code=201, openapi_extra=BODY)
async def add(run: str, request: Request, here: Here, person: Doer, key: Key, path: TaskPath = "") -> PhotoOut:
    """Send one picture for the open hand step at `path`, if it asks for photos: PNG, JPEG or WebP, at most 20 MiB, as
    the body. `photo` in the answer is what its entry names."""
    require_unit(person, await unit_of(here, run))
    async with here.photos.stored(request.headers.get("content-type", ""), request.stream()) as picture:
        facts = {"photo": picture.photo, "kind": picture.kind, "bytes": picture.bytes, "sha256": picture.sha256}
        done = await here.link.act("add_photo", {"run": run, "path": path, **facts, "actor": person.actor()}, key)
    if done["photo"] != picture.photo:  # the same picture under the same key: the first is the one on record
        here.photos.drop(picture)
    return PhotoOut(**done)


@router.get("/photos", response_model=list[PhotoRowOut])
async def photos(run: str, here: Here, person: Viewer) -> Response:
    """Every picture on record for the run: task, who, when, size, SHA-256."""
    await require_run(here, person, run)
    return Response(await here.read(lambda archive: compact(archive.photos(run))), media_type=JSON)


@router.get("/photos/{photo}", response_class=Response, responses={200: {"content": BODY["requestBody"]["content"]}})
async def photo(run: str, photo: Name, here: Here, person: Viewer) -> Response:
    """The picture itself, as an attachment."""
    await require_run(here, person, run)
    return here.photos.answer(await here.read(lambda archive: archive.photo(run, photo)))
