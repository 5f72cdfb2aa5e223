"""Rights and roles: one table (AC-01)."""

from __future__ import annotations

from enum import StrEnum

from api.web.security.who import Role
from protocols.states import Cause


class Right(StrEnum):
    SEE = "see values, trends, reports"
    TASK = "claim and answer hand steps"
    ACT = "acknowledge, notes, tasks, pause, resume, hold, restart, abort"
    MANUAL = "manual control, calibrate, start an approved protocol"
    DECIDE = "stop and amend runs, decide deviations, bypass, alarm limits, approve protocols"
    ADMINISTER = "users, network, backup, update"
    OWN = "one's own session and tokens"
    SIGN = "sign a record"


_V, _O, _S, _A, _M = Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN, Role.MACHINE

ROLES: dict[Right, frozenset[Role]] = {
    Right.SEE: frozenset({_V, _O, _S, _A, _M}),
    Right.TASK: frozenset({_O, _S, _M}),
    Right.ACT: frozenset({_O, _S}),
    Right.MANUAL: frozenset({_O, _S}),
    Right.DECIDE: frozenset({_S}),
    Right.ADMINISTER: frozenset({_A}),
    Right.OWN: frozenset({_V, _O, _S, _A, _M}),
    Right.SIGN: frozenset({_O, _S}),
}
"""Administrators have no process rights (AC-01); a machine does hand steps and nothing else."""

TOKENS_NEVER = frozenset({Right.SIGN, Right.ADMINISTER})
"""A token cannot sign (SEC-09), and accounts are changed by a person who gave a password."""

RIGHT_OF_CAUSE: dict[Cause, Right] = {
    Cause.START: Right.MANUAL,
    Cause.PAUSE: Right.ACT,
    Cause.RESUME: Right.ACT,
    Cause.HOLD: Right.ACT,
    Cause.RESTART: Right.ACT,
    Cause.STOP: Right.DECIDE,
    Cause.ABORT: Right.ACT,
    Cause.RESET: Right.ACT,
}
"""What the commands of a run need; a route that takes a cause calls `require(person, RIGHT_OF_CAUSE[cause])`."""


def commands(role: Role) -> list[str]:
    """Which commands of a run a role may give, by their causes."""
    return [cause.value for cause, right in RIGHT_OF_CAUSE.items() if allows(role, right)]


def allows(role: Role, right: Right) -> bool:
    return role in ROLES[right]


def within(role: Role, owner: Role) -> bool:
    """Whether `role` is at most `owner`: it has no right that `owner` lacks."""
    return all(owner in roles for roles in ROLES.values() if role in roles)
