"""The hash chain of the audit trail: pure functions over canonical text (AT-05).

An entry is one canonical JSON object that holds, beside its fields, its number `seq` and the hash of the entry before
it, `previous`. Its own hash is the SHA-256 of exactly that text in UTF-8. The first entry has `previous` "" and names
the installation. Anchors are (seq, hash) pairs kept in a second file: without them a tail could be cut off unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, cast

FIRST_ACTION = "ledger.created"


class Sealed(NamedTuple):
    """One stored entry: its number, canonical text, and hash."""

    seq: int
    entry: str
    hash: str


class Anchor(NamedTuple):
    """The head of the chain at one moment, kept outside the ledger."""

    seq: int
    hash: str
    utc: str


class Finding(NamedTuple):
    """What is wrong, and at which entry; `seq` 0 = the chain as a whole."""

    seq: int
    text: str


canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""Canonical JSON: keys sorted, no spaces, UTF-8 as it is, no NaN (ValueError)."""


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def seal(seq: int, fields: Mapping[str, object], previous: str) -> Sealed:
    """Number, link and hash one entry."""
    entry = canonical({**fields, "seq": seq, "previous": previous})
    return Sealed(seq, entry, digest_of(entry))


def seal_journal(rows: Iterable[tuple[int, str, float, str]]) -> str:
    """The hash of journal rows (seq, run_id, at, event text) that were committed together; "" for none."""
    lines = "\n".join(canonical([seq, run_id, at, event]) for seq, run_id, at, event in rows)
    return digest_of(lines) if lines else ""


def link_fault(expected_seq: int, previous: str, row: Sealed) -> str:
    """Why this row cannot follow a row with hash `previous`; "" when it can."""
    if row.seq != expected_seq:
        return f"entry {expected_seq} is missing (found {row.seq})"
    if digest_of(row.entry) != row.hash:
        return "text and hash do not agree"
    try:
        fields = cast(object, json.loads(row.entry))
    except ValueError:
        return "the text is not JSON"
    if not isinstance(fields, dict):
        return "the text is not an entry"
    entry = cast(dict[str, Any], fields)
    if entry.get("seq") != row.seq:
        return f"the text belongs to entry {entry.get('seq')}"
    if entry.get("previous") != previous:
        return "does not follow the entry before it"
    return ""


def verify(entries: Iterable[Sealed], anchors: Sequence[Anchor] = (), installation: str | None = None) -> list[Finding]:
    """Check a whole chain; the first bad entry is named and ends the walk, for nothing after it can be judged."""
    wanted = {anchor.seq: anchor for anchor in anchors}
    previous, seq, findings = "", 0, list[Finding]()
    for row in entries:
        fault = link_fault(seq + 1, previous, row)
        if not fault and seq == 0:
            fault = first_fault(row, installation)
        if not fault and row.seq in wanted and wanted[row.seq].hash != row.hash:
            fault = f"differs from the anchor of {wanted[row.seq].utc}"
        if fault:
            return [Finding(seq + 1, fault)]
        previous, seq = row.hash, row.seq
    if seq == 0:
        findings.append(Finding(0, "there is no entry"))
    last = max(wanted.values(), default=None)
    if last is not None and last.seq > seq:
        findings.append(Finding(seq + 1, f"the tail is cut: an anchor of {last.utc} knows entry {last.seq}"))
    return findings


def first_fault(row: Sealed, installation: str | None) -> str:
    entry = cast(dict[str, Any], json.loads(row.entry))
    if entry.get("action") != FIRST_ACTION:
        return "the first entry does not create the ledger"
    if installation is not None and entry.get("object_id") != installation:
        return f"the ledger belongs to installation {entry.get('object_id')}, not {installation}"
    return ""
