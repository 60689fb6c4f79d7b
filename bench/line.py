"""One comparison of what was measured, in words, and how its figures are written. Pure."""

from dataclasses import dataclass

from bench.results import Figures

MIB = 1 << 20
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
MILLION = 1_000_000


@dataclass(frozen=True)
class Line:
    """One comparison, in words; ``met`` is None if there is no goal for it at this size."""

    work: str
    database: str
    rows: int | None
    ours: str
    against: str
    measured: str
    goal: str
    met: bool | None


def seconds(figures: Figures) -> str:
    """Median and spread, such as ``2.31 s (2.20–2.52)``."""
    return f"{short(figures.median)} s{spread(figures)}"


def spread(figures: Figures) -> str:
    """The lowest and the highest, if there are several."""
    return f" ({short(figures.least)}–{short(figures.most)})" if len(figures.values) > 1 else ""


def short(number: float) -> str:
    """Three digits that count."""
    return (
        f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"
    )


def mib(size: float) -> str:
    """Bytes as MiB."""
    return f"{size / MIB:.1f} MiB"
