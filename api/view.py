"""A run on a terminal: the controller's `snapshot` as lines of text. Pure: no clock, no terminal, no socket.

The snapshot is the JSON of `controller.snapshot`: times are UTC s, ages s, event times ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.event_words import words

Snapshot = Mapping[str, Any]
DAY_S = 86400.0
DATED = "%a %d %b %Y %H:%M:%S"


class Look(Enum):
    """How a line is painted; a terminal without colours loses nothing but emphasis."""

    PLAIN = ""
    HEAD = "7"
    BOLD = "1"
    DIM = "2"
    CRITICAL = "1;31"
    HIGH = "33"
    LOW = "36"


class Line(NamedTuple):
    text: str
    look: Look = Look.PLAIN


PRIORITIES = {"critical": ("!!", Look.CRITICAL), "high": ("! ", Look.HIGH), "low": ("- ", Look.LOW)}
ALARMS, TASKS = 5, 4
"""How many are shown; the rest is counted."""


def lines(snapshot: Snapshot, width: int = 100, height: int = 40) -> list[Line]:
    """The whole picture, at most `height` lines of at most `width` characters; the oldest events go first."""
    zone = zone_of(snapshot)
    now = float(snapshot["now"])
    upper = [head(snapshot, now, zone), *marks(snapshot)]
    for run in snapshot["runs"]:
        upper += run_lines(run, now, zone)
    if not snapshot["runs"]:
        starting = snapshot["state"] == "starting"
        text = "reading the records" if starting else "no run; 'osteon runs start PROTOCOL' starts one"
        upper += [Line(""), Line(text, Look.DIM)]
    upper += alarms(snapshot["alarms"], now, zone)
    upper += tasks(snapshot["tasks"], now, zone)
    upper += values(snapshot["devices"], width)
    room = height - len(upper) - 2
    events = [event(each, now, zone) for each in snapshot["events"]]
    if events and room > 0:
        upper += [Line(""), Line("last events", Look.BOLD), *events[-room:]]
    return [cut(line, width) for line in upper[:height]]


def plain(snapshot: Snapshot) -> str:
    """One line for a log or a pipe: time, state, what is done, what comes next, how many wait."""
    zone, now = zone_of(snapshot), float(snapshot["now"])
    parts = [f"{at(now, zone):{DATED}}{speed(snapshot)}"]
    for run in snapshot["runs"]:
        doing = "; ".join(str(each["title"]) for each in run["steps"]) or "-"
        parts.append(f"{run['state']} {day(run, now)}: {doing}")
        if run["next"]:
            parts.append(f"next {upcoming(run['next']['title'], run['next']['at'], now, zone)}")
        if run["why"]:
            parts.append(str(run["why"]))
    parts.append(f"{len(snapshot['alarms'])} alarms, {len(snapshot['tasks'])} tasks")
    return " | ".join(parts)


def zone_of(snapshot: Snapshot) -> ZoneInfo:
    try:
        return ZoneInfo(str(snapshot.get("zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def head(snapshot: Snapshot, now: float, zone: ZoneInfo) -> Line:
    state = "" if snapshot["state"] == "running" else f"   {str(snapshot['state']).upper()}"
    time = f"{at(now, zone):{DATED} %Z}{speed(snapshot)}"
    return Line(f" {snapshot['bench']}   {time}   epoch {snapshot['epoch']}{state} ", Look.HEAD)


def speed(snapshot: Snapshot) -> str:
    reached = snapshot.get("speed")
    return f"   at {reached:.0f} x real time" if reached else ""


def marks(snapshot: Snapshot) -> list[Line]:
    """What must stay in view: that nothing here is real, that the records are damaged."""
    found: list[Line] = []
    if snapshot.get("simulated"):
        found.append(Line(" SIMULATED DEVICES - no real equipment; not a validated set-up", Look.DIM))
    if snapshot.get("damaged"):
        found.append(Line(f" RECORDS DAMAGED: {snapshot['damaged']}", Look.CRITICAL))
    return found


def run_lines(run: Mapping[str, Any], now: float, zone: ZoneInfo) -> list[Line]:
    facts = f"{run['protocol']}   {run['state']}   {day(run, now)}   {run['done']} of {run['nodes']} steps"
    held = f"   {run['volume']['ml']:.1f} mL" if run.get("volume") else ""
    found = [Line(""), Line(f"{facts}{held}   ({run['run']} on {run['unit']})", Look.BOLD)]
    if run["why"]:
        found.append(Line(f"  why   {run['why']}", Look.HIGH if run["state"] in ("HOLDING", "HELD") else Look.PLAIN))
    for each in run["steps"]:
        part = f" ({each['part']})" if each["part"] else ""
        until = f", ends {countdown(each['until'] - now)}" if each.get("until") else ""
        found.append(Line(f"  now   {each['title']}{part}{until}   {each['path']}"))
        if each["question"]:
            question = "" if each["question"] == run["why"] else f"{each['question']} "
            found.append(Line(f"  ask   {question}({' / '.join(map(str, each['options']))})", Look.HIGH))
            found.append(Line(f"        'osteon runs show {run['run']}' says how to answer", Look.DIM))
    if run["next"]:
        found.append(Line(f"  next  {upcoming(run['next']['title'], run['next']['at'], now, zone)}", Look.BOLD))
    return found


def upcoming(title: str, due: float | None, now: float, zone: ZoneInfo, late_at: float | None = None) -> str:
    """Countdown and absolute time always together (UI-31); overdue from `late_at` on, else from `due` on."""
    if due is None:
        return title
    tolerated_s = 0.0 if late_at is None else late_at - due
    return f"{title} {countdown(due - now, tolerated_s)} ({moment(due, now, zone)} {at(due, zone):%Z})"


def alarms(found: Sequence[Mapping[str, Any]], now: float, zone: ZoneInfo) -> list[Line]:
    if not found:
        return []
    shown = [Line(""), Line(f"alarms ({len(found)})", Look.BOLD)]
    for each in found[:ALARMS]:
        mark, look = PRIORITIES[each["priority"]]
        seen = "  (acknowledged)" if each["state"] == "ACKED" else "  (gone)" if each["state"] == "RTN_UNACK" else ""
        text = f"  {mark} {each['priority']:8} {moment(each['raised_at'], now, zone)}  {each['text']}{seen}"
        shown.append(Line(text, look))
    return shown + more(found, ALARMS)


def tasks(found: Sequence[Mapping[str, Any]], now: float, zone: ZoneInfo) -> list[Line]:
    if not found:
        return []
    shown = [
        Line(f"  {upcoming(str(each['title']), each['due'], now, zone, each['alarm_at'])}") for each in found[:TASKS]
    ]
    return [Line(""), Line(f"tasks for a person ({len(found)})", Look.BOLD), *shown, *more(found, TASKS)]


def more(found: Sequence[object], shown: int) -> list[Line]:
    return [Line(f"  and {len(found) - shown} more", Look.DIM)] if len(found) > shown else []


def values(devices: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    """One block a device: its readings wrapped to the width of the terminal, with the age of the last poll."""
    left = max((len(str(device["name"])) for device in devices), default=0) + 4
    found = [Line(""), Line("values", Look.BOLD)] if devices else []
    for device in devices:
        name = f"  {device['name']}".ljust(left)
        if device["condition"] != "ready":
            found.append(Line(f"{name}--- {device['condition']}: {device['why']}", Look.HIGH))
            continue
        readings: Mapping[str, Mapping[str, Any]] = device["readings"]
        age = min((each["age_s"] for each in readings.values() if each["age_s"] is not None), default=0.0)
        rows = wrapped([*said(readings), f"{age:.0f} s old"], width - left)
        found += [Line((name if n == 0 else " " * left) + row) for n, row in enumerate(rows)]
    return found


def said(readings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each value once, its set point beside it; what was never read, what has nothing to say and the device's own
    alarm limits are left out."""
    found: list[str] = []
    for name, each in readings.items():
        if each["age_s"] is None or each["value"] == "" or name.endswith(("_alarm_low", "_alarm_high")):
            continue
        if name.removesuffix("_setpoint") in readings.keys() - {name}:
            continue
        setpoint = readings.get(f"{name}_setpoint")
        found.append(value(name, each, "" if setpoint is None else f" (set {number(setpoint['value'])})"))
    return found


