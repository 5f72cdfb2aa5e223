"""Calibrate a device of a serving bench: begin, take points, accept; refused with the reason when it is no good."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from api.commands.device_dispense import rate_ml_min, volume_ml
from api.folders import data_argument, json_argument
from api.refusal import Refusal
from api.socket_client import ask
from api.table import table

EXAMPLE = """osteon calibrate begin ph_probe
         osteon calibrate point ph_probe "buffer 1" --reference 7.00 --lot 4711 --expires 2027-03-31
         osteon calibrate point ph_probe "buffer 2" --reference 4.01 --lot 4712 --expires 2027-03-31
         osteon calibrate accept ph_probe
         osteon calibrate weigh pump_out --doses 5 --volume 5mL --rate 10mL/min --balance balance.weight"""

WEIGHING_S = 7200.0
"""Longest wait for a series of doses."""


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="step", metavar="STEP")

    def verb(name: str, meaning: str) -> argparse.ArgumentParser:
        part = verbs.add_parser(name, help=meaning, description=meaning)
        part.add_argument(
            "device", metavar="DEVICE", nargs="?" if name == "list" else None, help="its name on the bench"
        )
        data_argument(part, again=True)
        json_argument(part)
        return part

    verb("list", "what each calibration was, and what holds now")
    verb("begin", "open a calibration; the device's values count as 'manual' until it ends")
    point = verb("point", "one point of the device's own procedure")
    point.add_argument("point", metavar="POINT", help="as 'osteon device list' names them: 'buffer 1', 'air' …")
    point.add_argument("--reference", type=float, metavar="VALUE", help="in the signal's unit, where the point has one")
    compare = verb("compare", "the device beside a reference instrument or a sample")
    compare.add_argument("signal", metavar="SIGNAL")
    compare.add_argument("--reference", type=float, required=True, metavar="VALUE", help="what the reference shows")
    for part in (point, compare):
        part.add_argument("--lot", default="", metavar="LOT", help="of the buffer or gas; number of the instrument")
        part.add_argument("--expires", default="", metavar="DAY", help="last good day of the reference: 2027-03-31")
    weigh = verb("weigh", "doses of a pump into a cup on a balance, weighed one by one")
    weigh.add_argument("--doses", type=int, default=5, metavar="N")
    weigh.add_argument("--volume", type=volume_ml, required=True, metavar="5mL")
    weigh.add_argument("--rate", type=rate_ml_min, required=True, metavar="10mL/min")
    weigh.add_argument("--balance", required=True, metavar="DEVICE.SIGNAL", help="like balance.weight")
    for name, meaning in (("accept", "sign it, if its limits allow"), ("discard", "end it without effect")):
        verb(name, meaning).add_argument("--why", default="", metavar="TEXT", help="kept in the record")
    verb("autoclave", "count one autoclave cycle of a probe")
    parser.set_defaults(step="list", device=None, json=False)
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    if options.step == "list":
        return listed(ask(options.data, "calibrations", device=options.device), options.json)
    answer: dict[str, Any] = ask(
        options.data, "calibrate", timeout_s=WEIGHING_S, step=options.step, device=options.device, **fields(options)
    )
    if options.json:
        print(json.dumps(answer))
    else:
        print("\n".join(lines(options.device, answer)))
    return 1 if answer.get("reasons") and options.step == "accept" else 0


FIELDS = {
    "point": "point",
    "signal": "signal",
    "reference": "reference",
    "lot": "lot",
    "expires": "expires",
    "doses": "doses",
    "volume": "volume_ml",
    "rate": "rate_ml_min",
    "balance": "balance",
    "why": "why",
}
"""Word on the command line -> field of the request."""


def fields(options: argparse.Namespace) -> dict[str, Any]:
    """What this step says beside the device."""
    said = {field: getattr(options, name, None) for name, field in FIELDS.items()}
    return {name: value for name, value in said.items() if value is not None}


def lines(device: str, answer: Mapping[str, Any]) -> list[str]:
    if "calibration" in answer:
        return [f"{answer['calibration']} of {device} is open; take its points, then accept or discard it"]
    if "autoclaved" in answer:
        return [f"{device}: {answer['autoclaved']} autoclave cycles"]
    if "points" in answer:
        return [described(point) for point in answer["points"]]
    new = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in answer["new"].items())
    if answer["accepted"]:
        return [f"{device} accepted{f': {new}' if new else ''}"]
    if answer["reasons"]:
        raise Refusal(f"{device} not accepted: {'; '.join(answer['reasons'])}")
    return [f"{device}: discarded"]


def described(point: Mapping[str, Any]) -> str:
    def shown(value: float | None) -> str:
        return "---" if value is None else f"{value:.4g}"

    reference, before = shown(point["reference"]), shown(point["shown"])
    if point["name"] == "dose":
        return f"dose: asked {shown(point['asked_ml'])} mL, counted {before}, weighed {reference}"
    after = "" if point["after"] is None else f", shows {shown(point['after'])} afterwards"
    return f"{point['name']}: reference {reference}, showed {before} {point['unit']}{after}"


def listed(rows: Sequence[Mapping[str, Any]], as_json: bool) -> int:
    if as_json:
        print(json.dumps(rows, indent=1))
        return 0
    if not rows:
        print("no calibrations yet")
        return 0
    shown = [
        (
            each["calibration_id"],
            each["device"],
            each["kind"],
            each["state"],
            day(each["ended_at"] or each["begun_at"]),
            each["ended_by"] or each["begun_by"],
            day(each["due"]),
            each["why"],
        )
        for each in rows
    ]
    print(table(("number", "device", "kind", "state", "when (UTC)", "who", "due", "why"), shown))
    return 0


def day(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
