"""The ready user of the demo: a supervisor on a simulated bench, on loopback only (SEC-02)."""

from __future__ import annotations

from api.refusal import Refusal
from api.web.security.demo_password import USER, read_password
from api.web.security.gate import Gate
from api.web.security.who import Role


async def install(gate: Gate) -> None:
    """Gives the demo user the password of this start; sessions of this start go on. Raises Refusal off loopback."""
    if not gate.settings.loopback:
        raise Refusal(f"the demo answers on this machine only, not on {gate.settings.host}")
    password = read_password(gate.settings.data)
    known = gate.access.user(USER)
    if known is None:
        await gate.accounts.add(USER, "Demo", Role.SUPERVISOR, password, must_change=False)
    elif not await gate.hasher.matches(known.hash, password):
        await gate.accounts.set_password(known, password)
        gate.lockout.succeeded(USER)
