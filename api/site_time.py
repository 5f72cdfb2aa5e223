"""Times as people at the site write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api.refusal import Refusal

LEAP = re.compile(r"(T\d\d:\d\d:)60")


def parse_time(text: str, zone: str) -> float:
    """ISO 8601 as UTC s; local to the site where it names no offset. Raises Refusal.

    Second 60 of a leap second is second 59: elapsed time comes from the monotonic clock (TM-06)."""
    try:
        moment = datetime.fromisoformat(LEAP.sub(r"\g<1>59", text))
    except ValueError:
        raise Refusal(f"{text!r} is not a time; write it like 2026-01-05T08:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()


def shown_time(utc_s: float | None) -> str:
    return "" if utc_s is None else f"{datetime.fromtimestamp(utc_s, UTC):%Y-%m-%d %H:%M:%S}"


def site_time(utc_s: float, zone: str) -> str:
    """For a table: the minute, in the site's zone."""
    return f"{datetime.fromtimestamp(utc_s, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def next_monday(now_utc_s: float, zone: str, hour: int = 8) -> float:
    """UTC s of the next Monday at `hour` in the site's zone."""
    local = datetime.fromtimestamp(now_utc_s, ZoneInfo(zone))
    day = local.date() + timedelta(days=7 - local.weekday())
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).timestamp()
