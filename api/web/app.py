"""The application: every router under /api/v1, the dashboard's files, the tasks that live as long as it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI
from starlette.responses import JSONResponse

from api.web import stream
from api.web.delivery import deliver, hand_over
from api.web.express import Express
from api.web.files import Files
from api.web.problems import Problem
from api.web.routes import (
    alarms,
    amendments,
    batches,
    calibrations,
    devices,
    drafts,
    materials,
    moves,
    photos,
    protocols,
    results,
    runs,
    session,
    setup,
    signals,
    system,
    tasks,
    tokens,
    units,
    users,
)
from api.web.security.guard import Guard
from api.web.security.rights import Right, needs
from api.web.security.secure import secure
from api.web.security.settings import Settings
from api.web.security.who import Person
from api.web.service import Service

ROOT = "/api/v1"
DASHBOARD = Path(__file__).parent / "dashboard"
ROUTERS = (
    session.router, setup.router, users.router, tokens.router, units.router, devices.router, signals.router,
    runs.router, amendments.router, tasks.router, alarms.router, calibrations.router, protocols.router, system.router,
    stream.router, materials.router, photos.router, drafts.router, moves.router, results.router, batches.router,
)  # fmt: skip
LAST_WORD_S = 1.0
"""Longest wait for the controller to take them at the end; what it does not take is left in a file."""


def build_app(settings: Settings) -> Guard:
    """The whole service behind its guard."""
    app = Express(title="osteon", version="1", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    guarded = secure(app, settings)
    app.state.service = Service.of(settings, guarded.gate)
    for router in ROUTERS:
        app.include_router(router, prefix=ROOT)

    @app.get(f"{ROOT}/openapi.json", include_in_schema=False)
    async def openapi(person: Annotated[Person, needs(Right.SEE)]) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(app.openapi())

    app.mount("/", Files(DASHBOARD), name="dashboard")
    return guarded


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """The feed and the delivery of audit entries run beside the requests."""
    here: Service = app.state.service
    here.gate.audit.resume(here.settings.data)
    here.photos.sweep(here.settings.wall())
    beside = [
        asyncio.create_task(here.feed.run(), name="feed"),
        asyncio.create_task(deliver(here), name="audit"),
    ]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        with contextlib.suppress(Problem, TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await hand_over(here)
        here.gate.audit.leave(here.settings.data)
        here.records.close()
        here.planner.close()
        here.photos.close()
        here.drafts.close()
        here.gate.close()