def wrapped(parts: Sequence[str], width: int) -> list[str]:
    rows = [""]
    for part in parts:
        longer = f"{rows[-1]}   {part}" if rows[-1] else part
        if len(longer) <= width or not rows[-1]:
            rows[-1] = longer
        else:
            rows.append(part)
    return rows


def value(name: str, reading: Mapping[str, Any], beside: str = "") -> str:
    """A value always with its unit; what is not good says so (UI-12, UI-13)."""
    unit = f" {reading['unit']}" if reading["unit"] else ""
    quality = "" if reading["quality"] == "good" else f" [{reading['quality']}]"
    return f"{name.replace('_', ' ')} {number(reading['value'])}{beside}{unit}{quality}"


def number(raw: object) -> str:
    return f"{raw:.4g}" if isinstance(raw, float) else "---" if raw is None else str(raw).lower()


def event(each: Mapping[str, Any], now: float, zone: ZoneInfo) -> Line:
    when = datetime.fromisoformat(str(each["utc"])).timestamp()
    return Line(f"  {moment(when, now, zone)}  {words(each)}")


def day(run: Mapping[str, Any], now: float) -> str:
    """Elapsed run time as "day 12, 04:12", the first day being 0."""
    days, rest = divmod(max(0.0, now - float(run["start"])), DAY_S)
    return f"day {days:.0f}, {int(rest // 3600):02}:{int(rest % 3600 // 60):02}"


def countdown(seconds: float, tolerated_s: float = 0.0) -> str:
    """ "in 05:12:40", "in 3 d 05:12", "due 00:04:00 ago" while that is tolerated, then "overdue by 01:04:00"."""
    left = abs(int(seconds))
    days, clock = divmod(left, int(DAY_S))
    hours, minutes, rest = clock // 3600, clock % 3600 // 60, clock % 60
    text = f"{days} d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}:{rest:02}"
    if seconds >= 0:
        return f"in {text}"
    return f"due {text} ago" if -seconds < tolerated_s else f"overdue by {text}"


def at(utc_s: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(utc_s, zone)


def moment(utc_s: float, now: float, zone: ZoneInfo) -> str:
    """With its year where that is not the bench's year now."""
    when = at(utc_s, zone)
    return f"{when:%a %d %b %H:%M:%S}" if when.year == at(now, zone).year else f"{when:{DATED}}"


def cut(line: Line, width: int) -> Line:
    return line if len(line.text) <= width else line._replace(text=line.text[: width - 1] + "…")
