"""Sign in, who am I, stay active, change the password, sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.web.models_access import PasswordChange, SessionView, SignIn
from api.web.problems import Problem
from api.web.security.gate import Gate, client_of, gate_of, headers_of
from api.web.security.rights import Right, needs
from api.web.security.roles import allows, commands
from api.web.security.sessions import forgery_token
from api.web.security.who import Person

router = APIRouter(tags=["session"])
Self = Annotated[Person, needs(Right.OWN)]


@router.post("/session")
async def sign_in(request: Request, response: Response, sent: SignIn) -> SessionView:
    """Opens a session and ends the one the browser had before. Open without sign-in."""
    gate, client = gate_of(request), client_of(request.scope)
    new = sent.new_password.get_secret_value() if sent.new_password else None
    before = gate.session(headers_of(request.scope))
    secret, session = await gate.sign_in(sent.user, sent.password.get_secret_value(), new, client)
    if before is not None:
        gate.sessions.end(before.hash)
    response.headers["set-cookie"] = gate.sessions.cookie_header(secret)
    return view(gate, gate.sessions.person(session, client), secret, session.ends_at)


@router.get("/session")
async def who_am_i(request: Request, person: Self) -> SessionView:
    """The person, the role in force and the anti-forgery value."""
    return present(request, person)


@router.post("/session/touch")
async def touch(request: Request, person: Self) -> SessionView:
    """Somebody is at the page: keeps the session from going idle. What is view-only already needs a new sign-in."""
    return present(request, person)


@router.post("/session/password")
async def change_password(request: Request, response: Response, person: Self, sent: PasswordChange) -> SessionView:
    """Ends every other session of this account and rotates this one."""
    if person.how != "password":
        raise Problem("not-allowed", "a token cannot change a password")
    gate = gate_of(request)
    secret, session = await gate.change_password(
        person, sent.password.get_secret_value(), sent.new_password.get_secret_value()
    )
    response.headers["set-cookie"] = gate.sessions.cookie_header(secret)
    return view(gate, gate.sessions.person(session, person.client), secret, session.ends_at)


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response, person: Self) -> None:
    """Ends this session."""
    gate = gate_of(request)
    if person.how != "password":
        raise Problem("not-allowed", "a token has no session; revoke it under /tokens")
    gate.sessions.end(person.credential)
    gate.note("sign-out", person.user, person)
    response.headers["set-cookie"] = gate.sessions.no_cookie_header()


def present(request: Request, person: Person) -> SessionView:
    gate, headers = gate_of(request), headers_of(request.scope)
    if person.how == "token":
        return view(gate, person, None, None)
    session = gate.session(headers)
    return view(gate, person, gate.sessions.secret_in(headers), session.ends_at if session else None)


def view(gate: Gate, person: Person, secret: str | None, ends_at: float | None) -> SessionView:
    return SessionView(
        user=person.user,
        name=person.name,
        role=person.role.value,
        csrf=forgery_token(secret) if secret else "",
        view_only=person.view_only,
        insecure=gate.settings.insecure,
        idle_s=gate.settings.idle_s,
        ends_at=ends_at,
        commands=commands(person.role),
        acts=allows(person.role, Right.ACT),
        decides=allows(person.role, Right.DECIDE),
    )
