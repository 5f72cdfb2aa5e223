"""What the routes of this process share: the way to the controller, its picture, the records, who may come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from fastapi import Request
from starlette.requests import HTTPConnection

from api.web.archive import Archive
from api.web.controller_link import ControllerLink
from api.web.drafts import Drafts
from api.web.feed import Feed
from api.web.photos import Photos
from api.web.planner import Planner
from api.web.records import Records
from api.web.security.gate import Gate
from api.web.security.settings import Settings

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    link: ControllerLink
    feed: Feed
    records: Records
    archive: Archive
    gate: Gate
    planner: Planner
    photos: Photos
    drafts: Drafts

    @classmethod
    def of(cls, settings: Settings, gate: Gate) -> Service:
        link = ControllerLink(settings.data)
        records = Records(settings.data)
        return cls(
            settings,
            link,
            Feed(link),
            records,
            Archive(records),
            gate,
            Planner(),
            Photos(settings.data),
            Drafts(settings.data),
        )

    async def read(self, question: Callable[[Archive], Found]) -> Found:
        """What the archive answers, beside the loop."""
        return await self.records.ask(lambda: question(self.archive))


def service_of(connection: HTTPConnection) -> Service:
    return cast(Service, connection.app.state.service)


async def service(request: Request) -> Service:
    """As a FastAPI dependency."""
    return service_of(request)
