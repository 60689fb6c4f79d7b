"""Validate every row of a student file: for check, preview and ``rollbook file check``."""

import logging
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading.reader import FileScan, RawRow, read_batches
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # print nothing where no logging is set up

BATCH_ROWS = 5000


def validate_rows(checker: RowValidator, rows: Iterable[RawRow]) -> Iterator[ValidatedRow]:
    """Validate rows one by one.

    An exception in a rule of ours rejects that row alone and is logged with its line.
    """
    for row in rows:
        try:
            checked = checker.validate(row)
        except Exception:
            log.exception("a rule failed on line %d", row.line)
            checked = ValidatedRow(row.line, {}, [Problem("internal_error", row.line)])
        yield checked


def validate_file(
    path: Path, survey: FileScan, today: date, tally: ProblemTally, *, batch_rows: int = BATCH_ROWS
) -> Iterator[int]:
    """Validate the rows of a surveyed file; yield the rows validated so far after each batch.

    ``tally`` counts the survey's problems and every row. A file that is refused as a whole has no
    row validated. ``today`` is the district's date.
    """
    tally.add(survey.problems)
    if survey.refusal or not survey.header:
        return
    checker = RowValidator(survey.header, today)
    batches = read_batches(path, encoding=survey.encoding, header=survey.header, size=batch_rows)
    for batch in batches:
        for row in validate_rows(checker, batch.rows):
            tally.add_row(row)
        yield tally.rows
