"""A run on a terminal: the controller's `snapshot` as lines of text. Pure: no clock, no terminal, no socket.

A snapshot is one JSON object (every part but `time` may be missing; times UTC s, ages s):

    {"bench": "stirred-100", "note": "…", "zone": "Asia/Tokyo", "time": 1767567600.0, "epoch": 3, "state": "running",
     "speed": {"asked": 600, "reached": 598.2},
     "devices": [{"name": "incubator", "model": "memmert_ico", "state": "ready", "why": "",
                  "signals": [{"name": "temperature", "value": 37.0, "unit": "Cel", "quality": "good", "age_s": 4.2}]}],
     "runs": [{"id": "run-1", "protocol": "…", "state": "RUNNING", "why": "", "start": …, "done": 12, "of": 75,
               "active": [{"path": "…", "title": "…", "question": "", "options": []}],
               "next": {"title": "Medium exchange 3 of 9", "due": …}}],
     "tasks": [{"run": "run-1", "path": "…", "title": "…", "due": …}],
     "alarms": [{"alarm_id": "alarm-1", "priority": "high", "text": "…", "raised_at": …, "state": "UNACK"}],
     "events": [{"at": …, "text": "…"}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Snapshot = Mapping[str, Any]
DAY_S = 86400.0


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


def lines(snapshot: Snapshot, width: int = 100, height: int = 40) -> list[Line]:
    """The whole picture, at most `height` lines of at most `width` characters; the oldest events go first."""
    zone = zone_of(snapshot)
    now = float(snapshot["time"])
    upper = [*head(snapshot, now, zone)]
    for run in snapshot.get("runs", ()):
        upper += run_lines(run, now, zone)
    if not snapshot.get("runs"):
        upper.append(Line("no run; start one with 'osteon runs start PROTOCOL'", Look.DIM))
    upper += alarms(snapshot.get("alarms", ()), zone)
    upper += tasks(snapshot.get("tasks", ()), now, zone)
    upper += values(snapshot.get("devices", ()))
    room = height - len(upper) - 2
    events = [Line(f"  {moment(each['at'], zone)}  {each['text']}") for each in snapshot.get("events", ())]
    if events and room > 0:
        upper += [Line(""), Line("last events", Look.BOLD), *events[-room:]]
    return [cut(line, width) for line in upper[:height]]


def plain(snapshot: Snapshot) -> str:
    """One line for a log or a pipe: time, state, what is done, what comes next, how many wait."""
    zone, now = zone_of(snapshot), float(snapshot["time"])
    parts = [moment(now, zone)]
    for run in snapshot.get("runs", ()):
        doing = "; ".join(str(each["title"]) for each in run.get("active", ())) or "-"
        parts.append(f"{run['state']} {day(run, now)}: {doing}")
        if run.get("next"):
            parts.append(f"next {upcoming(run['next'], now, zone)}")
        if run.get("why"):
            parts.append(str(run["why"]))
    parts.append(f"{len(snapshot.get('alarms', ()))} alarms, {len(snapshot.get('tasks', ()))} tasks")
    return " | ".join(parts)


def zone_of(snapshot: Snapshot) -> ZoneInfo:
    try:
        return ZoneInfo(str(snapshot.get("zone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def head(snapshot: Snapshot, now: float, zone: ZoneInfo) -> list[Line]:
    speed: Mapping[str, float] = snapshot.get("speed") or {}
    rate = f"   {speed.get('reached', 0):.0f} x of {speed['asked']:g} x" if speed.get("asked") else ""
    name = f" {snapshot.get('bench', 'bench')}   {moment(now, zone)} {at(now, zone):%Z}{rate}"
    state = str(snapshot.get("state", ""))
    epoch = f"   epoch {snapshot['epoch']}" if "epoch" in snapshot else ""
    first = Line(f"{name}{epoch}{'' if state in ('', 'running') else '   ' + state.upper()} ", Look.HEAD)
    return [first, Line(f" {snapshot['note']}", Look.DIM)] if snapshot.get("note") else [first]


def run_lines(run: Mapping[str, Any], now: float, zone: ZoneInfo) -> list[Line]:
    counted = f"   step {run['done']} of {run['of']}" if run.get("of") else ""
    found = [
        Line(""),
        Line(f"{run.get('protocol', '')}   {run['state']}   {day(run, now)}{counted}   {run.get('id', '')}", Look.BOLD),
    ]
    if run.get("why"):
        found.append(Line(f"  why   {run['why']}", Look.HIGH if run["state"] in ("HOLDING", "HELD") else Look.PLAIN))
    for each in run.get("active", ()):
        found.append(Line(f"  now   {each['title']}   {each.get('path', '')}"))
        if each.get("question"):
            answers = f" ({' / '.join(map(str, each['options']))})" if each.get("options") else ""
            found.append(Line(f"  ask   {each['question']}{answers}", Look.HIGH))
    if run.get("next"):
        found.append(Line(f"  next  {upcoming(run['next'], now, zone)}", Look.BOLD))
    return found


def upcoming(following: Mapping[str, Any], now: float, zone: ZoneInfo) -> str:
    """Countdown and absolute time always together (UI-31)."""
    due = following.get("due")
    if due is None:
        return str(following["title"])
    return f"{following['title']} {countdown(float(due) - now)} ({moment(float(due), zone)} {at(float(due), zone):%Z})"


def alarms(found: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[Line]:
    looks = {"critical": Look.CRITICAL, "high": Look.HIGH}
    marks = {"critical": "!!", "high": "! "}
    shown: list[Line] = []
    for each in found[:5]:
        priority, seen = str(each["priority"]), "  (acknowledged)" if each.get("state") == "ACKED" else ""
        text = f"  {marks.get(priority, '- ')} {priority:8} {moment(each['raised_at'], zone)}  {each['text']}{seen}"
        shown.append(Line(text, looks.get(priority, Look.LOW)))
    more = [Line(f"  and {len(found) - 5} more", Look.DIM)] if len(found) > 5 else []
    return [Line(""), Line(f"alarms ({len(found)})", Look.BOLD), *shown, *more] if found else []


def tasks(found: Sequence[Mapping[str, Any]], now: float, zone: ZoneInfo) -> list[Line]:
    shown = [Line(f"  {upcoming(each, now, zone)}") for each in found[:4]]
    more = [Line(f"  and {len(found) - 4} more", Look.DIM)] if len(found) > 4 else []
    return [Line(""), Line(f"tasks for a person ({len(found)})", Look.BOLD), *shown, *more] if found else []


def values(devices: Sequence[Mapping[str, Any]]) -> list[Line]:
    if not devices:
        return []
    width = max(len(str(device["name"])) for device in devices)
    found = [Line(""), Line("values", Look.BOLD)]
    for device in devices:
        signals = device.get("signals", ())
        good = device.get("state", "ready") in ("ready", "good", "ok")
        shown = "   ".join(value(each) for each in signals if each.get("value") is not None or each.get("why"))
        age = max((float(each.get("age_s") or 0.0) for each in signals), default=0.0)
        if good:
            found.append(Line(f"  {device['name']:{width}}  {shown}   {age:.0f} s old"))
        else:
            why = device.get("why") or device.get("state")
            found.append(Line(f"  {device['name']:{width}}  --- {why}", Look.HIGH))
    return found


def value(signal: Mapping[str, Any]) -> str:
    """A value always with its unit; what is not good says so (UI-12, UI-13)."""
    quality = str(signal.get("quality", "good"))
    raw = signal.get("value")
    number = f"{raw:.4g}" if isinstance(raw, float) else "---" if raw is None else str(raw)
    unit = f" {signal['unit']}" if signal.get("unit") else ""
    name = str(signal["name"]).replace("_", " ").replace("setpoint", "set")
    return f"{name} {number}{unit}" + ("" if quality == "good" else f" [{quality}]")


def day(run: Mapping[str, Any], now: float) -> str:
    """Elapsed run time as "day 12, 04:12", the first day being 0."""
    if run.get("start") is None:
        return ""
    days, rest = divmod(now - float(run["start"]), DAY_S)
    return f"day {days:.0f}, {int(rest // 3600):02}:{int(rest % 3600 // 60):02}"


def countdown(seconds: float) -> str:
    """ "in 05:12:40", "in 3 d 05:12", "overdue by 00:04:00"."""
    left = abs(int(seconds))
    days, clock = divmod(left, int(DAY_S))
    hours, minutes, rest = clock // 3600, clock % 3600 // 60, clock % 60
    text = f"{days} d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}:{rest:02}"
    return f"in {text}" if seconds >= 0 else f"overdue by {text}"


def at(utc_s: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(utc_s, zone)


def moment(utc_s: float, zone: ZoneInfo) -> str:
    return f"{at(utc_s, zone):%a %d %b %H:%M:%S}"


def cut(line: Line, width: int) -> Line:
    return line if len(line.text) <= width else line._replace(text=line.text[: width - 1] + "…")
