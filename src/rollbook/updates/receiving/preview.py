"""What a file's own rules say of it before it is sent: the survey of the whole, and of each row the checker's word.

Only an update can tell which students and schools exist, and which rows want what another row or student has.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rollbook.studentfile.file_validator import validate_file
from rollbook.studentfile.problems.problem import Problem, most_severe, sort_codes
from rollbook.studentfile.problems.tally import ProblemGroup, ProblemTally
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FileScan

MAX_SHOWN_PROBLEMS = 10
CHECK_TIMEOUT_S = 20.0  # seconds of a person who waits for the answer
BATCH_ROWS = 1000  # the time is looked at after each


@dataclass(frozen=True)
class FilePreview:
    """What is wrong with a file, as far as it was looked into: ``checked`` of its ``rows``.

    ``problems`` are those of the file as a whole, ``groups`` are all of them. ``known`` are the columns that are read,
    ``ignored`` the names of those that are not, as sent.
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
        """The weightiest problem that makes the whole file unacceptable."""
        return most_severe(self.problems)

    @property
    def complete(self) -> bool:
        """Whether every row was checked."""
        return self.checked == self.rows


def preview_rows(path: Path, survey: FileScan, today: date) -> dict[str, Any]:
    """Check the rows of a surveyed file, for LONGEST_CHECK at most; returns what ``told`` reads, fit for JSON."""
    tally = ProblemTally(max_per_code=MAX_SHOWN_PROBLEMS)
    until = time.monotonic() + CHECK_TIMEOUT_S
    for _ in validate_file(path, survey, today, tally, batch_rows=BATCH_ROWS):
        if time.monotonic() > until:
            break
    first: dict[str, list[dict[str, Any]]] = {}
    for problem in tally.problems:
        first.setdefault(problem.code, []).append(asdict(problem))
    return {
        "checked": tally.rows,
        "rejected": tally.rejected,
        "problems": [asdict(problem) for problem in survey.problems],
        "counts": dict(tally.counts),
        "first": first,
    }


def build_preview(found: Mapping[str, Any], rows: int, header: Sequence[str]) -> FilePreview:
    """What ``look_into`` found in a file of so many rows under this header."""
    columns = HeaderColumns.from_names(header)
    counts, first = found["counts"], found["first"]
    return FilePreview(
        rows=rows,
        checked=found["checked"],
        rejected=found["rejected"],
        problems=_problems(found["problems"]),
        groups=tuple(_group(code, counts[code], first[code]) for code in sort_codes(counts)),
        known=columns.known,
        ignored=columns.ignored,
    )


@dataclass(frozen=True)
class HeaderColumns:
    """A header's columns: the names of those that are read, and those that are not, as sent."""

    known: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def from_names(cls, names: Sequence[str]) -> "HeaderColumns":
        """Those of a header that was sent like this."""
        header, _ = Header.parse(names)
        return cls(
            tuple(column.name for column in header.columns if column),
            tuple(
                name
                for name, column in zip(header.names, header.columns, strict=True)
                if column is None
            ),
        )


def _problems(kept: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem(**problem) for problem in kept)


def _group(code: str, count: int, kept: Iterable[Mapping[str, Any]]) -> ProblemGroup:
    first = _problems(kept)
    lines = dict.fromkeys(problem.line for problem in first)
    return ProblemGroup(code, count, tuple(filter(None, lines)), first)
