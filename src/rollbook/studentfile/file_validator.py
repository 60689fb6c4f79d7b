"""Validate every row of a student file: for check, preview and ``rollbook file check``."""

import logging
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading.reader import FileScan, RawRow, read_records
from rollbook.studentfile.reading.source import Source
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow, ValidColumns

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # print nothing if logging is not configured

BATCH_ROWS = 5000
_RULE_FAILED = "a rule failed in %d rows, which are validated one by one"


def validate_rows(validator: RowValidator, rows: Sequence[RawRow]) -> list[ValidatedRow]:
    """Validate rows: those whose cells are all valid by columns, the others one by one.

    An exception in a rule rejects that row only and is logged with its line.
    """
    columns = validate_columns(validator, rows)
    return validate_rest(validator, rows, columns, range(len(rows)))


def validate_columns(validator: RowValidator, rows: Sequence[RawRow]) -> ValidColumns:
    """Return the rows whose cells are all valid, as columns; none if a rule fails."""
    try:
        return validator.validate_columns(rows)
    except Exception:
        log.warning(_RULE_FAILED, len(rows))
        return ValidColumns()


def validate_rest(
    validator: RowValidator,
    rows: Sequence[RawRow],
    columns: ValidColumns,
    positions: Collection[int],
) -> list[ValidatedRow]:
    """Validate some rows of a batch.

    Args:
        validator: The validator.
        rows: The rows of the batch.
        columns: As returned by ``validate_columns``.
        positions: The positions of the rows to validate.
    """
    try:
        valid = validator.valid_rows(rows, columns, frozenset(positions))
    except Exception:
        log.warning(_RULE_FAILED, len(rows))
        valid = {}
    return [valid.get(at) or _validate_row(validator, rows[at]) for at in positions]


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
    for batch in read_records(source, encoding=encoding, header=header, size=batch_rows):
        for row in validate_rows(validator, batch.rows(header)):
            header.locate(row.problems)
            tally.add_row(row)
        yield tally.rows
