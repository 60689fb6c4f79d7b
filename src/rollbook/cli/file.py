"""``rollbook file``: a student file's own rules, with no server, no database and no data folder."""

from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rollbook.cli import telling
from rollbook.cli.failures import DONE, NOT_DONE, SOME_REJECTED, Failure
from rollbook.cli.progress import Progress
from rollbook.format import reader
from rollbook.format.checker import CheckedRow, Checker
from rollbook.format.problems import Problem
from rollbook.format.reader import RawRow, Survey

NOT_CHECKED = (
    "Not checked here, as it takes the district's students: whether students and schools exist, whether a new "
    "student has all it needs, and keys that two rows or students want."
)


@dataclass
class _Result:
    """What the rows came to: how many would be rejected, exact totals by code, and the first problems in detail."""

    rejected: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Problem] = field(default_factory=list)

    def take(self, problems: Iterable[Problem], most: int | None) -> None:
        """Count these problems, and keep those for which there is room."""
        for problem in problems:
            self.counts[problem.code] += 1
            if most is None or len(self.first) < most:
                self.first.append(problem)


def check(arguments: Namespace) -> int:
    """Survey the file, then check every row; the result tells how it would fare."""
    path: Path = arguments.file
    try:
        survey = reader.survey(path, encoding=reader.known_encoding(arguments.encoding))
    except ValueError as error:
        raise Failure("unknown_encoding", str(error)) from None
    result = _Result()
    result.take(survey.problems, None)
    if survey.header and not survey.refusal:
        for row in _rows(path, survey):
            result.rejected += row.rejected
            result.take(row.problems, None if arguments.json else telling.MOST_SHOWN)
    verdict, code = _verdict(path, survey, result)
    if arguments.json:
        telling.print_json(_facts(path, survey, result, verdict), result.first)
    else:
        print("\n".join(_lines(verdict, result)))
    return code


def _rows(path: Path, survey: Survey) -> Iterator[CheckedRow]:
    assert survey.header  # noqa: S101 - a survey without one has a refusal
    checker = Checker(survey.header, date.today())  # noqa: DTZ011 - the day it is where the file is checked
    done = 0
    with Progress() as progress:
        for batch in reader.read_batches(path, encoding=survey.encoding, header=survey.header):
            for row in batch.rows:
                yield _checked(checker, row)
            done += len(batch.rows)
            progress.show("checking", done, survey.rows)


def _checked(checker: Checker, row: RawRow) -> CheckedRow:
    """An error of ours in a rule rejects the row, as it would in an update."""
    try:
        return checker.check(row)
    except Exception:
        return CheckedRow(row.line, {}, [Problem("internal_error", row.line)])


def _verdict(path: Path, survey: Survey, result: _Result) -> tuple[str, int]:
    if survey.refusal:
        return f"REFUSED {path}: {survey.refusal.code}: {survey.refusal.message}", NOT_DONE
    rows = f"{survey.rows:,} {'row' if survey.rows == 1 else 'rows'}"
    if result.rejected:
        return f"WITH ERRORS {path}: {rows}, {result.rejected:,} would be rejected", SOME_REJECTED
    return f"OK {path}: {rows}, none would be rejected", DONE


def _lines(verdict: str, result: _Result) -> Iterator[str]:
    yield verdict
    if result.counts:
        yield ""
        yield from telling.totals(result.counts)
        yield ""
        yield from telling.details(result.first, result.counts.total(), "all of them: --json")
    yield ""
    yield NOT_CHECKED


def _facts(path: Path, survey: Survey, result: _Result, verdict: str) -> dict[str, object]:
    return {
        "verdict": verdict.partition(f" {path}:")[0],
        "message": verdict,
        "file": {"name": path.name, "bytes": path.stat().st_size},
        "encoding": survey.encoding,
        "rows": survey.rows,
        "rejected": result.rejected,
        "counts": dict(result.counts),
        "not_checked": NOT_CHECKED,
    }
