"""Parse records as rows: their cells, without formula guards, or why a record is damaged."""

import csv
from collections.abc import Sequence
from typing import NamedTuple

from rollbook.studentfile.reading import row_damage
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.row_damage import RowDamage
from rollbook.studentfile.reading.skipped_lines import BLANK_OR_DASHES, is_skipped
from rollbook.studentfile.writer import FORMULA_PREFIXES

_GUARDED_PREFIXES = tuple("'" + prefix for prefix in FORMULA_PREFIXES)


class RawRow(NamedTuple):
    """One row.

    Attributes:
        line: The physical line it begins on.
        cells: Its cells without formula guards.
        damage: Why it is rejected whatever its cells contain; None if it was read without loss.
    """

    line: int
    cells: list[str]
    damage: RowDamage | None = None


def parse_rows(records: Sequence[bytes], lines: Sequence[int], header: Header) -> list[RawRow]:
    """Return the rows of these records, without blank lines and lines of dashes.

    Rows that a mapping skips are left out, too.
    """
    rows = parse_every_row(records, lines, header)
    return keep_rows(rows, header) if header.reading else rows


def keep_rows(rows: list[RawRow], header: Header) -> list[RawRow]:
    """Return the rows that a mapping doesn't skip; it skips none that is damaged."""
    reading = header.reading
    if reading is None or not reading.has_conditions:
        return rows
    keeps, width = reading.keeps, len(header.names)
    return [row for row in rows if row.damage or len(row.cells) != width or keeps(row.cells)]


def parse_every_row(records: Sequence[bytes], lines: Sequence[int], header: Header) -> list[RawRow]:
    """Return the rows of these records, with those that a mapping skips."""
    secret = next(
        (index for index, column in enumerate(header.columns) if column and column.secret), None
    )
    parsed = _parse_intact(records)
    if parsed is None:
        return _parse_one_by_one(records, lines, header, secret)
    width = len(header.names)
    rows: list[RawRow] = []
    for record, line, cells in zip(records, lines, parsed, strict=True):
        if not record.strip(BLANK_OR_DASHES) and is_skipped(cells):
            continue
        if b"'" in record:
            _strip_formula_guards(cells, secret)
        rows.append(RawRow(line, cells if len(cells) == width else header.fit(cells)))
    return rows


def _parse_intact(records: Sequence[bytes]) -> list[list[str]] | None:
    """Return the cells of each record, or None if one of them is damaged.

    For the csv module, too, one record is one row.
    """
    if b"\0" in b"".join(records):
        return None
    try:
        return list(csv.reader([record.decode() for record in records], strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None


def _parse_one_by_one(
    records: Sequence[bytes], lines: Sequence[int], header: Header, secret: int | None
) -> list[RawRow]:
    """Return the rows of records of which some are damaged."""
    rows: list[RawRow] = []
    for record, line in zip(records, lines, strict=True):
        cells, damage = row_damage.read_record(record, line, header)
        if damage or record.strip(BLANK_OR_DASHES) or not is_skipped(cells):
            _strip_formula_guards(cells, secret)
            rows.append(RawRow(line, cells, damage))
    return rows


def _strip_formula_guards(cells: list[str], secret: int | None) -> None:
    """Remove the ``'`` that writer.py adds to values that look like formulas.

    Rollbook never writes passwords, so a ``'`` in the secret column was typed.
    """
    for index, cell in enumerate(cells):
        if index != secret and cell.startswith(_GUARDED_PREFIXES):
            cells[index] = cell[1:]
