"""API tokens: one's own; administrators see and revoke everybody's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from api.web.models_access import NewToken, TokenShown, TokenView
from api.web.problems import Problem
from api.web.security.access import Token
from api.web.security.gate import gate_of
from api.web.security.rights import Right, allows, needs, within
from api.web.security.who import Person, Role

router = APIRouter(tags=["tokens"])
Self = Annotated[Person, needs(Right.OWN)]


@router.get("/tokens")
async def tokens(request: Request, person: Self) -> list[TokenView]:
    return [view(each) for each in gate_of(request).access.tokens(whose(person))]


@router.post("/tokens", status_code=201)
async def create(request: Request, person: Self, sent: NewToken) -> TokenShown:
    """A token for scripts, shown once; carries at most the role in force of the person who makes it."""
    if person.how != "password":
        raise Problem("not-allowed", "a token cannot make tokens; a person has to sign in for it")
    if person.view_only:
        raise Problem("view-only", "nobody was active here for a while: sign in again to make a token")
    role = Role(sent.role)
    if not within(role, person.role):
        raise Problem("not-allowed", f"a token carries at most your role, {person.role}")
    gate = gate_of(request)
    owner = gate.accounts.find(person.user)
    with gate.access.together():
        secret, token = gate.tokens.create(owner, sent.label, role, sent.days, sent.unit)
        gate.record("token made", f"token {token.id}", person, reason=f"{sent.label} ({sent.role})")
    return TokenShown(token=secret, id=token.id)


@router.delete("/tokens/{id}", status_code=204)
async def revoke(request: Request, person: Self, id: int) -> None:
    """Ends a token at once. A token may revoke itself, no other."""
    if person.how == "token" and person.credential != f"token {id}":
        raise Problem("not-allowed", "a token revokes itself only")
    gate = gate_of(request)
    with gate.access.together():
        if not gate.access.revoke_token(id, gate.settings.wall(), whose(person)):
            raise Problem("not-found", "there is no such token in force")
        gate.record("token revoked", f"token {id}", person)


def whose(person: Person) -> str | None:
    """Whose tokens a person may see: everybody's (None) for administrators who signed in."""
    return None if person.how == "password" and allows(person.role, Right.ADMINISTER) else person.user


def view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        user=token.user,
        label=token.label,
        role=token.role.value,
        unit=token.unit,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked=token.revoked_at is not None,
        used_at=token.used_at,
    )
