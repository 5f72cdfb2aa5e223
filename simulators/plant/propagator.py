"""The exact step of a small linear system: x' = A x + B u with u constant over the step."""

from __future__ import annotations

Matrix = tuple[tuple[float, ...], ...]


def propagator(a: Matrix, b: Matrix, dt_s: float) -> tuple[Matrix, Matrix]:
    """(F, G) with x(t + dt) = F x + G u, from the exponential of the block matrix [[A, B], [0, 0]]."""
    n, m = len(a), len(b[0])
    block = [list(a[i]) + list(b[i]) for i in range(n)] + [[0.0] * (n + m) for _ in range(m)]
    e = _exponential([[v * dt_s for v in row] for row in block])
    return tuple(tuple(row[:n]) for row in e[:n]), tuple(tuple(row[n:]) for row in e[:n])


def _exponential(a: list[list[float]]) -> list[list[float]]:
    """Taylor series of a scaled-down matrix, squared back up; error below 1e-15 for the sizes used here."""
    norm = max(sum(abs(v) for v in row) for row in a)
    halvings = 0
    while norm > 0.25:
        norm /= 2
        halvings += 1
    scale = 0.5**halvings
    n = len(a)
    small = [[v * scale for v in row] for row in a]
    total = [[float(i == j) for j in range(n)] for i in range(n)]
    term = total
    for k in range(1, 13):
        term = [[v / k for v in row] for row in _product(term, small)]
        total = [[total[i][j] + term[i][j] for j in range(n)] for i in range(n)]
    for _ in range(halvings):
        total = _product(total, total)
    return total


def _product(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    n = len(b)
    columns = list(zip(*b, strict=True))
    return [[sum(row[k] * column[k] for k in range(n)) for column in columns] for row in a]
