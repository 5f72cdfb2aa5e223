"""Accounts and tokens changed by a command on the machine: into the audit trail of the controller that runs there."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path

from api.refusal import Refusal
from api.socket_client import ask
from api.web.security.access import NAME


def record(data: Path, action: str, object: str, reason: str = "") -> None:
    """Tell the controller. Where none runs there is no trail to write to; the account itself keeps its dates."""
    entry = {
        "action": action,
        "object": object,
        "actor": getpass.getuser(),
        "role": "local",
        "authenticated_by": "the machine",
        "outcome": "done",
        "reason": reason,
        "client": "local",
    }
    with contextlib.suppress(Refusal):
        ask(data, "audit", timeout_s=2.0, entries=[entry])


def accounts_exist(data: Path) -> None:
    """Raises Refusal where no account was ever made."""
    if not (data / NAME).exists():
        raise Refusal(f"{data} has no accounts yet; 'osteon user add' makes one")
