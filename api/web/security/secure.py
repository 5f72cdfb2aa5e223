"""Puts an app behind the gate."""

from __future__ import annotations

from fastapi import FastAPI

from api.web import problems
from api.web.security.gate import Gate
from api.web.security.guard import Guard
from api.web.security.settings import Settings


def secure(app: FastAPI, settings: Settings) -> Guard:
    """The app as it may be served: `app.state.gate` is made, every error leaves as problem details. Who serves it
    closes the gate at the end."""
    app.state.gate = Gate(settings)
    problems.install(app)
    return Guard(app, app.state.gate)
