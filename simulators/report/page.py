"""One HTML file that tells the story of a rehearsed culture: no script, nothing from elsewhere, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources

from simulators.plant import parameters
from simulators.report.chart import Chart, Line
from simulators.report.findings import TURBID_MILLION_ML, limited, warnings
from simulators.report.recording import Recording
from simulators.report.told import Told

STYLE = resources.files("simulators.report").joinpath("page.css").read_text("utf-8")


def page(told: Told, recording: Recording) -> str:
    """The whole file."""
    title = f"{told.protocol}: rehearsal"
    body = "\n".join(
        part
        for part in (
            *_head(told),
            *_short(recording),
            *_section("The chamber", _chamber(recording)),
            *(part for vessel in recording.vessels() for part in _vessel(recording, told, vessel)),
            *_section("Exchanges, by both witnesses", _exchanges(told)),
            *_section("Work by hand", _hand_work(told)),
            *_section("What happened", _events(told)),
            *_section("Numbers behind this page", _numbers()),
            f'<p class="dim">Event log digest {escape(told.digest)}. Same files and same seed give the same page.</p>',
        )
        if part
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _head(told: Told) -> Iterator[str]:
    yield f"<h1>{escape(told.title or told.protocol)}</h1>"
    yield (
        '<p class="warn"><b>Simulated.</b> Not a validated or clinical protocol; no figure here is a measurement. '
        "The plant is plant-models of osteon's specification: see the numbers and their marks at the end.</p>"
    )
    faults = ", ".join(told.faults) or "none"
    facts = (
        (told.state, told.why if told.state != "COMPLETE" else "end of the run"),
        (f"{told.days:.1f} days", f"from {told.started}"),
        (str(len(told.doses)), "transfers of liquid"),
        (str(len(told.tasks)), "tasks done by hand"),
        (str(len(told.deviations)), "deviations"),
        (str(len(told.alarms)), "alarms"),
    )
    yield f'<ul class="facts">{"".join(f"<li><b>{escape(a)}</b>{escape(b)}</li>" for a, b in facts)}</ul>'
    yield "<p>Days count from the start of the run; ticks along an axis are exchanges, dashed lines limits.</p>"
    made = f"{told.protocol} on {told.bench}, seed {told.seed}, faults: {faults}."
    yield f'<p class="dim">{escape(made)}</p>'


def _short(recording: Recording) -> Iterator[str]:
    yield "<h2>What limited the culture</h2>" + _list(limited(recording))
    found = warnings(recording)
    if found:
        yield "<h2>Be warned</h2>" + _list(found)


def _chamber(recording: Recording) -> Iterator[str]:
    def lines(quantity: str, shown: str) -> list[Line]:
        true = Line("true", recording.get(f"chamber/{quantity}"))
        names = (name for name in recording.columns if name.startswith("shown ") and name.endswith(f"/{shown}"))
        return [
            true,
            *(Line("shown by the instrument", recording.columns[name], faint=True) for name in list(names)[:1]),
        ]

    days = recording.days
    yield Chart("Temperature", "°C", days, lines("cel", "temperature"), 36.5, 37.5).svg()
    yield Chart("CO2", "% of wet gas", days, lines("co2_percent", "co2"), least_span=1.0).svg()
    yield Chart("O2", "% of wet gas", days, lines("o2_percent", "o2"), least_span=1.0).svg()
    yield Chart("Relative humidity", "%", days, lines("rh_percent", "humidity"), low=90.0).svg()


def _vessel(recording: Recording, told: Told, vessel: str) -> Iterator[str]:
    days = recording.days
    exchanged = sorted({round(dose.day, 2) for dose in told.doses})

    def true(quantity: str, name: str) -> Line:
        return Line(name, recording.get(f"{vessel}/{quantity}"))

    def shown(role: str) -> list[Line]:
        column = recording.columns.get(f"shown {vessel}/{role}")
        return [Line("shown by the probe", column, faint=True)] if column else []

    def samples(word: str) -> list[Line]:
        found = [(each.day, each.value) for each in told.results if each.name.lower() == word]
        return [Line("sample", [v for _, v in found], dots=True, at=[d for d, _ in found])] if found else []

    charts = [
        Chart("Volume", "mL", days, [true("volume_ml", "true")], marks=exchanged, from_zero=True),
        Chart("pH", "", days, [true("ph", "true"), *shown("ph"), *samples("ph")], 7.1, 7.6, exchanged),
        Chart("Glucose", "mM", days, [true("glucose", "true"), *samples("glucose")], 2.0, None, exchanged, True),
        Chart("Lactate", "mM", days, [true("lactate", "true"), *samples("lactate")], None, 15.0, exchanged, True),
        Chart(
            "Dissolved oxygen", "% of air saturation", days,
            [true("do_percent", "true"), *shown("dissolved oxygen")], None, None, exchanged, True,
        ),
        Chart(
            "Oxygen of a spheroid", "µM", days,
            [true("o2_um", "medium"), true("rim_um", "rim"), true("core_um", "core")], 10.0, None, exchanged, True,
        ),
        Chart("Spheroid diameter", "µm", days, [true("diameter_um", "median")], from_zero=True),
        Chart("Confluence", "%", days, [true("confluence", "mean")], from_zero=True),
        Chart("Living cells", "million", days, [true("cells_million", "true")], from_zero=True),
        Chart(
            "Bacteria", "million per mL", days,
            [true("bacteria_million_ml", "true")], None, TURBID_MILLION_ML, from_zero=True,
        ),
        Chart("Viability", "%", days, [true("viability", "true")], 80.0),
        Chart(
            "Differentiation", "share of cells", days,
            [true("early", "early, with ALP"), true("mature", "mature")], from_zero=True,
        ),
        Chart(
            "ALP, relative to undifferentiated", "fold", days, [true("alp", "true")], from_zero=True,
            note="The time course counts from the begin of induction.",
        ),
        Chart(
            "Calcium", "µg per spheroid", days,
            [true("calcium_ug", "bound in matrix"), true("dystrophic_ug", "in dead cores")], from_zero=True,
            note="Constants of the mineral model are from memory (M): the shape is meant, not the number.",
        ),
        Chart("Calcium of the medium", "mM", days, [true("calcium_mm", "true")], 0.2, None, exchanged, True),
        Chart("Osmolality", "mmol/kg", days, [true("osmolality", "true")], marks=exchanged),
    ]  # fmt: skip
    yield from _section(f"The culture in {vessel}", (chart.svg() for chart in charts))


def _exchanges(told: Told) -> Iterator[str]:
    if not told.doses:
        return
    days = [dose.day for dose in told.doses]
    lines = [
        Line("asked", [dose.asked_ml for dose in told.doses], dots=True),
        Line("pump's counter", [dose.counter_ml for dose in told.doses], dots=True),
        Line("balance", [dose.balance_ml for dose in told.doses], dots=True),
    ]
    yield Chart("Volume moved", "mL", days, lines, from_zero=True).svg()
    rows = [
        (f"{dose.day:.2f}", f"{dose.path} {dose.part}", _ml(dose.asked_ml), _ml(dose.counter_ml),
         _ml(dose.balance_ml))
        for dose in told.doses
    ]  # fmt: skip
    head = ("day", "step", "asked, mL", "counter, mL", "balance, mL")
    yield _folded(f"All {len(rows)} transfers", _table(head, rows, numbers=(0, 2, 3, 4)))


def _hand_work(told: Told) -> Iterator[str]:
    if not told.tasks:
        return
    late = [task for task in told.tasks if task.hours_late > 0.0]
    yield f"<p>{len(told.tasks)} tasks, {len(late)} of them after their time.</p>"
    rows = [
        (f"{task.day:.2f}", task.what, task.by, f"{task.hours_late:.1f}" if task.hours_late > 0.0 else "", task.wrote)
        for task in told.tasks
    ]
    yield _table(("day", "task", "done by", "hours late", "written down"), rows, numbers=(0, 3))


def _events(told: Told) -> Iterator[str]:
    rows = [(f"{each.day:.2f}", each.kind, each.text) for each in told.events]
    yield _table(("day", "", ""), rows, numbers=(0,)) if rows else "<p>No alarm, no deviation, no hold.</p>"


def _numbers() -> Iterator[str]:
    yield (
        "<p>Marks: R read in the source named, C customary, <b>M from memory: check before quoting</b>, "
        "A assumed by us, D calculated.</p>"
    )
    memory = [row for row in parameters.TABLE if "M" in row.mark]
    rest = [row for row in parameters.TABLE if "M" not in row.mark]
    head = ("parameter", "value", "unit", "mark", "source")
    for title, rows in ((f"{len(memory)} from memory (M)", memory), (f"{len(rest)} others", rest)):
        cells = [(row.name, f"{row.value:.6g}", row.unit, row.mark, row.source) for row in rows]
        yield _folded(title, _table(head, cells, numbers=(1,)))


def _section(title: str, parts: Iterable[str]) -> Iterator[str]:
    """Nothing at all where there is nothing to show."""
    shown = [part for part in parts if part]
    if shown:
        yield f"<h2>{escape(title)}</h2>"
        yield from shown


def _list(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _folded(title: str, inside: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    top = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{escape(c)}</td>' if n in numbers else f"<td>{escape(c)}</td>" for n, c in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _ml(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"
