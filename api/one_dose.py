"""One dose without a run, in a ledger of its own: intent, one command, fence, measure, result."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from pathlib import Path

from api.one_device import connected
from api.supervisor import stop_on_signals
from controller.actors import local_user
from controller.clock import Clock
from controller.errors import Blocked
from controller.run.doses import Doses, Stroke
from controller.run.intents import Intent
from controller.run.transfers import identity_text
from controller.store.changes import AuditEntry, Insert
from controller.store.ledger import Ledger
from drivers.core.fluid import Direction, FluidMover

TOLERANCE = 0.02
"""Share of the asked volume within which a dose counts as done; the pump's own resolution where that is coarser."""
RUN = "by-hand"
OUTCOMES = {"done": "done", "partial": "partial", "over": "over", "unknown": "unknown", "cancelled": "refused"}
"""State of the dose row -> what is reported."""


async def dispense(options: argparse.Namespace, folder: Path) -> int:
    """A ledger of its own for one dose. SIGINT and SIGTERM end the dose early, fenced and measured.

    The person's own volume bounds the stroke where no capacity is named.
    """
    halt = await stop_on_signals()
    async with connected(options, capacity_ml=options.volume) as pump:
        assert isinstance(pump, FluidMover)
        clock = Clock.real("UTC")
        ledger = Ledger.open(folder, clock)
        try:
            await ledger.new_epoch()
            await open_run(ledger, clock)
            doses = Doses(ledger, clock, lambda: None)
            done = await doses.perform(
                stroke(options),
                options.model,
                pump,
                identity_text(await pump.identify()),
                tolerance_ml=TOLERANCE * options.volume,
                halt=halt,
            )
        except Blocked as blocked:
            return report(options, None, str(blocked))
        finally:
            ledger.close()
    return report(options, done, done.evidence)


async def open_run(ledger: Ledger, clock: Clock) -> None:
    """The run every dose row belongs to."""
    who = local_user(os.getuid(), getpass.getuser())
    row = {"run_id": RUN, "name": "dispensed by hand", "created_at": clock.now(), "created_by": who.name}
    await ledger.commit(
        [Insert("runs", row)], [AuditEntry("dispense", "run", RUN, who.name, who.role, who.authenticated_by)]
    )


def stroke(options: argparse.Namespace) -> Stroke:
    return Stroke(
        run_id=RUN,
        path="dispense",
        part="dispense",
        number=1,
        direction=Direction.DELIVER if options.direction == "out" else Direction.DRAW,
        fluid="",
        fluid_path="",
        volume_ml=options.volume,
        cap_ml=options.volume,
        rate_ml_min=options.rate,
    )


def report(options: argparse.Namespace, done: Intent | None, evidence: str) -> int:
    """Print asked, measured and evidence; exit code 0 only for a dose that was done."""
    outcome = "refused" if done is None else OUTCOMES[done.state]
    measured = None if done is None or outcome == "unknown" else done.moved_ml
    if options.json:
        found = {"asked_ml": options.volume, "measured_ml": measured, "outcome": outcome, "evidence": evidence}
        print(json.dumps(found))
    else:
        amount = "not known" if measured is None else f"{measured:g} mL"
        print(f"asked {options.volume:g} mL, measured {amount}: {outcome}\n{evidence}")
    return 0 if outcome == "done" else 1
