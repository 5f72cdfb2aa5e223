"""One plot as SVG text: days along, one unit up; no script, prints as it is shown, colours from the page's style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT = 900, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 10, 26
POINTS = 700
"""A line is thinned to about so many points, keeping what is lowest and highest between them."""

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity through time; None where it is not known. `dots` are single findings, not joined."""

    name: str
    values: Values
    dots: bool = False
    faint: bool = False
    """What an instrument says beside what is true."""
    at: Sequence[float] | None = None
    """Its own days; None = the chart's."""


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    unit: str
    days: Sequence[float]
    lines: Sequence[Line]
    low: float | None = None
    """Limits drawn as dashed lines."""
    high: float | None = None
    marks: Sequence[float] = ()
    """Days of exchanges, ticks along the bottom."""
    from_zero: bool = False
    least_span: float = 0.0
    """The axis covers at least so much, so that noise of the last digit does not fill the picture."""
    note: str = ""

    def svg(self) -> str:
        """The figure with its caption; "" when there is nothing to show."""
        lines = [line for line in self.lines if any(value is not None for value in line.values)]
        known = [value for line in lines for value in line.values if value is not None and isfinite(value)]
        if not known:
            return ""
        ends = [day for line in lines for day in (line.at or ())] + list(self.days)
        across = _Axis(min(ends), max(ends), LEFT, WIDTH - RIGHT)
        limits = [limit for limit in (self.low, self.high) if limit is not None]
        least, most = min(*known, *limits, known[0]), max(*known, *limits, known[0])
        wider = max(0.0, self.least_span - (most - least)) / 2
        least, most = least - wider, most + wider
        up = _Axis(0.0 if self.from_zero else least, most, HEIGHT - BOTTOM, TOP, margin=0.06)
        parts = [*_grid(across, up), *(_limit(limit, up) for limit in limits)]
        parts += [f'<path class="mark" d="M{across.at(day):.1f} {HEIGHT - BOTTOM}v5"/>' for day in self.marks]
        for number, line in reversed(list(enumerate(lines, 1))):  # the first lies on top
            parts += _drawn(line, line.at or self.days, across, up, f"l{number}")
        names = "".join(f'<span class="l{n}">{escape(line.name)}</span>' for n, line in enumerate(lines, 1))
        label = escape(f"{self.title}, {self.unit}" if self.unit else self.title)
        note = f"<small>{escape(self.note)}</small>" if self.note else ""
        return (
            f'<figure><figcaption><b>{label}</b><span class="names">{names}</span></figcaption>'
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>{note}</figure>'
        )


class _Axis:
    """From values to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float, margin: float = 0.0) -> None:
        if high - low < 1e-9 * max(1.0, abs(high)):
            low, high = low - 0.5 * abs(low or 1.0) * 0.02, high + 0.5 * abs(high or 1.0) * 0.02
        wide = (high - low) * margin
        self.low, self.high = low - (wide if low != 0.0 else 0.0), high + wide
        self._start, self._scale = start, (end - start) / (self.high - self.low)

    def at(self, value: float) -> float:
        return self._start + (value - self.low) * self._scale

    def ticks(self, wanted: int) -> list[float]:
        """Round numbers inside, about as many as wanted."""
        raw = (self.high - self.low) / wanted
        ten = 10.0 ** floor(log10(raw))
        step = next(ten * each for each in (1, 2, 5, 10) if ten * each >= raw)
        first = ceil(self.low / step)
        return [step * n for n in range(first, floor(self.high / step + 1e-9) + 1)]


def _grid(across: _Axis, up: _Axis) -> Iterable[str]:
    bottom = HEIGHT - BOTTOM
    for tick in up.ticks(4):
        y = up.at(tick)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>'
    for tick in across.ticks(10):
        x = across.at(tick)
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_number(tick)}</text>'
    yield f'<path class="axis" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>'


def _limit(value: float, up: _Axis) -> str:
    return f'<path class="limit" d="M{LEFT} {up.at(value):.1f}H{WIDTH - RIGHT}"/>'


def _drawn(line: Line, days: Sequence[float], across: _Axis, up: _Axis, style: str) -> Iterable[str]:
    points = [
        None if value is None or not isfinite(value) else (across.at(day), up.at(value))
        for day, value in zip(days, line.values, strict=True)
    ]
    if line.dots:
        for point in points:
            if point is not None:
                yield f'<circle class="{style}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3"/>'
        return
    for run in _runs(points):
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in thinned(run))
        faint = " faint" if line.faint else ""
        yield f'<path class="line {style}{faint}" d="M{path}"/>'


def _runs(points: Sequence[tuple[float, float] | None]) -> Iterable[list[tuple[float, float]]]:
    """Stretches without a gap."""
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """About `POINTS` of them: of each stretch the first, the lowest, the highest and the last, in their order."""
    size = ceil(4 * len(points) / POINTS)
    if size <= 4:
        return list(points)
    kept: list[tuple[float, float]] = []
    for begin in range(0, len(points), size):
        part = list(enumerate(points[begin : begin + size]))
        chosen = {0, len(part) - 1, min(part, key=lambda p: p[1][1])[0], max(part, key=lambda p: p[1][1])[0]}
        kept += [point for number, point in part if number in chosen]
    return kept


def _number(value: float) -> str:
    return f"{value:.10g}" if abs(value) >= 1e-4 or value == 0.0 else f"{value:.1e}"
