"""Who acts: a person, or osteon itself by a rule. Every audit entry names one (AT-02, INV-30)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    name: str
    role: str
    authenticated_by: str
    client: str = ""
    """Address and session of whoever asked; "" on the machine itself."""


DECIDERS = ("supervisor", "local")
"""Roles that decide what is a deviation: supervisors, and whoever sits at the machine itself (AC-08)."""
SYSTEM = Actor("osteon", "system", "program")
RULE = Actor("rule", "system", "program")


def local_user(uid: int, name: str) -> Actor:
    """Whoever may open the local socket of this machine (AC-08)."""
    return Actor(name, "local", f"local socket, uid {uid}")
