"""One bounded dose by one pump, through the same ledger code as a run: intent, one command, fence, measure, result."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import re
import tempfile
from pathlib import Path

from api.folders import json_argument
from api.one_device import connected, model, place_arguments
from api.refusal import Refusal
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

EXAMPLE = "osteon device dispense new_era_ne1000 tcp://127.0.0.1:18082 --volume 1.5mL --rate 1mL/min"

TOLERANCE = 0.02
"""Share of the asked volume within which a dose counts as done; the pump's own resolution where that is coarser."""
RUN = "by-hand"
OUTCOMES = {"done": "done", "partial": "partial", "over": "over", "unknown": "unknown", "cancelled": "refused"}
"""State of the dose row -> what is reported."""

PER_ML = {"mL": 1.0, "uL": 1000.0, "µL": 1000.0, "L": 0.001}


def arguments(parser: argparse.ArgumentParser) -> None:
    place_arguments(parser)
    parser.add_argument("--volume", required=True, type=volume_ml, metavar="1.5mL", help="how much")
    parser.add_argument("--rate", type=rate_ml_min, default=1.0, metavar="1mL/min", help="how fast (default: 1mL/min)")
    parser.add_argument(
        "--direction", choices=("in", "out"), default="out", help="into the pump, or out of it (default)"
    )
    json_argument(parser)


def volume_ml(text: str) -> float:
    """ "1.5mL", "150 uL" as mL; a bare number is refused, since a forgotten unit is a wrong dose."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([a-zµA-Z]+)\s*", text)
    if not found or found[2] not in PER_ML:
        raise argparse.ArgumentTypeError(f"{text!r} is not a volume; write it with its unit, like 1.5mL")
    return positive(found[1], text) / PER_ML[found[2]]


def rate_ml_min(text: str) -> float:
    """ "1mL/min", "60 mL/h" as mL/min."""
    amount, _, per = text.partition("/")
    if per.strip() not in ("min", "h", "s"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate; write it with its unit, like 1mL/min")
    return volume_ml(amount) * {"min": 1.0, "h": 1 / 60, "s": 60.0}[per.strip()]


def positive(number: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not more than nothing")
    return value


def run(options: argparse.Namespace) -> int:
    if not issubclass(model(options.model), FluidMover):
        raise Refusal(f"{options.model} moves no fluid")
    with tempfile.TemporaryDirectory(prefix="osteon-dispense-") as folder:
        return asyncio.run(dispense(options, Path(folder)))


async def dispense(options: argparse.Namespace, folder: Path) -> int:
    """A ledger of its own for one dose. SIGINT and SIGTERM end the dose early, fenced and measured."""
    halt = await stop_on_signals()
    async with connected(options) as pump:
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
