"""Comparisons as a table, for a terminal and for Markdown. Pure."""

from collections.abc import Sequence

from bench.line import Line

HEAD = ("work", "database", "rows", "Rollbook", "against", "measured", "goal", "met")
_MET = {True: "yes", False: "NO", None: ""}


def cells(line: Line) -> tuple[str, ...]:
    """The line's words under ``HEAD``."""
    rows = f"{line.rows:,}" if line.rows else ""
    return (
        line.work,
        line.database,
        rows,
        line.ours,
        line.against,
        line.measured,
        line.goal,
        _MET[line.met],
    )


def text(lines: Sequence[Line]) -> str:
    """Columns of equal width."""
    rows = [HEAD, *map(cells, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    rows.insert(1, tuple("─" * width for width in widths))
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(lines: Sequence[Line]) -> str:
    """The same for a page; lost goals stand out."""
    body = [[f"**{cell}**" if cell == "NO" else cell for cell in cells(line)] for line in lines]
    rows = [HEAD, ["---", "---", "--:", "---", "---", "---", "---", "---"], *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def verdict(lines: Sequence[Line]) -> str:
    """How many goals are met, and which are not."""
    judged = [line for line in lines if line.met is not None]
    lost = [
        f"{line.work} on {line.database}: {line.measured}, {line.goal}"
        for line in judged
        if not line.met
    ]
    summary = f"{len(judged) - len(lost)} of {len(judged)} goals are met."
    return "\n".join([summary, *(f"NOT MET: {each}" for each in lost)])
