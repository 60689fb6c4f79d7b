"""Check a file before it is submitted: scan it, and validate its rows.

Only an update can find unknown students and schools, and conflicts between rows or with students.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

from rollbook.studentfile.file_validator import validate_file
from rollbook.studentfile.problems.problem import Problem, most_severe, sort_codes
from rollbook.studentfile.problems.tally import ProblemGroup, ProblemTally
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FileScan
from rollbook.studentfile.reading.source import Source

MAX_SHOWN_PROBLEMS = 10
CHECK_TIMEOUT_S = 20.0  # a person is waiting for the page
BATCH_ROWS = 1000  # the timeout is checked after each batch


@dataclass(frozen=True)
class FilePreview:
    """The problems that were found in a file.

    Attributes:
        rows: Rows in the file.
        checked: Rows that were checked before the timeout.
        rejected: Checked rows that have an error.
        problems: The problems of the file as a whole.
        groups: The problems of the file and its rows, by code.
        known: The names of the columns that are read.
        ignored: The names of the columns that are not read, as sent.
    """

    rows: int
    checked: int
    rejected: int
    problems: tuple[Problem, ...]
    groups: tuple[ProblemGroup, ...]
    known: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def refusal(self) -> Problem | None:
        """The most severe problem for which the file isn't accepted; None if there is none."""
        return most_severe(self.problems)

    @property
    def complete(self) -> bool:
        """Whether every row was checked."""
        return self.checked == self.rows


def preview_rows(source: Source, scan: FileScan, today: date) -> dict[str, Any]:
    """Validate the rows of a scanned file until ``CHECK_TIMEOUT_S`` has passed.

    Args:
        source: The file.
        scan: The result of scanning it.
        today: The date in the district.

    Returns:
        The arguments of ``build_preview`` that aren't stored elsewhere, as JSON.
    """
    tally = ProblemTally(max_per_code=MAX_SHOWN_PROBLEMS)
    deadline = time.monotonic() + CHECK_TIMEOUT_S
    for _ in validate_file(source, scan, today, tally, batch_rows=BATCH_ROWS):
        if time.monotonic() > deadline:
            break
    first_by_code: dict[str, list[dict[str, Any]]] = {}
    for problem in tally.problems:
        first_by_code.setdefault(problem.code, []).append(asdict(problem))
    return {
        "header": list(scan.header.names) if scan.header else [],
        "checked": tally.rows,
        "rejected": tally.rejected,
        "problems": [asdict(problem) for problem in scan.problems],
        "counts": dict(tally.counts),
        "first": first_by_code,
    }


def build_preview(result: Mapping[str, Any], rows: int, header: Header) -> FilePreview:
    """Return the preview of a file.

    Args:
        result: What ``preview_rows`` returned.
        rows: Rows in the file.
        header: The header of the file.
    """
    columns = HeaderColumns.of(header)
    counts, first_by_code = result["counts"], result["first"]
    groups = [_group(code, counts[code], first_by_code[code]) for code in sort_codes(counts)]
    return FilePreview(
        rows=rows,
        checked=result["checked"],
        rejected=result["rejected"],
        problems=_problems(result["problems"]),
        groups=tuple(groups),
        known=columns.known,
        ignored=columns.ignored,
    )


@dataclass(frozen=True)
class HeaderColumns:
    """The columns of a header.

    Attributes:
        known: The names of the columns that are read.
        ignored: The names of the columns that are not read, as sent.
    """

    known: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def of(cls, header: Header) -> Self:
        """Return the columns of a header."""
        if header.reading:
            read = tuple(column.name for column in header.reading.columns)
            unread = zip(header.names, header.columns, strict=True)
            return cls(read, tuple(name for name, column in unread if column is None))
        known, ignored = [], []
        for name, column in zip(header.names, header.columns, strict=True):
            if column is None:
                ignored.append(name)
            else:
                known.append(column.name)
        return cls(tuple(known), tuple(ignored))


def _problems(stored: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem(**problem) for problem in stored)


def _group(code: str, count: int, stored: Iterable[Mapping[str, Any]]) -> ProblemGroup:
    first = _problems(stored)
    lines = dict.fromkeys(problem.line for problem in first)
    columns = dict.fromkeys(problem.column for problem in first)
    return ProblemGroup(
        code, count, tuple(filter(None, lines)), first, tuple(filter(None, columns))
    )
