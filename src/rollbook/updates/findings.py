"""What a file's own rules say of it before it is sent: the survey of the whole, and of each row the checker's word.

Only an update can tell which students and schools exist, and which rows want what another row or student has.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rollbook.format import reader
from rollbook.format.checker import CheckedRow, Checker
from rollbook.format.header import Header
from rollbook.format.problems import KINDS, Problem, Severity
from rollbook.format.reader import RawRow, Survey
from rollbook.updates.problems import in_order, weightiest

log = logging.getLogger(__name__)

FIRST_PROBLEMS = 10
LONGEST_CHECK = 20.0  # seconds of a person who waits for the answer


@dataclass(frozen=True)
class FoundGroup:
    """The problems of one code: how many, and the first of them."""

    code: str
    severity: Severity
    title: str
    repair: str
    count: int
    first: tuple[Problem, ...]


@dataclass(frozen=True)
class Findings:
    """What is wrong with a file, as far as it was looked into: ``checked`` of its ``rows``.

    ``problems`` are those of the file as a whole, ``groups`` are all of them. ``known`` are the columns that are read,
    ``ignored`` the names of those that are not, as sent.
    """

    rows: int
    checked: int
    rejected: int
    problems: tuple[Problem, ...]
    groups: tuple[FoundGroup, ...]
    known: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def refusal(self) -> Problem | None:
        """The weightiest problem that makes the whole file unacceptable."""
        return weightiest(self.problems)

    @property
    def complete(self) -> bool:
        """Whether every row was checked."""
        return self.checked == self.rows


@dataclass
class _Tally:
    """Rows as they are checked: exact totals by code, and of each code the first problems."""

    checked: int = 0
    rejected: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: defaultdict[str, list[Problem]] = field(default_factory=lambda: defaultdict(list))

    def take(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.counts[problem.code] += 1
            if self.counts[problem.code] <= FIRST_PROBLEMS:
                self.first[problem.code].append(problem)


def look_into(path: Path, survey: Survey, today: date) -> dict[str, Any]:
    """Check the rows of a surveyed file, for LONGEST_CHECK at most; returns what ``told`` reads, fit for JSON."""
    tally = _Tally()
    tally.take(survey.problems)
    if survey.header and not survey.refusal:
        for row in _checked(path, survey, survey.header, today):
            tally.checked += 1
            tally.rejected += row.rejected
            tally.take(row.problems)
    return {
        "checked": tally.checked,
        "rejected": tally.rejected,
        "problems": [asdict(problem) for problem in survey.problems],
        "counts": dict(tally.counts),
        "first": {code: [asdict(problem) for problem in first] for code, first in tally.first.items()},
    }


def told(found: Mapping[str, Any], rows: int, header: Sequence[str]) -> Findings:
    """What ``look_into`` found in a file of so many rows under this header."""
    columns = Columns.of(header)
    return Findings(
        rows=rows,
        checked=found["checked"],
        rejected=found["rejected"],
        problems=_problems(found["problems"]),
        groups=tuple(_groups(found["counts"], found["first"])),
        known=columns.known,
        ignored=columns.ignored,
    )


@dataclass(frozen=True)
class Columns:
    """A header's columns: the names of those that are read, and those that are not, as sent."""

    known: tuple[str, ...]
    ignored: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> "Columns":
        """Those of a header that was sent like this."""
        header, _ = Header.parse(names)
        return cls(
            tuple(column.name for column in header.columns if column),
            tuple(name for name, column in zip(header.names, header.columns, strict=True) if column is None),
        )


def _checked(path: Path, survey: Survey, header: Header, today: date) -> Iterator[CheckedRow]:
    checker = Checker(header, today)
    until = time.monotonic() + LONGEST_CHECK
    for batch in reader.read_batches(path, encoding=survey.encoding, header=header, size=1000):
        for row in batch.rows:
            yield _check(checker, row)
        if time.monotonic() > until:
            return


def _check(checker: Checker, row: RawRow) -> CheckedRow:
    """An error of ours in a rule rejects the row, as it would in an update."""
    try:
        return checker.check(row)
    except Exception:
        log.exception("a rule failed on line %d", row.line)
        return CheckedRow(row.line, {}, [Problem("internal_error", row.line)])


def _problems(said: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem(**problem) for problem in said)


def _groups(counts: Mapping[str, int], first: Mapping[str, Any]) -> Iterator[FoundGroup]:
    for code in in_order(counts):
        kind = KINDS[code]
        yield FoundGroup(code, kind.severity, kind.title, kind.repair, counts[code], _problems(first[code]))
