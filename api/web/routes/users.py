"""Accounts, for administrators: listed, made, disabled; never deleted (AC-07)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from api.web.models_access import InitialPassword, NewUser, PasswordReset, RoleChange, UserView
from api.web.problems import Problem
from api.web.security import passwords
from api.web.security.access import User
from api.web.security.gate import gate_of
from api.web.security.rights import Right, needs
from api.web.security.who import Person, Role

router = APIRouter(tags=["users"])
Admin = Annotated[Person, needs(Right.ADMINISTER)]


@router.get("/users")
async def users(request: Request, person: Admin) -> list[UserView]:
    return [view(each) for each in gate_of(request).access.users()]


@router.post("/users", status_code=201)
async def add(request: Request, person: Admin, sent: NewUser) -> InitialPassword:
    """A new account. Its password serves once: the first sign-in must choose another."""
    gate = gate_of(request)
    password = sent.password.get_secret_value() if sent.password else passwords.made()
    hash = await gate.accounts.prepare(sent.user, sent.name, password)
    with gate.access.together():
        gate.accounts.insert(sent.user, sent.name, Role(sent.role), hash, must_change=True)
        gate.record("account made", sent.user, person, reason=sent.role)
    return InitialPassword(user=sent.user, password=None if sent.password else password)


@router.post("/users/{user}/disable")
async def disable(request: Request, person: Admin, user: str) -> UserView:
    """Ends all sessions and tokens of the account at once."""
    if user == person.user:
        raise Problem("not-allowed", "nobody disables the own account; another administrator can")
    gate = gate_of(request)
    with gate.access.together():
        disabled = gate.accounts.disable(user)
        gate.record("account disabled", user, person)
    return view(disabled)


@router.post("/users/{user}/enable")
async def enable(request: Request, person: Admin, user: str) -> UserView:
    gate = gate_of(request)
    with gate.access.together():
        enabled = gate.accounts.enable(user)
        gate.record("account enabled", user, person)
    return view(enabled)


@router.post("/users/{user}/role")
async def set_role(request: Request, person: Admin, user: str, sent: RoleChange) -> UserView:
    """Ends all sessions of the account: a right won or lost needs a new sign-in."""
    if user == person.user:
        raise Problem("not-allowed", "nobody changes the own role; another administrator can")
    gate = gate_of(request)
    with gate.access.together():
        before = gate.accounts.find(user).role
        changed = gate.accounts.set_role(user, Role(sent.role))
        gate.record("role change", user, person, reason=f"{before} to {sent.role}")
    return view(changed)


@router.post("/users/{user}/password")
async def reset_password(request: Request, person: Admin, user: str, sent: PasswordReset) -> InitialPassword:
    """A new single-use password; ends all sessions of the account."""
    gate = gate_of(request)
    password = sent.password.get_secret_value() if sent.password else passwords.made()
    known = gate.accounts.find(user)
    hash = await gate.accounts.prepare_password(known, password)
    with gate.access.together():
        gate.accounts.put_password(known, hash, must_change=True)
        gate.record("password reset", user, person)
    gate.lockout.succeeded(user)
    return InitialPassword(user=user, password=None if sent.password else password)


def view(user: User) -> UserView:
    return UserView(
        user=user.user,
        name=user.name,
        role=user.role.value,
        disabled=user.disabled_at is not None,
        must_change=user.must_change,
        created_at=user.created_at,
    )
