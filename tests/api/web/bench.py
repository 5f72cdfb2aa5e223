"""The whole service in one loop with a quick lab: HTTP without sockets, the real controller without a process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from api.web.controller_link import ok
from api.web.feed import compact
from api.web.one_unit import narrowed
from api.web.security.settings import Settings
from api.web.service import Service
from controller.ipc import reply
from controller.snapshot import snapshot
from tests.api.web.security.house import CHEAP, House, Wall, whole
from tests.controller.quick import QuickLab
from tests.runs.lab import TESTER


@asynccontextmanager
async def served(lab: QuickLab, **more: Any) -> AsyncIterator[House]:
    """The service of this lab's data folder."""
    wall = Wall()
    house = whole(Settings(lab.folder, hash_cost=CHEAP, wall=wall, **more), wall)
    here: Service = house.app.state.service

    async def act(do: str, fields: Mapping[str, Any], key: str = "", limit_s: float = 1.0) -> Any:
        sent = {"do": do, **fields, **({"key": key} if key else {})}
        return ok(await reply(lab.controller, json.dumps(sent).encode(), TESTER))

    here.link.act = act
    here.feed.current = lambda unit=None: (
        snapshot(lab.controller) if unit is None else narrowed(snapshot(lab.controller), unit)
    )
    here.feed.made = lambda what, make, unit=None: compact(make(here.feed.current(unit))).encode()
    try:
        yield house
    finally:
        here.photos.close()
        here.drafts.close()
        here.planner.close()
        here.records.close()
        house.gate.close()
