"""Validate every row of a student file: for check, preview and ``rollbook file check``."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading.reader import FileScan, RawRow, read_batches
from rollbook.studentfile.reading.source import Source
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # print nothing if logging is not configured

BATCH_ROWS = 5000


def validate_rows(validator: RowValidator, rows: Sequence[RawRow]) -> list[ValidatedRow]:
    """Validate rows: those whose cells are all valid by columns, the others one by one.

    An exception in a rule rejects that row only and is logged with its line.
    """
    try:
        valid = validator.validate_valid(rows)
    except Exception:
        log.warning("a rule failed in %d rows, which are validated one by one", len(rows))
        valid = [None] * len(rows)
    pairs = zip(rows, valid, strict=True)
    return [validated or _validate_row(validator, row) for row, validated in pairs]


def _validate_row(validator: RowValidator, row: RawRow) -> ValidatedRow:
    try:
        return validator.validate(row)
    except Exception:
        log.exception("a rule failed on line %d", row.line)
        return ValidatedRow(row.line, {}, [Problem("internal_error", row.line)])


def validate_file(
    source: Source,
    file_scan: FileScan,
    today: date,
    tally: ProblemTally,
    *,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[int]:
    """Validate the rows of a scanned file; yield the number of validated rows after each batch.

    Rows are validated only if the file isn't refused as a whole.

    Args:
        source: The file.
        file_scan: The result of its scan.
        today: The district's date.
        tally: Counts the problems of the file and every row.
        batch_rows: Maximum number of rows in a batch.
    """
    tally.add(file_scan.problems)
    header, encoding = file_scan.header, file_scan.encoding
    if file_scan.refusal or not header:
        return
    validator = RowValidator(header, today, rules=file_scan.rules)
    for batch in read_batches(source, encoding=encoding, header=header, size=batch_rows):
        for row in validate_rows(validator, batch.rows):
            header.locate(row.problems)
            tally.add_row(row)
        yield tally.rows
