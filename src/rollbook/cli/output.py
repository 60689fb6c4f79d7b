"""Format tables, problems and JSON for the terminal."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice

from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, sort_codes

MAX_PROBLEMS_SHOWN = 1000


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; columns of numbers are aligned to the right."""
    formats = [_cell_format([row[at] for row in rows], header) for at, header in enumerate(headers)]
    for row in (headers, *rows):
        cells = map(format, row, formats)
        yield "  ".join(cells).rstrip()


def _cell_format(cells: Sequence[str], header: str) -> str:
    alignment = ">" if all(map(_is_number, cells)) else "<"
    width = max(map(len, (header, *cells)))
    return f"{alignment}{width}"


def _is_number(text: str) -> bool:
    return text.replace(",", "").isdigit()


def name_value_lines(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each name and value; empty values are left out."""
    values = dict(pairs)
    names = list(filter(values.get, values))
    width = max(map(len, names), default=0)
    for name in names:
        value = values[name]
        yield f"  {name.ljust(width)}  {value}"


def problem_totals(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield a table of problem codes: errors before warnings, the most frequent first."""
    rows: list[tuple[str, ...]] = []
    for code in sort_codes(counts):
        definition = PROBLEM_CODES[code]
        rows.append((f"{counts[code]:,}", definition.severity.value, code, definition.title))
    if rows:
        yield from table(("count", "severity", "code", "problem"), rows)


def problem_lines(problems: Iterable[Problem], count: int, rest_hint: str) -> Iterator[str]:
    """Yield a line for each of the first problems.

    Args:
        problems: The problems, or the first ones.
        count: How many there are in total.
        rest_hint: Where to find the ones that are left out.
    """
    shown = 0
    for problem in islice(problems, MAX_PROBLEMS_SHOWN):
        yield problem_line(problem)
        shown += 1
    if count > shown:
        yield f"... and {count - shown:,} more; {rest_hint}"


def problem_line(problem: Problem) -> str:
    """Format one problem: where it is, what it is and how to fix it."""
    position = f"line {problem.line:,}" if problem.line else "the file"
    column = f", {problem.column}" if problem.column else ""
    return f"{position}{column}: {problem.code}: {problem.message}"


def to_json(value: object) -> str:
    """Serialize as indented JSON with times in ISO 8601."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_to_serializable)


def print_json(result: Mapping[str, object], problems: Iterable[Problem]) -> None:
    """Print ``result`` as a JSON object that also has all problems, without holding them all."""
    sys.stdout.write(to_json(result).removesuffix("\n}") + ',\n  "problems": [')
    separator = "\n"
    for problem in problems:
        line = json.dumps(problem_to_json(problem), ensure_ascii=False)
        sys.stdout.write(f"{separator}    {line}")
        separator = ",\n"
    end = "]" if separator == "\n" else "\n  ]"
    sys.stdout.write(f"{end}\n}}\n")


def problem_to_json(problem: Problem) -> dict[str, object]:
    """Return the problem as a JSON object."""
    return {
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "severity": problem.severity.value,
        "message": problem.message,
    }


def _to_serializable(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
