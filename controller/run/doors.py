"""Everything a run may touch, in one hand: built once by the controller, passed to each engine."""

from __future__ import annotations

from dataclasses import dataclass

from controller.alarms import Alarms
from controller.bench import Bench
from controller.clock import Clock
from controller.confirmations import Confirmations
from controller.latest import Latest
from controller.outputs import Outputs
from controller.run.transfers import Transfers
from controller.store.ledger import Ledger
from controller.watches import Watches


@dataclass(frozen=True, slots=True)
class Doors:
    bench: Bench
    latest: Latest
    ledger: Ledger
    clock: Clock
    outputs: Outputs
    alarms: Alarms
    watches: Watches
    transfers: Transfers
    confirmations: Confirmations
