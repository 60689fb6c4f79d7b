"""How time grows with rows: two fits through measured points (rows, seconds). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """seconds = fixed + each × rows."""

    fixed: float
    each: float


def exponent(points: Sequence[Point]) -> float:
    """Return the least-squares slope of log seconds over log rows; 1 is linear."""
    return _weighted([(log(rows), log(seconds), 1.0) for rows, seconds in points]).each


def line(points: Sequence[Point]) -> Line:
    """Fit a line by least squares of the relative errors, so that all sizes count equally."""
    return _weighted([(rows, seconds, seconds**-2) for rows, seconds in points])


def _weighted(points: Sequence[tuple[float, float, float]]) -> Line:
    """The line through (x, y) with these weights; ValueError if all x are the same."""
    total = sum(weight for _, _, weight in points)
    if not total or len({x for x, _, _ in points}) < 2:
        raise ValueError("a line needs two different points")
    mean_x = sum(weight * x for x, _, weight in points) / total
    mean_y = sum(weight * y for _, y, weight in points) / total
    spread = sum(weight * (x - mean_x) ** 2 for x, _, weight in points)
    each = sum(weight * (x - mean_x) * (y - mean_y) for x, y, weight in points) / spread
    return Line(mean_y - each * mean_x, each)
