"""Hand work of a plan as an iCalendar file (RFC 5545): every task with a stable UID and an alarm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from api.printed.words import entry_words, lot_words
from protocols.calendar import Calendar, Row
from protocols.labels import plan_id
from protocols.plan import Hand, Plan

ALARM_MIN = 15
"""The calendar reminds this long before a task."""
FOLD_OCTETS = 75


def ics(plan: Plan, rows: Calendar) -> str:
    """The file. Times are UTC, so that no time zone can be read wrong; the site's zone is named beside."""
    owner = plan_id(plan)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//osteon//plan//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{escaped(plan.protocol)}",
        f"X-WR-TIMEZONE:{plan.zone}",
    ]
    for row in rows.hand_rows:
        lines += _event(plan, row, owner)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in folded(line))


def _event(plan: Plan, row: Row, owner: str) -> Iterator[str]:
    hand = plan.nodes[row.path].work
    assert isinstance(hand, Hand)
    made = hashlib.sha256(f"{owner}/{row.path}".encode()).hexdigest()[:24]
    told = [f"Culture day {row.day}", plan.root.title, hand.instruction]
    told += [f"Write down: {'; '.join(entry_words(entry) for entry in hand.entries)}"] if hand.entries else []
    told += [f"Lots: {lot_words(hand.lots)}"] if hand.lots else []
    told += ["Rehearsal, not a validated or clinical protocol."]
    marks = [word for word, given in (("night", row.night), ("weekend", row.weekend)) if given]
    yield "BEGIN:VEVENT"
    yield f"UID:{owner}-{made}@osteon"
    yield f"DTSTAMP:{stamp(datetime.fromtimestamp(plan.start, UTC))}"
    yield f"DTSTART:{stamp(row.local)}"
    yield f"DTEND:{stamp(row.local + timedelta(minutes=row.minutes))}"
    yield f"SUMMARY:{escaped(row.title)}"
    yield f"DESCRIPTION:{escaped(chr(10).join(told))}"
    yield f"CATEGORIES:{','.join(['osteon', row.kind, *marks])}"
    yield "BEGIN:VALARM"
    yield "ACTION:DISPLAY"
    yield f"DESCRIPTION:{escaped(row.title)}"
    yield f"TRIGGER:-PT{ALARM_MIN}M"
    yield "END:VALARM"
    yield "END:VEVENT"


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, written)
    return text


def folded(line: str) -> Iterator[str]:
    """A content line in pieces of at most 75 octets, never inside a character; the rest begin with a space."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > FOLD_OCTETS:
            yield piece
            piece, size = " ", 1
        piece += character
        size += width
    yield piece
