"""The first account, for who has the set-up token (SEC-02)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.web.models_access import SetUp, SetUpState, UserView
from api.web.routes.users import view
from api.web.security.gate import client_of, gate_of

router = APIRouter(tags=["set-up"])


@router.get("/setup")
async def state(request: Request) -> SetUpState:
    """Whether there is no account yet. Open without sign-in."""
    return SetUpState(needed=gate_of(request).setup.needed)


@router.post("/setup", status_code=201)
async def set_up(request: Request, sent: SetUp) -> UserView:
    """Makes the first administrator and uses the token up. Open without sign-in."""
    token, password = sent.token.get_secret_value(), sent.password.get_secret_value()
    made = await gate_of(request).set_up(token, sent.user, sent.name, password, client_of(request.scope))
    return view(made)
