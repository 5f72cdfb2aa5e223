"""One number for everything that was decided and done: equal digests are equal runs (SIM-01, INV-25)."""

from __future__ import annotations

from hashlib import sha256

from controller.store.chain import canonical
from controller.store.reader import Reader


def digest(ledger: Reader) -> str:
    """SHA-256 over all audit entries and all journal rows, in order, as they are stored."""
    sum_ = sha256()
    for row in ledger.sealed():
        sum_.update(row.entry.encode())
        sum_.update(b"\n")
    for row in ledger.journal_text():
        sum_.update(canonical(row).encode())
        sum_.update(b"\n")
    return sum_.hexdigest()
