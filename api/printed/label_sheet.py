"""Printable labels of a plan: a 2D code, its text, and what a person reads. Self-contained HTML, 70 x 37 mm on A4."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from api.printed.sheets import NOT_VALIDATED
from protocols.labels import Label

STYLE = """\
@page{size:A4;margin:0}*{box-sizing:border-box}body{margin:0;font:8pt/1.25 sans-serif;color:#000;width:210mm}
.label{float:left;width:70mm;height:37mm;padding:4mm;display:flex;gap:3mm;break-inside:avoid;overflow:hidden}
.label svg{width:27mm;height:27mm;flex:none}b{font-size:10pt;display:block;overflow-wrap:anywhere}
.code{font-size:6pt;overflow-wrap:anywhere}
"""


def label_sheet(title: str, labels: Sequence[Label]) -> str:
    """Labels in the order given; 24 to a page."""
    body = "".join(_label(each) for each in labels)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}: labels</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def code(label: Label) -> str:
    """The QR code as SVG, medium error correction."""
    import segno

    return segno.make(label.code, error="m", micro=False).svg_inline(border=2, omitsize=True)


def _label(label: Label) -> str:
    return (
        f'<div class="label">{code(label)}<div>{escape(label.kind)} {label.n}<b>{escape(label.name)}</b>'
        f'{escape(label.note)}<div class="code">{escape(label.code)}<br>{NOT_VALIDATED}</div></div></div>'
    )
