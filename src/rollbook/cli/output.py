"""Format tables, problems and JSON for the terminal."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from rollbook.cli.terminal import BOLD, Toned, paint
from rollbook.studentfile.problems.codes import Severity
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem, sort_codes
from rollbook.text import line_list

MAX_LINES_PER_CODE = 1000
_MAX_RANGES = 12
_TONES = {Severity.ERROR: "bad", Severity.WARNING: "warn"}


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; columns of numbers are aligned to the right.

    On a terminal, the headers are bold, and cells that are ``Toned`` have their color.
    """
    formats = [_cell_format([row[at] for row in rows], header) for at, header in enumerate(headers)]
    yield paint("  ".join(map(format, headers, formats)).rstrip(), BOLD)
    for row in rows:
        yield "  ".join(map(_painted_cell, row, formats)).rstrip()


def _painted_cell(text: str, cell_format: str) -> str:
    cell = format(text, cell_format)
    return paint(cell, text.tone) if isinstance(text, Toned) else cell


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
        severity = Toned.of(definition.severity.value, _TONES[definition.severity])
        rows.append((f"{counts[code]:,}", severity, code, definition.title))
    if rows:
        yield from table(("count", "severity", "code", "problem"), rows)


def problem_lines(
    problems: Iterable[Problem], counts: Mapping[str, int], *, every: bool
) -> Iterator[str]:
    """Yield the lines about problems, those of one code together or each on its own.

    Args:
        problems: The problems in the order of the file; of each code perhaps only the first ones.
        counts: How many there are of each code.
        every: Whether each has a line of its own.
    """
    if every:
        yield from map(problem_line, problems)
        return
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        group = groups.setdefault(problem.code, [])
        if len(group) < MAX_LINES_PER_CODE:
            group.append(problem)
    totals = {code: max(counts[code], len(group)) for code, group in groups.items()}
    for code in sort_codes(totals):
        yield from _group_lines(groups[code], totals[code])
    if max(totals.values(), default=1) > 1:
        yield "Use --all to list each of them."


def _group_lines(group: Sequence[Problem], count: int) -> Iterator[str]:
    """Yield the lines about problems of one code: where they are, and the first as an example."""
    first = group[0]
    if count == 1:
        yield problem_line(first)
        return
    columns = "".join(f", {name}" for name in dict.fromkeys(each.column for each in group) if name)
    yield f"{count:,} x {first.code}{columns}{_where(group, count)}"
    yield f"  such as {problem_line(first)}"


def _where(group: Sequence[Problem], count: int) -> str:
    """Return the lines of the problems, as far as they are short to list."""
    lines = [each.line for each in group if each.line]
    if not lines:
        return ""
    ranges = line_list(sorted(set(lines))).split(", ")
    is_cut = len(ranges) > _MAX_RANGES or count > len(lines)
    more = " and more" if is_cut else ""
    return f": lines {', '.join(ranges[:_MAX_RANGES])}{more}"


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
