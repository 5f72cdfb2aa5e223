"""Runs of a serving controller: list, show, start, command, answer. Talks to the local socket of this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api import question
from api.commands.runs_batches import answer_arguments, said, shares, start_arguments, told
from api.commands.runs_labels import labels
from api.commands.runs_photo import photo
from api.folders import data_argument
from api.refusal import Refusal
from api.site_time import parse_time, shown_time
from api.socket_client import ask
from api.table import table
from api.terminal import watch
from api.verbs import verbs

EXAMPLE = "osteon runs hold run-1 --why 'foam in the vessel'"
AHEAD = 5
"""Occurrences that 'show' names, in the site's time and with the path that 'amend' takes."""
COMMANDS = {
    "pause": "let fluid under way come to its end, then stand still; 'resume' goes on",
    "resume": "go on after a pause",
    "hold": "stop fluid now, keep the environment; 'restart' goes on",
    "restart": "go on after a hold",
    "stop": "end the run in order",
    "abort": "end the run at once",
    "reset": "put an ended run away, so that its unit is free",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    verb = verbs(parser)
    verb("list", "every run of this data directory")
    show = verb("show", "one run, or with --watch the whole bench as it lives")
    show.add_argument("id", nargs="?", metavar="RUN")
    show.add_argument("--watch", action="store_true", help="stay, until Ctrl-C")
    start = verb("start", "start a protocol")
    start.add_argument("protocol", metavar="PROTOCOL", help="a protocol file, or the name of one that ships")
    start.add_argument("--unit", metavar="UNIT", help="where (default: the first unit of the bench)")
    start.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the protocol")
    start.add_argument("--start", metavar="ISO", help="2026-01-05T08:00 in the site's zone (default: now)")
    start_arguments(start)
    for name, meaning in COMMANDS.items():
        command = verb(name, meaning)
        command.add_argument("id", metavar="RUN", help="as 'runs list' shows it")
        command.add_argument("--why", default="", metavar="TEXT", help="kept in the record")
    verb("tasks", "open tasks for a person")
    answer = verb("answer", "answer a task: its entries as NAME=VALUE")
    answer.add_argument("id", metavar="RUN")
    answer.add_argument("path", metavar="PATH", help="of the step, as 'runs tasks' shows it")
    answer.add_argument("entries", nargs="*", metavar="NAME=VALUE")
    answer.add_argument("--lot", action="append", default=[], metavar="MATERIAL=LOT", help="the lot that was used")
    answer_arguments(answer)
    answer.add_argument("--out", type=float, metavar="MIN", help="how long vessels were out of the incubator")
    answer.add_argument("--happened", metavar="ISO", help="when it was done, in the site's zone (default: now)")
    answer.add_argument("--why", default="", metavar="TEXT", help="why a refused lot is used, or the time is early")
    labels = verb("labels", "write the labels of a run, with 2D codes, to print")
    labels.add_argument("id", metavar="RUN")
    labels.add_argument("--to", type=Path, default=Path("labels.html"), metavar="FILE.html")
    photo = verb("photo", "put a picture on record for a task that asks for one")
    photo.add_argument("id", metavar="RUN")
    photo.add_argument("path", metavar="PATH", help="of the step, as 'runs tasks' shows it")
    photo.add_argument("file", type=Path, metavar="FILE", help="PNG, JPEG or WebP")
    claim = verb("claim", "say that you are on a task")
    claim.add_argument("id", metavar="RUN")
    claim.add_argument("path", metavar="PATH", help="of the step, as 'runs tasks' shows it")
    claim.add_argument("--by", choices=("me", "simulated", "anyone"), default="me", help="anyone: give it back")
    decide = verb("decide", "answer a question of a held run")
    decide.add_argument("id", metavar="RUN")
    decide.add_argument("path", metavar="PATH", help="of the step, in brackets in 'runs show'")
    decide.add_argument("answer", metavar="ANSWER", help="one of the answers that 'runs show' offers")
    decide.add_argument("--volume", type=float, metavar="ML", help="what was delivered, in mL")
    decide.add_argument("--why", default="", metavar="TEXT")
    amend = verb("amend", "change the future of a run: skip, move or repeat an occurrence, set parameters")
    amend.add_argument("id", metavar="RUN")
    amend.add_argument("what", choices=("skip", "move", "repeat", "set"))
    amend.add_argument(
        "path", nargs="?", default="", metavar="PATH", help="of the step or occurrence, as 'runs show' has it"
    )
    amend.add_argument("--at", metavar="ISO", help="new time, in the site's zone (move, repeat)")
    amend.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter (set)")
    amend.add_argument(
        "--why", default="", metavar="TEXT", help="the reason, 5 characters or more: part of the batch record"
    )
    amend.add_argument("--preview", action="store_true", help="show what would change, and do nothing")
    mode = verb("mode", "how the unit of a run is worked: auto, step (each step waits for 'runs next'), manual")
    mode.add_argument("id", metavar="RUN")
    mode.add_argument("mode", choices=("auto", "step", "manual"))
    mode.add_argument("--why", default="", metavar="TEXT")
    next_ = verb("next", "in mode step: let a waiting step begin")
    next_.add_argument("id", metavar="RUN")
    next_.add_argument("path", nargs="?", default="", metavar="PATH", help="which (default: the only one that waits)")
    move = verb("move", "move fluid by hand: a unit without a live run, or one whose run is held in mode manual")
    move.add_argument("path", metavar="PATH", help="fluid path of the unit, such as 'medium in'")
    move.add_argument("volume", type=float, metavar="ML")
    move.add_argument("rate", type=float, metavar="ML/MIN")
    move.add_argument("--unit", metavar="UNIT", help="which (default: the first of the bench)")
    move.add_argument("--fluid", default="by hand", metavar="NAME", help="what flows: caps of a fluid go by its name")
    move.add_argument("--to", choices=("vessel", "cup"), default="vessel", help="cup: prime or rinse the line")
    move.add_argument("--why", required=True, metavar="TEXT", help="5 characters or more: part of the record")
    volume = verb("volume", "a vessel was found to hold so much: its books begin anew")
    volume.add_argument("ml", type=float, metavar="ML")
    volume.add_argument("--unit", metavar="UNIT", help="which (default: the first of the bench)")
    volume.add_argument(
        "--why", required=True, metavar="TEXT", help="how it was measured, 5 characters or more: part of the record"
    )
    doses = verb("doses", "every dose of a run: asked, measured, witness")
    doses.add_argument("id", metavar="RUN")
    verb("alarms", "open alarms, each with its number")
    acknowledge = verb("acknowledge", "say that an alarm was seen")
    acknowledge.add_argument("alarm", metavar="ALARM", help="as 'runs alarms' shows it")
    parser.set_defaults(verb="list", json=False)
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    return command(options) if options.verb in COMMANDS else VERBS[options.verb](options)


def list_(options: argparse.Namespace) -> int:
    runs: list[dict[str, Any]] = ask(options.data, "runs")
    if options.json:
        return as_json(runs)
    rows = [
        (
            each["run_id"],
            each["unit"],
            f"{each['name']} {each['protocol_version']}",
            each["state"],
            shown_time(each["created_at"]),
        )
        for each in runs
    ]
    print(table(("run", "unit", "protocol", "state", "created (UTC)"), rows) if rows else "no runs yet")
    return 0


def show(options: argparse.Namespace) -> int:
    if options.watch:
        asyncio.run(watch(options.data))
    if options.id is None:
        raise Refusal("name a run ('osteon runs list'), or add --watch")
    found = ask(options.data, "run", run=options.id)
    if options.json:
        return as_json(found)
    of = f" of {found['batch']}" if found.get("batch") else ""
    print(f"{found['run']}{of} on {found['unit']}: {found['protocol']}, {found['state']}, day {found['day']:.1f}")
    if found.get("mode", "auto") != "auto":
        print(f"mode: {found['mode']}")
    if found["why"] and all(found["why"] != step["question"] for step in found["steps"]):
        print(f"why: {found['why']}")
    for step in found["steps"]:
        print(f"now: {step['title']} ({step['path']})")
        if step["question"]:
            for line in question.lines(found["run"], step):
                print(line)
    for path in found.get("waiting", ()):
        print(f"waits to begin: {path['path']} (osteon runs next {found['run']} {shlex.quote(path['path'])})")
    ahead = found.get("ahead", [])[:AHEAD] or ([found["next"]] if found["next"] else [])
    zone = str(ask(options.data, "snapshot")["zone"]) if ahead else "UTC"
    for head, later in zip(("next", *["then"] * AHEAD), ahead, strict=False):
        path = f"  ({later['path']})" if "path" in later else ""
        local = datetime.fromtimestamp(later["at"], ZoneInfo(zone))
        print(f"{head}: {later['title']}, {local:%Y-%m-%d %H:%M} {zone}{path}")
    return 0


def start(options: argparse.Namespace) -> int:
    from protocols.loading import load

    sets = pairs(options.set)
    protocol = load(options.protocol).bound(sets)
    begins = None
    if options.start:
        begins = parse_time(options.start, str(ask(options.data, "snapshot")["zone"]))
    asked = {"protocol": protocol.text, "unit": options.unit, "set": sets, "start": begins}
    asked |= {"batch": options.batch, "parents": shares(options.parents), "kind": options.kind}
    done = ask(options.data, "start", timeout_s=60.0, key=secrets.token_hex(8), **asked)
    print(json.dumps(done) if options.json else f"{done['run']} started")
    return 0


def command(options: argparse.Namespace) -> int:
    """The state seen goes with the command, so that it does not meet a run that has moved on (SM-03)."""
    seen = ask(options.data, "run", run=options.id)["state"]
    asked = {"run": options.id, "cause": options.verb, "why": options.why, "state_seen": seen}
    done = ask(options.data, "command", timeout_s=60.0, key=secrets.token_hex(8), **asked)
    print(json.dumps(done) if options.json else f"{options.id}: {seen} -> {done['state']}")
    return 0


def tasks(options: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = ask(options.data, "tasks")
    if options.json:
        return as_json(found)
    for task in found:
        print(f"{task['run']}  {task['path']}  {task['title']}")
        if task["instruction"] != task["title"]:
            print(f"    {task['instruction']}")
        if task["claimed_by"]:
            print(f"    {task['claimed_by']} is on it")
        for entry in task["entries"]:
            limits = f", {entry['low']} to {entry['high']}" if entry["low"] is not None else ""
            limits += f": {expected['label']}" if (expected := task["expects"].get(entry["name"])) else ""
            print(f"    enter {shlex.quote(entry['name'] + '=…')} ({entry['unit'] or entry['kind']}{limits})")
        for name in task["lots"]:
            print(f"    name the lot of {name}: --lot '{name}=…'")
        for line in told(task):
            print(f"    {line}")
        if task["out_of_incubator_s"]:
            print(f"    say how long vessels were out, at most {task['out_of_incubator_s'] / 60:g} min: --out MIN")
    if not found:
        print("no open tasks")
    return 0


def answer(options: argparse.Namespace) -> int:
    entries: dict[str, float | str | bool] = {name: entered(text) for name, text in pairs(options.entries).items()}
    asked: dict[str, Any] = {"run": options.id, "path": options.path, "entries": entries}
    asked |= {"lots": pairs(options.lot), "why": options.why}
    asked["batches"] = said(pairs(options.batch), options)
    if options.out is not None:
        asked["out_min"] = options.out
    if options.happened:
        asked["happened_at"] = parse_time(options.happened, str(ask(options.data, "snapshot")["zone"]))
    done = ask(options.data, "answer", timeout_s=60.0, key=secrets.token_hex(8), **asked)
    print(json.dumps(done) if options.json else f"{options.path}: {done['state']}")
    return 0


def claim(options: argparse.Namespace) -> int:
    asked = {"run": options.id, "path": options.path, "whom": options.by}
    done = ask(options.data, "claim", timeout_s=60.0, key=secrets.token_hex(8), **asked)
    print(json.dumps(done) if options.json else f"{options.path}: {done['claimed_by'] or 'nobody'} is on it")
    return 0


def decide(options: argparse.Namespace) -> int:
    asked = {"run": options.id, "path": options.path, "answer": options.answer, "why": options.why}
    done = ask(options.data, "decide", timeout_s=60.0, volume_ml=options.volume, **asked)
    print(json.dumps(done) if options.json else f"{options.id}: {done['state']}")
    return 0


def amend(options: argparse.Namespace) -> int:
    at = parse_time(options.at, str(ask(options.data, "snapshot")["zone"])) if options.at else None
    asked = {"run": options.id, "what": options.what, "path": options.path, "at": at, "set": pairs(options.set)}
    asked |= {"why": options.why, "preview": options.preview}
    done = ask(options.data, "amend", timeout_s=60.0, key="" if options.preview else secrets.token_hex(8), **asked)
    if options.json:
        return as_json(done)
    print(f"{'would ' if options.preview else ''}{done['said']}")
    for sign, rows in (("-", done["before"]), ("+", done["after"])):
        for row in rows:
            moved = "".join(f", {row[key]:g} mL {way}" for key, way in (("out_ml", "out"), ("in_ml", "in")) if row[key])
            print(f" {sign} {row['local'].replace('T', ' ')}  {row['title']}{moved}  ({row['path']})")
    for text in done["violations"]:
        print(f" ! {text}")
    return 0


def mode(options: argparse.Namespace) -> int:
    asked = {"run": options.id, "mode": options.mode, "why": options.why}
    done = ask(options.data, "mode", timeout_s=60.0, key=secrets.token_hex(8), **asked)
    print(json.dumps(done) if options.json else f"{options.id}: {options.mode}, {done['state']}")
    return 0


def next_(options: argparse.Namespace) -> int:
    waiting = [each["path"] for each in ask(options.data, "run", run=options.id)["waiting"]]
    path = options.path or (waiting[0] if len(waiting) == 1 else "")
    if not path:
        if not waiting:
            raise Refusal("no step waits to begin (in mode step each waits when its time comes: 'osteon runs show')")
        raise Refusal(f"several steps wait, name one: {', '.join(waiting)}")
    done = ask(options.data, "advance", timeout_s=60.0, key=secrets.token_hex(8), run=options.id, path=path)
    print(json.dumps(done) if options.json else f"{path}: begins")
    return 0


def move_(options: argparse.Namespace) -> int:
    asked = {"unit": options.unit, "path": options.path, "volume_ml": options.volume, "rate_ml_min": options.rate}
    asked |= {"fluid": options.fluid, "to": options.to, "why": options.why}
    longest_s = 600.0 + 240.0 * options.volume / options.rate
    done = ask(options.data, "move", timeout_s=longest_s, key=secrets.token_hex(8), **asked)
    if options.json:
        return as_json(done)
    measured = "not known" if done["measured_ml"] is None else f"{done['measured_ml']:.2f} mL"
    print(f"asked {options.volume:g} mL, measured {measured}: {done['outcome']} {done['why']}".rstrip())
    return 0 if done["outcome"] == "done" else 1


def volume_(options: argparse.Namespace) -> int:
    asked = {"unit": options.unit, "ml": options.ml, "why": options.why}
    done = ask(options.data, "volume", timeout_s=60.0, key=secrets.token_hex(8), **asked)
    more = done["more_than_booked_ml"]
    print(json.dumps(done) if options.json else f"{done['ml']:g} mL, {more:+.1f} mL against the books")
    return 0


def doses(options: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = ask(options.data, "doses", run=options.id)
    if options.json:
        return as_json(found)
    rows = [
        (
            shown_time(each["intended_at"]),
            f"{each['path']} {each['part']}",
            f"{each['device']} {each['stroke']}",
            volume(each["target_ml"]),
            volume(each["moved_ml"]),
            weighed(each),
            each["state"],
        )
        for each in found
    ]
    heads = ("time (UTC)", "step", "pump", "asked mL", "counter mL", "balance g", "state")
    print(table(heads, rows) if rows else "no doses yet")
    return 0


def alarms(options: argparse.Namespace) -> int:
    found: list[dict[str, Any]] = ask(options.data, "snapshot")["alarms"]
    if options.json:
        return as_json(found)
    rows = [
        (str(each["alarm_id"]), each["priority"], each["state"], shown_time(each["raised_at"]), each["text"])
        for each in found
    ]
    print(table(("alarm", "priority", "state", "since (UTC)", "what"), rows) if rows else "no open alarms")
    return 0


def acknowledge(options: argparse.Namespace) -> int:
    ask(options.data, "acknowledge", alarm=options.alarm)
    print(f"{options.alarm} acknowledged")
    return 0


VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": list_,
    "show": show,
    "start": start,
    "tasks": tasks,
    "answer": answer,
    "labels": labels,
    "photo": photo,
    "claim": claim,
    "decide": decide,
    "amend": amend,
    "move": move_,
    "volume": volume_,
    "mode": mode,
    "next": next_,
    "doses": doses,
    "alarms": alarms,
    "acknowledge": acknowledge,
}


def pairs(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Refusal(f"{word}: write it as NAME=VALUE")
        found[name] = text
    return found


def entered(text: str) -> float | str | bool:
    if text.lower() in ("yes", "no", "true", "false"):
        return text.lower() in ("yes", "true")
    try:
        return float(text)
    except ValueError:
        return text


def volume(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


def weighed(dose: dict[str, Any]) -> str:
    before, after = dose["witness_before"], dose["witness_after"]
    return "" if before is None or after is None else f"{after - before:.2f}"


def as_json(found: object) -> int:
    print(json.dumps(found, indent=1))
    return 0
