"""Problems and tables as a terminal shows them: calm, aligned, and never cut off without saying so."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice

from rollbook.format.problems import KINDS, Problem

MAX_PROBLEMS_SHOWN = 1000
_WEIGHT = {code: weight for weight, code in enumerate(KINDS)}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they must be; those of figures are flush right."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    figures = [all(_is_figure(row[at]) for row in rows) for at in range(len(head))]
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _is_figure(text: str) -> bool:
    return text.replace(",", "").isdigit()


def name_value_lines(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A name and what it is, one below the other; those that are nothing are left out."""
    told = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in told), default=0)
    for name, value in told:
        yield f"  {name.ljust(width)}  {value}"


def problem_totals(counts: Mapping[str, int]) -> Iterator[str]:
    """How many problems of each code: errors before warnings, the most frequent first."""
    codes = sorted(counts, key=lambda code: (KINDS[code].severity, -counts[code], _WEIGHT[code]))
    rows = [
        (f"{counts[code]:,}", KINDS[code].severity.value, code, KINDS[code].title) for code in codes
    ]
    if rows:
        yield from table(("count", "severity", "code", "what happened"), rows)


def problem_lines(problems: Iterable[Problem], count: int, where_all: str) -> Iterator[str]:
    """The first problems of ``count``, a line each, and where to find all of them."""
    shown = 0
    for problem in islice(problems, MAX_PROBLEMS_SHOWN):
        yield problem_line(problem)
        shown += 1
    if count > shown:
        yield f"... and {count - shown:,} more; {where_all}"


def problem_line(problem: Problem) -> str:
    """One problem: where, which, and what to do."""
    where = f"line {problem.line:,}" if problem.line else "the file"
    column = f", {problem.column}" if problem.column else ""
    return f"{where}{column}: {problem.code}: {problem.message}"


def to_json(value: object) -> str:
    """Indented, times in ISO 8601."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_in_json)


def print_json(head: Mapping[str, object], problems: Iterable[Problem]) -> None:
    """``head`` as an object, with every problem under the name ``problems``, written as they come."""
    sys.stdout.write(to_json(head).removesuffix("\n}") + ',\n  "problems": [')
    separator = "\n"
    for problem in problems:
        sys.stdout.write(
            f"{separator}    {json.dumps(problem_to_json(problem), ensure_ascii=False)}"
        )
        separator = ",\n"
    sys.stdout.write(("]" if separator == "\n" else "\n  ]") + "\n}\n")


def problem_to_json(problem: Problem) -> dict[str, object]:
    """A problem for programs."""
    return {
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
    }


def _in_json(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
