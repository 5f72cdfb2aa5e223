"""What can be wrong with the store, drawn once:

OsteonError
  LedgerDamaged      the ledger cannot be trusted at start: environment control only, no fluid moves
    LedgerTooNew     written by a newer program than this one
  LedgerFault        the disk failed under a commit; this process starts nothing more (ST-04)
  ChangeRefused      one commit broke a rule of the schema; nothing of it was kept, the ledger goes on
  DirectoryTaken     another controller holds the data directory (DX-05)
"""

from __future__ import annotations

from drivers.core.errors import OsteonError


class LedgerDamaged(OsteonError):
    """The ledger is torn, altered, cut or misplaced; the text says where and what to do."""


class LedgerTooNew(LedgerDamaged):
    """The ledger was written by a newer program; its records are whole, but this program may not write them."""


class LedgerFault(OsteonError):
    """Write or sync failed. Nothing of this commit is relied on, and a later success would prove nothing (ST-04)."""


class ChangeRefused(OsteonError):
    """A constraint of the schema refused the commit: all of it was rolled back and the ledger is as before."""


class DirectoryTaken(OsteonError):
    """Another process holds the data directory."""
