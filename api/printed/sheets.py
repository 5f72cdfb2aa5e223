"""Printable work sheets: one A4 page for each day with hand work, self-contained HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from api.printed.words import act_words, entry_words, plain, span, way_words
from protocols.calendar import Calendar, Row
from protocols.labels import plan_id
from protocols.plan import Hand, Plan

NOT_VALIDATED = "Rehearsal, not a validated or clinical protocol"
SIGNS = {"operator": ("Done by",), "supervisor": ("Done by", "Supervisor"), "two persons": ("Done by", "Second person")}
STYLE = """\
@page{size:A4;margin:14mm}*{box-sizing:border-box}body{font:10.5pt/1.35 sans-serif;margin:0;color:#000}
.page{break-after:page;max-width:182mm;margin:0 auto 10mm}.page:last-child{break-after:auto}
header{border-bottom:1.5pt solid #000;display:flex;justify-content:space-between;gap:8mm}h1{font-size:15pt;margin:0}
.banner{border:1.5pt solid #000;text-align:center;font-weight:bold;margin:2mm 0;padding:1mm}
section{border:.75pt solid #555;margin:3mm 0;padding:2mm 3mm;break-inside:avoid}
h2{font-size:11.5pt;margin:0 0 1mm}
table{border-collapse:collapse;width:100%}
td,th{border:.5pt solid #777;padding:1.2mm 2mm;text-align:left}
.blank{width:42mm}.sign{display:flex;gap:6mm;margin-top:3mm}
.sign span{flex:1;border-bottom:.5pt solid #000;height:9mm}
ul{margin:1mm 0 2mm 5mm;padding:0}.mark{border:1pt solid #000;padding:0 1.5mm;font-size:9pt}
.quiet{color:#333;font-size:9pt}
"""


def sheets(plan: Plan, rows: Calendar) -> str:
    """The document: a page for each local date on which a person works."""
    pages = [list(page) for _, page in groupby(rows.rows, key=lambda row: row.local.date())]
    body = "".join(_page(plan, page) for page in pages if any(row.minutes > 0 for row in page))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(plan.protocol)}: work sheets</title>"
        f"<style>{STYLE}</style></head><body>{plain(body)}</body></html>\n"
    )


def _page(plan: Plan, page: list[Row]) -> str:
    day = page[0].local
    return (
        f'<div class="page"><header><div><h1>Day {page[0].day}, {day:%A %d %B %Y}</h1>{escape(plan.root.title)}</div>'
        f'<div class="quiet">{escape(plan.protocol)} {escape(plan.version)}<br>plan {plan_id(plan)}<br>'
        f"times in {escape(plan.zone)}</div></header>"
        f'<div class="banner">{NOT_VALIDATED}</div>'
        f"{''.join(_task(plan, row) for row in page if row.minutes > 0)}{_machine(page)}</div>"
    )


def _machine(page: list[Row]) -> str:
    """What osteon does on this day, so that a person knows of it."""
    lines = [f"{row.local:%H:%M} {escape(row.title)}" for row in page if row.kind in ("exchange", "dose")]
    return f'<p class="quiet">By osteon: {"; ".join(lines)}.</p>' if lines else ""


def _task(plan: Plan, row: Row) -> str:
    hand = plan.nodes[row.path].work
    assert isinstance(hand, Hand)
    return (
        f"<section><h2>{row.local:%H:%M} {_marks(row)} {escape(row.title)}</h2>{''.join(_told(hand, row))}"
        f"{_table(hand)}{_signs(hand)}</section>"
    )


def _marks(row: Row) -> str:
    words = [word for word, given in (("NIGHT", row.night), ("WEEKEND", row.weekend)) if given]
    words += [way_words(row.only_if)] if row.only_if else []
    return "".join(f'<span class="mark">{escape(word)}</span>' for word in words)


def _told(hand: Hand, row: Row) -> Iterator[str]:
    if hand.instruction != row.title:
        yield f"<p>{escape(hand.instruction)}</p>"
    told = [f"about {span(hand.takes_s)}"]
    if hand.out_of_incubator_s:
        told.append(f"at most {span(hand.out_of_incubator_s)} out of the incubator")
    told.append(f"the run holds when it is not done within {span(hand.overdue_s)}")
    yield f'<p class="quiet">{escape("; ".join(told))}</p>'
    if hand.acts:
        yield f"<ul>{''.join(f'<li>{escape(act_words(act))}</li>' for act in hand.acts)}</ul>"


def _table(hand: Hand) -> str:
    lines = [(entry_words(entry), "") for entry in hand.entries]
    lines += [(f"lot of {lot}", "expires") for lot in hand.lots]
    lines += [(f"sample {hand.sample}: label stuck on", "at")] if hand.sample else []
    cells = "".join(
        f'<tr><td>{escape(what)}</td><td class="blank"></td><td class="blank quiet">{escape(beside)}</td></tr>'
        for what, beside in [*lines, ("begun at", ""), ("ended at", "")]
    )
    return f"<table>{cells}</table>"


def _signs(hand: Hand) -> str:
    people = SIGNS.get(hand.sign, SIGNS["operator"])
    return f'<div class="sign">{"".join(f"<span>{escape(who)}, date</span>" for who in people)}</div>'
